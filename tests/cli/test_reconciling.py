"""Comparing a source with the store by hand: what vanished counts no more, and the operator is told."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run


def at_the_register(own: Path, statement: str) -> int:
    """Change the register of documents behind the collector's back; returns how many rows were."""
    with closing(sqlite3.connect(own.parent / "documents.sqlite")) as connection, connection:
        return connection.execute(statement).rowcount


def judged(run: Run, own: Path) -> int:
    """How many outgoing documents of February count."""
    found: list[dict[str, Any]] = run("readings", "--period", "2026-02", "--json", "--config", own).json
    exchanged = ("documents.exchanged_internal", "documents.exchanged_external")
    return sum(one["judged"] + one["unknown"] for one in found if one["indicator"] in exchanged)


A_DAY = """
FROM "Văn bản"
WHERE "Loại" = 'Văn bản đi' AND "Ngày ban hành" LIKE '2026-02-10%' AND "Đã xoá" = 0 AND "Thu hồi" IS NULL
"""


def test_documents_that_were_deleted_for_good_leave_the_figures(run: Run, own: Path) -> None:
    before = judged(run, own)
    gone = at_the_register(own, f'DELETE FROM "Văn bản" WHERE "Mã văn bản" IN (SELECT "Mã văn bản" {A_DAY} LIMIT 3)')
    assert gone == 3
    rehearsed = run("reconcile", "documents", "--dry-run", "--json", "--config", own)
    assert (rehearsed.code, rehearsed.json[0]["records"]["document"]["vanished"]) == (1, 3)
    assert judged(run, own) == before

    done = run("reconcile", "--config", own)
    assert done.code == 1
    assert "documents" in done.out
    assert "mail" not in done.out, "its connector cannot list what there is"
    assert judged(run, own) == before - 3
    state = next(one for one in run("status", "--json", "--config", own).json if one["source"] == "documents")
    assert state["reconciliation"]["differences"]["document"]["vanished"] == 3
    assert "document: 3 no longer there" in run("status", "--config", own).out

    again = run("reconcile", "documents", "--json", "--config", own)
    assert (again.code, again.json[0]["result"]) == (0, "done")
    assert sum(again.json[0]["records"]["document"][kind] for kind in ("vanished", "missed", "silent")) == 0


def test_what_cannot_be_believed_waits_for_the_operator(run: Run, own: Path) -> None:
    before = judged(run, own)
    at_the_register(own, """DELETE FROM "Văn bản" WHERE "Ngày ban hành" < '2026-02-15'""")
    refused = run("reconcile", "documents", "--config", own)
    assert refused.code == 3
    assert "--allow-vanished" in refused.err
    assert judged(run, own) == before
    assert run("status", "--config", own).code == 1
    assert run("reconcile", "documents", "--allow-vanished", "--config", own).code == 1
    assert judged(run, own) < before
    assert run("reconcile", "documents", "--config", own).code == 0


def test_a_change_that_moved_no_version_is_read(run: Run, own: Path) -> None:
    recalled = f"""UPDATE "Văn bản" SET "Thu hồi" = 'Đã thu hồi' WHERE "Mã văn bản" IN (SELECT "Mã văn bản" {A_DAY})"""
    at_the_register(own, recalled)
    run("collect", "documents", "--config", own)
    found = run("reconcile", "documents", "--from", "2026-02-10", "--to", "2026-02-10", "--json", "--config", own)
    assert found.json[0]["records"]["document"]["silent"] > 0
    assert found.json[0]["from"] == found.json[0]["to"] == "2026-02-10"
    state = next(one for one in run("status", "--json", "--config", own).json if one["source"] == "documents")
    assert state["reconciliation"] is None, "a day alone says nothing of the source"


def test_a_source_that_cannot_list_what_it_has_is_named(run: Run, own: Path) -> None:
    done = run("reconcile", "mail", "--config", own)
    assert done.code == 2
    assert "cannot list" in done.err
