"""Documents and deliveries from a folder of edXML messages: what messages add up to, in whatever order they come."""

import json
import os
import random
import shutil
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import select

from collector.contract.errors import UnexpectedAnswer, WrongUse
from collector.contract.records import Delivery, Document
from collector.contract.tables import delivery, document
from collector.store.engine import reading, writing
from collector.store.save import save
from collector.transports import ssh
from connectors.docmgmt import trunk
from tests.connectors.docmgmt.edxml_samples import CANARIES, envelope, status
from tests.connectors.docmgmt.trunk_runs import (
    BEGAN,
    SINCE,
    covered,
    fetched,
    folder_config,
    folder_door,
    kept,
    named,
    quarantined,
    rows,
    run,
    store_of,
    unversioned,
    want,
    window,
)
from tests.servers.openssh import OpenSSH
from tests.store.small import PLAN, store

GOLDEN = Path(__file__).parents[2] / "golden" / "edxml"
OUT, HERE, AWAY = "H44.01", "H44.02", "H37.1"


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """`put(name=bytes, ...)` writes messages that are a day old into the folder and returns it."""

    def write(modified: int = BEGAN - 86_400, /, **messages: bytes) -> Path:
        for name, data in messages.items():
            path = tmp_path / f"{name}.edxml"
            path.write_bytes(data)
            os.utime(path, (modified, modified))
        return tmp_path

    return write


Put = Callable[..., Path]


def test_the_golden_messages_become_the_golden_records(tmp_path: Path) -> None:
    for path in GOLDEN.iterdir():
        shutil.copy(path, tmp_path)
    batches = fetched(tmp_path)
    v = BEGAN * 1_000_000
    ministry, vendor = "000.00.00.G22,2026/01/15,7816/VPCP-TTĐT", "3f0c6f4e-5d0e-4a3e-9d5f-0f7f6b1a2c3d"
    assert store_of(batches) == {
        "document": {
            ministry: (
                ministry,
                "000.00.01.H44",
                v,
                0,
                "sent",
                None,
                20260115,
                1,
                1,
                None,
                0,
                None,
                None,
                ministry,
                None,
                None,
            ),
            f"{ministry}|H44.02": (
                f"{ministry}|H44.02",
                "H44.02",
                v,
                0,
                "received",
                None,
                20260115,
                1,
                1,
                None,
                0,
                20260210,
                None,
                ministry,
                "000.00.01.H44",
                None,
            ),
            vendor: (vendor, "H44.02", v, 0, "sent", None, 20260115, 1, None, None, 0, None, None, vendor, None, None),
            # d-3: sent, received, asked back, its recipient exchanged for another, and then replaced by d-4.
            "d-3": ("d-3", "H44.02", v, 0, "sent", None, 20260115, 1, 0, None, 1, None, None, "d-3", None, None),
            "d-3|H44.03": (
                "d-3|H44.03",
                "H44.03",
                v,
                1,
                "received",
                None,
                20260115,
                1,
                0,
                None,
                1,
                None,
                None,
                "d-3",
                "H44.02",
                "03",
            ),
            "d-3|H44.04": (
                "d-3|H44.04",
                "H44.04",
                v,
                0,
                "received",
                None,
                20260115,
                1,
                0,
                None,
                1,
                None,
                None,
                "d-3",
                "H44.02",
                None,
            ),
            "d-4": ("d-4", "H44.02", v, 0, "sent", None, 20260115, 1, 0, None, 0, None, None, "d-4", None, None),
            "d-4|H44.03": (
                "d-4|H44.03",
                "H44.03",
                v,
                0,
                "received",
                None,
                20260115,
                1,
                0,
                None,
                0,
                None,
                None,
                "d-4",
                "H44.02",
                None,
            ),
        },
        "delivery": {
            f"{ministry}|H44.02": (
                f"{ministry}|H44.02",
                "",
                v,
                0,
                ministry,
                "H44.02",
                0,
                1,
                20260115,
                0,
                None,
                0,
                0,
                ministry,
                1,
            ),
            f"{ministry}|000.00.00.G22": (
                f"{ministry}|000.00.00.G22",
                "",
                v,
                0,
                ministry,
                "000.00.00.G22",
                1,
                1,
                20260115,
                0,
                None,
                0,
                0,
                ministry,
                1,
            ),
            f"{vendor}|H37.DN.001": (
                f"{vendor}|H37.DN.001",
                "",
                v,
                0,
                vendor,
                "H37.DN.001",
                1,
                1,
                20260131,
                0,
                None,
                0,
                0,
                vendor,
                1,
            ),
            "d-3|H44.03": ("d-3|H44.03", "", v, 1, "d-3", "H44.03", 0, 1, 20260115, 1, 20260116, 0, 1, "d-3", 1),
            "d-3|H44.04": ("d-3|H44.04", "", v, 0, "d-3", "H44.04", 0, 1, 20260115, 0, None, 0, 1, "d-3", 1),
            "d-4|H44.03": ("d-4|H44.03", "", v, 0, "d-4", "H44.03", 0, 1, 20260122, 0, None, 0, 0, "d-4", 1),
        },
    }
    assert sum(batch.read for batch in batches) == 8


