"""A log is read once and wholly, whatever is done to its files; and the days are named of which that is not so."""

import gzip
import os
from pathlib import Path

import pytest

from collector.contract.errors import TryAgain, UnexpectedAnswer
from connectors.email import chain
from connectors.email.mail_log import Config
from tests.connectors.email.mail_lines import at, login, logout, stamp, text
from tests.connectors.email.reading import Door, Kept, pseudonym, put, run

AN = "an@skhcn.example.gov.vn"
SINCE = 20260101
MORNING = at("2026-01-20 08:00:00")


def logins(first: str, count: int, name: str) -> bytes:
    """Logins of one mailbox, one each hour."""
    return text(login(at(first) + 3600 * n, AN, f"{name}{n}", "rfc3339") for n in range(count))


# A server that goes on writing, though nobody logs in: the line that shows that the days before it are over.
BEAT = f"{stamp(at('2026-01-20 07:00:00'), 'rfc3339')} mx1 postfix/anvil[9]: statistics: max cache size 1\n".encode()


def total(kept: Kept) -> int:
    return sum(sessions for sessions, _ in kept.use().values())


def append(path: Path, content: bytes, when: int) -> None:
    with path.open("ab") as file:
        file.write(content)
    os.utime(path, (when, when))


def days(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))


def test_a_log_renamed_between_two_runs_is_finished_before_the_new_one_is_begun(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-05 00:00:00", 10, "a"), at("2026-01-05 09:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 09:30:00")), SINCE)
    append(log, logins("2026-01-05 10:00:00", 3, "b"), at("2026-01-05 12:00:00"))
    log.rename(tmp_path / "mail.log.1")
    put(log, logins("2026-01-05 13:00:00", 4, "c"), at("2026-01-05 16:00:00"))
    run(kept, Door(tmp_path, at("2026-01-06 09:00:00")), SINCE)
    assert total(kept) == 17
    # Packed, and begun anew: nothing more, nothing twice.
    (tmp_path / "mail.log.2.gz").write_bytes(gzip.compress((tmp_path / "mail.log.1").read_bytes()))
    os.utime(tmp_path / "mail.log.2.gz", (at("2026-01-05 12:00:00"),) * 2)
    (tmp_path / "mail.log.1").unlink()
    run(kept, Door(tmp_path, at("2026-01-06 10:00:00")), SINCE)
    assert run(Kept(spans=kept.spans), Door(tmp_path, MORNING), SINCE).mailbox_days == kept.mailbox_days


def test_a_log_packed_between_two_runs_is_read_on_where_it_was_left(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    begin, rest = logins("2026-01-05 00:00:00", 10, "a"), logins("2026-01-05 10:00:00", 3, "b")
    put(log, begin, at("2026-01-05 09:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 09:30:00")), SINCE)
    put(
        tmp_path / "mail.log-20260105.gz",
        gzip.compress(begin) + gzip.compress(rest) + b"\0" * 40,
        at("2026-01-05 12:00:00"),
    )
    put(log, logins("2026-01-05 13:00:00", 4, "c") + BEAT, at("2026-01-20 07:00:00"))
    run(kept, Door(tmp_path, MORNING), SINCE)
    assert total(kept) == 17
    assert kept.covered["mailbox_day"] == days(20260106, 20260119)


def test_a_name_that_comes_to_stand_for_another_file_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "BLOCK", 2000)
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-05 00:00:00", 20, "a"), at("2026-01-05 20:00:00"))
    reads = 0

    def rotate(name: str) -> None:
        nonlocal reads
        reads += 1
        if reads == 6:  # after the first piece was read
            append(log, logins("2026-01-05 20:00:00", 2, "late"), at("2026-01-05 22:00:00"))
            log.rename(tmp_path / "mail.log.1")
            put(log, logins("2026-01-06 00:00:00", 20, "b"), at("2026-01-06 20:00:00"))

    kept = run(Kept(), Door(tmp_path, MORNING, rotate), SINCE)
    assert reads > 6
    run(kept, Door(tmp_path, MORNING), SINCE)
    assert total(kept) == 42


