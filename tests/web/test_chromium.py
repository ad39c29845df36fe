"""The page in a real browser."""

import html
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collector.web.application import _HEADERS
from tests.servers.chromium import open_page
from tests.web.province import HOSTILE, rendered

pytestmark = pytest.mark.server("chromium")


@contextmanager
def showing(pages: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Iterator[tuple[str, list[str]]]:
    """Serve some pages; yield the address and the list of paths that are asked for."""
    asked: list[str] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = self.path in pages
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def test_a_browser_shows_ranks_figures_and_states_and_asks_for_nothing_else(tmp_path: Path) -> None:
    with showing({"/": rendered(tmp_path)}, _HEADERS) as (address, asked):
        opened = open_page(f"{address}/", tmp_path / "browser")
    assert asked == ["/"], "not even an icon"
    assert opened.asked == ()
    body = opened.dom[opened.dom.index("<body>") :]
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
    assert "1 Sở Nội vụ 933,39 93,34% 2.368/2.537 không áp dụng" in text
    assert "2 1–2 Sở Y tế 62,50 62,50–562,50 chưa đủ 12,50% 1/8" in text
    assert "– <script>document.title = 'stolen'</script> only 0.0 % of its points are measured" in text
    assert "<title>Phú Thọ: mức độ ứng dụng CNTT, tháng 2 năm 2026</title>" in opened.dom
    assert HOSTILE not in opened.dom, "as text it is written with &lt;"


def test_what_a_page_asks_for_is_seen(tmp_path: Path) -> None:
    page = "<!doctype html><link rel=icon href='data:,'><img src='http://127.0.0.2:9/spy.png'><body>"
    with showing({"/": page}) as (address, _):
        assert open_page(f"{address}/", tmp_path / "browser").asked == ("http://127.0.0.2:9/spy.png",)


def test_on_a_phone_only_the_tables_scroll_sideways(tmp_path: Path) -> None:
    frame = """<!doctype html><link rel=icon href='data:,'><iframe src=/page style="width:400px;height:800px;border:0"
      onload="const page = this.contentDocument, table = page.querySelector('.scroll'), root = page.documentElement;
        document.title = [root.clientWidth, root.scrollWidth, table.scrollWidth > table.clientWidth].join()">
      </iframe>"""
    with showing({"/": frame, "/page": rendered(tmp_path)}) as (address, _):
        opened = open_page(f"{address}/", tmp_path / "browser")
    found = re.search(r"<title>(\d+),(\d+),(\w+)</title>", opened.dom)
    assert found, opened.dom
    seen, whole, table_scrolls = int(found[1]), int(found[2]), found[3]
    assert whole == seen <= 400, "nothing of the page lies to the right of what is seen"
    assert table_scrolls == "true"
