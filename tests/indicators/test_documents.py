"""What the indicators of documents say of one document or delivery each, and on which day: golden rows, by hand.

Issued and sent is Friday 9 January 2026 unless said otherwise; Saturday the 10th is worked, Sunday the 11th is off.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from collector.contract.connector import Batch, Covered
from collector.contract.indicator import Counted
from collector.contract.period import parse_period
from collector.contract.reading import Reading
from collector.contract.records import Delivery, Document
from collector.readings import Member, Served, World, items, take
from collector.store.engine import reading, writing
from collector.store.save import save
from indicators import documents
from tests.store.small import PLAN, put, row, store

FRIDAY, SATURDAY, SUNDAY, MONDAY = 20260109, 20260110, 20260111, 20260112
HIT, MISS, UNKNOWN = "hit", "miss", "unknown"
BY_ID = {one.id: one for one in documents.INDICATORS}

OUT: dict[str, Any] = {
    "key": "v",
    "agency_code": "H44.01",
    "direction": "out",
    "scope_stated": "internal",
    "issued_day": FRIDAY,
    "electronic_stated": 1,
    "paper_too": 0,
    "signed": 1,
    "recalled": 0,
}
TO: dict[str, Any] = {
    "key": "v|1",
    "document": "v",
    "counterpart": "H44.02",
    "outside": 0,
    "electronic": 1,
    "sent_day": FRIDAY,
    "received": 1,
    "received_day": SATURDAY,
    "refused": 0,
    "recalled": 0,
    "status_told": 1,
}


def said(
    folder: Path, indicator: str, agency: str, document: dict[str, Any], deliveries: Sequence[dict[str, Any]] = ()
) -> tuple[str, int] | None:
    """Verdict and day of what is counted for an agency; None if nothing is."""
    engine, known = store(folder)
    put(engine, known, {Document: [row(Document, **document)], Delivery: [row(Delivery, **one) for one in deliveries]})
    formula = BY_ID[indicator].formula
    assert isinstance(formula, Counted)
    with reading(engine) as connection:
        found = connection.execute(items(formula, agency, 0, 99991231)).all()
    engine.dispose()
    return (found[0].verdict, found[0].day) if found else None


ISSUED = [
    # what is said; the document; exchanged, exchanged_any, parallel_paper, signed
    ("sent electronically alone", {}, HIT, HIT, MISS, HIT),
    ("paper too", {"paper_too": 1}, MISS, HIT, HIT, HIT),
    ("nobody says whether paper went too", {"paper_too": None}, UNKNOWN, HIT, UNKNOWN, HIT),
    ("not signed", {"signed": 0}, HIT, HIT, MISS, MISS),
    ("nobody says whether it is signed", {"signed": None}, HIT, HIT, MISS, UNKNOWN),
    ("on paper", {"electronic_stated": 0, "paper_too": 1}, MISS, MISS, None, None),
    ("nobody says how it went", {"electronic_stated": None}, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ("recalled", {"recalled": 1}, None, None, None, None),
    ("perhaps recalled", {"recalled": None}, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ("deleted", {"removed": 1}, None, None, None, None),
    ("a draft", {"issued_day": None}, None, None, None, None),
    ("came in", {"direction": "in"}, None, None, None, None),
    ("told by a trunk", {"direction": "sent"}, None, None, None, None),
]


@pytest.mark.parametrize(("document", "verdicts"), [(c[1], c[2:]) for c in ISSUED], ids=[c[0] for c in ISSUED])
def test_a_document_counts_on_the_day_of_its_issue(
    tmp_path: Path, document: dict[str, Any], verdicts: Sequence[str | None]
) -> None:
    names = ("exchanged_internal", "exchanged_internal_any", "parallel_paper", "signed")
    for name, verdict in zip(names, verdicts, strict=True):
        (tmp_path / name).mkdir()
        expected = None if verdict is None else (verdict, FRIDAY)
        assert said(tmp_path / name, f"documents.{name}", "H44.01", OUT | document) == expected, name


def test_a_document_of_unknown_scope_is_unknown_in_both_and_known_where_scope_does_not_matter(tmp_path: Path) -> None:
    for name, verdict in (("exchanged_internal_any", UNKNOWN), ("exchanged_external_any", UNKNOWN), ("signed", HIT)):
        (tmp_path / name).mkdir()
        found = said(tmp_path / name, f"documents.{name}", "H44.01", OUT | {"scope_stated": None})
        assert found == (verdict, FRIDAY), name


ANSWERS = [
    # what is said, the delivery, the document, the verdict
    ("received on the day", {"received_day": FRIDAY}, {}, (HIT, SATURDAY)),
    ("received on the next working day, a Saturday", {}, {}, (HIT, SATURDAY)),
    ("received the Monday after", {"received_day": MONDAY}, {}, (MISS, SATURDAY)),
    ("sent on the Saturday, received on Monday", {"sent_day": SATURDAY, "received_day": MONDAY}, {}, (HIT, MONDAY)),
    ("sent on a day off", {"sent_day": SUNDAY, "received_day": MONDAY}, {}, (HIT, MONDAY)),
    ("not received yet", {"received": 0, "received_day": None}, {}, (MISS, SATURDAY)),
    ("refused", {"received": 0, "received_day": None, "refused": 1}, {}, (MISS, SATURDAY)),
    ("received, nobody knows when", {"received_day": None}, {}, (UNKNOWN, SATURDAY)),
    ("a status that nobody knows", {"received": None, "received_day": None}, {}, (UNKNOWN, SATURDAY)),
    ("its source tells no statuses", {"received": None, "received_day": None, "status_told": 0}, {}, None),
    ("recalled from this recipient", {"recalled": 1}, {}, None),
    ("a recall not answered", {"recalled": None}, {}, (UNKNOWN, SATURDAY)),
    ("the document recalled", {}, {"recalled": 1}, None),
    ("the document deleted", {}, {"removed": 1}, None),
    ("on paper", {"electronic": 0}, {}, None),
    ("nobody says how", {"electronic": None}, {}, (UNKNOWN, SATURDAY)),
    ("struck out", {"removed": 1}, {}, None),
    ("not sent yet", {"sent_day": None}, {}, None),
    ("to somebody outside", {"counterpart": "G07", "outside": 1}, {}, None),
]


@pytest.mark.parametrize(("delivery", "document", "verdict"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS])
def test_a_delivery_is_to_be_acknowledged_by_its_recipient_by_the_next_working_day(
    tmp_path: Path, delivery: dict[str, Any], document: dict[str, Any], verdict: tuple[str, int] | None
) -> None:
    assert said(tmp_path, "documents.acknowledged", "H44.02", OUT | document, [TO | delivery]) == verdict


def test_a_delivery_follows_what_becomes_of_its_document_later(tmp_path: Path) -> None:
    engine, known = store(tmp_path)
    formula = BY_ID["documents.acknowledged"].formula
    assert isinstance(formula, Counted)

    def counted() -> list[str]:
        with reading(engine) as connection:
            return [one.verdict for one in connection.execute(items(formula, "H44.02", 0, 99991231))]

    put(engine, known, {Delivery: [row(Delivery, **TO)]})
    assert counted() == [UNKNOWN]  # its document may have been recalled
    put(engine, known, {Document: [row(Document, **OUT)]})
    assert counted() == [HIT]
    put(engine, known, {Document: [row(Document, **OUT | {"recalled": 1, "changed": 1})]})
    assert counted() == []
    engine.dispose()


DUE = [
    ("completed on the due day", {"completed_day": FRIDAY}, HIT),
    ("completed before", {"completed_day": 20260105}, HIT),
    ("completed late", {"completed_day": SATURDAY}, MISS),
    ("open", {}, MISS),
    ("recalled", {"recalled": 1}, None),
    ("perhaps recalled", {"recalled": None}, UNKNOWN),
    ("without a date", {"due_day": None, "completed_day": FRIDAY}, None),
    ("going out", {"direction": "out"}, None),
]


@pytest.mark.parametrize(("document", "verdict"), [c[1:] for c in DUE], ids=[c[0] for c in DUE])
def test_an_incoming_document_is_on_time_by_the_end_of_its_due_day(
    tmp_path: Path, document: dict[str, Any], verdict: str | None
) -> None:
    came = {"direction": "in", "issued_day": 20260105, "due_day": FRIDAY, "completed_day": None, "recalled": 0}
    given = {"key": "v", "agency_code": "H44.01"} | came | document
    assert said(tmp_path, "documents.on_time", "H44.01", given) == (None if verdict is None else (verdict, FRIDAY))


CONNECTED = [
    ("one of two sent electronically", [{}, {"electronic_stated": 0}], (1, 1, 0)),
    ("two of two", [{}, {}], (1, 1, 0)),
    ("all on paper", [{"electronic_stated": 0}, {"electronic_stated": 0}], (0, 1, 0)),
    ("nothing at all", [], (0, 1, 0)),
    ("only recalled ones", [{"recalled": 1}], (0, 1, 0)),
    ("nobody says how they went", [{"electronic_stated": None}, {"electronic_stated": 0}], (0, 0, 1)),
    ("one that nobody knows of, and one that is known", [{"electronic_stated": None}, {}], (1, 1, 0)),
    ("got one electronically", [{"direction": "in"}], (1, 1, 0)),
    ("got one, nobody says how", [{"direction": "in", "electronic_stated": None}], (0, 1, 0)),
    ("a trunk saw one", [{"direction": "received"}], (1, 1, 0)),
]


@pytest.mark.parametrize(("issued", "counts"), [c[1:] for c in CONNECTED], ids=[c[0] for c in CONNECTED])
def test_an_agency_is_connected_once_it_exchanged_one_document_electronically_in_the_period(
    tmp_path: Path, issued: Sequence[dict[str, Any]], counts: tuple[int, int, int]
) -> None:
    engine, known = store(tmp_path)
    rows = [row(Document, **OUT | {"key": str(number)} | one) for number, one in enumerate(issued)]
    with writing(engine) as connection:
        covers = [Covered(Document, 20260101, 20260131)]
        save(connection, "register", [Batch({Document: rows}, None, covers)], known, PLAN)
    agencies = ("H44.01", "H44.02")
    world = World(
        province="H44",
        members=[Member(code, "departments") for code in agencies],
        serving=[Served("register", code, 20260101, frozenset({"document"}), 86_400) for code in agencies],
        now=1_770_000_000,
    )
    with reading(engine) as connection:
        own, other, province = take(
            connection, [BY_ID["documents.connected"]], PLAN, world, parse_period("2026-01"), ("agency", "province")
        )
    engine.dispose()
    assert numbers(own) == counts
    assert numbers(other) == (0, 1, 0)
    assert numbers(province) == (counts[0], counts[1] + 1, counts[2])


def numbers(one: Reading) -> tuple[int | None, int | None, int | None]:
    return one.hits, one.judged, one.unknown
