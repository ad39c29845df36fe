"""What Zimbra's audit.log and mailbox.log tell of the use of mailboxes: facts/mail-systems.md section 6."""

import gzip
import json
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.email import chain, zimbra_lines
from connectors.email.mail_log import Config
from connectors.email.pending import Pending
from connectors.email.stamps import Calendar
from tests.connectors.email.mail_lines import at, text
from tests.connectors.email.reading import Door, Kept, pseudonym, put, run
from tests.connectors.email.zimbra_log_lines import (
    ADMIN_SERVICE,
    asked,
    auth,
    command,
    fields,
    refused,
    zimbra,
)

AN = "an@skhcn.example.gov.vn"
BINH = "binh@syt.example.gov.vn"
WHEN = at("2026-01-05 08:00:00")
BEGAN = at("2026-01-20 08:00:00")
SINCE = 20260101
AUDIT = Config(logs=["audit.log*"], silence_days=31)
BOTH = Config(logs=["audit.log*", "mailbox.log*"], silence_days=31)
TRACE = """\
java.net.SocketException: Connection reset
	at java.net.SocketInputStream.read(SocketInputStream.java:210) [name=x@y;] soap - NoOpRequest elapsed=1
Caused by: com.zimbra.common.service.ServiceException: system failure: [name=x@y;] security - cmd=Auth; account=x@y;
	... 17 more
"""


def use_of(tmp_path: Path, *lines: str, config: Config = AUDIT, name: str = "audit.log") -> dict[tuple[int, str], int]:
    """Sessions by day and pseudonym; no mail is ever sent by these logs."""
    put(tmp_path / name, text(lines), at("2026-01-19 23:00:00"))
    use = run(Kept(), Door(tmp_path, BEGAN), 20150101, config).use()
    assert not any(sent for _, sent in use.values())
    return {key: sessions for key, (sessions, _) in use.items()}


def by(day: int, user: str = AN) -> tuple[int, str]:
    return day, pseudonym(user, day)


def test_lines_seen_on_real_servers_are_read(tmp_path: Path) -> None:
    lines = [
        "2015-03-26 21:51:36,505 INFO  [Pop3Server-13] [ip=172.16.0.3;oip=200.111.128.196;] security - cmd=Auth;"
        " account=a@d.test; protocol=pop3;",
        "2015-12-05 18:47:36,435 INFO  [qtp1545357780-7135140:http://127.0.0.1:80/service/soap/AuthRequest]"
        " [name=b@d.test;oip=10.1.2.123;ua=zclient/8.0.9_GA_6191;] security - cmd=Auth; account=b@d.test;"
        " protocol=soap;",
        "2018-10-06 12:32:23,142 WARN  [ImapSSLServer-1] [ip=10.0.0.1;oip=10.0.0.2;via=10.0.0.1(nginx/1.7.1);"
        "ua=Zimbra/8.8.8_GA_3008;cid=234;] security - cmd=Auth; account=c@d.test; protocol=imap;"
        " error=authentication failed for [c@d.test], invalid password;",
        "2025-09-19 19:40:17,304 INFO  [qtp1545357780-71] [name=d@d.test;oip=1.2.3.4, 5.6.7.8;port=47834;"
        "ua=Android-Mail/2024;soapId=7a5b;] security - cmd=Auth; account=d@d.test; protocol=zsync;",
        "2025-09-20 08:06:36,965 INFO  [qtp1874154700-1886919:] [name=e@d.test;oip=1.2.3.4, 5.6.7.8;"
        "ua=zclient/8.8.15_GA_1728;soapId=39504524;] soap - AuthRequest elapsed=1",
    ]
    assert use_of(tmp_path, *lines) == {
        by(20150326, "a@d.test"): 1,
        by(20151205, "b@d.test"): 1,
        by(20250919, "d@d.test"): 1,
    }


@pytest.mark.parametrize("cmd", ["Auth", "PreAuth", "SSOAuth"])
@pytest.mark.parametrize("protocol", ["soap", "imap", "pop3", "http_basic", "http_dav", "zsync", "spnego"])
def test_each_login_counts_on_its_day(tmp_path: Path, cmd: str, protocol: str) -> None:
    lines = [auth(WHEN, AN, protocol, cmd), auth(WHEN + 60, AN, protocol, cmd)]
    assert use_of(tmp_path, *lines) == {by(20260105): 2}


