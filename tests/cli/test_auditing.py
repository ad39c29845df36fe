"""`collector audit`: declared figures, their arithmetic, and beside what the sample province's systems recorded."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from collector import init
from tests.audit.sheets import csv_of
from tests.cli.conftest import Run

PUBLISHED = init.samples() / "audit" / "published-2016-2019.csv"
FEBRUARY = "tháng 2/2026"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a configuration."""
    monkeypatch.delenv("COLLECTOR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def sheet(folder: Path, *lines: dict[str, str]) -> Path:
    file = folder / "sheet.csv"
    file.write_text(csv_of(*lines), encoding="utf-8")
    return file


def test_the_published_figures_end_with_1_and_name_each_error_in_two_languages(run: Run) -> None:
    done = run("audit", PUBLISHED)
    assert done.code == 1
    assert "2.368/2.537 = 93,34%, không phải 93,1%" in done.out
    assert "2,368 of 2,537 is 93.34%, not 93.1%" in done.out
    assert "109 + 15 = 124, không phải 114: lệch 10." in done.out
    assert done.out.splitlines()[-2].startswith("88 dòng: 5 lỗi ở 14 dòng, 12 nghi vấn ở 14 dòng, ")
    assert done.err.startswith("Not compared with what was measured: ")


def test_every_finding_is_told_to_programs(run: Run) -> None:
    done = run("audit", PUBLISHED, "--json")
    assert done.code == 1
    assert set(done.json) == {"file", "summary", "findings", "measured", "lines"}
    assert done.json["summary"] == {"error": 14, "doubt": 14, "not_verifiable": 28, "consistent": 32}
    wrong = next(one for one in done.json["findings"] if one["claimed"] == "93,1%")
    assert wrong == {
        "line": 83,
        "kind": "error",
        "rule": "percentage",
        "claimed": "93,1%",
        "recomputed": "93.34%",
        "vi": "2.368/2.537 = 93,34%, không phải 93,1%; 93,1% là 2.362/2.537, hoặc 2.368/2.544.",
        "en": "2,368 of 2,537 is 93.34%, not 93.1%; that would be 2,362 of 2,537, or 2,368 of 2,544.",
        "lines": [],
    }
    assert done.json["measured"] == []


def test_a_sheet_without_errors_ends_with_0_whatever_is_doubted(run: Run, tmp_path: Path) -> None:
    done = run("audit", sheet(tmp_path, {"value": "70%"}, {"value": "33/39"}))
    assert done.code == 0
    assert "NGHI VẤN / doubt" in done.out


def test_what_cannot_be_verified_is_told_in_short_or_each(run: Run, tmp_path: Path) -> None:
    file = sheet(tmp_path, *({"value": value} for value in ("71%", "72%", "33/39", "73%")))
    short = run("audit", file).out
    assert "Tỷ lệ không có số đếm / a percentage without counts: dòng 2–3, 5" in short
    assert "73%: không có tử số" not in short
    assert "73%: không có tử số, mẫu số nên không kiểm chứng được." in run("audit", file, "--all").out


def test_a_workbook_that_cannot_be_read_ends_with_2_naming_line_and_column(run: Run, tmp_path: Path) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in (["Văn bản", "Nội dung", "Giá trị"], ["Báo cáo", "Hồ sơ", "khá"], ["Báo cáo", "Hồ sơ", "=A1"]):
        page.append(row)
    book.save(tmp_path / "sheet.xlsx")
    done = run("audit", tmp_path / "sheet.xlsx")
    assert (done.code, done.out) == (2, "")
    first, second = done.err.splitlines()
    assert "sheet.xlsx:2: Giá trị: 'khá' không đọc được thành số / is no number" in first
    assert "sheet.xlsx:3: Giá trị: công thức chưa được tính / a formula that nobody computed" in second


def test_an_empty_sheet_is_made_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "new.xlsx"
    made = run("audit", file, "--new")
    assert (made.code, made.out) == (0, "")
    assert file.is_file()
    assert run("audit", file, "--new").code == 2
    assert "the sheet has no line" in run("audit", file).err


@pytest.mark.parametrize("points", ["a lot", "-1", "101", "nan"])
def test_a_tolerance_is_a_number_of_points(points: str, run: Run, tmp_path: Path) -> None:
    done = run("audit", sheet(tmp_path, {"value": "5"}), "--tolerance", points)
    assert (done.code, done.out) == (2, "")
    assert "is no number of percentage points" in done.err


def test_an_unknown_indicator_is_wrong_use(run: Run, tmp_path: Path) -> None:
    done = run("audit", sheet(tmp_path, {"value": "5%", "indicator": "dossiers.onetime"}))
    assert done.code == 2
    assert "sheet.csv:2: Mã chỉ số: " in done.err
    assert "Did you mean dossiers.on_time?" in done.err


# -- declared and measured --------------------------------------------------------------------------------------------


def ours(run: Run, config: Path, indicator: str, scope: str = "agency") -> dict[str, dict[str, object]]:
    asked = ("--period", "2026-02", "--indicator", indicator, "--scope", scope, "--json", "--config", config)
    return {one["agency"]: one for one in run("readings", *asked).json}


def test_a_declared_figure_is_set_beside_our_counts(run: Run, config: Path, tmp_path: Path) -> None:
    figures = ours(run, config, "dossiers.on_time")
    code, figure = next((code, one) for code, one in figures.items() if one["state"] == "measured")
    names = {one["code"]: one["name"] for one in run("agencies", "--json", "--config", config).json}
    hits, judged = int(str(figure["hits"])), int(str(figure["judged"]))
    true = 100 * hits / judged
    line = {"indicator": "dossiers.on_time", "period": FEBRUARY}

    def declared(points: float, **more: str) -> dict[str, str]:
        value = f"{points:.2f}%".replace(".", ",")
        return line | {"value": value, "figure": value} | more

    # -- a hundredth of a point is left for the rounding of either
    lines = [
        declared(true, agency=code),
        declared(max(0, true - 0.98), agency=names[code]),
        declared(max(0, true - 1.02), agency=f"UBND {names[code]}"),
        declared(max(0, true - 5), agency=names[code].upper()),
    ]
    done = run("audit", sheet(tmp_path, *lines), "--json", "--config", config)
    assert done.code == 1
    assert [one["within"] for one in done.json["measured"]] == [True, True, False, False]
    for one in done.json["measured"]:
        assert (one["scope"], one["agency"], one["period"]) == ("agency", code, "2026-02")
        assert (one["reading"]["hits"], one["reading"]["judged"]) == (hits, judged)
    assert [(one["line"], one["rule"]) for one in done.json["findings"]] == [(4, "measured"), (5, "measured")]
    verdicts = [one["verdict"] for one in done.json["lines"]]
    assert verdicts == ["consistent", "consistent", "error", "error"]
    assert run("audit", sheet(tmp_path, *lines), "--tolerance", "5,1", "--config", config).code == 0
    shown = run("audit", sheet(tmp_path, *lines), "--config", config).out
    counts = f"({hits:,}/{judged:,})".replace(",", ".")
    assert f"{counts}, khớp / agrees" in shown
    assert f"{counts}, lệch / differs" in shown


def test_blocks_and_the_province_are_compared_too(run: Run, config: Path, tmp_path: Path) -> None:
    line = {"indicator": "dossiers.on_time_due", "period": "2026-02", "value": "trên 0%"}
    block, figure = next(iter(ours(run, config, "dossiers.on_time_due", "block").items()))
    (province,) = ours(run, config, "dossiers.on_time_due", "province").values()
    lines = [line | {"block": block}, line, line | {"agency": "Tỉnh Phú Thọ"}, line | {"block": "khối lạ"}]
    done = run("audit", sheet(tmp_path, *lines), "--json", "--config", config)
    told = [(one["scope"], one["agency"]) for one in done.json["measured"]]
    whole = ("province", province["agency"])
    assert told[:3] == [("block", block), whole, whole]
    assert [one["reading"] and one["reading"]["judged"] for one in done.json["measured"]] == [
        figure["judged"],
        province["judged"],
        province["judged"],
        None,
    ]
    assert done.json["measured"][3]["why_en"] == "the register has no block khối lạ"


def test_what_is_not_measured_is_not_compared_and_the_reason_is_told(run: Run, config: Path, tmp_path: Path) -> None:
    line = {"indicator": "dossiers.on_time", "value": "90%", "agency": "Tỉnh Phú Thọ"}
    lines = [
        line | {"period": "2017"},
        line | {"period": "2011-2015"},
        line | {"period": "đến 17/5/2019"},
        line | {"period": "2026-02", "agency": "Sở Lạ"},
        line | {"period": "2026-02", "value": "2.368", "unit": "hồ sơ"},
        line | {"period": "2026-02", "nature": "kế hoạch"},
    ]
    done = run("audit", sheet(tmp_path, *lines), "--json", "--config", config)
    assert done.code == 0
    assert all(one["within"] is None and one["why_vi"] for one in done.json["measured"])
    assert [one["why_en"] for one in done.json["measured"]][1:] == [
        "the line names no month, quarter or year",
        "the line names no month, quarter or year",
        "no agency is called Sở Lạ in the register",
        "the line tells no percentage",
        "it is no result",
    ]
    assert done.json["measured"][0]["reading"]["state"] != "measured"
    shown = run("audit", sheet(tmp_path, *lines), "--config", config)
    assert shown.err == ""
    assert "không so được: chưa đo" in shown.out


def test_who_has_no_figure_of_persons_told_has_none_here(run: Run, config: Path, tmp_path: Path) -> None:
    readings = ours(run, config, "mailboxes.provisioned")
    hidden = [code for code, one in readings.items() if one["suppressed"]]
    for code in hidden:
        line = {"indicator": "mailboxes.provisioned", "value": "90%", "agency": code, "period": "2026-02"}
        (one,) = run("audit", sheet(tmp_path, line), "--json", "--config", config).json["measured"]
        assert (one["within"], one["difference"], one["reading"]["hits"]) == (None, None, None)


def test_a_configuration_that_is_named_and_wrong_is_wrong_use(run: Run, tmp_path: Path) -> None:
    file = sheet(tmp_path, {"indicator": "dossiers.on_time", "value": "91%", "period": "2026"})
    assert run("audit", file, "--config", tmp_path / "not there.yaml").code == 2
    without = run("audit", file)
    assert without.code == 0
    assert "Not compared with what was measured" in without.err
    assert json.loads(run("audit", file, "--json").out)["measured"] == []
