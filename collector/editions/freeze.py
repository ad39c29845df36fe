"""Takes everything that an edition freezes from one consistent state of the store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from collector import readings as figures
from collector import succession
from collector.clock import Clock
from collector.contract.indicator import Cells, Counted, Indicator
from collector.contract.period import Period, month_of
from collector.contract.reading import Reading, Scope, Score
from collector.editions.body import Definition, Edition, Gap, Listed, Merged, canonical, digest_of, packed
from collector.readings import World
from collector.store import gaps
from collector.store.destruction import destroyed
from collector.store.outbox import Message
from collector.store.schema import about
from collector.store.tallies import Tallies

SCOPES: tuple[Scope, ...] = ("agency", "block", "province")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What open readings are counted with. `province` is its code, `world` tells who there is in a period."""

    engine: Engine
    province: str
    indicators: Sequence[Indicator]
    tallies: Tallies
    world: Callable[[Period], World]
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer(Counting):
    """What a seal needs to know of the program besides.

    `score` ranks the agency readings of a period, `units` tells for each agency the one that answers for it on a day,
    `message` makes what the services that score are told of an edition. `model` is the text of the scoring model,
    `program` the program's version.
    """

    score: Callable[[Sequence[Reading], Period], Sequence[Score]]
    units: Callable[[int], Mapping[str, str]]
    message: Callable[[Edition], Message]
    model: str
    register_digest: str
    unknown_share: float
    program: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """What goes into an edition, and the rows behind its figures by digest."""

    readings: tuple[Reading, ...]
    scores: tuple[Score, ...]
    merged: Merged | None
    definitions: tuple[Definition, ...]
    calendar_digest: str
    gaps: tuple[Gap, ...]
    evidence: tuple[Listed, ...]
    rows: Mapping[str, bytes]
    carried: tuple[str, ...]


def freeze(
    connection: Connection, sealer: Sealer, period: Period, number: int | None, former: Edition | None
) -> Frozen:
    """Freeze a period as it is now, as its edition `number`.

    What rests on records of persons that are destroyed is carried over from the `former` edition: nobody can count it
    anew.
    """
    world = sealer.world(period)
    carried = carried_over(connection, sealer.indicators, period, former)
    counted = [one for one in sealer.indicators if one.id not in carried]
    taken = [
        replace(one, edition=number) for one in figures.take(connection, counted, sealer.tallies, world, period, SCOPES)
    ]
    listed, rows = _evidence(connection, {one.id: one for one in counted}, taken, period, world)
    definitions = [definition(one) for one in counted]
    if former is not None and carried:
        taken += [replace(one, edition=number) for one in former.readings if one.indicator in carried]
        listed += [one for one in former.evidence if one.indicator in carried]
        definitions += [one for one in former.definitions if one.id in carried]
    own = [one for one in taken if one.scope == "agency"]
    return Frozen(
        readings=tuple(sorted(taken, key=_place)),
        scores=tuple(sealer.score(own, period)),
        merged=_merged(connection, sealer, own, period),
        definitions=tuple(sorted(definitions, key=lambda one: one.id)),
        calendar_digest=connection.scalar(select(about.c.value).where(about.c.name == "calendar")) or "",
        gaps=tuple(
            Gap(one.source, one.first_day, one.last_day, one.reason)
            for one in gaps.listed(connection, period.first, period.last)
        ),
        evidence=tuple(sorted(listed, key=lambda one: (one.indicator, one.agency))),
        rows=rows,
        carried=tuple(sorted(carried)),
    )


def _place(one: Reading) -> tuple[str, int, str]:
    return one.indicator, SCOPES.index(one.scope), one.agency


def carried_over(
    connection: Connection, indicators: Iterable[Indicator], period: Period, former: Edition | None
) -> frozenset[str]:
    """The indicators of a sealed period that nobody can count anew: the records of persons of a month are destroyed."""
    if former is None or not destroyed_months(connection, period):
        return frozenset()
    known = {one.id for one in former.definitions}
    return frozenset(one.id for one in indicators if one.group is not None and one.id in known)


def destroyed_months(connection: Connection, period: Period) -> list[str]:
    """The months of a period whose records of persons are destroyed."""
    first = month_of(period.first).first
    return [month_of(day).name for day in sorted(destroyed(connection)) if first <= day <= period.last]


def _merged(connection: Connection, sealer: Sealer, own: Sequence[Reading], period: Period) -> Merged | None:
    into = sealer.units(period.last)
    if all(into.get(one.agency, one.agency) == one.agency for one in own):
        return None
    merged = succession.merged(connection, own, {one.id: one for one in sealer.indicators}, into)
    return Merged(tuple(sorted(merged, key=_place)), tuple(sealer.score(merged, period)))


def _evidence(
    connection: Connection,
    indicators: Mapping[str, Indicator],
    taken: Iterable[Reading],
    period: Period,
    world: World,
) -> tuple[list[Listed], dict[str, bytes]]:
    listed: list[Listed] = []
    kept: dict[str, bytes] = {}
    for one in taken:
        if one.scope != "agency":
            continue
        explained = figures.explain(connection, indicators[one.indicator], one, period, world)
        content = packed(explained.rows)
        digest = digest_of(content)
        kept[digest] = content
        listed.append(Listed(one.indicator, one.agency, explained.columns, len(explained.rows), digest))
    return listed, kept


def definition(one: Indicator) -> Definition:
    """Return an indicator as an edition keeps it."""
    formula = one.formula
    return Definition(
        id=one.id,
        version=one.version,
        title_vi=one.title_vi,
        title_en=one.title_en,
        counted_vi=one.counted_vi,
        counted_en=one.counted_en,
        hit_vi=one.hit_vi,
        hit_en=one.hit_en,
        legal=one.legal,
        better=one.better,
        measured_from=one.measured_from,
        period=one.period,
        needs=tuple(record.NAME for record in one.needs),
        formula=_formula(one),
        of_persons=one.group is not None,
        each=isinstance(formula, Cells) and formula.together is not None,
    )


def _formula(one: Indicator) -> str:
    """A digest of everything that an indicator computes, constants included."""
    formula = one.formula
    parts: list[ClauseElement]
    if isinstance(formula, Counted):
        parts = [formula.counted, formula.day, formula.hit]
    elif isinstance(formula, Cells):
        parts = [formula.select, *([] if formula.together is None else [formula.together])]
    else:
        parts = [each for _, part in formula.parts() for each in (part.counted, part.day, part.hit)]
    if one.group is not None:
        parts.append(one.group.select)
    compiled = [part.compile(dialect=sqlite.dialect()) for part in parts]
    text = [[str(each), sorted((name, repr(value)) for name, value in each.params.items())] for each in compiled]
    least = one.group.least if one.group is not None else 0
    return digest_of(canonical([text, one.period, one.workdays, least]))[:32]
