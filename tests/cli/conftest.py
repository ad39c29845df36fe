"""A small sample province, made and collected once, and the command line as an operator uses it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collector import cli

PROGRAM = (sys.executable, "-c", "from collector.cli import main; main()")
"""The command in a process of its own."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: `run("readings", "--config", path)`."""

    def run_(*arguments: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["collector", *map(str, arguments)])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run_


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a province of 12 agencies and all of February 2026. Tests only look at it."""
    folder = tmp_path_factory.mktemp("cli") / "province"
    made = ["demo", "--once", "--agencies", "12", "--days", "28", "--dir", str(folder)]
    done = subprocess.run([*PROGRAM, *made], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "printed.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture
def config(province: Path) -> Path:
    """The configuration of the province."""
    return province / "collector.yaml"


@pytest.fixture
def own(province: Path, tmp_path: Path) -> Path:
    """The configuration of a copy of the province that a test may change."""
    folder = tmp_path / "own"
    shutil.copytree(province, folder)
    file = folder / "collector.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(province), str(folder)), encoding="utf-8")
    return file


def change(file: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")
