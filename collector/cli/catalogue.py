"""`indicators`, `agencies` and `workdays`: what is counted, of whom, and on which days."""

import os
from typing import Annotated

import typer

from collector import workdays
from collector.assembly import find_connector, find_indicators
from collector.cli.app import FINDINGS, AsJson, Config, app, opened
from collector.cli.printing import display, out, print_json, say
from collector.clock import fixed_clock, system_clock
from collector.contract.period import iso, local_day
from collector.settings import load, locate
from collector.sinks import json_shapes, terminal, working_year


@app.command()
def indicators(as_json: AsJson = False) -> None:
    """Show the catalogue of indicators.

    What is counted, what is a hit, and by which law.
    """
    found = find_indicators()
    if as_json:
        print_json([json_shapes.indicator(one) for one in found])
    else:
        display(part for one in found for part in terminal.declaration(one))


@app.command()
def agencies(config: Config = None, as_json: AsJson = False) -> None:
    """Show the register of agencies.

    Who is ranked, in which block, and which sources serve whom.
    """
    with opened(config) as assembly:
        today = local_day(assembly.clock())
        found = []
        for code, known in assembly.register.agencies.items():
            term = next((one for one in known.terms if one.holds(today)), known.terms[-1])
            serving = [
                source.name
                for source in assembly.settings.sources.values()
                if code in source.serves.among(assembly.register.agencies, source.since)
            ]
            found.append(
                {
                    "code": code,
                    "name": known.name,
                    "block": term.block,
                    "headcount": term.headcount,
                    "from": None if term.from_day <= 19000101 else iso(term.from_day),
                    "to": None if term.to_day is None else iso(term.to_day),
                    "old_codes": list(known.old_codes),
                    "outside": known.outside,
                    "sources": serving,
                    "predecessors": assembly.register.predecessors(code),
                    "successor": known.successor,
                    "divided_among": list(known.divided_among),
                }
            )
        if as_json:
            print_json(found)
        else:
            display(terminal.register(found, out.width))


@app.command(name="workdays")
def workdays_command(
    year: Annotated[
        int | None, typer.Argument(metavar="YEAR", min=1995, max=2100, help="This year if left out.")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Write workdays/YEAR.yaml as far as it can be foreseen, to be corrected.")
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a year's days off and working Saturdays.

    Those of its file, or while there is none, a draft. Exit code 1 if it does not decide all days.
    """
    settings = load(locate(config, os.environ), find_connector, os.environ)
    clock = system_clock if settings.now is None else fixed_clock(settings.now)
    wanted = year or local_day(clock()) // 10_000
    if draft:
        path = workdays.write_draft(settings.workdays, wanted)
        say(f"{path} is written; once the year's decision is out, correct it and delete `provisional`")
    known = workdays.of_year(settings.workdays, wanted)
    days = workdays.calendar(settings.workdays, wanted, wanted)
    path = settings.workdays / f"{wanted}.yaml"
    file = path if path.exists() else None
    if as_json:
        print_json(working_year.document(known, days, file))
    else:
        display(working_year.shown(known, days, file, out.width))
    if not draft and any(one.provisional for one in days):
        raise typer.Exit(FINDINGS)
