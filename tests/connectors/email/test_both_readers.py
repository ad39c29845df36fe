"""The reader of whole days is fast, and tells what the reader of single lines tells, of whatever there is to read."""

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from collector.benchmark.mail_lines import lines
from connectors.email.pending import Pending
from tests.connectors.email.both_readers import HANOI, agree, reader
from tests.connectors.email.mail_lines import at, client, delivered, login, logout, mail, postfix, taken, text
from tests.connectors.email.reading import pseudonym

FIRST = at("2025-11-03 00:00:00")
AN, BINH = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn"
WHEN = at("2026-01-05 08:00:00")


def blocks(content: bytes, size: int) -> list[bytes]:
    cut, start = [], 0
    while start < len(content):
        end = content.find(b"\n", min(start + size, len(content) - 1)) + 1
        cut.append(content[start:end])
        start = end
    return cut


def a_log(count: int, a_day: int) -> bytes:
    return "".join(lines(count, a_day=a_day)).encode()


@pytest.mark.parametrize("size", [3_000, 200_000, 8 << 20])
@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "UTC", "Asia/Kolkata"])
def test_days_of_ordinary_lines_are_told_alike_and_most_of_them_at_once(size: int, zone: str) -> None:
    many = blocks(a_log(12_000, 5_000), size)
    assert agree(many, FIRST, ZoneInfo(zone), small=size == 3_000) > len(many) * 0.6


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_broken_in_a_log_both_readers_tell_the_same(seed: int) -> None:
    random = Random(seed)
    content = bytearray(a_log(5_000, 2_000))
    for _ in range(1_000):
        place = random.randrange(len(content))
        match random.randrange(4):
            case 0:
                content[place] = random.randrange(256)
            case 1:
                del content[place : place + random.randrange(1, 60)]
            case 2:
                source = random.randrange(len(content))
                content[place:place] = content[source : source + random.randrange(1, 200)]
            case _:
                content[place:place] = random.choice([b"\n", b"\0" * 9, b"=<", b"]: ", b"\r\n", b" status=sent ("])
    agree(blocks(bytes(content) + b"\n", 20_000), FIRST, small=True)


# What may stand before what a program says: other hosts, instances, process ids, times, days, or nothing.
HEADS = (
    (b" mx1 postfix/", b" mx1 postfix-out/"),
    (b" mx1 postfix/", b" mx1 postfix/relay/"),
    (b" mx1 postfix/", b" mx1  postfix/"),
    (b"postfix/submission/smtpd[", b"postfix/out/smtpd["),
    (b"postfix/smtp[", b"postfix/out/smtp["),
    (b"postfix/smtp[", b"postfix/out/local["),
    (b"postfix/smtp[", b"postfix/out/pipe["),
    (b"postfix/smtp[", b"postfix/discard["),
    (b"postfix/lmtp[", b"postfix/virtual["),
    (b"postfix/cleanup[", b"postfix/qmgr["),
    (b"postfix/anvil[", b"postfix/smtps/smtpd["),
    (b" mx1 dovecot: ", b" mx1 dovecot[77]: "),
    (b" mx1 dovecot: ", b" "),
    (b" mx1 dovecot: imap", b" mx1 dovecot: pop3"),
    (b" mx1 dovecot: lmtp(", b" mx1 dovecot: imap("),
    (b" mx1 dovecot: auth: ", b" mx1 dovecot: master: Dovecot v2.3.19.1 starting up for imap "),
    (b" mx1 ", b" mx2 "),
    (b" mx1 ", b" mx1: "),
    (b" mx1 ", b" "),
    (b"Nov 03 ", b"Nov 04 "),
    (b"Nov 03 ", b"Nov  3 "),
    (b"Nov 03 ", b"2025-11-03T"),
    (b"Nov 03 ", b"\n\nNov 03 "),
    (b"Nov 03 ", b"\x00\x00Nov 03 "),
)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_stands_before_what_matters_both_readers_tell_the_same(seed: int) -> None:
    random = Random(seed)
    lines_of_a_day = a_log(6_000, 6_000).splitlines(keepends=True)
    usual = random.sample(HEADS, 3)  # so that whole parts are read at once, and others are not
    for place in random.sample(range(len(lines_of_a_day)), 300):
        lines_of_a_day[place] = lines_of_a_day[place].replace(*random.choice(usual), 1)
    assert agree(blocks(b"".join(lines_of_a_day), 20_000), FIRST, small=True) >= 0