def console(when: int, user: str, thread: str = "qtp15-75", named: str = "") -> list[str]:
    """The two lines of an administrator's login to the console, of one request and so on one thread."""
    at = f"{thread}:{ADMIN_SERVICE}AuthRequest"
    return [auth(when, named or user, cmd="AdminAuth", thread=at), auth(when, user, thread=at)]


@pytest.mark.parametrize("named", ["", "an"])
def test_an_administrators_login_to_the_console_is_no_use_of_the_mailbox(tmp_path: Path, named: str) -> None:
    smtp = auth(WHEN, BINH, thread=f"qtp15-76:{ADMIN_SERVICE}AuthRequest")
    first, second = console(WHEN, AN, named=named)
    lines = [first, smtp, second]
    put(tmp_path / "audit.log", text(lines), BEGAN - 60)
    assert run(Kept(), Door(tmp_path, BEGAN), SINCE, AUDIT).use() == {(20260105, pseudonym(BINH, 20260105)): (1, 0)}
    (tmp_path / "grown").mkdir()
    grown = Kept()
    for number in range(1, len(lines) + 1):
        put(tmp_path / "grown" / "audit.log", text(lines[:number]), BEGAN - 60)
        run(grown, Door(tmp_path / "grown", BEGAN), SINCE, AUDIT)
    assert grown.use() == {(20260105, pseudonym(BINH, 20260105)): (1, 0)}, "cut between two lines"


def test_a_login_of_the_same_person_after_one_to_the_console_is_use(tmp_path: Path) -> None:
    mail = auth(WHEN + 5, AN, thread=f"qtp15-75:{ADMIN_SERVICE}AuthRequest")
    # One to the console that failed has only its first line at this level; its thread serves others later.
    broken_off, _ = console(WHEN + 60, AN)
    later = auth(WHEN + 180, AN, thread=f"qtp15-75:{ADMIN_SERVICE}AuthRequest")
    put(tmp_path / "audit.log", text([*console(WHEN, AN), mail, broken_off, later]), BEGAN - 60)
    assert run(Kept(), Door(tmp_path, BEGAN), SINCE, AUDIT).use() == {(20260105, pseudonym(AN, 20260105)): (2, 0)}


def test_smtp_auth_through_the_admin_service_is_the_users_login(tmp_path: Path) -> None:
    old = auth(WHEN, AN, thread=f"qtp15-71:{ADMIN_SERVICE}")
    new = zimbra(
        WHEN,
        fields(name=BINH, ip="10.0.0.9", oproto="smtp", port="7071"),
        f"security - cmd=Auth; account={BINH}; protocol=soap;",
        thread=f"qtp15-71:{ADMIN_SERVICE}",
    )
    assert use_of(tmp_path, old, new) == {by(20260105): 1, by(20260105, BINH): 1}


def test_what_is_no_login_of_an_official_is_no_use(tmp_path: Path) -> None:
    context = fields(name=AN, ip="10.0.0.9", ua="ZimbraWebClient")
    lines = [
        refused(WHEN, AN),
        zimbra(WHEN, context, f"security - cmd=Auth; account={AN}; protocol=soap; error=account is locked;"),
        zimbra(WHEN, context, f"security - cmd=Auth; error=x; account={AN}; protocol=soap;"),
        zimbra(WHEN, context, f"security - cmd=AdminAuth; account={AN};"),
        zimbra(WHEN, context, f"security - cmd=DelegateAuth; account={AN}; accountName={BINH};"),
        zimbra(
            WHEN,
            context,
            f"security - cmd=ModifyAccount; name={AN}; zimbraNotes=x] security - cmd=Auth;; account={AN};;;",
        ),
        zimbra(WHEN, context, f"security - cmd=Auth;; account={AN}; protocol=soap;"),
        zimbra(WHEN, context, f"security - cmd=Auth; account={AN}; protocol=soap;", "DEBUG"),
        zimbra(WHEN, context, "security - cmd=Auth; protocol=soap;"),
    ]
    assert use_of(tmp_path, *lines) == {}


