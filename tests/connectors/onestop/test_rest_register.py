"""A list of dossiers that is told by a mapping: what it may look like, and what stops it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.contract.connector import Batch, Days, Want
from collector.contract.door import Answer, Pages
from collector.contract.errors import TryAgain, UnexpectedAnswer
from collector.contract.records import Dossier, DossierEvent, Procedure
from connectors.onestop import rest_register
from tests.connectors.onestop.runs import BEGAN, SINCE, YESTERDAY, named, rows, store_of, want, window

FIELDS = {"id": "no", "agency": "office.code", "status": "state", "received": "in", "due": "due", "ended": "out"}
STAMPED: Mapping[str, Any] = {
    "pages": {
        "path": "/list",
        "page_size": 4,
        "overlap": 3600,
        "fixed": {"order": "changed"},
        "changed_from": {"since": "{since}"},
    },
    "envelope": {"error": None, "data": "found.items", "total": "found.count"},
    "fields": {**FIELDS, "changed": "changed", "deleted": "gone", "channel": "way"},
    "values": {"status": {"open": "4", "done": "9"}, "channel": {"true": "2", "false": "1"}},
}


def config(**changes: Any) -> rest_register.Config:
    return rest_register.Config.model_validate({**STAMPED, **changes})


def entry(number: int, changed: str = "2026-02-10T08:00:00", **others: Any) -> dict[str, Any]:
    told = {"no": f"D-{number}", "office": {"code": "H44.01", "name": "Sở"}, "state": "open", "way": True}
    days = {"in": "2026-02-09T09:00:00", "due": "2026-02-20", "out": None}
    return {**told, **days, "changed": changed, "gone": 0, "person": "Nguyễn Văn A", **others}


@dataclass
class Service:
    """A list in the order of its changes, as its account of itself says; `deed` happens before each answer."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    most: int = 1_000_000  # at once
    deed: Callable[["Service"], None] = lambda _: None
    asked: list[Mapping[str, str]] = field(default_factory=list)
    order: Callable[[dict[str, Any]], Any] = lambda entry: (entry["changed"], str(entry["no"]))
    filters: bool = True
    answer: Any = None  # instead of all this
    source: str = "register"
    began: int = BEGAN

    def allow(self, method: str, path: str) -> None:
        assert (method, path) == ("GET", "/list")

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        assert path == "/list"
        self.deed(self)
        self.asked.append(parameters)
        if self.answer is not None:
            return Answer(self.answer, None)
        since = parameters.get("since", "") if self.filters else ""
        found = sorted((one for one in self.entries if str(one["changed"]) >= since), key=self.order)
        size = min(int(parameters["size"]), self.most)
        start = (int(parameters["page"]) - 1) * size
        return Answer({"found": {"items": found[start : start + size], "count": len(found)}}, BEGAN)


def fetched(service: Service, told: rest_register.Config | None = None, wanted: Want | None = None) -> list[Batch]:
    return list(rest_register.fetch(told or config(), cast(Pages, service), wanted or want()))


def numbers(batches: Sequence[Batch]) -> set[int]:
    return {int(row[0].removeprefix("D-")) for row in rows(batches, Dossier)}


def stamp(second: int) -> str:
    return f"2026-02-10T08:{second // 60:02d}:{second % 60:02d}"


# --- what it reads ------------------------------------------------------------------------------------------------


def test_an_entry_becomes_a_dossier_by_the_mapping_alone() -> None:
    done = entry(1, state="done", out="2026-02-19T23:30:00", way=False)
    batches = fetched(Service([done, entry(2, gone=1), entry(3, state="9", way="?")]))
    found = {row[0]: named(Dossier, row) for row in rows(batches, Dossier)}
    one = found["D-1"]
    expected = {"agency_code": "H44.01", "received_day": 20260209, "completed_day": 20260219, "outcome": "completed"}
    assert one | expected | {"channel": "counter", "source_status": "done", "due_day": 20260220, "due": None} == one
    assert (found["D-2"]["removed"], found["D-2"]["channel"]) == (1, "online")
    odd = found["D-3"]
    assert (odd["outcome"], odd["channel"], odd["source_status"]) == (None, None, "9"), "never guessed"
    assert rest_register.offers(config()) == (Dossier, DossierEvent)
    assert not rows(batches, Procedure)
    assert "Nguyễn" not in repr(batches)


