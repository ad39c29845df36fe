"""Tables for a terminal of any width, in which no code and no figure is ever cut.

Each column is as wide as its widest cell; titles are broken between words. Where the terminal is narrower, names are
shortened and prose is wrapped; if that is not enough, lines grow longer than the terminal.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

GAP = 2
NAME = 14
"""A name is never shortened to less."""
PROSE = 13
"""A column of prose is never narrower."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its kind: a code and a figure (to the right) stay whole, a name may be shortened, prose wraps."""

    title: str
    kind: Literal["code", "figure", "name", "prose"] = "code"


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, like: Sequence[Sequence[str]] = ()
) -> Table:
    """Lay out rows of cells (with rich's markup) for a terminal `width` wide.

    `like` are the rows of all tables that shall have the same columns.
    """
    widths = _widths(columns, like or rows, width)
    laid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    laid.width = _total(widths)
    vertical: Literal["top", "bottom"] = "top" if any(one.kind == "prose" for one in columns) else "bottom"
    for column, own in zip(columns, widths, strict=True):
        laid.add_column(
            _broken(column.title, own),
            justify="right" if column.kind == "figure" else "left",
            no_wrap=column.kind != "prose",
            overflow="fold" if column.kind == "prose" else "ellipsis",
            width=own,
            vertical=vertical,
        )
    for row in rows:
        laid.add_row(*row)
    return laid


def least(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """The width of the narrowest terminal on which the rows have a line each."""
    return _total(_widths(columns, rows, 0))


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    widths = [_natural(column, [row[at] for row in rows]) for at, column in enumerate(columns)]
    for kind, floor in (("prose", PROSE), ("name", NAME)):
        for at, column in enumerate(columns):
            if column.kind == kind:
                too_wide = _total(widths) - width
                widths[at] = max(min(widths[at], floor), widths[at] - max(0, too_wide))
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _natural(column: Column, cells: Sequence[str]) -> int:
    lines = (line for cell in cells for line in Text.from_markup(cell, emoji=False).plain.split("\n"))
    content = max(map(cell_len, lines), default=0)
    return max(content, *(cell_len(word.rstrip()) for word in _words(column.title)))


def _words(title: str) -> list[str]:
    """The parts of a title or of an id (`dossiers.on_time`) between which it may be broken."""
    return re.findall(r"[^ ._]+[ ._]*", title)


def _broken(title: str, width: int) -> str:
    lines = [""]
    for word in _words(title):
        if lines[-1] and cell_len(lines[-1] + word.rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(line.rstrip() for line in lines)
