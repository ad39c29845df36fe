"""What other systems say of dossiers, and what clerks tick: golden rows in one store, worked out by hand.

Received on Monday 5 January 2026; shown as due on Friday the 16th, 17:00, unless said otherwise.
"""

from pathlib import Path
from typing import Any

import pytest

from collector.contract.indicator import Counted
from collector.contract.period import day_start
from collector.contract.records import Dossier, Procedure
from collector.readings import items
from collector.store.engine import reading
from indicators import dossiers
from tests.store.small import put, row, store

MONDAY, FRIDAY = 20260105, 20260116
HIT, MISS, UNKNOWN = "hit", "miss", "unknown"
OPEN: dict[str, Any] = {"outcome": "open"}
BY_ID = {one.id: one for one in dossiers.INDICATORS}

Said = tuple[str, int] | None


def at(day: int, clock: int, second: int = 0) -> int:
    """The instant of a local time `hhmm`."""
    return day_start(day) + clock // 100 * 3600 + clock % 100 * 60 + second


def done(day: int, clock: int | None = 1000, second: int = 0, **fields: Any) -> dict[str, Any]:
    """A dossier completed on a day, at a time if its source tells one."""
    moment = None if clock is None else at(day, clock, second)
    return {"outcome": "completed", "completed_day": day, "completed": moment, **fields}


def over(outcome: str, day: int | None) -> dict[str, Any]:
    return {"outcome": outcome, "ended_day": day}


def due(day: int | None, clock: int | None = 1700) -> dict[str, Any]:
    moment = None if day is None or clock is None else at(day, clock)
    return {"due_day": day, "due": moment}


def said(folder: Path, indicator: str, cases: list[tuple[dict[str, Any], Said]]) -> list[Said]:
    """Verdict and day of each case, of one store that holds them all."""
    engine, known = store(folder)
    filed = {"agency_code": "H44.01", "procedure": "1.000001", "received_day": MONDAY, **due(FRIDAY)}
    rows = [row(Dossier, key=f"{number:03d}", **filed | fields) for number, (fields, _) in enumerate(cases)]
    catalogue = [
        row(Procedure, key=code, code=code, level=level, listed=1)
        for code, level in (("1.000001", "full"), ("1.000002", "partial"), ("1.000003", "information"))
    ]
    put(engine, known, {Dossier: rows, Procedure: catalogue})
    formula = BY_ID[indicator].formula
    assert isinstance(formula, Counted)
    with reading(engine) as connection:
        found = {one.key: one for one in connection.execute(items(formula, "H44.01", 0, 99991231))}
    engine.dispose()
    told = (found.get(f"{number:03d}") for number in range(len(cases)))
    return [None if one is None else (one.verdict, one.day) for one in told]


