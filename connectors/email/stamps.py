"""The time at the head of a log line, in the five forms that mail servers write.

  Nov 09 08:05:00                    Dovecot's own file, Postfix' own file    no year, no zone
  Nov  9 08:05:00                    traditional syslog                       no year, no zone
  2026-11-22T13:20:54.395224+07:00   RFC 3339 syslog                          both
  2026-11-22T13:20:54+0700           Dovecot's log_timestamp = %Y-%m-%dT%H:%M:%S%z
  2026-11-22 13:20:54,304            Zimbra's audit.log and mailbox.log       no zone

A time without a zone is in the server's zone, as configured. A time without a year gets its year from the file: a
file is taken to span less than a year, so that the instant of its first line dates every other line of it.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from collector.contract.period import local_day

DAY = 86_400

_MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_SHORT = re.compile(rb"([A-Z][a-z]{2}) ([ 0-3]\d) (\d\d):(\d\d):(\d\d)(?: |$)")
_LONG = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)(?: |$)")
_ZIMBRA = re.compile(rb"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)[,.]\d{3}(?: |$)")

# How far a line may lie before the first line of its file: several processes write one log.
_DISORDER = 7 * DAY
_YEAR = 365 * DAY
_CACHED = 100_000

# A year outside is no year but rubbish, from which no day can be counted on.
_YEARS = 1971, 2999


def _instant(year: int, parts: tuple[int, int, int, int, int], zone: ZoneInfo) -> int | None:
    if not _YEARS[0] <= year <= _YEARS[1]:
        return None
    try:
        return int(datetime(year, *parts, tzinfo=zone).timestamp())
    except ValueError:  # 29 February in a common year, or no day at all
        return None


def _short_parts(found: re.Match[bytes]) -> tuple[int, int, int, int, int] | None:
    month = _MONTHS.get(found[1])
    if month is None:
        return None
    return month, int(found[2]), int(found[3]), int(found[4]), min(int(found[5]), 59)


def _long_instant(found: re.Match[bytes]) -> int | None:
    year, month, day, hour, minute, second = (int(found[number]) for number in range(1, 7))
    offset = 0
    if found[7] != b"Z":
        sign = -1 if found[7][:1] == b"-" else 1
        offset = sign * (int(found[7][1:3]) * 3600 + int(found[7][-2:]) * 60)
    if not _YEARS[0] <= year <= _YEARS[1]:
        return None
    try:
        return int(datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()) - offset
    except ValueError:
        return None


def _zimbra_instant(found: re.Match[bytes], zone: ZoneInfo) -> int | None:
    year, month, day, hour, minute, second = (int(found[number]) for number in range(1, 7))
    return _instant(year, (month, day, hour, minute, min(second, 59)), zone)


def cut_of(line: bytes) -> int:
    """Return where the time at the head of a line ends, if it has one."""
    if line[3:4] == b" ":
        return 15
    return 23 if line[10:11] == b" " else line.find(b" ")


def is_of_zimbra(line: bytes) -> bool:
    """Tell whether a line begins with a time as Zimbra's audit.log and mailbox.log write it."""
    return _ZIMBRA.match(line.lstrip(b"\0")) is not None


def has_time(line: bytes) -> bool:
    """Tell whether a line begins with a time in one of the known forms, and a day that can be."""
    line = line.lstrip(b"\0")
    if found := _SHORT.match(line):
        parts = _short_parts(found)
        return parts is not None and _instant(2024, parts, ZoneInfo("UTC")) is not None
    if found := _ZIMBRA.match(line):
        return _zimbra_instant(found, ZoneInfo("UTC")) is not None
    found = _LONG.match(line)
    return found is not None and _long_instant(found) is not None


def instant_before(line: bytes, limit: int, zone: ZoneInfo) -> int | None:
    """Return the instant of a line; without a year, the last one that is not after `limit` (epoch seconds).

    None if the line begins with no known time.
    """
    line = line.lstrip(b"\0")
    if found := _LONG.match(line):
        return _long_instant(found)
    if found := _ZIMBRA.match(line):
        return _zimbra_instant(found, zone)
    found = _SHORT.match(line)
    parts = _short_parts(found) if found else None
    if parts is None:
        return None
    latest = datetime.fromtimestamp(limit, zone).year
    for year in range(latest, latest - 9, -1):  # nine years: 29 February is eight apart around 2100
        instant = _instant(year, parts, zone)
        if instant is not None and instant <= limit:
            return instant
    return None


@dataclass(slots=True)
class Calendar:
    """Dates the lines of one file. `first` is the instant of its first line, `zone` the server's."""

    zone: ZoneInfo
    first: int
    _days: dict[bytes, int] = field(default_factory=dict)
    _short_key: int = 12

    def __post_init__(self) -> None:
        # In a zone of whole hours the local day can change only with the hour: "Nov 09 08" decides.
        halves = (datetime.fromtimestamp(self.first + half * _YEAR // 2, self.zone).utcoffset() for half in (0, 1))
        if all(offset is not None and offset.seconds % 3600 == 0 for offset in halves):
            self._short_key = 9

    def instant(self, stamp: bytes) -> int | None:
        """Return the instant (epoch seconds) of a stamp, or None if it is in no known form."""
        if found := _LONG.match(stamp):
            return _long_instant(found)
        if found := _ZIMBRA.match(stamp):
            return _zimbra_instant(found, self.zone)
        found = _SHORT.match(stamp)
        parts = _short_parts(found) if found else None
        if parts is None:
            return None
        year = datetime.fromtimestamp(self.first, self.zone).year
        near = [_instant(year + step, parts, self.zone) for step in (0, 1, -1)]
        possible = [instant for instant in near if instant is not None]
        begin = self.first - _DISORDER
        inside = [instant for instant in possible if begin <= instant < begin + _YEAR]
        if inside or not possible:
            return inside[0] if inside else None
        return min(possible, key=lambda instant: abs(instant - begin - _YEAR // 2))

    def day(self, stamp: bytes) -> int:
        """Return the local day of a stamp; 0 if it is in no known form.

        Zones are whole minutes, so one answer serves a minute; the answer rests on minute and zone alone.
        """
        if stamp[3:4] == b" ":
            key, minute = stamp[: self._short_key], stamp[:12] + b":00"
        elif stamp[10:11] == b" ":
            key, minute = stamp[:16], stamp[:16] + b":00,000"
        elif stamp[-1:] == b"Z":
            key = minute = stamp[:16] + b":00Z"
        elif stamp[-5:-4] in (b"+", b"-"):
            key = minute = stamp[:16] + b":00" + stamp[-5:]
        else:
            key = minute = stamp[:16] + b":00" + stamp[-6:]
        day = self._days.get(key)
        if day is None:
            instant = self.instant(minute)
            if instant is None:
                return 0
            if len(self._days) > _CACHED:
                self._days.clear()
            day = self._days[key] = local_day(instant)
        return day
