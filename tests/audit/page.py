"""The tables of docs/audit.md: the columns, the rules, and the output of a run over the published figures.

`python -m tests.audit.page` writes them into the page anew.
"""

from io import StringIO
from pathlib import Path

from rich.console import Console

from collector import init
from collector.audit import COLUMNS, KINDS, RULES, audit, read, shown
from tests.indicators.on_time_page import with_tables

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"
SAMPLE = "audit/published-2016-2019.csv"


def tables() -> dict[str, str]:
    """The tables by name, in Markdown."""
    return {"columns": "\n".join(_columns()), "rules": "\n".join(_rules()), "output": "\n".join(_output())}


def _columns() -> list[str]:
    lines = ["| cột | column | ghi gì | what |", "|---|---|---|---|"]
    return [*lines, *(f"| {one.vi} | {one.en} | {one.says_vi} | {one.says_en} |" for one in COLUMNS)]


def _rules() -> list[str]:
    lines = ["| `rule` | loại | kiểm gì | what |", "|---|---|---|---|"]
    return [*lines, *(f"| `{id_}` | {KINDS[one.kind][0]} | {one.vi} | {one.en} |" for id_, one in RULES.items())]


def _output() -> list[str]:
    console = Console(file=StringIO(), width=1_000, highlight=False)
    with console.capture() as captured:
        for part in shown(audit(read(init.samples() / SAMPLE)), {}):
            console.print(part)
    printed = [line.rstrip() for line in captured.get().splitlines()]
    return ["```console", f"$ collector audit {SAMPLE}", *printed, "```"]


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
