"""Runs of a source that is called a-source."""

from collector.transports import Run

BEGAN = 1_772_326_800  # 2026-03-01 08:00 +07:00


def _no_pseudonym(address: str, day: int) -> str:
    return f"pseudonym of {len(address)} letters on {day}"


def make_run(deadline: float = 60.0, requests_per_minute: int = 600) -> Run:
    return Run("a-source", BEGAN, deadline, requests_per_minute, _no_pseudonym)
