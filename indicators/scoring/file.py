"""The shape of config/scoring.yaml: what an operator writes, checked, and turned into a `Model`."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from indicators.scoring.model import Band, Block, Criterion, Model, Rule

Share = Annotated[Decimal, Field(ge=0, le=1)]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CriterionFile(_Checked):
    """A line of a block."""

    id: str = Field(min_length=1, description="number of the criterion in the decision", examples=["1.2"])
    title_vi: str = Field(description="its title in the decision", examples=["Sử dụng thư điện tử công vụ"])
    indicator: str = Field(description="id of the indicator", examples=["mailboxes.daily_use"])
    maximum: Decimal = Field(gt=0, description="points for the best share", examples=["200"])
    rule: Rule = Field(default="ratio", description="ratio: more is better; inverse: less is better")


class BlockFile(_Checked):
    """A block: agencies that are compared with each other."""

    title_vi: str = Field(description="its title in the decision", examples=["Các sở, ban, ngành"])
    criteria: list[CriterionFile] = Field(min_length=1, description="maximum points total 1,000")


class BandFile(_Checked):
    """A grade."""

    name: str = Field(min_length=1, examples=["Tốt"])
    at_least: Share = Field(description="share of 1,000 points from which on it is given", examples=["0.85"])


class ModelFile(_Checked):
    """The whole file."""

    minimum_measured: Share = Field(description="share of points that must be measured to be ranked", examples=["0.6"])
    bands: list[BandFile] = Field(min_length=1, description="grades; the lowest begins at 0")
    not_ranked: dict[str, str] = Field(default={}, description="agency code: why it is listed without a rank")
    blocks: dict[str, BlockFile] = Field(min_length=1, description="by the block's name in the register")

    def model(self) -> Model:
        """Return the model. WrongUse, naming the block and the sum, if its points do not total 1,000."""
        return Model(
            blocks=tuple(
                Block(
                    name,
                    block.title_vi,
                    tuple(
                        Criterion(one.id, one.indicator, one.maximum, one.rule, one.title_vi) for one in block.criteria
                    ),
                )
                for name, block in self.blocks.items()
            ),
            bands=tuple(Band(band.name, band.at_least) for band in self.bands),
            minimum_measured=self.minimum_measured,
            not_ranked=self.not_ranked,
        )
