"""A message as a scoring service reads it: figures and units of the JSON alone, scored by the embedded model."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from collector.contract.declared import Declared
from collector.contract.period import parse_day
from collector.contract.reading import Reading, Score
from indicators.scoring.model import Model
from indicators.scoring.points import score


def readings_of(told: Mapping[str, Any]) -> list[Reading]:
    """The readings of a message."""
    return [
        Reading(
            indicator=one["indicator"],
            version=one["version"],
            scope=one["scope"],
            agency=one["agency"],
            period=told["period"]["name"],
            state=one["state"],
            through=None if one["through"] is None else parse_day(one["through"]),
            hits=one["hits"],
            judged=one["judged"],
            unknown=one["unknown"],
            edition=one["edition"],
            why=one["why"],
            suppressed=one["suppressed"],
            merged=None if one["merged"] is None else (one["merged"]["hits"], one["merged"]["judged"]),
        )
        for one in told["readings"]
    ]


def scored(told: Mapping[str, Any], model: Model) -> list[Score]:
    """The ranking that a service makes of a message by its own copy of the model."""
    blocks = {block.id for block in model.blocks}
    units = [one for one in told["units"] if one["block"] in blocks or not one["not_ranked"]]
    not_ranked = {one["agency"]: one["not_ranked"] for one in units if one["not_ranked"]}
    first = parse_day(told["period"]["first"])
    return score(
        replace(model, not_ranked={**not_ranked, **model.not_ranked}),
        readings_of(told),
        {one["agency"]: one["block"] for one in units},
        {one["id"]: one["measured_from"] for one in told["indicators"]},
        [
            # What it rests on stays with the province; that there is something is told by the counts.
            Declared(one["agency"], one["criterion"], one["hits"], one["judged"], "at the province", "", first)
            for one in told["declared"]
        ],
    )
