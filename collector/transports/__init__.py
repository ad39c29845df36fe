"""Transports: each opens one kind of door, read-only, with deadline, request budget, retries and pseudonyms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import BaseModel

from collector.contract.door import Files, Pages, Rows
from collector.transports import folder, http, sql, ssh
from collector.transports.run import Run

__all__ = ["OPTIONS", "Run", "open_door"]

OPTIONS: Mapping[str, type[BaseModel]] = {
    "folder": folder.Options,
    "ssh": ssh.Options,
    "http": http.Options,
    "sql": sql.Options,
}
"""The model of a source's `door:` block, by its `kind`."""


@contextmanager
def open_door(options: BaseModel, run: Run) -> Iterator[Files | Rows | Pages]:
    """Open the door that belongs to the options; it is closed when the block is left.

    Raises AccessDenied, TryAgain and WrongUse as the transport does; nothing is asked of a source before it must.
    """
    match options:
        case folder.Options():
            with folder.open_door(options, run) as files:
                yield files
        case ssh.Options():
            with ssh.open_door(options, run) as files:
                yield files
        case sql.Options():
            with sql.open_door(options, run) as rows:
                yield rows
        case http.Options():
            with http.open_door(options, run) as pages:
                yield pages
        case _:
            raise TypeError(f"{type(options).__name__} belongs to no kind of door")
