"""A log that says nothing of a mail server is no server that nobody uses."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from collector.contract.connector import Finding
from collector.contract.errors import UnexpectedAnswer
from connectors.email import chain, mail_log
from connectors.email.mail_log import Config
from connectors.email.stamps import Calendar
from connectors.email.understood import programs, stretches
from tests.connectors.email.mail_lines import at, client, dovecot, login, logout, postfix, removed, stamp, text
from tests.connectors.email.reading import Door, Kept, put, run
from tests.connectors.email.zimbra_log_lines import auth, refused

AN = "an@skhcn.example.gov.vn"
SINCE = 20260101
BEGAN = at("2026-01-30 08:00:00")
DAY = 86_400
PLAIN = Config(lists="")


def others(first: str, count: int, step: int = 3600, form: str = "rfc3339") -> list[str]:
    """Lines of other programs, as in a log of the whole machine."""
    return [f"{stamp(at(first) + step * n, form)} mx1 CRON[{n}]: (root) CMD (run-parts)" for n in range(count)]


def anvil(when: int) -> str:
    return postfix(when, "anvil", "statistics: max connection rate 1/60s for (smtp:10.0.0.9)", "rfc3339")


def covered(tmp_path: Path, lines: Iterable[str], config: Config = PLAIN) -> set[int]:
    put(tmp_path / "mail.log", text(sorted(lines)), BEGAN - 3600)
    return run(Kept(), Door(tmp_path, BEGAN), SINCE, config).covered["mailbox_day"]


def days(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))


# -- silence -----------------------------------------------------------------------------------------------------------


def test_a_weekend_without_a_line_is_no_gap(tmp_path: Path) -> None:
    lines = [anvil(at(f"2026-01-{day:02d} 08:00:00")) for day in (7, 8, 9, 12, 13)]
    assert covered(tmp_path, lines) == days(20260108, 20260112)


def test_days_on_which_the_mail_server_wrote_nothing_for_too_long_are_not_covered(tmp_path: Path) -> None:
    lines = [anvil(at(f"2026-01-{day:02d} 08:00:00")) for day in (7, 8, 9, 13, 14)]
    expected = {20260108}, days(20260108, 20260113)
    assert covered(tmp_path, lines) == expected[0]
    # Whether other programs go on writing says nothing about the mail server.
    assert covered(tmp_path, lines + others("2026-01-07 00:00:00", 24 * 8)) == expected[0]
    assert covered(tmp_path, lines, Config(lists="", silence_days=4)) == expected[1]


def test_a_log_that_only_others_go_on_writing_covers_no_day_after_the_servers_last_line(tmp_path: Path) -> None:
    lines = [anvil(at(f"2026-01-0{day} 08:00:00")) for day in (5, 6, 7)]
    assert covered(tmp_path, lines + others("2026-01-07 09:00:00", 24 * 3)) == {20260106}
    assert covered(tmp_path, [*lines, *others("2026-01-07 09:00:00", 24 * 20)]) == {20260106}


def test_days_of_other_programs_before_the_servers_first_line_are_not_covered(tmp_path: Path) -> None:
    lines = [anvil(at(f"2026-01-{day} 08:00:00")) for day in (20, 21, 22)]
    assert covered(tmp_path, others("2026-01-02 00:00:00", 90, 4 * 3600) + lines) == {20260121}
    # But a log whose first line is another program's begins there, if the server follows soon.
    assert covered(tmp_path, others("2026-01-19 22:00:00", 1) + lines) == {20260120, 20260121}


@pytest.mark.parametrize("block", [300, 1000, 8 << 20])
def test_a_silence_is_seen_however_the_log_is_cut_and_whatever_run_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(chain, "BLOCK", block)
    spoken = [3, 4, 5, 9, 10, 11, 14, 20, 21]
    lines = [anvil(at(f"2026-01-{day:02d} 08:00:00") + n) for day in spoken for n in range(5)]
    lines = sorted(lines + others("2026-01-03 12:00:00", 250, 6000))
    expected = {20260104} | days(20260110, 20260113)
    assert covered(tmp_path, lines) == expected
    kept = Kept()
    for stop in (40, 90, 91, 140, len(lines)):
        put(tmp_path / "mail.log", text(lines[:stop]), BEGAN - 3600)
        run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.covered["mailbox_day"] == expected
    (tmp_path / "mail.log").unlink()
    for number, (begin, end) in enumerate(((0, 70), (70, 71), (71, 200), (200, len(lines)))):
        put(tmp_path / f"mail.log.{4 - number}", text(lines[begin:end]), BEGAN - 3600 + number)
    assert run(Kept(), Door(tmp_path, BEGAN), SINCE, PLAIN).covered["mailbox_day"] == expected


def test_a_file_that_a_run_watched_to_its_end_does_not_prove_a_silent_server_alive(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", text([anvil(at("2026-01-05 08:00:00")), anvil(at("2026-01-06 08:00:00"))]), BEGAN)
    kept = run(Kept(), Door(tmp_path, at("2026-01-20 08:00:00")), SINCE, PLAIN)
    (tmp_path / "mail.log").rename(tmp_path / "mail.log-20260120")
    put(tmp_path / "mail.log", text([anvil(at("2026-01-20 21:00:00")), anvil(at("2026-01-22 08:00:00"))]), BEGAN)
    run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.covered["mailbox_day"] == {20260121}


def test_a_cursor_of_before_silence_was_a_gap_is_read_on(tmp_path: Path) -> None:
    kept = Kept()
    put(tmp_path / "mail.log", text([anvil(at("2026-01-05 08:00:00")), anvil(at("2026-01-07 08:00:00"))]), BEGAN)
    run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.cursor is not None
    for place in kept.cursor["logs"].values():
        del place["heard"], place["strange"]
    with (tmp_path / "mail.log").open("a") as file:
        file.write(
            "".join(f"{line}\n" for line in [*others("2026-01-08 08:00:00", 150), anvil(at("2026-01-09 08:00:00"))])
        )
    run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.covered["mailbox_day"] == days(20260106, 20260108)


# -- another program's log ---------------------------------------------------------------------------------------------


def strange(tmp_path: Path, content: bytes, name: str = "mail.log") -> UnexpectedAnswer:
    put(tmp_path / name, content, BEGAN - 3600)
    kept = Kept()
    with pytest.raises(UnexpectedAnswer) as caught:
        run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert (kept.mailbox_days, kept.spans, kept.covered) == ({}, {}, {})
    return caught.value


@pytest.mark.parametrize("form", ["rfc3339", "syslog"])
def test_another_programs_log_is_told_and_never_read_as_no_use(tmp_path: Path, form: str) -> None:
    error = strange(tmp_path, text(others("2026-01-05 08:00:00", 150, 60, form)))
    assert (error.source, error.stage, error.field) == ("mail", "answer", "logs")
    assert "150 lines of mail.log" in error.reason
    assert error.mend
    strange(tmp_path, gzip.compress(text(others("2026-01-05 08:00:00", 150, 60, form))), "mail.log.2.gz")


def test_another_products_mail_log_is_told(tmp_path: Path) -> None:
    exim = (
        "2026-01-05T08:00:00+07:00 mx1 exim[7]: 1tUbzC-0000 <= an@a.test H=(x) [10.0.0.9] P=esmtpsa A=login:an@a.test"
    )
    error = strange(tmp_path, text([exim] * 2000))
    assert "an@a.test" not in str(error)


def test_a_log_that_has_just_begun_is_waited_for_and_covers_nothing(tmp_path: Path) -> None:
    lines = others("2026-01-05 08:00:00", 99)
    put(tmp_path / "mail.log", text(lines), BEGAN - 3600)
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.covered == {}
    lines += others("2026-01-10 08:00:00", 1)
    put(tmp_path / "mail.log", text(lines), BEGAN - 3600)
    with pytest.raises(UnexpectedAnswer):
        run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN)
    put(
        tmp_path / "mail.log", text([*lines, anvil(at("2026-01-10 09:00:00")), anvil(at("2026-01-12 09:00:00"))]), BEGAN
    )
    assert run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN).covered["mailbox_day"] == {20260111}


def test_other_programs_lines_after_a_known_beginning_are_no_failure(tmp_path: Path) -> None:
    put(
        tmp_path / "mail.log.1",
        text([anvil(at("2026-01-05 08:00:00")), anvil(at("2026-01-07 08:00:00"))]),
        BEGAN - 90_000,
    )
    put(tmp_path / "mail.log", text(others("2026-01-07 09:00:00", 400)), BEGAN - 3600)
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, PLAIN)
    assert kept.covered["mailbox_day"] == {20260106}
    # Nor for a look at some days alone, which begins in the middle.
    window = {"window": True, "cursor": None, "first_day": 20260118, "last_day": 20260119}
    (tmp_path / "mail.log.1").unlink()
    run(kept, Door(tmp_path, BEGAN), SINCE, PLAIN, **window)


def test_a_log_of_the_whole_machine_may_begin_with_others(tmp_path: Path) -> None:
    lines = [*others("2026-01-05 08:00:00", 3000, 10), login(at("2026-01-05 18:00:00"), AN, "s1", "rfc3339")]
    put(tmp_path / "mail.log", text(lines), BEGAN - 3600)
    assert sum(sessions for sessions, _ in run(Kept(), Door(tmp_path, BEGAN), SINCE, PLAIN).use().values()) == 1


# -- which lines are a mail server's -----------------------------------------------------------------------------------

WHEN = at("2026-01-05 08:00:00")
OURS = {
    "postfix": [
        client(WHEN, "AB12", AN),
        removed(WHEN, "AB12", "rfc3339"),
        anvil(WHEN),
        postfix(WHEN, "smtpd", "connect from x").replace("postfix/", "postfix-out/"),
        "\0" * 40 + anvil(WHEN),
    ],
    "dovecot": [
        login(WHEN, AN, "s"),
        *(login(WHEN, AN, "s", form) for form in ("dovecot", "rfc3339", "no colon", "utc")),
        logout(WHEN, AN, "s"),
        logout(WHEN, AN, "s", "dovecot"),
        logout(WHEN, AN, "s").replace(" dovecot: ", " mailstore: "),
        dovecot(WHEN, "doveadm(127.0.0.1)", "Executing command 'user' as ''"),
        dovecot(WHEN, "auth", "passwd-file: unknown user", "dovecot"),
        dovecot(WHEN, f"lmtp({AN})<7><x>", "msgid=<m>: saved mail to INBOX", "dovecot"),
    ],
    "zimbra": [auth(WHEN, AN), refused(WHEN, AN)],
}


@pytest.mark.parametrize(("program", "line"), [(name, line) for name, lines in OURS.items() for line in lines])
def test_every_line_of_a_mail_server_is_known_as_its_own(program: str, line: str) -> None:
    assert programs(text([line])) == {program}
    assert stretches(text([line]), Calendar(ZoneInfo("Asia/Ho_Chi_Minh"), WHEN), DAY) == [(WHEN, WHEN)]


@pytest.mark.parametrize(
    "line",
    [
        *others("2026-01-05 08:00:00", 1, form="syslog"),
        f"{stamp(WHEN, 'rfc3339')} mx1 kernel: postfix/smtpd[7]: connect",
        f"{stamp(WHEN, 'syslog')} mx1 sshd[7]: Failed password for dovecot from 10.0.0.9",
        f"{stamp(WHEN, 'syslog')} mx1 amavis[7]: (1-1) Passed CLEAN",
        "postfix/smtpd[7]: connect from x[10.0.0.9]",
        f"{stamp(WHEN, 'rfc3339')} started: Hello",
        "2026-01-05 08:00:00,123 hello INFO  [x]",
        "",
    ],
)
def test_no_other_line_is(line: str) -> None:
    assert programs(text([line])) == set()
    assert stretches(text([line]), Calendar(ZoneInfo("Asia/Ho_Chi_Minh"), WHEN), DAY) == []


@pytest.mark.timeout(30)
@pytest.mark.parametrize("words", ["(b)<c>", "/a.-", "<", "(", "a=b;", "] [", "imap: "])
@pytest.mark.parametrize("begin", ["", "a", "mx1 postfix", "mx1 x: imap("])
def test_no_line_keeps_it_busy(words: str, begin: str) -> None:
    line = f"{stamp(WHEN, 'rfc3339')} {begin}{words * 30_000}"
    assert stretches(text([line] * 10), Calendar(ZoneInfo("Asia/Ho_Chi_Minh"), WHEN), DAY) in ([], [(WHEN, WHEN)])


# -- probe -------------------------------------------------------------------------------------------------------------


def findings(tmp_path: Path, **files: bytes) -> list[Finding]:
    for name, content in files.items():
        put(tmp_path / name.replace("_", "."), content, BEGAN - 60)
    return list(mail_log.probe(PLAIN, Door(tmp_path, BEGAN)))


def test_a_probe_says_that_a_log_is_another_programs(tmp_path: Path) -> None:
    found = findings(tmp_path, mail_log=text(others("2026-01-05 08:00:00", 150)))
    (failed,) = [one for one in found if one.result == "failed"]
    assert (failed.stage, "Postfix" in failed.says, bool(failed.mend)) == ("read", True, True)


def test_a_probe_says_that_the_server_has_long_been_silent(tmp_path: Path) -> None:
    lines = [anvil(at("2026-01-20 08:00:00")), *others("2026-01-20 09:00:00", 24 * 9 + 20)]
    found = findings(tmp_path, mail_log=text(lines))
    (failed,) = [one for one in found if one.result == "failed"]
    assert "since 2026-01-20" in failed.says


def test_a_probe_says_that_no_log_tells_who_logs_in(tmp_path: Path) -> None:
    only_mails = [anvil(BEGAN - 600), client(BEGAN - 60, "AB12", AN, "rfc3339")]
    (doubt,) = [one for one in findings(tmp_path, mail_log=text(only_mails)) if "logs in" in one.says]
    assert doubt.result == "unproved"
    both = [*only_mails, login(BEGAN - 30, AN, "s1", "rfc3339")]
    found = findings(tmp_path, mail_log=text(both))
    assert not [one for one in found if "logs in" in one.says or one.result == "failed"]
    assert [one for one in found if "lines of Dovecot and Postfix" in one.says]
