"""Mailboxes of a Dovecot server, read from the double; `test_dovecot_server.py` reads a real one."""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from collector.contract.connector import Finding
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.contract.period import days, month_of, plus_days
from connectors.email import dovecot
from connectors.email.dovecot import Config
from tests.connectors.email.dovecot_double import Dovecot, User, serving
from tests.connectors.email.dovecot_runs import morning, open_door, row_of, run, told, value, want
from tests.connectors.email.reading import Kept, pseudonym

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "vanthu@syt.example.gov.vn"
KINDS = Config(kinds={"vanthu@*": "shared", "*": "personal"})
MIB = 1 << 20
JANUARY, FEBRUARY, MARCH = 20260101, 20260201, 20260301


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with serving() as started:
        started.clock = morning(20260115)
        yield started


def put(server: Dovecot, *addresses: str, **fields: str) -> None:
    server.users.update({address: User(dict(fields)) for address in addresses})


def many(count: int) -> list[str]:
    return [f"u{number:05d}@syt.example.gov.vn" for number in range(count)]


def shuffled(chance: random.Random) -> Callable[[list[Any]], list[Any]]:
    return lambda items: chance.sample(items, len(items))


def commands(server: Dovecot) -> list[tuple[str, int]]:
    """The command of each question, and how often it was asked in it."""
    for question in server.questions:
        assert len({command for command, _, _ in question}) == 1, "commands of several kinds in one question"
    return [(question[0][0], len(question)) for question in server.questions]


def failure(server: Dovecot, kind: type[CollectorError], config: Config | None = None, **more: Any) -> CollectorError:
    kept = Kept()
    with pytest.raises(kind) as raised:
        run(server.address, kept, 20260115, config, **more)
    assert (kept.mailboxes, kept.cursor, dict(kept.covered)) == ({}, None, {})
    assert raised.value.source == "dovecot"
    return raised.value


# --- one run


def test_a_run_gives_one_row_for_each_mailbox_listed(server: Dovecot) -> None:
    server.users = {
        AN: User(used=4_660_443, limit=5 * MIB),
        BINH: User(used=0),
        CHI: User({"nologin": "y"}, used=1),
    }
    kept = Kept()
    run(server.address, kept, 20260115, KINDS.model_copy(update={"state_field": "nologin"}))
    an, binh, chi = (pseudonym(address, JANUARY) for address in (AN, BINH, CHI))
    changed = morning(20260115) * 1_000_000
    skhcn, syt = "skhcn.example.gov.vn", "syt.example.gov.vn"
    day = 20260115
    assert {row[:-1] for row in kept.mailboxes.values()} == {
        (f"202601:{an}", skhcn, changed, 0, JANUARY, an, "personal", None, day, None, 5_242_880, 4_661_248),
        (f"202601:{binh}", syt, changed, 0, JANUARY, binh, "personal", None, day, None, 0, 0),
        (f"202601:{chi}", syt, changed, 0, JANUARY, chi, "shared", None, day, day, 0, 1024),
    }
    assert kept.covered == {}
    assert kept.bad == []


def test_the_order_of_the_answers_does_not_matter(server: Dovecot) -> None:
    put(server, *many(230), ou="H44.05")
    server.users["x@syt.example.gov.vn"] = User(broken=True)
    config = Config(agency_field="ou", state_field="nologin")
    first = Kept()
    run(server.address, first, 20260115, config)
    assert len(first.mailboxes) == 231
    for seed in range(3):
        server.reorder = shuffled(random.Random(seed))
        again = Kept()
        run(server.address, again, 20260115, config)
        assert (again.mailboxes, again.cursor, again.bad) == (first.mailboxes, first.cursor, first.bad)


def test_whose_and_of_which_kind_a_mailbox_is_follows_patterns_then_a_field_then_the_domain(server: Dovecot) -> None:
    put(server, AN, BINH)
    put(server, CHI, ou=" H44.05 ")
    put(server, "d.phong1@example.gov.vn", ou="H44.06")
    config = Config(
        agency_codes={"*.PHONG1@example.gov.vn": "H44.07", "*@example.gov.vn": "H44.08"},
        agency_field="ou",
        kinds={"vanthu@*": "shared", "*@skhcn.*": "personal"},
    )
    kept = Kept()
    run(server.address, kept, 20260115, config)
    assert {address: row_of(kept, address, JANUARY)[1:7:5] for address in server.users} == {
        AN: ("skhcn.example.gov.vn", "personal"),
        BINH: ("syt.example.gov.vn", None),
        CHI: ("H44.05", "shared"),
        "d.phong1@example.gov.vn": ("H44.07", None),
    }


