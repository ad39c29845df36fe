"""Dossiers read from OpenCPS: what is asked, what becomes of it, and what stops it."""

import json
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from collector.contract.connector import Batch
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.contract.records import Dossier, DossierEvent, Procedure
from collector.promises import time_limit
from connectors.onestop import opencps
from connectors.onestop.opencps_dossier import allowed_of
from tests.connectors.onestop.opencps_double import BASE, CANARIES, GROUP, USER, Account, Deed, OpenCPS, at, serving
from tests.connectors.onestop.opencps_runs import (
    SINCE,
    A,
    B,
    C,
    Watcher,
    config,
    covered,
    door,
    each_agency,
    filed,
    keys,
    received,
    wanted,
)
from tests.connectors.onestop.runs import kept, named, rows
from tests.transports.web import Server, reply
from tests.transports.web import serving as scripted

MONDAY = 20260105


@pytest.fixture
def double() -> Iterator[OpenCPS]:
    with serving(each_agency(), at(20260103)) as one:
        one.zone = 7
        yield one


@pytest.fixture
def watcher(double: OpenCPS) -> Watcher:
    return Watcher(double)


def read(double: OpenCPS, told: opencps.Config | None = None, cursor: Any = None, **changes: Any) -> list[Batch]:
    with door(double) as opened:
        return list(opencps.fetch(told or config(), opened, wanted(double, cursor, **changes)))


# --- golden records --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "unit", "allowed"),
    [
        (5.0, 0, "5 working_days"),
        (5, "0", "5 working_days"),
        ("0.5", 0, "0.5 working_days"),
        (Decimal("16.00"), 1, "16 working_hours"),
        (2.125, 0, "2.125 working_days"),
        (0, 0, ""),
        (-1, 0, ""),
        (None, None, ""),
        ("", 0, ""),
        (5.0, 2, ""),
        (5.0, None, ""),
        (float("nan"), 0, ""),
        (float("inf"), 0, ""),
        (10**30, 0, ""),
        ("CANARY", 0, ""),
    ],
)
def test_the_time_that_a_site_allows_is_written_so_that_it_can_be_read_and_is_nothing_else(
    count: object, unit: object, allowed: str
) -> None:
    assert allowed_of(count, unit) == allowed
    assert bool(time_limit(allowed)) == bool(allowed)


def test_a_promise_keeps_the_time_that_was_allowed_with_it(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112))
    watcher.run(at(20260106))
    assert [row[6] for row in watcher.events.values() if row[4] == "1"] == ["5 working_days"]


GOLDEN = [
    # deeds after receipt on Monday 5 January, due Monday 12; what is then said of it
    ([], ("open", None, None, None)),
    ([(6, "touch")], ("open", None, None, None)),
    ([(9, "release")], ("completed", 20260109, None, None)),
    ([(9, "release"), (12, "done")], ("completed", 20260109, 20260112, None)),
    ([(9, "done")], ("completed", 20260109, 20260109, None)),
    ([(9, "unresolve")], ("refused_after", 20260109, 20260109, None)),
    ([(8, "cancel")], ("withdrawn", None, None, 20260108)),
    ([(6, "deny")], ("refused_at_intake", None, None, 20260106)),
    ([(8, "pause")], ("open", None, None, None)),
    ([(9, "release"), (12, "done"), (13, "back")], ("open", None, None, None)),
    ([(9, "release"), (12, "correct")], ("completed", 20260109, None, None)),
    ([(9, "correct")], ("open", None, None, None)),
]


@pytest.mark.parametrize(("deeds", "said"), GOLDEN)
def test_a_dossier_is_told_by_its_status_and_dates(watcher: Watcher, deeds: list[Any], said: tuple[Any, ...]) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112))
    watcher.double.happen(*(Deed(at(20260100 + day, 14), 1, what) for day, what in deeds))
    watcher.run(at(20260115))
    told = watcher.dossier(1)
    assert (told["outcome"], told["completed_day"], told["returned_day"], told["ended_day"]) == said
    refused = said[0] == "refused_at_intake"
    assert told["received_day"] == (None if refused else MONDAY)
    assert (watcher.promises(1) == []) == refused, "before receipt nothing is promised"


