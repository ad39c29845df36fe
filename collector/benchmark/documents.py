"""Collecting documents from a register, beside `sqlite3.executemany` of the same rows from memory, and beside dlt.

The register is a table in PostgreSQL, or where none is given in SQLite: what is promised is promised for PostgreSQL.
"""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    MetaData,
    SmallInteger,
    Table,
    Text,
    bindparam,
    create_engine,
    make_url,
    update,
)
from sqlalchemy.types import Date, DateTime

from collector.benchmark import dlt_pipeline
from collector.benchmark.measure import (
    Figure,
    Size,
    absent,
    at_least,
    at_most,
    configuration,
    forget,
    program,
    spent,
    times,
)
from collector.contract.period import as_date, plus_days
from collector.store.engine import PRAGMAS

_TABLE = Table(
    "collector_benchmark",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("agency", Text),
    Column("changed", DateTime, nullable=False),
    Column("direction", Text),
    Column("scope", Text),
    Column("issued", Date),
    Column("electronic", SmallInteger),
    Column("paper", Text),
    Column("recalled", SmallInteger),
    Column("due", Date),
    Column("done", Date),
    Column("status", Text),
)
_AGENCIES = 300
_FIRST_DAY, _DAYS = 20250101, 300
_FIRST = datetime.fromisoformat("2025-01-01 07:00:00")
_AT_ONCE = 10_000

_LIMIT = "import sys; from collector.benchmark import documents; documents.print_limit(sys.argv[1])"

