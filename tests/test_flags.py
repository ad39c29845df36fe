"""Integrity flags: records classed by hand, with a paper calendar (see tests/store/small.py for January 2026)."""

from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.contract.connector import Row
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Delivery, Document, Dossier, DossierEvent, Record
from collector.flags import FLAGS, Raised, raised
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.tombstones import bury
from tests.store.small import INDICATORS, PLAN, put, row

A, B = "H44.01", "H44.02"
JANUARY = parse_period("2026-01")
NOW = day_start(20260301)
Small = tuple[Engine, Register]


@pytest.fixture
def small(emptied_store: Small) -> Small:
    return emptied_store


def at(day: int) -> int:
    return (day_start(day) + 9 * 3_600) * 1_000_000


def saved(
    small: Small,
    key: str = "x",
    *,
    promised: tuple[tuple[int, int], ...] = ((20260105, 20260109),),
    paused: tuple[tuple[int, int | None], ...] = (),
    basis: str = "first",
    source: str = "s",
    **told: Any,
) -> None:
    """Save a dossier with its promises (made on, due on) and its pauses."""
    outcome = "completed" if "completed_day" in told else "open"
    facts = {"agency_code": A, "received_day": 20260105, "outcome": outcome} | told
    events: list[Row] = [
        event(key, "due", "due_promised", str(due), made, due, basis) for made, due in promised
    ]  # fmt: skip
    for place, (begun, ended) in enumerate(paused):
        events.append(event(key, "begun", "pause_begun", str(place), begun, begun))
        if ended is not None:
            events.append(event(key, "ended", "pause_ended", str(place), ended, ended))
    rows: dict[type[Record], list[Row]] = {Dossier: [row(Dossier, key=key, **facts)], DossierEvent: events}
    put(*small, rows, source)


def event(dossier: str, word: str, kind: str, ref: str, made: int, day: int, basis: str = "history") -> Row:
    key = f"{dossier}|{word}|{ref}"
    return row(
        DossierEvent, key=key, changed=at(made), dossier=dossier, kind=kind, ref=ref, at=at(made), day=day, basis=basis
    )


def found(small: Small, period: str = "2026-01", now: int = NOW, only: str | None = None) -> list[Raised]:
    with reading_store(small[0]) as connection:
        return raised(connection, parse_period(period), now, INDICATORS, (), (), only)


def flags(small: Small, **asked: Any) -> list[tuple[str, str, int]]:
    return [(one.flag, one.key, one.day) for one in found(small, **asked)]


# -- due dates and pauses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("promised", "paused", "moved_late"),
    [
        (((20260105, 20260109), (20260112, 20260116)), (), 20260112),
        (((20260105, 20260109), (20260109, 20260116)), (), None),
        (((20260105, 20260109), (20260108, 20260116), (20260115, 20260120)), (), None),
        (((20260105, 20260109), (20260108, 20260116), (20260119, 20260120)), (), 20260119),
        (((20260105, 20260112), (20260115, 20260109)), (), None),
        (((20260105, 20260109), (20260113, 20260115)), ((20260107, 20260113),), None),
        (((20260105, 20260109), (20260113, 20260115)), ((20260107, None),), None),
        (((20260105, 20260109), (20260116, 20260120)), ((20260107, 20260108),), 20260116),
        (((20260105, 20260109), (20260116, 20260120)), ((20260112, 20260116),), 20260116),
    ],
    ids=[
        "three days after it had passed",
        "on the due day itself",
        "twice, each time before it had passed",
        "the second time too late",
        "to an earlier day",
        "when the supplement came: 5 working days waited, so it had not passed",
        "while the clock stood still",
        "a wait of one day moves the 9th to the 10th, no further",
        "a wait that began too late does not help",
    ],
)
def test_a_due_date_moved_after_it_had_passed(
    small: Small,
    promised: tuple[tuple[int, int], ...],
    paused: tuple[tuple[int, int | None], ...],
    moved_late: int | None,
) -> None:
    saved(small, promised=promised, paused=paused)
    own = [day for flag, _, day in flags(small) if flag == "due_moved_late"]
    assert own == ([] if moved_late is None else [moved_late])


