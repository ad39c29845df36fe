"""How long the shortest commands take: what every command pays before it does anything."""

from pathlib import Path
from statistics import median

from collector.benchmark.measure import Figure, Size, configuration, program, spent

_SOURCE = """  mail:
    connector: email.mail_log
    door: {kind: folder, path: .}
    from: 2025-11-01
    serves: all
"""


def measure(place: Path, size: Size) -> list[Figure]:
    """Measure `--help`, and `agencies`, which opens configuration and store."""
    path = configuration(place, _SOURCE, [("H44.001", "a")])
    figures = []
    for name, command in (("help", ["--help"]), ("store", ["agencies", "--config", str(path)])):
        spent(program(*command))
        runs = [spent(program(*command)) for _ in range(size.rounds)]
        figures.append(Figure(f"start.{name}", round(median(one.processors for one in runs), 3), "s of processor"))
        figures.append(Figure(f"start.{name}.peak_memory", round(median(one.peak for one in runs), 1), "MiB"))
    return figures
