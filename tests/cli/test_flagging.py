"""`collector flags`: what stands out in the sample province, found a second time in its ledger."""

import json
from pathlib import Path
from typing import Any

from collector.demo import ledger as ledger_file
from tests.cli.conftest import Run
from tests.proof import flags_by_hand

FEBRUARY = 20260201, 20260228


def flagged(run: Run, config: Path, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("flags", "2026-02", "--json", "--rows", "--config", config, *options).json[
        "flags"
    ]
    return found


def rows(found: list[dict[str, Any]]) -> set[tuple[str, str, str, int]]:
    return {
        (one["flag"], row["agency"], row["key"], int(row["day"].replace("-", "")))
        for one in found
        for row in one["rows"]
    }


def test_the_flags_of_the_sample_province_are_those_of_its_ledger(run: Run, config: Path) -> None:
    ledger = ledger_file.read(config.parent / "ledger.json")
    truth = json.loads((config.parent / "truth.json").read_text(encoding="utf-8"))
    found = flagged(run, config)
    assert rows(found) == flags_by_hand.found(ledger, *FEBRUARY, truth)
    raised = {one["flag"] for one in found if one["count"]}
    of_dates = {"due_moved_late", "paused_late", "completed_on_day_off", "completed_before_intake"}
    assert raised >= of_dates | {"closings_bunched", "withdrawn_before_due"}


def test_counts_are_those_of_the_rows_and_every_flag_is_told(run: Run, config: Path) -> None:
    for one in flagged(run, config):
        assert one["count"] == len(one["rows"]) == sum(one["agencies"].values())
    assert len(flagged(run, config)) == 11
    assert "rows" not in run("flags", "2026-02", "--json", "--config", config).json["flags"][0]


def test_flags_are_findings_and_a_period_without_any_is_done(run: Run, config: Path) -> None:
    ended = run("flags", "2026-02", "--config", config)
    assert ended.code == 1
    assert "Kết thúc dồn vào ngày cuối kỳ" in ended.out
    quiet = run("flags", "2024-05", "--config", config)
    assert (quiet.code, quiet.out) == (0, "No flag is raised.\n")


def test_one_agency_sees_its_own_records_and_no_others(run: Run, config: Path) -> None:
    own = rows(flagged(run, config, "--agency", "H44.31.05"))
    assert own == {one for one in rows(flagged(run, config)) if one[1] == "H44.31.05"}
    assert own
    shown = run("flags", "2026-02", "--agency", "H44.31.05", "--rows", "--config", config).out
    assert all(key in shown for _, _, key, _ in own)
    assert "UBND xã Hùng Lô" in shown


def test_no_key_is_shown_unless_rows_are_asked_for(run: Run, config: Path) -> None:
    keys = {key for _, _, key, _ in rows(flagged(run, config))}
    shown = run("flags", "2026-02", "--all", "--config", config).out
    assert not any(key in shown for key in keys)
    assert "UBND xã Hùng Lô" in shown
