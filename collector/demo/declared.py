"""What the agencies of the sample province declare about themselves: their forms, some of them with empty lines.

Each agency handed in a form for 2025 and the time after it, and some of them a second one for 2026 alone. One agency in
thirty handed in none; of the others' items one in sixteen has no value.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import yaml

from collector.contract.period import iso, plus_days
from collector.demo.ledger import Agency, Item, Statement

FROM_DAY = 20250101
NEWER = "2026"

_Whole = Callable[[Agency, Random], int]


def _officials(agency: Agency, _: Random) -> int:
    return agency.headcount or 20


def _about(low: int, high: int) -> _Whole:
    return lambda _, chance: chance.randint(low, high)


# What is declared: of how many, the share that it usually is (a yes or no has a whole of one), and its evidence.
_ITEMS: Mapping[str, tuple[_Whole, float, str]] = {
    "computers": (_officials, 0.95, "Biên bản kiểm kê số {number}/BB-KK"),
    "network": (_officials, 0.97, "Biên bản kiểm kê số {number}/BB-KK"),
    "state network": (_about(1, 1), 0.9, "Biên bản nghiệm thu số {number}/BB-NT"),
    "communes": (_about(8, 22), 0.7, "Danh sách đơn vị kèm báo cáo số {number}/BC"),
    "certificates": (_about(2, 5), 0.8, "Danh sách chứng thư số kèm công văn số {number}/CV"),
    "website": (_about(14, 14), 0.85, "https://{domain}/cong-khai"),
    "news": (_about(20, 60), 0.75, "https://{domain}/chi-dao-dieu-hanh"),
    "experts": (_about(1, 4), 0.85, "Bản sao văn bằng kèm công văn số {number}/CV"),
    "trained": (_officials, 0.5, "Danh sách lớp tập huấn số {number}/DS"),
    "skilled": (_officials, 0.9, "Kết quả khảo sát kèm báo cáo số {number}/BC"),
    "malware": (_officials, 0.8, "Biên bản kiểm kê số {number}/BB-KK"),
    "security level": (_about(1, 3), 0.6, "Quyết định số {number}/QĐ"),
    "backup": (_about(1, 1), 0.8, "Biên bản diễn tập khôi phục số {number}/BB"),
    "aware": (_officials, 0.4, "Danh sách lớp tập huấn số {number}/DS"),
    "plan": (_about(1, 1), 0.9, "Kế hoạch số {number}/KH"),
    "rules": (_about(1, 1), 0.85, "Quyết định số {number}/QĐ"),
    "security rules": (_about(1, 1), 0.85, "Quyết định số {number}/QĐ"),
    "budget": (_about(1, 1), 0.9, "Quyết định số {number}/QĐ"),
}

_STAFF = {"4.1": "experts", "4.2": "trained", "4.3": "skilled"}
_SECURITY = {"5.1": "malware", "5.2": "security level", "5.3": "backup", "5.4": "aware"}
_POLICY = {"6.1": "plan", "6.2": "rules", "6.3": "security rules", "6.4": "budget"}
_PEOPLE = {"3.1.1": "website", "3.1.2": "news"}
_INSIDE = {"2.3.2": "certificates"}
_NETWORKS = {"1.1": "computers", "1.2": "network", "1.3": "state network"}

DECLARED: Mapping[str, Mapping[str, str]] = {
    "departments": _NETWORKS | _INSIDE | _PEOPLE | _STAFF | _SECURITY | _POLICY,
    "vertical": _NETWORKS | _INSIDE | {"3.1": "website", "3.2": "news"} | _STAFF | _SECURITY | _POLICY,
    "districts": _NETWORKS | {"1.4": "communes"} | _INSIDE | _PEOPLE | _STAFF | _SECURITY | _POLICY,
    "communes": _NETWORKS
    | _INSIDE
    | _PEOPLE
    | _STAFF
    | {"5.1": "malware", "5.2": "backup", "5.3": "aware", "6.1": "plan", "6.2": "rules", "6.3": "budget"},
}
"""By block, the criteria that agencies declare (config/scoring.yaml), and what each of them is about."""


def statements(agency: Agency, chance: Random) -> list[Statement]:
    """Return the forms that an agency handed in."""
    if chance.random() < 1 / 30:
        return []
    zeal = chance.uniform(-0.15, 0.15)
    items = [_item(agency, criterion, about, zeal, chance) for criterion, about in DECLARED[agency.block].items()]
    by = agency.name
    forms = [Statement(agency.code, by, plus_days(FROM_DAY, chance.randint(7, 25)), "", FROM_DAY, items)]
    if chance.random() < 1 / 3:
        again = [item for item in items if chance.random() < 1 / 4]
        better = [_item(agency, one.criterion, DECLARED[agency.block][one.criterion], 0.2, chance) for one in again]
        forms.append(Statement(agency.code, by, plus_days(20260105, chance.randint(0, 20)), NEWER, None, better))
    return forms


def _item(agency: Agency, criterion: str, about: str, zeal: float, chance: Random) -> Item:
    whole, usual, evidence = _ITEMS[about]
    judged = whole(agency, chance)
    share = min(1.0, max(0.0, usual + zeal + chance.uniform(-0.1, 0.1)))
    hits = sum(chance.random() < share for _ in range(judged))
    text = evidence.format(number=chance.randint(3, 240), domain=agency.mail_domain)
    if chance.random() < 1 / 16:
        return Item(criterion, None, None, "")
    return Item(criterion, hits, judged, text)


def write(forms: list[Statement], path: Path) -> None:
    """Write declared.yaml."""
    listed = []
    for one in forms:
        entry: dict[str, Any] = {"agency": one.agency, "by": one.by, "on": iso(one.on)}
        entry |= {"for": one.period} if one.period else {"from": iso(one.from_day or FROM_DAY)}
        entry["items"] = {
            item.criterion: {}
            if item.judged is None
            else {"value": f"{item.hits} of {item.judged}", "evidence": item.evidence}
            for item in one.items
        }
        listed.append(entry)
    text = yaml.safe_dump({"statements": listed}, allow_unicode=True, sort_keys=False, width=120)
    path.write_text(f"# What the agencies of the sample province declare.\n{text}", encoding="utf-8")