@pytest.mark.parametrize(
    ("due", "paused", "late"),
    [
        (20260109, ((20260109, 20260112),), []),
        (20260109, ((20260110, 20260112),), [20260110]),
        (20260110, ((20260107, 20260109), (20260113, 20260114)), []),
        (20260109, ((20260107, 20260109), (20260114, 20260115)), [20260114]),
        (20260109, ((20260107, None), (20260119, 20260120)), []),
        (20260109, ((20260112, 20260113), (20260112, 20260114)), [20260112]),
    ],
    ids=[
        "on the due day",
        "on the Saturday after it, which is worked",
        "the first wait of two working days moved the 10th to the 13th, on which the second begins",
        "the first wait moved the 9th to the 12th",
        "while the first still lasts",
        "two on one day are one",
    ],
)
def test_a_pause_begun_after_the_due_date(
    small: Small, due: int, paused: tuple[tuple[int, int | None], ...], late: list[int]
) -> None:
    saved(small, promised=((20260105, due),), paused=paused)
    assert [day for flag, _, day in flags(small) if flag == "paused_late"] == late


def test_what_only_the_current_due_date_is_known_of_raises_no_flag_of_dates(small: Small) -> None:
    saved(small, promised=((20260105, 20260109), (20260112, 20260116)), paused=((20260114, 20260115),), basis="current")
    assert flags(small) == []


# -- closings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("completed", "flag"),
    [
        (20260110, None),  # a Saturday that was worked
        (20260117, "completed_on_day_off"),
        (20260109, None),
        (20260102, "completed_on_day_off"),
    ],
)
def test_completed_on_a_day_off(small: Small, completed: int, flag: str | None) -> None:
    saved(small, promised=((20260101, 20260130),), received_day=20260101, completed_day=completed)
    assert flags(small) == ([(flag, "x", completed)] if flag else [])


def test_completed_before_it_was_received(small: Small) -> None:
    saved(small, received_day=20260112, completed_day=20260109)
    saved(small, "same day", received_day=20260109, completed_day=20260109)
    assert flags(small) == [("completed_before_intake", "x", 20260109)]


def closings(small: Small, ordinary: int, at_the_end: int) -> None:
    """So many dossiers completed on each of the 20 working days before Friday 30 January, so many on it."""
    days = [
        *(5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 26, 27, 28, 29),
    ]  # fmt: skip
    told = {"agency_code": A, "received_day": 20260105, "outcome": "completed"}
    rows = [
        row(Dossier, key=f"{day}-{n}", completed_day=20260100 + day, **told)
        for day, count in [*((day, ordinary) for day in days), (30, at_the_end)]
        for n in range(count)
    ]  # fmt: skip
    put(*small, {Dossier: rows})


@pytest.mark.parametrize(
    ("ordinary", "at_the_end", "bunched"),
    [(4, 13, True), (4, 12, False), (1, 10, True), (1, 9, False), (0, 10, True)],
)
def test_closings_bunched_on_the_last_working_day(small: Small, ordinary: int, at_the_end: int, bunched: bool) -> None:
    closings(small, ordinary, at_the_end)
    own = [one for one in found(small) if one.flag == "closings_bunched"]
    assert len(own) == (at_the_end if bunched else 0)
    assert all(one.day == 20260130 for one in own)


def test_a_period_that_is_not_over_has_no_last_day(small: Small) -> None:
    closings(small, 1, 20)
    assert found(small, now=day_start(20260131)) == []
    assert len(found(small, now=day_start(20260201))) == 20


