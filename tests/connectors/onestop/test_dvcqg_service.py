"""Dossiers read from an HTTP service in the national format: paging, cursor, faults, coverage."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.contract.connector import Batch
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.records import Dossier, DossierEvent, Procedure
from connectors.onestop import dvcqg
from tests.connectors.onestop.national_service_double import (
    CANARIES,
    DOSSIERS,
    PROCEDURES,
    Service,
    dossier,
    procedure,
    serving,
)
from tests.connectors.onestop.runs import (
    BEGAN,
    SINCE,
    YESTERDAY,
    fetched,
    folder_door,
    kept,
    pages_config,
    rows,
    service_door,
    store_of,
    want,
    window,
)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as one:
        yield one


def fill(service: Service, count: int) -> None:
    service.dossiers = [
        dossier(number, NgayCapNhat=f"202601{1 + number // 24:02d}{number % 24:02d}0000") for number in range(count)
    ]


def keys(batches: list[Batch]) -> set[str]:
    return {row[0] for row in rows(batches, Dossier)}


def pages_asked(service: Service) -> list[str]:
    return [question.get("page", "") for _, _, question in service.requests]


def covered(batches: list[Batch]) -> list[tuple[str, int, int]]:
    return sorted((one.record.NAME, one.first_day, one.last_day) for batch in batches for one in batch.covers)


# --- the end of the list ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 57])
@pytest.mark.parametrize("largest", [4, 10, 1000])
def test_every_dossier_is_read_whatever_the_pages(service: Service, count: int, largest: int) -> None:
    fill(service, count)
    service.largest_page = largest
    batches = fetched(service, pages_config(page_size=10), want())
    assert keys(batches) == {item["MaHoSo"] for item in service.dossiers}
    assert sum(batch.read for batch in batches) == count
    assert pages_asked(service) == [str(number) for number in range(1, len(service.requests) + 1)]


def test_no_dossier_at_all_is_no_error_and_is_covered(service: Service) -> None:
    batches = fetched(service, pages_config(), want())
    assert rows(batches, Dossier) == []
    assert covered(batches) == [("dossier", SINCE, YESTERDAY), ("dossier_event", SINCE, YESTERDAY)]
    assert batches[-1].cursor == {}


def test_a_question_can_be_asked_by_post(service: Service) -> None:
    fill(service, 15)
    batches = fetched(service, pages_config(method="POST", page_size=10, fixed={"unit": "H44"}), want())
    assert len(keys(batches)) == 15
    assert service.requests[1] == ("POST", DOSSIERS, {"unit": "H44", "page": "2", "size": "10"})


def test_one_answer_may_hold_everything(service: Service) -> None:
    fill(service, 10)
    assert len(keys(fetched(service, pages_config(page=None, page_size=10), want()))) == 10
    assert len(service.requests) == 1


def test_one_answer_that_does_not_hold_everything_is_refused(service: Service) -> None:
    fill(service, 11)
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(page=None, page_size=10), want())
    assert caught.value.field == "total"


@pytest.mark.parametrize("wrong", [lambda count: count - 1, lambda count: count + 1, lambda _: 10])
def test_a_total_that_is_never_true_is_refused_by_name(service: Service, wrong: Any) -> None:
    fill(service, 57)
    service.total_of = wrong
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(page_size=10), want())
    assert caught.value.field == "total"


def test_a_total_of_the_first_pages_only_is_found_out_where_pages_are_cut(service: Service) -> None:
    fill(service, 20)
    service.largest_page = 4
    service.total_of = lambda _: 8
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(page_size=10), want())
    assert caught.value.field == "total"


@pytest.mark.parametrize("total", [None, "many", -1, True, 1.5, []])
def test_a_total_that_is_no_number_is_refused_by_name(service: Service, total: Any) -> None:
    service.total_of = lambda _: total
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(), want())
    assert caught.value.field == "total"


def test_a_total_written_as_text_is_understood(service: Service) -> None:
    fill(service, 12)
    service.total_of = str
    assert len(keys(fetched(service, pages_config(page_size=10), want()))) == 12


def test_a_service_that_ignores_the_page_number_is_found_out(service: Service) -> None:
    fill(service, 57)
    service.pages_work = False
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(page_size=10), want())
    assert caught.value.field == "page"
    assert len(service.requests) == 2


def test_a_service_without_end_is_left(service: Service) -> None:
    fill(service, 500)
    service.total_of = lambda _: 25
    with pytest.raises(UnexpectedAnswer):
        fetched(service, pages_config(page_size=10), want())
    assert len(service.requests) == 3


# --- a list that moves -----------------------------------------------------------------------------------------------


def test_a_change_while_the_list_is_read_loses_nothing(service: Service) -> None:
    # Ordered by change: the changed dossier goes to the end, and the next one slips onto the page already read.
    fill(service, 30)
    service.clock = BEGAN

    def change() -> None:
        service.dossiers[0] = dossier(0, NgayCapNhat="20260301080005")

    service.after[1] = change
    batches = fetched(service, pages_config(page_size=10), want())
    assert keys(batches) == {item["MaHoSo"] for item in service.dossiers}
    assert len(service.requests) > 4  # the list was read again


def test_a_deletion_while_the_list_is_read_loses_nothing(service: Service) -> None:
    fill(service, 31)

    def delete() -> None:
        del service.dossiers[0]

    service.after[1] = delete
    batches = fetched(service, pages_config(page_size=10), want())
    assert {item["MaHoSo"] for item in service.dossiers} <= keys(batches)


def test_a_list_that_never_stands_still_is_left_for_later_without_a_cursor(service: Service) -> None:
    fill(service, 30)

    def another() -> None:
        service.dossiers.append(dossier(100 + len(service.dossiers)))

    service.after = dict.fromkeys(range(1, 100), another)
    got: list[Batch] = []
    with service_door(service) as door, pytest.raises(TryAgain) as caught:
        got.extend(dvcqg.fetch(pages_config(page_size=10, rereads=2), door, want()))
    assert caught.value.field == "total"
    assert all(batch.cursor is None and not batch.covers for batch in got)


def test_a_service_may_list_several_versions_older_after_newer(service: Service) -> None:
    newer = dossier(1, TrangThaiHoSo="9", NgayKetThucXuLy="20260110080000", NgayCapNhat="20260110080000")
    older = dossier(1, TrangThaiHoSo="4", NgayCapNhat="20260106080000")
    service.dossiers = [newer, older]
    service.order = lambda _: 0
    (row,) = kept(rows(fetched(service, pages_config(), want()), Dossier)).values()
    assert row[10] == "completed"
    assert len(service.requests) == 1


def test_a_service_that_really_lists_an_entry_twice_is_believed_after_a_second_look(service: Service) -> None:
    service.dossiers = [dossier(1), dossier(2), dossier(1)]
    batches = fetched(service, pages_config(), want())
    assert len(keys(batches)) == 2
    assert len(service.requests) == 2
    assert batches[-1].covers


# --- refusals --------------------------------------------------------------------------------------------------------


def test_a_token_that_expires_between_pages_is_access_denied(service: Service) -> None:
    fill(service, 30)
    service.expires_after = 2
    got: list[Batch] = []
    with service_door(service) as door, pytest.raises(AccessDenied) as caught:
        got.extend(dvcqg.fetch(pages_config(page_size=10), door, want()))
    assert caught.value.field == "error_code"
    assert len(service.requests) == 3  # never retried
    assert all(batch.cursor is None for batch in got)


def test_a_wrong_token_is_access_denied(service: Service) -> None:
    with service_door(service, token="wrong") as door, pytest.raises(AccessDenied):
        list(dvcqg.fetch(pages_config(), door, want()))


def test_a_code_is_told_but_not_the_message_beside_it(service: Service) -> None:
    config = pages_config(envelope={"denied": ["401"]})
    service.expires_after = 0
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, config, want())
    assert "-2" in str(caught.value)
    assert not any(canary in str(caught.value) for canary in CANARIES)


def test_a_code_may_mean_try_again(service: Service) -> None:
    service.expires_after = 0
    with pytest.raises(TryAgain):
        fetched(service, pages_config(envelope={"denied": [], "busy": ["-2"]}), want())


@pytest.mark.parametrize(
    ("envelope", "field"),
    [(("code", "total", "data"), "error_code"), (("error_code", "count", "data"), "total"),
     (("error_code", "total", "items"), "data")],
)  # fmt: skip
def test_a_missing_envelope_key_is_named(service: Service, envelope: tuple[str, str, str], field: str) -> None:
    service.envelope = envelope
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(), want())
    assert caught.value.field == field


def test_envelope_names_are_settings(service: Service) -> None:
    fill(service, 3)
    service.envelope = ("code", "count", "items")
    config = pages_config(envelope={"error": "code", "total": "count", "data": "items"})
    assert len(keys(fetched(service, config, want()))) == 3


# --- what has changed since ------------------------------------------------------------------------------------------


def test_the_first_run_asks_for_everything_and_keeps_the_greatest_stamp_as_written(service: Service) -> None:
    service.dossiers = [dossier(1, NgayCapNhat="20260110"), dossier(2, NgayCapNhat="20260109235959")]
    batches = fetched(service, pages_config(), want())
    assert "updatedFrom" not in service.requests[0][2]
    assert batches[-1].cursor == {"since": "20260110"}


def test_the_next_run_asks_from_the_stamp_less_the_overlap(service: Service) -> None:
    fill(service, 3)
    batches = fetched(service, pages_config(overlap_days=2), want({"since": "20260301001500"}))
    assert service.requests[0][2]["updatedFrom"] == "20260227001500"
    assert batches[-1].cursor == {"since": "20260301001500"}  # never goes back


def test_without_a_parameter_for_changes_everything_is_read_each_time(service: Service) -> None:
    fill(service, 3)
    batches = fetched(service, pages_config(changed_from=None), want({"since": "20260228000000"}))
    assert len(keys(batches)) == 3


@pytest.mark.parametrize(
    ("time_format", "written"),
    [
        ("yyyyMMddHHmmss", "20260227001500"),
        ("yyyyMMdd", "20260227"),
        ("yyyy-MM-dd", "2026-02-27"),
        ("yyyy-MM-ddTHH:mm:ss", "2026-02-27T00:15:00"),
        ("dd/MM/yyyy", "27/02/2026"),
    ],
)
def test_times_are_asked_for_in_the_services_own_format(service: Service, time_format: str, written: str) -> None:
    config = pages_config(changed_from="other", time_format=time_format)
    fetched(service, config, want({"since": "20260228001500"}))
    assert service.requests[0][2]["other"] == written


def test_an_end_of_changes_lies_ahead_of_a_fast_clock(service: Service) -> None:
    fetched(service, pages_config(changed_to="updatedTo"), want({"since": "20260228001500"}))
    assert service.requests[0][2]["updatedTo"] == "20260302080000"


def test_a_stamp_from_the_future_moves_no_cursor(service: Service) -> None:
    service.dossiers = [dossier(number) for number in range(200)] + [dossier(999, NgayCapNhat="20990101000000")]
    batches = fetched(service, pages_config(page_size=500), want())
    assert batches[-1].cursor == {"since": "20260105080000"}
    assert [(bad.key, bad.field) for batch in batches for bad in batch.bad] == [("H44.02-260105-0999", "NgayCapNhat")]


def test_only_the_last_batch_of_the_dossiers_carries_the_cursor(service: Service) -> None:
    service.dossiers = [dossier(number) for number in range(6_000)]
    batches = fetched(service, pages_config(page_size=1000), want())
    assert len(batches) > 1
    assert [batch.cursor for batch in batches[:-1]] == [None] * (len(batches) - 1)
    assert all(not batch.covers for batch in batches[:-1])
    assert batches[-1].cursor == {"since": "20260105080000"}


def test_reading_on_from_the_cursor_ends_where_reading_everything_ends(service: Service) -> None:
    fill(service, 40)
    first = fetched(service, pages_config(page_size=7), want())
    service.dossiers[3] = dossier(3, TrangThaiHoSo="9", NgayKetThucXuLy="20260228080000", NgayCapNhat="20260228080000")
    service.dossiers.append(dossier(77, NgayCapNhat="20260228090000"))
    then = fetched(service, pages_config(page_size=7), want(first[-1].cursor))
    assert len(rows(then, Dossier)) < 40
    both, anew = store_of([*first, *then]), store_of(fetched(service, pages_config(page_size=7), want()))
    assert both["dossier"] == anew["dossier"]
    assert both["dossier_event"].keys() == anew["dossier_event"].keys()


def test_reading_twice_gives_the_same_rows(service: Service) -> None:
    fill(service, 25)
    config = pages_config(page_size=10)
    assert store_of(fetched(service, config, want())) == store_of(fetched(service, config, want()))


# --- runs by hand ----------------------------------------------------------------------------------------------------


def test_a_run_by_hand_reads_everything_covers_its_days_and_leaves_the_cursor(service: Service) -> None:
    fill(service, 3)
    batches = fetched(service, pages_config(), window(20260110, 20260112))
    assert len(keys(batches)) == 3
    assert {batch.cursor is None for batch in batches} == {True}
    assert covered(batches) == [("dossier", 20260110, 20260112), ("dossier_event", 20260110, 20260112)]


def test_a_run_by_hand_narrowed_to_days_of_receipt_proves_no_day(service: Service) -> None:
    # A dossier received before may have been completed on those days: it was not read.
    service.dossiers = [
        dossier(1, NgayTiepNhan="20260109235959"),
        dossier(2, NgayTiepNhan="20260110000000"),
        dossier(3, NgayTiepNhan="20260112235959"),
        dossier(4, NgayTiepNhan="20260113000000"),
    ]
    config = pages_config(received_from="receivedFrom", received_to="receivedTo")
    batches = fetched(service, config, window(20260110, 20260112))
    assert sorted(key[-1] for key in keys(batches)) == ["2", "3"]
    assert covered(batches) == []
    assert batches[-1].cursor is None


def test_a_run_for_some_agencies_keeps_theirs_and_covers_nothing(service: Service) -> None:
    service.dossiers = [dossier(1), dossier(2, DonViXuLy="H44.03")]
    batches = fetched(service, pages_config(), window(SINCE, YESTERDAY, frozenset({"H44.03"})))
    assert [row[1] for row in rows(batches, Dossier)] == ["H44.03"]
    assert {row[4] for row in rows(batches, DossierEvent)} == keys(batches)
    assert covered(batches) == []


# --- bad dossiers ----------------------------------------------------------------------------------------------------


def test_one_bad_dossier_among_few_is_set_aside_and_the_others_go_on(service: Service) -> None:
    service.dossiers = [dossier(1), dossier(2, NgayHenTra="mai"), dossier(3)]
    batches = fetched(service, pages_config(), want())
    assert len(keys(batches)) == 2
    (bad,) = (bad for batch in batches for bad in batch.bad)
    assert (bad.record, bad.key, bad.field) == (Dossier, "H44.02-260105-0002", "NgayHenTra")
    assert "mai" not in bad.reason
    assert covered(batches)


def test_more_than_one_in_a_hundred_stops_the_source_by_the_commonest_field(service: Service) -> None:
    service.dossiers = [dossier(number) for number in range(198)]
    service.dossiers += [dossier(900 + number, NgayHenTra="mai") for number in range(2)]
    assert len(keys(fetched(service, pages_config(page_size=100), want()))) == 198
    service.dossiers += [dossier(950, NgayTra="x"), dossier(951, NgayHenTra="mai")]
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(page_size=100), want())
    assert caught.value.field == "NgayHenTra"


def test_a_service_whose_dossiers_are_all_unusable_is_stopped_even_if_they_are_few(service: Service) -> None:
    service.dossiers = [dossier(number, NgayHenTra="mai") for number in range(2)]
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(), want())
    assert caught.value.field == "NgayHenTra"


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("DonViXuLy", "4"),
        ("MaTTHC", "4"),
        ("KenhThucHien", "1"),
        ("TrangThaiHoSo", "4"),
        ("NgayTiepNhan", "4"),
        ("NgayHenTra", "5"),
        ("NgayKetThucXuLy", "9"),
    ],
)
def test_a_field_that_no_dossier_names_any_more_stops_the_source(service: Service, field: str, status: str) -> None:
    service.dossiers = [dossier(number, TrangThaiHoSo=status) for number in range(12)]
    fetched(service, pages_config(), want())
    for item in service.dossiers:
        del item[field]
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(service, pages_config(), want())
    assert caught.value.field == field


def test_a_field_that_only_some_leave_out_stops_nothing(service: Service) -> None:
    service.dossiers = [dossier(number) for number in range(12)]
    for item in service.dossiers[1:]:
        del item["NgayHenTra"]
    assert len(keys(fetched(service, pages_config(), want()))) == 12


def test_a_deleted_dossier_is_removed_by_its_newer_version(service: Service) -> None:
    config = pages_config(deleted="DaXoa")
    service.dossiers = [dossier(1)]
    first = fetched(service, config, want())
    service.dossiers = [dossier(1, DaXoa=1, NgayCapNhat="20260110080000")]
    then = fetched(service, config, want(first[-1].cursor))
    assert [row[3] for row in store_of([*then, *first])["dossier"].values()] == [1]


# --- the catalogue ---------------------------------------------------------------------------------------------------


def test_without_a_catalogue_procedures_are_neither_read_nor_covered(service: Service) -> None:
    batches = fetched(service, pages_config(), want())
    assert {path for _, path, _ in service.requests} == {DOSSIERS}
    assert "procedure" not in {name for name, _, _ in covered(batches)}


def test_the_catalogue_is_read_to_its_end_and_covers_the_same_days(service: Service) -> None:
    service.procedures = [procedure(f"1.{number:06d}.000.00.00.H44", "4") for number in range(450)]
    batches = fetched(service, pages_config(catalogue=True), want())
    assert len(rows(batches, Procedure)) == 450
    assert ("procedure", SINCE, YESTERDAY) in covered(batches)
    assert [path for _, path, _ in service.requests].count(PROCEDURES) == 3


def test_a_broken_catalogue_takes_nothing_from_the_dossiers(service: Service) -> None:
    fill(service, 3)
    service.procedures = [procedure("1.000001", "4", HieuLucTu="x"), procedure("1.000002", "4", HieuLucTu="x")]
    got: list[Batch] = []
    with service_door(service) as door, pytest.raises(UnexpectedAnswer) as caught:
        got.extend(dvcqg.fetch(pages_config(catalogue=True), door, want()))
    assert caught.value.field == "HieuLucTu"
    assert len(keys(got)) == 3
    assert covered(got) == [("dossier", SINCE, YESTERDAY), ("dossier_event", SINCE, YESTERDAY)]


def test_dossiers_are_given_before_the_catalogue_is_asked_for(service: Service) -> None:
    fill(service, 3)
    with service_door(service) as door:
        batches = dvcqg.fetch(pages_config(catalogue=True), door, want())
        first = next(batches)
        assert first.cursor == {"since": "20260101020000"}
        assert [one.record for one in first.covers] == [Dossier, DossierEvent]
        assert {path for _, path, _ in service.requests} == {DOSSIERS}
        list(batches)


def test_of_several_lines_for_one_procedure_each_counts_from_its_own_day_on(service: Service) -> None:
    old = procedure("1.000001", "3", HieuLucTu="20240101", HieuLucDen="20251231", NgayCapNhat="20260110000000")
    new = procedure("1.000001", "4", HieuLucTu="20260101", NgayCapNhat="20251201000000")
    for lines in ([old, new], [new, old]):
        service.procedures = lines
        before, row = rows(fetched(service, pages_config(catalogue=True), want()), Procedure)
        assert (before[0], before[5], before[6], before[7]) == ("1.000001#20240101", "partial", 20240101, 20251231)
        assert (row[0], row[5], row[6], row[7]) == ("1.000001", "full", 20260101, None)
        # No older than the line whose key it takes, or the store would keep that one.
        assert before[2] == row[2] == 1_767_978_000_000_000  # 2026-01-10T00:00:00+07:00


# --- persons, and what is asked --------------------------------------------------------------------------------------


def test_no_person_is_in_rows_cursor_bad_rows_or_errors(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    entry = {
        "HoSoBoSungId": "1",
        "NguoiYeuCauBoSung": "CANARY",
        "NoiDungBoSung": "CANARY",
        "NgayBoSung": "20260107090000",
    }
    step = {"NguoiXuLy": "CANARY", "NoiDungXuLy": "CANARY", "ThoiDiemXuLy": "20260107090000"}
    service.dossiers = [dossier(number, DanhSachHoSoBoSung=[entry], DanhSachTienDo=[step]) for number in range(20)]
    service.dossiers[0]["NgayTiepNhan"] = "CANARY"
    service.procedures = [procedure("1.002835", "4")]
    batches = fetched(service, pages_config(catalogue=True), want())
    assert [bad.field for batch in batches for bad in batch.bad] == ["NgayTiepNhan"]
    told = repr(batches) + caplog.text
    for number in range(10):
        service.dossiers[number]["NgayTiepNhan"] = "CANARY"
    with pytest.raises(CollectorError) as caught:
        fetched(service, pages_config(), want())
    told += str(caught.value) + repr(caught.value.__dict__) + caplog.text
    assert not [canary for canary in CANARIES if canary in told]


def test_nothing_but_the_configured_paths_is_ever_asked(service: Service) -> None:
    fill(service, 30)
    config = pages_config(catalogue=True, page_size=10)
    fetched(service, config, want())
    with service_door(service) as door:
        list(dvcqg.probe(config, door))
    assert {(method, path) for method, path, _ in service.requests} == {("GET", DOSSIERS), ("GET", PROCEDURES)}


# --- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"pages": {"path": "/a"}, "files": {}},
        {"pages": {"path": "/a", "received_from": "x"}},
        {"pages": {"path": "/a", "changed_to": "x"}},
        {"pages": {"path": "/a"}, "catalogue": {"pattern": "*.json"}},
        {"files": {}, "catalogue": {"path": "/b"}},
        {"pages": {"path": "/a"}, "catalogue": {}},
        {"pages": {"path": "/a"}, "due_dates": "sometimes"},
        {"pages": {"path": "/a"}, "unknown": 1},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        dvcqg.Config.model_validate(wrong)


def test_pages_through_a_folder_are_wrong_use(tmp_path: Any) -> None:
    with folder_door(tmp_path) as door, pytest.raises(WrongUse):
        list(dvcqg.fetch(pages_config(), door, want()))


# --- any order, any cut ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(
    versions=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 28), st.sampled_from("24579")), max_size=12, unique=True
    ),
    random=st.randoms(use_true_random=False),
    size=st.integers(1, 6),
)
def test_pages_permuted_repeated_and_cut_anyhow_end_in_the_same_store(
    versions: list[tuple[int, int, str]], random: Any, size: int
) -> None:
    listed = [
        dossier(
            number,
            TrangThaiHoSo=status,
            NgayKetThucXuLy="20260220080000",
            NgayHenTra=f"202602{day:02d}170000",
            NgayCapNhat=f"202601{day:02d}080000",
        )
        for number, day, status in versions
    ]
    with serving() as service:
        service.order = lambda _: 0
        service.dossiers = listed
        expected = store_of(fetched(service, pages_config(page_size=200, rereads=5), want()))
        service.dossiers = [*listed, *random.sample(listed, len(listed) // 2)]
        random.shuffle(service.dossiers)
        # Like pages are refused; half of the list comes twice, so that longer pages cannot be alike.
        config = pages_config(page_size=size + len(listed) // 2, rereads=5)
        assert store_of(fetched(service, config, want())) == expected
