"""Saves: one transaction, newest version per key, signed tallies equal to a rebuild, whatever the order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from collector.agencies import Register
from collector.contract.connector import BadRow, Batch, Columnar, Covered, Row, Span
from collector.contract.records import (
    RECORDS,
    Delivery,
    Document,
    Dossier,
    DossierEvent,
    Mailbox,
    MailboxDay,
    Procedure,
    columns,
)
from collector.contract.tables import document, dossier, table_of
from collector.store import hashes, merge, tallies
from collector.store.engine import reading, writing
from collector.store.reference import refresh
from collector.store.save import read_cursor, read_spans, save
from collector.store.schema import cell, quarantine
from tests.store.small import PLAN, REGISTER, calendar, put, register, row, store


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


def a_document(key: str, **values: Any) -> Row:
    given_ = {"agency_code": "H44.01", "direction": "out", "scope_stated": "internal", "issued_day": 20260105}
    return row(Document, key=key, **given_ | {"electronic_stated": 1, "paper_too": 0, "recalled": 0} | values)


def counts_of(engine: Engine, table: str, column: str) -> dict[tuple[str, int], tuple[int, int, int]]:
    wide = next(one for one in PLAN.wide if one.table.name == table).table
    with reading(engine) as connection:
        return {
            (one.agency, one.day): tuple(one._mapping[f"{column}_{part}"] for part in tallies.PARTS)
            for one in connection.execute(select(wide))
        }


INTERNAL = ("tally_document_issued_day", "documents_exchanged_internal")


def test_a_saved_document_is_counted_on_its_day(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1"), a_document("2", paper_too=1), a_document("3", paper_too=None)]})
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (1, 2, 1)}


def test_an_old_code_and_a_new_one_are_the_same_agency_and_an_unknown_one_is_kept(
    small: tuple[Engine, Register],
) -> None:
    engine, known = small
    rows = [a_document(code, agency_code=code) for code in ("H44.02", "000.00.02.H44", "H99.99")]
    put(engine, known, {Document: rows})
    with reading(engine) as connection:
        found = dict(connection.execute(select(document.c.key, document.c.agency)).all())
    assert found == {"H44.02": "H44.02", "000.00.02.H44": "H44.02", "H99.99": None}


def test_rows_of_an_unknown_code_are_assigned_once_the_register_learns_it(
    small: tuple[Engine, Register], tmp_path: Path
) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", agency_code="H99.99")]})
    assert counts_of(engine, *INTERNAL) == {}
    learnt = register(tmp_path, (tmp_path / "agencies.yaml").read_text().replace("[b.example]", "[b.example, H99.99]"))
    with writing(engine) as connection:
        assert refresh(connection, learnt, calendar(), PLAN).register
    assert counts_of(engine, *INTERNAL) == {("H44.02", 20260105): (1, 1, 0)}


def test_the_newest_version_stays_and_an_older_one_that_arrives_late_changes_nothing(
    small: tuple[Engine, Register],
) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", changed=5, paper_too=1)]})
    saved = put(engine, known, {Document: [a_document("1", changed=3, paper_too=0)]})
    assert (saved.inserted, saved.updated, saved.unchanged) == (0, 0, 1)
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (0, 1, 0)}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_the_newest_version_of_a_key_wins_within_a_batch_whatever_the_order(
    small: tuple[Engine, Register], order: tuple[int, ...]
) -> None:
    engine, known = small
    versions = [a_document("1", changed=changed, paper_too=int(changed != 7)) for changed in (5, 6, 7)]
    saved = put(engine, known, {Document: [versions[place] for place in order]})
    assert (saved.read, saved.inserted, saved.unchanged) == (3, 1, 2)
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (1, 1, 0)}


def test_an_older_version_cannot_slip_in_behind_a_newer_one_of_equal_content(small: tuple[Engine, Register]) -> None:
    engine, known = small
    for changed, paper in ((1, 0), (3, 0), (2, 1)):
        put(engine, known, {Document: [a_document("1", changed=changed, paper_too=paper)]})
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (1, 1, 0)}


def test_a_field_that_is_cleared_at_the_source_is_cleared_here(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", changed=1)]})
    put(engine, known, {Document: [a_document("1", changed=2, issued_day=None)]})
    assert counts_of(engine, *INTERNAL) == {}


def test_a_removed_record_counts_nowhere(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", changed=1), a_document("2", changed=1)]})
    put(engine, known, {Document: [a_document("1", changed=2, removed=1)]})
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (1, 1, 0)}


def test_a_recalled_document_leaves_the_figure_also_if_the_recall_is_learnt_later(
    small: tuple[Engine, Register],
) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", changed=1)]})
    put(engine, known, {Document: [a_document("1", changed=2, recalled=1)]})
    assert counts_of(engine, *INTERNAL) == {}


def test_deliveries_decide_scope_and_way_whenever_they_come(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1", scope_stated=None, electronic_stated=None)]})
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (0, 0, 1)}, "scope not known: counted, not judged"
    to = [row(Delivery, key=f"1|{n}", document="1", outside=n == 2, electronic=1) for n in (1, 2)]
    put(engine, known, {Delivery: [tuple(int(v) if isinstance(v, bool) else v for v in one) for one in to]})
    with reading(engine) as connection:
        assert connection.execute(select(document.c.scope, document.c.sent_electronically)).one() == ("external", 1)
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (0, 0, 0)} or all(
        sum(three) == 0 for three in counts_of(engine, *INTERNAL).values()
    )


def test_a_document_with_several_recipients_moves_between_cells_once(
    small: tuple[Engine, Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, known = small
    monkeypatch.setattr(tallies, "_REBUILD_BELOW", 0)  # signed differences only
    put(engine, known, {Document: [a_document("1", scope_stated=None), a_document("2")]})
    put(
        engine,
        known,
        {Delivery: [row(Delivery, key=f"1|{n}", document="1", outside=0, electronic=1) for n in range(3)]},
    )
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (2, 2, 0)}


def test_a_catalogue_that_comes_after_the_dossiers_moves_their_figure(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(
        engine,
        known,
        {
            Dossier: [
                row(
                    Dossier,
                    key="d",
                    agency_code="H44.01",
                    procedure="1.000001",
                    channel="online",
                    received_day=20260106,
                    outcome="open",
                )
            ]
        },
    )
    name = ("tally_dossier_received_day", "dossiers_online")
    assert counts_of(engine, *name) == {("H44.01", 20260106): (0, 0, 1)}
    put(engine, known, {Procedure: [row(Procedure, key="1.000001", code="1.000001", level="full", from_day=20250101)]})
    assert counts_of(engine, *name) == {("H44.01", 20260106): (1, 1, 0)}
    put(engine, known, {Procedure: [row(Procedure, key="1.000001", code="1.000001", level="information", changed=1)]})
    # Other figures of that day count the dossier still.
    assert counts_of(engine, *name) == {("H44.01", 20260106): (0, 0, 0)}


def test_a_line_of_a_catalogue_is_the_agencys_own_whichever_of_its_codes_it_names(
    small: tuple[Engine, Register], tmp_path: Path
) -> None:
    engine, known = small
    common = row(Procedure, key="1.000001", code="1.000001", level="full")
    own = row(Procedure, key="1.000001@", code="1.000001", level="information", agency_code="000.00.02.H44")
    other = row(Procedure, key="1.000001@SNV", code="1.000001", level="partial", agency_code="SNV")
    put(engine, known, {Procedure: [common, own, other]})
    written = {"procedure": "1.000001", "received_day": 20260106}
    codes = ("H44.01", "H44.02", "000.00.02.H44")
    put(engine, known, {Dossier: [row(Dossier, key=code, agency_code=code, **written) for code in codes]})
    levels = select(dossier.c.key, dossier.c.offered_level)

    def told() -> dict[str, str]:
        with reading(engine) as connection:
            return {row.key: row.offered_level for row in connection.execute(levels)}

    assert told() == {"H44.01": "full", "H44.02": "information", "000.00.02.H44": "information"}
    learnt = register(tmp_path, REGISTER.replace("any: [a.example]", "any: [a.example, SNV]"))
    with writing(engine) as connection:
        refresh(connection, learnt, calendar(), PLAN)
    assert told() == {"H44.01": "partial", "H44.02": "information", "000.00.02.H44": "information"}


def test_cursor_spans_coverage_and_rows_are_saved_together_or_not_at_all(small: tuple[Engine, Register]) -> None:
    engine, known = small
    batch = Batch(
        {Document: [a_document("1")]},
        {"at": 7},
        covers=[Covered(Document, 20260101, 20260105)],
        spans=[Span("f", 0, 10)],
    )

    def save_and_lose_power() -> None:
        with writing(engine) as connection:
            save(connection, "s", [batch], known, PLAN)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        save_and_lose_power()
    with reading(engine) as connection:
        assert read_cursor(connection, "s") is None
        assert read_spans(connection, "s") == {}
        assert connection.execute(select(document)).all() == []
    with writing(engine) as connection:
        save(connection, "s", [batch], known, PLAN)
    with reading(engine) as connection:
        assert read_cursor(connection, "s") == {"at": 7}
        assert read_spans(connection, "s") == {"f": [Span("f", 0, 10)]}


def test_a_bad_row_is_kept_by_name_until_a_good_one_comes(small: tuple[Engine, Register]) -> None:
    engine, known = small
    with writing(engine) as connection:
        save(connection, "s", [Batch({}, None, bad=[BadRow(Document, "1", "issued_day", "is no day")])], known, PLAN)
        assert connection.execute(select(quarantine.c.key, quarantine.c.field)).all() == [("1", "issued_day")]
    put(engine, known, {Document: [a_document("1")]})
    with reading(engine) as connection:
        assert connection.execute(select(quarantine)).all() == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [("a\0b", "holds a NUL byte"), ("a\ud800", "half a character"), (2**70, "too large")],
)
def test_what_no_database_can_hold_is_quarantined_before_the_save(
    small: tuple[Engine, Register], value: object, reason: str
) -> None:
    engine, known = small
    field = "due_day" if isinstance(value, int) else "source_status"
    saved = put(engine, known, {Document: [a_document("1"), a_document("2", **{field: value})]})
    assert (saved.inserted, saved.quarantined) == (1, 1)
    with reading(engine) as connection:
        found = connection.execute(select(quarantine.c.key, quarantine.c.field, quarantine.c.reason)).one()
    assert found[:2] == ("2", field)
    assert reason in found[2]


FLAGS = st.sampled_from([0, 1, None])
DAYS = st.sampled_from([20260105, 20260106, 20260116, None])
AGENCIES = st.sampled_from(["H44.01", "H44.02", "H99.99"])
KEYS = st.sampled_from(["1", "2", "3", "4", "5"])
VERSIONS = st.integers(0, 3)


@st.composite
def rows(draw: st.DrawFn) -> tuple[type[Any], Row]:
    key, changed = draw(KEYS), draw(VERSIONS)
    match draw(st.sampled_from(["document", "delivery", "dossier", "due", "pause", "mailbox", "day", "procedure"])):
        case "document":
            return Document, row(
                Document,
                key=key,
                changed=changed,
                agency_code=draw(AGENCIES),
                removed=draw(st.sampled_from([0, 0, 1])),
                direction=draw(st.sampled_from(["out", "in"])),
                scope_stated=draw(st.sampled_from(["internal", None])),
                issued_day=draw(DAYS),
                electronic_stated=draw(FLAGS),
                paper_too=draw(FLAGS),
                signed=draw(FLAGS),
                recalled=draw(FLAGS),
                due_day=draw(DAYS),
                completed_day=draw(DAYS),
            )
        case "delivery":
            return Delivery, row(
                Delivery,
                key=f"{key}|{draw(KEYS)}",
                changed=changed,
                document=key,
                outside=draw(FLAGS),
                electronic=draw(FLAGS),
                removed=draw(st.sampled_from([0, 0, 1])),
                counterpart=draw(AGENCIES),
                sent_day=draw(DAYS),
                received=draw(FLAGS),
                received_day=draw(DAYS),
                recalled=0,
                status_told=1,
            )
        case "dossier":
            return Dossier, row(
                Dossier,
                key=key,
                changed=changed,
                agency_code=draw(AGENCIES),
                procedure="1.000001",
                channel=draw(st.sampled_from(["online", "counter", None])),
                received_day=draw(DAYS),
                completed_day=draw(DAYS),
                ended_day=draw(DAYS),
                outcome=draw(st.sampled_from(["open", "completed", None])),
            )
        case "due":
            day = draw(st.sampled_from([20260109, 20260116]))
            at = draw(VERSIONS)
            return DossierEvent, row(
                DossierEvent,
                key=f"{key}|due|{day}",
                changed=-at,
                dossier=key,
                kind="due_promised",
                ref="",
                at=at,
                day=day,
                basis="first",
            )
        case "pause":
            kind = draw(st.sampled_from(["pause_begun", "pause_ended"]))
            return DossierEvent, row(
                DossierEvent,
                key=f"{key}|{kind}",
                changed=changed,
                dossier=key,
                kind=kind,
                ref="a",
                at=0,
                day=draw(st.sampled_from([20260108, 20260112])),
                basis="",
            )
        case "mailbox":
            month = draw(st.sampled_from([202601, 202601, 202602]))
            return Mailbox, row(
                Mailbox,
                key=f"{month}:{key}",
                changed=changed,
                agency_code=draw(st.sampled_from(["a.example", "b.example"])),
                month_day=month * 100 + 1,
                pseudonym=key,
                kind=draw(st.sampled_from(["personal", "shared", None])),
                active_from_day=draw(DAYS),
                first_listed_day=20260105,
                closed_day=draw(DAYS),
                quota=draw(st.sampled_from([None, 0, 10])),
                used=draw(st.sampled_from([None, 8, 9])),
            )
        case "day":
            day = draw(st.sampled_from([20260105, 20260106, 20260110, 20260111, 20260130, 20260202]))
            return MailboxDay, row(
                MailboxDay,
                key=f"{day}:{key}:f",
                pseudonym=key,
                day=day,
                span="f",
                sessions=draw(st.integers(0, 1)),
                sent=0,
                sent_outside=draw(st.integers(0, 3)),
                sent_free=draw(st.integers(0, 1)),
            )
        case _:
            return Procedure, row(
                Procedure, key="1.000001", code="1.000001", changed=changed, level=draw(st.sampled_from(["full", None]))
            )


def put_all(engine: Engine, known: Register, given_: list[tuple[type[Any], Row]], cut: int) -> None:
    for start in range(0, len(given_), cut):
        grouped: dict[type[Any], list[Row]] = {}
        for record, one in given_[start : start + cut]:
            grouped.setdefault(record, []).append(one)
        put(engine, known, grouped)


def state(engine: Engine) -> tuple[str, str]:
    with reading(engine) as connection:
        return hashes.facts(connection), hashes.tallies(connection)


Pair = tuple[tuple[Engine, Register], tuple[Engine, Register]]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Two stores that are made once and emptied for each example: making one takes longer than an example."""
    return store(tmp_path_factory.mktemp("first")), store(tmp_path_factory.mktemp("second"))


