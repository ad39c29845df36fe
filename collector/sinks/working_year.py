"""A year's working days, for people (terminal) and for programs (JSON)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from collector.contract.period import as_date, iso
from collector.sinks.columns import Column, table
from collector.workdays import Workday, Year

_COLUMNS = (Column("day"), Column("weekday"), Column("what"), Column("name", "prose"))


def document(one: Year, days: Iterable[Workday], file: Path | None) -> dict[str, Any]:
    """Return what differs from Monday to Friday, and how many days are worked. `file` None: there is none yet."""
    return {
        "year": one.year,
        "file": None if file is None else str(file),
        "source": one.source,
        "provisional": one.provisional,
        "working_days": sum(day.is_working for day in days),
        "days_off": [_day(one, day, name) for day, name in one.off.items()],
        "worked": [_day(one, day, name) for day, name in one.worked.items()],
    }


def _day(one: Year, day: int, name: str) -> dict[str, Any]:
    return {"day": iso(day), "name": name, "provisional": one.provisional or day in one.unsure}


def shown(one: Year, days: Iterable[Workday], file: Path | None, width: int) -> list[RenderableType]:
    """Return the days off that are no Saturday or Sunday, and those that are worked all the same."""
    listed = {day: ("off", name) for day, name in one.off.items()}
    listed |= {day: ("worked", name) for day, name in one.worked.items()}
    rows = [
        [
            iso(day),
            f"{as_date(day):%A}",
            what + (" [yellow]not decided[/]" if one.provisional or day in one.unsure else ""),
            escape(name),
        ]
        for day, (what, name) in sorted(listed.items())
    ]
    worked = sum(day.is_working for day in days)
    draft = "[yellow], a draft[/]" if one.provisional else ""
    return [
        f"[bold]{one.year}[/]{draft}: {worked} working days",
        table(_COLUMNS, rows, width),
        escape(f"{'no file yet' if file is None else file}: {one.source}"),
    ]