@pytest.mark.parametrize(
    ("ended", "due", "raised_"),
    [
        (20260109, 20260109, True),
        (20260109, 20260110, True),
        (20260109, 20260112, False),
        (20260116, 20260119, True),  # Friday and Monday
        (20260112, 20260109, False),
    ],
    ids=["on the due day", "the day before", "two working days before", "over a weekend", "after it was due"],
)
def test_withdrawn_just_before_it_was_due(small: Small, ended: int, due: int, raised_: bool) -> None:
    saved(small, promised=((20260105, due),), outcome="withdrawn", ended_day=ended)
    saved(small, "stopped", promised=((20260105, due),), outcome="stopped", ended_day=ended)
    assert flags(small) == ([("withdrawn_before_due", "x", ended)] if raised_ else [])


def test_withdrawn_while_its_clock_stood_is_nothing_odd(small: Small) -> None:
    saved(small, paused=((20260107, None),), outcome="withdrawn", ended_day=20260109)
    assert flags(small) == []


# -- two sources, and none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_source", "odd"),
    [
        ({"paused": ((20260107, None),)}, True),
        ({"outcome": "stopped", "ended_day": 20260112}, True),
        ({}, False),
        ({"paused": ((20260107, 20260108),)}, False),
        ({"completed_day": 20260109}, False),
        ({"paused": ((20260107, None),), "agency_code": B}, False),
        ({"paused": ((20260107, None),), "removed": 1}, False),
    ],
    ids=["paused", "stopped", "open", "paused before", "finished too", "another agency's", "deleted"],
)
def test_finished_upstream_while_the_source_says_paused(small: Small, at_source: dict[str, Any], odd: bool) -> None:
    saved(small, source="portal", completed_day=20260108)
    saved(small, source="onestop", **at_source)
    own = [one for one in found(small) if one.flag == "finished_upstream"]
    assert [(one.source, one.key, one.day) for one in own] == ([("portal", "x", 20260108)] if odd else [])


def test_records_that_vanished(small: Small) -> None:
    engine, known = small
    saved(small, completed_day=20260108)
    saved(small, "deleted by its mark", completed_day=20260108, removed=1)
    document = row(Document, key="d", agency_code=A, direction="out", issued_day=20260113)
    delivery = row(Delivery, key="d|r", document="d", counterpart=B, sent_day=20260113)
    put(*small, {Document: [document], Delivery: [delivery]})
    assert flags(small) == []
    with writing(engine) as connection:
        for record, key in ((Dossier, "x"), (Document, "d"), (Delivery, "d|r")):
            bury(connection, "s", record, [key], known, PLAN, day_start(20260210))
    own = found(small)
    assert [(one.flag, one.agency, one.record, one.key, one.day) for one in own] == [
        ("vanished", A, "dossier", "x", 20260108),
        ("vanished", A, "document", "d", 20260113),
        ("vanished", B, "delivery", "d|r", 20260113),
    ]
    assert own[0].says == "was there with 2026-01-08, and found gone on 2026-02-10"
    assert found(small, "2026-02") == []


# -- figures -------------------------------------------------------------------------------------------------------


LOWER = "documents.parallel_paper"


def figure(hits: int, judged: int, period: str, indicator: str = "dossiers.on_time", **more: Any) -> Reading:
    told: dict[str, Any] = {"state": "measured", "suppressed": False, "scope": "agency"} | more
    return Reading(
        indicator, 1, told["scope"], A, period, told["state"], 20260131, hits, judged, 0, suppressed=told["suppressed"]
    )


@pytest.mark.parametrize(
    ("now", "before", "same"),
    [
        (figure(31, 40, "2026-01"), figure(31, 40, "2025-12"), True),
        (figure(31, 40, "2026-01"), figure(62, 80, "2025-12"), True),
        (figure(31, 40, "2026-01"), figure(32, 40, "2025-12"), False),
        (figure(22, 29, "2026-01"), figure(22, 29, "2025-12"), False),
        (figure(40, 40, "2026-01"), figure(50, 50, "2025-12"), False),
        (figure(0, 40, "2026-01"), figure(0, 50, "2025-12"), False),
        (figure(31, 40, "2026-01", state="partial"), figure(31, 40, "2025-12"), False),
        (figure(31, 40, "2026-01", scope="block"), figure(31, 40, "2025-12", scope="block"), False),
        (figure(31, 40, "2026-01", "mailboxes.provisioned"), figure(31, 40, "2025-12", "mailboxes.provisioned"), False),
    ],
    ids=["same counts", "same share", "another", "too few", "all", "none", "partial", "a block's", "at the end"],
)
def test_a_figure_equal_to_the_last_periods(small: Small, now: Reading, before: Reading, same: bool) -> None:
    with reading_store(small[0]) as connection:
        own = raised(connection, JANUARY, NOW, INDICATORS, [now], [before])
    assert [(one.flag, one.agency, one.key) for one in own] == ([("same_figure", A, now.indicator)] if same else [])


