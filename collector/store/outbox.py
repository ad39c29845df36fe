"""The outbox: what is to be told to the services that score, and how far each of them has been told.

A message is stored in the transaction of what it tells, so that there is never one without the other; it is stored
once, however many receivers there are, and what becomes of it is noted for each of them apart. A receiver that is
named in the configuration later finds all editions waiting.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from collector.store.schema import delivery_state, outbox

Kind = Literal["edition", "open"]
"""`edition`: sealed or restated readings. `open`: readings of a period as they stood one night; a later one replaces
it."""

State = Literal["pending", "acknowledged", "dead"]
"""What became of a message at a receiver. `dead`: it will not take it as it is; somebody has to look."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told: its period, the number of its edition (None for an open one), and its body, canonical JSON.

    `key` is the same whenever the same is told again: the receiver applies a key once.
    """

    kind: Kind
    period: str
    edition: int | None
    key: str
    body: str

    @property
    def digest(self) -> str:
        """SHA-256 of the body as it is sent (UTF-8), in hexadecimal: what the receiver answers once it has applied."""
        return sha256(self.body.encode()).hexdigest()


def enqueue(connection: Connection, message: Message, now: int) -> bool:
    """Store a message inside the transaction of what it tells; `now` in epoch seconds.

    False if it is stored already. ValueError if its key is, with another body: what is told under a key never
    changes. Older open messages of its period need not be sent any more, and give back their room.
    """
    found = connection.scalar(select(outbox.c.digest).where(outbox.c.key == message.key))
    if found is not None:
        if found != message.digest:
            raise ValueError(
                f"{message.key} is in the outbox with another body: what is told under a key never changes"
            )
        return False
    if message.kind == "open":
        connection.execute(
            update(outbox)
            .where(outbox.c.kind == "open", outbox.c.period == message.period, outbox.c.superseded == 0)
            .values(superseded=1, body="")
        )
    connection.execute(
        insert(outbox).values(
            key=message.key,
            kind=message.kind,
            period=message.period,
            edition=message.edition,
            digest=message.digest,
            body=message.body,
            made=now,
            superseded=0,
        )
    )
    return True


@dataclass(frozen=True, slots=True)
class Entry:
    """A message at one receiver: how often it was tried there, when the next time is due, and what went wrong last.

    `unproved` of the attempts were answered well, but not with the digest that was applied. Instants are epoch
    seconds; `next_attempt` 0: at once.
    """

    receiver: str
    sequence: int
    key: str
    kind: Kind
    period: str
    edition: int | None
    digest: str
    made: int
    state: State
    attempts: int
    unproved: int
    next_attempt: int
    last_error: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a receiver has been told: what waits, what is dead, and since when the oldest waits (None: nothing).

    `acknowledged` is when it last acknowledged something, `next_attempt` when the oldest is tried again, `last_error`
    what went wrong with it the last time.
    """

    receiver: str
    pending: int
    dead: int
    oldest: int | None
    next_attempt: int
    last_error: str
    acknowledged: int | None


def waiting(
    connection: Connection, receiver: str, *, open_readings: bool, limit: int | None = None, after: int = 0
) -> list[Entry]:
    """What waits for a receiver, in the order in which it became so, behind a sequence number."""
    query = _entries(receiver).where(_waits(open_readings=open_readings), outbox.c.sequence > after)
    return _read(connection, receiver, query.limit(limit))


def dead(connection: Connection, receiver: str) -> list[Entry]:
    """What a receiver will not take."""
    return _read(connection, receiver, _entries(receiver).where(delivery_state.c.state == "dead"))


def editions(connection: Connection, receiver: str, period: str | None = None) -> list[Entry]:
    """All editions, of one period if it is given, whatever became of them at a receiver."""
    query = _entries(receiver).where(outbox.c.kind == "edition")
    return _read(connection, receiver, query if period is None else query.where(outbox.c.period == period))


def body(connection: Connection, sequence: int) -> str:
    """The body of a message; "" if it was let go meanwhile."""
    return connection.scalar(select(outbox.c.body).where(outbox.c.sequence == sequence)) or ""


def standing(connection: Connection, receiver: str, *, open_readings: bool) -> Standing:
    """How far a receiver has been told."""
    waits = _waits(open_readings=open_readings)
    joined = outbox.outerjoin(delivery_state, _of(receiver))
    pending, oldest = connection.execute(
        select(func.count(), func.min(outbox.c.made)).select_from(joined).where(waits)
    ).one()
    first = waiting(connection, receiver, open_readings=open_readings, limit=1)
    own = delivery_state.c.receiver == receiver
    return Standing(
        receiver=receiver,
        pending=pending,
        dead=connection.scalar(
            select(func.count()).select_from(delivery_state).where(own, delivery_state.c.state == "dead")
        )
        or 0,
        oldest=oldest,
        next_attempt=first[0].next_attempt if first else 0,
        last_error=first[0].last_error if first else "",
        acknowledged=connection.scalar(
            select(func.max(delivery_state.c.changed)).where(own, delivery_state.c.state == "acknowledged")
        ),
    )


def note(connection: Connection, entry: Entry, now: int) -> None:
    """Note what became of a message at a receiver."""
    values = {
        "state": entry.state,
        "attempts": entry.attempts,
        "unproved": entry.unproved,
        "next_attempt": entry.next_attempt,
        "last_error": entry.last_error,
        "changed": now,
    }
    statement = sqlite.insert(delivery_state).values(receiver=entry.receiver, sequence=entry.sequence, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["receiver", "sequence"], set_=values))


def tell_again(connection: Connection, receiver: str, sequences: Iterable[int], now: int) -> None:
    """Have messages told again from the beginning, whatever became of them before."""
    for entry in _read(connection, receiver, _entries(receiver).where(outbox.c.sequence.in_(list(sequences)))):
        note(connection, _fresh(entry), now)


def of_keys(connection: Connection, receiver: str, keys: Collection[str]) -> list[Entry]:
    """The messages with some keys."""
    return _read(connection, receiver, _entries(receiver).where(outbox.c.key.in_(list(keys))))


def _of(receiver: str) -> ColumnElement[bool]:
    return and_(delivery_state.c.sequence == outbox.c.sequence, delivery_state.c.receiver == receiver)


def _waits(*, open_readings: bool) -> ColumnElement[bool]:
    untold = or_(delivery_state.c.state.is_(None), delivery_state.c.state == "pending")
    kinds = ("edition", "open") if open_readings else ("edition",)
    return and_(untold, outbox.c.superseded == 0, outbox.c.kind.in_(kinds))


def _entries(receiver: str) -> Select[Any]:
    return (
        select(
            outbox.c.sequence,
            outbox.c.key,
            outbox.c.kind,
            outbox.c.period,
            outbox.c.edition,
            outbox.c.digest,
            outbox.c.made,
            func.coalesce(delivery_state.c.state, "pending").label("state"),
            func.coalesce(delivery_state.c.attempts, 0).label("attempts"),
            func.coalesce(delivery_state.c.unproved, 0).label("unproved"),
            func.coalesce(delivery_state.c.next_attempt, 0).label("next_attempt"),
            func.coalesce(delivery_state.c.last_error, "").label("last_error"),
        )
        .select_from(outbox.outerjoin(delivery_state, _of(receiver)))
        .order_by(outbox.c.sequence)
    )


def _read(connection: Connection, receiver: str, query: Select[Any]) -> list[Entry]:
    return [Entry(receiver=receiver, **row._mapping) for row in connection.execute(query)]


def _fresh(entry: Entry) -> Entry:
    return replace(entry, state="pending", attempts=0, unproved=0, next_attempt=0, last_error="")
