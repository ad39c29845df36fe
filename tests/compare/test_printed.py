"""Percentages that a source prints, by the arithmetic of its own counts. Each worked out by hand."""

import pytest

from collector.compare.printed import arithmetic


@pytest.mark.parametrize(
    ("hits", "of", "text", "computed", "verdict"),
    [
        (2_368, 2_537, "93.1", "93.34", "wrong"),  # 0.933385…: published in 2019
        (2_368, 2_537, "93.3", "93.34", "rounded"),
        (2_368, 2_537, "93,34", "93.34", "rounded"),
        (2_368, 2_537, "93", "93.34", "rounded"),
        (120, 129, "75", "93.02", "wrong"),
        (2, 3, "66", "66.67", "cut"),
        (2, 3, "66.6", "66.67", "cut"),
        (2, 3, "67", "66.67", "rounded"),
        (1, 8, "12.5", "12.50", "rounded"),
        (1, 8, "13", "12.50", "rounded"),  # half up
        (1, 3, "33.3333", "33.3333", "rounded"),
        (5, 5, "100", "100.00", "rounded"),
        (0, 0, "100", None, "of_nothing"),
        (None, 3, "66.7", None, "without_counts"),
        (2, 3, "gần 70", "66.67", "wrong"),
        (2, 3, "NaN", "66.67", "wrong"),
        (None, None, "", None, "wrong"),
    ],
)
def test_a_printed_percentage_is_held_against_its_own_counts(
    hits: int | None, of: int | None, text: str, computed: str | None, verdict: str
) -> None:
    assert arithmetic(hits, of, text) == (computed, verdict)
