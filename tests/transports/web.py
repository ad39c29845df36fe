"""An HTTP server on a real socket of loopback, whose answers a test writes itself."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """`replies` by path; `asked` is what came: verb, path with query, headers, body, and the client's port."""

    def __init__(self, scheme: str, port: int) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.replies: dict[str, list[Reply]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes, int]] = []

    def says(self, path: str, *replies: Reply) -> None:
        """Answer a path by these replies in turn, and by the last one from then on."""
        self.replies[path] = list(replies)


def reply(
    status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Reply:
    """Return an ordinary answer with Content-Length."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def raw(*parts: bytes) -> Reply:
    """Return an answer that writes these bytes and hangs up."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        for part in parts:
            request.wfile.write(part)
        request.close_connection = True

    return answer


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name in the standard library)
            pass

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            port = int(self.client_address[1])
            server.asked.append((self.command, self.path, dict(self.headers), body, port))
            replies = server.replies[self.path.partition("?")[0]]
            try:
                (replies.pop(0) if len(replies) > 1 else replies[0])(self)
            except OSError:  # the client hung up, as it should
                self.close_connection = True

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that refuses our certificate is no error here."""

    with Quiet(("127.0.0.1", 0), Handler) as listener:
        if context is not None:
            listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        server = Server("https" if context else "http", int(listener.server_address[1]))
        thread = Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