@pytest.mark.parametrize("change", HEADS, ids=lambda change: f"{HEADS.index(change)}")
def test_one_line_with_another_head_is_told_alike_wherever_it_is(change: tuple[bytes, bytes]) -> None:
    content = a_log(600, 600)
    for place in range(0, len(content), len(content) // 12):
        agree([content[:place] + content[place:].replace(*change, 1)], FIRST)
    agree([content.replace(*change)], FIRST)


def test_an_odd_line_slows_down_only_what_is_around_it() -> None:
    content = a_log(40_000, 137_000)
    third = content.find(b"\n", len(content) // 3) + 1
    late = login(FIRST - 86_400, AN, "s1").encode() + b"\n"
    odd = content[:third] + late + content[third:]
    assert agree([odd], FIRST) >= len(odd) // (512 << 10) - 2


def test_what_a_client_puts_into_its_name_slows_nothing_down() -> None:
    said = [login(WHEN, AN, "s1"), logout(WHEN, AN, "s1"), *mail(WHEN, "A1", AN), delivered(WHEN, "A1", "x@gmail.com")]
    forged = [
        postfix(WHEN, "smtpd", f"NOQUEUE: reject: helo=<{words}{one[cut:]}>")
        for one in said
        for cut in (0, 16)
        for words in ("", "\x7f ")
    ]
    assert agree([text([*forged, *mail(WHEN, "B2", AN)])], WHEN) == 1


def test_an_id_that_lives_twice_in_a_day_is_read_in_order() -> None:
    once = [*mail(WHEN, "A1", AN)[:3], delivered(WHEN, "A1", "x@gmail.com"), mail(WHEN, "A1", AN)[-1]]
    forwarded = [taken(WHEN + 9, "A1", BINH), delivered(WHEN + 9, "A1", "y@gmail.com"), once[-1]]
    assert agree([text([*once, *forwarded])], WHEN) == 0
    session = [login(WHEN, AN, "s1"), logout(WHEN, AN, "s1"), login(WHEN, BINH, "s1")]
    assert agree([text(session), text([logout(WHEN + 86_400, BINH, "s1")])], WHEN) == 1


def test_a_line_that_comes_late_counts_on_its_own_day_also_where_midnight_is_not_the_servers() -> None:
    noon, late = at("2026-01-05 12:00:00"), at("2026-01-06 02:00:00")  # both on 5 January in UTC
    lines_of_the_6th = [login(late, AN, f"s{number}", "utc") for number in range(2_000)]
    stray = login(noon, BINH, "stray", "utc")
    content = text([*lines_of_the_6th[:1000], stray, *lines_of_the_6th[1000:]])
    agree([text([login(noon, AN, "s", "utc")]), content], noon, ZoneInfo("UTC"))


@pytest.mark.parametrize("year", ["0000", "0001", "1970", "3000", "9999"])
def test_a_line_of_a_year_that_cannot_be_is_bad_and_the_others_count(year: str) -> None:
    lines_of_a_day = [login(WHEN, AN, "s1", "utc"), login(WHEN, BINH, "s2", "utc"), logout(WHEN, AN, "s1", "utc")]
    content = text(
        [*lines_of_a_day, *(year + line[4:] for line in [login(WHEN, AN, "s3", "utc"), *mail(WHEN, "A1", AN, "utc")])]
    )
    agree([content], WHEN)
    use = reader(WHEN).read(content)
    assert (sum(use.sessions.values()), sum(use.sent.values()), len(use.bad)) == (2, 0, 5)


def test_two_servers_in_one_log_are_read_line_by_line() -> None:
    lines_of_two = [login(WHEN, AN, "s1"), *mail(WHEN, "A1", AN)]
    lines_of_two += [line.replace(" mx1 ", " mx2 ") for line in (login(WHEN, BINH, "s1"), *mail(WHEN, "A1", BINH))]
    lines_of_two += [logout(WHEN + 86_400, AN, "s1")]
    agree([text([one]) for one in lines_of_two], WHEN)
    agree([text(lines_of_two)] * 2, WHEN)


@pytest.mark.parametrize("form", ["syslog", "dovecot", "rfc3339", "utc", "no colon"])
def test_a_taught_reader_reads_each_form_at_once(form: str) -> None:
    day = [login(WHEN, AN, "s1", form), logout(WHEN + 60, AN, "s1", form), login(WHEN + 70, BINH, "s2", form)]
    if form != "dovecot":
        day += mail(WHEN, "A1", AN, form) if form != "no colon" else []
    taught = "dovecot" if form in ("dovecot", "no colon") else "syslog"
    assert agree([text([line]) for line in day] if form == "no colon" else [text(day)], WHEN, form=taught) >= 1


@pytest.mark.parametrize("protocol", ["imap", "pop3", "managesieve"])
@pytest.mark.parametrize("by_lines", [True, False])
def test_a_run_that_begins_with_the_end_of_a_session_counts_its_last_day(protocol: str, by_lines: bool) -> None:
    before = reader(WHEN, by_lines=by_lines)
    before.read(text([login(WHEN, AN, "s1", protocol=protocol)]))
    # The next run has read no login yet, or none of this protocol.
    other = "imap" if protocol == "pop3" else "pop3"
    for learns in ([], [login(WHEN, BINH, "s2", protocol=other), logout(WHEN, BINH, "s2", protocol=other)]):
        after = reader(WHEN, by_lines=by_lines)
        after.read(text(learns))
        after.pending = Pending(dict(before.pending.sessions))
        use = after.read(text([logout(WHEN + 86_400, AN, "s1", protocol=protocol)]))
        assert dict(use.sessions) == {(20260106, pseudonym(AN, 20260106)): 1}
        assert after.pending.sessions == {}


def test_retries_of_a_deferred_mail_do_not_slow_down() -> None:
    day = [client(WHEN, "A1", AN), taken(WHEN, "A1", AN)]
    day += [delivered(WHEN, "A1", "x@gmail.com", status="deferred"), taken(WHEN + 600, "A1", AN)] * 3
    assert (
        agree([text(day), text([taken(WHEN + 900, "A1", AN), delivered(WHEN + 901, "A1", "x@gmail.com")])], WHEN) == 2
    )


def test_the_lines_of_the_benchmark_are_what_they_say() -> None:
    made = a_log(20_000, 137_000)
    assert made.count(b"\n") == 20_000
    assert made == a_log(20_000, 137_000)
    hits = made.count(b" Login: user=<") + made.count(b": from=<") + made.count(b" status=sent ")
    assert 0.22 < hits / 20_000 < 0.25
    assert 135 < len(made) / 20_000 < 155
    told = reader(int(datetime(2025, 11, 3, tzinfo=UTC).timestamp())).read(made)
    assert sum(n for (day, _), n in told.sessions.items() if day == 20251103) == made.count(b" Login: user=<")
    assert HANOI.key == "Asia/Ho_Chi_Minh"
