"""What a source publishes beside what we count: each dossier classed by hand, each difference by its cause."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.compare import Compared, Comparison, Moved, compare
from collector.contract.connector import Days, Row
from collector.contract.period import Period, day_start, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Dossier, DossierEvent
from collector.contract.reported import Name, Report, Rules, Share, Total
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.tombstones import bury
from indicators.dossiers import INDICATORS
from tests.store.small import PLAN, put, row

A, B = "H44.01", "H44.02"
JANUARY = parse_period("2026-01")
ON_TIME = next(one for one in INDICATORS if one.id == "dossiers.on_time")

QD766 = Rules("qd766", withdrawn="on_time", without_due="on_time", due="current", apart=frozenset({"5", "8"}))
OPENCPS = Rules("opencps", without_due="on_time", due="current", same_day="by_hour")


@pytest.fixture
def small(emptied_store: tuple[Engine, Register]) -> tuple[Engine, Register]:
    return emptied_store


def at(day: int, hour: int = 9) -> int:
    return day_start(day) + hour * 3_600


def dossier(
    key: str,
    received: int | None,
    due: int | None = None,
    completed: int | None = None,
    *,
    moved: tuple[int, int] | None = None,
    paused: tuple[int, int | None] | None = None,
    agency: str = A,
    hours: tuple[int, int] | None = None,
    **more: Any,
) -> list[tuple[type[Dossier] | type[DossierEvent], Row]]:
    """A dossier: `moved` (on a day, to a day), `paused` (begun, ended), `hours` of completion and of the due date."""
    told: dict[str, Any] = {
        "outcome": "open" if completed is None else "completed",
        "channel": "online",
        "changed": at(20260120) * 1_000_000,
        "due_day": due if moved is None else moved[1],
        "source_status": "4" if completed is None else "9",
    } | more
    if hours is not None:
        told |= {"completed": at(completed, hours[0]) if completed else None, "due": at(told["due_day"], hours[1])}
    rows: list[tuple[type[Dossier] | type[DossierEvent], Row]] = [
        (
            Dossier,
            row(Dossier, key=key, agency_code=agency, received_day=received, completed_day=completed, **told),
        )
    ]
    found = [event(key, "due_promised", str(due), at(received), due)] if due and received else []
    if moved is not None:
        found.append(event(key, "due_promised", str(moved[1]), at(moved[0]), moved[1]))
    if paused is not None:
        found.append(event(key, "pause_begun", "1", at(paused[0]), paused[0]))
        if paused[1] is not None:
            found.append(event(key, "pause_ended", "1", at(paused[1]), paused[1]))
    return rows + [(DossierEvent, one) for one in found]


def event(dossier: str, kind: str, ref: str, instant: int, day: int) -> Row:
    word = {"due_promised": "due", "pause_begun": "begun", "pause_ended": "ended"}[kind]
    return row(
        DossierEvent,
        key=f"{dossier}|{word}|{ref}",
        changed=instant * 1_000_000,
        dossier=dossier,
        kind=kind,
        ref=ref,
        at=instant * 1_000_000,
        day=day,
        basis="first" if kind == "due_promised" else "history",
    )


def reading(agency: str, through: int | None = 20260131, state: Any = "measured", why: str = "") -> Reading:
    return Reading("dossiers.on_time", 1, "agency", agency, "2026-01", state, through, 0, 0, 0, why=why)


def report(
    *totals: tuple[Name, int], rules: Rules | None = QD766, made: int | None = None, code: str = A, **more: Any
) -> Report:
    period: Period = more.get("period", JANUARY)
    days = Days(period.first, period.last)
    return Report(Dossier, days, [Total(code, *one) for one in totals], more.get("shares", ()), rules, made)


def compared(
    small: tuple[Engine, Register],
    dossiers: Sequence[list[tuple[type[Dossier] | type[DossierEvent], Row]]],
    *reports: Report,
    readings: Sequence[Reading] = (),
    served: Sequence[str] = (A,),
) -> Comparison:
    engine, known = small
    rows = [one for own in dossiers for one in own]
    put(engine, known, {record: [one for kind, one in rows if kind is record] for record in (Dossier, DossierEvent)})
    told = {one.agency: one for one in readings or (reading(A), reading(B))}
    with reading_store(engine) as connection:
        return compare(connection, known, "s", reports, ON_TIME, {Dossier: told}, served)


def only(found: Comparison, name: Name = "on_time") -> Compared:
    (one,) = [one for one in found.totals if one.name == name]
    return one


def causes(one: Compared) -> dict[str, int]:
    return {cause: count for cause, count in one.causes.items() if count}


ORDINARY = [
    dossier("early", 20260105, 20260112, 20260109, returned_day=20260109),
    dossier("late", 20260105, 20260112, 20260113, returned_day=20260113),
    dossier("open", 20260105, 20260112),
]


def test_where_nothing_differs_nothing_is_to_be_explained(small: tuple[Engine, Register]) -> None:
    totals: tuple[tuple[Name, int], ...] = (("received", 3), ("completed", 2), ("on_time", 1), ("late", 1), ("open", 1))
    found = compared(small, ORDINARY, report(*totals))
    assert [(one.name, one.ours, one.theirs, one.unexplained, causes(one)) for one in found.totals] == [
        (name, value, value, 0, {}) for name, value in sorted(totals)
    ]
    assert found.is_explained


RULES = [
    # (what, dossier, rules, total, ours, theirs, cause)
    ("withdrawn", dossier("x", 20260105, 20260112, outcome="withdrawn", ended_day=20260109), QD766, "on_time", 1,
     "withdrawn"),
    ("withdrawn is completed", dossier("x", 20260105, 20260112, outcome="withdrawn", ended_day=20260109), QD766,
     "completed", 1, "withdrawn"),
    ("without due", dossier("x", 20260105, None, 20260109), QD766, "on_time", 1, "no_due_date"),
    ("moved without a wait", dossier("x", 20260105, 20260109, 20260113, moved=(20260108, 20260116)), QD766, "on_time",
     1, "definition"),
    ("moved: no longer late", dossier("x", 20260105, 20260109, 20260113, moved=(20260108, 20260116)), QD766, "late",
     -1, "definition"),
    ("waited, and moved too far", dossier("x", 20260105, 20260109, 20260119, moved=(20260109, 20260120),
     paused=(20260107, 20260109)), QD766, "on_time", 1, "paused"),
    ("waited, and never moved", dossier("x", 20260105, 20260109, 20260114, paused=(20260107, 20260112)), QD766,
     "late", 1, "paused"),
    ("came by post", dossier("x", 20260105, 20260112, 20260109, channel="post"),
     Rules("q", channels=frozenset({"counter", "online"})), "completed", -1, "channel"),
    ("channel unknown", dossier("x", 20260105, 20260112, 20260109, channel=None),
     Rules("q", channels=frozenset({"counter", "online"})), "received", -1, "channel"),
    ("later on its due day", dossier("x", 20260105, 20260112, 20260112, hours=(18, 17)), OPENCPS, "late", 1,
     "definition"),
    ("refused", dossier("x", 20260105, 20260112, 20260109, outcome="refused_after"), Rules("q", refused="out"),
     "completed", -1, "definition"),
    ("not collected yet", dossier("x", 20260105, 20260112, 20260109), Rules("q", ended="returned"), "completed", -1,
     "definition"),
    ("waits at the end", dossier("x", 20260105, 20260112, paused=(20260107, None), source_status="5"), QD766, "open",
     -1, "paused"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "rules", "name", "change", "cause"), [one[1:] for one in RULES],
                         ids=[one[0] for one in RULES])  # fmt: skip
def test_each_rule_that_differs_has_its_cause_and_its_dossier(
    small: tuple[Engine, Register],
    case: list[tuple[type[Dossier] | type[DossierEvent], Row]],
    rules: Rules,
    name: Name,
    change: int,
    cause: str,
) -> None:
    ours = only(compared(small, [*ORDINARY, case], report((name, 0), rules=Rules("ours"))), name).ours
    assert ours is not None
    one = only(compared(small, [], report((name, ours + change), rules=rules)), name)
    assert (one.ours, one.difference, causes(one), one.unexplained) == (ours, change, {cause: change}, 0)
    assert [(moved.key, moved.cause, moved.change) for moved in one.moved] == [("x", cause, change)]


def test_what_no_cause_explains_is_told_whatever_its_size(small: tuple[Engine, Register]) -> None:
    found = compared(small, ORDINARY, report(("completed", 5), ("late", 0)))
    assert [(one.name, one.unexplained) for one in found.totals] == [("completed", 3), ("late", -1)]
    assert not found.is_explained


def test_causes_that_cancel_each_other_are_both_told(small: tuple[Engine, Register]) -> None:
    withdrawn = dossier("w", 20260105, 20260112, outcome="withdrawn", ended_day=20260109)
    posted = dossier("p", 20260105, 20260112, 20260109, channel="post")
    rules = Rules("q", withdrawn="on_time", channels=frozenset({"counter", "online"}))
    one = only(compared(small, [withdrawn, posted], report(("completed", 1), rules=rules)), "completed")
    assert (one.ours, one.difference, one.unexplained) == (1, 0, 0)
    assert causes(one) == {"withdrawn": 1, "channel": -1}


def test_a_source_of_which_no_rule_is_known_leaves_its_difference_unexplained(small: tuple[Engine, Register]) -> None:
    case = dossier("x", 20260105, None, 20260109)
    one = only(compared(small, [case], report(("on_time", 1), rules=None)))
    assert (one.ours, one.unexplained, causes(one)) == (0, 1, {})


# -- entered after the source counted ---------------------------------------------------------------------------------

MADE = at(20260201, 1)
AFTER = at(20260203) * 1_000_000


@pytest.mark.parametrize(
    ("case", "name", "ours", "theirs"),
    [
        (dossier("x", 20260105, 20260112, 20260109, changed=AFTER), "completed", 1, 0),
        (dossier("x", 20260105, 20260112, 20260109, changed=AFTER), "open", 0, 1),
        (dossier("x", 20260105, 20260112, changed=AFTER), "received", 1, 0),
        (dossier("x", 20260105, 20260112, 20260109, changed=AFTER, removed=1), "completed", 0, 1),
    ],
    ids=["its end", "its end, so it was open", "the dossier itself", "its deletion"],
)
def test_what_was_entered_later_than_it_is_dated_is_a_late_entry(
    small: tuple[Engine, Register],
    case: list[tuple[type[Dossier] | type[DossierEvent], Row]],
    name: Name,
    ours: int,
    theirs: int,
) -> None:
    one = only(compared(small, [case], report((name, theirs), made=MADE)), name)
    assert (one.ours, causes(one), one.unexplained) == (ours, {"late_entry": theirs - ours}, 0)


def test_a_due_date_that_was_first_seen_after_the_report_was_promised_at_receipt(
    small: tuple[Engine, Register],
) -> None:
    case = dossier("x", 20260105, None, 20260109, changed=AFTER, due_day=20260112)
    case.append((DossierEvent, event("x", "due_promised", "20260112", AFTER // 1_000_000, 20260112)))
    one = only(compared(small, [case], report(("completed", 0), made=MADE)), "completed")
    assert (one.ours, causes(one), one.unexplained) == (1, {"late_entry": -1}, 0)


def test_what_only_went_on_after_the_report_was_counted_in_it(small: tuple[Engine, Register]) -> None:
    collected = dossier("c", 20260105, 20260112, 20260109, returned_day=20260202, changed=AFTER)
    moved = dossier("m", 20260105, 20260109, 20260113, moved=(20260202, 20260216), changed=AFTER)
    done_since = dossier("d", 20260105, 20260112, 20260202, changed=AFTER)
    rules = Rules("q", due="current")
    totals: tuple[tuple[Name, int], ...] = (("completed", 2), ("late", 1), ("open", 1))
    found = compared(small, [collected, moved, done_since], report(*totals, rules=rules, made=MADE))
    assert found.is_explained
    # The due date was moved after the report: at its time the dossier was late by the source's own rule.
    assert causes(only(found, "late")) == {"definition": -1, "late_entry": 1}
    assert [causes(only(found, name)) for name in ("completed", "open")] == [{}, {}]


def test_a_record_that_vanished_after_the_report_was_counted_in_it(small: tuple[Engine, Register]) -> None:
    engine, known = small
    compared(small, [dossier("x", 20260105, 20260112, 20260109)])
    with writing(engine) as connection:
        bury(connection, "s", Dossier, ["x"], known, PLAN, at(20260205))
    one = only(compared(small, [], report(("completed", 1), made=MADE)), "completed")
    assert (one.ours, causes(one), one.unexplained) == (0, {"late_entry": 1}, 0)
    assert list(one.moved) == [Moved("x", "late_entry", 1, "deleted after the source counted")]


def test_days_that_we_have_not_covered_yet_are_late_entries_of_ours(small: tuple[Engine, Register]) -> None:
    cases = [dossier("x", 20260105, 20260112, 20260109), dossier("y", 20260105, 20260112, 20260130)]
    found = compared(small, cases, report(("completed", 2)), readings=[reading(A, 20260128, "partial", "short")])
    one = only(found, "completed")
    assert (one.ours, causes(one), one.unexplained, one.state, one.why) == (1, {"late_entry": 1}, 0, "partial", "short")


# -- what cannot be compared -------------------------------------------------------------------------------------------


def test_without_a_figure_of_ours_there_is_no_difference(small: tuple[Engine, Register]) -> None:
    found = compared(small, ORDINARY, report(("completed", 9)), readings=[reading(A, None, "missing", "no source")])
    one = only(found, "completed")
    assert (one.ours, one.difference, one.unexplained, one.why) == (None, None, None, "no source")
    assert found.is_explained


def test_an_agency_of_which_the_source_tells_nothing_is_named_and_no_zero(small: tuple[Engine, Register]) -> None:
    found = compared(small, ORDINARY, report(("completed", 2)), served=(A, B))
    assert found.untold == [B]
    assert {one.agency for one in found.totals} == {A}


def test_old_and_new_code_of_an_agency_are_one_and_an_unknown_one_is_named(small: tuple[Engine, Register]) -> None:
    reports = [
        report(("completed", 1), code=B),
        report(("completed", 1), code="000.00.02.H44"),
        report(("completed", 7), code="H99.01"),
    ]
    merged = Report(Dossier, reports[0].days, [one for each in reports for one in each.totals], (), QD766)
    cases = [
        dossier("x", 20260105, 20260112, 20260109, agency=B),
        dossier("y", 20260105, 20260112, 20260109, agency="000.00.02.H44"),
    ]
    found = compared(small, cases, merged)
    one = only(found, "completed")
    assert (one.agency, one.ours, one.theirs, one.unexplained) == (B, 2, 2, 0)
    assert found.unknown_codes == ["H99.01"]


def test_a_total_of_the_whole_source_is_held_against_all_its_agencies(small: tuple[Engine, Register]) -> None:
    cases = [
        dossier("x", 20260105, 20260112, 20260109),
        dossier("y", 20260105, 20260112, 20260109, agency=B),
        dossier("z", 20260105, 20260112, 20260109, agency="H99.01"),
    ]
    one = only(compared(small, cases, report(("completed", 3), code="")), "completed")
    assert (one.agency, one.ours, one.theirs, causes(one), one.unexplained) == ("", 2, 3, {"definition": 1}, 0)


def test_the_length_of_a_queue_is_shown_and_compared_with_nothing(small: tuple[Engine, Register]) -> None:
    one = only(compared(small, ORDINARY, report(("waiting", 17), code="")), "waiting")
    assert (one.theirs, one.ours, one.unexplained, one.why) == (17, None, None, "the length of a queue is no volume")


def test_a_dossier_of_which_the_hour_is_not_known_is_counted_as_undecided(small: tuple[Engine, Register]) -> None:
    one = only(
        compared(small, [dossier("x", 20260105, 20260112, 20260112)], report(("late", 1), rules=OPENCPS)), "late"
    )
    assert (one.ours, one.unexplained, one.undecided) == (0, 1, 1)


# -- several spans -----------------------------------------------------------------------------------------------------


def test_months_of_a_quarter_add_up_and_what_stands_at_an_end_is_that_of_the_last(
    small: tuple[Engine, Register],
) -> None:
    february = parse_period("2026-02")
    cases = [
        dossier("x", 20260105, None, 20260109),
        dossier("y", 20260105, 20260212, 20260210),
        dossier("z", 20260202, 20260227),
    ]
    found = compared(
        small,
        cases,
        report(("on_time", 2), ("open", 0), period=february),
        report(("on_time", 1), ("open", 1)),
        readings=[reading(A, 20260228)],
    )
    one = only(found)
    assert (one.first_day, one.last_day, one.ours, one.theirs) == (20260101, 20260228, 1, 3)
    assert (causes(one), one.unexplained) == ({"no_due_date": 1}, 1)
    end = only(found, "open")
    assert (end.first_day, end.ours, end.theirs, end.unexplained) == (20260201, 1, 0, -1)


def test_percentages_are_held_against_the_sources_own_totals(small: tuple[Engine, Register]) -> None:
    shares = [Share(A, "on_time", "completed", "93.1"), Share(B, "on_time", "completed", "100")]
    totals = [
        Total(A, "on_time", 2_368),
        Total(A, "completed", 2_537),
        Total(B, "on_time", 0),
        Total(B, "completed", 0),
    ]
    found = compared(small, [], Report(Dossier, Days(20260101, 20260131), totals, shares, QD766))
    assert [(one.agency, one.hits, one.of, one.computed, one.verdict) for one in found.shares] == [
        (A, 2_368, 2_537, "93.34", "wrong"),
        (B, 0, 0, None, "of_nothing"),
    ]
    assert not found.is_explained
