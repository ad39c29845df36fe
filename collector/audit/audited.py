"""Runs all checks over a sheet, and says of each line whether it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.audit import across, line
from collector.audit.claim import Claim
from collector.audit.finding import RULES, Finding, Kind, Verdict
from collector.audit.measured import Measured
from collector.audit.series import of_series


@dataclass(frozen=True, slots=True)
class Audit:
    """The lines of a sheet, what was found in them, and the verdict of each by its line.

    `measured` sets beside some of them what we measured.
    """

    claims: Sequence[Claim]
    findings: Sequence[Finding]
    verdicts: Mapping[int, Verdict]
    measured: Sequence[Measured] = ()

    @property
    def is_clean(self) -> bool:
        """Whether there is no error; doubts and what cannot be verified may be there."""
        return not any(one.kind == "error" for one in self.findings)


def audit(claims: Sequence[Claim], measured: Sequence[Measured] = ()) -> Audit:
    """Return what the figures of a sheet tell, in the order of its lines and of the rules."""
    sums, added = across.summed(claims)
    moves, ranked = across.moves(claims)
    found = [finding for claim in claims for finding in line.of_line(claim)]
    found += [*sums, *of_series(claims), *moves]
    found += [finding for one in measured if (finding := one.finding()) is not None]
    checked = added | ranked | {claim.line for claim in claims if line.checked(claim)}
    checked |= {one.claim.line for one in measured if one.within is not None}
    touched = {one.line for one in found} | {each for one in found if RULES[one.rule].shared for each in one.lines}
    said = checked | touched
    found += [_unverifiable(claim) for claim in claims if claim.line not in said]
    order = {rule: place for place, rule in enumerate(RULES)}
    found.sort(key=lambda one: (one.line, order[one.rule], one.lines))
    return Audit(claims, found, _verdicts(claims, found), measured)


def _unverifiable(claim: Claim) -> Finding:
    stated = claim.stated
    written = stated.written if stated is not None else ""
    if claim.nature == "plan":
        return Finding(
            claim.line,
            "plan",
            written,
            "",
            "Đây là kế hoạch, chưa có kết quả để kiểm.",
            "A plan: nothing to check yet.",
        )
    if claim.part is not None and claim.whole is not None:
        return Finding(
            claim.line,
            "inexact",
            written,
            "",
            "Tử số hoặc mẫu số chỉ là “gần”, “trên”: không tính lại được.",
            "Part or whole is only a bound: nothing can be recomputed.",
        )
    if claim.percentage is not None:
        return Finding(
            claim.line,
            "no_counts",
            written,
            "",
            f"{written}: không có tử số, mẫu số nên không kiểm chứng được.",
            f"{written}: no counts are given, so it cannot be verified.",
        )
    return Finding(
        claim.line,
        "alone",
        written,
        "",
        "Con số đứng một mình: trong bảng không có gì để đối chiếu.",
        "A figure that stands alone: the sheet holds nothing to check it against.",
    )


def _verdicts(claims: Sequence[Claim], found: Sequence[Finding]) -> dict[int, Verdict]:
    """The worst that was found of each line."""
    verdicts: dict[int, Verdict] = {claim.line: "consistent" for claim in claims}
    kinds: Sequence[Kind] = ("not_verifiable", "doubt", "error")
    for kind in kinds:
        lines: set[int] = set()
        for one in found:
            if one.kind == kind:
                lines.add(one.line)
                lines.update(one.lines if RULES[one.rule].shared else ())
        verdicts |= dict.fromkeys(lines, kind)
    return verdicts
