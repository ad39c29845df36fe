"""What the national format tells of a dossier's papers, result and fee (facts: standards 2.1, 2.2, 2.3, 4.1).

Clerks and programs fill these fields in, or do not. What is absent, or is none of the format's values, is unknown and
never a no; and no such field makes a dossier unusable.

HoSoCoThanhPhanSoHoa   1 or 0: whether at least one component is digitised. Without it TaiLieuNop tells (DuocSoHoa of
                       each paper that is not deleted); an empty list tells nothing, for every dossier has a paper.
DanhSachGiayToKetQua   the results: electronic if one of them has a file (DuongDanTepTinKetQua). A list that is there
                       and has none says that the result is on paper.
DuocThanhToanTrucTuyen 0, 1 or 3 (not paid). One client sends 1 for any paid fee, cash too, so a 1 proves a payment
                       online only where the site is known to mean it. Then 0 says not online, and whether a fee was
                       paid at all is told by DanhSachLePhi, where a fee has a price (Gia).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

PaymentFlag = Literal["online", "any_payment"]


def digitised(item: Mapping[str, Any]) -> int | None:
    """Return whether at least one of its papers is digitised; None where nobody says."""
    told = _flag(item.get("HoSoCoThanhPhanSoHoa"))
    if told is not None:
        return told
    papers = _entries(item.get("TaiLieuNop")) or ()
    flags = [_flag(one.get("DuocSoHoa")) for one in papers if _flag(one.get("IsDeleted")) != 1]
    if 1 in flags:
        return 1
    return None if None in flags or not flags else 0


def electronic_result(item: Mapping[str, Any]) -> int | None:
    """Return whether a result is there as a file; None where its results are not listed."""
    results = _entries(item.get("DanhSachGiayToKetQua"))
    if results is None:
        return None
    return int(any(_text(one.get("DuongDanTepTinKetQua")) for one in results))


def payment(item: Mapping[str, Any], flag: PaymentFlag) -> str | None:
    """Return none, online or otherwise: how its fee was paid; None where nobody can say."""
    match _text(item.get("DuocThanhToanTrucTuyen")), flag:
        case "1", "online":
            return "online"
        case "3", _:
            return "none"
        case "0", "any_payment":
            return "none"
        case "0", "online":
            fees = _entries(item.get("DanhSachLePhi"))
            if fees is None:
                return None
            prices = [_text(one.get("Gia")) for one in fees]
            if any(price.isdigit() and price.strip("0") for price in prices):
                return "otherwise"
            return "none" if all(price.isdigit() for price in prices) else None
    return None


def _text(value: Any) -> str:
    """A value as text: "" if it is neither text nor a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else ""
    return value.strip()


def _flag(value: Any) -> int | None:
    if isinstance(value, bool):
        return int(value)
    return {"0": 0, "1": 1, "false": 0, "true": 1}.get(_text(value).lower())


def _entries(value: Any) -> Sequence[Mapping[str, Any]] | None:
    """The objects of a list; None where there is no list of objects."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return None
    return value
