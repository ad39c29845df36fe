"""What the connectors rely on of Roundup's wire (facts: source-systems 6), asked of the real one."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.servers.clock import Clock, at
from tests.servers.process import ServerFailed
from tests.servers.roundup import CLERK, PASSWORD, READER, STRANGER, Roundup

A = "000.00.02.H44"
ASKED = {"@fields": "number,agency.code,activity", "@sort": "activity,id", "@verbose": "0"}


@pytest.fixture(scope="module")
def tracker(roundup: Callable[..., tuple[Roundup, Clock]]) -> tuple[Roundup, Clock]:
    server, clock = roundup([A], at(20260210, 8))
    for number in range(3):
        server.file(number=f"D-{number}", agency=A, status="new", citizen="Nguyễn Văn A")
        clock.move(clock.now + 10)
    return server, clock


@pytest.fixture
def ask(tracker: tuple[Roundup, Clock]) -> Iterator[Callable[..., Any]]:
    with httpx.Client(trust_env=False) as client:

        def asked(user: str = READER, password: str = PASSWORD, **parameters: str) -> httpx.Response:
            return client.get(f"{tracker[0].address}/dossier", params=parameters, auth=(user, password))

        yield asked


def test_a_list_tells_the_fields_asked_for_and_no_other(ask: Callable[..., httpx.Response]) -> None:
    first = ask(**ASKED).json()["data"]["collection"][0]
    assert {name for name in first if name not in ("id", "link")} == {"number", "agency.code", "activity"}
    assert (first["number"], first["agency.code"]) == ("D-0", A)
    assert first["activity"].startswith("2026-02-10.01:0"), "in UTC, to the second"


def test_a_page_tells_the_total_and_the_filter_takes_in_its_own_second(ask: Callable[..., httpx.Response]) -> None:
    whole = ask(**ASKED, **{"@page_size": "2"}).json()["data"]
    assert [one["number"] for one in whole["collection"]] == ["D-0", "D-1"]
    assert whole["@total_size"] == 3
    second = whole["collection"][1]["activity"]
    since = ask(**ASKED, activity=f"from {second}").json()["data"]
    assert [one["number"] for one in since["collection"]] == ["D-1", "D-2"]


def test_a_retired_dossier_is_in_no_list_until_it_is_restored(
    tracker: tuple[Roundup, Clock], ask: Callable[..., httpx.Response]
) -> None:
    server, clock = tracker
    id_ = server.file(number="D-9", agency=A, status="new")
    server.retire(id_)
    assert ask(**ASKED).json()["data"]["@total_size"] == 3
    clock.move(clock.now + 100)
    server.restore(id_)
    last = ask(**ASKED).json()["data"]["collection"][-1]
    assert last["number"] == "D-9"
    server.retire(id_)


def test_a_change_moves_the_activity(tracker: tuple[Roundup, Clock], ask: Callable[..., httpx.Response]) -> None:
    server, clock = tracker
    clock.move(at(20260211, 8))
    server.change("1", status="processing", due="2026-03-01.10:00:00")
    last = ask(**ASKED).json()["data"]["collection"][-1]
    assert last["number"] == "D-0"
    assert last["activity"].startswith("2026-02-11.01:0")
    server.change("1", due=None)
    assert server.dossier("1")["due"] is None


def test_who_may_not_look_is_refused(ask: Callable[..., httpx.Response]) -> None:
    assert ask(password="wrong").status_code == 401
    assert ask(user=STRANGER).status_code == 403
    assert ask(user=CLERK).status_code == 200


def test_the_reader_cannot_write(tracker: tuple[Roundup, Clock]) -> None:
    server, _ = tracker
    told = {"X-Requested-With": "rest", "Origin": "http://127.0.0.1", "Host": "127.0.0.1"}
    with httpx.Client(trust_env=False, auth=(READER, PASSWORD), headers=told) as client:
        assert client.post(f"{server.address}/dossier", json={"number": "D-8", "agency": A}).status_code == 403
    with pytest.raises(ServerFailed, match="D-0"):
        server.file(number="D-0", agency=A)  # the clerk may, but not twice the same


def test_too_many_questions_are_refused_for_a_while(roundup: Callable[..., tuple[Roundup, Clock]]) -> None:
    server, _ = roundup([A], at(20260210, 8), calls_a_minute=2)
    with httpx.Client(trust_env=False, auth=(READER, PASSWORD)) as client:
        answers = [client.get(f"{server.address}/dossier") for _ in range(4)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
