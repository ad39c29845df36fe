"""Runs of the OpenCPS connector through the real door, against the double."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from collector.contract.connector import Batch, Row, Want
from collector.contract.door import Pages
from collector.contract.period import local_day, plus_days
from collector.contract.records import Dossier, DossierEvent
from collector.transports import http
from connectors.onestop import opencps
from tests.connectors.onestop.opencps_double import GROUP, PASSWORD, USER, Deed, OpenCPS, at
from tests.connectors.onestop.runs import named, rows, run

A, B, C = "000.00.02.H44", "000.00.03.H44", "000.00.04.H44"
SINCE = 20260101


def config(**changes: Any) -> opencps.Config:
    return opencps.Config.model_validate({"group_id": GROUP, "agencies": [A, B], **changes})


def filed(number: int, when: int, agency: str = A, **facts: Any) -> Deed:
    return Deed(when, number, "file", facts={"agency": agency, **facts})


def received(number: int, day: int, due: int | None, agency: str = A, **facts: Any) -> list[Deed]:
    """A dossier filed and received on a morning, due on an afternoon."""
    return [
        filed(number, at(day, 8), agency, **facts),
        Deed(at(day, 9), number, "receive", due=None if due is None else at(due, 17)),
    ]


def each_agency(first: int = 9_001, day: int = 20260102) -> list[Deed]:
    """A dossier of each agency that the configuration names, so that all are seen."""
    return [deed for offset, code in enumerate((A, B)) for deed in received(first + offset, day, 20260601, code)]


@contextmanager
def door(double: OpenCPS, began: int | None = None, **changes: Any) -> Iterator[Pages]:
    login: dict[str, Any] = {"user": USER, "password": SecretStr(PASSWORD)}
    options = http.Options(**{"base_url": double.address, "tries": 1, **login, **changes})
    with http.open_door(options, run(double.now if began is None else began)) as opened:
        yield opened


def wanted(double: OpenCPS, cursor: Mapping[str, Any] | None = None, **changes: Any) -> Want:
    last = plus_days(local_day(double.now), -1)
    asked: dict[str, Any] = {"cursor": cursor, "since": SINCE, "first_day": SINCE, "last_day": last}
    return Want(**asked | changes)


class Watcher:
    """A collector that runs again and again: what it kept, and its cursor."""

    def __init__(self, double: OpenCPS, told: opencps.Config | None = None) -> None:
        self.double = double
        self.config = told or config()
        self.cursor: Mapping[str, Any] | None = None
        self.batches: list[Batch] = []
        self.dossiers: dict[str, Row] = {}
        self.events: dict[str, Row] = {}

    def run(self, to: int | None = None, **changes: Any) -> list[Batch]:
        """Move the clock, then read. What is kept is what a store would keep of live rows."""
        if to is not None:
            self.double.move_clock(to)
        want = wanted(self.double, None if changes.get("window") else self.cursor, **changes)
        want = Want(**{name: getattr(want, name) for name in want.__slots__} | {"open_pauses": self.open_pauses})
        self.batches = []
        with door(self.double) as opened:
            for batch in opencps.fetch(self.config, opened, want):
                self.batches.append(batch)
                assert batch.live
                for record, known in ((Dossier, self.dossiers), (DossierEvent, self.events)):
                    for row in batch.rows.get(record, ()):
                        if row[0] not in known or row[2] >= known[row[0]][2]:
                            known[row[0]] = row
                self.cursor = batch.cursor or self.cursor
        return self.batches

    def open_pauses(self) -> dict[str, list[tuple[str, int]]]:
        """The pauses that have begun and not ended."""
        found: dict[str, list[tuple[str, int]]] = {}
        for key, row in self.events.items():
            if row[5] == "pause_begun" and key.replace("|begun|", "|ended|") not in self.events:
                found.setdefault(row[4], []).append((row[6], row[7]))
        return found

    def dossier(self, number: int) -> dict[str, Any]:
        """A dossier as it is kept."""
        return named(Dossier, self.dossiers[str(number)])

    def promises(self, number: int) -> list[tuple[int, str]]:
        """The due days of a dossier in the order of their promise, with their basis."""
        own = [row for row in self.events.values() if row[4] == str(number) and row[5] == "due_promised"]
        return [(row[8], row[9]) for row in sorted(own, key=lambda row: row[7])]

    def pauses(self, number: int) -> list[tuple[str, int]]:
        """The begins and ends of a dossier's pauses in order."""
        own = [row for row in self.events.values() if row[4] == str(number) and row[5] != "due_promised"]
        return [(row[5].removeprefix("pause_"), row[8]) for row in sorted(own, key=lambda row: (row[7], row[5]))]

    @property
    def asked(self) -> list[dict[str, str]]:
        """The parameters of all questions."""
        return [question for _, _, question in self.double.requests]


def covered(batches: list[Batch]) -> list[tuple[str, int, int]]:
    return sorted((one.record.NAME, one.first_day, one.last_day) for batch in batches for one in batch.covers)


def keys(batches: list[Batch]) -> list[int]:
    return sorted({int(row[0]) for row in rows(batches, Dossier)})
