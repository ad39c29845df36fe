"""The daemon compares each source with the store once a day, and shows what differed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import structlog

from collector.assembly import Assembly, assemble
from collector.clock import fixed_clock
from collector.contract.period import day_start
from collector.daemon import Daemon
from tests.daemon.conftest import Place

READ_ON = day_start(20260301) + 8 * 3600


@pytest.fixture
def daemon(place: Place) -> Iterator[Daemon]:
    with assemble(place.config, {}) as one:
        yield Daemon(one, one.model())


def later(daemon: Daemon, seconds: int) -> None:
    assembly: Assembly = replace(daemon.assembly, clock=fixed_clock(READ_ON + seconds))
    daemon.assembly = assembly


def shown(daemon: Daemon) -> dict[str, float]:
    return {
        line.split(" ")[0]: float(line.split(" ")[1])
        for line in daemon.vitals.render().plain.decode().splitlines()
        if line.startswith("ict_reconcile_")
    }


VANISHED = 'ict_reconcile_difference_records{kind="vanished",record="document",source="documents"}'
WHEN = 'ict_reconcile_last_success_timestamp_seconds{source="documents"}'


def test_a_source_is_compared_a_day_after_it_was_first_read_and_then_daily(daemon: Daemon, place: Place) -> None:
    with closing(sqlite3.connect(place.folder / "documents.sqlite")) as connection, connection:
        connection.execute('DELETE FROM "Văn bản" WHERE "Mã văn bản" IN (SELECT "Mã văn bản" FROM "Văn bản" LIMIT 2)')
    later(daemon, 86_399)
    daemon.tick("documents")
    assert shown(daemon) == {}
    later(daemon, 86_400)
    with structlog.testing.capture_logs() as told:
        daemon.tick("documents")
    assert shown(daemon)[VANISHED] == 2
    assert shown(daemon)[WHEN] == READ_ON + 86_400
    assert [(one["event"], one["document_vanished"]) for one in told] == [("differed from the store", 2)]
    later(daemon, 2 * 86_400 - 1)
    daemon.tick("documents")
    assert shown(daemon)[VANISHED] == 2
    later(daemon, 2 * 86_400)
    daemon.tick("documents")
    assert shown(daemon)[VANISHED] == 0


def test_what_cannot_be_believed_is_told_and_the_source_stays_up(daemon: Daemon, place: Place) -> None:
    with closing(sqlite3.connect(place.folder / "documents.sqlite")) as connection, connection:
        connection.execute('DELETE FROM "Văn bản"')
    later(daemon, 86_400)
    with structlog.testing.capture_logs() as told:
        daemon.tick("documents")
    (one,) = told
    assert (one["event"], one["source"], one["field"]) == ("not compared", "documents", "document")
    assert "--allow-vanished" in one["mend"]
    assert 'ict_source_up{source="documents"} 1.0' in daemon.vitals.render().plain.decode()
    assert shown(daemon) == {}


def test_never_is_never_and_a_source_without_keys_is_left_alone(daemon: Daemon, place: Place) -> None:
    sources: dict[str, Any] = dict(daemon.assembly.settings.sources)
    sources["documents"] = replace(sources["documents"], reconcile=None)
    daemon.assembly = replace(daemon.assembly, settings=replace(daemon.assembly.settings, sources=sources))
    later(daemon, 3 * 86_400)
    daemon.tick("documents")
    daemon.tick("mail")
    assert shown(daemon) == {}
