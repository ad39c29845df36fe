"""Documents from the trunks' own lists: windows, pages, tokens, refusals, messages fetched singly."""

import base64
import json
import logging
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.contract.connector import Batch
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.records import Delivery, Document
from connectors.docmgmt import trunk
from connectors.docmgmt.edxml import Refused
from connectors.docmgmt.trunk_answer import Packed
from tests.connectors.docmgmt.edxml_samples import CANARIES, envelope
from tests.connectors.docmgmt.edxml_under_load import with_attachment
from tests.connectors.docmgmt.test_edxml import ROOT
from tests.connectors.docmgmt.trunk_double import (
    COUNT_DOCUMENTS,
    LOGIN,
    MESSAGE,
    READING,
    READING_VXP,
    RECEIVED,
    SENT,
    Trunk,
    passed,
    serving,
)
from tests.connectors.docmgmt.trunk_runs import (
    BEGAN,
    SINCE,
    YESTERDAY,
    asked,
    covered,
    folder_door,
    kept,
    named,
    quarantined,
    received_config,
    rows,
    sent_config,
    store_of,
    trunk_door,
    unversioned,
    want,
    window,
)

TODAY = 20260301


@pytest.fixture
def server() -> Iterator[Trunk]:
    with serving() as one:
        yield one


def fill(server: Trunk, count: int, **others: Any) -> None:
    server.documents = [passed(number, **others) for number in range(count)]


def paths(server: Trunk) -> list[str]:
    return [path for _, path, _ in server.requests]


def windows_asked(server: Trunk) -> list[tuple[str, str]]:
    return [(q["fromDate"], q["toDate"]) for _, path, q in server.requests if path == RECEIVED]


# --- the province's trunk --------------------------------------------------------------------------------------------


def test_a_listed_document_and_its_message_become_the_golden_record(server: Trunk) -> None:
    message = envelope(
        "000.00.01.H44,2026/01/14,12/UBND", "000.00.01.H44", ["H44.02", "H44.77"], due="2026-02-10", paper="1",
        issued="2026-01-14", attachments=[("a.pdf.p7s", b"CANARY")],
    )  # fmt: skip
    server.documents = [passed("t-1", sender="000.00.01.H44", created="2026-01-15 09:00:00", message=message)]
    batches = asked(server, received_config())
    key = "000.00.01.H44,2026/01/14,12/UBND"
    (row,) = rows(batches, Document)
    assert row[0] == f"{key}|H44.02"
    assert row[1:2] + row[3:] == (
        "H44.02", 0, "received", None, 20260114, 1, 1, 1, 0, 20260210, None, key, "000.00.01.H44", None,
    )  # fmt: skip
    assert rows(batches, Delivery) == []
    assert covered(batches) == [("document", SINCE, YESTERDAY)]


def test_without_messages_the_list_tells_who_got_what_and_when_it_was_sent(server: Trunk) -> None:
    three = "000.00.01.H44,2026/01/14,12/UBND"
    server.documents = [
        passed(three, created="2026-01-15 09:00:00", status="done", updated="2026-01-16 10:11:12"),
        passed("5f1e", created="2026-01-15 23:59:59"),
    ]
    batches = asked(server, received_config(envelope_path=None))
    assert store_of(batches)["document"] == {
        f"{three}|H44.02": (
            f"{three}|H44.02",
            "H44.02",
            1768533072000000,
            0,
            "received",
            None,
            20260114,
            1,
            None,
            None,
            None,
            None,
            None,
            three,
            "H44.01",
            "done",
        ),
        "5f1e|H44.02": (
            "5f1e|H44.02",
            "H44.02",
            1768496399000000,
            0,
            "received",
            None,
            20260115,
            1,
            None,
            None,
            None,
            None,
            None,
            "5f1e",
            "H44.01",
            "initial",
        ),
    }
    assert MESSAGE not in paths(server)


def test_nothing_listed_is_no_error_and_is_covered(server: Trunk) -> None:
    batches = asked(server, received_config())
    assert rows(batches, Document) == []
    assert covered(batches) == [("document", SINCE, YESTERDAY)]
    assert batches[-1].cursor["through"] == TODAY  # type: ignore[index]


def test_what_is_not_a_document_or_not_ours_is_passed_by(server: Trunk) -> None:
    server.documents = [passed(1, kind="status"), passed(2, "H44.02"), passed(3, created="2025-12-30 09:00:00")]
    assert set(kept(asked(server, received_config(window_days=31)), Document)) == {"doc-2|H44.02"}
    assert set(kept(asked(server, received_config(inside=["H37."])), Document)) == set()