def test_the_columns_of_a_dossier(watcher: Watcher) -> None:
    watcher.double.happen(filed(7, at(MONDAY, 0, 0, 1), B, online=True, level=3, service="2.000488.000.00.00.H44"))
    watcher.double.happen(Deed(at(MONDAY, 23, 59, 59), 7, "receive", due=at(20260112, 17)))
    watcher.run(at(20260106, 1))
    assert watcher.dossier(7) == {
        "key": "7",
        "agency_code": B,
        "changed": at(MONDAY, 23, 59, 59) * 1_000_000,
        "removed": 0,
        "procedure": "2.000488",
        "channel": "online",
        "submitted_day": MONDAY,
        "received_day": MONDAY,
        "completed_day": None,
        "returned_day": None,
        "outcome": "open",
        "ended_day": None,
        "source_status": "processing",
        "completed": None,
        "due": at(20260112, 17),
        "due_day": 20260112,
        "digitised": None,
        "electronic_result": None,
        "payment": None,
    }
    assert watcher.promises(7) == [(20260112, "first")]
    (line,) = (row for batch in watcher.batches for row in batch.rows[Procedure] if row[4] == "2.000488")
    assert named(Procedure, line) | {"changed": 0} == {
        "key": f"2.000488@{B}:partial",
        "agency_code": B,
        "changed": 0,
        "removed": 0,
        "code": "2.000488",
        "level": "partial",
        "from_day": MONDAY,
        "to_day": None,
        "listed": 0,
    }


@pytest.mark.parametrize(
    ("online", "by_post", "channel"),
    [(True, 0, "online"), (True, 1, "online"), (False, 1, "post"), (False, 0, "counter")],
)
def test_post_counts_only_where_it_is_not_online(watcher: Watcher, online: bool, by_post: int, channel: str) -> None:
    watcher.double.happen(*received(1, MONDAY, None, online=online, by_post=by_post))
    watcher.run(at(20260106))
    assert watcher.dossier(1)["channel"] == channel


def test_a_code_that_is_not_the_nations_is_kept_whole(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, None, service="BKH-272066"))
    watcher.run(at(20260106))
    assert watcher.dossier(1)["procedure"] == "BKH-272066"


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_every_question_names_site_agencies_and_a_row_window_and_nothing_is_ever_recalculated(
    watcher: Watcher,
) -> None:
    watcher.run(at(20260110))
    watcher.run(at(20260111))
    with door(watcher.double) as opened:
        list(opencps.probe(config(), opened))
    assert {(verb, path) for verb, path, _ in watcher.double.requests} == {("GET", f"{BASE}/dossiers")}
    for question in watcher.asked:
        assert int(question["end"]) > int(question["start"]) >= 0
    for question in watcher.asked:
        for name, value in question.items():
            if name.startswith(("from", "to")):
                assert len(value) == 10
                assert value[2] == value[5] == "/"
    assert watcher.double.rewritten == 0
    assert all("reCalculate" not in question for question in watcher.asked)


def test_the_path_before_the_list_is_a_setting(double: OpenCPS) -> None:
    double.base = "/secure/rest/v2"
    assert keys(read(double, config(base="/secure/rest/v2"))) == [9_001, 9_002]
    with pytest.raises(UnexpectedAnswer, match="404"):
        read(double)


def test_the_next_run_asks_for_events_since_the_last_with_an_overlap_and_for_all_that_is_open(
    watcher: Watcher,
) -> None:
    watcher.run(at(20260110))
    watcher.double.requests.clear()
    watcher.run(at(20260111))
    windows = {
        (name, question[name], question[name.replace("from", "to")])
        for question in watcher.asked
        for name in question
        if name.startswith("from") and question["end"] != "1"
    }
    assert windows == {
        (f"from{event}Date", "06/01/2026", "12/01/2026") for event in ("Receive", "Release", "Finish")
    }, "a day more on either side: the server reads days in a zone of its own"
    assert [question["status"] for question in watcher.asked if "status" in question] == [
        "new,receiving,waiting,processing,pausing,posting,correcting,cancelling,interoperating"
    ]


@pytest.mark.parametrize("zone", [0, 7])
def test_the_servers_own_zone_loses_no_event(zone: int) -> None:
    with serving(each_agency(), at(20260103)) as double:
        double.zone = zone
        watcher = Watcher(double, config(whole_every=0))
        for day, hour in ((6, 0), (7, 23), (8, 6), (9, 7)):
            double.happen(*received(day, MONDAY, 20260112), Deed(at(20260100 + day, hour, 59), day, "done"))
        for day in range(6, 13):
            watcher.run(at(20260100 + day, 0, 30))
        found = {number: watcher.dossier(number)["completed_day"] for number in (6, 7, 8, 9)}
        assert found == {6: 20260106, 7: 20260107, 8: 20260108, 9: 20260109}


