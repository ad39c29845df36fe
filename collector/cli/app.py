"""The command line itself: its name, its options, its exit codes, and how it ends."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from collector import __version__, traces
from collector.assembly import Assembly, assemble
from collector.cli.printing import WIDE, out, say
from collector.contract.errors import CollectorError, WrongUse
from collector.settings import locate

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

FINDINGS, WRONG_USE, SOURCE_FAILED = 1, 2, 3

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
Open = Annotated[bool, typer.Option("--open", help="What a sealed period would be now, instead of its edition.")]


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
        say(str(error), style="red")
        sys.exit(WRONG_USE)
    except CollectorError as error:
        say(str(error), style="red")
        sys.exit(SOURCE_FAILED)
    finally:
        sys.excepthook = traces.uncaught  # typer has put its own there


@contextmanager
def opened(config: Path | None, *, with_systems: bool = False) -> Iterator[Assembly]:
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
