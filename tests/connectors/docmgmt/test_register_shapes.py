"""What sites write into their registers: lists of recipients, days that are none, shared tables, known products."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError
from sqlalchemy import Select, create_engine, select, text
from sqlalchemy.pool import NullPool

from collector.clock import fixed_clock
from collector.collect import Job, Tools, Wanted, collect
from collector.contract.connector import Connector, Days, fingerprint
from collector.contract.door import Rows
from collector.contract.period import day_start
from collector.contract.records import Delivery, Document, Record, columns
from collector.contract.tables import document as table
from collector.store.engine import reading
from connectors.docmgmt import sql_register
from connectors.docmgmt.organ_codes import outside
from connectors.docmgmt.sql_register import Config
from tests.connectors.docmgmt.register import (
    BEGAN,
    MAPPING,
    WANT,
    Register,
    after,
    config,
    deliveries,
    delivery,
    document,
    door,
    fetched,
    kept,
    local,
)
from tests.store.small import PLAN, store

MORNING = local(2026, 1, 15, 8, 30)


def field(record: type[Document] | type[Delivery], name: str) -> int:
    return columns(record).index(name)


def run(url: str, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def plain(table: str, **documents: Any) -> Config:
    """The mapping of a table with the columns id, changed and issued."""
    columns_ = {"id": "id", "changed": "changed", "issued": "issued"}
    constants = {"agency": {"constant": "H44.02"}, "direction": {"constant": "out"}}
    return Config.model_validate({"documents": {"table": table, **columns_, **constants, **documents}})


# --- recipients --------------------------------------------------------------------------------------------------


def scopes(site: Register, lists: Sequence[str | None], **recipients: Any) -> list[str | None]:
    site.write(*(document(n, MORNING, status=one) for n, one in enumerate(lists)))
    told = {"column": "Trạng thái", "inside": ["H44.", ".H44", "UBND tỉnh"], **recipients}
    rows = kept(fetched(site.url, config({"recipients": told, "status": None}, deliveries=None)))
    return [rows[str(n)][field(Document, "scope_stated")] for n in range(len(lists)) if str(n) in rows]


def test_recipients_may_be_a_list_of_json(file: Register) -> None:
    lists = ['["H44.01", "000.00.02.H44"]', '["H44.01", " H37.05 "]', '["H44.01", 7]', "[]", None, '["", "H44.01"]']
    assert scopes(file, lists, json_of="texts") == ["internal", "external", None, None, None, None]


def test_recipients_may_be_objects_of_json(file: Register) -> None:
    lists = (
        [{"ma": "H44.01", "ten": "Sở"}],
        [{"ma": "H37.05"}, {"ma": "H44.01"}],
        [{"ten": "Sở"}],
        ["H44.01", {"ma": 3}],
    )
    assert scopes(file, [json.dumps(one) for one in lists], json_of="objects", member="ma") == [
        "internal",
        "external",
        None,
        None,
    ]


def test_a_list_that_is_none_sets_its_row_aside_and_no_other(file: Register) -> None:
    file.write(*(document(n, MORNING, status='["H44.01"]') for n in range(200)))
    file.write(document(900, MORNING, status="[" * 400), document(901, MORNING, status='{"a": 1}'))
    told = {"column": "Trạng thái", "inside": ["H44."], "json_of": "texts"}
    batches = fetched(file.url, config({"recipients": told, "status": None}, deliveries=None))
    assert sorted((one.key, one.reason) for batch in batches for one in batch.bad) == [
        ("900", "is no JSON"),
        ("901", "is no JSON list"),
    ]
    assert len(kept(batches)) == 200


@pytest.mark.server("postgresql")
def test_lists_of_a_database_s_own_kind_are_read_too(postgresql: Any) -> None:
    url = postgresql.database("vanban")
    run(
        url,
        "CREATE TABLE docs (id int PRIMARY KEY, j jsonb, a text[], changed timestamp, issued date)",
        """INSERT INTO docs VALUES (1, '["H44.01"]', '{H44.01}', '2026-01-15', '2026-01-15'),
                                   (2, '["H44.01", "H37.1"]', '{H44.01,H37.1}', '2026-01-15', '2026-01-15')""",
    )
    for column in ("j", "a"):
        told = plain("docs", recipients={"column": column, "json_of": "texts", "inside": ["H44."]})
        rows = kept(fetched(url, told))
        assert [row[field(Document, "scope_stated")] for row in rows.values()] == ["internal", "external"]


def test_names_inside_and_outside_and_what_is_no_recipient_can_be_told(file: Register) -> None:
    lists = ["UBND tỉnh; Lưu: VT", "Bộ Nội vụ;H44.01;Lưu: VT", "lưu: vt", "Ông A;UBND TỈNH"]
    found = scopes(file, lists, separator=";", outside=["Bộ Nội vụ"], ignore=["Lưu: VT"])
    assert found == ["internal", "external", None, None]


def test_a_whole_code_decides_before_what_only_begins_so() -> None:
    flag = outside(["H44."], ["H44.99", "G."])
    assert [flag[one] for one in ("H44.01", "H44.99", "G.7", "h44", "Sở Y tế")] == [0, 1, 1, 0, None]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "either a separator"),
        ({"separator": ";", "json_of": "texts"}, "either a separator"),
        ({"json_of": "texts", "member": "ma"}, "member belongs"),
        ({"json_of": "objects"}, "member belongs"),
        ({"separator": ";", "outside": ["."]}, "is no code"),
    ],
)
def test_a_list_has_one_form(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        config({"recipients": {"column": "Nơi nhận", "inside": ["H44."], **wrong}})


# --- days, statuses, shared tables -------------------------------------------------------------------------------


def test_days_that_stand_for_none_are_none_where_they_are_named(site: Register) -> None:
    site.write(
        document(1, MORNING, issued=date(1900, 1, 1)),
        document(2, MORNING, issued=date(9999, 12, 31)),
        document(3, MORNING),
    )
    site.deliver(delivery(1, 3, MORNING, sent=local(9999, 12, 31, 23, 59)), delivery(2, 3, MORNING))
    batches = fetched(site.url, config(no_date=["1900-01-01", "9999-12-31"]))
    issued, sent = field(Document, "issued_day"), field(Delivery, "sent_day")
    assert {key: row[issued] for key, row in kept(batches).items()} == {"1": None, "2": None, "3": 20260115}
    assert {key: row[sent] for key, row in deliveries(batches).items()} == {"3|1": None, "3|2": 20260115}
    unnamed = fetched(site.url, config())
    assert [one.key for batch in unnamed for one in batch.bad] == ["2", "3|1"], "else they are no plausible days"


def test_values_that_stand_for_no_day_may_be_of_any_form(file: Register) -> None:
    told = ["0000-00-00", "0000-00-00 00:00:00", "0", "01/01/1900", "2026-01-16"]
    file.write(*(document(n, MORNING, status=one) for n, one in enumerate(told)))
    mapped = config(
        {"issued": "Trạng thái", "status": None}, deliveries=None, no_date=["0000-00-00", "0", "01/01/1900"]
    )
    rows = kept(fetched(file.url, mapped))
    assert [row[field(Document, "issued_day")] for row in rows.values()] == [None, None, None, None, 20260116]


def test_a_delivery_s_statuses_are_a_map_of_values(site: Register) -> None:
    site.write(document(1, MORNING))
    codes = ("01", "02", "03", "06", "15", "16", "13", None)
    site.deliver(*(delivery(n, 1, MORNING, electronic=code) for n, code in enumerate(codes)))
    status = MAPPING["deliveries"]["electronic"]
    told = {
        **MAPPING["deliveries"],
        "electronic": {"constant": "1"},
        "received": status,
        "refused": status,
        "recalled": status,
        "received_on": "Gửi lúc",
        "values": {
            "received": {"03": 1, "04": 1, "05": 1, "06": 1, "16": 1, "01": 0, "02": 0, "15": 0},
            "refused": {"02": 1, "*": 0},
            "recalled": {"15": 1, "13": None, "*": 0},
        },
    }
    rows = deliveries(fetched(site.url, config(deliveries=told)))
    names = ("received", "received_day", "refused", "recalled")
    found = [tuple(rows[f"1|{n}"][field(Delivery, name)] for name in names) for n in range(len(codes))]
    assert found == [
        (0, None, 0, 0),
        (0, None, 1, 0),
        (1, 20260115, 0, 0),
        (1, 20260115, 0, 0),
        (0, None, 0, 1),
        (1, 20260115, 0, 0),
        (None, None, 0, None),
        (None, None, None, None),
    ]


def test_a_day_of_receipt_alone_tells_receipt(file: Register) -> None:
    file.write(document(1, MORNING))
    file.deliver(delivery(1, 1, MORNING), delivery(2, 1, MORNING, sent=None))
    told = {**MAPPING["deliveries"], "sent": None, "received_on": "Gửi lúc"}
    rows = deliveries(fetched(file.url, config(deliveries=told)))
    at, day = field(Delivery, "received"), field(Delivery, "received_day")
    assert [(row[at], row[day]) for row in rows.values()] == [(1, 20260115), (0, None)]


def test_the_travelling_id_and_the_sender_are_kept(file: Register) -> None:
    file.write(document(1, MORNING, status="000.00.00.G22,2026/01/15,7/VPCP"))
    mapped = config({"document_id": "Trạng thái", "sender": "Mã cơ quan", "status": None}, deliveries=None)
    (row,) = kept(fetched(file.url, mapped)).values()
    assert row[field(Document, "document_id")] == "000.00.00.G22,2026/01/15,7/VPCP"
    assert row[field(Document, "counterpart")] == "H44.02"


def test_only_the_rows_that_are_meant_are_read_of_a_shared_table(site: Register) -> None:
    site.write(*(document(n, MORNING, status="gửi" if n % 2 else "nhận" if n % 4 else None) for n in range(12)))
    # Rows of other things may lack what these must have.
    site.deliver(
        delivery(1, 1, MORNING, electronic="success"),
        delivery(2, None, MORNING, electronic="receive"),
        *(delivery(n, None, MORNING, electronic=None) for n in range(10, 40)),
    )
    column = MAPPING["deliveries"]["electronic"]
    mapped = config(
        {"only": {"Trạng thái": ["gửi"]}}, deliveries={**MAPPING["deliveries"], "only": {column: ["success"]}}
    )
    batches = fetched(site.url, mapped)
    assert set(kept(batches)) == {"1", "3", "5", "7", "9", "11"}
    assert set(deliveries(batches)) == {"1|1"}
    assert [one for batch in batches for one in batch.bad] == []


def test_a_recall_may_be_told_to_be_none(file: Register) -> None:
    file.write(document(1, MORNING))
    rows = kept(fetched(file.url, config({"recalled": {"constant": "0"}})))
    assert rows["1"][field(Document, "recalled")] == 0


def test_deliveries_of_documents_from_before_the_first_day_are_left_out(site: Register) -> None:
    early, none = date(2025, 12, 30), None
    site.write(document(1, MORNING, issued=early), document(2, MORNING), document(3, MORNING, issued=none))
    site.deliver(*(delivery(10 * n + m, n, MORNING if m else None) for n in (1, 2, 3, 4) for m in (0, 1)))
    kept_ones = {f"{n}|{10 * n + m}" for n in (2, 3, 4) for m in (0, 1)}
    for size in (1, 3, 1000):
        assert set(deliveries(fetched(site.url, config(page_size=size)))) == kept_ones
    follows = {**MAPPING["deliveries"], "changed": None}
    assert set(deliveries(fetched(site.url, config(deliveries=follows)))) == {
        one for one in kept_ones if not one.startswith("4|")
    }


# --- a changed column that lies ----------------------------------------------------------------------------------


def windowed(**others: Any) -> Config:
    return config({"changed": None}, deliveries={**MAPPING["deliveries"], "changed": None}, read_by="window", **others)


def test_without_a_changed_column_everything_is_read_once_and_then_what_was_issued_lately(site: Register) -> None:
    days = {1: date(2025, 12, 30), 2: date(2026, 1, 2), 3: date(2026, 1, 30), 4: None, 5: date(2026, 3, 5)}
    site.write(*(document(n, None, issued=day) for n, day in days.items()))
    site.deliver(*(delivery(n * 10, n, MORNING) for n in days))
    mapped = windowed(window_days=30, page_size=2)
    first = fetched(site.url, mapped)
    assert set(kept(first)) == {"2", "3", "5"}
    assert set(deliveries(first)) == {"2|20", "3|30", "5|50"}
    assert first[-1].covers
    assert {row[2] for row in kept(first).values()} == {BEGAN * 1_000_000}
    run(site.url, _quoted(site.url, 'UPDATE "Văn bản đi" SET "Đã thu hồi" = 1'))
    second = fetched(site.url, mapped, after(first), BEGAN + 3600)
    assert set(kept(second)) == {"3", "5"}
    assert set(deliveries(second)) == {"3|30", "5|50"}
    assert {row[field(Document, "recalled")] for row in kept(second).values()} == {1}
    assert after(second) == after(first)


def _quoted(url: str, statement: str) -> str:
    return statement.replace('"', "`") if url.startswith("mysql") else statement


def test_a_first_reading_by_windows_that_was_cut_off_goes_on(site: Register) -> None:
    site.write(*(document(n, None) for n in range(20)))
    site.deliver(*(delivery(n, n, MORNING) for n in range(20)))
    mapped = windowed(page_size=3)
    whole = fetched(site.url, mapped)
    for stop in range(1, len(whole)):
        rest = fetched(site.url, mapped, after(whole[:stop]), BEGAN)
        assert kept([*whole[:stop], *rest]) == kept(whole)
        assert deliveries([*whole[:stop], *rest]) == deliveries(whole)


def test_who_follows_a_column_must_name_it() -> None:
    with pytest.raises(ValidationError, match="read_by: window"):
        config({"changed": None})


def test_a_column_that_is_not_followed_is_not_asked_for(file: Register) -> None:
    file.write(document(1, local(2020, 1, 1)))
    told = config({"changed": "there is no such column"}, deliveries=None, read_by="window")
    assert set(kept(fetched(file.url, told))) == {"1"}
    followed = config(deliveries=None)
    cursor = after(fetched(file.url, followed))
    assert set(kept(fetched(file.url, told, cursor))) == {"1"}, "a cursor of the other way of reading is not used"


# --- keys for reconciliation -------------------------------------------------------------------------------------


ALL_DAYS = Days(20251231, 20260228)


def listed(url: str, told: Config, days: Days = ALL_DAYS) -> dict[str, dict[str, tuple[Any, Any]]]:
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    with door(url) as opened:
        for block in sql_register.keys(told, opened, days):
            own = found.setdefault(block.record.NAME, {})
            for one in block.keys:
                assert one.key not in own
                own[one.key] = (one.day, one.mark)
            assert "" not in own
            if block.whole:
                own[""] = (None, "whole")
    for own in found.values():
        assert own.pop("") == (None, "whole")
    return found


def test_keys_are_marked_by_what_fetch_would_give(site: Register) -> None:
    site.write(document(1, MORNING), document(2, None, paper="Có"), document(3, MORNING, issued=date(2026, 3, 2)))
    site.write(document(4, MORNING, issued=None))
    site.deliver(delivery(1, 1, MORNING), delivery(2, 2, None), delivery(3, 3, MORNING), delivery(4, 99, MORNING))
    batches = fetched(site.url, config())
    rows, sent = kept(batches), deliveries(batches)
    for size in (1, 1000):
        found = listed(site.url, config(page_size=size))
        assert found == {
            "document": {key: (20260115, fingerprint(Document, rows[key])) for key in ("1", "2")},
            "delivery": {key: (None, fingerprint(Delivery, sent[key])) for key in ("1|1", "2|2")},
        }
    run(site.url, _quoted(site.url, 'UPDATE "Văn bản đi" SET "Đã thu hồi" = 1 WHERE "Mã văn bản" = 1'))
    assert listed(site.url, config())["document"]["1"] != found["document"]["1"], "though its version did not move"


def test_a_row_that_cannot_be_used_is_listed_all_the_same(file: Register) -> None:
    file.write(document(1, MORNING), document(2, MORNING, status="x" * 501))
    file.deliver(delivery(5, 2, MORNING, code="x" * 501))
    found = listed(file.url, config())
    assert found["document"]["2"] == found["delivery"]["2|5"] == (None, None)


@pytest.mark.parametrize("days", [Days(20260101, 20260101), Days(20260115, 20260115)])
def test_a_listing_of_nothing_is_whole(site: Register, days: Days) -> None:
    assert listed(site.url, config(), days) == {"document": {}, "delivery": {}}


def asked(url: str, told: Config, **keys: Sequence[str]) -> tuple[set[str], set[str]]:
    records: Sequence[type[Record]] = (Document, Delivery)
    wanted = {record: keys[record.NAME] for record in records if record.NAME in keys}
    batches = fetched(url, told, replace(WANT, window=True, keys=wanted))
    assert {one.cursor for one in batches} <= {None}
    assert all(not one.covers for one in batches)
    return set(kept(batches)), set(deliveries(batches))


def test_records_are_read_by_their_keys_whatever_their_days(site: Register) -> None:
    site.write(document(1, MORNING), document(2, None, issued=None), document(3, MORNING, issued=date(2024, 1, 1)))
    site.deliver(*(delivery(10 * n, n, MORNING) for n in (1, 2, 3)))
    assert asked(site.url, config(), document=["1", "2", "3", "4", "x", "99999999999999999999"])[0] == {"1", "2", "3"}
    batches = fetched(site.url, config(), replace(WANT, window=True, keys={Document: ["3"]}))
    assert kept(batches)["3"][3] == 1, "issued before the first day: it is no document of ours"
    assert asked(site.url, config(), delivery=["1|10", "2|10", "2|20", "7|70"])[1] == {"1|10", "2|20"}
    assert asked(site.url, config()) == (set(), set())


def test_a_great_id_behind_small_ones_is_found(empty: str) -> None:
    from sqlalchemy import BigInteger

    from tests.connectors.docmgmt.register import register

    with register(empty, key=BigInteger) as site:
        numbers = [1, 2**31, 2**40, 2**62]
        site.write(*(document(n, MORNING) for n in numbers))
        assert asked(site.url, config(), document=[str(n) for n in numbers])[0] == {str(n) for n in numbers}


def test_keys_of_text_are_found_as_they_are_written_and_only_so(empty: str) -> None:
    from sqlalchemy import String

    from tests.connectors.docmgmt.register import register

    with register(empty, key=String(40)) as site:
        names = ["12/QĐ-UBND", "z|z", "|", " 7 ", "o'q", "x%", "A"]
        site.write(*(document(name, MORNING) for name in names))
        site.deliver(*(delivery(n, name, MORNING) for n, name in enumerate(names)))
        keys = [name.strip() for name in names]
        assert asked(site.url, config(), document=[*keys, "a", "z", "7 "])[0] == set(keys)
        own = [f"{name}|{n}" for n, name in enumerate(keys)]
        assert asked(site.url, config(), delivery=[*own, "a|6", "z|1"])[1] == set(own)


def test_ids_of_no_kind_at_all_are_found_by_their_text(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'views.db'}"
    run(
        url,
        "CREATE TABLE t (n INTEGER PRIMARY KEY, changed TEXT, issued TEXT)",
        "INSERT INTO t VALUES (7, '2026-01-15 08:00:00', '2026-01-15'), (8, '2026-01-15 08:00:00', '2026-01-15')",
        # An expression has no affinity: the number 7 is not the text '7' to it.
        "CREATE VIEW docs AS SELECT CASE n WHEN 8 THEN 'QĐ-8' ELSE n + 0 END AS id, changed, issued FROM t",
    )
    told = plain("docs")
    assert asked(url, told, document=["7", "QĐ-8", "9"])[0] == {"7", "QĐ-8"}


# --- reading ahead -----------------------------------------------------------------------------------------------


def test_a_run_that_is_given_up_leaves_no_thread_and_no_statement(site: Register) -> None:
    site.write(*(document(n, MORNING + timedelta(minutes=n)) for n in range(50)))
    asked_: list[Select[Any]] = []

    class Counting:
        def __init__(self, inner: Rows) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def rows(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]:
            asked_.append(statement)
            return self._inner.rows(statement)

    with door(site.url) as opened:
        batches = sql_register.fetch(config(page_size=5), Counting(opened), WANT)
        next(batches)
        batches.close()  # type: ignore[attr-defined]
        count = len(asked_)
        assert not [one for one in threading.enumerate() if one.name == "read-ahead"]
        assert len(asked_) == count < 10


# --- known products ----------------------------------------------------------------------------------------------


def eoffice(url: str) -> None:
    run(
        url,
        "CREATE SCHEMA edoc",
        """CREATE TABLE edoc.outgoing_docs (id serial PRIMARY KEY, unit_id int, number text, notation text,
           publish_unit_id int, publish_date timestamptz, sign_date timestamptz, recipients text, approved boolean,
           is_digital_signed boolean, is_inter_doc boolean, created_at timestamptz DEFAULT now(),
           updated_at timestamptz DEFAULT now())""",
        """CREATE TABLE edoc.incoming_docs (id serial PRIMARY KEY, unit_id int, received_date timestamptz, number text,
           document_code text, publish_unit text, publish_date timestamptz, expired_date timestamptz,
           is_handling boolean, is_received_paper boolean, received_paper_date timestamptz, is_inter_doc boolean,
           created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now())""",
        """CREATE TABLE edoc.lgsp_tracking (id serial PRIMARY KEY, outgoing_doc_id int, incoming_doc_id int,
           direction text, lgsp_doc_id text, dest_org_code text, status text, error_message text, sent_at timestamptz,
           received_at timestamptz)""",
        """INSERT INTO edoc.outgoing_docs (unit_id, publish_date, is_digital_signed, is_inter_doc) VALUES
           (17, '2026-01-15 17:30:00Z', true, true), (17, '2026-01-15 08:00:00Z', false, false),
           (18, NULL, false, false)""",
        """INSERT INTO edoc.lgsp_tracking (outgoing_doc_id, incoming_doc_id, direction, dest_org_code, status, sent_at)
           VALUES (1, NULL, 'send', 'H44.05', 'success', '2026-01-15 18:00:00Z'),
                  (1, NULL, 'send', '000.00.00.G22', 'pending', NULL),
                  (NULL, 1, 'receive', 'H44.02', 'success', NULL)""",
        """INSERT INTO edoc.incoming_docs (unit_id, received_date, publish_unit, expired_date, is_received_paper,
           is_inter_doc) VALUES (17, '2026-01-15 01:00:00Z', 'UBND tỉnh', '2026-01-20 03:00:00Z', false, true)""",
    )


@pytest.mark.server("postgresql")
def test_an_e_office_is_read_by_its_preset(postgresql: Any) -> None:
    url = postgresql.database("vanban")
    eoffice(url)
    told = Config.model_validate({"preset": "eoffice_outgoing", "deliveries": {"inside": ["H44."]}})
    first = fetched(url, told)
    signed, electronic = field(Document, "signed"), field(Document, "electronic_stated")
    assert {key: (row[1], row[6], row[signed], row[electronic]) for key, row in kept(first).items()} == {
        "1": ("17", 20260116, 1, 1),
        "2": ("17", 20260115, 0, 0),
    }
    assert {key: row[5:9] for key, row in deliveries(first).items()} == {
        "1|1": ("H44.05", 0, 1, 20260116),
        "1|2": ("000.00.00.G22", 1, 0, None),
    }
    # Neither table says that this changed.
    run(url, "UPDATE edoc.lgsp_tracking SET status = 'success' WHERE id = 2")
    second = fetched(url, told, after(first), BEGAN + 60)
    assert deliveries(second)["1|2"][field(Delivery, "electronic")] == 1

    incoming = fetched(url, Config.model_validate({"preset": "eoffice_incoming"}))
    (row,) = kept(incoming).values()
    names = ("direction", "agency_code", "issued_day", "due_day", "paper_too", "counterpart")
    assert [row[field(Document, name)] for name in names] == ["in", "17", 20260115, 20260120, 0, "UBND tỉnh"]


@pytest.mark.server("mariadb")
def test_a_legacy_register_is_read_by_its_preset(mariadb: Any) -> None:
    url = mariadb.database("vanban")
    run(
        url,
        """CREATE TABLE VanBanBanHanh (ID int PRIMARY KEY, SoVanBan varchar(50), NgayBanHanh datetime,
           NgayHieuLuc datetime, NguoiKyVanBan varchar(100), NoiNhan text, DocSignType int, KySoFiles text,
           TrangThai int, Created datetime, Modified datetime)""",
        """INSERT INTO VanBanBanHanh (ID, NgayBanHanh, NoiNhan, KySoFiles, TrangThai, Modified) VALUES
           (1, '2026-01-15 00:00:00', 'UBND tỉnh; Lưu: VT', 'qd.pdf', 3, '2026-01-15 09:00:00'),
           (2, '1900-01-01 00:00:00', 'Bộ Nội vụ', '', 1, '2026-01-16 09:00:00')""",
        """CREATE TABLE VanBanDen (ID int PRIMARY KEY, SoDen int, NgayDen datetime, NgayTrenVB datetime,
           CoQuanGuiText varchar(200), ThoiHanGQ datetime, TrangThai int, TrichYeu text, Created datetime,
           Modified datetime)""",
        """INSERT INTO VanBanDen VALUES (5, 1, '2026-01-15', '2026-01-10', 'Bộ Nội vụ', '9999-12-31', 2, 'kín',
           '2026-01-15', '2026-01-15')""",
    )
    recipients = {"column": "NoiNhan", "separator": ";", "inside": ["UBND tỉnh"], "outside": ["Bộ Nội vụ"]}
    told = Config.model_validate(
        {
            "preset": "legacy_outgoing",
            "documents": {"agency": {"constant": "H44.02"}, "recipients": {**recipients, "ignore": ["Lưu: VT"]}},
        }
    )
    names = ("agency_code", "issued_day", "scope_stated", "signed", "source_status", "recalled")
    assert {key: [row[field(Document, name)] for name in names] for key, row in kept(fetched(url, told)).items()} == {
        "1": ["H44.02", 20260115, "internal", 1, "3", None],
        "2": ["H44.02", None, "external", 0, "1", None],
    }
    incoming = Config.model_validate({"preset": "legacy_incoming", "documents": {"agency": {"constant": "H44.02"}}})
    (row,) = kept(fetched(url, incoming)).values()
    assert [row[field(Document, name)] for name in ("issued_day", "due_day", "counterpart")] == [
        20260115,
        None,
        "Bộ Nội vụ",
    ]


def test_what_a_site_writes_comes_before_its_preset() -> None:
    told = Config.model_validate(
        {
            "preset": "eoffice_outgoing",
            "read_by": "changed",
            "documents": {"schema": "vp", "changed": "sửa lúc", "electronic": None, "direction": "loại"},
            "deliveries": None,
        }
    )
    assert (told.documents.schema_name, told.documents.table, told.documents.issued) == (
        "vp",
        "outgoing_docs",
        "publish_date",
    )
    assert (told.read_by, told.deliveries, told.documents.electronic, told.documents.direction) == (
        "changed",
        None,
        None,
        "loại",
    )


def test_what_a_preset_cannot_know_must_be_told() -> None:
    with pytest.raises(ValidationError, match=r"documents\.agency"):
        Config.model_validate({"preset": "legacy_outgoing"})
    with pytest.raises(ValidationError, match="is no preset; there are eoffice_outgoing"):
        Config.model_validate({"preset": "eoffice", "documents": MAPPING["documents"]})


def test_probe_looks_at_a_register_that_is_read_by_windows(file: Register) -> None:
    file.write(document(1, None))
    with door(file.url) as opened:
        found = [(one.stage, one.result) for one in sql_register.probe(windowed(), opened)]
    assert ("page", "ok") in found
    assert not [one for one in found if one[0] == "changed"]


def test_a_day_so_far_off_that_no_clock_reaches_it_is_unusable_and_no_bug(file: Register) -> None:
    file.write(*(document(n, MORNING, status="2026-01-15T00:00:00Z") for n in range(20)))
    file.write(document(99, MORNING, status="9999-12-31T23:59:59Z"))
    mapped = config({"issued": "Trạng thái", "status": None}, deliveries=None)
    batches = fetched(file.url, mapped, replace(WANT, since=day_of(BEGAN)))
    assert [one.reason for batch in batches for one in batch.bad] == ["is no plausible day"]


def day_of(instant: int) -> int:
    assert day_start(20260301) <= instant
    return 20251231


# --- into the store ----------------------------------------------------------------------------------------------


def test_a_corrected_mapping_corrects_every_row_that_was_read_before(file: Register, tmp_path: Path) -> None:
    file.write(*(document(n, MORNING, paper="Có" if n % 2 else "Không") for n in range(20)))
    known = store(tmp_path)
    for paper, meant in (({"Có": 0, "Không": 1}, [1, 0]), ({"Có": 1, "Không": 0}, [0, 1])):
        job = Job(
            "documents",
            cast(Connector, sql_register),
            config({"values": {"paper": paper}}),
            WANT.since,
            lambda began: cast(Any, door(file.url, began)),
        )
        tools = Tools(*known, PLAN, fixed_clock(BEGAN), fixed_clock(BEGAN), "test")
        done = collect(job, tools, Wanted(), wait=False, says=lambda _: None, progress=lambda _: None)
        assert done.failure is None
        assert done.saved.inserted + done.saved.updated == 20
        with reading(known[0]) as connection:
            rows = connection.execute(select(table.c.key, table.c.paper_too)).all()
        assert {int(key): flag for key, flag in rows} == {n: meant[n % 2] for n in range(20)}
