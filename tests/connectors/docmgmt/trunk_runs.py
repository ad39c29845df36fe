"""Runs of the trunk connector through the real doors, and what a store would keep of their batches."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from collector.contract.connector import Batch, Row, Want
from collector.contract.door import Files, Pages
from collector.contract.records import Delivery, Document, Record, columns
from collector.store import merge
from collector.transports import Run, folder, http
from connectors.docmgmt import trunk
from tests.connectors.docmgmt.trunk_double import APPLICATION, PASSWORD, SECRET, SYSTEM, USER, Trunk

BEGAN = 1_772_326_800  # 2026-03-01T08:00:00+07:00
SINCE, YESTERDAY = 20251231, 20260228
INSIDE = ["H44.", ".H44"]


def want(cursor: Mapping[str, Any] | None = None, **changes: Any) -> Want:
    asked: dict[str, Any] = {"cursor": cursor, "since": SINCE, "first_day": SINCE, "last_day": YESTERDAY}
    return Want(**asked | changes)


def window(first_day: int, last_day: int, agencies: frozenset[str] | None = None) -> Want:
    return want(first_day=first_day, last_day=last_day, window=True, agencies=agencies)


def run(began: int = BEGAN) -> Run:
    def nobody(address: str, day: int) -> str:
        raise AssertionError("a document has no mail address")

    return Run("trunk", began, 60.0, 1_000_000, nobody)


@contextmanager
def folder_door(path: Path, began: int = BEGAN) -> Iterator[Files]:
    with folder.open_door(folder.Options(path=path), run(began)) as door:
        yield door


def folder_config(**changes: Any) -> trunk.Config:
    """A configuration for a folder; keys of `messages` and of the whole may be given alike."""
    whole = {name: changes.pop(name) for name in list(changes) if name in trunk.Config.model_fields}
    return trunk.Config.model_validate({"messages": changes, "inside": INSIDE} | whole)


def fetched(path: Path, wanted: Want | None = None, began: int = BEGAN, **changes: Any) -> list[Batch]:
    with folder_door(path, began) as door:
        return list(trunk.fetch(folder_config(**changes), door, wanted or want()))


@contextmanager
def trunk_door(server: Trunk, began: int = BEGAN, tries: int = 1, **changes: Any) -> Iterator[Pages]:
    options = http.Options(base_url=server.address, tries=tries)
    with http.open_door(options, replace(run(began), **changes)) as door:
        yield door


def received_config(**changes: Any) -> trunk.Config:
    """A configuration for the province's trunk; keys of `received` and of the whole may be given alike."""
    whole = {name: changes.pop(name) for name in list(changes) if name in trunk.Config.model_fields}
    login = {"user": USER, "password": PASSWORD, "application": APPLICATION}
    identity = {"system_id": SYSTEM, "secret_key": SECRET, "inside": INSIDE}
    return trunk.Config.model_validate({"received": changes, "login": login} | identity | whole)


def sent_config(**changes: Any) -> trunk.Config:
    """A configuration for VXP; keys of `sent` and of the whole may be given alike."""
    whole = {name: changes.pop(name) for name in list(changes) if name in trunk.Config.model_fields}
    return trunk.Config.model_validate(
        {"sent": changes, "system_id": SYSTEM, "secret_key": SECRET, "inside": INSIDE} | whole
    )


def asked(server: Trunk, config: trunk.Config, wanted: Want | None = None, began: int = BEGAN) -> list[Batch]:
    with trunk_door(server, began) as door:
        return list(trunk.fetch(config, door, wanted or want()))


def rows(batches: Sequence[Batch], record: type[Record]) -> list[Row]:
    return [row for batch in batches for row in batch.rows.get(record, ())]


def kept(batches: Sequence[Batch], record: type[Record]) -> dict[str, Row]:
    """What a store keeps, by the store's own rule."""
    return {row[0]: row for row in merge.newest(record, rows(batches, record))}


def store_of(batches: Sequence[Batch]) -> dict[str, dict[str, Row]]:
    return {record.NAME: kept(batches, record) for record in (Document, Delivery)}


def unversioned(batches: Sequence[Batch]) -> dict[str, list[Row]]:
    """What a store keeps but for the versions, which tell when it was read."""
    return {
        name: sorted(((*row[:2], *row[3:]) for row in found.values()), key=str)
        for name, found in store_of(batches).items()
    }


def named(batches: Sequence[Batch], record: type[Record], key: str) -> dict[str, Any]:
    return dict(zip(columns(record), kept(batches, record)[key], strict=True))


def covered(batches: Sequence[Batch]) -> list[tuple[str, int, int]]:
    return sorted((one.record.NAME, one.first_day, one.last_day) for batch in batches for one in batch.covers)


def quarantined(batches: Sequence[Batch]) -> list[tuple[str, str]]:
    return [(one.key, one.field) for batch in batches for one in batch.bad]
