"""What is stored of persons is destroyed when its time is over, wholly, and what was counted of it stays."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select

from collector import privacy, readings
from collector.agencies import Register
from collector.contract.connector import BadRow, Batch, Covered, Span
from collector.contract.errors import Destroyed, TryAgain, WrongUse
from collector.contract.period import day_start, month_of, parse_period, plus_days
from collector.contract.reading import Reading
from collector.contract.records import RECORDS, Mailbox, MailboxDay, columns
from collector.contract.tables import mailbox, mailbox_day
from collector.readings import Member, Served, World
from collector.store import destruction, hashes, locks, tallies
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.reference import refresh
from collector.store.save import Saved, read_cursor, read_spans, save
from collector.store.schema import about, edition, quarantine, span
from collector.transports.pseudonym import Pseudonyms
from connectors.email import mail_log, standing
from tests.store.small import INDICATORS, PLAN, calendar, register, row, store

JANUARY, FEBRUARY, QUARTER = parse_period("2026-01"), parse_period("2026-02"), parse_period("2026-Q1")
DAY = 86_400
SEALED = day_start(20260210)
APPEALED = 20260313  # 30 whole days after the seal's day
NAMES = [f"official{n}@a.example" for n in range(40)] + [f"official{n}@b.example" for n in range(30)]
LATER = plus_days(APPEALED, 5)
OF_PERSONS = [one for one in INDICATORS if one.group is not None]


def mail_cursor(keys: Pseudonyms) -> dict[str, Any]:
    """What the connector of mail logs holds of sessions and mails that had not ended."""
    waiting = {
        "sessions": {
            "host": {
                "a": [20260130, keys.of(NAMES[0], 20260130), ""],
                "b": [20251231, "", keys.of(NAMES[1], 20260101)],
                "c": [20260131, keys.of(NAMES[2], 20260131), keys.of(NAMES[2], 20260201)],
                "d": [20260203, keys.of(NAMES[3], 20260203), ""],
            }
        },
        "mails": {"host": {"q1": [20260129, keys.of(NAMES[4], 20260129), ""]}},
        "accepted": {
            "host": {"q2": [20260128, keys.of(NAMES[5], 20260128)], "q3": [20260202, keys.of(NAMES[6], 20260202)]}
        },
        "unlinked": {"host": {"q4": [20260131, 1, 0]}},
    }
    return {"lists": {}, "logs": {"mail.log*": {"file": "f", "pending": waiting}}}


@dataclass(frozen=True, slots=True)
class Small:
    """A store with two months of two agencies' mailboxes, read by a source of mail logs and one of a server."""

    engine: Engine
    known: Register
    keys: Pseudonyms
    folder: Path

    def keeper(self, now: int = LATER) -> privacy.Keeper:
        forget = {"mail": mail_log.forget, "server": standing.forget}
        clock = lambda: day_start(now)  # noqa: E731
        return privacy.Keeper(self.engine, self.keys, PLAN, forget, 30, clock, clock, "test")

    def batch(self, month_day: int, pseudonym: Callable[[str, int], str] | None = None) -> Batch:
        name = pseudonym or self.keys.of
        boxes = []
        use = []
        for n, address in enumerate(NAMES):
            own = name(address, month_day)
            boxes.append(
                row(
                    Mailbox,
                    key=f"{month_day // 100}:{own}",
                    agency_code=address.partition("@")[2],
                    month_day=month_day,
                    pseudonym=own,
                    kind="personal",
                    first_listed_day=month_day,
                    quota=0,
                )
            )
            for day in range(month_day + 4, month_day + 12):
                if (n + day) % 3:
                    name_of_span = f"log{day}:0-99" if day < month_day + 11 else "log:5-9"
                    key = f"{day}:{own}:{name_of_span}"
                    use.append(row(MailboxDay, key=key, pseudonym=own, day=day, span=name_of_span, sessions=1, sent=0))
        last = month_of(month_day).last
        covers = [Covered(Mailbox, month_day, last), Covered(MailboxDay, month_day, last)]
        spans = [Span("log", 5, 9), *(Span(f"log{day}", 0, 99) for day in range(month_day + 4, month_day + 11))]
        bad = [BadRow(Mailbox, f"{month_day // 100}:{name('bad@a.example', month_day)}", "quota", "it is odd")]
        cursor = mail_cursor(self.keys) if pseudonym is None else None
        return Batch({Mailbox: boxes, MailboxDay: use}, cursor, covers, bad, spans)

    def save(self, batch: Batch, source: str = "mail") -> Saved:
        with writing(self.engine) as connection:
            return save(connection, source, [batch], self.known, PLAN)

    def pseudonyms(self, month_day: int) -> set[str]:
        return {self.keys.of(address, month_day) for address in [*NAMES, "bad@a.example"]}

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("store.sqlite*")}

    def traces(self, pseudonyms: set[str]) -> set[str]:
        """The files in which a pseudonym is written, as text or as bytes."""
        return {
            name
            for name, content in self.files().items()
            for one in pseudonyms
            if one.encode() in content or bytes.fromhex(one) in content
        }

    def rows(self) -> tuple[int, int]:
        with reading_store(self.engine) as connection:
            boxes = connection.scalar(select(func.count()).where(mailbox.c.month_day == 20260101)) or 0
            january = mailbox_day.c.day.between(20260101, 20260131)
            return boxes, connection.scalar(select(func.count()).where(january)) or 0

    def figures(self, plan: tallies.Tallies = PLAN, indicators: Sequence[Any] = OF_PERSONS) -> list[Reading]:
        members = (Member("H44.01", "departments"), Member("H44.02", "departments"))
        records = frozenset({"mailbox", "mailbox_day"})
        world = World(
            "H44", members, [Served("mail", one.code, 20260101, records, 0) for one in members], day_start(20260501)
        )
        with reading_store(self.engine) as connection:
            return [
                one
                for period in (JANUARY, FEBRUARY, QUARTER)
                for one in readings.take(connection, indicators, plan, world, period, ("agency", "block", "province"))
            ]


