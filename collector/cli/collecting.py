"""`collect` and `reconcile`."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from collector import collect as collecting
from collector import reconcile as reconciling
from collector.assembly import Assembly, hours
from collector.cli.app import FINDINGS, SOURCE_FAILED, AsJson, Config, Sources, app, opened
from collector.cli.asked import chosen_sources, day_of, known_agency, names_of, take, usual_periods
from collector.cli.printing import display, err, many, out, print_json, say
from collector.collect import Bug, Outcome, Tools, Wanted
from collector.contract.errors import TryAgain, WrongUse
from collector.contract.period import rfc3339
from collector.reconcile import Reconciled
from collector.settings.shape import Source
from collector.sinks import json_shapes, terminal
from collector.store.rehearsal import rehearsal
from collector.store.save import Saved

log = logging.getLogger("collector")


@app.command(name="collect")
def collect_command(
    names: Sources = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day to read again.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day to read again: 2026-02-28.")] = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Read only this agency's records.")] = None,
    only_gaps: Annotated[bool, typer.Option("--only-gaps", help="Read only days that are not covered.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show which figures would change; keep nothing.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit 3 if another run of a source is under way.")] = False,
    any_time: Annotated[bool, typer.Option("--any-time", help="Also outside the hours of a source.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Read sources now.

    Reads what changed since the last run, or with --from and --to some days again. A source that fails, or may not be
    read at this hour, does not keep the others from being read. Ctrl-C ends it; what was read until then is kept.
    """
    with opened(config, with_systems=True) as assembly:
        sources = chosen_sources(assembly, names)
        wanted = Wanted(day_of(first, "--from"), day_of(last, "--to"))
        known = agency and known_agency(assembly, agency)
        if dry_run:
            outcomes = _rehearse(
                assembly, sources, wanted, known, only_gaps=only_gaps, any_time=any_time, as_json=as_json
            )
        else:
            outcomes = collect_all(
                assembly,
                assembly.tools,
                sources,
                wanted,
                known,
                only_gaps=only_gaps,
                wait=not no_wait,
                any_time=any_time,
            )
        if as_json:
            print_json([json_shapes.outcome(one) for one in outcomes])
        elif not dry_run:
            display(terminal.collected(outcomes, out.width))
    if any(one.failure for one in outcomes):
        raise typer.Exit(SOURCE_FAILED)


def collect_all(
    assembly: Assembly,
    tools: Tools,
    sources: Sequence[Source],
    wanted: Wanted,
    agency: str | None,
    *,
    only_gaps: bool = False,
    wait: bool = True,
    any_time: bool = False,
) -> list[Outcome]:
    """Read some sources, one after the other; one that fails does not keep the others from being read."""
    outcomes: list[Outcome] = []
    refused: list[WrongUse] = []
    with _progress() as progress:
        for source in sources:
            job = assembly.job(source, any_time=any_time)
            codes = agency and collecting.agencies_as_written(assembly.register, source.name, agency)
            asked = replace(wanted, agencies=codes or None)
            task = progress.add_task(source.name, total=None, told="")
            for days in _stretches(tools, job, asked, assembly.clock()) if only_gaps else [asked]:
                try:
                    if not any_time:
                        _may_be_read(source, assembly.clock())
                    outcome = collecting.collect(job, tools, days, wait=wait, says=say, progress=_shown(progress, task))
                except TryAgain as error:  # another run is under way, or it may not be read at this hour
                    outcome = Outcome(source.name, assembly.clock(), Saved(), error)
                except KeyboardInterrupt:
                    say(f"{source.name}: stopped; what was read until then is kept, the next run goes on from there")
                    raise
                except WrongUse as error:  # its days are others than those asked for
                    refused.append(error)
                    continue
                except Exception as error:  # a bug in one connector must not keep the others from being read
                    log.exception("%s: a bug in this program", source.name)
                    outcome = Outcome(source.name, assembly.clock(), Saved(), Bug(error, source.name))
                outcomes.append(outcome)
                if outcome.failure:
                    say(str(outcome.failure), style="red")
                    break
            progress.update(task, total=1, completed=1)
    if refused and not outcomes:
        raise refused[0]
    for one in refused:
        say(str(one))
    return outcomes


def _may_be_read(source: Source, now: int) -> None:
    """Raise TryAgain outside of a source's hours, and while it is maintained."""
    when = hours(source).next(now)
    if when > now:
        raise TryAgain(
            f"it may not be read before {rfc3339(when)}",
            source=source.name,
            stage="reach",
            field="hours",
            mend="Wait, or add --any-time if its operator allows it",
        )


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
    assembly: Assembly,
    sources: Sequence[Source],
    wanted: Wanted,
    agency: str | None,
    *,
    only_gaps: bool,
    any_time: bool,
    as_json: bool,
) -> list[Outcome]:
    """Collect on a copy of the store and show which readings would differ."""
    periods = usual_periods(assembly)
    before = take(assembly, periods)
    with rehearsal(assembly.engine) as engine:
        copy = replace(assembly, engine=engine)
        outcomes = collect_all(copy, copy.tools, sources, wanted, agency, only_gaps=only_gaps, any_time=any_time)
        after = take(copy, periods)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    if not as_json:
        display(terminal.collected(outcomes, out.width))
        display(["", *terminal.differences(changed, names_of(assembly), out.width)])
        display([f"{len(changed):,} of {many(len(after), 'reading')} would differ; nothing was kept"])
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
    any_time: Annotated[bool, typer.Option("--any-time", help="Also outside the hours of a source.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Compare sources with the store, and mend the store.

    Records that vanished count no more, those that were missed or changed in silence are read. Exit code 1 if anything
    differed.
    """
    with opened(config, with_systems=True) as assembly:
        chosen = [one for one in chosen_sources(assembly, names) if names or reconciling.offers_keys(assembly.job(one))]
        if not chosen:
            raise WrongUse("no source can list what it has", mend="`collector collect --from DAY` reads days again")
        for one in () if any_time else chosen:
            _may_be_read(one, assembly.clock())
        wanted = Wanted(day_of(first, "--from"), day_of(last, "--to"))
        with rehearsal(assembly.engine) if dry_run else nullcontext(assembly.engine) as engine:
            tools = replace(assembly, engine=engine).tools
            compared = [
                _reconcile(
                    assembly.job(source, any_time=any_time),
                    tools,
                    wanted,
                    wait=not no_wait,
                    allow_vanished=allow_vanished,
                )
                for source in chosen
            ]
        if as_json:
            print_json([json_shapes.reconciled(one) for one in compared])
        else:
            display(terminal.reconciled(compared, out.width))
            if dry_run:
                display(["nothing was kept"])
    if any(one.failure for one in compared):
        raise typer.Exit(SOURCE_FAILED)
    if any(one.differing for one in compared):
        raise typer.Exit(FINDINGS)


def _reconcile(job: collecting.Job, tools: Tools, wanted: Wanted, *, wait: bool, allow_vanished: bool) -> Reconciled:
    """Compare one source; a failure is said and returned."""
    with _progress() as progress:
        shown = _shown(progress, progress.add_task(job.source, total=None, told=""))
        done = reconciling.reconcile(
            job, tools, wanted, wait=wait, says=say, progress=shown, allow_vanished=allow_vanished
        )
    if done.failure:
        say(str(done.failure), style="red")
    return done


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    return Progress(*columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal)
