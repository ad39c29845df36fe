"""`readings`, `rank` and `explain`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from collector import editions
from collector.assembly import Assembly
from collector.cli.app import APeriod, AsJson, Config, Merged, Open, app, opened
from collector.cli.asked import (
    instant_of,
    known_agency,
    names_of,
    period_of,
    periods_of,
    scopes_of,
    told_of_editions,
    usual_periods,
)
from collector.cli.printing import display, many, out, print_json, say
from collector.contract.errors import WrongUse
from collector.contract.indicator import Indicator
from collector.contract.period import Period, local_day, period_before, rfc3339
from collector.contract.reading import Reading, Scope
from collector.editions import log
from collector.sinks import json_shapes, ranking, terminal
from collector.store.engine import reading as reading_store


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
    is_open: Open = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="As shown at a day's end, or at an instant.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show figures.

    Those of the last and the current month, or of the periods asked for; of a sealed period those of its newest
    edition. A figure that may not be published is told by its state.
    """
    periods = periods_of(period or ())
    scopes = scopes_of(scope)
    if merged and scopes != ["agency"]:
        mend = "Leave one of them out: blocks and the province add up all agencies anyway"
        raise WrongUse("only figures of agencies can be merged", field="--scope", mend=mend)
    instant = None if as_of is None else instant_of(as_of)
    if instant is not None and is_open:
        raise WrongUse("--as-of and --open exclude each other", field="--as-of", mend="Leave one of them out")
    with opened(config) as assembly:
        code = agency and known_agency(assembly, agency)
        shown = assembly.chosen(indicator) if indicator else assembly.indicators
        wanted = periods or usual_periods(assembly)
        last = max(one.last for one in wanted)  # of several periods, the same agencies in each
        found: list[Reading] = []
        for one in wanted:
            if instant is not None:
                taken = _as_of(assembly, one, instant, scopes, shown)
                found += assembly.merged(taken, last) if merged else taken
            elif merged:
                found += assembly.shown_merged(one, last, shown, is_open=is_open)
            else:
                found += (assembly.open_readings if is_open else assembly.shown)(one, scopes, shown)
        if code:
            found = [one for one in found if one.scope != "agency" or one.agency == code]
        if as_json:
            print_json([json_shapes.reading(one) for one in found])
        elif counts or code:
            display(terminal.details(found, names_of(assembly), out.width, by_agency=code is not None))
        else:
            display(terminal.matrix(found, names_of(assembly), shown, out.width))
        if not as_json and not is_open and instant is None:
            for line in told_of_editions(assembly, wanted):
                say(f"{line}; --open shows what it would be now")


def _as_of(
    assembly: Assembly, period: Period, instant: int, scopes: Sequence[Scope], shown: Sequence[Indicator]
) -> list[Reading]:
    """The readings of a period as they were shown at an instant; says so if nothing was noted by then."""
    with reading_store(assembly.engine) as connection:
        found = log.as_of(connection, period, instant, scopes, [one.id for one in shown])
        noted = log.last_noted(connection, period, instant)
    if not found:
        say(f"{period}: nothing was noted by {rfc3339(instant)}; the daemon notes open figures every night")
    elif found[0].edition is None and noted is not None:
        say(f"{period}: as noted on {rfc3339(noted)}")
    return found


@app.command()
def rank(
    period: APeriod,
    agency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Where this agency's points were lost, and what gains a place.")
    ] = None,
    merged: Merged = False,
    is_open: Open = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Rank the agencies of each block.

    By the points that their figures earn; of a sealed period as it was sealed. What is missing or partial leaves an
    interval. The change is that against the period before, where both ranks are settled.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        code = agency and known_agency(assembly, agency, wanted.last)
        show_ranking(assembly, wanted, agency=code or "", merged=merged, is_open=is_open, as_json=as_json)


def show_ranking(
    assembly: Assembly,
    period: Period,
    *,
    agency: str = "",
    merged: bool = False,
    is_open: bool = False,
    as_json: bool,
) -> None:
    """Print the ranking of a period, as it was sealed or `is_open` as it is now; or the lines of one agency."""
    if is_open:
        taken = assembly.open_readings(period)
        scores = assembly.open_scores(assembly.merged(taken, period.last) if merged else taken, period)
    else:
        scores = assembly.shown_scores(period, merged=merged)
    own = [one for one in scores if not agency or one.agency == agency]
    if not own:
        raise WrongUse(f"{agency} was not there in {period}", mend="`collector agencies` shows from when to when")
    if as_json:
        print_json([json_shapes.score(one, lines=bool(agency)) for one in own])
        return
    last = min(period.last, local_day(assembly.clock()))
    ranked = (assembly.register.agencies[one.agency] for one in scores)
    succeeded = [one for one in ranked if one.successor and one.end is not None and one.end < last]
    if succeeded and not merged:
        took = many(len(succeeded), "agency")
        say(f"{took} ended before {period} did: with --merged their figures are added to those of who took over")
    blocks = {block.id: block.title_vi for block in assembly.register.blocks.values()}
    if agency:
        one, names = own[0], names_of(assembly)
        others = [other for other in scores if other.block == one.block]
        groups = _groups(assembly, one.block)
        former = _former(assembly, period)
        display(
            ranking.standing(
                one, names[agency], blocks.get(one.block, one.block), others, groups, period.name, former, out.width
            )
        )
    else:
        display(ranking.ranking(scores, names_of(assembly), blocks, period.name, out.width))
        if any(one.change is not None for one in scores):
            display([f"[dim]changes are against {_former(assembly, period)}[/]"])
    for line in [] if is_open else told_of_editions(assembly, [period]):
        say(f"{line}; --open shows what it would be now")


def _groups(assembly: Assembly, block: str) -> ranking.Groups:
    """The groups of a block's criteria in the scoring model as it is now."""
    return {
        part.id: (part.title_en or part.title_vi, parent)
        for each in assembly.model().blocks
        if each.id == block
        for part, parent in each.walk()
    }


def _former(assembly: Assembly, period: Period) -> str:
    """What ranks are compared with: the last edition of the period before, or its open figures."""
    before = period_before(period)
    sealed = editions.sealed(assembly.engine, before)
    return f"edition {sealed.number} of {before}" if sealed else f"the open figures of {before}, which is not sealed"


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="The id of an indicator: dossiers.on_time.")],
    agency: Annotated[str, typer.Argument(metavar="AGENCY", help="The code of an agency, of today or an old one.")],
    period: APeriod,
    rows: Annotated[bool, typer.Option("--rows", help="Show all rows, not only the first twenty.")] = False,
    merged: Merged = False,
    is_open: Open = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the records behind a figure.

    From the same declaration as the figure, so that they cannot disagree; of a sealed period the records that were
    sealed with it.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        declared = assembly.indicator(indicator)
        code = known_agency(assembly, agency, wanted.last)
        explained = assembly.explained(declared, wanted, code, merged=merged, is_open=is_open)
        if explained is None:
            raise WrongUse(f"{code} was not there in {wanted}", mend="`collector agencies` shows from when to when")
        if as_json:
            print_json(json_shapes.explanation(explained))
        else:
            limit = None if rows else 20
            display(terminal.explanation(explained, declared, names_of(assembly)[code], limit, out.width))
