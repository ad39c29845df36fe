"""The independent count, against ledgers small enough to be counted by hand.

One agency, "A", and January 2026 unless a test says otherwise: 21 working days (1 and 2 January are days off,
Saturday the 10th is worked). February 2026 has 15: Tết is from Monday 16 to Friday 20.
"""

import ast
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.demo import ledger as ledger_module
from collector.demo import province, truth
from collector.demo.ledger import (
    Agency,
    Document,
    Dossier,
    Ledger,
    Mail,
    Mailbox,
    MailTo,
    Pause,
    Procedure,
    Promise,
    Recipient,
    Session,
    Size,
    Source,
    Stretch,
    Watch,
)

HOLIDAYS = {20260101, 20260102, 20260216, 20260217, 20260218, 20260219, 20260220}
WORKED_SATURDAY = 20260110


def day_number(when: date) -> int:
    return when.year * 10_000 + when.month * 100 + when.day


EVERY_DAY = [date(2025, 12, 1) + timedelta(days=number) for number in range(31 + 365)]
DAYS_OFF = [
    day_number(when)
    for when in EVERY_DAY
    if day_number(when) in HOLIDAYS or (when.weekday() >= 5 and day_number(when) != WORKED_SATURDAY)
]


def at(text: str) -> int:
    """Return the instant of a local time written like 2026-01-05 08:00."""
    local_as_if_utc = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    return int(local_as_if_utc.timestamp()) - 7 * 3600


MAIL = Source("mail", "mail", 20260101, ["A"], ["mailbox", "mailbox_day"])
DOCUMENTS = Source("documents", "documents", 20260101, ["A"], ["document", "delivery"])
DOSSIERS = Source("dossiers", "dossiers", 20260101, ["A"], ["dossier", "dossier_event", "procedure"])

JANUARY = Ledger(
    seed=1,
    province="H44",
    now=at("2026-02-01 08:00"),
    first_day=20260101,
    last_day=20260131,
    days_off=DAYS_OFF,
    agencies=[Agency("A", "000.00.01.A", "Sở A", "departments", 3, "a.example")],
    sources=[MAIL, DOCUMENTS, DOSSIERS],
    mailboxes=[],
    sessions=[],
    mails=[],
    documents=[],
    dossiers=[],
    procedures=[Procedure("dossiers", "P", "full", 20200101, None)],
)


@pytest.fixture(autouse=True)
def everybody_may_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """These ledgers have few mailboxes, so that they can be counted by hand."""
    monkeypatch.setattr(truth, "SMALLEST_GROUP", 0)


def reading(ledger: Ledger, indicator: str, period: str = "2026-01", agency: str = "A") -> dict[str, Any]:
    (found,) = (
        row
        for row in truth.count(ledger)
        if (row["indicator"], row["period"], row["agency"]) == (indicator, period, agency)
    )
    return found


def counts(row: dict[str, Any]) -> tuple[str, int, int, int]:
    return row["state"], row["hits"], row["judged"], row["unknown"]


def box(address: str, kind: str | None = "personal", created: int = 20240101, locked: int | None = None) -> Mailbox:
    return Mailbox("mail", address, "A", kind, created, locked)


def document(
    *recipients: Recipient,
    paper: int | None = 0,
    recalled: int | None = 0,
    issued: int | None = 20260105,
    direction: str = "out",
    deleted: bool = False,
) -> Document:
    return Document("documents", "1", "A", "000.00.01.A", direction, issued, list(recipients), paper, recalled, deleted)


def dossier(
    promised: int | None = 20260115,
    completed: int | None = None,
    pauses: Sequence[tuple[int, int | None]] = (),
    outcome: str | None = None,
    ended: int | None = None,
    received: int | None = 20260105,
    channel: str | None = "online",
    procedure: str | None = "P",
    number: str = "1",
) -> Dossier:
    return Dossier(
        source="dossiers",
        id=number,
        agency="A",
        agency_written="000.00.01.A",
        procedure=procedure,
        channel=channel,
        received_day=received,
        promises=[] if promised is None else [Promise(at("2026-01-05 09:00"), promised)],
        pauses=[Pause(str(order), begun, back) for order, (begun, back) in enumerate(pauses)],
        outcome=outcome or ("completed" if completed else "open"),
        completed_day=completed,
        returned_day=None,
        ended_day=ended,
    )


def says(one: Dossier, ledger: Ledger = JANUARY) -> dict[str, truth.Class]:
    return truth.dossier_classes(replace(ledger, dossiers=[one]))[one.id]


# --- states ----------------------------------------------------------------------------------------------------------


def test_a_whole_month_of_records_is_measured_to_six_places_half_up() -> None:
    three = [dossier(completed=20260115, number="1"), dossier(completed=20260116, number="2")]
    three += [dossier(completed=20260114, number="3")]
    row = reading(replace(JANUARY, dossiers=three), "dossiers.on_time")
    assert row == {
        "indicator": "dossiers.on_time",
        "scope": "agency",
        "agency": "A",
        "period": "2026-01",
        "state": "measured",
        "through": "2026-01-31",
        "hits": 2,
        "judged": 3,
        "unknown": 0,
        "value": "0.666667",
        "suppressed": False,
    }


def test_a_value_halfway_between_two_places_is_rounded_up() -> None:
    # 1 of 64 is 0.015625; 1 of 128 is 0.0078125, halfway between 0.007812 and 0.007813.
    many = [dossier(promised=20260110, completed=20260112, number=str(number)) for number in range(127)]
    row = reading(replace(JANUARY, dossiers=[*many, dossier(completed=20260112, number="x")]), "dossiers.on_time")
    assert (row["hits"], row["judged"], row["value"]) == (1, 128, "0.007813")


def test_nothing_to_judge_in_a_covered_month_is_not_applicable() -> None:
    row = reading(JANUARY, "dossiers.on_time")
    assert (*counts(row), row["through"], row["value"]) == ("not_applicable", 0, 0, 0, "2026-01-31", None)


def test_an_agency_that_no_source_serves_is_missing_and_has_no_counts() -> None:
    unserved = replace(DOSSIERS, serves=[])
    row = reading(replace(JANUARY, sources=[unserved], dossiers=[dossier(completed=20260112)]), "dossiers.on_time")
    assert (*counts(row), row["through"]) == ("missing", 0, 0, 0, None)


