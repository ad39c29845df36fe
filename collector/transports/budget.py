"""How long a run may last and how often it may ask: the deadline and the request budget of one open door."""

import time
from collections import deque
from collections.abc import Callable

from collector.contract.errors import TryAgain
from collector.transports.run import Run

_MINUTE = 60.0


class Budget:
    """Counts down from the moment it is made. `tick` gives monotonic seconds, `rest` waits; both for tests.

    Raises TryAgain when the deadline has passed, or would pass while waiting.
    """

    def __init__(
        self, run: Run, tick: Callable[[], float] = time.monotonic, rest: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = run.source
        self._seconds = run.deadline_seconds
        self._limit = run.requests_per_minute
        self._tick = tick
        self._rest = rest
        self._began = tick()
        self._asked: deque[float] = deque()

    @property
    def elapsed(self) -> float:
        """Seconds since the door was opened."""
        return self._tick() - self._began

    def left(self, stage: str) -> float:
        """Return the seconds until the deadline, more than 0; raise TryAgain if it has passed."""
        left = self._seconds - self.elapsed
        if left <= 0:
            raise self._over(stage)
        return left

    def covers(self, seconds: float) -> bool:
        """Say whether waiting so long would end before the deadline."""
        return seconds < self._seconds - self.elapsed

    def pause(self, seconds: float, stage: str) -> None:
        """Wait; raise TryAgain at once if the deadline would pass meanwhile."""
        if not self.covers(seconds):
            raise self._over(stage)
        self._rest(seconds)

    def spend(self, stage: str) -> None:
        """Take one request from the budget of the sliding minute; wait for it if there is none left."""
        self.left(stage)
        while len(self._asked) >= self._limit:
            wait = self._asked[0] + _MINUTE - self._tick()
            if wait <= 0:
                self._asked.popleft()
            else:
                self.pause(wait, stage)
        self._asked.append(self._tick())

    def _over(self, stage: str) -> TryAgain:
        return TryAgain(
            f"the run's deadline of {self._seconds:g} seconds has passed",
            source=self._source,
            stage=stage,
            mend="What was saved stays, and the next run goes on from there; raise `deadline` or"
            " `requests_per_minute` of the source if this happens often",
        )
