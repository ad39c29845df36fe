"""The commands of the README, run in order in one empty folder.

Blocks of the language `console` are run by a shell, with `collector` on the PATH. A line that begins with `$ ` is a
command; what follows is its output, as pasted from a run. A line `[...]` stands for any lines. A block whose first
line names a file (```yaml mine/collector.yaml) is written there before the commands run. Commands of make are not
run here: CI starts with them.

`python -m tests.readme` (`make readme`) pastes the output of a run anew, cut where it was cut before.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
CUT = "[...]"


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the README, the line where it stands, and the output that is pasted below it."""

    line: int
    command: str
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ran:
    """A step and what it printed when it was run."""

    step: Step
    code: int
    printed: tuple[str, ...]
    errors: str


def steps(text: str) -> Iterator[Step]:
    """The commands of all console blocks, in order."""
    inside = False
    command, line, output = "", 0, list[str]()
    for number, content in enumerate(text.splitlines(), 1):
        if content.startswith(("```", "$ ")) and command:
            yield Step(line, command, tuple(output))
            command = ""
        if content.startswith("```"):
            inside = content == "```console"
        elif inside and content.startswith("$ "):
            command, line, output = content[2:], number, []
        elif command:
            output.append(content.rstrip())


def files(text: str) -> dict[str, str]:
    """The files that the README tells to write, by their path."""
    return dict(re.findall(r"^```[a-z]+ (\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def run(text: str, folder: Path) -> Iterator[Ran]:
    """Write the files and run the commands in a folder, one after the other."""
    for name, content in files(text).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COLLECTOR")}
    environment |= {"PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}", "HOME": str(folder)}
    for step in steps(text):
        if step.command.startswith("make "):
            continue
        ran = subprocess.run(
            ["bash", "-c", step.command], cwd=folder, env=environment, capture_output=True, text=True, timeout=1800
        )
        printed = tuple(line.rstrip() for line in ran.stdout.rstrip("\n").splitlines())
        yield Ran(step, ran.returncode, printed, ran.stderr)


def holds(pasted: tuple[str, ...], printed: tuple[str, ...]) -> bool:
    """Whether what was printed is what is pasted; `[...]` stands for any lines, also none."""
    pattern = "".join(r"(?:.*\n)*?" if line == CUT else re.escape(line) + r"\n" for line in pasted)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def cut_like(pasted: tuple[str, ...], printed: tuple[str, ...]) -> tuple[str, ...]:
    """Cut new output as the old was cut: as many lines before and after `[...]`."""
    if CUT not in pasted:
        return printed
    before, after = pasted.index(CUT), len(pasted) - pasted.index(CUT) - 1
    if len(printed) <= before + after + 1:
        return printed
    return (*printed[:before], CUT, *printed[len(printed) - after :])


def main() -> None:
    """Paste the output of a run anew."""
    text = README.read_text(encoding="utf-8")
    lines = text.splitlines()
    with tempfile.TemporaryDirectory() as folder:
        done = list(run(text, Path(folder)))
    for ran in reversed(done):
        sys.stderr.write(f"{ran.step.command}: exit code {ran.code}\n{ran.errors}")
        first = ran.step.line
        lines[first : first + len(ran.step.output)] = cut_like(ran.step.output, ran.printed)
    README.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