def test_a_figure_is_missing_when_one_of_its_records_has_no_source() -> None:
    without_catalogue = replace(DOSSIERS, records=["dossier", "dossier_event"])
    ledger = replace(JANUARY, sources=[without_catalogue], dossiers=[dossier(completed=20260112)])
    assert reading(ledger, "dossiers.online")["state"] == "missing"
    assert reading(ledger, "dossiers.on_time")["state"] == "measured"


def test_only_unknown_items_are_missing_but_shown() -> None:
    row = reading(replace(JANUARY, dossiers=[dossier(promised=None, completed=20260112)]), "dossiers.on_time")
    assert (*counts(row), row["through"]) == ("missing", 0, 0, 1, "2026-01-31")


@pytest.mark.parametrize(("unknown", "state"), [(1, "measured"), (2, "partial")])
def test_five_of_a_hundred_unknown_is_measured_and_more_is_partial(unknown: int, state: str) -> None:
    known = [dossier(completed=20260112, number=f"k{number}") for number in range(19)]
    rest = [dossier(promised=None, completed=20260112, number=f"u{number}") for number in range(unknown)]
    row = reading(replace(JANUARY, dossiers=known + rest), "dossiers.on_time")
    assert counts(row) == (state, 19, 19, unknown)


def test_a_month_whose_first_days_lie_before_the_source_is_partial_and_counts_what_rows_tell() -> None:
    ledger = replace(
        JANUARY,
        sources=[replace(DOSSIERS, since=20251231)],
        first_day=20251231,
        dossiers=[
            dossier(received=20251215, number="before"),
            dossier(received=20251231, number="on"),
            dossier(received=20260105, number="after"),
        ],
    )
    december = reading(ledger, "dossiers.online", "2025-12")
    assert (*counts(december), december["through"]) == ("partial", 2, 2, 0, "2025-12-31")
    assert counts(reading(ledger, "dossiers.online", "2026-01")) == ("measured", 1, 1, 0)


def test_a_lost_day_before_through_is_a_gap_and_its_rows_still_count() -> None:
    gap = replace(DOSSIERS, lost={"dossier": [20260112]})
    row = reading(replace(JANUARY, sources=[gap], dossiers=[dossier(completed=20260112)]), "dossiers.on_time")
    assert (*counts(row), row["through"]) == ("partial", 1, 1, 0, "2026-01-31")


def test_a_closed_month_that_is_short_of_its_end_sums_up_to_the_last_covered_day() -> None:
    lost = {"dossier_event": [20260130, 20260131]}
    ledger = replace(
        JANUARY,
        sources=[replace(DOSSIERS, lost=lost)],
        dossiers=[dossier(completed=20260129, promised=20260129), dossier(completed=20260130, number="late")],
    )
    row = reading(ledger, "dossiers.on_time")
    assert (*counts(row), row["through"]) == ("partial", 1, 1, 0, "2026-01-29")
    assert reading(ledger, "dossiers.online")["state"] == "measured"


def test_a_month_of_which_no_day_is_proved_is_missing() -> None:
    lists_stop = replace(MAIL, lost={"mailbox": [20260100 + number for number in range(1, 32)]})
    row = reading(replace(JANUARY, sources=[lists_stop], mailboxes=[box("one@a")]), "mailboxes.provisioned")
    assert (*counts(row), row["through"]) == ("missing", 0, 0, 0, None)


def test_two_sources_of_the_same_record_are_both_needed() -> None:
    second = replace(DOSSIERS, name="second", lost={"dossier": [20260131]})
    ledger = replace(JANUARY, sources=[DOSSIERS, second], dossiers=[dossier(completed=20260112)])
    row = reading(ledger, "dossiers.on_time")
    assert (row["state"], row["through"]) == ("partial", "2026-01-30")


@pytest.mark.parametrize(
    ("records", "state"), [(["document", "delivery"], "partial"), (["document"], "measured")], ids=["offered", "not"]
)
def test_deliveries_must_be_covered_only_where_a_source_offers_them(records: list[str], state: str) -> None:
    source = replace(DOCUMENTS, records=records, lost={"delivery": [20260131]})
    ledger = replace(JANUARY, sources=[source], documents=[document(Recipient("A", 0, 1))])
    assert reading(ledger, "documents.exchanged_internal")["state"] == state


@pytest.mark.parametrize(("now", "state"), [("2026-01-23 00:00", "measured"), ("2026-01-23 00:01", "partial")])
def test_an_open_month_may_lag_two_days_behind_now(now: str, state: str) -> None:
    ledger = replace(JANUARY, last_day=20260120, now=at(now), dossiers=[dossier(completed=20260112)])
    row = reading(ledger, "dossiers.on_time")
    assert (row["state"], row["through"]) == (state, "2026-01-20")


def test_every_month_that_the_days_touch_has_a_reading_of_each_indicator_and_agency() -> None:
    two = [*JANUARY.agencies, replace(JANUARY.agencies[0], code="B")]
    rows = truth.count(replace(JANUARY, agencies=two, first_day=20251231, last_day=20260201))
    keys = [(row["indicator"], row["agency"], row["period"]) for row in rows]
    assert len(set(keys)) == len(keys) == len(truth.INDICATORS) * 2 * 3
    assert {row["period"] for row in rows} == {"2025-12", "2026-01", "2026-02"}


def test_the_truth_is_written_as_the_same_readings(tmp_path: Path) -> None:
    ledger = replace(JANUARY, dossiers=[dossier(completed=20260112)])
    truth.write(ledger, tmp_path / "truth.json")
    assert json.loads((tmp_path / "truth.json").read_text(encoding="utf-8")) == truth.count(ledger)


def test_a_ledger_that_was_written_and_read_again_has_the_same_truth(tmp_path: Path) -> None:
    made = province.make(agencies=4, days=20)
    made.write(tmp_path / "ledger.json")
    assert truth.count(ledger_module.read(tmp_path / "ledger.json")) == truth.count(made)