def test_from_time_to_time_all_is_read_again_since_the_first_day(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, 20260103, 20260112), Deed(at(20260103, 10), 1, "done"))
    for day in range(10, 18):
        watcher.run(at(20260100 + day))
        reads_again = keys(watcher.batches) != [9_001, 9_002]
        assert reads_again == (day in (10, 17)), day


def test_what_is_due_but_was_completed_before_the_first_day_is_read_too(double: OpenCPS) -> None:
    double.happen(*received(1, 20251220, 20260106), Deed(at(20251230, 9), 1, "done"))
    double.move_clock(at(20260110))
    assert 1 in keys(read(double))


def test_a_load_that_is_cut_off_goes_on_where_it_stopped(double: OpenCPS) -> None:
    double.happen(
        *(deed for number in range(10_001, 15_201) for deed in received(number, 20260105 + number % 3, 20260112))
    )
    double.move_clock(at(20260110))
    got: list[Batch] = []
    told = config(slice_days=2, rows=2_000)
    with door(double) as opened:
        for batch in opencps.fetch(told, opened, wanted(double)):
            got.append(batch)
            if batch.cursor is not None:
                break
    assert got[-1].cursor is not None
    assert got[-1].cursor["plan"]["at"] > 0
    assert covered(got) == []
    double.requests.clear()
    double.happen(*received(30_000, 20260111, 20260120))
    double.move_clock(at(20260112))
    then = read(double, told, got[-1].cursor)
    assert {*keys(got), *keys(then)} >= {*range(10_001, 15_201)}
    assert "31/12/2025" not in {question.get("fromReceiveDate") for _, _, question in double.requests}
    # What came since the load began is left to the next run, and so are its days.
    assert covered(then)[0] == ("dossier", SINCE, 20260109)
    assert then[-1].cursor is not None
    assert (then[-1].cursor["through"], "plan" in then[-1].cursor) == (20260110, False)
    last = read(double, told, then[-1].cursor)
    assert 30_000 in keys(last)
    assert covered(last)[0] == ("dossier", SINCE, 20260111)


def test_a_cursor_of_other_agencies_is_not_used(watcher: Watcher) -> None:
    watcher.run(at(20260110))
    watcher.double.happen(*received(1, MONDAY, 20260112, C), Deed(at(20260106, 9), 1, "done"))
    watcher.config = config(agencies=[A, B, C])
    watcher.run(at(20260111))
    assert 1 in keys(watcher.batches)
    assert watcher.cursor is not None
    assert watcher.cursor["watched"] == 20260111


def test_an_earlier_first_day_is_read_before_it_is_covered(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, 20251120, 20251202), Deed(at(20251201, 9), 1, "done"))
    watcher.run(at(20260110))
    assert 1 not in keys(watcher.batches)
    watcher.run(at(20260111), since=20251101, first_day=20251101)
    assert 1 in keys(watcher.batches)
    assert covered(watcher.batches)[0] == ("dossier", 20251101, 20260110)


# --- fields that are cleared, due dates that move, pauses ------------------------------------------------------------


def test_a_release_that_is_taken_back_is_taken_back_here(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112), Deed(at(20260108, 9), 1, "release"))
    watcher.double.happen(Deed(at(20260108, 10), 1, "done"), Deed(at(20260109, 9), 1, "back"))
    watcher.run(at(20260109))
    assert watcher.dossier(1)["completed_day"] == 20260108
    watcher.run(at(20260110))
    told = watcher.dossier(1)
    assert (told["outcome"], told["completed_day"], told["returned_day"]) == ("open", None, None)


def test_every_due_date_ever_seen_is_kept_in_the_order_in_which_it_was_promised(watcher: Watcher) -> None:
    watcher.double.happen(
        *received(1, MONDAY, 20260112),
        Deed(at(20260107, 9), 1, "reset", due=at(20260120, 17)),
        Deed(at(20260108, 9), 1, "reset", due=at(20260109, 17)),
        Deed(at(20260109, 9), 1, "no_due"),
        Deed(at(20260110, 9), 1, "reset", due=at(20260112, 17)),
    )
    for day in range(4, 13):
        watcher.run(at(20260100 + day, 0, 30))
    assert watcher.promises(1) == [(20260112, "first"), (20260120, "first"), (20260109, "first")]


