"""Transports: each opens one kind of door, read-only, with deadline, request budget, retries and pseudonyms.

A kind is loaded when it is first asked for: the libraries of SSH and HTTP alone would double what every command needs
to start, whether it reads from there or not.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

from collector.contract.door import Files, Pages, Rows
from collector.transports.run import Run

__all__ = ["OPTIONS", "Run", "open_door"]

_KINDS = ("folder", "ssh", "http", "sql")


def _transport(kind: str) -> Any:
    """The module of a kind of door; KeyError if there is none."""
    match kind:
        case "folder":
            from collector.transports import folder

            return folder
        case "ssh":
            from collector.transports import ssh

            return ssh
        case "http":
            from collector.transports import http

            return http
        case "sql":
            from collector.transports import sql

            return sql
    raise KeyError(kind)


class _Options(Mapping[str, type[BaseModel]]):
    def __getitem__(self, kind: str) -> type[BaseModel]:
        options: type[BaseModel] = _transport(kind).Options
        return options

    def __iter__(self) -> Iterator[str]:
        return iter(_KINDS)

    def __len__(self) -> int:
        return len(_KINDS)


OPTIONS: Mapping[str, type[BaseModel]] = _Options()
"""The model of a source's `door:` block, by its `kind`."""


@contextmanager
def open_door(options: BaseModel, run: Run) -> Iterator[Files | Rows | Pages]:
    """Open the door that belongs to the options; it is closed when the block is left.

    Raises AccessDenied, TryAgain and WrongUse as the transport does; nothing is asked of a source before it must.
    """
    kind = getattr(options, "kind", "")
    if kind not in OPTIONS or not isinstance(options, OPTIONS[kind]):
        raise TypeError(f"{type(options).__name__} belongs to no kind of door")
    with _transport(kind).open_door(options, run) as door:
        yield door
