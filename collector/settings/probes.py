"""The `probe:` block of a source: how often it is asked whether it answers, when, and when it need not."""

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
    below.only("every", "within", "hours", "at", "maintenance")
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
    opens, closes = _hours(below)
    return Probing(every, within, opens, closes, at, _maintenance(below))


def _hours(below: Section) -> tuple[int, int]:
    text = below.text("hours", "00:00-24:00") or "00:00-24:00"
    found = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", text)
    if found:
        opens = int(found[1]) * 3600 + int(found[2]) * 60
        closes = int(found[3]) * 3600 + int(found[4]) * 60
        if opens < closes <= _SECONDS["d"]:
            return opens, closes
    below.fault("hours", f"{text} are no hours of a day", "Write them like 07:00-18:00; all day is 00:00-24:00")
    return 0, _SECONDS["d"]


def _maintenance(below: Section) -> tuple[Maintenance, ...]:
    windows = []
    for key, node in below.many("maintenance"):
        window = section(node, key, below.faults)
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