def test_a_recall_in_the_list_is_no_document_and_asks_for_one_back(server: Trunk) -> None:
    recall = envelope("m", "H44.01", ["H44.02"], kind="1", about="doc-1", sent="2026-01-20 09:00:00")
    fill(server, 2)
    server.documents.append(passed("recall", message=recall, created="2026-01-20 09:00:00"))
    batches = asked(server, received_config())
    assert set(kept(batches, Document)) == {"doc-0|H44.02", "doc-1|H44.02"}
    assert named(batches, Document, "doc-1|H44.02")["recalled"] is None
    assert named(batches, Document, "doc-0|H44.02")["recalled"] == 0
    # It came twice in one run; the row that knows of the recall must stand, whatever the two look like.
    versions = [(row[2], row[10]) for row in rows(batches, Document) if row[0] == "doc-1|H44.02"]
    assert [recalled for _, recalled in sorted(versions)] == [0, None]
    assert len({version for version, _ in versions}) == 2


def test_one_message_for_several_recipients_is_fetched_once_and_counts_for_each(server: Trunk) -> None:
    server.documents = [passed("d", "H44.02"), passed("d", "H44.03")]
    batches = asked(server, received_config())
    assert set(kept(batches, Document)) == {"d|H44.02", "d|H44.03"}
    assert paths(server).count(MESSAGE) == 1


# --- windows ---------------------------------------------------------------------------------------------------------


def test_days_are_asked_for_oldest_first_to_today_and_each_is_kept(server: Trunk) -> None:
    server.longest_window = 7
    batches = asked(server, received_config(window_days=7))
    asked_for = windows_asked(server)
    assert asked_for[0] == ("2025/12/31", "2026/01/06")
    assert asked_for[-1] == ("2026/02/25", "2026/03/01")
    assert len(asked_for) == 9
    assert [batch.cursor["through"] for batch in batches][:2] == [20260106, 20260113]  # type: ignore[index]
    assert [bool(batch.covers) for batch in batches] == [False] * 8 + [True]


def test_the_next_run_reads_the_last_days_again_and_fetches_nothing_twice(server: Trunk) -> None:
    fill(server, 3)
    server.documents.append(passed("late", created="2026-02-28 09:00:00"))
    first = asked(server, received_config())
    server.requests.clear()
    server.documents.append(passed("later", created="2026-02-27 22:00:00"))
    cursor = json.loads(json.dumps(first[-1].cursor))
    second = asked(server, received_config(), want(cursor), BEGAN + 3_600)
    assert windows_asked(server)[0][0] == "2026/02/27"
    assert [q["docId"] for _, path, q in server.requests if path == MESSAGE] == ["later"]
    assert {"late|H44.02", "later|H44.02"} <= set(kept([*first, *second], Document))


def test_a_run_that_breaks_off_goes_on_from_the_last_whole_window(server: Trunk) -> None:
    fill(server, 20)
    got: list[Batch] = []
    server.after[30] = lambda: setattr(server, "broken", 1)
    with trunk_door(server) as door, pytest.raises(TryAgain):
        got.extend(trunk.fetch(received_config(), door, want()))
    server.after.clear()
    server.requests.clear()
    rest = asked(server, received_config(), want(got[-1].cursor), BEGAN + 60)
    assert windows_asked(server)[0][0] > "2026/01/05"
    assert unversioned([*got, *rest]) == unversioned(asked(server, received_config(), want(), BEGAN + 120))


def test_a_window_that_is_cut_in_silence_is_asked_for_in_halves(server: Trunk) -> None:
    fill(server, 60)  # two or three on each day of January
    server.largest = 5
    batches = asked(server, received_config(window_days=31, envelope_path=None))
    assert len(kept(batches, Document)) == 60
    assert len(windows_asked(server)) > 10


def test_a_day_that_is_cut_in_silence_is_refused_by_name(server: Trunk) -> None:
    fill(server, 60)
    server.largest = 2
    with pytest.raises(UnexpectedAnswer) as caught:
        asked(server, received_config(envelope_path=None))
    assert (caught.value.field, caught.value.stage) == ("count", "answer")
    assert "2026-01-" in caught.value.reason