def test_a_clients_own_name_is_never_taken_for_a_message(tmp_path: Path) -> None:
    forged = f"x] [name={AN};] security - cmd=Auth; account={AN}; protocol=soap;"
    asking = f"x] [name={AN};] soap - NoOpRequest elapsed=1"
    lines = [
        zimbra(WHEN, fields(name=BINH, ua=forged), f"security - cmd=AdminAuth; account={BINH};"),
        zimbra(WHEN, fields(ip="10.0.0.9", ua=forged), f"security - cmd=Auth; account={AN}; error=no;", "WARN"),
        zimbra(WHEN, fields(ip="10.0.0.9", ua=asking), "soap - AuthRequest elapsed=1"),
        zimbra(WHEN, fields(ip="10.0.0.9", ua=asking), "mailbox - something else"),
        zimbra(WHEN, fields(ip="10.0.0.9", ua=f";name={AN};;"), "soap - NoOpRequest elapsed=1"),
        zimbra(WHEN, fields(name=BINH, ua=forged + ";"), f"security - cmd=Auth; account={BINH}; protocol=soap;"),
    ]
    assert use_of(tmp_path, *lines) == {by(20260105, BINH): 1}
    strange = zimbra(WHEN, fields(name=BINH, ua=asking), "soap - NoOpRequest elapsed=1")
    assert use_of(tmp_path, strange) == {by(20260105, BINH): 1}


def test_a_day_is_cut_on_the_local_clock_whatever_the_servers_zone(tmp_path: Path) -> None:
    early, late = at("2026-01-06 00:20:00"), at("2026-01-06 23:40:00")
    assert use_of(tmp_path, auth(early, AN), auth(late, BINH)) == {by(20260106): 1, by(20260106, BINH): 1}
    # The same words of a server that stands in UTC mean seven hours later.
    config = Config(logs=["audit.log*"], zone="UTC", silence_days=31)
    assert use_of(tmp_path, auth(early, AN), auth(late, BINH), config=config) == {
        by(20260106): 1,
        by(20260107, BINH): 1,
    }


def test_a_client_that_stays_logged_in_is_present_on_each_day_on_which_it_asks(tmp_path: Path) -> None:
    days = [WHEN + number * 86_400 for number in range(3)]
    lines = [asked(days[0], AN), asked(days[0] + 9, AN, "SearchRequest"), command(days[1], BINH), asked(days[2], AN)]
    lines.append(asked(days[2], BINH).replace("soap - NoOpRequest", "soap - (batch) GetInfoRequest"))
    lines.append(asked(days[2], "chi@d.test").replace("elapsed=3", "proxy=server: mx2,elapsed=3"))
    put(tmp_path / "audit.log", text([refused(days[0] - 86_400, AN), refused(days[2], AN)]), BEGAN - 60)
    found = use_of(tmp_path, *lines, config=BOTH, name="mailbox.log")
    assert set(found) == {
        by(20260105),
        by(20260106, BINH),
        by(20260107),
        by(20260107, BINH),
        by(20260107, "chi@d.test"),
    }


def test_what_no_client_of_the_mailbox_asked_is_no_presence(tmp_path: Path) -> None:
    lmtp = fields(name=AN, mid="33", ip="10.0.0.1")
    lines = [
        zimbra(WHEN, lmtp, "lmtp - Delivering message: size=675 bytes, nrcpts=1, sender=x@y.test, msgid=<m2@y.test>"),
        zimbra(WHEN, lmtp, "mailop - Adding Message: id=289, Message-ID=<m2@y.test>, parentFolderName=Inbox"),
        # The account is named as soon as it is known whom the password is tried for.
        asked(WHEN, AN, "AuthRequest"),
        asked(WHEN, AN).replace("soap - NoOpRequest", "soap - (batch) AuthRequest"),
        asked(WHEN, AN, "ChangePasswordRequest"),
        asked(WHEN, AN).replace("NoOpRequest elapsed=3", "BatchRequest"),
        # An administrator, or a colleague with a share, in this mailbox.
        asked(WHEN, AN, aname="admin@example.gov.vn"),
        asked(WHEN, AN, "GetAccountRequest", ADMIN_SERVICE.rstrip("/")),
        asked(WHEN, "").replace("name=;", ""),
        asked(WHEN, AN).replace("INFO ", "WARN "),
        command(WHEN, AN).replace("UID elapsed=0", "dropping connection for user (timed out)"),
        asked(WHEN, AN).replace(
            "] soap - NoOpRequest elapsed=3", "] SoapEngine - handler exception: ] soap - A elapsed=1"
        ),
    ]
    assert use_of(tmp_path, *lines, config=Config(logs=["mailbox.log*"]), name="mailbox.log") == {}


