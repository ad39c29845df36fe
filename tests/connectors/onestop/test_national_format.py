"""One object of the national format as rows. Expected values are written by hand from facts/standards.md 2."""

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.contract.records import Dossier, DossierEvent, Procedure
from connectors.onestop.national_format import (
    CHANNELS,
    LEVELS,
    OUTCOMES,
    Form,
    Reading,
    Unusable,
    expected_fields,
    instant_of,
    read_dossier,
    read_procedure,
)
from tests.connectors.onestop.national_service_double import dossier, procedure
from tests.connectors.onestop.runs import BEGAN, kept, named

VIETNAM = timezone(timedelta(hours=7))
RECORDED = Form()
OVERWRITTEN = Form(due_dates="overwritten")
KEY = "H44.02-260105-0001"


def instant(text: str) -> int:
    """The instant of a time of the format, by Python's own calendar."""
    return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM).timestamp())


def micro(text: str) -> int:
    return instant(text) * 1_000_000


def reading(form: Form = RECORDED, **fields: Any) -> Reading:
    return read_dossier(dossier(1, **fields), form, BEGAN, BEGAN)


def read(form: Form = RECORDED, **fields: Any) -> dict[str, Any]:
    return named(Dossier, reading(form, **fields).dossier)


def events(form: Form = RECORDED, **fields: Any) -> dict[str, dict[str, Any]]:
    return {row[0].removeprefix(f"{KEY}|"): named(DossierEvent, row) for row in reading(form, **fields).events}


def step(at: str, status: Any) -> dict[str, Any]:
    return {"NguoiXuLy": "CANARY", "ThoiDiemXuLy": at, "NoiDungXuLy": "CANARY", "TrangThai": status}


def supplement(ref: str, asked: str, back: str = "", before: str = "", after: str = "") -> dict[str, Any]:
    return {
        "HoSoBoSungId": ref,
        "NguoiYeuCauBoSung": "CANARY",
        "NgayBoSung": asked,
        "NgayTiepNhanBoSung": back,
        "NgayHenTraTruoc": before,
        "NgayHenTraMoi": after,
    }


def test_a_whole_dossier_becomes_one_row_of_golden_values() -> None:
    assert read(
        TrangThaiHoSo="10",
        KenhThucHien="2",
        NgayNopHoSo="20260104231500",
        NgayTiepNhan="20260105080000",
        NgayHenTra="20260115170000",
        NgayKetThucXuLy="20260114235959",
        NgayTra="20260116090000",
        NgayCapNhat="20260116090100",
        HoSoCoThanhPhanSoHoa="1",
        DanhSachGiayToKetQua=[{"TenGiayTo": "CANARY", "DuongDanTepTinKetQua": "/CANARY.pdf"}],
        DuocThanhToanTrucTuyen="3",
    ) == {
        "key": KEY,
        "agency_code": "H44.02",
        "changed": 1_768_528_860_000_000,  # 2026-01-16T02:01:00Z
        "removed": 0,
        "procedure": "1.002835",
        "channel": "online",
        "submitted_day": 20260104,
        "received_day": 20260105,
        "completed_day": 20260114,
        "returned_day": 20260116,
        "outcome": "completed",
        "ended_day": None,
        "source_status": "10",
        "completed": 1_768_409_999,  # 2026-01-14T16:59:59Z
        "due": 1_768_471_200,  # 2026-01-15T10:00:00Z
        "due_day": 20260115,
        "digitised": 1,
        "electronic_result": 1,
        "payment": "none",
    }


# facts/standards.md 2.2 and source-systems.md 2.1, code by code: what it is called, and what it is to us.
STATUSES = {
    "1": ("mới đăng ký", "open"),
    "2": ("được tiếp nhận", "open"),
    "3": ("không được tiếp nhận", "refused_at_intake"),
    "4": ("đang xử lý", "open"),
    "5": ("yêu cầu bổ sung giấy tờ", "open"),
    "6": ("yêu cầu thực hiện nghĩa vụ tài chính", "open"),
    "7": ("công dân rút hồ sơ", "withdrawn"),
    "8": ("dừng xử lý", "stopped"),
    "9": ("đã xử lý xong", "completed"),
    "10": ("đã trả kết quả", "completed"),
}
CHANNEL_CODES = {"1": "counter", "2": "online", "3": "post"}  # trực tiếp, trực tuyến, bưu chính công ích
LEVEL_CODES = {"2": "information", "3": "partial", "4": "full"}  # MucDo
WORDS = {  # the text statuses of a central system, as one client maps them
    "processing": "4",
    "releasing": "9",
    "done": "10",
    "denied": "3",
    "unresolved": "8",
    "cancelled": "7",
    "waiting": "5",
    "new": "2",
    "paying": "6",
    "receiving": "1",
}


