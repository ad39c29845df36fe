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
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from sqlalchemy import Connection, delete, insert, select

from collector.agencies import Register
from collector.contract.period import plus_days
from collector.contract.tables import ALWAYS, FOREVER, offer, procedure, serving

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
    served: dict[str, set[str]] = defaultdict(set)
    for source, agency in connection.execute(select(serving.c.source, serving.c.agency)):
        served[source].add(agency)
    in_force: dict[str, list[Span]] = defaultdict(list)
    for term in register.terms():
        in_force[term.agency].append((term.from_day, _until(term.to_day)))
    meanings = Meanings(register)

    c = procedure.c
    lines = select(c.code, c.source, c.key, c.agency_code, c.level, c.from_day, c.to_day, c.listed).where(
        c.removed == 0
    )
    rows: list[dict[str, object]] = []
    if codes is None:
        connection.execute(delete(offer))
        found = connection.execute(lines.order_by(c.code)).all()
    else:
        connection.execute(delete(offer).where(offer.c.code.in_(codes)))
        found = connection.execute(lines.where(c.code.in_(codes)).order_by(c.code)).all()
    for code, own in groupby(found, key=lambda line: line.code):
        spells: dict[str, list[_Spell]] = defaultdict(list)
        for line in own:
            days = (line.from_day or ALWAYS, _until(line.to_day))
            rank = (line.listed, line.agency_code != "", days[0], line.source, line.key)
            for agency, span in _speaks_for(line.source, line.agency_code, served[line.source], meanings):
                for one in in_force[agency]:
                    both = _common(_common(days, span), one)
                    if both[0] < both[1]:
                        spells[agency].append(_Spell(both, rank, (line.level, line.listed, line.source)))
        for agency, some in spells.items():
            rows += (
                {
                    "agency": agency,
                    "code": code,
                    "from_day": first,
                    "until_day": until,
                    "level": level,
                    "listed": listed,
                    "source": source,
                }
                for (first, until), (level, listed, source) in _one_a_day(some)
            )
    if rows:
        connection.execute(insert(offer), rows)


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


def _speaks_for(source: str, code: str, served: Collection[str], meanings: Meanings) -> Iterable[tuple[str, Span]]:
    """The agencies for which a line with such an agency code speaks, and on which days."""
    if code == "":
        return [(agency, (ALWAYS, FOREVER)) for agency in served]
    return [(agency, span) for agency, span in meanings[source, code] if agency in served]


def _one_a_day(spells: Sequence[_Spell]) -> list[tuple[Span, tuple[str | None, int, str]]]:
    """The spells of one agency and procedure cut so that on each day one counts; what goes on the same is one."""
    if len(spells) == 1:
        return [(spells[0].days, spells[0].says)]
    edges = sorted({edge for one in spells for edge in one.days})
    cut: list[tuple[Span, tuple[str | None, int, str]]] = []
    for first, until in pairwise(edges):
        there = [one for one in spells if one.days[0] <= first and until <= one.days[1]]
        if not there:
            continue
        says = max(there, key=lambda one: one.rank).says
        if cut and cut[-1][0][1] == first and cut[-1][1] == says:
            cut[-1] = ((cut[-1][0][0], until), says)
        else:
            cut.append(((first, until), says))
    return cut
