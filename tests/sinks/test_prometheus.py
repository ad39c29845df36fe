"""Readings and ranks in Prometheus' text format: the file that is compared with was written by hand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from collector.contract.reading import Reading, Score, State
from collector.sinks.prometheus import render
from tests.servers.prometheus import check_metrics
from tests.store.small import INDICATORS

GOLDEN = Path(__file__).parents[1] / "golden" / "prometheus" / "figures.txt"

ON_TIME = replace(
    next(one for one in INDICATORS if one.id == "dossiers.on_time"),
    title_en="Dossiers on time",
    title_vi="Tỷ lệ hồ sơ đúng hạn",
    counted_en="dossiers completed",
    hit_en="handed over by the due date",
)
BLOCKS = {"H44.01": "departments", "H44.02": "communes", "H44.03": "communes", "H44.04": "communes"}

NAMES = {"H44.01": 'Sở "Tài chính"', "H44.02": "Xã Hy Cương", "H44.03": "Xã Phù Ninh", "H44.04": "Phường Nông Trang"}


def figure(agency: str, state: State, through: int | None, counts: tuple[int, int, int]) -> Reading:
    hits, judged, unknown = counts
    return Reading("dossiers.on_time", 1, "agency", agency, "2026-02", state, through, hits, judged, unknown)


READINGS = {
    "month": [
        figure("H44.01", "measured", 20260226, (2368, 2537, 12)),
        figure("H44.02", "partial", 20260227, (7, 8, 9)),
        figure("H44.03", "missing", None, (0, 0, 0)),
        figure("H44.04", "not_applicable", 20260228, (0, 0, 0)),
        replace(figure("H44", "measured", 20260201, (1, 1, 0)), scope="province"),
    ],
    "last_month": [
        figure("H44.01", "measured", 20260131, (1, 1, 0)),
        figure("H44.02", "measured", 20260131, (0, 3, 0)),
    ],
}


def score(agency: str, rank: int | None, points: str) -> Score:
    whole = Decimal(points)
    return Score(BLOCKS[agency], agency, rank, rank, rank, whole, whole, whole, Decimal(1), None, None)


SCORES = {"month": [score("H44.01", 1, "933.39"), score("H44.02", None, "0.00")], "last_month": []}


def text(readings: Mapping[str, Sequence[Reading]] = READINGS) -> str:
    return render([ON_TIME], readings, SCORES, {"month": BLOCKS, "last_month": BLOCKS}, NAMES).plain.decode()


def test_figures_states_and_ranks_are_rendered_as_written_by_hand() -> None:
    assert text().splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_a_figure_that_is_not_measured_has_none_of_the_four_samples() -> None:
    samples = [line for line in text().splitlines() if line.startswith("ict_dossiers_on_time_")]
    assert {re.findall(r'agency="([\w.]+)",block="\w+",window="month"', line)[0] for line in samples[:1]} == {"H44.01"}
    assert not [line for line in samples if "H44.03" in line or "H44.04" in line]
    assert not [line for line in samples if "H44.02" in line and 'window="month"' in line]


def test_a_figure_that_may_not_be_told_has_no_sample_but_its_state_is_counted() -> None:
    hidden = replace(
        READINGS["month"][0], hits=None, judged=None, unknown=None, suppressed=True, merged=(7, 8), state="measured"
    )
    shown = text({"month": [hidden], "last_month": []})
    assert not [line for line in shown.splitlines() if line.startswith("ict_dossiers_on_time_")]
    assert 'ict_reading_state{indicator="dossiers.on_time",state="measured",window="month"} 1.0' in shown


def test_what_is_wider_than_an_agency_is_neither_shown_nor_counted() -> None:
    assert 'agency="H44"' not in text()
    counted = re.findall(r'ict_reading_state{.*window="month"} (\d+)', text())
    assert sum(map(int, counted)) == 4


def test_before_anything_was_read_there_are_names_and_no_figures() -> None:
    empty = text({"month": [], "last_month": []})
    assert "# TYPE ict_dossiers_on_time_ratio gauge" in empty
    assert not [line for line in empty.splitlines() if line.startswith(("ict_dossiers", "ict_reading"))]


def test_labels_are_codes_of_the_register_and_names_stand_apart_from_figures() -> None:
    samples = [line for line in text().splitlines() if not line.startswith(("#", "ict_agency_info{"))]
    assert set(re.findall(r'(\w+)="', "\n".join(samples))) == {"agency", "block", "window", "indicator", "state"}


@pytest.mark.server("prometheus")
def test_prometheus_own_checker_finds_nothing() -> None:
    assert check_metrics(text()) == []
