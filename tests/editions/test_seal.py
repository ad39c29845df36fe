"""A period is sealed only if everything that it needs was read, or is accepted as lost; then it is sealed wholly."""

import os
from importlib import import_module
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from collector import editions, gaps
from collector.contract.errors import TryAgain, WrongUse
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.editions import Lacking, NotYet, keys, log
from collector.editions.freeze import freeze
from collector.editions.seal import write
from collector.store.engine import reading, writing
from collector.store.schema import run
from tests.editions.province import (
    FEBRUARY,
    IDS,
    JANUARY,
    QUARTER,
    SEALED,
    SOURCES,
    A,
    B,
    Province,
    dossier,
    province,
)

SEALING = import_module("collector.editions.seal")


def lacking(one: Province, period: str = "2026-02") -> tuple[Lacking, ...]:
    with pytest.raises(NotYet, match=f"{period} cannot be sealed yet") as refused:
        one.seal(parse_period(period))
    assert editions.sealed(one.engine, parse_period(period)) is None, "nothing is stored"
    assert one.told == []
    return refused.value.lacking


@pytest.fixture
def march(tmp_path: Path) -> Province:
    """The province on 2 March; of February nothing is covered."""
    one = province(tmp_path)
    one.now = day_start(20260302)
    return one


def test_a_period_with_a_day_that_nobody_read_is_refused_with_the_commands_that_fill_it(march: Province) -> None:
    march.cover("desk", 20260201, 20260228)
    march.cover("docs", 20260201, 20260210)
    march.cover("docs", 20260212, 20260228)
    march.cover("mail", 20260201, 20260226)
    docs, mail = lacking(march)
    assert (docs.source, docs.records, docs.first_day, docs.last_day) == ("docs", ("document",), 20260211, 20260211)
    assert docs.mend == (
        "collector collect docs --from 2026-02-11 --to 2026-02-11 --only-gaps",
        'collector gap docs 2026-02-11 --reason "..."',
    )
    assert (mail.records, mail.first_day, mail.last_day) == (("mailbox", "mailbox_day"), 20260227, 20260228)
    march.cover("docs", 20260211, 20260211)
    assert [one.source for one in lacking(march)] == ["mail"]
    march.cover("mail", 20260227, 20260228)
    assert march.seal(FEBRUARY).previous == march.sealed().digest, "all editions of a store are one chain"
    assert march.faults() == []


def test_a_day_that_is_accepted_as_lost_keeps_no_period_from_being_sealed(march: Province) -> None:
    for source in SOURCES:
        march.cover(source, 20260201, 20260227)
    assert len(lacking(march)) == 3
    for source, records in SOURCES.items():
        names = [record.NAME for record in records]
        gaps.accept(march.engine, source, 20260101, names, (20260228, 20260228), "bão; mất điện", march.now)
    made = march.seal(FEBRUARY)
    assert [(one.source, one.first_day, one.last_day, one.reason) for one in made.gaps] == [
        (source, 20260228, 20260228, "bão, mất điện") for source in sorted(SOURCES)
    ]
    whys = {one.why for one in made.readings if one.indicator == "documents.exchanged_internal"}
    assert whys == {"covered, and there was nothing to judge; 2026-02-28 of docs accepted as lost: bão, mất điện"} | {
        why for why in whys if why == ""
    }
    with pytest.raises(WrongUse, match="edition 1 of 2026-02 was sealed without those days"):
        gaps.withdraw(march.engine, "docs", (20260228, 20260228))


def test_a_run_that_does_not_account_for_all_that_it_read_keeps_its_period_from_being_sealed(march: Province) -> None:
    for source in SOURCES:
        march.cover(source, 20260201, 20260228)
    counts = {"read": 10, "inserted": 3, "updated": 3, "unchanged": 1, "quarantined": 1, "destroyed": 1}
    with writing(march.engine) as connection:
        began = day_start(20260301)
        connection.execute(insert(run).values(source="desk", began=began, result="done", message="", **counts))
    (one,) = lacking(march)
    assert (one.source, one.says) == ("desk", "run 1 read 10 records and accounts for 9")
    with writing(march.engine) as connection:
        connection.execute(update(run).values(unchanged=2))
    assert march.seal(FEBRUARY).number == 1


@pytest.mark.parametrize(
    ("period", "now", "says"),
    [
        ("2026-02", day_start(20260301) - 1, "2026-02 is not over. It may be sealed from 2026-03-01 on"),
        ("2026-Q1", day_start(20260302), "2026-Q1 is not over"),
        ("2026-01-05", day_start(20260302), "2026-01-05 is a day"),
        ("2026-01", day_start(20260302), "2026-01 is sealed: edition 1 of 2026-02-05"),
    ],
)
def test_a_period_that_cannot_be_sealed_is_refused(period: str, now: int, says: str, tmp_path: Path) -> None:
    one = province(tmp_path)
    one.now = now
    with pytest.raises(WrongUse, match=says):
        one.seal(parse_period(period))


def test_a_quarter_is_sealed_beside_its_months(march: Province) -> None:
    for source in SOURCES:
        march.cover(source, 20260201, 20260331)
    march.seal(FEBRUARY)
    march.now = day_start(20260405)
    march.indicators = [one for one in march.indicators if not one.workdays and one.group is None]
    made = march.seal(QUARTER)
    assert made.position == 3
    own = next(one for one in made.readings if (one.indicator, one.agency) == ("documents.exchanged_internal", A))
    assert (own.hits, own.judged, own.period) == (2, 4, "2026-Q1")
    assert march.faults() == []


