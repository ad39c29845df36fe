"""docs/on-time.md stays true: twenty dossiers, classed by hand, by the program and by the demo's independent count."""

from pathlib import Path

import pytest

from collector.demo import truth
from collector.demo.days_off import days_off
from collector.demo.ledger import Ledger
from tests.indicators import on_time_page
from tests.indicators.twenty_dossiers import DEFINITIONS, JANUARY, TOTALS, TWENTY, Ran, as_in_the_ledger, key, run


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(tmp_path_factory.mktemp("twenty"))


def test_each_of_twenty_dossiers_is_classed_as_by_hand(ran: Ran) -> None:
    assert len(TWENTY) == 20
    wrong = {
        number: (one.story, ran.said(number), one.said)
        for number, one in enumerate(TWENTY, 1)
        if ran.said(number) != one.said
    }
    assert wrong == {}


def test_the_four_definitions_differ_on_them_as_counted_by_hand(ran: Ran) -> None:
    taken = {name: (one.hits, one.judged, one.unknown) for name, one in ran.readings.items()}
    assert taken == TOTALS
    for place, name in enumerate(DEFINITIONS):
        said = [one.said[place] for one in TWENTY]
        assert (said.count("hit"), said.count("hit") + said.count("miss"), said.count("unknown")) == TOTALS[name]


def test_the_independent_count_of_the_demo_classes_them_the_same() -> None:
    told = as_in_the_ledger()
    ledger = Ledger(
        seed=1, province="H44", now=0, first_day=JANUARY.first, last_day=20260228, days_off=days_off(), agencies=[],
        sources=[], mailboxes=[], sessions=[], mails=[], documents=[], dossiers=told, procedures=[],
    )  # fmt: skip
    classes = truth.dossier_classes(ledger)
    by_key = {key(number): one for number, one in enumerate(TWENTY, 1)}
    for one in told:
        said = []
        for name in DEFINITIONS:
            verdict, day = classes[one.id][name]
            said.append(verdict if day is not None and JANUARY.first <= day <= JANUARY.last else None)
        # The ledger tells full hours: half past eleven is eleven to it, and as late as that at ten past twelve.
        assert tuple(said) == by_key[one.id].said, by_key[one.id].story


def test_the_page_shows_what_the_run_says(ran: Ran) -> None:
    text = on_time_page.PAGE.read_text(encoding="utf-8")
    assert on_time_page.pasted(text) == on_time_page.tables(ran), "python -m tests.indicators.on_time_page"


def test_a_page_that_says_something_else_is_noticed(ran: Ran, tmp_path: Path) -> None:
    made = on_time_page.tables(ran)
    text = "<!-- table: twenty -->\n\n| old |\n\n<!-- end -->\n\nwords\n\n<!-- table: totals -->\n\nx\n\n<!-- end -->\n"
    assert on_time_page.pasted(text) == {"twenty": "| old |", "totals": "x"}
    assert on_time_page.pasted(on_time_page.with_tables(text, made)) == made
    assert "words" in on_time_page.with_tables(text, made)