def test_what_clerks_tick_is_told_by_the_mapping_or_unknown() -> None:
    ticks = {"digitised": "scan", "electronic_result": "file", "payment": "paid"}
    told = config(fields={**config().fields, **ticks}, values={**config().values, "payment": {"card": "online"}})
    entries = [entry(1, scan=True, file="0", paid="card"), entry(2, scan=None, file="yes", paid="cash"), entry(3)]
    for one in entries:
        one.setdefault("scan", None), one.setdefault("file", None), one.setdefault("paid", None)
    found = {row[0]: row[-3:] for row in rows(fetched(Service(entries), told), Dossier)}
    assert found == {"D-1": (1, 0, "online"), "D-2": (None, None, None), "D-3": (None, None, None)}
    unmapped = {row[-3:] for row in rows(fetched(Service(entries)), Dossier)}
    assert unmapped == {(None, None, None)}


@pytest.mark.parametrize(
    ("formats", "zone", "changed", "received"),
    [
        ({}, "Asia/Ho_Chi_Minh", "2026-02-10T01:00:00Z", "2026-02-08T17:00:00+00:00"),
        ({}, "UTC", "2026-02-10T01:00:00", "2026-02-08T17:00:00"),
        ({"*": "dd/MM/yyyy HH:mm:ss"}, "Asia/Ho_Chi_Minh", "10/02/2026 08:00:00", "09/02/2026 00:00:00"),
        ({"*": "epoch_milliseconds"}, "UTC", 1_770_685_200_000, 1_770_570_000_000),
        ({"changed": "epoch_seconds", "received": "yyyyMMdd"}, "UTC", 1_770_685_200, "20260209"),
    ],
)
def test_times_are_read_as_they_are_written(formats: dict[str, str], zone: str, changed: Any, received: Any) -> None:
    told = config(formats=formats, time_zone=zone)
    service = Service([entry(1, changed=changed, due=None, **{"in": received})])
    first = fetched(service, told)
    (row,) = rows(first, Dossier)
    one = named(Dossier, row)
    assert (one["changed"], one["received_day"]) == (1_770_685_200_000_000, 20260209)
    assert first[-1].cursor is not None
    assert first[-1].cursor["since"] == changed
    fetched(service, told, want(first[-1].cursor))
    earlier = {"2026": "2026-02-10T00:00:00", "10/0": "10/02/2026 07:00:00", "1770": str(1_770_681_600)}
    since = service.asked[-1]["since"]
    assert since.startswith(earlier[str(changed)[:4]])
    assert since.endswith("Z") == str(changed).endswith("Z"), "in the zone in which it is written"


def test_a_due_date_first_seen_late_is_the_first_only_where_none_is_ever_moved() -> None:
    late = Service([entry(1, "2026-02-18T08:00:00")])
    for due_dates, basis in (("overwritten", "current"), ("recorded", "first")):
        (promise,) = rows(fetched(late, config(due_dates=due_dates)), DossierEvent)
        assert (promise[8], promise[9]) == (20260220, basis)


def test_only_what_changed_since_is_asked_for_and_a_new_mapping_reads_all() -> None:
    service = Service([entry(number, stamp(number * 60)) for number in range(10)])
    first = fetched(service)
    assert numbers(first) == set(range(10))
    assert "since" not in service.asked[0]
    service.entries.append(entry(10, "2026-02-10T10:00:00"))
    second = fetched(service, wanted=want(first[-1].cursor))
    assert service.asked[len(service.asked) - 1]["since"] >= "2026-02-10T07:09:00"
    assert 10 in numbers(second)
    service.asked.clear()
    fetched(service, config(values={"status": {"open": "2"}}), want(second[-1].cursor))
    assert "since" not in service.asked[0]


