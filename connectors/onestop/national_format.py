"""One object of the national format (facts of the DVCQG guide) as rows: a dossier, or a line of the catalogue.

Only the fields named here are ever looked at. Whatever else an object holds (who filed it, how to reach them) is
neither copied nor named in an error: a fault is told by key, field and reason, without any of the content.

All times of the format are `yyyyMMddHHmmss` on the local clock, "" when absent; `yyyyMMdd` is accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, field_validator

from collector.contract.connector import Row
from collector.contract.period import OFFSET, day_start, local_day, plus_days
from connectors.onestop.national_flags import PaymentFlag, digitised, electronic_result, payment
from connectors.onestop.national_steps import Step, since, waits

MICROSECONDS = 1_000_000

_LONGEST_TEXT = 200
_YEARS = range(1990, 2101)
_DAY_ALONE = 8
_PROCEDURE_CODE = 8  # 1.002835; what follows is the province's own suffix

OUTCOMES: Mapping[str, str] = {
    "1": "open",  # mới đăng ký
    "2": "open",  # được tiếp nhận
    "3": "refused_at_intake",  # không được tiếp nhận
    "4": "open",  # đang xử lý
    "5": "open",  # yêu cầu bổ sung giấy tờ: a pause, but only where a supplement or a step dates it
    "6": "open",  # yêu cầu thực hiện nghĩa vụ tài chính: likewise
    "7": "withdrawn",  # công dân rút hồ sơ
    "8": "stopped",  # dừng xử lý
    "9": "completed",  # đã xử lý xong
    "10": "completed",  # đã trả kết quả
}
"""What TrangThaiHoSo means (facts: standards 2.2, source-systems 2.1)."""
NO_WORDS: Mapping[str, str] = {}
_NOT_RECEIVED = frozenset({"1", "3"})
_DONE = frozenset({"9", "10"})
_TAKEN_IN = frozenset({"1", "2"})
CHANNELS: Mapping[str, str] = {"1": "counter", "2": "online", "3": "post"}
"""What KenhThucHien means: trực tiếp, trực tuyến, bưu chính công ích."""

LEVELS: Mapping[str, str] = {"2": "information", "3": "partial", "4": "full"}
"""What MucDo means: information only, một phần, toàn trình."""

_TRUE = frozenset({"1", "true", "True"})
_FALSE = frozenset({"", "0", "false", "False"})


class Form(BaseModel):
    """How a site fills the format in: the part of the configuration that reading one object needs."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    stamp: str = Field(
        default="NgayCapNhat",
        min_length=1,
        description="Field with the service's own update stamp, in the format of all times",
        examples=["NgayCapNhat"],
    )
    progress: str = Field(
        default="DanhSachTienDo",
        min_length=1,
        description=(
            "List of progress steps (ThoiDiemXuLy, TrangThai): they date pauses, withdrawals, refusals and stops that"
            " nothing else dates; the latest is the version where there is no stamp"
        ),
        examples=["DanhSachTienDo"],
    )
    deleted: str | None = Field(
        default=None,
        min_length=1,
        description="Field that says 1 once a dossier is deleted; leave out if the service has none",
        examples=["DaXoa"],
    )
    statuses: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "What the service writes instead of the codes of TrangThaiHoSo: 1 registered, 2 received, 3 refused at"
            " intake, 4 in process, 5 supplement asked, 6 fee due, 7 withdrawn, 8 stopped, 9 processed, 10 collected"
        ),
        examples=[{"processing": "4", "done": "10", "unresolved": "8"}],
    )
    due_dates: Literal["recorded", "overwritten"] = Field(
        default="recorded",
        description=(
            "recorded: every move of NgayHenTra is in DanhSachHoSoBoSung or comes as a new version; overwritten: the"
            " system also moves it without a trace, so that a date first seen after the day of receipt proves nothing"
        ),
        examples=["recorded"],
    )
    payment_flag: PaymentFlag = Field(
        default="any_payment",
        description=(
            "What DuocThanhToanTrucTuyen 1 says: online, paid online; any_payment: paid, be it in cash, as some systems"
            " fill it in, so that nobody can say whether it was online"
        ),
        examples=["online"],
    )

    @field_validator("statuses")
    @classmethod
    def _codes(cls, statuses: dict[str, str]) -> dict[str, str]:
        for told, code in statuses.items():
            if code not in OUTCOMES:
                raise ValueError(f"{told!r} cannot mean {code!r}; the codes are {', '.join(OUTCOMES)}")
        return statuses


