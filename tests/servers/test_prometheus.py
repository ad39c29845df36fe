import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.servers import prometheus as prometheus_server
from tests.servers.process import ServerFailed, answers
from tests.servers.prometheus import Prometheus, check_metrics
from tests.servers.traces import processes_of

CLEAN = '# HELP a_ratio A share.\n# TYPE a_ratio gauge\na_ratio{agency="Sở Y tế"} 0.25\n'


class Target(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/metrics" else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(CLEAN.encode())

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def target_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_it_scrapes_the_port_and_answers_what_it_read(prometheus: Callable[..., Prometheus], target_port: int) -> None:
    server = prometheus(target_port)
    server.wait_for_scrapes()
    labels = (("agency", "Sở Y tế"), ("instance", server.target), ("job", "scraped"))
    assert server.query("a_ratio") == {(("__name__", "a_ratio"), *labels): 0.25}
    assert server.query("a_ratio * 2") == {labels: 0.5}
    assert server.query("scalar(a_ratio)") == {(): 0.25}
    assert server.query("nothing_of_the_kind") == {}
    with pytest.raises(ServerFailed, match="parse error"):
        server.query("a_ratio{")


@pytest.mark.server("prometheus")
def test_its_checker_finds_nothing_in_clean_metrics_and_names_what_is_wrong() -> None:
    assert check_metrics(CLEAN) == []
    assert check_metrics("aRatio 1\n") == [
        "aRatio metric names should be written in 'snake_case' not 'camelCase'",
        "aRatio no help text",
    ]


@pytest.mark.server("prometheus")
def test_it_stops_and_leaves_no_process(target_port: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with prometheus_server.start(Path(folder), target_port) as server:
            assert processes_of(Path(folder))
        assert not answers(server.port)
        assert processes_of(Path(folder)) == []
    assert not Path(folder).exists()
