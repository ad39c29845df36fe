"""How fast this program is on this machine, beside others that do the same work, with data made on the spot.

Whole processes, one after the other and interleaved, so that a busy machine is busy for all: figures are medians of
rounds, ratios are taken round by round. Seconds of a shared machine are no figures of a program, ratios are.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from collector.benchmark import documents, mail_log, ssh, start
from collector.benchmark.measure import Figure, Size

BENCHMARKS: Mapping[str, Callable[[Path, Size], Sequence[Figure]]] = {
    "documents": documents.measure,
    "mail_log": mail_log.measure,
    "ssh": ssh.measure,
    "start": start.measure,
}

SMALL = Size(lines=100_000, documents=20_000, megabytes=20, rounds=3)
FULL = Size(lines=2_000_000, documents=1_000_000, megabytes=150, rounds=5)
"""The sizes for which something is promised."""
