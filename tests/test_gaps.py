"""A day that is accepted as lost counts as accounted for: figures do without it, and say so wherever they are shown."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from collector import gaps, readings
from collector.contract.errors import WrongUse
from collector.contract.period import Period, parse_period
from collector.contract.reading import Reading
from collector.contract.records import Document
from collector.store.engine import reading, writing
from tests.editions.province import JANUARY, SOURCES, A, Province, letter, province
from tests.store import small

NOTHING = "covered, and there was nothing to judge"


@pytest.fixture
def torn(tmp_path: Path) -> Province:
    """January without 9 to 11 January of the register of documents, and without its last two days of mailboxes."""
    one = province(tmp_path, sealed=False)
    provisioned = next(each for each in small.INDICATORS if each.id == "mailboxes.provisioned")
    one.indicators = (*one.indicators, provisioned)
    one.declare(lambda each: each)
    with writing(one.engine) as connection:
        connection.exec_driver_sql("DELETE FROM coverage WHERE source = 'docs' AND day BETWEEN 20260109 AND 20260111")
        connection.exec_driver_sql("DELETE FROM coverage WHERE source = 'mail' AND day > 20260129")
    return one


def accept(one: Province, source: str, first: int, last: int, why: str = "mất nhật ký") -> None:
    names = [record.NAME for record in SOURCES[source]]
    gaps.accept(one.engine, source, 20260101, names, (first, last), why, one.now)


def taken(one: Province, id_: str, period: Period = JANUARY) -> dict[str, Reading]:
    chosen = [each for each in one.indicators if each.id == id_]
    with reading(one.engine) as connection:
        found: Sequence[Reading] = readings.take(
            connection, chosen, one.plan, one.world(period), period, ("agency", "block", "province")
        )
    return {each.agency: each for each in found}


def test_a_day_in_the_middle_that_is_accepted_leaves_the_figure_measured_and_named_in_every_scope(
    torn: Province,
) -> None:
    before = taken(torn, "documents.exchanged_internal")
    assert {one.state for one in before.values()} == {"partial"}
    accept(torn, "docs", 20260109, 20260111)
    after = taken(torn, "documents.exchanged_internal")
    assert {one.state for one in after.values()} == {"measured"}
    assert {one.why for one in after.values()} == {"2026-01-09..2026-01-11 of docs accepted as lost: mất nhật ký"}
    for code, one in after.items():
        assert (one.hits, one.judged) == (before[code].hits, before[code].judged), "what there is of them counts"
        assert one.through == 20260131


def test_an_end_that_is_accepted_reaches_to_the_end_and_a_figure_at_the_end_is_the_last_true_days(
    torn: Province,
) -> None:
    before = taken(torn, "mailboxes.provisioned")["H44.02"]
    assert (before.state, before.through) == ("partial", 20260129)
    assert taken(torn, "mailboxes.daily_use")["H44.02"].through == 20260129
    accept(torn, "mail", 20260130, 20260131)
    at_end = taken(torn, "mailboxes.provisioned")["H44.02"]
    assert (at_end.state, at_end.through, at_end.hits, at_end.judged) == ("measured", 20260129, 8, 9)
    daily = taken(torn, "mailboxes.daily_use")["H44.02"]
    assert (daily.state, daily.through) == ("measured", 20260131)
    assert "2026-01-30..2026-01-31 of mail accepted as lost" in daily.why
    hidden = taken(torn, "mailboxes.daily_use")[A]
    assert hidden.suppressed, "what may not be told is not told because of it"


def test_a_part_that_is_accepted_leaves_the_rest_a_gap(torn: Province) -> None:
    accept(torn, "docs", 20260109, 20260110)
    one = taken(torn, "documents.exchanged_internal")[A]
    assert (one.state, one.why) == (
        "partial",
        "1 day of document before 2026-01-31 not covered by docs; "
        "2026-01-09..2026-01-10 of docs accepted as lost: mất nhật ký",
    )


def test_a_period_of_which_nothing_was_read_is_missing_whatever_is_accepted(torn: Province) -> None:
    torn.now += 40 * 86_400
    accept(torn, "docs", 20260201, 20260228)
    one = taken(torn, "documents.exchanged_internal", parse_period("2026-02"))[A]
    assert (one.state, one.judged, one.why) == ("missing", 0, "nothing of the period is covered yet")


def test_a_day_that_is_read_after_all_is_lost_no_more(torn: Province) -> None:
    accept(torn, "docs", 20260109, 20260111)
    torn.cover("docs", 20260109, 20260111)
    assert taken(torn, "documents.exchanged_internal")[A].why == ""
    torn.put("docs", letter("more", A))
    assert taken(torn, "documents.exchanged_internal")[A].judged == 5


def test_what_there_is_nothing_to_judge_of_says_it_too(torn: Province) -> None:
    accept(torn, "docs", 20260109, 20260111)
    with writing(torn.engine) as connection:
        connection.exec_driver_sql("DELETE FROM tally_document_issued_day")
    one = taken(torn, "documents.exchanged_internal")[A]
    assert (one.state, one.why) == (
        "not_applicable",
        f"{NOTHING}; 2026-01-09..2026-01-11 of docs accepted as lost: mất nhật ký",
    )


def test_it_is_withdrawn_as_it_was_accepted(torn: Province) -> None:
    before = taken(torn, "documents.exchanged_internal")
    accept(torn, "docs", 20260109, 20260110)
    accept(torn, "docs", 20260111, 20260111, "cháy;  máy chủ")
    assert [str(one) for one in gaps.listed(torn.engine)] == [
        "2026-01-09..2026-01-10 of docs accepted as lost: mất nhật ký",
        "2026-01-11 of docs accepted as lost: cháy, máy chủ",
    ]
    assert gaps.withdraw(torn.engine, "docs", (20260101, 20260131)) == 3
    assert taken(torn, "documents.exchanged_internal") == before
    with pytest.raises(WrongUse, match="was accepted as lost"):
        gaps.withdraw(torn.engine, "docs", (20260101, 20260131))


def test_only_days_that_are_not_covered_are_accepted(torn: Province) -> None:
    accept(torn, "docs", 20260105, 20260110)
    assert [(one.first_day, one.last_day) for one in gaps.listed(torn.engine)] == [(20260109, 20260110)]
    with reading(torn.engine) as connection:
        assert gaps.uncovered(connection, "docs", [Document.NAME], 20260101, 20260131) == [20260109, 20260110, 20260111]