def emptied(engine: Engine) -> None:
    with writing(engine) as connection:
        for record in RECORDS:
            connection.execute(delete(table_of(record)))
        tallies.rebuild_all(connection, PLAN)


@pytest.mark.parametrize("rebuild_below", [10**9, 2, 0], ids=["always rebuilt", "as it comes", "always signed"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_repetition_and_cutting_ends_in_the_same_store_and_in_what_a_rebuild_counts(
    data: st.DataObject,
    pair: Pair,
    monkeypatch: pytest.MonkeyPatch,
    rebuild_below: int,
) -> None:
    monkeypatch.setattr(tallies, "_REBUILD_BELOW", rebuild_below)
    some = data.draw(st.lists(rows(), min_size=1, max_size=25))
    shuffled = data.draw(st.permutations([*some, *some[:5]]))
    (engine, known), (other, _) = pair
    emptied(engine)
    emptied(other)
    put_all(engine, known, some, data.draw(st.integers(1, 8)))
    put_all(other, known, shuffled, data.draw(st.integers(1, 30)))
    assert state(engine) == state(other)
    before = state(engine)
    with writing(engine) as connection:
        tallies.rebuild_all(connection, PLAN)
    assert state(engine) == before


def test_ties_of_version_go_to_the_greater_digest_in_either_order() -> None:
    one, two = a_document("1", paper_too=0), a_document("1", paper_too=1)
    assert merge.newest(Document, [one, two]) == merge.newest(Document, [two, one])


def test_of_rows_read_live_with_one_version_the_one_read_last_stands(small: tuple[Engine, Register]) -> None:
    engine, known = small
    one, two = a_document("1", paper_too=0, changed=9), a_document("1", paper_too=1, changed=9)
    for first, last in ((one, two), (two, one)):
        assert merge.newest(Document, [first, last], live=True) == [last]
        put(engine, known, {Document: [first]}, live=True)
        assert put(engine, known, {Document: [last]}, live=True).updated == 1
        with reading(engine) as connection:
            assert connection.scalar(select(document.c.paper_too)) == last[columns(Document).index("paper_too")]
    late = a_document("1", paper_too=0, changed=8)
    assert put(engine, known, {Document: [late]}, live=True).unchanged == 1, "an older version stays older"


@pytest.mark.parametrize("others", [0, 40], ids=["many of the stored ones change", "few do"])
def test_stored_rows_among_new_ones_are_found_and_each_is_counted_once(
    small: tuple[Engine, Register], others: int
) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document(key) for key in ("2", "4", *(f"x{n}" for n in range(others)))]})
    # The first and the last are new: what is asked first says nothing of those between.
    again = [
        a_document("1"),
        a_document("2", changed=9, paper_too=1),
        a_document("3"),
        a_document("4"),
        a_document("5"),
    ]
    saved = put(engine, known, {Document: again})
    assert (saved.inserted, saved.updated, saved.unchanged) == (3, 1, 1)
    assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (others + 4, others + 5, 0)}
    with reading(engine) as connection:
        assert connection.scalar(select(document.c.paper_too).where(document.c.key == "2")) == 1


