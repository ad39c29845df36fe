"""A register that is written to while it is read, and readers that are killed: once it is quiet, every figure is true.

By the command line in processes of its own, against a real PostgreSQL (names in Vietnamese) and a real MariaDB (the
older shape). 200,000 documents each at full size.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
from sqlalchemy import URL, make_url

from tests.connectors.docmgmt import written_to
from tests.connectors.docmgmt.written_to import AGENCIES, FIRST, Cells, Site, Writer, truth, writing

ROOT = Path(__file__).parents[3]
SECRET = "REGISTER_PASSWORD"


# The peak is that of the process' own memory: what the system counts for children includes the parent's.
SMALL_SAVES = """
import atexit, pathlib, re, sys
import collector.collect
from collector.cli import main

collector.collect.GROUP = int(sys.argv.pop(1))
peaks = pathlib.Path(sys.argv.pop(1))

def tell():
    status = pathlib.Path("/proc/self/status").read_text()
    with peaks.open("a") as file:
        file.write(re.search(r"VmHWM:\\s+([0-9]+) kB", status)[1] + "\\n")

atexit.register(tell)
main()
"""


@dataclass(frozen=True)
class Program:
    """The command line with a configuration of one source; saves are small, so that a kill comes between two."""

    folder: Path
    password: str
    group: int

    @property
    def peaks(self) -> Path:
        """Where each process that ends by itself says how much memory it had at most, in KiB."""
        return self.folder / "peaks"

    @property
    def store(self) -> Path:
        return self.folder / "state" / "collector.sqlite"

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                SMALL_SAVES,
                str(self.group),
                str(self.peaks),
                *words,
                "--config",
                str(self.folder / "collector.yaml"),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), SECRET: self.password},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int | None = 0) -> Any:
        """Run a command to its end and return the JSON that it printed."""
        with self.start(*words, "--json") as process:
            out, err = process.communicate(timeout=570)
        assert code is None or process.returncode == code, err
        assert "Traceback" not in err, err
        return json.loads(out)

    def killed(self, *words: str, once: str, after: float) -> None:
        """Run a command and kill it some seconds after a question to the store has been answered with more than 0."""
        with self.start(*words) as process:
            deadline = time.monotonic() + 570
            while not self._is_so(once):
                assert process.poll() is None, "it has come to its end before it was killed"
                assert time.monotonic() < deadline
                time.sleep(0.005)
            time.sleep(after)
            process.kill()
            process.communicate()

    def _is_so(self, question: str) -> bool:
        try:
            return bool(self.ask(question)[0][0])
        except sqlite3.OperationalError:  # there is no store yet
            return False

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.store)) as connection:
            return connection.execute(statement).fetchall()


def program(folder: Path, url: str, site: Site, count: int) -> Program:
    made = make_url(url)
    address = URL.create(made.drivername, made.username, None, made.host, made.port, made.database, made.query)
    samples = ROOT / "config"
    for name in ("scoring.yaml",):
        (folder / name).write_text((samples / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "workdays").mkdir()
    agencies = "\n".join(f"  - {{code: {code}, name: Sở {code}, block: departments}}" for code in AGENCIES)
    blocks = "blocks:\n  departments: {title_vi: Sở, title_en: Departments}\nagencies:\n"
    (folder / "agencies.yaml").write_text(f"{blocks}{agencies}\n", encoding="utf-8")
    (folder / "collector.yaml").write_text(
        f"""province: {{name: Phú Thọ, code: H44}}
