"""What a door offers a connector. A door is opened read-only by a transport and handed in by the engine.

Every door knows the name of its source, the moment at which its run began, and how to make a pseudonym. It keeps
the deadline, the request budget, time-outs and retries; a connector never sleeps, retries or opens anything.
Doors raise TryAgain, AccessDenied and UnexpectedAnswer with source and stage already filled in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from collector.contract.errors import WrongUse

if TYPE_CHECKING:  # a connector that reads files needs no database library
    from sqlalchemy import Select

JSON = dict[str, Any] | list[Any] | str | int | float | bool | None


class Door(Protocol):
    """What all doors have in common."""

    @property
    def source(self) -> str:
        """The name of the source, as configured."""

    @property
    def began(self) -> int:
        """The instant (epoch seconds) at which this run began."""

    def pseudonym(self, address: str, day: int) -> str:
        """Return the pseudonym of a mail address under the key of the calendar month of a local day.

        32 hexadecimal digits: HMAC-SHA256, cut, of the address in lower case; the same for all sources.
        """


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A regular file in the folder: name relative to it, size in bytes, modified in epoch seconds."""

    name: str
    size: int
    modified: int


class Files(Door, Protocol):
    """A folder, here or on another host, without subfolders. Kinds: `folder`, `ssh`."""

    def list(self, pattern: str) -> Sequence[FileEntry]:
        """Return the regular files whose names match a shell pattern, sorted by name."""

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes `[start, end)` of a file in blocks of at most 1 MiB; fewer if the file is shorter."""


class Rows(Door, Protocol):
    """A database. Kind: `sql`. Each statement runs in a read-only transaction of its own."""

    def rows(self, statement: "Select[Any]") -> Sequence[tuple[Any, ...]]:
        """Run one bounded SELECT and return all its rows as tuples."""

    def columns(self, table: str, schema: str | None) -> Sequence[str]:
        """Return the column names of a table or view; empty if there is no such table."""

    def proof_of_read_only(self) -> str | None:
        """Return, in words, what proves that the account cannot write (grants or settings); None if nothing does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of an HTTP source: the decoded JSON body and the server's own clock (epoch seconds, or None)."""

    body: JSON
    server_time: int | None


class Pages(Door, Protocol):
    """An HTTP service. Kind: `http`. Only paths that `allow` named can be asked."""

    def allow(
        self,
        method: str,
        path: str,
        fault: Callable[[JSON], bool] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Name a verb (GET, or POST where a question is asked by POST) and path that may be asked.

        `headers` go with each of these questions: what the service wants to be told there, such as a site's number.
        `fault` tells of the JSON body of a 500 whether it is the service's own word on the question: then it is
        returned like an answer, and not asked again. Any other 500 is TryAgain; so is what `fault` raises as such.
        """

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """Ask a path with GET and return the decoded answer."""

    def post(
        self, path: str, question: JSON, *, once: bool = False, parameters: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask a path with POST, for services that take their question as a JSON body (None: no body at all).

        `once`: never asked again by itself, not even if the answer got lost: a login, which may lock the account.
        `parameters` stand in the address beside the body.
        """

    def blocks(self, path: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Ask a path with GET and yield the answer's bytes as they come, unpacked, undecoded and without a limit.

        For what may be larger than the memory: the connector keeps little of it, and stops when it has had enough.
        A `fault` counts for nothing here.
        """


def wrong_door(door: Door, part: str, kind: str, parts: str) -> WrongUse:
    """Return what to raise where `part` of a connector's configuration cannot be read through the door it was given.

    `kind`: the kinds of door that it needs; `parts`: what could be configured instead.
    """
    return WrongUse(
        f"`{part}` cannot be read through this door",
        source=door.source,
        stage="configuration",
        field=part,
        mend=f"Set the door's kind to {kind}, or configure {parts}",
    )
