"""How fast a mail log is read, beside pflogsumm, and how much memory that takes.

    python -m tests.benchmarks.mail_log --lines 2000000

Whole processes, one after the other and interleaved, so that a busy machine is busy for both: an interpreter that
reads the log through the connector down to the rows that would be saved, and pflogsumm with its report thrown away.
The figures are medians of rounds; ratios are taken round by round. Seconds of a shared machine are no figures of this
program, ratios are. Prints a JSON array of {name, value, unit, peer, target, holds}; `holds` null: nothing is promised.
"""

import argparse
import fnmatch
import hmac
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from collector.contract.connector import Want
from collector.contract.door import FileEntry
from collector.contract.records import MailboxDay, columns
from connectors.email import mail_log
from tests.benchmarks.mail_log_lines import FIRST, LINES_A_DAY, lines

BEGAN = int(FIRST.timestamp()) + 90 * 86_400
COUNTS = ("sessions", "sent", "sent_outside", "sent_free")


class Folder:
    """A folder with one log, read as the folder transport reads it."""

    source, began = "mail", BEGAN

    def __init__(self, path: Path) -> None:
        self.path = path

    def pseudonym(self, address: str, day: int) -> str:
        return hmac.digest(b"benchmark %d" % (day // 100), address.encode(), "sha256").hex()[:32]

    def list(self, pattern: str) -> Sequence[FileEntry]:
        return [
            FileEntry(path.name, path.stat().st_size, int(path.stat().st_mtime))
            for path in sorted(self.path.iterdir())
            if fnmatch.fnmatchcase(path.name, pattern)
        ]

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        with (self.path / name).open("rb", buffering=0) as file:
            file.seek(start)
            while start < end and (block := file.read(min(1 << 20, end - start))):
                start += len(block)
                yield block


def read(path: Path) -> dict[str, int]:
    """Read the log in a folder; return how often each thing was counted, and the peak memory so far in KiB."""
    places = [columns(MailboxDay).index(name) for name in COUNTS]
    sums = [0] * len(places)
    rows = 0
    for batch in mail_log.fetch(mail_log.Config(), Folder(path), Want(None, 20251101, 20251101, 20260131)):
        for row in batch.rows.get(MailboxDay, ()):
            rows += 1
            for number, place in enumerate(places):
                sums[number] += row[place]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return dict(zip(COUNTS, sums, strict=True)) | {"rows": rows, "peak": peak}


def write(path: Path, count: int) -> None:
    """Write a log of so many lines, and date it by its last one."""
    made = lines(count)
    with (path / "mail.log").open("w", encoding="ascii") as file:
        while some := "".join(islice(made, 10_000)):
            file.write(some)
    last = int(FIRST.timestamp()) + (count // LINES_A_DAY + 1) * 86_400
    os.utime(path / "mail.log", (last, last))


def _timed(command: Sequence[str]) -> tuple[float, bytes]:
    begin = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return time.monotonic() - begin, done.stdout


def measure(folder: Path, count: int, rounds: int, *, peer: bool) -> list[dict[str, Any]]:
    """Write the logs, run the processes and return the figures."""
    whole, fifth = folder / "whole", folder / "fifth"
    for path, length in ((whole, count), (fifth, count // 5)):
        path.mkdir()
        write(path, length)
    ours: list[float] = []
    theirs: list[float] = []
    told: dict[str, int] = {}
    itself = [sys.executable, "-m", "tests.benchmarks.mail_log", "--read"]
    for _ in range(rounds):
        if peer:
            theirs.append(_timed(["pflogsumm", str(whole / "mail.log")])[0])
        seconds, answer = _timed([*itself, str(whole)])
        ours.append(seconds)
        told = json.loads(answer)
    small = json.loads(_timed([*itself, str(fifth)])[1])

    def figure(
        name: str, value: float, unit: str, target: float | None = None, *, most: bool = False
    ) -> dict[str, Any]:
        holds = None if target is None else value <= target if most else value >= target
        return {"name": name, "value": value, "unit": unit, "peer": "pflogsumm", "target": target, "holds": holds}

    figures = [figure("lines per second", round(count / median(ours)), "1/s")]
    if peer:
        figures += [
            figure("lines per second of pflogsumm", round(count / median(theirs)), "1/s"),
            figure("times pflogsumm", round(median(b / a for a, b in zip(ours, theirs, strict=True)), 2), "x", 6),
        ]
    figures += [
        figure("peak memory", round(told["peak"] / 1024, 1), "MiB"),
        figure("peak memory against a fifth of the log", round(told["peak"] / small["peak"], 3), "x", 1.15, most=True),
    ]
    return figures + [figure(name, told[name], "1") for name in COUNTS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-peer", action="store_true", help="measure without pflogsumm")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.read:
        sys.stdout.write(json.dumps(read(chosen.read)))
        return 0
    if not chosen.no_peer and shutil.which("pflogsumm") is None:
        parser.error("pflogsumm is not installed: make servers, or --no-peer")
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), chosen.lines, chosen.rounds, peer=not chosen.no_peer)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return int(any(figure["holds"] is False for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
