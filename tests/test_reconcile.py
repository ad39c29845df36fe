"""Reconciliation: what vanished is buried, what was missed is read, and nothing is taken for gone without proof."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import Engine, delete, func, select

from collector import reconcile as reconciling
from collector.agencies import Register
from collector.clock import fixed_clock
from collector.collect import Job, Tools, Wanted, collect
from collector.contract.connector import BadRow, Batch, Connector, Covered, Days, Key, Listed, Row, Want, fingerprint
from collector.contract.errors import TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.period import day_start
from collector.contract.records import RECORDS, Delivery, Document, Procedure, columns
from collector.contract.tables import document, table_of
from collector.reconcile import Reconciled, due, reconcile
from collector.store import hashes, tallies
from collector.store.engine import reading, writing
from collector.store.rehearsal import rehearsal
from collector.store.save import Saved, save_cursor
from collector.store.schema import coverage, cursor, difference, lock, quarantine, reconciliation, run, vanished
from tests.store.small import PLAN, row, store

NOON = day_start(20260120) + 12 * 3600
INTERNAL = "documents_exchanged_internal"

_NAMES = columns(Document)
_DAY, _CHANGED = _NAMES.index("issued_day"), _NAMES.index("changed")


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


class Config(BaseModel):
    """Nothing to configure."""


def a_document(key: str, changed: int = 10, day: int | None = 20260105, **values: Any) -> Row:
    told = {"agency_code": "H44.01", "direction": "out", "scope_stated": "internal", "electronic_stated": 1}
    return row(Document, key=key, changed=changed, issued_day=day, **{**told, "paper_too": 0, "recalled": 0, **values})


@dataclass
class Source:
    """A source that lists its documents, follows versions in an ordinary run, and can be broken in many ways."""

    rows: dict[str, Row] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    marks: Callable[[Row], int | str | None] = lambda one: fingerprint(Document, one)
    hidden: set[str] = field(default_factory=set)  # in the listing
    ends: bool = True  # whether the listing says that it is whole
    breaks: bool = False  # whether the listing breaks off
    asked: list[Any] = field(default_factory=list)

    def put(self, *rows: Row) -> None:
        self.rows |= {one[0]: one for one in rows}

    def change(self, key: str, **values: Any) -> None:
        self.rows[key] = tuple(values.get(name, old) for name, old in zip(_NAMES, self.rows[key], strict=True))

    def keys(self, _config: object, _door: object, days: Days) -> Iterator[Listed]:
        self.asked.append(days)
        shown = [
            Key(key, one[_DAY], None if key in self.unusable else self.marks(one))
            for key, one in self.rows.items()
            if key not in self.hidden and one[_DAY] is not None and days.first <= one[_DAY] <= days.last
        ]
        half = len(shown) // 2
        yield Listed(Document, shown[:half])
        if self.breaks:
            raise TryAgain("gone", stage="read", mend="Wait")
        yield Listed(Document, shown[half:], whole=self.ends)

    def fetch(self, _config: object, _door: object, want: Want) -> Iterator[Batch]:
        if want.keys is not None:
            assert want.cursor is None
            assert want.window
            self.asked.append(list(want.keys[Document]))
            found = [key for key in want.keys[Document] if key in self.rows]
            bad = [BadRow(Document, key, "paper", "is odd") for key in found if key in self.unusable]
            good = [self.rows[key] for key in found if key not in self.unusable]
            yield Batch({Document: good}, None, bad=bad, live=True)
            return
        after = -1 if want.cursor is None else want.cursor["after"]
        newer = [one for key, one in self.rows.items() if one[_CHANGED] > after and key not in self.unusable]
        latest = max((one[_CHANGED] for one in newer), default=after)
        covers = [Covered(Document, want.first_day, want.last_day)]
        yield Batch({Document: newer}, {"after": latest}, covers=covers, live=True)


@contextmanager
def door(_began: int) -> Iterator[object]:
    yield object()


def job(source: Source, **others: Any) -> Job:
    """The run of a source; `others` takes the place of its `fetch` or `keys`."""
    offered = {"fetch": source.fetch, "keys": source.keys, **others}
    made = SimpleNamespace(Config=Config, DOORS=("sql",), RECORDS=(Document,), **offered)
    return Job("s", cast(Connector, made), Config(), 20260101, door)


def tools(small: tuple[Engine, Register]) -> Tools:
    return Tools(*small, PLAN, fixed_clock(NOON), fixed_clock(NOON), "test")


def ignore(_: object) -> None:
    """Nobody watches."""


def go(small: tuple[Engine, Register], source: Source, **options: Any) -> Reconciled:
    wanted = Wanted(options.pop("first_day", None), options.pop("last_day", None))
    others = {name: options.pop(name) for name in ("fetch", "keys") if name in options}
    return reconcile(job(source, **others), tools(small), wanted, wait=False, says=ignore, progress=ignore, **options)


def read(small: tuple[Engine, Register], source: Source) -> None:
    assert collect(job(source), tools(small), Wanted(), wait=False, says=ignore, progress=ignore).failure is None


def kinds(done: Reconciled) -> dict[str, int]:
    return {kind: count for one in done.differences.values() for kind, count in one.kinds.items() if count}


def counted(engine: Engine) -> dict[int, tuple[int, int]]:
    """Hits and judged by day, after checking that they are what a rebuild counts."""
    with writing(engine) as connection:
        before = hashes.tallies(connection)
        tallies.rebuild_all(connection, PLAN)
        assert hashes.tallies(connection) == before, "the signed differences of the tallies are wrong"
    wide = next(one for one in PLAN.wide if one.table.name == "tally_document_issued_day").table
    with reading(engine) as connection:
        rows = connection.execute(select(wide.c.day, wide.c[f"{INTERNAL}_hits"], wide.c[f"{INTERNAL}_judged"]))
        return {day: (hits, judged) for day, hits, judged in rows}


def live(engine: Engine) -> dict[str, Row]:
    with reading(engine) as connection:
        rows = connection.execute(select(*(document.c[name] for name in _NAMES)).where(document.c.removed == 0))
        return {one[0]: tuple(one) for one in rows}


def said(rows: dict[str, Row]) -> dict[str, Row]:
    """What rows say, without their versions."""
    return {key: (*one[:_CHANGED], *one[_CHANGED + 1 :]) for key, one in rows.items()}


def buried(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(connection.scalars(select(vanished.c.key)))


def test_a_record_that_was_deleted_for_good_counts_no_more(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    assert counted(small[0]) == {20260105: (20, 20)}
    del source.rows["7"]
    done = go(small, source)
    assert (done.result, kinds(done)) == ("done", {"vanished": 1})
    assert counted(small[0]) == {20260105: (19, 19)}
    assert buried(small[0]) == {"7"}, "it can be told from what the source itself calls deleted"
    assert kinds(go(small, source)) == {}, "what was buried once is no difference again"


def test_a_record_that_is_there_again_comes_back_also_with_its_old_version(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    seven = source.rows.pop("7")
    go(small, source)
    source.put(seven)
    read(small, source)
    assert "7" not in live(small[0]), "its version is old: an ordinary run does not see it"
    assert kinds(go(small, source)) == {"returned": 1}
    assert live(small[0])["7"] == seven
    assert buried(small[0]) == set()
    assert counted(small[0]) == {20260105: (20, 20)}


def test_an_ordinary_run_that_meets_a_buried_record_digs_it_up(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    seven = source.rows.pop("7")
    go(small, source)
    source.put(seven)
    with writing(small[0]) as connection:
        save_cursor(connection, "s", {"after": 0})
    read(small, source)
    assert live(small[0])["7"] == seven
    assert buried(small[0]) == set()


def test_a_change_that_moved_no_version_is_read_and_stands(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(8)))
    read(small, source)
    for key in source.rows:  # among eight some would lose a draw of digests
        source.change(key, paper_too=1)
    assert kinds(go(small, source)) == {"silent": 8}
    assert counted(small[0]) == {20260105: (0, 8)}
    assert kinds(go(small, source)) == {}
    source.change("3", paper_too=0, changed=5)
    assert kinds(go(small, source)) == {"silent": 1}, "not even an older version keeps what the source has now away"
    assert counted(small[0]) == {20260105: (1, 8)}


def test_what_no_run_has_read_is_read(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1", 10), a_document("2", 20))
    read(small, source)
    source.put(a_document("3", 15))  # committed too late for its place
    source.change("1", paper_too=1, changed=12)
    assert kinds(go(small, source)) == {"missed": 1, "outdated": 1}
    assert said(live(small[0])) == said(source.rows)


def test_what_is_newer_than_the_run_itself_is_no_difference(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1"), a_document("2"))
    read(small, source)
    with writing(small[0]) as connection:
        save_cursor(connection, "s", {"after": 2**62})  # so that only the comparison can see it
    source.put(a_document("3", NOON * 1_000_000 + 1))
    source.change("1", paper_too=1, changed=NOON * 1_000_000 + 1)
    assert kinds(go(small, source)) == {}
    assert said(live(small[0])) == said(source.rows)


def test_versions_do_for_sources_that_move_them(small: tuple[Engine, Register]) -> None:
    source = Source(marks=lambda one: one[_CHANGED])
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    with writing(small[0]) as connection:
        save_cursor(connection, "s", {"after": 99})
    source.change("1", paper_too=1, changed=20)
    source.change("2", issued_day=20260106)
    source.asked.clear()
    assert kinds(go(small, source)) == {"outdated": 1, "silent": 1}
    assert source.asked == [Days(20260101, 20260119), ["1", "2"]]
    source.asked.clear()
    assert kinds(go(small, source)) == {}
    assert source.asked == [Days(20260101, 20260119)], "what was read by its key does not look like a difference"


def test_what_cannot_be_told_from_afar_is_read_by_its_key(small: tuple[Engine, Register]) -> None:
    source = Source(marks=lambda _: None)
    source.put(a_document("1"), a_document("2"))
    read(small, source)
    source.change("2", paper_too=1)
    assert kinds(go(small, source)) == {"silent": 1}
    assert said(live(small[0])) == said(source.rows)


def test_a_record_that_moved_to_another_day_has_not_vanished(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}", day=20260105) for n in range(3)))
    read(small, source)
    source.change("1", issued_day=20260108)
    source.change("2", issued_day=None)
    done = go(small, source, first_day=20260105, last_day=20260105)
    assert kinds(done) == {"silent": 2}
    assert said(live(small[0])) == said(source.rows)
    assert counted(small[0]) == {20260105: (1, 1), 20260108: (1, 1)}


def test_only_the_days_asked_are_judged(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}", day=20260105 + n % 3) for n in range(30)))
    read(small, source)
    del source.rows["0"], source.rows["1"]
    assert kinds(go(small, source, first_day=20260106, last_day=20260106)) == {"vanished": 1}
    assert buried(small[0]) == {"1"}
    with pytest.raises(WrongUse, match="none of the days"):
        go(small, source, first_day=20260120)


def test_a_record_that_cannot_be_used_any_more_is_set_aside_and_not_buried(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1"), a_document("2"))
    read(small, source)
    source.unusable.add("2")
    assert kinds(go(small, source)) == {}
    assert set(live(small[0])) == {"1", "2"}
    with reading(small[0]) as connection:
        assert connection.execute(select(quarantine.c.key, quarantine.c.field)).all() == [("2", "paper")]


@pytest.mark.parametrize("fault", ["ends", "breaks"])
def test_a_listing_that_does_not_come_to_its_end_buries_nothing(small: tuple[Engine, Register], fault: str) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    del source.rows["7"], source.rows["19"]
    setattr(source, fault, fault == "breaks")
    done = go(small, source)
    assert done.result == ("unexpected_answer" if fault == "ends" else "try_again")
    assert buried(small[0]) == set()
    assert len(live(small[0])) == 20
    with reading(small[0]) as connection:
        assert connection.execute(select(reconciliation.c.result, reconciliation.c.last_success)).all() == [
            (done.result, None)
        ]
        assert connection.execute(select(difference)).all() == [], "no figure is told of a comparison without an end"


def test_a_record_that_the_listing_left_out_is_found_by_its_key(small: tuple[Engine, Register]) -> None:
    source = Source(hidden={"3", "4"})
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    assert kinds(go(small, source)) == {}
    assert len(live(small[0])) == 20


def test_a_source_that_lists_nothing_at_all_is_not_believed(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1"), a_document("2"))
    read(small, source)
    source.rows.clear()
    done = go(small, source)
    assert isinstance(done.failure, UnexpectedAnswer)
    assert "lists no document at all" in str(done.failure)
    assert "--allow-vanished" in done.failure.mend
    assert set(live(small[0])) == {"1", "2"}
    assert kinds(go(small, source, allow_vanished=True)) == {"vanished": 2}
    assert live(small[0]) == {}


@pytest.mark.parametrize(
    ("gone", "believed", "says"),
    [
        (10, True, ""),
        (11, False, "11 of 100 are missing"),
    ],
)
def test_a_tenth_of_a_window_may_vanish_and_no_more(
    small: tuple[Engine, Register], gone: int, believed: bool, says: str
) -> None:
    source = Source()
    source.put(*(a_document(f"{n}", day=20260105 + n % 10) for n in range(100)))
    read(small, source)
    for key in list(source.rows)[:gone]:
        del source.rows[key]
    done = go(small, source)
    assert (done.failure is None) is believed
    assert says in str(done.failure)
    assert len(buried(small[0])) == (gone if believed else 0)
    assert kinds(go(small, source, allow_vanished=True)) == ({} if believed else {"vanished": gone})


@pytest.mark.parametrize(("name", "says"), [("agency_code", "the agency H44.02"), ("issued_day", "of 2026-01-09")])
def test_not_all_of_an_agency_and_not_all_of_a_day_are_gone_at_once(
    small: tuple[Engine, Register], name: str, says: str
) -> None:
    value = {"agency_code": "H44.02", "issued_day": 20260109}[name]
    source = Source()
    source.put(*(a_document(f"{n}", day=20260105 + n % 4) for n in range(190)))
    source.put(*(a_document(f"x{n}", day=20260105 + n % 4) for n in range(10)))
    for n in range(10):
        source.change(f"x{n}", **{name: value})
    read(small, source)
    for n in range(10):
        del source.rows[f"x{n}"]
    done = go(small, source)
    assert says in str(done.failure)
    assert buried(small[0]) == set()


def test_who_has_lost_the_lease_buries_nothing(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    del source.rows["7"]

    def keys(config: object, door_: object, days: Days) -> Iterator[Listed]:
        with writing(small[0]) as connection:
            connection.execute(lock.update().values(token=lock.c.token + 1))
        yield from source.keys(config, door_, days)

    done = go(small, source, keys=keys)
    assert done.result == "try_again"
    assert buried(small[0]) == set()
    assert len(live(small[0])) == 20


def test_a_source_that_cannot_be_read_is_not_compared(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1"))
    read(small, source)

    def fetch(config: object, door_: object, want: Want) -> Iterator[Batch]:
        if want.keys is None:
            raise TryAgain("away", stage="reach", mend="Wait")
        yield from source.fetch(config, door_, want)

    source.rows.clear()
    source.asked.clear()
    assert go(small, source, fetch=fetch).result == "try_again"
    assert source.asked == []


def test_a_connector_without_keys_says_what_to_do_instead(small: tuple[Engine, Register]) -> None:
    made = SimpleNamespace(Config=Config, DOORS=("sql",), RECORDS=(Document,), fetch=Source().fetch)
    without = Job("s", cast(Connector, made), Config(), 20260101, door)
    with pytest.raises(WrongUse, match="cannot list"):
        reconcile(without, tools(small), Wanted(), wait=False, says=ignore, progress=ignore)


def test_a_rehearsal_tells_what_would_vanish_and_keeps_it(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    del source.rows["7"]
    with rehearsal(small[0]) as copy:
        assert kinds(go((copy, small[1]), source)) == {"vanished": 1}
    assert len(live(small[0])) == 20


def test_the_deliveries_of_a_document_that_vanished_are_no_differences_of_their_own(
    small: tuple[Engine, Register],
) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    sent = {
        f"{n}|{m}": row(Delivery, key=f"{n}|{m}", changed=1, document=str(n), outside=0, electronic=1)
        for n in range(20)
        for m in range(2)
    }

    def keys(config: object, door_: object, days: Days) -> Iterator[Listed]:
        yield from source.keys(config, door_, days)
        there = [one for one in sent.values() if one[5 - 1] in source.rows]
        yield Listed(Delivery, [Key(one[0], None, fingerprint(Delivery, one)) for one in there], whole=True)

    def fetch(config: object, door_: object, want: Want) -> Iterator[Batch]:
        if want.keys is not None and Delivery in want.keys:
            yield Batch({Delivery: [sent[key] for key in want.keys[Delivery] if key in sent]}, None, live=True)
        else:
            yield from source.fetch(config, door_, want)

    assert go(small, source, keys=keys, fetch=fetch).differences[Delivery].kinds["missed"] == 40
    del source.rows["7"], sent["7|0"], sent["7|1"], sent["8|1"]
    done = go(small, source, keys=keys, fetch=fetch)
    assert done.differences[Document].kinds["vanished"] == 1
    assert done.differences[Delivery].kinds["vanished"] == 1
    with reading(small[0]) as connection:
        assert set(connection.scalars(select(vanished.c.key))) == {"7", "8|1"}


def test_what_belongs_to_a_record_that_was_missed_comes_along(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1", 10), a_document("2", 20))
    read(small, source)

    def fetch(config: object, door_: object, want: Want) -> Iterator[Batch]:
        for batch in source.fetch(config, door_, want):
            sent = [row(Delivery, key=f"{one[0]}|1", document=one[0], outside=1) for one in batch.rows[Document]]
            yield replace(batch, rows={**batch.rows, Delivery: sent}) if want.keys else batch

    source.put(a_document("3", 15))
    assert kinds(go(small, source, fetch=fetch)) == {"missed": 1}
    with reading(small[0]) as connection:
        assert connection.scalars(select(table_of(Delivery).c.key)).all() == ["3|1"]


def test_a_source_is_due_a_day_after_it_was_first_read_then_daily(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(a_document("1"))
    with reading(small[0]) as connection:
        assert not due(connection, "s", 86_400, NOON), "never read"
    read(small, source)
    with reading(small[0]) as connection:
        assert [due(connection, "s", 86_400, NOON + later) for later in (0, 86_399, 86_400)] == [False, False, True]
    go(small, source)
    with reading(small[0]) as connection:
        assert [due(connection, "s", 86_400, NOON + later) for later in (86_399, 86_400)] == [False, True]
    source.breaks = True
    go(small, source)
    with reading(small[0]) as connection:
        assert due(connection, "s", 86_400, NOON), "the source did not answer: it is asked again"


def test_what_differed_is_kept_until_the_next_comparison_that_ends(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(20)))
    read(small, source)
    del source.rows["7"]
    go(small, source)
    source.breaks = True
    go(small, source)
    with reading(small[0]) as connection:
        found = connection.execute(select(difference.c.kind, difference.c.records).where(difference.c.records > 0))
        assert found.all() == [("vanished", 1)]
        assert connection.execute(select(reconciliation.c.result, reconciliation.c.last_success)).one() == (
            "try_again",
            NOON,
        )


# --- whatever happens at the source ------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(
        st.integers(0, 11),
        st.sampled_from(["delete", "silent", "moved", "update", "insert"]),
        st.integers(0, 3),
        st.integers(0, 1),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Register]:
    return store(tmp_path_factory.mktemp("reconciled"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES, window=st.integers(1, 6), size=st.integers(1, 4))
def test_whatever_happened_at_the_source_the_store_ends_as_the_source(
    changes: list[tuple[int, str, int, int]],
    window: int,
    size: int,
    emptied: tuple[Engine, Register],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reconciling, "WINDOW", window)
    monkeypatch.setattr(reconciling, "READ", size)
    with writing(emptied[0]) as connection:
        for record in RECORDS:
            connection.execute(delete(table_of(record)))
        for table in (coverage, cursor, difference, quarantine, reconciliation, run, vanished):
            connection.execute(delete(table))
        tallies.rebuild_all(connection, PLAN)
    source = Source()
    source.put(*(a_document(f"{n}", 10 + n, 20260105 + n % 3) for n in range(8)))
    read(emptied, source)
    for version, (n, what, day, paper) in enumerate(changes, start=30):
        key = str(n)
        if what == "insert" or key not in source.rows:
            source.put(a_document(key, 5 + paper * version, 20260105 + day, paper_too=paper))
        elif what == "delete":
            del source.rows[key]
        elif what == "silent":
            source.change(key, paper_too=paper)
        elif what == "moved":
            source.change(key, issued_day=20260105 + day)
        else:
            source.change(key, paper_too=paper, issued_day=20260105 + day, changed=version)
    assert go(emptied, source, allow_vanished=True).failure is None
    assert said(live(emptied[0])) == said(source.rows)
    truth: dict[int, list[int]] = {}
    for one in source.rows.values():
        cell = truth.setdefault(one[_DAY], [0, 0])
        cell[0] += one[_NAMES.index("paper_too")] == 0
        cell[1] += 1
    assert counted(emptied[0]) == {day: tuple(cell) for day, cell in truth.items()}
    assert kinds(go(emptied, source)) == {}
    with reading(emptied[0]) as connection:
        removed = connection.scalar(select(func.count()).select_from(document).where(document.c.removed == 1))
        assert removed == connection.scalar(select(func.count()).select_from(vanished))


def test_records_without_days_are_compared_whole(small: tuple[Engine, Register]) -> None:
    lines = {
        f"{n}": row(Procedure, key=f"{n}", changed=7 if n < 12 else 5, code=f"{n}", level="full") for n in range(200)
    }

    def keys(_config: object, _door: object, _days: Days) -> Iterator[Listed]:
        yield Listed(Procedure, [Key(key, None, one[2]) for key, one in lines.items()], whole=True)

    def fetch(_config: object, _door: object, want: Want) -> Iterator[Batch]:
        wanted = lines if want.keys is None else want.keys[Procedure]
        yield Batch({Procedure: [lines[one] for one in wanted if one in lines]}, None, live=True)

    assert kinds(go(small, Source(), keys=keys, fetch=fetch)) == {}
    for n in range(12):
        del lines[f"{n}"]
    assert kinds(go(small, Source(), keys=keys, fetch=fetch)) == {"vanished": 12}
    assert buried(small[0]) == {f"{n}" for n in range(12)}


def test_what_the_source_itself_calls_deleted_is_stored_too(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}", removed=n % 2) for n in range(6)))
    read(small, source)
    told = go(small, source).differences[Document]
    assert (told.listed, told.stored, told.kinds.total()) == (6, 6, 0)


def test_progress_is_told_and_counts_close(small: tuple[Engine, Register]) -> None:
    source = Source()
    source.put(*(a_document(f"{n}") for n in range(4)))
    read(small, source)
    source.change("1", paper_too=1)
    source.change("2", issued_day=20260107)
    told: list[Saved] = []
    done = reconcile(job(source), tools(small), Wanted(), wait=False, says=ignore, progress=told.append)
    assert told[-1] == done.saved == Saved(read=2, updated=2)
