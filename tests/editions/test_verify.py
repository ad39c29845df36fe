"""One changed bit anywhere in what was sealed, or exported, is detected; and an edition that does not add up, too."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from collector import editions
from collector.contract.errors import WrongUse
from collector.editions import Altered, keys
from collector.editions.freeze import freeze
from collector.editions.seal import write
from collector.store.engine import reading
from tests.editions.province import JANUARY, B, Province, dossier, province

FLIPS = 60
"""Of each column."""

COLUMNS = {
    "edition": ("period", "number", "sealed"),
    "edition_body": ("position", "period", "number", "digest", "public_key", "signature", "body"),
    "edition_rows": ("digest", "rows"),
}
AS_TEXT = {("edition", "period"), ("edition_body", "period"), ("edition_body", "digest"), ("edition_rows", "digest")}


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A province with two editions of January."""
    one = province(tmp_path_factory.mktemp("restated"))
    one.put("desk", dossier("late", B))
    one.restate("late")
    yield one
    one.engine.dispose()


def test_what_was_sealed_verifies(restated: Province) -> None:
    found = restated.verify()
    assert [(one.period, one.number, one.position, one.fault) for one in found] == [
        ("2026-01", 1, 1, ""),
        ("2026-01", 2, 2, ""),
    ]
    assert {one.lists for one in found} == {18}
    assert [one.lists for one in restated.verify(JANUARY)] == [18, 18]


def flipped(value: object, chance: random.Random) -> object:
    """The same value with one bit changed."""
    if isinstance(value, int):
        return value ^ (1 << chance.randrange(31))
    content = bytearray(value if isinstance(value, bytes) else str(value).encode())
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


@pytest.mark.parametrize(("table", "column"), [(table, one) for table, some in COLUMNS.items() for one in some])
def test_a_changed_bit_is_detected_in_every_column(restated: Province, table: str, column: str) -> None:
    chance = random.Random(f"{table}.{column}")
    put = "CAST(CAST(? AS BLOB) AS TEXT)" if (table, column) in AS_TEXT else "?"
    with restated.engine.connect() as connection:
        ids = list(range(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()))
        for _ in range(FLIPS):
            whole = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").mappings().all()
            row = whole[chance.choice(ids)]
            now = flipped(row[column], chance)
            try:
                connection.exec_driver_sql(
                    f"UPDATE {table} SET {column} = {put} WHERE {' AND '.join(f'{name} = ?' for name in row)}",
                    (now, *row.values()),
                )
            except IntegrityError:  # two editions with one number cannot even be stored
                connection.rollback()
                continue
            found = editions.verify(connection, restated.trusted)
            assert any(one.fault for one in found), f"{row[column]!r} became {now!r}"
            connection.rollback()
    assert restated.faults() == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DELETE FROM edition WHERE number = 2", "it is not in the list of editions"),
        ("INSERT INTO edition_rows VALUES ('abc', x'00')", "the rows abc belong to no edition"),
        ("INSERT INTO edition VALUES ('2025-12', 1, 0)", "edition 1 of 2025-12 is listed, but its content is gone"),
        ("DELETE FROM edition_rows", "the rows behind documents.connected of H44.01 are gone"),
        ("DELETE FROM edition_body WHERE position = 2", "edition 2 of 2026-01 is listed, but its content is gone"),
    ],
)
def test_a_row_more_or_less_is_detected(restated: Province, statement: str, fault: str) -> None:
    with restated.engine.connect() as connection:
        connection.exec_driver_sql(statement)
        assert next(one.fault for one in editions.verify(connection, restated.trusted) if one.fault) == fault
        connection.rollback()


def test_the_first_of_the_chain_cannot_be_taken_away(restated: Province) -> None:
    with restated.engine.connect() as connection:

        def faults() -> list[str]:
            return [one.fault for one in editions.verify(connection, restated.trusted) if one.fault]

        connection.exec_driver_sql("DELETE FROM edition_body WHERE position = 1")
        connection.exec_driver_sql("DELETE FROM edition WHERE number = 1")
        assert "number 2 of the chain, where number 1 should stand" in faults()[0]
        connection.exec_driver_sql("UPDATE edition_body SET position = 1, number = 1")
        connection.exec_driver_sql("UPDATE edition SET number = 1")
        assert "what stands beside its content" in faults()[0]
        connection.rollback()