def test_a_trunk_that_does_not_listen_to_days_is_read_once(server: Trunk) -> None:
    fill(server, 12)
    server.listens = False
    batches = asked(server, received_config(envelope_path=None))
    assert len(kept(batches, Document)) == 12
    assert windows_asked(server) == [("2025/12/31", "2025/12/31"), ("2099/12/31", "2099/12/31")]
    assert covered(batches) == [("document", SINCE, YESTERDAY)]


@pytest.mark.parametrize("refuses", [False, True])
def test_entries_with_broken_times_do_not_end_the_list_early(server: Trunk, refuses: bool) -> None:
    fill(server, 12)
    server.always = [passed(f"broken-{n}", created="2015-01-01 09:00:00") for n in range(3)]
    server.refuses_the_future = refuses
    batches = asked(server, received_config(envelope_path=None))
    assert set(kept(batches, Document)) == {f"doc-{number}|H44.02" for number in range(12)}
    asked_ahead = [days for days in windows_asked(server) if days[0] == "2099/12/31"]
    assert len(asked_ahead) == 2  # once after a day with nothing else, which proves nothing; then never again


def test_what_was_set_aside_is_forgotten_once_it_is_mended(server: Trunk) -> None:
    fill(server, 12, created="2026-02-27 09:00:00")
    good, server.documents[3].message = server.documents[3].message, b"<broken"
    first = asked(server, received_config())
    assert quarantined(first) == [("doc-3", "message")]
    server.documents[3].message = good
    second = asked(server, received_config(), want(first[-1].cursor), BEGAN + 60)
    assert [one for batch in second for one in batch.looked_at] == [(Document, "doc-3")]
    assert "doc-3|H44.02" in kept(second, Document)
    third = asked(server, received_config(), want(second[-1].cursor), BEGAN + 120)
    assert [one for batch in third for one in batch.looked_at] == []


def test_a_window_by_hand_asks_for_its_days_and_leaves_the_cursor_alone(server: Trunk) -> None:
    fill(server, 20)
    batches = asked(server, received_config(), window(20260105, 20260106))
    assert windows_asked(server) == [("2026/01/05", "2026/01/05"), ("2026/01/06", "2026/01/06")]
    assert set(kept(batches, Document)) == {"doc-4|H44.02", "doc-5|H44.02"}
    assert [batch.cursor for batch in batches] == [None, None]
    assert covered(batches) == [("document", 20260105, 20260106)]


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 12), st.booleans(), st.lists(st.integers(0, 29), max_size=8), st.integers(0, 99)
)
def test_however_days_and_pages_are_cut_repeated_or_permuted_the_store_is_the_same(
    days: int, size: int, pages: bool, doubled: list[int], seed: int
) -> None:
    with serving() as server:
        fill(server, 30)
        server.documents += [server.documents[number] for number in doubled]
        random.Random(seed).shuffle(server.documents)
        server.pages = pages
        paging = {"page": "pageIndex", "size": "pageSize", "page_size": size} if pages else {}
        january = window(20260101, 20260131)
        found = asked(server, received_config(window_days=days, envelope_path=None, **paging), january)
        server.pages = False
        whole = asked(server, received_config(window_days=31, envelope_path=None), january)
        assert store_of(found) == store_of(whole)
        assert len(kept(found, Document)) == 30


def test_a_later_state_of_an_entry_stands_whichever_page_it_comes_on(server: Trunk) -> None:
    old = passed("d", created="2026-01-10 09:00:00")
    new = passed("d", created="2026-01-10 09:00:00", status="done", updated="2026-01-12 09:00:00")
    for order in ([old, new], [new, old]):
        server.documents = order
        assert (
            named(asked(server, received_config(envelope_path=None)), Document, "d|H44.02")["source_status"] == "done"
        )


