"""The sample sheet of what was published from 2016 to 2019, with its verdicts written by hand.

The numbers of the table are those of the list of faults that people found in these articles before there was an audit.
"""

import csv
from pathlib import Path

import pytest

from collector import init
from collector.audit import Audit, audit, read

FILE = init.samples() / "audit" / "published-2016-2019.csv"

# Number in the list | what is said | of whom (block or agency) | of when | verdict | rule and recomputed figure found
_TABLE = """
1 | Hồ sơ đã giải quyết trên hồ sơ đã tiếp nhận | Thị xã Phú Thọ | đến 17/5/2019 | error | percentage | 93.34%
2 | Thủ tục hành chính cung cấp trên cổng dịch vụ công | Huyện Vĩnh Thạnh | 2018 | error | sum | 124
2 | Dịch vụ công trực tuyến mức độ 1, 2 | Huyện Vĩnh Thạnh | 2018 | error | - | -
2 | Dịch vụ công trực tuyến mức độ 3 | Huyện Vĩnh Thạnh | 2018 | error | - | -
3 | Cán bộ chuyên trách CNTT có trình độ cao đẳng trở lên | Tỉnh Lâm Đồng | 2017 | error | percentage | 93.02%
4 | Thay đổi bậc so với năm trước | UBND huyện Di Linh | 2017 | error | moves | 0
4 | Thay đổi bậc so với năm trước | UBND huyện Cát Tiên | 2017 | error | - | -
4 | Thay đổi bậc so với năm trước | Sở Công thương | 2017 | consistent | - | -
4 | Thay đổi bậc so với năm trước | Sở Tư pháp | 2017 | consistent | - | -
5 | Thủ tục mức độ 3 và 4 trên hệ thống một cửa | Tỉnh Lâm Đồng | 2017 | consistent | - | -
6 | Hệ thống một cửa điện tử triển khai đến sở, ban, ngành | Sở, ban, ngành | 2017 | consistent | - | -
6 | Hệ thống một cửa điện tử triển khai đến UBND huyện, thành phố | Huyện, thành phố | 2017 | consistent | - | -
6 | Hệ thống một cửa điện tử triển khai đến UBND cấp xã | Cấp xã | 2017 | consistent | - | -
6 | Số cơ quan trong khối sở, ban, ngành: tốt, khá, trung bình | Sở, ban, ngành | 2017 | consistent | - | -
6 | Số cơ quan trong khối cơ quan, đơn vị khác: tốt, khá, trung bình | Cơ quan khác | 2017 | consistent | - | -
6 | Số đơn vị trong khối UBND huyện, thành phố: tốt, khá, trung bình | Huyện, thành phố | 2017 | consistent | - | -
7 | Dịch vụ công trực tuyến mức độ 3 | Tỉnh Phú Thọ | 2016 | consistent | - | -
7 | Dịch vụ công trực tuyến mức độ 4 | Tỉnh Phú Thọ | 2016 | consistent | - | -
8 | Tổng kinh phí đầu tư giai đoạn 2011-2015 | Tỉnh Phú Thọ | 2011-2015 | consistent | - | -
8 | Kinh phí Trung ương | Tỉnh Phú Thọ | 2011-2015 | consistent | - | -
8 | Kinh phí địa phương | Tỉnh Phú Thọ | 2011-2015 | consistent | - | -
8 | Tổng kinh phí dự kiến giai đoạn 2016-2020 | Tỉnh Phú Thọ | 2016-2020 | consistent | - | -
9 | TTHC cung cấp trực tuyến mức độ 3 | Tỉnh Phú Thọ | 2019 | doubt | earlier_total | 593
9 | TTHC cung cấp trực tuyến mức độ 4 | Tỉnh Phú Thọ | 2019 | doubt | halved | 95
10 | Văn bản điện tử trao đổi trong nội bộ cơ quan | Tỉnh Phú Thọ | 2019 | doubt | repeated | 68%
10 | Văn bản điện tử trao đổi ra bên ngoài | Tỉnh Phú Thọ | 2019 | doubt | repeated | 58%
11 | Xếp hạng mức độ ứng dụng CNTT: năm của bảng xếp hạng | Tỉnh Phú Thọ | 2017 | error | year | 2017
12 | CBCC được cấp hộp thư sử dụng ít nhất 1 lần/ngày | Tỉnh Phú Thọ | 2017 | doubt | share_of_part | 60.3%
13 | Cơ quan đã cài đặt và sử dụng phần mềm quản lý văn bản | Tỉnh Phú Thọ | 2016 | not_verifiable | alone | -
13 | Cơ quan sử dụng phần mềm quản lý văn bản và điều hành | Tỉnh Phú Thọ | 2017 | not_verifiable | no_counts | -
15 | CBCC cấp huyện sử dụng thư điện tử công vụ | Cấp huyện | 2018 | doubt | two_bases | 100%
15 | CBCC cấp xã sử dụng thư điện tử công vụ | Cấp xã | 2018 | doubt | two_bases | 100%
16 | Văn bản điện tử hoàn toàn trên môi trường mạng, nội bộ | Huyện Vĩnh Thạnh | 2018 | doubt | round_number | -
16 | Văn bản điện tử hoàn toàn trên môi trường mạng, với bên ngoài | Huyện Vĩnh Thạnh | 2018 | doubt | round_number | -
17 | CBCCVC sử dụng thường xuyên thư điện tử công vụ | Thị xã Phú Thọ | 2019 | not_verifiable | no_counts | -
17 | Hồ sơ giải quyết đúng hạn tại Trung tâm hành chính công | Tỉnh Phú Thọ | 2019 | not_verifiable | no_counts | -
18 | Cơ quan bố trí kinh phí mở lớp đào tạo CNTT | Tỉnh Phú Thọ | 2017 | consistent | - | -
18 | Cơ quan sử dụng chữ ký số | Tỉnh Phú Thọ | 2017 | consistent | - | -
18 | Cơ quan ban hành kế hoạch ứng dụng CNTT | Tỉnh Phú Thọ | 2017 | consistent | - | -
18 | Đơn vị có quy định về an toàn thông tin mạng | Tỉnh Phú Thọ | 2017 | consistent | - | -
18 | Đơn vị ban hành văn bản chỉ đạo đẩy mạnh ứng dụng CNTT | Tỉnh Phú Thọ | 2017 | consistent | - | -
"""

