"""Last logins that a mail server remembers, held against the sessions that the logs tell.

Only one way round: a login that the logs do not have is a log that was not read, or a last login that was no login.
That a server remembers none where the logs have a session is no news: it keeps one, and may lose it under load.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Integer, and_, cast, exists, func, not_, select

from collector.contract.records import MailboxDay
from collector.contract.tables import mailbox, mailbox_day
from collector.store.schema import coverage


@dataclass(frozen=True, slots=True)
class LastLogins:
    """Mailboxes with a last login on a day that the logs cover: how many, and for how many no session is known."""

    compared: int
    unseen: int


def compared(connection: Connection, source: str) -> LastLogins | None:
    """Compare the last logins of one source with the logs of all; None if it tells none on a covered day.

    A day is covered if every source of logs that was read before and after it covers it.
    """
    used = exists().where(
        mailbox_day.c.day == mailbox.c.last_login_day,
        mailbox_day.c.pseudonym == mailbox.c.pseudonym,
        mailbox_day.c.sessions > 0,
    )
    by_day = connection.execute(
        select(mailbox.c.last_login_day, func.count(), cast(func.count().filter(not_(used)), Integer))
        .where(mailbox.c.source == source, mailbox.c.removed == 0, mailbox.c.last_login_day.is_not(None))
        .group_by(mailbox.c.last_login_day)
    ).all()
    days = [day for day, _, _ in by_day]
    covered = _covered(connection, min(days), max(days)) if days else set()
    counts = [(count, unseen) for day, count, unseen in by_day if day in covered]
    if not counts:
        return None
    return LastLogins(sum(count for count, _ in counts), sum(unseen for _, unseen in counts))


def _covered(connection: Connection, first: int, last: int) -> set[int]:
    of_logs = coverage.c.record == MailboxDay.NAME
    ranges = connection.execute(
        select(coverage.c.source, func.min(coverage.c.day), func.max(coverage.c.day))
        .where(of_logs)
        .group_by(coverage.c.source)
    ).all()
    by_source: dict[str, set[int]] = {}
    for source, day in connection.execute(
        select(coverage.c.source, coverage.c.day).where(and_(of_logs, coverage.c.day.between(first, last)))
    ):
        by_source.setdefault(source, set()).add(day)
    return {
        day
        for day in set().union(*by_source.values())
        if all(day in by_source.get(source, ()) for source, begin, end in ranges if begin <= day <= end)
    }
