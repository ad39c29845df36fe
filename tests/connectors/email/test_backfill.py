"""Days of a log read again by hand: what was lost, or told by an older program, is as if it were read now at first."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from collector.agencies import Register
from collector.contract.connector import Want
from collector.contract.period import local_day, plus_days
from collector.contract.records import Mailbox, MailboxDay, columns
from collector.contract.tables import mailbox_day
from collector.store import tallies
from collector.store.engine import reading, writing
from collector.store.save import read_cursor, read_spans, save
from collector.store.schema import cell, quarantine
from connectors.email import chain, mail_log
from connectors.email.mail_log import Config
from tests.connectors.email.mail_lines import at, client, delivered, login, logout, removed, taken, text
from tests.connectors.email.reading import Door, pseudonym, put
from tests.store.small import PLAN, row, store
from tests.store.small import put as store_rows

AN, BINH = "an@a.example", "binh@a.example"
SINCE = 20260101
BEGAN = at("2026-01-30 08:00:00")
CONFIG = Config(lists="", silence_days=5)


def day_of_work(day: int) -> list[str]:
    """A session of an hour, one until the next noon, and a mail to three recipients, one of them two days later."""
    when = at(f"2026-01-{day:02d} 08:00:00")
    return [
        login(when, AN, f"a{day}"),
        logout(when + 3600, AN, f"a{day}"),
        login(when + 7200, BINH, f"b{day}"),
        logout(when + 100_000, BINH, f"b{day}"),
        client(when + 10, f"Q{day}", AN),
        taken(when + 11, f"Q{day}", AN),
        delivered(when + 12, f"Q{day}", "x@gmail.com"),
        delivered(when + 13, f"Q{day}", "y@vnpt.example"),
        delivered(when + 180_000, f"Q{day}", "z@gmail.com"),
        removed(when + 180_001, f"Q{day}"),
    ]


def lines() -> list[str]:
    """Work on each day from 5 to 27 January, in order of time."""
    return sorted((line for day in range(5, 28) for line in day_of_work(day)), key=lambda line: line[:15])


def write_logs(folder: Path) -> None:
    """A file for each week."""
    whole = lines()
    edges = ["Jan 12", "Jan 19", "Jan 26", "Jan 99"]
    begin = "Jan  0"
    for number, end in enumerate(edges):
        name = "mail.log" if end == edges[-1] else f"mail.log.{3 - number}"
        some = [line for line in whole if begin <= line[:6] < end]
        put(folder / name, text(some), at(f"2026-01-{min(12 + 7 * number, 29)} 08:00:00"))
        begin = end


class Source:
    """A store with two mailboxes, and a source of logs that is read into it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.engine: Engine
        self.register: Register
        self.engine, self.register = store(folder)
        rows = [
            row(
                Mailbox,
                key=f"202601:{pseudonym(one, SINCE)}",
                agency_code="a.example",
                month_day=SINCE,
                pseudonym=pseudonym(one, SINCE),
                kind="personal",
                first_listed_day=SINCE,
            )
            for one in (AN, BINH)
        ]
        store_rows(self.engine, self.register, {Mailbox: rows}, "lists")

    def collect(self, *, window: tuple[int, int] | None = None, together: bool = True) -> set[int]:
        """Read the source once; return the days that it says are covered."""
        with reading(self.engine) as connection:
            cursor, spans = read_cursor(connection, "mail"), read_spans(connection, "mail")
        first, last = window or (SINCE, plus_days(local_day(BEGAN), -1))
        wanted = Want(None if window else cursor, SINCE, first, last, window=window is not None, spans=spans)
        batches = list(mail_log.fetch(CONFIG, Door(self.logs, BEGAN), wanted))
        for some in [batches] if together else [[one] for one in batches]:
            with writing(self.engine) as connection:
                save(connection, "mail", some, self.register, PLAN)
        return {day for batch in batches for one in batch.covers for day in range(one.first_day, one.last_day + 1)}

    def told(self) -> tuple[list[Any], list[Any]]:
        """All rows of MailboxDay (without their version), and all cells of mailboxes."""
        with reading(self.engine) as connection:
            rows = [tuple(one) for one in connection.execute(select(mailbox_day).order_by(mailbox_day.c.key))]
            cells = [
                tuple(one)
                for one in connection.execute(select(cell).order_by(cell.c.indicator, cell.c.agency, cell.c.day))
            ]
        at_ = 1 + columns(MailboxDay).index("changed")
        return [one[:at_] + one[at_ + 1 :] for one in rows], cells

    def change(self, *statements: Any) -> None:
        """Change rows behind the program's back, with the figures that follow from them."""
        with writing(self.engine) as connection:
            for statement in statements:
                connection.execute(statement)
            tallies.recompute_cells(connection, PLAN, {MailboxDay: (SINCE, 20260131)})


