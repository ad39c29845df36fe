"""The report: the annex of a ranking decision with every figure behind it, and an agency's evidence for a contest.

`content.py` says what a report tells; `page.py`, `workbook.py`, `table.py` and `document.py` write it as HTML, xlsx,
CSV and JSON. None of them reads the time or the store: the same content gives the same bytes. Each is loaded where it
is called: the libraries of pages and workbooks would cost every process that writes none.
"""

from collections.abc import Callable, Mapping

from collector.report.content import Agency, Block, Content, Group, Seal, Told, last_twelve_months


def _page(content: Content) -> bytes:
    from collector.report import page

    return page.render(content).encode()


def _workbook(content: Content) -> bytes:
    from collector.report import workbook

    return workbook.written(content)


def _table(content: Content) -> bytes:
    from collector.report import table

    return table.written(content)


def _document(content: Content) -> bytes:
    from collector.report import document

    return document.written(content)


WRITERS: Mapping[str, Callable[[Content], bytes]] = {
    "html": _page,
    "xlsx": _workbook,
    "csv": _table,
    "json": _document,
}
"""The formats of a report, by their names."""

__all__ = ["WRITERS", "Agency", "Block", "Content", "Group", "Seal", "Told", "last_twelve_months"]