def test_a_due_date_that_may_have_been_moved_before_it_was_first_seen_is_no_first_promise(watcher: Watcher) -> None:
    watcher.double.happen(
        *received(1, MONDAY, 20260112),
        Deed(at(20260108, 9), 1, "reset", due=at(20260120, 17)),
        *received(2, MONDAY, 20260112),  # nothing happened to it
        *received(3, MONDAY, 20260112),
        Deed(at(20260106, 9), 3, "touch"),  # on the day after
        *received(4, MONDAY, 20260112),
        Deed(at(20260107, 9), 4, "touch"),
    )
    watcher.run(at(20260110))
    assert [watcher.promises(number)[0][1] for number in (1, 2, 3, 4)] == ["current", "first", "first", "current"]


def test_a_due_date_set_late_under_watch_is_the_first_promise(watcher: Watcher) -> None:
    watcher.run(at(20260104))
    watcher.double.happen(*received(1, MONDAY, None), Deed(at(20260108, 9), 1, "reset", due=at(20260120, 17)))
    for day in range(5, 11):
        watcher.run(at(20260100 + day, 0, 30))
    assert watcher.promises(1) == [(20260120, "first")]


def test_after_a_break_in_the_watch_only_what_surely_was_first_is_first(watcher: Watcher) -> None:
    watcher.run(at(20260104))
    watcher.double.happen(*received(1, 20260106, 20260112), Deed(at(20260108, 9), 1, "reset", due=at(20260120, 17)))
    watcher.double.happen(*received(2, 20260108, 20260112))
    watcher.run(at(20260109, 0, 30))
    assert (watcher.promises(1), watcher.promises(2)) == ([(20260120, "current")], [(20260112, "first")])


def test_a_pause_begins_and_ends_on_the_days_that_its_lock_tells(watcher: Watcher) -> None:
    watcher.double.happen(
        *received(1, MONDAY, 20260112),
        Deed(at(20260107, 14), 1, "pause"),
        Deed(at(20260108, 9), 1, "touch"),  # still paused: no second pause
        Deed(at(20260109, 9), 1, "resume"),
        Deed(at(20260113, 9), 1, "pause", lock="PAUSE_OVERDUE"),
    )
    for day in range(5, 15):
        watcher.run(at(20260100 + day, 0, 30))
    assert watcher.pauses(1) == [("begun", 20260107), ("ended", 20260109), ("begun", 20260113)]
    # The source moved the due date by the wait; that is kept too, and the first one stays the first.
    assert watcher.promises(1) == [(20260112, "first"), (20260114, "first")]


def test_a_pause_ends_with_a_dossier_that_is_closed_out_of_it(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112), Deed(at(20260107, 14), 1, "pause"))
    watcher.double.happen(Deed(at(20260109, 9), 1, "cancel"))
    for day in range(6, 12):
        watcher.run(at(20260100 + day, 0, 30))
    assert watcher.pauses(1) == [("begun", 20260107), ("ended", 20260109)]


def test_a_pause_is_ended_also_after_the_cursor_was_lost(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112), Deed(at(20260107, 14), 1, "pause"))
    watcher.double.happen(Deed(at(20260109, 9), 1, "resume"))
    watcher.run(at(20260108, 0, 30))
    watcher.cursor = None
    watcher.run(at(20260110, 0, 30))
    assert watcher.pauses(1) == [("begun", 20260107), ("ended", 20260109)]


def test_reading_again_in_the_same_state_adds_nothing(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112), Deed(at(20260107, 14), 1, "pause"))
    watcher.run(at(20260108))
    before = dict(watcher.dossiers), dict(watcher.events)
    watcher.run()
    watcher.cursor = None
    watcher.run()
    assert (watcher.dossiers, watcher.events) == before


