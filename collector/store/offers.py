"""Which procedures each agency offers, and how far online: made from the catalogues, one line for any day.

A line of a catalogue (record Procedure) without an agency speaks for every agency that its source serves, as the
settings say; one with an agency for whom the register knows under that code on the day, if the source serves it.
What a source says of agencies that it does not serve counts for nobody. Where several lines speak for one procedure on
a day, one counts, so that no procedure is counted twice: a catalogue's before what a dossier showed, the agency's own
before the common one, and of those left the one that came into force last.

From when on a source serves an agency does not matter: no figure reads a day that the source does not cover for it.

A catalogue has no history beyond its days in force, and none is made up here. A line without a first day counts on
each day up to its last; a level that was changed in place counts for the days past as well, as nothing tells when it
was another.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from sqlalchemy import Connection, delete, select

from collector.agencies import Register
from collector.contract.period import plus_days
from collector.contract.tables import ALWAYS, FOREVER, offer, procedure, serving

_AT_ONCE = 1000
"""Procedures that are made anew by name; more of them mean all."""

Span = tuple[int, int]
"""A first day, and the first day that is no more part of it."""


@dataclass(frozen=True, slots=True)
class _Spell:
    """The days on which a line speaks for an agency; of several the one with the greatest rank counts."""

    days: Span
    rank: tuple[int, bool, int, str, str]
    says: tuple[str | None, int, str]  # level, listed, source


def make(connection: Connection, register: Register, codes: Collection[str] | None = None) -> None:
    """Make the offers anew, of all procedures or of some, by their codes. Who serves whom must be stored already."""
    served = _served(connection, register)
    alike: dict[_Served, list[str]] = defaultdict(list)
    for agency, one in served.items():
        alike[one].append(agency)
    meanings = Meanings(register)

    c = procedure.c
    lines = select(c.code, c.source, c.key, c.agency_code, c.level, c.from_day, c.to_day, c.listed)
    lines = lines.where(c.removed == 0).order_by(c.code)
    if codes is None or len(codes) > _AT_ONCE:
        connection.execute(delete(offer))
    else:
        connection.execute(delete(offer).where(offer.c.code.in_(codes)))
        lines = lines.where(c.code.in_(codes))
    rows: list[tuple[object, ...]] = []
    for code, some in groupby(connection.execute(lines).all(), key=lambda line: line.code):
        common: list[_Spell] = []
        own: dict[str, list[_Spell]] = defaultdict(list)
        for line in some:
            spell = _Spell(
                (line.from_day or ALWAYS, _until(line.to_day)),
                (line.listed, line.agency_code != "", line.from_day or ALWAYS, line.source, line.key),
                (line.level, line.listed, line.source),
            )
            if line.agency_code == "":
                common.append(spell)
            else:
                for agency, span in meanings[line.source, line.agency_code]:
                    own[agency].append(replace(spell, days=_common(spell.days, span)))
        for one, agencies in alike.items():
            # Most have no line of their own: what is common is worked out once for all that are served alike.
            shared = _one_a_day(common, one) if common else []
            for agency in agencies:
                days = _one_a_day([*common, *own[agency]], one) if agency in own else shared
                rows += ((code, agency, *span, *says) for span, says in days)
    if rows:
        marks = ", ".join("?" * len(offer.c))
        connection.exec_driver_sql(f"INSERT INTO {offer.name} VALUES ({marks})", rows)


@dataclass(frozen=True, slots=True)
class _Served:
    """By which sources an agency is served, and when it is in force."""

    sources: frozenset[str]
    in_force: tuple[Span, ...]


def _served(connection: Connection, register: Register) -> dict[str, _Served]:
    sources: dict[str, set[str]] = defaultdict(set)
    for source, agency in connection.execute(select(serving.c.source, serving.c.agency)):
        sources[agency].add(source)
    in_force: dict[str, list[Span]] = defaultdict(list)
    for term in register.terms():
        in_force[term.agency].append((term.from_day, _until(term.to_day)))
    return {agency: _Served(frozenset(some), tuple(in_force[agency])) for agency, some in sorted(sources.items())}


def _until(last: int | None) -> int:
    return FOREVER if last is None or last >= FOREVER else plus_days(last, 1)


def _common(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


class Meanings(dict[tuple[str, str], list[tuple[str, Span]]]):
    """Whom a source means by a code, from when to when."""

    def __init__(self, register: Register) -> None:
        super().__init__()
        self._register = register
        bounds = {bound for term in register.terms() for bound in (term.from_day, _until(term.to_day))}
        self._edges = sorted({ALWAYS, FOREVER} | bounds)

    def __missing__(self, written: tuple[str, str]) -> list[tuple[str, Span]]:
        source, code = written
        found = self[written] = [
            (agency, (first, until))
            for first, until in pairwise(self._edges)
            if (agency := self._register.resolve(source, code, first)) is not None
        ]
        return found


def _one_a_day(spells: Iterable[_Spell], served: _Served) -> list[tuple[Span, tuple[str | None, int, str]]]:
    """Cut the spells of one procedure so that on each day in force one counts; what goes on the same is one."""
    speaking = [one for one in spells if one.says[2] in served.sources]
    edges = sorted(
        {edge for one in speaking for edge in one.days} | {edge for term in served.in_force for edge in term}
    )
    cut: list[tuple[Span, tuple[str | None, int, str]]] = []
    for first, until in pairwise(edges):
        there = [one for one in speaking if one.days[0] <= first and until <= one.days[1]]
        if not there or not any(begins <= first and until <= ends for begins, ends in served.in_force):
            continue
        says = max(there, key=lambda one: one.rank).says
        if cut and cut[-1][0][1] == first and cut[-1][1] == says:
            cut[-1] = ((cut[-1][0][0], until), says)
        else:
            cut.append(((first, until), says))
    return cut
