"""Looks for people in files, byte by byte: written plainly, in base64, percent-encoded, or escaped as JSON does."""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from collector.demo.ledger import Ledger

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_AFTER_AT = re.compile(rb"@[a-z0-9.-]+")
_DIGITS = re.compile(rb"\d{9,}")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class People:
    """What tells who somebody is. Of an address its domain is looked for, so that no other one of it is there."""

    domains: frozenset[bytes]  # with the @ before them
    names: frozenset[bytes]
    numbers: frozenset[bytes]

    def found_in(self, data: bytes) -> set[bytes]:
        """Return what is written in some bytes, in whatever way."""
        return {one for way in _ways(data) for one in self._plainly_in(way)}

    def _plainly_in(self, data: bytes) -> Iterator[bytes]:
        lower = data.lower()
        lengths = {len(domain) for domain in self.domains}
        for after in set(_AFTER_AT.findall(lower)):
            yield from self.domains & {after[:length] for length in lengths}
        yield from (name for name in self.names if name.lower() in lower)
        lengths = {len(number) for number in self.numbers}
        for digits in set(_DIGITS.findall(data)):
            for length in lengths:
                yield from self.numbers & {digits[at : at + length] for at in range(len(digits) - length + 1)}


def _ways(data: bytes) -> Iterator[bytes]:
    yield data
    if b"%" in data:
        yield unquote_to_bytes(data)
    yield b"\n".join(_decoded(set(_BASE64.findall(data))))


def _decoded(runs: Iterable[bytes]) -> Iterator[bytes]:
    for run in runs:
        text = run.translate(_URL_SAFE)
        for start in range(4):  # wherever in a run of letters it begins
            part = text[start:]
            if len(part) % 4 == 1:  # six bits are no byte
                part = part[:-1]
            yield b64decode(part + b"=" * (-len(part) % 4))


def of(ledger: Ledger, folder: Path) -> People:
    """Collect the people of a sample province: whoever has a mailbox or gets a mail, and its service's applicants."""
    addresses = {one.address for one in ledger.mailboxes}
    addresses |= {one.address for one in ledger.sessions} | {one.address for one in ledger.mails}
    addresses |= {recipient.address for one in ledger.mails for recipient in one.to}
    names: set[str] = set()
    numbers: set[str] = set()
    for path in folder.glob("onestop*/dossiers.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            told: dict[str, Any] = json.loads(line)
            addresses.add(told["Email"])
            names.add(told["ChuHoSo"])
            numbers |= {told["SoGiayToChuHoSo"], told["SoDienThoai"]}
    assert all("@" in address for address in addresses)
    assert all(number.isdigit() and len(number) >= 9 for number in numbers)
    spelt = {way for name in names for way in (name, json.dumps(name)[1:-1], quote(name), name.replace(" ", "+"))}
    return People(
        frozenset(f"@{address.partition('@')[2].lower()}".encode() for address in addresses),
        frozenset(name.encode() for name in spelt),
        frozenset(number.encode() for number in numbers),
    )
