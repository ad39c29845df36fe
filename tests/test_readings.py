"""Readings and their states: missing is not zero, and a gap is told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from collector import readings
from collector.agencies import Register
from collector.contract.connector import Batch, Covered
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Document, Dossier, DossierEvent, Mailbox, MailboxDay, Procedure, Record
from collector.readings import Member, Served, World
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.save import save
from tests.store.small import INDICATORS, PLAN, put, row, store

JANUARY = parse_period("2026-01")
INTERNAL = next(one for one in INDICATORS if one.id == "documents.exchanged_internal")
ONLINE = next(one for one in INDICATORS if one.id == "dossiers.online")
PROVISIONED = next(one for one in INDICATORS if one.id == "mailboxes.provisioned")
MEMBERS = (Member("H44.01", "departments"), Member("H44.02", "departments"))
MARCH = day_start(20260301)
DAY = 86_400


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


def world(now: int = MARCH, source: str = "s", records: Sequence[type[Record]] = (Document,), **kw: Any) -> World:
    offered = frozenset(record.NAME for record in records)
    serving = [Served(source, code, 20260101, offered, 2 * DAY) for code in ("H44.01", "H44.02")]
    return replace(World("H44", MEMBERS, serving, now), **kw)


def cover(engine: Engine, known: Register, *covers: Covered, source: str = "s") -> None:
    with writing(engine) as connection:
        save(connection, source, [Batch({}, None, covers=covers)], known, PLAN)


def documents(
    engine: Engine, known: Register, *verdicts: int | None, agency: str = "H44.01", day: int = 20260105
) -> None:
    put(
        engine,
        known,
        {
            Document: [
                row(
                    Document,
                    key=f"{agency} {day} {n}",
                    agency_code=agency,
                    direction="out",
                    scope_stated="internal",
                    issued_day=day,
                    electronic_stated=verdict,
                    paper_too=0,
                    recalled=0,
                )
                for n, verdict in enumerate(verdicts)
            ]
        },
    )


def take(engine: Engine, indicator: Any = INTERNAL, **kw: Any) -> Mapping[str, Reading]:
    with reading_store(engine) as connection:
        taken = readings.take(connection, [indicator], PLAN, world(**kw), JANUARY, ("agency", "block", "province"))
    return {one.agency: one for one in taken}


def test_a_wholly_covered_closed_month_is_measured(small: tuple[Engine, Register]) -> None:
    documents(*small, 1, 1, 0)
    cover(*small, Covered(Document, 20260101, 20260131))
    one = take(small[0])["H44.01"]
    assert (one.state, one.hits, one.judged, one.unknown, one.through) == ("measured", 2, 3, 0, 20260131)
    assert str(one.value) == "0.666667"


def test_without_a_source_that_serves_it_a_figure_is_missing_and_has_no_counts(small: tuple[Engine, Register]) -> None:
    documents(*small, 1, 1)
    one = take(small[0], serving=[])["H44.01"]
    assert (one.state, one.hits, one.judged, one.through, one.value) == ("missing", 0, 0, None, None)
    assert "document" in one.why


def test_records_without_coverage_make_no_figure(small: tuple[Engine, Register]) -> None:
    documents(*small, 1, 1)
    one = take(small[0])["H44.01"]
    assert (one.state, one.judged, one.value) == ("missing", 0, None)


def test_covered_and_nothing_to_judge_is_not_applicable_and_neither_0_nor_100_percent(
    small: tuple[Engine, Register],
) -> None:
    cover(*small, Covered(Document, 20260101, 20260131))
    one = take(small[0])["H44.01"]
    assert (one.state, one.value) == ("not_applicable", None)


def test_nothing_that_can_be_judged_is_missing(small: tuple[Engine, Register]) -> None:
    documents(*small, None, None)
    cover(*small, Covered(Document, 20260101, 20260131))
    one = take(small[0])["H44.01"]
    assert (one.state, one.unknown, one.value) == ("missing", 2, None)


@pytest.mark.parametrize(("unknown", "state"), [(1, "measured"), (2, "partial")])
def test_over_5_percent_unknown_is_partial_and_5_percent_is_not(
    small: tuple[Engine, Register], unknown: int, state: str
) -> None:
    documents(*small, *[1] * (20 - unknown), *[None] * unknown)
    cover(*small, Covered(Document, 20260101, 20260131))
    assert take(small[0])["H44.01"].state == state


def test_a_gap_before_through_is_partial_and_told(small: tuple[Engine, Register]) -> None:
    documents(*small, 1)
    cover(*small, Covered(Document, 20260101, 20260109), Covered(Document, 20260111, 20260131))
    one = take(small[0])["H44.01"]
    assert (one.state, one.through, one.value) == ("partial", 20260131, None)
    assert "1 day of document" in one.why


def test_a_closed_month_that_is_not_covered_to_its_end_is_partial(small: tuple[Engine, Register]) -> None:
    documents(*small, 1)
    documents(*small, 0, day=20260130)
    cover(*small, Covered(Document, 20260101, 20260129))
    one = take(small[0])["H44.01"]
    assert (one.state, one.through, one.judged) == ("partial", 20260129, 1)


def test_an_open_month_is_measured_through_its_last_covered_day_until_that_is_stale(
    small: tuple[Engine, Register],
) -> None:
    documents(*small, 1)
    cover(*small, Covered(Document, 20260101, 20260110))
    assert take(small[0], now=day_start(20260111) + 2 * DAY)["H44.01"].state == "measured"
    stale = take(small[0], now=day_start(20260111) + 2 * DAY + 1)["H44.01"]
    assert (stale.state, stale.through) == ("partial", 20260110)


def test_every_needed_record_must_be_covered(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(
        engine,
        known,
        {
            Dossier: [
                row(
                    Dossier,
                    key="d",
                    agency_code="H44.01",
                    procedure="1.000001",
                    channel="online",
                    received_day=20260105,
                    outcome="open",
                )
            ],
            Procedure: [row(Procedure, key="1.000001", code="1.000001", level="full")],
        },
    )
    cover(engine, known, Covered(Dossier, 20260101, 20260131))
    both = (Dossier, Procedure)
    assert take(engine, ONLINE, records=both)["H44.01"].state == "missing", "no catalogue was read"
    cover(engine, known, Covered(Procedure, 20260101, 20260131))
    assert take(engine, ONLINE, records=both)["H44.01"].state == "measured"


def test_mailboxes_provisioned_is_the_last_covered_day_and_never_more_than_the_headcount(
    small: tuple[Engine, Register],
) -> None:
    engine, known = small
    boxes = [
        row(
            Mailbox,
            key=f"202601:{n}",
            agency_code="a.example",
            month_day=20260101,
            pseudonym=str(n),
            kind="personal" if n in (1, 2) else "shared",
            active_from_day=20260105,
            first_listed_day=20260101,
            closed_day=20260120 if n == 1 else None,
        )
        for n in range(6)  # of 5 and more figures are told
    ]
    put(engine, known, {Mailbox: boxes})
    cover(engine, known, Covered(Mailbox, 20260101, 20260131))
    found = take(engine, PROVISIONED, records=(Mailbox,))
    assert (found["H44.01"].hits, found["H44.01"].judged) == (1, 3), "one of two personal ones was closed"
    assert (found["H44.02"].hits, found["H44.02"].judged) == (0, 2), "nobody has one: that is 0 %, not missing"
    more = [
        row(
            Mailbox,
            key=f"202601:m{n}",
            agency_code="a.example",
            month_day=20260101,
            pseudonym=f"m{n}",
            kind="personal",
            first_listed_day=20260101,
        )
        for n in range(9)
    ]
    put(engine, known, {Mailbox: more})
    assert take(engine, PROVISIONED, records=(Mailbox,))["H44.01"].hits == 3


REGULAR = next(one for one in INDICATORS if one.id == "mailboxes.regular_use")

# Working days of January and February 2026 (tests/store/small.py).
WORKED = {
    20260101: (
        *range(20260105, 20260111),
        *range(20260112, 20260117),
        *range(20260119, 20260124),
        *range(20260126, 20260131),
    ),
    20260201: (*range(20260202, 20260207), *range(20260209, 20260214), *range(20260223, 20260228)),
}


def test_a_figure_by_months_adds_up_how_each_month_stood_at_its_end(small: tuple[Engine, Register]) -> None:
    engine, known = small
    boxes, use = [], []
    for month, days in WORKED.items():
        for n in range(5):
            given = {"agency_code": "a.example", "month_day": month, "pseudonym": str(n), "kind": "personal"}
            boxes.append(row(Mailbox, key=f"{month // 100}:{n}", first_listed_day=month, **given))
            if n < (3 if month == 20260101 else 1):
                given = {"pseudonym": str(n), "span": "f", "sessions": 1, "sent": 0}
                use += [row(MailboxDay, key=f"{day}:{n}", day=day, **given) for day in days]
    put(engine, known, {Mailbox: boxes, MailboxDay: use})
    both = (Mailbox, MailboxDay)
    cover(engine, known, *(Covered(record, 20260101, 20260223) for record in both))
    seen = world(now=day_start(20260224), records=both)

    def figure(period: str) -> tuple[object, ...]:
        wanted = parse_period(period)
        with reading_store(engine) as connection:
            taken = readings.take(connection, [REGULAR], PLAN, seen, wanted)
            one = next(one for one in taken if one.agency == "H44.01")
            rows = readings.explain(connection, REGULAR, one, wanted, seen).rows
        assert sum(row.hits for row in rows) == one.hits
        assert sum(row.judged for row in rows) == one.judged
        return one.state, one.hits, one.judged, one.through, [row.day for row in rows]

    assert figure("2026-01") == ("measured", 3, 5, 20260131, [20260131])
    assert figure("2026-02") == ("measured", 1, 5, 20260223, [20260223]), "the open month, as far as it has come"
    assert figure("2026-Q1") == ("measured", 4, 10, 20260223, [20260131, 20260223]), "mailbox-months"


def test_wider_scopes_add_counts_skip_what_does_not_apply_and_carry_the_worst_state(
    small: tuple[Engine, Register],
) -> None:
    documents(*small, 1, 0)
    cover(*small, Covered(Document, 20260101, 20260131))
    found = take(small[0])
    assert (found["departments"].state, found["departments"].hits, found["departments"].judged) == ("measured", 1, 2)
    assert (found["H44"].members, found["H44"].measured_members) == (1, 1)
    documents(*small, None, agency="H44.02")
    worse = take(small[0])
    assert (worse["H44"].state, worse["H44"].judged, worse["H44"].measured_members) == ("missing", 2, 1)
    outside = (MEMBERS[0], Member("H44.02", "departments", outside="military"))
    assert take(small[0], members=outside)["H44"].state == "measured"


def test_an_explanation_lists_exactly_what_is_counted(small: tuple[Engine, Register]) -> None:
    engine, known = small
    documents(engine, known, 1, 0, None, 1)
    documents(engine, known, 1, agency="H44.02")
    cover(engine, known, Covered(Document, 20260101, 20260131))
    one = take(engine)["H44.01"]
    with reading_store(engine) as connection:
        rows = readings.explain(connection, INTERNAL, one, JANUARY, world()).rows
    verdicts = [line.verdict for line in rows]
    assert (verdicts.count("hit"), verdicts.count("miss"), verdicts.count("unknown")) == (2, 1, 1)
    assert one.hits == 2
    assert one.judged == 3
    assert one.unknown == 1


def test_a_provisional_calendar_makes_a_figure_that_uses_it_partial(small: tuple[Engine, Register]) -> None:
    engine, known = small
    on_time = next(one for one in INDICATORS if one.id == "dossiers.on_time")
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE workday SET provisional = 1 WHERE day = 20260115")
    put(
        engine,
        known,
        {Dossier: [row(Dossier, key="d", agency_code="H44.01", completed_day=20260106, received_day=20260105)]},
    )
    cover(engine, known, Covered(Document, 20260101, 20260131))
    documents(engine, known, 1)
    assert take(engine)["H44.01"].state == "measured", "documents do not need working days"

    put(
        engine,
        known,
        {
            DossierEvent: [
                row(
                    DossierEvent,
                    key="d|due|20260107",
                    dossier="d",
                    kind="due_promised",
                    ref="",
                    at=1,
                    day=20260107,
                    basis="first",
                )
            ]
        },
    )
    cover(engine, known, Covered(Dossier, 20260101, 20260131), Covered(DossierEvent, 20260101, 20260131))
    one = take(engine, on_time, records=(Dossier, DossierEvent))["H44.01"]
    assert (one.state, one.hits, one.judged) == ("partial", 1, 1)
    assert one.why == "workdays/2026.yaml does not decide whether 2026-01-15 is a working day"
    with writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM workday WHERE day = 20260116")
        connection.exec_driver_sql("UPDATE workday SET provisional = 0")
    assert "does not reach so far" in take(engine, on_time, records=(Dossier, DossierEvent))["H44.01"].why


def test_a_percentage_is_rounded_once_from_its_counts() -> None:
    def figure(hits: int, judged: int) -> str:
        return str(Reading("i", 1, "agency", "a", "p", "measured", 1, hits, judged, 0).percentage)

    # 2,368 of 2,537 is the figure that was once published as 93.1 %.
    assert [figure(2368, 2537), figure(42, 64), figure(145, 159)] == ["93.34", "65.63", "91.19"]
    assert Reading("i", 1, "agency", "a", "p", "partial", 1, 42, 64, 0).percentage is None
