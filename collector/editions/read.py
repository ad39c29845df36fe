"""Reads what was sealed: nothing here is computed, and nothing is shown that is not as it was sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from collector.contract.indicator import Indicator
from collector.contract.period import Period
from collector.contract.reading import Reading, Scope
from collector.editions.body import Altered, Edition, as_bytes, decoded, digest_of, unpacked
from collector.store.engine import reading
from collector.store.schema import edition, edition_body, edition_rows


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows behind a sealed figure, as they were when it was sealed; their verdicts add up to its counts."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def sealed(engine: Engine, period: Period, number: int | None = None) -> Edition | None:
    """Return an edition of a period, the newest if no number is given; None if there is none.

    Altered if it is not as it was sealed; who signed it is asked by `verify` alone.
    """
    with reading(engine) as connection:
        return edition_of(connection, period, number)


def edition_of(
    connection: Connection, period: Period, number: int | None = None, until: int | None = None
) -> Edition | None:
    """The same, within a transaction. With `until` (epoch seconds) the newest that was sealed by then."""
    wanted = select(func.max(edition_body.c.number)).join(
        edition,
        (edition.c.period == edition_body.c.period) & (edition.c.number == edition_body.c.number),
    )
    wanted = wanted.where(edition_body.c.period == period.name)
    if number is not None:
        wanted = wanted.where(edition_body.c.number == number)
    if until is not None:
        wanted = wanted.where(edition.c.sealed <= until)
    newest = connection.scalar(wanted)
    if newest is None:
        return None
    columns = edition_body.c
    found = connection.execute(
        select(columns.digest, columns.public_key, columns.signature, columns.body).where(
            columns.period == period.name, columns.number == newest
        )
    ).one()
    body = as_bytes(found.body)
    if digest_of(body) != found.digest:
        raise Altered(
            f"edition {newest} of {period} is not as it was sealed",
            mend="`collector verify` says what differs; the store's backups have it as it was",
        )
    return _decoded(body, as_bytes(found.public_key), as_bytes(found.signature))


_decoded = lru_cache(maxsize=3)(decoded)  # an edition is some megabytes


def sealed_periods(connection: Connection) -> list[tuple[str, int]]:
    """The periods that have an edition, with the number of the newest, in the order in which they were first sealed."""
    columns = edition_body.c
    return [
        (period, number)
        for period, number in connection.execute(
            select(columns.period, func.max(columns.number))
            .group_by(columns.period)
            .order_by(func.min(columns.position))
        )
    ]


def edition_readings(
    one: Edition,
    scopes: Sequence[Scope] = ("agency",),
    indicators: Iterable[Indicator] | None = None,
    *,
    merged: bool = False,
) -> list[Reading]:
    """Return the readings of an edition as `readings.take` does: by indicator, then scope, then code.

    `merged`: with each agency's successors merged by the period's end (those of agencies alone).
    """
    source = one.merged.readings if merged and one.merged is not None else one.readings
    by_place: dict[tuple[str, str], list[Reading]] = {}
    for each in source:
        by_place.setdefault((each.indicator, each.scope), []).append(each)
    ids = [each.id for each in indicators] if indicators is not None else [each.id for each in one.definitions]
    return [each for id_ in ids for scope in scopes for each in by_place.get((id_, scope), ())]


def evidence(engine: Engine, one: Edition, indicator: str, agency: str) -> Rows | None:
    """Return the rows behind an agency's figure of an edition; None if it has no such figure. Altered if they are."""
    listed = one.listed(indicator, agency)
    if listed is None:
        return None
    with reading(engine) as connection:
        content = connection.scalar(select(edition_rows.c.rows).where(edition_rows.c.digest == listed.digest))
    if content is None or digest_of(as_bytes(content)) != listed.digest:
        raise Altered(
            f"the rows behind {indicator} of {agency} in edition {one.number} of {one.period} are not as they were "
            "sealed",
            mend="`collector verify` says what differs; the store's backups have them as they were",
        )
    return Rows(listed.columns, unpacked(as_bytes(content)))