def test_the_truth_is_counted_with_nothing_but_the_ledger_and_the_standard_library() -> None:
    tree = ast.parse(Path(truth.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"collector.demo.ledger"}


# --- mailboxes -------------------------------------------------------------------------------------------------------


def test_provisioned_is_the_count_of_the_last_day_capped_by_the_headcount() -> None:
    boxes = [box("1@a"), box("2@a", created=20260131), box("shared@a", "shared"), box("unknown@a", None)]
    row = reading(replace(JANUARY, mailboxes=boxes), "mailboxes.provisioned")
    assert (*counts(row), row["value"]) == ("measured", 2, 3, 0, "0.666667")
    more = [box(f"{number}@a") for number in range(4)]
    assert counts(reading(replace(JANUARY, mailboxes=more), "mailboxes.provisioned")) == ("measured", 3, 3, 0)


@pytest.mark.parametrize(("locked", "hits"), [(20260131, 0), (20260201, 1)])
def test_a_mailbox_is_active_up_to_the_day_before_it_is_locked(locked: int, hits: int) -> None:
    ledger = replace(JANUARY, mailboxes=[box("1@a", locked=locked)])
    assert reading(ledger, "mailboxes.provisioned")["hits"] == hits


def test_provisioned_is_taken_on_the_last_day_that_the_lists_prove() -> None:
    source = replace(MAIL, lost={"mailbox": [20260131]})
    ledger = replace(JANUARY, sources=[source], mailboxes=[box("1@a"), box("2@a", created=20260131)])
    row = reading(ledger, "mailboxes.provisioned")
    assert (*counts(row), row["through"]) == ("partial", 1, 3, 0, "2026-01-30")


def test_an_unknown_headcount_is_missing_and_one_of_zero_is_not_applicable() -> None:
    nobody_knows = replace(JANUARY, agencies=[replace(JANUARY.agencies[0], headcount=None)], mailboxes=[box("1@a")])
    assert counts(reading(nobody_knows, "mailboxes.provisioned")) == ("missing", 0, 0, 1)
    nobody = replace(JANUARY, agencies=[replace(JANUARY.agencies[0], headcount=0)], mailboxes=[box("1@a")])
    assert counts(reading(nobody, "mailboxes.provisioned")) == ("not_applicable", 0, 0, 0)


def test_each_working_day_of_an_active_personal_mailbox_is_judged_the_worked_saturday_too() -> None:
    ledger = replace(JANUARY, mailboxes=[box("1@a"), box("shared@a", "shared")])
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("measured", 0, 21, 0)


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ("2026-01-10 08:00", 1),  # a Saturday that is worked
        ("2026-01-17 08:00", 0),  # one that is not
        ("2026-01-02 08:00", 0),  # a Friday off
        ("2026-01-04 23:59", 0),  # Sunday's last minute
        ("2026-01-05 00:00", 1),  # Monday's first minute is Sunday 17:00 UTC
    ],
)
def test_a_mail_counts_on_its_local_day_if_it_is_worked(when: str, hits: int) -> None:
    ledger = replace(JANUARY, mailboxes=[box("1@a")], mails=[Mail("1@a", at(when), 3)])
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("measured", hits, 21, 0)


def test_tet_is_no_working_time() -> None:
    during = [Session("1@a", at(f"2026-02-{day} 08:00"), at(f"2026-02-{day} 09:00")) for day in (16, 17, 18, 19, 20)]
    ledger = replace(
        JANUARY,
        last_day=20260228,
        now=at("2026-03-01 08:00"),
        mailboxes=[box("1@a")],
        sessions=[*during, Session("1@a", at("2026-02-23 08:00"), None)],
    )
    assert counts(reading(ledger, "mailboxes.daily_use", "2026-02")) == ("measured", 1, 15, 0)


@pytest.mark.parametrize(
    ("begin", "end", "hits"),
    [
        ("2026-01-05 08:00", "2026-01-05 09:00", 1),
        ("2026-01-05 23:00", "2026-01-06 00:00", 2),
        ("2026-01-09 17:00", "2026-01-13 08:00", 4),  # Friday, worked Saturday, Monday, Tuesday
        ("2026-01-05 08:00", None, 1),
        ("2026-01-05 08:00", "2026-01-12 08:00", 7),  # seven days: Monday to Saturday, and Monday
        ("2026-01-05 08:00", "2026-01-12 08:01", 1),  # longer than seven days: its end cannot be trusted
    ],
)
def test_a_session_counts_on_each_day_that_it_touches(begin: str, end: str | None, hits: int) -> None:
    session = Session("1@a", at(begin), None if end is None else at(end))
    ledger = replace(JANUARY, mailboxes=[box("1@a")], sessions=[session])
    assert reading(ledger, "mailboxes.daily_use")["hits"] == hits


def test_use_before_the_day_from_which_a_source_is_read_is_not_kept() -> None:
    ledger = replace(
        JANUARY,
        sources=[replace(MAIL, since=20260106)],
        mailboxes=[box("1@a")],
        sessions=[Session("1@a", at("2026-01-05 23:40"), at("2026-01-06 00:20"))],
        mails=[Mail("1@a", at("2026-01-05 10:00"), 1)],
    )
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("partial", 1, 21, 0)


def test_a_session_and_two_mails_on_one_day_are_one_use() -> None:
    mails = [Mail("1@A", at("2026-01-05 08:00"), 1), Mail("1@a", at("2026-01-05 09:00"), 1)]
    sessions = [Session("1@a", at("2026-01-05 08:00"), at("2026-01-05 10:00"))]
    ledger = replace(JANUARY, mailboxes=[box("1@a")], mails=mails, sessions=sessions)
    assert reading(ledger, "mailboxes.daily_use")["hits"] == 1


def test_a_mailbox_is_judged_from_its_creation_to_the_day_before_its_lock_and_used_only_then() -> None:
    used_daily = [Mail("1@a", at(f"2026-01-{day:02d} 08:00"), 1) for day in range(1, 32)]
    ledger = replace(JANUARY, mailboxes=[box("1@a", created=20260108, locked=20260114)], mails=used_daily)
    # Thursday 8, Friday 9, Saturday 10 (worked), Monday 12, Tuesday 13.
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("measured", 5, 5, 0)


def test_a_mailbox_of_unknown_kind_is_unknown_on_each_working_day() -> None:
    ledger = replace(JANUARY, mailboxes=[box("1@a"), box("2@a", None, created=20260130)])
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("measured", 0, 21, 1)


def test_days_with_lists_but_without_logs_are_a_gap() -> None:
    source = replace(MAIL, lost={"mailbox_day": [20260107]})
    ledger = replace(JANUARY, sources=[source], mailboxes=[box("1@a")])
    assert counts(reading(ledger, "mailboxes.daily_use")) == ("partial", 0, 21, 0)
    assert counts(reading(ledger, "mailboxes.provisioned")) == ("measured", 1, 3, 0)


