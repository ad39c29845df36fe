"""What agencies say that they sent, matched with what their recipients say that they got."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.contract.connector import Row
from collector.contract.period import parse_period
from collector.contract.records import Delivery, Document
from collector.matching import Pair, match
from collector.store.engine import reading
from tests.store.small import put, row, store

A, B = "H44.01", "H44.02"
JANUARY = parse_period("2026-01")


@pytest.fixture
def small(tmp_path: Path) -> tuple[Engine, Register]:
    return store(tmp_path)


def sent(key: str, to: Sequence[str] = (B,), by: str = A, day: int = 20260109, **more: Any) -> tuple[Row, list[Row]]:
    """A document that went out, and its deliveries."""
    told = {"direction": "out", "issued_day": day, "recalled": 0, "document_id": f"id-{key}"} | more
    removed = told.pop("delivery_removed", 0)
    own = [
        row(
            Delivery,
            key=f"{key}|{code}",
            document=key,
            counterpart=code,
            electronic=told.pop("electronic", 1),
            sent_day=day,
            recalled=0,
            removed=removed,
        )
        for code in to
    ]
    return row(Document, key=key, agency_code=by, **told), own


def got(name: str, by: str = B, sender: str | None = A, day: int = 20260109, **more: Any) -> Row:
    """A document that stands in a recipient's list."""
    told = {"direction": "in", "issued_day": day, "document_id": f"id-{name}", "counterpart": sender} | more
    return row(Document, key=f"in-{name}-{by}", agency_code=by, **told)


def matched(small: tuple[Engine, Register], *rows: tuple[Row, list[Row]] | Row) -> Sequence[Pair]:
    engine, known = small
    documents: list[Row] = []
    deliveries: list[Row] = []
    for one in rows:
        if isinstance(one[1], list):
            documents.append(one[0])
            deliveries += one[1]
        else:
            documents.append(one)
    put(engine, known, {Document: documents, Delivery: deliveries})
    with reading(engine) as connection:
        return match(connection, known, JANUARY)


def test_what_stands_in_the_recipients_list_is_matched_by_its_id_and_the_rest_is_counted_for_the_pair(
    small: tuple[Engine, Register],
) -> None:
    pairs = matched(small, sent("1"), sent("2"), sent("3"), got("1"), got("3"))
    assert pairs == [Pair(A, B, sent=3, without_id=0, listed=True, matched=2, unmatched=1, not_sent=0)]


def test_it_does_not_matter_when_the_recipient_entered_it(small: tuple[Engine, Register]) -> None:
    (pair,) = matched(small, sent("1", day=20260131), got("1", day=20260202))
    assert (pair.matched, pair.unmatched) == (1, 0)


def test_what_was_sent_in_another_month_is_no_part_of_it_but_explains_what_came_in_this_one(
    small: tuple[Engine, Register],
) -> None:
    (pair,) = matched(small, sent("1", day=20251231), sent("2"), got("1", day=20260102), got("2"))
    assert (pair.sent, pair.matched, pair.not_sent) == (1, 1, 0)


def test_what_came_but_was_sent_by_nobodys_list_is_counted(small: tuple[Engine, Register]) -> None:
    (pair,) = matched(small, sent("1"), got("1"), got("9"))
    assert pair.not_sent == 1


def test_old_codes_of_a_sender_are_the_same_agency(small: tuple[Engine, Register]) -> None:
    pairs = matched(small, sent("1", to=[A], by=B), got("1", by=A, sender="000.00.02.H44"))
    assert [(one.sender, one.recipient, one.matched, one.not_sent) for one in pairs] == [(B, A, 1, 0)]


def test_a_recipient_without_a_list_with_ids_is_not_said_to_lack_anything(small: tuple[Engine, Register]) -> None:
    (pair,) = matched(small, sent("1"), got("1", document_id=None))
    assert (pair.sent, pair.listed, pair.matched, pair.unmatched) == (1, False, None, None)


def test_a_sender_without_a_list_with_ids_is_not_said_to_have_sent_nothing(small: tuple[Engine, Register]) -> None:
    (pair,) = matched(small, got("1"))
    assert (pair.sent, pair.not_sent) == (0, None)


@pytest.mark.parametrize(
    "untold",
    [{"recalled": 1}, {"removed": 1}, {"electronic": 0}, {"electronic": None}, {"delivery_removed": 1}],
    ids=["recalled", "deleted", "on paper", "nobody says how", "struck out"],
)
def test_what_need_not_be_in_any_list_is_left_out(small: tuple[Engine, Register], untold: dict[str, Any]) -> None:
    (pair,) = matched(small, sent("1", **untold), sent("2"), got("2"))
    assert (pair.sent, pair.matched, pair.unmatched) == (1, 1, 0)


def test_a_document_without_an_id_is_counted_apart(small: tuple[Engine, Register]) -> None:
    (pair,) = matched(small, sent("1", document_id=None), sent("2"), got("2"))
    assert (pair.sent, pair.without_id, pair.matched, pair.unmatched) == (2, 1, 1, 0)


def test_a_document_that_a_register_and_a_trunk_tell_is_one(small: tuple[Engine, Register]) -> None:
    engine, known = small
    document, deliveries = sent("1", direction="sent")
    put(engine, known, {Document: [document], Delivery: deliveries}, source="trunk")
    (pair,) = matched(small, sent("1"), got("1"), got("1", direction="received"))
    assert (pair.sent, pair.matched, pair.unmatched, pair.not_sent) == (1, 1, 0, 0)
