"""One item of OpenCPS' list of dossiers, as JSON (facts: source-systems 1.2).

Only the fields named here are ever looked at: an item also holds who filed it and how to reach them. A fault is told by
key, field and reason, without any of the content. The sentences about deadlines (dossierOverdue and the like) are for
people and in their language; they are never read.

Times are `dd/MM/yyyy HH:mm:ss` on the local clock (rendered in Asia/Ho_Chi_Minh whatever the server's zone), "" unset.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from collector.contract.period import day_start
from connectors.onestop.national_format import Fault, Unusable
from connectors.onestop.opencps_dossier import Seen, allowed_of

EXPECTED = (
    "dossierId",
    "groupId",
    "govAgencyCode",
    "serviceCode",
    "dossierStatus",
    "online",
    "modifiedDate",
    "receiveDate",
    "dueDate",
    "releaseDate",
    "finishDate",
)
"""Fields that every item names, be they empty; where none does, OpenCPS has changed.

`lockState` is not among them: a site that never pauses may well leave it out.
"""

_NATIONAL_CODE = re.compile(r"(\d\.\d{6})(\.|$)")
_LONGEST_TEXT = 200
_YEARS = range(1990, 2101)
_A_DAY = 86_400


def read_item(item: Any, group_id: int, began: int) -> Seen:
    """Return what an item shows. Raises Unusable. `began` (epoch seconds) is that of the run."""
    if not isinstance(item, dict):
        raise Unusable("?", "data", "is no object")
    try:
        return _seen(item, group_id, began)
    except Fault as fault:
        raise Unusable(key_of(item), fault.field, fault.reason) from None


def key_of(item: Any) -> str:
    """Return an item's id for messages and for paging: "?" where it is missing or no whole number."""
    value = item.get("dossierId") if isinstance(item, dict) else None
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and 0 < len(text) <= 18 and text.strip("0") else "?"


def national_code(code: str) -> str:
    """Return the nation's part of a procedure's code (1.002835 of 1.002835.000.00.00.H44); else the code as it is."""
    found = _NATIONAL_CODE.match(code)
    return found[1] if found else code


def instant_of(text: str) -> int:
    """Return a time as an instant (epoch seconds UTC); ValueError, without content, if it is none."""
    return _midnight(text[:10]) + _time_of_day(text[10:])


@lru_cache(maxsize=90_000)
def _time_of_day(text: str) -> int:
    if not text:
        return 0
    found = re.fullmatch(r" ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?", text)
    if found is None:
        raise ValueError("is not written as dd/MM/yyyy HH:mm:ss")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("is no time of day")
    return hour * 3600 + minute * 60 + second


@lru_cache(maxsize=65_536)
def _midnight(text: str) -> int:
    if not re.fullmatch(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", text):
        raise ValueError("is not written as dd/MM/yyyy HH:mm:ss")
    if int(text[6:]) not in _YEARS:
        raise ValueError("is no plausible date")
    try:
        return day_start(int(text[6:] + text[3:5] + text[:2]))
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def _seen(item: Mapping[str, Any], group_id: int, began: int) -> Seen:
    key = key_of(item)
    if key == "?":
        raise Fault("dossierId", "is missing or no number")
    if "groupId" in item and _text(item, "groupId") != str(group_id):
        raise Fault("groupId", "is another site's")
    modified = _time(item, "modifiedDate")
    if modified is not None and modified > began + _A_DAY:
        # Kept, it would be newer than every true version to come.
        raise Fault("modifiedDate", "lies in the future")
    return Seen(
        key=key,
        agency=_text(item, "govAgencyCode"),
        modified=began if modified is None else modified,
        removed=0,
        procedure=national_code(_text(item, "serviceCode")),
        channel=_channel(_text(item, "online"), _text(item, "fromViaPostal")),
        level=_number(item, "serviceLevel"),
        submitted=_time(item, "submitDate"),
        received=_time(item, "receiveDate"),
        due=_time(item, "dueDate"),
        released=_time(item, "releaseDate"),
        finished=_time(item, "finishDate"),
        cancelling=_time(item, "cancellingDate"),
        status=_text(item, "dossierStatus"),
        lock=_text(item, "lockState"),
        allowed=allowed_of(item.get("durationCount"), item.get("durationUnit")),
    )


def _channel(online: str, by_post: str) -> str | None:
    """Post counts only where it is not online (facts: 1.2). Neither true nor false: unknown."""
    if online == "true":
        return "online"
    if online != "false":
        return None
    return "post" if by_post == "1" else "counter"


def _text(item: Mapping[str, Any], field: str) -> str:
    value = item.get(field)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        text = str(value) if abs(value) < 10**18 else ""
    elif isinstance(value, str):
        text = value.strip()
    else:
        raise Fault(field, "is neither text nor a number")
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise Fault(field, "is no short printable text")
    return text


def _number(item: Mapping[str, Any], field: str) -> int | None:
    text = _text(item, field)
    return int(text) if text.isascii() and text.isdigit() else None


def _time(item: Mapping[str, Any], field: str) -> int | None:
    value = item.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Fault(field, "is no text")
    try:
        return instant_of(value.strip())
    except ValueError as error:
        raise Fault(field, str(error)) from None
