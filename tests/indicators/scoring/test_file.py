"""The sample config/scoring.yaml, and the shape of such a file."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from collector.assembly import find_indicators
from collector.contract.errors import WrongUse
from collector.demo.declared import DECLARED
from indicators.scoring.file import ModelFile

SAMPLE = Path(__file__).parents[3] / "config" / "scoring.yaml"


def document() -> dict[str, Any]:
    """Return the sample with every scalar as text, as the settings read YAML."""
    found: dict[str, Any] = yaml.load(SAMPLE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return found


def test_the_sample_is_a_model_of_four_blocks_over_26_indicators_and_what_is_declared_beside_them() -> None:
    model = ModelFile.model_validate(document()).model()
    assert [block.id for block in model.blocks] == ["departments", "vertical", "districts", "communes"]
    assert [sum(criterion.maximum for criterion in block.criteria) for block in model.blocks] == [1000] * 4
    assert len(model.indicators) == 26
    assert model.minimum_measured == Decimal("0.50")
    assert [(band.name, band.at_least) for band in model.bands][:2] == [
        ("Tốt", Decimal("0.85")),
        ("Khá", Decimal("0.70")),
    ]


def test_of_the_samples_points_two_thirds_and_more_are_measured_and_two_fifths_and_more_by_machine() -> None:
    model = ModelFile.model_validate(document()).model()
    machine = {one.id for one in find_indicators() if one.measured_from == "machine"}
    shares = {
        block.id: (
            int(block.points_on(lambda one: bool(one.indicator))),
            int(block.points_on(lambda one: one.indicator in machine)),
        )
        for block in model.blocks
    }
    assert shares == {
        "departments": (705, 455),
        "vertical": (685, 440),
        "districts": (715, 475),
        "communes": (730, 470),
    }


def test_the_sample_leaves_out_only_what_it_says() -> None:
    model = ModelFile.model_validate(document()).model()
    left_out = {one.id for one in find_indicators()} - model.indicators
    assert left_out == {"dossiers.on_time_766", "dossiers.on_time_opencps", "procedures.online_partial"}
    comment = SAMPLE.read_text(encoding="utf-8").split("minimum_measured")[0]
    assert all(one.partition(".")[2] in comment for one in left_out)


def test_the_sample_province_declares_what_the_sample_leaves_to_declarations() -> None:
    model = ModelFile.model_validate(document()).model()
    for block in model.blocks:
        assert set(DECLARED[block.id]) == {one.id for one in block.criteria if not one.indicator}, block.id


def test_numbers_may_be_typed_or_text() -> None:
    typed = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    assert ModelFile.model_validate(typed).model() == ModelFile.model_validate(document()).model()


def test_a_wrong_sum_is_refused_with_block_and_sum() -> None:
    wrong = document()
    wrong["blocks"]["communes"]["criteria"][0]["criteria"][0]["maximum"] = "31.5"
    with pytest.raises(WrongUse, match=re.escape("block communes total 1001.5, not 1000")) as caught:
        ModelFile.model_validate(wrong).model()
    assert caught.value.field == "blocks.communes.criteria"


@pytest.mark.parametrize(
    ("key", "value"), [("minimum_measured", "60"), ("bands", []), ("blocks", {}), ("minimum_messured", "0.6")]
)
def test_a_value_out_of_range_and_an_unknown_key_are_refused_by_key(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        ModelFile.model_validate(document() | {key: value})


def part(**keys: Any) -> dict[str, Any]:
    """Return a criterion of 1,000 points, with other keys."""
    return {"id": "1", "title_vi": "Thư", "indicator": "mailboxes.daily_use", "maximum": "1000"} | keys


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (part(rule="stairs"), "rule"),
        (part(rule="steps"), "has the rule steps, but no steps"),
        (part(steps=[["0.5", "1"]]), "has steps, but another rule"),
        (part(rule="steps", steps=[["0.5", "1"], ["0.5", "1"]]), "do not ascend"),
        (part(rule="steps", steps=[["0.5", "1"], ["0.8", "0.5"]]), "neither rise nor fall from a bound of 0 on"),
        (part(rule="steps", steps=[["0", "0.2"], ["0.5", "1"], ["0.8", "0.5"]]), "neither rise nor fall"),
        (part(rule="steps", steps=[["50", "1"]]), "less than or equal to 1"),
        (part(declared="số quyết định"), "must have one of"),
        (part(indicator=""), "must have one of"),
        (part(maximum=None), "has no `maximum`"),
        (part(criteria=[part(id="1.1")]), "it is a group and has no points or rule of its own"),
        ({"id": "1", "title_vi": "Thư", "criteria": []}, "must have one of"),
    ],
)
def test_a_criterion_that_makes_no_sense_is_refused(wrong: dict[str, Any], says: str) -> None:
    file = document()
    file["blocks"]["communes"]["criteria"] = [wrong]
    with pytest.raises(ValidationError, match=re.escape(says)):
        ModelFile.model_validate(file)


def test_a_group_may_hold_groups_whose_numbers_are_their_own() -> None:
    file = document()
    inner = {"id": "1.1", "title_vi": "Thư", "criteria": [part(id="1.1.1")]}
    file["blocks"]["communes"]["criteria"] = [{"id": "1", "title_vi": "Nội bộ", "criteria": [inner]}]
    (*_, communes) = ModelFile.model_validate(file).model().blocks
    assert [(one.id, parent) for one, parent in communes.walk()] == [("1", ""), ("1.1", "1"), ("1.1.1", "1.1")]
    inner["id"] = "1"
    with pytest.raises(WrongUse, match="block communes has criterion 1 twice"):
        ModelFile.model_validate(file).model()


def test_a_block_in_which_nobody_could_ever_be_ranked_is_refused() -> None:
    with pytest.raises(WrongUse, match=re.escape("only 685 points of block vertical are on indicators")):
        ModelFile.model_validate(document() | {"minimum_measured": "0.69"}).model()
