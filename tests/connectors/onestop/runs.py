"""Runs of the connector through the real doors, and what a store would keep of their batches."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from collector.contract.connector import Batch, Row, Want
from collector.contract.door import Files, Pages
from collector.contract.records import Dossier, DossierEvent, Procedure, Record, columns
from collector.transports import Run, folder, http
from connectors.onestop import dvcqg
from tests.connectors.onestop.national_service_double import DOSSIERS, PROCEDURES, TOKEN, Service

BEGAN = 1_772_326_800  # 2026-03-01T08:00:00+07:00
SINCE, YESTERDAY = 20251231, 20260228


def want(cursor: Mapping[str, Any] | None = None, **changes: Any) -> Want:
    asked: dict[str, Any] = {"cursor": cursor, "since": SINCE, "first_day": SINCE, "last_day": YESTERDAY}
    return Want(**asked | changes)


def window(first_day: int, last_day: int, agencies: frozenset[str] | None = None) -> Want:
    return want(first_day=first_day, last_day=last_day, window=True, agencies=agencies)


def run(began: int = BEGAN) -> Run:
    def nobody(address: str, day: int) -> str:
        raise AssertionError("a dossier has no mail address")

    return Run("one-stop", began, 60.0, 1_000_000, nobody)


@contextmanager
def service_door(service: Service, token: str = TOKEN, began: int = BEGAN) -> Iterator[Pages]:
    options = http.Options(base_url=service.address, token=SecretStr(token), tries=1)
    with http.open_door(options, run(began)) as door:
        yield door


@contextmanager
def folder_door(path: Path, began: int = BEGAN) -> Iterator[Files]:
    with folder.open_door(folder.Options(path=path), run(began)) as door:
        yield door


def pages_config(catalogue: bool = False, **changes: Any) -> dvcqg.Config:
    """A configuration for the double; keys of `pages` and of the whole may be given alike."""
    whole = {name: changes.pop(name) for name in list(changes) if name in dvcqg.Config.model_fields}
    block: dict[str, Any] = {"pages": {"path": DOSSIERS, "changed_from": "updatedFrom", **changes}}
    if catalogue:
        block["catalogue"] = {"path": PROCEDURES}
    return dvcqg.Config.model_validate(block | whole)


def fetched(service: Service, config: dvcqg.Config, wanted: Want, began: int = BEGAN) -> list[Batch]:
    with service_door(service, began=began) as door:
        return list(dvcqg.fetch(config, door, wanted))


def rows(batches: Sequence[Batch], record: type[Record]) -> list[Row]:
    return [row for batch in batches for row in batch.rows.get(record, ())]


def kept(every: Sequence[Row]) -> dict[str, Row]:
    """What a store keeps: the greatest version of each key; on a tie any fixed rule, here the greater text."""
    found: dict[str, Row] = {}
    for row in every:
        other = found.get(row[0])
        if other is None or (row[2], repr(row)) > (other[2], repr(other)):
            found[row[0]] = row
    return found


def store_of(batches: Sequence[Batch]) -> dict[str, dict[str, Row]]:
    return {record.NAME: kept(rows(batches, record)) for record in (Dossier, DossierEvent, Procedure)}


def named(record: type[Record], row: Row) -> dict[str, Any]:
    return dict(zip(columns(record), row, strict=True))
