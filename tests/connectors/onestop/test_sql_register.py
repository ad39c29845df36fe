"""Dossiers read from the tables of real databases, in the two shapes that are known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from collector.clock import fixed_clock
from collector.collect import Job, Tools, Wanted, collect
from collector.contract.connector import Connector, Days, Want, fingerprint
from collector.contract.errors import AccessDenied, UnexpectedAnswer
from collector.contract.records import Dossier, Procedure
from collector.contract.tables import dossier
from collector.reconcile import reconcile
from collector.store.engine import reading
from connectors.onestop import sql_register
from tests.connectors.onestop.dossier_tables import (
    CANARIES,
    SINCE,
    Site,
    hoso_row,
    hoso_site,
    opencps_row,
    opencps_site,
    time,
)
from tests.connectors.onestop.opencps_double import at
from tests.connectors.onestop.runs import named, rows
from tests.store.small import PLAN, store

MONDAY = 20260105


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.server("postgresql")),
        pytest.param("mariadb", marks=pytest.mark.server("mariadb")),
    ]
)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'onestop.db'}"
    url: str = request.getfixturevalue(request.param).database("motcua")
    return url


@pytest.fixture
def opencps(empty: str) -> Iterator[Site]:
    with opencps_site(empty) as site:
        yield site


@pytest.fixture
def hoso(empty: str) -> Iterator[Site]:
    with hoso_site(empty) as site:
        yield site


@pytest.fixture
def file(tmp_path: Path) -> str:
    """SQLite alone, for what does not depend on the database."""
    return f"sqlite:///{tmp_path / 'onestop.db'}"


def numbers(site: Site) -> list[str]:
    return sorted({row[0] for row in rows(site.batches, Dossier)})


def covered(site: Site) -> list[tuple[str, int, int]]:
    return sorted((one.record.NAME, one.first_day, one.last_day) for batch in site.batches for one in batch.covers)


# --- opencps_dossier -------------------------------------------------------------------------------------------------


def test_a_row_of_opencps_becomes_a_dossier(opencps: Site) -> None:
    opencps.put(7, **opencps_row(MONDAY, 20260112, online_=0, fromViaPostal=1, dossierStatus="done"))
    opencps.put(7, releaseDate=time(20260109, 23, 59, 59), finishDate=time(20260110), modifiedDate=time(20260110, 1))
    opencps.read(at(20260111))
    assert opencps.dossier(7) == {
        "key": "7",
        "agency_code": "000.00.02.H44",
        "changed": at(20260110, 1) * 1_000_000,
        "removed": 0,
        "procedure": "1.002835",
        "channel": "post",
        "submitted_day": MONDAY,
        "received_day": MONDAY,
        "completed_day": 20260109,
        "returned_day": 20260110,
        "outcome": "completed",
        "ended_day": None,
        "source_status": "done",
        "completed": at(20260109, 23, 59, 59),
        "due": at(20260112, 17),
        "due_day": 20260112,
        "digitised": None,
        "electronic_result": None,
        "payment": None,
    }
    assert opencps.promises(7) == [(20260112, "current")], "it may have been moved before it was first seen"


def test_the_time_allowed_is_kept_with_a_promise_where_the_table_has_it(file: str) -> None:
    with opencps_site(file) as site:
        with site.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE opencps_dossier ADD COLUMN durationCount FLOAT")
            connection.exec_driver_sql("ALTER TABLE opencps_dossier ADD COLUMN durationUnit INTEGER")
        site.put(1, **opencps_row(MONDAY, 20260112))
        site.put(2, **opencps_row(MONDAY, 20260112))
        with site.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE opencps_dossier SET durationCount = 16, durationUnit = 1 WHERE dossierId = 2"
            )
        site.read(at(20260106))
        refs = {row[4]: row[6] for row in site.events.values()}
    assert refs == {"1": "", "2": "16 working_hours"}


def test_only_the_rows_of_the_site_and_no_copies_are_read(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.put(2, **opencps_row(MONDAY, 20260112, groupId=77))
    opencps.put(3, **opencps_row(MONDAY, 20260112, originDossierId=1))
    opencps.put(4, **opencps_row(MONDAY, 20260112, originDossierId=None))
    opencps.read(at(20260110))
    assert numbers(opencps) == ["1", "4"]


def test_what_is_cleared_again_is_cleared_here(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112, dossierStatus="releasing", releaseDate=time(20260108, 9)))
    opencps.read(at(20260109))
    opencps.put(1, dossierStatus="processing", releaseDate=None, modifiedDate=time(20260109, 9))
    opencps.read(at(20260110))
    assert (opencps.dossier(1)["outcome"], opencps.dossier(1)["completed_day"]) == ("open", None)


def test_under_watch_the_first_due_date_seen_is_the_first_one_and_pauses_are_seen(opencps: Site) -> None:
    opencps.read(at(20260104, 1))
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.read(at(20260106, 1))
    opencps.read(at(20260107, 1))
    opencps.put(1, lockState="PAUSE", dossierStatus="waiting", modifiedDate=time(20260107, 14))
    opencps.read(at(20260108, 1))
    opencps.put(1, lockState="", dueDate=time(20260114, 17), modifiedDate=time(20260109, 9))
    opencps.read(at(20260110, 1))
    assert opencps.promises(1) == [(20260112, "first"), (20260114, "current")]
    assert opencps.pauses(1) == [("begun", 20260107), ("ended", 20260109)]


def test_names_in_lower_case_are_found_and_others_can_be_told(empty: str) -> None:
    with opencps_site(empty, fold=True) as site:
        site.put(1, **{name.lower(): value for name, value in opencps_row(MONDAY, 20260112).items()})
        site.read(at(20260110))
        assert numbers(site) == ["1"]
        site.config = site.config.model_copy(update={"columns": {"agency": "dossierNo"}})
        site.put(1, dossierno="H44-99", modifieddate=time(20260110, 9))
        site.read(at(20260111))
        assert site.dossier(1)["agency_code"] == "H44-99"


def test_times_of_a_server_in_another_zone_are_cut_on_the_local_clock(opencps: Site) -> None:
    opencps.config = opencps.config.model_copy(update={"time_zone": "UTC"})
    opencps.put(1, **opencps_row(MONDAY, 20260112, receiveDate=time(20260104, 17)))
    opencps.read(at(20260110))
    assert opencps.dossier(1)["received_day"] == MONDAY


# --- hoso ------------------------------------------------------------------------------------------------------------


GOLDEN = [
    ({}, ("open", None, None, None)),
    ({"TrangThaiHoSoId": "9", "NgayKetThucXuLy": time(20260109, 16)}, ("completed", 20260109, None, None)),
    (
        {"TrangThaiHoSoId": "10", "NgayKetThucXuLy": time(20260109), "NgayTra": time(20260112)},
        ("completed", 20260109, 20260112, None),
    ),
    ({"TrangThaiHoSoId": "7", "NgayKetThucXuLy": time(20260108)}, ("withdrawn", None, None, 20260108)),
    ({"TrangThaiHoSoId": "8", "NgayKetThucXuLy": time(20260108)}, ("stopped", None, None, 20260108)),
    ({"TrangThaiHoSoId": "3", "NgayTuChoi": time(20260106)}, ("refused_at_intake", None, None, 20260106)),
    ({"TrangThaiHoSoId": "77"}, (None, None, None, None)),
]


@pytest.mark.parametrize(("columns", "said"), GOLDEN)
def test_a_row_in_national_codes_becomes_a_dossier(file: str, columns: dict[str, Any], said: tuple[Any, ...]) -> None:
    with hoso_site(file) as site:
        site.put("H44.02-260105-0001", **hoso_row(MONDAY, 20260112, **columns))
        site.read(at(20260115))
        told = site.dossier("H44.02-260105-0001")
        assert (told["outcome"], told["completed_day"], told["returned_day"], told["ended_day"]) == said
        assert (told["agency_code"], told["procedure"], told["channel"]) == ("H44.02", "1.002835", "online")


def test_levels_come_with_the_dossiers(hoso: Site) -> None:
    hoso.put("1", **hoso_row(MONDAY, None, MucDo=3))
    hoso.put("2", **hoso_row(20260107, None, MucDo=4))
    hoso.put("3", **hoso_row(20260103, None, MucDo=None))
    hoso.read(at(20260110))
    lines = [named(Procedure, row) for row in rows(hoso.batches, Procedure)]
    assert sorted((one["key"], one["level"], one["from_day"]) for one in lines) == [
        ("1.002835@H44.02:full", "full", 20260107),
        ("1.002835@H44.02:partial", "partial", MONDAY),
    ]


def test_a_soft_delete_removes_also_where_the_changed_column_did_not_move(hoso: Site) -> None:
    hoso.put("1", **hoso_row(MONDAY, 20260112))
    hoso.put("2", **hoso_row(20260107, 20260112))
    hoso.read(at(20260110))
    hoso.put("1", DeletedOn=time(20260110, 9))
    hoso.read(at(20260111))
    assert [hoso.dossier(one)["removed"] for one in ("1", "2")] == [1, 0]
    hoso.read(at(20260112))
    assert numbers(hoso) == ["1", "2"], "both are within the overlap of their columns"
    hoso.put("1", DeletedOn=None, LastModifiedOn=time(20260111, 9))
    hoso.read(at(20260112))
    assert hoso.dossier("1")["removed"] == 0


def test_a_supplement_pauses_from_the_request_to_the_answer(hoso: Site) -> None:
    asked = {"TrangThaiHoSoId": "5", "NgayYeuCauBoSung": time(20260107, 9)}
    hoso.put("1", **hoso_row(MONDAY, 20260112, LastModifiedOn=time(20260107, 9), **asked))
    hoso.read(at(20260108))
    assert hoso.pauses("1") == [("begun", 20260107)]
    hoso.put("1", TrangThaiHoSoId="4", NgayCongDanBoSung=time(20260109, 9), LastModifiedOn=time(20260109, 9))
    hoso.read(at(20260110))
    assert hoso.pauses("1") == [("begun", 20260107), ("ended", 20260109)]
    # The next one leaves the old answer where it is.
    hoso.put("1", TrangThaiHoSoId="5", NgayYeuCauBoSung=time(20260112, 9), LastModifiedOn=time(20260112, 9))
    hoso.read(at(20260113))
    assert hoso.pauses("1") == [("begun", 20260107), ("ended", 20260109), ("begun", 20260112)]
    # This one was answered and asked anew between two runs: it had ended by the new request.
    hoso.put("1", NgayYeuCauBoSung=time(20260115, 9), LastModifiedOn=time(20260115, 9))
    hoso.read(at(20260116))
    assert hoso.pauses("1")[2:] == [("begun", 20260112), ("begun", 20260115), ("ended", 20260115)]
    assert hoso.open_pauses() == {"1": [(f"@{at(20260115, 9)}", at(20260115, 9) * 1_000_000)]}


# --- reading on ------------------------------------------------------------------------------------------------------


def test_the_next_run_reads_from_the_greatest_change_less_the_overlap(opencps: Site) -> None:
    for number in range(1, 6):
        opencps.put(number, **opencps_row(MONDAY + number, 20260120))
    opencps.read(at(20260112))
    assert numbers(opencps) == ["1", "2", "3", "4", "5"]
    opencps.put(2, dueDate=time(20260122, 17), modifiedDate=time(20260112, 9))
    opencps.put(6, **opencps_row(20260110, 20260120, modifiedDate=time(20260110, 8, 51)))  # committed late
    opencps.put(7, **opencps_row(20260109, 20260120, modifiedDate=time(20260110, 8, 49)))  # too late
    opencps.read(at(20260113))
    assert numbers(opencps) == ["2", "5", "6"]


def test_a_change_of_the_future_does_not_move_the_cursor(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260120))
    opencps.put_all({number: opencps_row(20260106, 20260120) for number in range(2, 220)})
    opencps.put(900, **opencps_row(20260106, 20260120, modifiedDate=time(20270101)))
    opencps.read(at(20260110))
    assert [(one.key, one.field) for batch in opencps.batches for one in batch.bad] == [("900", "changed")]
    opencps.put(1, modifiedDate=time(20260110, 9))
    opencps.read(at(20260111))
    assert "1" in numbers(opencps)


def test_rows_without_a_change_are_read_in_every_run_and_rows_without_an_id_in_none(hoso: Site) -> None:
    hoso.put("1", **hoso_row(MONDAY, 20260112, LastModifiedOn=None))
    hoso.put(None, **hoso_row(MONDAY, 20260112))
    for day in (20260110, 20260111):
        hoso.read(at(day))
        assert numbers(hoso) == ["1"]
    assert hoso.dossier("1")["changed"] == at(20260111) * 1_000_000


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_pages_cut_anyhow_lose_nothing_also_of_rows_of_one_moment(empty: str, page_size: int) -> None:
    with opencps_site(empty, page_size=page_size) as site:
        site.put_all({number: opencps_row(MONDAY if number < 6 else 20260106, 20260112) for number in range(1, 8)})
        site.read(at(20260110))
        assert numbers(site) == [str(number) for number in range(1, 8)]
        before = dict(site.dossiers), dict(site.events)
        site.cursor = None
        site.read(at(20260110))
        assert (site.dossiers, site.events) == before


def test_a_run_that_is_cut_off_goes_on_at_its_last_row(opencps: Site) -> None:
    opencps.config = opencps.config.model_copy(update={"page_size": 2})
    opencps.put_all({number: opencps_row(MONDAY, 20260112) for number in range(1, 8)})
    now = at(20260110)
    with opencps.door(now) as door:
        want = Want(None, SINCE, SINCE, 20260109)
        batches = sql_register.fetch(opencps.config, door, want)
        first = [next(batches), next(batches)]
        batches.close()  # type: ignore[attr-defined]
    opencps.cursor = first[-1].cursor
    opencps.read(now)
    assert numbers(opencps) == ["5", "6", "7"]
    assert covered(opencps)[0] == ("dossier", SINCE, 20260109)


def test_a_cursor_of_another_mapping_is_not_used(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.put(2, **opencps_row(20260109, 20260112))
    opencps.read(at(20260110))
    opencps.read(at(20260111))
    assert numbers(opencps) == ["2"]
    opencps.config = opencps.config.model_copy(update={"columns": {"agency": "dossierNo"}})
    opencps.read(at(20260112))
    assert numbers(opencps) == ["1", "2"]


# --- runs by hand, reconciliation ------------------------------------------------------------------------------------


def test_a_run_by_hand_reads_all_and_leaves_the_cursor(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.put(2, **opencps_row(20260109, 20260112, govAgencyCode="000.00.03.H44"))
    opencps.read(at(20260115), window=True, first_day=20260107, last_day=20260110)
    assert (numbers(opencps), opencps.cursor) == (["1", "2"], None)
    assert covered(opencps) == [("dossier", 20260107, 20260110), ("dossier_event", 20260107, 20260110)]
    opencps.read(at(20260115), window=True, agencies=frozenset({"000.00.03.H44"}))
    assert (numbers(opencps), covered(opencps)) == (["2"], [])


def test_what_is_there_on_some_days_can_be_listed_and_read_by_its_keys(opencps: Site) -> None:
    for number, day in ((1, MONDAY), (2, 20260107), (3, 20260109)):
        opencps.put(number, **opencps_row(day, 20260112))
    now = at(20260110)
    opencps.read(now)
    with opencps.door(now) as door:
        listed = list(sql_register.keys(opencps.config, door, Days(20260106, 20260110)))
        assert [block.whole for block in listed][-1]
        found = {one.key: (one.day, one.mark) for block in listed for one in block.keys}
        assert found == {
            key: (day, fingerprint(Dossier, opencps.dossiers[key])) for key, day in (("2", 20260107), ("3", 20260109))
        }
    opencps.read(now, window=True, keys={Dossier: ["3", "4"]})
    assert (numbers(opencps), covered(opencps), opencps.batches[0].cursor) == (["3"], [], None)


def test_what_vanished_was_missed_or_changed_in_silence_is_found_by_reconciliation(file: str, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    engine, known = store(tmp_path / "store")
    with opencps_site(file) as site:
        site.put_all({number: opencps_row(20260102 + number, 20260112) for number in range(1, 9)})
        clocks = fixed_clock(at(20260113)), fixed_clock(at(20260113))
        tools = Tools(engine, known, PLAN, *clocks, "test")
        made = Job("s", cast(Connector, sql_register), site.config, SINCE, site.door)
        how: dict[str, Any] = {"wait": False, "says": lambda _: None, "progress": lambda _: None}
        assert collect(made, tools, Wanted(), **how).failure is None
        site.drop(1)
        site.put(2, releaseDate=time(20260105, 9), dossierStatus="releasing")
        # Entered late, with a change of the past.
        site.put(20, **opencps_row(20260103, 20260106))
        done = reconcile(made, tools, Wanted(), **how)
        assert done.failure is None
        assert dict(done.differences[Dossier].kinds) == {"vanished": 1, "silent": 1, "missed": 1}
    with reading(engine) as connection:
        c = dossier.c
        found = connection.execute(select(c.key, c.completed_day, c.effective_due_day).where(c.removed == 0)).all()
    told = {key: (completed, due) for key, completed, due in found}
    assert "1" not in told
    assert told["2"] == (20260105, 20260112)
    assert told["20"] == (None, 20260106), "it comes with its due date"
    engine.dispose()


# --- empty, refused, broken ------------------------------------------------------------------------------------------


def test_an_empty_table_is_no_error_and_is_covered(hoso: Site) -> None:
    hoso.read(at(20260110))
    assert numbers(hoso) == []
    assert covered(hoso) == [(record, SINCE, 20260109) for record in ("dossier", "dossier_event", "procedure")]


def test_a_table_or_column_that_is_not_there_is_named(file: str) -> None:
    with hoso_site(file, table="HoSos") as site, pytest.raises(UnexpectedAnswer) as caught:
        site.read(at(20260110))
    assert caught.value.field == "HoSos"
    with hoso_site(file, columns={"due": "HanTra"}) as site, pytest.raises(UnexpectedAnswer) as caught:
        site.read(at(20260110))
    assert caught.value.field == "HanTra"
    with opencps_site(file, levels=True) as site, pytest.raises(UnexpectedAnswer) as caught:
        site.read(at(20260110))
    assert caught.value.field == "serviceLevel"


def test_one_bad_row_is_set_aside_and_more_than_one_in_a_hundred_stop_the_source(opencps: Site) -> None:
    opencps.put_all({number: opencps_row(MONDAY, 20260112) for number in range(1, 200)})
    opencps.put(900, **opencps_row(MONDAY, 20260112, receiveDate=time(19000101)))
    opencps.read(at(20260110))
    assert {(one.record, one.key, one.field) for batch in opencps.batches for one in batch.bad} == {
        (Dossier, "900", "received")
    }
    assert "900" not in opencps.dossiers
    for number in (901, 902):
        opencps.put(number, **opencps_row(MONDAY, 20260112, dossierStatus="done\x07"))
    opencps.cursor = None
    with pytest.raises(UnexpectedAnswer) as caught:
        opencps.read(at(20260110))
    assert caught.value.field == "status"


@pytest.mark.server("postgresql")
def test_an_account_without_the_right_is_refused_by_name(postgresql: Any) -> None:
    from psycopg import sql as words

    url = postgresql.database("motcua")
    reader = words.Identifier("nobody_at_all")
    postgresql.execute(
        words.SQL("DROP ROLE IF EXISTS {}").format(reader),
        words.SQL("CREATE ROLE {} LOGIN PASSWORD 'quite-secret'").format(reader),
    )
    with hoso_site(url) as site:
        site.url = postgresql.url_of("motcua", "nobody_at_all", "quite-secret")
        with pytest.raises(AccessDenied):
            site.read(at(20260110))


def test_no_person_is_in_rows_cursor_bad_rows_or_errors(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.put(2, **opencps_row(MONDAY, 20260112, lockState="CANARY\x07"))
    opencps.read(at(20260110))
    told = repr(opencps.batches) + repr(opencps.cursor)
    with opencps.door(at(20260110)) as door:
        told += repr(list(sql_register.probe(opencps.config, door)))
    assert not [canary for canary in CANARIES if canary in told]


# --- probe, configuration --------------------------------------------------------------------------------------------


def test_the_probe_looks_at_columns_and_one_page(opencps: Site) -> None:
    opencps.put(1, **opencps_row(MONDAY, 20260112))
    opencps.put(2, **opencps_row(MONDAY, 20260112, modifiedDate=None))
    with opencps.door(at(20260110)) as door:
        found = {one.stage: one.result for one in sql_register.probe(opencps.config, door)}
    assert (found["reach"], found["columns"], found["page"], found["changed"]) == ("ok", "ok", "ok", "unproved")
    opencps.put(1, receiveDate=time(19000101))
    with opencps.door(at(20260110)) as door:
        assert {one.stage: one.result for one in sql_register.probe(opencps.config, door)}["page"] == "failed"


def test_the_probe_of_an_empty_table_proves_nothing(hoso: Site) -> None:
    with hoso.door(at(20260110)) as door:
        assert {one.stage: one.result for one in sql_register.probe(hoso.config, door)}["page"] == "unproved"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"preset": "other"},
        {"preset": "opencps_dossier"},
        {"preset": "hoso", "group_id": 1},
        {"preset": "hoso", "columns": {"lock": "x"}},
        {"preset": "hoso", "time_zone": "Hanoi"},
        {"preset": "hoso", "page_size": 0},
        {"preset": "hoso", "unknown": 1},
    ],
)
def test_a_configuration_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        sql_register.Config.model_validate(wrong)


def test_the_records_offered_follow_from_the_levels() -> None:
    def offered(**told: Any) -> int:
        return len(sql_register.offers(sql_register.Config.model_validate(told)))

    assert offered(preset="hoso") == 3
    assert offered(preset="hoso", levels=False) == 2
    assert offered(preset="opencps_dossier", group_id=1) == 2
    assert offered(preset="opencps_dossier", group_id=1, levels=True) == 3
