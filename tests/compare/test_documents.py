"""Documents that a register counts itself beside those that we count, each classed by hand."""

from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.compare import Compared, compare
from collector.contract.connector import Days
from collector.contract.period import day_start
from collector.contract.reading import Reading
from collector.contract.records import Document, Dossier
from collector.contract.reported import Name, Report, Rules, Total
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.tombstones import bury
from indicators.dossiers import INDICATORS
from tests.store.small import PLAN, put, row

A = "H44.01"
ON_TIME = next(one for one in INDICATORS if one.id == "dossiers.on_time")
MADE = day_start(20260201)
BEFORE, AFTER = (day_start(day) * 1_000_000 for day in (20260120, 20260203))


@pytest.fixture
def small(emptied_store: tuple[Engine, Register]) -> tuple[Engine, Register]:
    engine, known = emptied_store
    issued: list[dict[str, Any]] = [
        {"key": "electronic", "electronic_stated": 1},
        {"key": "paper", "electronic_stated": 0},
        {"key": "unknown"},
        {"key": "recalled", "electronic_stated": 1, "recalled": 1},
        {"key": "deleted before", "electronic_stated": 1, "removed": 1, "changed": BEFORE},
        {"key": "deleted after", "electronic_stated": 1, "removed": 1, "changed": AFTER},
        {"key": "came in", "direction": "in"},
        {"key": "in February", "issued_day": 20260202},
        {"key": "on the last day", "issued_day": 20260131},
    ]
    told = {"agency_code": A, "direction": "out", "issued_day": 20260112, "recalled": 0, "changed": BEFORE}
    put(engine, known, {Document: [row(Document, **told | one) for one in issued]})
    return emptied_store


def compared(
    small: tuple[Engine, Register],
    name: Name,
    theirs: int,
    rules: Rules | None = None,
    made: int | None = None,
    through: int = 20260131,
) -> Compared:
    engine, known = small
    report = Report(Document, Days(20260101, 20260131), [Total(A, name, theirs)], (), rules, made)
    figure = Reading("documents.exchanged_internal_any", 1, "agency", A, "2026-01", "measured", through, 0, 0, 0)
    with reading_store(engine) as connection:
        found = compare(connection, known, "s", [report], ON_TIME, {Document: {A: figure}, Dossier: {}}, [A])
    (one,) = found.totals
    return one


def causes(one: Compared) -> dict[str, int]:
    return {cause: count for cause, count in one.causes.items() if count}


def test_what_went_out_and_was_not_recalled_is_issued_and_what_went_electronically_is_of_it(
    small: tuple[Engine, Register],
) -> None:
    assert [
        (one.ours, one.unexplained) for one in (compared(small, "issued", 4), compared(small, "electronic", 1))
    ] == [
        (4, 0),
        (1, 0),
    ]


def test_a_register_that_counts_what_was_recalled_counts_by_another_definition(small: tuple[Engine, Register]) -> None:
    one = compared(small, "issued", 5, Rules("register", recalled="counted"))
    assert (causes(one), one.unexplained) == ({"definition": 1}, 0)
    assert [each.key for each in one.moved] == ["recalled"]


def test_what_was_deleted_after_the_register_counted_was_in_its_count(small: tuple[Engine, Register]) -> None:
    one = compared(small, "issued", 5, made=MADE)
    assert (causes(one), one.unexplained) == ({"late_entry": 1}, 0)
    assert [each.key for each in one.moved] == ["deleted after"]


def test_what_vanished_after_the_register_counted_was_in_its_count(small: tuple[Engine, Register]) -> None:
    engine, known = small
    with writing(engine) as connection:
        bury(connection, "s", Document, ["paper"], known, PLAN, day_start(20260205))
    one = compared(small, "issued", 5, made=MADE)
    assert (one.ours, causes(one), one.unexplained) == (3, {"late_entry": 2}, 0)


def test_days_that_are_not_covered_yet_and_what_nothing_explains(small: tuple[Engine, Register]) -> None:
    one = compared(small, "issued", 9, through=20260130)
    assert (one.ours, causes(one), one.unexplained) == (3, {"late_entry": 1}, 5)


def test_a_total_of_dossiers_has_no_count_among_documents(small: tuple[Engine, Register]) -> None:
    one = compared(small, "late", 3)
    assert (one.ours, one.why) == (None, "nothing of ours corresponds to it")
