"""What the daemon answers over HTTP, and what it does not tell."""

import asyncio

import httpx
import pytest

from collector.exposition import Exposition
from collector.web.application import Shown, application


def ask(path: str, method: str = "GET", headers: dict[str, str] | None = None) -> httpx.Response:
    figures = Exposition(b"figures 1\n", b"figures 1.0\n# EOF\n")
    vitals = Exposition(b"vitals 1\n", b"vitals 1.0\n# EOF\n")
    pages = application(lambda: Shown(figures, "<p>trang"), lambda: vitals)

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(pages)
        async with httpx.AsyncClient(transport=transport, base_url="http://collector.example") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(answer())


def test_figures_and_vitals_are_one_text() -> None:
    for accepted in ({}, {"Accept": "text/plain;version=0.0.4"}, {"Accept": "*/*"}):
        answer = ask("/metrics", headers=accepted)
        assert answer.content == b"figures 1\nvitals 1\n"
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_who_asks_for_openmetrics_gets_it_with_one_end() -> None:
    # As Prometheus asks.
    accepted = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,*/*;q=0.1"
    answer = ask("/metrics", headers={"Accept": accepted})
    assert answer.content == b"figures 1.0\nvitals 1.0\n# EOF\n"
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_the_page_may_load_nothing_from_anywhere() -> None:
    answer = ask("/")
    assert answer.text == "<p>trang"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_supervisor_learns_that_it_lives() -> None:
    assert ask("/-/healthy").text == "collector is healthy\n"


@pytest.mark.parametrize("path", ["/", "/metrics", "/-/healthy"])
def test_a_head_tells_the_length_and_sends_nothing(path: str) -> None:
    answer = ask(path, "HEAD")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["Content-Length"] == str(len(ask(path).content))


@pytest.mark.parametrize("path", ["/metric", "/metrics/x", "/favicon.ico", "/../etc/passwd"])
def test_what_there_is_not_is_404(path: str) -> None:
    assert ask(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_to_it(method: str) -> None:
    assert ask("/metrics", method).status_code == 405
