"""OpenCPS' list of dossiers, read row window by row window to a proven end.

`start` and `end` cut rows out of a list that moves: whatever leaves it on the way shifts the rest, and rows are lost
without a word. So each window begins with the last row of the one before, which must still stand there; the total must
not change; and all of them must have been seen, each once. Otherwise the list is read again, a limited number of times.
`end` is always sent: without it OpenCPS answers with everything.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from collector.contract.door import JSON, Pages
from collector.contract.errors import TryAgain, UnexpectedAnswer
from connectors.onestop.opencps_item import key_of


@dataclass(frozen=True, slots=True)
class List:
    """The list behind a door: its path, the rows of one window, how often it is read again if it moves."""

    door: Pages
    path: str
    rows: int
    rereads: int

    def window(self, filters: Mapping[str, str], start: int, rows: int) -> tuple[list[Any], int, int | None]:
        """Return the items of one row window, the total, and the server's clock.

        Raises UnexpectedAnswer, by field, for another envelope than `{"total": n, "data": [...]}` (facts: 1.1), and for
        more items than were asked for.
        """
        asked = {**filters, "start": str(start), "end": str(start + rows)}
        answer = self.door.get(self.path, asked)
        items, total = self._listed(answer.body)
        if len(items) > rows:
            self._unexpected("end", f"{rows} rows were asked for and {len(items)} came", "It ignores start and end")
        return items, total, answer.server_time

    def total(self, filters: Mapping[str, str]) -> int:
        """Return how many dossiers a question has."""
        return self.window(filters, 0, 1)[1]

    def read(self, filters: Mapping[str, str]) -> Iterator[list[Any]]:
        """Yield the items of each window; the end of the iteration proves that the list was read to its end.

        Raises TryAgain if it never stood still, UnexpectedAnswer if it gives fewer than its total.
        """
        before: frozenset[str] | None = None
        for _ in range(1 + self.rereads):
            one_pass = _Pass()
            yield from self._pass(filters, one_pass)
            seen = frozenset(one_pass.seen)
            # Twice the same set without a shift: then the index really lists one twice.
            if not one_pass.moved and (not one_pass.twice or seen == before):
                return
            before = seen
        raise TryAgain(
            f"the list moved each time while it was read ({1 + self.rereads} times)",
            source=self.door.source,
            stage="read",
            field="total",
            mend="Read this source in a quiet hour",
        )

    def _pass(self, filters: Mapping[str, str], this: "_Pass") -> Iterator[list[Any]]:
        count, total, last = 0, -1, ""
        while True:
            start = max(0, count - 1)
            items, stated, _ = self.window(filters, start, self.rows + (count > 0))
            if total < 0:
                total = stated
            if stated != total or (count and (not items or key_of(items[0]) != last)):
                this.moved = True
                return
            new = items[1:] if count else items
            for item in new:
                key = key_of(item)
                this.twice |= key in this.seen and key != "?"
                this.seen.add(key)
            yield new
            count += len(new)
            if count == total:
                return
            if not new or count > total:
                self._unexpected("total", f"{total} dossiers were announced and {count} came", "Ask its operator why")
            last = key_of(new[-1])

    def _listed(self, body: JSON) -> tuple[list[Any], int]:
        if not isinstance(body, dict):
            self._unexpected("data", "the answer is no envelope with total and data", "Check base and base_url")
        items, total = body.get("data"), body.get("total")
        if isinstance(total, bool) or not isinstance(total, int) or total < 0:
            self._unexpected("total", "the answer has no number total", "Check base and base_url")
        if items is None and total == 0:
            return [], 0
        if not isinstance(items, list):
            self._unexpected("data", "the answer has no list data", "Check base and base_url")
        return items, total

    def _unexpected(self, field: str, reason: str, mend: str) -> NoReturn:
        raise UnexpectedAnswer(reason, source=self.door.source, stage="answer", field=field, mend=mend)


class _Pass:
    """What one pass over a list has seen."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.twice = False
        self.moved = False