@pytest.fixture(params=[400, 2000, 8 << 20])
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(chain, "BLOCK", request.param)
    made = Source(tmp_path / "one")
    write_logs(made.logs)
    made.collect()
    return made


def phantom(source: Source, day: int, address: str) -> Any:
    """A row of a range that is there, of a mailbox that was not used: what a bug would have left."""
    with reading(source.engine) as connection:
        values = connection.execute(select(mailbox_day).where(mailbox_day.c.day == day)).mappings().first()
    assert values is not None
    who = pseudonym(address, SINCE)
    return insert(mailbox_day).values(**dict(values) | {"key": f"{day}:{who}:{values['span']}", "pseudonym": who})


@pytest.mark.parametrize("together", [True, False])
def test_lost_changed_and_wrong_rows_of_some_days_are_as_if_read_for_the_first_time(
    source: Source, together: bool
) -> None:
    fresh = source.told()
    covered = source.collect(window=(20260120, 20260122))
    assert covered == {20260120, 20260121, 20260122}
    assert source.told() == fresh, "nothing was wrong, and nothing has changed"
    days = mailbox_day.c.day.between(20260120, 20260122)
    source.change(
        delete(mailbox_day).where(days, mailbox_day.c.pseudonym == pseudonym(AN, SINCE)),
        # An older program knew no deliveries, and counted sessions otherwise.
        update(mailbox_day).where(days).values(sent_outside=0, sent_free=0, sessions=7),
        phantom(source, 20260121, "nobody@a.example"),
    )
    assert source.told() != fresh
    source.collect(window=(20260120, 20260122), together=together)
    assert source.told() == fresh


def test_a_row_that_should_not_be_there_goes_with_the_figure_that_it_made(source: Source) -> None:
    fresh = source.told()
    source.change(phantom(source, 20260128, AN))
    assert [was == now for was, now in zip(fresh, source.told(), strict=True)] == [False, False]
    source.collect(window=(20260128, 20260128))
    assert source.told() == fresh


def test_a_line_that_can_be_read_now_leaves_the_quarantine(source: Source) -> None:
    with reading(source.engine) as connection:
        span = connection.scalars(select(mailbox_day.c.span).where(mailbox_day.c.day == 20260121)).first()
    assert span is not None
    file, _, bounds = span.rpartition(":")
    start, _, end = bounds.partition("-")
    keys = {f"{file}:{start}": False, f"{file}:{int(end) - 1}": False, "0123456789abcdef:7": True}
    same = {"source": "mail", "record": "mailbox_day", "field": "time", "reason": "no time that is known"}
    source.change(insert(quarantine).values([same | {"key": key} for key in keys]))
    source.collect(window=(20260121, 20260121))
    with reading(source.engine) as connection:
        left = set(connection.scalars(select(quarantine.c.key)))
    assert left == {key for key, stays in keys.items() if stays}


def test_what_is_pending_before_the_days_wanted_is_read_too(source: Source) -> None:
    fresh = source.told()
    source.change(delete(mailbox_day).where(mailbox_day.c.day == 20260120))
    source.collect(window=(20260120, 20260120))
    assert source.told() == fresh


def test_where_older_files_are_gone_rows_are_added_and_none_is_lost(source: Source) -> None:
    """The session that began in a file that is gone, and the mail accepted there, can no longer be told."""
    fresh = source.told()
    (source.logs / "mail.log.3").unlink()
    source.collect(window=(20260112, 20260114))
    assert source.told() == fresh
    source.change(
        delete(mailbox_day).where(mailbox_day.c.day == 20260114, mailbox_day.c.pseudonym == pseudonym(AN, SINCE))
    )
    assert source.told() != fresh
    source.collect(window=(20260112, 20260114))
    assert source.told() == fresh
    # What lies far enough behind is replaced as ever.
    source.change(update(mailbox_day).where(mailbox_day.c.day == 20260127).values(sessions=9))
    source.collect(window=(20260127, 20260127))
    assert source.told() == fresh


def test_a_lost_cursor_reads_all_again_and_loses_nothing_that_only_files_now_gone_could_tell(source: Source) -> None:
    fresh = source.told()
    with writing(source.engine) as connection:
        connection.exec_driver_sql("DELETE FROM cursor")
    source.collect()
    assert source.told() == fresh
    (source.logs / "mail.log.3").unlink()
    with writing(source.engine) as connection:
        connection.exec_driver_sql("DELETE FROM cursor")
    source.collect()
    assert source.told() == fresh
