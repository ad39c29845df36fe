"""`rank` over a sample province, against points and ranks computed a second time from its files and readings alone."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Run
from tests.indicators.scoring import second
from tests.indicators.scoring.second import Known

PERIOD = "2026-02"
EXACT = ("rank", "rank_best", "rank_worst", "band", "band_best", "tied")
NUMBERS = ("points", "points_low", "points_high", "measured_share", "machine_share", "to_next")


def document(path: Path) -> Any:
    """A YAML file with every scalar as text."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def claims(folder: Path, period: str) -> dict[tuple[str, str], Known]:
    """What is declared of a month: by agency and criterion. What is for the year comes before what holds from a day."""
    found: dict[tuple[str, str], Known] = {}
    statements = document(folder / "declared.yaml")["statements"]
    for one in sorted(statements, key=lambda one: "for" in one):
        assert one.get("for", "2026") == "2026"
        assert period.startswith("2026")
        for criterion, item in one["items"].items():
            known = Known("missing", basis="declared")
            if item.get("value") and item.get("evidence"):
                hits, judged = map(int, item["value"].split(" of "))
                known = Known("declared", hits, judged, "declared")
            found[one["agency"], criterion] = known
    return found


def merged(one: Mapping[str, Any], told: list[dict[str, Any]], wider: list[dict[str, Any]]) -> tuple[int, int] | None:
    """The counts that a figure which may not be told gets its points from: its block's, less those that are told."""
    (block,) = (each for each in wider if each["indicator"] == one["indicator"])
    if block["hits"] is None:
        return None
    others = [each for each in told if each["indicator"] == one["indicator"] and each["hits"] is not None]
    judged = block["judged"] - sum(each["judged"] for each in others)
    return (block["hits"] - sum(each["hits"] for each in others), judged) if judged else None


def known(
    readings: list[dict[str, Any]], blocks: list[dict[str, Any]], basis: Mapping[str, str], folder: Path
) -> dict[str, dict[str, dict[str, Known]]]:
    """By block and agency, what is known of each criterion."""
    model = document(folder / "scoring.yaml")
    register = document(folder / "agencies.yaml")["agencies"]
    declared = claims(folder, PERIOD)
    figures = {(one["agency"], one["indicator"]): one for one in readings}
    found: dict[str, dict[str, dict[str, Known]]] = {}
    for agency in register:
        code, block = agency["code"], agency["block"]
        inside = {each["code"] for each in register if each["block"] == block and not each.get("outside")}
        told = [one for one in readings if one["agency"] in inside]
        wider = [one for one in blocks if one["agency"] == block]
        own = found.setdefault(block, {}).setdefault(code, {})
        for leaf in second.leaves(model["blocks"][block]["criteria"]):
            if "indicator" not in leaf:
                own[leaf["id"]] = declared.get((code, leaf["id"]), Known("missing", basis="declared"))
                continue
            one = figures[code, leaf["indicator"]]
            counts = (one["hits"], one["judged"]) if one["state"] == "measured" else None
            if counts and one["suppressed"]:
                counts = merged(one, told, wider) if code in inside else None
            hits, judged = counts or (None, None)
            own[leaf["id"]] = Known(one["state"], hits, judged, basis[leaf["indicator"]], not one["suppressed"])
    return found