class Unusable(Exception):
    """An object that cannot be used. `key` is its number, "?" where it has none that can be printed."""

    def __init__(self, key: str, field: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.field = field
        self.reason = reason


class Fault(Exception):
    """A field that cannot be used, until it is known of which object."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reading:
    """A dossier as rows of Dossier and DossierEvent. `stamp` is its update stamp as written, "" without one."""

    dossier: Row
    events: Sequence[Row]
    stamp: str


def expected_fields(item: Mapping[str, Any], statuses: Mapping[str, str] = NO_WORDS) -> tuple[str, ...]:
    """Return the fields that such a dossier should name, be they empty; where none does, the format has changed."""
    status = str(item.get("TrangThaiHoSo", "")).strip()
    status = statuses.get(status, status)
    always = ("DonViXuLy", "MaTTHC", "KenhThucHien", "TrangThaiHoSo")
    if status in _DONE:
        return (*always, "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy")
    return always if status in _NOT_RECEIVED else (*always, "NgayTiepNhan", "NgayHenTra")


def key_of(item: Any, field: str) -> str:
    """Return an object's number for messages: "?" where it is missing or no printable text."""
    value = item.get(field) if isinstance(item, dict) else None
    return value.strip() if isinstance(value, str) and _printable(value.strip()) and value.strip() else "?"


def instant_of(text: str) -> int:
    """Return a time of the format as an instant (epoch seconds UTC); ValueError, without content, if it is none."""
    seconds = 0
    if len(text) == 14 and text.isascii() and text.isdigit():
        hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14])
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError("is no time of day")
        seconds = hour * 3600 + minute * 60 + second
    elif len(text) != 8 or not text.isascii() or not text.isdigit():
        raise ValueError("is not written as yyyyMMddHHmmss")
    return _start(text[:8]) + seconds


@lru_cache(maxsize=65_536)
def _start(digits: str) -> int:
    if int(digits[:4]) not in _YEARS:
        # A program's "smallest date" (year 1) would be on time for any due date.
        raise ValueError("is no plausible date")
    try:
        return day_start(int(digits))
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def read_dossier(item: Any, form: Form, read_at: int, began: int) -> Reading:
    """Return a dossier as rows. Raises Unusable.

    `read_at` (epoch seconds) is its version where it has neither stamp nor progress step; `began` that of the run.

    Status. 1 and 3 were never received: a NgayTiepNhan beside them is the time of filing that some systems put there,
    and would count a dossier that no desk accepted. 9 and 10 without NgayKetThucXuLy are completed on a day that
    nobody knows; with NgayTuChoi they were refused after work. 5 and 6 alone are no pause. Where 3, 7 and 8 bear no
    date of their own, the step that brought them has it. A code that is not of the format ends as unknown: no outcome
    and no completed_day (a NgayKetThucXuLy may be that of anything), so that it can never be a hit; what does not
    depend on the status is kept.
    """
    if not isinstance(item, dict):
        raise Unusable("?", "data", "is no object")
    key = key_of(item, "MaHoSo")
    try:
        return _dossier(item, form, read_at, began)
    except Fault as fault:
        raise Unusable(key, fault.field, fault.reason) from None


