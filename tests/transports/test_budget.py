import pytest

from collector.contract.errors import TryAgain
from collector.transports.budget import Budget
from tests.transports.runs import make_run


class Clock:
    """Time passes only while somebody rests."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.rests: list[float] = []

    def tick(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds


def budget(clock: Clock, deadline: float = 600.0, limit: int = 3) -> Budget:
    return Budget(make_run(deadline, limit), clock.tick, clock.rest)


def test_requests_within_the_budget_do_not_wait() -> None:
    clock = Clock()
    asked = budget(clock)
    for _ in range(3):
        asked.spend("reach")
    assert clock.rests == []


def test_one_request_too_many_waits_until_the_oldest_is_a_minute_old() -> None:
    clock = Clock()
    asked = budget(clock)
    asked.spend("reach")
    clock.now += 20
    asked.spend("reach")
    asked.spend("reach")
    asked.spend("reach")
    assert clock.rests == [40.0]


def test_no_minute_ever_holds_more_requests_than_the_budget() -> None:
    clock = Clock()
    asked = budget(clock, limit=5)
    times = []
    for _ in range(23):
        asked.spend("reach")
        times.append(clock.now)
        clock.now += 7
    for first in times:
        assert sum(first <= other < first + 60 for other in times) <= 5


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    clock = Clock()
    asked = budget(clock, deadline=30, limit=1)
    asked.spend("reach")
    with pytest.raises(TryAgain, match="deadline of 30 seconds") as caught:
        asked.spend("reach")
    assert clock.rests == []
    assert (caught.value.source, caught.value.stage) == ("a-source", "reach")
    assert "requests_per_minute" in caught.value.mend


def test_after_the_deadline_nothing_is_asked() -> None:
    clock = Clock()
    asked = budget(clock, deadline=30)
    clock.now += 29
    assert asked.left("read") == 1
    clock.now += 1
    with pytest.raises(TryAgain, match="deadline"):
        asked.left("read")
    with pytest.raises(TryAgain, match="deadline"):
        asked.spend("read")
