"""The mailboxes that are stored of a source and month, for connectors that must know what they told before."""

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from collector.contract.connector import Row
from collector.contract.records import Mailbox, columns
from collector.contract.tables import mailbox
from collector.store.engine import reading


def mailboxes(engine: Engine, source: str, month_day: int | None) -> Sequence[Row]:
    """Return the rows of Mailbox, in the order of its columns, of a month, or of the last one that has any (None)."""
    last = select(func.max(mailbox.c.month_day)).where(mailbox.c.source == source).scalar_subquery()
    query = (
        select(*(mailbox.c[name] for name in columns(Mailbox)))
        .where(mailbox.c.source == source, mailbox.c.month_day == (last if month_day is None else month_day))
        .order_by(mailbox.c.key)
    )
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]
