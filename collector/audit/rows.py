"""The rows of a sheet, whatever file they stand in, and the limits of what is read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from collector.audit.cell import Cell
from collector.audit.columns import recognised
from collector.contract.errors import WrongUse

BYTES = 16 << 20
"""A larger file is no sheet of figures."""

ROWS = 20_000
CELLS = 1_000_000
"""So many, empty ones included, are looked at in one sheet."""

LETTERS = 4_000
"""A cell with more is no figure and no title."""

HEADER_WITHIN = 30
"""The header stands in one of the first so many rows; above it may stand titles."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with something in it; `line` is its number in a spreadsheet."""

    line: int
    cells: Sequence[Cell]


def limited(rows: Iterable[tuple[int, Sequence[Cell]]], name: str) -> Iterator[Row]:
    """Yield the rows in which something stands; WrongUse, naming the line, where a limit is passed."""
    filled = looked = 0
    for line, cells in rows:
        looked += 1 + len(cells)
        if any(len(cell.text) > LETTERS for cell in cells):
            raise WrongUse(
                f"{name}:{line}: a cell holds over {LETTERS:,} letters", mend="A missing quotation mark? Mend that row"
            )
        if any(cell.text for cell in cells):
            filled += 1
            yield Row(line, cells)
        if filled > ROWS or looked > CELLS:
            raise too_large(name, line)


def too_large(name: str, line: int) -> WrongUse:
    """What is raised for a sheet that is no sheet of figures any more."""
    return WrongUse(
        f"{name}:{line}: over {ROWS:,} rows or {CELLS:,} cells", mend="Delete what is empty, or audit it in parts"
    )


def header(rows: Sequence[Row]) -> int | None:
    """Return the place of the header among rows: the first of those with most known columns, two at least."""
    counts = [recognised(row.cells) for row in rows[:HEADER_WITHIN]]
    most = max(counts, default=0)
    return counts.index(most) if most >= 2 else None
