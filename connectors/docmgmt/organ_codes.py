"""Organ codes of recipients: who is inside the province, and what a list of them says of a document's scope."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import normalize

from connectors.register.values import Remembered, Unusable, text_of

_ORGAN_CODE = re.compile(r"(?:\d{2,3}\.){2,3}[A-Z]\d{2}|[A-Z]\d{2}(?:\.[0-9A-Z]+)*")


def outside(inside: Sequence[str], known_outside: Sequence[str] = ()) -> Remembered:
    """Convert organ codes to the flag `outside` the province: None for NULL and for what is no organ code.

    What stands in a list by its whole code or name is decided by that before what only begins or ends so.
    """
    whole, begins, ends = _forms(inside)
    far, far_begins, far_ends = _forms(known_outside)

    def convert(value: Any) -> int | None:
        code = text_of(value)
        if code is None:
            return None
        code = normalize("NFC", code).upper()
        if code in whole or code in far:
            return int(code not in whole)
        if code.startswith(begins) or code.endswith(ends):
            return 0
        if code.startswith(far_begins) or code.endswith(far_ends):
            return 1
        return 1 if _ORGAN_CODE.fullmatch(code) else None

    return Remembered(convert)


def _forms(codes: Sequence[str]) -> tuple[set[str], tuple[str, ...], tuple[str, ...]]:
    upper = [normalize("NFC", code).upper() for code in codes]
    begins = tuple(code for code in upper if code.endswith("."))
    ends = tuple(code for code in upper if code.startswith("."))
    return set(upper) | {code.strip(".") for code in (*begins, *ends)}, begins, ends


Split = Callable[[str], Sequence[str | None] | Unusable]
"""Parts a list into its entries; None: an entry that names nobody."""


def separated(separator: str) -> Split:
    """Part a text at a separator."""
    return lambda told: [part.strip() for part in told.split(separator) if part.strip()]


def json_list(member: str | None) -> Split:
    """Part a JSON list of texts, or (by one of their members) of objects."""

    def split(told: str) -> Sequence[str | None] | Unusable:
        try:
            entries = json.loads(told)
        except (ValueError, RecursionError):
            return Unusable("is no JSON")
        if not isinstance(entries, list):
            return Unusable("is no JSON list")
        codes = [one.get(member) if member and isinstance(one, dict) else one for one in entries]
        return [one.strip() if isinstance(one, str) and one.strip() else None for one in codes]

    return split


def scope_of_list(split: Split, inside: Sequence[str], outside_: Sequence[str], ignore: Sequence[str]) -> Remembered:
    """Convert lists of organ codes to external, internal or None: external as soon as one is outside."""
    flag = outside(inside, outside_)
    ignored = {normalize("NFC", one).upper() for one in ignore}

    def convert(value: Any) -> str | Unusable | None:
        told = text_of(value)
        codes = split(told) if told is not None else ()
        if isinstance(codes, Unusable):
            return codes
        flags = {flag[code] for code in codes if code is None or normalize("NFC", code).upper() not in ignored}
        if not flags:
            return None
        return "external" if 1 in flags else None if None in flags else "internal"

    return Remembered(convert)