def test_users_without_a_domain_get_it_and_those_left_out_are_nobodys(server: Dovecot) -> None:
    put(server, "an", "probe", "Binh@SYT.example.gov.vn", "binh@syt.example.gov.vn", "x@localhost")
    kept = Kept()
    run(server.address, kept, 20260115, Config(domain="SKHCN.example.gov.vn", leave_out=["probe@*", "*@LOCALHOST"]))
    assert set(kept.mailboxes) == {f"202601:{pseudonym(address, JANUARY)}" for address in (AN, BINH)}
    assert kept.bad == []


def test_only_what_fits_the_masks_is_asked_for(server: Dovecot) -> None:
    put(server, AN, BINH, CHI)
    kept = Kept()
    run(server.address, kept, 20260115, Config(masks=["*@skhcn.*", "binh@*"], quota="none"))
    assert set(kept.mailboxes) == {f"202601:{pseudonym(address, JANUARY)}" for address in (AN, BINH)}
    assert [question[0][:2] for question in server.questions] == [["user", {"userMask": ["*@skhcn.*", "binh@*"]}]]
    with pytest.raises(ValidationError, match="is no mask"):
        Config(masks=["*@skhcn.*", AN])


def test_a_name_that_is_no_address_is_set_aside_without_being_told(server: Dovecot) -> None:
    put(server, *many(12), "CANARY-root", "a b@x.test")
    del server.users["a b@x.test"]
    kept = Kept()
    run(server.address, kept, 20260115)
    assert len(kept.mailboxes) == 12
    assert [(row.key, row.field) for row in kept.bad] == [(f"202601:{pseudonym('canary-root', JANUARY)}", "userList")]
    assert "canary" not in repr(kept.bad).lower().replace(pseudonym("canary-root", JANUARY), "")
    put(server, "CANARY*star@x.test")
    assert failure(server, UnexpectedAnswer).field == "userList"


# --- states


@pytest.mark.parametrize(
    ("word", "closed"),
    [("y", True), ("", True), ("LOCKED", True), ("no", False), ("active", False), ("Tạm Ngưng", True)],
)
def test_a_field_of_the_user_database_locks_a_mailbox(server: Dovecot, word: str, closed: bool) -> None:
    put(server, AN)
    put(server, BINH, nologin=word)
    kept = Kept()
    config = Config(state_field="nologin", states={"tạm ngưng": "locked"})
    run(server.address, kept, 20260115, config)
    assert told(kept, AN, JANUARY) == (20260115, None)
    assert told(kept, BINH, JANUARY) == (20260115, 20260115 if closed else None)


def test_without_a_state_field_all_that_are_listed_are_active(server: Dovecot) -> None:
    put(server, AN, nologin="y")
    kept = Kept()
    run(server.address, kept, 20260115)
    assert told(kept, AN, JANUARY) == (20260115, None)
    assert commands(server) == [("user", 1), ("quotaGet", 1)]


def test_an_unknown_state_makes_the_kind_unknown_and_leaves_the_rest_as_it_was(server: Dovecot) -> None:
    put(server, AN, BINH)
    config = KINDS.model_copy(update={"state_field": "status"})
    kept = Kept()
    run(server.address, kept, 20260115, config)
    put(server, AN, status="CANARY")
    run(server.address, kept, 20260116, config)
    assert row_of(kept, AN, JANUARY)[6:10] == (None, None, 20260115, None)
    assert [(row.field, row.reason) for row in kept.bad] == [
        ("status", "it is none of the known states; name it in `states`")
    ]


def test_who_is_listed_but_unknown_when_asked_for_spoils_only_its_own_row(server: Dovecot) -> None:
    capitals = "Dung@syt.example.gov.vn"
    put(server, *many(150), nologin="y")
    put(server, capitals)
    kept = Kept()
    run(server.address, kept, 20260115, KINDS.model_copy(update={"state_field": "nologin"}))
    assert [(row.key, row.field) for row in kept.bad] == [(f"202601:{pseudonym(capitals, JANUARY)}", "userMask")]
    assert row_of(kept, capitals, JANUARY)[6:10] == (None, None, 20260115, None)
    assert all(told(kept, address, JANUARY) == (20260115, 20260115) for address in many(150))
    # Capitals come first: the first hundred are asked for once more, one by one.
    assert commands(server) == [("user", 1), ("user", 1), ("user", 100), ("user", 1), ("quotaGet", 1)]


