"""The report as CSV: one line for each figure, or with evidence one for each record behind them.

UTF-8 with a byte order mark (without it Excel takes the file for the machine's own code page, and Vietnamese letters
are lost), commas, CRLF, days as 2026-02-28, numbers with a decimal point. Text that a spreadsheet would take for a
formula begins with an apostrophe (OWASP ASVS 1.2.10); numbers stay numbers.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal

from collector import vietnamese
from collector.contract.period import iso, rfc3339
from collector.contract.records import INSTANTS, is_day
from collector.report import words
from collector.report.content import Content, counts

Cell = str | int | Decimal | None

_FIGURES = (
    "kỳ (period)",
    "ấn bản (edition)",
    "phạm vi (scope)",
    "khối (block)",
    "mã cơ quan (agency)",
    "cơ quan (name)",
    "chỉ số (indicator)",
    "phiên bản (version)",
    "tên chỉ số",
    "title",
    "trạng thái",
    "state",
    "không nêu (suppressed)",
    "đạt (hits)",
    "xét (judged)",
    "không xét được (unknown)",
    "tỷ lệ (value)",
    "đến ngày (through)",
    "vì sao",
    "why",
)


def written(content: Content) -> bytes:
    """Return the whole file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    lines = _records(content) if content.evidence else _figures(content)
    for line in lines:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in line])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(words.LIKE_FORMULAS) else text


def _figures(content: Content) -> Iterator[Sequence[Cell]]:
    yield _FIGURES
    names = {agency.code: agency.name for block in content.blocks for agency in block.agencies}
    block_of = {agency.code: block.id for block in content.blocks for agency in block.agencies}
    names |= {block.id: block.title_vi for block in content.blocks} | {content.code: content.province}
    definitions = {one.id: one for one in content.definitions}
    for one in content.told():
        definition = definitions[one.indicator]
        yield (
            one.period,
            content.seal.number if content.seal else None,
            one.scope,
            block_of.get(one.agency, one.agency if one.scope == "block" else ""),
            one.agency,
            names.get(one.agency, ""),
            one.indicator,
            one.version,
            definition.title_vi,
            definition.title_en,
            words.STATES[words.look(one)][0],
            one.state,
            int(one.suppressed),
            *counts(one),
            one.value,
            None if one.through is None else iso(one.through),
            vietnamese.reason(one.why) if one.why else None,
            one.why,
        )


def _records(content: Content) -> Iterator[Sequence[Cell]]:
    columns = content.columns()
    yield ("kỳ (period)", "mã cơ quan (agency)", "chỉ số (indicator)", *(_title(name) for name in columns))
    for told in content.evidence:
        for row in told.rows:
            own = dict(zip(told.columns, row, strict=True))
            cells = (_cell(name, own.get(name)) for name in columns)
            yield (told.reading.period, told.reading.agency, told.reading.indicator, *cells)


def _title(name: str) -> str:
    vi, _ = words.COLUMNS.get(name, ("", ""))
    return f"{vi} ({name})" if vi else name


def _cell(name: str, value: Cell) -> Cell:
    if isinstance(value, int) and is_day(name):
        return iso(value)
    return rfc3339(value) if isinstance(value, int) and name in INSTANTS else value
