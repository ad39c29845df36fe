"""The sample config/scoring.yaml, and the shape of such a file."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from collector.contract.errors import WrongUse
from indicators.scoring.file import ModelFile

SAMPLE = Path(__file__).parents[3] / "config" / "scoring.yaml"


def document() -> dict[str, Any]:
    """Return the sample with every scalar as text, as the settings read YAML."""
    found: dict[str, Any] = yaml.load(SAMPLE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return found


def test_the_sample_is_a_model_of_four_blocks_over_seven_indicators() -> None:
    model = ModelFile.model_validate(document()).model()
    assert [block.id for block in model.blocks] == ["departments", "vertical", "districts", "communes"]
    assert [sum(criterion.maximum for criterion in block.criteria) for block in model.blocks] == [1000] * 4
    assert len(model.indicators) == 7
    assert model.minimum_measured == Decimal("0.60")
    assert [(band.name, band.at_least) for band in model.bands][:2] == [
        ("Tốt", Decimal("0.85")),
        ("Khá", Decimal("0.70")),
    ]


def test_numbers_may_be_typed_or_text() -> None:
    typed = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    assert ModelFile.model_validate(typed).model() == ModelFile.model_validate(document()).model()


def test_a_wrong_sum_is_refused_with_block_and_sum() -> None:
    wrong = document()
    wrong["blocks"]["communes"]["criteria"][0]["maximum"] = "101.5"
    with pytest.raises(WrongUse, match=re.escape("block communes total 1001.5, not 1000")) as caught:
        ModelFile.model_validate(wrong).model()
    assert caught.value.field == "blocks.communes.criteria"


@pytest.mark.parametrize(
    ("key", "value"), [("minimum_measured", "60"), ("bands", []), ("blocks", {}), ("minimum_messured", "0.6")]
)
def test_a_value_out_of_range_and_an_unknown_key_are_refused_by_key(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        ModelFile.model_validate(document() | {key: value})


def test_an_unknown_rule_is_refused() -> None:
    wrong = document()
    wrong["blocks"]["communes"]["criteria"][0]["rule"] = "steps"
    with pytest.raises(ValidationError, match="rule"):
        ModelFile.model_validate(wrong)
