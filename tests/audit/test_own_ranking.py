"""Our own ranking stands the audit of others' rankings: its moves make up for each other, shared places too."""

import random
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from collector.contract.reading import Reading
from indicators.scoring.model import Band, Block, Criterion, Model
from indicators.scoring.points import changed, score
from tests.audit.sheets import audited, rules

_CRITERION = Criterion("1", "dossiers.on_time", Decimal(1000), "ratio")
MODEL = Model((Block("districts", "Huyện", (_CRITERION,)),), (Band("all", Decimal(0)),), Decimal(0))


def ranking(hits: Mapping[str, int], period: str) -> list[Reading]:
    return [
        Reading("dossiers.on_time", 1, "agency", agency, period, "measured", 20260131, own, 5, 0)
        for agency, own in hits.items()
    ]


def lines(dice: random.Random) -> list[dict[str, str]]:
    """The lines of a ranking decision: every agency's rank, its rank of last year, and how it moved."""
    agencies = [f"Huyện {number}" for number in range(dice.randrange(2, 15))]
    blocks = dict.fromkeys(agencies, "districts")
    before, now = (
        score(MODEL, ranking({agency: dice.randrange(6) for agency in agencies}, period), blocks)
        for period in ("2025-12", "2026-01")
    )
    then = {one.agency: one.rank for one in before}
    return [
        {
            "block": "Huyện",
            "agency": one.agency,
            "rank": str(one.rank),
            "rank_before": str(then[one.agency]),
            "move": f"{one.change:+d}",
        }
        for one in changed(now, before)
    ]


def test_what_we_publish_of_ranks_and_moves_adds_up_however_many_share_a_place(tmp_path: Path) -> None:
    dice = random.Random(20261122)
    shared = 0
    for _ in range(100):
        decision = lines(dice)
        shared += sum(int(one["move"]) for one in decision) != 0
        assert rules(audited(tmp_path, *decision)) == []
    assert shared > 20, "moves that sum to something, for ties alone"


def test_a_move_that_was_typed_wrong_is_found(tmp_path: Path) -> None:
    dice = random.Random(20261123)
    for _ in range(20):
        decision = lines(dice)
        decision[0]["move"] = f"{int(decision[0]['move']) + 1:+d}"
        assert {rule for _, rule in rules(audited(tmp_path, *decision))} == {"move", "moves"}