state: state
sources:
  documents:
    connector: docmgmt.sql_register
    door:
      kind: sql
      url: {address.render_as_string()}
      password: !env {SECRET}
    from: {FIRST.isoformat()}
    serves: all
    requests_per_minute: 100000
    config:
        page_size: {max(200, count // 40)}
{indent(dedent(site.config), " " * 8)}""",
        encoding="utf-8",
    )
    return Program(folder, made.password or "", max(1_000, count // 10))


def stored(own: Program) -> Cells:
    """The tallies of the store."""
    cells: Cells = {}
    for scope in ("internal", "external"):
        names = ", ".join(f"documents_exchanged_{scope}_{part}" for part in ("hits", "judged", "unknown"))
        for agency, day, *counts in own.ask(f"SELECT agency, day, {names} FROM tally_document_issued_day"):
            if any(counts):
                cells[scope, agency, day] = (counts[0], counts[1], counts[2])
    return cells


def by_month(cells: Cells) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    months: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for (scope, agency, day), counts in cells.items():
        key = (f"documents.exchanged_{scope}", agency, f"{day // 10_000}-{day // 100 % 100:02}")
        old = months.get(key, (0, 0, 0))
        months[key] = (old[0] + counts[0], old[1] + counts[1], old[2] + counts[2])
    return months


def kinds(done: Any) -> dict[str, int]:
    (one,) = done
    assert one["result"] == "done", one["message"]
    return {
        f"{record} {kind}": count
        for record, counts in one["records"].items()
        for kind, count in counts.items()
        if count and kind not in ("listed", "stored")
    }


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(
    "shape",
    [
        pytest.param("vietnamese", marks=pytest.mark.server("postgresql")),
        pytest.param("legacy", marks=pytest.mark.server("mariadb")),
    ],
)
def test_once_it_is_quiet_every_figure_is_the_writer_s(
    shape: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    scale: Callable[[int], int],
    full_size: bool,
    record_property: Callable[[str, object], None],
) -> None:
    count = scale(200_000)
    server = request.getfixturevalue("postgresql" if shape == "vietnamese" else "mariadb")
    url = server.database("written_to")
    site: Site = getattr(written_to, shape)(url)
    chance = random.Random(11)
    writer = Writer(site, {}, chance, most_deeds=count // 5)
    now = datetime.now(UTC).replace(tzinfo=None)
    writer.load(count, now + timedelta(hours=7) if shape == "vietnamese" else now)
    own = program(tmp_path, url, site, count)
    in_rows = shape == "vietnamese"

    longer = 20 if full_size else 1
    with writing(writer):
        for part in (0, 1, 3):  # before the first save, between two, and much later
            enough = f"SELECT (SELECT count(*) FROM document) >= {count * part // 5}"
            own.killed("collect", once=f"{enough} AND EXISTS (SELECT 1 FROM run WHERE result = 'running')", after=0)
        (done,) = own.run("collect")
        assert done["result"] == "done"
        assert done["read"] == sum(done[name] for name in ("inserted", "updated", "unchanged", "quarantined"))
        writer.go_on(count // 20)
        own.run("reconcile", code=None)
        (read,) = own.ask("SELECT count(*) FROM run WHERE result = 'done'")[0]
        begun = f"SELECT count(*) > {read} FROM run WHERE result = 'done'"
        own.killed("reconcile", once=begun, after=chance.uniform(0, 0.5) * longer)
        writer.go_on(count // 20)
    assert all(writer.deeds[what] > 5 for what in ("insert", "update", "silent", "delete", "insert null"))

    own.run("collect")
    expected = truth(writer.ledger, in_rows=in_rows)
    assert stored(own) != expected, "what was deleted or changed in silence cannot be seen by an ordinary run"
    found = kinds(own.run("reconcile", code=1))
    assert found["document vanished"] > 0
    assert found["document silent"] > 0
    moved_in = {"delivery missed"}  # of documents whose day was before the first one and has been corrected
    unseen = {f"{one} {kind}" for one in ("document", "delivery") for kind in ("vanished", "silent")} | moved_in
    assert set(found) <= unseen, "an ordinary run misses nothing that moved its version, however late it was committed"
    assert stored(own) == expected
    assert kinds(own.run("reconcile")) == {}

    dated = {str(n) for n, doc in writer.ledger.items() if doc.day is not None and doc.day >= FIRST}
    kept = own.ask("SELECT key FROM document WHERE removed = 0 AND issued_day IS NOT NULL")
    assert {key for (key,) in kept} == dated
    if in_rows:
        deliveries = {f"{n}|{d}" for n, doc in writer.ledger.items() if str(n) in dated for d in doc.sent}
        kept = own.ask(
            "SELECT v.key FROM delivery v JOIN document d ON d.source = v.source AND d.key = v.document"
            " WHERE v.removed = 0 AND d.removed = 0 AND d.issued_day IS NOT NULL"
        )
        assert {key for (key,) in kept} == deliveries
        early = {str(n) for n, doc in writer.ledger.items() if doc.day is not None and doc.day < FIRST}
        strays = own.ask("SELECT DISTINCT document FROM delivery WHERE document NOT IN (SELECT key FROM document)")
        assert {key for (key,) in strays} & early == set(), "deliveries of documents from before the first day"
    assert own.ask("SELECT count(*) FROM vanished JOIN document USING (source, key) WHERE removed = 0") == [(0,)]

    shown = own.run("readings", "--period", "2026-09", "--period", "2026-10")
    taken = {
        (one["indicator"], one["agency"], one["period"]): (one["hits"], one["judged"], one["unknown"])
        for one in shown
        if one["indicator"] in ("documents.exchanged_internal", "documents.exchanged_external")
    }
    assert taken == by_month(expected)
    site.engine.dispose()
    peak = max(map(int, own.peaks.read_text(encoding="utf-8").split()))
    told = f"{len(writer.ledger):,} documents, {dict(writer.deeds)}, {found}, {peak // 1024} MiB"
    record_property(shape, told)
    assert peak < 256 * 1024, "memory does not grow with the register"
