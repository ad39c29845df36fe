"""`audit`: published figures, their arithmetic, and what was declared against what was measured."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from collector import audit
from collector.assembly import Assembly, find_indicators
from collector.audit.claim import Claim
from collector.audit.measured import TOLERANCE, Measured
from collector.cli.app import FINDINGS, AsJson, Config, app, opened
from collector.cli.asked import names_of
from collector.cli.printing import display, print_json, say
from collector.contract.errors import WrongUse


@app.command(name="audit")
def audit_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sheet of declared figures: csv or xlsx.")],
    sheet: Annotated[str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook.")] = None,
    tolerance: Annotated[
        str,
        typer.Option("--tolerance", metavar="POINTS", help="Percentage points that declared and measured may differ."),
    ] = str(TOLERANCE),
    new: Annotated[bool, typer.Option("--new", help="Write an empty sheet with our columns as FILE (xlsx).")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show each figure that cannot be verified too.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Audit declared figures: their arithmetic, and against ours.

    Recomputes percentages, sums, years, changes and moves of rank. Lines that name an indicator are compared with what
    we measured, where there is a configuration. Exit code 1 if there are errors; doubts do not count.
    """
    if new:
        from collector.audit import blank  # here, as all that only some commands need

        blank.write(file)
        say(f"Next: fill in {file}, then `collector audit {file}`", style="")
        return
    allowed = _points(tolerance)
    claims = audit.read(file, sheet, [one.id for one in find_indicators()])
    names: dict[str, str] = {}
    measured: list[Measured] = []
    if any(one.indicator for one in claims):
        try:
            with opened(config) as assembly:
                names, measured = names_of(assembly), _beside(assembly, claims, allowed)
        except WrongUse as error:
            if config is not None:
                raise
            say(f"Not compared with what was measured: {error}")
    found = audit.audit(claims, measured)
    if as_json:
        print_json({"file": str(file)} | audit.document(found))
    else:
        display(audit.shown(found, names, every=every))
    if not found.is_clean:
        raise typer.Exit(FINDINGS)


def _points(text: str) -> Decimal:
    try:
        points = Decimal(text.replace(",", "."))
    except InvalidOperation:
        points = Decimal(-1)
    if not points.is_finite() or not 0 <= points <= 100:
        raise WrongUse(f"{text} is no number of percentage points", field="--tolerance", mend="Write 1 or 0.5")
    return points


def _beside(assembly: Assembly, claims: Sequence[Claim], tolerance: Decimal) -> list[Measured]:
    province = assembly.settings.province
    asked = audit.wanted(claims, assembly.register, {province.code: province.name})
    readings = [
        one
        for period, ids, scopes in audit.periods(asked)
        for one in assembly.shown(period, scopes, [assembly.indicator(id_) for id_ in ids])
    ]
    return audit.beside(asked, readings, tolerance)
