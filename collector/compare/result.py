"""What a comparison gives: totals with their causes, and percentages with their arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collector.contract.reported import Name

Cause = Literal["definition", "channel", "withdrawn", "no_due_date", "paused", "late_entry"]

CAUSES: Mapping[Cause, tuple[str, str]] = {
    "definition": ("cách tính khác", "counted by another rule"),
    "channel": ("kênh tiếp nhận không được tính", "came by a channel that the source leaves out"),
    "withdrawn": ("hồ sơ rút", "withdrawn"),
    "no_due_date": ("không có hạn trả", "without a due date"),
    "paused": ("tạm dừng, chờ bổ sung", "paused for a supplement"),
    "late_entry": ("nhập hoặc sửa sau khi nguồn lập báo cáo", "entered or changed after the source counted"),
}
"""The causes in Vietnamese and English, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A dossier that a cause adds to the source's total (`change` 1) or takes from it (-1), and why in words."""

    key: str
    cause: Cause
    change: int
    reason: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One total of one agency (`""`: all of the source), ours and theirs. theirs - ours = the causes + unexplained.

    `ours` None: there is no count of ours to set beside it, `why` says in words why not; then there is no difference.
    `undecided` are dossiers that the source judges by the hour and of which we know the day alone. `state` is that of
    our figure: a partial one is compared all the same.
    """

    source: str
    rules: str
    agency: str
    name: Name
    first_day: int
    last_day: int
    made: int | None
    ours: int | None
    theirs: int
    causes: Mapping[Cause, int] = field(default_factory=dict)
    undecided: int = 0
    state: str = ""
    why: str = ""
    moved: Sequence[Moved] = ()

    @property
    def difference(self) -> int | None:
        """How much more the source tells than we count."""
        return None if self.ours is None else self.theirs - self.ours

    @property
    def unexplained(self) -> int | None:
        """What no cause explains."""
        return None if self.ours is None else self.theirs - self.ours - sum(self.causes.values())


Verdict = Literal["rounded", "cut", "wrong", "of_nothing", "without_counts"]


@dataclass(frozen=True, slots=True)
class Printed:
    """A percentage that a source prints, and what its own counts give to as many places.

    rounded: half up, as it should be. cut: its further places were cut off. wrong: neither. of_nothing: it prints a
    percentage of no dossiers at all. without_counts: it does not tell what it was made of.
    """

    source: str
    agency: str
    part: Name
    whole: Name
    first_day: int
    last_day: int
    hits: int | None
    of: int | None
    printed: str
    computed: str | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was compared of one source. `untold` are agencies that it serves, and of which it tells no total."""

    source: str
    totals: Sequence[Compared]
    shares: Sequence[Printed]
    untold: Sequence[str] = ()
    unknown_codes: Sequence[str] = ()

    @property
    def is_explained(self) -> bool:
        """Whether nothing is left unexplained, and no percentage is wrong."""
        return not any(one.unexplained for one in self.totals) and all(one.verdict != "wrong" for one in self.shares)
