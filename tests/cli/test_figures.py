"""Readings, ranking, evidence, catalogue, register and state, as an operator and other programs read them."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from collector.demo.truth import INDICATORS
from tests.cli.conftest import Run

READING = ["indicator", "version", "scope", "agency", "period", "state", "through", "hits", "judged", "unknown"]
READING += ["value", "edition"]
SCORE = ["block", "agency", "rank", "rank_best", "rank_worst", "points", "points_low", "points_high"]
SCORE += ["measured_share", "machine_share", "band", "change"]


def percent(hits: int, judged: int) -> str:
    return f"{(Decimal(hits) * 100 / Decimal(judged)).quantize(Decimal('0.01'), ROUND_HALF_UP)} %"


def shown(one: dict[str, Any]) -> str:
    if one["state"] != "measured":
        return "n/a" if one["state"] == "not_applicable" else str(one["state"])
    return "suppressed" if one["suppressed"] else percent(one["hits"], one["judged"])


def truth(config: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((config.parent / "truth.json").read_text(encoding="utf-8"))
    return [one for one in found if one["scope"] == "agency"]


def of(rows: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    (one,) = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return one


# -- readings ----------------------------------------------------------------------------------------------------


def test_readings_for_programs_have_the_promised_keys_first_and_equal_the_truth(run: Run, config: Path) -> None:
    found = run("readings", "--period", "2026-02", "--json", "--config", config).json
    assert all(list(one)[: len(READING)] == READING for one in found)
    expected = [one for one in truth(config) if one["period"] == "2026-02"]
    assert len(found) == len(expected) == len(INDICATORS) * 12
    for one in expected:
        ours = of(found, indicator=one["indicator"], agency=one["agency"])
        assert {key: ours[key] for key in one if key != "value"} | {"value": one["value"]} == one
        assert ours["value"] == (None if one["value"] is None else float(one["value"]))


def test_the_table_shows_each_figure_half_up_or_its_state_in_words(run: Run, config: Path) -> None:
    printed = run("readings", "--period", "2026-02", "--config", config).out
    for agency in {one["agency"] for one in truth(config)}:
        (line,) = [line for line in printed.splitlines() if line.startswith(f"{agency} ")]
        cells = re.findall(r"\d+\.\d\d %|missing|partial|n/a|suppressed", line)
        own = sorted((one for one in truth(config) if one["agency"] == agency), key=lambda one: str(one["indicator"]))
        assert cells == [shown(one) for one in own if one["period"] == "2026-02"]


def test_without_a_period_the_last_and_the_current_month_are_shown(run: Run, config: Path) -> None:
    found = run("readings", "--json", "--config", config).json
    assert list(dict.fromkeys(one["period"] for one in found)) == ["2026-02", "2026-03"]


def test_periods_may_be_repeated_and_an_indicator_chosen(run: Run, config: Path) -> None:
    asked = ("--period", "2026-02", "--period", "2026-Q1", "--indicator", "dossiers.online")
    found = run("readings", *asked, "--json", "--config", config).json
    assert {(one["period"], one["indicator"]) for one in found} == {
        ("2026-02", "dossiers.online"),
        ("2026-Q1", "dossiers.online"),
    }


def test_several_indicators_may_be_chosen_and_all_of_a_family(run: Run, config: Path) -> None:
    asked = ("--indicator", "procedures", "--indicator", "dossiers.online", "--period", "2026-02", "--config", config)
    found = {one["indicator"] for one in run("readings", *asked, "--json").json}
    assert found == {"dossiers.online", "procedures.online_full", "procedures.online_partial"}
    assert run("readings", "--indicator", "procedure", "--config", config).code == 2


def test_an_agency_may_be_named_by_an_old_code(run: Run, config: Path) -> None:
    found = run("readings", "--agency", "000.00.02.H44", "--period", "2026-02", "--json", "--config", config).json
    assert {one["agency"] for one in found} == {"H44.02"}
    assert len(found) == len(INDICATORS)


def test_wider_scopes_are_shown_with_their_names_and_add_the_counts(run: Run, config: Path) -> None:
    asked = ("--period", "2026-02", "--scope", "block", "--scope", "province", "--config", config)
    printed = run("readings", *asked).out
    assert re.search(r"^departments +Sở, ban, ngành ", printed, re.MULTILINE)
    assert re.search(r"^H44 +Phú Thọ ", printed, re.MULTILINE)
    found = run("readings", *asked, "--json").json
    block = of(found, scope="block", agency="departments", indicator="dossiers.on_time")
    parts = [
        of(truth(config), agency=code, indicator="dossiers.on_time", period="2026-02") for code in ("H44.01", "H44.02")
    ]
    assert block["hits"] == sum(one["hits"] for one in parts)
    assert block["judged"] == sum(one["judged"] for one in parts)


def test_counts_come_with_the_reason_why_a_figure_is_none(run: Run, config: Path) -> None:
    printed = run("readings", "--agency", "H44.21", "--period", "2026-02", "--config", config).out
    assert "H44.21 Cục Thuế tỉnh, 2026-02\n" in printed
    why = "no source that serves it offers: dossier, dossier_event"
    assert f"dossiers.on_time, dossiers.on_time_due: {why}\n" in printed
    one = of(truth(config), agency="H44.21", indicator="mailboxes.daily_use", period="2026-02")
    counts = rf"{percent(one['hits'], one['judged'])} +{one['hits']:,} +{one['judged']:,} +0"
    assert re.search(rf"^mailboxes.daily_use +{counts} +2026-02-28$", printed, re.MULTILINE)


# -- ranking -----------------------------------------------------------------------------------------------------


def test_the_ranking_for_programs_has_the_promised_keys_first(run: Run, config: Path) -> None:
    found = run("rank", "2026-02", "--json", "--config", config).json
    assert len(found) == 12
    assert all(list(one)[: len(SCORE)] == SCORE for one in found)


def test_the_ranking_shows_places_and_points(run: Run, config: Path) -> None:
    printed = run("rank", "2026-02", "--config", config).out
    for one in run("rank", "2026-02", "--json", "--config", config).json:
        place = f"={one['rank']}" if one["tied"] else str(one["rank"])
        if one["rank_best"] != one["rank_worst"]:
            place += f" ({one['rank_best']}–{one['rank_worst']})"
        assert re.search(
            rf"^ *{re.escape(place)} +{one['agency']} .* {one['points']:.2f} .* {one['band']}$", printed, re.MULTILINE
        )


def test_the_ranking_says_why_somebody_is_not_ranked(run: Run, config: Path) -> None:
    """January is not covered, so no figure of the quarter is measured and nobody has a place."""
    found = run("rank", "2026-Q1", "--json", "--config", config).json
    assert {one["rank"] for one in found} == {None}
    printed = run("rank", "2026-Q1", "--config", config).out
    assert re.search(r"^ +–  H44\.02 ", printed, re.MULTILINE)
    assert "\nnot ranked: H44.01, H44.02: only 0.0 % of its points are measured\n" in printed


# -- evidence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indicator", [one for one in INDICATORS if one.startswith("dossiers.")])
def test_the_rows_behind_a_figure_add_up_to_its_counts(run: Run, config: Path, indicator: str) -> None:
    one = run("explain", indicator, "H44.02", "2026-02", "--json", "--config", config).json
    expected = of(truth(config), indicator=indicator, agency="H44.02", period="2026-02")
    verdicts = [row["verdict"] for row in one["rows"]]
    assert verdicts.count("hit") == expected["hits"] == one["hits"]
    assert verdicts.count("hit") + verdicts.count("miss") == expected["judged"]
    assert verdicts.count("unknown") == expected["unknown"]


def test_twenty_rows_are_shown_and_with_rows_all(run: Run, config: Path) -> None:
    asked = ("explain", "dossiers.on_time", "H44.02", "2026-02", "--config", config)
    expected = of(truth(config), indicator="dossiers.on_time", agency="H44.02", period="2026-02")
    total = expected["judged"] + expected["unknown"]
    few, all_ = run(*asked).out, run(*asked, "--rows").out
    assert len(re.findall(r"^onestop +H44\.02-", few, re.MULTILINE)) == 20
    assert few.endswith(f"{total - 20} more rows: add --rows to see them all\n")
    assert len(re.findall(r"^onestop +H44\.02-", all_, re.MULTILINE)) == total
    assert "more rows" not in all_
    counts = f"{expected['hits']} of {expected['judged']} through 2026-02-28"
    assert f"figure   {percent(expected['hits'], expected['judged'])}: {counts}" in few


def test_a_figure_of_the_periods_end_is_explained_by_its_day(run: Run, config: Path) -> None:
    expected = of(truth(config), indicator="mailboxes.provisioned", agency="H44.02", period="2026-02")
    printed = run("explain", "mailboxes.provisioned", "H44.02", "2026-02", "--config", config).out
    assert f"{expected['hits']} of {expected['judged']} on 2026-02-28\n" in printed
    assert re.search(rf"^2026-02-28 +{expected['hits']} +{expected['judged']} +0$", printed, re.MULTILINE)


def test_a_mailbox_is_explained_by_days_and_never_by_itself(run: Run, config: Path) -> None:
    one = run("explain", "mailboxes.daily_use", "H44.02", "2026-02", "--json", "--config", config).json
    expected = of(truth(config), indicator="mailboxes.daily_use", agency="H44.02", period="2026-02")
    assert all(list(row) == ["day", "hits", "judged", "unknown"] for row in one["rows"])
    assert sum(row["hits"] for row in one["rows"]) == expected["hits"]


def test_a_figure_without_records_says_why_in_its_explanation(run: Run, config: Path) -> None:
    done = run("explain", "dossiers.on_time", "H44.21", "2026-02", "--config", config)
    assert done.code == 0
    assert "figure   missing: nothing is covered\n" in done.out
    assert "why      no source that serves it offers: dossier, dossier_event\n" in done.out


# -- catalogue, register and state -------------------------------------------------------------------------------


def test_the_catalogue_shows_what_is_counted_in_both_languages(run: Run) -> None:
    found = run("indicators", "--json").json
    assert [list(one)[:4] for one in found] == [["id", "version", "title_vi", "title_en"]] * len(INDICATORS)
    printed = run("indicators").out
    for one in found:
        assert f"{one['id']}, version {one['version']}\n{one['title_vi']}\n{one['title_en']}\n" in printed
        for text in (one["counted_vi"], one["counted_en"], one["hit_vi"], one["hit_en"], one["legal"]):
            assert text in printed


def test_the_register_says_which_sources_serve_whom(run: Run, config: Path) -> None:
    found = run("agencies", "--json", "--config", config).json
    tax = next(one for one in found if one["code"] == "H44.21")
    assert tax["sources"] == ["mail", "documents"]
    assert (tax["block"], tax["old_codes"], tax["from"], tax["to"]) == ("vertical", ["000.00.21.H44"], None, None)
    printed = run("agencies", "--config", config).out
    assert re.search(
        r"^H44\.21 +Cục Thuế tỉnh +vertical +\d+ +000\.00\.21\.H44 +mail, documents$", printed, re.MULTILINE
    )


def test_the_state_of_the_sources_says_in_words_what_needs_somebody(run: Run, config: Path) -> None:
    done = run("status", "--config", config)
    assert done.code == 1, "the mail system of Việt Trì is late in the sample"
    assert re.search(r"^mail-viettri +2026-03-01 08:00 +done, stale +2026-02-24 ", done.out, re.MULTILINE)
    assert re.search(r"^documents +2026-03-01 08:00 +done +2026-02-28 ", done.out, re.MULTILINE)
    assert "\nmail-viettri: 4 days of mailbox not covered\n" in done.out
    assert re.search(r"^onestop: agency codes that the register does not know, with their records: .*H44\.77 \(\d+\)",
        done.out, re.MULTILINE)  # fmt: skip
    states = {one["source"]: one for one in run("status", "--json", "--config", config).json}
    assert states["mail-viettri"]["stale"]
    assert not states["documents"]["stale"]
    assert states["mail-viettri"]["covered"]["mailbox"] == "2026-02-24"


def test_the_demo_shows_what_was_read_the_ranking_and_what_to_try_next(config: Path, run: Run) -> None:
    printed = (config.parent / "printed.txt").read_text(encoding="utf-8")
    assert re.search(r"^onestop +done +[\d,]+ +[\d,]+ +0 +[\d,]+ +0$", printed, re.MULTILINE)
    assert run("rank", "2026-02", "--config", config).out in printed
    command = re.findall(r"^  collector (.*)$", printed, re.MULTILINE)
    assert [one.split()[0] for one in command] == ["readings", "explain", "status"]
    assert all(run(*one.split()).code in (0, 1) for one in command)
