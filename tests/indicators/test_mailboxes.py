"""The cells of the mailboxes' indicators, worked out by hand for the week from Monday 5 January 2026.

Saturday the 10th is worked, Sunday the 11th is off.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, select

from collector.agencies import Register
from collector.contract.connector import Row
from collector.contract.records import Mailbox, MailboxDay, columns
from collector.store.engine import reading, writing
from collector.store.reference import refresh
from collector.store.schema import cell
from tests.store.small import PLAN, REGISTER, calendar, put, register, row, store

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


# --- officials who use a mailbox -------------------------------------------------------------------------------------


def test_of_three_officials_so_many_use_a_mailbox_as_personal_ones_are_used_and_never_more(
    small: tuple[Engine, Register],
) -> None:
    personal, others = ("an", "binh", "chi", "dung"), ("who", "else")
    boxes = [*(box(one, "personal") for one in personal), *(box(one, None) for one in others), box("vanthu", "shared")]
    use = [
        *(used(one, 20260105) for one in personal),
        *(used(one, 20260106) for one in ("an", *others)),
        *(used(one, 20260107) for one in ("an", "binh", *others)),
        *(used("vanthu", day) for day in DAYS),
        used("an", 20260110),
        *(used(one, 20260111) for one in personal),
        used("who", 20260112),
        used("who", 20260112, span="f:9-20"),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: use})  # the headcount is 3
    assert cells(small[0], "mailboxes.daily_use_of_staff") == {
        20260105: (3, 3, 0),
        20260106: (1, 1, 2),  # two mailboxes of unknown kind may be those of the other two
        20260107: (2, 2, 1),  # of these two only one can be the third official's
        20260108: (0, 3, 0),
        20260109: (0, 3, 0),
        20260110: (1, 3, 0),
        20260112: (0, 2, 1),
    }
    assert set(cells(small[0], "mailboxes.daily_use_of_staff", "H44.02").values()) == {(0, 2, 0)}


@pytest.mark.parametrize(("indicator", "days"), [("mailboxes.daily_use_of_staff", 7), ("mailboxes.provisioned", 8)])
def test_an_agency_without_headcount_is_unknown_and_none_counts_in_a_month_without_lists(
    small: tuple[Engine, Register], tmp_path: Path, indicator: str, days: int
) -> None:
    engine, known = small
    text = REGISTER.replace("    headcount: 2\n    headcount_from: test\n", "")
    with writing(engine) as connection:
        refresh(connection, register(tmp_path, text), calendar(), PLAN)
    put(engine, known, {Mailbox: [box("an", "personal", agency_code="b.example")], MailboxDay: [used("an", 20260105)]})
    assert list(cells(engine, indicator, "H44.02").values()) == [(0, 0, 1)] * days
    assert at(engine, indicator, 20260202) is None


# --- regular use -----------------------------------------------------------------------------------------------------

REGULAR = "mailboxes.regular_use"

# The working days of January and February 2026, by hand. Tết is from 14 to 22 February.
JANUARY = (
    *range(20260105, 20260111),
    *range(20260112, 20260117),
    *range(20260119, 20260124),
    *range(20260126, 20260131),
)
FEBRUARY = (*range(20260202, 20260207), *range(20260209, 20260214), *range(20260223, 20260228))


def at(engine: Engine, indicator: str, day: int, agency: str = "H44.01") -> tuple[int, int, int] | None:
    """Hits, judged and unknown of a day; None if there is no cell."""
    with reading(engine) as connection:
        one = connection.execute(
            select(cell).where(cell.c.indicator == indicator, cell.c.agency == agency, cell.c.day == day)
        ).one_or_none()
    return None if one is None else (one.hits, one.judged, one.unknown)


def test_each_day_says_how_regular_the_month_has_been_so_far(small: tuple[Engine, Register]) -> None:
    days = (20260105, 20260106, 20260107, 20260108, 20260111, 20260112)
    put(*small, {Mailbox: [box("an", "personal")], MailboxDay: [used("an", day) for day in days]})
    assert cells(small[0], REGULAR) == {
        20260105: (1, 1, 0),
        20260106: (1, 1, 0),
        20260107: (1, 1, 0),
        20260108: (1, 1, 0),
        20260109: (1, 1, 0),  # 4 of 5: 80 %
        20260110: (0, 1, 0),  # 4 of 6: the Saturday is worked
        20260111: (0, 1, 0),  # a Sunday changes nothing, whoever logs in
        20260112: (0, 1, 0),  # 5 of 7
    }
    assert at(small[0], REGULAR, 20260104) is None, "before the first working day nothing is to judge"


@pytest.mark.parametrize(("days", "hits"), [(21, 1), (17, 1), (16, 0)])
def test_seventeen_of_januarys_twenty_one_working_days_are_regular_and_sixteen_are_not(
    small: tuple[Engine, Register], days: int, hits: int
) -> None:
    off = [used("an", day) for day in range(20260101, 20260132) if day not in JANUARY]
    twice = [used("an", 20260105, span="f:9-20"), used("an", 20260130, removed=1, span="f:9-20")]
    use = [used("an", day) for day in JANUARY[:days]]
    put(*small, {Mailbox: [box("an", "personal")], MailboxDay: [*use, *twice, *off]})
    assert at(small[0], REGULAR, 20260131) == (hits, 1, 0)


@pytest.mark.parametrize(("days", "hits"), [(4, 1), (3, 0)])
def test_a_mailbox_made_in_mid_month_is_judged_from_then_on(
    small: tuple[Engine, Register], days: int, hits: int
) -> None:
    boxes = [box("an", "personal", created=20260124), box("binh", "personal", created=None, first_listed_day=20260126)]
    use = [used(name, day) for name in ("an", "binh") for day in (20260105, *JANUARY[-5:][:days])]
    put(*small, {Mailbox: boxes, MailboxDay: use})
    assert at(small[0], REGULAR, 20260125) is None, "it has not been active on a working day yet"
    assert at(small[0], REGULAR, 20260131) == (2 * hits, 2, 0), f"{days} of the last 5 working days"


@pytest.mark.parametrize(("days", "hits"), [(4, 1), (3, 0)])
def test_a_mailbox_closed_in_mid_month_is_judged_by_the_days_before(
    small: tuple[Engine, Register], days: int, hits: int
) -> None:
    use = [used("an", day) for day in (*JANUARY[:days], *JANUARY[5:])]
    put(*small, {Mailbox: [box("an", "personal", closed=20260110)], MailboxDay: use})
    assert at(small[0], REGULAR, 20260131) == (hits, 1, 0), f"{days} of the 5 working days before it was closed"


def test_of_unknown_kind_is_unknown_and_a_shared_mailbox_or_one_of_nobody_is_not_counted(
    small: tuple[Engine, Register],
) -> None:
    boxes = [
        *(box("an", "personal"), box("who", None), box("vanthu", "shared"), box("gone", "personal", removed=1)),
        *(box("x", "personal", agency_code="x.example"), box("binh", "personal", agency_code="b.example")),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: [used(one[5], day) for one in boxes for day in JANUARY[:20]]})
    assert at(small[0], REGULAR, 20260131) == (1, 1, 1)
    assert at(small[0], REGULAR, 20260131, "H44.02") == (1, 1, 0)


def test_a_month_begins_anew_and_tet_is_no_working_time(small: tuple[Engine, Register]) -> None:
    boxes = [box("an", "personal", month_day=month) for month in (20260101, 20260201)]
    put(*small, {Mailbox: boxes, MailboxDay: [used("an", day) for day in (*JANUARY, *FEBRUARY[1:10])]})
    found = {day: at(small[0], REGULAR, day) for day in (20260131, 20260201, *FEBRUARY, 20260214, 20260222, 20260228)}
    assert (
        found
        == {
            20260131: (1, 1, 0),
            20260201: None,  # a Sunday before the month's first working day
            20260202: (0, 1, 0),
            20260203: (0, 1, 0),
            20260204: (0, 1, 0),
            20260205: (0, 1, 0),
            20260206: (1, 1, 0),  # 4 of 5
            **dict.fromkeys(FEBRUARY[5:10], (1, 1, 0)),
            20260214: (1, 1, 0),  # 9 of 10, all through Tết
            20260222: (1, 1, 0),
            20260223: (1, 1, 0),  # 9 of 11
            20260224: (0, 1, 0),  # 9 of 12
            20260225: (0, 1, 0),
            20260226: (0, 1, 0),
            20260227: (0, 1, 0),
            20260228: (0, 1, 0),
        }
    )


def test_what_is_learnt_of_a_day_moves_all_later_days_of_its_month_and_no_others(
    small: tuple[Engine, Register],
) -> None:
    boxes = [box("an", "personal", month_day=month) for month in (20260101, 20260201)]
    put(*small, {Mailbox: boxes, MailboxDay: [used("an", day) for day in (*JANUARY[1:17], *FEBRUARY[1:12])]})
    assert [at(small[0], REGULAR, day) for day in (20260131, 20260228)] == [(0, 1, 0), (0, 1, 0)]
    put(*small, {MailboxDay: [used("an", 20260105)]})
    assert [at(small[0], REGULAR, day) for day in (20260131, 20260228)] == [(1, 1, 0), (0, 1, 0)]


# --- mails to free mail ----------------------------------------------------------------------------------------------

FREE = "mailboxes.free_mail"


def test_deliveries_outside_of_an_agencys_mailboxes_are_added_up_by_day(small: tuple[Engine, Register]) -> None:
    boxes = [
        *(box("an", "personal"), box("vanthu", "shared"), box("who", None), box("late", "personal", closed=20260105)),
        *(box("gone", "personal", removed=1), box("x", "personal", agency_code="x.example")),
        *(box("an", "personal", month_day=20260201), box("binh", "personal", agency_code="b.example")),
    ]
    outside = [
        ("an", 3, 1),
        ("vanthu", 2, 2),
        ("who", 1, 0),
        ("late", 1, 1),
        ("gone", 9, 9),
        ("x", 9, 9),
        ("binh", 4, 0),
    ]
    use = [used(name, 20260105, sent_outside=given, sent_free=free) for name, given, free in outside]
    use += [
        used("an", 20260105, span="f:9-20", sent_outside=2, sent_free=1),
        used("an", 20260105, span="g:0-9", sent_outside=5, sent_free=5, removed=1),
        used("an", 20260106, sent=3),
        used("an", 20260111, sent_outside=1, sent_free=1),
        used("nobody's", 20260105, sent_outside=7, sent_free=7),
    ]
    put(*small, {Mailbox: boxes, MailboxDay: use})
    assert cells(small[0], FREE) == {20260105: (5, 9, 0), 20260111: (1, 1, 0)}, "a Sunday counts too"
    assert cells(small[0], FREE, "H44.02") == {20260105: (0, 4, 0)}


def test_a_delivery_counts_once_the_list_of_its_month_tells_whose_it_is(small: tuple[Engine, Register]) -> None:
    put(*small, {MailboxDay: [used("an", 20260131, sent_outside=2, sent_free=1)]})
    assert at(small[0], FREE, 20260131) is None
    put(*small, {Mailbox: [box("an", "personal", month_day=20260201)]})
    assert at(small[0], FREE, 20260131) is None, "that is another month's list"
    put(*small, {Mailbox: [box("an", "personal")]})
    assert at(small[0], FREE, 20260131) == (1, 2, 0)


# --- mailboxes that are nearly full ----------------------------------------------------------------------------------

FULL = "mailboxes.quota_full"


@pytest.mark.parametrize(
    ("quota", "size", "counted"),
    [
        (10, 9, (1, 1, 0)),
        (10, 8, (0, 1, 0)),
        (11, 10, (1, 1, 0)),  # 90.9 %
        (11, 9, (0, 1, 0)),  # 81.8 %
        (19, 17, (0, 1, 0)),  # 89.5 %
        (9, 8, (0, 1, 0)),  # 88.9 %
        (1, 0, (0, 1, 0)),
        (1, 1, (1, 1, 0)),
        (10, 12, (1, 1, 0)),
        (1 << 60, (1 << 60) * 9 // 10 + 1, (1, 1, 0)),  # ten times that is no number that a database can hold
        (1 << 60, (1 << 60) * 9 // 10, (0, 1, 0)),
        (0, 10**12, (0, 0, 0)),  # no limit
        (0, None, (0, 0, 0)),
        (None, 5, (0, 0, 1)),  # the list has no such column, or nothing in it
        (None, None, (0, 0, 1)),
        (10, None, (0, 0, 1)),
    ],
)
def test_a_mailbox_is_nearly_full_from_90_percent_of_its_limit_on(
    small: tuple[Engine, Register], quota: int | None, size: int | None, counted: tuple[int, int, int]
) -> None:
    put(*small, {Mailbox: [box("an", "personal", quota=quota, used=size)]})
    assert at(small[0], FULL, 20260131) == counted


def test_mailboxes_of_any_kind_are_full_on_the_days_on_which_they_are_active(small: tuple[Engine, Register]) -> None:
    boxes = [
        box("an", "personal", quota=10, used=10, created=20260107),
        box("vanthu", "shared", quota=10, used=9, closed=20260110),
        box("who", None, quota=10, used=1),
        box("gone", "personal", quota=10, used=10, removed=1),
        box("x", "personal", quota=10, used=10, agency_code="x.example"),
    ]
    put(*small, {Mailbox: boxes})
    assert cells(small[0], FULL) == {
        20260105: (1, 2, 0),
        20260106: (1, 2, 0),
        20260107: (2, 3, 0),
        20260108: (2, 3, 0),
        20260109: (2, 3, 0),
        20260110: (1, 2, 0),
        20260111: (1, 2, 0),
        20260112: (1, 2, 0),
    }


# --- whatever the mailboxes: mailbox by mailbox, day by day ---------------------------------------------------------


def walked(boxes: list[Row], used_on: set[tuple[str, int]]) -> dict[str, dict[int, tuple[int, int, int]]]:
    """The cells of H44.01 (3 officials), by going through each mailbox on each day of January and February 2026."""
    names = columns(Mailbox)
    provided: Counter[tuple[int, str | None]] = Counter()
    on_day: Counter[tuple[int, str | None]] = Counter()
    regular: Counter[tuple[int, str | None]] = Counter()
    so_far: Counter[tuple[int, str | None]] = Counter()
    for values in boxes:
        one = dict(zip(names, values, strict=True))
        begins = one["first_listed_day"] if one["active_from_day"] is None else one["active_from_day"]
        days_had, days_used = 0, 0
        for today in calendar():
            if one["removed"] or today.day // 100 != one["month_day"] // 100:
                continue
            active = begins <= today.day and (one["closed_day"] is None or today.day < one["closed_day"])
            is_used = (one["pseudonym"], today.day) in used_on
            provided[today.day, one["kind"]] += active
            on_day[today.day, one["kind"]] += active and is_used
            days_had += active and today.is_working
            days_used += active and today.is_working and is_used
            so_far[today.day, one["kind"]] += days_had > 0
            regular[today.day, one["kind"]] += days_had > 0 and days_used / days_had >= 0.8
    found: dict[str, dict[int, tuple[int, int, int]]] = {}

    def tell(name: str, day: int, hits: int, judged: int, unknown: int) -> None:
        if judged or unknown:
            found.setdefault(f"mailboxes.{name}", {})[day] = (hits, judged, unknown)

    begun = {values[names.index("month_day")] // 100 for values in boxes}
    for today in calendar():
        day = today.day
        if day // 100 not in begun:
            continue
        hits, unknown = min(3, on_day[day, "personal"]), on_day[day, None]
        tell("provisioned", day, min(3, provided[day, "personal"]), 3, 0)
        tell("regular_use", day, regular[day, "personal"], so_far[day, "personal"], so_far[day, None])
        if today.is_working:
            tell("daily_use", day, on_day[day, "personal"], provided[day, "personal"], provided[day, None])
            maybe = min(unknown, 3 - hits)
            tell("daily_use_of_staff", day, hits, 3 - maybe, maybe)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_cells_of_any_mailboxes_are_those_found_by_walking_through_every_day_of_each(
    small: tuple[Engine, Register], seed: int
) -> None:
    random = Random(seed)
    days = [today.day for today in calendar()]
    boxes: list[Row] = []
    use: list[Row] = []
    for number in range(9):
        name, kind = f"m{number}", random.choice(["personal", "personal", "personal", "shared", None])
        diligence = random.choice([0.0, 0.5, 0.75, 0.85, 1.0])
        created = random.choice([None, 20240101, 20251231, random.choice(days)])
        closed = random.choice([None, None, 20251215, random.choice(days)])
        for month_day in random.choice([[20260101], [20260201], [20260101, 20260201]]):
            listed = max(month_day, random.choice([month_day, random.choice(days)]))
            removed = int(random.random() < 0.1)
            more = {"month_day": month_day, "first_listed_day": listed, "removed": removed}
            boxes.append(box(name, kind, created=created, closed=closed, **more))
        use += [used(name, day) for day in days if random.random() < diligence]
        use += [used(name, day, span="g:0-9") for day in days if random.random() < 0.1]
    put(*small, {Mailbox: boxes, MailboxDay: use})
    at_pseudonym, at_day = columns(MailboxDay).index("pseudonym"), columns(MailboxDay).index("day")
    expected = walked(boxes, {(one[at_pseudonym], one[at_day]) for one in use})
    with reading(small[0]) as connection:
        for indicator in ("provisioned", "daily_use", "daily_use_of_staff", "regular_use"):
            of_agency = select(cell).where(cell.c.indicator == f"mailboxes.{indicator}", cell.c.agency == "H44.01")
            kept = {one.day: (one.hits, one.judged, one.unknown) for one in connection.execute(of_agency)}
            assert kept == expected.get(f"mailboxes.{indicator}", {}), indicator
