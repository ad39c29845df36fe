"""What edXML messages and the trunk's lists write: times, days, flags and document ids.

Times have no offset and are meant on the local clock of Vietnam. Two orders are met (facts: standards 1.1):
`yyyy/MM/dd HH:mm:ss` in the standard's sample and `dd/MM/yyyy HH:mm:ss` in one vendor's trace headers; the trunk's
lists write `yyyy-MM-dd HH:mm:ss`.
"""

import re
from datetime import date

from collector.contract.period import as_day, day_start

_TIME = re.compile(
    r"(?:(?P<y>\d{4})(?P<s>[/-])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})|(?P<d2>\d{1,2})/(?P<m2>\d{1,2})/(?P<y2>\d{4}))"
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d{1,9})?)?)?",
    re.ASCII,
)
_EARLIEST, _LATEST = 1990, 2100
_LONGEST_ID = 200
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202f\ufeff\ud800-\udfff]")


def day_of(text: str) -> int:
    """Return the local day (`yyyymmdd`) that a date or time names; ValueError, in words, if it names none."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError("is no date like 2026/01/31 or 31/01/2026")
    year, month, day = (int(found[name] or found[f"{name}2"]) for name in ("y", "m", "d"))
    if not _EARLIEST <= year <= _LATEST:
        raise ValueError("is no date of our time")
    try:
        return as_day(date(year, month, day))
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def instant_of(text: str) -> int:
    """Return a local time as epoch seconds UTC, a date alone as its first moment; ValueError, in words, if none."""
    day = day_of(text)
    found = _TIME.fullmatch(text.strip())
    assert found is not None
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("is no time of the day")
    return day_start(day) + hour * 3600 + minute * 60 + min(second, 59)


def id_of(text: str) -> str:
    """Return a document id, outer spaces cut; ValueError, in words, if it is none.

    A UUID, or `organ code,yyyy/MM/dd,number/notation`. The spaces that some systems put after its commas are cut, so
    that both sides write one document alike.
    """
    told = ",".join(part.strip() for part in text.strip().split(","))
    if not told.strip(","):
        raise ValueError("is empty")
    if len(told) > _LONGEST_ID or _UNSEEN.search(told):
        raise ValueError("is no document id")
    return told


def code_of(text: str) -> str:
    """Return an organ code as written, outer spaces cut; ValueError, in words, if it is none."""
    told = text.strip()
    if not told:
        raise ValueError("is empty")
    if len(told) > 60 or _UNSEEN.search(told) or "|" in told:
        raise ValueError("is no organ code")
    return told


def day_in_id(document_id: str) -> int | None:
    """Return the day of issue that a three-part document id names; None if it names none."""
    parts = document_id.split(",")
    try:
        return day_of(parts[1]) if len(parts) >= 3 else None
    except ValueError:
        return None


def flag_of(text: str | None) -> int | None:
    """Return 0 or 1; None for anything else."""
    return {"0": 0, "1": 1, "false": 0, "true": 1}.get((text or "").strip().lower())
