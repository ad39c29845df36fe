"""A real Roundup read by a mapping of its fields alone: each dossier is its clerk's, whatever she does meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import select

from collector.clock import fixed_clock
from collector.collect import Job, Tools, Wanted, collect
from collector.contract.connector import Connector, Days, Want
from collector.contract.door import Pages
from collector.contract.errors import AccessDenied, TryAgain
from collector.contract.period import local_day, plus_days
from collector.contract.records import Dossier, DossierEvent, Procedure
from collector.contract.tables import dossier
from collector.reconcile import reconcile
from collector.store.engine import reading
from connectors.onestop import rest_register
from tests.connectors.onestop.roundup_runs import Meanwhile, door, mapping
from tests.connectors.onestop.runs import named, rows, store_of, want, window
from tests.servers.clock import Clock, at
from tests.servers.roundup import STRANGER, Roundup
from tests.store.small import PLAN, store

A, B = "H44.01", "000.00.02.H44"
ON_TIME = ("dossiers.on_time", "dossiers.on_time_due", "dossiers.online")


def utc(instant: int) -> str:
    """A time as Roundup takes it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d.%H:%M:%S")


def day(value: int, hour: int = 9) -> str:
    return utc(at(value, hour))


@pytest.fixture(scope="module")
def tracker(roundup: Callable[..., tuple[Roundup, Clock]]) -> tuple[Roundup, Clock]:
    return roundup([A, B], at(20260202, 8))


def facts(number: str, **others: Any) -> dict[str, Any]:
    told = {"number": number, "agency": A, "procedure": "1.000001.000.00.00.H44", "channel": "counter", "level": 4}
    return {**told, "citizen": "Nguyễn Văn A", "status": "new", "received": day(20260202), **others}


# --- each status --------------------------------------------------------------------------------------------------

DUE = {"due": day(20260210, 17)}
STATES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "new": (DUE, {"outcome": "open", "received_day": 20260202}),
    "processing": ({**DUE, "channel": "web"}, {"outcome": "open", "channel": "online"}),
    "ready": (
        {**DUE, "completed": day(20260205, 0), "channel": "post"},
        {"outcome": "completed", "completed_day": 20260205, "channel": "post", "returned_day": None},
    ),
    "returned": (
        {**DUE, "completed": day(20260205, 23), "returned": day(20260206)},
        {"outcome": "completed", "completed_day": 20260205, "returned_day": 20260206},
    ),
    "refused": (
        {**DUE, "completed": day(20260205), "refused": day(20260205)},
        {"outcome": "refused_after", "completed_day": 20260205},
    ),
    "denied": (
        {"refused": day(20260203)},
        {"outcome": "refused_at_intake", "received_day": None, "ended_day": 20260203, "completed_day": None},
    ),
    "withdrawn": (
        {**DUE, "completed": day(20260204)},
        {"outcome": "withdrawn", "ended_day": 20260204, "completed_day": None},
    ),
    "stopped": ({**DUE, "completed": day(20260204)}, {"outcome": "stopped", "ended_day": 20260204}),
    "waiting": ({**DUE, "asked": day(20260203)}, {"outcome": "open"}),
}


def test_each_status_is_the_dossier_that_the_clerk_sees(tracker: tuple[Roundup, Clock]) -> None:
    server, clock = tracker
    filed = {state: server.file(**facts(f"S-{state}", status=state, **told)) for state, (told, _) in STATES.items()}
    with door(server, clock.now) as opened:
        batches = list(rest_register.fetch(mapping(), opened, want(last_day=20260201)))
    found = {row[0]: named(Dossier, row) for row in rows(batches, Dossier)}
    for state, (_, expected) in STATES.items():
        one = found[f"S-{state}"]
        same = {"agency_code": A, "procedure": "1.000001", "removed": 0, "source_status": state}
        assert one | same | expected == one, state
    events = {row[0]: row for row in rows(batches, DossierEvent)}
    assert events["S-new|due|20260210"][8:] == (20260210, "first")
    begun = [row for key, row in events.items() if key.startswith("S-waiting|begun")]
    assert [(row[8], row[3]) for row in begun] == [(20260203, 0)]
    (level,) = rows(batches, Procedure)
    assert (level[4], level[5], level[6]) == ("1.000001", "full", 20260202)
    assert "Nguyễn" not in repr(batches)
    for id_ in filed.values():
        server.retire(id_)