def test_a_stamp_of_the_future_is_no_place_to_go_on_from() -> None:
    service = Service([entry(1), entry(2, "2031-01-01T00:00:00")])
    batches = fetched(service)
    assert batches[-1].cursor is not None
    assert batches[-1].cursor["since"] == "2026-02-10T08:00:00"
    assert [(one.key, one.field, one.reason) for batch in batches for one in batch.bad] == [
        ("D-2", "changed", "lies in the future")
    ]


def test_a_page_that_ends_within_a_stamp_is_followed_by_the_rest_of_it() -> None:
    service = Service([entry(number, stamp(number // 3)) for number in range(12)])
    batches = fetched(service)
    assert numbers(batches) == set(range(12))
    assert sum(batch.read for batch in batches) == 12, "each is counted once"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7))
def test_whatever_moves_vanishes_or_comes_meanwhile_nothing_that_stays_is_lost(seed: int, page_size: int) -> None:
    random = Random(seed)
    service = Service([entry(number, stamp(random.randrange(20))) for number in range(30)])
    gone: set[int] = set()
    second = 60

    def deed(it: Service) -> None:
        nonlocal second
        for _ in range(random.randrange(3)):
            second += random.randrange(2)
            one = random.choice(it.entries)
            match random.randrange(3):
                case 0:
                    one["changed"] = stamp(second)
                case 1:
                    it.entries.remove(one)
                    gone.add(int(one["no"][2:]))
                case 2 if len(it.entries) < 60:
                    it.entries.append(entry(100 + second * 100 + len(it.entries), stamp(second)))

    service.deed = deed
    batches = fetched(service, config(pages={**STAMPED["pages"], "page_size": page_size}))
    assert numbers(batches) >= set(range(30)) - gone


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(8)), st.integers(1, 9))
def test_the_same_dossiers_in_any_order_and_cut_anyhow_end_in_the_same_store(order: list[int], size: int) -> None:
    entries = [entry(number, stamp(number), due=f"2026-02-{20 + number}") for number in range(8)]
    whole = fetched(Service(list(entries)))
    told = config(pages={"path": "/list", "page_size": size, "rereads": 0})
    other = fetched(Service([entries[one] for one in order], order=lambda one: order.index(int(one["no"][2:]))), told)
    assert store_of(other) == store_of(whole)


def test_without_a_filter_for_changes_a_list_that_moves_is_read_again() -> None:
    told = config(pages={"path": "/list", "page_size": 4, "rereads": 1})
    service = Service([entry(number, stamp(number)) for number in range(10)])
    moved = iter(range(1))

    def once(it: Service) -> None:
        if len(it.asked) == 1 and next(moved, None) is not None:
            it.entries.pop(0)

    service.deed = once
    batches = fetched(service, told)
    assert numbers(batches) >= set(range(1, 10))
    assert batches[-1].covers
    service.deed = lambda it: it.entries.append(entry(100 + len(it.asked)))
    with pytest.raises(TryAgain, match="moved"):
        fetched(service, told)


def test_a_run_by_hand_leaves_the_cursor_alone_and_one_for_some_agencies_covers_nothing() -> None:
    other = entry(2, office={"code": "H44.02"})
    by_hand = fetched(Service([entry(1), other]), wanted=window(20260201, 20260210))
    assert {batch.cursor for batch in by_hand} == {None}
    assert {one.record for batch in by_hand for one in batch.covers} == {Dossier, DossierEvent}
    some = fetched(Service([entry(1), other]), wanted=want(agencies=frozenset({"H44.02"})))
    assert numbers(some) == {2}
    assert not [one for batch in some for one in batch.covers]
    assert {batch.cursor for batch in some} == {None}


def test_the_keys_of_some_days_are_those_received_on_them_and_no_other() -> None:
    late = entry(2, **{"in": "2026-02-12T09:00:00"})
    service = Service([entry(1), late, entry(3, **{"in": "nonsense"})])
    blocks = list(rest_register.keys(config(), cast(Pages, service), Days(20260209, 20260210)))
    assert {(one.key, one.day) for block in blocks for one in block.keys} == {("D-1", 20260209), ("D-3", None)}
    assert [block.whole for block in blocks][-1]
    (mark,) = {one.mark for block in blocks for one in block.keys if one.key == "D-1"}
    service.entries[0]["state"] = "done"
    blocks = list(rest_register.keys(config(), cast(Pages, service), Days(20260209, 20260210)))
    assert mark not in {one.mark for block in blocks for one in block.keys}


