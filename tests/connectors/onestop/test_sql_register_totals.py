"""The totals that a one-stop system keeps of itself in its own database, read by month."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, create_engine, insert
from sqlalchemy.pool import NullPool

from collector.compare import compare
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import parse_period
from collector.contract.reading import Reading
from collector.contract.records import Dossier, DossierEvent
from collector.contract.reported import Name, Report, Share, Total
from collector.store.engine import reading as reading_store
from connectors.onestop import sql_register
from indicators.dossiers import INDICATORS
from tests.connectors.onestop.dossier_tables import Site, opencps_row, opencps_site, time
from tests.connectors.onestop.opencps_double import at
from tests.store.small import put, store

A = "000.00.02.H44"
ON_TIME = next(one for one in INDICATORS if one.id == "dossiers.on_time")
COUNTERS = (
    *("receivedCount", "releaseCount", "betimesCount", "ontimeCount", "overtimeCount", "cancelledCount"),
    *("processingCount", "waitingCount"),
)
ROW = {
    "month": 1, "year": 2026, "govAgencyCode": A, "modifiedDate": time(20260201, 1), "ontimePercentage": 66,
    "receivedCount": 9, "releaseCount": 3, "betimesCount": 1, "ontimeCount": 1, "overtimeCount": 1,
    "cancelledCount": 2, "processingCount": 3, "waitingCount": 1,
}  # fmt: skip


@contextmanager
def site(folder: Path, *rows: Mapping[str, Any], fold: bool = False, **changes: Any) -> Iterator[Site]:
    """OpenCPS' tables of dossiers and of statistics."""
    url = f"sqlite:///{folder / 'onestop.sqlite'}"
    names: list[tuple[str, Any]] = [
        *((name, Integer) for name in ("month", "year", "ontimePercentage", *COUNTERS)),
        *((name, String(40)) for name in ("govAgencyCode", "domainCode", "system", "groupAgencyCode")),
        ("modifiedDate", DateTime),
    ]
    table = Table(
        "opencps_statistic", MetaData(), *(Column(name.lower() if fold else name, kind) for name, kind in names)
    )
    engine = create_engine(url, poolclass=NullPool)
    table.metadata.create_all(engine)
    with engine.begin() as connection:
        for row in rows:
            values = {**dict.fromkeys(name for name, _ in names), **row}
            connection.execute(
                insert(table).values({name.lower() if fold else name: one for name, one in values.items()})
            )
    engine.dispose()
    with opencps_site(url, **{"totals": "opencps_statistic", **changes}) as opened:
        yield opened


def told(one: Site, period: str = "2026-01") -> list[Report]:
    with one.door(at(20260301)) as door:
        return list(sql_register.reported(one.config, door, parse_period(period)))


@pytest.mark.parametrize("fold", [False, True], ids=["as written", "in lower case"])
def test_the_row_of_all_fields_and_systems_is_read_and_its_parts_are_not(tmp_path: Path, fold: bool) -> None:
    parts = [ROW | {"domainCode": "LV01"}, ROW | {"system": "0"}, ROW | {"domainCode": "LV01", "system": "0"}]
    others = [ROW | {"govAgencyCode": "all"}, ROW | {"month": 2}, ROW | {"year": 2025}]
    with site(tmp_path, ROW | {"domainCode": "", "system": "all"}, *parts, *others, fold=fold) as one:
        (report,) = told(one)
    totals: dict[Name, int] = {"received": 9, "completed": 3, "on_time": 2, "late": 1, "withdrawn": 2, "open": 4}
    assert sorted(report.totals, key=lambda each: each.agency_code) == [
        *(Total("", name, value) for name, value in totals.items()),
        *(Total(A, name, value) for name, value in totals.items()),
    ]
    assert Share(A, "on_time", "completed", "66") in report.shares
    assert report.made == at(20260201, 1)
    assert report.rules is not None
    assert report.rules.same_day == "by_hour_of_12"