def _dossier(item: Mapping[str, Any], form: Form, read_at: int, began: int) -> Reading:
    key = item.get("MaHoSo")
    if not isinstance(key, str) or not key.strip():
        raise Fault("MaHoSo", "is missing or no text")
    key = _code(item, "MaHoSo")
    written = _code(item, "TrangThaiHoSo")
    status = form.statuses.get(written, written)
    steps = _steps(item, form)
    received = None if status in _NOT_RECEIVED else _instant(item, "NgayTiepNhan")
    finished, returned, refused = (_day(item, name) for name in ("NgayKetThucXuLy", "NgayTra", "NgayTuChoi"))
    outcome = OUTCOMES.get(status)
    completed = ended = None
    if outcome == "completed":
        completed = finished
        if refused is not None:
            outcome = "refused_after"
    elif outcome == "refused_at_intake":
        ended = finished if refused is None else refused
    elif outcome in ("withdrawn", "stopped"):
        ended = returned if finished is None else finished
    if ended is None and outcome in ("refused_at_intake", "withdrawn", "stopped"):
        began_so = since(steps, status)
        ended = None if began_so is None else local_day(began_so)
    stamp = _time(item, form.stamp)
    version = _version(item, form, steps, read_at, began)
    row = (
        key,
        _code(item, "DonViXuLy"),
        version * MICROSECONDS,
        _removed(item, form),
        _code(item, "MaTTHC")[:_PROCEDURE_CODE] or None,
        CHANNELS.get(_code(item, "KenhThucHien")),
        _day(item, "NgayNopHoSo"),
        None if received is None else local_day(received),
        completed,
        returned,
        outcome,
        ended,
        written or None,
        None if completed is None else _moment(item, "NgayKetThucXuLy"),
        _due_moment(item),
        _day(item, "NgayHenTra"),
        digitised(item),
        electronic_result(item),
        payment(item, form.payment_flag),
    )
    supplements = _supplements(item)
    events = _pauses(key, version, received, supplements) + _waits(key, version, received, supplements, steps)
    if status not in _NOT_RECEIVED:  # before receipt nothing is promised
        events += _promises(key, form, version, received, _day(item, "NgayHenTra"), supplements)
    return Reading(row, events, stamp)


def _steps(item: Mapping[str, Any], form: Form) -> list[Step]:
    found = []
    for entry in _objects(item, form.progress):
        at = _instant(entry, "ThoiDiemXuLy", form.progress)
        if at is not None:
            told = entry.get("TrangThai")
            status = str(told).strip() if isinstance(told, str | int) else ""
            status = form.statuses.get(status, status)
            found.append(Step(at, status if status in OUTCOMES else ""))
    return found


def _version(item: Mapping[str, Any], form: Form, steps: Sequence[Step], read_at: int, began: int) -> int:
    stamp = _instant(item, form.stamp)
    if stamp is None:
        stamp = max((step.at for step in steps), default=None)
    if stamp is None:
        return read_at
    if stamp > began + 86_400:
        # Kept, it would be newer than every true version to come.
        raise Fault(form.stamp, "lies in the future")
    return stamp


@dataclass(frozen=True, slots=True)
class _Supplement:
    """A request for more papers. Instants in epoch seconds, days local; None: the source does not say."""

    ref: str
    asked: int | None
    back: int | None
    due_before: int | None
    due_after: int | None


def _supplements(item: Mapping[str, Any]) -> list[_Supplement]:
    name = "DanhSachHoSoBoSung"
    found = []
    for entry in _objects(item, name):
        asked = _instant(entry, "NgayBoSung", name)
        back = _instant(entry, "NgayTiepNhanBoSung", name)
        if asked is None and back is not None:
            raise Fault(f"{name}.NgayBoSung", "is missing although the supplement came back")
        # Without an id the time of asking names it; its place in the list would change with the list.
        ref = _code(entry, "HoSoBoSungId", name) or ("" if asked is None else f"@{asked}")
        before, after = (_day(entry, field, name) for field in ("NgayHenTraTruoc", "NgayHenTraMoi"))
        found.append(_Supplement(ref, asked, back, before, after))
    return found


