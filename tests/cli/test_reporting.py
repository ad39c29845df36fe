"""`collector report`: the annex of the sample province, the same figures in every format, and an agency's evidence."""

import csv
import html
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from collector import vietnamese
from tests.cli.conftest import Run

FEBRUARY = "2026-02"
AGENCY = "H44.31.05"
"""Its mail server lost its last days, and its mailboxes' sizes are not known."""


@pytest.fixture(scope="module")
def sealed(province: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration of a copy of the province; February is sealed in it by the first test that wants it."""
    folder = tmp_path_factory.mktemp("sealed") / "province"
    shutil.copytree(province, folder)
    file = folder / "collector.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(province), str(folder)), encoding="utf-8")
    return file


def seal(run: Run, config: Path) -> None:
    """Seal February, with the days that the sample province has lost for ever."""
    told = ("--config", config)
    if run("editions", *told).out.startswith("Nothing is sealed yet"):
        run("seal", "--new-key", *told)
        for one in run("seal", FEBRUARY, "--json", *told).json:
            run("gap", one["source"], f"{one['from']}..{one['to']}", "--reason", "mất nhật ký", *told)
        assert run("seal", FEBRUARY, *told).code == 0


def written(run: Run, config: Path, file: Path, *options: str) -> bytes:
    ended = run("report", FEBRUARY, "-o", file, "--config", config, *options)
    assert (ended.code, ended.out) == (0, ""), ended.err
    return file.read_bytes()


def sheet(content: bytes, name: str) -> list[dict[str, Any]]:
    head, *lines = load_workbook(io.BytesIO(content), read_only=True)[name].iter_rows(min_row=4, values_only=True)
    return [dict(zip((str(title).splitlines()[0] for title in head), line, strict=True)) for line in lines]


def test_every_format_tells_the_same_figures_as_the_other_commands(run: Run, config: Path, tmp_path: Path) -> None:
    readings = run("readings", "--period", FEBRUARY, "--json", "--config", config).json
    ranked = run("rank", FEBRUARY, "--json", "--config", config).json
    told = json.loads(written(run, config, tmp_path / "report.json"))
    assert [one for one in told["readings"] if one["scope"] == "agency"] == readings
    assert [{name: one[name] for name in ranked[0]} for one in told["scores"]] == ranked
    assert {one["scope"] for one in told["readings"]} == {"agency", "block", "province"}

    lines = list(csv.DictReader(io.StringIO(written(run, config, tmp_path / "report.csv").decode("utf-8-sig"))))
    cells = sheet(written(run, config, tmp_path / "report.xlsx"), "Số liệu")
    assert len(lines) == len(cells) == len(told["readings"])
    for one, line, cell in zip(told["readings"], lines, cells, strict=True):
        assert (line["mã cơ quan (agency)"], line["chỉ số (indicator)"]) == (one["agency"], one["indicator"])
        assert (cell["Mã"], cell["Chỉ số"]) == (one["agency"], one["indicator"])
        assert line["tỷ lệ (value)"] == ("" if one["value"] is None else f"{one['value']:.6f}")
        assert (cell["Tỷ lệ"] is None) == (one["value"] is None)
        if one["judged"]:
            assert (line["đạt (hits)"], line["xét (judged)"]) == (str(one["hits"]), str(one["judged"]))
            assert (cell["Đạt"], cell["Xét"]) == (one["hits"], one["judged"])
        if one["value"] is not None:
            assert cell["Tỷ lệ"] == pytest.approx(one["hits"] / one["judged"], abs=0.00005 + 1e-9)

    page = written(run, config, tmp_path / "report.html").decode()
    shares = {
        f"{vietnamese.decimal(str(round_half_up(one)))} %" for one in told["readings"] if one["value"] is not None
    }
    assert shares == set(re.findall(r'<span class="value">([^<]+)</span>', page))
    assert page.count('<section class="agency">') == 12
    assert "số liệu chưa chốt" in page

    whys = {one["why"] for one in (*told["readings"], *told["scores"]) if one["why"]}
    assert len(whys) > 10
    for why in whys:
        for clause, said in zip(why.split("; "), vietnamese.reason(why).split("; "), strict=True):
            assert clause != said, "the program's own reasons are told in Vietnamese"


def round_half_up(one: dict[str, Any]) -> str:
    """The percentage of a reading to two places, by whole numbers alone."""
    hundredths = (2 * 10_000 * one["hits"] + one["judged"]) // (2 * one["judged"])
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def test_the_records_behind_every_figure_come_to_it(run: Run, config: Path, tmp_path: Path) -> None:
    told = json.loads(written(run, config, tmp_path / "own.json", "--agency", AGENCY, "--evidence"))
    known = {(one["indicator"]): one for one in told["readings"]}
    assert len(told["evidence"]) == len(known) > 25
    for one in told["evidence"]:
        assert one["agrees"]
        assert one["hits"] == known[one["indicator"]]["hits"]
        verdicts = [row.get("verdict") for row in one["rows"]]
        if one["indicator"].startswith("mailboxes."):
            assert all(set(row) == {"day", "hits", "judged", "unknown"} for row in one["rows"]), "agency-days alone"
        elif one["indicator"] == "dossiers.on_time":
            counts = [verdicts.count(verdict) for verdict in ("hit", "miss", "unknown")]
            assert [counts[0], counts[0] + counts[1], counts[2]] == [one["hits"], one["judged"], one["unknown"]]
            assert one["hits"]
    page = html.unescape(written(run, config, tmp_path / "own.html", "--agency", AGENCY, "--evidence").decode())
    assert page.count("khớp với số trên") == sum(bool(one["rows"]) for one in told["evidence"])
    assert "KHÔNG KHỚP" not in page
    assert page.count('<section class="agency">') == 1
    assert "UBND xã Hùng Lô" in page
    assert "UBND phường Gia Cẩm" not in page, "another agency"


def test_a_sealed_period_is_reported_as_it_was_sealed(run: Run, sealed: Path, tmp_path: Path) -> None:
    seal(run, sealed)
    page = written(run, sealed, tmp_path / "sealed.html")
    evidence = written(run, sealed, tmp_path / "evidence.json", "--agency", AGENCY, "--evidence")
    told = json.loads(evidence)
    edition = run("editions", "--json", "--config", sealed).json[-1]
    assert (told["sealed"]["edition"], told["sealed"]["digest"]) == (1, edition["digest"])
    assert {one["edition"] for one in told["readings"]} == {1}
    assert b"CH\xc6\xafA CH\xe1\xbb\x90T" not in page
    assert "chấp nhận mất dữ liệu" in page.decode()
    assert all(one["agrees"] and one["edition"] == 1 for one in told["evidence"])

    forget(sealed, "documents")
    now = json.loads(written(run, sealed, tmp_path / "now.json", "--open", "--agency", AGENCY))
    states = {one["indicator"]: one["state"] for one in now["readings"]}
    assert (now["sealed"], states["documents.on_time"]) == (None, "missing")
    assert run("restate", FEBRUARY, "--reason", "correction", "--config", sealed).code == 0
    told_now = json.loads(written(run, sealed, tmp_path / "second.json", "--agency", AGENCY))
    assert (told_now["sealed"]["edition"], told_now["sealed"]["reason"]) == (2, "correction")
    told["sealed"]["later"] = 2
    again = written(run, sealed, tmp_path / "again.json", "--edition", "1", "--agency", AGENCY, "--evidence")
    assert without_flags(json.loads(again)) == without_flags(told), "but for what is stored now"
    refused = run("report", FEBRUARY, "-o", tmp_path / "none.csv", "--edition", "7", "--config", sealed)
    assert (refused.code, "there is no edition 7 of 2026-02" in refused.err) == (2, True)


def without_flags(told: dict[str, Any]) -> dict[str, Any]:
    """What an edition alone tells: flags and other months are as they are now."""
    return {name: value for name, value in told.items() if name not in ("flags", "years")}


def forget(config: Path, source: str) -> None:
    """Take a source out of the configuration: its open figures are missing from then on."""
    text = config.read_text(encoding="utf-8")
    start = text.index(f"\n  {source}:\n")
    following = re.compile(r"\n(?=  \w[\w-]*:\n|\w)").search(text, start + 1)
    assert following is not None
    config.write_text(text[:start] + text[following.start() :], encoding="utf-8")


def test_the_same_report_is_the_same_file(run: Run, config: Path, tmp_path: Path) -> None:
    first = written(run, config, tmp_path / "first", "--format", "xlsx", "--agency", AGENCY)
    assert written(run, config, tmp_path / "second.xlsx", "--agency", AGENCY) == first


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-o", "report.doc"), "--format: report.doc does not say what to write. Use one of html, xlsx, csv, json"),
        (("-o", "a.html", "--open", "--edition", "1"), "--edition: an edition is not open"),
        (("-o", "a.html", "--evidence"), "--evidence: evidence is of one agency. Name it: --agency CODE"),
        (("-o", "no/such/folder.html"), "--output: there is no folder no/such"),
        (("-o", "/proc/report.html"), "--output: /proc/report.html cannot be written"),
        (("-o", "a.html", "--agency", "H99"), "H99 is not in the register of agencies"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_sentence(
    run: Run, config: Path, arguments: tuple[str, ...], told: str
) -> None:
    ended = run("report", FEBRUARY, "--config", config, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in " ".join(ended.err.split())