def test_rows_kept_as_columns_are_the_same_rows(tmp_path: Path) -> None:
    rows = [a_document(key, paper_too=paper) for key, paper in (("1", 0), ("2", 1), ("bad\0", 0), ("3", 0))]
    hashed = []
    for name, some in (("rows", rows), ("columns", Columnar(list(zip(*rows, strict=True))))):
        (tmp_path / name).mkdir()
        engine, known = store(tmp_path / name)
        saved = put(engine, known, {Document: some})
        assert (saved.read, saved.inserted, saved.quarantined) == (4, 3, 1)
        assert counts_of(engine, *INTERNAL) == {("H44.01", 20260105): (2, 3, 0)}
        hashed.append(state(engine))
    assert hashed[0] == hashed[1]
    laid = Columnar.of(rows, len(columns(Document)))
    assert (list(laid), laid[1], list(laid[1:3])) == (rows, rows[1], rows[1:3])
    assert list(laid.chosen([0, 1, 0, 1])) == [rows[1], rows[3]]
    assert len(Columnar.of([], 3)) == 0
    with pytest.raises(ValueError, match="length"):
        Columnar([[1, 2], [3]])


def test_a_counted_row_without_a_day_is_told(small: tuple[Engine, Register]) -> None:
    engine, known = small
    put(engine, known, {Document: [a_document("1")]})
    with reading(engine) as connection:
        assert set(tallies.without_day(connection, PLAN).values()) == {0}


def test_the_inventory_bounds_the_cells(small: tuple[Engine, Register]) -> None:
    engine, known = small
    used = row(MailboxDay, key="20260105:p:f", pseudonym="p", day=20260105, span="f", sessions=1, sent=0)
    put(engine, known, {MailboxDay: [used]})
    with reading(engine) as connection:
        assert connection.execute(select(cell)).all() == [], "use is seen, but nobody told which mailboxes there are"
    listed = row(
        Mailbox,
        key="202601:p",
        agency_code="a.example",
        month_day=20260101,
        pseudonym="p",
        kind="personal",
        first_listed_day=20260105,
    )
    put(engine, known, {Mailbox: [listed]})
    with reading(engine) as connection:
        found = connection.execute(
            select(cell.c.day, cell.c.hits, cell.c.judged).where(
                cell.c.indicator == "mailboxes.daily_use", cell.c.day < 20260110
            )
        ).all()
    assert found == [(20260105, 1, 1), (20260106, 0, 1), (20260107, 0, 1), (20260108, 0, 1), (20260109, 0, 1)]