def _pauses(key: str, version: int, received: int | None, supplements: Sequence[_Supplement]) -> list[Row]:
    """Return pauses: the newest version of the dossier says when they began and ended.

    A pause that has not ended gives a removed end, so that a return that is taken back leaves no trace. A supplement
    that came back before receipt, with no due date to move, stopped no clock. An entry without a date is a draft.
    """
    merged: dict[str, _Supplement] = {}
    for one in supplements:
        if one.asked is not None:
            same = merged.get(one.ref, one)
            # The same request listed twice is one pause: from its first date to its last.
            merged[one.ref] = _Supplement(
                one.ref,
                min(one.asked, same.asked or one.asked),
                max((back for back in (one.back, same.back) if back is not None), default=None),
                one.due_before or same.due_before,
                one.due_after or same.due_after,
            )
    rows: list[Row] = []
    for one in merged.values():
        if one.asked is None:
            continue
        before_receipt = (
            one.back is not None
            and received is not None
            and one.back <= received
            and one.due_before is None
            and one.due_after is None
        )
        rows += _pause(key, version, one.ref, one.asked, one.back, not_there=before_receipt)
    return rows


def _pause(key: str, version: int, ref: str, asked: int, back: int | None, *, not_there: bool) -> list[Row]:
    """Return the begin and the end of a pause; the end of one that lasts is a removed row."""
    rows: list[Row] = []
    for kind, word, at, removed in (
        ("pause_begun", "begun", asked, not_there),
        ("pause_ended", "ended", asked if back is None else back, not_there or back is None),
    ):
        instant, changed = at * MICROSECONDS, version * MICROSECONDS
        rows.append(
            (f"{key}|{word}|{ref}", "", changed, int(removed), key, kind, ref, instant, local_day(at), "history")
        )
    return rows


def _waits(
    key: str, version: int, received: int | None, supplements: Sequence[_Supplement], steps: Sequence[Step]
) -> list[Row]:
    """Return the pauses that only steps tell of. One at the time of a listed supplement is that supplement's own.

    It is removed then: an earlier version may have told it by its steps alone. One before receipt stopped no clock.
    One that lasts is believed only of steps that go back to the receipt: a system that lists its latest steps alone
    would never tell that it ended.
    """
    first_step = min(steps, key=lambda one: one.at, default=None)
    reach_back = (
        first_step is not None
        and first_step.status in _TAKEN_IN
        and received is not None
        and local_day(first_step.at) <= local_day(received)
    )
    listed = [(one.asked, one.back) for one in supplements if one.asked is not None]
    rows: list[Row] = []
    for asked, back in waits(steps):
        if back is None and not reach_back:
            continue
        first, last = local_day(asked), None if back is None else local_day(back)
        theirs = any(
            (last is None or local_day(begun) <= last) and (ended is None or first <= local_day(ended))
            for begun, ended in listed
        )
        before_receipt = back is not None and received is not None and back <= received
        rows += _pause(key, version, f"step@{asked}", asked, back, not_there=theirs or before_receipt)
    return rows


def _promises(
    key: str,
    form: Form,
    version: int,
    received: int | None,
    due: int | None,
    supplements: Sequence[_Supplement],
) -> list[Row]:
    """Return the due dates that this version tells of, each with an `at` by which it was surely in force.

    The store keeps the smallest `at` of each due day, over all versions ever read, and takes the smallest of all as
    the first promise. So that this holds whichever versions are seen, in whichever order, and even where a version
    lists only its latest supplement, no `at` says more than its source does:

    - NgayHenTraTruoc was in force just before the supplement was asked for (not "since receipt": a second supplement,
      seen alone, would then claim that the moved date was the first);
    - NgayHenTraMoi was in force once the supplement was back (asked for, while it is not);
    - NgayHenTra, unless it is one of those, is in force at the version, and after all else that the version knows of.

    A moved date without any date before it is no first promise: its basis is `current`. The last digits of `at` differ
    by basis, so that (key, at) decides the whole row and no tie is left to chance.
    """
    moved = {one.due_after for one in supplements}
    knows_what_was_before = any(one.due_before is not None for one in supplements)
    instants = [time for one in supplements for time in (one.asked, one.back) if time is not None]
    found: dict[int, tuple[int, str]] = {}

    def promise(day: int, at: int, basis: str) -> None:
        found[day] = min(found.get(day, (at, basis)), (at, basis))

    for one in supplements:
        if one.due_before is not None:
            when = one.asked if one.asked is not None else received if received is not None else version
            promise(one.due_before, when * MICROSECONDS - 1, "history")
        if one.due_after is not None:
            when = next((time for time in (one.back, one.asked) if time is not None), version)
            if knows_what_was_before:
                promise(one.due_after, when * MICROSECONDS + 1, "history")
            else:
                promise(one.due_after, when * MICROSECONDS + 3, "current")
    if due is not None and due not in moved:
        seen = max([version, *instants] if received is None else [version, received, *instants])
        if form.due_dates == "recorded" or (
            received is not None and local_day(version) <= plus_days(local_day(received), 1)
        ):
            promise(due, seen * MICROSECONDS + 2, "first")
        else:
            promise(due, seen * MICROSECONDS + 4, "current")
    return [
        (f"{key}|due|{day}", "", -at, 0, key, "due_promised", str(day), at, day, basis)
        for day, (at, basis) in found.items()
    ]