def test_of_officials_the_used_mailboxes_are_counted_up_to_the_headcount_of_three() -> None:
    boxes = [box(f"{number}@a") for number in range(5)]
    every = [Mail(one.address, at("2026-01-05 08:00"), 1) for one in boxes]
    some = [Mail(one.address, at("2026-01-06 08:00"), 1) for one in boxes[:2]]
    off = [Mail(one.address, at("2026-01-11 08:00"), 1) for one in boxes]
    row = reading(replace(JANUARY, mailboxes=boxes, mails=every + some + off), "mailboxes.daily_use_of_staff")
    assert counts(row) == ("measured", 3 + 2, 21 * 3, 0)


def test_a_used_mailbox_of_unknown_kind_may_be_an_officials_and_one_that_is_not_used_says_nothing() -> None:
    boxes = [box("1@a"), box("2@a", None), box("3@a", None), box("4@a", None), box("5@a", None)]
    on_monday = [Mail(one.address, at("2026-01-05 08:00"), 1) for one in boxes[:3]]
    on_tuesday = [Mail(one.address, at("2026-01-06 08:00"), 1) for one in boxes]
    ledger = replace(JANUARY, mailboxes=boxes, mails=on_monday)
    assert counts(reading(ledger, "mailboxes.daily_use_of_staff")) == ("measured", 1, 21 * 3 - 2, 2)
    ledger = replace(JANUARY, mailboxes=boxes, mails=on_tuesday)
    assert counts(reading(ledger, "mailboxes.daily_use_of_staff")) == ("measured", 1, 21 * 3 - 2, 2), "not four"


def test_without_a_headcount_nothing_is_known_of_officials() -> None:
    nobody_knows = replace(JANUARY, agencies=[replace(JANUARY.agencies[0], headcount=None)], mailboxes=[box("1@a")])
    assert counts(reading(nobody_knows, "mailboxes.daily_use_of_staff")) == ("missing", 0, 0, 21)


WORKING_DAYS = (5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 26, 27, 28, 29, 30)  # of January 2026


def opened(address: str, days: Sequence[int], month: str = "2026-01") -> list[Session]:
    return [Session(address, at(f"{month}-{day:02d} 08:00"), at(f"{month}-{day:02d} 09:00")) for day in days]


@pytest.mark.parametrize(("days", "hits"), [(21, 1), (17, 1), (16, 0), (0, 0)])  # 17 of 21 is 81 %, 16 is 76 %
def test_a_mailbox_is_in_regular_use_if_used_on_four_working_days_in_five(days: int, hits: int) -> None:
    days_off = opened("1@a", (1, 2, 3, 4, 11, 17, 18, 24, 25, 31))
    ledger = replace(JANUARY, mailboxes=[box("1@a")], sessions=[*opened("1@a", WORKING_DAYS[:days]), *days_off])
    assert counts(reading(ledger, "mailboxes.regular_use")) == ("measured", hits, 1, 0)


@pytest.mark.parametrize(("used", "hits"), [(4, 1), (3, 0)])
@pytest.mark.parametrize(
    ("created", "locked", "days"), [(20260126, None, (26, 27, 28, 29, 30)), (20240101, 20260110, (5, 6, 7, 8, 9))]
)
def test_regular_use_is_judged_by_the_working_days_on_which_the_mailbox_was_active(
    created: int, locked: int | None, days: Sequence[int], used: int, hits: int
) -> None:
    ledger = replace(
        JANUARY, mailboxes=[box("1@a", created=created, locked=locked)], sessions=opened("1@a", days[:used])
    )
    assert counts(reading(ledger, "mailboxes.regular_use")) == ("measured", hits, 1, 0)


def test_regular_use_needs_a_working_day_and_a_kind_and_is_no_matter_of_shared_mailboxes() -> None:
    boxes = [box("1@a", created=20260131), box("2@a", "shared"), box("3@a", None)]
    ledger = replace(JANUARY, mailboxes=boxes, sessions=opened("3@a", WORKING_DAYS))
    assert counts(reading(ledger, "mailboxes.regular_use")) == ("missing", 0, 0, 1)


def test_an_open_month_is_judged_as_far_as_it_has_come_and_each_month_by_itself() -> None:
    sessions = [*opened("1@a", WORKING_DAYS[:16]), *opened("1@a", (2, 3, 4, 5), "2026-02")]
    ledger = replace(JANUARY, last_day=20260206, now=at("2026-02-07 08:00"), mailboxes=[box("1@a")], sessions=sessions)
    assert counts(reading(ledger, "mailboxes.regular_use")) == ("measured", 0, 1, 0)
    february = reading(ledger, "mailboxes.regular_use", "2026-02")
    assert (*counts(february), february["through"]) == ("measured", 1, 1, 0, "2026-02-06"), "4 of 5"


def sent(to: Sequence[tuple[str, bool]], when: str = "2026-01-05 23:59", address: str = "1@a") -> Mail:
    return Mail(address, at(when), 1, [MailTo(f"x@{domain}", domain, arrived) for domain, arrived in to])


def test_recipients_outside_the_state_are_counted_if_they_got_the_mail_of_an_official() -> None:
    mails = [
        sent([("free", True), ("other", True), ("government", True)]),
        sent([("free", False), ("other", True)], address="SHARED@a"),
        sent([("free", True)], when="2026-01-17 10:00"),  # a day off counts too
        sent([("free", True)], when="2026-02-01 00:00"),
        sent([("free", True)], address="stranger@x"),
    ]
    ledger = replace(JANUARY, mailboxes=[box("1@a"), box("shared@a", "shared")], mails=mails)
    row = reading(ledger, "mailboxes.free_mail")
    assert (*counts(row), row["value"]) == ("measured", 2, 4, 0, "0.500000")
    nobody = replace(ledger, mails=[sent([("government", True), ("free", False)])])
    assert counts(reading(nobody, "mailboxes.free_mail")) == ("not_applicable", 0, 0, 0)
    late = replace(ledger, sources=[replace(MAIL, since=20260117)])
    assert counts(reading(late, "mailboxes.free_mail")) == ("partial", 1, 1, 0), "nothing is kept of the days before"


def filled(address: str, *sizes: Size, kind: str | None = "personal", locked: int | None = None) -> Mailbox:
    return replace(box(address, kind, locked=locked), sizes=list(sizes))


