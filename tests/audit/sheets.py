"""Sheets of declared figures for tests: written as CSV, read and audited as the command does."""

from collections.abc import Mapping
from pathlib import Path

from collector.audit import Audit, audit, read
from collector.audit.columns import BY_ID

ABOUT = {"document": "Báo cáo 12/BC-UBND", "what": "Hồ sơ giải quyết"}


def csv_of(*lines: Mapping[str, str]) -> str:
    """A sheet with a line for each mapping of column ids to what stands in them; its header is line 1."""
    columns = list(dict.fromkeys(name for line in lines for name in {**ABOUT, **line}))
    rows = [[BY_ID[name].vi for name in columns]]
    rows += [[{**ABOUT, **line}.get(name, "") for name in columns] for line in lines]
    return "".join(";".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


def audited(folder: Path, *lines: Mapping[str, str]) -> Audit:
    """What is found in such a sheet."""
    file = folder / "sheet.csv"
    file.write_text(csv_of(*lines), encoding="utf-8")
    return audit(read(file))


def rules(found: Audit) -> list[tuple[int, str]]:
    """The findings by line and rule."""
    return [(one.line, one.rule) for one in found.findings]