_CONFIG = """    from: 2025-01-01
    serves: all
    requests_per_minute: 100000
    config:
      documents:
        table: collector_benchmark
        id: id
        agency: agency
        changed: changed
        direction: direction
        scope: scope
        issued: issued
        electronic: electronic
        paper: paper
        recalled: recalled
        due: due
        completed: done
        status: status
        values:
          direction: {Đi: out, Đến: in}
          scope: {Trong: internal, Ngoài: external}
          paper: {Có: 1, Không: 0}
"""


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield documents, in the order in which they changed: issued over 300 days by 300 agencies."""
    days = [as_date(plus_days(_FIRST_DAY, number)) for number in range(_DAYS + 5)]
    for number in range(count):
        day = number * _DAYS // count
        out = number % 5 < 3
        yield {
            "id": number + 1,
            "agency": f"H44.{number * 7919 % _AGENCIES:03d}",
            "changed": _FIRST + timedelta(days=_DAYS * number / count),
            "direction": "Đi" if out else "Đến",
            "scope": "Trong" if number % 4 else "Ngoài",
            "issued": days[day],
            "electronic": int(number % 7 > 0),
            "paper": "Không" if number % 3 else "Có",
            "recalled": int(number % 50 == 0),
            "due": None if out else days[day + 5],
            "done": None if out else days[day + 3],
            "status": "Đã phát hành",
        }


def write(engine: Engine, count: int) -> None:
    """Fill the register."""
    _TABLE.metadata.drop_all(engine)
    _TABLE.metadata.create_all(engine)
    made = rows(count)
    with engine.begin() as connection:
        while some := list(islice(made, _AT_ONCE)):
            connection.execute(_TABLE.insert(), some)
        connection.exec_driver_sql("CREATE INDEX collector_benchmark_changed ON collector_benchmark (changed, id)")


def change(engine: Engine, count: int, time: int) -> int:
    """Let one in a hundred documents, all over the register, change after all others; return how many did."""
    begin = _FIRST + timedelta(days=_DAYS + time)
    changes = [
        {"known": number, "changed": begin + timedelta(days=number / count)} for number in range(100, count + 1, 100)
    ]
    with engine.begin() as connection:
        one = update(_TABLE).where(_TABLE.c.id == bindparam("known"))
        connection.execute(one.values(paper="Có" if time % 2 else "Không", changed=bindparam("changed")), changes)
    return len(changes)


def measure(place: Path, size: Size) -> list[Figure]:
    """Measure; the promise is for a million documents."""
    place.mkdir()
    url = make_url(size.postgresql or f"sqlite:///{place / 'register.sqlite'}")
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    login = ""
    if url.password is not None:
        (place / "password").write_text(str(url.password), encoding="utf-8")
        (place / "password").chmod(0o600)
        login = ", password: !file password"
    where = json.dumps(url._replace(password=None).render_as_string())
    source = f"  documents:\n    connector: docmgmt.sql_register\n    door: {{kind: sql, url: {where}{login}}}\n"
    codes = [(f"H44.{number:03d}", f"a{number:03d}") for number in range(_AGENCIES)]
    path = configuration(place, source + _CONFIG, codes)
    try:
        return _figures(engine, path, size, promised=engine.dialect.name == "postgresql")
    finally:
        _TABLE.metadata.drop_all(engine)
        engine.dispose()


def _figures(engine: Engine, path: Path, size: Size, *, promised: bool) -> list[Figure]:
    limits, full, shares, parts, nothing, peaks, theirs = [], [], [], [], [], [], []
    without_dlt = dlt_pipeline.lacking()
    write(engine, size.documents)
    for time_ in range(size.rounds):
        forget(path)
        loaded = spent(program("benchmark", "--of", str(path)), "collect documents\n")
        first = json.loads(loaded.told)
        limit = json.loads(spent([sys.executable, "-c", _LIMIT, str(path.parent / "state")]).told)
        if first["rows"] != size.documents or limit["rows"] != size.documents:
            raise ValueError(f"{first['rows']} of {size.documents} documents arrived, {limit['rows']} were compared")
        full.append(first["seconds"])
        limits.append(limit["seconds"])
        shares.append(limit["processors"] / first["processors"])
        peaks.append(loaded.peak)
        if promised and not without_dlt:
            theirs.append(_by_dlt(engine, path.parent / f"dlt{time_}", size.documents))
        changed = change(engine, size.documents, time_)
        later = spent(program("benchmark", "--of", str(path)), "collect documents\n" * 7).told.splitlines()
        cycles = [json.loads(line) for line in later]
        if cycles[0]["rows"] < changed:
            raise ValueError(f"{cycles[0]['rows']} of {changed} changed documents arrived")
        parts.append(cycles[0]["seconds"] / first["seconds"])
        nothing.append(median(one["seconds"] for one in cycles[2:]) * 1000)
    share = median(limit / own for limit, own in zip(limits, full, strict=True))
    figures = [
        Figure("documents.rows_per_second", round(size.documents / median(full)), "1/s"),
        at_least("documents.speed", share, "x", 0.5, "sqlite3.executemany from memory"),
        Figure("documents.speed_by_processor", round(median(shares), 3), "x", "sqlite3.executemany from memory"),
        at_most("documents.peak_memory", median(peaks), "MiB", 120),
        at_most("documents.changed_share", median(parts), "of the first load, for 1 % changed", 0.05),
        at_most("documents.nothing_new", median(nothing), "ms", 50),
    ]
    if promised:
        peer, name = "dlt with pyarrow, merging into SQLite", "documents.speed_beside_dlt"
        beside = at_least(name, times(theirs, full), "x", 6, peer) if theirs else absent(name, "x", peer, without_dlt)
        return [*figures[:3], beside, *figures[3:]]
    told = absent("documents.speed", "x", "a register in PostgreSQL", "name a database with --postgresql URL")
    plain = [
        Figure(one.name.replace("documents", "documents_in_sqlite"), one.value, one.unit, one.peer) for one in figures
    ]
    return [told, *plain]


def _by_dlt(engine: Engine, folder: Path, count: int) -> float:
    url = engine.url.render_as_string(hide_password=False)
    loaded = json.loads(spent(dlt_pipeline.command(url, _TABLE.name, folder)).told)
    if loaded["rows"] != count:
        raise ValueError(f"{loaded['rows']} of {count} documents were loaded by dlt")
    shutil.rmtree(folder)
    return float(loaded["seconds"])


def limit(state: Path) -> dict[str, float]:
    """Write what a store holds from memory into the same table with the same indexes and settings, and say how long."""
    with closing(sqlite3.connect(state / "collector.sqlite")) as store:
        tables = "SELECT sql FROM sqlite_master WHERE tbl_name = 'document' AND sql IS NOT NULL ORDER BY type DESC"
        made = [row[0] for row in store.execute(tables)]
        held = store.execute("SELECT * FROM document ORDER BY changed, CAST(key AS INTEGER)").fetchall()
        names = [row[1] for row in store.execute("PRAGMA table_info(document)")]
    other = state / "limit.sqlite"
    other.unlink(missing_ok=True)
    with closing(sqlite3.connect(other, isolation_level=None)) as target:
        for pragma in PRAGMAS:
            target.execute(f"PRAGMA {pragma}")
        for statement in made:
            target.execute(statement)
        others = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in ("source", "key"))
        marks = ", ".join("?" * len(names))
        begin, used = time.monotonic(), time.process_time()
        target.execute("BEGIN IMMEDIATE")
        target.executemany(
            f"INSERT INTO document VALUES ({marks}) ON CONFLICT (source, key) DO UPDATE SET {others}", held
        )
        target.execute("COMMIT")
        took = {"seconds": time.monotonic() - begin, "processors": time.process_time() - used}
    for name in ("limit.sqlite", "limit.sqlite-wal", "limit.sqlite-shm"):
        (state / name).unlink(missing_ok=True)
    return took | {"rows": len(held)}


def print_limit(state: str) -> None:
    """Do so, as a process of its own."""
    sys.stdout.write(json.dumps(limit(Path(state))))