def test_the_codes_are_those_of_the_facts_and_no_other() -> None:
    assert {code: ours for code, (_, ours) in STATUSES.items()} == OUTCOMES
    assert CHANNEL_CODES == CHANNELS
    assert LEVEL_CODES == LEVELS
    for code, (_, ours) in STATUSES.items():
        assert read(TrangThaiHoSo=code)["outcome"] == ours
    for code, channel in CHANNEL_CODES.items():
        assert read(KenhThucHien=code)["channel"] == channel


@pytest.mark.parametrize(("word", "code"), WORDS.items())
def test_a_service_that_writes_words_is_read_by_what_they_mean(word: str, code: str) -> None:
    dates: dict[str, Any] = {"NgayKetThucXuLy": "20260108090000", "DanhSachTienDo": [step("20260106080000", word)]}
    by_code = read(TrangThaiHoSo=code, **dates | {"DanhSachTienDo": [step("20260106080000", code)]})
    by_word = read(Form(statuses=WORDS), TrangThaiHoSo=word, **dates)
    assert by_word == by_code | {"source_status": word}
    assert read(TrangThaiHoSo=word, **dates)["outcome"] is None, "without a word for it, it is none of the format's"
    assert expected_fields({"TrangThaiHoSo": word}, WORDS) == expected_fields({"TrangThaiHoSo": code})


def test_a_word_can_only_mean_a_code_of_the_format() -> None:
    with pytest.raises(ValueError, match="'done' cannot mean '11'"):
        Form(statuses={"done": "11"})


@pytest.mark.parametrize(
    ("status", "dates", "outcome", "received", "completed", "ended"),
    [
        ("1", {}, "open", None, None, None),
        ("2", {}, "open", 20260105, None, None),
        ("3", {"NgayTuChoi": "20260106090000"}, "refused_at_intake", None, None, 20260106),
        ("3", {"NgayKetThucXuLy": "20260107090000"}, "refused_at_intake", None, None, 20260107),
        ("3", {}, "refused_at_intake", None, None, None),
        ("4", {}, "open", 20260105, None, None),
        ("4", {"NgayKetThucXuLy": "20260107090000"}, "open", 20260105, None, None),
        ("5", {}, "open", 20260105, None, None),
        ("6", {}, "open", 20260105, None, None),
        (
            "7",
            {"NgayKetThucXuLy": "20260108090000", "NgayTra": "20260109090000"},
            "withdrawn",
            20260105,
            None,
            20260108,
        ),
        ("7", {"NgayTra": "20260109090000"}, "withdrawn", 20260105, None, 20260109),
        ("7", {}, "withdrawn", 20260105, None, None),
        ("8", {"NgayKetThucXuLy": "20260108090000"}, "stopped", 20260105, None, 20260108),
        ("8", {"NgayTra": "20260109090000"}, "stopped", 20260105, None, 20260109),
        ("9", {"NgayKetThucXuLy": "20260108090000"}, "completed", 20260105, 20260108, None),
        ("9", {}, "completed", 20260105, None, None),
        ("9", {"NgayTra": "20260108090000"}, "completed", 20260105, None, None),
        ("10", {"NgayKetThucXuLy": "20260108"}, "completed", 20260105, 20260108, None),
        (
            "9",
            {"NgayKetThucXuLy": "20260108090000", "NgayTuChoi": "20260107090000"},
            "refused_after",
            20260105,
            20260108,
            None,
        ),
        ("11", {"NgayKetThucXuLy": "20260108090000"}, None, 20260105, None, None),
        ("09", {"NgayKetThucXuLy": "20260108090000"}, None, 20260105, None, None),
        ("", {"NgayKetThucXuLy": "20260108090000"}, None, 20260105, None, None),
        (9, {"NgayKetThucXuLy": "20260108090000"}, "completed", 20260105, 20260108, None),
    ],
)
def test_every_status_code_has_its_outcome_and_dates(
    status: Any,
    dates: dict[str, Any],
    outcome: str | None,
    received: int | None,
    completed: int | None,
    ended: int | None,
) -> None:
    row = read(TrangThaiHoSo=status, **dates)
    assert (row["outcome"], row["received_day"], row["completed_day"], row["ended_day"]) == (
        outcome,
        received,
        completed,
        ended,
    )
    assert row["source_status"] == (str(status) or None)


@pytest.mark.parametrize(
    ("code", "channel"),
    [
        ("1", "counter"),
        ("2", "online"),
        ("3", "post"),
        (2, "online"),
        ("4", None),
        ("0", None),
        ("", None),
        (None, None),
    ],
)
def test_every_channel_code(code: Any, channel: str | None) -> None:
    assert read(KenhThucHien=code)["channel"] == channel


