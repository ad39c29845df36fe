"""The daemon's pages. Every answer is ready before it is asked for: no request touches a source or counts anything."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

_HEADERS = {
    # The page is one file: a browser that is made to ask for anything else refuses.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown now, rendered: the figures in Prometheus' format, and the page."""

    metrics: bytes
    page: str


def application(shown: Callable[[], Shown], vitals: Callable[[], bytes]) -> Starlette:
    """The pages: `/` for people, `/metrics` for Prometheus, `/-/healthy` for a supervisor."""

    async def metrics(_: Request) -> Response:
        return Response(shown().metrics + vitals(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def page(_: Request) -> Response:
        return HTMLResponse(shown().page, headers=_HEADERS)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("collector is healthy\n")

    return Starlette(routes=[Route("/", page), Route("/metrics", metrics), Route("/-/healthy", healthy)])
