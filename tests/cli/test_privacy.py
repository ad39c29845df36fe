"""What is stored about whom, shown and destroyed from the command line."""

import json
import re
import sqlite3
from pathlib import Path

from collector.contract.period import day_start
from tests.cli.conftest import Run

SEALED = day_start(20260220)


def seal(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("\nsources:\n", "\nprivacy: {appeal_days: 7}\nsources:\n"), encoding="utf-8")
    with sqlite3.connect(config.parent / "state" / "collector.sqlite") as store:
        store.execute("INSERT INTO edition (period, number, sealed) VALUES ('2026-02', 1, ?)", (SEALED,))
    store.close()


def test_what_is_stored_is_shown_by_month_and_field_by_field(run: Run, config: Path) -> None:
    done = run("privacy", "--config", config)
    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if line.startswith("2026-02 ")]
    assert re.fullmatch(r"2026-02 +yes +[\d,]+ +[\d,]+ +[\d,]+ +– +– +–", line)
    assert "a pseudonym under the month's key" in done.out
    told = run("privacy", "--json", "--config", config).json
    assert told["appeal_days"] == 30
    (month,) = [one for one in told["months"] if one["month"] == "2026-02"]
    assert month["key"] is True
    assert month["mailboxes"] > 0
    assert month["mailbox_days"] > 0
    assert [month["sealed"], month["destroy_from"], month["destroyed"]] == [None] * 3
    assert {one["record"] for one in told["register"]} >= {"mailbox", "mailbox_day", "document", "dossier"}


def test_a_month_that_may_still_be_contested_is_not_destroyed(run: Run, own: Path) -> None:
    done = run("privacy", "--destroy", "2026-02", "--yes", "--config", own)
    assert (done.code, done.out) == (2, "")
    assert "2026-02 is not sealed" in done.err
    done = run("privacy", "--destroy", "2026-Q1", "--yes", "--config", own)
    assert done.code == 2
    assert "2026-Q1 is no month" in done.err
    seal(own)
    own.write_text(own.read_text(encoding="utf-8").replace("appeal_days: 7", "appeal_days: 9"), encoding="utf-8")
    done = run("privacy", "--destroy", "2026-02", "--yes", "--config", own)
    assert done.code == 2
    assert "It may be destroyed from 2026-03-02 on" in done.err


def test_a_month_is_destroyed_by_hand_after_a_yes_and_its_figures_stay(run: Run, own: Path) -> None:
    seal(own)
    overdue = run("privacy", "--config", own)
    assert overdue.code == 1
    assert "2026-02: should be destroyed since 2026-02-28" in overdue.out
    figures = run("readings", "--period", "2026-02", "--json", "--config", own).json
    done = run("privacy", "--destroy", "2026-02", "--config", own)
    assert done.code == 2
    assert "will be destroyed for ever. Add --yes" in done.err
    assert (own.parent / "state" / "keys" / "202602.key").exists()

    done = run("privacy", "--destroy", "2026-02", "--yes", "--config", own)
    assert (done.code, done.out) == (0, "2026-02 is destroyed; what was counted of it stays\n")
    assert not (own.parent / "state" / "keys" / "202602.key").exists()
    again = run("privacy", "--destroy", "2026-02", "--yes", "--config", own)
    assert again.code == 0
    (month,) = [one for one in run("privacy", "--json", "--config", own).json["months"] if one["month"] == "2026-02"]
    assert (month["key"], month["mailboxes"], month["mailbox_days"], month["pending"]) == (False, 0, 0, 0)
    assert month["destroyed"].startswith("2026-03-01T")
    assert run("readings", "--period", "2026-02", "--json", "--config", own).json == figures

    # Its logs are still there: what is read again of them is dropped, and no source stops.
    days = ("--from", "2026-02-02", "--to", "2026-02-27")
    read = json.loads(run("collect", "mail", *days, "--json", "--config", own).out)
    assert [(one["result"], one["inserted"], one["updated"]) for one in read] == [("done", 0, 0)]
    assert read[0]["destroyed"] > 0
    assert run("readings", "--period", "2026-02", "--json", "--config", own).json == figures
    assert run("privacy", "--config", own).code == 0
