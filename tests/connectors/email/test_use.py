"""What counts as use of a mailbox, on which local day."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collector.contract.connector import Span
from collector.contract.errors import UnexpectedAnswer
from connectors.email import chain
from connectors.email.mail_log import Config
from tests.connectors.email.both_readers import agree
from tests.connectors.email.mail_lines import (
    at,
    client,
    dovecot,
    login,
    logout,
    mail,
    postfix,
    removed,
    stamp,
    starting,
    taken,
    text,
    use_by_single_lines,
)
from tests.connectors.email.reading import Door, Kept, named, pseudonym, put, run

AN = "an@skhcn.example.gov.vn"
BINH = "binh@syt.example.gov.vn"
BEGAN = at("2026-01-20 08:00:00")
SINCE = 20260101


def use_of(
    tmp_path: Path, lines: Sequence[str], config: Config | None = None, since: int = SINCE
) -> dict[tuple[int, str], tuple[int, int]]:
    agree([text(lines)], at("2026-01-05 08:00:00"))
    agree([text([line]) for line in lines], at("2026-01-05 08:00:00"))
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    return run(Kept(), Door(tmp_path, BEGAN), since, config).use()


def by(day: int, user: str) -> tuple[int, str]:
    return day, pseudonym(user, day)


@pytest.mark.parametrize("form", ["dovecot", "syslog", "rfc3339", "no colon", "utc"])
def test_a_day_is_cut_on_the_local_clock_in_every_envelope(tmp_path: Path, form: str) -> None:
    early, late = at("2026-01-06 00:20:00"), at("2026-01-06 23:40:00")
    lines = [login(early, AN, "s1", form), login(late, BINH, "s2", form)]
    # The form without a zone is the server's own clock, which stands in Việt Nam.
    assert use_of(tmp_path, lines) == {by(20260106, AN): (1, 0), by(20260106, BINH): (1, 0)}


def test_a_server_whose_clock_stands_in_another_zone_is_read_by_its_zone(tmp_path: Path) -> None:
    line = "Jan  6 17:20:00 mx1 dovecot: imap-login: Login: user=<an@skhcn.example.gov.vn>, secured, session=<s1>"
    assert use_of(tmp_path, [line], Config(zone="UTC")) == {by(20260107, AN): (1, 0)}
    assert use_of(tmp_path, [line], Config(zone="Asia/Kolkata")) == {by(20260106, AN): (1, 0)}
    just_before_midnight = line.replace("17:20", "22:29")
    assert use_of(tmp_path, [just_before_midnight], Config(zone="Asia/Kolkata")) == {by(20260106, AN): (1, 0)}
    midnight = line.replace("17:20", "22:30")
    both = [just_before_midnight, midnight]
    assert use_of(tmp_path, both, Config(zone="Asia/Kolkata")) == {by(20260106, AN): (1, 0), by(20260107, AN): (1, 0)}


def test_the_envelope_is_decided_line_by_line(tmp_path: Path) -> None:
    forms = ["syslog", "rfc3339", "dovecot", "no colon", "utc"]
    lines = [login(at("2026-01-06 08:00:00") + n, AN, f"s{n}", form) for n, form in enumerate(forms)]
    assert use_of(tmp_path, lines) == {by(20260106, AN): (5, 0)}


@pytest.mark.parametrize("protocol", ["imap", "pop3", "managesieve"])
def test_a_session_is_use_on_each_day_that_it_touches(tmp_path: Path, protocol: str) -> None:
    lines = [
        login(at("2026-01-05 22:00:00"), AN, "s1", protocol=protocol),
        logout(at("2026-01-07 01:00:00"), AN, "s1", how="Connection closed", protocol=protocol),
    ]
    assert use_of(tmp_path, lines) == {by(day, AN): (1, 0) for day in (20260105, 20260106, 20260107)}


def test_a_session_over_the_end_of_a_month_has_each_months_own_pseudonym(tmp_path: Path) -> None:
    lines = [login(at("2025-12-30 09:00:00"), AN, "s1"), logout(at("2026-01-02 09:00:00"), AN, "s1")]
    assert use_of(tmp_path, lines, since=20251201) == {
        by(day, AN): (1, 0) for day in (20251230, 20251231, 20260101, 20260102)
    }


def test_the_days_of_a_session_before_the_sources_first_day_are_not_kept(tmp_path: Path) -> None:
    lines = [login(at("2025-12-30 09:00:00"), AN, "s1"), logout(at("2026-01-02 09:00:00"), AN, "s1")]
    assert use_of(tmp_path, lines) == {by(20260101, AN): (1, 0), by(20260102, AN): (1, 0)}


def test_the_source_may_begin_in_the_middle_of_a_month(tmp_path: Path) -> None:
    lines = [login(at("2026-01-05 09:00:00"), AN, "s1"), logout(at("2026-01-07 09:00:00"), AN, "s1")]
    assert use_of(tmp_path, lines, since=20260106) == {by(20260106, AN): (1, 0), by(20260107, AN): (1, 0)}


def test_what_one_run_left_open_a_later_run_ends(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [login(when, AN, "s1"), login(when, BINH, "s2"), client(when, "AB12", AN)]
    put(tmp_path / "mail.log", text(lines), when)
    kept = run(Kept(), Door(tmp_path, when + 60), SINCE)
    later = at("2026-01-06 08:00:00")
    lines += [taken(later, "AB12", AN), logout(later, AN, "s1"), starting(later), logout(later, BINH, "s2")]
    put(tmp_path / "mail.log", text(lines), later)
    run(kept, Door(tmp_path, BEGAN), SINCE)
    assert kept.use() == {by(20260105, AN): (1, 0), by(20260105, BINH): (1, 0), by(20260106, AN): (1, 1)}


def test_a_session_without_an_end_counts_on_its_login_day_alone(tmp_path: Path) -> None:
    lines = [login(at("2026-01-05 22:00:00"), AN, "s1"), login(at("2026-01-08 22:00:00"), BINH, "s2")]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (1, 0), by(20260108, BINH): (1, 0)}


def test_an_end_on_the_seventh_day_counts_and_one_on_the_eighth_does_not(tmp_path: Path) -> None:
    lines = [
        login(at("2026-01-05 08:00:00"), AN, "s1"),
        login(at("2026-01-05 08:00:00"), BINH, "s2"),
        logout(at("2026-01-12 23:59:59"), AN, "s1"),
        logout(at("2026-01-13 00:00:00"), BINH, "s2"),
    ]
    expected = {by(day, AN): (1, 0) for day in range(20260105, 20260113)} | {by(20260105, BINH): (1, 0)}
    assert use_of(tmp_path, lines) == expected


@pytest.mark.parametrize("form", ["syslog", "dovecot", "rfc3339"])
def test_a_server_that_starts_ends_its_sessions_on_their_login_day(tmp_path: Path, form: str) -> None:
    lines = [
        login(at("2026-01-05 08:00:00"), AN, "s1", form),
        starting(at("2026-01-06 08:00:00"), form),
        login(at("2026-01-06 09:00:00"), BINH, "s2", form),
        logout(at("2026-01-07 08:00:00"), AN, "s1", form),
        logout(at("2026-01-07 08:00:00"), BINH, "s2", form),
    ]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (1, 0), by(20260106, BINH): (1, 0), by(20260107, BINH): (1, 0)}


def test_another_servers_start_does_not_end_a_session(tmp_path: Path) -> None:
    lines = [
        login(at("2026-01-05 08:00:00"), AN, "s1"),
        starting(at("2026-01-05 09:00:00")).replace(" mx1 ", " mx2 "),
        logout(at("2026-01-06 08:00:00"), AN, "s1"),
    ]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (1, 0), by(20260106, AN): (1, 0)}


def test_what_is_no_session_is_no_use(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    fields = f"user=<{AN}>, method=PLAIN, rip=10.0.0.9, lip=10.0.0.1, session=<x>"
    nobody = fields.replace(AN, "")
    lines = [
        dovecot(when, "imap-login", f"Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): {fields}"),
        dovecot(
            when, "imap-login", f"Disconnected: Connection closed (internal failure, 1 successful auths): {fields}"
        ),
        dovecot(when, "imap-login", f"Disconnected: Connection closed (disconnected before auth was ready): {nobody}"),
        dovecot(when, "imap-login", f"Login: {nobody}"),
        dovecot(when, "doveadm(127.0.0.1)", f"Executing command 'quota get' as '{AN}'"),
        dovecot(when, f"lmtp({AN})<19547><s9>", "msgid=<m2@mx.test>: saved mail to INBOX"),
        dovecot(when, "imap-login", f"proxy({AN}): started proxying to 10.0.0.3:143: {fields}"),
    ]
    assert use_of(tmp_path, lines) == {}


def test_the_probe_account_is_not_counted_whatever_its_case(tmp_path: Path) -> None:
    lines = [login(at("2026-01-05 08:00:00"), "probe@example.gov.vn", "s1"), login(at("2026-01-05 08:00:00"), AN, "s2")]
    assert use_of(tmp_path, lines, Config(probe_accounts=["Probe@example.gov.vn"])) == {by(20260105, AN): (1, 0)}


def test_a_name_without_a_domain_gets_the_one_of_the_settings(tmp_path: Path) -> None:
    lines = [login(at("2026-01-05 08:00:00"), "an", "s1")]
    assert use_of(tmp_path, lines, Config(domain="skhcn.example.gov.vn")) == {by(20260105, AN): (1, 0)}


def test_words_inside_a_line_are_not_taken_for_a_login_or_a_mail(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    forged = [login(when, AN, "s1"), client(when, "AB12", AN), taken(when, "AB12", AN)]
    lines = [postfix(when, "smtpd", f"NOQUEUE: reject: RCPT from x[10.0.0.9]: helo=<{one}>") for one in forged]
    lines += [postfix(when, "smtpd", f"NOQUEUE: reject: helo=< {one[16:]}>") for one in forged]
    assert use_of(tmp_path, lines) == {}


def test_a_mail_counts_once_on_the_day_of_its_acceptance_however_often_it_is_tried(tmp_path: Path) -> None:
    lines = [
        client(at("2026-01-05 23:59:58"), "AB12", AN.upper()),
        taken(at("2026-01-06 00:00:01"), "AB12", AN),
        taken(at("2026-01-06 00:05:00"), "AB12", AN),
        taken(at("2026-01-07 00:05:00"), "AB12", AN),
        removed(at("2026-01-07 00:05:01"), "AB12"),
    ]
    assert use_of(tmp_path, lines) == {by(20260106, AN): (0, 1)}


def test_a_queue_id_that_comes_again_is_another_mail(tmp_path: Path) -> None:
    lines = [
        *mail(at("2026-01-05 08:00:00"), "AB12", AN),
        *mail(at("2026-01-05 09:00:00"), "AB12", AN),
        client(at("2026-01-06 08:00:00"), "AB12", None),
        taken(at("2026-01-06 08:00:00"), "AB12", AN),
    ]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (0, 2)}


@pytest.mark.parametrize(
    "second_life",
    [
        client(at("2026-01-06 08:00:00"), "AB12", None),
        postfix(at("2026-01-06 08:00:00"), "pickup", "AB12: uid=0 from=<root>"),
    ],
)
def test_a_submission_that_was_broken_off_leaves_no_sender_to_the_next_mail(tmp_path: Path, second_life: str) -> None:
    lines = [client(at("2026-01-05 08:00:00"), "AB12", AN), second_life, taken(at("2026-01-06 08:00:00"), "AB12", BINH)]
    assert use_of(tmp_path, lines) == {}


def test_the_same_queue_id_on_another_host_is_another_mail(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [client(when, "AB12", AN), taken(when, "AB12", AN).replace(" mx1 ", " mx2 ")]
    assert use_of(tmp_path, lines) == {}


def test_what_no_authenticated_official_sent_is_not_counted(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [
        *mail(when, "AB12", AN),
        # A content filter hands the message back under a second id; only the first one has a user's name.
        client(when, "CD34", None, address="127.0.0.1", more=", orig_queue_id=AB12, orig_client=unknown[10.9.9.9]"),
        taken(when, "CD34", AN),
        # A bounce, a forged sender from outside, and a bounce to an authenticated user's reading receipt.
        taken(when, "EF56", ""),
        client(when, "FA78", None),
        taken(when, "FA78", BINH),
        client(when, "FB90", BINH),
        taken(when, "FB90", ""),
    ]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (0, 1)}


def test_a_listed_webmail_host_is_trusted_for_the_sender(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    filtered = ", orig_queue_id=AB12, orig_client=unknown[10.9.9.9]"
    lines = [
        client(when, "AB12", None, address="10.1.2.3"),
        taken(when, "AB12", AN),
        client(when, "CD34", None, address="10.1.2.4"),
        taken(when, "CD34", BINH),
        client(when, "EF56", None, address="10.1.2.3", more=filtered),
        taken(when, "EF56", BINH),
    ]
    assert use_of(tmp_path, lines, Config(webmail_hosts=["10.1.2.3"])) == {by(20260105, AN): (0, 1)}


@pytest.mark.parametrize("program", ["smtpd", "submission/smtpd", "smtps/smtpd"])
def test_every_name_of_the_submission_service_is_known(tmp_path: Path, program: str) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [
        postfix(when, program, f"AB12: client=x.test[10.9.9.9], sasl_method=PLAIN, sasl_username={AN}, sasl_sender=z")
    ]
    lines += [taken(when, "AB12", AN).replace("postfix/qmgr", "postfix-out/qmgr")]
    assert use_of(tmp_path, lines) == {by(20260105, AN): (0, 1)}


def test_new_year_inside_one_file_without_years(tmp_path: Path) -> None:
    lines = [
        login(at("2025-12-30 08:00:00"), AN, "s1"),
        login(at("2025-12-31 23:59:59"), AN, "s2"),
        login(at("2026-01-01 00:00:00"), AN, "s3"),
        # Two processes write one log: a line may come a little late.
        *mail(at("2025-12-31 23:59:59"), "AB12", BINH),
        login(at("2026-01-19 08:00:00"), AN, "s4"),
    ]
    assert use_of(tmp_path, lines, since=20251201) == {
        by(20251230, AN): (1, 0),
        by(20251231, AN): (1, 0),
        by(20251231, BINH): (0, 1),
        by(20260101, AN): (1, 0),
        by(20260119, AN): (1, 0),
    }


def test_a_file_of_last_year_is_dated_by_its_own_time(tmp_path: Path) -> None:
    put(tmp_path / "mail.log.1", text([login(at("2025-12-29 08:00:00"), AN, "s1")]), at("2025-12-29 08:00:01"))
    put(tmp_path / "mail.log", text([login(at("2026-01-05 08:00:00"), AN, "s2")]), at("2026-01-05 08:00:01"))
    found = run(Kept(), Door(tmp_path, BEGAN), 20251201).use()
    assert found == {by(20251229, AN): (1, 0), by(20260105, AN): (1, 0)}


def test_the_rows_are_these(tmp_path: Path) -> None:
    lines = [login(at("2026-01-05 08:00:00"), AN, "s1"), *mail(at("2026-01-05 08:00:00"), "AB12", AN)]
    content = text(lines)
    put(tmp_path / "mail.log", content, at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    (span,) = next(iter(kept.spans.values()))
    who, where = pseudonym(AN, 20260105), f"{span.file[:16]}:0-{len(content)}"
    assert list(kept.mailbox_days.values()) == [
        (f"20260105:{who}:{where}", "", 0, 0, who, 20260105, where, 1, 1, 1, 0),
    ]
    assert (span.start, span.end) == (0, len(content))


def test_zeroes_and_legacy_letters_hurt_nobody(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    good = [login(when, AN, "s1").encode(), login(when, BINH, "s2").encode()]
    content = b"\n".join([good[0], b"\0" * 5000 + good[1], b"Jan  5 08:00:01 mx1 x: \xd4\xf2\xff", b""])
    content += login(when, "s\xe2u@x.test", "s3").encode("latin-1") + b"\n"
    put(tmp_path / "mail.log", content, at("2026-01-19 23:00:00"))
    found = run(Kept(), Door(tmp_path, BEGAN), SINCE).use()
    assert found == {by(20260105, user): (1, 0) for user in (AN, BINH, "sâu@x.test")}


@pytest.mark.parametrize("length", [(1 << 20) + 1, 3 << 20, 9 << 20, 20 << 20])
def test_an_endless_line_is_quarantined_by_its_place_and_the_others_go_on(tmp_path: Path, length: int) -> None:
    when = at("2026-01-05 08:00:00")
    first = text([login(when, AN, "s1")])
    long = login(when, "canary@x.test", "s2").encode() + b"x" * length + b"\n"
    put(tmp_path / "mail.log", first + long + text([login(when, BINH, "s3")] * 200), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert kept.use() == {by(20260105, AN): (1, 0), by(20260105, BINH): (200, 0)}
    file = next(iter(kept.spans))
    assert [(bad.key, bad.field) for bad in kept.bad] == [(f"{file[:16]}:{len(first)}", "line")]
    again = run(Kept(spans=kept.spans), Door(tmp_path, BEGAN), SINCE)
    assert again.mailbox_days == kept.mailbox_days
    assert again.bad == kept.bad


def test_a_line_whose_time_cannot_be_is_quarantined_without_its_content(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [login(when, AN, "s1")] * 200
    lines.insert(3, login(when, "canary@x.test", "s2").replace("Jan  5", "Jan 35"))
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert kept.use() == {by(20260105, AN): (200, 0)}
    assert [bad.field for bad in kept.bad] == ["time"]
    assert "canary" not in repr(kept.bad)


def test_over_one_per_cent_of_lines_without_a_time_stop_the_source(tmp_path: Path) -> None:
    when = at("2026-01-05 08:00:00")
    lines = [login(when, AN, "s1")] * 100 + [login(when, AN, "s2").replace("Jan  5", "Jan 35")] * 3
    with pytest.raises(UnexpectedAnswer) as caught:
        use_of(tmp_path, lines)
    assert caught.value.field == "time"


def test_a_log_in_an_unknown_form_stops_the_source(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        use_of(tmp_path, [f"05/01/2026 08:00:00 imap-login: Info: Login: user=<{AN}>"] * 20)
    assert caught.value.field == "time"
    assert AN not in str(caught.value)


def test_no_address_leaves_the_parser(tmp_path: Path) -> None:
    canary = "canary.nguyen@skhcn.example.gov.vn"
    when = at("2026-01-19 08:00:00")
    lines = [
        login(when, canary, "canary-session"),  # stays open
        client(when, "AB12", canary),  # stays unaccepted
        *mail(when, "CD34", canary),
        login(when, canary, "s3").replace("Jan 19", "Jan 39"),
    ]
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    left = json.dumps(kept.cursor) + repr(kept.mailbox_days) + repr(kept.bad) + repr(dict(kept.spans))
    assert "canary" not in left.lower()
    assert "skhcn" not in left
    assert kept.cursor is not None
    pending = kept.cursor["logs"]["mail.log*"]["pending"]
    assert len(pending["sessions"]["mx1"]) == 1
    assert len(pending["mails"]["mx1"]) == 1


# -- any cutting ---------------------------------------------------------------------------------------------------

_FORMS = st.sampled_from(["syslog", "rfc3339"])
_USERS = st.sampled_from(["an@a.test", "Binh@a.test", "chi@b.test"])


@st.composite
def _logs(draw: st.DrawFn) -> list[str]:
    """A log in order of time, over a New Year: sessions that end or do not, mails in parts, starts, noise."""
    when = at("2025-12-28 10:00:00")
    lines: list[str] = []
    open_sessions: list[tuple[int, str]] = []
    waiting: list[tuple[str, str]] = []
    for number in range(draw(st.integers(1, 40))):
        when += draw(st.sampled_from([0, 1, 60, 3600, 20_000, 86_400]))
        form = draw(_FORMS)
        match draw(
            st.sampled_from(["login", "login", "logout", "client", "client", "stranger", "taken", "start", "noise"])
        ):
            case "login":
                user = draw(_USERS)
                open_sessions.append((number, user))
                lines.append(login(when, user, f"s{number}", form))
            case "logout" if open_sessions:
                ended, user = draw(st.sampled_from(open_sessions))
                lines.append(logout(when, user, f"s{ended}", form))
            case "client":
                user, queue = draw(_USERS), f"A{draw(st.integers(0, 3))}"
                waiting.append((queue, user))
                lines.append(client(when, queue, user, form))
            case "stranger":
                lines.append(client(when, f"B{number}", None, form))
                lines.append(taken(when, f"B{number}", "an@a.test", form))
            case "taken" if waiting:
                queue, user = draw(st.sampled_from(waiting))
                lines.append(taken(when, queue, draw(st.sampled_from([user, user, ""])), form))
            case "start":
                open_sessions.clear()
                lines.append(starting(when, form))
            case _:
                lines.append(f"{stamp(when, form)} mx1 postfix/smtpd[7]: connect from unknown[10.0.0.1]")
    return lines


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lines=_logs(), block=st.integers(150, 3000), stops=st.lists(st.integers(0, 40), max_size=4))
def test_any_cutting_of_the_stream_gives_the_sums_of_a_line_by_line_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], block: int, stops: list[int]
) -> None:
    began = at("2026-02-20 08:00:00")
    content = text(lines)
    size = max(block, 400)
    cuts = [0, *(content.rfind(b"\n", 0, end) + 1 for end in range(size, len(content), size)), len(content)]
    blocks = [content[begin:end] for begin, end in pairwise(cuts) if begin < end]
    agree(blocks, at("2025-12-28 10:00:00"), small=True)
    kept = Kept()
    with monkeypatch.context() as patch:
        patch.setattr(chain, "BLOCK", max(block, 400))
        for stop in [*sorted(stops), len(lines)]:
            # The file grows between runs; the last line may be half written.
            content = text(lines[:stop]) + (lines[stop].encode()[:60] if stop < len(lines) else b"")
            put(tmp_path / "mail.log", content, began - 3600)
            if stop:
                run(kept, Door(tmp_path, began), 20251201)
    assert kept.use() == named(use_by_single_lines(lines, 2025))
    once = Kept()
    for whole in (once, Kept(spans=kept.spans)):
        run(whole, Door(tmp_path, began), 20251201)
        assert whole.use() == kept.use()
    again = run(Kept(spans=kept.spans), Door(tmp_path, began), 20251201)
    assert again.mailbox_days == kept.mailbox_days


def test_a_saved_range_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", text([login(at("2026-01-05 08:00:00"), AN, "s1")] * 9), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    ((file, (span,)),) = kept.spans.items()
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(spans={file: [Span(file, 10, span.end)]}), Door(tmp_path, BEGAN), SINCE)
    assert caught.value.field == "span"
    assert kept.cursor is not None
    kept.spans[file] = [Span(file, 0, span.end + 10)]
    put(tmp_path / "mail.log", text([login(at("2026-01-05 08:00:00"), AN, "s1")] * 20), at("2026-01-19 23:00:00"))
    with pytest.raises(UnexpectedAnswer):
        run(kept, Door(tmp_path, BEGAN), SINCE)