@pytest.mark.parametrize(
    ("due", "moment", "day"),
    [
        ("20260115113000", "20260115113000", 20260115),
        ("20260115", None, 20260115),
        ("20260115000000", None, 20260115),  # nothing is promised for midnight
        ("", None, None),
    ],
)
def test_a_due_date_without_a_time_of_day_is_no_instant(due: str, moment: str | None, day: int | None) -> None:
    row = read(TrangThaiHoSo="2", NgayHenTra=due)
    assert (row["due"], row["due_day"]) == (None if moment is None else instant(moment), day)


@pytest.mark.parametrize(
    ("finished", "status", "moment"),
    [
        ("20260115000000", "9", "20260115000000"),
        ("20260115", "9", None),
        ("20260115090000", "7", None),  # the end of a withdrawal is no completion
        ("20260115090000", "4", None),
    ],
)
def test_the_instant_of_completion_is_that_of_a_completed_dossier(
    finished: str, status: str, moment: str | None
) -> None:
    row = read(TrangThaiHoSo=status, NgayKetThucXuLy=finished)
    assert row["completed"] == (None if moment is None else instant(moment))


def paper(digitised: Any = None, deleted: Any = None) -> dict[str, Any]:
    return {"TenTepDinhKem": "CANARY", "DuocSoHoa": digitised, "IsDeleted": deleted}


@pytest.mark.parametrize(
    ("fields", "digitised"),
    [
        ({"HoSoCoThanhPhanSoHoa": "1"}, 1),
        ({"HoSoCoThanhPhanSoHoa": 0}, 0),
        ({"HoSoCoThanhPhanSoHoa": True}, 1),
        ({"HoSoCoThanhPhanSoHoa": "0", "TaiLieuNop": [paper("1")]}, 0),  # the dossier's own flag comes first
        ({}, None),
        ({"HoSoCoThanhPhanSoHoa": ""}, None),
        ({"HoSoCoThanhPhanSoHoa": "2"}, None),
        ({"HoSoCoThanhPhanSoHoa": ["1"]}, None),
        ({"TaiLieuNop": [paper("0"), paper("1")]}, 1),
        ({"TaiLieuNop": [paper("0"), paper(0)]}, 0),
        ({"TaiLieuNop": [paper("0"), paper()]}, None),
        ({"TaiLieuNop": [paper("1", deleted="1"), paper("0")]}, 0),
        ({"TaiLieuNop": []}, None),  # every dossier has a paper: it tells none
        ({"TaiLieuNop": "text"}, None),
    ],
)
def test_whether_papers_are_digitised_is_told_or_unknown(fields: dict[str, Any], digitised: int | None) -> None:
    assert read(**fields)["digitised"] == digitised


@pytest.mark.parametrize(
    ("results", "electronic"),
    [
        ([{"DuongDanTepTinKetQua": "/a.pdf"}], 1),
        ([{"DuongDanTepTinKetQua": ""}, {"DuongDanTepTinKetQua": "/a.pdf"}], 1),
        ([{"DuongDanTepTinKetQua": ""}], 0),
        ([{"TenGiayTo": "CANARY"}], 0),
        ([], 0),
        (None, None),
        ("text", None),
        (["/a.pdf"], None),
    ],
)
def test_a_result_is_electronic_if_it_has_a_file_and_unknown_where_none_are_listed(
    results: Any, electronic: int | None
) -> None:
    assert read(DanhSachGiayToKetQua=results)["electronic_result"] == electronic
    assert read()["electronic_result"] is None


@pytest.mark.parametrize(
    ("told", "fees", "online", "any_payment"),
    [
        ("1", None, "online", None),  # cash too, says one client (facts: standards 2.3)
        (1, [{"Gia": 50_000}], "online", None),
        ("3", [{"Gia": 50_000}], "none", "none"),
        ("0", [{"Gia": "50000"}], "otherwise", "none"),
        ("0", [{"Gia": "0"}], "none", "none"),
        ("0", [{"Gia": "0"}, {"Gia": 20_000}], "otherwise", "none"),
        ("0", [{"Gia": "CANARY"}], None, "none"),
        ("0", [], "none", "none"),
        ("0", None, None, "none"),
        ("2", [{"Gia": 50_000}], None, None),
        ("", [{"Gia": 50_000}], None, None),
        (None, [], None, None),
    ],
)
def test_how_a_fee_was_paid(told: Any, fees: Any, online: str | None, any_payment: str | None) -> None:
    fields = {"DuocThanhToanTrucTuyen": told, "DanhSachLePhi": fees}
    assert read(Form(payment_flag="online"), **fields)["payment"] == online
    assert read(**fields)["payment"] == any_payment


