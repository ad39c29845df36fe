"""Canaries: made-up persons and secrets with one rare word in each, and a search for that word however it is written.

The word is searched for plainly and in any case, backwards, in UTF-16, in hexadecimal digits, in base64 wherever in a
group of three bytes it begins, percent-encoded, quoted-printable (also across its soft line breaks), and escaped as
JSON does. A number of nine digits and more is a canary too: for identity cards and telephones.
"""

import re
from base64 import b64encode
from collections.abc import Iterator

WORD = "qzxcanary"
NUMBER = "907755331188"

LOCAL_PART = f"{WORD}.hoa"
PERSON = f"Nguyễn Thị {WORD.title()}"
SECRET = f"{WORD.title()}+/=?&:@ secret"

_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")
_PERCENT = re.compile(rb"%([0-9a-fA-F]{2})")
_QUOTED = re.compile(rb"=(?:([0-9a-fA-F]{2})|[ \t]*\r?\n)")


def _needles() -> tuple[tuple[str, bytes], ...]:
    """What is searched for in bytes in lower case, by the way in which it is written."""
    found: dict[str, bytes] = {}
    for word in (WORD, NUMBER):
        found[f"plain {word}"] = word.encode()
        found[f"backwards {word}"] = word[::-1].encode()
        for order in ("le", "be"):
            found[f"UTF-16 {order} {word}"] = word.encode(f"utf-16-{order}")
        for case in {word, word.upper(), word.title()}:
            found[f"hexadecimal {case}"] = case.encode().hex().encode()
    return tuple(found.items())


def _packed() -> tuple[tuple[str, bytes], ...]:
    """What is searched for in bytes as they are: base64 of the word in three cases, at three places in a group."""
    found: dict[str, bytes] = {}
    for word in {WORD, WORD.upper(), WORD.title(), NUMBER}:
        for before in range(3):
            # Only the letters that hold nothing of what stands before and after the word.
            letters = b64encode(b"\0" * before + word.encode())
            first = (before * 8 + 5) // 6
            last = (before + len(word)) * 8 // 6
            found[f"base64 {word} {before}"] = letters[first:last]
    return tuple(found.items())


_NEEDLES, _PACKED = _needles(), _packed()


def found_in(data: bytes) -> set[str]:
    """Return in which ways a canary is written in some bytes."""
    found = {how for how, needle in _PACKED if needle in data}
    for way, text in _ways(data):
        lower = text.lower()
        found |= {f"{how} {way}".strip() for how, needle in _NEEDLES if needle in lower}
    return found


def _ways(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", data
    if b"%" in data:
        yield "percent-encoded", _PERCENT.sub(lambda one: bytes([int(one[1], 16)]), data)
    if b"=" in data:
        yield "quoted-printable", _QUOTED.sub(lambda one: bytes([int(one[1], 16)]) if one[1] else b"", data)
    if b"\\u" in data:
        yield "escaped", _ESCAPED.sub(lambda one: chr(int(one[1], 16)).encode("utf-8", "replace"), data)
