"""`benchmark`."""

import json
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from collector import collect as collecting
from collector.assembly import Assembly
from collector.cli.app import FINDINGS, AsJson, app, opened
from collector.cli.printing import display, err, out, print_json, print_text, say
from collector.collect import Wanted
from collector.contract.errors import WrongUse
from collector.sinks import terminal


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
        print_json([asdict(one) for one in found])
    else:
        display(terminal.measured([asdict(one) for one in found], out.width))
    if any(one.holds is False for one in found):
        raise typer.Exit(FINDINGS)


def _do_in_turn(config: Path) -> None:
    """For `benchmark`: read or collect the sources that standard input names, in one process, and say how long each."""
    with opened(config) as assembly:
        for line in sys.stdin:
            what, name = line.split()
            job = assembly.job(assembly.settings.sources[name])
            begin, used = time.monotonic(), time.process_time()
            rows = collecting.read_only(job, assembly.tools) if what == "read" else _collected(assembly, job)
            took = {"seconds": time.monotonic() - begin, "processors": time.process_time() - used}
            print_text(json.dumps(took | {"rows": rows}) + "\n")


def _collected(assembly: Assembly, job: collecting.Job) -> int:
    outcome = collecting.collect(job, assembly.tools, Wanted(), wait=True, says=say, progress=lambda _saved: None)
    if outcome.failure:
        raise outcome.failure
    return outcome.saved.read
