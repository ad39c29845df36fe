"""Sets our count beside the totals that a source publishes itself, and splits the difference by cause.

Ours comes from the declaration of an indicator; theirs is what the source says. Between them lies a path: our way of
counting, changed one rule at a time until it is the source's (`contract/reported.py`), then taken back to the moment at
which the source counted. What a step changes is its cause's share, dossier by dossier, so that each share is a list of
dossiers and the shares add up. What then still lacks to the source's total is `unexplained`, whatever its size.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, func, select

from collector.agencies import Register
from collector.compare import documents
from collector.compare.path import Step, View, counted, is_undecided, path
from collector.compare.printed import printed
from collector.compare.result import CAUSES, Cause, Compared, Comparison, Moved, Printed
from collector.compare.seen import load
from collector.contract.connector import Days
from collector.contract.indicator import Counted, Indicator
from collector.contract.reading import Reading
from collector.contract.records import Document, Dossier, Record
from collector.contract.reported import FLOWS, Name, Report, Rules

INDICATORS: Mapping[type[Record], str] = {
    Dossier: "dossiers.on_time",
    Document: "documents.exchanged_internal_any",
}
"""The indicators that say how far a period is covered; that of dossiers also which are completed, on time and late."""

_JUDGED: frozenset[Name] = frozenset({"completed", "on_time", "late"})


@dataclass(frozen=True, slots=True)
class _Way:
    """How the records of one class are counted: which totals, from what, by which path to the source's count."""

    totals: frozenset[Name]
    load: Callable[[Connection, str, Days], Iterable[Any]]
    path: Callable[[View, Report], Iterator[Step]]
    counted: Callable[[Any, Name, View], int]
    is_undecided: Callable[[Any, Name, View], bool]


_WAYS: Mapping[type[Record], _Way] = {
    Dossier: _Way(_JUDGED | {"received", "withdrawn", "open"}, load, path, counted, is_undecided),
    Document: _Way(
        documents.TOTALS, documents.load, documents.path, documents.counted, lambda _one, _name, _view: False
    ),
}

_NOBODY = ""
"""Stands for agencies that the register does not know."""

Key = tuple[str, str, Name]
"""Source, agency and total."""


def compare(
    connection: Connection,
    register: Register,
    source: str,
    reports: Sequence[Report],
    judged: Indicator,
    readings: Mapping[type[Record], Mapping[str, Reading]],
    served: Sequence[str],
    only: str | None = None,
) -> Comparison:
    """Compare what a source tells with the store, agency by agency; `only` one of them.

    `readings` are those of `INDICATORS` in the period, by record class and agency, `judged` is the declaration of the
    dossiers' one; `served` are the agencies that the source serves.
    """
    spans: dict[Key, list[Compared]] = {}
    shares: list[Printed] = []
    unknown: set[str] = set()
    for report in sorted(reports, key=lambda one: one.days.first):
        totals: Counter[tuple[str, Name]] = Counter()
        for total in report.totals:
            code = _agency(register, source, total.agency_code, report.days.last)
            if code is None:
                unknown.add(total.agency_code)
            elif only in (None, code):
                totals[code, total.name] += total.value
        counts = _Counts(connection, register, source, report, judged, readings.get(report.record, {}))
        for (code, name), theirs in sorted(totals.items()):
            spans.setdefault((source, code, name), []).append(counts.compared(code, name, theirs))
        for share in report.shares:
            code = _agency(register, source, share.agency_code, report.days.last)
            if code is not None and only in (None, code):
                hits, of = (totals.get((code, name)) for name in (share.part, share.whole))
                days = report.days.first, report.days.last
                shares.append(printed(source, code, (share.part, share.whole), days, (hits, of), share.printed))
    found = [_added_up(own) for _, own in sorted(spans.items())]
    told = {one.agency for one in found}
    untold = [] if told == {""} else [code for code in sorted(served) if code not in told and only in (None, code)]
    return Comparison(source, found, shares, untold, sorted(unknown))


