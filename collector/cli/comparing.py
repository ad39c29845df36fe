"""`match`, `compare` and `flags`: what should be looked at before a period is published."""

from typing import Annotated

import typer

from collector import compare, flags, matching
from collector.assembly import Assembly, find_connector
from collector.cli.app import FINDINGS, SOURCE_FAILED, APeriod, AsJson, Config, app, opened
from collector.cli.asked import known_agency, names_of, period_of, take
from collector.cli.printing import display, out, print_json, say
from collector.contract.errors import CollectorError, WrongUse
from collector.contract.period import Period, period_before
from collector.contract.records import Dossier
from collector.contract.reported import Report, publishes, reported_of
from collector.settings.shape import Source
from collector.sinks import comparison, flagged, json_shapes, terminal
from collector.store.engine import reading as reading_store


@app.command(name="match")
def match_command(period: APeriod, config: Config = None, as_json: AsJson = False) -> None:
    """Match what agencies sent with what others got.

    By the ids of electronic documents, for each pair of agencies; ends with 1 if any list lacks one.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        with reading_store(assembly.engine) as connection:
            pairs = matching.match(connection, assembly.register, wanted)
        if as_json:
            print_json([json_shapes.pair(one) for one in pairs])
        else:
            display(terminal.matched(pairs, out.width))
    if any(one.unmatched or one.not_sent for one in pairs):
        raise typer.Exit(FINDINGS)


@app.command(name="compare")
def compare_command(
    period: APeriod,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Only this agency.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show all agencies that differ.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Show the dossiers behind each cause.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Compare our counts with the sources' own totals.

    The difference from what a source publishes about itself is split by cause. Exit code 1 if something stays
    unexplained, or a printed percentage is wrong.
    """
    wanted = period_of(period)
    with opened(config, with_systems=True) as assembly:
        code = agency and known_agency(assembly, agency)
        telling = [one for one in assembly.settings.sources.values() if _publishes(one)]
        if not telling:
            raise WrongUse(
                "no source publishes totals of its own", mend="See `report` and the like in a source's config"
            )
        declared = assembly.indicator(compare.INDICATORS[Dossier])
        readings = {
            record: {one.agency: one for one in take(assembly, [wanted], indicators=[assembly.indicator(id_)])}
            for record, id_ in compare.INDICATORS.items()
        }
        found: list[compare.Comparison] = []
        failed = False
        for source in telling:
            try:
                reports = _reports(assembly, source, wanted)
            except CollectorError as error:
                say(str(error), style="red")
                failed = True
                continue
            served = source.serves.among(assembly.register.agencies, source.since)
            there = [one for one in served if one in readings[Dossier]]
            with reading_store(assembly.engine) as connection:
                found.append(
                    compare.compare(
                        connection, assembly.register, source.name, reports, declared, readings, there, code
                    )
                )
        if as_json:
            print_json({"period": wanted.name} | comparison.document(found, rows=rows))
        else:
            display(comparison.shown(found, names_of(assembly), out.width, every=every, rows=rows))
    if failed:
        raise typer.Exit(SOURCE_FAILED)
    if not all(one.is_explained for one in found):
        raise typer.Exit(FINDINGS)


def _publishes(source: Source) -> bool:
    return publishes(find_connector(source.connector), source.config)


def _reports(assembly: Assembly, source: Source, period: Period) -> list[Report]:
    """What a source tells of a period; raises what its door raises."""
    job = assembly.job(source)
    tell = reported_of(job.connector)
    assert tell is not None
    with job.open_door(assembly.clock()) as door:
        return list(tell(job.config, door, period))


@app.command(name="flags")
def flags_command(
    period: APeriod,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Only this agency.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the agencies of each flag.")] = False,
    rows: Annotated[bool, typer.Option("--rows", help="Show the records that raise each flag.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what should be looked at before a period is published.

    Odd records and figures, by key; they cost no points. Exit code 1 if there are any.
    """
    wanted = period_of(period)
    with opened(config) as assembly:
        code = agency and known_agency(assembly, agency)
        readings, before = take(assembly, [wanted]), take(assembly, [period_before(wanted)])
        with reading_store(assembly.engine) as connection:
            found = flags.raised(
                connection, wanted, assembly.clock(), assembly.indicators, readings, before, code or None
            )
        if as_json:
            print_json({"period": wanted.name, "flags": flagged.document(found, rows=rows)})
        else:
            by_agency = every and code is None
            display(flagged.shown(found, names_of(assembly), out.width, by_agency=by_agency, rows=rows))
    if found:
        raise typer.Exit(FINDINGS)
