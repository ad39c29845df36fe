"""`init` and `check`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from collector import check, init
from collector.assembly import Assembly, asked, find_connector
from collector.cli.app import FINDINGS, SOURCE_FAILED, AsJson, Config, Sources, app, opened
from collector.cli.asked import chosen_sources
from collector.cli.printing import display, many, out, print_json, print_text
from collector.clock import system_clock
from collector.contract.connector import Finding
from collector.settings import load, locate, masked
from collector.settings.shape import Source
from collector.sinks import delivery, json_shapes, terminal


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
    live: Annotated[bool, typer.Option("--live", help="Try each source and receiver too, stage by stage.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print the effective configuration, secrets masked.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check the configuration, with --live all that it names.

    Nothing is written anywhere at a source, and a receiver is told nothing.
    """
    path = locate(config, os.environ)
    if show:
        print_text(masked(load(path, find_connector, os.environ)))
        return
    with opened(config, with_systems=live) as assembly:
        assembly.model()
        receivers = [one for name, one in assembly.settings.receivers.items() if not names or name in names]
        others = [name for name in names or () if name not in assembly.settings.receivers]
        chosen = chosen_sources(assembly, others) if others or not names else []
        found = [
            (source.name, one)
            for source in (chosen if live else ())
            for one in (*check.live(assembly.job(source), assembly.clock), *_answering(assembly, source))
        ]
        found += [
            (receiver.name, one)
            for receiver in (receivers if live else ())
            for one in delivery.live(receiver, system_clock)
        ]
        doubts = assembly.doubts()
        if as_json:
            findings = [json_shapes.finding(source, one) for source, one in found]
            sources = list(assembly.settings.sources)
            print_json({"configuration": str(path), "sources": sources, "doubts": doubts, "findings": findings})
        else:
            served = many(len(assembly.settings.sources), "source"), many(len(assembly.register.agencies), "agency")
            good = f"{path}: the configuration is good ({', '.join(served)})"
            doubted = [f"[yellow]{escape(one)}[/]" for one in doubts]
            display([escape(good), *doubted, *terminal.findings(found, out.width)])
    if any(one.result == "failed" for _, one in found):
        raise typer.Exit(SOURCE_FAILED)
    if doubts:
        raise typer.Exit(FINDINGS)


def _answering(assembly: Assembly, source: Source) -> Iterator[Finding]:
    """Ask what the daemon asks on its plan; not of a sample province, whose clock stands still."""
    if (probe := source.probe) is not None and assembly.settings.now is None:
        target = asked(source, probe)
        yield check.answering(str(target), target.answers, probe.within, probe.every)