# --- what each status proves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "received", "day", "refused"),
    [
        ([], 0, None, 0),
        (["01"], 0, None, 0),
        (["02"], 0, None, 1),
        (["03"], 1, 20260116, 0),
        (["04"], 1, 20260116, 0),
        (["05"], 1, 20260116, 0),
        (["06"], 1, 20260116, 0),
        (["01", "06", "03"], 1, 20260117, 0),  # a day later each: the first of 03 or later is the 06
        (["02", "03"], 1, 20260117, 0),
        (["103", "104"], 0, None, 0),
        (["13"], 0, None, 0),
        (["15"], 0, None, 0),
    ],
)
def test_a_status_proves_receipt_from_03_on(
    put: Put, codes: list[str], received: int, day: int | None, refused: int
) -> None:
    packets = {f"s{n}": status("d", AWAY, code, f"2026-01-{16 + n} 09:00:00") for n, code in enumerate(codes)}
    batches = fetched(put(d=envelope("d", OUT, [AWAY]), **packets))
    one = named(batches, Delivery, f"d|{AWAY}")
    assert (one["received"], one["received_day"], one["refused"]) == (received, day, refused)
    assert (one["electronic"], one["outside"], one["sent_day"]) == (1, 1, 20260115)


def test_without_status_packets_no_silence_means_anything(put: Put) -> None:
    one = named(fetched(put(d=envelope("d", OUT, [AWAY])), statuses=False), Delivery, f"d|{AWAY}")
    assert (one["received"], one["received_day"], one["refused"]) == (None, None, None)


ASKED, LATER, EARLIER = "2026-01-20 10:00:00", "2026-01-21 09:00:00", "2026-01-20 08:00:00"


