"""The unit that operators install, looked at by systemd's own tools."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli import main
from tests.servers.process import needed, program

UNIT = Path(__file__).parents[2] / "config" / "systemd" / "collector.service"


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    tool = needed(program("systemd-analyze"), "systemd")
    return subprocess.run([tool, *words], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.server("systemd")
def test_its_exposure_is_at_most_one_and_a_half() -> None:
    done = analyze("security", "--offline=true", "--threshold=15", UNIT)
    assert done.returncode == 0, done.stdout
    (level,) = re.findall(r"Overall exposure level for collector.service: ([0-9.]+)", done.stdout)
    assert float(level) <= 1.5


@pytest.mark.server("systemd")
def test_systemd_understands_every_line_of_it(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/collector/bin/collector", sys.executable))
    done = analyze("verify", "--man=no", unit)
    told = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, told) == (0, [])


def test_what_it_starts_is_a_command_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = re.findall(r"^ExecStart=/opt/collector/bin/collector (.*)$", UNIT.read_text(), re.MULTILINE)
    monkeypatch.setattr("sys.argv", ["collector", *line.replace("/etc/collector", "/nowhere").split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "/nowhere/collector.yaml: there is no such file" in capsys.readouterr().err
