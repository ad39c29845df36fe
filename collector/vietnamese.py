"""How numbers, days, states and the program's own reasons are told in Vietnamese, to officials.

Other words for people stand where they are used; these are the ones that several outputs share.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from collector.contract.period import Period, as_date, local_day, parse_day, rfc3339
from collector.contract.reading import State

STATES: Mapping[State, str] = {
    "missing": "thiếu",
    "partial": "chưa đủ",
    "not_applicable": "không áp dụng",
    "measured": "đo đủ",
}

RECORDS: Mapping[str, str] = {
    "mailbox": "danh sách hộp thư",
    "mailbox_day": "nhật ký sử dụng hộp thư",
    "document": "văn bản",
    "delivery": "lượt gửi nhận văn bản",
    "dossier": "hồ sơ",
    "dossier_event": "hẹn trả và tạm dừng hồ sơ",
    "procedure": "danh mục thủ tục",
    "probe": "lượt kiểm tra hệ thống",
}
"""The records by their names."""


def day(one: int) -> str:
    """A local day: 28/02/2026."""
    return as_date(one).strftime("%d/%m/%Y")


def moment(instant: int) -> str:
    """An instant (epoch seconds UTC) on the local clock: 08:00 ngày 01/03/2026."""
    return f"{rfc3339(instant)[11:16]} ngày {day(local_day(instant))}"


def period(one: Period) -> str:
    """A period: tháng 2 năm 2026, quý I năm 2026, năm 2026, ngày 28/02/2026."""
    year, month = divmod(one.first // 100, 100)
    match one.kind:
        case "day":
            return f"ngày {day(one.first)}"
        case "month":
            return f"tháng {month} năm {year}"
        case "quarter":
            return f"quý {('I', 'II', 'III', 'IV')[month // 3]} năm {year}"
        case "year":
            return f"năm {year}"


def thousands(number: int) -> str:
    """A count: 12.345."""
    return f"{number:,}".replace(",", ".")


def decimal(number: Decimal | str) -> str:
    """A number with a decimal comma: 93,34. It keeps the places that it has."""
    return str(number).replace(".", ",")


# -- the program's reasons ---------------------------------------------------------------------------------------


def reason(why: str) -> str:
    """Tell in Vietnamese why a figure is none, or an agency has no rank; what is not the program's own stays as it is.

    Reasons are sentences that the program puts together (`Reading.why`, `Score.why`), behind each other with `; `.
    """
    told = []
    for clause in why.split("; "):
        agency = re.match(r"([A-Z]\d{2}[\d.]*): ", clause)
        rest = clause[agency.end() :] if agency else clause
        told.append((agency[0] if agency else "") + _clause(rest))
    return "; ".join(told)


def _clause(clause: str) -> str:
    for pattern, tell in _CLAUSES:
        if found := re.fullmatch(pattern, clause):
            return tell(found)
    return clause


def _day(text: str) -> str:
    return day(parse_day(text))


def _stretch(first: str, last: str | None) -> str:
    return f"từ {_day(first)} đến {_day(last)}" if last else f"ngày {_day(first)}"


def _count(text: str) -> str:
    return text.replace(",", ".")


def _records(names: str) -> str:
    return ", ".join(RECORDS.get(name, name) for name in names.split(", "))


_DAY = r"(\d{4}-\d{2}-\d{2})"

_CLAUSES: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (
        r"no source that serves it offers: (.+)",
        lambda found: f"không có nguồn nào của cơ quan cung cấp: {_records(found[1])}",
    ),
    (r"nothing of the period is covered yet", lambda _: "chưa đọc được ngày nào của kỳ"),
    (
        r"the records of (.+) were destroyed before they were counted like this",
        lambda found: f"dữ liệu {found[1]} đã hủy trước khi tính theo cách này",
    ),
    (
        r"not told: fewer than (\d+) (.+) stand behind it, or behind a figure that could be worked out from it",
        lambda found: (
            f"không nêu: dưới {found[1]} {_THINGS.get(found[2], found[2])} đứng sau số này, hoặc sau một số khác mà từ "
            "đó suy ra được"
        ),
    ),
    (
        rf"(\d+) days? of (\w+) before {_DAY} not covered by (.+)",
        lambda found: f"thiếu {found[1]} ngày {_records(found[2])} trước {_day(found[3])} (nguồn {found[4]})",
    ),
    (
        rf"covered only through {_DAY} \((.+)\)",
        lambda found: f"mới đọc đến {_day(found[1])} (nguồn {found[2]})",
    ),
    (
        rf"{_DAY}(?:\.\.{_DAY})? of (\S+) accepted as lost: (.+)",
        lambda found: f"chấp nhận mất dữ liệu {_stretch(found[1], found[2])} của nguồn {found[3]}: {found[4]}",
    ),
    (
        rf"(.+) has told nothing of (\w+) since {_DAY}",
        lambda found: f"nguồn {found[1]} không cho biết gì về {_records(found[2])} từ {_day(found[3])}",
    ),
    (r"none of the (\d+) counted can be judged", lambda found: f"cả {found[1]} mục đều không xét được"),
    (r"none of those counted can be judged", lambda _: "không mục nào xét được"),
    (r"([\d,]+) of ([\d,]+) cannot be judged", lambda found: f"{_count(found[1])}/{_count(found[2])} không xét được"),
    (r"too many cannot be judged", lambda _: "quá nhiều mục không xét được"),
    (
        rf"workdays/(\d+)\.yaml does not decide whether {_DAY} is a working day",
        lambda found: f"lịch năm {found[1]} chưa quyết định {_day(found[2])} có phải ngày làm việc",
    ),
    (
        r"workdays/(\d+)\.yaml does not decide whether (\d+) days are working days",
        lambda found: f"lịch năm {found[1]} chưa quyết định {found[2]} ngày có phải ngày làm việc",
    ),
    (r"the calendar of working days does not reach so far", lambda _: "lịch ngày làm việc chưa có đến ngày này"),
    (r"covered, and there was nothing to judge", lambda _: "đã đọc đủ, không có gì để xét"),
    (r"(\d+) of (\d+) agencies are measured", lambda found: f"{found[1]}/{found[2]} cơ quan đo đủ"),
    (r"nothing to judge in any criterion", lambda _: "không có gì để xét ở mọi tiêu chí"),
    (
        r"only ([\d.]+) % of its points are measured",
        lambda found: f"mới đo được {decimal(found[1])} % số điểm",
    ),
    (rf"it ended on {_DAY}", lambda found: f"chấm dứt hoạt động ngày {_day(found[1])}"),
    (r"(.+) took over", lambda found: f"{found[1].replace(' and ', ' và ')} tiếp nhận"),
)
"""What readings, succession and the scoring model say, and the same in Vietnamese."""

_THINGS: Mapping[str, str] = {"mailboxes": "hộp thư"}
