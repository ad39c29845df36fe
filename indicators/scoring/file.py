"""The shape of config/scoring.yaml: what an operator writes, checked, and turned into a `Model`."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.contract.errors import WrongUse
from indicators.scoring.model import Band, Block, Criterion, Group, Model, Part, Rule, Step

Share = Annotated[Decimal, Field(ge=0, le=1)]


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartFile(_Checked):
    """A line of a block: a criterion, or a group of them.

    A criterion has `maximum`, and either `indicator` or `declared`; a group has `criteria`.
    """

    id: str = Field(min_length=1, description="its number in the decision", examples=["1.2"])
    title_vi: str = Field(description="its title in the decision", examples=["Sử dụng thư điện tử công vụ"])
    title_en: str = Field(default="", description="its title in English")
    indicator: str = Field(default="", description="id of the indicator", examples=["mailboxes.daily_use"])
    declared: str = Field(default="", description="the evidence that a declared item needs", examples=["Quyết định"])
    maximum: Decimal | None = Field(default=None, gt=0, description="points for the best share", examples=["200"])
    rule: Rule = Field(default="ratio", description="ratio: more is better; inverse: less is better; or steps")
    steps: list[tuple[Share, Share]] = Field(
        default=[], description="[from this ratio on, this share of the maximum], ascending", examples=["[[0.5, 1]]"]
    )
    criteria: list["PartFile"] = Field(default=[], description="what a group is made of")

    @model_validator(mode="after")
    def _is_one_of_three(self) -> "PartFile":
        own = sum(map(bool, (self.indicator, self.declared)))
        if self.criteria:
            if own or self.maximum is not None or self.steps or "rule" in self.model_fields_set:
                raise ValueError(f"{self.id} has `criteria`, so it is a group and has no points or rule of its own")
        elif own != 1:
            raise ValueError(
                f"{self.id} must have one of `indicator` (a measured figure), `declared` (the evidence that a declared"
                " item needs) and `criteria` (a group)"
            )
        elif self.maximum is None:
            raise ValueError(f"{self.id} has no `maximum`, the points for the best share")
        try:
            self.part()
        except WrongUse as error:
            raise ValueError(f"{error.reason}: {error.mend}") from None
        return self

    def part(self) -> Part:
        """Return the criterion or group. WrongUse for steps that give no sense."""
        if self.criteria:
            return Group(self.id, self.title_vi, tuple(one.part() for one in self.criteria), self.title_en)
        steps = tuple(Step(*one) for one in self.steps)
        maximum = self.maximum or Decimal(0)
        return Criterion(self.id, self.indicator, maximum, self.rule, self.title_vi, self.title_en, steps)


class BlockFile(_Checked):
    """A block: agencies that are compared with each other."""

    title_vi: str = Field(description="its title in the decision", examples=["Các sở, ban, ngành"])
    criteria: list[PartFile] = Field(min_length=1, description="maximum points total 1,000")


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
                Block(name, block.title_vi, tuple(one.part() for one in block.criteria))
                for name, block in self.blocks.items()
            ),
            bands=tuple(Band(band.name, band.at_least) for band in self.bands),
            minimum_measured=self.minimum_measured,
            not_ranked=self.not_ranked,
        )