def _agency(register: Register, source: str, code: str, day: int) -> str | None:
    return register.resolve(source, code, day) if code else ""


def _added_up(own: Sequence[Compared]) -> Compared:
    """Several spans of a period as one: volumes add up, what stands at an end is that of the last."""
    first, last = own[0], own[-1]
    if len(own) == 1 or last.name not in FLOWS:
        return last
    ours = [one.ours for one in own if one.ours is not None]
    causes: Counter[Cause] = Counter()
    for one in own:
        causes.update(one.causes)
    return replace(
        last,
        first_day=first.first_day,
        ours=sum(ours) if len(ours) == len(own) else None,
        theirs=sum(one.theirs for one in own),
        causes=_in_order(causes),
        undecided=sum(one.undecided for one in own),
        why="; ".join(dict.fromkeys(one.why for one in own if one.why)),
        moved=[moved for one in own for moved in one.moved],
    )


def _in_order(causes: Mapping[Cause, int]) -> dict[Cause, int]:
    return {cause: causes.get(cause, 0) for cause in CAUSES}


@dataclass(slots=True)
class _Sum:
    """What was counted of one agency and total: by our rules, what each step moves, and what cannot be decided."""

    ours: int = 0
    undecided: int = 0
    moved: list[Moved] = field(default_factory=list)


class _Counts:
    """What the store counts of the span of one report, by our way and by the source's: one pass over the records."""

    def __init__(
        self,
        connection: Connection,
        register: Register,
        source: str,
        report: Report,
        judged: Indicator,
        readings: Mapping[str, Reading],
    ) -> None:
        self._source = source
        self._report = report
        self._readings = readings
        self._sums: dict[tuple[str, Name], _Sum] = defaultdict(_Sum)
        self._judged: dict[str, Counter[tuple[int, Name]]] = {}
        self._way = _WAYS.get(report.record)
        if self._way is None:
            return

        def whose(agency: str) -> str:
            """Who answered for an agency in those days: what it left when it ended is its successor's."""
            return register.heir(agency, report.days.first) or agency

        names = self._way.totals & {one.name for one in report.totals}
        ways: dict[str, Sequence[View | Step]] = {}
        for one in self._way.load(connection, source, report.days):
            agency = whose(one.agency) if one.agency else _NOBODY
            if agency not in ways:
                ways[agency] = self._steps(self._way, agency)
            for name in names:
                self._walk(self._way, one, name, ways[agency], self._sums[agency, name])
        if report.record is not Dossier:
            return
        for agency, own in _judged(connection, source, judged, report).items():
            self._judged.setdefault(whose(agency), Counter()).update(own)

    def _steps(self, way: _Way, agency: str) -> Sequence[View | Step]:
        """Our way of counting an agency's records, then the steps to the source's; nothing without a figure of ours.

        What is of an agency that the register does not know we count for nobody, and the source all the same.
        """
        days = self._report.days
        if agency == _NOBODY:
            start = View(Rules("ours"), days.first, days.last)
            end = [start, *(step.view for step in way.path(start, self._report))][-1]
            words = "of an agency that the register does not know"
            return View(Rules("nobody"), 1, 0), Step(lambda _: "definition", lambda _: words, end)
        reading = self._readings.get(agency)
        if reading is None or reading.through is None:
            return ()
        start = View(Rules("ours"), days.first, min(reading.through, days.last))
        return start, *way.path(start, self._report)

    def _walk(self, way: _Way, one: Any, name: Name, views: Sequence[View | Step], total: _Sum) -> None:
        """Count a record by our rules, then by each step of the path to the source's."""
        if not views:
            return
        start, *steps = views
        assert isinstance(start, View)
        held = 0 if start.last < start.first else way.counted(one, name, start)
        total.ours += held
        for step in steps:
            assert isinstance(step, Step)
            now = way.counted(one, name, step.view)
            if now != held:
                total.moved.append(Moved(one.key, step.cause(one), now - held, step.reason(one)))
            held = now
            if step is steps[-1]:
                total.undecided += way.is_undecided(one, name, step.view)

    def compared(self, agency: str, name: Name, theirs: int) -> Compared:
        """Compare one total; `agency` "": of all agencies together."""
        report = self._report
        days = report.days
        rules = "" if report.rules is None else report.rules.name
        shown = Compared(
            self._source, rules, agency, name, days.first, days.last, report.made, None, theirs, _in_order({})
        )
        if self._way is None or name not in self._way.totals:
            why = "the length of a queue is no volume" if name == "waiting" else "nothing of ours corresponds to it"
            return replace(shown, why=why, causes={})
        if agency:
            return self._of_agency(agency, name, shown)
        codes = sorted({*(code for code, _ in self._sums), *self._judged} - {_NOBODY})
        own = [self._of_agency(code, name, shown) for code in codes]
        return replace(_together([*own, self._counted(_NOBODY, name, shown)]), agency="", theirs=theirs)

    def _of_agency(self, agency: str, name: Name, shown: Compared) -> Compared:
        reading = self._readings.get(agency)
        if reading is None or reading.through is None:
            return replace(
                shown, state="missing", why="" if reading is None else reading.why or "nothing is covered", causes={}
            )
        through = min(reading.through, shown.last_day)
        why = reading.why if reading.state in ("partial", "missing") else ""
        found = self._counted(agency, name, replace(shown, state=reading.state, why=why))
        if name not in _JUDGED:
            return found
        # From the declaration, as the figure is: should our rules here ever differ from it, that shows.
        counts = self._judged.get(agency, Counter())
        return replace(
            found, ours=sum(count for (day, what), count in counts.items() if what == name and day <= through)
        )

    def _counted(self, agency: str, name: Name, shown: Compared) -> Compared:
        total = self._sums.get((agency, name), _Sum())
        causes: Counter[Cause] = Counter()
        for one in total.moved:
            causes[one.cause] += one.change
        return replace(shown, ours=total.ours, causes=_in_order(causes), moved=total.moved, undecided=total.undecided)


