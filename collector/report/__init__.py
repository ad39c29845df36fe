"""The report: the annex of a ranking decision with every figure behind it, and an agency's evidence for a contest.

`content.py` says what a report tells; `page.py`, `workbook.py`, `table.py` and `document.py` write it as HTML, xlsx,
CSV and JSON. None of them reads the time or the store: the same content gives the same bytes.
"""

from collections.abc import Callable, Mapping

from collector.report import document, page, table, workbook
from collector.report.content import Agency, Block, Content, Group, Seal, Told, last_twelve_months

WRITERS: Mapping[str, Callable[[Content], bytes]] = {
    "html": lambda content: page.render(content).encode(),
    "xlsx": workbook.written,
    "csv": table.written,
    "json": document.written,
}
"""The formats of a report, by their names."""

__all__ = ["WRITERS", "Agency", "Block", "Content", "Group", "Seal", "Told", "last_twelve_months"]
