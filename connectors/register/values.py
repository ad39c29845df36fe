"""Values of a database as the records want them: whole columns at a time, each distinct value converted once.

A column converter takes the values of one column of one page and gives a list of the same length. A value that
cannot be used becomes an `Unusable`, which says why without repeating the value.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import normalize
from uuid import UUID
from zoneinfo import ZoneInfo

from collector.contract.period import OFFSET, as_day, day_start, local_day, plus_days
from connectors.register.formats import EPOCHS, sorts_as_time_goes, strptime_format

EMPTY = ""
ANYTHING = "*"
"""Keys of a map of values: NULL and empty text; any other value."""

LONGEST = 500
"""Characters that an id, code or status may have."""

_LARGEST = 2**63 - 1
_REMEMBERED = 50_000
_LOCAL = "Asia/Ho_Chi_Minh"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(seconds=OFFSET)
_MICROSECOND = timedelta(microseconds=1)
_MILLION = 1_000_000
_FIRST_DAY, _LAST_DAY = 19000101, 21001231
_FIRST_YEAR, _LAST_YEAR = _FIRST_DAY // 10_000, _LAST_DAY // 10_000
_FIRST, _LAST = day_start(_FIRST_DAY) * _MILLION, day_start(21010101) * _MILLION
# A number before this is no epoch but something else, such as 20260131.
_FIRST_NUMBER = day_start(19900101) * _MILLION

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:(?P<gap>[ T])\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?)?"
)
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Unusable:
    """What takes the place of a value that cannot be used."""

    reason: str


class Remembered(dict[Any, Any]):
    """Source value -> our value, converted when it is first met; forgotten when there are too many of them."""

    __slots__ = ("_convert", "met_unusable")

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert
        self.met_unusable = False

    def __missing__(self, value: Any) -> Any:
        made = self[value] = self._convert(value)
        if isinstance(made, Unusable):
            self.met_unusable = True
        return made

    def column(self, values: Sequence[Any]) -> list[Any]:
        """Convert the values of one column."""
        if len(self) > _REMEMBERED:
            self.clear()
        try:
            return list(map(self.__getitem__, values))
        except TypeError:  # an array or a document of JSON cannot be remembered
            return [self._convert(value) if _hashable(value) else Unusable("holds no single value") for value in values]


def _hashable(value: object) -> bool:
    return not isinstance(value, list | dict | set | bytearray)


def _kinds(values: Iterable[Any]) -> set[type]:
    return set(map(type, values)) - {type(None)}


# --- text -------------------------------------------------------------------------------------------------------


def text_of(value: Any) -> str | None:
    """Return any single value as text, outer spaces cut; None for NULL and for text with nothing in it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex() or None
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value))
    return str(value).strip() or None


def _checked_text(value: Any) -> str | Unusable | None:
    made = text_of(value)
    return Unusable(f"is longer than {LONGEST} characters") if made is not None and len(made) > LONGEST else made


def keys(values: Sequence[Any]) -> list[Any]:
    """Convert a column of ids."""
    kinds = _kinds(values)
    if kinds == {int} and None not in values:
        return list(map(str, values))
    return [Unusable("is NULL or empty") if (made := _checked_text(one)) is None else made for one in values]


def like(sample: Any, key: str) -> Any:
    """Return the id that `keys` makes this text of, of the kind of a sample; None if none of that kind does."""
    kind = type(sample)
    try:
        if kind is bytes:
            return bytes.fromhex(key)
        if kind is int:
            return int(key) if abs(int(key)) <= _LARGEST else None
        return kind(key) if kind in (str, float, Decimal, UUID) else None
    except (ValueError, InvalidOperation):
        return None


def texts() -> Remembered:
    """Convert a column of codes or statuses."""
    return Remembered(_checked_text)


def codes() -> Remembered:
    """Convert a column of agency codes: NULL is the empty code, which no register knows."""
    return Remembered(lambda value: "" if (made := _checked_text(value)) is None else made)


# --- values with a meaning --------------------------------------------------------------------------------------


def meanings(meant: Mapping[str, Any]) -> Remembered:
    """Convert by a map of values: what it does not list is None, never guessed."""
    meant = {normalize("NFC", told): ours for told, ours in meant.items()}
    anything = meant.get(ANYTHING)

    def convert(value: Any) -> Any:
        told = str(int.from_bytes(value, "big")) if isinstance(value, bytes) else text_of(value)  # MariaDB's BIT
        if told is None:
            return meant.get(EMPTY)
        if isinstance(value, bool) and told not in meant:
            told = str(int(value))
        return meant.get(normalize("NFC", told), anything)

    return Remembered(convert)


def needed(made: Remembered, reason: str) -> Remembered:
    """Make None unusable."""
    return Remembered(lambda value: Unusable(reason) if (one := made[value]) is None else one)


# --- time -------------------------------------------------------------------------------------------------------


