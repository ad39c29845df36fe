"""A cell of a sheet as it was read, and words as they are compared: without case, marks and odd spaces."""

import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(0x5E)}


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell. `text` as it is shown; `number` and `day` (yyyymmdd) where the sheet holds them as such.

    `number` has as many places as are shown; of a `percent` it is the number before the sign.
    """

    text: str = ""
    number: Decimal | None = None
    percent: bool = False
    day: int | None = None


EMPTY = Cell()

FORMULA = "=?"
"""Stands in a cell for a formula that nobody has computed."""


@lru_cache(maxsize=16_384)
def clean(text: str) -> str:
    """Return text in composed letters, with plain digits, signs and spaces in the place of full-width and odd ones.

    Only these are replaced: a footnote's ² must never become a digit. What is no sign at all (a terminal's orders,
    marks that turn the direction) is left out.
    """
    plain = unicodedata.normalize("NFC", text).translate(_FULL_WIDTH).translate(_DASHES)
    kept = (one for one in plain if one.isspace() or unicodedata.category(one) not in ("Cc", "Cf"))
    return " ".join("".join(kept).split())


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """Return cleaned text in lower case without the marks of Vietnamese, letter for letter: `Tỷ lệ` is `ty le`."""
    return "".join(map(_plain, clean(text)))


@lru_cache(maxsize=16_384)
def named(name: str) -> str:
    """Return a name as it is compared with others: without case, whichever vowel bears its tone (Hòa, Hoà)."""
    words = []
    for word in unicodedata.normalize("NFD", clean(name).lower()).split():
        marks = "".join(sorted(one for one in word if unicodedata.combining(one)))
        words.append("".join(one for one in word if not unicodedata.combining(one)) + marks)
    return " ".join(words)


def _plain(letter: str) -> str:
    if letter in "đĐ":
        return "d"
    lower = unicodedata.normalize("NFD", letter)[0].lower()
    return lower if len(lower) == 1 else letter