IN_766: list[tuple[dict[str, Any], Said]] = [
    (done(FRIDAY, 2359), (HIT, FRIDAY)),
    (done(20260117, 0), (MISS, 20260117)),
    (done(20260123) | due(20260123), (HIT, 20260123)),
    (done(20260123) | due(None), (HIT, 20260123)),
    (done(20260123) | due(20260122, None), (MISS, 20260123)),
    (done(20260123, outcome="refused_after"), (MISS, 20260123)),
    (over("withdrawn", 20260112), (HIT, 20260112)),
    (over("withdrawn", 20260130), (HIT, 20260130)),
    (over("withdrawn", None), None),
    (over("stopped", 20260112), None),
    (over("refused_at_intake", 20260112), None),
    ({"outcome": None, "ended_day": 20260112}, None),
    (OPEN, None),
    (done(FRIDAY) | {"removed": 1}, None),
]
IN_OPENCPS: list[tuple[dict[str, Any], Said]] = [
    (done(FRIDAY, 1700), (HIT, FRIDAY)),
    (done(FRIDAY, 1700, 1), (MISS, FRIDAY)),
    (done(FRIDAY, 1210) | due(FRIDAY, 1130), (MISS, FRIDAY)),  # not as if noon were midnight
    (done(20260115, 2359), (HIT, 20260115)),
    (done(20260123) | due(20260123), (HIT, 20260123)),
    (done(20260123) | due(None), (HIT, 20260123)),
    (done(20260123, outcome="refused_after"), (MISS, 20260123)),
    (done(FRIDAY) | due(FRIDAY, None), (UNKNOWN, FRIDAY)),
    (done(FRIDAY, None), (UNKNOWN, FRIDAY)),
    (done(20260115, None) | due(FRIDAY, None), (HIT, 20260115)),
    (done(20260119, None), (MISS, 20260119)),
    (over("withdrawn", 20260112), None),
    (over("stopped", 20260112), None),
    (OPEN, None),
    ({"outcome": "completed"}, None),
    (done(FRIDAY) | {"removed": 1}, None),
]
TICKED: dict[str, list[tuple[dict[str, Any], Said]]] = {
    "dossiers.digitised": [
        (OPEN | {"digitised": 1}, (HIT, MONDAY)),
        (OPEN | {"digitised": 0}, (MISS, MONDAY)),
        (OPEN, (UNKNOWN, MONDAY)),
        (over("withdrawn", FRIDAY) | {"digitised": 1}, (HIT, MONDAY)),
        (over("refused_at_intake", MONDAY) | {"received_day": None, "digitised": 1}, None),
    ],
    "dossiers.electronic_result": [
        (done(FRIDAY, electronic_result=1), (HIT, FRIDAY)),
        (done(FRIDAY, electronic_result=0), (MISS, FRIDAY)),
        (done(FRIDAY), (UNKNOWN, FRIDAY)),
        (done(FRIDAY, outcome="refused_after", electronic_result=1), (HIT, FRIDAY)),
        (OPEN | {"electronic_result": 0}, None),
        (over("withdrawn", FRIDAY) | {"electronic_result": 0}, None),
    ],
    "dossiers.paid_online": [
        (OPEN | {"payment": "online"}, (HIT, MONDAY)),
        (OPEN | {"payment": "otherwise"}, (MISS, MONDAY)),
        (OPEN | {"payment": "none"}, None),
        (OPEN, (UNKNOWN, MONDAY)),
        (OPEN | {"payment": "online", "received_day": None}, None),
    ],
    "dossiers.online_full": [
        (OPEN | {"channel": "online"}, (HIT, MONDAY)),
        (OPEN | {"channel": "post"}, (MISS, MONDAY)),
        (OPEN | {"channel": None}, (UNKNOWN, MONDAY)),
        (OPEN | {"channel": "online", "procedure": "1.000002"}, None),
        (OPEN | {"channel": "online", "procedure": "1.000003"}, None),
        (OPEN | {"channel": "online", "procedure": "1.000009"}, (UNKNOWN, MONDAY)),
    ],
    "dossiers.online_partial": [
        (OPEN | {"channel": "online"}, None),
        (OPEN | {"channel": "online", "procedure": "1.000002"}, (HIT, MONDAY)),
        (OPEN | {"channel": "counter", "procedure": "1.000002"}, (MISS, MONDAY)),
        (OPEN | {"channel": "online", "procedure": "1.000003"}, None),
        (OPEN | {"channel": "counter", "procedure": "1.000009"}, (UNKNOWN, MONDAY)),
    ],
}


@pytest.mark.parametrize(
    ("indicator", "cases"),
    [("dossiers.on_time_766", IN_766), ("dossiers.on_time_opencps", IN_OPENCPS), *TICKED.items()],
    ids=["dossiers.on_time_766", "dossiers.on_time_opencps", *TICKED],
)
def test_each_dossier_is_judged_as_worked_out_by_hand(
    tmp_path: Path, indicator: str, cases: list[tuple[dict[str, Any], Said]]
) -> None:
    assert said(tmp_path, indicator, cases) == [expected for _, expected in cases]


def test_figures_that_clerks_tick_say_so() -> None:
    ticked = {one.id for one in dossiers.INDICATORS if one.measured_from == "clerk"}
    assert ticked == {"dossiers.digitised", "dossiers.electronic_result", "dossiers.paid_online"}