class Clock:
    """Reads one column of dates or times, by the zone of times without one and the column's format.

    A date stays the day that it says, whatever the zone; a time is cut into local days of Vietnam.
    """

    def __init__(self, zone: str, pattern: str | None, no_date: Sequence[str] = ()) -> None:
        self._no_date = frozenset(no_date)
        self._no_day = {int(one.replace("-", "")) for one in no_date if _ISO_DAY.fullmatch(one)}
        self._zone = None if zone == _LOCAL else ZoneInfo(zone)
        self._unit = EPOCHS.get(pattern or "epoch_seconds", 0)
        self._format = strptime_format(pattern) if pattern and not self._unit else None
        self._dates_only = self._format is not None and "%H" not in self._format
        self._days = Remembered(self._day)
        self._sorts = pattern is None or sorts_as_time_goes(pattern)
        self.shapes: set[tuple[str | None, str | None]] = set()

    @property
    def met_unusable(self) -> bool:
        """Whether a column of days has held a value that cannot be used."""
        return self._days.met_unusable

    def naive(self, instant: int) -> datetime:
        """Return an instant (epoch seconds UTC) as a time without zone, as the source writes it."""
        if self._zone is None:
            return _LOCAL_EPOCH + timedelta(seconds=instant)
        return datetime.fromtimestamp(instant, self._zone).replace(tzinfo=None)

    def read(self, value: Any) -> date | datetime | int | Unusable:
        """Return a value as a date, a time (with zone or without), or microseconds since the epoch."""
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            return self._read_text(value.strip())
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return self._read_number(value)
        return Unusable("is neither a date nor a time")

    def _read_text(self, told: str) -> date | datetime | Unusable:
        if self._format is not None:
            try:
                made = datetime.strptime(told, self._format)  # noqa: DTZ007 - the zone is the configured one
            except ValueError:
                return Unusable("does not match its format")
            return made.date() if self._dates_only else made
        found = _ISO.fullmatch(told)
        try:
            if found is None:
                return Unusable("is no ISO date; its `formats` entry may be missing")
            if found["gap"] is None:
                return date.fromisoformat(told)
            self.shapes.add((found["gap"], found["offset"]))
            return datetime.fromisoformat(told)
        except ValueError:
            return Unusable("is no date of the calendar")

    def _read_number(self, value: int | float | Decimal) -> date | datetime | int | Unusable:
        if not self._unit:
            return self._read_text(str(value))
        try:
            made = int(value * (_MILLION // self._unit))
        except (ValueError, OverflowError, InvalidOperation):
            return Unusable("is no number of time")
        if not _FIRST_NUMBER <= made < _LAST:
            return Unusable("is no plausible time; its `formats` entry may be missing")
        return made

    # Days

    def days(self, values: Sequence[Any]) -> list[Any]:
        """Convert a column to local days: NULL and empty text are None."""
        if _kinds(values) == {datetime}:
            made = self._days_of_times(values)
            if made is not None:
                return made
        return self._days.column(values)

    def _days_of_times(self, values: Sequence[Any]) -> list[Any] | None:
        # Times differ from row to row: remembering them would be slower than cutting them.
        zones = {value.tzinfo for value in values if value is not None}
        if zones == {None} and self._zone is None:
            made = [None if v is None else v.year * 10_000 + v.month * 100 + v.day for v in values]
        elif any(v is not None and not _FIRST_YEAR <= v.year <= _LAST_YEAR for v in values):
            return None  # a clock may not reach so far
        else:
            made = [None if v is None else local_day(self._instant(v) // _MILLION) for v in values]
        if self._no_day:
            made = [None if one in self._no_day else one for one in made]
        seen = [one for one in made if one is not None]
        return made if not seen or (min(seen) >= _FIRST_DAY and max(seen) <= _LAST_DAY) else None

    def _day(self, value: Any) -> int | Unusable | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        made = self._plain_day(value)
        if self._no_date and (made in self._no_day or self._stands_for_none(value)):
            return None
        return made

    def _stands_for_none(self, value: Any) -> bool:
        """Say whether a value, as it is written, is one of those that stand for no date: with or without its time."""
        if isinstance(value, date):
            return value.isoformat()[:10] in self._no_date
        text = str(value).strip()
        return text in self._no_date or text[:10] in self._no_date

    def _plain_day(self, value: Any) -> int | Unusable:
        told = self.read(value)
        if isinstance(told, Unusable):
            return told
        if isinstance(told, int):
            return local_day(told // _MILLION)
        if not _plausible(told):
            return Unusable("is no plausible day")
        if isinstance(told, datetime):
            return local_day(self._instant(told) // _MILLION)
        return as_day(told)

    # Versions

    def versions(self, values: Sequence[Any], began: int) -> list[Any]:
        """Convert a column without NULL to microseconds since the epoch.

        A date alone stands for its last moment, or for `began` (epoch seconds) while it is not over: two versions of
        one day must not look the same.
        """
        if _kinds(values) == {datetime}:
            made = self._instants(values)
            if min(made) >= _FIRST and max(made) < _LAST:
                return made
        return [self._version(value, began) for value in values]

    def _version(self, value: Any, began: int) -> int | Unusable:
        told = self.read(value)
        if isinstance(told, int | Unusable):
            return told
        if not _plausible(told):
            return Unusable("is no plausible time")
        if isinstance(told, datetime):
            return self._instant(told)
        end = day_start(plus_days(as_day(told), 1)) * _MILLION - 1
        return max(day_start(as_day(told)) * _MILLION, min(end, began * _MILLION))

    def _instants(self, values: Sequence[datetime]) -> list[Any]:
        if self._zone is None and {value.tzinfo for value in values} == {None}:
            return [(value - _LOCAL_EPOCH) // _MICROSECOND for value in values]
        return list(map(self._instant, values))

    def _instant(self, value: datetime) -> int:
        if value.tzinfo is None:
            if self._zone is None:
                return (value - _LOCAL_EPOCH) // _MICROSECOND
            value = value.replace(tzinfo=self._zone)
        return (value - _EPOCH) // _MICROSECOND

    # Bounds

    def earlier(self, value: Any, seconds: int) -> Any:
        """Return a value of the source a number of seconds earlier, as the source would write it, or a little less."""
        span = timedelta(seconds=seconds)
        if isinstance(value, datetime):
            return value - span
        if isinstance(value, date):
            return (datetime(value.year, value.month, value.day) - span).date()  # noqa: DTZ001 - a day has no zone
        if isinstance(value, str):
            told = self._read_text(value.strip())
            if isinstance(told, Unusable):
                raise ValueError(told.reason)
            return self._text(self.earlier(told, seconds), value.strip())
        if not self._unit:
            return type(value)(self.earlier(str(value), seconds))
        return value - type(value)(seconds * self._unit)

    def _text(self, told: date | datetime, like: str) -> str:
        """Write a time as text that sorts not after any text of the same second (or minute, or day)."""
        if self._format is not None:
            return told.strftime(self._format)
        found = _ISO.fullmatch(like)
        gap = (found and found["gap"]) or " "
        core = like[: -len(found["offset"])] if found and found["offset"] else like
        written = told.strftime(f"%Y-%m-%d{gap}%H:%M:%S") if isinstance(told, datetime) else told.isoformat()
        return written[: len(core)]

    def bounds(self, sample: Any, first_day: int, last_day: int) -> tuple[Any, Any] | None:
        """Return `(from, to)`, half-open, as values like `sample`, that hold all rows of these local days and few more.

        None if values of this kind do not sort as time goes, so that the source cannot be asked for a range.
        """
        first, end = plus_days(first_day, -1), plus_days(last_day, 2)
        if isinstance(sample, datetime):
            lower, upper = self.naive(day_start(first)), self.naive(day_start(end))
            if sample.tzinfo is None:
                return lower, upper
            return _EPOCH + timedelta(seconds=day_start(first)), _EPOCH + timedelta(seconds=day_start(end))
        if isinstance(sample, date):
            return date(*_parts(first)), date(*_parts(end))
        if self._unit and not isinstance(sample, str):
            return type(sample)(day_start(first) * self._unit), type(sample)(day_start(end) * self._unit)
        if self._format is None:
            # Also a bound of values with a time of day: they begin with their date.
            return date(*_parts(first)).isoformat(), date(*_parts(end)).isoformat()
        if not self._sorts:
            return None
        pattern = self._format[: self._format.index("%d") + 2]
        lowest, highest = (date(*_parts(day)).strftime(pattern) for day in (first, end))
        return type(sample)(lowest), type(sample)(highest)


def _parts(day: int) -> tuple[int, int, int]:
    return day // 10_000, day // 100 % 100, day % 100


def _plausible(told: date) -> bool:
    return _FIRST_DAY <= as_day(told) <= _LAST_DAY


# --- the source's own values in a cursor ------------------------------------------------------------------------


def pack(value: Any) -> dict[str, str] | None:
    """Return a value of a driver as JSON, without losing anything of it."""
    match value:
        case None:
            return None
        case bool():
            raise TypeError("a truth value is no place to go on from")
        case int() | str() | Decimal() | UUID():
            return {"kind": type(value).__name__, "value": str(value)}
        case float():
            return {"kind": "float", "value": repr(value)}
        case bytes():
            return {"kind": "bytes", "value": value.hex()}
        case datetime() | date():
            return {"kind": "datetime" if isinstance(value, datetime) else "date", "value": value.isoformat()}
        case _:
            raise TypeError(f"a {type(value).__name__} is no place to go on from")


_UNPACK: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "float": float,
    "Decimal": Decimal,
    "UUID": UUID,
    "bytes": bytes.fromhex,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
}


def unpack(packed: Mapping[str, str] | None) -> Any:
    """Return the value of a driver that `pack` was given."""
    return None if packed is None else _UNPACK[packed["kind"]](packed["value"])
