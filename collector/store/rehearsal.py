"""A rehearsal: the same run on a copy of the store, so that what would change can be shown and nothing does."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from collector.store.engine import open_engine


@contextmanager
def rehearsal(engine: Engine) -> Iterator[Engine]:
    """A store of its own with the same content; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="collector-rehearsal-") as folder:
        copy = Path(folder) / "store.sqlite"
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM INTO ?", (str(copy),))
        other = open_engine(f"sqlite:///{copy}")
        try:
            yield other
        finally:
            other.dispose()
