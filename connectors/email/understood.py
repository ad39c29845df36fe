"""When a log tells of a mail server at all: the lines of Postfix, Dovecot and Zimbra, whatever they say.

A log in which there is none says nothing about use. That nobody logs in must be told by a server that goes on writing.
"""

import re

from connectors.email.stamps import Calendar, cut_of

Stretch = tuple[int, int]
"""The instants of a first and a last line, between which no silence was too long."""

_SHORT, _LONG = rb"[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d", rb"\d{4}-\d\d-\d\dT[\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)"
_SESSIONS = rb"(?:imap|pop3|managesieve|submission|lmtp)(?:-login)?"
_LEVEL = rb"(?:Info|Warning|Error|Fatal|Panic|Debug): "
_POSTFIX = rb"\S+ (?P<postfix>postfix[\w.-]*+(?:/[\w.-]++)*+\[\d++\]: )"
_DOVECOT = (
    # Through syslog under its own name or another one; or in a file of its own.
    rb"(?P<dovecot>\S+ dovecot[\w.-]*(?:\[\d+\])?: |\S+ [\w.@-]+(?:\[\d+\])?: " + _SESSIONS + rb"[:(]"
    rb"|[a-z][a-z0-9-]*(?:\([^)\n]*+\))?+(?:<[^>\n]*+>)*+: " + _LEVEL + rb")"
)
_SYSLOG = rb"(?:" + _SHORT + rb"|" + _LONG + rb") (?:" + _POSTFIX + rb"|" + _DOVECOT + rb")"
_ZIMBRA = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d{3} (?P<zimbra>(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL) {1,2}\[)"
_LINE = re.compile(rb"^\0*(?:" + _SYSLOG + rb"|" + _ZIMBRA + rb")", re.MULTILINE)

_NEAR = 8 << 10
_Line = tuple[int, int]
"""Where a line begins, and its instant."""


def programs(block: bytes) -> set[str]:
    """Return which of `postfix`, `dovecot` and `zimbra` wrote a line of a block."""
    return {found.lastgroup for found in _LINE.finditer(block) if found.lastgroup is not None}


def stretches(block: bytes, calendar: Calendar, longest: int) -> list[Stretch]:
    """Return the stretches of a block of whole lines that silences of over `longest` seconds part; none: no line."""
    first = _first(block, 0, len(block), calendar)
    last = None if first is None else _last(block, first[0], len(block), calendar)
    return [] if first is None or last is None else _between(block, first, last, calendar, longest)


def _between(block: bytes, first: _Line, last: _Line, calendar: Calendar, longest: int) -> list[Stretch]:
    """Return the stretches from one line to another; lines are in order but for a little disorder."""
    if last[1] - first[1] <= longest:
        return [(first[1], max(first[1], last[1]))]
    middle = block.find(b"\n", (first[0] + last[0]) // 2) + 1
    if middle > last[0]:
        middle = block.rfind(b"\n", first[0], last[0]) + 1
    before, after = _last(block, first[0], middle, calendar), _first(block, middle, len(block), calendar)
    left = _between(block, first, before or first, calendar, longest)
    right = _between(block, after or last, last, calendar, longest)
    if right[0][0] - left[-1][1] > longest:
        return left + right
    return [*left[:-1], (left[-1][0], max(left[-1][1], right[0][1])), *right[1:]]


def _first(block: bytes, start: int, end: int, calendar: Calendar) -> _Line | None:
    for found in _LINE.finditer(block, start, end):
        if (line := _dated(found, calendar)) is not None:
            return line
    return None


def _last(block: bytes, start: int, end: int, calendar: Calendar) -> _Line | None:
    size = _NEAR
    while True:
        near = max(start, block.rfind(b"\n", start, max(start, end - size)) + 1)
        for found in reversed(list(_LINE.finditer(block, near, end))):
            if (line := _dated(found, calendar)) is not None:
                return line
        if near == start:
            return None
        size *= 16


def _dated(found: re.Match[bytes], calendar: Calendar) -> _Line | None:
    line = found[0].lstrip(b"\0")
    instant = calendar.instant(line[: cut_of(line)])
    return None if instant is None else (found.start(), instant)