def test_a_day_is_cut_on_the_local_clock() -> None:
    assert read(NgayNopHoSo="20260228235959")["submitted_day"] == 20260228
    assert read(NgayNopHoSo="20260301000000")["submitted_day"] == 20260301


def test_a_date_without_a_time_is_accepted() -> None:
    assert read(NgayTiepNhan="20240229")["received_day"] == 20240229


@pytest.mark.parametrize(
    "wrong",
    [
        "2026-01-05",
        "20260105 0800",
        "20260230080000",
        "20260105240000",
        "20260105086000",
        "20260105080060",
        "00010101000000",
        "99990101000000",
        "2026010508000",
        "２０２６０１０５",
        20260105080000,
        True,
        ["20260105"],
    ],
)
@pytest.mark.parametrize(
    "field", ["NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra", "NgayNopHoSo", "NgayTuChoi"]
)
def test_any_other_time_makes_the_dossier_unusable_by_field_and_without_content(field: str, wrong: Any) -> None:
    with pytest.raises(Unusable) as caught:
        reading(**{field: wrong})
    assert (caught.value.key, caught.value.field) == (KEY, field)
    assert str(wrong) not in caught.value.reason


@pytest.mark.parametrize(
    ("item", "key", "field"),
    [
        ("text", "?", "data"),
        (None, "?", "data"),
        (dossier(""), "?", "MaHoSo"),
        (dossier(1, MaHoSo=None), "?", "MaHoSo"),
        (dossier(1, MaHoSo=17), "?", "MaHoSo"),
        (dossier(1, MaHoSo="a\ud800b"), "?", "MaHoSo"),
        (dossier(1, MaHoSo="a\0b"), "?", "MaHoSo"),
        (dossier(1, MaHoSo="x" * 300), "?", "MaHoSo"),
        (dossier(1, DonViXuLy={"Ma": "H44"}), KEY, "DonViXuLy"),
        (dossier(1, KenhThucHien=[1]), KEY, "KenhThucHien"),
        (dossier(1, TrangThaiHoSo=True), KEY, "TrangThaiHoSo"),
        (dossier(1, TrangThaiHoSo=10**30), KEY, "TrangThaiHoSo"),
        (dossier(1, DanhSachHoSoBoSung={"a": 1}), KEY, "DanhSachHoSoBoSung"),
        (dossier(1, DanhSachHoSoBoSung=["a"]), KEY, "DanhSachHoSoBoSung"),
        (
            dossier(1, DanhSachHoSoBoSung=[supplement("a", "soon")]),
            KEY,
            "DanhSachHoSoBoSung.NgayBoSung",
        ),
        (
            dossier(1, DanhSachHoSoBoSung=[supplement("a", "", back="20260107080000")]),
            KEY,
            "DanhSachHoSoBoSung.NgayBoSung",
        ),
        (dossier(1, NgayCapNhat="20990101000000"), KEY, "NgayCapNhat"),
        (dossier(1, NgayCapNhat=17), KEY, "NgayCapNhat"),
        (
            dossier(1, NgayCapNhat="", DanhSachTienDo=[{"ThoiDiemXuLy": "x"}]),
            KEY,
            "DanhSachTienDo.ThoiDiemXuLy",
        ),
    ],
)
def test_what_cannot_be_used_is_told_by_key_and_field(item: Any, key: str, field: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_dossier(item, RECORDED, BEGAN, BEGAN)
    assert (caught.value.key, caught.value.field) == (key, field)


def test_the_version_is_the_stamp_else_the_latest_progress_step_else_the_time_of_reading() -> None:
    steps = [{"ThoiDiemXuLy": "20260107090000"}, {"ThoiDiemXuLy": "20260109090000"}, {"ThoiDiemXuLy": ""}]
    assert read(NgayCapNhat="20260106080000", DanhSachTienDo=steps)["changed"] == micro("20260106080000")
    assert read(NgayCapNhat="", DanhSachTienDo=steps)["changed"] == micro("20260109090000")
    assert read(NgayCapNhat=None, DanhSachTienDo=None)["changed"] == BEGAN * 1_000_000


def test_stamp_and_progress_are_found_under_configured_names() -> None:
    form = Form(stamp="LastModified", progress="Steps")
    assert read(form, LastModified="20260107080000")["changed"] == micro("20260107080000")
    assert read(form, Steps=[{"ThoiDiemXuLy": "20260108080000"}])["changed"] == micro("20260108080000")


@pytest.mark.parametrize(
    ("value", "removed"), [("1", 1), (1, 1), (True, 1), ("0", 0), (0, 0), (False, 0), ("", 0), (None, 0)]
)
def test_a_deleted_dossier_is_removed(value: Any, removed: int) -> None:
    assert read(Form(deleted="DaXoa"), DaXoa=value)["removed"] == removed


def test_an_unknown_mark_of_deletion_makes_the_dossier_unusable() -> None:
    with pytest.raises(Unusable) as caught:
        reading(Form(deleted="DaXoa"), DaXoa="maybe")
    assert caught.value.field == "DaXoa"


def test_no_mark_of_deletion_is_looked_at_unless_configured() -> None:
    assert read(DaXoa=1)["removed"] == 0


def test_a_missing_agency_or_procedure_stays_unknown() -> None:
    row = read(DonViXuLy="", MaTTHC="")
    assert (row["agency_code"], row["procedure"]) == ("", None)


# --- pauses ----------------------------------------------------------------------------------------------------------


def test_a_supplement_is_a_pause_by_its_id() -> None:
    found = events(DanhSachHoSoBoSung=[supplement("77", "20260107090000", "20260109100000")])
    begun, ended = found["begun|77"], found["ended|77"]
    assert (begun["kind"], begun["day"], begun["ref"], begun["removed"]) == ("pause_begun", 20260107, "77", 0)
    assert (ended["kind"], ended["day"], ended["ref"], ended["removed"]) == ("pause_ended", 20260109, "77", 0)
    assert begun["changed"] == ended["changed"] == micro("20260105080000")
    assert begun["dossier"] == KEY


def test_an_open_pause_has_a_removed_end_so_that_a_return_can_be_taken_back() -> None:
    back: dict[str, Any] = {"DanhSachHoSoBoSung": [supplement("7", "20260107090000", "20260109100000")]}
    taken_back: dict[str, Any] = {"DanhSachHoSoBoSung": [supplement("7", "20260107090000")]}
    first = reading(NgayCapNhat="20260109100000", **back).events
    then = reading(NgayCapNhat="20260110100000", **taken_back).events
    for order in ([*first, *then], [*then, *first]):
        assert named(DossierEvent, kept(order)[f"{KEY}|ended|7"])["removed"] == 1


def test_a_supplement_without_an_id_is_known_by_its_date_not_by_its_place() -> None:
    one, two = supplement("", "20260107090000", "20260108090000"), supplement("", "20260110090000", "20260111090000")
    assert kept(reading(DanhSachHoSoBoSung=[one, two]).events) == kept(reading(DanhSachHoSoBoSung=[two, one]).events)
    assert {key for key in events(DanhSachHoSoBoSung=[two]) if key.startswith("begun")} < set(
        events(DanhSachHoSoBoSung=[one, two])
    )


def test_the_same_supplement_listed_twice_is_one_pause() -> None:
    twice = [supplement("7", "20260107090000"), supplement("7", "20260107090000", "20260109100000")]
    for order in itertools.permutations(twice):
        found = events(DanhSachHoSoBoSung=list(order))
        assert (found["ended|7"]["day"], found["ended|7"]["removed"]) == (20260109, 0)


def test_a_supplement_that_came_back_before_receipt_stopped_no_clock() -> None:
    found = events(
        NgayTiepNhan="20260105080000", DanhSachHoSoBoSung=[supplement("7", "20260102090000", "20260104090000")]
    )
    assert (found["begun|7"]["removed"], found["ended|7"]["removed"]) == (1, 1)


def test_a_supplement_that_was_never_asked_for_is_a_draft() -> None:
    assert set(events(DanhSachHoSoBoSung=[supplement("7", "")])) == {"due|20260115"}


@pytest.mark.parametrize("status", ["5", "6"])
def test_a_status_alone_is_no_pause(status: str) -> None:
    assert set(events(TrangThaiHoSo=status)) == {"due|20260115"}


# --- progress steps ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "pauses"),
    [
        ([], []),
        ([("06", 2), ("07", 4)], []),
        ([("05", 2), ("07", 5)], [(20260107, None)]),
        ([("06", 2), ("07", 5)], []),  # the steps do not go back to the receipt: their end may never be listed
        ([("06", 2), ("07", 5), ("08", 4)], [(20260107, 20260108)]),
        ([("07", 5), ("08", "5"), ("09", 4), ("12", 9)], [(20260107, 20260109)]),
        ([("09", 4), ("07", 5)], [(20260107, 20260109)]),
        ([("07", 6), ("08", 4), ("09", 5), ("12", 7)], [(20260107, 20260108), (20260109, 20260112)]),
        ([("07", 5), ("08", "odd"), ("09", 4)], [(20260107, 20260109)]),
        ([("02", 5), ("03", 2)], []),  # before receipt no clock ran
    ],
)
def test_steps_date_the_pauses_that_nothing_else_dates(
    steps: list[tuple[str, Any]], pauses: list[tuple[int, int | None]]
) -> None:
    found = events(
        NgayTiepNhan="20260105080000", DanhSachTienDo=[step(f"202601{day}090000", status) for day, status in steps]
    )
    begun = {name: one for name, one in found.items() if name.startswith("begun|") and not one["removed"]}
    ends = [found[name.replace("begun", "ended")] for name in sorted(begun)]
    assert [
        (one["day"], None if end["removed"] else end["day"])
        for one, end in zip((begun[name] for name in sorted(begun)), ends, strict=True)
    ] == pauses
    assert "CANARY" not in repr(found)


