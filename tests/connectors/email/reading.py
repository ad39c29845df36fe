"""A folder with logs and lists, a door to it, and what a run of the connector leaves behind, as the store would."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.contract.connector import BadRow, Batch, Row, Span, Want
from collector.contract.door import FileEntry
from collector.contract.period import days, local_day, plus_days
from collector.contract.records import Mailbox, MailboxDay
from collector.transports.folder import Folder
from collector.transports.run import Run
from connectors.email import mail_log
from connectors.email.mail_log import Config


def pseudonym(address: str, day: int) -> str:
    return hashlib.sha256(f"{address.strip().lower()} in {day // 100}".encode()).hexdigest()[:32]


@dataclass
class Door:
    """The real folder transport, with a hook that is called with the name before each read."""

    path: Path
    began: int
    before_read: Callable[[str], None] | None = None
    source: str = "mail"
    asked: list[tuple[str, int]] = field(default_factory=list)

    def _folder(self) -> Folder:
        return Folder(self.path, Run(self.source, self.began, 600, 100_000, self.pseudonym))

    def pseudonym(self, address: str, day: int) -> str:
        self.asked.append((address, day))
        return pseudonym(address, day)

    def list(self, pattern: str) -> Sequence[FileEntry]:
        return self._folder().list(pattern)

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        if self.before_read:
            self.before_read(name)
        return self._folder().read(name, start, end)


@dataclass
class Kept:
    """What a store keeps of the batches: rows by key, spans, days covered, bad rows, and the cursor."""

    mailbox_days: dict[str, Row] = field(default_factory=dict)
    mailboxes: dict[str, Row] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    covered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    bad: list[BadRow] = field(default_factory=list)
    cursor: Mapping[str, Any] | None = None
    batches: int = 0

    def save(self, batch: Batch, *, window: bool = False) -> None:
        self.batches += 1
        spans, told = {one.span for one in batch.replaces}, {row[0] for row in batch.rows.get(MailboxDay, ())}
        for row in self.mailbox_days.values():
            assert row[6] not in spans or row[0] in told, "a range that was read again no longer tells a row"
        for row in batch.rows.get(MailboxDay, ()):
            if (stored := self.mailbox_days.setdefault(row[0], row))[2] <= row[2]:
                assert stored == row, "a key that was read again has another row"
        self.mailboxes.update((row[0], row) for row in batch.rows.get(Mailbox, ()))
        for record, beginning in batch.looked_at:
            self.bad = [one for one in self.bad if one.record is not record or not one.key.startswith(beginning)]
        for span in batch.spans:
            if span not in self.spans[span.file]:
                for other in self.spans[span.file]:
                    assert span.end <= other.start or other.end <= span.start, "spans overlap"
                self.spans[span.file] = sorted([*self.spans[span.file], span], key=lambda one: one.start)
        for cover in batch.covers:
            self.covered[cover.record.NAME].update(days(cover.first_day, cover.last_day))
        self.bad.extend(batch.bad)
        if window:
            assert batch.cursor is None
        else:
            self.cursor = batch.cursor

    def of_month(self, month_day: int | None) -> Sequence[Row]:
        """Rows of Mailbox of a month, or of the last one that has any."""
        last = max((row[4] for row in self.mailboxes.values()), default=None)
        return [row for row in self.mailboxes.values() if row[4] == (last if month_day is None else month_day)]

    def deliveries(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Deliveries outside government and to free mail by (day, pseudonym), where there are any."""
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for row in self.mailbox_days.values():
            outside, free = found.get((row[5], row[4]), (0, 0))
            found[row[5], row[4]] = outside + row[9], free + row[10]
        return {key: counts for key, counts in found.items() if any(counts)}

    def use(self) -> dict[tuple[int, str], tuple[int, int]]:
        """Sessions and mails by (day, pseudonym), summed over spans."""
        found: dict[tuple[int, str], tuple[int, int]] = {}
        for row in self.mailbox_days.values():
            sessions, sent = found.get((row[5], row[4]), (0, 0))
            found[row[5], row[4]] = sessions + row[7], sent + row[8]
        return found


def want(kept: Kept, door: Door, since: int, **more: Any) -> Want:
    yesterday = plus_days(local_day(door.began), -1)
    return Want(
        **{
            "cursor": kept.cursor,
            "since": since,
            "first_day": since,
            "last_day": yesterday,
            "spans": dict(kept.spans),
            "mailboxes": kept.of_month,
        }
        | more
    )


# Most tests write a log of few lines; what a silence is has tests of its own.
SPARSE = Config(silence_days=31)


def run(kept: Kept, door: Door, since: int, config: Config | None = None, **more: Any) -> Kept:
    """Run the connector once and keep what it yields, as far as it comes."""
    wanted = want(kept, door, since, **more)
    for batch in mail_log.fetch(config or SPARSE, door, wanted):
        kept.save(batch, window=wanted.window)
    return kept


def put(path: Path, content: bytes, modified: int) -> None:
    path.write_bytes(content)
    os.utime(path, (modified, modified))


def named(use: Mapping[tuple[int, str], tuple[int, int]]) -> dict[tuple[int, str], tuple[int, int]]:
    """The oracle's use by address, as use by pseudonym."""
    return {(day, pseudonym(user, day)): counts for (day, user), counts in use.items()}
