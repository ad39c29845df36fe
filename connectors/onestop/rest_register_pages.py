"""A list in the order of its changes, read to a proven end while it is being written to.

Pages by number lose what moves from one to the other. So no second page is ever asked for: each question is for the
first page of what changed at the last stamp seen or later. What changes meanwhile moves behind it and comes again;
what is taken out shifts nothing. More entries than a page at one stamp are asked for at once, in a larger page.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from connectors.onestop.national_service import Envelope, Paging, ask, count_of, listed
from connectors.register.formats import EPOCHS, strptime_format

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**32  # seconds that a calendar has


@dataclass(frozen=True, slots=True)
class Written:
    """How a source writes a time: by a pattern of `connectors.register.formats`, or as ISO text (None)."""

    pattern: str | None
    zone: ZoneInfo

    def read(self, value: Any) -> datetime | date | None:
        """Return a value as a time (with its own zone or none) or a date; ValueError, without content, if it is none.

        NULL and empty text are None.
        """
        if value is None or value == "":
            return None
        unit = EPOCHS.get(self.pattern or "")
        if unit is not None:
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST * unit:
                raise ValueError("is no number of time")
            return _EPOCH + timedelta(seconds=value / unit)
        if not isinstance(value, str):
            raise ValueError("is no text")
        try:
            if self.pattern is None:
                told = value.strip()
                return date.fromisoformat(told) if len(told) == 10 else datetime.fromisoformat(told)
            made = datetime.strptime(value.strip(), strptime_format(self.pattern))  # noqa: DTZ007 - that of `zone`
        except ValueError:
            raise ValueError(f"is not written as {self.pattern or 'ISO time'}") from None
        return made if "HH" in self.pattern else made.date()

    def microseconds(self, value: Any) -> int | None:
        """Return a value as microseconds since the epoch, a date as its midnight."""
        told = self.read(value)
        if told is None:
            return None
        if not isinstance(told, datetime):
            told = datetime(told.year, told.month, told.day, tzinfo=self.zone)
        return (told.replace(tzinfo=told.tzinfo or self.zone) - _EPOCH) // _MICROSECOND

    def earlier(self, value: Any, seconds: int) -> Any:
        """Return a value some seconds earlier, as the source writes it."""
        told, span = self.read(value), timedelta(seconds=seconds)
        unit = EPOCHS.get(self.pattern or "")
        if told is None or unit is not None:
            return value if unit is None else value - seconds * unit
        told = told - span if isinstance(told, datetime) else told - timedelta(days=-(-seconds // 86_400))
        return told.isoformat() if self.pattern is None else told.strftime(strptime_format(self.pattern))


@dataclass(frozen=True, slots=True)
class Followed:
    """A list that can be asked for what changed since a stamp, and gives it in the order of its stamps."""

    path: str
    paging: Paging
    envelope: Envelope
    filters: Mapping[str, str]  # parameters, `{since}` in them standing for the stamp
    stamp: str  # the field
    written: Written

    def read(self, door: Pages, since: Any, field_of: Callable[[Any, str], Any]) -> Iterator[list[Any]]:
        """Yield the entries since a stamp (None: all) page by page; the end proves that there is no other.

        What comes again unchanged, because it bears the last page's stamp, is not given twice.

        Raises UnexpectedAnswer where the order, the filter or the count of the service is another than it should be.
        """
        door.allow(self.paging.method, self.path)
        size, at = self.paging.page_size, since
        known: frozenset[str] = frozenset()
        while True:
            asked = {name: told.replace("{since}", str(at)) for name, told in self.filters.items()}
            answer = ask(door, self.path, self.paging, {} if at is None else asked, self.paging.first_page, size)
            items, total = listed(self.envelope, answer.body, door.source, self.path)
            count = count_of(total, self.envelope, door.source, self.path)
            last = self.last(door, [field_of(item, self.stamp) for item in items], at)
            yield [item for item in items if repr(item) not in known]
            if len(items) >= count:
                return
            known = frozenset(
                repr(item) for item in items if self._when(field_of(item, self.stamp)) == self._when(last)
            )
            if self._when(last) != self._when(at):
                size, at = self.paging.page_size, last
            elif len(items) < size:
                said = f"{count} entries are there at one stamp, and {len(items)} are given at once"
                self._unexpected(door, self.envelope.total, said, "Ask its operator for larger pages")
            else:
                size *= 2

    def last(self, door: Pages, stamps: list[Any], at: Any) -> Any:
        """Return the greatest stamp of a page, as the source wrote it; `at` if it has none."""
        last, latest = at, self._when(at)
        for stamp in stamps:
            when = self._when(stamp)
            if when is None:
                continue  # without a stamp, or with one that is no time: told where the entry is read
            if latest is not None and when < latest:
                ignores = "it gives what changed before the time asked for, or in another order than that of changes"
                self._unexpected(door, self.stamp, ignores, "Compare `changed_from` and `fixed` with its manual")
            last, latest = stamp, when
        return last

    def _when(self, value: Any) -> int | None:
        try:
            return self.written.microseconds(value)
        except ValueError:
            return None

    def _unexpected(self, door: Pages, field: str, reason: str, mend: str) -> NoReturn:
        raise UnexpectedAnswer(reason, source=door.source, stage="answer", field=field, mend=mend)