BY_HAND: dict[int, list[list[str]]] = {}
for _line in _TABLE.strip().splitlines():
    _number, *_rest = (cell.strip().removeprefix("-") for cell in _line.split("|"))
    BY_HAND.setdefault(int(_number), []).append(_rest)

FOUND_BESIDES = [
    ("CBCC sử dụng thành thạo máy tính", "2017", "repeated"),
    ("CBCC được cấp hộp thư điện tử công vụ", "2017", "round_number"),
    ("Cán bộ cấp xã được trang bị máy tính", "2017", "round_number"),
]
"""Doubts that were not in the list."""


@pytest.fixture(scope="module")
def published() -> Audit:
    return audit(read(FILE))


@pytest.mark.parametrize("number", BY_HAND)
def test_each_fault_on_the_list_is_found_and_each_consistent_figure_is_called_so(number: int, published: Audit) -> None:
    for what, who, period, verdict, rule, recomputed in BY_HAND[number]:
        (claim,) = [
            one
            for one in published.claims
            if one.what == what and who in (one.agency, one.block) and one.period and one.period.written == period
        ]
        assert published.verdicts[claim.line] == verdict, what
        found = [(one.rule, one.recomputed) for one in published.findings if one.line == claim.line]
        assert found == ([(rule, recomputed)] if rule else []), what


def test_these_are_all_the_errors() -> None:
    """Of the list, 1, 2, 3, 4 and 11 are errors of arithmetic; nothing else in the articles is."""
    published = audit(read(FILE))
    errors = [(one.rule, one.recomputed) for one in published.findings if one.kind == "error"]
    assert errors == [
        ("year", "2017"),
        ("moves", "0"),
        ("percentage", "93.02%"),
        ("sum", "124"),
        ("percentage", "93.34%"),
    ]


def test_these_are_all_the_doubts(published: Audit) -> None:
    claims = {one.line: one for one in published.claims}
    found = [
        (claims[one.line].what, claims[one.line].period, one.rule) for one in published.findings if one.kind == "doubt"
    ]
    listed = {(what, period, rule) for some in BY_HAND.values() for what, _, period, verdict, rule, _ in some}
    told = [(what, period.written if period else "", rule) for what, period, rule in found]
    assert [one for one in told if one not in listed] == FOUND_BESIDES
    assert len(told) == 12


def test_every_line_cites_where_it_was_published(published: Audit) -> None:
    documents = dict.fromkeys((one.document, one.date) for one in published.claims)
    assert [date for _, date in documents] == [20160415, 20171218, 20180327, None, 20190610]
    assert all(name for name, _ in documents)


def test_it_opens_in_a_spreadsheet_of_an_office(published: Audit) -> None:
    """A mark of UTF-8 and semicolons, as a spreadsheet with Vietnamese settings expects; lines are numbered on."""
    data = FILE.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert [row["STT"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert len(rows) == len(published.claims) == 88


def test_the_sample_is_among_what_init_writes(tmp_path: Path) -> None:
    assert tmp_path / "new" / "audit" / FILE.name in init.write(tmp_path / "new")