@pytest.fixture
def small(tmp_path: Path) -> Small:
    engine, known = store(tmp_path)
    one = Small(engine, known, Pseudonyms(tmp_path / "keys"), tmp_path)
    one.save(one.batch(20260101))
    one.save(one.batch(20260201))
    remembered = {one.keys.of(NAMES[0], 20260101): [20260101, None, 0, "personal"]}
    one.save(Batch({}, {"day": 20260131, "codes": ["a.example"], "mailboxes": remembered}), "server")
    with writing(engine) as connection:
        connection.execute(insert(edition).values(period="2026-01", number=1, sealed=SEALED))
    return one


def destroy(small: Small, now: int = LATER) -> None:
    privacy.destroy(small.keeper(now), JANUARY, says=lambda _: None)


def state(small: Small) -> privacy.Month:
    with reading_store(small.engine) as connection:
        return next(one for one in privacy.months(connection, small.keeper()) if one.month == JANUARY)


def assert_destroyed(small: Small, pseudonyms: set[str]) -> None:
    assert small.rows() == (0, 0)
    assert small.traces(pseudonyms) == set()
    assert not (small.folder / "keys" / "202601.key").exists()
    one = state(small)
    assert (one.key, one.mailboxes, one.mailbox_days, one.pending) == (False, 0, 0, 0)
    assert one.destroyed == day_start(LATER)


def test_before_its_destruction_a_month_can_be_found_in_the_files(small: Small) -> None:
    """Else their silence afterwards would prove nothing."""
    assert small.traces(small.pseudonyms(20260101))
    one = state(small)
    assert (one.key, one.mailboxes, one.destroyed, one.sealed) == (True, len(NAMES), None, SEALED)
    assert one.pending == 7, "of five names in the mail log, one of them under two keys, and of one on the server"
    assert one.from_day == APPEALED


def test_a_destroyed_month_leaves_no_pseudonym_in_any_file_and_all_its_figures(small: Small) -> None:
    pseudonyms = small.pseudonyms(20260101)
    before, coverage = small.figures(), covered(small)
    with reading_store(small.engine) as connection:
        counted = hashes.tallies(connection)
    destroy(small)
    assert_destroyed(small, pseudonyms)
    assert small.figures() == before
    assert any(one.state == "measured" and one.judged for one in before)
    assert covered(small) == coverage
    with reading_store(small.engine) as connection:
        assert hashes.tallies(connection) == counted
    assert small.traces(small.pseudonyms(20260201)), "February is as it was"


def covered(small: Small) -> list[Any]:
    with reading_store(small.engine) as connection:
        return list(connection.exec_driver_sql("SELECT * FROM coverage ORDER BY 1, 2, 3"))


def test_what_waits_in_the_cursors_under_another_months_key_stays(small: Small) -> None:
    destroy(small)
    with reading_store(small.engine) as connection:
        mail, server = read_cursor(connection, "mail"), read_cursor(connection, "server")
    assert mail is not None
    waiting = mail["logs"]["mail.log*"]["pending"]
    assert waiting == {
        "sessions": {"host": {"d": [20260203, small.keys.of(NAMES[3], 20260203), ""]}},
        "mails": {"host": {}},
        "accepted": {"host": {"q3": [20260202, small.keys.of(NAMES[6], 20260202)]}},
        "unlinked": {"host": {"q4": [20260131, 1, 0]}},
    }
    assert server == {"day": 20260131, "codes": [], "mailboxes": {}}