@pytest.mark.parametrize(
    ("messages", "recalled"),
    [
        ({}, 0),
        ({"r": envelope("m", OUT, [HERE], kind="1", about="d", sent=ASKED)}, None),
        ({"r": envelope("d", OUT, [HERE], kind="1", sent=ASKED)}, None),
        ({"r": status("d", OUT, "13", ASKED)}, None),
        ({"r": status("d", OUT, "13", ASKED), "a": status("d", HERE, "15", LATER)}, 1),
        ({"r": status("d", OUT, "13", ASKED), "a": status("d", HERE, "16", LATER)}, 0),
        ({"r": status("d", OUT, "13", ASKED), "a": status("d", HERE, "15", "2026-01-20 09:30:00")}, 1),
        ({"r": status("d", OUT, "13", ASKED), "a": status("d", HERE, "15", EARLIER)}, None),
        (
            {
                "r": status("d", OUT, "13", ASKED),
                "a": status("d", HERE, "16", LATER),
                "b": status("d", HERE, "15", "2026-01-22 09:00:00"),
            },
            1,
        ),
        ({"a": status("d", HERE, "15", LATER)}, None),
        ({"u": envelope("d", OUT, [HERE], kind="2", sent=ASKED), "a": status("d", HERE, "15", LATER)}, 0),
        ({"n": envelope("n", OUT, [HERE], kind="3", replaces=["d"], sent=ASKED)}, 1),
    ],
)
def test_a_recall_counts_once_the_recipient_agreed(
    put: Put, messages: Mapping[str, bytes], recalled: int | None
) -> None:
    batches = fetched(put(d=envelope("d", OUT, [HERE]), **messages))
    assert named(batches, Document, "d")["recalled"] == recalled
    assert named(batches, Document, f"d|{HERE}")["recalled"] == recalled
    assert named(batches, Delivery, f"d|{HERE}")["recalled"] == recalled


def test_a_document_stands_while_it_stands_for_one_recipient(put: Put) -> None:
    answers = {"a": status("d", HERE, "15", LATER), "b": status("d", "H44.03", "16", LATER)}
    path = put(d=envelope("d", OUT, [HERE, "H44.03"]), r=status("d", OUT, "13", ASKED), **answers)
    batches = fetched(path)
    assert named(batches, Document, "d")["recalled"] == 0
    assert [named(batches, Delivery, f"d|{code}")["recalled"] for code in (HERE, "H44.03")] == [1, 0]


def test_recall_update_and_replacement_are_no_new_documents_but_the_replacing_one_is(put: Put) -> None:
    path = put(
        d=envelope("d", OUT, [HERE]),
        r=envelope("m1", OUT, [HERE], kind="1", about="d"),
        u=envelope("m2", OUT, [HERE], kind="2", about="d", issued="2026-01-17", paper="1", sent=LATER),
        n=envelope("n", OUT, [HERE], kind="3", replaces=["d"]),
    )
    batches = fetched(path)
    assert {row[0] for row in rows(batches, Document) if row[4] == "sent"} == {"d", "n"}
    updated = named(batches, Document, "d")
    assert (updated["issued_day"], updated["paper_too"]) == (20260117, 1)


def test_work_that_a_recipient_finished_is_completed_on_its_day(put: Put) -> None:
    path = put(
        d=envelope("d", OUT, [HERE], due="2026-01-20"),
        a=status("d", HERE, "06", "2026-01-18 16:59:59"),
        b=status("d", HERE, "05", "2026-01-17 08:00:00"),
    )
    one = named(fetched(path), Document, f"d|{HERE}")
    assert (one["due_day"], one["completed_day"], one["source_status"]) == (20260120, 20260118, "06")
    assert (one["direction"], one["counterpart"], one["document_id"]) == ("received", OUT, "d")


def test_whose_signature_counts_is_a_setting(put: Put) -> None:
    path = put(
        e=envelope("e", OUT, [AWAY]),
        a=envelope("a", OUT, [AWAY], signature=False, attachments=[("x.p7s", b"")]),
    )
    assert [named(fetched(path), Document, key)["signed"] for key in "ea"] == [None, 1]
    told = fetched(path, signature="envelope")
    assert [named(told, Document, key)["signed"] for key in "ea"] == [1, 0]


# --- inside and outside ----------------------------------------------------------------------------------------------


def test_only_documents_of_the_provinces_own_organs_are_kept(put: Put) -> None:
    batches = fetched(put(a=envelope("a", "G22", [HERE, AWAY]), b=envelope("b", OUT, ["000.00.02.H44", "G22"])))
    assert set(kept(batches, Document)) == {f"a|{HERE}", "b", "b|000.00.02.H44"}
    assert {key: row[6] for key, row in kept(batches, Delivery).items()} == {"b|000.00.02.H44": 0, "b|G22": 1}