# --- who asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_the_body", [False, True])
def test_a_token_that_ends_in_the_middle_is_fetched_anew(server: Trunk, in_the_body: bool) -> None:
    fill(server, 40)
    server.token_lasts = 7
    server.token_ends_in_the_body = in_the_body
    batches = asked(server, received_config())
    assert len(kept(batches, Document)) == 40
    assert server.logins == -(-sum(path != LOGIN for path in paths(server)) // 8)


def test_a_new_token_that_is_refused_is_not_fetched_again(server: Trunk) -> None:
    server.token_lasts = 0
    with pytest.raises(AccessDenied):
        asked(server, received_config())
    assert server.logins == 1


def test_a_wrong_password_is_tried_once(server: Trunk) -> None:
    login = {"user": "reader", "password": "wrong", "application": "QLVB"}
    with trunk_door(server, tries=4) as door, pytest.raises(AccessDenied) as caught:
        list(trunk.fetch(received_config(login=login), door, want()))
    assert (server.wrong_passwords, len(server.requests)) == (1, 1)
    assert caught.value.stage == "log in"


def test_a_log_in_whose_answer_is_lost_is_not_repeated(server: Trunk) -> None:
    server.busy = 1
    with trunk_door(server, tries=4) as door, pytest.raises(TryAgain):
        list(trunk.fetch(received_config(), door, want()))
    assert paths(server) == [LOGIN]


def test_a_wrong_secret_is_access_denied_by_its_code(server: Trunk) -> None:
    with pytest.raises(AccessDenied) as caught:
        asked(server, received_config(secret_key="wrong"))
    assert "15 (wrong system id or secret)" in str(caught.value)
    assert server.logins <= 2


def test_without_a_log_in_the_doors_own_token_is_used_and_a_refusal_stands(server: Trunk) -> None:
    with pytest.raises(AccessDenied):
        asked(server, received_config(login=None))
    assert paths(server) == [RECEIVED]


def test_a_trunk_that_asks_for_patience_is_asked_again_and_then_left(server: Trunk) -> None:
    server.busy = 1
    with pytest.raises(TryAgain) as caught:
        asked(server, received_config())
    assert caught.value.after == 1
    server.requests.clear()
    server.after[1] = lambda: setattr(server, "busy", 1)  # after the log-in, which is never repeated by itself
    with trunk_door(server, tries=2) as door:
        assert covered(list(trunk.fetch(received_config(window_days=31), door, want())))
    assert paths(server)[:3] == [LOGIN, RECEIVED, RECEIVED]


def test_a_fault_of_the_trunk_under_http_200_is_tried_again_later(server: Trunk) -> None:
    server.broken = 1
    with pytest.raises(TryAgain) as caught:
        asked(server, received_config())
    assert "code 20 (fault of the trunk)" in str(caught.value)
    server.broken, server.says_when_broken = 1, 200  # `success` says true; only errorDetail tells
    with pytest.raises(TryAgain):
        asked(server, received_config())


def test_only_reading_verbs_are_ever_asked(server: Trunk) -> None:
    fill(server, 5)
    asked(server, received_config())
    asked(server, sent_config(page=None, size=None, window_days=31))
    for config in (received_config(), sent_config()):
        with trunk_door(server) as door:
            list(trunk.probe(config, door))
    assert {(method, path) for method, path, _ in server.requests} <= READING | READING_VXP
    assert server.written == 0


def test_no_secret_and_no_person_is_in_messages_rows_or_logs(server: Trunk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fill(server, 5)
    server.documents.append(passed("broken", message=b"CANARY"))
    said = [repr(asked(server, received_config()))]
    for change in ({"secret_key": "wrong"}, {"path": "/v1/other"}):
        with pytest.raises(CollectorError) as caught:
            asked(server, received_config(**change))
        said.append(str(caught.value))
    said += [repr(received_config()), caplog.text]
    assert not [canary for canary in CANARIES if any(canary in one for one in said)]


# --- what cannot be used ---------------------------------------------------------------------------------------------


def test_a_message_that_cannot_be_used_is_set_aside_by_its_id(server: Trunk) -> None:
    fill(server, 5)
    server.documents[2].message = b"<!DOCTYPE x><edXML/>"
    batches = asked(server, received_config(window_days=31))
    assert quarantined(batches) == [("doc-2", "message")]
    assert len(kept(batches, Document)) == 4
    (reason,) = [one.reason for batch in batches for one in batch.bad]
    assert reason == "has a DTD; DTDs and entities are never read"


@pytest.mark.parametrize("code", [10, 500])
def test_a_message_that_the_trunk_does_not_give_is_set_aside_alone(server: Trunk, code: int) -> None:
    fill(server, 5)
    server.lost = {"doc-2": code}
    batches = asked(server, received_config())
    assert quarantined(batches) == [("doc-2", "code")]
    assert len(kept(batches, Document)) == 4
    assert covered(batches)
    server.lost = {"doc-2": 20}
    with pytest.raises(TryAgain):
        asked(server, received_config())
    server.lost = {f"doc-{number}": code for number in range(5)}
    with pytest.raises(UnexpectedAnswer) as caught:
        asked(server, received_config())
    assert caught.value.field == "code"


@pytest.mark.parametrize("field", ["docId", "from", "to", "createdTime"])
def test_a_renamed_field_stops_the_source_by_name(server: Trunk, field: str) -> None:
    fill(server, 12, created="2026-01-10 09:00:00")
    server.renamed = {field: "other"}
    with pytest.raises(UnexpectedAnswer) as caught:
        asked(server, received_config(envelope_path=None))
    assert caught.value.field == field


def test_over_one_percent_of_bad_entries_stops_the_source(server: Trunk) -> None:
    fill(server, 150, created="2026-01-10 09:00:00")
    for number in (3, 70):
        server.documents[number].sender = ""
    with pytest.raises(UnexpectedAnswer) as caught:
        asked(server, received_config(envelope_path=None))
    assert caught.value.field == "from"
    server.documents[3].sender = "H44.01"
    assert quarantined(asked(server, received_config(envelope_path=None))) == [("doc-70", "from")]


def test_another_path_is_an_unexpected_answer(server: Trunk) -> None:
    with pytest.raises(UnexpectedAnswer):
        asked(server, received_config(path="/v1/other"))


def test_a_list_is_not_read_through_a_folder(tmp_path: Any) -> None:
    with folder_door(tmp_path) as door, pytest.raises(WrongUse):
        list(trunk.fetch(received_config(), door, want()))


# --- messages of any size --------------------------------------------------------------------------------------------

_HUGE = """
import json, sys
from pathlib import Path
from tests.connectors.docmgmt.trunk_runs import asked, received_config, window
from tests.connectors.docmgmt.trunk_double import Trunk
server = Trunk(address=sys.argv[1])
batches = asked(server, received_config(), window(20260101, 20260101))
lines = Path("/proc/self/status").read_text().splitlines()
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
keys = [row[0] for batch in batches for rows in batch.rows.values() for row in rows]
bad = [(one.key, one.reason) for batch in batches for one in batch.bad]
print(json.dumps([keys, bad, peak >> 10]))
"""


@pytest.mark.long
def test_an_attachment_of_100_mb_is_streamed_past_over_http_in_little_memory(
    server: Trunk, scale: Callable[[int], int]
) -> None:
    def blocks() -> Iterator[bytes]:
        rest = b""
        for block in with_attachment(scale(100)):
            whole = len(rest + block) // 3 * 3  # packed piece by piece
            yield (rest + block)[:whole]
            rest = (rest + block)[whole:]
        yield rest

    server.documents = [passed("huge", created="2026-01-01 09:00:00", message=blocks)]
    done = subprocess.run(
        [sys.executable, "-c", _HUGE, server.address],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    keys, bad, peak = json.loads(done.stdout)
    assert (keys, bad) == (["load-1|H44.02"], [])
    assert peak < 160


PACKED = base64.b64encode(bytes(range(256)) * 40)  # 10,240 bytes: longer than what stays in the frame


def unpacked(answer: bytes, size: int) -> tuple[bytes, Any, bool]:
    packed = Packed(answer[start : start + size] for start in range(0, len(answer), size))
    message = b"".join(packed.message())
    return message, packed.frame, packed.in_place


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4_096, 10**6])
@pytest.mark.parametrize(
    "answer",
    [
        b'{"code": 0, "data": {"data": "%s"}, "x": ["\\"}{", 1.5]}',
        b'{"x": ["\\"}{", 1.5], "data": {"data": "%s"}, "code": 0}',
        b'{"code":0,"data":"%s","x":["\\"}{",1.5]}',
        b'{"code":0,"data":{"edxml":"%s","docId":"a"},"x":["\\"}{",1.5]}',
    ],
)
def test_a_message_is_found_wherever_the_answer_is_cut(answer: bytes, size: int) -> None:
    for written in (
        PACKED,
        PACKED.replace(b"/", b"\\/").replace(b"+", b"\\u002b").replace(b"=", b"\\u003d"),
        b"\\r\\n".join(PACKED[start : start + 76] for start in range(0, len(PACKED), 76)),
        PACKED.rstrip(b"="),
    ):
        message, frame, in_place = unpacked(answer.replace(b"%s", written), size)
        assert message == bytes(range(256)) * 40
        assert (frame["code"], frame["x"], in_place) == (0, ['"}{', 1.5], True)


def test_a_short_message_is_found_too_and_a_refusal_has_none() -> None:
    assert unpacked(b'{"code":0,"data":{"data":"aGVsbG8="}}', 5)[0] == b"hello"
    message, frame, _ = unpacked(b'{"code":401,"data":null,"errorDetail":[{"exception":"no"}]}', 5)
    assert (message, frame["code"]) == (b"", 401)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"data":{"data":"' + PACKED + b'*"}}',
        b'{"data":{"data":"' + PACKED + b'AA==AAAA"}}',
        b'{"data":{"data":"' + PACKED + b'"},"more":"' + PACKED + b'"}',
        b'{"data":{"data":"' + PACKED + b'\\ud800"}}',
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_what_is_no_packed_message_is_refused(answer: bytes) -> None:
    for size in (1_000, 10**6):
        with pytest.raises(Refused):
            unpacked(answer, size)


