"""What a connector module offers, and what passes between it and the engine.

A connector is a module found by its place: `connectors/<family>/<name>.py` is `<family>.<name>`. It needs no base
class and no registration. A module satisfies the `Connector` protocol by having these names:

  Config    a pydantic model of the `config:` block of a source, each field with description and example
  DOORS     the kinds of door that it can walk through: "folder", "ssh", "sql", "http"
  RECORDS   the record classes that it yields
  probe     a few findings for `check --live`: reach, log in, allowed to read, one page, clock skew, read-only
  fetch     batches of rows
  offers    optional: those of RECORDS that a source with a given configuration has; without it, all

`fetch` must be honest about order: cutting, repeating or permuting what it reads ends in the same store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from collector.contract.records import Record

Row = tuple[Any, ...]


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
    connector that reads logs cuts at their edges, so that a repeated range gives the same rows.
    """

    cursor: Mapping[str, Any] | None
    since: int
    first_day: int
    last_day: int
    window: bool = False
    agencies: frozenset[str] | None = None  # agency codes as the source writes them; None: all
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)


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

    `rows` holds tuples in the order of `records.columns(record)`. Aim at 10,000 rows. `read` counts the items
    that the source gave for this batch, good and bad.
    """

    rows: Mapping[type[Record], Sequence[Row]]
    cursor: Mapping[str, Any] | None
    covers: Sequence[Covered] = ()
    bad: Sequence[BadRow] = ()
    spans: Sequence[Span] = ()
    read: int = 0


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


def offered(connector: Connector, config: Any) -> Sequence[type[Record]]:
    """Return the record classes that a source with this configuration has; figures wait for these to be covered."""
    offers: Callable[[Any], Sequence[type[Record]]] | None = getattr(connector, "offers", None)
    return connector.RECORDS if offers is None else offers(config)