def test_without_a_word_on_what_is_inside_all_is_kept_and_none_is_known(put: Put) -> None:
    batches = fetched(put(a=envelope("a", "G22", [HERE, AWAY])), inside=[])
    assert set(kept(batches, Document)) == {"a", f"a|{HERE}", f"a|{AWAY}"}
    assert {row[6] for row in rows(batches, Delivery)} == {None}


def test_a_trunk_is_no_register_unless_it_is_said_to_stand_for_one(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]))
    assert {row[4] for row in rows(fetched(path), Document)} == {"sent", "received"}
    assert {row[4] for row in rows(fetched(path, all_documents=True), Document)} == {"out", "in"}
    assert trunk.offers(folder_config()) == (Delivery,)
    assert trunk.offers(folder_config(all_documents=True)) == (Document, Delivery)


# --- order, repetition, cursor ---------------------------------------------------------------------------------------

STORY = {
    "new": envelope("d", OUT, [HERE, "H44.03"], due="2026-01-20"),
    "update": envelope(
        "d", OUT, [], kind="2", receivers=[("H44.03", "0"), ("H44.04", "1")], sent="2026-01-16 08:00:00"
    ),
    "recall": envelope("m", OUT, [HERE], kind="1", about="d", sent=ASKED),
    "agreed": status("d", HERE, "15", LATER),
    "got": status("d", HERE, "03", "2026-01-16 09:00:00"),
    "got-later": status("d", "H44.04", "06", "2026-01-17 09:00:00", style="vendor"),
}


def test_messages_in_any_order_end_in_the_same_store(tmp_path: Path) -> None:
    expected = None
    for number, order in enumerate(permutations(STORY.values())):
        path = tmp_path / str(number)
        path.mkdir()
        for place, data in enumerate(order):
            (path / f"{place}.edxml").write_bytes(data)
            os.utime(path / f"{place}.edxml", (BEGAN - 90_000, BEGAN - 90_000))
        found = store_of(fetched(path))
        expected = expected or found
        assert found == expected
    assert expected is not None
    assert expected["document"][f"d|{HERE}"][10] == 1
    assert expected["document"]["d|H44.03"][3] == 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(sorted(STORY)), max_size=4), min_size=1, max_size=5), st.integers(0, 2**32))
def test_messages_in_several_runs_repeated_and_permuted_end_as_in_one(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[str]], seed: int
) -> None:
    path = tmp_path_factory.mktemp("runs")
    chance = random.Random(seed)
    rest = [name for name in STORY if not any(name in some for some in runs)]
    batches, cursor, number = [], None, 0
    for place, names in enumerate([*runs, rest]):
        for name in chance.sample(names, len(names)):
            number += 1
            (path / f"{chance.randrange(1000)}-{number}.edxml").write_bytes(STORY[name])
        began = BEGAN + 86_400 * (place + 1)
        batches += fetched(path, want(cursor), began)
        cursor = json.loads(json.dumps(batches[-1].cursor))
    whole = fetched(path, want(), BEGAN + 86_400 * 30)
    assert unversioned(batches) == unversioned(whole)


def test_a_file_is_read_once_and_again_when_it_changes(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]))
    first = fetched(path)
    second = fetched(path, want(first[-1].cursor), BEGAN + 3_600)
    assert (rows(second, Document), sum(batch.read for batch in second)) == ([], 0)
    put(a=envelope("a", OUT, [HERE, AWAY]))
    third = fetched(path, want(second[-1].cursor), BEGAN + 7_200)
    assert f"a|{AWAY}" in kept(third, Delivery)


