"""`demo`."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from collector import editions, gaps, init
from collector.assembly import Assembly
from collector.cli.app import SOURCE_FAILED, AsJson, app, opened
from collector.cli.asked import chosen_sources
from collector.cli.collecting import collect_all
from collector.cli.editions import records_of
from collector.cli.figures import show_ranking
from collector.cli.printing import display, err, many, out, print_json, say
from collector.collect import Wanted
from collector.contract.errors import WrongUse
from collector.contract.period import Period, month_of
from collector.editions import NotYet, keys
from collector.sinks import json_shapes, terminal
from collector.store.engine import reading as reading_store
from collector.store.gaps import Lost

if TYPE_CHECKING:
    from collector.demo.late import Late


@app.command(name="demo")
def demo_command(
    once: Annotated[bool, typer.Option("--once", help="Collect, print and end; else serve until Ctrl-C.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Keep the province here, to look into it.")
    ] = None,
    agencies: Annotated[
        int | None, typer.Option(metavar="N", min=4, help="How many agencies, at least 4 [all].")
    ] = None,
    days: Annotated[int, typer.Option(metavar="N", min=1, max=365, help="How many days, up to 28 February 2026.")] = 60,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed is another province.")] = 1,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65_535, help="The page's port; a free one if not given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a sample province, and collect and rank it.

    Its systems run on loopback and are read by the ordinary path; the ranking is printed, then a page shows it.
    """
    from collector.demo import late, province, systems, truth

    with tempfile.TemporaryDirectory(prefix="collector-demo-") as temporary:
        place = folder or Path(temporary)
        _make_empty(place)
        with err.status("making the sample province") as spinner:
            ledger = province.make(agencies, days, seed)
            ledger.write(place / "ledger.json")
            systems.write(ledger, place, lambda name: spinner.update(f"writing its systems: {name}"))
            systems.write_configuration(ledger, place, init.samples())
            entered_late = late.keep_back(ledger, place)
            spinner.update("counting the truth from its ledger")
            truth.write(ledger, place / "truth.json")
        with opened(place / "collector.yaml", with_systems=True) as assembly:
            outcomes = collect_all(assembly, assembly.tools, chosen_sources(assembly, None), Wanted(), None)
            history = []
            if entered_late is not None:
                history = _seal_and_restate(assembly, entered_late)
            months = _months(ledger.first_day, ledger.last_day)
            if as_json:
                print_json([json_shapes.reading(one) for month in months for one in assembly.shown(month)])
            else:
                display([*terminal.collected(outcomes, out.width), ""])
                show_ranking(assembly, months[-1], as_json=False)
                display(["", *history] if history else [])
                for line in _next_steps(place, ledger.agencies[0].code, months[-1], kept=folder is not None):
                    out.print(escape(line), soft_wrap=True)
            if any(one.failure for one in outcomes):
                raise typer.Exit(SOURCE_FAILED)
            if not once:
                from collector import daemon  # as in `serve`

                daemon.serve(assembly, assembly.settings.serve.host, port or 0, says=say, just_read=True)


def _seal_and_restate(assembly: Assembly, entered_late: "Late") -> list[str]:
    """Seal the first whole month, have a document entered late, state the month anew, and verify: say what happened.

    Where the sample province lost days of that month, nothing is sealed.
    """
    month, key, sealer = entered_late.month, assembly.settings.signing_key, assembly.sealer
    public = keys.public_key(keys.new(key))
    lost = _accept_what_is_lost(assembly, month)
    try:
        first = editions.seal(sealer, month, key)
    except NotYet:
        first = None
    entered_late.enter()
    outcomes = collect_all(assembly, assembly.tools, chosen_sources(assembly, [entered_late.source]), Wanted(), None)
    if first is None or any(one.failure for one in outcomes):
        return []
    _, found = editions.restate(sealer, month, "late", key)
    with reading_store(assembly.engine) as connection:
        verified = editions.verify(connection, [public])
    faults = [one.fault for one in verified if one.fault]
    if faults:
        raise RuntimeError(f"the sample province's editions do not verify: {faults[0]}")
    figures = len(found.changes)
    return [
        *(str(one) for one in lost),
        f"{month} was sealed (edition 1, {len(first.readings):,} figures). Then document {entered_late.key} of "
        f"{entered_late.agency} was entered late: {many(figures, 'figure')} changed, and edition 2 says so.",
        f"Both are signed with the key {keys.fingerprint(public)} and verified.",
    ]


def _accept_what_is_lost(assembly: Assembly, month: Period) -> list[Lost]:
    """Accept what is lacking of the source that opened in the middle of a month: its figures stay partial anyway."""
    from collector.demo.late import OPENED_LATE, WHY

    source = assembly.settings.sources.get(OPENED_LATE)
    if source is None:
        return []
    with reading_store(assembly.engine) as connection:
        lacking = editions.lacking(connection, assembly.indicators, assembly.world(month), month)
    for one in lacking:
        if one.source == OPENED_LATE and one.first_day is not None and one.last_day is not None:
            days = one.first_day, one.last_day
            gaps.accept(assembly.engine, source.name, source.since, records_of(source), days, WHY, assembly.clock())
    return gaps.listed(assembly.engine)


def _make_empty(place: Path) -> None:
    """Make a folder for the sample province; WrongUse if it cannot be made or holds something already."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        full = any(place.iterdir())
    except OSError as error:
        raise WrongUse(
            f"{place} cannot be made ({error.strerror})", field="--dir", mend="Name a folder that you may write to"
        ) from error
    if full:
        known = place / "collector.yaml"
        use = f", or use the province in it: --config {known}" if known.is_file() else ""
        raise WrongUse(f"{place} is not empty", field="--dir", mend=f"Name a new folder{use}")


def _months(first: int, last: int) -> list[Period]:
    months = [month_of(first)]
    while months[-1].last < last:
        months.append(month_of(months[-1].end))
    return months


def _next_steps(place: Path, agency: str, month: Period, *, kept: bool) -> list[str]:
    """What a newcomer may try next; commands that need the province's folder only where it stays."""
    if not kept:
        return ["To keep a province and look into it: collector demo --once --dir DIR"]
    option = f"--config {place / 'collector.yaml'}"
    return [
        "Look into it:",
        f"  collector readings {option}",
        f"  collector explain dossiers.on_time {agency} {month} {option}",
        f"  collector status {option}",
    ]
