"""Mailboxes of a Zimbra server, read from the double through the real HTTP door."""

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from collector.assembly import find_connector
from collector.contract.connector import Batch, Finding
from collector.contract.door import Pages
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.period import days
from collector.settings import load
from collector.transports import Run, http
from collector.transports.budget import Budget
from connectors.email import zimbra
from connectors.email.zimbra import Config
from tests.connectors.email.dovecot_runs import morning, row_of, told, value, want
from tests.connectors.email.reading import Kept, pseudonym
from tests.connectors.email.zimbra_double import ADMIN, PASSWORD, SHAPES, Zimbra, serving

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "vanthu@syt.example.gov.vn"
SKHCN, SYT = "skhcn.example.gov.vn", "syt.example.gov.vn"
JANUARY, FEBRUARY = 20260101, 20260201
DAY = 20260115
MIB = 1 << 20


@pytest.fixture
def server() -> Iterator[Zimbra]:
    with serving() as started:
        started.clock = morning(DAY)
        yield started


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the door rested between tries: it only says so, and its clock moves on by that much."""
    rested: list[float] = []

    def budget(run: Run) -> Budget:
        return Budget(run, lambda: time.monotonic() + sum(rested), rested.append)

    monkeypatch.setattr(http, "Budget", budget)
    return rested


def config(**settings: Any) -> Config:
    return Config.model_validate({"account": ADMIN, "password": SecretStr(PASSWORD), **settings})


KINDS = {"vanthu@*": "shared", "*": "personal"}


@contextmanager
def open_door(server: Zimbra, day: int = DAY) -> Iterator[Pages]:
    settings = http.Options.model_validate({"base_url": server.address, "tries": 4, "timeout": 30})
    with http.open_door(settings, Run("zimbra", morning(day), 120.0, 100_000, pseudonym)) as door:
        yield door


def run(server: Zimbra, kept: Kept, day: int = DAY, settings: Config | None = None, **more: Any) -> list[Batch]:
    """Run the connector on a local day, keep what it yields as far as it comes, and return it."""
    wanted = want(kept, day, **more)
    batches = []
    with open_door(server, day) as door:
        for batch in zimbra.fetch(settings or config(kinds=KINDS), door, wanted):
            kept.save(batch, window=wanted.window)
            batches.append(batch)
    return batches


def failure(server: Zimbra, kind: type[CollectorError], settings: Config | None = None) -> CollectorError:
    kept = Kept()
    with pytest.raises(kind) as raised:
        run(server, kept, DAY, settings)
    assert (kept.mailboxes, kept.cursor, dict(kept.covered)) == ({}, None, {})
    assert raised.value.source == "zimbra"
    return raised.value


def asked(server: Zimbra) -> list[str]:
    return [name.removesuffix("Request") for name, _ in server.questions]


def shuffled(chance: random.Random) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: chance.sample(rows, len(rows))


def many(count: int) -> list[str]:
    return [f"u{number:05d}@{SYT}" for number in range(count)]


def listed(kept: Kept) -> set[str]:
    return {key.partition(":")[2] for key in kept.mailboxes}


def pseudonyms(*addresses: str) -> set[str]:
    return {pseudonym(address, JANUARY) for address in addresses}


# --- one run


def test_a_run_gives_one_row_for_each_mailbox(server: Zimbra) -> None:
    server.put(AN, quota=str(5 * MIB), used=4_660_443, created="20240229170000.123Z")
    server.put(BINH, quota="0", created=None)
    server.put(CHI, status="locked", used=1, server="mbs2", created="20260110020000Z")
    kept = Kept()
    batches = run(server, kept)
    an, binh, chi = (pseudonym(address, JANUARY) for address in (AN, BINH, CHI))
    changed = morning(DAY) * 1_000_000
    assert {row[:-1] for row in kept.mailboxes.values()} == {
        (f"202601:{an}", SKHCN, changed, 0, JANUARY, an, "personal", 20240301, DAY, None, 5_242_880, 4_660_443),
        (f"202601:{binh}", SYT, changed, 0, JANUARY, binh, "personal", None, DAY, None, 0, 0),
        (f"202601:{chi}", SYT, changed, 0, JANUARY, chi, "shared", DAY, DAY, DAY, 0, 1),
    }
    assert (kept.covered, kept.bad, batches[-1].cursor) == ({}, [], kept.cursor)
    assert asked(server) == [
        *("Auth", "GetAllDomains"),
        *("SearchDirectory", "GetQuotaUsage", "SearchDirectory", "GetQuotaUsage"),
    ]


def test_shapes_order_and_size_of_pages_do_not_matter(server: Zimbra) -> None:
    server.put(AN, used=3, more={"ou": ["H44.05"]})
    server.put(*many(57), used=5, quota="1024")
    server.put("odd@syt.example.gov.vn", status="CANARY")
    server.put("twice@syt.example.gov.vn", more={"ou": ["H44.07", "H44.06"]})
    first = Kept()
    run(server, first, settings=config(agency_attribute="ou"))
    assert len(first.mailboxes) == 60
    assert row_of(first, AN, JANUARY)[1] == "H44.05"
    assert row_of(first, "twice@syt.example.gov.vn", JANUARY)[1] == "H44.06"
    for seed, (shape, size) in enumerate((shape, size) for shape in SHAPES for size in (2, 7, 60)):
        server.shape = shape
        server.reorder = shuffled(random.Random(seed))
        again = Kept()
        run(server, again, settings=config(agency_attribute="ou", page_size=size))
        assert (again.mailboxes, again.cursor, again.bad) == (first.mailboxes, first.cursor, first.bad)


def test_a_domain_without_accounts_and_a_server_without_domains_close_nobody(server: Zimbra) -> None:
    kept = Kept()
    run(server, kept)
    server.put(AN)
    server.domains.append("empty.example.gov.vn")
    run(server, kept)
    assert listed(kept) == pseudonyms(AN)
    assert asked(server)[2:] == ["Auth", "GetAllDomains", "SearchDirectory", "SearchDirectory", "GetQuotaUsage"]


def test_only_the_domains_that_are_named_are_read(server: Zimbra) -> None:
    server.put(AN, BINH)
    server.rights -= {"listDomain"}
    kept = Kept()
    run(server, kept, settings=config(domains=[SYT]))
    assert listed(kept) == pseudonyms(BINH)
    assert asked(server) == ["Auth", "SearchDirectory", "GetQuotaUsage"]


def test_whose_and_of_which_kind_a_mailbox_is_follows_patterns_then_an_attribute_then_the_domain(
    server: Zimbra,
) -> None:
    server.put(AN, BINH)
    server.put(CHI, more={"ou": [" H44.05 "]})
    server.put("D.phong1@example.gov.vn", more={"ou": ["H44.06"]})
    kept = Kept()
    settings = config(
        agency_codes={"*.PHONG1@example.gov.vn": "H44.07", "*@example.gov.vn": "H44.08"},
        agency_attribute="ou",
        kinds={"vanthu@*": "shared", "*@skhcn.*": "personal"},
    )
    run(server, kept, settings=settings)
    assert {one.name: row_of(kept, one.name, JANUARY)[1:7:5] for one in server.accounts.values()} == {
        AN: (SKHCN, "personal"),
        BINH: (SYT, None),
        CHI: ("H44.05", "shared"),
        "D.phong1@example.gov.vn": ("H44.07", None),
    }


def test_zimbras_own_accounts_are_nobodys_mailbox(server: Zimbra) -> None:
    server.put(AN, "nguyen.spam@syt.example.gov.vn", "hamy@syt.example.gov.vn", "probe@syt.example.gov.vn")
    server.put("marked@syt.example.gov.vn", more={"zimbraIsSystemAccount": ["TRUE"]})
    server.put("room@syt.example.gov.vn", more={"zimbraIsSystemResource": ["TRUE"]})
    server.put("unmarked@syt.example.gov.vn", more={"zimbraIsSystemAccount": ["FALSE"]})
    server.put("list@syt.example.gov.vn", element="dl")
    server.put("galsync@x.test", "galsync.ab12@x.test", "spam.q_8@x.test", "virus-quarantine.9@x.test")
    server.put("HAM.zaqlo3hpxu@x.test", more={"zimbraIsSystemAccount": ["TRUE"]})
    server.put("ham.nguyen@syt.example.gov.vn", "galsynchro@syt.example.gov.vn")
    kept = Kept()
    run(server, kept, settings=config(leave_out=["PROBE@*"]))
    people = (
        "ham.nguyen@syt.example.gov.vn",
        "galsynchro@syt.example.gov.vn",
        "nguyen.spam@syt.example.gov.vn",
        "hamy@syt.example.gov.vn",
        "unmarked@syt.example.gov.vn",
    )
    assert listed(kept) == pseudonyms(AN, *people)
    assert kept.bad == []
    kept = Kept()
    run(server, kept, settings=config(system_names=["galsync*@*"], domains=["x.test"]))
    assert listed(kept) == pseudonyms("spam.q_8@x.test", "virus-quarantine.9@x.test")


def test_a_last_log_on_is_asked_for_only_if_it_is_to_be_held_against_the_logs(server: Zimbra) -> None:
    server.put(AN, BINH, CHI)
    server.logon(AN, morning(20260110))
    server.logon(BINH, morning(20251230))
    server.accounts[f"id-of-{CHI}"].more["zimbraLastLogonTimestamp"] = ["rubbish"]
    kept = Kept()
    run(server, kept)
    assert {value(row, "last_login_day") for row in kept.mailboxes.values()} == {None}
    assert "zimbraLastLogonTimestamp" not in str(server.questions)
    run(server, kept := Kept(), settings=config(kinds=KINDS, last_logon=True))
    told_ = {one: value(row_of(kept, one, JANUARY), "last_login_day") for one in (AN, BINH, CHI)}
    assert (told_, kept.bad) == ({AN: 20260110, BINH: None, CHI: None}, [])


# --- states and days


@pytest.mark.parametrize("status", ["locked", "closed", "lockout", "pending", "maintenance", "Locked"])
def test_any_state_but_active_closes_a_mailbox_from_the_day_of_the_run(server: Zimbra, status: str) -> None:
    server.put(AN, BINH, created="20260101000000Z")
    kept = Kept()
    run(server, kept, 20260110)
    server.put(BINH, status=status, created="20260101000000Z")
    run(server, kept, 20260112)
    assert told(kept, AN, JANUARY) == (20260110, None)
    assert told(kept, BINH, JANUARY) == (20260110, 20260112)
    assert value(row_of(kept, BINH, JANUARY), "active_from_day") == 20260101
    assert set(kept.covered["mailbox"]) == set(days(20260110, 20260111))


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("20260110165959Z", 20260110),
        ("20260110170000Z", 20260111),
        ("20260110165959.999Z", 20260110),
        ("20260110170000.000Z", 20260111),
        ("20251231170000Z", 20260101),
        (None, None),
    ],
)
def test_a_mailbox_is_active_from_the_local_day_of_its_creation(
    server: Zimbra, written: str | None, day: int | None
) -> None:
    server.put(AN, created=written)
    kept = Kept()
    run(server, kept)
    assert value(row_of(kept, AN, JANUARY), "active_from_day") == day
    assert (value(row_of(kept, AN, JANUARY), "kind"), kept.bad) == ("personal", [])


@pytest.mark.parametrize("written", ["CANARY", "20261301000000Z", "20260110170000", "20260120000000Z", "0"])
def test_a_creation_that_cannot_be_makes_one_mailbox_unknown(server: Zimbra, written: str) -> None:
    server.put(AN, created=written)
    server.put(BINH)
    kept = Kept()
    run(server, kept)
    assert row_of(kept, AN, JANUARY)[6:10] == (None, None, DAY, None)
    assert row_of(kept, BINH, JANUARY)[6] == "personal"
    assert [(bad.key, bad.field) for bad in kept.bad] == [(f"202601:{pseudonym(AN, JANUARY)}", "zimbraCreateTimestamp")]


def active_from(kept: Kept, address: str, month: int) -> tuple[Any, Any, Any]:
    row = row_of(kept, address, month)
    return value(row, "active_from_day"), value(row, "first_listed_day"), value(row, "closed_day")


def test_who_was_closed_when_first_seen_was_not_active_since_its_creation(server: Zimbra) -> None:
    server.put(AN)
    server.put(BINH, status="pending")
    kept = Kept()
    run(server, kept, 20260110)
    assert active_from(kept, BINH, JANUARY) == (20260110, 20260110, 20260110)
    server.put(BINH)
    run(server, kept, 20260112)
    assert active_from(kept, BINH, JANUARY) == (20260110, 20260110, None)
    assert active_from(kept, AN, JANUARY) == (20250101, 20260110, None)


def test_the_creation_is_carried_into_the_next_month_unless_it_was_closed_between(server: Zimbra) -> None:
    server.put(AN, BINH, CHI)
    kept = Kept()
    run(server, kept, 20260110)
    server.put(BINH, status="closed")
    run(server, kept, 20260111)
    run(server, kept, 20260131)
    server.put(BINH)
    del server.accounts[f"id-of-{CHI}"]
    for day in (20260202, 20260203):
        run(server, kept, day)
        assert active_from(kept, AN, FEBRUARY) == (20250101, 20260110, None)
        assert active_from(kept, BINH, FEBRUARY) == (20260202, 20260202, None)
    assert told(kept, CHI, FEBRUARY) is None
    assert active_from(kept, BINH, JANUARY) == (20250101, 20260110, 20260111)
    server.put(CHI, created="20260203180000Z")
    run(server, kept, 20260204)
    assert active_from(kept, CHI, FEBRUARY) == (20260204, 20260204, None)
    del server.accounts[f"id-of-{CHI}"]
    run(server, kept, 20260205)
    assert active_from(kept, CHI, FEBRUARY) == (20260204, 20260204, 20260205)


def test_the_server_is_asked_once_a_day_and_never_about_the_past(server: Zimbra) -> None:
    server.put(AN)
    kept = Kept()
    run(server, kept)
    count = len(server.questions)
    run(server, kept)
    run(server, kept, 20260116, window=True, first_day=DAY, last_day=DAY)
    assert len(server.questions) == count
    run(server, kept, 20260116)
    assert set(kept.covered["mailbox"]) == {DAY}


def test_a_server_that_suddenly_lacks_most_mailboxes_is_not_believed(server: Zimbra) -> None:
    server.put(AN, *many(20))
    kept = Kept()
    run(server, kept)
    server.domains.remove(SYT)
    with pytest.raises(UnexpectedAnswer, match="20 of 21 active mailboxes are suddenly gone"):
        run(server, kept, 20260116)


# --- quota


def test_quota_is_in_bytes_also_from_the_class_of_service_and_zero_is_no_limit(server: Zimbra) -> None:
    server.cos_quota = "2048"
    server.put(AN)
    server.put(BINH, quota="0", used=10**13)
    server.put(CHI, quota="4096", used=4096, server="mbs2")
    kept = Kept()
    run(server, kept)
    assert [row_of(kept, one, JANUARY)[10:12] for one in (AN, BINH, CHI)] == [(2048, 0), (0, 10**13), (4096, 4096)]


def test_a_quota_that_is_no_number_costs_only_itself(server: Zimbra) -> None:
    server.put(AN, quota="CANARY", used=5)
    kept = Kept()
    run(server, kept)
    assert row_of(kept, AN, JANUARY)[6:12] == ("personal", 20250101, DAY, None, None, 5)
    assert [bad.field for bad in kept.bad] == ["zimbraMailQuota"]


def test_usage_is_not_asked_for_where_it_is_not_wanted(server: Zimbra) -> None:
    server.rights -= {"getDomainQuotaUsage"}
    server.put(AN, used=5, quota="1024")
    error = failure(server, AccessDenied)
    assert (error.stage, error.field) == ("read", "GetQuotaUsageRequest")
    assert "`usage: false`" in error.mend
    kept = Kept()
    run(server, kept, settings=config(usage=False))
    assert row_of(kept, AN, JANUARY)[10:12] == (1024, None)


# --- what cannot be used


def test_an_unknown_state_makes_the_kind_unknown_and_leaves_the_rest_as_it_was(server: Zimbra) -> None:
    server.put(AN, BINH)
    kept = Kept()
    run(server, kept)
    server.put(AN, more={"zimbraAccountStatus": ["active", "locked"]})
    run(server, kept, 20260116)
    assert row_of(kept, AN, JANUARY)[6:10] == (None, 20250101, DAY, None)
    assert [(bad.field, bad.reason) for bad in kept.bad] == [("zimbraAccountStatus", "it is none of the known states")]
    server.put(AN, more={"zimbraAccountStatus": ["active", "active"]})
    kept = Kept()
    run(server, kept)
    assert kept.bad == []


def test_a_name_that_is_no_address_is_set_aside(server: Zimbra) -> None:
    server.put(*many(20), "a b@syt.example.gov.vn")
    kept = Kept()
    run(server, kept)
    assert (len(kept.mailboxes), [bad.field for bad in kept.bad]) == (20, ["name"])


@pytest.mark.parametrize(("bad", "good", "stops"), [(1, 9, False), (2, 8, True), (2, 198, False), (3, 197, True)])
def test_over_one_percent_that_cannot_be_used_stop_the_source(server: Zimbra, bad: int, good: int, stops: bool) -> None:
    server.put(*many(good + bad))
    server.put(*many(bad), status="other")
    if stops:
        assert failure(server, UnexpectedAnswer).field == "zimbraAccountStatus"
    else:
        kept = Kept()
        run(server, kept)
        assert len(kept.bad) == bad


def test_a_server_that_tells_no_state_at_all_is_not_understood(server: Zimbra) -> None:
    server.put(AN, BINH, status=None)
    error = failure(server, UnexpectedAnswer)
    assert error.field == "zimbraAccountStatus"
    assert "rights" in error.mend


# --- pages that are no snapshot


def changing(server: Zimbra, changes: list[Callable[[], None]]) -> None:
    """Let these happen, one before each search but the first."""
    steps = iter([lambda: None, *changes])

    def step() -> None:
        next(steps, lambda: None)()

    server.before_search = step


def test_accounts_that_come_or_go_between_pages_are_neither_lost_nor_counted_twice(server: Zimbra) -> None:
    names = many(12)

    def change(gone: Sequence[str] = (), come: Sequence[str] = ()) -> Callable[[], None]:
        def happens() -> None:
            for name in gone:
                del server.accounts[f"id-of-{name}"]
            server.put(*(f"{name}@{SYT}" for name in come))

        return happens

    for changes in (
        [change(gone=[names[0]])],
        [change(gone=[names[11]])],
        [change(come=["a"])],
        [change(come=["z"])],
        [change([names[1]], ["z"])],
        [change([names[9]], ["a"])],
        # As many as before each time, and in the end as many as were seen: but the sixth was never shown.
        [change(names[:2], ["y", "z"]), change([names[11]], ["a"])],
        [change(), change(gone=names[:2]), change(come=["b"])],
    ):
        server.accounts.clear()
        server.put(*names)
        changing(server, changes)
        kept = Kept()
        run(server, kept, settings=config(domains=[SYT], page_size=5, usage=False))
        assert listed(kept) == pseudonyms(*(one.name for one in server.accounts.values()))


def test_a_list_that_never_stands_still_is_read_three_times_and_left_for_later(server: Zimbra) -> None:
    server.put(*many(12))
    numbers = iter(range(1000))
    server.before_search = lambda: server.put(f"z{next(numbers):04d}@{SYT}")
    error = failure(server, TryAgain, config(domains=[SYT], page_size=5, usage=False))
    assert (error.stage, error.field) == ("read", "SearchDirectoryRequest")
    starts = [asked for name, asked in server.questions if asked.get("offset") == "0"]
    assert len(starts) == 3


def test_ten_thousand_accounts_are_read_beyond_the_cap_of_a_search(server: Zimbra) -> None:
    server.put(*many(10_000), used=7, quota="1024")
    kept = Kept()
    run(server, kept)
    run(server, kept, 20260116)
    assert len(kept.mailboxes) == 10_000
    assert kept.bad == []
    assert {row[10:12] for row in kept.mailboxes.values()} == {(1024, 7)}
    # 1 + 999 a page: the last of the page before is asked for again.
    assert asked(server) == ["Auth", "GetAllDomains", *["SearchDirectory"] * 11, "GetQuotaUsage"] * 2
    assert all("maxResults" in given for name, given in server.questions if name == "SearchDirectoryRequest")


# --- logging in


def test_a_wrong_password_is_tried_once_and_never_again(server: Zimbra, rests: list[float]) -> None:
    server.put(AN)
    error = failure(server, AccessDenied, config(password=SecretStr("canary-wrong")))
    assert (error.stage, error.field) == ("log in", "AuthRequest")
    assert "account.AUTH_FAILED" in error.reason
    assert "lock-out" in error.mend
    assert (server.logins, server.wrong, len(server.questions), rests) == (1, 1, 1, [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"second_factor": True}, "account.TWO_FACTOR_AUTH_FAILED"),
        ({"expired_password": True}, "account.CHANGE_PASSWORD"),
        ({"wrong": 3}, "account.AUTH_FAILED"),
    ],
)
def test_a_log_in_that_is_refused_otherwise_is_tried_once_too(
    server: Zimbra, change: dict[str, Any], code: str
) -> None:
    for name, content in change.items():
        setattr(server, name, content)
    error = failure(server, AccessDenied)
    assert (error.stage, server.logins, len(server.questions)) == ("log in", 1, 1)
    assert code in error.reason


@pytest.mark.parametrize("lost", [(500, ""), (503, "<html>starting</html>"), (500, "{}")])
def test_a_log_in_whose_answer_got_lost_is_not_repeated(server: Zimbra, lost: tuple[int, str]) -> None:
    server.http_failures = [lost]
    failure(server, TryAgain)
    assert server.http_failures == []
    assert server.questions == []


def test_a_failure_that_passes_costs_one_more_question(server: Zimbra, rests: list[float]) -> None:
    server.put(AN)

    def trouble() -> None:
        server.busy, server.before_search = 1, lambda: None

    server.before_search = trouble
    kept = Kept()
    run(server, kept)
    assert asked(server) == ["Auth", "GetAllDomains", "SearchDirectory", "GetQuotaUsage", "GetQuotaUsage"]
    assert (server.logins, len(rests), len(kept.mailboxes)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("change", "code", "questions"),
    [
        ({"down": frozenset({"mbs2"})}, "service.PROXY_ERROR", 3 + 4),
        ({"is_wrong_host": True}, "service.WRONG_HOST", 3 + 4),
        ({"busy": 99}, "service.TEMPORARILY_UNAVAILABLE", 1),
    ],
)
def test_what_may_pass_is_left_for_later_with_its_code(
    server: Zimbra, change: dict[str, Any], code: str, questions: int
) -> None:
    server.put(AN)
    for name, content in change.items():
        setattr(server, name, content)
    error = failure(server, TryAgain)
    assert code in error.reason
    assert error.mend
    assert len(server.questions) == questions


@pytest.mark.parametrize("right", ["listDomain", "listAccount"])
def test_a_right_that_is_missing_stops_the_source_at_once(server: Zimbra, right: str) -> None:
    server.put(AN)
    server.rights -= {right}
    error = failure(server, AccessDenied)
    assert (error.stage, "service.PERM_DENIED" in error.reason) == ("read", True)
    refused = {"listDomain": "GetAllDomains", "listAccount": "SearchDirectory"}[right]
    assert asked(server).count(refused) == 1
    assert asked(server)[-1] == refused


def test_faults_that_need_a_hand_name_the_mend(server: Zimbra) -> None:
    server.put(*many(3))
    error = failure(server, UnexpectedAnswer, config(domains=["nowhere.example.gov.vn"]))
    assert ("account.NO_SUCH_DOMAIN" in error.reason, "`domains`" in error.mend) == (True, True)
    server.directory_limit = 2
    error = failure(server, UnexpectedAnswer)
    assert "account.TOO_MANY_SEARCH_RESULTS" in error.reason
    assert "zimbra_directory_max_search_result" in error.mend
    assert asked(server).count("SearchDirectory") == 2, "neither was asked again"


def test_a_token_that_runs_out_is_renewed_and_the_question_repeated(server: Zimbra) -> None:
    server.put(*many(40))
    server.lifetime, server.pace = 300, 60
    kept = Kept()
    run(server, kept, settings=config(page_size=5))
    assert len(kept.mailboxes) == 40
    renewed = [at for at, name in enumerate(asked(server)) if name == "Auth"]
    # Each token lasts for four questions; the fifth is refused.
    assert renewed == [0, 6, 12]
    repeated = [(server.questions[at - 1], server.questions[at + 1]) for at in renewed[1:]]
    assert all(before == after for before, after in repeated)


def test_a_token_that_is_never_taken_is_renewed_once_only(server: Zimbra) -> None:
    server.put(AN)
    server.forget_tokens = True
    error = failure(server, AccessDenied)
    assert (error.stage, "service.AUTH_EXPIRED" in error.reason) == ("log in", True)
    assert asked(server) == ["Auth", "GetAllDomains", "Auth", "GetAllDomains"]


def test_something_else_than_zimbra_is_not_understood(server: Zimbra) -> None:
    with serving() as gone:
        pass
    assert failure(gone, TryAgain).stage == "reach"
    server.address += "/mail"
    assert "404" in failure(server, UnexpectedAnswer).reason


# --- the probe


def findings(server: Zimbra, **settings: Any) -> list[Finding]:
    with open_door(server) as door:
        return list(zimbra.probe(config(**settings), door))


def of(found: list[Finding], stage: str) -> list[tuple[str, str]]:
    return [(finding.result, finding.says) for finding in found if finding.stage == stage]


def test_the_probe_tells_what_is_there_and_what_is_not_known(server: Zimbra) -> None:
    server.put(AN, BINH, CHI, *many(150))
    server.put("spam.nguyen@syt.example.gov.vn")
    server.put("a.odd@syt.example.gov.vn", status="other")
    found = findings(server, kinds={"vanthu@*": "shared", "u*": "personal"})
    assert of(found, "reach") == [("ok", "Zimbra's admin service answers")]
    assert of(found, "log in") == [("ok", "the account's name and password are taken")]
    assert of(found, "clock skew") == [("ok", "the server's clock differs from ours by 0 seconds")]
    assert of(found, "read") == [
        ("ok", "2 mail domains"),
        ("ok", "155 accounts, Zimbra's own among them; 101 were looked at"),
        ("unproved", "1 of the accounts looked at are left out by `system_names` alone: Zimbra does not mark them"),
        ("failed", "1 of the accounts looked at cannot be read (zimbraAccountStatus)"),
        ("unproved", "3 of 100 mailboxes looked at are neither known as personal nor as shared"),
        ("ok", "how much mailboxes use can be read"),
    ]
    assert asked(server) == [
        *("Auth", "GetAllDomains", "SearchDirectory", "SearchDirectory", "GetQuotaUsage", "GetAccount")
    ]
    server.clock += 400
    assert of(findings(server), "clock skew") == [("failed", "the server's clock differs from ours by 400 seconds")]


def test_the_probe_tells_of_an_account_that_looks_like_zimbras_own_but_is_not_marked(server: Zimbra) -> None:
    server.put("ham.nguyen@syt.example.gov.vn", "ham.zaqlo3hpxu@syt.example.gov.vn")
    (doubt,) = [one for one in findings(server) if "good mail" in one.says]
    assert (doubt.result, doubt.says[0]) == ("unproved", "1")


def test_the_probe_never_says_that_an_administrator_cannot_write(server: Zimbra) -> None:
    server.put(AN)
    assert "delegated administrator" in of(findings(server), "read-only")[0][1]
    server.rights -= {"getAccount"}
    assert "may not read its own rights" in of(findings(server), "read-only")[0][1]
    server.is_system_administrator = True
    found = findings(server)
    assert "may change everything" in of(found, "read-only")[0][1]
    assert {finding.result for finding in found if finding.stage == "read-only"} == {"unproved"}


def test_the_probe_fails_where_nothing_can_be_read(server: Zimbra) -> None:
    assert of(findings(server), "read") == [
        ("failed", "0 mail domains"),
        ("failed", "0 accounts, Zimbra's own among them; 0 were looked at"),
    ]
    server.put(AN)
    server.rights -= {"getDomainQuotaUsage"}
    assert of(findings(server, kinds=KINDS), "read")[-1] == ("failed", "how much mailboxes use cannot be read")
    with pytest.raises(AccessDenied):
        findings(server, password=SecretStr("wrong"))
    assert server.wrong == 1


# --- who is seen, and what is asked


def test_nobody_is_seen_in_what_is_kept_or_said(server: Zimbra, caplog: pytest.LogCaptureFixture) -> None:
    canaries = [f"canary{number}@syt.example.gov.vn" for number in range(30)]
    server.put(*canaries)
    server.put("canary no address@syt.example.gov.vn")
    errors: list[str] = []
    kept = Kept()

    def attempt(day: int = DAY, **settings: Any) -> None:
        try:
            run(server, kept, day, config(**settings))
        except CollectorError as error:
            cause: BaseException | None = error
            while cause is not None:
                errors.append(f"{cause!r} {cause}")
                cause = cause.__cause__ or cause.__context__

    with caplog.at_level("DEBUG"):
        attempt(password=SecretStr("canary-wrong"))
        attempt(domains=["nowhere.example.gov.vn"])
        changes: list[dict[str, Any]] = [
            {"busy": 9},
            {"down": frozenset({"mbs2"})},
            {"forget_tokens": True},
            {"http_failures": [(500, ADMIN), (200, f'"{ADMIN}')]},
            {"rights": frozenset()},
            {"second_factor": True},
        ]
        for change in changes:
            before = {name: getattr(server, name) for name in change}
            for name, content in change.items():
                setattr(server, name, content)
            attempt()
            for name, content in before.items():
                setattr(server, name, content)
        server.put(*canaries[:5], status="canary-state", created="canary-moment", quota="canary-quota")
        attempt()
        assert len(errors) >= 9
        server.put(*canaries[:4])
        server.put(*many(200))
        run(server, kept)
        run(server, kept, 20260116)
        found = findings(server)
    assert len(kept.mailboxes) == 230
    assert kept.bad
    everything = repr((kept.mailboxes, kept.cursor, kept.bad, errors, found, config())) + caplog.text
    everything = everything.replace(repr(ADMIN), "", 1)  # the account's name stands in the configuration
    assert re.findall(r"canary", everything, re.IGNORECASE) == []


def test_nothing_is_ever_asked_that_writes_nor_anybodys_last_logon(server: Zimbra) -> None:
    server.put(*many(12))
    run(server, Kept(), settings=config(page_size=5, agency_attribute="ou"))
    findings(server)
    assert set(asked(server)) == {"Auth", "GetAllDomains", "SearchDirectory", "GetQuotaUsage", "GetAccount"}
    assert "LastLogon" not in repr(server.questions)
    assert "twoFactorCode" not in repr(server.questions)


# --- settings


@pytest.mark.parametrize(
    "wrong",
    [{"account": ""}, {"page_size": 1}, {"agency_attribute": "ou,zimbraLastLogonTimestamp"}, {"longest_gap": 0}],
)
def test_settings_that_cannot_be_are_refused_without_the_password(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as raised:
        config(**wrong)
    assert PASSWORD not in str(raised.value)


def source_of(path: Path, password: str) -> Any:
    """The config of a source as an operator writes it."""
    (path / "agencies.yaml").write_text("agencies: []\n")
    (path / "workdays").mkdir()
    (path / "zimbra-password").write_text(PASSWORD + "\n")
    (path / "collector.yaml").write_text(
        f"""
province: {{name: Phú Thọ, code: H44}}
agencies: agencies.yaml
workdays: workdays/
sources:
  mailboxes:
    connector: email.zimbra
    door: {{kind: http, base_url: "https://mail.example.gov.vn:7071"}}
    from: 2026-01-01
    serves: all
    config:
      account: collector@example.gov.vn
      password: {password}
      agency_attribute: ou
      kinds: {{"vanthu@*": shared, "*": personal}}
"""
    )
    return load(path / "collector.yaml", find_connector, {"HOME": str(path)}).sources["mailboxes"].config


def test_the_password_comes_from_a_file_and_is_never_shown(tmp_path: Path) -> None:
    settings = source_of(tmp_path, "!file zimbra-password")
    assert settings.password.get_secret_value() == PASSWORD
    assert PASSWORD not in repr(settings)


def test_a_password_in_the_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="secret") as raised:
        source_of(tmp_path, PASSWORD)
    assert PASSWORD not in str(raised.value)