# --- from run to run


def history(server: Dovecot, looks: dict[int, list[str]], config: Config | None = None) -> Kept:
    """Run on each of these days, the server listing these mailboxes; `!` before an address: locked."""
    kept = Kept()
    for day, listed in looks.items():
        server.users = {one.lstrip("!"): User({"nologin": "y"} if one[0] == "!" else {}) for one in listed}
        run(server.address, kept, day, config or Config(state_field="nologin"))
    return kept


def test_a_mailbox_is_listed_from_the_first_run_that_finds_it_and_closed_from_the_first_that_does_not(
    server: Dovecot,
) -> None:
    kept = history(
        server,
        {
            20260105: [AN, BINH],
            20260106: [AN, BINH, CHI],
            20260108: [AN, "!" + BINH, CHI],
            20260109: [AN, "!" + BINH],
        },
    )
    assert told(kept, AN, JANUARY) == (20260105, None)
    assert told(kept, BINH, JANUARY) == (20260105, 20260108)
    assert told(kept, CHI, JANUARY) == (20260106, 20260109)


def test_a_mailbox_that_is_back_has_no_closed_day(server: Dovecot) -> None:
    kept = history(
        server,
        {
            20260105: [AN, BINH, CHI],
            20260106: [AN, "!" + BINH],
            20260107: [AN],
            20260108: [AN, BINH, CHI],
        },
    )
    assert told(kept, BINH, JANUARY) == (20260105, None)
    assert told(kept, CHI, JANUARY) == (20260105, None)


def test_one_that_was_gone_and_comes_back_locked_is_closed_since_it_was_gone(server: Dovecot) -> None:
    kept = history(server, {20260105: [AN, BINH], 20260106: [AN], 20260107: [AN], 20260108: [AN, "!" + BINH]})
    assert told(kept, BINH, JANUARY) == (20260105, 20260106)


def test_a_row_of_one_that_is_gone_keeps_whose_and_of_which_kind_it_was(server: Dovecot) -> None:
    kept = history(server, {20260105: [AN, CHI], 20260106: [AN], 20260107: [AN]}, KINDS)
    who = pseudonym(CHI, JANUARY)
    changed = morning(20260106) * 1_000_000
    assert row_of(kept, CHI, JANUARY) == (
        *(f"202601:{who}", "syt.example.gov.vn", changed, 0, JANUARY, who, "shared"),
        *(None, 20260105, 20260106, None, None, None),
    )


def test_what_is_known_is_carried_into_the_next_month_by_address(server: Dovecot) -> None:
    names = ["listed", "locked", "locked_now", "gone", "gone_before", "back", "new"]
    listed, locked, locked_now, gone, gone_before, back, new = (f"{name}@x.test" for name in names)
    kept = history(
        server,
        {
            20260110: [listed, locked, locked_now, gone, gone_before, back],
            20260120: [listed, "!" + locked, locked_now, gone],
            20260130: [listed, "!" + locked, locked_now, gone],
            20260203: [listed, "!" + locked, "!" + locked_now, back, new],
            20260204: [listed, "!" + locked, "!" + locked_now, back, new],
        },
    )
    assert {name: told(kept, f"{name}@x.test", JANUARY) for name in names} == {
        "listed": (20260110, None),
        "locked": (20260110, 20260120),
        "locked_now": (20260110, None),
        "gone": (20260110, None),
        "gone_before": (20260110, 20260120),
        "back": (20260110, 20260120),
        "new": None,
    }
    assert {name: told(kept, f"{name}@x.test", FEBRUARY) for name in names} == {
        "listed": (20260110, None),
        "locked": (20260110, 20260120),
        "locked_now": (20260110, 20260203),
        "gone": None,  # when it vanished nobody knows: it counts to the end of January
        "gone_before": None,
        "back": (20260203, None),
        "new": (20260203, None),
    }
    assert kept.cursor
    january = {pseudonym(f"{name}@x.test", JANUARY) for name in names}
    assert not january & set(kept.cursor["mailboxes"]), "the cursor holds pseudonyms of a month that is over"