def test_a_listed_supplement_is_believed_before_the_steps_of_its_time() -> None:
    steps = [step("20260105090000", "2"), step("20260107090000", "5")]
    seen_first = reading(NgayCapNhat="20260108090000", DanhSachTienDo=steps).events
    assert [row[0] for row in seen_first if row[5] == "pause_begun" and not row[3]], "told by its step alone"
    steps += [step("20260114090000", "4"), step("20260120090000", "6")]
    then = reading(
        NgayCapNhat="20260121090000",
        DanhSachTienDo=steps,
        DanhSachHoSoBoSung=[supplement("7", "20260107080000", "20260109100000")],
    ).events
    for order in ([*seen_first, *then], [*then, *seen_first]):
        every = [named(DossierEvent, row) for row in kept(order).values()]
        standing = {(one["kind"], one["day"]) for one in every if not one["removed"] and one["kind"] != "due_promised"}
        assert standing == {("pause_begun", 20260107), ("pause_ended", 20260109), ("pause_begun", 20260120)}


@pytest.mark.parametrize(
    ("status", "steps", "ended"),
    [
        ("7", [("06", 4), ("07", 7)], 20260107),
        ("7", [("07", 7), ("09", 7)], 20260107),
        ("7", [("06", 7), ("07", 4)], None),  # the steps do not tell of it yet
        ("8", [("08", 8)], 20260108),
        ("3", [("06", 1), ("07", 3)], 20260107),
        ("7", [], None),
    ],
)
def test_a_step_dates_the_end_where_the_dossier_does_not(
    status: str, steps: list[tuple[str, int]], ended: int | None
) -> None:
    told = [step(f"202601{day}090000", code) for day, code in steps]
    assert read(TrangThaiHoSo=status, DanhSachTienDo=told)["ended_day"] == ended
    own = read(TrangThaiHoSo=status, DanhSachTienDo=told, NgayKetThucXuLy="20260109090000")
    assert own["ended_day"] == 20260109


