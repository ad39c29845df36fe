"""A double of Dovecot 2.3's doveadm over HTTP: a real HTTP server on loopback that enforces what the facts say.

Each line is of facts/mail-systems.md 2, or (*) was seen on 2.3.19 since; `test_dovecot_double.py` asks the double and a
real Dovecot the same things.

| fact                                                                            | test                            |
|---------------------------------------------------------------------------------|---------------------------------|
| no or a wrong key, or the key not in base64: 401 with an empty body             | test_a_wrong_key_is_refused     |
| the same with `Connection: close`: never an answer                              | test_it_never_answers_who_is_*  |
| wrong path: 404; no JSON array or no tag: 400, in plain text                    | test_what_is_no_question_*      |
| an unknown command or parameter is an error row, (*) without a comma behind it  | test_a_command_or_parameter_*   |
| (*) a command that doveadm_allowed_commands does not name is `unAuthorized`     | test_a_command_that_is_not_*    |
| masks give userList; single users give their fields, (*) or 67 if one is unknown | test_users_are_*               |
| (*) who is written with capitals is listed, and known to nobody                 | test_users_are_*                |
| numbers are strings, STORAGE in KiB, `-` is no limit                            | test_quota_is_*                 |
| an unknown user is 67, the others are answered                                  | test_quota_is_*                 |
| (*) one mailbox that is broken spoils the quota of all: 75; asked alone only its own | test_a_broken_mailbox_*    |
| `who` behind a command of a user cuts the connection, (*) `user *` gives 65     | test_who_has_become_a_user_*    |
| (*) a user database that cannot list gives 65                                   | test_dovecot_server.py          |
| last logins of all by prefix; of one who never logged in: 68; no such dict: 75  | test_last_logins_are_*          |
| last_login in mail_plugins: a question for quota moves everybody's              | test_a_question_moves_*         |

Connector tests put mailboxes in and take questions out; they never set an answer.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/doveadm/v1"
KEY = "canary-key-8a1f"
LOGINS = "shared/last-login/"

PARAMETERS = {
    "user": {"userMask", "field", "expandField", "authInfo", "socketPath"},
    "quotaGet": {"allUsers", "user", "userFile", "socketPath", "transFlags"},
    "dictIter": {"user", "exact", "recurse", "noValue", "dictUri", "prefix"},
    "dictGet": {"user", "dictUri", "key"},
    "who": {"mask", "separateConnections", "socketPath"},
}
SETTINGS_NAMES = {"quotaGet": "quota get", "dictIter": "dict iter", "dictGet": "dict get"}


class CutError(Exception):
    """The connection is cut without an answer."""


class Failed(Exception):
    """A command ends with an exit code."""

    def __init__(self, code: int) -> None:
        self.code = code


@dataclass
class User:
    """A line of the user database. `used` and `limit` in bytes; `broken`: its mail cannot be opened."""

    fields: dict[str, str] = field(default_factory=dict)
    used: int = 0
    limit: int | None = None
    broken: bool = False


@dataclass
class Dovecot:
    """What the server knows, and what it was asked: `questions` are the commands of each POST.

    `reorder` moves users, rows and results around. `busy` are commands that fail for now, `missing` those of plugins
    that are not loaded.
    """

    users: dict[str, User] = field(default_factory=dict)
    logins: dict[str, int] = field(default_factory=dict)
    clock: int | None = None
    roots: Sequence[str] = ("User quota",)
    allowed: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    lists: bool = True
    touches_logins: bool = False
    reorder: Callable[[list[Any]], list[Any]] = list
    questions: list[list[Any]] = field(default_factory=list)
    address: str = ""

    def answer(self, body: bytes) -> tuple[int, str]:
        """Return status and text for the body of a POST by somebody with the key; CutError if there is none."""
        question = json.loads(body)
        if not isinstance(question, list):
            return 400, "Request must be a JSON array\r\n"
        if any(len(one) < 3 or not isinstance(one[2], str) for one in question):
            return 400, "Command ID must be a string\r\n"
        self.questions.append(question)
        became_user = False
        rows: list[tuple[str, bool]] = []
        for command, parameters, tag in question:
            error = self._error(command, parameters)
            if error:
                rows.append((json.dumps(["error", {"type": error, "exitCode": 0}, tag]), False))
                continue
            try:
                payload = self._payload(command, parameters, became_user)
                became_user = became_user or (command == "quotaGet" and "user" in parameters)
                rows.append((json.dumps(["doveadmResponse", payload, tag]), True))
            except Failed as failed:
                rows.append((json.dumps(["error", {"type": "exitCode", "exitCode": failed.code}, tag]), True))
        rows = self.reorder(rows)
        text = "".join(row + ("," if comma and at + 1 < len(rows) else "") for at, (row, comma) in enumerate(rows))
        return 200, f"[{text}]"

    def _error(self, command: str, parameters: Mapping[str, Any]) -> str:
        if command not in PARAMETERS or command in self.missing:
            return "unknownMethod"
        if self.allowed and SETTINGS_NAMES.get(command, command) not in self.allowed:
            return "unAuthorized"
        return "" if parameters.keys() <= PARAMETERS[command] else "invalidRequest"

    def _payload(self, command: str, parameters: Mapping[str, Any], became_user: bool) -> Any:
        if command in self.busy:
            raise Failed(75)
        match command:
            case "user":
                return self._users(parameters["userMask"], parameters.get("field"), became_user)
            case "quotaGet" if parameters.get("allUsers"):
                return self._quota_of_all()
            case "quotaGet":
                return self._quota(parameters["user"])
            case "dictIter" | "dictGet" if parameters["dictUri"] != "proxy::lastlogin":
                raise Failed(75)
            case "dictIter":
                rows = [{"key": LOGINS + name, "value": str(instant)} for name, instant in self.logins.items()]
                return self.reorder([row for row in rows if row["key"].startswith(parameters["prefix"])])
            case "dictGet":
                instant = self.logins.get(parameters["key"].removeprefix(LOGINS))
                if instant is None:
                    raise Failed(68)
                return [{"value": str(instant)}]
            case _:
                if became_user:
                    raise CutError
                return []

    def _users(self, masks: Sequence[str], wanted: str | None, became_user: bool) -> Any:
        if any({"*", "?"} & set(mask) for mask in masks):
            if became_user or not self.lists:
                raise Failed(65)
            fits = [name for name in self.users if any(fnmatchcase(name.lower(), mask.lower()) for mask in masks)]
            return {"userList": self.reorder(fits)}
        if any(mask.lower() not in self.users for mask in masks):
            raise Failed(67)
        return {
            mask: {name: value for name, value in self.users[mask.lower()].fields.items() if wanted in (None, name)}
            for mask in masks
        }

    def _quota_of_all(self) -> list[Any]:
        if not self.lists or any(user.broken for user in self.users.values()):
            raise Failed(75)
        known = [name for name in self.users if name == name.lower()]
        return self.reorder([{"username": name, **row} for name in known for row in self._quota(name)])

    def _quota(self, name: str) -> list[dict[str, str]]:
        user = self.users.get(name.lower())
        if user is None:
            raise Failed(67)
        if self.touches_logins:
            assert self.clock is not None
            self.logins[name.lower()] = self.clock
        if user.broken:
            raise Failed(75)
        value, limit = -(-user.used // 1024), None if user.limit is None else user.limit // 1024
        return [
            row
            for root in self.roots
            for row in (
                {"root": root, "type": "STORAGE", "value": str(value), "limit": "-" if limit is None else str(limit)}
                | {"percent": "0" if not limit else str(value * 100 // limit)},
                {"root": root, "type": "MESSAGE", "value": "1", "limit": "-", "percent": "0"},
            )
        ]


@contextmanager
def serving() -> Iterator[Dovecot]:
    """Serve on a free loopback port until the block is left."""
    dovecot = Dovecot()
    over = threading.Event()
    right = "x-dovecot-api " + base64.b64encode(KEY.encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out together; without this each answer waits for the client's late acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            self.close_connection = True
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != PATH:
                self._reply(404, "Path Not Found\r\n")
                return
            scheme, _, key = self.headers.get("Authorization", "").partition(" ")
            if f"{scheme.lower()} {key}" != right:
                if self.headers.get("Connection", "").lower() == "close":
                    over.wait()
                    return
                self._reply(401, "")
                return
            try:
                status, text = dovecot.answer(body)
            except CutError:
                return
            self._reply(status, text)

        def _reply(self, status: int, text: str) -> None:
            data = text.encode()
            self.send_response_only(status)
            self.send_header("Date", formatdate(dovecot.clock, usegmt=True))
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            if status == 401:
                self.send_header("WWW-Authenticate", "X-Dovecot-API")
            elif data:
                plain = "text/plain" if status != 200 else "application/json"
                self.send_header("Content-Type", f"{plain}; charset=utf-8")
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        dovecot.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield dovecot
        finally:
            over.set()
            server.shutdown()
            thread.join()