def test_active_mailboxes_with_a_limit_are_full_from_90_percent_on() -> None:
    boxes = [
        filled("1@a", Size(20260101, 1000, 900)),
        filled("2@a", Size(20260101, 1000, 899), kind="shared"),
        filled("3@a", Size(20260101, 1000, 1000), Size(20260131, 1000, 5), kind=None),
        filled("4@a", Size(20260101, 0, 10**12)),
        filled("5@a", Size(20260101, 1000, 1000), locked=20260131),
    ]
    assert counts(reading(replace(JANUARY, mailboxes=boxes), "mailboxes.quota_full")) == ("measured", 1, 3, 0)
    lost = replace(MAIL, lost={"mailbox": [20260131]})
    ledger = replace(JANUARY, mailboxes=boxes, sources=[lost])
    assert counts(reading(ledger, "mailboxes.quota_full")) == ("partial", 3, 4, 0), "as it was on the 30th"


def test_what_the_list_does_not_say_of_a_size_is_unknown_and_no_limit_is_nothing_to_judge() -> None:
    untold = [filled("1@a"), filled("2@a", Size(20260101, None, 5)), filled("3@a", Size(20260101, 10, None))]
    assert counts(reading(replace(JANUARY, mailboxes=untold), "mailboxes.quota_full")) == ("missing", 0, 0, 3)
    unlimited = [filled("1@a", Size(20260101, 0, None))]
    found = counts(reading(replace(JANUARY, mailboxes=unlimited), "mailboxes.quota_full"))
    assert found == ("not_applicable", 0, 0, 0)


# --- documents -------------------------------------------------------------------------------------------------------

INSIDE = Recipient("B", 0, 1)
OUTSIDE = Recipient("X", 1, 1)
NOWHERE = Recipient(None, None, 1)

NONE = (0, 0, 0)
HIT = (1, 1, 0)
MISS = (0, 1, 0)
UNKNOWN = (0, 0, 1)


@pytest.mark.parametrize(
    ("one", "internal", "external"),
    [
        (document(INSIDE), HIT, NONE),
        (document(INSIDE, OUTSIDE), NONE, HIT),
        (document(OUTSIDE, NOWHERE), NONE, HIT),
        (document(INSIDE, NOWHERE), UNKNOWN, UNKNOWN),
        (document(), UNKNOWN, UNKNOWN),
        (document(INSIDE, paper=1), MISS, NONE),
        (document(INSIDE, paper=None), UNKNOWN, NONE),
        (document(Recipient("B", 0, 0), Recipient("C", 0, None)), MISS, NONE),
        (document(Recipient("B", 0, 1), Recipient("C", 0, None)), UNKNOWN, NONE),
        (document(Recipient("B", 0, None), paper=1), MISS, NONE),
        (document(Recipient("B", 0, 0), paper=None), MISS, NONE),
        (document(INSIDE, recalled=1), NONE, NONE),
        (document(INSIDE, recalled=None), UNKNOWN, NONE),
        (document(INSIDE, recalled=None, paper=1), UNKNOWN, NONE),
        (document(INSIDE, issued=None), NONE, NONE),
        (document(INSIDE, issued=20251231), NONE, NONE),
        (document(INSIDE, direction="in"), NONE, NONE),
        (document(INSIDE, deleted=True), NONE, NONE),
        (replace(document(INSIDE), agency=None), NONE, NONE),
    ],
    ids=[
        "inside",
        "one recipient outside",
        "outside wins over unknown",
        "scope unknown counts in both",
        "no recipient",
        "paper too",
        "paper unknown",
        "one without it",
        "one unknown",
        "paper decides",
        "one without it decides",
        "recalled",
        "recall unknown",
        "recall unknown wins over a miss",
        "never issued",
        "issued in another month",
        "incoming",
        "deleted",
        "of an unknown agency",
    ],
)
def test_a_document_is_judged(one: Document, internal: tuple[int, int, int], external: tuple[int, int, int]) -> None:
    ledger = replace(JANUARY, documents=[one])
    assert counts(reading(ledger, "documents.exchanged_internal"))[1:] == internal
    assert counts(reading(ledger, "documents.exchanged_external"))[1:] == external


# --- dossiers --------------------------------------------------------------------------------------------------------

NOT_COUNTED = ("not counted", None)


@pytest.mark.parametrize(
    ("completed", "verdict"), [(20260114, "hit"), (20260115, "hit"), (20260116, "miss")], ids=["early", "on", "late"]
)
def test_a_dossier_is_on_time_up_to_its_due_day(completed: int, verdict: str) -> None:
    both = says(dossier(completed=completed))
    assert both["dossiers.on_time"] == (verdict, completed)
    assert both["dossiers.on_time_due"] == (verdict, 20260115)


def test_an_open_dossier_that_fell_due_is_a_miss_of_that_day_and_not_yet_completed() -> None:
    assert says(dossier())["dossiers.on_time"] == NOT_COUNTED
    assert says(dossier())["dossiers.on_time_due"] == ("miss", 20260115)


def test_a_dossier_without_a_promise_is_unknown_when_completed_and_never_due() -> None:
    both = says(dossier(promised=None, completed=20260112))
    assert both["dossiers.on_time"] == ("unknown", 20260112)
    assert both["dossiers.on_time_due"] == NOT_COUNTED


def test_a_later_promise_cures_nothing_and_the_earliest_made_counts() -> None:
    moved = replace(
        dossier(completed=20260120),
        promises=[Promise(at("2026-01-14 09:00"), 20260130), Promise(at("2026-01-05 09:00"), 20260115)],
    )
    assert says(moved)["dossiers.on_time"] == ("miss", 20260120)
    assert says(moved)["dossiers.on_time_due"] == ("miss", 20260115)


@pytest.mark.parametrize(
    ("pauses", "due"),
    [
        ([(20260107, 20260109)], 20260119),  # Thursday and Friday: Thursday 15 + 2 working days
        ([(20260109, 20260112)], 20260119),  # the worked Saturday and Monday: 2
        ([(20260116, 20260120)], 20260115),  # begun after the due day: cures nothing
        ([(20260115, 20260116)], 20260116),  # begun on the due day: moves it
        ([(20260107, 20260107)], 20260115),  # back on the same day: 0
        ([(20260117, 20260118)], 20260115),  # a weekend, after the due day
        ([(20260107, 20260109), (20260116, 20260119)], 20260120),  # begun by the due day as already moved to 19: + 1
        ([(20260116, 20260119), (20260107, 20260109)], 20260120),  # the same, written in another order
        ([(20260107, 20260112), (20260108, 20260113)], 20260122),  # overlapping, 7 to 13: 8, 9, 10, 12, 13
        ([(20260107, 20260108), (20260108, 20260109)], 20260119),  # touching: one pause from 7 to 9
        ([(20260107, 20260113), (20260108, 20260109)], 20260122),  # one within the other: the same
        (
            [(20260114, 20260206)],
            20260209,
        ),  # 15, 16; 19 to 23; 26 to 30; 2 to 6: 17; from the 15th: 1, 5, 5, 5 and Monday 9
        ([(20260212, 20260224)], 20260115),  # begun long after
    ],
)
def test_a_pause_moves_the_due_day_by_its_working_days(pauses: list[tuple[int, int | None]], due: int) -> None:
    assert says(dossier(pauses=pauses))["dossiers.on_time_due"] == ("miss", due)
    assert says(dossier(pauses=pauses, completed=due))["dossiers.on_time"] == ("hit", due)


