"""Serves a tracker of Roundup by its own WSGI application: its stock server refuses to run as root.

Run as a file, by `python -P roundup_wsgi.py HOME PORT`, so that this folder hides no library. The present is that of
the process, which may be a clock of the tests.
"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

from roundup.cgi.wsgi_handler import RequestDispatcher


class Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def main(home: str, port: int) -> None:
    """Serve the tracker in a folder on a loopback port until the process is told to end."""
    with make_server("127.0.0.1", port, RequestDispatcher(home), handler_class=Quiet) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
