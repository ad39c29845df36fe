"""What comes late, is changed or taken back after a seal becomes a new edition, and the old one stays as it was.

For each indicator one province lives through all of it, and at the end every instant still shows what was shown then.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import case

from collector import editions
from collector.contract.connector import Batch
from collector.contract.errors import WrongUse
from collector.contract.indicator import Counted, Indicator
from collector.contract.reading import Reading
from collector.contract.records import Mailbox, MailboxDay
from collector.editions import REASONS, Edition, Reason, log
from collector.editions.restate import what_differs
from collector.store import destruction
from collector.store.engine import reading, writing
from tests.editions.province import (
    DIVIDED,
    IDS,
    JANUARY,
    MERGED,
    REGISTER,
    A,
    B,
    Province,
    changed_by,
    counts,
    dossier,
    incoming,
    letter,
    mailboxes,
    open_dossier,
    province,
    used,
)

Rows = Callable[..., Mapping[Any, Any]]


def box(key: str, agency: str, *, version: int, hit: bool = True, removed: int = 0) -> Mapping[Any, Any]:
    """The use of B's fifth mailbox on one day: its source can take it back, or count it as nothing."""
    own = list(used("b5", version=1))
    own[2:4] = [version, removed]
    if not hit:
        own[7] = 0
    return {MailboxDay: tuple(own)}


# indicator: source, its rows, and what they change of B's counts: late, edited from a hit to a miss, deleted
CASES: Mapping[str, tuple[str, Rows, tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]] = {
    "documents.connected": ("docs", letter, (0, 0, 0), (0, 0, 0), (0, 0, 0)),
    "documents.exchanged_internal": ("docs", letter, (1, 1, 0), (-1, 0, 0), (0, -1, 0)),
    "documents.on_time": ("docs", incoming, (1, 1, 0), (-1, 0, 0), (0, -1, 0)),
    "dossiers.on_time": ("desk", dossier, (1, 1, 0), (-1, 0, 0), (0, -1, 0)),
    "dossiers.resolved": (
        "desk",
        lambda key, agency, hit=True, **more: open_dossier(key, agency, done=hit, **more),
        (1, 1, 0),
        (-1, 0, 0),
        (0, -1, 0),
    ),
    "mailboxes.daily_use": ("mail", box, (1, 0, 0), (-1, 0, 0), (0, 0, 0)),
}


def shown(one: Province, until: int) -> list[Reading]:
    with reading(one.engine) as connection:
        return log.as_of(connection, JANUARY, until, ("agency", "block", "province"), IDS)


def assert_restated(
    one: Province, reason: Reason, indicator: str, expected: tuple[int, int, int], agency: str = B
) -> Edition:
    """State January anew, and look at everything that is promised of a new edition."""
    before = one.sealed()
    stored = before.body
    told = what_differs(one.sealer, JANUARY)
    assert told is not None
    if impossible := [other for other in REASONS if not told[1].possible(other)]:
        with pytest.raises(WrongUse, match=f"{impossible[0]} cannot be the reason"):
            one.restate(impossible[0])
    assert one.sealed() == before
    made = one.restate(reason)
    assert (made.number, made.reason, made.previous) == (before.number + 1, reason, before.digest)
    assert one.sealed(number=before.number).body == stored, "the old one stays"
    assert {each.edition for each in made.readings} == {made.number}
    changes = {(each.indicator, each.agency): (each.hits, each.judged, each.unknown) for each in made.changes}
    assert changes.get((indicator, agency), (0, 0, 0)) == expected
    for total in made.totals:
        own = [each for each in made.changes if each.indicator == total.indicator]
        parts = [(each.hits, each.judged, each.unknown) for each in own]
        assert (total.hits, total.judged, total.unknown) == tuple(sum(part) for part in zip(*parts, strict=True))
        wider = [counts(each.readings, total.indicator, "H44") for each in (before, made)]
        difference = tuple((now or 0) - (then or 0) for then, now in zip(*wider, strict=True))
        assert difference == (total.hits, total.judged, total.unknown), "the agencies' changes are the province's"
    assert one.faults() == []
    assert one.drifted() == []
    with pytest.raises(WrongUse, match=f"nothing differs from edition {made.number}"):
        one.restate(reason)
    with pytest.raises(WrongUse, match=f"2026-01 is sealed: edition {made.number}"):
        one.seal()
    return made


