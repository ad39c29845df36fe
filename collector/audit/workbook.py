"""Sheets of a workbook (xlsx), read for their values only: no formula is computed, no macro, link or drawing opened."""

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from collector.audit.cell import EMPTY, FORMULA, Cell
from collector.audit.number import DIGITS
from collector.audit.rows import CELLS, HEADER_WITHIN, Row, header, limited, too_large
from collector.contract.errors import WrongUse
from collector.contract.period import as_day

UNPACKED = 64 << 20
MEMBERS = 2_000
RATIO = 400
"""A member that unpacks to more times its size, and to over 1 MiB, was made to exhaust whoever opens it."""

LAST_ROW = 1_048_576

SHOWN = 10
"""Significant digits that a spreadsheet shows of a number without a format."""

_BROKEN = (
    zipfile.BadZipFile,
    InvalidFileException,
    ParseError,
    zlib.error,
    EOFError,
    OSError,  # of openpyxl, for a part that is not there: what is read here is in memory
    ValueError,  # defusedxml's too: entities and the like
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    RuntimeError,
)
"""What openpyxl ends with where a file is not what it should be: it has no error of its own for that."""


def read(data: bytes, name: str, wanted: str | None) -> list[Row]:
    """Return the rows of the sheet that has our columns (or is `wanted` by its name).

    WrongUse if the file is no workbook, or none or several of its sheets have them. A formula that was never computed
    is a cell of which nothing can be read: its text says so and it has no number.
    """
    _unpack_safely(data, name)
    with _readable(name):
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    titles = [one.title for one in book.worksheets]  # charts that fill a sheet are not among them
    if wanted is not None and wanted not in titles:
        raise WrongUse(f"{name}: there is no sheet {wanted}", mend=f"It has {', '.join(titles)}")
    found = []
    for title in titles if wanted is None else [wanted]:
        rows = list(limited(_cells(book[title], formulas[title], name), name))
        if wanted is not None or header(rows[:HEADER_WITHIN]) is not None:
            found.append((title, rows))
    if len(found) > 1:
        names = ", ".join(title for title, _ in found)
        raise WrongUse(f"{name}: several sheets have our columns: {names}", mend="Name one of them with --sheet")
    return found[0][1] if found else []


def _unpack_safely(data: bytes, name: str) -> None:
    """Look at the sizes that the archive declares; what it unpacks never exceeds them."""
    with _readable(name), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        large = [one for one in members if one.file_size > 1 << 20 and one.file_size > RATIO * (one.compress_size + 1)]
        if len(members) > MEMBERS or sum(one.file_size for one in members) > UNPACKED or large:
            raise WrongUse(
                f"{name}: it unpacks to far more than a sheet of figures", mend="Copy the figures to a new workbook"
            )


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validations, which are not read
            yield
    except _BROKEN as error:
        raise WrongUse(
            f"{name}: this is no workbook that can be read ({type(error).__name__})",
            mend="Open it in a spreadsheet and save it as xlsx, without a password",
        ) from error


_Raw = tuple[Any, str, str, bool]  # value, its type, the format in which it is shown, whether a formula gives it


def _cells(sheet: Any, formulas: Any, name: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Yield the rows in which something stands, read a hundred at a time."""
    rows = _raw(sheet, formulas, name)
    while True:
        with _readable(name):
            some = list(islice(rows, 100))
        if not some:
            return
        for number, raw in some:
            yield number, [_cell(*one) for one in raw]


def _raw(sheet: Any, formulas: Any, name: str) -> Iterator[tuple[int, list[_Raw]]]:
    for one in (sheet, formulas):
        one.reset_dimensions()  # what a file says of its size need not be true
    looked = 0
    pairs = zip(sheet.iter_rows(), formulas.iter_rows(), strict=True)
    for number, (values, written) in enumerate(pairs, 1):
        looked += len(written)
        if number > LAST_ROW or looked > CELLS:
            raise too_large(name, number)
        if any(one.value is not None for one in written):
            both = zip(values, written, strict=True)
            yield (
                number,
                [(one.value, one.data_type, one.number_format or "", its.data_type == "f") for one, its in both],
            )


def _cell(value: Any, type_: str, shown_as: str, formula: bool) -> Cell:
    if value is None:
        return Cell(FORMULA) if formula else EMPTY
    if isinstance(value, bool) or type_ == "e":
        return Cell(str(value).upper())
    if isinstance(value, date):  # a datetime is one
        day = value.date() if isinstance(value, datetime) else value
        if "d" not in shown_as.lower():  # 5/2019 became its first day, and is shown as a month
            return Cell(f"{day:%Y-%m}")
        return Cell(day.isoformat(), day=as_day(day))
    if isinstance(value, int | float):
        return _number(value, shown_as)
    return Cell(str(value).strip())


def _number(value: float, shown_as: str) -> Cell:
    """A number as the sheet shows it: 0.93341 in the format 0.0% is 93,3%."""
    exact = Decimal(repr(value))
    if not exact.is_finite() or abs(exact) >= Decimal(10) ** DIGITS:
        return Cell(str(value))
    percent = "%" in shown_as
    exact *= 100 if percent else 1
    form = re.search(r"[0#?]+(?:[.]([0#?]+))?", shown_as.split(";")[0].replace(",", ""))
    if form is None or "#" in (form[1] or ""):
        # As many places as a spreadsheet shows: a quotient has sixteen digits, of which the last are no figures.
        exact = exact.normalize(Context(prec=SHOWN))
        places = max(0, -int(exact.as_tuple().exponent))
    else:
        places = min(SHOWN, len(form[1] or ""))
    exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return Cell(f"{exact:f}".replace(".", ",") + ("%" if percent else ""), exact, percent)