def test_a_long_string_in_another_place_is_not_taken_for_the_message() -> None:
    assert unpacked(b'{"data":{"data":""},"other":"' + PACKED + b'"}', 999)[2] is False


# --- VXP -------------------------------------------------------------------------------------------------------------


def test_what_vxp_lists_as_sent_becomes_the_golden_records(server: Trunk) -> None:
    three = "000.00.02.H44,2026/01/14,12/UBND"
    server.documents = [
        passed(
            three, "G22", sender="000.00.02.H44", created="2026-01-15 09:00:00", copy_id="r-1", receive_status="done"
        ),
        passed(three, "H44.03", sender="000.00.02.H44", created="2026-01-16 09:00:00", send_status="fail"),
        passed("u-1", "H37.1", sender="H44.02", created="2026-01-31 23:59:59", receive_status="rejection"),
        passed("u-2", "H37.1", sender="H44.02", created="2026-01-31 23:59:59"),
        passed("u-3", "H44.02", sender="G22", created="2026-01-31 23:59:59"),
        passed("u-4", "H37.1", sender="H44.02", created="2026-01-31 23:59:59", kind="status"),
    ]
    server.pages = True
    batches = asked(server, sent_config())
    v = BEGAN * 1_000_000
    assert unversioned(batches)["document"] == [
        (three, "000.00.02.H44", 0, "sent", None, 20260114, 1, None, None, None, None, None, three, None, None),
        ("u-1", "H44.02", 0, "sent", None, 20260131, 1, None, None, None, None, None, "u-1", None, None),
        ("u-2", "H44.02", 0, "sent", None, 20260131, 1, None, None, None, None, None, "u-2", None, None),
    ]
    assert kept(batches, Delivery) == {
        f"{three}|G22": (f"{three}|G22", "", v, 0, three, "G22", 1, 1, 20260115, None, None, None, None, "r-1"),
        f"{three}|H44.03": (f"{three}|H44.03", "", v, 0, three, "H44.03", 0, 0, 20260116, None, None, None, None, None),
        "u-1|H37.1": ("u-1|H37.1", "", v, 0, "u-1", "H37.1", 1, None, 20260131, None, None, 1, None, None),
        "u-2|H37.1": ("u-2|H37.1", "", v, 0, "u-2", "H37.1", 1, None, 20260131, None, None, None, None, None),
    }
    assert covered(batches) == [("delivery", SINCE, YESTERDAY), ("document", SINCE, YESTERDAY)]


