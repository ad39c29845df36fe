"""The cells of the mailboxes' indicators, worked out by hand for the week from Monday 5 January 2026.

Saturday the 10th is worked, Sunday the 11th is off.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from collector.agencies import Register
from collector.contract.connector import Row
from collector.contract.records import Mailbox, MailboxDay
from collector.store.engine import reading
from collector.store.schema import cell
from tests.store.small import put, row, store

DAYS = range(20260105, 20260113)


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


def box(name: str, kind: str | None, created: int | None = 20240101, closed: int | None = None, **more: Any) -> Row:
    listed: dict[str, Any] = {"month_day": 20260101, "first_listed_day": 20260101, "agency_code": "a.example"} | more
    given = {"pseudonym": name, "kind": kind, "active_from_day": created, "closed_day": closed}
    return row(Mailbox, key=f"{listed['month_day'] // 100}:{name}", **given, **listed)


def used(name: str, day: int, sessions: int = 1, sent: int = 0, span: str = "f:0-9", **more: Any) -> Row:
    given = {"pseudonym": name, "day": day, "span": span, "sessions": sessions, "sent": sent}
    return row(MailboxDay, key=f"{day}:{name}:{span}", **given, **more)


def cells(engine: Engine, indicator: str, agency: str = "H44.01") -> Mapping[int, tuple[int, int, int]]:
    """Hits, judged and unknown of the days of the week."""
    with reading(engine) as connection:
        return {
            one.day: (one.hits, one.judged, one.unknown)
            for one in connection.execute(
                select(cell).where(cell.c.indicator == indicator, cell.c.agency == agency, cell.c.day.in_(DAYS))
            )
        }


def test_personal_mailboxes_are_used_on_working_days_by_a_session_or_a_mail(small: tuple[Engine, Register]) -> None:
    boxes = [box("an", "personal"), box("binh", "personal"), box("vanthu", "shared")]
    use = [
        used("an", 20260105, sessions=1, sent=0),
        used("binh", 20260105, sessions=0, sent=1),
        used("an", 20260106, sessions=0, sent=0),
        used("binh", 20260107, sessions=2, sent=3),
        used("binh", 20260107, sessions=1, span="f:9-20"),
        used("an", 20260108, removed=1),
        used("an", 20260110),
        used("an", 20260111),
        used("binh", 20260111),
        *(used("vanthu", day) for day in DAYS),
        used("a box that no list has", 20260112),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: use})
    assert cells(small[0], "mailboxes.daily_use") == {
        20260105: (2, 2, 0),
        20260106: (0, 2, 0),
        20260107: (1, 2, 0),
        20260108: (0, 2, 0),
        20260109: (0, 2, 0),
        20260110: (1, 2, 0),
        20260112: (0, 2, 0),
    }


def test_a_mailbox_is_judged_from_its_creation_to_the_day_before_it_is_closed(small: tuple[Engine, Register]) -> None:
    boxes = [
        box("an", "personal", created=20260106, closed=20260109),
        box("binh", "personal", created=None, first_listed_day=20260108),
        box("removed", "personal", removed=1),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: [used("an", day) for day in DAYS]})
    assert cells(small[0], "mailboxes.daily_use") == {
        20260106: (1, 1, 0),
        20260107: (1, 1, 0),
        20260108: (1, 2, 0),
        20260109: (0, 1, 0),
        20260110: (0, 1, 0),
        20260112: (0, 1, 0),
    }


def test_a_mailbox_of_unknown_kind_cannot_be_judged_and_is_no_miss(small: tuple[Engine, Register]) -> None:
    boxes = [box("an", "personal"), box("who", None), box("else", None)]
    put(*small, {Mailbox: boxes, MailboxDay: [used("an", 20260105), used("who", 20260105)]})
    found = cells(small[0], "mailboxes.daily_use")
    assert found[20260105] == (1, 1, 2)
    assert found[20260106] == (0, 1, 2)


def test_each_agency_has_its_own_mailboxes_and_an_unknown_domain_has_none(small: tuple[Engine, Register]) -> None:
    boxes = [
        box("an", "personal"),
        box("binh", "personal", agency_code="b.example"),
        box("x", "personal", agency_code="x.example"),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: [used(name, 20260105) for name in ("binh", "x")]})
    assert cells(small[0], "mailboxes.daily_use")[20260105] == (0, 1, 0)
    assert cells(small[0], "mailboxes.daily_use", "H44.02")[20260105] == (1, 1, 0)


def test_mailboxes_are_provided_to_at_most_the_headcount_and_on_days_off_too(small: tuple[Engine, Register]) -> None:
    boxes = [
        box("an", "personal"),
        box("binh", "personal", created=20260106),
        box("chi", "personal", created=20260107),
        box("dung", "personal", created=20260108, closed=20260112),
        box("em", "personal", created=20260108, closed=20260111),
        box("vanthu", "shared"),
        box("who", None),
    ]
    put(*small, {Mailbox: boxes})  # the headcount is 3
    assert cells(small[0], "mailboxes.provisioned") == {
        20260105: (1, 3, 0),
        20260106: (2, 3, 0),
        20260107: (3, 3, 0),
        **dict.fromkeys(range(20260108, 20260113), (3, 3, 0)),
    }
    assert set(cells(small[0], "mailboxes.provisioned", "H44.02").values()) == {(0, 2, 0)}
