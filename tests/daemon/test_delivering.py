"""The daemon tells the receivers: by itself, in time, and says once that one is down and once that it is back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog

from collector import daemon as serving
from collector.assembly import Assembly, assemble
from collector.clock import fixed_clock
from collector.contract.period import day_start
from collector.daemon import Daemon
from collector.store import outbox
from collector.store.engine import reading
from tests.daemon.conftest import Daemon as Process
from tests.daemon.conftest import Place, wait_for
from tests.servers.scoring_service import TOKEN, ScoringService
from tests.sinks.messages import NOW, edition, put

E1, E2 = "H44.2026-01.e1", "H44.2026-01.e2"


@pytest.fixture(scope="module")
def shared_service(scoring_services: Callable[..., ScoringService]) -> ScoringService:
    return scoring_services()


@pytest.fixture
def service(shared_service: ScoringService, place: Place) -> ScoringService:
    """A receiver that the place's configuration names."""
    shared_service.emptied()
    (place.folder / "token").write_text(TOKEN)
    with place.config.open("a", encoding="utf-8") as file:
        file.write(
            f"receivers:\n  scoring: {{url: '{shared_service.url}', token: !file token, open_readings: true}}\n"
            "  other: {url: 'http://127.0.0.1:9'}\n"
        )
    return shared_service


@pytest.fixture
def assembly(place: Place, service: ScoringService) -> Iterator[Assembly]:
    with assemble(place.config, {}) as one:
        yield one


@pytest.fixture
def told() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as logs:
        yield logs


def events(told: list[Any]) -> list[tuple[str, str]]:
    return [(one["event"], one["receiver"]) for one in told]


def vital(daemon: Daemon, name: str) -> str | None:
    lines = daemon.vitals.render().plain.decode().splitlines()
    return next((line.split()[1] for line in lines if line.startswith(f'{name}{{receiver="scoring"}}')), None)


def test_a_receiver_that_is_down_is_told_once_and_its_return_once(
    assembly: Assembly, service: ScoringService, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(serving, "system_clock", lambda: now)
    daemon = Daemon(assembly, assembly.model())
    put(assembly.engine, edition(), edition(number=2))
    service.goes_wrong("503", 3)
    for _ in range(4):  # at its next attempt each time; a minute too early nobody is asked
        daemon.deliver("scoring")
        daemon.deliver("scoring")
        with reading(assembly.engine) as connection:
            now = outbox.standing(connection, "scoring", open_readings=True).next_attempt or now
        if service.applied:
            break
        assert (vital(daemon, "ict_receiver_up"), vital(daemon, "ict_outbox_pending")) == ("0.0", "2.0")
    assert [key for key, _ in service.told] == [E1, E1, E1, E1, E2]
    assert events(told) == [("receiver down", "scoring"), ("receiver back", "scoring"), ("delivered", "scoring")]
    assert "was answered with 503" in told[0]["reason"]
    assert (vital(daemon, "ict_receiver_up"), vital(daemon, "ict_outbox_pending")) == ("1.0", "0.0")
    assert vital(daemon, "ict_outbox_oldest_timestamp_seconds") is None
    # INV-14: what is new reaches it at the next look.
    put(assembly.engine, edition("2026-02"))
    daemon.deliver("scoring")
    assert set(service.effects) == {E1, E2, "H44.2026-02.e1"}


def test_what_will_not_be_taken_is_an_error_and_a_vital(
    assembly: Assembly, service: ScoringService, told: list[Any]
) -> None:
    daemon = Daemon(assembly, assembly.model())
    put(assembly.engine, edition())
    service.goes_wrong("422")
    daemon.deliver("scoring")
    daemon.deliver("scoring")
    assert events(told) == [("will not take", "scoring")]
    assert (vital(daemon, "ict_outbox_dead"), vital(daemon, "ict_outbox_pending")) == ("1.0", "0.0")


def test_what_a_receiver_lost_is_found_within_a_day_and_told_again(
    assembly: Assembly, service: ScoringService, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    monkeypatch.setattr(serving, "system_clock", lambda: now)
    daemon = Daemon(assembly, assembly.model())
    with service.restored_afterwards():
        put(assembly.engine, edition())
        daemon.deliver("scoring")
    daemon.deliver("scoring")
    assert service.applied == {}
    now += serving.COMPARE_EVERY
    daemon.deliver("scoring")
    assert service.effects == {E1: 1}
    assert events(told) == [("delivered", "scoring"), ("receiver lacked", "scoring"), ("delivered", "scoring")]
    assert service.asked == ["GET /messages", "POST /messages", "GET /messages", "POST /messages"]


def test_open_readings_are_told_in_the_night_in_which_they_changed(
    assembly: Assembly, service: ScoringService, told: list[Any]
) -> None:
    """INV-8: the same night again, or one in which nothing changed, tells nothing."""

    def night(day: int) -> None:
        daemon.assembly = replace(assembly, clock=fixed_clock(day_start(day) + 3600))
        daemon.note_what_was_shown()
        daemon.deliver("scoring")

    daemon = Daemon(assembly, assembly.model())
    night(20260302)
    first = set(service.applied)
    assert {key.split(".")[1] for key in first} == {"2026-02", "2026-03"}, "the current and the last month"
    assert all(".open." in key for key in first)
    night(20260302)
    assert set(service.applied) == first
    (february,) = (key for key in first if "2026-02" in key)
    told_readings = service.body(february)["readings"]
    assert {one["scope"] for one in told_readings} == {"agency", "block", "province"}
    with reading(assembly.engine) as connection:
        assert outbox.waiting(connection, "other", open_readings=False) == []


def test_the_daemon_tells_what_waits_as_soon_as_it_starts(
    place: Place, service: ScoringService, serve: Callable[[Place], Process]
) -> None:
    with assemble(place.config, {}) as assembly:
        put(assembly.engine, edition())
    daemon = serve(place)
    wait_for(lambda: E1 in service.applied)
    wait_for(lambda: daemon.metric("ict_receiver_up", receiver="scoring") == 1)
    wait_for(lambda: daemon.metric("ict_receiver_up", receiver="other") == 0)
    assert daemon.metric("ict_outbox_pending", receiver="other") == 1
    (line,) = daemon.lines('"receiver down"')
    assert " receiver=other " in line
    assert "refused (ConnectError)" in line
    assert TOKEN not in daemon.log.read_text()


def test_a_receiver_that_cannot_be_used_is_told_once(
    assembly: Assembly, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(assembly, assembly.model())
    options = assembly.settings.receivers["scoring"].options.model_copy(
        update={"url": "https://127.0.0.1:9", "ca_file": assembly.settings.path}
    )
    receivers = {"scoring": replace(assembly.settings.receivers["scoring"], options=options)}
    daemon.assembly = replace(assembly, settings=replace(assembly.settings, receivers=receivers))
    for _ in range(2):
        daemon.deliver("scoring")
    assert [(one["event"], one["field"]) for one in told] == [("receiver down", "ca_file")]
