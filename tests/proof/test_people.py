"""The search for people finds those that are there: else its silence would prove nothing."""

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from tests.proof.people import People

WHO = People(
    frozenset({b"@skhcn.phutho.example"}), frozenset({"Nguyễn Thị Hòa".encode()}), frozenset({b"025012345678"})
)
ADDRESS = "An.NV@skhcn.phutho.example"


@pytest.mark.parametrize(
    "written",
    [
        ADDRESS.encode(),
        f"\x05\x21kt{ADDRESS}personal".encode(),
        quote(ADDRESS).encode(),
        b64encode(ADDRESS.encode()),
        b"key=" + b64encode(b"x" + ADDRESS.encode()),
        b"2026" + b64encode(b"xy" + ADDRESS.encode()) + b"\0",
        urlsafe_b64encode("Nguyễn Thị Hòa".encode()),
        "nguyễn thị hòa".encode(),
        quote("Nguyễn Thị Hòa").encode(),
        b"9025012345678000",
        b64encode(b"025012345678"),
    ],
)
def test_whoever_is_written_is_found(written: bytes) -> None:
    assert WHO.found_in(b"\0\x01 some bytes " + written + b" and more\n")


def test_nobody_is_found_where_there_is_nobody() -> None:
    pseudonym = b"3f2a9c0d4e5b6a7788990011aabbccdd"
    assert not WHO.found_in(pseudonym + b"skhcn.phutho.example 1767578400000000 H44.02-260105-9001 @ 20260105")