def read_procedure(item: Any, form: Form, read_at: int) -> Row:
    """Return a line of the catalogue as a row of Procedure. Raises Unusable."""
    if not isinstance(item, dict):
        raise Unusable("?", "data", "is no object")
    try:
        code = _code(item, "MaTTHC")[:_PROCEDURE_CODE]
        if not code:
            raise Fault("MaTTHC", "is missing")
        agency = _code(item, "MaCoQuan")
        stamp = _instant(item, form.stamp)
        return (
            f"{code}@{agency}" if agency else code,
            agency,
            (read_at if stamp is None else min(stamp, read_at)) * MICROSECONDS,
            0,
            code,
            LEVELS.get(_code(item, "MucDo")),
            _day(item, "HieuLucTu"),
            _day(item, "HieuLucDen"),
            1,
        )
    except Fault as fault:
        raise Unusable(key_of(item, "MaTTHC"), fault.field, fault.reason) from None


def _printable(text: str) -> bool:
    return text.isprintable() and len(text) <= _LONGEST_TEXT


def _code(item: Mapping[str, Any], field: str, within: str = "") -> str:
    """A code: text, or a number where a program writes it so; "" where it is absent."""
    value = item.get(field)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        _fail(field, within, "is neither text nor a number")
    if isinstance(value, int):
        if abs(value) >= 10**18:
            _fail(field, within, "is an oversized number")
        return str(value)
    text = value.strip()
    if not _printable(text):
        _fail(field, within, "is no short printable text")
    return text


def _time(item: Mapping[str, Any], field: str, within: str = "") -> str:
    value = item.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        _fail(field, within, "is no text")
    return value.strip()


def _instant(item: Mapping[str, Any], field: str, within: str = "") -> int | None:
    text = _time(item, field, within)
    if not text:
        return None
    try:
        return instant_of(text)
    except ValueError as error:
        _fail(field, within, str(error))


def _moment(item: Mapping[str, Any], field: str) -> int | None:
    """The instant of a time that tells more than its day."""
    return _instant(item, field) if len(_time(item, field)) > _DAY_ALONE else None


def _due_moment(item: Mapping[str, Any]) -> int | None:
    """The instant of the due date shown. Nothing is promised for midnight: it stands for a day without a time."""
    due = _moment(item, "NgayHenTra")
    return None if due is None or (due + OFFSET) % 86_400 == 0 else due


def _day(item: Mapping[str, Any], field: str, within: str = "") -> int | None:
    """The local day: the first eight digits, since the clock that wrote them is the local one."""
    return None if _instant(item, field, within) is None else int(_time(item, field, within)[:8])


def _objects(item: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = item.get(field)
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Fault(field, "is no list of objects")
    return value


def _removed(item: Mapping[str, Any], form: Form) -> int:
    if form.deleted is None:
        return 0
    value = item.get(form.deleted)
    text = str(value) if isinstance(value, bool) else _code(item, form.deleted)
    if text not in _TRUE and text not in _FALSE:
        raise Fault(form.deleted, "is neither 0 nor 1")
    return int(text in _TRUE)


def _fail(field: str, within: str, reason: str) -> NoReturn:
    raise Fault(f"{within}.{field}" if within else field, reason)