def test_a_status_finds_its_document_long_after_its_file_is_gone(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]))
    first = fetched(path)
    (path / "a.edxml").unlink()
    put(BEGAN + 80 * 86_400, s=status("a", HERE, "03", "2026-05-01 09:00:00"))
    second = fetched(path, want(first[-1].cursor), BEGAN + 90 * 86_400)
    assert named([*first, *second], Delivery, f"a|{HERE}")["received_day"] == 20260501
    assert list(second[-1].cursor["files"]) == ["s.edxml"]  # type: ignore[index]


def test_a_document_of_which_nothing_was_heard_for_long_is_forgotten(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]))
    first = fetched(path, follow_days=30)
    second = fetched(path, want(first[-1].cursor), BEGAN + 31 * 86_400, follow_days=30)
    assert second[-1].cursor["documents"] == {}  # type: ignore[index]


def test_a_status_before_its_envelope_waits_for_it(put: Put) -> None:
    path = put(s=status("a", HERE, "03"))
    first = fetched(path)
    assert (rows(first, Document), rows(first, Delivery)) == ([], [])
    put(a=envelope("a", OUT, [HERE]))
    second = fetched(path, want(first[-1].cursor), BEGAN + 3_600)
    assert named(second, Delivery, f"a|{HERE}")["received"] == 1


def test_a_cursor_of_another_configuration_is_not_gone_on_from(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]))
    first = fetched(path)
    again = fetched(path, want(first[-1].cursor), BEGAN + 60, signature="envelope")
    assert named(again, Document, "a")["signed"] == 1


# --- days ------------------------------------------------------------------------------------------------------------


def test_a_folder_covers_the_days_before_its_newest_file(put: Put) -> None:
    put(a=envelope("a", OUT, [HERE]))
    assert covered(fetched(put(1_772_037_000, b=envelope("b", OUT, [HERE])))) == [  # 2026-02-25T23:30+07:00
        ("delivery", SINCE, 20260227),
        ("document", SINCE, 20260227),
    ]


def test_an_empty_folder_is_no_error_and_proves_no_day(tmp_path: Path) -> None:
    batches = fetched(tmp_path)
    assert (rows(batches, Document), rows(batches, Delivery), covered(batches)) == ([], [], [])


def test_a_window_reads_its_days_again_and_leaves_the_cursor_alone(put: Put) -> None:
    path = put(
        a=envelope("a", OUT, [HERE]),
        b=envelope("b", OUT, [HERE], issued="2026-01-18"),
        c=envelope("c", OUT, [HERE], issued=None, sent="2026-01-18 08:00:00"),
    )
    batches = fetched(path, window(20260117, 20260118))
    assert {row[0] for row in rows(batches, Document) if row[4] == "sent"} == {"b", "c"}
    assert [batch.cursor for batch in batches] == [None]
    assert covered(batches) == [("delivery", 20260117, 20260118), ("document", 20260117, 20260118)]


def test_a_run_for_some_agencies_keeps_theirs_and_covers_nothing(put: Put) -> None:
    path = put(a=envelope("a", OUT, [HERE]), b=envelope("b", "H44.09", [HERE]))
    batches = fetched(path, window(20260101, 20260131, frozenset({"H44.09"})))
    assert (set(kept(batches, Document)), set(kept(batches, Delivery))) == ({"b"}, {f"b|{HERE}"})
    assert covered(batches) == []
    assert batches[-1].cursor is None


def test_documents_issued_before_the_sources_first_day_are_left_out(put: Put) -> None:
    batches = fetched(put(a=envelope("a", OUT, [HERE], issued="2025-12-30")))
    assert rows(batches, Document) == []


# --- what cannot be used ---------------------------------------------------------------------------------------------


def test_one_bad_message_is_set_aside_by_name_and_the_others_go_on(put: Put) -> None:
    batches = fetched(put(a=envelope("a", OUT, [HERE]), b=envelope("b", OUT, [])))
    assert quarantined(batches) == [("b.edxml", "To/OrganId")]
    assert "a" in kept(batches, Document)
    assert covered(batches)
    assert not any(canary in repr(batches) for canary in CANARIES)
    assert quarantined(fetched(put(), want(batches[-1].cursor))) == []  # it is not read again as it is


