"""`collector check --live`: what a door raises becomes a finding with its mend, after those that came before it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import BaseModel

from collector import check
from collector.clock import fixed_clock
from collector.collect import Job
from collector.contract.connector import Connector, Finding
from collector.contract.errors import AccessDenied, TryAgain

REACHED = Finding("reach", "ok", "the system answers")


class Config(BaseModel):
    """Nothing to configure."""


def job(probe: object, *, fails: Exception | None = None) -> tuple[Job, list[int]]:
    opened: list[int] = []

    @contextmanager
    def door(began: int) -> Iterator[object]:
        opened.append(began)
        if fails:
            raise fails
        yield object()

    return Job("s", cast(Connector, SimpleNamespace(probe=probe)), Config(), 20260101, door), opened


def test_findings_come_as_the_connector_tells_them() -> None:
    told = [REACHED, Finding("read-only", "unproved", "nobody knows", "Ask")]
    one, opened = job(lambda _config, _door: iter(told))
    assert list(check.live(one, fixed_clock(1_000))) == told
    assert opened == [1_000]


def test_what_fails_in_the_middle_is_the_last_finding() -> None:
    def probe(_config: object, _door: object) -> Iterator[Finding]:
        yield REACHED
        raise AccessDenied("the login was refused", stage="log in", field="user", mend="Correct the password")

    assert list(check.live(job(probe)[0], fixed_clock(1))) == [
        REACHED,
        Finding("log in, user", "failed", "the login was refused", "Correct the password"),
    ]


def test_a_door_that_does_not_open_is_a_finding() -> None:
    one, _ = job(None, fails=TryAgain("nobody answers", stage="reach", mend="Look whether it runs"))
    assert list(check.live(one, fixed_clock(1))) == [
        Finding("reach", "failed", "nobody answers", "Look whether it runs")
    ]


def test_a_bug_stays_visible() -> None:
    def probe(_config: object, _door: object) -> Iterator[Finding]:
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        list(check.live(job(probe)[0], fixed_clock(1)))


@pytest.mark.parametrize(("said", "result"), [(True, "ok"), (False, "failed"), (None, "failed")])
def test_what_the_daemon_will_ask_is_tried_once(said: bool | None, result: str) -> None:
    patience: list[float] = []

    def answers(seconds: float) -> bool | None:
        patience.append(seconds)
        return said

    found = check.answering("tls://mail.example:993", answers, 10, 300)
    assert (found.stage, found.result, patience) == ("probe", result, [10])
    assert "tls://mail.example:993" in found.says
    assert bool(found.mend) == (result == "failed")