def test_a_document_sent_on_two_days_was_issued_on_the_first_in_whatever_order_they_come(server: Trunk) -> None:
    early, late = (
        passed("d", "H37.1", created="2026-01-10 09:00:00"),
        passed("d", "H37.2", created="2026-01-20 09:00:00"),
    )
    server.pages = True
    for documents in ([early, late], [late, early]):
        server.documents = documents
        for days in (1, 31):
            assert named(asked(server, sent_config(window_days=days)), Document, "d")["issued_day"] == 20260110


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.lists(st.integers(0, 29), max_size=2), st.integers(1, 30))
def test_however_vxps_list_is_cut_or_repeated_the_store_is_the_same(
    days: int, size: int, doubled: list[int], largest: int
) -> None:
    with serving() as server:
        fill(server, 30, sender="H44.02", recipient="H37.1")
        server.pages = True
        expected = store_of(asked(server, sent_config(window_days=31)))
        server.documents += [server.documents[number] for number in doubled]
        server.largest = largest
        found = asked(server, sent_config(window_days=days, page_size=size), window(20260101, 20260131))
        assert store_of(found) == expected
        assert len(expected["document"]) == 30


def test_a_document_sent_while_pages_are_read_loses_nothing(server: Trunk) -> None:
    fill(server, 25, sender="H44.02", recipient="H37.1")
    server.pages = True
    server.after[2] = lambda: server.documents.append(
        passed("new", "H37.1", sender="H44.02", created="2026-01-31 08:00:00")
    )
    config = sent_config(window_days=62, page_size=10)
    assert {f"doc-{number}" for number in range(25)} <= set(kept(asked(server, config), Document))


