"""A message inside a JSON answer: `{"code": 0, "data": {"data": "<base64 of the edXML>"}}`, read as it streams by.

The answer may hold attachments of any size, packed twice. So the one long string in it is unpacked in blocks and handed
on, and only what stands around it is kept and read as JSON at the end.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from collector.contract.door import JSON
from connectors.docmgmt.edxml import Refused

_SHORT = 4_096
"""Bytes up to which a string is no message that must be streamed."""

_FRAME = 1 << 16
_MARK = "\x00"
_SPECIAL = re.compile(rb'["\\]')
_ESCAPES = {b"/": b"/", b"n": b"", b"r": b"", b"t": b"", b'"': b'"', b"\\": b"\\"}
_SPACE = b" \t\r\n"


class Packed:
    """One answer. `message` yields the unpacked bytes; once it has ended, `frame` is the JSON around them."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._around = bytearray()
        self._streamed = False
        self.ended = False

    def message(self) -> Iterator[bytes]:
        """Yield the message's bytes. Raises Refused if the long string is no base64, or if there are two."""
        unpack = _Base64()
        for part in _long_string(self._blocks, self._around):
            self._streamed = True
            yield from unpack.feed(part)
        self.ended = True
        if self._streamed:
            yield from unpack.end()
            return
        short = _packed_in(self._body())
        if isinstance(short, str):
            yield from unpack.feed(short.encode())
            yield from unpack.end()

    @property
    def frame(self) -> JSON:
        """What stands around the message, as JSON; None if it is none."""
        body: JSON = self._body()
        return body

    @property
    def in_place(self) -> bool:
        """Whether the long string stands where the message belongs."""
        return not self._streamed or _packed_in(self._body()) == _MARK

    def _body(self) -> Any:
        try:
            return json.loads(self._around)
        except (ValueError, RecursionError):
            return None


def _packed_in(body: Any) -> Any:
    """Return the string that is the message: `data`, `data.data`, or `data.edxml`."""
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, dict):
        data = data.get("data", data.get("edxml"))
    return data


def _long_string(blocks: Iterator[bytes], around: bytearray) -> Iterator[bytes]:
    """Yield the content of the string that is longer than `_SHORT`, escapes undone; put all else into `around`."""
    inside = long = False
    begun = 0  # where in `around` the string that is being read begins
    found = 0
    rest = b""
    for block in blocks:
        data, rest = rest + block, b""
        place = 0
        while place < len(data):
            if not inside:
                end = data.find(b'"', place)
                around += data[place : len(data) if end < 0 else end + 1]
                if end < 0:
                    place = len(data)
                else:
                    inside, long, begun, place = True, False, len(around), end + 1
                if len(around) > _FRAME:
                    raise Refused("", "has too much around the message")
                continue
            special = _SPECIAL.search(data, place)
            end = len(data) if special is None else special.start()
            if long:
                if end > place:
                    yield data[place:end]
            else:
                around += data[place:end]
                if len(around) - begun > _SHORT:
                    found += 1
                    if found > 1:
                        raise Refused("", "has more than one long string around the message")
                    long = True
                    first = bytes(around[begun:])
                    del around[begun:]
                    yield _undone(first)
            place = end
            if special is not None and special[0] == b"\\":
                escape = data[place : place + (6 if data[place + 1 : place + 2] == b"u" else 2)]
                if len(escape) < 2 or (escape[1:2] == b"u" and len(escape) < 6):
                    rest, place = data[place:], len(data)
                    break
                if long:
                    yield _plain(escape)
                else:
                    around += escape
                place += len(escape)
            elif special is not None:
                if long:
                    around += json.dumps(_MARK)[1:].encode()
                else:
                    around += b'"'
                inside, place = False, place + 1
    around += rest


def _undone(text: bytes) -> bytes:
    return re.sub(rb"\\(?:u[0-9A-Fa-f]{4}|.)", lambda found: _plain(found[0]), text, flags=re.DOTALL)


def _plain(escape: bytes) -> bytes:
    if escape[1:2] == b"u":
        try:
            return chr(int(escape[2:], 16)).encode()
        except (ValueError, UnicodeEncodeError):
            raise Refused("", "is no base64") from None
    return _ESCAPES.get(escape[1:2], escape)


class _Base64:
    """Unpacks base64 that comes in pieces cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False

    def feed(self, part: bytes) -> Iterator[bytes]:
        for start in range(0, len(part), 1 << 18):
            told = self._rest + part[start : start + (1 << 18)].translate(None, _SPACE)
            whole = len(told) - len(told) % 4
            self._rest = told[whole:]
            if whole:
                yield self._unpacked(told[:whole])

    def end(self) -> Iterator[bytes]:
        """Yield what is left; some systems leave the padding out."""
        if self._rest:
            yield self._unpacked(self._rest + b"=" * (-len(self._rest) % 4))

    def _unpacked(self, told: bytes) -> bytes:
        if self._ended:
            raise Refused("", "is no base64")
        self._ended = told.endswith(b"=")
        try:
            return base64.b64decode(told, validate=True)
        except binascii.Error:
            raise Refused("", "is no base64") from None
