"""The command line: a module for each topic. Exit codes: 0 done, 1 findings, 2 wrong use, 3 a source failed."""

from collector.cli.app import main

# In the order in which `collector --help` lists the commands.
# isort: off
from collector.cli import configuring, collecting, figures, editions, reporting, comparing, catalogue  # noqa: F401
from collector.cli import auditing, delivery, state, serving, measuring, sample  # noqa: F401
# isort: on

__all__ = ["main"]
