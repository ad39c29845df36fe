"""The command line. Exit codes: 0 done, 1 findings, 2 wrong use, 3 a source failed."""

import gc
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from collector import __version__, check, compare, flags, init, matching, privacy, status, traces, workdays
from collector import collect as collecting
from collector import readings as figures
from collector import reconcile as reconciling
from collector.assembly import Assembly, asked, assemble, find_connector, find_indicators
from collector.clock import fixed_clock, system_clock
from collector.collect import Bug, Outcome, Tools, Wanted
from collector.contract.connector import Finding, offered
from collector.contract.errors import CollectorError, TryAgain, WrongUse
from collector.contract.indicator import Indicator
from collector.contract.period import (
    Period,
    iso,
    local_day,
    month_of,
    parse_day,
    parse_period,
    period_before,
    plus_days,
)
from collector.contract.reading import Reading, Scope
from collector.contract.records import Dossier
from collector.contract.reported import Report, publishes, reported_of
from collector.reconcile import Reconciled
from collector.settings import load, locate, masked
from collector.settings.shape import Source
from collector.sinks import comparison, flagged, json_shapes, terminal, working_year
from collector.store.engine import reading as reading_store
from collector.store.rehearsal import rehearsal
from collector.store.save import Saved
from collector.succession import units

app = typer.Typer(
    name="collector",
    help="Measures how far the agencies of a province use IT, from counted records.",
    epilog="Exit codes: 0 done, 1 findings, 2 wrong use, 3 a source failed. Periods: 2026-10, 2026-Q3, 2026.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # help without boxes, so that it can be copied
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
log = logging.getLogger("collector")

FINDINGS, WRONG_USE, SOURCE_FAILED, STOPPED = 1, 2, 3, 130

WIDE = 1_000
"""Columns of what is no terminal: nothing is shortened or wrapped for a file or another program."""

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration; else $COLLECTOR_CONFIG, config/collector.yaml or /etc/collector/collector.yaml.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Sources = Annotated[list[str] | None, typer.Argument(metavar="SOURCE", help="Names of sources; all if none is given.")]
Merged = Annotated[
    bool, typer.Option("--merged", help="Add up each agency with those merged into it by the (last) period's end.")
]
APeriod = Annotated[str, typer.Argument(metavar="PERIOD", help="A month, quarter or year: 2026-10, 2026-Q3, 2026.")]


def main() -> None:
    """Run the command line; wrong use ends in one sentence and exit code 2, never in a traceback."""
    traces.install("%(levelname)s %(name)s: %(message)s")
    # Rows are tuples of text and numbers and never point at each other: looking for circles among them finds none, and
    # at Python's own threshold takes a tenth of a load.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    if not sys.stdout.isatty():
        out.width = WIDE
    try:
        app(prog_name="collector")
    except WrongUse as error:
        _say(str(error), style="red")
        sys.exit(WRONG_USE)
    except CollectorError as error:
        _say(str(error), style="red")
        sys.exit(SOURCE_FAILED)
    finally:
        sys.excepthook = traces.uncaught  # typer has put its own there


@contextmanager
def _opened(config: Path | None, *, with_systems: bool = False) -> Iterator[Assembly]:
    """The program for one command. A demo's systems are started for commands that read them."""
    path = locate(config, os.environ)
    with assemble(path, os.environ) as assembly:
        if with_systems and assembly.settings.now is not None:
            from collector.demo import systems, watched  # here, as all that only some commands need

            with systems.serve(path.parent):
                watched.replay(assembly.watch, path.parent, assembly.settings.now)
                yield assembly
        else:
            yield assembly


def _print_json(value: Any) -> None:
    _print_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def _print_text(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()  # here, where a reader that has gone away (`| head`) is no traceback


def _print(parts: Iterable[RenderableType]) -> None:
    """Print text and tables: wrapped at a terminal, else whole and without blanks at the ends of lines."""
    for part in parts:
        if sys.stdout.isatty():
            out.print(part, crop=False)
            continue
        with out.capture() as captured:
            out.print(part, crop=False)
        _print_text("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _say(text: str, style: str = "yellow") -> None:
    """Say something beside the results, on standard error."""
    err.print(escape(text), style=style, soft_wrap=True)


def _version(value: bool) -> None:
    if value:
        out.print(f"collector {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Measures how far the agencies of a province use IT, from counted records."""


@app.command(name="init")
def init_command(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Write a commented configuration to start from."""
    for path in init.write(folder):
        out.print(escape(str(path)), soft_wrap=True)
    file = escape(str(folder / "collector.yaml"))
    out.print(f"Next: edit {file}, then `collector check --config {file}`", soft_wrap=True)


@app.command(name="check")
def check_command(
    names: Sources = None,
    live: Annotated[bool, typer.Option("--live", help="Try each source too, stage by stage.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the effective configuration, secrets masked.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check the configuration, and with --live the sources.

    Nothing is written anywhere at a source.
    """
    path = locate(config, os.environ)
    if show:
        _print_text(masked(load(path, find_connector, os.environ)))
        return
    with _opened(config, with_systems=live) as assembly:
        assembly.model()
        chosen = _chosen(assembly, names)
        found = [
            (source.name, one)
            for source in (chosen if live else ())
            for one in (*check.live(assembly.job(source), assembly.clock), *_answering(assembly, source))
        ]
        doubts = assembly.doubts()
        if as_json:
            findings = [json_shapes.finding(source, one) for source, one in found]
            sources = list(assembly.settings.sources)
            _print_json({"configuration": str(path), "sources": sources, "doubts": doubts, "findings": findings})
        else:
            many = _many(len(assembly.settings.sources), "source"), _many(len(assembly.register.agencies), "agency")
            good = f"{path}: the configuration is good ({', '.join(many)})"
            doubted = [f"[yellow]{escape(one)}[/]" for one in doubts]
            _print([escape(good), *doubted, *terminal.findings(found, out.width)])
    if any(one.result == "failed" for _, one in found):
        raise typer.Exit(SOURCE_FAILED)
    if doubts:
        raise typer.Exit(FINDINGS)


def _answering(assembly: Assembly, source: Source) -> Iterator[Finding]:
    """Ask what the daemon asks on its plan; not of a sample province, whose clock stands still."""
    if (probe := source.probe) is not None and assembly.settings.now is None:
        target = asked(source, probe)
        yield check.answering(str(target), target.answers, probe.within, probe.every)


def _many(count: int, what: str) -> str:
    plural = f"{what.removesuffix('y')}ies" if what.endswith("y") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"


@app.command(name="collect")
def collect_command(
    names: Sources = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day to read again.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day to read again: 2026-02-28.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Read only this agency's records.")] = None,
    only_gaps: Annotated[bool, typer.Option("--only-gaps", help="Read only days that are not covered.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which figures would change; keep nothing.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit 3 if another run of a source is under way.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read sources now.

    Reads what changed since the last run, or with --from and --to some days again. A source that fails does not keep
    the others from being read. Ctrl-C ends it; what was read until then is kept.
    """
    with _opened(config, with_systems=True) as assembly:
        sources = _chosen(assembly, names)
        wanted = Wanted(_day(first, "--from"), _day(last, "--to"))
        known = agency and _known_agency(assembly, agency)
        if dry_run:
            outcomes = _rehearse(assembly, sources, wanted, known, only_gaps=only_gaps, as_json=as_json)
        else:
            outcomes = _collect(assembly, assembly.tools, sources, wanted, known, only_gaps=only_gaps, wait=not no_wait)
        if as_json:
            _print_json([json_shapes.outcome(one) for one in outcomes])
        elif not dry_run:
            _print(terminal.collected(outcomes, out.width))
    if any(one.failure for one in outcomes):
        raise typer.Exit(SOURCE_FAILED)


def _chosen(assembly: Assembly, names: Sequence[str] | None) -> list[Source]:
    known = assembly.settings.sources
    for name in names or ():
        if name not in known:
            raise WrongUse(f"there is no source {name}", mend=f"The configuration has {', '.join(known)}")
    return [known[name] for name in names or known]


def _day(text: str | None, option: str) -> int | None:
    try:
        return None if text is None else parse_day(text)
    except ValueError as error:
        raise WrongUse(str(error), field=option) from None


def _periods(texts: Iterable[str]) -> list[Period]:
    try:
        return [parse_period(text) for text in texts]
    except ValueError as error:
        raise WrongUse(str(error)) from None


def _period(text: str) -> Period:
    return _periods([text])[0]


def _collect(
    assembly: Assembly,
    tools: Tools,
    sources: Sequence[Source],
    wanted: Wanted,
    agency: str | None,
    *,
    only_gaps: bool = False,
    wait: bool = True,
) -> list[Outcome]:
    """Read some sources, one after the other; one that fails does not keep the others from being read."""
    outcomes: list[Outcome] = []
    refused: list[WrongUse] = []
    with _progress() as progress:
        for source in sources:
            job = assembly.job(source)
            codes = agency and collecting.agencies_as_written(assembly.register, source.name, agency)
            asked = replace(wanted, agencies=codes or None)
            task = progress.add_task(source.name, total=None, told="")
            for days in _stretches(tools, job, asked, assembly.clock()) if only_gaps else [asked]:
                try:
                    outcome = collecting.collect(
                        job, tools, days, wait=wait, says=_say, progress=_shown(progress, task)
                    )
                except TryAgain as error:  # another run is under way
                    outcome = Outcome(source.name, assembly.clock(), Saved(), error)
                except KeyboardInterrupt:
                    _say(f"{source.name}: stopped; what was read until then is kept, the next run goes on from there")
                    raise
                except WrongUse as error:  # its days are others than those asked for
                    refused.append(error)
                    continue
                except Exception as error:  # a bug in one connector must not keep the others from being read
                    log.exception("%s: a bug in this program", source.name)
                    outcome = Outcome(source.name, assembly.clock(), Saved(), Bug(error, source.name))
                outcomes.append(outcome)
                if outcome.failure:
                    _say(str(outcome.failure), style="red")
                    break
            progress.update(task, total=1, completed=1)
    if refused and not outcomes:
        raise refused[0]
    for one in refused:
        _say(str(one))
    return outcomes


def _stretches(tools: Tools, job: collecting.Job, wanted: Wanted, now: int) -> list[Wanted]:
    """The days that are not covered, as far as they were asked for."""
    return [
        replace(wanted, first_day=max(first, wanted.first_day or first), last_day=min(last, wanted.last_day or last))
        for first, last in collecting.uncovered(tools.engine, job, now)
        if (wanted.first_day or first) <= last and first <= (wanted.last_day or last)
    ]


def _shown(progress: Progress, task: TaskID) -> Callable[[Saved], None]:
    def show(saved: Saved) -> None:
        changed = saved.inserted + saved.updated
        progress.update(task, told=f"{saved.read:,} records, {changed:,} new or changed")

    return show


def _rehearse(
    assembly: Assembly, sources: Sequence[Source], wanted: Wanted, agency: str | None, *, only_gaps: bool, as_json: bool
) -> list[Outcome]:
    """Collect on a copy of the store and show which readings would differ."""
    periods = _usual_periods(assembly)
    before = _take(assembly, periods)
    with rehearsal(assembly.engine) as engine:
        copy = replace(assembly, engine=engine)
        outcomes = _collect(copy, copy.tools, sources, wanted, agency, only_gaps=only_gaps)
        after = _take(copy, periods)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    if not as_json:
        _print(terminal.collected(outcomes, out.width))
        _print(["", *terminal.differences(changed, _names(assembly), out.width)])
        _print([f"{len(changed):,} of {_many(len(after), 'reading')} would differ; nothing was kept"])
    return outcomes


@app.command(name="reconcile")
def reconcile_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Names of sources; all that can list what they have if none is given."),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day to compare.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day to compare: 2026-02-28.")] = None,
    allow_vanished: Annotated[
        bool, typer.Option("--allow-vanished", help="However many records are gone, they are really gone.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what differs; keep nothing.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit 3 if another run of a source is under way.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Compare sources with the store, and mend the store.

    Records that vanished count no more, those that were missed or changed in silence are read. Exit code 1 if anything
    differed.
    """
    with _opened(config, with_systems=True) as assembly:
        chosen = [one for one in _chosen(assembly, names) if names or reconciling.offers_keys(assembly.job(one))]
        if not chosen:
            raise WrongUse("no source can list what it has", mend="`collector collect --from DAY` reads days again")
        wanted = Wanted(_day(first, "--from"), _day(last, "--to"))
        with rehearsal(assembly.engine) if dry_run else nullcontext(assembly.engine) as engine:
            tools = replace(assembly, engine=engine).tools
            compared = [
                _reconcile(assembly, tools, source, wanted, wait=not no_wait, allow_vanished=allow_vanished)
                for source in chosen
            ]
        if as_json:
            _print_json([json_shapes.reconciled(one) for one in compared])
        else:
            _print(terminal.reconciled(compared, out.width))
            if dry_run:
                _print(["nothing was kept"])
    if any(one.failure for one in compared):
        raise typer.Exit(SOURCE_FAILED)
    if any(one.differing for one in compared):
        raise typer.Exit(FINDINGS)


def _reconcile(
    assembly: Assembly, tools: Tools, source: Source, wanted: Wanted, *, wait: bool, allow_vanished: bool
) -> Reconciled:
    """Compare one source; a failure is said and returned."""
    with _progress() as progress:
        shown = _shown(progress, progress.add_task(source.name, total=None, told=""))
        job = assembly.job(source)
        done = reconciling.reconcile(
            job, tools, wanted, wait=wait, says=_say, progress=shown, allow_vanished=allow_vanished
        )
    if done.failure:
        _say(str(done.failure), style="red")
    return done


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    return Progress(*columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal)


def _usual_periods(assembly: Assembly) -> list[Period]:
    """The last month and the current one."""
    current = month_of(local_day(assembly.clock()))
    return [month_of(plus_days(current.first, -1)), current]


def _take(
    assembly: Assembly,
    periods: Sequence[Period],
    scopes: Sequence[Scope] = ("agency",),
    indicators: Sequence[Indicator] | None = None,
) -> list[Reading]:
    indicators = assembly.indicators if indicators is None else indicators
    with reading_store(assembly.engine) as connection:
        return [
            one
            for period in periods
            for one in figures.take(connection, indicators, assembly.tallies, assembly.world(period), period, scopes)
        ]


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
    periods = _periods(period or ())
    scopes = _scopes(scope)
    if merged and scopes != ["agency"]:
        mend = "Leave one of them out: blocks and the province add up all agencies anyway"
        raise WrongUse("only figures of agencies can be merged", field="--scope", mend=mend)
    with _opened(config) as assembly:
        code = agency and _known_agency(assembly, agency)
        shown = assembly.chosen(indicator) if indicator else assembly.indicators
        wanted = periods or _usual_periods(assembly)
        last = max(one.last for one in wanted)  # of several periods, the same agencies in each
        found = []
        for one in wanted:
            taken = _take(assembly, [one], scopes, shown)
            found += assembly.merged(taken, last) if merged else taken
        if code:
            found = [one for one in found if one.scope != "agency" or one.agency == code]
        if as_json:
            _print_json([json_shapes.reading(one) for one in found])
        elif counts or code:
            _print(terminal.details(found, _names(assembly), out.width, by_agency=code is not None))
        else:
            _print(terminal.matrix(found, _names(assembly), shown, out.width))


_SCOPES: Mapping[str, Scope] = {"agency": "agency", "block": "block", "province": "province"}


def _scopes(texts: Sequence[str] | None) -> list[Scope]:
    texts = texts or ("agency",)
    for text in texts:
        if text not in _SCOPES:
            raise WrongUse(f"{text} is no scope", field="--scope", mend=f"Use {', '.join(_SCOPES)}")
    return list(dict.fromkeys(_SCOPES[text] for text in texts))


def _known_agency(assembly: Assembly, agency: str, day: int | None = None) -> str:
    """The code of an agency, given it or an old one of a day (today); WrongUse if the register has neither."""
    if agency in assembly.register.agencies:
        return agency
    code = assembly.register.resolve("", agency, day or local_day(assembly.clock()))
    if code is None:
        raise WrongUse(
            f"{agency} is not in the register of agencies", field="agency", mend="`collector agencies` lists the codes"
        )
    return code


def _names(assembly: Assembly) -> dict[str, str]:
    blocks = {block.id: block.title_vi for block in assembly.register.blocks.values()}
    agencies = {code: agency.name for code, agency in assembly.register.agencies.items()}
    return blocks | agencies | {assembly.settings.province.code: assembly.settings.province.name}


@app.command()
def rank(period: APeriod, merged: Merged = False, config: Config = None, as_json: AsJson = False) -> None:
    """Rank the agencies of each block.

    By the points that their figures earn. What is missing or partial leaves an interval. The change is that against
    the period before, where both ranks are settled.
    """
    wanted = _period(period)
    with _opened(config) as assembly:
        _show_ranking(assembly, wanted, merged=merged, as_json=as_json)


def _show_ranking(assembly: Assembly, period: Period, *, merged: bool = False, as_json: bool) -> None:
    taken, model = _take(assembly, [period]), assembly.model()
    scores = assembly.rank(assembly.merged(taken, period.last) if merged else taken, period, model)
    scores = assembly.changes(scores, _take(assembly, [period_before(period)]), period, model)
    if as_json:
        _print_json([json_shapes.score(one) for one in scores])
        return
    last = min(period.last, local_day(assembly.clock()))
    ranked = (assembly.register.agencies[one.agency] for one in scores)
    succeeded = [one for one in ranked if one.successor and one.end is not None and one.end < last]
    if succeeded and not merged:
        took = _many(len(succeeded), "agency")
        _say(f"{took} ended before {period} did: with --merged their figures are added to those of who took over")
    blocks = {block.id: block.title_vi for block in assembly.register.blocks.values()}
    _print(terminal.ranking(scores, _names(assembly), blocks, period.name, out.width))


@app.command(name="match")
def match_command(period: APeriod, config: Config = None, as_json: AsJson = False) -> None:
    """Match what agencies sent with what others got.

    By the ids of electronic documents, for each pair of agencies; ends with 1 if any list lacks one.
    """
    wanted = _period(period)
    with _opened(config) as assembly:
        with reading_store(assembly.engine) as connection:
            pairs = matching.match(connection, assembly.register, wanted)
        if as_json:
            _print_json([json_shapes.pair(one) for one in pairs])
        else:
            _print(terminal.matched(pairs, out.width))
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
    wanted = _period(period)
    with _opened(config, with_systems=True) as assembly:
        code = agency and _known_agency(assembly, agency)
        telling = [one for one in assembly.settings.sources.values() if _publishes(one)]
        if not telling:
            raise WrongUse(
                "no source publishes totals of its own", mend="See `report` and the like in a source's config"
            )
        declared = assembly.indicator(compare.INDICATORS[Dossier])
        readings = {
            record: {one.agency: one for one in _take(assembly, [wanted], indicators=[assembly.indicator(id_)])}
            for record, id_ in compare.INDICATORS.items()
        }
        found: list[compare.Comparison] = []
        failed = False
        for source in telling:
            try:
                reports = _reports(assembly, source, wanted)
            except CollectorError as error:
                _say(str(error), style="red")
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
            _print_json({"period": wanted.name} | comparison.document(found, rows=rows))
        else:
            _print(comparison.shown(found, _names(assembly), out.width, every=every, rows=rows))
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
    wanted = _period(period)
    with _opened(config) as assembly:
        code = agency and _known_agency(assembly, agency)
        readings, before = _take(assembly, [wanted]), _take(assembly, [period_before(wanted)])
        with reading_store(assembly.engine) as connection:
            found = flags.raised(
                connection, wanted, assembly.clock(), assembly.indicators, readings, before, code or None
            )
        if as_json:
            _print_json({"period": wanted.name, "flags": flagged.document(found, rows=rows)})
        else:
            by_agency = every and code is None
            _print(flagged.shown(found, _names(assembly), out.width, by_agency=by_agency, rows=rows))
    if found:
        raise typer.Exit(FINDINGS)


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
    wanted = _period(period)
    with _opened(config) as assembly:
        declared = assembly.indicator(indicator)
        code = _known_agency(assembly, agency, wanted.last)
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
            _print_json(json_shapes.explanation(explained))
        else:
            limit = None if rows else 20
            _print(terminal.explanation(explained, declared, _names(assembly)[code], limit, out.width))


@app.command()
def indicators(as_json: AsJson = False) -> None:
    """Show the catalogue of indicators.

    What is counted, what is a hit, and by which law.
    """
    found = find_indicators()
    if as_json:
        _print_json([json_shapes.indicator(one) for one in found])
    else:
        _print(part for one in found for part in terminal.declaration(one))


@app.command()
def agencies(config: Config = None, as_json: AsJson = False) -> None:
    """Show the register of agencies.

    Who is ranked, in which block, and which sources serve whom.
    """
    with _opened(config) as assembly:
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
            _print_json(found)
        else:
            _print(terminal.register(found, out.width))


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
        _say(f"{path} is written; once the year's decision is out, correct it and delete `provisional`")
    known = workdays.of_year(settings.workdays, wanted)
    days = workdays.calendar(settings.workdays, wanted, wanted)
    path = settings.workdays / f"{wanted}.yaml"
    file = path if path.exists() else None
    if as_json:
        _print_json(working_year.document(known, days, file))
    else:
        _print(working_year.shown(known, days, file, out.width))
    if not draft and any(one.provisional for one in days):
        raise typer.Exit(FINDINGS)


@app.command(name="status")
def status_command(
    bad: Annotated[bool, typer.Option("--bad", help="List the records that could not be used, and why.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of every source.

    Exit code 1 if the last run of one failed, its figures are stale, or it could not be compared with the store.
    """
    with _opened(config) as assembly:
        sources = assembly.settings.sources.values()
        with reading_store(assembly.engine) as connection:
            unusable = status.bad_records(connection, [source.name for source in sources]) if bad else []
            found = [
                status.of_source(
                    connection,
                    source.name,
                    source.connector,
                    offered(find_connector(source.connector), source.config),
                    source.since,
                    source.stale_after,
                    assembly.clock(),
                )
                for source in sources
            ]
        if as_json:
            _print_json(
                [json_shapes.source_status(one) for one in found] if not bad else [asdict(one) for one in unusable]
            )
        elif bad:
            _print(terminal.bad(unusable, out.width))
        else:
            _print(terminal.states(found, out.width))
    if bad:
        raise typer.Exit(FINDINGS if unusable else 0)
    if any(one.result not in ("done", "running") or one.stale or _uncompared(one) for one in found):
        raise typer.Exit(FINDINGS)


def _uncompared(one: status.SourceStatus) -> bool:
    return one.reconciliation is not None and one.reconciliation.result != "done"


@app.command(name="privacy")
def privacy_command(
    destroy: Annotated[
        str | None, typer.Option(metavar="MONTH", help="Destroy a month's key and records of mailboxes for ever.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, destroy it.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what is stored about whom.

    By month, and as a register of every field, for the official and an impact assessment. Exit code 1 if a month
    should have been destroyed: the daemon does it once a day.
    """
    month = None if destroy is None else _period(destroy)
    if month is not None and month.kind != "month":
        raise WrongUse(f"{destroy} is no month", field="--destroy", mend="Write it like 2026-02")
    with _opened(config) as assembly:
        keeper = assembly.keeper
        if month is not None:
            _destroy(keeper, month, yes=yes)
        with reading_store(assembly.engine) as connection:
            found = privacy.months(connection, keeper)
        overdue = privacy.due(found, assembly.clock())
        stored = privacy.register(assembly.indicators, keeper.appeal_days)
        if as_json:
            _print_json(json_shapes.privacy(found, stored, keeper.appeal_days))
        elif month is None:
            _print(terminal.privacy(found, overdue, stored, out.width))
        else:
            _print([f"{month} is destroyed; what was counted of it stays"])
    if overdue and month is None:
        raise typer.Exit(FINDINGS)


def _destroy(keeper: privacy.Keeper, month: Period, *, yes: bool) -> None:
    with reading_store(keeper.engine) as connection:
        one = next((one for one in privacy.months(connection, keeper) if one.month == month), None)
    if one is None:
        raise WrongUse(f"nothing of persons is stored of {month}", field="--destroy", mend="See `collector privacy`")
    if one.destroyed is not None:
        return
    privacy.may_be_destroyed(one, keeper.appeal_days, keeper.clock())
    if not yes:
        what = f"{_many(one.mailboxes, 'row')} of mailboxes and {_many(one.mailbox_days, 'row')} of their use"
        raise WrongUse(f"the key of {month}, {what} will be destroyed for ever", field="--destroy", mend="Add --yes")
    privacy.destroy(keeper, month, says=_say)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Listen here, not where the configuration says.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65_535, help="Listen here; 0 for any free one.")
    ] = None,
    config: Config = None,
) -> None:
    """Run the daemon.

    It reads each source on its interval and shows the figures, until told to stop (Ctrl-C or SIGTERM).
    """
    from collector import daemon  # here: its libraries would double the start of every other command

    with _opened(config, with_systems=True) as assembly:
        listen = assembly.settings.serve
        daemon.serve(assembly, host or listen.host, listen.port if port is None else port, says=_say)


@app.command(name="benchmark")
def benchmark_command(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Which; all if none is given.")] = None,
    full: Annotated[bool, typer.Option("--full", help="At the sizes for which something is promised.")] = False,
    rounds: Annotated[int | None, typer.Option(metavar="N", min=1, help="How often each is run [3; full: 5].")] = None,
    postgresql: Annotated[
        str, typer.Option(metavar="URL", help="A database for the register of documents: a table is made and dropped.")
    ] = "",
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where data is made for a while; --full needs 3 GB.")
    ] = None,
    of: Annotated[Path | None, typer.Option("--of", hidden=True, help="Do what standard input says.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast the program is on this machine.

    Beside others that do the same work, with data made on the spot. Exit code 1 if a promise does not hold; one that
    cannot be looked at here, because the other program is not installed, is told.
    """
    if of is not None:
        _do_in_turn(of)
        return
    from collector import benchmark  # as in `serve`

    for name in names or ():
        if name not in benchmark.BENCHMARKS:
            raise WrongUse(f"there is no benchmark {name}", mend=f"There are {', '.join(benchmark.BENCHMARKS)}")
    size = replace(benchmark.FULL if full else benchmark.SMALL, postgresql=postgresql)
    size = replace(size, rounds=rounds or size.rounds)
    found: list[Any] = []
    with tempfile.TemporaryDirectory(prefix="collector-benchmark-", dir=folder) as place:
        for name in names or benchmark.BENCHMARKS:
            with err.status(f"measuring: {name}"):
                found += benchmark.BENCHMARKS[name](Path(place) / name, size)
    if as_json:
        _print_json([asdict(one) for one in found])
    else:
        _print(terminal.measured([asdict(one) for one in found], out.width))
    if any(one.holds is False for one in found):
        raise typer.Exit(FINDINGS)


def _do_in_turn(config: Path) -> None:
    """For `benchmark`: read or collect the sources that standard input names, in one process, and say how long each."""
    with _opened(config) as assembly:
        for line in sys.stdin:
            what, name = line.split()
            job = assembly.job(assembly.settings.sources[name])
            begin = time.monotonic()
            rows = collecting.read_only(job, assembly.tools) if what == "read" else _collected(assembly, job)
            _print_text(json.dumps({"seconds": time.monotonic() - begin, "rows": rows}) + "\n")


def _collected(assembly: Assembly, job: collecting.Job) -> int:
    outcome = collecting.collect(job, assembly.tools, Wanted(), wait=True, says=_say, progress=lambda _saved: None)
    if outcome.failure:
        raise outcome.failure
    return outcome.saved.read


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
    from collector.demo import province, systems, truth

    with tempfile.TemporaryDirectory(prefix="collector-demo-") as temporary:
        place = folder or Path(temporary)
        _make_empty(place)
        with err.status("making the sample province") as spinner:
            ledger = province.make(agencies, days, seed)
            ledger.write(place / "ledger.json")
            systems.write(ledger, place, lambda name: spinner.update(f"writing its systems: {name}"))
            systems.write_configuration(ledger, place, init.samples())
            spinner.update("counting the truth from its ledger")
            truth.write(ledger, place / "truth.json")
        with _opened(place / "collector.yaml", with_systems=True) as assembly:
            outcomes = _collect(assembly, assembly.tools, _chosen(assembly, None), Wanted(), None)
            months = _months(ledger.first_day, ledger.last_day)
            if as_json:
                _print_json([json_shapes.reading(one) for one in _take(assembly, months)])
            else:
                _print([*terminal.collected(outcomes, out.width), ""])
                _show_ranking(assembly, months[-1], as_json=False)
                for line in _next_steps(place, ledger.agencies[0].code, months[-1], kept=folder is not None):
                    out.print(escape(line), soft_wrap=True)
            if any(one.failure for one in outcomes):
                raise typer.Exit(SOURCE_FAILED)
            if not once:
                from collector import daemon  # as in `serve`

                daemon.serve(assembly, assembly.settings.serve.host, port or 0, says=_say, just_read=True)


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