# --- a list that moves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("meanwhile", [[], [1, 2]])
@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 7])
def test_rows_that_shift_while_they_are_read_are_not_lost(rows_at_once: int, meanwhile: list[int]) -> None:
    # While the open ones are read two of them are closed, and the rest moves up; as many may come in, so that the total
    # stays. No event of the last days tells of those that would be lost.
    deeds = [deed for number in range(1, 9) for deed in received(number, 20260102, 20260112)]
    with serving([*each_agency(), *deeds], at(20260110)) as double:
        told = config(rows=rows_at_once)
        cursor = read(double, told)[-1].cursor
        double.requests.clear()
        read(double, told, cursor)
        first_of_open = next(number for number, (_, _, asked) in enumerate(double.requests, 1) if "status" in asked)
        double.requests.clear()
        double.happen(Deed(at(20260110, 9), 1, "release"), Deed(at(20260110, 9), 2, "release"))
        double.happen(*(filed(50 + number, at(20260110, 9)) for number in meanwhile))
        double.moves = {first_of_open: at(20260110, 10)}
        assert {*keys(read(double, told, cursor))} >= {*range(3, 9)}


def test_a_list_that_never_stands_still_is_left_for_later(double: OpenCPS) -> None:
    double.happen(*(deed for number in range(1, 30) for deed in received(number, MONDAY, 20260112)))
    double.happen(*(filed(100 + minute, at(20260110, 9, minute)) for minute in range(60)))
    double.move_clock(at(20260110))
    double.moves = {number: at(20260110, 9, number % 60) for number in range(20, 60)}
    with pytest.raises(TryAgain) as caught:
        read(double, config(rows=3, rereads=2))
    assert caught.value.field == "total"


# --- the account's scope ---------------------------------------------------------------------------------------------


def test_an_account_with_a_scope_of_its_own_reads_the_agencies_that_are_named(watcher: Watcher) -> None:
    watcher.double.accounts[USER].scope = [A]
    watcher.run(at(20260110))
    assert keys(watcher.batches) == [9_001, 9_002]


def test_an_agency_that_is_not_seen_is_named_and_no_day_is_covered(watcher: Watcher) -> None:
    watcher.config = config(agencies=[A, C, B])
    with pytest.raises(AccessDenied, match=f"no dossier of {C}") as caught:
        watcher.run(at(20260110))
    assert (caught.value.field, watcher.cursor) == ("agency", None)
    assert set(watcher.dossiers) == {"9001", "9002"}, "the others are kept all the same"
    assert covered(watcher.batches) == []
    watcher.config = config(agencies=[A, B, C], may_be_empty=[C])
    assert covered(watcher.run()) != []


def test_an_agency_of_which_less_is_seen_than_before_is_named(watcher: Watcher) -> None:
    watcher.run(at(20260110))
    assert watcher.cursor is not None
    watcher.cursor = {**watcher.cursor, "totals": {A: 40, B: 1}}
    with pytest.raises(AccessDenied, match=rf"fewer dossiers than before of {A} \(1, before 40\)"):
        watcher.run(at(20260111))
    watcher.config = config(may_sink=True)
    assert covered(watcher.run()) != []


def test_dossiers_of_no_agency_at_all_stop_nothing_while_they_are_few(watcher: Watcher) -> None:
    watcher.double.happen(*(deed for number in range(1, 200) for deed in received(number, MONDAY, 20260112)))
    watcher.double.happen(*received(300, MONDAY, 20260112, ""))
    assert covered(watcher.run(at(20260110))) != []
    watcher.double.happen(*(deed for number in range(301, 320) for deed in received(number, 20260111, 20260112, "")))
    with pytest.raises(UnexpectedAnswer, match="agencies that are not listed"):
        watcher.run(at(20260112))


def test_an_agency_that_was_forgotten_is_named(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260112, C))
    with pytest.raises(UnexpectedAnswer, match=f"dossiers of {C}") as caught:
        watcher.run(at(20260110))
    assert caught.value.field == "agencies"
    assert keys(watcher.batches) == [9_001, 9_002]
    watcher.config = config(ignored=[C])
    assert covered(watcher.run()) != []


def test_an_agency_abolished_before_the_first_day_need_not_be_named(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, 20251201, 20251212, C))
    assert covered(watcher.run(at(20260110))) != []


# --- empty, refused, busy, broken ------------------------------------------------------------------------------------


def test_no_dossier_at_all_is_no_error_where_it_may_be_and_is_covered() -> None:
    with serving((), at(20260110)) as double:
        batches = read(double, config(may_be_empty=[A, B]))
        assert keys(batches) == []
        assert covered(batches) == [(record, SINCE, 20260109) for record in ("dossier", "dossier_event", "procedure")]
        with pytest.raises(AccessDenied, match=f"{A}, {B}"):
            read(double)