@pytest.mark.parametrize("indicator", CASES)
def test_a_record_comes_late_is_edited_deleted_and_comes_back(indicator: str, tmp_path: Path) -> None:
    source, rows, late, edited, deleted = CASES[indicator]
    one = province(tmp_path, sealed=False)
    one.now -= 3600
    assert log.note(one.sealer, 20260101) > 0
    instants = [(one.now - 1, []), (one.now, shown(one, one.now))]

    def later() -> None:
        instants.append((one.now, list(shown(one, one.now))))
        number = one.sealed().number
        assert {each.edition for each in shown(one, one.now)} == {number}, "from the second of the seal on"
        assert {each.edition for each in shown(one, one.now - 1)} == {number - 1 or None}
        one.now += 3600

    one.now += 3600
    first = one.seal()
    later()
    assert one.told == [first]
    steps: list[tuple[Reason, Mapping[Any, Any], tuple[int, int, int]]] = [
        ("late", rows("x", B, version=1), late),
        ("source-changed", rows("x", B, hit=False, version=2), edited),
        ("source-deleted", rows("x", B, hit=False, version=3, removed=1), deleted),
        ("late", rows("x", B, version=4), late),
    ]
    for reason, record, expected in steps:
        if indicator == "mailboxes.daily_use" and reason == "source-deleted":
            continue  # a day on which nothing was counted and one without a row are the same
        shown_before = shown(one, one.now)
        one.put(source, record)
        assert shown(one, one.now) == shown_before, "what is sealed is shown till it is stated anew"
        made = assert_restated(one, reason, indicator, expected)
        assert made == one.told[-1], "the services that score are told of it"
        later()
        if rows is not box:
            found = editions.evidence(one.engine, made, indicator, B)
            assert found is not None
            there = sum(row[found.columns.index("key")] == "x" for row in found.rows)
            assert there == int(reason != "source-deleted")
    assert one.sealed(number=1) == first
    for at, was in instants:
        assert shown(one, at) == was
    one.put(source, steps[-1][1])
    assert one.drifted() == [], "to read the same again is nothing"


