"""When a source may be read, held against a walk through every minute."""

from hypothesis import given
from hypothesis import strategies as st

from collector.contract.period import day_start, local_day
from collector.hours import Hours

DAY = 86_400
MIDNIGHT = day_start(20260301)


def open_at(hours: Hours, instant: int) -> bool:
    """Told from the words: in the hours of the local day, and in no maintenance."""
    if any(begin <= instant < end for begin, end in hours.maintenance):
        return False
    second = instant - day_start(local_day(instant))
    if hours.opens == hours.closes or (hours.opens, hours.closes) == (0, DAY):
        return True
    if hours.opens < hours.closes:
        return hours.opens <= second < hours.closes
    return second >= hours.opens or second < hours.closes


minutes = st.integers(0, 24 * 60)
windows = st.lists(
    st.tuples(st.integers(0, 3 * 24 * 60), st.integers(1, 600)).map(
        lambda one: (MIDNIGHT + one[0] * 60, MIDNIGHT + (one[0] + one[1]) * 60)
    ),
    max_size=3,
)


@given(opens=st.integers(0, 24 * 60 - 1), closes=minutes, maintenance=windows, at=st.integers(0, 2 * 24 * 60))
def test_the_next_instant_is_the_first_that_is_open_and_its_stretch_ends_where_it_closes(
    opens: int, closes: int, maintenance: list[tuple[int, int]], at: int
) -> None:
    hours = Hours(opens * 60, closes * 60, tuple(maintenance))
    begin = MIDNIGHT + at * 60
    walk = range(begin, begin + 6 * DAY, 60)
    first = next(one for one in walk if open_at(hours, one))
    assert hours.next(begin) == first
    assert hours.next(first) == first
    closing = next((one for one in range(first, first + 6 * DAY, 60) if not open_at(hours, one)), None)
    assert hours.end(first) == closing


def test_seconds_count_too() -> None:
    night = Hours(18 * 3600, 6 * 3600)
    assert night.next(MIDNIGHT + 6 * 3600 - 1) == MIDNIGHT + 6 * 3600 - 1
    assert night.next(MIDNIGHT + 6 * 3600) == MIDNIGHT + 18 * 3600
    assert night.end(MIDNIGHT + 6 * 3600 - 1) == MIDNIGHT + 6 * 3600
    assert Hours().end(MIDNIGHT) is None
