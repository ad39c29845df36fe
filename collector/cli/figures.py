"""`readings`, `rank` and `explain`."""

from typing import Annotated

import typer

from collector import readings as figures
from collector.assembly import Assembly
from collector.cli.app import APeriod, AsJson, Config, Merged, app, opened
from collector.cli.asked import known_agency, names_of, period_of, periods_of, scopes_of, take, usual_periods
from collector.cli.printing import display, many, out, print_json, say
from collector.contract.errors import WrongUse
from collector.contract.period import Period, local_day, period_before
from collector.sinks import json_shapes, terminal
from collector.store.engine import reading as reading_store
from collector.succession import units


@app.command()
def readings(
    period: Annotated[
        list[str] | None,
        typer.Option(metavar="PERIOD", help="2026-10, 2026-Q3 or 2026; may be repeated [the last and this month]."),
    ] = None,
    indicator: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Only this indicator, or a family like `mailboxes`; may be repeated."),
    ] = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Only this agency, with its counts.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="SCOPE", help="agency, block or province; may be repeated [agency].")
    ] = None,
    counts: Annotated[
        bool, typer.Option("--counts", help="Show the counts of each figure, and why it is none.")
    ] = False,
    merged: Merged = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show figures.

    Those of the last and the current month, or of the periods asked for. A figure that may not be published is told
    by its state.
    """
    periods = periods_of(period or ())
    scopes = scopes_of(scope)
    if merged and scopes != ["agency"]:
        mend = "Leave one of them out: blocks and the province add up all agencies anyway"
        raise WrongUse("only figures of agencies can be merged", field="--scope", mend=mend)
    with opened(config) as assembly:
        code = agency and known_agency(assembly, agency)
        shown = assembly.chosen(indicator) if indicator else assembly.indicators
        wanted = periods or usual_periods(assembly)
        last = max(one.last for one in wanted)  # of several periods, the same agencies in each
        found = []
        for one in wanted:
            taken = take(assembly, [one], scopes, shown)
            found += assembly.merged(taken, last) if merged else taken
        if code:
            found = [one for one in found if one.scope != "agency" or one.agency == code]
        if as_json:
            print_json([json_shapes.reading(one) for one in found])
        elif counts or code:
            display(terminal.details(found, names_of(assembly), out.width, by_agency=code is not None))
        else:
            display(terminal.matrix(found, names_of(assembly), shown, out.width))


@app.command()
def rank(period: APeriod, merged: Merged = False, config: Config = None, as_json: AsJson = False) -> None:
    """Rank the agencies of each block.

    By the points that their figures earn. What is missing or partial leaves an interval. The change is that against
    the period before, where both ranks are settled.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        show_ranking(assembly, wanted, merged=merged, as_json=as_json)


def show_ranking(assembly: Assembly, period: Period, *, merged: bool = False, as_json: bool) -> None:
    """Print the ranking of a period."""
    taken, model = take(assembly, [period]), assembly.model()
    scores = assembly.rank(assembly.merged(taken, period.last) if merged else taken, period, model)
    scores = assembly.changes(scores, take(assembly, [period_before(period)]), period, model)
    if as_json:
        print_json([json_shapes.score(one) for one in scores])
        return
    last = min(period.last, local_day(assembly.clock()))
    ranked = (assembly.register.agencies[one.agency] for one in scores)
    succeeded = [one for one in ranked if one.successor and one.end is not None and one.end < last]
    if succeeded and not merged:
        took = many(len(succeeded), "agency")
        say(f"{took} ended before {period} did: with --merged their figures are added to those of who took over")
    blocks = {block.id: block.title_vi for block in assembly.register.blocks.values()}
    display(terminal.ranking(scores, names_of(assembly), blocks, period.name, out.width))


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="The id of an indicator: dossiers.on_time.")],
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="The code of an agency, of today or an old one.")],
    period: APeriod,
    rows: Annotated[bool, typer.Option("--rows", help="Show all rows, not only the first twenty.")] = False,
    merged: Merged = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the records behind a figure.

    From the same declaration as the figure, so that they cannot disagree.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        declared = assembly.indicator(indicator)
        code = known_agency(assembly, agency, wanted.last)
        world = assembly.world(wanted)
        with reading_store(assembly.engine) as connection:
            taken = figures.take(connection, [declared], assembly.tallies, world, wanted)
            into = units(assembly.register, wanted.last)
            own = [one for one in taken if (into[one.agency] if merged else one.agency) == code]
            if not own:
                raise WrongUse(f"{code} was not there in {wanted}", mend="`collector agencies` shows from when to when")
            parts = [figures.explain(connection, declared, one, wanted, world) for one in own]
            reading = assembly.merged(own, wanted.last)[0] if merged else own[0]
            explained = figures.one_explanation(declared, reading, parts)
        if as_json:
            print_json(json_shapes.explanation(explained))
        else:
            limit = None if rows else 20
            display(terminal.explanation(explained, declared, names_of(assembly)[code], limit, out.width))
