"""The cursor: how far each table has been read, in the source's own values.

For each table: `mapping`, a digest of what the configuration says about it; `through`, the greatest value of the
changed column that is safely behind us; and while a pass is not at its end, `began`, the instant at which it began,
and `at`, the end of its last page. The next pass starts `overlap` before `through`, which is never later than the
instant at which the last pass began: neither a row from the future nor one that was committed late is passed over.
A pass that was cut off goes on at `at`, so that a deadline shorter than a load does not keep it from its end.

A register that is read by windows has another one: `whole`, whether everything has been read once, and until then `at`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.register.values import Clock, Unusable, pack, unpack

_MILLION = 1_000_000

Latest = tuple[Any, int]
"""A value of the changed column, and the version that it is."""


@dataclass(slots=True)
class Progress:
    """How far one table has been read. `nulls`: the pass is at the rows without a changed value."""

    mapping: str
    began: int
    through: Any = None
    at: Mapping[str, Any] | None = None
    nulls: bool = False
    through_version: int | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any] | None, mapping: str, began: int, clock: Clock) -> "Progress":
        """Return the progress that a cursor tells; that of a first run if it belongs to another mapping."""
        if told is None or told["mapping"] != mapping:
            return cls(mapping, began)
        made = cls(mapping, began, through=unpack(told["through"]))
        if made.through is not None:
            version = clock.versions([made.through], began)[0]
            made.through_version = None if isinstance(version, Unusable) else version
        if told["began"] is not None:
            made.began = told["began"]
            made.nulls = told["nulls"]
            made.at = None if told["at"] is None else {name: unpack(one) for name, one in told["at"].items()}
        return made

    def start(self, clock: Clock, overlap: int) -> Any:
        """Return the value of the changed column at which a new pass starts; None: from the first."""
        return None if self.through_version is None else clock.earlier(self.through, overlap)

    def latest(self, told: Sequence[Any], versions: Sequence[Any]) -> Latest | None:
        """Return the last value of a page in the order of changes that is safely behind us; None if none is."""
        latest = self.began * _MILLION
        for value, version in zip(reversed(told), reversed(versions), strict=True):
            if not isinstance(version, Unusable) and version <= latest:
                return value, version
        return None

    def passed(self, at: Mapping[str, Any], latest: Latest | None) -> None:
        """Note a page in the order of (changed, id): where it ends, and the latest of its changes."""
        self.at = at
        if latest is not None and (self.through_version is None or latest[1] >= self.through_version):
            self.through, self.through_version = latest

    def document(self, *, ended: bool) -> dict[str, Any]:
        """Return the progress as JSON. `ended`: the pass is over, the next one is new."""
        begun = not ended and (self.at is not None or self.nulls)
        return {
            "mapping": self.mapping,
            "through": pack(self.through),
            "began": self.began if begun else None,
            "nulls": self.nulls and begun,
            "at": {name: pack(one) for name, one in self.at.items()} if begun and self.at is not None else None,
        }


@dataclass(slots=True)
class Windowed:
    """How far the first reading of a table has come that is then read by windows of days."""

    mapping: str
    whole: bool = False
    at: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, told: Mapping[str, Any] | None, mapping: str) -> "Windowed":
        """Return what a cursor tells; that of a first run if it belongs to another mapping."""
        if told is None or told["mapping"] != mapping:
            return cls(mapping)
        at = told["at"]
        return cls(mapping, told["whole"], None if at is None else {name: unpack(one) for name, one in at.items()})

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        at = None if self.whole or self.at is None else {name: pack(one) for name, one in self.at.items()}
        return {"mapping": self.mapping, "whole": self.whole, "at": at}