def test_a_record_moves_to_another_agency(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.put("docs", letter("H44.01-l3", B, hit=True, version=2))
    made = assert_restated(one, "source-changed", "documents.exchanged_internal", (1, 1, 0))
    changes = {each.agency: (each.hits, each.judged) for each in made.changes if each.indicator.endswith("internal")}
    assert changes == {A: (-1, -1), B: (1, 1)}
    totals = {each.indicator: (each.hits, each.judged, each.unknown) for each in made.totals}
    assert totals["documents.exchanged_internal"] == (0, 0, 0)


def test_agencies_are_merged_in_the_register_after_the_seal(tmp_path: Path) -> None:
    one = province(tmp_path)
    assert one.sealed().merged is None
    one.learn(MERGED)
    with pytest.raises(WrongUse, match=r"formula cannot be the reason: .*other than then: the register of agencies"):
        one.restate("formula")
    made = one.restate("definition")
    assert made.merged is not None
    assert {each.agency for each in made.merged.readings} == {A, B}
    whole = counts(made.merged.readings, "documents.exchanged_internal", B)
    parts = [counts(made.readings, "documents.exchanged_internal", agency) for agency in (B, "H44.03")]
    assert whole == tuple(sum(part) for part in zip(*parts, strict=True))
    assert {each.agency for each in made.merged.scores} == {A, B}
    assert one.faults() == []
    assert one.sealed(number=1).merged is None


def test_an_agency_is_divided_in_the_register_after_the_seal(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.learn(DIVIDED)
    made = one.restate("definition")
    assert made.merged is None, "nobody took over all of it"
    assert one.faults() == []
    before, now = (counts(each.readings, "dossiers.resolved", "H44") for each in (one.sealed(number=1), made))
    assert before == now, "no dossier is lost"


def test_a_declared_figure_that_is_revised_changes_scores_and_no_reading(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.declared = 7
    assert one.drifted() == []
    impossible: tuple[Reason, ...] = ("late", "source-deleted", "formula", "definition")
    for reason in impossible:
        with pytest.raises(WrongUse, match=f"{reason} cannot be the reason: 3 scores differ"):
            one.restate(reason)
    made = one.restate("source-changed")
    assert made.changes == ()
    first = {each.agency: each.points for each in one.sealed(number=1).scores}
    assert {each.agency: each.points - first[each.agency] for each in made.scores} == dict.fromkeys((A, B, "H44.03"), 7)
    assert one.faults() == []


def test_a_renamed_agency_changes_no_figure_but_what_was_sealed_says_so(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.learn(REGISTER.replace("name: B,", "name: Sở B,"))
    assert one.drifted() == []
    made = assert_restated(one, "definition", "dossiers.on_time", (0, 0, 0))
    assert made.changes == ()


@pytest.mark.parametrize("indicator", IDS)
def test_a_new_version_is_another_definition_and_no_formula(indicator: str, tmp_path: Path) -> None:
    one = province(tmp_path)
    one.declare(lambda each: changed_by(each, indicator, version=each.version + 1, hit_vi="khác"))
    with pytest.raises(WrongUse, match="formula cannot be the reason"):
        one.restate("formula")
    made = one.restate("definition")
    now = next(each for each in made.definitions if each.id == indicator)
    then = next(each for each in one.sealed(number=1).definitions if each.id == indicator)
    assert (now.version, now.hit_vi) == (then.version + 1, "khác")
    assert one.faults() == []


def test_a_formula_is_mended_and_its_definition_is_the_same(tmp_path: Path) -> None:
    one = province(tmp_path)

    def mended(each: Indicator) -> Indicator:
        if each.id != "documents.exchanged_internal" or not isinstance(each.formula, Counted):
            return each
        return replace(each, formula=replace(each.formula, hit=case((each.formula.hit, 0), else_=1)))

    one.declare(mended)
    with pytest.raises(
        WrongUse, match=r"definition cannot be the reason: .*other formulas: documents\.exchanged_internal"
    ):
        one.restate("definition")
    made = one.restate("formula")
    assert counts(made.readings, "documents.exchanged_internal", B) == (2, 4, 0)
    assert one.faults() == []
    first = editions.evidence(one.engine, one.sealed(number=1), "documents.exchanged_internal", B)
    then = editions.evidence(one.engine, made, "documents.exchanged_internal", B)
    assert first is not None
    assert then is not None
    place = first.columns.index("verdict")
    turned = {"hit": "miss", "miss": "hit"}
    assert [turned[row[place]] for row in first.rows] == [row[place] for row in then.rows]


def test_another_constant_in_a_formula_is_another_formula() -> None:
    from collector.editions.freeze import definition
    from tests.store.small import INDICATORS

    one = next(each for each in INDICATORS if each.id == "documents.exchanged_internal")
    assert isinstance(one.formula, Counted)
    other = replace(one, formula=replace(one.formula, counted=one.formula.table.c.recalled == 7))
    same = replace(one, formula=replace(one.formula, counted=one.formula.table.c.recalled == 8))
    assert len({definition(each).formula for each in (one, other, same)}) == 3
    assert definition(one) == definition(replace(one))


def test_a_scoring_model_that_changes_is_a_definition_and_the_ranking_sealed_stays(tmp_path: Path) -> None:
    one = province(tmp_path)
    first = one.sealed()
    one.model = "another model"
    assert one.drifted() == []
    made = assert_restated(one, "definition", "dossiers.on_time", (0, 0, 0))
    assert (first.model, made.model) == ("the model", "another model")
    assert one.sealed(number=1).scores == first.scores


def test_what_a_figure_of_persons_hides_is_hidden_in_the_edition_its_rows_and_its_changes(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.save("mail", Batch({Mailbox: mailboxes(A, 7)[6:]}, None))
    assert one.drifted() == ["edition 1 of 2026-01 differs now in 2 figures: restate or explain"]
    made = one.restate("late")
    assert made.changes == made.totals == (), "the agency's figure may not be told, nor what became of it"
    assert counts(made.readings, "mailboxes.daily_use", A) == (None, None, None)
    assert counts(made.readings, "mailboxes.daily_use", "H44") == (9, 357 + 21, 0)
    for agency in (A, "H44.03"):
        found = editions.evidence(one.engine, made, "mailboxes.daily_use", agency)
        assert found is not None
        assert found.columns == ("day", "hits", "judged", "unknown")
        assert {row[1:] for row in found.rows} == {(None, None, None)}
    assert one.faults() == []
    assert not any(name in made.body.decode() for name in ("a.example", '"a0"', '"b0"'))


def test_a_mailbox_figure_is_carried_over_once_what_it_rests_on_is_destroyed(tmp_path: Path) -> None:
    one = province(tmp_path)
    first = one.sealed()
    with writing(one.engine) as connection:
        destruction.destroy_rows(connection, 20260101, one.plan, {}, one.now)
    one.learn(
        REGISTER.replace(
            "code: H44.02, name: B, block: departments, headcount: 9",
            "code: H44.02, name: B, block: departments, headcount: 8",
        )
    )
    one.put("desk", dossier("late", B))
    made = assert_restated(one, "late", "dossiers.on_time", (1, 1, 0))
    assert made.carried == ("mailboxes.daily_use",)
    own = [replace(each, edition=None) for each in first.readings if each.indicator == "mailboxes.daily_use"]
    assert [replace(each, edition=None) for each in made.readings if each.indicator == "mailboxes.daily_use"] == own
    with pytest.raises(WrongUse, match="figures of mailboxes stay as they were sealed: the records of 2026-01 that "):
        one.restate("correction")
    assert one.faults() == []