def test_an_error_of_many_lines_disturbs_nobody(tmp_path: Path) -> None:
    content = [auth(WHEN, AN), TRACE.rstrip("\n"), auth(WHEN + 60, BINH), *[TRACE.rstrip("\n")] * 400]
    assert use_of(tmp_path, *content, auth(WHEN + 90, AN)) == {by(20260105): 2, by(20260105, BINH): 1}


def test_the_probe_account_and_a_name_without_a_domain(tmp_path: Path) -> None:
    lines = [auth(WHEN, "probe@example.gov.vn"), asked(WHEN, "probe@example.gov.vn"), auth(WHEN, "an")]
    config = Config(logs=["audit.log*"], probe_accounts=["Probe@example.gov.vn"], domain="skhcn.example.gov.vn")
    assert use_of(tmp_path, *lines, config=config) == {by(20260105): 1}


def test_a_line_whose_day_cannot_be_is_quarantined_without_its_content(tmp_path: Path) -> None:
    lines = [auth(WHEN, AN)] * 150
    lines.insert(3, auth(WHEN, "canary@d.test").replace("2026-01-05", "2026-01-35"))
    put(tmp_path / "audit.log", text(lines), at("2026-01-19 23:00:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, AUDIT)
    assert kept.use() == {by(20260105): (150, 0)}
    assert [bad.field for bad in kept.bad] == ["time"]
    assert "canary" not in json.dumps(kept.cursor) + repr(kept)


def test_nothing_is_pending_and_nobody_is_named_in_the_cursor(tmp_path: Path) -> None:
    put(tmp_path / "audit.log", text([auth(WHEN, AN), refused(WHEN, BINH)]), BEGAN - 60)
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, AUDIT)
    assert kept.cursor is not None
    pending = kept.cursor["logs"]["audit.log*"]["pending"]
    assert pending == {name: {} for name in ("sessions", "mails", "accepted", "unlinked", "linked", "told", "consoles")}
    assert "skhcn" not in json.dumps(kept.cursor) + repr(kept.mailbox_days)


# -- rotation, several servers -----------------------------------------------------------------------------------------


def days(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))


def hours(first: str, count: int, user: str = AN) -> bytes:
    """A login each hour."""
    return text(auth(at(first) + 3600 * number, user) for number in range(count))


def test_a_log_that_is_renamed_at_midnight_and_packed_later_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    put(log, hours("2026-01-05 00:00:00", 20), at("2026-01-05 19:30:00"))
    kept = run(Kept(), Door(tmp_path, at("2026-01-05 20:00:00")), SINCE, AUDIT)
    whole = hours("2026-01-05 00:00:00", 24)
    put(tmp_path / "audit.log.2026-01-05", whole, at("2026-01-05 23:00:00"))
    put(log, hours("2026-01-06 00:00:00", 3), at("2026-01-06 02:00:00"))
    run(kept, Door(tmp_path, at("2026-01-06 03:00:00")), SINCE, AUDIT)
    (tmp_path / "audit.log.2026-01-05").unlink()
    put(tmp_path / "audit.log.2026-01-05.gz", gzip.compress(whole), at("2026-01-06 03:30:00"))
    put(tmp_path / "audit.log.2026-01-06", hours("2026-01-06 00:00:00", 24), at("2026-01-06 23:00:00"))
    put(log, hours("2026-01-07 00:00:00", 9), at("2026-01-07 08:00:00"))
    run(kept, Door(tmp_path, at("2026-01-07 09:00:00")), SINCE, AUDIT)
    assert kept.use() == {by(20260105): (24, 0), by(20260106): (24, 0), by(20260107): (9, 0)}
    assert kept.covered["mailbox_day"] == {20260106}
    # Forgotten how far it was read, it tells the same.
    again = run(Kept(spans=kept.spans), Door(tmp_path, at("2026-01-07 09:00:00")), SINCE, AUDIT)
    assert again.mailbox_days == kept.mailbox_days


