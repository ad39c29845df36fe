"""Lists of mailboxes: which there are, of which kind, since when, and until when.

A list is a CSV file with a header and one line per mailbox, as an administrator exports it. A date in its name is the
local day at whose end it was true; without one, the day on which the file was modified. Lists of the same day are
parts of one list. A month is told by the lists dated in it, and by the last list of the month before if that is
still there: it carries over since when a mailbox has been listed, or locked.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from collector.contract.connector import BadRow, Row
from collector.contract.door import FileEntry, Files
from collector.contract.errors import TryAgain, UnexpectedAnswer
from collector.contract.period import as_day, local_day, month_of
from collector.contract.records import Mailbox, columns
from connectors.email.whose import Whose

_LARGEST = 64 << 20
_SIZE = re.compile(r"(\d{1,15}(?:[.,]\d{1,6})?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)
_LARGEST_SIZE = 1 << 60
_UNLIMITED = {"-", "unlimited", "không giới hạn", "khong gioi han"}
_ADDRESS = re.compile(r"[^@\s<>,;\"\ufffd\x00]{1,256}@[^@\s<>,;\"\ufffd\x00]+")


@dataclass(frozen=True, slots=True)
class Format:
    """How lists are written: names of columns, the words for kinds and states (all `plain`), and whose they are.

    `columns` has the names that each column may have; ("",) if the lists do not have it. Those in `optional` may be
    missing.
    """

    columns: Mapping[str, Sequence[str]]
    optional: frozenset[str]
    kinds: Mapping[str, str]
    states: Mapping[str, str]
    whose: Whose
    dates: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A mailbox in a list. `active` None: its line could not be read beyond the address. `quota` 0: no limit."""

    kind: str | None
    active: bool | None
    created_day: int | None
    quota: int | None = None
    used: int | None = None
    unit: str = ""


@dataclass(slots=True)
class Lists:
    """The lists of one local day, read as one: entries by address."""

    day: int
    entries: dict[str, Entry] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    read: int = 0


def plain(text: str) -> str:
    """Return a word as it is compared: composed, in lower case, `_` as a blank, without blanks around it."""
    return unicodedata.normalize("NFC", text).replace("_", " ").strip().casefold()


def by_day(door: Files, pattern: str, dates: re.Pattern[str]) -> dict[int, list[FileEntry]]:
    """Return the lists in the folder by the local day of each, in order."""
    days: dict[int, list[FileEntry]] = {}
    undated = []
    for entry in door.list(pattern):
        day = _day_of_name(door, entry.name, dates)
        if day is None:
            undated.append(entry.name)
        # A list of a day to come says nothing yet; a folder may have been copied after the moment of this run.
        day = local_day(min(entry.modified, door.began)) if day is None else day
        if day <= local_day(door.began):
            days.setdefault(day, []).append(entry)
    if len(undated) > 1:
        raise UnexpectedAnswer(
            f"{len(undated)} mailbox lists have no date in their names, among them {undated[0]} and {undated[1]}",
            source=door.source,
            stage="read",
            field="lists",
            mend="Put the day into each name, such as mailboxes-20260131.csv",
        )
    return dict(sorted(days.items()))


def _day_of_name(door: Files, name: str, dates: re.Pattern[str]) -> int | None:
    found = dates.search(name)
    if found is None:
        return None
    try:
        return as_day(date(*(int(found[part]) for part in (1, 2, 3))))
    except ValueError:
        raise UnexpectedAnswer(
            f"there is no such day as in the name {name}",
            source=door.source,
            stage="read",
            field="list_date",
            mend="Correct the name, or the pattern `list_date`",
        ) from None


def read_lists(door: Files, form: Format, day: int, files: Sequence[FileEntry]) -> Lists:
    """Read the lists of one day as one.

    Raises UnexpectedAnswer if a column is missing or over 1 % of at least 10 lines (and more than one) are bad,
    TryAgain if a file got shorter while it was read.
    """
    lists = Lists(day)
    for entry in files:
        _read_file(door, form, entry, lists)
    return lists


