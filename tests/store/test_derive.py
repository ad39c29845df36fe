"""What is derived at save: the effective due date, worked out by hand with a calendar of January and February 2026,
and how a document was sent.
"""

from pathlib import Path

import pytest
from sqlalchemy import select

from collector.contract.records import Delivery, Document, Dossier
from collector.contract.tables import document, dossier
from collector.store.derive import Due, Ordinals, effective_due
from collector.store.engine import reading
from tests.store.small import calendar, put, row, store

ORDINALS = Ordinals(
    {one.day: one.working_ordinal for one in calendar()},
    {one.working_ordinal: one.day for one in calendar() if one.is_working},
)
# Week of Monday 12 January; due on Friday the 16th unless said otherwise.
FRIDAY = [(1, 20260116, "first")]


@pytest.mark.parametrize(
    ("promises", "pauses", "expected", "why"),
    [
        ([], [], Due(None, None, None), "without a promise there is no due date"),
        (FRIDAY, [], Due(20260116, "first", 0), "the promise stands"),
        ([(9, 20260120, "first"), *FRIDAY], [], Due(20260116, "first", 0), "a date promised anew cures nothing"),
        (FRIDAY, [(20260113, 20260115)], Due(20260120, "first", 0), "two days waited: Friday becomes Tuesday"),
        (FRIDAY, [(20260117, 20260119)], Due(20260116, "first", 0), "begun after the due date: cures nothing"),
        (FRIDAY, [(20260116, 20260119)], Due(20260119, "first", 0), "begun on the due date: counts"),
        (FRIDAY, [(20260110, 20260112)], Due(20260119, "first", 0), "10 January is a working Saturday: one day waited"),
        (FRIDAY, [(20260117 - 6, 20260112)], Due(20260119, "first", 0), "begun on Sunday: Saturday's ordinal"),
        (
            FRIDAY,
            [(20260113, 20260115), (20260114, 20260116)],
            Due(20260121, "first", 0),
            "overlapping: three, not four",
        ),
        (FRIDAY, [(20260113, 20260114), (20260114, 20260115)], Due(20260120, "first", 0), "touching: merged"),
        (
            FRIDAY,
            [(20260115, 20260116), (20260119, 20260120)],
            Due(20260120, "first", 0),
            "the second within the first's",
        ),
        (FRIDAY, [(20260113, None)], Due(20260116, "first", 1), "open on the due date"),
        (FRIDAY, [(20260119, None)], Due(20260116, "first", 0), "open, but begun after it"),
        (FRIDAY, [(20260113, None), (20260114, 20260116)], Due(20260116, "first", 1), "the open one swallows it"),
        (FRIDAY, [(20260115, 20260115)], Due(20260116, "first", 0), "back on the same day: nothing waited"),
        (
            [(1, 20260213, "first")],
            [(20260212, 20260223)],
            Due(20260224, "first", 0),
            "across Tết: Thursday to Monday is two working days",
        ),
        ([(1, 20260117, "first")], [], Due(20260117, "first", 0), "a due date on a day off stays"),
        (
            [(1, 20260117, "first")],
            [(20260115, 20260116)],
            Due(20260119, "first", 0),
            "moved from a Saturday off to Monday",
        ),
        ([(1, 20260116, "current")], [], Due(20260116, "current", None), "only today's date is known"),
        (
            [(1, 20260116, "history"), (5, 20260120, "first")],
            [],
            Due(20260116, "history", 0),
            "the list of moves names it",
        ),
        (FRIDAY, [(20251231, 20260105)], Due(None, "first", None), "outside the calendar no day is guessed"),
    ],
)
def test_the_effective_due_date_is_the_first_promise_moved_by_legitimate_pauses(
    promises: list[tuple[int, int, str]], pauses: list[tuple[int, int | None]], expected: Due, why: str
) -> None:
    assert effective_due(promises, pauses, ORDINALS) == expected, why
    assert effective_due(promises[::-1], pauses[::-1], ORDINALS) == expected, "whatever the order"


@pytest.mark.parametrize(
    ("deliveries", "scope", "sent"),
    [
        # (outside the province, electronically) of each recipient
        ([], "external", 0),  # as the register states
        ([(0, 1)], "internal", 1),
        ([(0, 1), (0, 1)], "internal", 1),
        ([(0, 1), (0, 0)], "internal", 0),
        ([(0, 0), (0, None)], "internal", 0),
        ([(0, 1), (0, None)], "internal", None),
        ([(0, 1), (1, 1)], "external", 1),
        ([(None, 1), (1, 0)], "external", 0),
        ([(None, 1), (0, 1)], None, 1),
    ],
)
def test_a_document_is_sent_electronically_only_if_every_recipient_got_it_so(
    tmp_path: Path, deliveries: list[tuple[int | None, int | None]], scope: str | None, sent: int | None
) -> None:
    engine, known = store(tmp_path)
    stated = {"scope_stated": "external", "electronic_stated": 0}
    rows = [
        row(Delivery, key=f"d|{place}", document="d", outside=outside, electronic=electronic)
        for place, (outside, electronic) in enumerate(deliveries)
    ]
    taken_back = row(Delivery, key="d|x", document="d", outside=None, electronic=None, removed=1)
    documents = [row(Document, key="d", agency_code="H44.01", direction="out", issued_day=20260105, **stated)]
    put(engine, known, {Document: documents, Delivery: [*rows, taken_back]})
    with reading(engine) as connection:
        assert connection.execute(select(document.c.scope, document.c.sent_electronically)).one() == (scope, sent)
    engine.dispose()


@pytest.mark.parametrize(
    ("completed", "ended", "left"),
    [(None, None, None), (20260109, None, 20260109), (None, 20260112, 20260112), (20260109, 20260112, 20260109)],
)
def test_a_dossier_leaves_on_the_day_of_its_completion_or_else_of_its_end(
    tmp_path: Path, completed: int | None, ended: int | None, left: int | None
) -> None:
    engine, known = store(tmp_path)
    put(engine, known, {Dossier: [row(Dossier, key="d", agency_code="H44.01", completed_day=20260107)]})
    days = {"completed_day": completed, "ended_day": ended}
    put(engine, known, {Dossier: [row(Dossier, key="d", agency_code="H44.01", changed=1, **days)]})
    with reading(engine) as connection:
        assert connection.scalar(select(dossier.c.left_day)) == left
    engine.dispose()
