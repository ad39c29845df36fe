"""Two tables of dossiers that are in use, and what their rows become.

`opencps_dossier` (facts: source-systems 1.2 to 1.4): OpenCPS' own table, by the rules of `opencps_dossier`.
`hoso` (facts: source-systems 2.1 and 2.2): a platform in the codes of the national portal, by those of
  `national_format`, with soft deletes (DeletedOn). It has room for one supplement: the next one overwrites its dates.
  `digitised` and `electronic_result` are 1 or 0, `payment` is none, online or otherwise; anything else is unknown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

from collector.contract.connector import Row as Made
from collector.contract.period import OFFSET, as_day, day_start, local_day
from collector.contract.records import Dossier, DossierEvent, Record
from connectors.onestop.levels import Levels
from connectors.onestop.national_format import LEVELS, Fault, Form, Unusable, read_dossier
from connectors.onestop.opencps_dossier import Pauses, Seen, allowed_of, note_level, promise_of, row_of
from connectors.onestop.opencps_item import national_code
from connectors.register.values import Clock

Row = Mapping[str, Any]
"""One row of the table by our field names, in the source's own values."""

Rows = dict[type[Record], list[Made]]

_YEARS = range(1990, 2101)
PAYMENTS = frozenset({"none", "online", "otherwise"})

_LONGEST_TEXT = 200
_NATIONAL_TIMES = {
    "submitted": "NgayNopHoSo",
    "received": "NgayTiepNhan",
    "due": "NgayHenTra",
    "ended": "NgayKetThucXuLy",
    "returned": "NgayTra",
    "refused": "NgayTuChoi",
    "changed": "NgayCapNhat",
}
_NATIONAL_CODES = {"agency": "DonViXuLy", "procedure": "MaTTHC", "channel": "KenhThucHien", "status": "TrangThaiHoSo"}
OUR_NAMES: Mapping[str, str] = {theirs: ours for ours, theirs in (_NATIONAL_TIMES | _NATIONAL_CODES).items()}
"""Fields of the national format by our names: what a fault names is told by that."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table: what it is called, its columns by our names, those that a site may lack, and where deletes are told."""

    table: str
    columns: Mapping[str, str]
    optional: frozenset[str]
    deletes: str | None


SHAPES: Mapping[str, Shape] = {
    "opencps_dossier": Shape(
        table="opencps_dossier",
        columns={
            "id": "dossierId",
            "group": "groupId",
            "agency": "govAgencyCode",
            "changed": "modifiedDate",
            "procedure": "serviceCode",
            "online": "online_",
            "by_post": "fromViaPostal",
            "level": "serviceLevel",
            "submitted": "submitDate",
            "received": "receiveDate",
            "due": "dueDate",
            "released": "releaseDate",
            "finished": "finishDate",
            "cancelling": "cancellingDate",
            "status": "dossierStatus",
            "lock": "lockState",
            "origin": "originDossierId",
            "allowed": "durationCount",
            "allowed_unit": "durationUnit",
        },
        optional=frozenset({"by_post", "level", "cancelling", "origin", "allowed", "allowed_unit"}),
        deletes=None,
    ),
    "hoso": Shape(
        table="HoSo",
        columns={
            "id": "MaHoSo",
            "agency": "DonViId",
            "changed": "LastModifiedOn",
            "deleted": "DeletedOn",
            "procedure": "MaTTHC",
            "channel": "KenhThucHien",
            "submitted": "NgayNopHoSo",
            "received": "NgayTiepNhan",
            "due": "NgayHenTra",
            "ended": "NgayKetThucXuLy",
            "returned": "NgayTra",
            "refused": "NgayTuChoi",
            "asked": "NgayYeuCauBoSung",
            "answered": "NgayCongDanBoSung",
            "status": "TrangThaiHoSoId",
            "level": "MucDo",
            # No table in use is known to have these three; a view may.
            "digitised": "HoSoCoThanhPhanSoHoa",
            "electronic_result": "CoKetQuaDienTu",
            "payment": "HinhThucThanhToan",
        },
        optional=frozenset({"level", "digitised", "electronic_result", "payment"}),
        deletes="deleted",
    ),
}


class Times:
    """Reads the times of a register: with their own zone, else in the one that is configured."""

    def __init__(self, zone: str) -> None:
        self._clock = Clock(zone, None)

    def instant(self, value: Any) -> int | None:
        """Return a value as an instant (epoch seconds UTC), a date as its local midnight, NULL and "" as None.

        ValueError, without the value, if it is no plausible time.
        """
        if value is None or value == "":
            return None
        if not isinstance(value, str | date):
            raise ValueError("is neither a date nor a time")
        told = self._clock.read(value)
        if not isinstance(told, date):
            raise ValueError("is no ISO time")
        if told.year not in _YEARS:
            # A program's "smallest date" (year 1) would be on time for any due date.
            raise ValueError("is no plausible time")
        if not isinstance(told, datetime):
            return day_start(as_day(told))
        return int(self._clock.versions([told], 0)[0]) // 1_000_000


class Reader(Protocol):
    """Turns rows of a table into records."""

    def turn(self, row: Row, rows: Rows) -> None:
        """Add what a row becomes; Unusable, by key, field and reason, without any content."""

    def settle(self, rows: Rows) -> None:
        """Add what could be told only of several rows."""


