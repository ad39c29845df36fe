"""What shell patterns say of mail addresses: whose a mailbox is, of which kind, or that it is left out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate

_ADDRESS = re.compile(r"[^@\s<>,;\"*?\ufffd\x00\ud800-\udfff]{1,256}@[^@\s<>,;\"*?\ufffd\x00\ud800-\udfff]+")


def is_address(text: str) -> bool:
    """Tell whether a text is one plain mail address, without a mask's signs or anything that cannot be stored."""
    return _ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns in order, each with what it says of the addresses that it fits."""

    rules: tuple[tuple[re.Pattern[str], str], ...]

    def first(self, address: str) -> str | None:
        """Return what the first pattern that fits an address (in lower case) says; None if none fits."""
        return next((says for pattern, says in self.rules if pattern.match(address)), None)


def patterns(said: Mapping[str, str] | Iterable[str]) -> Patterns:
    """Return patterns (`*.phong1@x.gov.vn`, in any case) with what they say; of bare patterns, the pattern itself."""
    pairs = said.items() if isinstance(said, Mapping) else ((pattern, pattern) for pattern in said)
    # Compiled here: fnmatch keeps 256 at most, fewer than a province's patterns may be.
    return Patterns(tuple((re.compile(translate(pattern.strip().lower())), says) for pattern, says in pairs))
