"""The tables of docs/on-time.md, made of a run over `twenty_dossiers`.

`python -m tests.indicators.on_time_page` writes them into the page anew.
"""

import re
import tempfile
from pathlib import Path

from tests.indicators.twenty_dossiers import DEFINITIONS, TWENTY, One, Ran, run

PAGE = Path(__file__).parents[2] / "docs" / "on-time.md"
_WORDS = {"hit": "on time", "miss": "late", "unknown": "?", None: "–"}


def tables(ran: Ran) -> dict[str, str]:
    """The tables by name, in Markdown."""
    return {"twenty": "\n".join(_twenty(ran)), "totals": "\n".join(_totals(ran))}


def _twenty(ran: Ran) -> list[str]:
    names = " | ".join(f"`{definition.removeprefix('dossiers.')}`" for definition in DEFINITIONS)
    lines = [f"| | what happened | first due | shown due | ended | {names} |", "|--:|---|---|---|---|---|---|---|---|"]
    for number, one in enumerate(TWENTY, 1):
        verdicts = " | ".join(_WORDS[verdict] for verdict in ran.said(number))
        days = f"{_date(one.first)} | {_shown(one)} | {_end(one)}"
        lines.append(f"| {number} | {one.story} | {days} | {verdicts} |")
    return lines


def _totals(ran: Ran) -> list[str]:
    lines = ["| January 2026 | on time | judged | cannot be judged | share |", "|---|--:|--:|--:|--:|"]
    for definition in DEFINITIONS:
        one = ran.readings[definition]
        share = f"{100 * (one.hits or 0) / (one.judged or 1):.2f} %"
        lines.append(f"| `{definition}` | {one.hits} | {one.judged} | {one.unknown} | {share} |")
    return lines


def _date(short: int | None) -> str:
    return "–" if short is None else f"{short % 100:02d}/{short // 100:02d}"


def _shown(one: One) -> str:
    if one.shown is None or one.hour is None:
        return _date(one.shown)
    return f"{_date(one.shown)} {one.hour // 100:02d}:{one.hour % 100:02d}"


def _end(one: One) -> str:
    if one.completed is not None:
        return f"{_date(one.completed)} {one.at // 100:02d}:{one.at % 100:02d}"
    return _date(one.ended)


def pasted(text: str) -> dict[str, str]:
    """The tables of a page by name."""
    found = re.findall(r"<!-- table: (\w+) -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    return {name: table.strip() for name, table in found}


def with_tables(text: str, made: dict[str, str]) -> str:
    """The page with its tables replaced."""
    for name, table in made.items():
        head, _, rest = text.partition(f"<!-- table: {name} -->\n")
        _, _, tail = rest.partition("\n<!-- end -->")
        text = f"{head}<!-- table: {name} -->\n\n{table}\n\n<!-- end -->{tail}"
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables(run(Path(folder)))), encoding="utf-8")
