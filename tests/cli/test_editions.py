"""Sealing, restating, verifying and lost days, as an official does it at the command line."""

import sqlite3
from pathlib import Path

from tests.cli.conftest import Run

FEBRUARY = "2026-02"


def test_a_month_is_sealed_stated_anew_verified_and_exported(run: Run, own: Path, tmp_path: Path) -> None:
    told = ("--config", own)
    assert run("editions", *told).out == "Nothing is sealed yet: collector seal PERIOD\n"
    assert run("verify", *told).code == 2, "there is no public key yet"

    refused = run("seal", FEBRUARY, *told)
    assert refused.code == 2
    assert "Make one with `collector seal --new-key`" in refused.err
    made = run("seal", "--new-key", *told)
    assert (own.parent / "signing.key").stat().st_mode & 0o777 == 0o600
    assert "its public key, for everybody who verifies" in made.out
    assert run("seal", "--new-key", *told).code == 2
    assert run("verify", *told).out == "There is no edition yet.\n"

    refused = run("seal", FEBRUARY, *told)
    assert (refused.code, refused.out.splitlines()[0]) == (1, "2026-02 cannot be sealed yet")
    lacking = run("seal", FEBRUARY, "--json", *told)
    assert lacking.code == 1
    assert {one["source"] for one in lacking.json} == {"mail-viettri"}
    for one in lacking.json:
        assert one["mend"][0] == f"collector collect mail-viettri --from {one['from']} --to {one['to']} --only-gaps"
        assert one["mend"][1] in refused.out
        days = f"{one['from']}..{one['to']}"
        accepted = run("gap", "mail-viettri", days, "--reason", "mất nhật ký", *told)
        assert accepted.code == 0
        assert "mất nhật ký" in accepted.out
    listed = run("gap", "--json", *told).json
    assert [(one["from"], one["to"]) for one in listed] == [(one["from"], one["to"]) for one in lacking.json]

    open_ = run("readings", "--period", FEBRUARY, "--json", *told).json
    assert any(
        "mail-viettri accepted as lost: mất nhật ký" in one["why"] for one in open_ if one["state"] == "measured"
    )
    ranked = run("rank", FEBRUARY, "--json", *told).json
    sealed = run("seal", FEBRUARY, "--says", "QĐ 12", *told)
    assert sealed.code == 0
    assert sealed.out.startswith("edition 1 of 2026-02\n  figures of agencies: ")
    shown = run("readings", "--period", FEBRUARY, "--json", *told).json
    assert shown == [one | {"edition": 1} for one in open_]
    assert run("readings", "--period", FEBRUARY, "--open", "--json", *told).json == open_
    assert run("rank", FEBRUARY, "--json", *told).json == ranked
    assert run("seal", FEBRUARY, *told).code == 2
    assert run("restate", FEBRUARY, *told).out == "nothing differs from edition 1 of 2026-02\n"
    again = run("restate", FEBRUARY, "--reason", "late", *told)
    assert (again.code, "nothing differs from edition 1 of 2026-02" in again.err) == (2, True)
    assert "was sealed without those days" in run("gap", "mail-viettri", days, "--withdraw", *told).err

    explained = ("explain", "documents.on_time", "H44.01", FEBRUARY, "--rows", "--json", *told)
    before = run(*explained).json
    with sqlite3.connect(own.parent / "documents.sqlite") as register:
        key = next(row["key"] for row in before["rows"] if row["verdict"] == "hit")
        done = 'UPDATE "Văn bản" SET "Đã xoá" = 1, "Cập nhật lúc" = ? WHERE "Mã văn bản" = ?'
        register.execute(done, ("2026-03-01 07:59:00.000000", int(key)))
    register.close()
    assert run("collect", "documents", *told).code == 0
    assert run(*explained).json == before, "what was sealed is explained by the rows that were sealed"
    assert key not in {row["key"] for row in run(*explained[:-3], "--open", *explained[-3:]).json["rows"]}
    status = run("status", *told)
    assert status.code == 1
    assert "edition 1 of 2026-02 differs now in 1 figure: restate or explain" in status.err
    differs = run("restate", FEBRUARY, "--all", *told)
    assert differs.code == 1
    assert "1 row is gone" in differs.out
    assert "--reason one of: source-changed, source-deleted, correction" in differs.err
    assert run("restate", FEBRUARY, "--reason", "late", *told).code == 2
    assert "xyz is no reason" in run("restate", FEBRUARY, "--reason", "xyz", *told).err
    restated = run("restate", FEBRUARY, "--reason", "source-deleted", "--json", *told).json
    assert (restated["edition"], restated["reason"]) == (2, "source-deleted")
    assert [(one["agency"], one["hits"], one["judged"]) for one in restated["changes"]] == [("H44.01", -1, -1)]
    assert [one["edition"] for one in run("editions", FEBRUARY, "--json", *told).json] == [1, 2]
    assert "differs now" not in run("status", *told).err

    file = tmp_path / "edition.json"
    assert run("editions", FEBRUARY, "--edition", "1", "--export", file, *told).code == 0
    assert run("editions", FEBRUARY, "--export", file, *told).code == 2, "nothing is overwritten"
    public = own.parent / "signing.key.pub"
    (found,) = run("verify", file, "--public-key", public, "--json").json
    assert (found["edition"], found["fault"]) == (1, "")
    assert run("verify", FEBRUARY, *told).code == 0
    assert "2025-12 is not sealed" in run("verify", "2025-12", *told).err
    with sqlite3.connect(own.parent / "state" / "collector.sqlite") as store:
        store.execute("UPDATE edition_body SET body = replace(body, 'QĐ 12', 'QĐ 13') WHERE number = 1")
    store.close()
    broken = run("verify", *told)
    assert (broken.code, "it was changed after the seal" in broken.out) == (1, True)


def test_what_was_shown_is_told_as_of_a_day(run: Run, own: Path) -> None:
    told = ("--config", own, "--period", FEBRUARY)
    early = run("readings", "--as-of", "2026-02-28", "--json", *told)
    assert early.json == []
    assert "nothing was noted by 2026-02-28T23:59:59+07:00" in early.err
    assert run("readings", "--as-of", "yesterday", *told).code == 2
    assert run("readings", "--as-of", "2026-03-01T08:00:00", *told).code == 2
    assert "exclude each other" in run("readings", "--as-of", "2026-03-01", "--open", *told).err


def test_days_that_are_no_lost_days_are_refused(run: Run, config: Path) -> None:
    told = ("--config", config)
    assert run("gap", *told).out == "No day is accepted as lost.\n"
    for arguments, says in (
        (("documents", "2026-02-10", "--reason", "x"), "documents: all of 2026-02-10 is covered"),
        (("documents", "2026-03-01", "--reason", "x"), "2026-03-01 are no days of documents that are over"),
        (("documents", "2026-02-12..2026-02-10", "--reason", "x"), "are no days of documents that are over"),
        (("documents", "2026-02-10", "--reason", " "), "days are not lost without a reason"),
        (("documents", "2026-02-10"), "days, and either --reason or --withdraw, are missing"),
        (("documents", "2026-02-10", "--withdraw"), "none of 2026-02-10 was accepted as lost"),
        (("documents", "10 February", "--reason", "x"), "is no day"),
        (("fax", "2026-02-10", "--reason", "x"), "there is no source fax"),
    ):
        done = run("gap", *arguments, *told)
        assert done.code == 2
        assert says in done.err
