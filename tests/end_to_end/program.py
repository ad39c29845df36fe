"""The program as an operator uses it: a folder of configuration, and the command line in a process of its own."""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COLLECTOR = Path(sysconfig.get_path("scripts")) / "collector"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Program:
    """The command line with the configuration in `folder`, and the state in `folder`/state."""

    folder: Path

    @property
    def state(self) -> Path:
        """Where the program keeps what it knows."""
        return self.folder / "state"

    def run(self, *words: str) -> Ran:
        """Run `collector ...` to its end."""
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        done = subprocess.run(
            [str(COLLECTOR), *words, "--config", str(self.folder / "collector.yaml")],
            cwd=self.folder,
            env={**kept, "HOME": str(self.folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)


def configure(folder: Path, files: Mapping[str, str]) -> Program:
    """Write a configuration: these files beside the calendar and the scoring model that are shipped."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "config" / "workdays", folder / "workdays")
    shutil.copyfile(ROOT / "config" / "scoring.yaml", folder / "scoring.yaml")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    return Program(folder)
