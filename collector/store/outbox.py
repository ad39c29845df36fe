"""The outbox: what is to be told to the services that score, and how far each of them has been told.

A message is stored in the transaction of what it tells, so that there is never one without the other; it is stored
once, however many receivers there are, and what becomes of it is noted for each of them apart. A receiver that is
named in the configuration later finds all editions waiting.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from collector.store.schema import outbox

Kind = Literal["edition", "open"]
"""`edition`: sealed or restated readings. `open`: readings of a period as they stood one night; a later one replaces
it."""


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