def test_what_the_clerk_empties_is_empty_and_a_moved_due_date_keeps_the_first(tracker: tuple[Roundup, Clock]) -> None:
    server, clock = tracker
    id_ = server.file(**facts("M-1", **DUE, status="ready", completed=day(20260203)))
    config, cursor, batches = mapping(), None, []
    for step in ({}, {"status": "processing", "completed": None, "due": day(20260220, 17)}):
        if step:
            clock.move(clock.now + 86_400 * 3)
            server.change(id_, **step)
        with door(server, clock.now) as opened:
            batches += list(rest_register.fetch(config, opened, want(cursor, last_day=20260201)))
        cursor = batches[-1].cursor
    kept = store_of(batches)
    one = named(Dossier, kept["dossier"]["M-1"])
    assert (one["completed_day"], one["outcome"], one["due_day"]) == (None, "open", 20260220)
    promises = sorted((row[7], row[8], row[9]) for key, row in kept["dossier_event"].items() if "M-1|due" in key)
    assert [(due, basis) for _, due, basis in promises] == [(20260210, "first"), (20260220, "current")]
    server.retire(id_)


# --- written to while it is read ----------------------------------------------------------------------------------


@dataclass
class Clerk:
    """She files, changes, retires and restores dossiers at random, and keeps a book of it."""

    server: Roundup
    clock: Clock
    random: Random = field(default_factory=lambda: Random(20260209))
    book: dict[str, dict[str, Any]] = field(default_factory=dict)
    retired: dict[str, dict[str, Any]] = field(default_factory=dict)
    filed: int = 0

    def today(self) -> int:
        return local_day(self.clock.now)

    def file(self) -> None:
        self.filed += 1
        today = self.today()
        one: dict[str, Any] = {
            "number": f"W-{self.filed}",
            "agency": self.random.choice([A, B]),
            "channel": self.random.choice(["counter", "web", "post"]),
            "received": today,
            "due": plus_days(today, self.random.randrange(0, 4)),
            "ended": None,
            "status": "new",
        }
        told = facts(one["number"], agency=one["agency"], channel=one["channel"])
        told |= {"received": day(today), "due": day(one["due"], 17)}
        self.book[self.server.file(**told)] = one

    def end(self) -> None:
        id_, one = self._one(lambda one: one["ended"] is None)
        status = self.random.choice(["ready", "ready", "ready", "withdrawn"])
        one |= {"status": status, "ended": self.today()}
        self.server.change(id_, status=status, completed=day(self.today(), 10))

    def take_back(self) -> None:
        id_, one = self._one(lambda one: one["ended"] is not None)
        one |= {"status": "processing", "ended": None}
        self.server.change(id_, status="processing", completed=None)

    def retire(self) -> None:
        id_ = self.random.choice(sorted(self.book))
        self.retired[id_] = self.book.pop(id_)
        self.server.retire(id_)

    def restore(self) -> None:
        if self.retired:
            id_ = self.random.choice(sorted(self.retired))
            self.book[id_] = self.retired.pop(id_)
            self.server.restore(id_)

    def deed(self) -> None:
        """Do something, some seconds after what was done before."""
        self.clock.move(self.clock.now + self.random.randrange(3))
        deeds = (self.file, self.file, self.end, self.end, self.take_back, self.retire, self.restore)
        self.random.choice(deeds)()

    def _one(self, fits: Callable[[dict[str, Any]], bool]) -> tuple[str, dict[str, Any]]:
        fitting = sorted(id_ for id_, one in self.book.items() if fits(one)) or sorted(self.book)
        id_ = self.random.choice(fitting)
        return id_, self.book[id_]

    def figures(self) -> dict[tuple[str, str, int], tuple[int, int]]:
        """Hits and judged by indicator, agency and day, counted from the book."""
        found: dict[tuple[str, str, int], list[int]] = {}

        def count(indicator: str, one: dict[str, Any], when: int, *, hit: bool) -> None:
            three = found.setdefault((indicator, {A: "H44.01", B: "H44.02"}[one["agency"]], when), [0, 0])
            three[0] += hit
            three[1] += 1

        for one in self.book.values():
            completed = one["ended"] if one["status"] == "ready" else None
            in_time = completed is not None and completed <= one["due"]
            count("dossiers.online", one, one["received"], hit=one["channel"] == "web")
            if completed is not None:
                count("dossiers.on_time", one, completed, hit=in_time)
            if not (one["status"] == "withdrawn" and one["ended"] <= one["due"]):
                count("dossiers.on_time_due", one, one["due"], hit=in_time)
        return {cell: (three[0], three[1]) for cell, three in found.items()}