def test_under_one_percent_of_bad_messages_is_set_aside_and_every_honest_one_counted(put: Put) -> None:
    honest = {f"m{n}": envelope(f"d{n}", OUT, [HERE]) for n in range(398)}
    path = put(**honest, bad1=honest["m1"][:500], bad2=b"<!DOCTYPE x><edXML/>")
    batches = fetched(path)
    assert {row[0] for row in rows(batches, Document) if row[4] == "sent"} == {f"d{n}" for n in range(398)}
    assert quarantined(batches) == [("bad1.edxml", "message"), ("bad2.edxml", "message")]


def test_over_one_percent_of_bad_messages_stops_the_source_by_field(put: Put) -> None:
    path = put(**{f"m{n}": envelope(f"d{n}", OUT, [HERE] if n > 1 else []) for n in range(199)})
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(path)
    assert (caught.value.field, caught.value.source) == ("To/OrganId", "trunk")


def test_a_folder_of_something_else_stops_the_source(put: Put) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(put(a=b"<html/>", b=b"<html/>"))
    assert caught.value.field == "edXML"


def test_a_file_that_is_still_being_written_is_left_for_the_next_run(put: Put) -> None:
    put(a=envelope("a", OUT, [HERE]))
    path = put(BEGAN - 30, b=envelope("b", OUT, [HERE])[:700])
    first = fetched(path)
    assert quarantined(first) == []
    assert covered(first) == [("delivery", SINCE, 20260228), ("document", SINCE, 20260228)]  # it tells of today
    put(BEGAN + 30, b=envelope("b", OUT, [HERE]))
    second = fetched(path, want(first[-1].cursor), BEGAN + 3_600)
    assert "b" in kept(second, Document)


def test_a_file_left_just_after_midnight_leaves_yesterday_uncovered(put: Put) -> None:
    midnight = 1_772_298_000  # 2026-03-01T00:00:00+07:00
    put(midnight + 120, a=envelope("a", OUT, [HERE]))
    path = put(midnight - 60, b=envelope("b", OUT, [HERE])[:700])
    assert {last for _, _, last in covered(fetched(path, began=midnight + 300))} == {20260227}


def test_what_was_set_aside_is_forgotten_once_it_is_mended_or_gone(put: Put) -> None:
    bad = envelope("b", OUT, [])
    path = put(
        a=envelope("a", OUT, [HERE]), b=bad, c=bad, **{f"m{n}": envelope(f"m{n}", OUT, [HERE]) for n in range(300)}
    )
    first = fetched(path)
    assert quarantined(first) == [("b.edxml", "To/OrganId"), ("c.edxml", "To/OrganId")]
    (path / "c.edxml").unlink()
    put(b=envelope("b", OUT, [HERE]))
    second = fetched(path, want(first[-1].cursor), BEGAN + 60)
    assert sorted(key for batch in second for _, key in batch.looked_at) == ["b.edxml", "c.edxml"]
    third = fetched(path, want(second[-1].cursor), BEGAN + 120)
    assert [batch.looked_at for batch in third] == [()]


