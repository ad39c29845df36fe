"""Reads one hostile or huge message in a process of its own and tells what became of it, and of the memory.

`python -m tests.connectors.docmgmt.edxml_under_load CASE [NUMBER]` prints `{"outcome": ..., "peak_mib": ...}`.
"""

import base64
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from connectors.docmgmt.edxml import Message, Refused, read
from tests.connectors.docmgmt.edxml_samples import envelope, status

_MIB = 1 << 20
_WHOLE = envelope("load-1", "H44.01", ["H44.02"])
_BEFORE, _AFTER = _WHOLE.split(b"</AttachmentEncoded>")
_AFTER = b"</AttachmentEncoded>" + _AFTER
_HEAD, _BODY = _WHOLE.split(b"<edXML:Subject>")
_BODY = b"<edXML:Subject>" + _BODY
_ROOT = _WHOLE.index(b"<edXML ")


def _with_dtd(dtd: bytes, text: bytes = b"&x;") -> Iterator[bytes]:
    yield _WHOLE[:_ROOT] + dtd + _WHOLE[_ROOT:].replace("CANARY trích yếu".encode(), text)


def _laughs() -> bytes:
    lines = [b'<!ENTITY x0 "ha">']
    lines += [b'<!ENTITY x%d "%s">' % (n, (b"&x%d;" % (n - 1)) * 10) for n in range(1, 10)]
    return b"<!DOCTYPE edXML [" + b"".join(lines) + b'<!ENTITY x "&x9;">]>'


def _filled(before: bytes, filling: bytes, times: int, after: bytes) -> Iterator[bytes]:
    yield before
    for _ in range(times):
        yield filling
    yield after


def _in_subject(filling: bytes, times: int, before: bytes = b"", after: bytes = b"") -> Iterator[bytes]:
    return _filled(_HEAD + before, filling, times, after + _BODY)