def differences(
    scores: list[dict[str, Any]],
    readings: list[dict[str, Any]],
    blocks: list[dict[str, Any]],
    indicators: list[dict[str, Any]],
    folder: Path,
) -> list[str]:
    """Where `rank --json` differs from the second computation. `readings` of agencies and of `blocks`."""
    model = document(folder / "scoring.yaml")
    outside = [one["code"] for one in document(folder / "agencies.yaml")["agencies"] if one.get("outside")]
    basis = {one["id"]: one["measured_from"] for one in indicators}
    by_agency = {one["agency"]: one for one in scores}
    wrong = []
    compared = 0
    for block, agencies in known(readings, blocks, basis, folder).items():
        for code, expected in second.ranking(model, block, agencies, outside).items():
            one = by_agency[code]
            wrong += [f"{code} {name}: {one[name]}, {expected[name]}" for name in EXACT if one[name] != expected[name]]
            for name in NUMBERS:
                compared += 1
                if one[name] != (None if expected[name] is None else float(expected[name])):
                    wrong.append(f"{code} {name}: {one[name]}, {expected[name]}")
            if "lines" not in one:
                continue
            printed = second.lines(model["blocks"][block]["criteria"], agencies[code])
            for line in one["lines"]:
                its = tuple(Fraction(str(line[name])) for name in ("worth", "points_low", "points_high"))
                if its != printed[line["criterion"]]:
                    wrong.append(f"{code} {line['criterion']}: {its}, {printed[line['criterion']]}")
                if line["to_gain"] != expected["to_gain"].get(line["criterion"]):
                    gain = expected["to_gain"].get(line["criterion"])
                    wrong.append(f"{code} {line['criterion']} gains by {line['to_gain']}, {gain}")
    assert compared == len(scores) * len(NUMBERS)
    return wrong


def test_points_ranks_and_intervals_are_those_of_the_second_computation(run: Run, config: Path) -> None:
    def asked(*words: str) -> Any:
        return run(*words, "--json", "--config", config).json

    scores = asked("rank", PERIOD)
    lines = {code: asked("rank", PERIOD, "--agency", code)[0] for code in ("H44.02", "H44.31.01")}
    scores = [lines.get(one["agency"], one) for one in scores]
    readings = asked("readings", "--period", PERIOD)
    blocks = asked("readings", "--period", PERIOD, "--scope", "block")
    assert differences(scores, readings, blocks, run("indicators", "--json").json, config.parent) == []
    assert len({one["points"] for one in scores}) > 6, "a ranking in which all are equal proves nothing"


@pytest.fixture
def near(run: Run, config: Path) -> dict[str, Any]:
    """The score, with its lines, of the agency that lacks least to its next place."""
    scores = run("rank", PERIOD, "--json", "--config", config).json
    code = min((one["to_next"], one["agency"]) for one in scores if one["to_next"] is not None)[1]
    found: dict[str, Any] = run("rank", PERIOD, "--agency", code, "--json", "--config", config).json[0]
    return found


def test_an_agency_is_told_line_by_line_where_its_points_were_lost_and_what_would_gain_a_place(
    run: Run, config: Path, near: dict[str, Any]
) -> None:
    printed = run("rank", PERIOD, "--agency", near["agency"], "--config", config).out
    assert f"({near['agency']}), 2026-02\n" in printed
    assert re.search(
        rf"^rank +{near['rank']} \({near['rank_best']}–{near['rank_worst']}\) of 8$", printed, re.MULTILINE
    )
    for one in near["lines"]:
        assert one["lost"] == pytest.approx(one["worth"] - one["points_low"])
        counts = f"{one['hits']:,} of {one['judged']:,}" if one["hits"] is not None else one["state"]
        gain = "" if one["to_gain"] is None else re.escape(f" {one['to_gain']:+d}".replace("-", "−"))
        row = rf"^{re.escape(one['criterion'])} +.* {counts} .* {one['worth']:.2f} +{one['lost']:.2f} *{gain}$"
        assert re.search(row, printed, re.MULTILINE), one
        assert bool(one["evidence"]) == (one["state"] == "declared")
        if one["evidence"]:
            told = rf"^{re.escape(one['criterion'])} +{re.escape(one['evidence'])}$"
            assert re.search(told, printed, re.MULTILINE), "what was declared is told with its evidence"
    gains = [one for one in near["lines"] if one["to_gain"] is not None]
    assert len(gains) > 1, "nothing would gain a place: the sample says too little"
    assert f"{near['to_next']:.2f} points to H44." in printed
    assert f": {len(gains)} criteria would do, each alone" in printed


