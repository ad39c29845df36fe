"""Deliveries of officials' mails outside government domains and to free mail: each once, on the day of acceptance."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.email.domains import FREE, INSIDE, OUTSIDE, Domains
from connectors.email.mail_log import Config
from connectors.email.pending import Pending, from_json, without_month
from tests.connectors.email.both_readers import agree, reader
from tests.connectors.email.mail_lines import at, client, delivered, login, postfix, removed, taken, text
from tests.connectors.email.reading import Door, Kept, pseudonym, put, run

AN = "an@skhcn.example.gov.vn"
BEGAN = at("2026-01-20 08:00:00")
WHEN = at("2026-01-05 08:00:00")
SINCE = 20260101
LOOPBACK = "127.0.0.1[127.0.0.1]:10024"


def deliveries(
    tmp_path: Path, lines: Sequence[str], config: Config | None = None
) -> dict[tuple[int, str], tuple[int, int]]:
    """Deliveries outside and to free mail by day and pseudonym, where there are any; also read line by line."""
    agree([text(lines)], WHEN)
    agree([text([line]) for line in lines], WHEN)
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    whole = run(Kept(), Door(tmp_path, BEGAN), SINCE, config).deliveries()
    grown = Kept()
    for number in range(1, len(lines) + 1):
        put(tmp_path / "mail.log", text(lines[:number]), at("2026-01-19 23:00:00"))
        run(grown, Door(tmp_path, BEGAN), SINCE, config)
    assert grown.deliveries() == whole, "cut after each line it tells something else"
    return whole


def by(day: int, user: str = AN) -> tuple[int, str]:
    return day, pseudonym(user, day)


def sent(queue: str, *recipients: str, user: str = AN, when: int = WHEN) -> list[str]:
    return [
        client(when, queue, user),
        taken(when, queue, user),
        *(delivered(when + 1, queue, one) for one in recipients),
        removed(when + 2, queue),
    ]


def test_recipients_are_counted_by_their_domain_and_not_mails(tmp_path: Path) -> None:
    lines = sent("A1", "x@Gmail.com", "y@gmail.com", "z@vnpt.example", "binh@syt.example.gov.vn", "c@GOV.VN")
    assert deliveries(tmp_path, lines) == {by(20260105): (3, 2)}


def test_a_delivery_counts_on_the_day_of_the_mails_acceptance(tmp_path: Path) -> None:
    lines = [
        client(WHEN, "A1", AN),
        taken(WHEN, "A1", AN),
        delivered(WHEN + 5, "A1", "x@gmail.com", status="deferred"),
        taken(at("2026-01-07 09:00:00"), "A1", AN),
        delivered(at("2026-01-07 09:00:01"), "A1", "x@gmail.com"),
        removed(at("2026-01-07 09:00:02"), "A1"),
    ]
    assert deliveries(tmp_path, lines) == {by(20260105): (1, 1)}


def test_the_day_of_acceptance_is_the_queue_managers_and_not_that_of_the_submission(tmp_path: Path) -> None:
    midnight = at("2026-01-06 00:00:00")
    lines = [
        client(midnight - 2, "A1", AN),
        taken(midnight + 1, "A1", AN),
        delivered(midnight + 2, "A1", "x@gmail.com"),
    ]
    assert deliveries(tmp_path, lines) == {by(20260106): (1, 1)}


def test_a_mail_that_is_never_removed_is_forgotten_once_nothing_of_it_can_count(tmp_path: Path) -> None:
    lines = [*sent("A1")[:2], delivered(WHEN, "B2", "x@gmail.com"), login(at("2026-01-14 08:00:00"), AN, "s1")]
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert kept.cursor is not None
    pending = kept.cursor["logs"]["mail.log*"]["pending"]
    assert pending["accepted"] == pending["unlinked"] == {}


def test_what_a_proxy_before_the_queue_takes_is_no_queue_id(tmp_path: Path) -> None:
    lines = [client(WHEN, "NOQUEUE", AN)] * 2 + sent("A1", "x@gmail.com")
    assert agree([text(lines)], WHEN) == 1
    assert deliveries(tmp_path, lines) == {by(20260105): (1, 1)}
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert kept.cursor is not None
    assert kept.cursor["logs"]["mail.log*"]["pending"]["mails"] == {}


def test_a_delivery_in_the_next_month_counts_under_the_pseudonym_of_the_acceptance(tmp_path: Path) -> None:
    when = at("2026-01-31 23:00:00")
    lines = [client(when, "A1", AN), taken(when, "A1", AN), delivered(when + 7200, "A1", "x@gmail.com")]
    put(tmp_path / "mail.log", text(lines), at("2026-02-10 23:00:00"))
    assert run(Kept(), Door(tmp_path, at("2026-02-11 08:00:00")), SINCE).deliveries() == {by(20260131): (1, 1)}


def test_what_was_not_delivered_is_not_counted(tmp_path: Path) -> None:
    lines = [
        client(WHEN, "A1", AN),
        taken(WHEN, "A1", AN),
        *(delivered(WHEN, "A1", "x@gmail.com", status=status) for status in ("deferred", "bounced", "expired")),
        removed(WHEN, "A1"),
    ]
    assert deliveries(tmp_path, lines) == {}


def test_the_mails_of_others_are_not_counted(tmp_path: Path) -> None:
    lines = [
        client(WHEN, "A1", None),
        taken(WHEN, "A1", "fremd@gmail.com"),
        delivered(WHEN, "A1", "x@gmail.com"),
        removed(WHEN, "A1"),
        # A bounce under an id that an official's mail had before.
        *sent("B2", "x@vnpt.example"),
        taken(WHEN + 60, "B2", ""),
        delivered(WHEN + 61, "B2", "y@gmail.com"),
        # A reading receipt has no sender.
        client(WHEN, "C3", AN),
        taken(WHEN, "C3", ""),
        delivered(WHEN, "C3", "y@gmail.com"),
        *sent("D4", "y@gmail.com", user="probe@example.gov.vn"),
    ]
    assert deliveries(tmp_path, lines, Config(probe_accounts=["probe@example.gov.vn"])) == {by(20260105): (1, 0)}


@pytest.mark.parametrize("answer", ["250 2.0.0 Ok: queued as X9", "250 2.0.0 from MTA: 250 2.0.0 Ok: queued as X9"])
@pytest.mark.parametrize("late", [False, True])
def test_a_content_filter_is_no_delivery_and_what_it_hands_back_has_the_same_sender(
    tmp_path: Path, answer: str, late: bool
) -> None:
    handed_on = delivered(WHEN + 2, "A1", "x@gmail.com", relay=LOOPBACK, answer=answer)
    second = [
        client(WHEN + 1, "X9", None, address="127.0.0.1"),
        taken(WHEN + 1, "X9", AN),
        delivered(WHEN + 1, "X9", "x@gmail.com", answer="250 2.0.0 Ok: queued as REMOTE1"),
        delivered(WHEN + 3, "X9", "y@vnpt.example"),
        removed(WHEN + 4, "X9"),
    ]
    lines = [client(WHEN, "A1", AN), taken(WHEN, "A1", AN)]
    # The second id is delivered, and even removed, before the filter answers for the first.
    lines += [*second, handed_on] if late else [*second[:3], handed_on, *second[3:]]
    lines += [removed(WHEN + 5, "A1")]
    assert deliveries(tmp_path, lines) == {by(20260105): (2, 1)}


def filtered(*recipients: str) -> tuple[list[str], str, list[str]]:
    """A mail up to a filter, the line that tells what the filter queued it as, and the lines under that id."""
    first = [client(WHEN, "A1", AN), taken(WHEN, "A1", AN)]
    handed_on = delivered(WHEN + 1, "A1", "x@gmail.com", relay=LOOPBACK, answer="250 2.0.0 Ok: queued as X9")
    again = [client(WHEN + 1, "X9", None, address="127.0.0.1"), taken(WHEN + 1, "X9", AN)]
    return first, handed_on, [*again, *(delivered(WHEN + 2, "X9", one) for one in recipients)]


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("ends", [[], [removed(WHEN + 3, "X9")]])
def test_a_filters_answer_names_its_sender_wherever_it_stands_among_the_lines_of_the_id(
    tmp_path: Path, before: int, ends: list[str]
) -> None:
    first, handed_on, second = filtered("x@gmail.com")
    lines = [*first, *second[:before], handed_on, *second[before:], *ends, removed(WHEN + 4, "A1")]
    assert deliveries(tmp_path, lines) == {by(20260105): (1, 1)}


def test_an_id_that_a_filter_named_is_another_mail_when_it_comes_again_on_a_later_day(tmp_path: Path) -> None:
    first, handed_on, second = filtered("x@gmail.com")
    later = at("2026-01-07 08:00:00")
    stranger = [client(later, "X9", None), taken(later, "X9", "a@b.test"), delivered(later, "X9", "y@gmail.com")]
    assert deliveries(tmp_path, [*first, handed_on, *second, *stranger]) == {by(20260105): (1, 1)}


@pytest.mark.parametrize("times", [2, 3])
def test_a_delivery_whose_line_a_relay_repeats_counts_once(tmp_path: Path, times: int) -> None:
    lines = sent("A1", "x@gmail.com", "y@gmail.com", "z@vnpt.example")
    assert deliveries(tmp_path, [line for line in lines for _ in range(times)]) == {by(20260105): (3, 2)}


def test_a_delivery_counts_once_though_its_line_comes_again_much_later(tmp_path: Path) -> None:
    lines = sent("A1", "x@gmail.com", "y@vnpt.example")
    assert deliveries(tmp_path, [*lines[:-1], lines[2], lines[3], lines[2], lines[-1]]) == {by(20260105): (2, 1)}


def test_what_a_filter_hands_back_counts_once_though_its_lines_are_repeated(tmp_path: Path) -> None:
    first, handed_on, second = filtered("x@gmail.com", "y@vnpt.example")
    lines = [*first, *second, handed_on, removed(WHEN + 3, "X9"), removed(WHEN + 4, "A1")]
    assert deliveries(tmp_path, [line for line in lines for _ in range(2)]) == {by(20260105): (2, 1)}


def test_the_same_recipient_of_two_mails_counts_twice(tmp_path: Path) -> None:
    assert deliveries(tmp_path, [*sent("A1", "x@gmail.com"), *sent("B2", "x@gmail.com")]) == {by(20260105): (2, 2)}


def test_a_filter_in_the_way_of_a_strangers_mail_makes_nobody_its_sender(tmp_path: Path) -> None:
    lines = [
        client(WHEN, "A1", None),
        taken(WHEN, "A1", "fremd@gmail.com"),
        delivered(WHEN, "A1", "x@gmail.com", relay=LOOPBACK, answer="250 2.0.0 Ok: queued as X9"),
        delivered(WHEN, "X9", "x@gmail.com"),
    ]
    assert deliveries(tmp_path, lines) == {}


def test_a_mailbox_server_on_the_same_host_is_no_content_filter(tmp_path: Path) -> None:
    relay = "127.0.0.1[127.0.0.1]:24"
    lines = [*sent("A1")[:2], delivered(WHEN, "A1", "x@khac.example", relay=relay, program="lmtp")]
    assert deliveries(tmp_path, lines) == {by(20260105): (1, 0)}


@pytest.mark.parametrize("program", ["smtp", "relay/smtp", "lmtp", "local", "virtual", "pipe"])
def test_every_program_that_delivers_is_known(tmp_path: Path, program: str) -> None:
    lines = sent("A1", "x@gmail.com")
    lines.insert(3, delivered(WHEN + 1, "A1", "nhom@vnpt.example", program=program, more=" orig_to=<all@x.gov.vn>,"))
    assert deliveries(tmp_path, lines) == {by(20260105): (2, 1)}


def test_words_inside_a_line_are_not_taken_for_a_delivery(tmp_path: Path) -> None:
    forged = delivered(WHEN, "A1", "x@gmail.com")
    lines = sent("A1")[:2]
    lines += [postfix(WHEN, "smtpd", f"NOQUEUE: reject: RCPT from x[10.0.0.9]: helo=<{forged}>")]
    lines += [postfix(WHEN, "smtpd", f"NOQUEUE: reject: helo=< {forged[16:]}>")]
    assert deliveries(tmp_path, lines) == {}


def test_a_delivery_after_the_eighth_day_is_not_counted(tmp_path: Path) -> None:
    lines = sent("A1")[:2]
    late = [*lines, delivered(at("2026-01-13 00:00:00"), "A1", "x@gmail.com")]
    in_time = [*lines, delivered(at("2026-01-12 23:59:59"), "A1", "x@gmail.com")]
    assert deliveries(tmp_path, late) == {}
    (tmp_path / "other").mkdir()
    assert deliveries(tmp_path / "other", in_time) == {by(20260105): (1, 1)}


def test_settings_say_which_domains_are_whose(tmp_path: Path) -> None:
    config = Config(government_domains=["tinh.example"], free_mail_domains=["free.example"])
    lines = sent("A1", "a@so.tinh.example", "b@gmail.com", "c@free.example", "d@gov.vn", "e@nottinh.example")
    assert deliveries(tmp_path, lines, config) == {by(20260105): (4, 1)}


@pytest.mark.parametrize("free", ["mail.gov.vn", "gov.vn.example", "gmail.com"])
def test_what_is_inside_by_its_end_is_left_out_alike_by_both_readers(free: str) -> None:
    ends = ("so.gov.vn", "GOV.VN", "gov.vn.", "xgov.vn", "mail.gov.vn", "gov.vn.example", "gmail.com", "a@gov.vn")
    first, handed_on, second = filtered("x@gmail.com", "y@so.gov.vn")
    handed_on = handed_on.replace("x@gmail.com", "x@so.gov.vn")  # to a filter, of a mail that goes inside too
    lines = [*sent("B2", *(f"x@{end}" for end in ends)), *first, handed_on, *second, removed(WHEN + 3, "X9")]
    domains = Domains(["gov.vn"], [free])
    assert agree([text(lines)], WHEN, domains=domains) == 1
    slow = reader(WHEN, by_lines=True, domains=domains)
    assert sum(slow.read(text(lines)).outside.values()) == (5 if free == "mail.gov.vn" else 4)


def test_domains_are_compared_whole_and_without_regard_to_case() -> None:
    domains = Domains()
    assert [domains[name] for name in (b"phutho.gov.vn", b"GOV.VN.", b"Gov.vn", b"")] == [INSIDE] * 4
    assert [domains[name] for name in (b"mygov.vn", b"gov.vn.example", b"notgmail.com", b"[10.0.0.1]")] == [OUTSIDE] * 4
    free = (b"gmail.com", b"Yahoo.com.vn", b"outlook.com", b"icloud.com", b"zoho.com", b"hotmail.com", b"x.mail.ru")
    assert [domains[name] for name in free] == [FREE] * 7
    assert Domains(["a.example"], ["a.example"])[b"a.example"] == INSIDE


def test_nothing_of_a_recipient_is_kept(tmp_path: Path) -> None:
    when = at("2026-01-19 08:00:00")
    lines = [
        *sent("A1", "canary.a@canary-domain.example", when=when)[:3],
        delivered(when, "B2", "canary.b@gmail.com"),  # of a sender whom nobody has named yet
        login(when, AN, "s1"),
    ]
    put(tmp_path / "mail.log", text(lines), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert kept.deliveries() == {by(20260119): (1, 0)}
    left = json.dumps(kept.cursor) + repr(kept.mailbox_days) + repr(kept.bad)
    assert "canary" not in left
    assert "gmail" not in left
    assert kept.cursor is not None
    pending = kept.cursor["logs"]["mail.log*"]["pending"]
    assert pending["accepted"] == {"mx1": {"A1": [20260119, pseudonym(AN, 20260119)]}}
    assert pending["unlinked"] == {"mx1": {"B2": [20260119, 1, 1]}}


def test_marks_of_recipients_go_with_the_key_of_their_month() -> None:
    pending = Pending(
        accepted={("mx1", "A1"): (20260131, "a"), ("mx1", "B2"): (20260201, "b")},
        told={
            ("mx1", "A1"): (20260201, frozenset({"of February"})),
            ("mx1", "B2"): (20260131, frozenset({"of January"})),
        },
    )
    assert from_json(json.loads(json.dumps(pending.as_json()))) == pending
    january = without_month(pending.as_json(), 20260101)
    assert (january["accepted"], january["told"]) == (
        {"mx1": {"B2": [20260201, "b"]}},
        {"mx1": {"A1": [20260201, "of February"]}},
    )


def test_a_mark_tells_the_recipient_to_nobody_and_goes_when_the_mail_does(tmp_path: Path) -> None:
    when = at("2026-01-19 08:00:00")
    lines = sent("A1", "canary.a@canary-domain.example", "x@gmail.com", when=when)
    put(tmp_path / "mail.log", text(lines[:-1]), when + 60)
    kept = run(Kept(), Door(tmp_path, when + 60), SINCE)
    assert kept.cursor is not None
    told = kept.cursor["logs"]["mail.log*"]["pending"]["told"]
    assert [len(told["mx1"]["A1"]), told["mx1"]["A1"][0]] == [3, 20260119]
    assert all(mark == mark.lower() and len(mark) == 12 and int(mark, 16) for mark in told["mx1"]["A1"][1:])
    assert "canary" not in json.dumps(kept.cursor)
    put(tmp_path / "mail.log", text(lines), BEGAN - 60)
    assert run(kept, Door(tmp_path, BEGAN), SINCE).cursor is not None
    assert kept.cursor["logs"]["mail.log*"]["pending"]["told"] == {}


def test_a_cursor_of_before_deliveries_were_counted_is_read_on(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", text([client(WHEN, "A1", AN)]), WHEN + 60)
    kept = run(Kept(), Door(tmp_path, WHEN + 60), SINCE)
    assert kept.cursor is not None
    pending = kept.cursor["logs"]["mail.log*"]["pending"]
    del pending["accepted"], pending["unlinked"]
    put(tmp_path / "mail.log", text(sent("A1", "x@gmail.com")), at("2026-01-19 23:00:00"))
    assert run(kept, Door(tmp_path, BEGAN), SINCE).deliveries() == {by(20260105): (1, 1)}
