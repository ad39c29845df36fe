"""The daemon's pages. Every answer is ready before it is asked for: no request touches a source or counts anything."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPENMETRICS
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from collector.exposition import END, Exposition

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
    """What is shown now, rendered: the figures in Prometheus' two formats, and the page."""

    metrics: Exposition
    page: str


def application(shown: Callable[[], Shown], vitals: Callable[[], Exposition]) -> Starlette:
    """The pages: `/` for people, `/metrics` for Prometheus, `/-/healthy` for a supervisor."""

    async def metrics(request: Request) -> Response:
        figures, own = shown().metrics, vitals()
        if "application/openmetrics-text" in request.headers.get("accept", ""):
            return Response(figures.openmetrics.removesuffix(END) + own.openmetrics, media_type=OPENMETRICS)
        return Response(figures.plain + own.plain, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def page(_: Request) -> Response:
        return HTMLResponse(shown().page, headers=_HEADERS)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("collector is healthy\n")

    return Starlette(routes=[Route("/", page), Route("/metrics", metrics), Route("/-/healthy", healthy)])