def test_ranges_of_logs_that_told_of_the_month_alone_are_gone_and_others_stay(small: Small) -> None:
    destroy(small)
    with reading_store(small.engine) as connection:
        left = read_spans(connection, "mail")
    assert set(left) == {"log", *(f"log{day}" for day in range(20260205, 20260212))}


def test_quarantine_holds_no_pseudonym_of_the_month(small: Small) -> None:
    destroy(small)
    with reading_store(small.engine) as connection:
        keys = connection.scalars(select(quarantine.c.key)).all()
    assert [key.partition(":")[0] for key in keys] == ["202602"]


def test_a_month_is_counted_by_no_rebuild_register_or_declaration_any_more(small: Small, tmp_path: Path) -> None:
    before = small.figures()
    destroy(small)
    text = (tmp_path / "agencies.yaml").read_text().replace("headcount: 3", "headcount: 7")
    learnt = register(tmp_path, text)
    with writing(small.engine) as connection:
        assert refresh(connection, learnt, calendar(), PLAN).register
        connection.execute(delete(about).where(about.c.name == "declarations"))
        assert refresh(connection, learnt, calendar(), PLAN).declarations
        tallies.rebuild_all(connection, PLAN)
    after = small.figures()
    assert [one for one in after if one.period == "2026-01"] == [one for one in before if one.period == "2026-01"]
    assert [one for one in after if one.period == "2026-02"] != [one for one in before if one.period == "2026-02"]


def test_what_is_read_again_of_the_month_is_dropped_and_counted_and_the_rest_is_kept(small: Small) -> None:
    before = small.figures()
    destroy(small)
    keys = Pseudonyms(small.folder / "keys")
    again = small.batch(20260101, keys.at_door)
    saved = small.save(again)
    assert saved == Saved(read=saved.read, destroyed=saved.read)
    assert saved.read > 300
    assert small.rows() == (0, 0)
    assert small.figures() == before
    february = small.save(replace(small.batch(20260201, keys.at_door), bad=()))
    assert february == Saved(read=february.read, unchanged=february.read)
    assert small.save(replace(again, rows={})).destroyed == 1, "the bad one"
    both = Batch({Mailbox: [*again.rows[Mailbox], *small.batch(20260201, keys.at_door).rows[Mailbox]]}, None)
    assert small.save(both).destroyed == len(NAMES)
    assert small.figures() == before


def test_a_key_is_never_made_again_for_a_destroyed_month_and_a_running_program_forgets_it(small: Small) -> None:
    running = Pseudonyms(small.folder / "keys")
    of_january, of_february = running.of(NAMES[0], 20260105), running.of(NAMES[0], 20260205)
    destroy(small)
    running.forget_destroyed()
    for keys in (running, small.keys, Pseudonyms(small.folder / "keys")):
        with pytest.raises(Destroyed, match="the key of 2026-01 is destroyed"):
            keys.of(NAMES[0], 20260105)
        first, second = keys.at_door(NAMES[0], 20260105), keys.at_door(NAMES[1], 20260105)
        assert first == keys.at_door(NAMES[0].upper(), 20260131)
        assert len({first, second, of_january, of_february}) == 4
        assert first != Pseudonyms(small.folder / "keys").at_door(NAMES[0], 20260105), "it means nothing to any other"
        assert keys.of(NAMES[0], 20260205) == of_february
    assert not (small.folder / "keys" / "202601.key").exists()


def test_a_key_that_was_just_being_made_is_destroyed_too(small: Small) -> None:
    draft = small.folder / "keys" / ".202601.key.abcd"
    draft.write_bytes(b"x" * 32)
    destroy(small)
    assert sorted(path.name for path in (small.folder / "keys").iterdir()) == ["202601.destroyed", "202602.key"]


