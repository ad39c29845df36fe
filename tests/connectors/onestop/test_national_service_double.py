"""The double itself keeps to the facts: one test for each line of its table."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.onestop.national_service_double import BLANK, DOSSIERS, TOKEN, Service, dossier, serving


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as one:
        one.dossiers = [dossier(number, NgayCapNhat=f"202601{number:02d}080000") for number in range(1, 8)]
        yield one


def asked(service: Service, query: str, token: str = TOKEN) -> Any:
    request = urllib.request.Request(
        f"{service.address}{DOSSIERS}?{query}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        assert response.status == 200
        return json.load(response)


def numbers(page: Any) -> list[int]:
    return [int(item["MaHoSo"][-4:]) for item in page["data"]]


def test_it_refuses_in_the_body(service: Service) -> None:
    service.expires_after = 0
    assert asked(service, "page=1")["error_code"] == -2


def test_it_refuses_a_wrong_token_by_status(service: Service) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(service, "page=1", token="another")


def test_its_token_expires(service: Service) -> None:
    service.expires_after = 1
    assert asked(service, "page=1&size=3")["error_code"] == 0
    assert asked(service, "page=2&size=3")["error_code"] == -2


def test_it_cuts_large_pages_in_silence(service: Service) -> None:
    service.largest_page = 3
    page = asked(service, "page=2&size=500")
    assert numbers(page) == [4, 5, 6]
    assert page["total"] == 7


def test_a_change_moves_its_list(service: Service) -> None:
    def change() -> None:
        service.dossiers[0] = dossier(1, NgayCapNhat="20260201080000")

    service.after[1] = change
    assert numbers(asked(service, "page=1&size=3")) == [1, 2, 3]
    second = asked(service, "page=2&size=3")
    assert numbers(second) == [5, 6, 7]  # dossier 4 has slipped onto the first page
    assert second["total"] == 7
    assert numbers(asked(service, "page=3&size=3")) == [1]


def test_it_wants_its_own_time_format(service: Service) -> None:
    assert asked(service, "updatedFrom=2026-01-05")["error_code"] == 17
    assert numbers(asked(service, "updatedFrom=20260105080000")) == [5, 6, 7]


def test_it_names_every_field(service: Service) -> None:
    (first, *_) = asked(service, "size=1")["data"]
    assert first["NgayTra"] == ""
    assert set(first) == set(BLANK)
