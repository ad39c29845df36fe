"""One run of one source: what was read is kept, failures are told, one run at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, func, select

from collector import collect as collecting
from collector.agencies import Register
from collector.clock import fixed_clock
from collector.collect import Job, Outcome, Tools, Wanted, agencies_as_written, collect, uncovered
from collector.contract.connector import Batch, Connector, Covered, Want
from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.period import day_start
from collector.contract.records import Document, Mailbox, columns
from collector.contract.tables import document
from collector.store import locks
from collector.store.engine import reading, writing
from collector.store.rehearsal import rehearsal
from collector.store.save import Saved, read_cursor, save_cursor
from collector.store.schema import coverage, lock, run
from tests.store.small import PLAN, row, store

NOON = day_start(20260110) + 12 * 3600


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


class Config(BaseModel):
    """Nothing to configure."""


def tools(engine: Engine, known: Register, machine: Callable[[], int] = lambda: 1_000) -> Tools:
    return Tools(engine, known, PLAN, fixed_clock(NOON), machine, "test")


def job(fetch: Callable[[Want], Iterator[Batch]]) -> Job:
    @contextmanager
    def door(_began: int) -> Iterator[object]:
        yield object()

    connector = SimpleNamespace(
        Config=Config, DOORS=("folder",), RECORDS=(Document,), fetch=lambda _config, _door, want: fetch(want)
    )
    return Job("s", cast(Connector, connector), Config(), 20260101, door)


def documents(*keys: str, **values: Any) -> dict[Any, list[Any]]:
    return {Document: [row(Document, key=key, agency_code="H44.01", direction="out", **values) for key in keys]}


def go(small: tuple[Engine, Register], fetch: Callable[[Want], Iterator[Batch]], **wanted: Any) -> Outcome:
    return collect(
        job(fetch), tools(*small), Wanted(**wanted), wait=False, says=lambda _: None, progress=lambda _: None
    )


def stored(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(document)) or 0


def test_an_ordinary_run_asks_from_the_cursor_for_all_days_up_to_yesterday(small: tuple[Engine, Register]) -> None:
    asked: list[Want] = []

    def fetch(want: Want) -> Iterator[Batch]:
        asked.append(want)
        yield Batch(documents("1"), {"page": 2}, covers=[Covered(Document, want.first_day, want.last_day)])

    assert go(small, fetch).result == "done"
    assert go(small, fetch).saved == Saved(read=1, unchanged=1)
    assert [one.cursor for one in asked] == [None, {"page": 2}]
    assert (asked[0].first_day, asked[0].last_day, asked[0].window) == (20260101, 20260109, False)
    with reading(small[0]) as connection:
        assert connection.scalar(select(func.max(coverage.c.day))) == 20260109, "today is not over"


def test_days_asked_for_by_hand_leave_the_cursor_alone_and_stay_within_the_sources_days(
    small: tuple[Engine, Register],
) -> None:
    asked: list[Want] = []

    def fetch(want: Want) -> Iterator[Batch]:
        asked.append(want)
        yield Batch(documents("1"), None)

    with writing(small[0]) as connection:
        save_cursor(connection, "s", {"page": 9})
    go(small, fetch, first_day=20251201, last_day=20260105)
    assert (asked[0].first_day, asked[0].last_day, asked[0].window, asked[0].cursor) == (20260101, 20260105, True, None)
    with reading(small[0]) as connection:
        assert read_cursor(connection, "s") == {"page": 9}


def test_days_that_are_not_over_cannot_be_asked_for(small: tuple[Engine, Register]) -> None:
    with pytest.raises(WrongUse, match="none of the days"):
        go(small, lambda _: iter(()), first_day=20260110)


def test_a_run_that_is_stopped_by_hand_keeps_what_it_has_read_and_is_no_bug(small: tuple[Engine, Register]) -> None:
    def fetch(_: Want) -> Iterator[Batch]:
        yield Batch(documents("1", "2"), {"page": 1})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(small, fetch)
    assert stored(small[0]) == 2
    with reading(small[0]) as connection:
        assert read_cursor(connection, "s") == {"page": 1}
        assert connection.execute(select(run.c.result, run.c.message, run.c.inserted)).all() == [
            ("cut_off", "stopped by hand", 2)
        ]


def test_days_that_a_source_does_not_have_are_refused_without_a_run(small: tuple[Engine, Register]) -> None:
    with pytest.raises(WrongUse, match="none of the days"):
        go(small, lambda _: iter(()), first_day=20251201, last_day=20251231)
    with reading(small[0]) as connection:
        assert connection.scalar(select(func.count()).select_from(run)) == 0


@pytest.mark.parametrize(
    ("failure", "result"),
    [(TryAgain, "try_again"), (AccessDenied, "access_denied"), (UnexpectedAnswer, "unexpected_answer")],
)
def test_what_was_read_before_a_failure_is_kept_with_its_cursor(
    small: tuple[Engine, Register], failure: type[TryAgain], result: str
) -> None:
    def fetch(_: Want) -> Iterator[Batch]:
        yield Batch(documents("1", "2"), {"page": 1})
        raise failure("gone", stage="read", mend="Look")

    outcome = go(small, fetch)
    assert outcome.result == result
    assert str(outcome.failure) == "s, read: gone. Look"
    assert stored(small[0]) == 2
    with reading(small[0]) as connection:
        assert read_cursor(connection, "s") == {"page": 1}
        assert connection.execute(select(run.c.result, run.c.message)).all() == [(result, "s, read: gone. Look")]


def test_a_bug_stays_visible_and_is_noted(small: tuple[Engine, Register]) -> None:
    def fetch(_: Want) -> Iterator[Batch]:
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        go(small, fetch)
    with reading(small[0]) as connection:
        assert connection.scalar(select(run.c.result)) == "bug"
        assert connection.scalar(select(lock.c.holder)) == "", "the lease was given back"


def test_read_for_one_agency_covers_no_day(small: tuple[Engine, Register]) -> None:
    def fetch(want: Want) -> Iterator[Batch]:
        assert want.agencies == frozenset({"H44.01", "a.example"})
        yield Batch(documents("1"), None, covers=[Covered(Document, 20260101, 20260109)])

    go(small, fetch, agencies=agencies_as_written(small[1], "s", "H44.01"))
    with reading(small[0]) as connection:
        assert connection.execute(select(coverage)).all() == []


def test_a_second_run_of_a_source_is_refused_or_waits_and_says_so(small: tuple[Engine, Register]) -> None:
    said: list[str] = []
    with (
        locks.held(small[0], "s", "first", lambda: 1_000, wait=False, says=said.append),
        pytest.raises(TryAgain, match="another run of this source is under way"),
    ):
        go(small, lambda _: iter(()))
    moments = iter((1_001, 1_000 + locks.LEASE))

    def later() -> int:
        return next(moments)

    with (
        locks.held(small[0], "s", "first", lambda: 1_000, wait=False, says=said.append),
        locks.held(small[0], "s", "second", later, wait=True, says=said.append, every=0) as lease,
    ):
        assert lease.token == 3
    assert said == ["s: another run of this source is under way; waiting for it to end"]


def test_a_run_that_slept_past_its_lease_writes_nothing(small: tuple[Engine, Register]) -> None:
    def fetch(_: Want) -> Iterator[Batch]:
        with locks.held(small[0], "s", "second", lambda: 1_000 + locks.LEASE, wait=False, says=lambda _: None):
            pass
        yield Batch(documents("1"), {"page": 1})

    with pytest.raises(TryAgain, match="another one has taken over"):
        go(small, fetch)
    assert stored(small[0]) == 0


def test_groups_are_saved_as_they_come(small: tuple[Engine, Register], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "GROUP", 2)
    seen: list[int] = []

    def fetch(_: Want) -> Iterator[Batch]:
        for number in range(5):
            yield Batch(documents(str(number)), {"page": number})
            seen.append(stored(small[0]))

    assert go(small, fetch).saved.inserted == 5
    assert seen == [0, 2, 2, 4, 4]


def test_the_cursor_is_never_ahead_of_what_was_saved(
    small: tuple[Engine, Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "GROUP", 2)
    seen: list[tuple[int, Any]] = []

    def fetch(_: Want) -> Iterator[Batch]:
        for number in range(1, 6):
            yield Batch(documents(str(number)), {"rows": number})
            with reading(small[0]) as connection:
                seen.append((stored(small[0]), read_cursor(connection, "s")))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        go(small, fetch)
    assert seen == [(0, None), (2, {"rows": 2}), (2, {"rows": 2}), (4, {"rows": 4}), (4, {"rows": 4})]
    with reading(small[0]) as connection:
        assert read_cursor(connection, "s") == {"rows": stored(small[0])}


def test_days_that_nobody_covered_are_found(small: tuple[Engine, Register]) -> None:
    def fetch(_: Want) -> Iterator[Batch]:
        yield Batch({}, None, covers=[Covered(Document, 20260103, 20260104), Covered(Document, 20260107, 20260107)])

    go(small, fetch)
    expected = [(20260101, 20260102), (20260105, 20260106), (20260108, 20260109)]
    assert uncovered(small[0], job(fetch), NOON) == expected
    # What a connector could tell, but not with this configuration, is not waited for.
    connector = SimpleNamespace(RECORDS=(Document, Mailbox))
    more = replace(job(fetch), connector=cast(Connector, connector))
    assert uncovered(small[0], more, NOON) == [(20260101, 20260109)]
    connector.offers = lambda _config: (Document,)
    assert uncovered(small[0], more, NOON) == expected


def test_a_rehearsal_leaves_the_store_as_it_was(small: tuple[Engine, Register]) -> None:
    go(small, lambda _: iter([Batch(documents("1"), None)]))
    with rehearsal(small[0]) as copy:
        collect(
            job(lambda _: iter([Batch(documents("2"), {"page": 1})])),
            tools(copy, small[1]),
            Wanted(),
            wait=False,
            says=lambda _: None,
            progress=lambda _: None,
        )
        assert stored(copy) == 2
    assert stored(small[0]) == 1


def test_an_agency_that_nobody_knows_cannot_be_collected(small: tuple[Engine, Register]) -> None:
    with pytest.raises(WrongUse, match=r"H44\.77 is not in the register"):
        agencies_as_written(small[1], "s", "H44.77")


def test_a_row_is_a_tuple_in_the_order_of_the_record(small: tuple[Engine, Register]) -> None:
    assert columns(Document)[:4] == ("key", "agency_code", "changed", "removed")