def _together(own: Sequence[Compared]) -> Compared:
    """Several agencies as one; those of which we have no count leave the whole without one."""
    causes: Counter[Cause] = Counter()
    for one in own:
        causes.update(one.causes)
    lacking = [one.agency or "?" for one in own if one.ours is None]
    states = {one.state for one in own}
    return replace(
        own[0],
        ours=None if lacking else sum(one.ours or 0 for one in own),
        causes=_in_order(causes),
        undecided=sum(one.undecided for one in own),
        state=next((state for state in ("missing", "partial", "measured") if state in states), "not_applicable"),
        why="; ".join(dict.fromkeys(one.why for one in own if one.why)),
        moved=[moved for one in own for moved in one.moved],
    )


def _judged(
    connection: Connection, source: str, judged: Indicator, report: Report
) -> dict[str, Counter[tuple[int, Name]]]:
    """Return, by agency, how many a declaration counts on each day: completed, on time and late ones."""
    formula = judged.formula
    assert isinstance(formula, Counted)
    facts = formula.table
    statement = select(
        facts.c.agency,
        formula.day,
        func.count(),
        func.count().filter(formula.hit),
        func.count().filter(~formula.hit),
    ).where(
        facts.c.source == source,
        facts.c.agency.is_not(None),
        facts.c.removed == 0,
        formula.counted,
        formula.day.between(report.days.first, report.days.last),
    )
    found: dict[str, Counter[tuple[int, Name]]] = {}
    for agency, day, every, hits, misses in connection.execute(statement.group_by(facts.c.agency, formula.day)):
        own = found.setdefault(agency, Counter())
        own[day, "completed"] += every
        own[day, "on_time"] += hits
        own[day, "late"] += misses
    return found