def test_vxp_without_page_numbers_is_found_out(server: Trunk) -> None:
    fill(server, 25, sender="H44.02", recipient="H37.1")
    with pytest.raises(UnexpectedAnswer) as caught:
        asked(server, sent_config(window_days=62))
    assert caught.value.field == "pageIndex"
    assert len(kept(asked(server, sent_config(window_days=62, page=None, size=None)), Document)) == 25


def test_vxp_that_does_not_listen_to_days_is_read_once(server: Trunk) -> None:
    fill(server, 25, sender="H44.02", recipient="H37.1")
    server.pages, server.listens = True, False
    assert len(kept(asked(server, sent_config(page_size=10)), Document)) == 25
    assert paths(server) == [SENT] * 5  # three pages and an empty one, and the question about a day far ahead
    server.requests.clear()
    assert len(kept(asked(server, sent_config(from_day=None, to_day=None)), Document)) == 25
    assert paths(server) == [SENT] * 2


def test_vxps_next_run_reads_the_last_days_again(server: Trunk) -> None:
    fill(server, 3, sender="H44.02", recipient="H37.1")
    server.pages = True
    first = asked(server, sent_config())
    server.documents.append(passed("new", "H37.1", sender="H44.02", created="2026-02-26 08:00:00"))
    second = asked(server, sent_config(), want(first[-1].cursor), BEGAN + 60)
    assert set(kept(second, Document)) == {"new"}


def test_vxps_refusals_come_under_http_200(server: Trunk) -> None:
    with pytest.raises(AccessDenied) as caught:
        asked(server, sent_config(secret_key="wrong"))
    assert caught.value.field == "ErrorCode"
    server.broken = 1
    with pytest.raises(TryAgain):
        asked(server, sent_config())
    server.renamed = {"senderDocId": "id"}
    fill(server, 12, sender="H44.02", recipient="H37.1", created="2026-01-10 09:00:00")
    with pytest.raises(UnexpectedAnswer) as unexpected:
        asked(server, sent_config(page=None, size=None, window_days=31))
    assert unexpected.value.field == "senderDocId"


# --- probe -----------------------------------------------------------------------------------------------------------


def findings(server: Trunk, config: trunk.Config) -> list[tuple[str, str, str]]:
    with trunk_door(server) as door:
        return [(one.stage, one.result, one.says) for one in trunk.probe(config, door)]


def test_the_probe_of_the_provinces_trunk(server: Trunk) -> None:
    server.documents = [passed("a", created="2026-02-28 09:00:00"), passed("b", created="2026-03-01 07:00:00")]
    server.clock = BEGAN + 2
    found = findings(server, received_config())
    assert [one[:2] for one in found] == [
        ("log in", "ok"),
        ("reach", "ok"),
        ("page", "ok"),
        ("message", "ok"),
        ("clock", "ok"),
        ("read-only", "unproved"),
    ]
    server.renamed, server.clock = {"docId": "id"}, BEGAN - 7_200
    found = findings(server, received_config())
    assert ("page", "failed", f"first entries of {RECEIVED}: missing or unreadable: docId") in found
    assert ("clock", "failed", "the trunk's clock is -7200 s from ours") in found
    server.documents, server.clock = [], None
    assert [one[1] for one in findings(server, received_config())] == ["ok", "ok", "unproved", "unproved", "unproved"]


def test_the_probe_of_vxp_tells_what_waits_in_its_queue(server: Trunk) -> None:
    server.documents = [passed("a", "H37.1", sender="H44.02", created="2026-02-28 09:00:00")]
    found = findings(server, sent_config())
    assert ("counts", "ok", "3 documents wait to be fetched") in found
    assert ("counts", "ok", "1 status packets wait to be fetched") in found
    assert found[-1][:2] == ("read-only", "unproved")
    assert COUNT_DOCUMENTS in paths(server)
