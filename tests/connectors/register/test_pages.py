"""Pages of a table, asked for one ahead, and the columns that a table has."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from collector.contract.door import Rows
from collector.contract.errors import TryAgain, UnexpectedAnswer
from connectors.register.pages import WAITING, Page, ahead, existing


def page(n: int) -> Page:
    return Page({}, n, {}, last=False)


def test_the_next_pages_are_asked_for_while_one_is_in_hand_and_no_more() -> None:
    given: list[int] = []
    asked = threading.Event()

    def pages() -> Iterator[Page]:
        for n in range(10):
            given.append(n)
            if n == WAITING + 1:
                asked.set()
            yield page(n)

    read = ahead(pages())
    assert next(read).size == 0
    assert asked.wait(30), "while the first is in hand, some wait and another is asked for"
    threading.Event().wait(0.3)
    assert given == list(range(WAITING + 2))
    assert [one.size for one in read] == list(range(1, 10))


def test_an_error_of_the_thread_is_raised_where_the_page_is_wanted() -> None:
    def pages() -> Iterator[Page]:
        yield page(1)
        raise TryAgain("gone")

    read = ahead(pages())
    assert next(read).size == 1
    with pytest.raises(TryAgain, match="gone"):
        next(read)


def test_the_thread_ends_when_nobody_wants_any_more() -> None:
    def pages() -> Iterator[Page]:
        while True:
            yield page(1)

    read = ahead(pages())
    next(read)
    read.close()  # type: ignore[attr-defined]
    assert not [one for one in threading.enumerate() if one.name == "read-ahead" and one.is_alive()]


class Table:
    """A door to a database with one table of these columns."""

    source = "register"

    def __init__(self, *columns: str) -> None:
        self._columns = columns

    def columns(self, table: str, schema: str | None) -> Sequence[str]:
        return self._columns if (table, schema) == ("HoSo", None) else ()


def found(columns: Sequence[str], name: str = "HoSo", **options: Any) -> dict[str, str]:
    wanted = {"id": "MaHoSo", "level": "MucDo"}
    made = existing(cast(Rows, Table(*columns)), name, None, wanted, "dossier", **options)
    return {field: column.name for field, column in made.items() if field}


def test_a_column_is_found_as_it_is_written_and_else_if_so_wished_in_any_case() -> None:
    assert found(["MucDo", "MaHoSo", "mahoso"]) == {"id": "MaHoSo", "level": "MucDo"}
    assert found(["mahoso", "MUCDO"], any_case=True) == {"id": "mahoso", "level": "MUCDO"}
    with pytest.raises(UnexpectedAnswer, match="Is it mahoso now") as told:
        found(["mahoso", "MucDo"])
    assert told.value.field == "MaHoSo"


def test_what_is_optional_may_be_missing_and_nothing_else() -> None:
    assert found(["MaHoSo"], optional=frozenset({"level"})) == {"id": "MaHoSo"}
    with pytest.raises(UnexpectedAnswer, match="Correct `columns`") as told:
        found(["MucDo"], optional=frozenset({"level"}), correct=("`table`", "`columns`"))
    assert told.value.field == "MaHoSo"
    with pytest.raises(UnexpectedAnswer, match="Correct `table`"):
        found(["MaHoSo"], name="Other", correct=("`table`", "`columns`"))