def test_a_refusal_is_access_denied_and_never_repeated(double: OpenCPS) -> None:
    double.accounts[USER].may_list = False
    with pytest.raises(AccessDenied):
        read(double)
    double.accounts[USER] = Account("another password")
    with pytest.raises(AccessDenied):
        read(double)
    assert len(double.requests) == 2


def test_a_session_that_ends_between_two_windows_is_access_denied(double: OpenCPS) -> None:
    double.accounts["other"] = Account("x", token="abc", token_lasts=9)
    login: dict[str, Any] = {
        "user": None,
        "password": None,
        "token": SecretStr("abc"),
        "token_header": "Token",
        "token_prefix": "",
    }
    got: list[Batch] = []
    with door(double, **login) as opened, pytest.raises(AccessDenied):
        got.extend(opencps.fetch(config(), opened, wanted(double)))
    assert all(batch.cursor is None and not batch.covers for batch in got)
    assert len(double.requests) == 10


@pytest.fixture
def proxy() -> Iterator[Server]:
    """What stands before OpenCPS, or in its place, and answers otherwise."""
    with scripted() as server:
        yield server


def said(server: Server, answer: Any, status: int = 200) -> CollectorError:
    server.says(f"{BASE}/dossiers", reply(status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()))
    with serving((), at(20260110)) as double:
        double.address = server.url
        with pytest.raises(CollectorError) as caught:
            read(double)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AccessDenied), (403, AccessDenied), (429, TryAgain), (503, TryAgain), (404, UnexpectedAnswer)],
)
def test_a_status_is_told_by_what_to_do_next(proxy: Server, status: int, kind: type[CollectorError]) -> None:
    assert type(said(proxy, {}, status)) is kind


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ([], "data"),
        ({"count": 1, "data": []}, "total"),
        ({"total": "many", "data": []}, "total"),
        ({"total": True, "data": []}, "total"),
        ({"total": -1, "data": []}, "total"),
        ({"total": 3, "items": []}, "data"),
        ({"total": 3, "data": {}}, "data"),
        ({"total": 3, "data": [{}, {}, {}]}, "end"),
    ],
)
def test_another_envelope_is_told_by_its_field(proxy: Server, answer: Any, field: str) -> None:
    error = said(proxy, answer)
    assert (type(error), error.field) == (UnexpectedAnswer, field)


def an_item(number: int, **changes: Any) -> dict[str, Any]:
    with serving([*received(number, MONDAY, 20260112)], at(20260110)) as double, door(double) as opened:
        opened.allow("GET", f"{BASE}/dossiers", headers={"groupId": str(GROUP)})
        body: Any = opened.get(f"{BASE}/dossiers", {}).body
        return {**body["data"][0], **changes}


def listing(server: Server, items: list[dict[str, Any]], told: opencps.Config | None = None) -> list[Batch]:
    """Read these items from something that lists them all for whatever is asked, but no release and nothing due."""

    def answer(request: Any) -> None:
        words = dict(part.split("=") for part in request.path.partition("?")[2].split("&"))
        found = [] if {"fromReleaseDate", "fromFinishDate", "fromDueDate"} & words.keys() else items
        body = {"total": len(found), "data": found[int(words["start"]) : int(words["end"])]}
        reply(200, json.dumps(body).encode())(request)

    server.says(f"{BASE}/dossiers", answer)
    with serving((), at(20260110)) as double:
        double.address = server.url
        return read(double, told or config(agencies=[A], slice_days=500, levels=False))