def test_a_pause_over_tet_is_worth_its_working_days_only() -> None:
    # Friday 13 to Tuesday 24 February: Monday 23 and Tuesday 24. The due day, Friday 13, moves over Tết to the 24th.
    one = dossier(promised=20260213, pauses=[(20260213, 20260224)], completed=20260224)
    assert says(one)["dossiers.on_time"] == ("hit", 20260224)
    assert says(replace(one, completed_day=20260225))["dossiers.on_time"] == ("miss", 20260225)
    assert says(one)["dossiers.on_time_due"] == ("hit", 20260224)


def test_a_due_day_on_a_day_off_stays_and_is_moved_from_there() -> None:
    sunday = dossier(promised=20260118)
    assert says(sunday)["dossiers.on_time_due"] == ("miss", 20260118)
    # Thursday 8 to Friday 9: one working day; the first after Sunday 18 is Monday 19.
    assert says(replace(sunday, pauses=[Pause("1", 20260108, 20260109)]))["dossiers.on_time_due"] == ("miss", 20260119)


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([(20260115, None)], NOT_COUNTED),  # open since the due day
        ([(20260116, None)], ("miss", 20260115)),  # open only since the day after
        ([(20260107, 20260109), (20260119, None)], NOT_COUNTED),  # open since the due day as moved
        ([(20260107, None), (20260108, 20260109)], NOT_COUNTED),  # an open one swallows what comes later
        ([(20260107, 20260108), (20260108, None)], NOT_COUNTED),  # touching an open one: open from the first day
    ],
)
def test_a_dossier_that_waits_for_a_supplement_on_its_due_day_does_not_fall_due(
    pauses: list[tuple[int, int | None]], expected: truth.Class
) -> None:
    assert says(dossier(pauses=pauses))["dossiers.on_time_due"] == expected


def test_touching_pauses_are_one_even_where_the_first_alone_would_move_nothing() -> None:
    # Friday 16 (due) to Saturday, and Saturday to Tuesday 20: one wait of Monday and Tuesday.
    one = dossier(promised=20260116, pauses=[(20260116, 20260117), (20260117, 20260120)], completed=20260120)
    assert says(one)["dossiers.on_time"] == ("hit", 20260120)
    # Back on the 8th and asked again that day, without an answer: one open wait, which moves nothing.
    still_open = dossier(pauses=[(20260107, 20260108), (20260108, None)], completed=20260116)
    assert says(still_open)["dossiers.on_time"] == ("miss", 20260116)


def test_a_paused_dossier_completed_nevertheless_is_judged_by_the_due_day_that_stood() -> None:
    one = dossier(pauses=[(20260114, None)], completed=20260116)
    assert says(one)["dossiers.on_time"] == ("miss", 20260116)
    assert says(one)["dossiers.on_time_due"] == NOT_COUNTED


@pytest.mark.parametrize(
    ("outcome", "ended", "due"),
    [
        ("withdrawn", 20260115, NOT_COUNTED),
        ("withdrawn", 20260116, ("miss", 20260115)),
        ("stopped", 20260112, NOT_COUNTED),
        ("refused_at_intake", 20260105, NOT_COUNTED),
    ],
)
def test_what_ended_by_its_due_day_did_not_fall_due(outcome: str, ended: int, due: truth.Class) -> None:
    both = says(dossier(outcome=outcome, ended=ended))
    assert both["dossiers.on_time"] == NOT_COUNTED
    assert both["dossiers.on_time_due"] == due


def test_a_refusal_after_work_counts_as_completed() -> None:
    assert says(dossier(outcome="refused_after", completed=20260112))["dossiers.on_time"] == ("hit", 20260112)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (dossier(channel="online"), ("hit", 20260105)),
        (dossier(channel="counter"), ("miss", 20260105)),
        (dossier(channel="post"), ("miss", 20260105)),
        (dossier(channel=None), ("unknown", 20260105)),
        (dossier(procedure="PARTIAL"), ("hit", 20260105)),
        (dossier(procedure="INFORMATION"), NOT_COUNTED),
        (dossier(procedure="ELSEWHERE"), ("unknown", 20260105)),
        (dossier(procedure=None), ("unknown", 20260105)),
        (dossier(procedure="UNCLEAR"), ("unknown", 20260105)),
        (dossier(procedure="ENDED"), ("unknown", 20260105)),
        (dossier(procedure="CHANGED", received=20260114), NOT_COUNTED),
        (dossier(procedure="CHANGED", received=20260115), ("hit", 20260115)),
        (dossier(received=None, outcome="refused_at_intake", ended=20260105), NOT_COUNTED),
    ],
)
def test_a_dossier_of_a_procedure_offered_online_came_online_or_not(one: Dossier, expected: truth.Class) -> None:
    catalogue = [
        *JANUARY.procedures,
        Procedure("dossiers", "PARTIAL", "partial", 20200101, None),
        Procedure("dossiers", "INFORMATION", "information", 20200101, None),
        Procedure("dossiers", "UNCLEAR", None, 20200101, None),
        Procedure("dossiers", "ENDED", "full", 20200101, 20260104),
        Procedure("dossiers", "CHANGED", "information", 20200101, 20260114),
        Procedure("dossiers", "CHANGED", "full", 20260115, None),
        Procedure("elsewhere", "ELSEWHERE", "full", 20200101, None),
    ]
    assert says(one, replace(JANUARY, procedures=catalogue))["dossiers.online"] == expected


@pytest.mark.parametrize("one", [replace(dossier(), deleted=True), replace(dossier(), agency=None)])
def test_a_deleted_dossier_and_one_of_an_unknown_agency_count_nowhere(one: Dossier) -> None:
    done = replace(one, outcome="completed", completed_day=20260112)
    assert set(says(done).values()) == {NOT_COUNTED}
    assert counts(reading(replace(JANUARY, dossiers=[done]), "dossiers.on_time")) == ("not_applicable", 0, 0, 0)


