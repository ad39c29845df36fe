"""What an audit finds: each rule with its kind and its title, and a finding in one sentence in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["error", "doubt", "not_verifiable"]
Verdict = Literal["error", "doubt", "not_verifiable", "consistent"]

KINDS: Mapping[Verdict, tuple[str, str]] = {
    "error": ("Sai", "error"),
    "doubt": ("Nghi vấn", "doubt"),
    "not_verifiable": ("Không kiểm chứng được", "not verifiable"),
    "consistent": ("Khớp", "consistent"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its kind, and its title in Vietnamese and English. `shared`: the lines named with it are found at fault
    together, since none can tell which of them is."""

    kind: Kind
    vi: str
    en: str
    shared: bool = False


RULES: Mapping[str, Rule] = {
    "percentage": Rule("error", "Tỷ lệ khác tử số trên mẫu số", "the percentage is not part of whole"),
    "bound": Rule("error", "“Trên”, “gần” trái với số đếm", "a bound that its own counts break"),
    "part_over_whole": Rule("error", "Tử số lớn hơn mẫu số", "a part over its whole"),
    "over_100": Rule("error", "Tỷ lệ trên 100%", "a percentage over 100"),
    "of_nothing": Rule("error", "Tỷ lệ của mẫu số 0", "a percentage of nothing"),
    "sum": Rule("error", "Các số hạng cộng lại khác tổng", "addends that are not their total", shared=True),
    "change": Rule("error", "Mức tăng giảm khác hiệu hai kỳ", "a change that is not the difference"),
    "move": Rule("error", "Số bậc khác hiệu hai thứ hạng", "a move that is not the difference of ranks"),
    "moves": Rule("error", "Số bậc tăng giảm trong khối không bù nhau", "moves that do not sum to zero", shared=True),
    "year": Rule("error", "Năm ở tiêu đề khác năm của số liệu", "year labels that disagree"),
    "not_yet": Rule("error", "Kết quả của kỳ chưa bắt đầu", "results of a period that had not begun"),
    "two_values": Rule("error", "Một số liệu, hai giá trị", "one figure, two values", shared=True),
    "measured": Rule("error", "Khác số đo được", "differs from what was measured"),
    "cut_off": Rule("doubt", "Tỷ lệ bị cắt, không làm tròn", "cut off, not rounded"),
    "stretched": Rule("doubt", "“Gần”, “khoảng” quá xa số đếm", "“nearly” or “about” is far off"),
    "repeated": Rule("doubt", "Giống hệt kỳ trước", "equal to the last one to the last digit"),
    "halved": Rule("doubt", "Giảm hơn một nửa", "fell by more than half"),
    "earlier_total": Rule("doubt", "Bằng đúng tổng nhóm của kỳ trước", "exactly an earlier total"),
    "two_bases": Rule("doubt", "Một chuỗi, hai cách nói trái nhau", "one series, told in two ways", shared=True),
    "share_of_part": Rule("doubt", "Tỷ lệ của một phần", "a share of a part"),
    "round_number": Rule("doubt", "Số tròn, không có số đếm", "a round number without counts"),
    "ambiguous": Rule("doubt", "Con số đọc được hai cách", "a number that reads two ways"),
    "no_counts": Rule("not_verifiable", "Tỷ lệ không có số đếm", "a percentage without counts"),
    "inexact": Rule("not_verifiable", "Số đếm không chính xác", "counts that are not exact"),
    "open_sum": Rule("not_verifiable", "Không đủ số hạng để cộng", "addends that cannot be added up"),
    "open_block": Rule("not_verifiable", "Khối có đơn vị vào hoặc ra", "a block that is not closed", shared=True),
    "plan": Rule("not_verifiable", "Kế hoạch, chưa phải kết quả", "a plan, not a result"),
    "alone": Rule("not_verifiable", "Con số đứng một mình", "a figure that stands alone"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says of a line, and of others (`lines`) that it concerns. `recomputed` has a decimal point, or is "".

    `vi` and `en` are one sentence each.
    """

    line: int
    rule: str
    claimed: str
    recomputed: str
    vi: str
    en: str
    lines: tuple[int, ...] = ()

    @property
    def kind(self) -> Kind:
        """Error, doubt or not verifiable, by its rule."""
        return RULES[self.rule].kind


def vietnamese(value: Decimal | int) -> str:
    """A number as Vietnamese reports print it: 2.537 and 93,34."""
    return f"{value:,f}".translate(_SWAPPED) if isinstance(value, Decimal) else f"{value:,}".translate(_SWAPPED)


def english(value: Decimal | int) -> str:
    """A number as English reports print it: 2,537 and 93.34."""
    return f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"


_SWAPPED = str.maketrans(",.", ".,")
