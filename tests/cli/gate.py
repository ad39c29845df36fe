"""A one-stop service that gives its first page and then keeps whoever asks for more waiting at a gate."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 500


class Gate(ThreadingHTTPServer):
    """`waiting` is set once somebody stands at the gate, `opened` lets everybody through."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, dossiers: Path) -> None:
        self.lines = [json.loads(line) for line in dossiers.read_text(encoding="utf-8").splitlines()]
        assert len(self.lines) > PAGE
        self.waiting, self.opened = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Gate

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        number = int(parse_qs(where.query).get("trang", ["1"])[0])
        if number > 1:
            self.server.waiting.set()
            self.server.opened.wait(60)
        lines = self.server.lines if where.path.endswith("dossiers") else []
        page = {"error_code": 0, "total": len(lines), "data": lines[(number - 1) * PAGE : number * PAGE]}
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # who waited may have gone away
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the library gives it
        pass


@contextmanager
def gate(dossiers: Path) -> Iterator[Gate]:
    """Run such a service with the dossiers of a sample province."""
    server = Gate(dossiers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.opened.set()
        server.shutdown()
        thread.join()
        server.server_close()
