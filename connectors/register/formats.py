"""How a source writes its times, as an operator tells it: `dd/MM/yyyy HH:mm:ss`, or a number of the epoch; its zone."""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

EPOCHS: Mapping[str, int] = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}
"""Formats of numbers, and how many of them make a second."""

# From coarse to fine: a text that begins with the coarsest part sorts as time goes.
_PARTS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PART = re.compile(rf"{'|'.join(_PARTS)}|[A-Za-z]+|%")


def strptime_format(pattern: str) -> str:
    """Return `dd/MM/yyyy HH:mm:ss` as Python's `%d/%m/%Y %H:%M:%S`; ValueError, in words, for other letters."""

    def part(found: re.Match[str]) -> str:
        if found[0] not in _PARTS:
            raise ValueError(f"{found[0]!r} in the format {pattern!r} is none of {', '.join(_PARTS)}")
        return _PARTS[found[0]]

    made = _PART.sub(part, pattern)
    if not all(sign in made for sign in ("%Y", "%m", "%d")):
        raise ValueError(f"the format {pattern!r} needs yyyy, MM and dd, or is one of {', '.join(EPOCHS)}")
    return made


def known_zone(name: str) -> str:
    """Return the name of a time zone; ValueError, in words, if nobody knows it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write it like Asia/Ho_Chi_Minh") from None
    return name


def sorts_as_time_goes(pattern: str) -> bool:
    """Tell whether values of a format are in the order of time when they are sorted as text (or as numbers)."""
    if pattern in EPOCHS:
        return True
    signs = re.findall(r"%[A-Za-z]", strptime_format(pattern))
    return signs == list(_PARTS.values())[: len(signs)]
