"""A source of mailboxes that has lost its cursor goes on from what is stored; nothing counts twice, nobody is lost."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from collector.contract.connector import BadRow, Batch, Want
from collector.contract.period import plus_days
from collector.contract.records import Mailbox
from collector.store.engine import reading, writing
from collector.store.mailboxes import mailboxes
from collector.store.save import read_cursor, save
from collector.store.schema import cursor as cursors
from connectors.email.polls import batches
from connectors.email.standing import Entry
from tests.connectors.email.dovecot_runs import morning
from tests.connectors.email.reading import Door, Kept, pseudonym
from tests.store.small import PLAN, store

SINCE = 20260101


@dataclass(frozen=True)
class Rules:
    once_a_day: bool = True
    longest_gap: int = 7
    may_vanish: float = 1.0


def _give(entries: Mapping[str, Entry]) -> tuple[Mapping[str, Entry], list[BadRow]]:
    return entries, []


def look(kept: Kept, day: int, entries: Mapping[str, Entry], bad: tuple[BadRow, ...] = ()) -> None:
    """Look once on a day, and keep what that gives."""
    door = Door(Path(), morning(day))
    asked = Want(kept.cursor, SINCE, SINCE, plus_days(day, -1), mailboxes=kept.of_month)
    for batch in batches(Rules(), door, asked, lambda: (entries, list(bad)), "users"):
        kept.save(batch)


@pytest.mark.parametrize("seed", range(40))
def test_whenever_the_cursor_is_lost_the_same_is_told(seed: int) -> None:
    random_ = random.Random(seed)
    everybody = [f"u{number}@a.test" for number in range(8)]
    whole, forgetful = Kept(), Kept()
    day = 20260120
    for _ in range(30):
        day = plus_days(day, random_.choice([1, 1, 1, 2, 3]))
        entries = {
            name: Entry("A", "personal", random_.random() < 0.8, created_day=random_.choice([None, 20260110]))
            for name in random_.sample(everybody, random_.randint(3, 8))
        }
        if random_.random() < 0.4:
            forgetful.cursor = None
        for kept in (whole, forgetful):
            look(kept, day, entries)
        assert forgetful.mailboxes == whole.mailboxes
        assert forgetful.cursor == whole.cursor
        assert forgetful.covered == whole.covered


def test_without_a_cursor_the_server_is_asked_again_although_it_was_asked_today() -> None:
    kept = Kept()
    look(kept, 20260110, {"an@a.test": Entry("A", "personal", True)})
    look(kept, 20260112, {"an@a.test": Entry("A", "personal", True)})
    kept.cursor = None
    look(kept, 20260112, {name: Entry("A", "personal", True) for name in ("an@a.test", "binh@a.test")})
    first = {row[5]: row[8] for row in kept.mailboxes.values()}
    assert first == {pseudonym("an@a.test", 20260101): 20260110, pseudonym("binh@a.test", 20260101): 20260112}


def test_what_was_bad_and_is_so_no_longer_leaves_the_quarantine() -> None:
    kept = Kept()
    entries = {"an@a.test": Entry("A", "personal", True)}
    bad = BadRow(Mailbox, f"202601:{pseudonym('x', 20260101)}", "userList", "it is no mail address")
    jumped = BadRow(Mailbox, "last_login", "last_login", "they show who was asked for")
    look(kept, 20260110, entries, (bad, jumped))
    look(kept, 20260111, entries, (bad,))
    assert kept.bad == [bad]
    look(kept, 20260112, entries)
    assert kept.bad == []


def test_the_store_gives_back_what_it_holds_of_the_last_month(tmp_path: Path) -> None:
    engine, register = store(tmp_path)
    kept = Kept()
    for day in (20260130, 20260131, 20260202, 20260204):
        entries = {name: Entry("A", "personal", True) for name in ("an@a.test", f"u{day}@a.test")}
        door = Door(Path(), morning(day))
        with reading(engine) as connection:
            at = read_cursor(connection, "mail")
        asked = Want(at, SINCE, SINCE, plus_days(day, -1), mailboxes=lambda month: mailboxes(engine, "mail", month))
        given: list[Batch] = list(batches(Rules(), door, asked, partial(_give, entries), "users"))
        with writing(engine) as connection:
            save(connection, "mail", given, register, PLAN)
            if day == 20260202:
                connection.execute(cursors.delete())
        for batch in given:
            kept.save(batch)
    assert sorted(mailboxes(engine, "mail", None)) == sorted(kept.of_month(20260201))
    assert sorted(mailboxes(engine, "mail", 20260101)) == sorted(kept.of_month(20260101))
    assert mailboxes(engine, "other", None) == []
    assert {row[8] for row in kept.of_month(20260201) if row[5] == pseudonym("an@a.test", 20260201)} == {20260130}
