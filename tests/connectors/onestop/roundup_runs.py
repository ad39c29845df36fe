"""A mapping of Roundup's dossiers, and runs that read them while somebody writes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from collector.contract.door import Answer, Pages
from collector.transports import http
from connectors.onestop import rest_register
from tests.connectors.onestop.runs import run
from tests.servers.roundup import PASSWORD, READER, Roundup

FIELDS = {
    "id": "number",
    "agency": "agency.code",
    "changed": "activity",
    "procedure": "procedure",
    "channel": "channel",
    "level": "level",
    "submitted": "filed",
    "received": "received",
    "due": "due",
    "ended": "completed",
    "returned": "returned",
    "refused": "refused",
    "asked": "asked",
    "answered": "answered",
    "status": "status.name",
}
MAPPING: Mapping[str, Any] = {
    "pages": {
        "path": "/dossier",
        "page": "@page_index",
        "size": "@page_size",
        "page_size": 7,
        "fixed": {"@fields": ",".join(FIELDS.values()), "@sort": "activity,id", "@verbose": "0"},
        "changed_from": {"activity": "from {since}"},
        "overlap": 5,
    },
    "envelope": {"error": None, "data": "data.collection", "total": "data.@total_size"},
    "fields": FIELDS,
    "values": {
        "status": {
            "new": "2",
            "processing": "4",
            "waiting": "5",
            "ready": "9",
            "refused": "9",
            "returned": "10",
            "denied": "3",
            "withdrawn": "7",
            "stopped": "8",
        },
        "channel": {"counter": "1", "web": "2", "post": "3"},
        "level": {"3": "3", "4": "4"},
    },
    "formats": {"*": "yyyy-MM-dd.HH:mm:ss"},
    "time_zone": "UTC",
}


def mapping(**pages: Any) -> rest_register.Config:
    """The mapping, with other settings of its pages."""
    return rest_register.Config.model_validate({**MAPPING, "pages": {**MAPPING["pages"], **pages}})


class Meanwhile:
    """A door that lets somebody do something before each question."""

    def __init__(self, door: Pages, deed: Callable[[], None]) -> None:
        self._door = door
        self._deed = deed
        self.asked: list[Mapping[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door, name)

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        self.asked.append(parameters)
        self._deed()
        return self._door.get(path, parameters)


@contextmanager
def door(server: Roundup, began: int, *, user: str = READER, password: str = PASSWORD) -> Iterator[Pages]:
    options = http.Options(base_url=server.address, user=user, password=SecretStr(password), tries=1)
    with http.open_door(options, run(began)) as opened:
        yield opened
