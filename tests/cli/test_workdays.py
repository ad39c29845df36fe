"""How an operator gets at next year's working days."""

from pathlib import Path

import pytest

from collector import init
from tests.cli.conftest import Run


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration as an operator begins it, with a clock that stands in 2026."""
    folder = tmp_path / "own"
    init.write(folder)
    (folder / "onestop-token").write_text("x", encoding="utf-8")
    monkeypatch.setenv("DOCUMENTS_PASSWORD", "x")
    config = folder / "collector.yaml"
    text = config.read_text(encoding="utf-8").replace("# demo:", "demo:")
    config.write_text(text.replace("# state: /var/lib/collector", "state: s"), encoding="utf-8")
    return config


def test_a_years_days_off_and_working_saturdays_are_shown(run: Run, own: Path) -> None:
    done = run("workdays", "2025", "--config", own)
    assert done.code == 0
    assert done.out.startswith("2025: 250 working days\n")
    assert "\n2025-04-26  Saturday   worked  Làm bù\n" in done.out
    assert "8726/VPCP-KGVX" in done.out
    told = run("workdays", "2025", "--json", "--config", own).json
    assert (told["working_days"], told["provisional"], len(told["days_off"])) == (250, False, 12)
    assert told["worked"] == [{"day": "2025-04-26", "name": "Làm bù", "provisional": False}]


def test_this_year_is_shown_if_none_is_named_and_a_day_that_is_not_decided_is_a_finding(run: Run, own: Path) -> None:
    done = run("workdays", "--config", own)
    assert done.code == 1
    assert done.out.startswith("2026: ")
    assert "\n2026-11-24  Tuesday    off not decided  Ngày Văn hóa Việt Nam\n" in done.out


def test_next_years_file_is_begun_once_and_never_overwritten(run: Run, own: Path) -> None:
    file = own.parent / "workdays" / "2028.yaml"
    before = run("workdays", "2028", "--config", own)
    assert before.code == 1
    assert "2028, a draft: " in before.out
    assert "\nno file yet: drafted by holidays " in before.out
    done = run("workdays", "2028", "--draft", "--config", own)
    assert done.code == 0
    assert done.err == f"{file} is written; once the year's decision is out, correct it and delete `provisional`\n"
    assert run("workdays", "2028", "--config", own).code == 1
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("provisional: true\n", ""), encoding="utf-8")
    assert run("workdays", "2028", "--config", own).code == 0
    again = run("workdays", "2028", "--draft", "--config", own)
    assert (again.code, again.out) == (2, "")
    assert again.err == (f"--draft: {file} is there already. Edit it; or move it away if it is to be drafted anew\n")
    assert "provisional" not in file.read_text(encoding="utf-8").replace("while this is true", "")


def test_a_year_that_is_none_is_refused(run: Run, own: Path) -> None:
    assert run("workdays", "27", "--config", own).code == 2
