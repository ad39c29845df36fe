"""What `check --live` is told of a source in the national format; "ok" stands only where something proves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.contract.connector import Finding
from collector.contract.errors import AccessDenied, UnexpectedAnswer
from connectors.onestop import dvcqg
from tests.connectors.onestop.national_service_double import (
    CANARIES,
    DOSSIERS,
    PROCEDURES,
    Service,
    dossier,
    procedure,
    serving,
)
from tests.connectors.onestop.runs import BEGAN, folder_door, pages_config, service_door
from tests.connectors.onestop.test_dvcqg_folder import CONFIG, WITH_CATALOGUE, put


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as one:
        one.clock = BEGAN
        one.dossiers = [dossier(number) for number in range(30)]
        one.procedures = [procedure("1.002835", "4")]
        yield one


def found(service: Service, config: dvcqg.Config | None = None) -> list[Finding]:
    with service_door(service) as door:
        return list(dvcqg.probe(config or pages_config(catalogue=True), door))


def results(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.stage, finding.result) for finding in findings]


def test_a_service_in_good_order(service: Service) -> None:
    findings = found(service)
    assert results(findings) == [
        ("reach", "ok"),
        ("read", "ok"),
        ("shape", "ok"),
        ("reach", "ok"),
        ("read", "ok"),
        ("shape", "ok"),
        ("clock", "ok"),
        ("read-only", "unproved"),
    ]
    assert "30" in findings[1].says


def test_one_page_of_each_list_is_asked_for_and_no_more(service: Service) -> None:
    found(service)
    assert [(method, path) for method, path, _ in service.requests] == [("GET", DOSSIERS), ("GET", PROCEDURES)]


def test_a_service_that_lists_nothing_may_hide_everything(service: Service) -> None:
    service.dossiers = []
    assert results(found(service))[1] == ("read", "unproved")


@pytest.mark.parametrize(
    ("clock", "result"), [(None, "unproved"), (BEGAN + 300, "ok"), (BEGAN + 301, "failed"), (BEGAN - 301, "failed")]
)
def test_the_clock_is_compared(service: Service, clock: int | None, result: str) -> None:
    service.clock = clock
    assert ("clock", result) in results(found(service))


def test_fields_that_are_missing_or_unreadable_are_named_without_content(service: Service) -> None:
    service.dossiers = [dossier(1, NgayTra="CANARY"), dossier(2)]
    del service.dossiers[1]["KenhThucHien"]
    shape = next(finding for finding in found(service) if finding.stage == "shape")
    assert shape.result == "failed"
    assert "KenhThucHien, NgayTra" in shape.says


def test_a_missing_catalogue_is_told(service: Service) -> None:
    assert results(found(service, pages_config()))[-1] == ("catalogue", "unproved")


def test_a_refusal_is_raised(service: Service) -> None:
    service.expires_after = 0
    with pytest.raises(AccessDenied):
        found(service)


def test_another_envelope_is_raised(service: Service) -> None:
    service.envelope = ("error_code", "total", "items")
    with pytest.raises(UnexpectedAnswer):
        found(service)


def test_no_person_is_in_a_finding(service: Service) -> None:
    assert not [canary for canary in CANARIES if canary in repr(found(service))]


def test_a_folder_in_good_order(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "procedures.json", [procedure("1.002835", "4")])
    with folder_door(tmp_path) as door:
        assert results(list(dvcqg.probe(WITH_CATALOGUE, door))) == [
            ("reach", "ok"),
            ("read", "ok"),
            ("shape", "ok"),
            ("reach", "ok"),
            ("read", "ok"),
            ("shape", "ok"),
            ("read-only", "unproved"),
        ]


def test_an_empty_folder_proves_nothing_about_reading(tmp_path: Path) -> None:
    with folder_door(tmp_path) as door:
        assert results(list(dvcqg.probe(CONFIG, door)))[:2] == [("reach", "ok"), ("read", "unproved")]


def test_a_file_from_the_future_tells_of_wrong_clocks(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)], modified=BEGAN + 301)
    with folder_door(tmp_path) as door:
        assert ("clock", "failed") in results(list(dvcqg.probe(CONFIG, door)))