STEPS: Mapping[str, Any] = {
    "as the key goes": (Pseudonyms, "destroy"),
    "as cursors are scrubbed": (destruction, "_scrub_cursors"),
    "in the middle of the rows": (destruction, "month_of"),
    "after the rows": (destruction, "empty_the_log"),
    "after the traces": (destruction, "finish"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_what_was_cut_off_in_the_middle_is_ended_by_doing_it_again(
    small: Small, step: str, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pseudonyms, before = small.pseudonyms(20260101), small.figures()
    place, name = STEPS[step]
    whole = getattr(place, name)

    def cut_off(*args: Any, **more: Any) -> Any:
        if when == "after":
            whole(*args, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(place, name, cut_off)
        with pytest.raises(KeyboardInterrupt):
            destroy(small)
        patched.undo()
    assert state(small).destroyed is None
    with reading_store(small.engine) as connection:
        due = privacy.due(privacy.months(connection, small.keeper()), day_start(LATER))
    assert [one.month for one in due] == [JANUARY]
    privacy.destroy_what_is_due(small.keeper(), says=lambda _: None)
    assert_destroyed(small, pseudonyms)
    assert small.figures() == before


def test_a_program_that_reads_all_the_time_puts_the_end_off(small: Small) -> None:
    pseudonyms = small.pseudonyms(20260101)
    other = sqlite3.connect(small.folder / "store.sqlite")
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM mailbox").fetchone()
    with small.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
        connection.rollback()
    with pytest.raises(TryAgain, match="another program uses the store"):
        destroy(small)
    assert state(small).destroyed is None
    other.rollback()
    other.close()
    destroy(small)
    assert_destroyed(small, pseudonyms)


def test_a_run_that_is_under_way_is_waited_for(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    now = lambda: 1_000  # noqa: E731
    said: list[str] = []
    with locks.held(small.engine, "mail", "a run", now, wait=False, says=said.append):
        monkeypatch.setattr("collector.store.locks.sleep", _give_up)
        keeper = replace(small.keeper(), machine_clock=now)
        with pytest.raises(KeyboardInterrupt):
            privacy.destroy(keeper, JANUARY, says=said.append)
    assert small.rows() != (0, 0)
    assert said == ["mail: another run of this source is under way; waiting for it to end"]


def _give_up(_: float) -> None:
    raise KeyboardInterrupt


def test_a_month_may_be_destroyed_thirty_days_after_its_seal_and_not_before(small: Small) -> None:
    one = state(small)
    with pytest.raises(WrongUse, match="It may be destroyed from 2026-03-13 on"):
        privacy.may_be_destroyed(one, 30, day_start(APPEALED) - 1)
    privacy.may_be_destroyed(one, 30, day_start(APPEALED))
    with pytest.raises(WrongUse, match="2026-01 is not sealed"):
        privacy.may_be_destroyed(replace(one, sealed=None, from_day=None), 30, day_start(LATER))
    assert privacy.due([one], day_start(APPEALED) - 1) == []
    assert privacy.due([one], day_start(APPEALED)) == [one]


def test_the_newest_edition_begins_the_time_anew(small: Small) -> None:
    with writing(small.engine) as connection:
        connection.execute(insert(edition).values(period="2026-01", number=2, sealed=SEALED + 5 * DAY))
    assert state(small).from_day == plus_days(APPEALED, 5)


def test_a_figure_that_never_counted_a_destroyed_month_is_missing_there(small: Small) -> None:
    destroy(small)
    daily = next(one for one in INDICATORS if one.id == "mailboxes.daily_use")
    changed = replace(daily, version=2)
    plan = tallies.plan([changed if one is daily else one for one in INDICATORS])
    with writing(small.engine) as connection:
        refresh(connection, small.known, calendar(), plan)
    found = {(one.agency, one.period): one for one in small.figures(plan, [changed])}
    for period in ("2026-01", "2026-Q1"):
        one = found["H44.01", period]
        assert (one.state, one.hits, one.judged) == ("missing", 0, 0)
        assert one.why == "the records of 2026-01 were destroyed before they were counted like this"
    assert found["H44.01", "2026-02"].state == "measured"


def test_the_register_tells_every_field_of_every_record(small: Small) -> None:
    found = {one.record: one for one in privacy.register(INDICATORS, 30)}
    assert list(found) == [record.NAME for record in RECORDS]
    for record in RECORDS:
        assert tuple(field.name for field in found[record.NAME].fields) == columns(record)
    mailboxes = found["mailbox"]
    assert "mailboxes.daily_use" in mailboxes.purpose
    assert mailboxes.retention == "until 30 days after the month's seal"
    told = {field.name: field.of_person for field in mailboxes.fields}
    assert told["pseudonym"] == told["key"] == "a pseudonym under the month's key"
    assert told["agency_code"] == "no"
    assert found["dossier"].retention == "kept as evidence"
    assert {field.of_person for field in found["dossier"].fields} == {"no"}


def test_spans_are_read_as_they_were(small: Small) -> None:
    with reading_store(small.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(span)) == 15
