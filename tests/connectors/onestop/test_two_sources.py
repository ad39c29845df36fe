"""What a system sends upstream beside what it has itself (facts: standards 2.3): paused and stopped, sent as finished.

Both are read by their own connectors, in the same codes, into one store; `collector flags` shows where they differ.
"""

from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.contract.connector import Row
from collector.contract.period import day_start, parse_period
from collector.contract.records import Dossier, DossierEvent, Record
from collector.flags import raised
from collector.store.engine import reading
from connectors.onestop import opencps
from connectors.onestop.levels import Levels
from connectors.onestop.national_format import Form, read_dossier
from connectors.onestop.sql_register_shapes import HoSo, Times
from tests.connectors.onestop.dossier_tables import time
from tests.connectors.onestop.national_service_double import dossier
from tests.connectors.onestop.opencps_double import Deed, at, serving
from tests.connectors.onestop.opencps_runs import A, Watcher, config, each_agency, filed, received
from tests.store.small import INDICATORS, put

NOW = day_start(20260201)
NUMBER = "H44.01-260105-0001"


def upstream(**fields: Any) -> dict[type[Record], list[Row]]:
    """What the portal's format tells of a dossier."""
    told = {"DonViXuLy": "H44.01", "MaHoSo": NUMBER, "NgayCapNhat": "20260112090000", "TrangThaiHoSo": "9"}
    found = read_dossier(dossier(1, **told | fields), Form(), NOW, NOW)
    return {Dossier: [found.dossier], DossierEvent: list(found.events)}


def at_home(status: str, **dates: Any) -> dict[type[Record], list[Row]]:
    """What the system's own table tells of it."""
    rows: dict[type[Record], list[Row]] = {Dossier: [], DossierEvent: []}
    told = {
        "id": NUMBER,
        "agency": "H44.01",
        "status": status,
        "received": time(20260105, 8),
        "due": time(20260115, 17),
    }
    HoSo(Times("Asia/Ho_Chi_Minh"), NOW, {}, Levels()).turn(told | {"changed": time(20260112, 9)} | dates, rows)
    return rows


@pytest.fixture
def small(emptied_store: tuple[Engine, Register]) -> tuple[Engine, Register]:
    return emptied_store


@pytest.mark.parametrize("completed", ["20260112090000", ""])
@pytest.mark.parametrize(
    ("status", "dates", "odd"),
    [
        ("5", {"asked": time(20260108, 9)}, True),
        ("5", {"asked": time(20260108, 9), "answered": time(20260109, 9)}, False),
        ("6", {"asked": time(20260108, 9)}, True),
        ("8", {"ended": time(20260112, 9)}, True),
        ("4", {}, False),
        ("9", {"ended": time(20260112, 9)}, False),
        ("10", {"ended": time(20260112, 9)}, False),
    ],
)
def test_what_waits_or_was_stopped_at_home_and_is_finished_upstream_is_flagged(
    small: tuple[Engine, Register], status: str, dates: dict[str, Any], odd: bool, completed: str
) -> None:
    engine, register = small
    put(engine, register, upstream(NgayKetThucXuLy=completed), "portal")
    put(engine, register, at_home(status, **dates), "onestop")
    with reading(engine) as connection:
        found = raised(connection, parse_period("2026-01"), NOW, INDICATORS, (), ())
    flagged = [(one.source, one.key, one.day) for one in found if one.flag == "finished_upstream"]
    assert flagged == ([("portal", NUMBER, 20260112)] if odd else [])


def test_opencps_and_the_portal_know_a_dossier_by_its_receipt_number(small: tuple[Engine, Register]) -> None:
    deeds = [*each_agency(), *received(7, 20260105, 20260115), Deed(at(20260108), 7, "pause", lock="PAUSE")]
    unnumbered = filed(8, at(20260105))
    engine, register = small
    with serving([*deeds, unnumbered], at(20260103)) as double:
        watcher = Watcher(double, config(key="dossierNo"))
        for day in (20260106, 20260109):
            watcher.run(at(day))
    assert set(watcher.dossiers) == {"H44-000007", "H44-009001", "H44-009002"}, "8 has no number yet"
    put(
        engine, register, {Dossier: list(watcher.dossiers.values()), DossierEvent: list(watcher.events.values())}, "cps"
    )
    put(engine, register, upstream(MaHoSo="H44-000007", DonViXuLy=A), "portal")
    with reading(engine) as connection:
        found = raised(connection, parse_period("2026-01"), NOW, INDICATORS, (), ())
    assert [(one.source, one.key) for one in found if one.flag == "finished_upstream"] == [("portal", "H44-000007")]


def test_another_key_is_another_cursor() -> None:
    scopes = {config(key=key).scope(20260101) for key in ("dossierId", "dossierNo")}
    assert len(scopes) == 2
    assert opencps.Config.model_validate(config().model_dump()).scope(20260101) in scopes