def test_what_is_null_or_not_stored_is_not_told(tmp_path: Path) -> None:
    with site(tmp_path, ROW | {"releaseCount": None, "ontimePercentage": None}) as one:
        january, february, march = told(one, "2026-Q1")
    assert [each.name for each in january.totals] == ["received", "on_time", "late", "withdrawn", "open"]
    assert january.shares == []
    assert (february.totals, march.totals, march.made) == ([], [], None)


@pytest.mark.parametrize(
    ("row", "field"),
    [({"receivedCount": -1}, "receivedCount"), ({"govAgencyCode": "x" * 300}, "govAgencyCode")],
)
def test_what_is_no_count_or_no_code_is_refused_by_its_column(tmp_path: Path, row: dict[str, Any], field: str) -> None:
    with site(tmp_path, ROW | row) as one, pytest.raises(UnexpectedAnswer) as caught:
        told(one)
    assert caught.value.field == field


def test_two_rows_of_one_agency_and_month_would_count_twice(tmp_path: Path) -> None:
    with site(tmp_path, ROW, ROW) as one, pytest.raises(UnexpectedAnswer, match="several rows in 2026-01"):
        told(one)


def test_a_table_of_ones_own_is_told_by_its_columns(tmp_path: Path) -> None:
    own = {
        "table": "opencps_statistic",
        "agency": "govAgencyCode",
        "year": "year",
        "month": "month",
        "totals": {"completed": ["betimesCount", "ontimeCount", "overtimeCount"]},
    }
    with site(tmp_path, ROW, totals=own) as one:
        (report,) = told(one)
    assert (report.totals, report.shares, report.made) == ([Total(A, "completed", 3)], [], None)
    with pytest.raises(UnexpectedAnswer) as caught, site(tmp_path, totals=own | {"month": "thang"}) as one:
        told(one)
    assert caught.value.field == "thang"
    with pytest.raises(ValidationError):
        sql_register.Config.model_validate({"preset": "hoso", "totals": own | {"totals": {"finished": ["a"]}}})


def test_without_a_table_of_totals_nothing_is_told(tmp_path: Path) -> None:
    with site(tmp_path, ROW, totals=None) as one:
        assert told(one) == []
        assert not sql_register.publishes(one.config)


def test_where_a_configured_table_of_totals_is_read_the_cursor_stays(tmp_path: Path) -> None:
    with site(tmp_path, ROW) as one:
        without = one.config.model_copy(update={"totals": None})
        assert one.config.digest == without.digest
        assert sql_register.publishes(one.config)


def test_what_was_entered_after_the_row_was_counted_is_a_late_entry(tmp_path: Path) -> None:
    counted = {
        **dict.fromkeys(COUNTERS, 0),
        "receivedCount": 2,
        "releaseCount": 1,
        "ontimeCount": 1,
        "processingCount": 1,
    }
    (tmp_path / "store").mkdir()
    engine, known = store(tmp_path / "store")
    with site(tmp_path, ROW | counted | {"ontimePercentage": 100}) as one:
        released = {"dossierStatus": "releasing", "releaseDate": time(20260109, 9)}
        one.put(1, **opencps_row(20260106, 20260112, **released, modifiedDate=time(20260109, 9)))
        one.put(2, **opencps_row(20260106, 20260112, **released, modifiedDate=time(20260203, 9)))
        one.read(at(20260210))
        put(engine, known, {Dossier: list(one.dossiers.values()), DossierEvent: list(one.events.values())}, live=True)
        readings = {"H44.02": Reading(ON_TIME.id, 1, "agency", "H44.02", "2026-01", "measured", 20260131, 0, 0, 0)}
        with reading_store(engine) as connection:
            found = compare(connection, known, "s", told(one), ON_TIME, {Dossier: readings}, ["H44.02"])
    engine.dispose()
    by_name = {each.name: each for each in found.totals}
    assert (by_name["completed"].ours, by_name["completed"].theirs) == (2, 1)
    assert by_name["completed"].causes["late_entry"] == -1
    assert by_name["open"].causes["late_entry"] == 1
    # Both were first seen after they were completed: what was promised first is not known, what stands now is.
    assert (by_name["on_time"].ours, by_name["on_time"].theirs) == (0, 1)
    assert by_name["on_time"].causes["definition"] == 2
    assert found.is_explained