def test_the_ranking_says_what_its_points_rest_on_and_what_changes_are_against(run: Run, config: Path) -> None:
    done = run("rank", PERIOD, "--config", config)
    assert "\nof 1,000 points 705 are measured, 455 of them by machines alone, 295 are declared\n" in done.out
    assert "changes are against" not in done.out, "January has no figures to compare with"
    assert re.search(r"^cannot be told apart: H44[.\d]+ to H44[.\d]+, 8 agencies$", done.out, re.MULTILINE)


def test_an_agency_that_is_not_there_is_refused(run: Run, config: Path) -> None:
    done = run("rank", PERIOD, "--agency", "H44.99", "--config", config)
    assert done.code == 2
    assert "H44.99 is not in the register of agencies" in done.err


def test_a_line_of_a_file_is_never_a_picture(run: Run, own: Path) -> None:
    """To the library that prints, `:100:` is one."""
    file = own.parent / "declared.yaml"
    text = file.read_text(encoding="utf-8")
    place = text.index("- agency: H44.02")
    above = text[:place].count("\n")
    wrong = "\n" * (99 - above) if above < 99 else ""
    assert wrong
    file.write_text(
        text[:place] + wrong + text[place:].replace("agency: H44.02", "agencies: H44.02", 1), encoding="utf-8"
    )
    assert f"{file}:100: statements[" in run("check", "--config", own).err


# -- what is wrong in the files ---------------------------------------------------------------------------------------


def test_a_value_without_evidence_is_a_doubt_and_missing(run: Run, own: Path, near: dict[str, Any]) -> None:
    file = own.parent / "declared.yaml"
    text = file.read_text(encoding="utf-8")
    line = next(one for one in near["lines"] if one["state"] == "declared" and one["evidence"].startswith("http"))
    value, shown = f"value: {line['hits']} of {line['judged']}\n", line["evidence"].partition(" (")[0]
    assert text.count(f"{value}      evidence: {shown}\n") == 1
    file.write_text(text.replace(f"{value}      evidence: {shown}\n", value), encoding="utf-8")
    done = run("check", "--config", own)
    assert done.code == 1
    found = f"{near['agency']} declares {line['hits']} of {line['judged']} without evidence, so it counts as missing"
    assert found in re.sub(r"\s+", " ", done.out)
    after = run("rank", PERIOD, "--agency", near["agency"], "--json", "--config", own).json[0]
    now = next(one for one in after["lines"] if one["criterion"] == line["criterion"])
    assert (now["state"], now["points_low"], now["points_high"]) == ("missing", 0.0, line["worth"])


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (
            "indicator: mailboxes.daily_use,",
            "indicator: mailboxes.daily_us,",
            "there is no indicator mailboxes.daily_us",
        ),
        ("indicator: mailboxes.free_mail, rule: inverse", "indicator: mailboxes.free_mail", "less is better"),
        ("indicator: mailboxes.daily_use,", "indicator: mailboxes.daily_use, rule: inverse,", "more is better"),
        ("declared: biên bản kiểm kê,", "", "must have one of `indicator`"),
        ("[[0, 1], [0.05, 0.5], [0.2, 0]]", "[[0, 0.2], [0.05, 0.5], [0.2, 1]]", "run the wrong way: less is better"),
    ],
)
def test_a_criterion_that_cannot_be_meant_is_named_with_its_file(
    run: Run, own: Path, before: str, after: str, says: str
) -> None:
    model = own.parent / "scoring.yaml"
    text = model.read_text(encoding="utf-8")
    line = text[: text.index(before)].count("\n") + 1
    model.write_text(text.replace(before, after, 1), encoding="utf-8")
    done = run("check", "--config", own)
    assert done.code == 2
    assert done.err.startswith(f"{model}:{'' if 'wrong way' in says else line}")
    assert says in done.err
