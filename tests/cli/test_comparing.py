"""`collector compare`: our counts beside what the sample province's one-stop systems report of themselves."""

from pathlib import Path
from typing import Any

import pytest

from collector.demo import ledger as ledger_file
from tests.cli.conftest import Run, change
from tests.proof.own_reports import expected

FEBRUARY = 20260201, 20260228


def compared(run: Run, config: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = run("compare", "2026-02", "--json", "--rows", "--config", config, *options).json
    return found


def test_every_cause_is_what_a_second_count_over_the_ledger_gives(run: Run, config: Path) -> None:
    ledger = ledger_file.read(config.parent / "ledger.json")
    told = {(one["agency"], one["total"]): one for one in compared(run, config)["totals"]}
    (report,) = ledger.reports
    true = expected(ledger, report, *FEBRUARY)
    assert set(told) == set(true)
    assert any(one.causes for one in true.values())
    for key, one in true.items():
        ours = told[key]
        causes = {cause: count for cause, count in ours["causes"].items() if count}
        assert (ours["ours"], ours["theirs"]) == (one.ours, one.theirs), key
        assert causes == {cause: count for cause, count in one.causes.items() if count}, key
        assert {(row["key"], row["cause"], row["change"]) for row in ours["rows"]} == one.rows, key
        assert ours["unexplained"] == one.unexplained, key


def test_the_causes_and_what_is_unexplained_make_the_difference(run: Run, config: Path) -> None:
    for one in compared(run, config)["totals"]:
        assert sum(one["causes"].values()) + one["unexplained"] == one["difference"] == one["theirs"] - one["ours"]
        assert sum(row["change"] for row in one["rows"]) == sum(one["causes"].values())


def test_what_a_clerk_added_by_hand_and_a_typed_percentage_end_with_1(run: Run, config: Path) -> None:
    ended = run("compare", "2026-02", "--config", config)
    assert ended.code == 1
    assert "unexplained +2" in ended.out
    assert "93.1 %" in ended.out
    unexplained = {one["agency"] for one in compared(run, config)["totals"] if one["unexplained"]}
    assert unexplained == {"H44.31.03"}
    wrong = [one["agency"] for one in compared(run, config)["shares"] if one["verdict"] == "wrong"]
    assert wrong == ["H44.31.04"]


def test_an_agency_that_is_wholly_explained_ends_with_0(run: Run, config: Path) -> None:
    ended = run("compare", "2026-02", "--agency", "000.00.02.H44", "--json", "--config", config)
    assert ended.code == 0
    assert {one["agency"] for one in ended.json["totals"]} == {"H44.02"}
    assert "rows" not in ended.json["totals"][0]


def test_our_completed_ones_are_those_of_the_published_figure(run: Run, config: Path) -> None:
    asked = ("--period", "2026-02", "--indicator", "dossiers.on_time")
    readings = run("readings", *asked, "--json", "--config", config).json
    figures = {one["agency"]: one for one in readings}
    for one in compared(run, config)["totals"]:
        figure = figures[one["agency"]]
        of_the_figure = {
            "completed": figure["judged"] + figure["unknown"],
            "on_time": figure["hits"],
            "late": figure["judged"] - figure["hits"],
        }
        assert one["ours"] == of_the_figure.get(one["total"], one["ours"])


def test_a_source_that_fails_ends_with_3_and_says_why(run: Run, own: Path) -> None:
    change(own, "path: /QuyetDinh766s/ChiTieuTienDo", "path: /QuyetDinh766s/KhongCo")
    ended = run("compare", "2026-02", "--config", own)
    assert ended.code == 3
    assert "onestop" in ended.err


def test_where_no_source_reports_on_itself_that_is_said(run: Run, own: Path) -> None:
    text = own.read_text(encoding="utf-8")
    own.write_text(text[: text.index("      report:\n")], encoding="utf-8")  # it stands last
    ended = run("compare", "2026-02", "--config", own)
    assert ended.code == 2
    assert "no source publishes totals of its own" in ended.err


@pytest.mark.parametrize("wrong", ["2026-13", "last month"])
def test_what_is_no_period_is_wrong_use(run: Run, config: Path, wrong: str) -> None:
    assert run("compare", wrong, "--config", config).code == 2


def test_it_writes_nothing_to_the_store(run: Run, own: Path) -> None:
    store = own.parent / "state" / "collector.sqlite"
    before = store.read_bytes()
    run("compare", "2026-02", "--config", own)
    assert store.read_bytes() == before
