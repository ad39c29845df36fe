"""The rules that operators give to their Prometheus, tried by its own tool and held against what the daemon shows."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.vitals import RESULTS, Vitals
from tests.servers.process import needed, program

CONFIG = Path(__file__).parents[2] / "config" / "prometheus"
ALERTS = yaml.safe_load((CONFIG / "alerts.yml").read_text(encoding="utf-8"))
RULES = yaml.safe_load((CONFIG / "rules.yml").read_text(encoding="utf-8"))


def promtool(*words: str | Path) -> str:
    """Return what promtool says; fails unless it is content."""
    tool = needed(program("promtool"), "prometheus")
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules(document: Any) -> Iterator[dict[str, Any]]:
    for group in document["groups"]:
        yield from group["rules"]


@pytest.mark.server("prometheus")
def test_the_files_are_sound() -> None:
    assert "2 rule files found" in promtool("check", "config", CONFIG / "prometheus.yml")


@pytest.mark.server("prometheus")
def test_each_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    cases = (Path(__file__).parent / "alerts.yml").read_text(encoding="utf-8")
    (tmp_path / "cases.yml").write_text(cases.replace("RULES", str(CONFIG / "alerts.yml")), encoding="utf-8")
    promtool("test", "rules", tmp_path / "cases.yml")
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts", cases)
    assert sorted(fired) == sorted(one["alert"] for one in rules(ALERTS)), "each is seen to fire"


def test_each_alert_says_what_to_do() -> None:
    for one in rules(ALERTS):
        assert one["labels"]["severity"] in ("info", "warning", "critical")
        assert {"summary", "mend"} == one["annotations"].keys()


def test_rules_ask_for_what_the_daemon_shows() -> None:
    vitals = Vitals()
    vitals.reads("s")
    vitals.known("s", 1, "done")
    vitals.compared("s", 1, {("document", "vanished"): 0})
    vitals.reloaded(well=True, now=1)
    vitals.told("r", 0, 0, 1, up=True)
    shown = set(re.findall(r"^(\w+)[{ ]", vitals.render().plain.decode(), re.MULTILINE))
    shown |= {"ict_reading_state", "ict_reading_through_timestamp_seconds"}  # sinks/prometheus.py
    asked = {name for one in (*rules(ALERTS), *rules(RULES)) for name in re.findall(r"ict_\w+", one["expr"])}
    assert asked <= shown
    results = {found for one in rules(ALERTS) for found in re.findall(r'result="(\w+)"', one["expr"])}
    assert results - {"quarantined"} <= set(RESULTS)


def test_each_alert_has_its_page_for_the_night_and_there_is_no_other() -> None:
    page = (CONFIG.parents[1] / "docs" / "operate.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", page, re.MULTILINE) == [one["alert"] for one in rules(ALERTS)]
