"""The daemon's pages. Every answer is ready before it is asked for: no request touches a source or counts anything."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown now, rendered: the figures in Prometheus' format, and the page."""

    metrics: bytes
    page: str


def application(shown: Callable[[], Shown], vitals: Callable[[], bytes]) -> Starlette:
    """The pages: `/` for people, `/metrics` for Prometheus, `/-/healthy` for a supervisor."""

    async def metrics(_: Request) -> Response:
        return Response(shown().metrics + vitals(), media_type=CONTENT_TYPE_LATEST)

    async def page(_: Request) -> Response:
        return HTMLResponse(shown().page)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("collector is healthy\n")

    return Starlette(
        routes=[
            Route("/", page, methods=["GET", "HEAD"]),
            Route("/metrics", metrics, methods=["GET", "HEAD"]),
            Route("/-/healthy", healthy, methods=["GET", "HEAD"]),
        ]
    )