def _read_file(door: Files, form: Format, entry: FileEntry, lists: Lists) -> None:
    def wrong(reason: str, at: str, mend: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(f"{entry.name}: {reason}", source=door.source, stage="answer", field=at, mend=mend)

    if entry.size > _LARGEST:
        raise wrong("larger than 64 MiB", "lists", "Let `lists` match mailbox lists only")
    content = b"".join(door.read(entry.name, 0, entry.size))
    if len(content) < entry.size:
        raise TryAgain(f"{entry.name} got shorter while it was read", source=door.source, stage="read")
    # Characters of a legacy encoding make a kind unknown or an address bad; they never stop the others.
    text = content.decode("utf-8-sig", errors="replace").replace("\0", "\ufffd")
    header_line = text.partition("\n")[0]
    separator = max(",;\t", key=header_line.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [plain(name) for name in next(lines, [])]
        places = {}
        for name, usual in form.columns.items():
            if not any(usual):
                continue
            place = next((at for at, title in enumerate(header) if title in usual), None)
            if place is None and name in form.optional:
                continue
            if place is None:
                mend = f"Export it with this column, or name the right one in columns.{name}"
                raise wrong(f"there is no column {usual[0]!r} in its header", name, mend)
            places[name] = place
        bad = read = 0
        for line in lines:
            if not any(cell.strip() for cell in line):
                continue
            read += 1
            cells = {name: line[place].strip() if place < len(line) else "" for name, place in places.items()}
            if fault := _read_line(form, cells, lists):
                bad += 1
                lists.bad.append(BadRow(Mailbox, f"{entry.name}:{lines.line_num}", *fault))
    except csv.Error:
        raise wrong(f"line {lines.line_num} is no CSV", "lists", "Export it as CSV with a header") from None
    lists.read += read
    if read and (bad == read or (read >= 10 and bad > 1 and bad * 100 > read)):
        raise wrong(f"{bad} of {read} lines cannot be read", lists.bad[-1].field, "Compare the list with the settings")


def _read_line(form: Format, cells: Mapping[str, str], lists: Lists) -> tuple[str, str] | None:
    """Put one line into the list; return field and reason if it is bad. The reason holds none of its content."""
    address = cells["address"].lower()
    if not _ADDRESS.fullmatch(address):
        return "address", "it is no mail address"
    kind = form.kinds.get(plain(cells.get("kind", "")))
    unit = cells.get("agency", "")
    state = form.states.get(plain(cells["state"]))
    try:
        created = _created(cells.get("created", ""))
    except ValueError:
        lists.entries[address] = Entry(None, None, None, unit=unit)
        return "created", "it is no day; write it like 2026-02-28"
    if state is None:
        lists.entries[address] = Entry(None, None, created, unit=unit)
        return "state", "it is none of the known states; name it in `states`"
    sizes: dict[str, int | None] = {}  # None: not told
    for name in ("quota", "used"):
        try:
            sizes[name] = _size(cells.get(name, ""), unlimited=0 if name == "quota" else None)
        except ValueError:
            lists.entries[address] = Entry(kind, state == "active", created, unit=unit)
            return name, "it is no size; write bytes, or a number with KB, MB, GB or TB"
    lists.entries[address] = Entry(kind, state == "active", created, sizes["quota"], sizes["used"], unit)
    return None


def _created(text: str) -> int | None:
    """Return the local day of `2026-02-28`, an ISO date and time, or `28/02/2026`; None if it is empty."""
    if not text:
        return None
    if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: .*)?", text):
        return as_day(date(int(found[3]), int(found[2]), int(found[1])))
    when = datetime.fromisoformat(text)
    return as_day(when.date()) if when.tzinfo is None else local_day(int(when.timestamp()))


def _size(text: str, unlimited: int | None) -> int | None:
    """Return the bytes of `5368709120`, `5 GB` or `1.5G` (a KB is 1,024 bytes); None if it is empty: not told."""
    if not text:
        return None
    if plain(text) in _UNLIMITED:
        return unlimited
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("no size")
    size = int(float(found[1].replace(",", ".")) * 1024 ** " KMGT".index(found[2].upper() or " "))
    if size > _LARGEST_SIZE:
        raise ValueError("no size that can be")
    return size


@dataclass(frozen=True, slots=True)
class Standing:
    """How a mailbox stands at a list: first listed when, closed since when (None: active), and what it tells."""

    first_listed_day: int
    closed_day: int | None
    kind: str | None
    created_day: int | None
    quota: int | None = None
    used: int | None = None
    unit: str = ""

    def after(self, day: int, entry: Entry) -> "Standing":
        """Return how it stands after a list of a day that has it."""
        created = self.created_day if entry.created_day is None else entry.created_day
        if entry.active is None:
            return replace(self, kind=None, created_day=created, unit=entry.unit or self.unit)
        closed = None if entry.active else self.closed_day or day
        unit = entry.unit or self.unit
        return Standing(self.first_listed_day, closed, entry.kind, created, entry.quota, entry.used, unit)

    def gone(self, day: int) -> "Standing":
        """Return how it stands after a list of a day that does not have it."""
        return replace(self, closed_day=self.closed_day or day)


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month that has lists: its first day, its lists' days, and the last list's day of the month before."""

    first: int
    days: Sequence[int]
    before: int | None

    @property
    def needed(self) -> Sequence[int]:
        """The days of all the lists that tell the month."""
        return [*([] if self.before is None else [self.before]), *self.days]


def months(days: Iterable[int], since: int) -> list[Month]:
    """Return the months that have lists and end on or after `since`."""
    every = sorted(days)
    firsts = sorted({month_of(day).first for day in every if month_of(day).last >= since})
    return [
        Month(
            first,
            [day for day in every if month_of(day).first == first],
            max((day for day in every if month_of(day).end == first), default=None),
        )
        for first in firsts
    ]


def rows(door: Files, form: Format, month: Month, lists: Sequence[Lists], changed: int) -> list[Row]:
    """Return the Mailbox rows of a month; `lists` are those of `month.needed`, in order."""
    standings: dict[str, Standing] = {}
    mine: set[str] = set()
    for one in lists:
        if one.day >= month.first:
            mine.update(one.entries)
        for address, entry in one.entries.items():
            standings[address] = standings.get(address, Standing(one.day, None, None, None)).after(one.day, entry)
        for address in standings.keys() - one.entries.keys():
            standings[address] = standings[address].gone(one.day)
    made: list[Row] = []
    for address, standing in standings.items():
        # Gone from every list of this month, but there in the last one before: it counts until the first of these.
        if address in mine or (standing.closed_day is not None and standing.closed_day >= month.first):
            pseudonym = door.pseudonym(address, month.first)
            made.append(
                (
                    f"{month.first // 100}:{pseudonym}",
                    form.whose.code(address, month.first, standing.unit),
                    changed,
                    0,
                    month.first,
                    pseudonym,
                    standing.kind,
                    standing.created_day,
                    standing.first_listed_day,
                    standing.closed_day,
                    standing.quota,
                    standing.used,
                    None,
                )
            )
    return sorted(made)


def struck_out(rows: Iterable[Row], stored: Iterable[Row], changed: int) -> list[Row]:
    """Return what was stored of a month, as removed, where lists that were corrected no longer tell it."""
    at = {name: place for place, name in enumerate(columns(Mailbox))}
    told = {row[at["key"]] for row in rows}
    return [
        (*row[: at["changed"]], changed, 1, *row[at["removed"] + 1 :])
        for row in stored
        if row[at["key"]] not in told and not row[at["removed"]]
    ]
