"""Seals a period: everything that its figures are and rest on is frozen, hashed, chained and signed.

The edition, its rows, and what the services that score are told of it are stored in one transaction that outlives a
power cut.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects import sqlite

from collector.contract.errors import TryAgain, WrongUse
from collector.contract.period import Period, day_start, iso, local_day
from collector.editions import keys
from collector.editions.body import FORMAT, Body, Change, Edition, Reason, decoded, digest_of, encoded
from collector.editions.freeze import Frozen, Sealer, freeze
from collector.editions.needed import Lacking, lacking
from collector.editions.read import edition_of
from collector.store.engine import reading, writing
from collector.store.outbox import enqueue
from collector.store.schema import edition, edition_body, edition_rows

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class NotYet(WrongUse):
    """A period cannot be sealed: `lacking` says what is missing."""

    def __init__(self, period: Period, found: Sequence[Lacking]) -> None:
        super().__init__(f"{period} cannot be sealed yet")
        self.lacking = tuple(found)


def seal(sealer: Sealer, period: Period, key_file: Path, *, says: str = "") -> Edition:
    """Seal a period for the first time and return its edition.

    NotYet if days are neither covered nor accepted as lost, or a run does not balance. WrongUse if the period is not
    over, is sealed already, or the key cannot be used.
    """
    may_be_sealed(sealer, period)
    key = keys.private_key(key_file)
    with reading(sealer.engine) as connection:
        former = edition_of(connection, period)
        if former is not None:
            raise WrongUse(
                f"{period} is sealed: edition {former.number} of {iso_day(former.sealed)}",
                field="PERIOD",
                mend=f"What differs since is stated as a new edition: collector restate {period} --reason ...",
            )
        refuse_what_lacks(connection, sealer, period)
        frozen = freeze(connection, sealer, period, 1, None)
    return write(sealer, period, frozen, key, number=1, reason="", says=says)


def may_be_sealed(sealer: Sealer, period: Period) -> None:
    """WrongUse for a period that is not over, or is a single day."""
    if period.kind == "day":
        raise WrongUse(f"{period} is a day", field="PERIOD", mend="Seal a month, a quarter or a year")
    if day_start(period.end) > sealer.clock():
        raise WrongUse(f"{period} is not over", field="PERIOD", mend=f"It may be sealed from {iso(period.end)} on")


def refuse_what_lacks(connection: Connection, sealer: Sealer, period: Period) -> None:
    """NotYet if something is missing."""
    found = lacking(connection, sealer.indicators, sealer.world(period), period)
    if found:
        raise NotYet(period, found)


def iso_day(instant: int) -> str:
    """The local day of an instant, as people write it."""
    return iso(local_day(instant))


def write(
    sealer: Sealer,
    period: Period,
    frozen: Frozen,
    key: "Ed25519PrivateKey",
    *,
    number: int,
    reason: Reason | Literal[""],
    says: str,
    changes: Sequence[Change] = (),
    totals: Sequence[Change] = (),
) -> Edition:
    """Store what was frozen as the next edition of the chain. TryAgain if the period was sealed meanwhile."""
    public = keys.raw(key.public_key())
    with writing(sealer.engine, durable=True) as connection:
        newest = connection.scalar(select(func.max(edition_body.c.number)).where(edition_body.c.period == period.name))
        if (newest or 0) + 1 != number:
            raise TryAgain(f"{period} was sealed by another program meanwhile", stage="save", mend="Look at it first")
        position, previous = _head(connection)
        now = sealer.clock()
        body = Body(
            format=FORMAT,
            program=sealer.program,
            province=sealer.province,
            period=period.name,
            number=number,
            sealed=now,
            position=position + 1,
            previous=previous,
            reason=reason,
            says=says,
            readings=frozen.readings,
            scores=frozen.scores,
            merged=frozen.merged,
            definitions=frozen.definitions,
            model=sealer.model,
            model_digest=digest_of(sealer.model.encode()),
            register_digest=sealer.register_digest,
            calendar_digest=frozen.calendar_digest,
            unknown_share=repr(sealer.unknown_share),
            gaps=frozen.gaps,
            evidence=frozen.evidence,
            changes=tuple(changes),
            totals=tuple(totals),
            carried=frozen.carried,
        )
        content = encoded(body)
        made = decoded(content, public, keys.sign(key, content))
        connection.execute(insert(edition).values(period=period.name, number=number, sealed=now))
        connection.execute(
            insert(edition_body).values(
                position=made.position,
                period=period.name,
                number=number,
                digest=made.digest,
                public_key=public,
                signature=made.signature,
                body=content,
            )
        )
        if frozen.rows:
            connection.execute(
                sqlite.insert(edition_rows).on_conflict_do_nothing(index_elements=["digest"]),
                [{"digest": digest, "rows": rows} for digest, rows in frozen.rows.items()],
            )
        enqueue(connection, sealer.message(made), now)
    return made


def _head(connection: Connection) -> tuple[int, str]:
    """The place and the digest of the last edition of the chain."""
    last = connection.execute(
        select(edition_body.c.position, edition_body.c.digest).order_by(edition_body.c.position.desc()).limit(1)
    ).one_or_none()
    return (0, "") if last is None else (last.position, last.digest)
