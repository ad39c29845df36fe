"""Sheets as text: CSV with commas, semicolons, tabs or bars, in UTF-8, UTF-16 or the Vietnamese code page 1258."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence

from collector.audit.cell import EMPTY, Cell
from collector.audit.columns import recognised
from collector.audit.rows import HEADER_WITHIN, Row, limited
from collector.contract.errors import WrongUse

SEPARATORS = ";,\t|"


def read(data: bytes, name: str) -> list[Row]:
    """Return the rows of a CSV file; WrongUse, naming the line, if it is none.

    The separator is the one with which most headers are known. Raises WrongUse if no header can be found either way.
    """
    text = _text(data, name)
    if text.lower().startswith("sep=") and text[4:5] in SEPARATORS:
        return _rows(text, text[4], name)
    best, most = SEPARATORS[0], 0
    for separator in SEPARATORS:
        if (known := _known(text, separator)) > most:
            best, most = separator, known
    return _rows(text, best, name)


def _text(data: bytes, name: str) -> str:
    """The text of a file. Code page 1258 has tones apart from vowels: they are composed where text is compared."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codes = ["utf-16"]
    elif data[1:64:2].count(0) > len(data[:64]) // 4:
        codes = ["utf-16-le"]
    elif data[:64:2].count(0) > len(data[:64]) // 4:
        codes = ["utf-16-be"]
    else:
        codes = ["utf-8-sig", "cp1258"]
    for code in codes:
        try:
            text = data.decode(code)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text
    raise WrongUse(f"{name}: this is no text in UTF-8", mend="Save it as xlsx, or as CSV in UTF-8")


def _known(text: str, separator: str) -> int:
    """How many headers are known if rows are cut at a separator."""
    most = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator)):
            most = max(most, recognised([Cell(one) for one in row]))
            if number > HEADER_WITHIN:
                break
    except csv.Error:
        pass  # told where the rows are read
    return most


def _rows(text: str, separator: str, name: str) -> list[Row]:
    return list(limited(_cells(text, separator, name), name))


def _cells(text: str, separator: str, name: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise WrongUse(
                f"{name}:{number + 1}: the row cannot be read ({error})",
                mend='A quotation mark is missing, or stands in the middle of a cell: write it twice ("")',
            ) from None
        number += 1
        yield number, [Cell(text) if (text := one.strip()) else EMPTY for one in row]