def test_a_source_that_slept_for_a_month_begins_anew(server: Dovecot) -> None:
    kept = history(server, {20260110: [AN, BINH], 20260302: [AN]})
    assert told(kept, AN, MARCH) == (20260302, None)
    assert told(kept, BINH, JANUARY) == (20260110, None)
    assert told(kept, AN, FEBRUARY) is None
    assert kept.covered["mailbox"] == {20260110}


@pytest.mark.long
def test_random_histories_give_the_days_that_the_runs_saw(server: Dovecot, scale: Callable[[int], int]) -> None:
    chance = random.Random(20260101)
    for _ in range(scale(100)):
        first_day, last_day = 20260105, 20260320
        every = list(days(first_day, last_day))
        looks = sorted(chance.sample(every, 45))
        lives = {}
        for number in range(12):
            begin = chance.choice(every)
            end = chance.choice([None, *[day for day in every if day > begin]])
            lives[f"m{number}@x.test"] = (begin, end, chance.random() < 0.5)
        lives["always@x.test"] = (first_day, None, False)
        plan = {
            day: [
                ("!" if end is not None and day >= end else "") + address
                for address, (begin, end, locks) in lives.items()
                if begin <= day and (end is None or day < end or locks)
            ]
            for day in looks
        }
        kept = history(server, plan, Config(state_field="nologin", quota="none", may_vanish=1))
        for address, (begin, end, locks) in lives.items():
            seen = [day for day in looks if begin <= day and (end is None or day < end)]
            after = next((day for day in looks if seen and day > seen[-1]), None)
            until = after or 99999999
            if after and not locks and after // 100 != seen[-1] // 100:
                until = month_of(seen[-1]).end
            for day in kept.covered["mailbox"]:
                by_rule = bool(seen) and seen[0] <= day < until
                stands = told(kept, address, month_of(day).first)
                by_row = stands is not None and stands[0] <= day and (stands[1] is None or day < stands[1])
                assert by_row == by_rule, (address, day, lives[address], looks)


# --- what a run covers


def test_a_run_covers_the_days_from_the_run_before_to_yesterday(server: Dovecot) -> None:
    put(server, AN)
    kept = Kept()
    run(server.address, kept, 20260129)
    assert kept.covered["mailbox"] == set()
    run(server.address, kept, 20260130)
    assert kept.covered["mailbox"] == {20260129}
    run(server.address, kept, 20260203)
    assert kept.covered["mailbox"] == {20260129, 20260130, 20260131, 20260201, 20260202}


def test_a_long_gap_between_two_runs_is_told_by_nobody(server: Dovecot) -> None:
    put(server, AN)
    for gap, covered in ((7, set(days(20260105, 20260111))), (8, {20260105})):
        kept = Kept()
        run(server.address, kept, 20260105)
        run(server.address, kept, plus_days(20260105, gap))
        assert kept.covered["mailbox"] == covered
        assert told(kept, AN, JANUARY) == (20260105, None)


def test_no_day_before_the_sources_first_is_covered(server: Dovecot) -> None:
    put(server, AN)
    kept = Kept()
    run(server.address, kept, 20260105)
    run(server.address, kept, 20260108, since=20260107)
    assert kept.covered["mailbox"] == {20260107}
    assert run(server.address, Kept(), 20260105, since=20260106)[0].rows == {}


def test_the_server_is_asked_once_a_day(server: Dovecot) -> None:
    put(server, AN)
    kept = Kept()
    run(server.address, kept, 20260115)
    asked, cursor = len(server.questions), kept.cursor
    put(server, BINH)
    run(server.address, kept, 20260115)
    assert len(server.questions) == asked
    assert kept.cursor == cursor
    run(server.address, kept, 20260115, Config(once_a_day=False))
    assert told(kept, BINH, JANUARY) == (20260115, None)
    # A clock that was set back does not make days come twice.
    run(server.address, kept, 20260114, Config(once_a_day=False))
    assert len(kept.mailboxes) == 2
    assert kept.cursor
    assert kept.cursor["day"] == 20260115


def test_a_run_that_failed_is_tried_again_on_the_same_day(server: Dovecot) -> None:
    put(server, AN)
    server.busy = frozenset({"user"})
    failure(server, TryAgain)
    server.busy = frozenset()
    kept = Kept()
    run(server.address, kept, 20260115)
    assert told(kept, AN, JANUARY) == (20260115, None)