@pytest.mark.parametrize("at_read", range(1, 14))
def test_a_rotation_at_any_moment_of_a_run_loses_nothing_and_counts_nothing_twice(tmp_path: Path, at_read: int) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-05 00:00:00", 5, "a"), at("2026-01-05 05:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 06:00:00")), SINCE)
    append(log, logins("2026-01-05 06:00:00", 5, "b"), at("2026-01-05 11:00:00"))
    reads = 0

    def rotate(name: str) -> None:
        nonlocal reads
        reads += 1
        if reads == at_read:
            append(log, logins("2026-01-05 12:00:00", 1, "late"), at("2026-01-05 12:00:00"))
            log.rename(tmp_path / "mail.log.1")
            put(log, logins("2026-01-05 13:00:00", 5, "c"), at("2026-01-05 18:00:00"))

    run(kept, Door(tmp_path, MORNING, rotate), SINCE)
    rotated = reads >= at_read
    run(kept, Door(tmp_path, MORNING), SINCE)
    assert total(kept) == (16 if rotated else 10)


def test_lines_that_land_in_the_renamed_file_are_read_before_it_is_left(tmp_path: Path) -> None:
    old = tmp_path / "mail.log.1"
    put(old, logins("2026-01-05 00:00:00", 5, "a"), at("2026-01-05 05:00:00"))
    put(tmp_path / "mail.log", logins("2026-01-05 06:00:00", 5, "b"), at("2026-01-05 11:00:00"))
    landed = False

    def land(name: str) -> None:
        nonlocal landed
        if name == "mail.log" and not landed:  # the folder was listed, the new file is being looked at
            landed = True
            append(old, logins("2026-01-05 05:30:00", 1, "late"), at("2026-01-05 06:00:00"))

    kept = run(Kept(), Door(tmp_path, MORNING, land), SINCE)
    assert landed
    assert total(kept) == 11


def test_a_half_written_last_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    whole = logins("2026-01-05 00:00:00", 3, "a")
    put(log, whole[:-20], at("2026-01-05 05:00:00"))
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE)
    assert total(kept) == 2
    put(log, whole, at("2026-01-05 06:00:00"))
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 3


