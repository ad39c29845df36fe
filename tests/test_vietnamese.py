"""How figures and the program's own reasons are told to officials."""

from decimal import Decimal

import pytest

from collector import vietnamese
from collector.contract.period import day_start, parse_period


@pytest.mark.parametrize(
    ("period", "told"),
    [
        ("2026-02", "tháng 2 năm 2026"),
        ("2026-Q1", "quý I năm 2026"),
        ("2026-Q4", "quý IV năm 2026"),
        ("2026", "năm 2026"),
        ("2026-02-28", "ngày 28/02/2026"),
    ],
)
def test_a_period_is_told_as_officials_write_it(period: str, told: str) -> None:
    assert vietnamese.period(parse_period(period)) == told


def test_numbers_have_a_decimal_comma_and_points_between_thousands() -> None:
    assert vietnamese.thousands(1_234_567) == "1.234.567"
    assert vietnamese.decimal(Decimal("93.30")) == "93,30"
    assert vietnamese.moment(day_start(20260301) + 8 * 3600) == "08:00 ngày 01/03/2026"


@pytest.mark.parametrize(
    ("why", "told"),
    [
        (
            "no source that serves it offers: mailbox, mailbox_day",
            "không có nguồn nào của cơ quan cung cấp: danh sách hộp thư, nhật ký sử dụng hộp thư",
        ),
        ("nothing of the period is covered yet", "chưa đọc được ngày nào của kỳ"),
        (
            "1 day of mailbox_day before 2026-02-24 not covered by mail-viettri; "
            "covered only through 2026-02-24 (mail-viettri)",
            "thiếu 1 ngày nhật ký sử dụng hộp thư trước 24/02/2026 (nguồn mail-viettri); "
            "mới đọc đến 24/02/2026 (nguồn mail-viettri)",
        ),
        (
            "onestop has told nothing of dossier since 2026-02-20",
            "nguồn onestop không cho biết gì về hồ sơ từ 20/02/2026",
        ),
        (
            "2026-01-05..2026-01-07 of mail accepted as lost: hỏng ổ đĩa, mất nhật ký",
            "chấp nhận mất dữ liệu từ 05/01/2026 đến 07/01/2026 của nguồn mail: hỏng ổ đĩa, mất nhật ký",
        ),
        (
            "2026-01-05 of mail accepted as lost: hỏng ổ đĩa",
            "chấp nhận mất dữ liệu ngày 05/01/2026 của nguồn mail: hỏng ổ đĩa",
        ),
        ("none of the 19 counted can be judged", "cả 19 mục đều không xét được"),
        ("2 of 33 cannot be judged", "2/33 không xét được"),
        (
            "2 of 33 cannot be judged; not told: fewer than 5 mailboxes stand behind it, "
            "or behind a figure that could be worked out from it",
            "2/33 không xét được; không nêu: dưới 5 hộp thư đứng sau số này, hoặc sau một số khác mà từ đó suy ra được",
        ),
        (
            "workdays/2026.yaml does not decide whether 9 days are working days",
            "lịch năm 2026 chưa quyết định 9 ngày có phải ngày làm việc",
        ),
        ("only 59.9 % of its points are measured", "mới đo được 59,9 % số điểm"),
        (
            "it ended on 2026-01-31; H44.31.01 and H44.31.02 took over",
            "chấm dứt hoạt động ngày 31/01/2026; H44.31.01 và H44.31.02 tiếp nhận",
        ),
        (
            "H44.31.01: covered, and there was nothing to judge",
            "H44.31.01: đã đọc đủ, không có gì để xét",
        ),
    ],
)
def test_what_the_program_says_is_told_in_vietnamese(why: str, told: str) -> None:
    assert vietnamese.reason(why) == told


def test_what_an_operator_wrote_stays_as_it_is() -> None:
    assert vietnamese.reason("mới thành lập ngày 01/02/2026") == "mới thành lập ngày 01/02/2026"
