"""Now. The only file of the project that reads the time of day; everybody else is handed a clock or an instant."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Gives the present as epoch seconds UTC."""


def system_clock() -> int:
    """Return the present as the host tells it, in whole epoch seconds UTC."""
    return int(time.time())


def fixed_clock(instant: int) -> Clock:
    """Return a clock that always shows one instant (epoch seconds UTC): for the sample province and for tests."""

    def stands_still() -> int:
        return instant

    return stands_still
