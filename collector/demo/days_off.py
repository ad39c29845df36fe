"""The days off of Vietnam's public bodies in 2025 and 2026, written down for the demo and for nothing else.

The program itself takes its working days from config/workdays; this list is kept apart on purpose, so that the
demo's truth does not rest on the program's calendar. A test compares the two.
"""

from collector.contract import period

YEARS = (2025, 2026)

# First and last local day of each run of holidays (weekends fill what lies between and around).
HOLIDAYS = (
    (20250101, 20250101),  # New Year
    (20250127, 20250131),  # Tết: New Year's Day of the lunar calendar is 29 January
    (20250407, 20250407),  # Hùng Kings: the 10th of the third lunar month
    (20250430, 20250502),  # Reunification, Labour Day, and Friday 2 May taken in exchange
    (20250901, 20250902),  # National Day
    (20260101, 20260102),  # New Year, and Friday 2 January taken in exchange
    (20260216, 20260220),  # Tết: New Year's Day of the lunar calendar is 17 February
    (20260427, 20260427),  # Hùng Kings fall on Sunday 26 April: the Monday after
    (20260430, 20260501),  # Reunification, Labour Day
    (20260831, 20260902),  # National Day, and Monday 31 August taken in exchange
    (20261124, 20261124),  # Culture Day, if the law that puts it into force is made in time
)

# Saturdays worked in exchange.
WORKED = frozenset({20250426, 20260110, 20260822})

_SATURDAY = 5


def days_off() -> list[int]:
    """Return every day off of `YEARS`, weekends included, as local days in order."""
    holidays = {day for first, last in HOLIDAYS for day in period.days(first, last)}
    return [
        day
        for day in period.days(YEARS[0] * 10_000 + 101, YEARS[-1] * 10_000 + 1231)
        if day in holidays or (period.as_date(day).weekday() >= _SATURDAY and day not in WORKED)
    ]