BAD = [
    ("dossierId", None), ("dossierId", "x"), ("dossierId", 0), ("groupId", 77), ("receiveDate", "2026-01-05"),
    ("dueDate", "31/02/2026 17:00:00"), ("dueDate", "12/01/0001 00:00:00"), ("releaseDate", "09/01/2026 25:00:00"),
    ("finishDate", 5), ("modifiedDate", "05/01/2027 08:00:00"), ("dossierStatus", ["done"]),
    ("govAgencyCode", "CANARY\x1b[31m"), ("serviceCode", "x" * 201),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_single_bad_item_is_set_aside_by_key_field_and_reason(field: str, value: Any) -> None:
    item = an_item(3, **{field: value})
    from connectors.onestop.national_format import Unusable
    from connectors.onestop.opencps_item import read_item

    with pytest.raises(Unusable) as caught:
        read_item(item, GROUP, at(20260110))
    assert (caught.value.field, caught.value.key) == (field, "?" if field == "dossierId" else "3")
    assert "CANARY" not in caught.value.reason


def test_one_bad_item_among_few_stops_nothing_and_more_than_one_in_a_hundred_does(proxy: Server) -> None:
    good = [an_item(1)]
    items = [{**good[0], "dossierId": number} for number in range(1, 199)]
    bad = [{**good[0], "dossierId": 900 + number, "submitDate": "mai"} for number in range(2)]
    batches = listing(proxy, [*items[:3], bad[0]])
    assert keys(batches) == [1, 2, 3]
    assert {(one.record, one.key, one.field) for batch in batches for one in batch.bad} == {
        (Dossier, "900", "submitDate")
    }
    assert covered(batches) != []
    assert len(keys(listing(proxy, [*items, *bad]))) == 198
    more = [{**good[0], "dossierId": 950, "submitDate": "mai"}]
    with pytest.raises(UnexpectedAnswer) as caught:
        listing(proxy, [*items, *bad, *more])
    assert caught.value.field == "submitDate"


@pytest.mark.parametrize("field", ["dueDate", "releaseDate", "modifiedDate", "govAgencyCode", "online"])
def test_a_field_that_no_item_names_any_more_stops_the_source(proxy: Server, field: str) -> None:
    one = an_item(1)
    items = [{**one, "dossierId": number} for number in range(1, 13)]
    assert len(keys(listing(proxy, items))) == 12
    for item in items:
        del item[field]
    with pytest.raises(UnexpectedAnswer) as caught:
        listing(proxy, items)
    assert caught.value.field == field


def test_a_service_that_ignores_days_is_found_out(proxy: Server) -> None:
    one = an_item(1)
    items = [{**one, "dossierId": number, "receiveDate": "01/01/2019 08:00:00"} for number in range(1, 5)]
    with pytest.raises(UnexpectedAnswer) as caught:
        listing(proxy, items)
    assert caught.value.field == "receiveDate"


# --- permuted, repeated, cut anyhow ----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=8)
@given(
    seed=st.lists(st.sampled_from(["touch", "pause", "resume", "release", "back", "done", "cancel"]), max_size=6),
    rows_at_once=st.integers(1, 6),
    slice_days=st.integers(9, 60),
    order=st.booleans(),
)
def test_windows_cut_anyhow_end_in_the_same_store(
    seed: list[Any], rows_at_once: int, slice_days: int, order: bool
) -> None:
    deeds = [*each_agency()]
    for number in range(1, 4):
        deeds += received(number, MONDAY + number % 2, 20260112)
        deeds += [Deed(at(20260107, 8 + hour), number, what) for hour, what in enumerate(seed[number - 1 :])]
    with serving(deeds, at(20260110)) as double:
        whole = Watcher(double)
        whole.run()
        cut = Watcher(double, config(rows=rows_at_once, slice_days=slice_days, agencies=[B, A][:: -1 if order else 1]))
        cut.run()
        cut.cursor = None
        cut.run()
        assert (cut.dossiers, cut.events) == (whole.dossiers, whole.events)


@given(random=st.randoms(use_true_random=False))
def test_looks_in_any_order_end_in_the_same_pauses(random: Any) -> None:
    from connectors.onestop.opencps_dossier import Pauses, Seen

    looks = [
        Seen("1", A, at(20260105, hour), 0, "", None, None, None, None, None, None, None, None, "waiting", lock)
        for hour, lock in ((8, ""), (9, "PAUSE"), (10, "PAUSE"), (11, ""), (12, "PAUSE"))
    ]
    expected = Pauses({})
    for look in looks:
        expected.note(look)
    # Those before the first pause are of no use: which they are depends on the order.
    shuffled = looks[1:] + looks[2:4]
    random.shuffle(shuffled)
    found = Pauses({"1": []})
    for look in shuffled:
        found.note(look)
    assert {row[0]: row for row in found.rows()} == {row[0]: row for row in expected.rows()}


# --- runs by hand ----------------------------------------------------------------------------------------------------


def test_a_run_by_hand_reads_events_of_its_days_and_covers_none(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, 20260120), Deed(at(20260106, 9), 1, "done"))
    watcher.double.happen(*received(2, 20260107, 20260120), Deed(at(20260110, 9), 2, "done"))
    watcher.double.happen(*received(3, 20260112, 20260120), Deed(at(20260113, 9), 3, "done"))
    watcher.run(at(20260114), window=True, first_day=20260108, last_day=20260110)
    assert keys(watcher.batches) == [2, 9_001, 9_002]
    assert covered(watcher.batches) == []
    assert watcher.cursor is None


