"""An audit for people: what was found, Vietnamese first; and for programs, as JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding

from collector.audit.audited import Audit
from collector.audit.claim import Claim
from collector.audit.finding import KINDS, RULES, Finding, Kind, Verdict, vietnamese
from collector.audit.measured import Measured
from collector.contract.period import iso
from collector.sinks import json_shapes

_COLOURS: dict[Verdict, str] = {"error": "red", "doubt": "yellow", "not_verifiable": "dim", "consistent": "green"}

_COUNTED: dict[Kind, str] = {"error": "lỗi", "doubt": "nghi vấn"}
_WITHOUT: Sequence[Verdict] = ("not_verifiable", "consistent")


def shown(found: Audit, names: dict[str, str], *, every: bool = False) -> list[RenderableType]:
    """Return each error and doubt with its line, then in short what cannot be verified (`every`: each too)."""
    claims = {one.line: one for one in found.claims}
    parts: list[RenderableType] = []
    for one in found.findings:
        if one.kind != "not_verifiable" or every:
            parts += _finding(one, claims)
    if not every:
        parts += _in_short(found.findings)
    if found.measured:
        parts += _measured(found.measured, names)
    return [*parts, *_summary(found)]


def _finding(one: Finding, claims: dict[int, Claim]) -> list[RenderableType]:
    vi, en = KINDS[one.kind]
    kind = f"[{_COLOURS[one.kind]}]{vi.upper()} / {en}[/]"
    claim = claims[one.line]
    about = ", ".join(
        part for part in (claim.agency or claim.block, claim.period.written if claim.period else "") if part
    )
    others = f", với dòng {_ranges(one.lines)}" if one.lines else ""
    rule = RULES[one.rule]
    return [
        f"[bold]Dòng {one.line}[/]{others}: {kind} · {escape(rule.vi)} ({one.rule})",
        Padding(escape(f"{about}: {claim.what}" if about else claim.what), (0, 0, 0, 2)),
        Padding(escape(one.vi), (0, 0, 0, 2)),
        Padding(escape(one.en), (0, 0, 1, 2)),
    ]


def _in_short(findings: Sequence[Finding]) -> list[RenderableType]:
    by_rule: dict[str, list[int]] = {}
    for one in findings:
        if one.kind == "not_verifiable":
            by_rule.setdefault(one.rule, []).extend((one.line, *(one.lines if RULES[one.rule].shared else ())))
    if not by_rule:
        return []
    vi, en = KINDS["not_verifiable"]
    lines = [
        Padding(escape(f"{RULES[rule].vi} / {RULES[rule].en}: dòng {_ranges(sorted(set(lines)))}"), (0, 0, 0, 2))
        for rule, lines in by_rule.items()
    ]
    return [f"[bold]{vi} / {en}[/] (--all: từng dòng / each)", *lines, ""]


def _measured(measured: Iterable[Measured], names: dict[str, str]) -> list[RenderableType]:
    parts: list[RenderableType] = ["[bold]Khai báo và đo được / declared and measured[/]"]
    for one in measured:
        who = names.get(one.agency, one.agency) or one.claim.agency
        what = f"Dòng {one.claim.line}: {one.claim.indicator}, {who}, {one.period or '–'}: khai {_written(one)}"
        reading = one.reading
        if one.within is None:
            assert one.why is not None
            told = f"không so được: {one.why[0]} / not compared: {one.why[1]}"
        else:
            assert reading is not None
            assert reading.percentage is not None
            counts = f"{vietnamese(reading.hits or 0)}/{vietnamese(reading.judged or 0)}"
            verdict = "khớp / agrees" if one.within else "[red]lệch / differs[/]"
            told = f"đo được {vietnamese(reading.percentage)}% ({counts}), {verdict}"
        parts.append(Padding(f"{escape(what)}, {told if one.within is not None else escape(told)}", (0, 0, 0, 2)))
    return [*parts, ""]


def _written(one: Measured) -> str:
    return one.declared.written if one.declared is not None else "–"


def _summary(found: Audit) -> list[RenderableType]:
    """How many findings there are, in how many lines, and how many lines have none."""
    lines = Counter(found.verdicts.values())
    findings = Counter(one.kind for one in found.findings)
    vi, en = [], []
    for kind in _COUNTED:
        count, own = findings[kind], lines[kind]
        vi.append(f"{count} {_COUNTED[kind]}" + (f" ở {own} dòng" if count else ""))
        en.append(f"{count} {kind}{'' if count == 1 else 's'}" + (f" in {own} lines" if count else ""))
    for verdict in _WITHOUT:
        vi.append(f"{lines[verdict]} dòng {KINDS[verdict][0].lower()}")
        en.append(f"{lines[verdict]} {KINDS[verdict][1]}")
    return [f"{len(found.claims)} dòng: {', '.join(vi)}", f"{len(found.claims)} lines: {', '.join(en)}"]


def _ranges(lines: Sequence[int]) -> str:
    """Line numbers as people write them: 3, 5–8."""
    parts: list[list[int]] = []
    for line in lines:
        if parts and line == parts[-1][-1] + 1:
            parts[-1].append(line)
        else:
            parts.append([line])
    return ", ".join(str(one[0]) if len(one) == 1 else f"{one[0]}–{one[-1]}" for one in parts)


# -- for programs --------------------------------------------------------------------------------------------------


def document(found: Audit) -> dict[str, Any]:
    """Return an audit: its lines with their verdicts, its findings, and what was set beside what we measured."""
    counts = Counter(found.verdicts.values())
    return {
        "summary": {verdict: counts[verdict] for verdict in KINDS},
        "findings": [_told(one) for one in found.findings],
        "measured": [_compared(one) for one in found.measured],
        "lines": [_line(one, found.verdicts[one.line]) for one in found.claims],
    }


def _told(one: Finding) -> dict[str, Any]:
    return {
        "line": one.line,
        "kind": one.kind,
        "rule": one.rule,
        "claimed": one.claimed,
        "recomputed": one.recomputed or None,
        "vi": one.vi,
        "en": one.en,
        "lines": list(one.lines),
    }


def _compared(one: Measured) -> dict[str, Any]:
    difference = one.difference
    return {
        "line": one.claim.line,
        "indicator": one.claim.indicator,
        "scope": one.scope,
        "agency": one.agency,
        "period": one.period,
        "declared": one.declared.written if one.declared else None,
        "tolerance": float(one.tolerance),
        "difference": None if difference is None else float(difference),
        "within": one.within,
        "why_vi": one.why[0] if one.why else "",
        "why_en": one.why[1] if one.why else "",
        "reading": None if one.reading is None else json_shapes.reading(one.reading),
    }


def _line(one: Claim, verdict: Verdict) -> dict[str, Any]:
    return {
        "line": one.line,
        "verdict": verdict,
        "document": one.document,
        "date": None if one.date is None else iso(one.date),
        "page": one.page,
        "period": one.period.written if one.period else "",
        "block": one.block,
        "agency": one.agency,
        "what": one.what,
        "value": one.stated.written if one.stated else None,
        "unit": one.unit,
        "indicator": one.indicator or None,
    }
