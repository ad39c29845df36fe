"""Points, intervals, ranks and bands, worked out by hand, and what must hold whatever the readings are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.contract.errors import WrongUse
from collector.contract.reading import Reading, Score, State
from indicators.scoring.model import Band, Block, Criterion, Model, Rule
from indicators.scoring.points import changed, score

MAIL, PAPER, LATE = "mailboxes.daily_use", "documents.exchanged_internal", "dossiers.on_time"
BANDS = (Band("high", Decimal("0.85")), Band("middle", Decimal("0.5")), Band("low", Decimal(0)))


def model(
    maxima: Sequence[int] = (500, 300, 200), rules: Sequence[Rule] = ("ratio", "ratio", "ratio"), minimum: str = "0"
) -> Model:
    criteria = tuple(
        Criterion(str(number), indicator, Decimal(maximum), rule)
        for number, (indicator, maximum, rule) in enumerate(zip((MAIL, PAPER, LATE), maxima, rules, strict=True), 1)
    )
    return Model((Block("departments", "Sở", criteria),), BANDS, Decimal(minimum))


def read(agency: str, indicator: str, hits: int, judged: int, state: State = "measured") -> Reading:
    return Reading(indicator, 1, "agency", agency, "2026-01", state, 20260131, hits, judged, 0)


def all_of(agency: str, *counts: tuple[int, int] | State) -> list[Reading]:
    """Return the readings of the three criteria: (hits, judged) if measured, else the state."""
    return [
        read(agency, indicator, 0, 0, count) if isinstance(count, str) else read(agency, indicator, *count)
        for indicator, count in zip((MAIL, PAPER, LATE), counts, strict=True)
    ]


def scored(the_model: Model, *readings: list[Reading]) -> dict[str, Score]:
    flat = [one for several in readings for one in several]
    found = score(the_model, flat, dict.fromkeys((one.agency for one in flat), "departments"))
    return {one.agency: one for one in found}


# --- points ----------------------------------------------------------------------------------------------------------


def test_points_are_ratio_times_maximum_rounded_half_up_once_at_the_end() -> None:
    # 500 x 1/3 + 300 x 5/9 + 200 x 1/3 is 400 exactly; each rounded first would make it 400.01.
    one = scored(model(), all_of("A", (1, 3), (5, 9), (1, 3)))["A"]
    assert (one.points, one.points_low, one.points_high) == (Decimal("400.00"),) * 3
    # 500 x 1/1600 = 0.3125, 300 x 1/1600 = 0.1875 and 200 x 1/40000 = 0.005: 0.505, up to 0.51.
    tiny = scored(model(), all_of("A", (1, 1600), (1, 1600), (1, 40000)))["A"]
    assert tiny.points == Decimal("0.51")


def test_a_third_of_three_is_not_lost_on_the_way() -> None:
    # 333 x 1/3 + 333 x 1/3 + 334 x 1/2 = 111 + 111 + 167, exactly.
    assert scored(model((333, 333, 334)), all_of("A", (1, 3), (1, 3), (1, 2)))["A"].points == Decimal("389.00")


def test_inverse_gives_points_for_what_did_not_happen() -> None:
    one = scored(model(rules=("inverse", "ratio", "ratio")), all_of("A", (1, 4), (0, 1), (0, 1)))["A"]
    assert one.points == Decimal("375.00")


def test_points_of_what_does_not_apply_are_spread_in_proportion() -> None:
    # 500 and 300 share the 200: 625 and 375. 625 x 1/2 + 375 x 1 = 687.50.
    one = scored(model(), all_of("A", (1, 2), (3, 3), "not_applicable"))["A"]
    assert (one.points, one.points_high, one.measured_share) == (
        Decimal("687.50"),
        Decimal("687.50"),
        Decimal("1.0000"),
    )


@pytest.mark.parametrize("state", ["missing", "partial"])
def test_what_is_not_known_leaves_an_interval_up_to_its_maximum(state: State) -> None:
    one = scored(model(), all_of("A", (1, 2), state, (1, 1)))["A"]
    assert (one.points, one.points_low, one.points_high) == (Decimal("450.00"), Decimal("450.00"), Decimal("750.00"))
    assert one.measured_share == Decimal("0.7000")


def test_a_figure_without_a_reading_is_missing_and_not_zero() -> None:
    one = scored(model(), [read("A", MAIL, 1, 2)])["A"]
    assert (one.points_low, one.points_high) == (Decimal("250.00"), Decimal("750.00"))


def test_an_interval_is_wider_when_other_points_are_spread() -> None:
    # 200 do not apply: 625 measured, 375 missing.
    one = scored(model(), all_of("A", (1, 1), "missing", "not_applicable"))["A"]
    assert (one.points_low, one.points_high, one.measured_share) == (
        Decimal("625.00"),
        Decimal("1000.00"),
        Decimal("0.6250"),
    )


# --- ranks -----------------------------------------------------------------------------------------------------------


def test_equal_points_share_a_rank_and_the_next_is_skipped() -> None:
    half, most = ((1, 2),) * 3, ((9, 10),) * 3
    found = scored(
        model(), all_of("A", *half), all_of("B", *most), all_of("C", *half), all_of("D", (0, 1), (0, 1), (0, 1))
    )
    assert {agency: one.rank for agency, one in found.items()} == {"B": 1, "A": 2, "C": 2, "D": 4}
    assert [one.agency for one in found.values()] == ["B", "A", "C", "D"]


def test_ranks_compare_the_points_that_are_printed() -> None:
    # 1/3 of 1,000 is 333.333..., 333,333/1,000,000 is 333.333: both are printed 333.33.
    a, b = ((1, 3),) * 3, ((333_333, 1_000_000),) * 3
    found = scored(model(), all_of("A", *a), all_of("B", *b))
    assert (found["A"].rank, found["B"].rank) == (1, 1)


def test_an_interval_of_points_is_an_interval_of_ranks() -> None:
    found = scored(
        model(),
        all_of("A", (9, 10), (9, 10), (9, 10)),  # 900
        all_of("B", (4, 5), "missing", (4, 5)),  # 560 to 860
        all_of("C", (7, 10), (7, 10), (7, 10)),  # 700
        all_of("D", (1, 2), (1, 2), "partial"),  # 400 to 600
    )
    ranks = {agency: (one.rank, one.rank_best, one.rank_worst) for agency, one in found.items()}
    assert ranks == {"A": (1, 1, 1), "C": (2, 2, 3), "B": (3, 2, 4), "D": (4, 3, 4)}


def test_too_little_measured_is_listed_without_a_rank_and_can_still_push_others_down() -> None:
    found = scored(
        model(minimum="0.6"),
        all_of("A", (1, 2), (1, 2), (1, 2)),  # 500
        all_of("B", (1, 1), "missing", "missing"),  # 500 to 1000, half measured
        all_of("C", "missing", (1, 1), "missing"),  # 300 to 1000
    )
    a, b = found["A"], found["B"]
    assert (a.rank, a.rank_best, a.rank_worst, a.band) == (1, 1, 3, "middle")
    assert (b.rank, b.rank_best, b.rank_worst, b.band) == (None, None, None, None)
    assert b.why == "only 50.0 % of its points are measured"
    assert list(found) == ["A", "B", "C"]


def test_exactly_the_minimum_measured_is_ranked() -> None:
    assert scored(model(minimum="0.5"), all_of("A", (1, 1), "missing", "missing"))["A"].rank == 1


def test_an_agency_that_the_model_leaves_out_is_listed_and_pushes_nobody() -> None:
    the_model = replace(model(), not_ranked={"B": "newly founded"})
    found = scored(the_model, all_of("A", (1, 2), (1, 2), (1, 2)), all_of("B", (1, 1), (1, 1), (1, 1)))
    assert (found["A"].rank, found["A"].rank_worst) == (1, 1)
    assert (found["B"].rank, found["B"].points, found["B"].why) == (None, Decimal("1000.00"), "newly founded")


def test_an_agency_with_nothing_to_judge_has_no_rank_and_no_points() -> None:
    nothing: tuple[State, State, State] = ("not_applicable", "not_applicable", "not_applicable")
    one = scored(model(), all_of("A", *nothing))["A"]
    assert one.rank is None
    assert [one.points, one.points_high, one.measured_share] == [0, 0, 0]
    assert one.why == "nothing to judge in any criterion"


def test_blocks_are_ranked_apart_in_the_order_of_the_model() -> None:
    (block,) = model().blocks
    two = replace(model(), blocks=(block, replace(block, id="communes")))
    readings = all_of("X", (1, 2), (1, 2), (1, 2)) + all_of("A", (1, 1), (1, 1), (1, 1))
    found = score(two, readings, {"A": "communes", "X": "departments"})
    assert [(one.block, one.agency, one.rank) for one in found] == [("departments", "X", 1), ("communes", "A", 1)]


def test_an_agency_without_any_reading_is_still_listed() -> None:
    (one,) = score(model(minimum="0.1"), [], {"A": "departments"})
    assert (one.rank, one.points_low, one.points_high, one.change) == (None, Decimal("0.00"), Decimal("1000.00"), None)


@pytest.mark.parametrize(
    ("hits", "band"), [(85_000, "high"), (84_999, "middle"), (50_000, "middle"), (49_999, "low"), (0, "low")]
)
def test_a_band_begins_at_its_share_of_the_maximum(hits: int, band: str) -> None:
    assert scored(model(), all_of("A", *(((hits, 100_000),) * 3)))["A"].band == band


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("last", "total"), [(201, 1001), (199, 999)])
def test_a_block_whose_maxima_do_not_total_a_thousand_is_refused_with_its_name_and_sum(last: int, total: int) -> None:
    with pytest.raises(WrongUse, match=f"block departments total {total}, not 1000"):
        model((500, 300, last))


def test_a_reading_of_a_wider_scope_scores_nobody() -> None:
    wide = replace(read("A", MAIL, 1, 1), scope="province")
    assert score(model(), [wide, read("A", MAIL, 1, 2)], {"A": "departments"})[0].points == Decimal("250.00")


def test_a_block_that_the_model_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(WrongUse, match="A is in block wards"):
        score(model(), [], {"A": "wards"})


@pytest.mark.parametrize(
    "bands",
    [
        (),
        (Band("high", Decimal("0.5")),),
        (Band("a", Decimal(0)), Band("b", Decimal(0))),
        (*BANDS, Band("x", Decimal(2))),
    ],
)
def test_bands_that_do_not_cover_every_share_once_are_refused(bands: tuple[Band, ...]) -> None:
    with pytest.raises(WrongUse, match="bands"):
        replace(model(), bands=bands)


def test_two_readings_of_one_figure_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two readings of mailboxes\.daily_use for A"):
        score(model(), [read("A", MAIL, 1, 2), read("A", MAIL, 1, 2)], {"A": "departments"})


@pytest.mark.parametrize(("hits", "judged"), [(3, 2), (0, 0)])
def test_counts_that_no_measured_reading_can_have_are_refused(hits: int, judged: int) -> None:
    with pytest.raises(ValueError, match="is called measured"):
        scored(model(), [read("A", MAIL, hits, judged)])


def test_a_repeated_criterion_and_one_without_points_are_refused() -> None:
    criterion = Criterion("1", MAIL, Decimal(500))
    with pytest.raises(WrongUse, match="criterion 1 twice"):
        Block("departments", "Sở", (criterion, criterion))
    with pytest.raises(WrongUse, match="no points"):
        Block("departments", "Sở", (replace(criterion, maximum=Decimal(1000)), Criterion("2", PAPER, Decimal(0))))


# --- what holds whatever the readings are ----------------------------------------------------------------------------

Count = tuple[int, int] | State


@st.composite
def measured(draw: st.DrawFn) -> tuple[int, int]:
    judged = draw(st.integers(1, 12))
    return draw(st.integers(0, judged)), judged


unmeasured = st.sampled_from(["missing", "partial", "not_applicable"])
agencies = st.lists(st.tuples(*[st.one_of(measured(), unmeasured)] * 3), min_size=1, max_size=7)
maxima = st.tuples(st.integers(1, 600), st.integers(1, 399)).map(lambda two: (*two, 1000 - sum(two)))
minima = st.sampled_from(["0", "0.4", "0.8"])


def standing(the_model: Model, counts: Sequence[Sequence[Count]]) -> Mapping[str, Score]:
    return scored(the_model, *[all_of(f"A{number}", *three) for number, three in enumerate(counts)])


@given(maxima, st.tuples(measured(), measured(), measured()), st.integers(0, 2))
def test_one_more_hit_never_costs_a_point(
    points: tuple[int, int, int], counts: tuple[tuple[int, int], ...], which: int
) -> None:
    hits, judged = counts[which]
    better = [*counts]
    better[which] = min(hits + 1, judged), judged
    before, after = standing(model(points), [counts])["A0"], standing(model(points), [better])["A0"]
    assert after.points >= before.points


@given(maxima, minima, agencies)
def test_ranks_are_a_competition_ranking_of_the_printed_points(
    points: tuple[int, int, int], minimum: str, counts: list[tuple[Count, Count, Count]]
) -> None:
    ranked = [one for one in standing(model(points, minimum=minimum), counts).values() if one.rank is not None]
    in_order = sorted((one.points for one in ranked), reverse=True)
    assert [one.rank for one in ranked] == [in_order.index(one.points) + 1 for one in ranked]
    for one in ranked:
        assert one.rank_best is not None
        assert one.rank is not None
        assert one.rank_worst is not None
        assert 1 <= one.rank_best <= one.rank <= one.rank_worst <= len(counts)
        assert one.points_low <= one.points_high <= 1000


@given(maxima, minima, agencies, st.data())
def test_the_intervals_hold_every_way_in_which_what_is_not_known_may_turn_out(
    points: tuple[int, int, int], minimum: str, counts: list[tuple[Count, Count, Count]], data: st.DataObject
) -> None:
    found: st.SearchStrategy[Count] = st.one_of(measured(), st.sampled_from(["not_applicable"]))
    complete: list[tuple[Count, ...]] = [
        tuple(data.draw(found) if count in ("missing", "partial") else count for count in three) for three in counts
    ]
    the_model = model(points, minimum=minimum)
    before, after = standing(the_model, counts), standing(the_model, complete)
    for agency, one in before.items():
        truly = after[agency]
        if "nothing to judge" not in truly.why:
            assert one.points_low <= truly.points <= one.points_high
        if one.rank is not None and truly.rank is not None:
            assert one.rank_best is not None
            assert one.rank_worst is not None
            assert one.rank_best <= truly.rank <= one.rank_worst


@given(maxima, st.tuples(measured(), measured(), measured()))
def test_points_are_the_exact_sum_rounded_once(
    points: tuple[int, int, int], counts: tuple[tuple[int, int], ...]
) -> None:
    exact = sum(
        (Fraction(hits, judged) * maximum for (hits, judged), maximum in zip(counts, points, strict=True)), Fraction(0)
    )
    printed = Fraction(standing(model(points), [counts])["A0"].points)
    assert -Fraction(1, 200) < printed - exact <= Fraction(1, 200)


# --- change -----------------------------------------------------------------------------------------------------------


def test_a_change_is_the_places_that_an_agency_went_up_and_unknown_unless_both_ranks_are_settled() -> None:
    def ranking(**hits: int | None) -> list[Score]:
        """Agencies by their hits of ten in all criteria; None: the third one is missing."""
        third: dict[str, tuple[int, int] | State] = {
            name: "missing" if own is None else (own, 10) for name, own in hits.items()
        }
        return list(
            scored(
                model(), *(all_of(name, (own or 0, 10), (own or 0, 10), third[name]) for name, own in hits.items())
            ).values()
        )

    former = ranking(A=9, B=8, C=7, D=1)
    after = {one.agency: one.change for one in changed(ranking(A=7, B=9, C=9, E=5), former)}
    assert after == {"B": 1, "C": 2, "A": -2, "E": None}, "E was not there before"
    open_ = {one.agency: one.change for one in changed(ranking(A=9, B=8, C=1, D=None), former)}
    assert open_ == {"A": 0, "B": 0, "C": None, "D": None}, "D may yet pass C"
    between = {
        one.agency: (one.change_worst, one.change_best) for one in changed(ranking(A=9, B=8, C=1, D=None), former)
    }
    # C was third and D fourth: now C is third or fourth, and so is D.
    assert between == {"A": (0, 0), "B": (0, 0), "C": (-1, 0), "D": (0, 1)}


def test_a_change_is_within_a_block() -> None:
    former = scored(model(), all_of("A", (1, 2), (1, 2), (1, 2)))
    elsewhere = [replace(one, block="communes") for one in former.values()]
    assert [one.change for one in changed(former.values(), elsewhere)] == [None]
    assert [one.change for one in changed(former.values(), former.values())] == [0]