def test_a_period_that_was_never_sealed_cannot_be_stated_anew(march: Province) -> None:
    with pytest.raises(WrongUse, match=r"2026-02 is not sealed\. Seal it first: collector seal 2026-02"):
        march.restate("late", FEBRUARY)


def test_a_restatement_needs_what_a_seal_needs(tmp_path: Path) -> None:
    one = province(tmp_path)
    one.put("desk", dossier("late", B))
    with writing(one.engine) as connection:
        connection.exec_driver_sql("DELETE FROM coverage WHERE source = 'docs' AND day = 20260120")
    with pytest.raises(NotYet):
        one.restate("late")
    assert one.sealed().number == 1


def test_nothing_of_a_seal_is_stored_if_what_is_told_of_it_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = province(tmp_path, sealed=False)

    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SEALING, "enqueue", broken)
        with pytest.raises(KeyboardInterrupt):
            one.seal()
    with reading(one.engine) as connection:
        for table in ("edition", "edition_body", "edition_rows", "outbox"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0
    one.seal()
    with reading(one.engine) as connection:
        told = connection.exec_driver_sql("SELECT period, edition, body FROM outbox").all()
    assert told == [("2026-01", 1, one.sealed().digest)]


def test_a_seal_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = province(tmp_path, sealed=False)
    levels = []
    whole = SEALING.enqueue

    def looks(connection: object, *args: object) -> object:
        levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())  # type: ignore[attr-defined]
        return whole(connection, *args)

    monkeypatch.setattr(SEALING, "enqueue", looks)
    one.seal()
    assert levels == [2], "FULL"


def test_of_two_that_seal_at_once_one_is_told_to_look_first(tmp_path: Path) -> None:
    one = province(tmp_path, sealed=False)
    with reading(one.engine) as connection:
        frozen = freeze(connection, one.sealer, JANUARY, 1, None)
    one.seal()
    with pytest.raises(TryAgain, match="2026-01 was sealed by another program meanwhile"):
        write(one.sealer, JANUARY, frozen, keys.private_key(one.key), number=1, reason="", says="")
    assert one.faults() == []


# -- the key -----------------------------------------------------------------------------------------------------


def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    one = province(tmp_path, sealed=False)
    for mode in (0o640, 0o604, 0o620, 0o666):
        one.key.chmod(mode)
        with pytest.raises(WrongUse, match=f"others may read .*signing.key .its mode is {mode:04o}"):
            one.seal()
    one.key.chmod(0o400)
    assert one.seal().number == 1


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_signs_nothing(content: bytes, tmp_path: Path) -> None:
    one = province(tmp_path, sealed=False)
    one.key.write_bytes(content)
    with pytest.raises(WrongUse, match="is no Ed25519 private key"):
        one.seal()
    with pytest.raises(WrongUse, match="is no Ed25519 public key"):
        keys.public_key(one.key)


def test_a_new_key_is_its_owners_alone_and_never_overwrites_one(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        public = keys.new(tmp_path / "key")
    finally:
        os.umask(before)
    assert public == tmp_path / "key.pub"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    own = keys.private_key(tmp_path / "key")
    assert keys.raw(own.public_key()) == keys.public_key(public)
    with pytest.raises(WrongUse, match="is there already"):
        keys.new(tmp_path / "key")
    body = b"a body"
    signature = keys.sign(own, body)
    assert keys.is_signed(keys.public_key(public), signature, body)
    assert not keys.is_signed(keys.public_key(public), signature, b"b body")
    assert not keys.is_signed(b"short", signature, body)
    assert not own.public_key().verify(signature, b"collector edition 1\n" + body), "raises if it is not signed so"


def test_without_a_key_there_is_no_seal(tmp_path: Path) -> None:
    one = province(tmp_path, sealed=False)
    with pytest.raises(WrongUse, match="Make one with `collector seal --new-key`"):
        editions.seal(one.sealer, JANUARY, tmp_path / "none")


# -- what was shown ----------------------------------------------------------------------------------------------


def shown(one: Province, until: int) -> list[Reading]:
    with reading(one.engine) as connection:
        return log.as_of(connection, JANUARY, until, ("agency", "block", "province"), IDS)


def test_the_same_is_noted_once_and_each_note_is_shown_from_its_instant_on(tmp_path: Path) -> None:
    one = province(tmp_path, sealed=False)
    noted = log.note(one.sealer, 20260101)
    places = 3 + 1 + 1  # agencies, block, province
    assert noted == 4 * len(IDS) * places, "of January, February, the quarter and the year"
    assert log.note(one.sealer, 20260101) == 0
    first = shown(one, SEALED)
    assert first
    assert shown(one, SEALED - 1) == []
    one.now += 86_400
    one.put("desk", dossier("late", B))
    assert 0 < log.note(one.sealer, 20260101) <= 20, "what did not change is not noted again"
    second = shown(one, one.now)
    assert shown(one, one.now - 1) == first
    assert [each for each in first if each not in second] != []
    one.now -= 3 * 86_400
    one.put("desk", dossier("later", B))
    log.note(one.sealer, 20260101)
    assert shown(one, SEALED + 86_400) == second, "a clock that was set back hides nothing"
    assert shown(one, SEALED + 86_401) != second


def test_a_sealed_period_is_noted_no_more(tmp_path: Path) -> None:
    one = province(tmp_path)
    names = [period.name for period in log.open_periods(one.sealer, 20251231, one.now)]
    assert names == ["2025-12", "2025-Q4", "2025", "2026-Q1", "2026", "2026-02"]
