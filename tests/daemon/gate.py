"""A gate before an HTTP service: lets questions through, refuses them or keeps silent, and counts them."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Gate:
    """Listens on `port`. `way`: open (asks the service behind), closed (503) or silent (never answers)."""

    behind: int
    port: int = 0
    way: Literal["open", "closed", "silent"] = "open"
    asked: int = 0
    ended: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gate: Gate


class _Question(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        gate = self.server.gate
        gate.asked += 1
        if gate.way == "silent":
            gate.ended.wait()
        elif gate.way == "closed":
            self.send_error(503)
        else:
            behind = http.client.HTTPConnection(LOOPBACK, gate.behind, timeout=10)
            behind.request("GET", self.path, headers={"Authorization": self.headers["Authorization"]})
            answer = behind.getresponse()
            body = answer.read()
            behind.close()
            self.send_response_only(answer.status)
            for name in ("Date", "Content-Type", "Content-Length"):
                self.send_header(name, answer.headers[name])
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def before(port: int) -> Iterator[Gate]:
    """Run a gate before the service on a loopback port until the block ends."""
    gate = Gate(port)
    with _Server((LOOPBACK, 0), _Question) as server:
        server.gate = gate
        gate.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield gate
        finally:
            gate.ended.set()
            server.shutdown()
            thread.join()
