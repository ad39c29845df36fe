"""The dossiers that were written by hand. That the truth agrees with them is told by test_truth."""

from collector.demo import province
from collector.demo.ledger import Dossier, Ledger


def _by_hand(ledger: Ledger) -> list[Dossier]:
    return [one for one in ledger.dossiers if one.expected is not None]


def test_there_are_more_than_thirty_each_with_a_reason_of_its_own(whole: Ledger) -> None:
    reasons = [one.expected.reason for one in _by_hand(whole) if one.expected]
    assert len(reasons) >= 36
    assert len(set(reasons)) == len(reasons)
    assert all(len(reason.split()) >= 5 and reason.endswith(".") for reason in reasons)


def test_they_take_every_class_of_every_indicator(whole: Ledger) -> None:
    expected = [one.expected for one in _by_hand(whole) if one.expected]
    assert {one.on_time for one in expected} == {"hit", "miss", "unknown", "not counted"}
    assert {one.on_time_due for one in expected} == {"hit", "miss", "not counted"}
    assert {one.online for one in expected} == {"hit", "miss", "unknown", "not counted"}


def test_a_class_has_a_day_and_what_is_not_counted_has_none(whole: Ledger) -> None:
    for one in _by_hand(whole):
        assert one.expected is not None
        assert (one.expected.on_time_day is None) == (one.expected.on_time == "not counted")
        assert (one.expected.on_time_due_day is None) == (one.expected.on_time_due == "not counted")


def test_completions_on_the_first_and_last_second_of_a_day_are_among_them(whole: Ledger) -> None:
    seconds = [(one.completed + 7 * 3600) % 86_400 for one in _by_hand(whole) if one.completed is not None]
    assert {0, 86_399} <= set(seconds)


def test_a_shorter_province_has_only_those_of_its_days() -> None:
    ledger = province.make(agencies=15, days=20)
    assert 0 < len(_by_hand(ledger)) < 36
    assert all((one.received_day or one.ended_day or 0) >= ledger.first_day for one in _by_hand(ledger))