def test_another_key_does_not_make_an_edition(tmp_path: Path) -> None:
    one = province(tmp_path)
    (tmp_path / "signing.key").unlink()
    (tmp_path / "signing.key.pub").unlink()
    fault = one.faults()[0]
    assert "signed with a key that is not trusted here" in fault


def test_what_is_altered_is_not_shown_as_sealed(tmp_path: Path) -> None:
    one = province(tmp_path)
    listed = one.sealed().evidence[0]
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("UPDATE edition_rows SET rows = x'00' WHERE digest = ?", (listed.digest,))
    with pytest.raises(Altered, match="not as they were sealed"):
        editions.evidence(one.engine, one.sealed(), listed.indicator, listed.agency)
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("UPDATE edition_body SET body = replace(body, '2026-01', '2026-02')")
    with pytest.raises(Altered, match="edition 1 of 2026-01 is not as it was sealed"):
        one.sealed()


@pytest.mark.parametrize("forged", ["a figure", "a row", "a total"])
def test_a_signed_edition_whose_figures_are_not_its_rows_is_detected(forged: str, tmp_path: Path) -> None:
    """Whoever holds the key can sign anything; it still has to add up."""
    one = province(tmp_path, sealed=False)
    with reading(one.engine) as connection:
        frozen = freeze(connection, one.sealer, JANUARY, 1, None)
    key = keys.private_key(one.key)
    changes: tuple[editions.Change, ...] = ()
    if forged == "a figure":
        first, *others = frozen.readings
        frozen = replace(frozen, readings=(replace(first, hits=0), *others))
    elif forged == "a row":
        first_list, *other_lists = frozen.evidence
        swapped = next(each.digest for each in other_lists if each.rows != first_list.rows)
        frozen = replace(frozen, evidence=(replace(first_list, digest=swapped), *other_lists))
    else:
        changes = (editions.Change("dossiers.on_time", B, 1, 1, 0, "measured", "measured"),)
    write(one.sealer, JANUARY, frozen, key, number=1, reason="", says="", changes=changes)
    fault = one.faults()[0]
    assert {
        "a figure": "documents.connected of H44.01: the figure says (0, 1, 0), its rows (1, 1, 0)",
        "a row": "documents.connected of H44.01: its rows are not as many, or not as long, as it says",
        "a total": "the changes of its agencies do not add up to the totals that it tells",
    }[forged] == fault


def test_an_edition_in_one_file_verifies_without_the_store_and_any_changed_bit_is_detected(
    restated: Province, tmp_path: Path
) -> None:
    with reading(restated.engine) as connection:
        content = editions.exported(connection, JANUARY, 2)
        with pytest.raises(WrongUse, match="2026-01 has no edition 3"):
            editions.exported(connection, JANUARY, 3)
    path = tmp_path / "edition"
    path.write_bytes(content)
    found = editions.verify_file(path, restated.trusted)
    assert (found.period, found.number, found.lists, found.fault) == ("2026-01", 2, 18, "")
    assert "not trusted" in editions.verify_file(path, [bytes(32)]).fault
    chance = random.Random(6)
    for _ in range(400):
        other = bytearray(content)
        bit = chance.randrange(8 * len(other))
        other[bit // 8] ^= 1 << bit % 8
        path.write_bytes(other)
        assert editions.verify_file(path, restated.trusted).fault, f"bit {bit}"
    for cut in (0, 1, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        assert editions.verify_file(path, restated.trusted).fault
    path.write_bytes(content + b"\n")
    assert editions.verify_file(path, restated.trusted).fault
    with pytest.raises(WrongUse, match="cannot be read"):
        editions.verify_file(tmp_path / "none", restated.trusted)
