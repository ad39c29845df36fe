"""How fast this program is on this machine, beside others that do the same work, with data made on the spot.

Whole processes, one after the other and interleaved, so that a busy machine is busy for all: figures are medians of
rounds, ratios are taken round by round. Seconds of a shared machine are no figures of a program, ratios are.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from collector.benchmark.measure import Figure, Size


def _of(name: str) -> Callable[[Path, Size], Sequence[Figure]]:
    def measure(place: Path, size: Size) -> Sequence[Figure]:
        # Loaded here: what a process of one of them needs, the processes of the others must not pay for.
        figures: Sequence[Figure] = import_module(f"collector.benchmark.{name}").measure(place, size)
        return figures

    return measure


BENCHMARKS: Mapping[str, Callable[[Path, Size], Sequence[Figure]]] = {
    name: _of(name) for name in ("documents", "mail_log", "ssh", "start")
}

SMALL = Size(lines=100_000, documents=20_000, megabytes=20, rounds=3)
FULL = Size(lines=2_000_000, documents=1_000_000, megabytes=150, rounds=5)
"""The sizes for which something is promised."""
