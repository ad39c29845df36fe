"""When a source may be read: in its hours of the local day, and not while it is maintained."""

from collections.abc import Sequence
from dataclasses import dataclass

from collector.contract.period import day_start, local_day, plus_days

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours are seconds of the local day; `closes` before `opens` is on the next day, both equal is never closed.

    `maintenance` are stretches of instants, epoch seconds, the end not included.
    """

    opens: int = 0
    closes: int = _DAY
    maintenance: Sequence[tuple[int, int]] = ()

    def next(self, instant: int) -> int:
        """The first instant from this one on (epoch seconds UTC) at which the source may be read."""
        while True:
            after = max((end for begin, end in self.maintenance if begin <= instant < end), default=instant)
            after = self._opening(after)
            if after == instant:
                return instant
            instant = after

    def end(self, instant: int) -> int | None:
        """When the stretch ends in which a source may be read at an instant; None if it has no end."""
        ends = [begin for begin, _ in self.maintenance if begin > instant]
        if (self.closes - self.opens) % _DAY:
            today = day_start(local_day(instant))
            closing = today + self.closes
            ends.append(closing if closing > instant else closing + _DAY)
        return min(ends, default=None)

    def _opening(self, instant: int) -> int:
        if not (self.closes - self.opens) % _DAY:
            return instant
        day = local_day(instant)
        second = instant - day_start(day)
        over_midnight = self.closes < self.opens
        is_open = second >= self.opens or second < self.closes if over_midnight else self.opens <= second < self.closes
        if is_open:
            return instant
        return day_start(day if second < self.opens else plus_days(day, 1)) + self.opens