def test_the_past_is_not_asked_for(server: Dovecot) -> None:
    put(server, AN)
    kept = Kept()
    batches = run(server.address, kept, 20260115, first_day=20260110, last_day=20260112, window=True)
    assert server.questions == []
    assert [(batch.rows, batch.cursor, batch.covers) for batch in batches] == [({}, None, ())]


def test_a_batch_has_the_cursor_that_is_true_once_it_is_saved(server: Dovecot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.email.polls._ROWS", 4)
    put(server, *many(10))
    kept = Kept()
    first = run(server.address, kept, 20260115)
    assert [len(rows) for batch in first for rows in batch.rows.values()] == [4, 4, 2]
    assert [batch.cursor is None for batch in first] == [True, True, True, False]
    second = run(server.address, kept, 20260116)
    assert [batch.cursor["day"] for batch in second if batch.cursor] == [20260115, 20260115, 20260115, 20260116]
    assert [len(batch.covers) for batch in second] == [0, 0, 0, 1]


def test_a_cursor_of_something_else_is_refused(server: Dovecot) -> None:
    put(server, AN)
    for cursor in ({}, {"day": 1, "codes": [], "mailboxes": {}}, {"day": 20260110, "codes": [], "mailboxes": {"a": 1}}):
        assert failure(server, UnexpectedAnswer, cursor=cursor).field == "cursor"
    assert server.questions == []


def test_a_cursor_survives_its_saving_as_json(server: Dovecot) -> None:
    kept = history(server, {20260105: [AN, CHI], 20260106: [AN]}, KINDS)
    kept.cursor = json.loads(json.dumps(kept.cursor, sort_keys=True))
    put(server, BINH, CHI)
    run(server.address, kept, 20260107, KINDS)
    assert told(kept, AN, JANUARY) == (20260105, None)
    assert told(kept, CHI, JANUARY) == (20260105, None)
    assert told(kept, BINH, JANUARY) == (20260107, None)


# --- what is not believed


def test_a_server_that_names_nobody_at_first_closes_nobody_and_covers_nothing(server: Dovecot) -> None:
    kept = Kept()
    run(server.address, kept, 20260115)
    run(server.address, kept, 20260116)
    assert (kept.mailboxes, kept.cursor, dict(kept.covered), kept.bad) == ({}, None, {}, [])


@pytest.mark.parametrize(("before", "after"), [(1, 0), (3, 0), (10, 4), (100, 49)])
def test_a_server_that_suddenly_lacks_most_mailboxes_is_not_believed(server: Dovecot, before: int, after: int) -> None:
    put(server, *many(before))
    kept = Kept()
    run(server.address, kept, 20260131)
    rows, cursor = dict(kept.mailboxes), kept.cursor
    server.users = {address: User() for address in many(after)}
    for day in (20260131, 20260201):
        with pytest.raises(UnexpectedAnswer, match="suddenly gone or locked") as raised:
            run(server.address, kept, day, Config(once_a_day=False))
        assert raised.value.field == "userList"
    assert (kept.mailboxes, kept.cursor) == (rows, cursor)
    run(server.address, kept, 20260131, Config(once_a_day=False, may_vanish=1))
    closed = [value(row, "closed_day") for row in kept.mailboxes.values()]
    assert closed.count(20260131) == before - after


@pytest.mark.parametrize(("before", "after"), [(9, 1), (10, 5), (100, 50)])
def test_a_loss_that_may_be_is_believed(server: Dovecot, before: int, after: int) -> None:
    put(server, *many(before))
    kept = Kept()
    run(server.address, kept, 20260115)
    server.users = {address: User() for address in many(after)}
    run(server.address, kept, 20260116)
    assert sum(value(row, "closed_day") == 20260116 for row in kept.mailboxes.values()) == before - after


def test_most_mailboxes_locked_at_once_are_not_believed_either(server: Dovecot) -> None:
    put(server, *many(20))
    kept = Kept()
    run(server.address, kept, 20260115, Config(state_field="nologin"))
    put(server, *many(11), nologin="y")
    with pytest.raises(UnexpectedAnswer, match="11 of 20 active mailboxes"):
        run(server.address, kept, 20260116, Config(state_field="nologin"))


# --- quota


def test_one_broken_mailbox_costs_only_its_own_quota(server: Dovecot) -> None:
    put(server, *many(250))
    server.users["u00007@syt.example.gov.vn"] = User(broken=True)
    server.users["u00008@syt.example.gov.vn"] = User(used=1024, limit=2048)
    kept = Kept()
    run(server.address, kept, 20260115)
    assert row_of(kept, "u00008@syt.example.gov.vn", JANUARY)[10:12] == (2048, 1024)
    assert row_of(kept, "u00007@syt.example.gov.vn", JANUARY)[10:12] == (None, None)
    assert [(row.key, row.field) for row in kept.bad] == [
        (f"202601:{pseudonym('u00007@syt.example.gov.vn', JANUARY)}", "quota")
    ]
    assert commands(server) == [("user", 1), ("quotaGet", 1), ("quotaGet", 100), ("quotaGet", 100), ("quotaGet", 50)]


def test_many_broken_mailboxes_stop_the_run_early(server: Dovecot) -> None:
    put(server, *many(300))
    for address in many(4):
        server.users[address] = User(broken=True)
    error = failure(server, TryAgain)
    assert error.field == "quotaGet"
    assert "`quota: none`" in error.mend
    assert commands(server) == [("user", 1), ("quotaGet", 1), ("quotaGet", 100)]


def test_each_is_asked_at_once_if_so_configured_or_none(server: Dovecot) -> None:
    put(server, *many(101))
    server.users["u00001@syt.example.gov.vn"].used = 2048
    for setting, asked, used in (
        ("each", [("user", 1), ("quotaGet", 100), ("quotaGet", 1)], 2048),
        ("none", [("user", 1)], None),
    ):
        server.questions.clear()
        kept = Kept()
        run(server.address, kept, 20260115, Config.model_validate({"quota": setting}))
        assert commands(server) == asked
        assert row_of(kept, "u00001@syt.example.gov.vn", JANUARY)[11] == used


def test_of_several_quotas_one_is_named(server: Dovecot) -> None:
    put(server, AN)
    server.roots = ("User quota", "Archive")
    error = failure(server, UnexpectedAnswer)
    assert error.field == "quota_root"
    kept = Kept()
    server.users[AN].used = 5000
    run(server.address, kept, 20260115, Config(quota_root="Archive"))
    assert row_of(kept, AN, JANUARY)[10:12] == (0, 5120), "no limit"


# --- refusals


@pytest.mark.parametrize(
    ("change", "kind", "field", "mend"),
    [
        ({"busy": frozenset({"user"})}, TryAgain, "user", "log says why"),
        ({"lists": False}, UnexpectedAnswer, "user", "iterate_query"),
        ({"missing": frozenset({"quotaGet"})}, UnexpectedAnswer, "quotaGet", "quota: none"),
        ({"allowed": frozenset({"user"})}, AccessDenied, "quotaGet", "doveadm_allowed_commands"),
        ({"allowed": frozenset({"quota get"})}, AccessDenied, "user", "'user'"),
    ],
)
def test_a_refusal_names_the_command_and_the_mend(
    server: Dovecot, change: dict[str, Any], kind: type[CollectorError], field: str, mend: str
) -> None:
    put(server, AN)
    for name, content in change.items():
        setattr(server, name, content)
    error = failure(server, kind)
    assert (error.stage, error.field) == ("answer", field)
    assert mend in error.mend


def test_a_wrong_key_and_a_wrong_path_are_told_apart_and_never_tried_again(server: Dovecot) -> None:
    put(server, AN)
    with (
        open_door(server.address, key="CANARY-wrong", tries=4) as door,
        pytest.raises(AccessDenied, match="401") as denied,
    ):
        list(dovecot.fetch(Config(), door, want(Kept(), 20260115)))
    assert denied.value.stage == "log in"
    assert "token_base64" in denied.value.mend
    assert "CANARY" not in str(denied.value)
    with open_door(server.address + "/mail") as door, pytest.raises(UnexpectedAnswer, match="404"):
        list(dovecot.fetch(Config(), door, want(Kept(), 20260115)))
    assert server.questions == []


def test_a_server_that_is_not_there_is_asked_again_later() -> None:
    with serving() as gone:
        address = gone.address
    with open_door(address) as door, pytest.raises(TryAgain):
        list(dovecot.fetch(Config(), door, want(Kept(), 20260115)))


# --- size


def test_ten_thousand_mailboxes_are_read_in_two_questions(server: Dovecot) -> None:
    put(server, *many(10_000))
    kept = Kept()
    run(server.address, kept, 20260115)
    run(server.address, kept, 20260116)
    assert commands(server) == [("user", 1), ("quotaGet", 1)] * 2
    assert len(kept.mailboxes) == 10_000
    assert {value(row, "first_listed_day") for row in kept.mailboxes.values()} == {20260115}


def test_ten_thousand_states_are_read_a_hundred_at_a_time(server: Dovecot) -> None:
    put(server, *many(10_000))
    kept = Kept()
    run(server.address, kept, 20260115, Config(state_field="nologin", quota="none"))
    assert commands(server) == [("user", 1)] * 101


# --- last logins


def test_last_logins_that_moved_with_the_run_are_reported(server: Dovecot) -> None:
    put(server, *many(20))
    server.logins = {address: morning(20260110) for address in many(20)}
    config = Config(last_login_dict="proxy::lastlogin")
    kept = Kept()
    run(server.address, kept, 20260115, config)
    assert kept.bad == []
    server.touches_logins = True
    server.clock = morning(20260116)
    run(server.address, kept, 20260116, config)
    assert [(row.key, row.field) for row in kept.bad] == [("last_login", "last_login")]
    assert kept.bad[0].reason.startswith("after the run of 2026-01-16, the last logins of 20 of 20 mailboxes")
    assert len(kept.mailboxes) == 20


def test_the_day_of_a_last_login_is_told_of_the_month_alone_and_not_if_it_shows_who_was_asked_for(
    server: Dovecot,
) -> None:
    put(server, *many(4), "Five@syt.example.gov.vn")
    last = [morning(20260110), morning(20260115) - 7300, morning(20251231), None, morning(20260114)]
    names = [*many(4), "five@syt.example.gov.vn"]
    server.logins = {name: instant for name, instant in zip(names, last, strict=True) if instant is not None}
    config = Config(last_login_dict="proxy::lastlogin")
    kept = Kept()
    run(server.address, kept, 20260115, config)
    told = [value(row_of(kept, name, JANUARY), "last_login_day") for name in names]
    assert told == [20260110, 20260114, None, None, 20260114]
    # Nothing is told without the setting, nor where reading the quota moved them.
    run(server.address, kept, 20260116)
    assert {value(row, "last_login_day") for row in kept.mailboxes.values()} == {None}
    server.touches_logins, server.clock = True, morning(20260117)
    run(server.address, kept, 20260117, config)
    assert {value(row, "last_login_day") for row in kept.mailboxes.values()} == {None}


def test_half_of_the_people_logging_in_meanwhile_is_no_fault(server: Dovecot) -> None:
    put(server, *many(20))
    server.logins = dict.fromkeys(many(10), morning(20260115))
    kept = Kept()
    run(server.address, kept, 20260115, Config(last_login_dict="proxy::lastlogin"))
    assert kept.bad == []
    server.logins = dict.fromkeys(many(11), morning(20260115))
    run(server.address, kept, 20260115, Config(last_login_dict="proxy::lastlogin", once_a_day=False))
    assert len(kept.bad) == 1


@pytest.mark.parametrize("precision", [1, 1000, 1_000_000, 1_000_000_000])
def test_last_logins_may_be_written_in_finer_units(server: Dovecot, precision: int) -> None:
    put(server, *many(3))
    for moment, bad in ((morning(20260115) - 1, 0), (morning(20260115), 1)):
        server.logins = dict.fromkeys(many(3), moment * precision)
        kept = Kept()
        run(server.address, kept, 20260115, Config(last_login_dict="proxy::lastlogin"))
        assert len(kept.bad) == bad


def test_a_dictionary_that_is_not_there_is_named(server: Dovecot) -> None:
    put(server, AN)
    error = failure(server, TryAgain, Config(last_login_dict="proxy::other"))
    assert error.field == "dictIter"
    assert "last_login_dict" in error.mend


# --- the probe


def findings(server: Dovecot, config: Config | None = None) -> list[Finding]:
    with open_door(server.address) as door:
        return list(dovecot.probe(config or Config(), door))


def of(found: list[Finding], stage: str) -> list[tuple[str, str]]:
    return [(finding.result, finding.says) for finding in found if finding.stage == stage]


def test_the_probe_tells_what_is_there_and_what_is_not_known(server: Dovecot) -> None:
    put(server, AN, BINH, CHI)
    put(server, "root")
    found = findings(server, Config(kinds={"vanthu@*": "shared"}))
    assert of(found, "reach") == [("ok", "doveadm's HTTP API answers, and takes the key")]
    assert of(found, "clock skew") == [("ok", "the server's clock differs from ours by 0 seconds")]
    assert of(found, "read") == [
        ("unproved", "4 users, of them 3 mailboxes in 2 domains, 1 no address"),
        ("unproved", "2 of 3 mailboxes are neither known as personal nor as shared"),
        ("unproved", "nothing tells which mailboxes are locked: all that are listed count as active"),
        ("ok", "a mailbox's quota can be read"),
    ]
    assert [result for result, _ in of(found, "read-only")] == ["unproved"]
    assert of(found, "last login") == []
    server.clock = morning(20260115) + 400
    assert of(findings(server), "clock skew") == [("failed", "the server's clock differs from ours by 400 seconds")]


def test_the_probe_of_an_empty_server_fails(server: Dovecot) -> None:
    assert of(findings(server), "read") == [("failed", "0 users, of them 0 mailboxes in 0 domains, 0 no address")]


def test_the_probe_says_that_commands_are_narrowed_but_not_that_none_writes(server: Dovecot) -> None:
    put(server, AN)
    assert "may use commands" in of(findings(server), "read-only")[0][1]
    server.allowed = frozenset({"user", "quota get"})
    result, says = of(findings(server), "read-only")[0]
    assert result == "unproved"
    assert says.startswith("a list of allowed commands is in force")


def test_the_probe_says_whether_last_logins_are_of_people(server: Dovecot) -> None:
    config = Config(last_login_dict="proxy::lastlogin")
    put(server, *many(20))

    def verdict() -> tuple[str, str]:
        (only,) = of(findings(server, config), "last login")
        return only

    assert verdict() == ("unproved", "nobody has a last login yet")
    server.logins = {address: morning(20260110) + 3600 * at for at, address in enumerate(many(20))}
    assert verdict() == ("ok", "20 of 20 mailboxes have one, and reading moves none")
    server.touches_logins = True
    assert verdict() == ("failed", "unusable: a mailbox's last login moved when its quota was read")
    server.touches_logins = False
    server.logins = dict.fromkeys(many(11), morning(20260114))
    assert verdict() == ("failed", "unusable: 11 of 20 mailboxes had their last login within one minute")


# --- who is seen, and what is asked


def test_nobody_is_seen_in_what_is_kept_or_said(server: Dovecot, caplog: pytest.LogCaptureFixture) -> None:
    canaries = [f"canary{number}@syt.example.gov.vn" for number in range(30)]
    put(server, *canaries)
    put(server, "Canary-capitals@syt.example.gov.vn", "canary-no-address")
    server.users[canaries[3]] = User({"status": "canary-state"})
    server.users["canary-root"] = User()
    config = Config(state_field="status", last_login_dict="proxy::lastlogin")
    errors: list[str] = []
    kept = Kept()
    with caplog.at_level("DEBUG"):
        for change in ({}, {"busy": frozenset({"user"})}, {"roots": ("canary-root", "b")}, {"lists": False}):
            for name, content in change.items():
                setattr(server, name, content)
            try:
                run(server.address, kept, 20260115, config)
            except CollectorError as error:
                errors.append(repr(error) + str(error) + error.mend)
            server.busy, server.lists = frozenset(), True
        assert len(errors) == 4
        put(server, *many(1000))
        server.roots = ("User quota",)
        run(server.address, kept, 20260115, config)
        server.users[canaries[4]].broken = True
        run(server.address, kept, 20260116, config)
        found = findings(server, config)
    assert kept.bad
    everything = repr((kept.mailboxes, kept.cursor, kept.bad, errors, found)) + caplog.text
    assert re.findall(r"canary", everything, re.IGNORECASE) == []


def test_nothing_is_ever_asked_that_writes(server: Dovecot) -> None:
    put(server, *many(120))
    server.users["u00000@syt.example.gov.vn"].broken = True
    config = Config(state_field="nologin", agency_field="ou", last_login_dict="proxy::lastlogin")
    run(server.address, Kept(), 20260115, config)
    assert {command for command, _ in commands(server)} == {"user", "quotaGet", "dictIter"}
    findings(server, config)
    assert {command for command, _ in commands(server)} <= {"user", "quotaGet", "dictIter", "dictGet", "who"}