def test_an_empty_list_is_no_error_and_no_zero() -> None:
    (batch,) = fetched(Service())
    assert not any(batch.rows.values())
    assert [(one.first_day, one.last_day) for one in batch.covers] == [(SINCE, YESTERDAY)] * 2


# --- what stops it ------------------------------------------------------------------------------------------------


def stopped(service: Service, told: rest_register.Config | None = None, cursor: Any = None) -> UnexpectedAnswer:
    with pytest.raises(UnexpectedAnswer) as raised:
        fetched(service, told, want(cursor))
    return raised.value


def test_a_service_that_ignores_the_filter_or_the_order_is_named() -> None:
    entries = [entry(number, f"2026-02-{10 + number}T08:00:00") for number in range(9)]
    cursor = fetched(Service(entries))[-1].cursor
    assert stopped(Service(entries, filters=False), cursor=cursor).field == "changed"
    backwards = Service(entries, order=lambda one: -int(one["no"][2:]))
    assert stopped(backwards).field == "changed"


def test_more_at_one_stamp_than_are_given_at_once_are_never_passed_over() -> None:
    entries = [entry(number) for number in range(20)]
    assert numbers(fetched(Service(entries, most=20))) == set(range(20))
    assert stopped(Service(entries, most=10)).field == "found.count"


@pytest.mark.parametrize(
    ("body", "field_"),
    [
        ([], "found.items"),
        ({"found": {"count": 0}}, "found.items"),
        ({"found": {"items": []}}, "found.count"),
        ({"found": {"items": [], "count": 3}}, "found.count"),
        ({"found": "nothing"}, "found.items"),
    ],
)
def test_another_envelope_is_named(body: Any, field_: str) -> None:
    service = Service()
    service.answer = body
    assert stopped(service).field == field_


def test_one_bad_entry_is_set_aside_and_many_stop_the_source() -> None:
    good = [entry(number, stamp(number)) for number in range(300)]
    batches = fetched(Service([*good, entry(900, due="soon"), {**entry(901), "no": None}]))
    assert {(one.key, one.field) for batch in batches for one in batch.bad} == {("D-900", "due"), ("?", "no")}
    assert sum(batch.read for batch in batches) == 302, "each is counted once"
    assert all("soon" not in repr(batch) for batch in batches)
    assert stopped(Service([*good, *(entry(900 + number, due=["list"]) for number in range(4))])).field == "due"


@pytest.mark.parametrize("lost", ["office", "state", "changed", "in", "due"])
def test_a_field_that_no_entry_names_any_more_stops_the_source(lost: str) -> None:
    entries = [entry(number, stamp(number)) for number in range(12)]
    for one in entries:
        one["new name"] = one.pop(lost)
    told = config(pages={"path": "/list", "page_size": 50}) if lost == "changed" else config()
    service = Service(answer={"found": {"items": entries, "count": 12}})
    expected = "office.code" if lost == "office" else lost
    assert stopped(service, told).field == expected


def test_the_day_of_completion_is_missed_once_dossiers_are_completed() -> None:
    entries = [entry(number, stamp(number), state="done") for number in range(12)]
    for one in entries:
        one["finished"] = one.pop("out")
    assert stopped(Service(entries)).field == "out"


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": {**FIELDS, "citizen": "person"}},
        {"fields": {name: told for name, told in FIELDS.items() if name != "due"}},
        {"fields": FIELDS},  # changed_from needs `changed`
        {"values": {"status": {"open": "11"}}},
        {"values": {"agency": {"A": "1"}}},
        {"values": {"payment": {"card": "1"}}},
        {"formats": {"due": "d.M.yy"}},
        {"formats": {"channel": "yyyyMMdd"}},
        {"time_zone": "Hanoi"},
        {"pages": {"path": "/list", "changed_from": {"since": "today"}}},
    ],
)
def test_a_mapping_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**changes)
