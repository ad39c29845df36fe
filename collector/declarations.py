"""What agencies declare about themselves where no system can be read: config/declared.yaml, by its statements.

A statement (bản kê khai) says who declared on which day, what it holds for, and item by item a value with its
evidence. Of a criterion the narrowest statement counts: one for the month before one for its year, and one `for` a
period before those that hold `from` a day on, the latest of them first. An item without a value is missing and never
0; so is one without evidence, for a claim that nothing shows is no value (`doubts` names it).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from collector import yaml_file
from collector.contract.declared import Declared
from collector.contract.period import Period, iso, parse_period
from collector.yaml_file import MUST, Faults, Section, nearest, section

Criteria = Mapping[str, str]
"""The criteria of an agency's blocks: by id the indicator that each rests on, "" for those that are declared."""


@dataclass(frozen=True, slots=True)
class Item:
    """One declared item, and what it holds for: `period`, or the days from `from_day` on."""

    declared: Declared
    period: Period | None
    from_day: int | None
    line: int
    key: str

    def holds(self, period: Period) -> bool:
        """Tell whether it says something of a period: of all of it, or of its last day."""
        if self.period is not None:
            return self.period.first <= period.first and period.end <= self.period.end
        return self.from_day is not None and self.from_day <= period.last

    def breadth(self) -> tuple[int, int]:
        """Sort what counts first to the front."""
        if self.period is not None:
            return 0, self.period.end - self.period.first
        return 1, -(self.from_day or 0)


def read(path: Path, criteria: Mapping[str, Criteria]) -> tuple[Item, ...]:
    """Return all items of a file; none if there is no such file.

    `criteria` by agency. Raises WrongUse with one line for each fault: unknown agencies and criteria, criteria that
    are measured, values that are none, and a criterion that is declared twice for the same time.
    """
    if not path.exists():
        return ()
    stat = path.stat()
    faults = Faults(path)
    items = _read(path, stat.st_mtime_ns, stat.st_size)
    for one in items:
        _checked(one, criteria, faults)
    faults.finish()
    return items


def in_force(items: Iterable[Item], period: Period) -> list[Declared]:
    """Return what is declared of a period: one item at most of each agency and criterion."""
    found: dict[tuple[str, str], Item] = {}
    for one in items:
        place = one.declared.agency, one.declared.criterion
        if one.holds(period) and (place not in found or one.breadth() < found[place].breadth()):
            found[place] = one
    return [one.declared for one in found.values()]


def doubts(path: Path, items: Iterable[Item], today: int) -> list[str]:
    """Name values that count as missing because nothing shows that they are so, and days that have not come yet."""
    found = []
    for one in items:
        declared = one.declared
        if declared.judged is not None and not declared.evidence:
            found.append(
                f"{path}:{one.line}: {one.key}: {declared.agency} declares {declared.hits} of {declared.judged}"
                " without evidence, so it counts as missing. Say in `evidence` what shows it: a decision, a report, an"
                " address"
            )
        if declared.on > today:
            found.append(
                f"{path}: {one.key.split('.items.')[0]}.on: {iso(declared.on)} has not come yet. Write the day on which"
                " it was declared"
            )
    return list(dict.fromkeys(found))


@lru_cache(maxsize=4)
def _read(path: Path, _modified: int, _size: int) -> tuple[Item, ...]:
    """Read a file as long as it is the same: a province's has thousands of items."""
    faults = Faults(path)
    top = Section(faults, "", yaml_file.read(path, faults)).only("statements")
    items: list[Item] = []
    seen: dict[tuple[str, str, str], int] = {}
    for key, node in top.many("statements"):
        below = section(node, key, faults)
        if below is not None:
            _statement(below, items, seen)
    faults.finish()
    return tuple(items)


def _statement(below: Section, items: list[Item], seen: dict[tuple[str, str, str], int]) -> None:
    below.only("agency", "by", "on", "for", "from", "items")
    agency = below.text("agency", "H44.02", needed=True) or ""
    by = below.text("by", "Văn phòng Sở", needed=True) or ""
    on = below.day("on", needed=True) or 0
    period, from_day = _period(below), below.day("from")
    if below.has("for") == below.has("from"):
        below.fault("for", "`for` or `from` must be given, one of them", "Write `for: 2026`, or `from: 2026-01-01`")
    listed = below.section("items")
    if listed is None:
        if not below.has("items"):
            below.fault("items", MUST, 'Write `items: {"1.1": {value: 38 of 40, evidence: Biên bản 12/BB}}`')
        return
    held = period.name if period is not None else f"from {iso(from_day)}" if from_day else ""
    for criterion, node in listed.node.items.items():
        key, line = listed.below(criterion), listed.line(criterion)
        inner = section(node, key, below.faults)
        if inner is None:
            continue
        hits, judged = _value(inner.only("value", "evidence"))
        evidence = inner.text("evidence", "Quyết định 12/QĐ-SNV") or ""
        place = agency, criterion, held
        if held and place in seen:
            wrong = f"{agency} declares {criterion} for {held} twice, first in line {seen[place]}"
            below.faults.add(line, key, wrong, "Keep one of them")
        seen.setdefault(place, line)
        declared = Declared(agency, criterion, hits, judged, evidence, by, on)
        items.append(Item(declared, period, from_day, line, key))


def _period(below: Section) -> Period | None:
    text = below.text("for", "2026")
    if text is None:
        return None
    try:
        return parse_period(text)
    except ValueError as error:
        below.fault("for", str(error), "Write the period that it holds for")
        return None


def _value(item: Section) -> tuple[int, int] | tuple[None, None]:
    """A share (`0.95`) or two counts (`38 of 40`) as hits and judged; none of both if there is no value."""
    text = item.text("value", "38 of 40")
    if text is None:
        return None, None
    if found := re.fullmatch(r"([0-9]{1,9}) of ([0-9]{1,9})", text):
        hits, judged = int(found[1]), int(found[2])
        if not hits <= judged or not judged:
            item.fault("value", f"{text} is no part of a whole", "Write a count, `of`, and that of the whole: 38 of 40")
            return None, None
        return hits, judged
    if found := re.fullmatch(r"(0|1)(?:\.([0-9]{1,6}))?", text):
        decimals = (found[2] or "").ljust(2, "0")
        judged = 10 ** len(decimals)
        hits = int(found[1]) * judged + int(decimals)
        if hits <= judged:
            return hits, judged
    item.fault("value", f"{text} is no share from 0 to 1", "Write 0.95 for 95 %, or the counts: 38 of 40")
    return None, None


def _checked(one: Item, criteria: Mapping[str, Criteria], faults: Faults) -> None:
    agency, criterion = one.declared.agency, one.declared.criterion
    statement = one.key.split(".items.")[0]
    if agency not in criteria:
        mend = nearest(agency, criteria)
        faults.add(one.line, f"{statement}.agency", f"{agency} is not in the register of agencies", mend)
        return
    known = criteria[agency]
    if criterion not in known:
        declared = [id_ for id_, indicator in known.items() if not indicator]
        wrong = f"{agency} has no criterion {criterion} in the scoring model"
        faults.add(one.line, one.key, wrong, nearest(criterion, declared))
    elif known[criterion]:
        wrong = f"criterion {criterion} is measured ({known[criterion]}): nobody declares it"
        faults.add(one.line, one.key, wrong, "Take it out")