def test_between_files_of_one_day_and_the_next_nothing_is_missing_however_quiet_the_night(tmp_path: Path) -> None:
    # Nobody logs in on Saturday before the evening; seen for the first time when all is over.
    put(tmp_path / "audit.log.2026-01-08", hours("2026-01-08 07:00:00", 3), at("2026-01-08 09:00:00"))
    put(tmp_path / "audit.log.2026-01-09", hours("2026-01-09 07:00:00", 3), at("2026-01-09 09:00:00"))
    put(tmp_path / "audit.log.2026-01-10", hours("2026-01-10 20:00:00", 1), at("2026-01-10 20:00:00"))
    put(tmp_path / "audit.log", hours("2026-01-11 19:00:00", 1), at("2026-01-11 19:00:00"))
    config = Config(logs=["audit.log*"])
    kept = run(Kept(), Door(tmp_path, at("2026-01-12 08:00:00")), SINCE, config)
    assert kept.covered["mailbox_day"] == {20260109, 20260110}


def test_a_day_without_its_file_is_not_covered_unless_a_run_watched_it(tmp_path: Path) -> None:
    config = Config(logs=["audit.log*"])
    put(tmp_path / "audit.log.2026-01-08", hours("2026-01-08 07:00:00", 3), at("2026-01-08 09:00:00"))
    put(tmp_path / "audit.log", hours("2026-01-09 07:00:00", 3), at("2026-01-09 09:00:00"))
    door = Door(tmp_path, at("2026-01-09 10:00:00"))
    unseen, watched = Kept(), run(Kept(), door, SINCE, config)
    # A weekend passes; on Sunday evening a run looks again.
    run(watched, Door(tmp_path, at("2026-01-11 22:00:00")), SINCE, config)
    (tmp_path / "audit.log").rename(tmp_path / "audit.log.2026-01-09")
    put(tmp_path / "audit.log", hours("2026-01-12 07:00:00", 3), at("2026-01-12 09:00:00"))
    for kept, expected in ((watched, days(20260109, 20260112)), (unseen, {20260109})):
        run(kept, Door(tmp_path, at("2026-01-12 10:00:00")), SINCE, config)
        put(tmp_path / "audit.log", hours("2026-01-12 07:00:00", 26), at("2026-01-13 08:00:00"))
        run(kept, Door(tmp_path, at("2026-01-13 10:00:00")), SINCE, config)
        assert kept.covered["mailbox_day"] == expected
        put(tmp_path / "audit.log", hours("2026-01-12 07:00:00", 3), at("2026-01-12 09:00:00"))


def test_who_used_a_mailbox_on_any_of_several_servers_used_it(tmp_path: Path) -> None:
    one, two = hours("2026-01-04 22:00:00", 40), hours("2026-01-05 22:00:00", 20, BINH)
    put(tmp_path / "mbox1-audit.log", one, BEGAN - 60)
    put(tmp_path / "mbox2-audit.log", hours("2026-01-04 21:30:00", 1, BINH) + two, BEGAN - 60)
    config = Config(logs=["mbox1-audit.log*", "mbox2-audit.log*"])
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, config)
    assert set(kept.use()) == {by(20260104), by(20260105), by(20260106)} | {
        by(day, BINH) for day in days(20260104, 20260106)
    }
    # A day needs the logs of both: neither tells alone that somebody did not log in.
    assert kept.covered["mailbox_day"] == {20260105}


# -- any cutting, any mistake ------------------------------------------------------------------------------------------