@dataclass(slots=True)
class OpenCps:
    """Rows of opencps_dossier. `watched` as in `opencps_dossier.promise_of`."""

    times: Times
    began: int
    watched: int | None
    pauses: Pauses
    levels: Levels

    def turn(self, row: Row, rows: Rows) -> None:
        """Add a dossier and its due date. A copy of another site's dossier is none of ours: only the origin counts."""
        key = key_of(row)
        if row.get("origin"):
            return
        seen = _checked(key, lambda: self._seen(key, row))
        rows[Dossier].append(row_of(seen))
        promise = promise_of(seen, self.watched)
        if promise is not None:
            rows[DossierEvent].append(promise)
        self.pauses.note(seen)
        note_level(self.levels, seen)

    def settle(self, rows: Rows) -> None:
        """Add the pauses that began or ended."""
        rows[DossierEvent].extend(self.pauses.rows())

    def _seen(self, key: str, row: Row) -> Seen:
        modified = _time(self.times, row, "changed")
        online, by_post = _text(row, "online"), _text(row, "by_post")
        level = _text(row, "level")
        return Seen(
            key=key,
            agency=_text(row, "agency"),
            modified=_version(modified, self.began),
            removed=0,
            procedure=national_code(_text(row, "procedure")),
            channel=_channel(online, by_post),
            level=int(level) if level.isdigit() else None,
            submitted=_time(self.times, row, "submitted"),
            received=_time(self.times, row, "received"),
            due=_time(self.times, row, "due"),
            released=_time(self.times, row, "released"),
            finished=_time(self.times, row, "finished"),
            cancelling=_time(self.times, row, "cancelling"),
            status=_text(row, "status"),
            lock=_text(row, "lock"),
            allowed=allowed_of(row.get("allowed"), row.get("allowed_unit")),
        )


def _channel(online: str, by_post: str) -> str | None:
    match online:
        case "1" | "true":
            return "online"
        case "0" | "false":
            return "post" if by_post == "1" else "counter"
    return None


class HoSo:
    """Rows in the codes of the national portal: read as if the portal's own format told them."""

    def __init__(
        self,
        times: Times,
        began: int,
        open_pauses: Mapping[str, Sequence[tuple[str, int]]],
        levels: Levels,
        due_dates: Literal["recorded", "overwritten"] = "overwritten",
    ) -> None:
        self._times = times
        self._began = began
        self._open = open_pauses
        self._levels = levels
        # Platforms move due dates in place, when a supplement comes back (facts: standards 3, Working-day calendar).
        self._form = Form(deleted="DaXoa", due_dates=due_dates)

    def turn(self, row: Row, rows: Rows) -> None:
        """Add a dossier, its due date and its supplement."""
        key = key_of(row)
        item, asked = _checked(key, lambda: self._item(key, row))
        reading = read_dossier(item, self._form, self._began, self._began)
        rows[Dossier].append((*reading.dossier[: -len(_TICKED)], *(_ticked(row, name) for name in _TICKED)))
        rows[DossierEvent].extend(reading.events)
        # The next request has overwritten the dates of the one before: it was answered by then.
        for ref, begun in self._open.get(key, ()):
            if asked is not None and begun < asked * 1_000_000:
                rows[DossierEvent].append(_ended(key, ref, asked, reading.dossier[2]))
        received = reading.dossier[7]
        if received is not None and not reading.dossier[3]:
            level = LEVELS.get(_text(row, "level"))
            self._levels.note(reading.dossier[4], reading.dossier[1], level, received)

    def settle(self, rows: Rows) -> None:
        """Nothing: each row tells all of its dossier."""

    def _item(self, key: str, row: Row) -> tuple[dict[str, Any], int | None]:
        item: dict[str, Any] = {"MaHoSo": key, "DaXoa": int(row.get("deleted") not in (None, ""))}
        for ours, theirs in _NATIONAL_CODES.items():
            item[theirs] = _text(row, ours)
        for ours, theirs in _NATIONAL_TIMES.items():
            item[theirs] = _national(_time(self._times, row, ours))
        asked, answered = _time(self._times, row, "asked"), _time(self._times, row, "answered")
        if asked is not None:
            # An answer before the request is the one to the request before.
            back = answered if answered is not None and answered >= asked else None
            item["DanhSachHoSoBoSung"] = [{"NgayBoSung": _national(asked), "NgayTiepNhanBoSung": _national(back)}]
        return item, asked


_TICKED = ("digitised", "electronic_result", "payment")
"""The last fields of a dossier: what clerks tick."""
_TICKS: Mapping[str, int] = {"0": 0, "false": 0, "1": 1, "true": 1}


def _ticked(row: Row, name: str) -> int | str | None:
    told = _text(row, name).lower()
    if name == "payment":
        return told if told in PAYMENTS else None
    return _TICKS.get(told)


def _ended(key: str, ref: str, instant: int, version: int) -> Made:
    at = instant * 1_000_000
    return (f"{key}|ended|{ref}", "", version, 0, key, "pause_ended", ref, at, local_day(instant), "history")


def key_of(row: Row) -> str:
    """Return a row's id as text."""
    return _text(row, "id")


def _checked(key: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Fault as fault:
        raise Unusable(key, fault.field, fault.reason) from None


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, bytes):
        return str(int.from_bytes(value, "big")) if len(value) == 1 else value.hex()  # MariaDB's BIT
    text = str(value).strip()
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise Fault(field, "is no short printable text")
    return text


def _time(times: Times, row: Row, field: str) -> int | None:
    try:
        return times.instant(row.get(field))
    except ValueError as error:
        raise Fault(field, str(error)) from None


def _version(modified: int | None, began: int) -> int:
    if modified is None:
        return began
    if modified > began + 86_400:
        # Kept, it would be newer than every true version to come.
        raise Fault("changed", "lies in the future")
    return modified


def _national(instant: int | None) -> str:
    if instant is None:
        return ""
    seconds = (instant + OFFSET) % 86_400
    return f"{local_day(instant)}{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
