"""README stays true: its commands run, in order, and print what is pasted there.

Blocks of the language `console` are run by a shell in one empty folder, with `collector` on the PATH. A line that
begins with `$ ` is a command; what follows is its output, as pasted from a run. A line `[...]` stands for any lines.
A block whose first line names a file (```yaml mine/collector.yaml) is written there before the commands run.
"""

import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the README, the line where it stands, and the output that is pasted below it."""

    line: int
    command: str
    output: list[str]


def steps(text: str) -> Iterator[Step]:
    """The commands of all console blocks, in order."""
    inside = False
    step: Step | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if step:
                yield step
            inside, step = line == "```console", None
        elif inside and line.startswith("$ "):
            if step:
                yield step
            step = Step(number, line[2:], [])
        elif step:
            step.output.append(line.rstrip())


def files(text: str) -> dict[str, str]:
    """The files that the README tells to write, by their path."""
    found = re.findall(r"^```[a-z]+ (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def pattern(lines: list[str]) -> str:
    """The pasted lines as a pattern: `[...]` stands for any lines, also none."""
    parts = [r"(?:.*\n)*?" if line == "[...]" else re.escape(line) + r" *\n" for line in lines]
    return "".join(parts)


def test_the_commands_of_the_readme_print_what_is_pasted_there(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COLLECTOR")}
    environment |= {"PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    text = README.read_text(encoding="utf-8")
    for name, content in files(text).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    done = 0
    for step in steps(text):
        if step.command.startswith("make "):
            continue  # the Makefile's own targets: CI starts with them
        ran = subprocess.run(
            ["bash", "-c", step.command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert ran.returncode in (0, 1), f"README.md:{step.line}: {step.command}: {ran.stdout}{ran.stderr}"
        printed = "".join(f"{line.rstrip()}\n" for line in ran.stdout.splitlines())
        if not re.fullmatch(pattern(step.output), printed):
            pytest.fail(f"README.md:{step.line}: {step.command} prints something else now:\n{printed}")
        done += 1
    assert done >= 8


def test_every_target_of_make_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`make ([a-z]+)`|^\$ make ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {one for pair in named for one in pair if one} <= targets


def test_every_file_that_the_readme_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link
