"""The report of progress (chỉ tiêu tiến độ, QĐ 766/QĐ-TTg) that a provincial platform makes of its own dossiers.

Facts: source-systems 2.3, `POST …/QuyetDinh766s/ChiTieuTienDo` and its columns. It judges by the due date that stands
now, by whole days; what has no due date, and what was withdrawn, is on time; paused and stopped dossiers are counted
apart. Its cache is refused (`cache: false`): a report that is ten minutes old agrees with nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from collector.contract.connector import Days
from collector.contract.door import Pages
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import Period, as_date
from collector.contract.records import Dossier
from collector.contract.reported import Name, Report, Rules, Share, Total
from connectors.onestop.national_format import instant_of
from connectors.onestop.national_service import Envelope, listed

_PAUSED_OR_STOPPED = frozenset({"5", "6", "8"})
_DayFormat = Literal["yyyy-MM-dd", "yyyyMMdd", "dd/MM/yyyy"]
_OfDossiers = Literal["received", "completed", "on_time", "late", "withdrawn", "open"]
_LONGEST = 20

COLUMNS: Mapping[_OfDossiers, tuple[str, ...]] = {
    "received": ("TiepNhanQuaMang", "TiepNhanTrucTiep", "TiepNhanBCCI"),
    "completed": ("TongDaXuLy",),
    "on_time": ("DaXuLyTruocHan", "DaXuLyDungHan"),
    "late": ("DaXuLyQuaHan",),
    "open": ("TongDangXuLy",),
}


class Published(BaseModel):
    """The report that the service makes of its own dossiers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="Path of the report", examples=["/QuyetDinh766s/ChiTieuTienDo"])
    method: Literal["GET", "POST"] = Field(
        default="POST", description="POST where the question is asked as a JSON body", examples=["POST"]
    )
    from_day: str = Field(default="tuNgay", description="Input for the first day", examples=["tuNgay"])
    to_day: str = Field(default="denNgay", description="Input for the last day", examples=["denNgay"])
    day_format: _DayFormat = Field(
        default="yyyy-MM-dd", description="How the service wants days", examples=["yyyy-MM-dd", "dd/MM/yyyy"]
    )
    fixed: dict[str, str | bool | int] = Field(
        default={"cache": False},
        description="Further inputs, such as the unit whose agencies are wanted",
        examples=[{"maDinhDanhCha": "H44", "cache": False}],
    )
    agency: str = Field(default="MaDinhDanh", description="Column with the agency's code", examples=["MaDinhDanh"])
    totals: dict[_OfDossiers, tuple[str, ...]] = Field(
        default=dict(COLUMNS),
        description="Columns that make each total; several are added up",
        examples=[{"completed": ["TongDaXuLy"]}],
    )
    percentage: str | None = Field(
        default=None, description="Column with the percentage on time, as it is printed", examples=["TyLeDungHan"]
    )
    made: str | None = Field(
        default=None,
        description="Column with the time of the count (yyyyMMddHHmmss); only where each dossier has an update stamp",
        examples=["NgayTongHop"],
    )
    channels: tuple[Literal["counter", "online", "post"], ...] | None = Field(
        default=None,
        description="Channels that it counts, where it leaves some out",
        examples=[["counter", "online"]],
    )
    withdrawn: Literal["on_time", "out"] = Field(
        default="on_time", description="Whether it counts what was withdrawn as completed on time", examples=["on_time"]
    )
    ended: Literal["completed", "returned"] = Field(
        default="completed",
        description="Whether NgayKetThucXuLy (completed) or NgayTra (returned) ends a dossier there",
        examples=["completed"],
    )

    @property
    def rules(self) -> Rules:
        """How it counts."""
        return Rules(
            name="QĐ 766",
            channels=None if self.channels is None else frozenset(self.channels),
            withdrawn=self.withdrawn,
            without_due="on_time",
            due="current",
            ended=self.ended,
            apart=_PAUSED_OR_STOPPED,
        )


def ask(published: Published, envelope: Envelope, door: Pages, period: Period) -> Iterator[Report]:
    """Yield the report of a period. Raises what the door raises; UnexpectedAnswer, by field, for another shape."""
    door.allow(published.method, published.path)
    days = {published.from_day: period.first, published.to_day: period.last}
    question = {**published.fixed, **{name: _written(day, published.day_format) for name, day in days.items()}}
    if published.method == "POST":
        answer = door.post(published.path, {**question})
    else:
        answer = door.get(published.path, {name: _as_text(value) for name, value in question.items()})
    rows, _ = listed(envelope, answer.body, door.source, published.path)
    reader = _Reader(published, door.source, rows)
    yield Report(
        Dossier, Days(period.first, period.last), reader.totals(), reader.shares(), published.rules, reader.made()
    )


class _Reader:
    """The rows of one answer."""

    def __init__(self, published: Published, source: str, rows: Sequence[Any]) -> None:
        self._published = published
        self._source = source
        if not all(isinstance(row, dict) for row in rows):
            self._unexpected("data", "a row is no object")
        self._rows: Sequence[dict[str, Any]] = rows
        columns = {column for columns in published.totals.values() for column in columns}
        for column in sorted({published.agency, *columns}):
            # A column that no row has was renamed; one that a row leaves empty is not told of that agency.
            if rows and not any(column in row for row in rows):
                self._unexpected(column, "no row has this column")

    def totals(self) -> list[Total]:
        found = []
        for row in self._rows:
            code = self._code(row)
            for name, columns in self._published.totals.items():
                values = [self._number(row, column) for column in columns]
                if None not in values:
                    found.append(Total(code, name, sum(value for value in values if value is not None)))
        return found

    def shares(self) -> list[Share]:
        column = self._published.percentage
        if column is None:
            return []
        part: Name = "on_time"
        told = [(self._code(row), row.get(column)) for row in self._rows]
        return [
            Share(code, part, "completed", self._printed(column, value)) for code, value in told if value is not None
        ]

    def made(self) -> int | None:
        """The earliest time of all rows: what changed later is not in some of them."""
        column = self._published.made
        if column is None:
            return None
        found = []
        for row in self._rows:
            value = row.get(column)
            try:
                found.append(instant_of(value.strip() if isinstance(value, str) else ""))
            except ValueError as error:
                self._unexpected(column, f"it {error}")
        return min(found, default=None)

    def _code(self, row: Mapping[str, Any]) -> str:
        value = row.get(self._published.agency)
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self._unexpected(self._published.agency, "it is missing or no text")
        return value.strip()

    def _number(self, row: Mapping[str, Any], column: str) -> int | None:
        value = row.get(column)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self._unexpected(column, "it is no count")
        return value

    def _printed(self, column: str, value: Any) -> str:
        text = str(value).strip().removesuffix("%").strip()
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(text) > _LONGEST:
            self._unexpected(column, "it is no percentage")
        return text

    def _unexpected(self, field: str, reason: str) -> NoReturn:
        raise UnexpectedAnswer(
            f"{self._published.path}: {reason}",
            source=self._source,
            stage="answer",
            field=field,
            mend="Compare `report` with the service's manual",
        )


def _written(day: int, day_format: _DayFormat) -> str:
    match day_format:
        case "yyyy-MM-dd":
            return as_date(day).isoformat()
        case "yyyyMMdd":
            return str(day)
        case "dd/MM/yyyy":
            return f"{day % 100:02d}/{day // 100 % 100:02d}/{day // 10_000}"


def _as_text(value: str | bool | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
