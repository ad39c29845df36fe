"""One run of one source, as its door sees it: who asks, since when, how long, how often, and how to hide an address."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """What the engine hands to a transport when it opens a door.

    `source` is the configured name; `began` the instant of the run (epoch seconds UTC). The door gives up with
    TryAgain `deadline_seconds` after it was opened, and asks the source at most `requests_per_minute` times in any
    60 seconds. `pseudonym(address, day)` is `pseudonym.Pseudonyms.of`.
    """

    source: str
    began: int
    deadline_seconds: float
    requests_per_minute: int
    pseudonym: Callable[[str, int], str]


class Opened:
    """What all doors have in common (contract `Door`)."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def source(self) -> str:
        """The name of the source, as configured."""
        return self._run.source

    @property
    def began(self) -> int:
        """The instant (epoch seconds UTC) at which this run began."""
        return self._run.began

    def pseudonym(self, address: str, day: int) -> str:
        """Return the pseudonym of a mail address under the key of the calendar month of a local day."""
        return self._run.pseudonym(address, day)
