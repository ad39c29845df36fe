"""A real Roundup: an issue tracker with a REST service over SQLite, here with a class of dossiers.

Nothing in its wire was written here. Dossiers are filed, changed and retired by a clerk over its own REST service.
"""

import base64
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.servers.clock import Clock
from tests.servers.process import LOOPBACK, ServerFailed, answers, child, free_port, run, with_other_ports

NAME = "Roundup"
PACKAGE = "roundup, of requirements.lock"

CLERK, READER, STRANGER, PASSWORD = "clerk", "collector", "stranger", "not a secret"
STATUSES = ("new", "processing", "waiting", "ready", "returned", "denied", "withdrawn", "stopped", "refused")
_WEB = f"http://{LOOPBACK}/"

_SCHEMA = """
agency = Class(db, "agency", code=String(), name=String())
agency.setkey("code")
status = Class(db, "status", name=String())
status.setkey("name")
days = {name: Date() for name in "filed received due completed returned refused asked answered".split()}
dossier = Class(
    db, "dossier", number=String(), agency=Link("agency"), procedure=String(), channel=String(), citizen=String(),
    level=Number(), status=Link("status"), **days,
)
dossier.setkey("number")
for role in ("Clerk", "Reader", "Stranger"):
    db.security.addRole(name=role, description=role)
    for right in ("Web Access", "Rest Access"):
        db.security.addPermissionToRole(role, right)
for role in ("Clerk", "Reader"):
    for one in ("dossier", "agency", "status"):
        db.security.addPermissionToRole(role, "View", one)
db.security.addPermission(name="Restore", klass="dossier")
for right in ("Create", "Edit", "Retire", "Restore"):
    db.security.addPermissionToRole("Clerk", right, "dossier")
"""

_CONTENT = f"""
for name in {STATUSES!r}:
    db.getclass("status").create(name=name)
for code in AGENCIES:
    db.getclass("agency").create(code=code, name=code)
from roundup.password import Password
for name, role in (({CLERK!r}, "Clerk"), ({READER!r}, "Reader"), ({STRANGER!r}, "Stranger")):
    secret = Password({PASSWORD!r}, config=db.config)
    user.create(username=name, password=secret, roles=role, address=name + "@localhost")
"""


@dataclass(frozen=True, slots=True)
class Roundup:
    """A running tracker. A clerk's changes go by the number that `file` gave."""

    port: int
    log: Path
    _client: httpx.Client = field(repr=False)

    @property
    def address(self) -> str:
        """Where its data are served, without a slash at the end."""
        return f"http://{LOOPBACK}:{self.port}/rest/data"

    def file(self, **facts: Any) -> str:
        """File a dossier; returns its id. Times as Roundup wants them: `2026-02-10.08:00:00`, in UTC."""
        return str(self._done("POST", "/dossier", facts)["id"])

    def change(self, id_: str, **facts: Any) -> None:
        """Set some of a dossier's facts; None empties one."""
        told = {name: "" if fact is None else fact for name, fact in facts.items()}
        self._done("PUT", f"/dossier/{id_}", told, self._tag(id_))

    def retire(self, id_: str) -> None:
        """Retire a dossier: it is in no list any more."""
        self._done("PATCH", f"/dossier/{id_}", {"@op": "action", "@action_name": "retire"}, self._tag(id_))

    def restore(self, id_: str) -> None:
        """Take a retired dossier back."""
        self._done("PATCH", f"/dossier/{id_}", {"@op": "action", "@action_name": "restore"}, self._tag(id_))

    def dossier(self, id_: str) -> Mapping[str, Any]:
        """Return a dossier as the clerk sees it."""
        found: Mapping[str, Any] = self._done("GET", f"/dossier/{id_}", None)["attributes"]
        return found

    def _tag(self, id_: str) -> str:
        return str(self._done("GET", f"/dossier/{id_}", None)["@etag"])

    def _done(self, verb: str, path: str, content: Any, tag: str = "") -> Any:
        headers = {"X-Requested-With": "rest", "Origin": _WEB.rstrip("/"), "Host": LOOPBACK, "If-Match": tag}
        headers |= {"Content-Type": "application/json"}
        answer = self._client.request(verb, self.address + path, json=content, headers=headers)
        if answer.status_code not in (200, 201):
            raise ServerFailed(f"{verb} {path}: {answer.status_code} {answer.text}")
        return answer.json()["data"]


def missing() -> str | None:
    """Return what is not installed, or None."""
    return None if importlib.util.find_spec("roundup") else PACKAGE


@contextmanager
def start(
    folder: Path, agencies: tuple[str, ...], clock: Clock | None = None, *, calls_a_minute: int = 0
) -> Iterator[Roundup]:
    """Run a new tracker of these agencies in an empty folder until the block ends.

    `clock` is its present, else the machine's. `calls_a_minute`: what each user may ask; 0: as often as it likes.
    """
    home, admin = folder / "tracker", Path(sysconfig.get_path("scripts")) / "roundup-admin"
    settings = {
        "tracker_web": _WEB,
        "mail_domain": "localhost",
        "mail_host": "localhost",
        "web_api_calls_per_interval": str(calls_a_minute),
        "web_api_interval_in_sec": "60",
        "web_api_failed_login_limit": "0",
        "password_pbkdf2_default_rounds": "1000",  # each question logs in
    }
    run([admin, "-i", home, "install", "minimal", "sqlite", ",".join("=".join(one) for one in settings.items())])
    for name, text in (("schema.py", _SCHEMA), ("initial_data.py", f"AGENCIES = {agencies!r}\n{_CONTENT}")):
        with (home / name).open("a") as file:
            file.write(text)
    # Who changes something is told by mail where the tracker has detectors for it; this one has none.
    run([admin, "-i", home, "initialise", PASSWORD])
    login = base64.b64encode(f"{CLERK}:{PASSWORD}".encode()).decode()

    @contextmanager
    def begin() -> Iterator[Roundup]:
        port, log = free_port(), folder / "roundup.log"
        command: list[str | Path] = [sys.executable, "-P", Path(__file__).with_name("roundup_wsgi.py"), home, str(port)]
        environment = None if clock is None else {"PATH": "/usr/bin:/bin", **clock.environment}
        with (
            child(command, log, lambda: answers(port), environment=environment),
            httpx.Client(headers={"Authorization": f"Basic {login}"}, trust_env=False, timeout=30) as client,
        ):
            yield Roundup(port, log, client)

    with with_other_ports(begin) as server:
        yield server