def test_a_run_for_some_agencies_reads_theirs_alone(watcher: Watcher) -> None:
    watcher.run(at(20260110), window=True, agencies=frozenset({B}))
    assert keys(watcher.batches) == [9_002]
    assert {question["agency"] for question in watcher.asked} == {B}
    watcher.run(window=True, agencies=frozenset({C}))
    assert rows(watcher.batches, Dossier) == []


# --- persons, levels, configuration, probe ---------------------------------------------------------------------------


def test_no_person_is_in_rows_cursor_bad_rows_or_errors(double: OpenCPS, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    double.happen(*received(1, MONDAY, 20260112))
    double.move_clock(at(20260110))
    with door(double) as opened:
        told = repr(list(opencps.fetch(config(), opened, wanted(double)))) + repr(list(opencps.probe(config(), opened)))
    with pytest.raises(AccessDenied) as caught:
        read(double, config(agencies=[A, B, C]))
    told += str(caught.value) + repr(caught.value.__dict__) + caplog.text
    assert not [canary for canary in CANARIES if canary in told]


def test_a_level_counts_from_the_first_dossier_that_shows_it(watcher: Watcher) -> None:
    watcher.double.happen(*received(1, MONDAY, None, level=3), *received(2, 20260107, None, level=4))
    watcher.double.happen(*received(3, 20260106, None, level=3), *received(4, 20260108, None, level=0))
    watcher.run(at(20260110))
    lines = kept([row for batch in watcher.batches for row in batch.rows[Procedure] if row[1] == A])
    assert sorted((row[5], row[6]) for row in lines.values()) == [("full", 20260102), ("partial", MONDAY)]


def test_levels_may_be_left_to_another_source(watcher: Watcher) -> None:
    watcher.config = config(levels=False)
    watcher.run(at(20260110))
    assert opencps.offers(watcher.config) == (Dossier, DossierEvent)
    assert {name for name, _, _ in covered(watcher.batches)} == {"dossier", "dossier_event"}
    assert rows(watcher.batches, Procedure) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"group_id": None},
        {"group_id": 0},
        {"agencies": []},
        {"agencies": ["all"]},
        {"agencies": [f"{A},{B}"]},
        {"agencies": [A, A]},
        {"may_be_empty": [C]},
        {"ignored": [A]},
        {"base": "o/rest"},
        {"base": "/o/rest/"},
        {"parameters": {"reCalculate": "1"}},
        {"parameters": {"end": "0"}},
        {"parameters": {"fromDueDate": "01/01/2026"}},
        {"overlap_days": 0},
        {"unknown": 1},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


def probed(double: OpenCPS, **changes: Any) -> dict[str, str]:
    with door(double) as opened:
        return {one.stage: one.result for one in opencps.probe(config(**changes), opened)}


def test_the_probe_finds_a_source_in_order(double: OpenCPS) -> None:
    assert probed(double) == {
        "reach": "ok",
        "read": "ok",
        "scope": "ok",
        "filter": "ok",
        "clock": "ok",
        "read-only": "unproved",
    }


@pytest.mark.parametrize(
    ("spoil", "stage", "result"),
    [
        (lambda double: setattr(double.accounts[USER], "scope", [A]), "scope", "unproved"),
        (lambda double: double.happen(*received(1, 20260102, None, C)), "scope", "failed"),
    ],
)
def test_the_probe_tells_what_is_wrong(spoil: Callable[[OpenCPS], None], stage: str, result: str) -> None:
    with serving(each_agency(), at(20260102)) as double:
        spoil(double)
        double.move_clock(at(20260103))
        assert probed(double)[stage] == result


def test_the_probe_tells_another_site(double: OpenCPS) -> None:
    assert probed(double, group_id=77)["read"] == "unproved"
    assert probed(double, group_id=77)["scope"] == "failed"