@st.composite
def _audit(draw: st.DrawFn) -> tuple[list[str], Counter[tuple[int, str]], set[tuple[int, str]]]:
    """Lines in order of time, with the logins and the presences that they tell."""
    when = at("2025-12-29 10:00:00")
    lines: list[str] = []
    logins: Counter[tuple[int, str]] = Counter()
    present: set[tuple[int, str]] = set()
    for _ in range(draw(st.integers(1, 40))):
        when += draw(st.sampled_from([0, 1, 60, 3600, 20_000, 86_400]))
        user = draw(st.sampled_from(["an@a.test", "binh@a.test", "chi@b.test"]))
        day = int(auth(when, user)[:10].replace("-", ""))
        match draw(st.sampled_from(["auth", "auth", "asked", "command", "refused", "trace", "noise"])):
            case "auth":
                lines.append(auth(when, user, draw(st.sampled_from(["soap", "imap"]))))
                logins[by(day, user)] += 1
            case "asked":
                lines.append(asked(when, user))
                present.add(by(day, user))
            case "command":
                lines.append(command(when, user))
                present.add(by(day, user))
            case "refused":
                lines.append(refused(when, user))
            case "trace":
                lines += TRACE.splitlines()
            case _:
                lines.append(zimbra(when, "", "misc - nothing"))
    return lines, logins, present


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(told=_audit(), block=st.integers(300, 3000), stops=st.lists(st.integers(0, 40), max_size=4), turn=st.booleans())
def test_any_cutting_and_any_rotation_tell_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: tuple[list[str], Counter[tuple[int, str]], set[tuple[int, str]]],
    block: int,
    stops: list[int],
    *,
    turn: bool,
) -> None:
    lines, logins, present = told
    lines.insert(0, zimbra(at("2025-12-29 09:00:00"), "", "misc - begin"))
    began = at("2026-03-20 08:00:00")
    for old in tmp_path.iterdir():
        old.unlink()
    kept = Kept()
    with monkeypatch.context() as patch:
        patch.setattr(chain, "BLOCK", block)
        stops = sorted({min(stop + 1, len(lines)) for stop in stops} | {len(lines)})
        for begin, stop in pairwise([0, *stops]):
            if turn:
                # log4j begins a file with a line of its own.
                while begin < stop and not lines[begin].startswith("20"):
                    begin += 1
                if begin == stop:
                    continue
                if (tmp_path / "audit.log").exists():
                    (tmp_path / "audit.log").rename(tmp_path / f"audit.log.{begin:04d}")
                content = text(lines[begin:stop])
            else:
                content = text(lines[:stop]) + (lines[stop].encode()[:60] if stop < len(lines) else b"")
            put(tmp_path / "audit.log", content, began - 3600 + stop)
            run(kept, Door(tmp_path, began + stop), 20251201, AUDIT)
    found = {key: sessions for key, (sessions, _) in kept.use().items()}
    assert found.keys() == logins.keys() | present
    assert {key: n for key, n in found.items() if key not in present} == {
        key: n for key, n in logins.items() if key not in present
    }
    again = run(Kept(spans=kept.spans), Door(tmp_path, began + 99), 20251201, AUDIT)
    assert again.mailbox_days == kept.mailbox_days


def test_whatever_is_in_a_line_nothing_crashes_and_every_good_line_counts() -> None:
    random_ = random.Random(7)
    good = [auth(WHEN + n, f"user{n}@d.test") for n in range(400)]
    samples = [auth(WHEN, "x@d.test"), refused(WHEN, "x@d.test"), asked(WHEN, "x@d.test"), command(WHEN, "x@d.test")]
    bad: list[str] = []
    for _ in range(4000):
        line = list(random_.choice(samples))
        for _ in range(random_.randint(1, 12)):
            place = random_.randrange(len(line))
            line[place : place + random_.randint(0, 3)] = random_.choice(
                [";", "]", "[", "=", ";;", "\0", "é", " - ", ""]
            )
        bad.append("".join(line))
    mixed = [*good, *bad]
    random_.shuffle(mixed)
    calendar = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"), WHEN)
    use = zimbra_lines.read(text(mixed), calendar, lambda user, _: user.decode("utf-8", "replace"), Pending())
    counted = {who for _, who in use.sessions}
    assert {f"user{n}@d.test" for n in range(400)} <= counted


# -- the log of Zimbra's MTA -------------------------------------------------------------------------------------------

