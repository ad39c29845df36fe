"""The whole model on trees of criteria, whatever they are: against a second computation, and what must always hold."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.contract.declared import Declared
from collector.contract.reading import Basis, Reading, Score, State
from indicators.scoring.file import ModelFile
from indicators.scoring.model import Block, Criterion, Group
from indicators.scoring.points import declared_in, score
from tests.indicators.scoring import second
from tests.indicators.scoring.second import Known

BANDS = [{"name": "high", "at_least": "0.85"}, {"name": "middle", "at_least": "0.5"}, {"name": "low", "at_least": "0"}]
STEPS = [
    [["0.5", "0.4"], ["0.8", "1"]],
    [["0", "0.2"], ["0.25", "0.2"], ["1", "0.9"]],
    [["0", "1"], ["0.05", "0.5"], ["0.5", "0"]],
]
STATES = ("missing", "partial", "not_applicable")
BASES: tuple[Basis, ...] = ("machine", "clerk", "register")


# -- models and what is known -------------------------------------------------------------------------------------


@st.composite
def documents(draw: st.DrawFn, most: int = 6) -> dict[str, Any]:
    """A scoring.yaml of one block: one to `most` criteria, in groups and groups of groups."""
    count = draw(st.integers(1, most))
    cuts = sorted(draw(st.sets(st.integers(1, 999), min_size=count - 1, max_size=count - 1)))
    maxima = [last - first for first, last in pairwise([0, *cuts, 1000])]
    parts: list[dict[str, Any]] = []
    for number, maximum in enumerate(maxima):
        leaf: dict[str, Any] = {"id": f"c{number}", "title_vi": "", "maximum": str(maximum)}
        leaf |= draw(st.sampled_from([{"indicator": f"of.c{number}"}, {"declared": "a decision"}]))
        rule = draw(st.sampled_from(["ratio", "inverse", "steps"]))
        if rule == "steps":
            leaf["steps"] = draw(st.sampled_from(STEPS))
        parts.append(leaf | {"rule": rule})
    for number in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, len(parts) - 1))
        last = draw(st.integers(first + 1, len(parts)))
        parts[first:last] = [{"id": f"g{number}", "title_vi": "", "criteria": parts[first:last]}]
    measured = sum(int(leaf["maximum"]) for leaf in second.leaves(parts) if "indicator" in leaf)
    minimum = draw(st.sampled_from(["0", "0.3", "0.8"]).filter(lambda least: Fraction(least) * 1000 <= measured))
    return {"minimum_measured": minimum, "bands": BANDS, "blocks": {"b": {"title_vi": "", "criteria": parts}}}


@st.composite
def knowns(draw: st.DrawFn, leaf: Mapping[str, Any]) -> Known:
    """What may be known of a criterion."""
    measured = "indicator" in leaf
    basis = BASES[int(leaf["id"][1:]) % 3] if measured else "declared"
    state = draw(st.sampled_from(["known", "known", "known", *(STATES if measured else ("missing",))]))
    if state != "known":
        return Known(state, basis=basis)
    judged = draw(st.integers(1, 9))
    told = draw(st.booleans()) or not measured
    return Known("measured" if measured else "declared", draw(st.integers(0, judged)), judged, basis, told)


@st.composite
def cases(draw: st.DrawFn, most: int = 6, agencies: int = 4) -> tuple[dict[str, Any], dict[str, dict[str, Known]]]:
    """A model, and some agencies of its block."""
    document = draw(documents(most))
    leaves = second.leaves(document["blocks"]["b"]["criteria"])
    codes = [f"A{number}" for number in range(draw(st.integers(1, agencies)))]
    return document, {code: {leaf["id"]: draw(knowns(leaf)) for leaf in leaves} for code in codes}


def scored(document: Mapping[str, Any], agencies: Mapping[str, Mapping[str, Known]]) -> dict[str, Score]:
    """What the program makes of it."""
    model = ModelFile.model_validate(document).model()
    readings, declared = [], []
    basis: dict[str, Basis] = {}
    for agency, known in agencies.items():
        for id_, one in known.items():
            if one.basis == "declared":
                if one.judged is not None:
                    declared.append(Declared(agency, id_, one.hits, one.judged, "a decision", "its office", 20260112))
                continue
            basis[f"of.{id_}"] = BASES[int(id_[1:]) % 3]
            reading = Reading(
                f"of.{id_}", 1, "agency", agency, "2026-01", "measured", 20260131, one.hits, one.judged, 0
            )
            if one.state != "measured":
                reading = replace(reading, state=cast(State, one.state), hits=0, judged=0)
            elif not one.told and one.hits is not None and one.judged is not None:
                reading = replace(reading, hits=None, judged=None, suppressed=True, merged=(one.hits, one.judged))
            readings.append(reading)
    found = score(model, readings, dict.fromkeys(agencies, "b"), basis, declared)
    return {one.agency: one for one in found}


# -- against the second computation -------------------------------------------------------------------------------

SAME = ["points", "points_low", "points_high", "rank", "rank_best", "rank_worst", "band", "band_best", "tied"]
SAME += ["measured_share", "machine_share", "to_next"]


@settings(deadline=None)
@given(cases())
def test_everything_is_as_a_second_computation_has_it(case: tuple[dict[str, Any], dict[str, dict[str, Known]]]) -> None:
    document, agencies = case
    found = scored(document, agencies)
    expected = second.ranking(document, "b", agencies)
    for code, one in found.items():
        assert {name: getattr(one, name) for name in SAME} == {name: expected[code][name] for name in SAME}
        lines: dict[str, tuple[Any, ...]] = {
            line.criterion: (line.worth, line.points_low, line.points_high) for line in one.lines
        }
        assert lines == second.lines(document["blocks"]["b"]["criteria"], agencies[code])
        told = {line.criterion: line.to_gain for line in one.lines if line.to_gain is not None}
        assert told == expected[code]["to_gain"], "so many more hits, and no fewer, gain a place"
        assert len(one.together) == expected[code]["together"]


@settings(deadline=None)
@given(cases())
def test_what_is_said_to_gain_a_place_gains_one_and_one_hit_less_does_not(
    case: tuple[dict[str, Any], dict[str, dict[str, Known]]],
) -> None:
    document, agencies = case

    def rank_with(code: str, hits: Mapping[str, int]) -> int:
        own = {id_: replace(one, hits=hits.get(id_, one.hits)) for id_, one in agencies[code].items()}
        rank = scored(document, agencies | {code: own})[code].rank
        assert rank is not None
        return rank

    for code, one in scored(document, agencies).items():
        for line in one.lines:
            if line.to_gain is not None and line.hits is not None and one.rank is not None:
                nearer = line.to_gain - (1 if line.to_gain > 0 else -1)
                assert rank_with(code, {line.criterion: line.hits + line.to_gain}) < one.rank
                assert rank_with(code, {line.criterion: line.hits + nearer}) == one.rank


# -- what must always hold -----------------------------------------------------------------------------------------

COMPLETIONS = (*(("known", hits) for hits in (0, 1, 2)), ("not_applicable", 0))
"""How what is not known may turn out: none, half or all of two; or there was nothing to judge."""


@settings(deadline=None, max_examples=40)
@given(cases(most=5, agencies=3))
def test_the_intervals_hold_every_completion_of_what_is_not_known(
    case: tuple[dict[str, Any], dict[str, dict[str, Known]]],
) -> None:
    document, agencies = case
    before = scored(document, agencies)
    for code, known in agencies.items():
        open_ = [id_ for id_, one in known.items() if one.state in ("missing", "partial")]
        for ways in product(*(COMPLETIONS if known[id_].basis != "declared" else COMPLETIONS[:3] for id_ in open_)):
            complete = dict(known)
            for id_, (state, hits) in zip(open_, ways, strict=True):
                basis = known[id_].basis
                if state == "not_applicable":
                    complete[id_] = Known(state, basis=basis)
                else:
                    complete[id_] = Known("declared" if basis == "declared" else "measured", hits, 2, basis)
            after = scored(document, agencies | {code: complete})
            one, truly = before[code], after[code]
            if "nothing to judge" in truly.why:
                continue
            assert one.points_low <= truly.points <= one.points_high
            for other, its in before.items():
                now = after[other]
                if its.rank is not None and now.rank is not None:
                    assert (its.rank_best or 0) <= now.rank <= (its.rank_worst or 0)


@settings(deadline=None)
@given(documents(), st.data())
def test_spreading_conserves_the_points(document: dict[str, Any], data: st.DataObject) -> None:
    (block,) = ModelFile.model_validate(document).model().blocks
    ids = [one.id for one in block.criteria]
    without = frozenset(data.draw(st.sets(st.sampled_from(ids))))
    worth = block.worth(without)
    assert sum(worth.values()) == (0 if without == set(ids) else 1000)
    assert all(worth[id_] == 0 for id_ in without)
    maxima = {one.id: Fraction(one.maximum) for one in block.criteria}
    if without != set(ids):
        assert all(worth[id_] >= maxima[id_] for id_ in ids if id_ not in without), "nobody loses by it"


@settings(deadline=None)
@given(cases(agencies=1), st.data())
def test_a_better_count_never_costs_a_point(
    case: tuple[dict[str, Any], dict[str, dict[str, Known]]], data: st.DataObject
) -> None:
    document, agencies = case
    leaves = {leaf["id"]: leaf for leaf in second.leaves(document["blocks"]["b"]["criteria"])}
    known = agencies["A0"]
    counted = [id_ for id_, one in known.items() if one.judged is not None]
    if not counted:
        return
    id_ = data.draw(st.sampled_from(counted))
    one, leaf = known[id_], leaves[id_]
    falls = leaf["rule"] == "inverse" or (leaf["rule"] == "steps" and leaf["steps"][0][1] > leaf["steps"][-1][1])
    assert one.hits is not None
    assert one.judged is not None
    better = replace(one, hits=max(one.hits - 1, 0) if falls else min(one.hits + 1, one.judged))
    before, after = scored(document, agencies)["A0"], scored(document, {"A0": {**known, id_: better}})["A0"]
    assert after.points >= before.points


# -- by hand ---------------------------------------------------------------------------------------------------------


def leaf(id_: str, maximum: int) -> Criterion:
    return Criterion(id_, f"of.{id_}", Decimal(maximum))


NESTED = Block(
    "b",
    "",
    (
        Group("1", "", (leaf("1.1", 100), leaf("1.2", 300))),
        Group("2", "", (Group("2.1", "", (leaf("2.1.1", 150), leaf("2.1.2", 50))), leaf("2.2", 400))),
    ),
)


@pytest.mark.parametrize(
    ("without", "worth"),
    [
        ("", {"1.1": 100, "1.2": 300, "2.1.1": 150, "2.1.2": 50, "2.2": 400}),
        ("2.1.2", {"1.1": 100, "1.2": 300, "2.1.1": 200, "2.1.2": 0, "2.2": 400}),
        ("2.1.1 2.1.2", {"1.1": 100, "1.2": 300, "2.1.1": 0, "2.1.2": 0, "2.2": 600}),
        ("2.2", {"1.1": 100, "1.2": 300, "2.1.1": 450, "2.1.2": 150, "2.2": 0}),
        ("1.1 1.2", {"1.1": 0, "1.2": 0, "2.1.1": 250, "2.1.2": Fraction(250, 3), "2.2": Fraction(2000, 3)}),
        ("2.1.1 2.1.2 2.2 1.1", {"1.1": 0, "1.2": 1000, "2.1.1": 0, "2.1.2": 0, "2.2": 0}),
        ("1.1 1.2 2.1.1 2.1.2 2.2", dict.fromkeys(("1.1", "1.2", "2.1.1", "2.1.2", "2.2"), 0)),
    ],
)
def test_points_of_what_does_not_apply_stay_in_the_group_and_those_of_a_whole_group_beside_it(
    without: str, worth: Mapping[str, Fraction | int]
) -> None:
    assert NESTED.worth(frozenset(without.split())) == worth


@pytest.mark.parametrize(
    ("rule", "steps", "hits", "judged", "share", "more"),
    [
        ("ratio", [], 3, 10, "0.75", 5),  # 8 of 10 is the first that is enough
        ("ratio", [], 3, 10, "0.3", 0),
        ("ratio", [], 3, 10, "1.01", None),
        ("inverse", [], 3, 10, "0.75", -1),  # 2 of 10 should not happen
        ("inverse", [], 3, 10, "1", -3),
        ("inverse", [], 3, 10, "1.01", None),
        ("steps", STEPS[0], 3, 10, "0.1", 2),  # 5 of 10 gives 0.4
        ("steps", STEPS[0], 3, 10, "0.41", 5),  # 8 of 10 gives all
        ("steps", STEPS[0], 3, 7, "0.41", 3),  # 0.8 of 7 is 5.6: 6
        ("steps", STEPS[0], 3, 10, "1.01", None),
        ("steps", STEPS[1], 3, 10, "0.95", None),  # its last step gives 0.9
        ("steps", STEPS[2], 6, 10, "0.5", -2),  # fewer than 5 of 10
        ("steps", STEPS[2], 6, 10, "0.6", -6),  # fewer than 0.5 of 10
        ("steps", STEPS[2], 6, 200, "0.5", 0),
    ],
)
def test_so_many_more_hits_reach_a_share(
    rule: str, steps: list[list[str]], hits: int, judged: int, share: str, more: int | None
) -> None:
    part = {"id": "1", "title_vi": "", "indicator": "of.1", "maximum": "1000", "rule": rule, "steps": steps}
    document = {"minimum_measured": "0", "bands": BANDS, "blocks": {"b": {"title_vi": "", "criteria": [part]}}}
    (criterion,) = ModelFile.model_validate(document).model().blocks[0].criteria
    assert criterion.to_reach(Fraction(share), hits, judged) == more


def test_a_claim_without_evidence_is_missing_and_one_with_it_is_no_measurement() -> None:
    document = {
        "minimum_measured": "0",
        "bands": BANDS,
        "blocks": {
            "b": {
                "title_vi": "",
                "criteria": [
                    {"id": "1", "title_vi": "", "indicator": "of.1", "maximum": "600"},
                    {"id": "2", "title_vi": "", "declared": "a decision", "maximum": "400"},
                ],
            }
        },
    }
    model = ModelFile.model_validate(document).model()
    reading = Reading("of.1", 1, "agency", "A", "2026-01", "measured", 20260131, 1, 2, 0)

    def of(evidence: str) -> Score:
        claim = Declared("A", "2", 3, 4, evidence, "Văn phòng", 20260112)
        (one,) = score(model, [reading], {"A": "b"}, {"of.1": "machine"}, [claim])
        return one

    shown, bare = of("Quyết định 12/QĐ"), of("")
    assert [shown.points, shown.points_high, shown.measured_share] == [600, 600, Decimal("0.6")]
    assert (shown.lines[1].state, shown.lines[1].evidence) == ("declared", "Quyết định 12/QĐ (Văn phòng, 2026-01-12)")
    assert [bare.points, bare.points_high] == [300, 700]
    assert bare.lines[1].state == "missing"
    assert (bare.lines[1].hits, bare.lines[1].evidence) == (None, "")


def test_what_was_declared_can_be_taken_from_the_lines_of_a_ranking() -> None:
    part = {"id": "1", "title_vi": "", "declared": "a decision", "maximum": "1000"}
    document = {"minimum_measured": "0", "bands": BANDS, "blocks": {"b": {"title_vi": "", "criteria": [part]}}}
    model = ModelFile.model_validate(document).model()
    claims = [
        Declared("A", "1", 3, 4, "Quyết định 12/QĐ", "Văn phòng", 20260112),
        Declared("B", "1", 3, 4, "", "Văn phòng", 20260112),
        Declared("C", "1", None, None, "Quyết định 12/QĐ", "Văn phòng", 20260112),
    ]
    found = score(model, [], dict.fromkeys("ABC", "b"), {}, claims)
    again = score(model, [], dict.fromkeys("ABC", "b"), {}, declared_in(found))
    assert [(one.agency, one.points, one.points_high) for one in again] == [
        ("A", Decimal("750.00"), Decimal("750.00")),
        ("B", Decimal("0.00"), Decimal("1000.00")),
        ("C", Decimal("0.00"), Decimal("1000.00")),
    ]


def test_agencies_whose_intervals_touch_cannot_be_told_apart() -> None:
    leaves = [{"id": f"c{place}", "title_vi": "", "indicator": f"of.c{place}", "maximum": "500"} for place in (0, 1)]
    document = {"minimum_measured": "0", "bands": BANDS, "blocks": {"b": {"title_vi": "", "criteria": leaves}}}
    open_ = Known("partial", basis="machine")
    agencies = {
        "A": {"c0": Known("measured", 9, 10), "c1": Known("measured", 9, 10)},  # 900
        "B": {"c0": Known("measured", 7, 10), "c1": open_},  # 350 to 850
        "C": {"c0": Known("measured", 8, 10), "c1": Known("measured", 8, 10)},  # 800
        "D": {"c0": Known("measured", 3, 10), "c1": Known("measured", 4, 10)},  # 350
        "E": {"c0": Known("measured", 3, 10), "c1": Known("measured", 3, 10)},  # 300
        "F": {"c0": Known("measured", 3, 10), "c1": Known("measured", 3, 10)},
    }
    found = scored(document, agencies)
    assert {code: one.group for code, one in found.items()} == {"A": 1, "B": 2, "C": 2, "D": 2, "E": 3, "F": 3}
    assert {code: one.tied for code, one in found.items()} == {"A": 0, "B": 1, "C": 0, "D": 1, "E": 1, "F": 1}


def test_points_that_round_up_to_anothers_are_enough_to_share_its_place() -> None:
    only = [{"id": "c0", "title_vi": "", "indicator": "of.c0", "maximum": "1000"}]
    document = {"minimum_measured": "0", "bands": BANDS, "blocks": {"b": {"title_vi": "", "criteria": only}}}
    third, many = Known("measured", 1, 3), Known("measured", 99_000, 300_000)
    found = scored(document, {"A": {"c0": third}, "B": {"c0": many}})
    # 99,998 of 300,000 is 333.32666..., printed 333.33 as a third of 1,000 is; 99,997 is printed 333.32.
    assert found["B"].lines[0].to_gain == 998