def test_a_log_that_was_copied_and_cut_goes_on_from_its_copy_and_then_from_its_new_beginning(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-05 00:00:00", 10, "a"), at("2026-01-05 10:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 10:30:00")), SINCE)
    append(log, logins("2026-01-05 11:00:00", 2, "b"), at("2026-01-05 12:00:00"))
    put(tmp_path / "mail.log.1", log.read_bytes(), at("2026-01-05 12:00:00"))
    run(kept, Door(tmp_path, at("2026-01-05 12:10:00")), SINCE)  # both are there: one file
    assert total(kept) == 12
    put(log, logins("2026-01-05 13:00:00", 3, "c") + BEAT, at("2026-01-20 07:00:00"))
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 15
    assert kept.covered["mailbox_day"] == days(20260106, 20260119)


def test_a_file_that_is_shorter_than_before_is_waited_for_and_never_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    whole = logins("2026-01-05 00:00:00", 10, "a")
    put(log, whole, at("2026-01-05 10:00:00"))
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE)
    rows = dict(kept.mailbox_days)
    put(log, whole[: len(whole) // 2], at("2026-01-05 11:00:00"))
    with pytest.raises(TryAgain) as caught:
        run(kept, Door(tmp_path, MORNING), SINCE)
    assert caught.value.field == "file"
    assert kept.mailbox_days == rows
    put(log, whole + logins("2026-01-05 12:00:00", 1, "b"), at("2026-01-05 12:00:00"))
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 11


def test_what_was_read_between_the_copy_and_the_cut_stays_and_the_log_goes_on(tmp_path: Path) -> None:
    log, copy = tmp_path / "mail.log", tmp_path / "mail.log.1"
    begin, between = logins("2026-01-05 00:00:00", 10, "a"), logins("2026-01-05 10:00:00", 2, "b")
    end = logout(at("2026-01-06 08:00:00"), AN, "a9", "rfc3339").encode() + b"\n"
    put(copy, begin, at("2026-01-05 11:00:00"))
    put(log, begin + between, at("2026-01-05 11:30:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 11:40:00")), SINCE)
    assert total(kept) == 12
    put(log, logins("2026-01-05 12:00:00", 3, "c") + end + BEAT, at("2026-01-20 07:00:00"))
    with pytest.raises(TryAgain, match="shorter"):  # the copy may still be growing
        run(kept, Door(tmp_path, at("2026-01-05 11:59:00")), SINCE)
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 16
    assert kept.covered["mailbox_day"] == days(20260106, 20260119)
    # From no cursor: what only the cut file had stays, and a session that it began ends all the same.
    rows = dict(kept.mailbox_days)
    kept.cursor = None
    assert run(kept, Door(tmp_path, MORNING), SINCE).mailbox_days == rows


def test_where_a_shorter_file_is_left_for_one_much_later_days_may_be_missing(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    whole = logins("2026-01-05 00:00:00", 60, "a")
    put(log, whole, at("2026-01-07 12:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-07 12:30:00")), SINCE)
    put(tmp_path / "mail.log.1", whole[: len(whole) // 2], at("2026-01-07 13:00:00"))
    put(log, logins("2026-01-09 12:00:00", 3, "b") + BEAT, at("2026-01-20 07:00:00"))
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 63
    assert kept.covered["mailbox_day"] == {20260106, *days(20260110, 20260119)}


def test_two_files_that_begin_with_the_same_rest_of_a_line_are_two_files(tmp_path: Path) -> None:
    log, rest = tmp_path / "mail.log", b"ured, session=<x>\n"
    put(tmp_path / "mail.log.1", rest + logins("2026-01-05 00:00:00", 10, "a"), at("2026-01-05 10:00:00"))
    put(log, rest, at("2026-01-05 10:30:00"))  # nothing yet but what is left of a line
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 11:00:00")), SINCE)
    assert total(kept) == 10
    append(log, logins("2026-01-05 12:00:00", 3, "b"), at("2026-01-05 14:00:00"))
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 13


def test_a_half_packed_file_is_left_for_the_next_run(tmp_path: Path) -> None:
    packed = gzip.compress(logins("2026-01-05 00:00:00", 2000, "a"))
    put(tmp_path / "mail.log.2.gz", packed[: len(packed) // 2], at("2026-01-19 10:00:00"))
    put(tmp_path / "mail.log", logins("2026-03-29 09:00:00", 2, "b"), at("2026-03-29 11:00:00"))
    door = Door(tmp_path, at("2026-04-02 08:00:00"))
    kept = Kept()
    with pytest.raises(TryAgain):
        run(kept, door, SINCE)
    assert total(kept) == 0
    put(tmp_path / "mail.log.2.gz", packed[:15], at("2026-01-19 10:00:00"))
    with pytest.raises(TryAgain):
        run(kept, door, SINCE)
    put(tmp_path / "mail.log.2.gz", packed, at("2026-01-19 10:00:00"))
    assert total(run(kept, door, SINCE)) == 2002


def test_a_file_that_is_being_packed_is_read_from_the_plain_one(tmp_path: Path) -> None:
    content = logins("2026-01-05 00:00:00", 2000, "a")
    put(tmp_path / "mail.log.1", content, at("2026-03-29 10:00:00"))
    door = Door(tmp_path, at("2026-04-02 08:00:00"))
    for length in (0, 1, 10, 2000):
        put(tmp_path / "mail.log.1.gz", gzip.compress(content)[:length], at("2026-03-29 10:00:00"))
        assert total(run(Kept(), door, SINCE)) == 2000


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    head = login(at("2026-01-05 00:00:00"), AN, "s", "rfc3339").encode() + b"\n"
    put(tmp_path / "mail.log.1.gz", gzip.compress(head + bytes(80 << 20), 9), MORNING - 60)
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(), Door(tmp_path, MORNING), SINCE)
    assert "200 times" in str(caught.value)


def test_two_logs_side_by_side_under_one_pattern_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", logins("2026-01-05 00:00:00", 100, "a"), at("2026-01-09 10:00:00"))
    put(tmp_path / "mail.log.mx2", logins("2026-01-05 00:30:00", 100, "b"), at("2026-01-09 10:00:00"))
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(), Door(tmp_path, MORNING), SINCE)
    assert caught.value.field == "logs"


def test_two_logs_with_a_pattern_each_are_both_needed_for_a_day(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", logins("2026-01-05 00:00:00", 100, "a") + BEAT, at("2026-01-20 07:00:00"))
    put(tmp_path / "dovecot.log", logins("2026-01-07 00:30:00", 100, "b") + BEAT, at("2026-01-20 07:00:00"))
    config = Config(logs=["mail.log*", "dovecot.log*"], silence_days=31)
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE, config)
    assert total(kept) == 200
    assert kept.covered["mailbox_day"] == days(20260108, 20260119)
    assert total(run(kept, Door(tmp_path, MORNING), SINCE, config)) == 200


# -- coverage ------------------------------------------------------------------------------------------------------


def test_the_first_day_covered_is_the_one_after_the_first_line(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", logins("2026-01-05 00:00:00", 1, "a") + BEAT, at("2026-01-20 07:00:00"))
    assert run(Kept(), Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == days(20260106, 20260119)
    put(tmp_path / "mail.log", logins("2025-12-31 23:59:59", 1, "a") + BEAT, at("2026-01-20 07:00:00"))
    assert run(Kept(), Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == days(20260101, 20260119)


def test_a_day_is_covered_only_once_a_run_began_after_its_end(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", logins("2026-01-05 00:00:00", 72, "a"), at("2026-01-07 23:00:00"))
    door = Door(tmp_path, at("2026-01-07 23:59:59"))
    # Whatever last day is asked for.
    assert run(Kept(), door, SINCE, last_day=20260110).covered["mailbox_day"] == {20260106}


def test_a_day_is_covered_only_once_the_log_has_a_later_line(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-05 00:00:00", 71, "a"), at("2026-01-07 22:00:00"))
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE)
    assert kept.covered["mailbox_day"] == {20260106}, "nobody copies it any more: that is not a day without use"
    append(log, logins("2026-01-08 00:00:00", 1, "b"), at("2026-01-08 00:00:00"))
    assert run(kept, Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == days(20260106, 20260107)
    append(log, BEAT, at("2026-01-20 07:00:00"))
    assert run(kept, Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == days(20260106, 20260119)


def test_a_day_without_lines_inside_an_unbroken_log_is_covered(tmp_path: Path) -> None:
    content = logins("2026-01-05 00:00:00", 1, "a") + logins("2026-01-09 00:00:00", 1, "b")
    put(tmp_path / "mail.log", content, at("2026-01-09 06:00:00"))
    assert 20260107 in run(Kept(), Door(tmp_path, MORNING), SINCE).covered["mailbox_day"]


def test_nothing_is_covered_where_there_is_no_log_which_is_told_or_an_empty_one(tmp_path: Path) -> None:
    none = Kept()
    with pytest.raises(TryAgain, match=r"no file matches mail\.log\*"):
        run(none, Door(tmp_path, MORNING), SINCE)
    assert none.covered == {}
    put(tmp_path / "mail.log", b"", MORNING)
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE)
    assert kept.covered == {}
    put(tmp_path / "mail.log", logins("2026-01-20 00:00:00", 1, "a"), MORNING)
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 1


def test_days_whose_file_was_taken_away_before_it_was_read_are_not_covered(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-02 00:00:00", 80, "a"), at("2026-01-05 08:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 08:30:00")), SINCE)
    assert kept.covered["mailbox_day"] == days(20260103, 20260104)
    put(log, logins("2026-01-08 12:00:00", 80, "b") + BEAT, at("2026-01-20 07:00:00"))
    run(kept, Door(tmp_path, MORNING), SINCE)
    assert total(kept) == 160
    assert kept.covered["mailbox_day"] == days(20260103, 20260104) | days(20260109, 20260119)
    # The next run finds the file that it knows, and what was proven stays so.
    append(log, logins("2026-01-21 07:00:00", 1, "c"), at("2026-01-21 07:00:00"))
    later = run(kept, Door(tmp_path, at("2026-01-21 08:00:00")), SINCE)
    assert later.covered["mailbox_day"] == days(20260103, 20260104) | days(20260109, 20260120)


@pytest.mark.parametrize(
    ("old", "covered"),
    [
        # The name tells when the file was closed, so the day before that is whole.
        ("mail.log-20260106-000010", days(20260103, 20260105) | days(20260109, 20260119)),
        ("mail.log-20260106", days(20260103, 20260104) | days(20260109, 20260119)),
        # Numbered one after the other, nothing lies between: the server was still.
        ("mail.log.1", days(20260103, 20260119)),
        ("mail.log.2.gz", days(20260103, 20260104) | days(20260109, 20260119)),
    ],
)
def test_a_file_that_is_missing_in_the_middle_uncovers_its_days(tmp_path: Path, old: str, covered: set[int]) -> None:
    content = logins("2026-01-02 00:00:00", 90, "a")
    put(tmp_path / old, gzip.compress(content) if old.endswith("gz") else content, at("2026-01-05 18:00:00"))
    put(tmp_path / "mail.log", logins("2026-01-08 12:00:00", 80, "b") + BEAT, at("2026-01-20 07:00:00"))
    assert run(Kept(), Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == covered


def test_a_quiet_night_at_rotation_is_no_gap_for_a_run_that_watched_it(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    put(log, logins("2026-01-02 00:00:00", 80, "a"), at("2026-01-05 08:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-06 09:00:00")), SINCE)
    log.rename(tmp_path / "mail.log-20260106")
    put(log, logins("2026-01-06 12:00:00", 80, "b") + BEAT, at("2026-01-20 07:00:00"))
    assert run(kept, Door(tmp_path, MORNING), SINCE).covered["mailbox_day"] == days(20260103, 20260119)


def test_a_window_reads_its_days_again_and_leaves_the_cursor_alone(tmp_path: Path) -> None:
    lines = [
        login(at("2026-01-05 20:00:00"), AN, "s1", "rfc3339"),
        logout(at("2026-01-07 08:00:00"), AN, "s1", "rfc3339"),
    ]
    content = text(lines) + logins("2026-01-10 00:00:00", 50, "a")
    put(tmp_path / "mail.log", content, at("2026-01-12 02:00:00"))
    kept = run(Kept(), Door(tmp_path, MORNING), SINCE)
    rows = dict(kept.mailbox_days)
    before = kept.cursor
    kept.covered.clear()
    run(kept, Door(tmp_path, MORNING), SINCE, window=True, cursor=None, first_day=20260106, last_day=20260108)
    assert kept.mailbox_days == rows
    assert kept.cursor == before
    assert kept.covered["mailbox_day"] == days(20260106, 20260108)
    assert rows.keys() >= {key for key in rows if key.startswith(f"20260106:{pseudonym(AN, 20260106)}")}


def test_a_log_that_has_grown_counts_once_when_it_is_read_again_from_no_cursor(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    some, more = (
        logins(begin, 5, name) for begin, name in (("2026-01-05 08:00:00", "a"), ("2026-01-06 08:00:00", "b"))
    )
    put(log, some, at("2026-01-05 13:00:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 14:00:00")), SINCE)
    assert total(kept) == 5
    put(log, some + more, at("2026-01-06 13:00:00"))
    kept.cursor = None
    assert total(run(kept, Door(tmp_path, MORNING), SINCE)) == 10


def test_a_backlog_is_read_oldest_first_whatever_the_files_are_called(tmp_path: Path) -> None:
    whole = [stamp(at("2026-01-01 00:00:00"), "syslog") + " mx1 x: begin"]
    for day in range(2, 9):
        whole += [
            login(at(f"2026-01-0{day} 22:00:00"), AN, f"s{day}"),
            logout(at(f"2026-01-0{day} 23:00:00"), AN, f"s{day}"),
        ]
    names = ["mail.log.z", "mail.log-a.gz", "mail.log.3", "mail.log"]
    for number, name in enumerate(names):
        part = text(whole[number * 4 : (number + 1) * 4])
        put(
            tmp_path / name,
            gzip.compress(part) if name.endswith("gz") else part,
            at(f"2026-01-{2 * number + 5:02d} 00:00:00"),
        )
    assert total(run(Kept(), Door(tmp_path, MORNING), SINCE)) == 7
