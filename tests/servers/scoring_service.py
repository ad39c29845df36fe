"""The reference receiver: a scoring service in a process of its own, that can be told to go wrong and be looked into.

It enforces log-in, digest, key and schema, applies a message once and wholly, and answers with the digest that it
applied: what docs/delivery.md wants of whoever implements one.
"""

import base64
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.process import LOOPBACK, answers, child, free_port

NAME = "the reference receiver"
TOKEN = "token of the reference receiver"
ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "scoring-message.schema.json"


@dataclass(slots=True)
class ScoringService:
    """A service that may run or be down; it keeps its ledger and its port."""

    folder: Path
    port: int
    certificate: Path | None = None
    _running: ExitStack = field(default_factory=ExitStack, repr=False)

    @property
    def url(self) -> str:
        """The address that a receiver is configured with."""
        return f"{'https' if self.certificate else 'http'}://{LOOPBACK}:{self.port}"

    # -- it runs, and it is down ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start it (again), with the settings as they stand."""
        command: Sequence[str | Path] = [
            *(sys.executable, "-P", Path(__file__).with_name("scoring_program.py")),
            *(self.folder, str(self.port)),
        ]
        running = child(command, self.folder / "log", lambda: answers(self.port), grace=1)
        self._running.enter_context(running)

    def end(self) -> None:
        """Stop it: whoever asks now is refused by the kernel."""
        self._running.close()

    def set(self, **settings: Any) -> None:
        """Change its settings; they count from its next start on."""
        file = self.folder / "settings.json"
        file.write_text(json.dumps((json.loads(file.read_text()) if file.exists() else {}) | settings))

    # -- what it shall do wrong ----------------------------------------------------------------------------------

    def goes_wrong(self, what: str, times: int = 1, *, seconds: float = 0, header: str = "") -> None:
        """Have the next messages go wrong: by a status (`503`), or by one of the ways of `scoring_program.py`."""
        with closing(self._store("test")) as store, store:
            row = (what, times, seconds, header)
            store.execute("INSERT INTO fault (what, times, seconds, header) VALUES (?, ?, ?, ?)", row)

    def is_mended(self) -> None:
        """Nothing goes wrong any more."""
        with closing(self._store("test")) as store, store:
            store.execute("DELETE FROM fault")

    # -- its ledger ----------------------------------------------------------------------------------------------

    @property
    def applied(self) -> dict[str, str]:
        """Digests by the keys that it has applied."""
        return dict(self._rows("SELECT key, digest FROM applied ORDER BY key"))

    @property
    def effects(self) -> Counter[str]:
        """How often the effect of each key happened."""
        return Counter(key for (key,) in self._rows("SELECT key FROM effect"))

    @property
    def sums(self) -> tuple[int, int]:
        """All hits and all judged that it has added up."""
        ((hits, judged),) = self._rows("SELECT coalesce(sum(hits), 0), coalesce(sum(judged), 0) FROM effect")
        return hits, judged

    @property
    def told(self) -> list[tuple[str, str]]:
        """Key and digest of every message that came, applied or not, in order."""
        return [(key, digest) for key, digest in self._rows("SELECT key, digest FROM question WHERE key != ''", "test")]

    @property
    def asked(self) -> list[str]:
        """Verb and path of everything that came."""
        return [asked for (asked,) in self._rows("SELECT asked FROM question ORDER BY number", "test")]

    def body(self, key: str) -> Any:
        """The content of a message that it has applied."""
        ((body,),) = self._rows(f"SELECT body FROM applied WHERE key = '{key}'")
        return json.loads(body)

    def emptied(self) -> None:
        """Forget everything, as a new service."""
        for file, tables in (("ledger", ("applied", "effect")), ("test", ("question", "fault"))):
            with closing(self._store(file)) as store, store:
                for table in tables:
                    store.execute(f"DELETE FROM {table}")

    @contextmanager
    def restored_afterwards(self) -> Iterator[None]:
        """Restore at the end of the block the backup that is taken at its beginning: its own ledger, not the log."""
        with closing(self._store("ledger")) as store, closing(sqlite3.connect(":memory:")) as backup:
            store.backup(backup)
            yield
            with store:
                for table in ("applied", "effect"):
                    store.execute(f"DELETE FROM {table}")
                    rows = backup.execute(f"SELECT * FROM {table}").fetchall()
                    for row in rows:
                        store.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)

    def _rows(self, query: str, file: str = "ledger") -> list[Any]:
        with closing(self._store(file)) as store:
            return store.execute(query).fetchall()

    def _store(self, file: str) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / f"{file}.sqlite", timeout=30)


@contextmanager
def start(
    folder: Path,
    *,
    token: str = TOKEN,
    user: tuple[str, str] | None = None,
    certificate: Path | None = None,
    schemas: Sequence[str] = ("ict-collector/scoring/1",),
) -> Iterator[ScoringService]:
    """Run a new service in an empty folder until the block ends.

    Who asks needs the token, or with `user` a name and a password. `certificate`: a PEM file with its key.
    """
    login = f"Basic {base64.b64encode(':'.join(user).encode()).decode()}" if user else f"Bearer {token}"
    service = ScoringService(folder, free_port(), certificate)
    service.set(authorization=login, schema=str(SCHEMA), schemas=list(schemas), certificate=str(certificate or ""))
    service.begin()
    try:
        yield service
    finally:
        service.end()