def with_attachment(mebibytes: int, line: bytes = b"") -> Iterator[bytes]:
    """Yield an envelope with an attachment of that many MiB, its base64 in lines if told so."""
    block = base64.b64encode(bytes(range(256)) * 3_072)  # 768 KiB are exactly 1 MiB of base64
    if line:
        block = line.join(block[start : start + 76] for start in range(0, len(block), 76))
    opening = b"<Attachment><ContentId>cid:9</ContentId><edXML:ContentTransferEncoded xmlns:edXML='x'>"
    closing = b"</edXML:ContentTransferEncoded></Attachment>" + _AFTER
    return _filled(_BEFORE + opening, block, mebibytes * 4 // 3, closing)


CASES: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "billion laughs": lambda: _with_dtd(_laughs()),
    "quadratic blowup": lambda: _with_dtd(b'<!DOCTYPE e [<!ENTITY x "' + b"a" * 50_000 + b'">]>', b"&x;" * 50_000),
    "external entity of a file": lambda: _with_dtd(b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    "external entity of an address": lambda: _with_dtd(b'<!DOCTYPE e [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>'),
    "parameter entity": lambda: _with_dtd(b'<!DOCTYPE e [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>', b"x"),
    "external DTD": lambda: _with_dtd(b'<!DOCTYPE edXML SYSTEM "http://127.0.0.1:9/edxml.dtd">', b"x"),
    "empty DTD": lambda: _with_dtd(b"<!DOCTYPE edXML>", b"x"),
    "entity without DTD": lambda: _with_dtd(b""),
    "XInclude": lambda: _in_subject(
        b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>', 1
    ),
    "stylesheet": lambda: _with_dtd(b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?>', b"x"),
    "a million attributes": lambda: _filled(
        _HEAD + b"<x", b"".join(b' a%06d=""' % n for n in range(1_000)), 1_000, b"/>" + _BODY
    ),
    "a million different attributes": lambda: iter(
        [_HEAD, b"<x", *(b' a%07d="1"' % n for n in range(1_000_000)), b"/>", _BODY]
    ),
    "a million elements": lambda: _in_subject(b"<x/>" * 10_000, 100),
    "nested a million deep": lambda: _in_subject(b"<x>" * 10_000, 100, after=b"</x>" * 1_000_000),
    "a comment of 100 MB": lambda: _in_subject(b"c" * _MIB, 100, b"<!--", b"-->"),
    "an attribute of 100 MB": lambda: _in_subject(b"v" * _MIB, 100, b'<x a="', b'"/>'),
    "an attribute of 100 MB full of ends of tags": lambda: _in_subject(b">" * _MIB, 100, b'<x a="', b'"/>'),
    "a name of 100 MB": lambda: _in_subject(b"n" * _MIB, 100, b"<", b"/>"),
    "an instruction of 100 MB": lambda: _in_subject(b"i" * _MIB, 100, b"<?x ", b"?>"),
    "an organ code of 100 MB": lambda: _in_subject(b"o" * _MIB, 100, b"<To><OrganId>", b"</OrganId></To>"),
    "a subject of 100 MB": lambda: _in_subject(b"s" * _MIB, 100, b"<Content>", b"</Content>"),
    "10,000 recipients": lambda: _in_subject(b"<To><OrganId>H1</OrganId></To>", 10_000),
    "an attachment of 100 MB": lambda: with_attachment(100),
    "an attachment of 100 MB in lines": lambda: with_attachment(100, b"\r\n"),
    "an attachment of 100 MB in CDATA": lambda: _filled(
        _BEFORE + b"<Attachment><![CDATA[", b"<&>x" * (_MIB // 4), 100, b"]]></Attachment>" + _AFTER
    ),
}


def fuzzed(number: int, seed: int) -> str:
    """Read that many messages, every second one mutated; return what the honest ones came to."""
    chance = random.Random(seed)
    counted = used = refused = 0
    for place in range(number):
        style = chance.choice(("standard", "vendor"))
        name = f"H44.01,2026/01/15,{place}/UBND"
        if chance.random() < 0.5:
            whole = envelope(name, "H44.01", ["H44.02", "H37.9"], kind=chance.choice("0123"), style=style)
        else:
            whole = status(name, "H44.02", chance.choice(("01", "02", "03", "06", "13", "16")), style=style)
        data = whole if place % 2 == 0 else _mutated(whole, chance)
        try:
            message = read(_cut(data, chance))
        except Refused:
            refused += 1
            continue
        assert isinstance(message, Message)
        if place % 2:
            used += 1
        else:
            assert (message.document_id, message.sender in ("H44.01", "H44.02")) == (name, True)
            counted += 1
    return f"{counted} counted, {used + refused} fuzzed"


def _mutated(data: bytes, chance: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5, 30))):
        if not made:
            break
        at, length = chance.randrange(len(made)), chance.choice((1, 1, 3, 40, 400))
        match chance.randrange(7):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[at : at + length]
            case 3:
                made[at:at] = chance.randbytes(length)
            case 4:
                made[at:at] = chance.choice(
                    (
                        b"<",
                        b">",
                        b"&",
                        b"]]>",
                        b"<!--",
                        b"<!DOCTYPE x>",
                        b"<![CDATA[",
                        b"&#0;",
                        b"&#xD800;",
                        b"</To>",
                        b'"',
                    )
                )
            case 5:
                other = chance.randrange(len(made))
                made[at : at + length], made[other : other + length] = (
                    made[other : other + length],
                    made[at : at + length],
                )
            case 6:
                del made[at:]
    return bytes(made)


def _cut(data: bytes, chance: random.Random) -> Iterator[bytes]:
    size = chance.choice((1, 7, 100, 5_000, len(data) or 1))
    for start in range(0, len(data), size):
        yield data[start : start + size]


def main(case: str, number: str = "0") -> str:
    """Return, as JSON, what became of a case."""
    try:
        fuzz = case == "fuzz"
        outcome = fuzzed(int(number), seed=20260301) if fuzz else f"read {read(CASES[case]()).document_id}"
    except Refused as fault:
        outcome = f"refused {fault}"
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return json.dumps({"outcome": outcome, "peak_mib": peak >> 10})


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
