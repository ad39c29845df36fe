"""What OpenCPS stored about itself: read from the double, and explained dossier by dossier from what is collected."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.compare import Compared, compare
from collector.contract.connector import Row
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import parse_period
from collector.contract.reading import Reading
from collector.contract.records import Dossier, DossierEvent
from collector.contract.reported import Report, Share
from collector.store.engine import reading as reading_store
from connectors.onestop import opencps
from indicators.dossiers import INDICATORS
from tests.connectors.onestop.opencps_double import STATISTICS, Deed, OpenCPS, at, serving
from tests.connectors.onestop.opencps_runs import A, B, Watcher, config, door, filed
from tests.store.small import put, store

JANUARY = parse_period("2026-01")
ON_TIME = next(one for one in INDICATORS if one.id == "dossiers.on_time")


@pytest.fixture
def double() -> Iterator[OpenCPS]:
    with serving() as one:
        yield one


def told(double: OpenCPS, period: str = "2026-01", **changes: Any) -> list[Report]:
    with door(double) as opened:
        return list(opencps.reported(config(statistics=STATISTICS, **changes), opened, parse_period(period)))


def received(double: OpenCPS, number: int, *deeds: Deed, due: int | None = at(20260112, 17), **facts: Any) -> None:
    """A dossier received on Tuesday 6 January."""
    double.happen(filed(number, at(20260106, 8), facts.pop("agency", A), **facts))
    double.happen(Deed(at(20260106, 9), number, "receive", due=due), *deeds)


def totals(report: Report, agency: str = A) -> dict[str, int]:
    return {one.name: one.value for one in report.totals if one.agency_code == agency}


def test_its_counters_become_totals_and_its_percentage_a_share(double: OpenCPS) -> None:
    received(double, 1, Deed(at(20260109, 9), 1, "release"))
    received(double, 2, Deed(at(20260113, 9), 2, "release"))
    received(double, 3, Deed(at(20260113, 9), 3, "cancel"))
    received(double, 4)
    double.move_clock(at(20260201, 1))
    double.count_month(2026, 1)
    (one,) = told(double)
    assert (one.days.first, one.days.last, one.made) == (20260101, 20260131, None)
    expected = {"received": 4, "completed": 2, "on_time": 1, "late": 1, "withdrawn": 1, "open": 1}
    assert totals(one) == expected
    assert one.shares == [Share(A, "on_time", "completed", "50")]
    assert totals(one, B) == {}, "an agency that it has not counted has no zeros"


def test_it_is_asked_by_month_and_agency_and_never_to_recalculate(double: OpenCPS) -> None:
    double.move_clock(at(20260401))
    assert [one.days.first for one in told(double, "2026-Q1")] == [20260101, 20260201, 20260301]
    asked = [parameters for _, path, parameters in double.requests if path == STATISTICS]
    assert [(one["year"], one["month"], one["agency"]) for one in asked] == [
        ("2026", month, agency) for month in "123" for agency in (A, B)
    ]
    assert double.rewritten == 0
    assert not any("reCalculate" in one or "fromStatisticDate" in one for one in asked)


def test_without_the_path_of_its_statistics_nothing_is_asked(double: OpenCPS) -> None:
    assert not opencps.publishes(config())
    with door(double) as opened:
        assert list(opencps.reported(config(), opened, JANUARY)) == []
    assert double.requests == []
    assert opencps.publishes(config(statistics=STATISTICS))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "data"),
        ({"total": 3}, "data"),
        ({"total": 1, "data": ["x"]}, "data"),
        ({"total": 1, "data": [{"govAgencyCode": B, "domainCode": "", "system": ""}]}, "govAgencyCode"),
        ({"total": 1, "data": [{"govAgencyCode": A, "domainCode": "LV01", "system": ""}]}, "domainCode"),
        ({"total": 2, "data": [{"govAgencyCode": A, "domainCode": "", "system": ""}] * 2}, "domainCode"),
        ({"total": 1, "data": [{"govAgencyCode": A, "receivedCount": "7"}]}, "receivedCount"),
    ],
    ids=["no envelope", "no list", "no rows", "others", "only a part", "twice", "text"],
)
def test_another_shape_is_refused_by_the_field(body: Any, field: str) -> None:
    class Door:
        source = "onestop"

        def allow(self, *_: Any, **__: Any) -> None:
            pass

        def get(self, _path: str, _parameters: Any) -> Any:
            return type("Answer", (), {"body": body})

    with pytest.raises(UnexpectedAnswer) as caught:
        list(opencps.reported(config(statistics=STATISTICS), Door(), JANUARY))  # type: ignore[arg-type]
    assert caught.value.field == field


# -- explained from what is collected ----------------------------------------------------------------------------------


def explained(watcher: Watcher, folder: Path) -> dict[str, Compared]:
    """Collect what is left, then compare January of the agency with what the service stored about itself."""
    watcher.run()
    engine, known = store(folder)
    rows: dict[Any, Sequence[Row]] = {
        Dossier: list(watcher.dossiers.values()),
        DossierEvent: list(watcher.events.values()),
    }
    put(engine, known, rows, "opencps", live=True)
    readings = {
        "H44.02": Reading(ON_TIME.id, 1, "agency", "H44.02", "2026-01", "measured", 20260131, 0, 0, 0),
    }
    reports = told(watcher.double, agencies=[A])
    with reading_store(engine) as connection:
        found = compare(connection, known, "opencps", reports, ON_TIME, {Dossier: readings}, ["H44.02"])
    engine.dispose()
    return {one.name: one for one in found.totals}


def causes(one: Compared) -> dict[str, int]:
    return {cause: count for cause, count in one.causes.items() if count}


def test_every_difference_from_its_own_statistics_is_explained(double: OpenCPS, tmp_path: Path) -> None:
    """One dossier for each way in which OpenCPS counts otherwise; watched from its receipt on."""
    watcher = Watcher(double, config(agencies=[A]))
    late_by_an_hour = Deed(at(20260112, 18), 1, "release")
    received(double, 1, late_by_an_hour)
    received(double, 2, Deed(at(20260109, 9), 2, "release"), due=None)
    received(double, 3, Deed(at(20260108, 9), 3, "reset", due=at(20260130, 17)), Deed(at(20260120, 9), 3, "release"))
    received(double, 4, Deed(at(20260113, 9), 4, "unresolve"))
    received(double, 5, Deed(at(20260113, 9), 5, "cancel"))
    received(double, 6, Deed(at(20260113, 9), 6, "deny"))
    received(double, 7, Deed(at(20260108, 9), 7, "pause"))
    at_noon = Deed(at(20260112, 12, 30), 8, "release")
    received(double, 8, at_noon, due=at(20260112, 12))
    at_noon_again = Deed(at(20260112, 12, 30), 9, "release")
    received(double, 9, at_noon_again, due=at(20260112, 11))
    for day in range(20260107, 20260132):
        watcher.run(at(day, 1))
    double.move_clock(at(20260201, 1))
    double.count_month(2026, 1)
    by_name = explained(watcher, tmp_path)
    assert {name: (one.ours, one.theirs, one.unexplained) for name, one in by_name.items()} == {
        "received": (8, 8, 0),
        "completed": (6, 6, 0),
        "on_time": (3, 3, 0),
        "late": (2, 3, 0),
        "withdrawn": (1, 1, 0),
        "open": (1, 1, 0),
    }
    # By our day 1, 8 and 9 are on time; by the hour 1 and 8 are late, 9 would be, but its noon is read as midnight.
    assert causes(by_name["on_time"]) == {"no_due_date": 1, "definition": -1}
    assert causes(by_name["late"]) == {"definition": 1}
    moved = {(one.key, one.cause, one.change) for one in by_name["late"].moved}
    assert moved == {("1", "definition", 1), ("8", "definition", 1), ("3", "definition", -1)}


def test_what_was_counted_before_an_entry_stays_unexplained_since_it_does_not_say_when(
    double: OpenCPS, tmp_path: Path
) -> None:
    received(double, 1, Deed(at(20260109, 9), 1, "release"))
    double.move_clock(at(20260201, 1))
    double.count_month(2026, 1)
    received(double, 2)
    double.happen(Deed(at(20260202, 9), 2, "release", dated=at(20260130, 9)))
    double.move_clock(at(20260203))
    one = explained(Watcher(double, config(agencies=[A])), tmp_path)["completed"]
    assert (one.ours, one.theirs, one.unexplained, one.made) == (2, 1, -1, None)
