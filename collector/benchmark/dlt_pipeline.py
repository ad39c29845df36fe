"""The same register loaded by dlt, a library that loads tables, with its quickest backend (pyarrow).

Into SQLite too, by its SQLAlchemy destination, merged by the key: as here, to load something again changes nothing.
DuckDB, its other local store, would be no store of ours. dlt is no dependency of this program: `pip install --group
peers` puts it beside it.
"""

import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("dlt", "pyarrow", "alembic")
"""What is imported, and must be there for a comparison."""


def lacking() -> str:
    """Say what is not installed; "" if everything is there."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    return f"{', '.join(missing)} not installed (pip install --group peers)" if missing else ""


def command(url: str, table: str, folder: Path) -> list[str]:
    """Return the command line of a process that loads a table of the register into a database in an empty folder."""
    # Its password travels like that of a source: in a file.
    folder.mkdir(parents=True)
    place = folder / "register"
    place.touch(mode=0o600)
    place.write_text(url, encoding="utf-8")
    run = "import sys; from collector.benchmark import dlt_pipeline; dlt_pipeline.load(*sys.argv[1:])"
    return [sys.executable, "-c", run, str(place), table, str(folder)]


def load(register: str, table: str, folder: str) -> None:
    """Load a table, and print how many rows there are then and how long it took, without the start of the process."""
    # Set before it is imported: it would tell its makers of each run, and look for settings in the home folder.
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "DLT_DATA_DIR": folder,
        "DLT_PROJECT_DIR": folder,
    }
    import dlt
    from dlt.sources.sql_database import sql_table

    pipeline = dlt.pipeline(
        "register",
        pipelines_dir=f"{folder}/pipelines",
        destination=dlt.destinations.sqlalchemy(f"sqlite:///{folder}/loaded.sqlite"),
        dataset_name="main",
    )
    begin = time.monotonic()
    pipeline.run(
        sql_table(
            credentials=Path(register).read_text(encoding="utf-8"),
            table=table,
            backend="pyarrow",
            incremental=dlt.sources.incremental("changed"),
            primary_key="id",
            write_disposition="merge",
        )
    )
    seconds = time.monotonic() - begin
    with pipeline.sql_client() as client:
        ((rows,),) = client.execute_sql(f"SELECT count(*) FROM {client.make_qualified_table_name(table)}")
    sys.stdout.write(json.dumps({"rows": rows, "seconds": seconds}))
