"""The program of `scoring_service.py`: a scoring service over SQLite, written after docs/scoring-service.openapi.yaml.

Run as a file: `python -P scoring_program.py FOLDER PORT`. What it is to do besides stands in `FOLDER/settings.json`,
what it shall do wrong in the table `fault` of the database beside its ledger. It knows nothing of the collector.
"""

import base64
import hashlib
import hmac
import json
import sqlite3
import ssl
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMA = "ict-collector/scoring/1"
MOST = 16 << 20

TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS applied (key TEXT PRIMARY KEY, digest TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    readings INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effect (number INTEGER PRIMARY KEY, key TEXT NOT NULL, readings INTEGER NOT NULL,
    hits INTEGER NOT NULL, judged INTEGER NOT NULL);
"""
"""`effect` has no unique key on purpose: what is applied twice is seen there twice."""

OF_THE_TEST = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS question (number INTEGER PRIMARY KEY, asked TEXT NOT NULL, key TEXT NOT NULL,
    digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fault (number INTEGER PRIMARY KEY, what TEXT NOT NULL, times INTEGER NOT NULL,
    seconds REAL NOT NULL, header TEXT NOT NULL);
"""


class Problem(Exception):
    """What is not as the contract wants it."""

    def __init__(self, status: int, title: str, **headers: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.headers = headers


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.settings = json.loads((folder / "settings.json").read_text())
        self.validator = Draft202012Validator(json.loads(Path(self.settings["schema"]).read_text(encoding="utf-8")))
        for store, tables in ((self.store(), TABLES), (self.of_the_test(), OF_THE_TEST)):
            with closing(store):
                store.executescript(tables)
        super().__init__(("127.0.0.1", port), Question)
        if self.settings["certificate"]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.settings["certificate"])
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def store(self) -> sqlite3.Connection:
        store = sqlite3.connect(self.folder / "ledger.sqlite", isolation_level=None, timeout=30)
        store.execute("PRAGMA synchronous = FULL")
        return store

    def of_the_test(self) -> sqlite3.Connection:
        store = sqlite3.connect(self.folder / "test.sqlite", isolation_level=None, timeout=30)
        store.execute("PRAGMA synchronous = OFF")
        return store

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody who hangs up, or does not trust our certificate, is no error here."""


class Question(BaseHTTPRequestHandler):
    server: Service
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def setup(self) -> None:
        super().setup()
        self.store, self.of_the_test = self.server.store(), self.server.of_the_test()

    def finish(self) -> None:
        self.store.close()
        self.of_the_test.close()
        super().finish()

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, way: Any) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST + 1))
        try:
            self._let_in()
            status, content = way(body)
            self._say(status, content)
        except Problem as problem:
            self._say(problem.status, {"title": problem.title}, "application/problem+json", problem.headers)

    def _let_in(self) -> None:
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), self.server.settings["authorization"].encode()):
            raise Problem(401, "who are you?", **{"WWW-Authenticate": "Bearer"})

    def _say(
        self, status: int, content: Any, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # -- what may be asked ---------------------------------------------------------------------------------------

    def _get(self, _: bytes) -> tuple[int, Any]:
        self._note("", "")
        if self.path == "/contract":
            return 200, {"service": "the reference receiver", "schemas": self.server.settings["schemas"]}
        if self.path == "/messages":
            rows = self.store.execute("SELECT key, digest FROM applied WHERE kind = 'edition' ORDER BY key")
            return 200, {"messages": [{"key": key, "digest": digest} for key, digest in rows]}
        if self.path.startswith("/messages/"):
            row = self._applied(self.path.removeprefix("/messages/"))
            if row is None:
                raise Problem(404, "nothing is applied under this key")
            return 200, row
        raise Problem(404, "there is nothing here")

    def _post(self, body: bytes) -> tuple[int, Any]:
        if self.path != "/messages":
            raise Problem(404, "there is nothing here")
        key = self.headers.get("Idempotency-Key", "").strip('"')
        digest = hashlib.sha256(body).hexdigest()
        self._note(key, digest)
        fault, seconds, header = self._fault()
        if fault.isdigit():
            title = "as the test wants it"
            name, _, value = header.partition(": ")
            raise Problem(int(fault), title, **({name: value} if header else {}))
        if fault == "slow":
            time.sleep(seconds)
        if fault == "close":
            self._hang_up()
        told = self._checked(body, key, digest)
        if fault == "partial":
            return 200, {"key": key, "digest": digest, "readings": len(told["readings"]) // 2}
        if fault == "html":
            self._say(200, b"<!doctype html><title>Log in</title>", "text/html")
            raise ConnectionError
        status, content = self._apply(told, key, digest, body)
        match fault:
            case "applied, then silent":
                time.sleep(seconds)
                self._hang_up()
            case "applied, then closed":
                self._hang_up()
            case "applied, then dripping":
                self.send_response(200)
                self.end_headers()
                for _ in range(round(seconds * 20)):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.05)
                self._hang_up()
            case "wrong digest":
                return 200, content | {"digest": hashlib.sha256(b"something else").hexdigest()}
            case "conflict":
                return 409, {"key": key, "digest": content["digest"]}
            case "bare conflict":
                raise Problem(409, "I have this already")
        return status, content

    def _hang_up(self) -> None:
        self.close_connection = True
        raise ConnectionError

    # -- the effect ----------------------------------------------------------------------------------------------

    def _checked(self, body: bytes, key: str, digest: str) -> Any:
        if len(body) > MOST:
            raise Problem(413, "too large")
        claimed = base64.b64encode(bytes.fromhex(digest)).decode()
        if self.headers.get("Content-Digest") != f"sha-256=:{claimed}:":
            raise Problem(400, "the body is not what Content-Digest says")
        try:
            told = json.loads(body)
        except ValueError:
            raise Problem(400, "no JSON") from None
        for error in self.server.validator.iter_errors(told):
            raise Problem(422, f"it does not fit the schema at {error.json_path}")
        if told["key"] != key:
            raise Problem(400, "the key in the header is another one than that in the body")
        return told

    def _apply(self, told: Any, key: str, digest: str, body: bytes) -> tuple[int, Any]:
        own = [one for one in told["readings"] if one["scope"] == "agency"]
        effect = (key, len(told["readings"]), *(sum(one[name] or 0 for one in own) for name in ("hits", "judged")))
        self.store.execute("BEGIN IMMEDIATE")
        try:
            found = self._applied(key)
            if found is None:
                row = (key, digest, told["kind"], body.decode(), len(told["readings"]))
                self.store.execute("INSERT INTO applied VALUES (?, ?, ?, ?, ?)", row)
                self.store.execute("INSERT INTO effect (key, readings, hits, judged) VALUES (?, ?, ?, ?)", effect)
            self.store.execute("COMMIT")
        except BaseException:
            self.store.execute("ROLLBACK")
            raise
        if found is None:
            return 201, {"key": key, "digest": digest, "readings": len(told["readings"])}
        if found["digest"] != digest:
            return 409, {"key": key, "digest": found["digest"]}
        return 200, found

    def _applied(self, key: str) -> dict[str, Any] | None:
        row = self.store.execute("SELECT key, digest, readings FROM applied WHERE key = ?", (key,)).fetchone()
        return None if row is None else {"key": row[0], "digest": row[1], "readings": row[2]}

    # -- what a test wants to see, and to go wrong ----------------------------------------------------------------

    def _note(self, key: str, digest: str) -> None:
        self.of_the_test.execute(
            "INSERT INTO question (asked, key, digest) VALUES (?, ?, ?)", (f"{self.command} {self.path}", key, digest)
        )

    def _fault(self) -> tuple[str, float, str]:
        row = self.of_the_test.execute(
            "SELECT number, what, seconds, header FROM fault WHERE times > 0 ORDER BY number LIMIT 1"
        ).fetchone()
        if row is not None:
            self.of_the_test.execute("UPDATE fault SET times = times - 1 WHERE number = ?", (row[0],))
        return ("", 0.0, "") if row is None else (row[1], row[2], row[3])


if __name__ == "__main__":
    with Service(Path(sys.argv[1]), int(sys.argv[2])) as service:
        service.serve_forever()
