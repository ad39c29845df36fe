"""When a source is read, and asked whether it answers: durations, hours, cron lines, maintenance, `probe:`."""

import re
from datetime import datetime, timedelta, timezone

from pydantic import BaseModel

from collector.contract.period import OFFSET
from collector.settings.shape import Maintenance, Probing
from collector.transports import reach
from collector.yaml_file import Keys, Section, section

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LOCAL = timezone(timedelta(seconds=OFFSET))
_NEVER = "never"


def duration(entry: Section, name: str, usual: str) -> int | None:
    """Return a duration in seconds, the usual one if it is absent; note it and return None if it is none."""
    text = entry.text(name, usual) or usual
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if found is None:
        entry.fault(name, f"{text} is no duration", "Write a number and s, m, h or d, like 90s, 30m, 6h or 2d")
        return None
    return int(found[1]) * _SECONDS[found[2]]


def probing(entry: Section, door: BaseModel | None, requests_per_minute: int) -> Probing | None:
    """Return how a source is asked; None if it never is.

    Without the block it is asked in the usual way, if its door leads to something that can be asked and its budget of
    requests leaves one over.
    """
    has_target = door is not None and reach.of_door(door) is not None
    if not entry.has("probe"):
        return Probing() if has_target and requests_per_minute > 1 else None
    if not isinstance(entry.node.items["probe"], Keys):
        text = entry.text("probe", _NEVER)
        if text not in (None, _NEVER):
            entry.fault("probe", f"{text} is not understood", "Write `never`, or `every: 5m` and the like below it")
        return None
    below = section(entry.node.items["probe"], entry.below("probe"), entry.faults)
    assert below is not None
    below.only("every", "within", "hours", "at")
    every, within = duration(below, "every", "5m") or 300, duration(below, "within", "10s") or 1
    if every % 60 or every > _SECONDS["d"]:
        below.fault("every", "is no whole number of minutes up to a day", "Write it like 5m")
    if within > 60 or within >= every:
        below.fault("within", "is longer than a minute, or than `every`", "Write the seconds of a patient user: 10s")
    if requests_per_minute < 2:
        entry.fault("requests_per_minute", "leaves no request for a probe", "Write 2 or more, or `probe: never`")
    at = below.text("at", "https://motcua.example.gov.vn/")
    if at is not None:
        try:
            reach.address(at)
        except ValueError as error:
            below.fault(
                "at", str(error), "Write it like https://motcua.example.gov.vn/ or tls://mail.example.gov.vn:993"
            )
    elif door is not None and not has_target:
        mend = "Write what its users ask: `at: https://...`, or tcp:// or tls:// with a port; or `probe: never`"
        below.fault("at", "this door leads to nothing that can be asked without logging in", mend)
    opens, closes = hours(below)
    return Probing(every, within, opens, closes, at)


def hours(entry: Section, *, over_midnight: bool = False) -> tuple[int, int]:
    """Return the hours of a day as its seconds, all of it if they are absent; note it if they are none."""
    text = entry.text("hours", "00:00-24:00") or "00:00-24:00"
    found = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", text)
    if found:
        opens = int(found[1]) * 3600 + int(found[2]) * 60
        closes = int(found[3]) * 3600 + int(found[4]) * 60
        if opens < closes <= _SECONDS["d"] or (over_midnight and closes < opens < _SECONDS["d"]):
            return opens, closes
    usual = "18:00-06:00" if over_midnight else "07:00-18:00"
    entry.fault("hours", f"{text} are no hours of a day", f"Write them like {usual}; all day is 00:00-24:00")
    return 0, _SECONDS["d"]


_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12))
_DAYS = "mon|tue|wed|thu|fri|sat|sun"


def cron(entry: Section) -> str | None:
    """Return a cron line of five fields on the local clock, None if it is absent; note it if it is none.

    Days of the week are names alone: by their numbers, programs mean different days.
    """
    text = entry.text("cron", "30 1 * * *")
    if text is None:
        return None
    fields = text.split()
    if len(fields) != len(_FIELDS) + 1:
        wrong = f"has {len(fields)} fields"
        entry.fault("cron", wrong, "Write minute, hour, day of the month, month and day of the week: 30 1 * * *")
        return None
    for field, (name, least, most) in zip(fields, _FIELDS, strict=False):
        if not _is_cron_field(field, least, most):
            entry.fault("cron", f"{field} is no {name}", f"Write {least} to {most}, like 1,15 or 1-5 or */2, or *")
            return None
    if fields[4] != "*" and not re.fullmatch(rf"({_DAYS})(-({_DAYS}))?(,({_DAYS})(-({_DAYS}))?)*", fields[4]):
        entry.fault("cron", f"{fields[4]} is no day of the week", "Write names, like mon-fri or sat,sun, or *")
        return None
    return text


def _is_cron_field(field: str, least: int, most: int) -> bool:
    for part in field.split(","):
        found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/([1-9]\d?))?", part)
        if found is None:
            return False
        first, last, step = (int(one) if one else None for one in found.groups())
        if first is None:
            continue
        if not least <= first <= (most if last is None else last) <= most or (step and last is None):
            return False
    return True


def maintenance(entry: Section) -> tuple[Maintenance, ...]:
    """Return the windows in which a source is maintained; note what is wrong in them."""
    windows = []
    for key, node in entry.many("maintenance"):
        window = section(node, key, entry.faults)
        if window is None:
            continue
        window.only("from", "to", "reason")
        begins, ends = _instant(window, "from"), _instant(window, "to")
        reason = window.text("reason", "công văn 123/STTTT: nâng cấp", needed=True)
        if begins is not None and ends is not None and ends <= begins:
            window.fault("to", "is not after `from`", "Write the end of the window")
        windows.append(Maintenance(begins or 0, ends or 0, reason or ""))
    return tuple(windows)


def _instant(window: Section, name: str) -> int | None:
    text = window.text(name, "2026-02-14T22:00", needed=True)
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text):
        try:
            return int(datetime.fromisoformat(text).replace(tzinfo=_LOCAL).timestamp())
        except ValueError:
            pass  # a 30 February: told below
    window.fault(name, f"{text} is no local time", "Write it like 2026-02-14T22:00, without a zone")
    return None
