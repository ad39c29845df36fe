"""The command line as an operator has it: another process, its two streams kept apart."""

import json
import os
import pty
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COLLECTOR = (sys.executable, "-c", "from collector.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended, and all that it said."""

    code: int
    out: bytes
    err: bytes

    @property
    def json(self) -> list[dict[str, Any]]:
        """What stands on stdout: one JSON array and nothing else."""
        found = json.loads(self.out)
        assert isinstance(found, list)
        return found


def collector(*arguments: object) -> Ended:
    """Run `collector ...` to its end."""
    ended = subprocess.run([*_COLLECTOR, *map(str, arguments)], capture_output=True, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def collector_at_a_terminal(*arguments: object) -> Ended:
    """Run `collector ... > file` to its end: stderr is a terminal, so that progress is shown there."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def watch() -> None:
        while True:
            try:
                some = os.read(ours, 65_536)
            except OSError:  # so a terminal says that nobody writes to it any more
                return
            if not some:
                return
            shown.extend(some)

    watching = threading.Thread(target=watch)
    try:
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
        command = [*_COLLECTOR, *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
            os.close(theirs)
            watching.start()
            out, _ = process.communicate()
            watching.join()
    finally:
        os.close(ours)
    return Ended(process.returncode, out, bytes(shown))


def readings_of(configuration: Path, *months: str) -> list[dict[str, Any]]:
    """The figures as `collector readings --open --json` prints them: as they are now, also of what is sealed."""
    ended = collector(
        "readings", "--open", "--json", "--config", configuration, *(f"--period={month}" for month in months)
    )
    assert ended.code == 0, ended.err.decode()
    return ended.json