# --- configuration and probe -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [{}, {"messages": {}, "sent": {}}, {"sent": {}}, {"received": {}, "system_id": "x"}, {"messages": {"other": 1}}],
)
def test_a_configuration_names_one_way_and_what_it_needs(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        trunk.Config.model_validate(config)


def test_a_folder_is_not_read_through_another_door(tmp_path: Path) -> None:
    config = trunk.Config.model_validate({"sent": {}, "system_id": "x", "secret_key": "y"})
    with folder_door(tmp_path) as door, pytest.raises(WrongUse) as caught:
        list(trunk.fetch(config, door, want()))
    assert "http" in caught.value.mend


def test_the_probe_tells_what_the_newest_messages_are(put: Put) -> None:
    put(a=envelope("a", OUT, [HERE]), s=status("a", HERE, "03"))
    path = put(BEGAN + 3_600, b=envelope("b", OUT, []))
    with folder_door(path) as door:
        found = [(one.stage, one.result, one.says) for one in trunk.probe(folder_config(), door)]
    assert found == [
        ("reach", "ok", "3 files match *.edxml"),
        ("page", "failed", "b.edxml: To/OrganId: is missing"),
        ("page", "ok", "the newest messages can be read (1 new, 1 status)"),
        ("clock", "failed", "the newest file is dated 3600 s after now"),
        ("read-only", "unproved", "files are only ever listed and read; nothing shows that the account cannot write"),
    ]


def test_the_probe_of_an_empty_folder_proves_nothing(tmp_path: Path) -> None:
    with folder_door(tmp_path) as door:
        found = [(one.stage, one.result) for one in trunk.probe(folder_config(), door)]
    assert found == [("reach", "ok"), ("read", "unproved"), ("clock", "unproved"), ("read-only", "unproved")]


# --- through other doors, and to the store ---------------------------------------------------------------------------


def test_a_folder_on_another_host_gives_the_same(openssh: Callable[..., OpenSSH], put: Put) -> None:
    huge = [("a.pdf", bytes(3_000_000))]
    path = put(a=envelope("a", OUT, [HERE, AWAY], attachments=huge), s=status("a", HERE, "03"))
    server = openssh(path)
    options = ssh.Options(
        host=server.host,
        port=server.port,
        user=server.user,
        key_file=server.key_file,
        known_hosts=server.known_hosts,
        path=str(server.served),
    )
    with ssh.open_door(options, run()) as door:
        batches = list(trunk.fetch(folder_config(), door, want()))
    assert store_of(batches) == store_of(fetched(path))
    assert named(batches, Delivery, f"a|{HERE}")["received"] == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_old_and_new_codes_are_one_agency_and_a_store_is_the_same_however_it_was_filled(
    put: Put, tmp_path_factory: pytest.TempPathFactory, reverse: bool
) -> None:
    path = put(
        a=envelope("a", "000.00.02.H44", ["H44.01", AWAY]), b=envelope("b", "H44.02", ["H44.01"]),
        s=status("a", "H44.01", "03"),
    )  # fmt: skip
    engine, known = store(tmp_path_factory.mktemp("store"))
    batches = fetched(path)
    with writing(engine) as connection:
        for batch in [*reversed(batches), *batches] if reverse else batches:
            save(connection, "trunk", [batch], known, PLAN)
    with reading(engine) as connection:
        found = connection.execute(
            select(document.c.key, document.c.agency, document.c.scope, document.c.sent_electronically)
        )
        assert {tuple(row) for row in found} == {
            ("a", "H44.02", "external", 1),
            ("b", "H44.02", "internal", 1),
            ("a|H44.01", "H44.01", None, 1),
            ("b|H44.01", "H44.01", None, 1),
        }
        rows_ = connection.execute(select(delivery.c.key, delivery.c.received, delivery.c.received_day))
        assert {tuple(row) for row in rows_} == {
            ("a|H44.01", 1, 20260116),
            (f"a|{AWAY}", 0, None),
            ("b|H44.01", 0, None),
        }
        # They are no part of what was issued: they only show that both agencies exchange documents.
        counted = {
            (one.id, row.agency, row._mapping[f"{one.column}_judged"])
            for wide in PLAN.wide
            if wide.facts is document
            for row in connection.execute(select(wide.table))
            for one in wide.indicators
            if row._mapping[f"{one.column}_judged"] or row._mapping[f"{one.column}_unknown"]
        }
        assert counted == {("documents.connected", "H44.01", 2), ("documents.connected", "H44.02", 2)}
