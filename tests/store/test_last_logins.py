"""A login that a server remembers and no log has is told; what the logs do not cover is not compared."""

from pathlib import Path
from typing import Any

from sqlalchemy import insert

from collector.contract.records import Mailbox, MailboxDay
from collector.sinks import json_shapes, terminal
from collector.status import of_source
from collector.store.engine import reading, writing
from collector.store.last_logins import LastLogins, compared
from collector.store.schema import coverage
from tests.store.small import put, row, store


def mailbox(number: int, last_login_day: int | None, **more: Any) -> Any:
    who = f"p{number}"
    given = {"kind": "personal", "first_listed_day": 20260101, "last_login_day": last_login_day}
    return row(Mailbox, key=f"202601:{who}", month_day=20260101, pseudonym=who, agency_code="a.example", **given | more)


def used(number: int, day: int, **counts: int) -> Any:
    who, told = f"p{number}", {"sessions": 0, "sent": 0, **counts}
    return row(MailboxDay, key=f"{day}:{who}:f:0-1", pseudonym=who, day=day, span="f:0-1", **told)


def test_logins_that_no_log_has_are_counted_where_the_logs_cover_the_day(tmp_path: Path) -> None:
    engine, known = store(tmp_path)
    boxes = [
        mailbox(1, 20260112),
        mailbox(2, 20260112),  # sent a mail that day, and has no session
        mailbox(3, 20260113),  # another day's session
        mailbox(4, None),
        mailbox(5, 20260115),  # not covered by the second source of logs
        mailbox(6, 20260119),  # not covered yet by the first
        mailbox(7, 20260112, removed=1),
        mailbox(8, 20260121),  # the second source was not read any more, so the first is enough
    ]
    put(engine, known, {Mailbox: boxes}, "mailboxes")
    put(engine, known, {Mailbox: [mailbox(9, 20260112)]}, "another")
    uses = [used(1, 20260112, sessions=1), used(2, 20260112, sent=1), used(3, 20260112, sessions=2)]
    put(engine, known, {MailboxDay: uses}, "logs")
    with reading(engine) as connection:
        assert compared(connection, "mailboxes") is None
    days = {"logs": [*range(20260110, 20260119), 20260120, 20260121], "more": [20260112, 20260113, 20260114, 20260116]}
    with writing(engine) as connection:
        connection.execute(
            insert(coverage),
            [{"source": name, "record": "mailbox_day", "day": day} for name, some in days.items() for day in some],
        )
    with reading(engine) as connection:
        # Compared: 1, 2, 3 and 8.
        assert compared(connection, "mailboxes") == LastLogins(4, 3)
        assert compared(connection, "logs") is None
        status = of_source(connection, "mailboxes", "email.dovecot", (Mailbox,), 20260101, 86_400, 1_769_000_000)
    assert json_shapes.source_status(status)["last_logins"] == {"compared": 4, "unseen": 3}
    words = " ".join(str(one) for one in terminal.states([status], 200))
    assert "3 of 4 mailboxes have their last login on a day of which the logs, read wholly, show no session" in words