def test_a_system_that_lists_its_latest_step_alone_leaves_no_pause_without_an_end() -> None:
    """Whatever is seen of such a dossier, and in whichever order, its clock does not stand for ever."""
    versions = [("20260105090000", "5"), ("20260109090000", "4"), ("20260112090000", "9")]
    seen = [
        reading(NgayCapNhat=at, TrangThaiHoSo=status, DanhSachTienDo=[step(at, status)]).events
        for at, status in versions
    ]
    for order in itertools.permutations(seen):
        every = [named(DossierEvent, row) for row in kept([row for rows in order for row in rows]).values()]
        assert not [one for one in every if one["kind"] == "pause_begun" and not one["removed"]]


def test_a_step_is_no_completion() -> None:
    row = read(TrangThaiHoSo="9", DanhSachTienDo=[step("20260107090000", "9")])
    assert (row["outcome"], row["completed_day"]) == ("completed", None)


# --- due dates -------------------------------------------------------------------------------------------------------


def first_promise(every: dict[str, Any]) -> tuple[int, str] | None:
    """What the store takes as the first promise: the smallest `at`."""
    promises = sorted(
        (one["at"], one["day"], one["basis"])
        for one in (named(DossierEvent, row) for row in every.values())
        if one["kind"] == "due_promised" and not one["removed"]
    )
    return promises[0][1:] if promises else None


def test_a_due_date_never_moved_is_the_first_promise() -> None:
    assert events() == {
        "due|20260115": {
            "key": f"{KEY}|due|20260115",
            "agency_code": "",
            "changed": -(micro("20260105080000") + 2),
            "removed": 0,
            "dossier": KEY,
            "kind": "due_promised",
            "ref": "20260115",
            "at": micro("20260105080000") + 2,
            "day": 20260115,
            "basis": "first",
        }
    }


@pytest.mark.parametrize("status", ["1", "3"])
def test_before_receipt_nothing_is_promised(status: str) -> None:
    assert events(TrangThaiHoSo=status) == {}