@pytest.mark.parametrize(
    ("now", "before", "halved"),
    [
        (figure(10, 40, "2026-01"), figure(31, 60, "2025-12"), True),
        (figure(0, 40, "2026-01"), figure(1, 60, "2025-12"), True),
        (figure(10, 40, "2026-01"), figure(30, 60, "2025-12"), False),
        (figure(7, 29, "2026-01"), figure(31, 60, "2025-12"), False),
        (figure(10, 40, "2026-01"), figure(20, 29, "2025-12"), False),
        (figure(10, 40, "2026-01"), figure(31, 60, "2025-12", state="partial"), False),
        (figure(10, 40, "2026-01", LOWER), figure(31, 60, "2025-12", LOWER), False),
        (figure(10, 40, "2026-01", "mailboxes.provisioned"), figure(31, 60, "2025-12", "mailboxes.provisioned"), False),
    ],
    ids=["less than half", "nothing", "half", "too few", "too few before", "partial", "lower is better", "at the end"],
)
def test_a_figure_of_less_than_half_the_last_periods(small: Small, now: Reading, before: Reading, halved: bool) -> None:
    with reading_store(small[0]) as connection:
        own = raised(connection, JANUARY, NOW, INDICATORS, [now], [before])
    assert [(one.flag, one.agency, one.key) for one in own] == ([("figure_halved", A, now.indicator)] if halved else [])


# -- the time allowed: tests/test_promises.py ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowed", "due", "says"),
    [
        ("3 working_days", 20260108, None),
        ("3 working_days", 20260112, "promised for 2026-01-12: 3 working days after 2026-01-08"),
        ("5 working_days", 20260109, "promised for 2026-01-09: 1 working day before 2026-01-10"),
        ("", 20260112, None),
    ],
)
def test_promised_for_another_day_than_the_time_allowed_gives(
    small: Small, allowed: str, due: int, says: str | None
) -> None:
    promise = event("x", "due", "due_promised", allowed, 20260105, due, "first")
    facts = row(Dossier, key="x", agency_code=A, received_day=20260105, outcome="open")
    put(*small, {Dossier: [facts], DossierEvent: [promise]})
    told = [(one.key, one.day, one.says) for one in found(small) if one.flag == "due_not_as_allowed"]
    assert [(key, day) for key, day, _ in told] == ([("x", 20260105)] if says else [])
    assert all(says in words for *_, words in told if says)


# -- all of them ---------------------------------------------------------------------------------------------------


def test_only_the_days_of_the_period_and_the_agency_asked_for(small: Small) -> None:
    saved(small, completed_day=20260117)
    saved(small, "b", completed_day=20260118, agency_code=B)
    saved(small, "february", completed_day=20260201)
    saved(small, "nobody's", completed_day=20260117, agency_code="H99")
    assert [one.key for one in found(small)] == ["x", "b"]
    assert [one.key for one in found(small, only=B)] == ["b"]
    assert [one.key for one in found(small, "2026-02")] == ["february"]


def test_each_flag_has_words_in_both_languages_and_a_reason_and_so_has_each_threshold() -> None:
    assert len({flag.id for flag in FLAGS}) == len(FLAGS) == 11
    for flag in FLAGS:
        assert flag.title_vi
        assert flag.title_vi != flag.title_en
        assert flag.reason
        for threshold in flag.thresholds:
            assert threshold.value > 0
            assert threshold.unit
            assert threshold.reason