MTA = """\
Jan  5 08:00:00 mbox1 postfix/submission/smtpd[19539]: 71FF5224043: client=unknown[10.9.9.9], sasl_method=PLAIN, \
sasl_username=an@skhcn.example.gov.vn
Jan  5 08:00:00 mbox1 saslauthd[1888]: zmauth: authenticating against elected url 'https://mbox1:7073/'
Jan  5 08:00:00 mbox1 postfix/cleanup[19545]: 71FF5224043: message-id=<m1@mx.test>
Jan  5 08:00:00 mbox1 postfix/qmgr[19532]: 71FF5224043: \
from=<an@skhcn.example.gov.vn>, size=445, nrcpt=2 (queue active)
Jan  5 08:00:01 mbox1 postfix/amavisd/smtpd[19550]: 136CE24C213: client=localhost[127.0.0.1], \
orig_queue_id=71FF5224043, orig_client=unknown[10.9.9.9]
Jan  5 08:00:01 mbox1 postfix/qmgr[19532]: 136CE24C213: from=<an@skhcn.example.gov.vn>, size=900, nrcpt=2 (queue \
active)
Jan  5 08:00:01 mbox1 amavis[2222]: (02222-01) Passed CLEAN {RelayedOutbound}, \
<an@skhcn.example.gov.vn> -> <x@gmail.com>
Jan  5 08:00:01 mbox1 postfix/smtp[19547]: 71FF5224043: to=<x@gmail.com>, relay=127.0.0.1[127.0.0.1]:10032, \
delay=0.5, delays=0.1/0/0/0.4, dsn=2.0.0, \
status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10030): 250 2.0.0 Ok: queued as 136CE24C213)
Jan  5 08:00:01 mbox1 postfix/smtp[19547]: 71FF5224043: to=<binh@syt.example.gov.vn>, \
relay=127.0.0.1[127.0.0.1]:10032, delay=0.5, delays=0.1/0/0/0.4, dsn=2.0.0, \
status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10030): 250 2.0.0 Ok: queued as 136CE24C213)
Jan  5 08:00:01 mbox1 postfix/qmgr[19532]: 71FF5224043: removed
Jan  5 08:00:02 mbox1 postfix/lmtp[19560]: 136CE24C213: to=<binh@syt.example.gov.vn>, relay=mbox1[10.0.0.7]:7025, \
delay=0.4, delays=0.1/0/0/0.3, dsn=2.1.5, status=sent (250 2.1.5 Delivery OK)
Jan  5 08:00:03 mbox1 postfix/smtp[19561]: 136CE24C213: to=<x@gmail.com>, \
relay=gmail-smtp-in.l.google.com[142.250.0.1]:25, delay=1.4, delays=0.1/0/0.3/1, dsn=2.0.0, status=sent (250 2.0.0 OK \
 1767 d9443c01a7336 - gsmtp)
Jan  5 08:00:03 mbox1 postfix/qmgr[19532]: 136CE24C213: removed
Jan  5 08:00:04 mbox1 zmconfigd[3333]: Watchdog: service antivirus status is OK.
"""
WEB = (
    MTA.replace("sasl_method=PLAIN, sasl_username=an@skhcn.example.gov.vn", "")
    .replace("71FF5224043", "81FF5224043")
    .replace("136CE24C213", "236CE24C213")
    .replace("client=unknown[10.9.9.9], ", "client=mbox1[10.0.0.7]")
    .replace("orig_client=unknown[10.9.9.9]", "orig_client=mbox1[10.0.0.7]")
)


def test_a_mail_through_zimbras_filter_counts_once_with_its_last_hop(tmp_path: Path) -> None:
    config = Config(logs=["zimbra.log*"], webmail_hosts=["10.0.0.7", "127.0.0.1"])
    put(tmp_path / "zimbra.log", MTA.encode(), at("2026-01-19 23:00:00"))
    for settings_ in (Config(logs=["zimbra.log*"]), config):
        kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, settings_)
        assert (kept.use(), kept.deliveries()) == ({by(20260105): (0, 1)}, {by(20260105): (1, 1)})
    # What the web client hands over has no user's name: the mailbox server must be trusted for it.
    put(tmp_path / "zimbra.log", WEB.encode(), at("2026-01-19 23:00:00"))
    assert run(Kept(), Door(tmp_path, BEGAN), SINCE, Config(logs=["zimbra.log*"])).use() == {}
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, config)
    assert (kept.use(), kept.deliveries()) == ({by(20260105): (0, 1)}, {by(20260105): (1, 1)})
