"""How fast this program is on this machine, beside others that do the same work, with data made on the spot.

Whole processes, one after the other and interleaved, so that a busy machine is busy for all: figures are medians of
rounds, ratios are taken round by round. Seconds of a shared machine are no figures of a program, ratios are.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from collector.benchmark.measure import Figure, Size

# Each is loaded where it is called: what a process of one of them needs, the processes of the others must not pay for.


def _documents(place: Path, size: Size) -> Sequence[Figure]:
    from collector.benchmark import documents

    return documents.measure(place, size)


def _mail_log(place: Path, size: Size) -> Sequence[Figure]:
    from collector.benchmark import mail_log

    return mail_log.measure(place, size)


def _ssh(place: Path, size: Size) -> Sequence[Figure]:
    from collector.benchmark import ssh

    return ssh.measure(place, size)


def _start(place: Path, size: Size) -> Sequence[Figure]:
    from collector.benchmark import start

    return start.measure(place, size)


BENCHMARKS: Mapping[str, Callable[[Path, Size], Sequence[Figure]]] = {
    "documents": _documents,
    "mail_log": _mail_log,
    "ssh": _ssh,
    "start": _start,
}

SMALL = Size(lines=100_000, documents=20_000, megabytes=20, rounds=3)
FULL = Size(lines=2_000_000, documents=1_000_000, megabytes=150, rounds=5)
"""The sizes for which something is promised."""