def test_no_due_date_is_no_promise() -> None:
    assert events(NgayHenTra="") == {}


MOVED = supplement("7", "20260107090000", "20260109100000", before="20260115170000", after="20260119170000")


def test_the_date_before_a_supplement_was_promised_first() -> None:
    every = kept(reading(NgayHenTra="20260119170000", NgayCapNhat="20260110000000", DanhSachHoSoBoSung=[MOVED]).events)
    assert first_promise(every) == (20260115, "history")
    assert {row[0] for row in every.values() if "|due|" in row[0]} == {f"{KEY}|due|20260115", f"{KEY}|due|20260119"}


def test_a_stamp_older_than_the_supplement_does_not_make_the_moved_date_the_first() -> None:
    # Where the version is the latest progress step, it may lie before the supplement was asked for.
    every = kept(reading(NgayHenTra="20260122170000", NgayCapNhat="20260106000000", DanhSachHoSoBoSung=[MOVED]).events)
    assert first_promise(every) == (20260115, "history")


def test_a_second_supplement_seen_alone_does_not_outdo_what_was_seen_before() -> None:
    # Some systems push only the latest supplement: its "date before" was itself moved.
    second = supplement("8", "20260112090000", "20260113100000", before="20260119170000", after="20260121170000")
    seen = [
        *reading(NgayHenTra="20260119170000", NgayCapNhat="20260110000000", DanhSachHoSoBoSung=[MOVED]).events,
        *reading(NgayHenTra="20260121170000", NgayCapNhat="20260114000000", DanhSachHoSoBoSung=[second]).events,
    ]
    for order in (seen, seen[::-1]):
        assert first_promise(kept(order)) == (20260115, "history")


def test_a_date_moved_by_a_new_version_does_not_become_the_first_through_a_later_supplement() -> None:
    later = supplement("7", "20260109090000", "20260110100000", before="20260117170000", after="20260119170000")
    seen = [
        *reading(NgayHenTra="20260115170000", NgayCapNhat="20260105080000").events,
        *reading(NgayHenTra="20260117170000", NgayCapNhat="20260106080000").events,
        *reading(NgayHenTra="20260119170000", NgayCapNhat="20260110100000", DanhSachHoSoBoSung=[later]).events,
    ]
    for order in itertools.permutations(seen):
        assert first_promise(kept(order)) == (20260115, "first")


@pytest.mark.parametrize("stamp", ["20260109100000", "20260110000000"])
def test_a_moved_date_without_the_one_before_proves_no_first_promise(stamp: str) -> None:
    only_new = supplement("7", "20260107090000", "20260109100000", after="20260119170000")
    fields: dict[str, Any] = {
        "NgayHenTra": "20260119170000",
        "NgayCapNhat": stamp,
        "DanhSachHoSoBoSung": [only_new],
    }
    late = reading(**fields).events
    assert first_promise(kept(late)) == (20260119, "current")
    assert first_promise(kept([*late, *reading().events])) == (20260115, "first")


def test_where_dates_are_overwritten_only_one_seen_by_the_day_after_receipt_is_the_first() -> None:
    on_the_next_day = kept(reading(OVERWRITTEN, NgayCapNhat="20260106235959").events)
    later = kept(reading(OVERWRITTEN, NgayCapNhat="20260107000000").events)
    assert first_promise(on_the_next_day) == (20260115, "first")
    assert first_promise(later) == (20260115, "current")
    assert first_promise(kept([*later.values(), *on_the_next_day.values()])) == (20260115, "first")


def test_where_dates_are_overwritten_and_receipt_is_unknown_nothing_is_proved() -> None:
    assert first_promise(kept(reading(OVERWRITTEN, NgayTiepNhan="").events)) == (20260115, "current")


def stamp_of(hours: int) -> str:
    """A time of the format, hours after a Monday in January."""
    return (datetime(2026, 1, 5, 8, tzinfo=VIETNAM) + timedelta(hours=hours)).strftime("%Y%m%d%H%M%S")


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[dict[str, Any]]]:
    """A dossier's life as the versions a source would show of it, and the due day promised first.

    Due dates move by supplements (with the old and the new date in the list) and by new versions.
    """
    hour = 0
    due = first = draw(st.integers(1, 20))
    entries: list[dict[str, Any]] = []
    versions: list[dict[str, Any]] = []

    def show() -> None:
        versions.append(
            dossier(
                1,
                NgayTiepNhan=stamp_of(0),
                NgayHenTra=f"202602{due:02d}170000",
                NgayCapNhat=stamp_of(hour),
                DanhSachHoSoBoSung=[dict(entry) for entry in entries],
            )
        )

    show()
    for number in range(draw(st.integers(0, 4))):
        hour += draw(st.integers(1, 30))
        if draw(st.booleans()):
            due = draw(st.integers(1, 28))
            show()
            continue
        entries.append(supplement(str(number), stamp_of(hour), before=f"202602{due:02d}170000"))
        show()
        hour += draw(st.integers(1, 30))
        due = draw(st.integers(1, 28))
        entries[-1] |= {"NgayTiepNhanBoSung": stamp_of(hour), "NgayHenTraMoi": f"202602{due:02d}170000"}
        show()
    return 20260200 + first, versions


