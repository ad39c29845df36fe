"""A list in the order of its changes, read to a proven end while it is being written to.

Pages by number lose what moves from one to the other. So no second page is ever asked for: each question is for the
first page of what changed at the last stamp seen or later. What changes meanwhile moves behind it and comes again;
what is taken out shifts nothing. More entries than a page at one stamp are asked for at once, in a larger page.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn

from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from connectors.onestop.national_service import Envelope, Paging, ask, count_of, listed
from connectors.register.values import Clock, Unusable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSET = re.compile(r":\d\d(?:\.\d+)?(Z|[+-]\d\d(?::?\d\d)?)$")


def time_of(clock: Clock, value: Any) -> date | datetime | None:
    """Return a value as a time (with its own zone or none) or a date; None for null and empty text.

    ValueError, without the value, if it is none.
    """
    if value is None or value == "":
        return None
    told = clock.read(value)
    if isinstance(told, Unusable):
        raise ValueError(told.reason)
    return _EPOCH + timedelta(microseconds=told) if isinstance(told, int) else told


def version_of(clock: Clock, value: Any, began: int) -> int | None:
    """Return a value as a version, in microseconds; None for null and empty text. ValueError, if it is no time."""
    if value is None or value == "":
        return None
    (made,) = clock.versions([value], began)
    if isinstance(made, Unusable):
        raise ValueError(made.reason)
    return int(made)


def earlier(clock: Clock, value: Any, seconds: int) -> Any:
    """Return a value some seconds earlier, as the source writes it, its offset of the zone included."""
    made = clock.earlier(value, seconds)
    offset = _OFFSET.search(value) if isinstance(value, str) else None
    return made if offset is None else made + offset[1]


@dataclass(frozen=True, slots=True)
class Followed:
    """A list that can be asked for what changed since a stamp, and gives it in the order of its stamps."""

    path: str
    paging: Paging
    envelope: Envelope
    filters: Mapping[str, str]  # parameters, `{since}` in them standing for the stamp
    stamp: str  # the field
    clock: Clock

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
                repr(item) for item in items if self._when(door, field_of(item, self.stamp)) == self._when(door, last)
            )
            if self._when(door, last) != self._when(door, at):
                size, at = self.paging.page_size, last
            elif len(items) < size:
                said = f"{count} entries are there at one stamp, and {len(items)} are given at once"
                self._unexpected(door, self.envelope.total, said, "Ask its operator for larger pages")
            else:
                size *= 2

    def last(self, door: Pages, stamps: list[Any], at: Any) -> Any:
        """Return the greatest stamp of a page, as the source wrote it; `at` if it has none."""
        last, latest = at, self._when(door, at)
        for stamp in stamps:
            when = self._when(door, stamp)
            if when is None:
                continue  # without a stamp, or with one that is no time: told where the entry is read
            if latest is not None and when < latest:
                ignores = "it gives what changed before the time asked for, or in another order than that of changes"
                self._unexpected(door, self.stamp, ignores, "Compare `changed_from` and `fixed` with its manual")
            last, latest = stamp, when
        return last

    def _when(self, door: Pages, value: Any) -> int | None:
        try:
            return version_of(self.clock, value, door.began)
        except ValueError:
            return None

    def _unexpected(self, door: Pages, field: str, reason: str, mend: str) -> NoReturn:
        raise UnexpectedAnswer(reason, source=door.source, stage="answer", field=field, mend=mend)