def test_days_beyond_the_ledgers_calendar_are_refused_instead_of_guessed() -> None:
    with pytest.raises(ValueError, match="2027-01-01"):
        says(dossier(promised=20261231, pauses=[(20260108, 20260109)]))


# --- the sample province ---------------------------------------------------------------------------------------------


def test_every_dossier_written_by_hand_is_classed_as_its_clerk_says() -> None:
    ledger = province.make(agencies=20)
    classes = truth.dossier_classes(ledger)
    by_hand = {one.id: (one.expected, one.received_day) for one in ledger.dossiers if one.expected}
    assert len(by_hand) >= 30
    expected = {
        number: {
            "dossiers.on_time": (clerk.on_time, clerk.on_time_day),
            "dossiers.on_time_due": (clerk.on_time_due, clerk.on_time_due_day),
            "dossiers.online": (clerk.online, None if clerk.online == "not counted" else received),
        }
        for number, (clerk, received) in by_hand.items()
    }
    said = {number: {name: classes[number][name] for name in clerk} for number, clerk in expected.items()}
    assert said == expected


def test_the_sample_province_has_every_state_of_every_indicator() -> None:
    found = {(row["indicator"], row["state"]) for row in truth.count(province.make())}
    states = ("measured", "not_applicable", "partial", "missing")
    every = {(indicator, state) for indicator in truth.INDICATORS for state in states}
    always = ("documents.connected", "procedures.online_full", "procedures.online_partial", "systems.available")
    assert found == every - {(one, "not_applicable") for one in always}, "there is always something to judge"


def test_the_sample_province_lists_nothing_from_a_source_that_does_not_serve_its_agency() -> None:
    ledger = province.make()
    serves = {source.name: set(source.serves) for source in ledger.sources}
    rows: list[Mailbox | Document | Dossier] = [*ledger.mailboxes, *ledger.documents, *ledger.dossiers]
    assert not [row for row in rows if row.agency is not None and row.agency not in serves[row.source]]


# -- what may not be told ----------------------------------------------------------------------------------------------


def with_mailboxes(**numbers: int) -> Ledger:
    """Agencies with so many mailboxes each. Of their names the first letter is the block."""
    agencies = [Agency(name, f"old {name}", name, name[0], 9, f"{name}.example") for name in numbers]
    boxes = [
        Mailbox("mail", f"{n}@{name}.example", name, "personal", 20240101, None)
        for name, number in numbers.items()
        for n in range(number)
    ]
    serving = replace(MAIL, serves=list(numbers))
    return replace(JANUARY, agencies=agencies, mailboxes=boxes, sources=[serving])


@pytest.mark.parametrize(
    ("numbers", "untold"),
    [
        ({"x1": 5, "x2": 6}, ""),
        ({"x1": 4, "x2": 9, "x3": 6, "x4": 6}, "x1 x3"),
        ({"x1": 2, "x2": 3, "x3": 6}, "x1 x2"),
        ({"x1": 2, "x2": 2, "x3": 7, "x4": 8}, "x1 x2 x3"),
        ({"x1": 4, "y1": 9, "y2": 6, "z1": 8, "z2": 8}, "x1 y2"),
        ({"x1": 4, "y1": 2, "y2": 6, "z1": 88}, "x1 y1 y2"),
        ({"x1": 4, "x2": 0}, "x1"),
    ],
)
def test_figures_of_few_mailboxes_and_of_who_would_reveal_them_are_not_told(
    numbers: dict[str, int], untold: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truth, "SMALLEST_GROUP", 5)
    rows = truth.count(with_mailboxes(**numbers))
    for indicator in ("mailboxes.provisioned", "mailboxes.daily_use"):
        own = [row for row in rows if row["indicator"] == indicator and row["period"] == "2026-01"]
        assert " ".join(row["agency"] for row in own if row["suppressed"]) == untold
        for row in own:
            told = [row[name] for name in ("hits", "judged", "unknown")]
            assert (told == [None] * 3) == row["suppressed"]


def test_a_figure_of_the_months_last_day_is_told_if_that_day_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "SMALLEST_GROUP", 5)
    grown = with_mailboxes(x1=4, x2=9, x3=9)
    late = replace(grown.mailboxes[0], address="late@x1.example", created_day=20260120)
    grown = replace(grown, mailboxes=[*grown.mailboxes, late])
    assert reading(grown, "mailboxes.daily_use", agency="x1")["suppressed"]
    assert not reading(grown, "mailboxes.provisioned", agency="x1")["suppressed"]


# --- what other systems say, what was resolved, and what clerks tick --------------------------------------------------


@pytest.mark.parametrize(
    ("one", "in_766", "opencps"),
    [
        (dossier(completed=20260115), ("hit", 20260115), ("unknown", 20260115)),  # no time of day is told
        (dossier(completed=20260114), ("hit", 20260114), ("hit", 20260114)),
        (dossier(completed=20260116), ("miss", 20260116), ("miss", 20260116)),
        (dossier(promised=None, completed=20260116), ("hit", 20260116), ("hit", 20260116)),
        (dossier(outcome="withdrawn", ended=20260120), ("hit", 20260120), NOT_COUNTED),
        (dossier(outcome="stopped", ended=20260120), NOT_COUNTED, NOT_COUNTED),
        (dossier(outcome="refused_at_intake", ended=20260105, received=None), NOT_COUNTED, NOT_COUNTED),
        (dossier(), NOT_COUNTED, NOT_COUNTED),
        (replace(dossier(completed=20260112), deleted=True), NOT_COUNTED, NOT_COUNTED),
    ],
)
def test_two_other_systems_judge_by_the_date_shown_last(
    one: Dossier, in_766: truth.Class, opencps: truth.Class
) -> None:
    said = says(one)
    assert (said["dossiers.on_time_766"], said["dossiers.on_time_opencps"]) == (in_766, opencps)


def test_a_date_given_anew_cures_lateness_in_two_other_systems() -> None:
    moved = dossier(completed=20260120)
    moved = replace(moved, promises=[*moved.promises, Promise(at("2026-01-14 09:00"), 20260121)])
    assert says(moved)["dossiers.on_time"] == ("miss", 20260120)
    assert says(moved)["dossiers.on_time_766"] == ("hit", 20260120)
    assert says(moved)["dossiers.on_time_opencps"] == ("hit", 20260120)


