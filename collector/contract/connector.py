"""What a connector module offers, and what passes between it and the engine.

A connector is a module found by its place: `connectors/<family>/<name>.py` is `<family>.<name>`. It needs no base
class and no registration. A module satisfies the `Connector` protocol by having these names:

  Config    a pydantic model of the `config:` block of a source, each field with description and example
  DOORS     the kinds of door that it can walk through: "folder", "ssh", "sql", "http"
  RECORDS   the record classes that it yields
  probe     a few findings for `check --live`: reach, log in, allowed to read, one page, clock skew, read-only
  fetch     batches of rows
  offers    optional: those of RECORDS that a source with a given configuration has; without it, all
  keys      optional: `keys(config, door, days)` yields `Listed` blocks: what the source has on some days, for
            reconciliation. A connector that has it reads `want.keys` in `fetch`.
  reported  optional: `reported(config, door, period)` yields the totals that the source itself publishes about a
            period, and `publishes(config)` says whether such a source does: see `contract/reported.py`
  forget    needed if its cursor holds pseudonyms: `forget(cursor, month_day)` returns the cursor without anything
            under the key of the month with that first day

`fetch` must be honest about order: cutting, repeating or permuting what it reads ends in the same store.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import compress
from typing import Any, Literal, Protocol, overload

from pydantic import BaseModel

from collector.contract.records import Record, columns

Row = tuple[Any, ...]


class Columnar(Sequence[Row]):
    """Rows that are kept as columns: so many of them are checked and stored at half the cost.

    Raises ValueError if the columns are not all of one length.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Iterable[Sequence[Any]]) -> None:
        self.columns = tuple(columns)
        if len(set(map(len, self.columns))) != 1:
            raise ValueError("the columns are not of one length")

    @classmethod
    def of(cls, rows: Sequence[Row], width: int) -> "Columnar":
        """Return rows of so many fields as columns."""
        if isinstance(rows, cls):
            return rows
        return cls(zip(*rows, strict=True)) if rows else cls(((),) * width)

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        return zip(*self.columns, strict=True)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> "Columnar": ...
    def __getitem__(self, at: int | slice) -> "Row | Columnar":
        if isinstance(at, slice):
            return Columnar(column[at] for column in self.columns)
        return tuple(column[at] for column in self.columns)

    def chosen(self, selectors: Sequence[object]) -> "Columnar":
        """Return the rows whose selector is true."""
        return Columnar(list(compress(column, selectors)) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Span:
    """A range of bytes of one log, read once and for all: `file` is the file's identity."""

    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Want:
    """What the engine wants of this run.

    `cursor` is the JSON document of the last saved batch, None at the first run (or after it was deleted: then
    everything is read again). `since` is the source's first day, as configured: nothing earlier is kept.
    `first_day..last_day` are the days wanted; `last_day` is never later than the last local day that was over when
    the run began. `window` False is the ordinary run: read what changed since the cursor, whatever its day.
    `window` True is an operator's `--from/--to`: read the records of those days again and leave the cursor alone
    (yield batches with cursor None). `spans` are the saved ranges of each log by file identity, in order: a
    connector that reads logs cuts at their edges, so that a repeated range gives the same rows. `open_pauses()`
    gives the source's pauses that have no end yet: dossier -> (ref, begun in microseconds). A source that tells
    only whether a dossier is paused now does not tell which pause has ended. `mailboxes(month_day)` gives
    the stored rows of Mailbox of one of the source's months, or of its last one (None): for who has lost a cursor, or
    reads a corrected list.
    `keys` (only for connectors that offer `keys`) is the run of a reconciliation: read just these records, whatever
    their days, with cursor None and no coverage. What is then not given is not there: a key may be left out only
    if the source has no such record, and a failure to find out must be raised. What belongs to them may come along.
    """

    cursor: Mapping[str, Any] | None
    since: int
    first_day: int
    last_day: int
    window: bool = False
    agencies: frozenset[str] | None = None  # agency codes as the source writes them; None: all
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    keys: Mapping[type[Record], Sequence[str]] | None = None
    open_pauses: Callable[[], Mapping[str, Sequence[tuple[str, int]]]] = dict
    mailboxes: Callable[[int | None], Sequence[Row]] = lambda _month_day: ()


@dataclass(frozen=True, slots=True)
class Covered:
    """The local days `first_day..last_day` of a record class are completely read once the batch is saved."""

    record: type[Record]
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """One record that cannot be used: its key, the field at fault and the reason, without any of its content."""

    record: type[Record]
    key: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are saved in one transaction, with the cursor that is true once they are.

    `rows` holds tuples in the order of `records.columns(record)`, or such columns (`Columnar`). Aim at 10,000 rows.
    `read` counts the items that the source gave for this batch, good and bad. `live`: the rows are as the source has
    them at this moment (a table, not a log or a file), so that of two with the same version the one read last is the
    truth: a clock of seconds gives two changes one version, and a corrected mapping makes another row of the same one.
    """

    rows: Mapping[type[Record], Sequence[Row]]
    cursor: Mapping[str, Any] | None
    covers: Sequence[Covered] = ()
    bad: Sequence[BadRow] = ()
    spans: Sequence[Span] = ()
    read: int = 0
    live: bool = False
    looked_at: Sequence[tuple[type[Record], str]] = ()
    replaces: Sequence["Replaced"] = ()


@dataclass(frozen=True, slots=True)
class Replaced:
    """A range of a log, as `MailboxDay.span` names it, and the local days between which all its rows lie."""

    span: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Days:
    """Local days `first..last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Key:
    """One record as a source lists it: its key, its own day (None: it has none) and a mark that tells its state.

    The mark is either a version, as `fetch` would give it in `changed`; or, from sources that change rows without
    moving a version, `fingerprint` of the row that `fetch` would give; or None: it cannot be told from afar, so
    the record is read again.
    """

    key: str
    day: int | None
    mark: int | str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A block of what a source has of one record class on the days asked, in any order, each key once.

    The days of a record without days of its own are those of its parent; a record class without any is listed
    whole. `whole`: with this block all of the record class has been listed, and the source says so (a last page, an end
    mark, a count that agrees). Only then are stored records that were not listed looked for by their keys, and only
    if they are not found either, taken for gone. A connector never lists less than it was asked for.
    """

    record: type[Record]
    keys: Sequence[Key]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `check --live`. `unproved`: it may well be so, but nothing shows it."""

    stage: str
    result: Literal["ok", "unproved", "failed"]
    says: str
    mend: str = ""


class Connector(Protocol):
    """The names that a connector module has. `door` is a Files, Rows or Pages, as its kind says."""

    Config: type[BaseModel]
    DOORS: Sequence[str]
    RECORDS: Sequence[type[Record]]

    def probe(self, config: Any, door: Any) -> Iterator[Finding]:
        """Yield findings, stage by stage; raise what the door raises. Nothing is ever written to find out."""

    def fetch(self, config: Any, door: Any, want: Want) -> Iterator[Batch]:
        """Yield batches until nothing is left; the last one carries what the run has covered."""


Forget = Callable[[Mapping[str, Any], int], Mapping[str, Any]]
"""`forget` of a connector that has it: (cursor, a month's first day) -> the cursor without that month's pseudonyms."""


def forget_of(connector: Connector) -> Forget | None:
    """Return the `forget` of a connector; None if its cursor holds no pseudonyms."""
    found: Forget | None = getattr(connector, "forget", None)
    return found


def offered(connector: Connector, config: Any) -> Sequence[type[Record]]:
    """Return the record classes that a source with this configuration has; figures wait for these to be covered."""
    offers: Callable[[Any], Sequence[type[Record]]] | None = getattr(connector, "offers", None)
    return connector.RECORDS if offers is None else offers(config)


ListKeys = Callable[[Any, Any, Days], Iterator[Listed]]
"""`keys` of a connector that offers it: (config, door, days) -> blocks."""


def keys_of(connector: Connector) -> ListKeys | None:
    """Return the `keys` of a connector; None if it offers none."""
    return getattr(connector, "keys", None)


def fingerprint(record: type[Record], row: Row) -> str:
    """Return a digest of all that a row says but its version: the same for two rows that are equal in all else."""
    at = columns(record).index("changed")
    return blake2b(repr((*row[:at], *row[at + 1 :])).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
