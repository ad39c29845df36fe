"""The page of definitions, from the catalogue of indicators (`make readme` writes it)."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from collector.assembly import find_indicators
from collector.contract.indicator import Indicator

PAGE = Path(__file__).parent.parent / "docs" / "definitions.md"

FAMILIES = {
    "documents": "Văn bản · Documents",
    "dossiers": "Hồ sơ · Dossiers",
    "mailboxes": "Hộp thư · Mailboxes",
    "procedures": "Thủ tục hành chính · Procedures",
    "systems": "Hệ thống · Systems",
}
FROM = {
    "machine": "máy ghi · recorded by machines",
    "clerk": "cán bộ đánh dấu · ticked by clerks",
    "register": "danh mục · from the register",
}
PERIODS = {
    "sum": "cộng theo ngày · days are added up",
    "end": "cuối kỳ · as it stands at the period's end",
    "month": "từng tháng, cộng lại · months are added up",
    "any": "trong kỳ có hay không · whether it happened in the period at all",
    "flow": "đến, xong, rời đi · what came, was done and left, with what was carried over",
}


def page(indicators: Sequence[Indicator]) -> str:
    """Return the page."""
    lines = [
        "# Định nghĩa các chỉ số · Definitions",
        "",
        "Generated from the catalogue that the program counts by (`collector indicators`); what is said here is what is"
        " counted.",
        "A figure is hits / judged of what is counted in the period; what cannot be judged is unknown and in neither.",
    ]
    for family, some in groupby(indicators, lambda one: one.id.partition(".")[0]):
        lines += ["", f"## {FAMILIES[family]}"]
        for one in some:
            lower = "; càng thấp càng tốt · lower is better" if one.better == "lower" else ""
            lines += [
                "",
                f"### {one.id}",
                f"**{one.title_vi}** · {one.title_en} (version {one.version}{lower})",
                "",
                "| | |",
                "|---|---|",
                f"| xét · counted | {one.counted_vi}<br>*{one.counted_en}* |",
                f"| đạt · hit | {one.hit_vi}<br>*{one.hit_en}* |",
                f"| kỳ · period | {PERIODS[one.period]} |",
                f"| nguồn · from | {FROM[one.measured_from]}: {', '.join(record.NAME for record in one.needs)} |",
                f"| căn cứ · legal source | {one.legal} |",
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(find_indicators()), encoding="utf-8")