@pytest.mark.parametrize(
    ("done", "hour", "verdict"),
    [
        ("2026-01-15 17:00", 17, "hit"),
        ("2026-01-15 17:01", 17, "miss"),
        ("2026-01-15 11:30", 11, "miss"),
        ("2026-01-15 09:00", None, "unknown"),
    ],
)
def test_opencps_is_late_from_the_second_after_the_due_time(done: str, hour: int | None, verdict: str) -> None:
    one = replace(dossier(completed=20260115), completed=at(done))
    one = replace(one, promises=[replace(one.promises[0], hour=hour)])
    assert says(one)["dossiers.on_time_opencps"] == (verdict, 20260115)
    assert says(one)["dossiers.on_time_766"] == ("hit", 20260115)


def test_resolved_are_those_completed_of_what_came_in_or_was_carried_over() -> None:
    known = [
        dossier(completed=20260120, received=20251220, number="carried over and completed"),
        dossier(received=20251220, number="carried over and still open"),
        dossier(completed=20260120, number="completed"),
        dossier(completed=20260105, number="completed on the day of receipt"),
        dossier(completed=20260203, received=20260131, number="completed in the next month"),
        dossier(outcome="withdrawn", ended=20260131, number="withdrawn"),
        dossier(outcome="withdrawn", ended=20260201, number="withdrawn in the next month"),
        dossier(outcome="stopped", ended=20260120, number="stopped"),
        dossier(completed=20251231, received=20251220, number="completed before"),
        dossier(received=20260201, number="received after"),
        dossier(received=None, outcome="refused_at_intake", ended=20260120, number="refused at intake"),
        replace(dossier(number="deleted"), deleted=True),
    ]
    ledger = replace(JANUARY, dossiers=known, last_day=20260228, now=at("2026-03-01 08:00"))
    assert counts(reading(ledger, "dossiers.resolved")) == ("measured", 3, 6, 0)
    assert counts(reading(ledger, "dossiers.resolved", "2026-02")) == ("measured", 1, 3, 0)


def test_what_clerks_tick_counts_on_its_day_and_is_unknown_where_nobody_says() -> None:
    one = replace(dossier(completed=20260112), digitised=1, electronic_result=0, payment="otherwise")
    said = says(one)
    assert said["dossiers.digitised"] == ("hit", 20260105)
    assert said["dossiers.electronic_result"] == ("miss", 20260112)
    assert said["dossiers.paid_online"] == ("miss", 20260105)
    assert says(replace(one, payment="online"))["dossiers.paid_online"] == ("hit", 20260105)
    assert says(replace(one, payment="none"))["dossiers.paid_online"] == NOT_COUNTED
    silent = says(dossier(completed=20260112))
    assert silent["dossiers.digitised"] == ("unknown", 20260105)
    assert silent["dossiers.electronic_result"] == ("unknown", 20260112)
    assert silent["dossiers.paid_online"] == ("unknown", 20260105)
    assert says(replace(one, completed_day=None, outcome="open"))["dossiers.electronic_result"] == NOT_COUNTED


def test_a_level_counts_for_its_own_figure_and_for_both() -> None:
    partly = replace(JANUARY, procedures=[Procedure("dossiers", "P", "partial", 20200101, None)])
    for ledger, level, other in ((JANUARY, "full", "partial"), (partly, "partial", "full")):
        said = says(dossier(), ledger)
        assert said[f"dossiers.online_{level}"] == said["dossiers.online"] == ("hit", 20260105)
        assert said[f"dossiers.online_{other}"] == NOT_COUNTED
    unknown = says(dossier(procedure="X"))
    assert {unknown[name] for name in ("dossiers.online_full", "dossiers.online_partial")} == {("unknown", 20260105)}


# --- procedures and systems ------------------------------------------------------------------------------------------


def test_procedures_of_the_last_day_count_once_by_the_line_that_speaks_for_the_agency() -> None:
    catalogue = [
        Procedure("dossiers", "FULL", "full", 20200101, None),
        Procedure("dossiers", "PARTIAL", "partial", 20200101, None),
        Procedure("dossiers", "INFORMATION", "information", 20200101, None),
        Procedure("dossiers", "UNCLEAR", None, 20200101, None),
        Procedure("dossiers", "ENDED", "full", 20200101, 20260130),
        Procedure("dossiers", "LAST DAY", "full", 20200101, 20260131),
        Procedure("dossiers", "LATER", "full", 20260201, None),
        Procedure("dossiers", "OWN", "full", 20200101, None),
        Procedure("dossiers", "OWN", "partial", 20260115, None, "A", "A"),
        Procedure("dossiers", "OTHERS", "full", 20200101, None, "B", "B"),
        Procedure("elsewhere", "ELSEWHERE", "full", 20200101, None),
    ]
    ledger = replace(JANUARY, procedures=catalogue)
    # In force: FULL, PARTIAL, INFORMATION, UNCLEAR, LAST DAY, OWN.
    assert counts(reading(ledger, "procedures.online_full")) == ("partial", 2, 5, 1)
    assert counts(reading(ledger, "procedures.online_partial")) == ("partial", 2, 5, 1)


def test_a_probe_is_a_hit_a_miss_unknown_or_excused() -> None:
    def stretch(begin: str, end: str) -> Stretch:
        return Stretch(at(f"2026-01-{begin}"), at(f"2026-01-{end}"))

    watch = Watch(
        "dossiers",
        3600,
        at("2026-01-01 00:00"),
        outages=[stretch("05 08:00", "05 11:00"), stretch("06 00:00", "06 03:00"), stretch("07 00:30", "07 00:59")],
        maintenance=[stretch("05 10:00", "05 12:00")],
        missed=[stretch("06 02:00", "06 04:00")],
        untried=[stretch("08 00:00", "08 06:00")],
    )
    probed = replace(DOSSIERS, records=[*DOSSIERS.records, "probe"])
    ledger = replace(JANUARY, sources=[MAIL, DOCUMENTS, probed], watches=[watch])
    # 744 hours; 2 excused; 2 + 6 unknown; silent at 8 and 9 on the 5th, at 0 and 1 on the 6th, and never on the 7th.
    row = reading(ledger, "systems.available")
    assert counts(row) == ("measured", 730, 734, 8)
    assert row["value"] == "0.994550"
    assert counts(reading(JANUARY, "systems.available")) == ("missing", 0, 0, 0)
