"""The benchmark measures a program that counts right, in memory that does not grow. How fast it is, no test says."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from collector.benchmark import BENCHMARKS, dlt_pipeline, documents, mail_log
from collector.benchmark.mail_lines import lines
from collector.benchmark.measure import Figure, Size, program, spent
from tests.connectors.email.mail_lines import use_by_single_lines
from tests.servers.postgresql import PostgreSQL

TINY = Size(lines=20_000, documents=2_000, megabytes=2, rounds=1)


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_what_the_benchmark_collects_is_what_single_lines_tell(tmp_path: Path) -> None:
    path = mail_log.write(tmp_path / "whole", 20_000)
    use = use_by_single_lines([line.rstrip("\n") for line in lines(20_000)], 2025)
    mail_log.collecting(path)
    with closing(sqlite3.connect(path.parent / "state" / "collector.sqlite")) as store:
        counted = store.execute("SELECT sum(sessions), sum(sent), sum(sent_outside) > 100 FROM mailbox_day").fetchone()
    assert counted == (sum(sessions for sessions, _ in use.values()), sum(sent for _, sent in use.values()), 1)
    assert json.loads(mail_log.reading(path).told)["rows"] > 1_000


def test_a_process_is_measured_without_what_its_parent_holds() -> None:
    held = bytearray(b"x" * 200 * 2**20)
    little, much = (spent([sys.executable, "-c", f"held = b'x' * ({size} * 2**20)"]).peak for size in (0, 100))
    assert (little < 60, 90 < much - little < 110, len(held)) == (True, True, 200 * 2**20)


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        spent([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.long
def test_memory_is_flat_at_five_times_the_length_of_a_log(tmp_path: Path, scale: Callable[[int], int]) -> None:
    count = max(200_000, scale(2_000_000))
    once, more = (mail_log.write(tmp_path / str(times), times * count) for times in (1, 5))
    # Measured of 200,000 lines and of five times as many: the reader grows by 4 MiB, as it gets to know the mailboxes,
    # a run that saves by 24 when the database's cache still held 64 MiB (now 8). A reader that held its rows would grow
    # by 22 MiB more, one that held the lines by 132.
    for run, growth in ((mail_log.reading, 12), (mail_log.collecting, 40)):
        assert run(more).peak - run(once).peak < growth


def test_a_register_is_loaded_changed_and_left_alone(tmp_path: Path, postgresql: PostgreSQL) -> None:
    url = postgresql.database("benchmark")
    size = Size(lines=0, documents=11_000, megabytes=0, rounds=1, postgresql=url)
    figures = by_name(list(documents.measure(tmp_path / "documents", size)))
    # The one peer that no environment of ours has is named.
    beside = figures.pop("documents.speed_beside_dlt")
    assert bool(beside.value) is not bool(dlt_pipeline.lacking()), beside
    assert beside.target == (6 if beside.value else None)
    assert {figures[name].target for name in figures} == {None, 0.5, 120, 0.05, 50}
    assert all(figure.value for figure in figures.values())
    # Its table is gone again.
    with create_engine(url, poolclass=NullPool).connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").scalar() == 0


@pytest.mark.long
def test_a_load_stays_below_120_mib_however_many_documents_there_are(
    tmp_path: Path, postgresql: PostgreSQL, scale: Callable[[int], int]
) -> None:
    # Measured: 116 MiB of 300,000 documents and of 1,000,000, 118 of 5,000,000; with groups of 15,000 rows it was 120.
    count = max(80_000, scale(1_000_000))
    size = Size(lines=0, documents=count, megabytes=0, rounds=1, postgresql=postgresql.database("benchmark"))
    peak = by_name(list(documents.measure(tmp_path / "documents", size)))["documents.peak_memory"]
    assert (peak.target, peak.holds) == (120, True), peak


def test_without_a_peer_it_is_named_and_nothing_is_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    figures = by_name([*mail_log.measure(tmp_path / "mail", TINY), *BENCHMARKS["ssh"](tmp_path / "ssh", TINY)])
    assert figures["mail_log.speed"] == Figure("mail_log.speed", None, "x", "pflogsumm: not installed")
    assert figures["ssh.speed"].holds is None
    register = by_name(list(documents.measure(tmp_path / "documents", TINY)))
    assert "--postgresql" in (register["documents.speed"].peer or "")
    assert all(one.target is None for one in register.values())


@pytest.mark.server("openssh")
def test_a_file_is_read_over_ssh_by_both(tmp_path: Path) -> None:
    figures = by_name(list(BENCHMARKS["ssh"](tmp_path / "ssh", TINY)))
    assert (figures["ssh.speed"].target, figures["ssh.memory_beyond_that_of_a_fifth"].holds) == (0.7, True)
    assert (figures["ssh.speed"].value or 0) > 0


def test_the_command_prints_figures_with_their_targets() -> None:
    done = subprocess.run(program("benchmark", "--json", "--rounds", "1", "start"), capture_output=True, check=True)
    for figure in json.loads(done.stdout):
        assert set(figure) == {"name", "value", "unit", "peer", "target", "holds"}
        assert figure["value"] > 0
    table = subprocess.run(program("benchmark", "--rounds", "1", "start"), capture_output=True, text=True, check=True)
    assert re.search(r"^start\.help +[\d.]+ +s of processor$", table.stdout, re.MULTILINE)


def test_an_unknown_benchmark_is_wrong_use() -> None:
    done = subprocess.run(program("benchmark", "soup"), capture_output=True, text=True, check=False)
    assert (done.returncode, "there is no benchmark soup" in done.stderr) == (2, True)


def test_the_limit_is_measured_on_the_same_rows(tmp_path: Path) -> None:
    documents.measure(tmp_path / "documents", TINY)
    assert documents.limit(tmp_path / "documents" / "state")["rows"] == TINY.documents