@settings(deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.sampled_from([RECORDED, OVERWRITTEN]))
def test_events_do_not_depend_on_the_order_in_which_versions_are_seen(
    history: tuple[int, list[dict[str, Any]]], random: Any, form: Form
) -> None:
    _, versions = history
    read_once = [list(read_dossier(version, form, BEGAN, BEGAN).events) for version in versions]
    expected = kept([row for rows in read_once for row in rows])
    shuffled = [rows for rows in read_once for _ in range(random.choice([1, 1, 2]))]
    random.shuffle(shuffled)
    assert kept([row for rows in shuffled for row in rows]) == expected


@settings(deadline=None)
@given(histories())
def test_the_first_promise_is_right_once_all_versions_were_seen(history: tuple[int, list[dict[str, Any]]]) -> None:
    first, versions = history
    every = kept([row for one in versions for row in read_dossier(one, RECORDED, BEGAN, BEGAN).events])
    found = first_promise(every)
    assert found is not None
    assert found[0] == first


@settings(deadline=None)
@given(histories(), st.data())
def test_the_first_promise_is_right_if_the_first_version_was_seen_among_any_others(
    history: tuple[int, list[dict[str, Any]]], data: st.DataObject
) -> None:
    first, versions = history
    others = data.draw(st.lists(st.sampled_from(versions)))
    every = kept([row for one in [*others, versions[0]] for row in read_dossier(one, RECORDED, BEGAN, BEGAN).events])
    found = first_promise(every)
    assert found is not None
    assert found[0] == first


@settings(deadline=None)
@given(histories())
def test_the_last_version_alone_tells_the_first_promise_if_only_supplements_moved_it(
    history: tuple[int, list[dict[str, Any]]],
) -> None:
    _, versions = history
    entries = versions[-1]["DanhSachHoSoBoSung"]
    silent = len(versions) != 1 + 2 * len(entries)
    found = first_promise(kept(read_dossier(versions[-1], RECORDED, BEGAN, BEGAN).events))
    if not silent:
        assert found is not None
        assert found[0] == int(versions[0]["NgayHenTra"][:8])


@settings(deadline=None)
@given(st.integers(instant("19900101000000"), instant("21001231235959")))
def test_an_instant_agrees_with_pythons_own_calendar(when: int) -> None:
    assert instant_of(datetime.fromtimestamp(when, VIETNAM).strftime("%Y%m%d%H%M%S")) == when


# --- the catalogue ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "level"), [("2", "information"), ("3", "partial"), ("4", "full"), (4, "full"), ("1", None), ("", None)]
)
def test_every_service_level(code: Any, level: str | None) -> None:
    row = named(Procedure, read_procedure(procedure("1.002835.000.00.00.H44", code), RECORDED, BEGAN))
    assert row == {
        "key": "1.002835",
        "agency_code": "",
        "changed": BEGAN * 1_000_000,
        "removed": 0,
        "code": "1.002835",
        "level": level,
        "from_day": 20200101,
        "to_day": None,
        "listed": 1,
    }


def test_a_line_of_one_agency_has_its_own_key() -> None:
    line = procedure("1.002835", "4", MaCoQuan="H44.02", HieuLucDen="20251231000000", NgayCapNhat="20260101000000")
    row = named(Procedure, read_procedure(line, RECORDED, BEGAN))
    assert (row["key"], row["agency_code"], row["to_day"]) == ("1.002835@H44.02", "H44.02", 20251231)
    assert row["changed"] == micro("20260101000000")


@pytest.mark.parametrize(
    ("line", "key", "field"),
    [
        (7, "?", "data"),
        (procedure("", "4"), "?", "MaTTHC"),
        (procedure("1.002835", "4", HieuLucTu="2020"), "1.002835", "HieuLucTu"),
    ],
)
def test_a_bad_line_is_told_by_key_and_field(line: Any, key: str, field: str) -> None:
    with pytest.raises(Unusable) as caught:
        read_procedure(line, RECORDED, BEGAN)
    assert (caught.value.key, caught.value.field) == (key, field)
