"""`serve`."""

import os
from typing import Annotated

import typer

from collector.assembly import assemble
from collector.cli.app import Config, app, opened
from collector.cli.printing import say


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

    It reads each source on its interval and shows the figures, until told to stop (Ctrl-C or SIGTERM). SIGHUP makes it
    read its settings again; if they are wrong it says so and goes on with the old ones.
    """
    from collector import daemon  # here: its libraries would double the start of every other command

    with opened(config, with_systems=True) as assembly:
        listen = assembly.settings.serve
        path = assembly.settings.path
        daemon.serve(
            assembly,
            host or listen.host,
            listen.port if port is None else port,
            says=say,
            reopen=lambda: assemble(path, os.environ),
        )