def test_every_figure_is_the_clerks_though_she_never_rests(tracker: tuple[Roundup, Clock], tmp_path: Path) -> None:
    server, clock = tracker
    clerk = Clerk(server, clock)
    engine, register = store(tmp_path)
    asked: list[Any] = []
    busy = True

    @contextmanager
    def open_door(began: int) -> Iterator[Pages]:
        with door(server, began) as opened:
            watched = Meanwhile(opened, clerk.deed if busy else lambda: None)
            asked.extend([watched.asked])
            yield cast(Pages, watched)

    job = Job("tracker", cast(Connector, rest_register), mapping(page_size=3), 20260201, open_door)
    clock.move(at(20260209, 8))
    for _ in range(30):
        clock.move(clock.now + 1)
        clerk.file()
    for night in (20260209, 20260210, 20260211, 20260212):
        clock.move(at(night, 20))
        now = fixed_clock(clock.now)
        tools = Tools(engine, register, PLAN, now, now, "test")
        done = collect(job, tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None)
        assert (done.failure, done.saved.quarantined) == (None, 0)
    busy = False
    clock.move(at(20260213, 1))
    now = fixed_clock(clock.now)
    tools = Tools(engine, register, PLAN, now, now, "test")
    compared = reconcile(job, tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None)
    assert compared.failure is None
    assert sum(map(len, asked)) > 30
    assert clerk.retired

    with reading(engine) as connection:
        shown = select(dossier.c.key, dossier.c.agency, dossier.c.completed_day, dossier.c.outcome)
        stored = {row.key: tuple(row)[1:] for row in connection.execute(shown.where(dossier.c.removed == 0))}
    outcomes = {"ready": "completed", "withdrawn": "withdrawn"}
    assert stored == {
        one["number"]: (
            {A: "H44.01", B: "H44.02"}[one["agency"]],
            one["ended"] if one["status"] == "ready" else None,
            outcomes.get(one["status"], "open"),
        )
        for one in clerk.book.values()
    }
    found = {}
    with reading(engine) as connection:
        for wide in PLAN.wide:
            for one in (one for one in wide.indicators if one.id in ON_TIME):
                parts = [wide.table.c[f"{one.column}_{part}"] for part in ("hits", "judged", "unknown")]
                for agency, when, hits, judged, unknown in connection.execute(
                    select(wide.table.c.agency, wide.table.c.day, *parts)
                ):
                    assert unknown == 0
                    if judged:
                        found[one.id, agency, when] = hits, judged
    assert found == clerk.figures()


# --- rights and limits --------------------------------------------------------------------------------------------


def test_who_may_not_look_is_told_so(tracker: tuple[Roundup, Clock]) -> None:
    server, clock = tracker
    for login in ({"password": "wrong"}, {"user": STRANGER}):
        with door(server, clock.now, **login) as opened, pytest.raises(AccessDenied):
            list(rest_register.fetch(mapping(), opened, want()))


def test_too_many_questions_wait_as_long_as_the_service_wishes(roundup: Callable[..., tuple[Roundup, Clock]]) -> None:
    server, clock = roundup([A], at(20260202, 8), calls_a_minute=2)
    with door(server, clock.now) as opened, pytest.raises(TryAgain) as told:
        list(chain.from_iterable(rest_register.fetch(mapping(), opened, want()) for _ in range(4)))
    assert told.value.after is not None
    assert 0 < told.value.after <= 60


def test_no_dossier_is_no_error_and_covers_the_days(roundup: Callable[..., tuple[Roundup, Clock]]) -> None:
    server, clock = roundup([A], at(20260202, 8))
    with door(server, clock.now) as opened:
        (batch,) = rest_register.fetch(mapping(), opened, want(last_day=20260201))
        assert [one.result for one in rest_register.probe(mapping(), opened)] == ["ok", "unproved", "ok", "unproved"]
        assert not [
            key for block in rest_register.keys(mapping(), opened, Days(20260101, 20260201)) for key in block.keys
        ]
    assert not any(batch.rows.values())
    assert {one.record for one in batch.covers} == {Dossier, DossierEvent, Procedure}
    for number in ("P-1", "P-3"):
        server.file(**facts(number, **DUE))
    with door(server, clock.now) as opened:
        stages = {one.stage: one.result for one in rest_register.probe(mapping(), opened)}
        assert stages == {
            "reach": "ok",
            "read": "ok",
            "shape": "ok",
            "order": "ok",
            "clock": "ok",
            "read-only": "unproved",
        }
        by_hand = list(rest_register.fetch(mapping(), opened, window(20260101, 20260201)))
        chosen = Want(None, 20260101, 20260101, 20260201, window=True, keys={Dossier: ["P-1", "P-2"]})
        by_key = list(rest_register.fetch(mapping(), opened, chosen))
    assert {row[0] for row in rows(by_hand, Dossier)} == {"P-1", "P-3"}
    assert {row[0] for row in rows(by_key, Dossier)} == {"P-1"}
    assert {batch.cursor for batch in by_hand + by_key} == {None}
