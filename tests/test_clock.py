from datetime import UTC, datetime

from collector.clock import Clock, fixed_clock, system_clock


def test_a_fixed_clock_always_shows_its_instant() -> None:
    clock: Clock = fixed_clock(1_772_326_800)
    assert [clock(), clock()] == [1_772_326_800, 1_772_326_800]


def test_the_system_clock_counts_whole_epoch_seconds_utc() -> None:
    clock: Clock = system_clock
    before = datetime.now(UTC).timestamp()
    shown = clock()
    after = datetime.now(UTC).timestamp()
    assert isinstance(shown, int)
    assert before - 1 < shown <= after
