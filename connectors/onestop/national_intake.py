"""Objects on their way into batches: what could be used, what could not, and whether the format is still the same."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.contract.connector import BadRow, Batch, Covered, Row
from collector.contract.errors import UnexpectedAnswer
from collector.contract.records import Record
from connectors.onestop.national_format import Unusable, instant_of

_BATCH = 10_000
_ENOUGH = 10
"""Objects from which a share of bad ones, or a field that none of them names, says something about the source."""


@dataclass(slots=True)
class Intake:
    """Objects on their way into batches, with what is known of their faults over the whole run."""

    record: type[Record]
    source: str
    key: str
    turn: Callable[[Any], None]
    expect: Callable[[Mapping[str, Any]], Sequence[str]]
    rows: dict[type[Record], list[Row]]
    bad: list[BadRow] = field(default_factory=list)
    read_since_batch: int = 0
    read: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)

    def take(self, items: Sequence[Any]) -> None:
        """Turn objects into rows; what cannot be used becomes a BadRow."""
        for item in items:
            self.read += 1
            self.read_since_batch += 1
            if isinstance(item, dict):
                for name in self.expect(item):
                    self.expected[name] += 1
                    self.named[name] += name in item
            try:
                self.turn(item)
            except Unusable as fault:
                self.faults[fault.field] += 1
                self.bad.append(BadRow(self.record, fault.key, fault.field, fault.reason))

    def full(self) -> bool:
        """Say whether there is enough for a batch."""
        return sum(map(len, self.rows.values())) + len(self.bad) >= _BATCH

    def batch(self, cursor: Mapping[str, Any] | None = None, covers: Sequence[Covered] = ()) -> Batch:
        """Return what was taken since the last batch; UnexpectedAnswer if the source's shape is another."""
        self._judge()
        made = Batch(
            rows={record: tuple(rows) for record, rows in self.rows.items()},
            cursor=cursor,
            covers=covers,
            bad=tuple(self.bad),
            read=self.read_since_batch,
        )
        for rows in self.rows.values():
            rows.clear()
        self.bad.clear()
        self.read_since_batch = 0
        return made

    def _judge(self) -> None:
        bad = self.faults.total()
        if bad >= 2 and (bad == self.read or (self.read >= _ENOUGH and bad * 100 > self.read)):
            name, count = min(self.faults.items(), key=lambda fault: (-fault[1], fault[0]))
            self._fail(name, f"{bad} of {self.read} objects cannot be used, {count} of them for this field")
        for name, count in sorted(self.expected.items()):
            if count >= _ENOUGH and not self.named[name]:
                self._fail(name, f"none of {count} objects names this field")

    def _fail(self, name: str, reason: str) -> None:
        raise UnexpectedAnswer(
            reason,
            source=self.source,
            stage="answer",
            field=name,
            mend="The source fills the format in another way than before; show its operator an object",
        )


@dataclass(slots=True)
class Newest:
    """The greatest update stamp, as the source wrote it."""

    text: str = ""
    instant: int = -1

    def note(self, text: str) -> None:
        """Note a stamp; "" is none."""
        if text and (instant := instant_of(text)) > self.instant:
            self.text, self.instant = text, instant
