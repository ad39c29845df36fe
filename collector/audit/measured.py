"""Declared against measured: a claim that names an indicator, beside our own reading of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from collector.agencies import Register
from collector.audit.cell import named
from collector.audit.claim import Claim
from collector.audit.finding import Finding, english, vietnamese
from collector.audit.line import CLOSE
from collector.audit.number import Number, places
from collector.contract.period import Period
from collector.contract.reading import Reading, Scope, State

TOLERANCE = Decimal(1)
"""Percentage points between a declared figure and ours that are let pass, unless told otherwise."""

_STATES: Mapping[State, str] = {
    "measured": "đo được",
    "not_applicable": "không có gì để đếm",
    "partial": "chưa đo đủ",
    "missing": "chưa đo được",
}
_OFFICES = tuple(named(one) + " " for one in ("UBND", "Ủy ban nhân dân", "tỉnh"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The reading that a claim is to be compared with; `why` (Vietnamese, English) tells where there is none."""

    claim: Claim
    scope: Scope = "province"
    agency: str = ""
    period: Period | None = None
    why: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A claim beside our reading. `within` tells whether they are no further apart than allowed, None if not compared.

    `difference` is declared less measured, in percentage points.
    """

    claim: Claim
    scope: Scope
    agency: str
    period: str
    reading: Reading | None
    declared: Number | None
    tolerance: Decimal
    within: bool | None = None
    why: tuple[str, str] | None = None

    @property
    def difference(self) -> Decimal | None:
        """Declared less measured, in percentage points."""
        ours = self.reading.percentage if self.reading is not None else None
        return None if ours is None or self.declared is None else self.declared.value - ours

    def finding(self) -> Finding | None:
        """What is to be said of the line: that the two are too far apart."""
        reading, difference = self.reading, self.difference
        if self.within is not False or reading is None or self.declared is None or difference is None:
            return None
        ours = reading.percentage
        assert ours is not None
        hits, judged = reading.hits or 0, reading.judged or 0
        return Finding(
            self.claim.line,
            "measured",
            self.declared.written,
            f"{ours}%",
            f"Khai {self.declared.written}, đo được {vietnamese(ours)}% ({vietnamese(hits)}/{vietnamese(judged)}): "
            f"lệch {vietnamese(abs(difference))} điểm phần trăm, cho phép {vietnamese(self.tolerance)}.",
            f"Declared {self.declared.written}, measured {english(ours)}% ({english(hits)} of {english(judged)}): "
            f"{english(abs(difference))} points apart, {english(self.tolerance)} allowed.",
        )


def wanted(claims: Iterable[Claim], register: Register, province: Mapping[str, str]) -> list[Wanted]:
    """Return which reading each claim with an indicator is to be compared with.

    `province` maps the province's code to its name. An agency is found by its code, old code, alias or name; without
    one the block counts, by its id or title; without either, the province.
    """
    return [_wanted(claim, register, province) for claim in claims if claim.indicator]


def _wanted(claim: Claim, register: Register, province: Mapping[str, str]) -> Wanted:
    if claim.period is None or claim.period.period is None:
        return Wanted(claim, why=("dòng không ghi tháng, quý hoặc năm", "the line names no month, quarter or year"))
    if claim.nature != "result":
        return Wanted(claim, why=("không phải kết quả", "it is no result"))
    period = claim.period.period
    its_province = {_office(each) for pair in province.items() for each in pair}
    agency = _office(claim.agency)
    if (not agency and not claim.block) or agency in its_province:
        return Wanted(claim, "province", next(iter(province)), period)
    if agency:
        code = register.resolve("", claim.agency, period.last)
        if code is None:
            bearing = [one for one in register.agencies.values() if _office(one.name) == agency]
            there = [one for one in bearing if one.in_force(period.last)] or bearing
            if len(there) != 1:
                told = "có nhiều" if there else "không có"
                many = "several agencies are" if there else "no agency is"
                return Wanted(
                    claim,
                    why=(
                        f"danh mục {told} cơ quan tên {claim.agency}",
                        f"{many} called {claim.agency} in the register",
                    ),
                )
            code = there[0].code
        return Wanted(claim, "agency", code, period)
    for block in register.blocks.values():
        if named(claim.block) in {named(each) for each in (block.id, block.title_vi, block.title_en)}:
            return Wanted(claim, "block", block.id, period)
    return Wanted(claim, why=(f"danh mục không có khối {claim.block}", f"the register has no block {claim.block}"))


def _office(name: str) -> str:
    """A name without what stands before it in some papers and not in others."""
    plain = named(name)
    for before in _OFFICES:
        plain = plain.removeprefix(before)
    return plain


def beside(asked: Iterable[Wanted], readings: Iterable[Reading], tolerance: Decimal = TOLERANCE) -> list[Measured]:
    """Return each claim beside our reading of the same scope, agency, indicator and period, or why there is none."""
    known = {(one.scope, one.agency, one.indicator, one.period): one for one in readings}
    return [_beside(one, known, tolerance) for one in asked]


_Known = Mapping[tuple[Scope, str, str, str], Reading]


def _beside(one: Wanted, known: _Known, tolerance: Decimal) -> Measured:
    claim, period = one.claim, one.period.name if one.period else ""
    declared = _declared(claim)

    def told(reading: Reading | None, why: tuple[str, str] | None, *, within: bool | None = None) -> Measured:
        return Measured(claim, one.scope, one.agency, period, reading, declared, tolerance, within, why)

    if one.why is not None:
        return told(None, one.why)
    if declared is None:
        return told(None, ("dòng không có tỷ lệ", "the line tells no percentage"))
    reading = known.get((one.scope, one.agency, claim.indicator, period))
    if reading is None:
        return told(None, ("kỳ này cơ quan không có số đo", "we have no figure of it in this period"))
    ours = reading.percentage
    if reading.suppressed:
        return told(reading, ("số đo không được công bố", reading.why))
    if ours is None:
        return told(reading, (_STATES[reading.state], reading.why or reading.state.replace("_", " ")))
    slack = tolerance + (CLOSE if declared.bound == "about" else 0)
    within = True
    if declared.bound != "most":
        within = declared.value - ours <= slack
    if declared.bound != "least":
        within = within and ours - declared.value <= slack
    return told(reading, None, within=within)


def _declared(claim: Claim) -> Number | None:
    """The percentage that a line declares: the printed one, else that of its counts."""
    if claim.percentage is not None:
        return claim.percentage
    part, whole = claim.part, claim.whole
    if part is None or whole is None or part.bound or whole.bound or not whole.value:
        return None
    share = (100 * part.value / whole.value).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return Number(share, f"{vietnamese(share)}%", places(share), percent=True)


def periods(asked: Sequence[Wanted]) -> list[tuple[Period, list[str], list[Scope]]]:
    """Return for each period which indicators in which scopes have to be taken for it."""
    found: dict[Period, tuple[dict[str, None], dict[Scope, None]]] = {}
    for one in asked:
        if one.period is not None and one.why is None:
            indicators, scopes = found.setdefault(one.period, ({}, {}))
            indicators[one.claim.indicator] = None
            scopes[one.scope] = None
    return [(period, list(indicators), list(scopes)) for period, (indicators, scopes) in found.items()]
