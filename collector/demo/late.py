"""A document of the sample province that its clerk enters weeks late, after the month's figures were sealed.

The register is without it until it is entered; then it is as the ledger tells it, with the time of its entry.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.contract.period import Period, month_of, rfc3339
from collector.demo import register_database
from collector.demo.ledger import Document, Ledger, Source


def _fits(one: Document, source: Source, outside: Mapping[str, str], month: Period) -> bool:
    """Whether it came in, was due and was dealt with in time within the month, and nothing is awkward about it."""
    if one.source != source.name or one.direction != "in" or one.deleted or one.note or one.agency not in source.serves:
        return False
    if outside[one.agency] or one.issued_day is None or one.due_day is None or one.completed_day is None:
        return False
    return month.first <= one.issued_day and one.completed_day <= one.due_day <= month.last


OPENED_LATE = "onestop-thanhson"
"""The source that opened in the middle of the first whole month: what is lacking of it is accepted as lost."""
WHY = "hệ thống mới mở giữa tháng, chưa có danh mục thủ tục"


@dataclass(frozen=True, slots=True)
class Late:
    """The document: whose it is, the source that tells it, its month, and the rows that are kept back."""

    source: str
    agency: str
    key: str
    month: Period
    path: Path
    rows: Sequence[tuple[str, tuple[Any, ...]]]
    entered: str  # as the register writes instants

    def enter(self) -> None:
        """Enter it."""
        with sqlite3.connect(self.path) as connection:
            for table, row in self.rows:
                content = (*row[:-1], self.entered)
                connection.execute(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(row))})', content)
        connection.close()


def keep_back(ledger: Ledger, folder: Path) -> Late | None:
    """Take an incoming document of the first whole month out of the register; None if there is no such document."""
    path = folder / register_database.NAME
    source = next((one for one in ledger.sources if one.system == "documents"), None)
    known = {one.code: one.outside for one in ledger.agencies}
    month = month_of(ledger.first_day)
    if month.first < ledger.first_day:
        month = month_of(month.end)
    if source is None or month.last >= ledger.last_day:
        return None
    found = next((one for one in ledger.documents if _fits(one, source, known, month)), None)
    if found is None:
        return None
    with sqlite3.connect(path) as connection:
        rows = [
            (table, row)
            for table in ("Văn bản", "Nơi nhận")
            for row in connection.execute(f'SELECT * FROM "{table}" WHERE "Mã văn bản" = ?', (int(found.id),))
        ]
        for table in ("Văn bản", "Nơi nhận"):
            connection.execute(f'DELETE FROM "{table}" WHERE "Mã văn bản" = ?', (int(found.id),))
    connection.close()
    entered = rfc3339(ledger.now - 60)[:19].replace("T", " ") + ".000000"
    return Late(source.name, found.agency or "", found.id, month, path, rows, entered)
