"""Questions to a document trunk: who asks, and whether an answer is one.

Two trunks, two ways (facts: source-systems 3.1 and 3.2). The province's wants `Authorization: Bearer` beside
`X-SystemId` and `X-SecretKey`; its token ends after half an hour, in the middle of whatever is read, and is then
fetched anew once. VXP wants every input as a header, signed together under the secret. Both answer failures with HTTP
200 and a code in the body. Only reading verbs are ever allowed: nothing is acknowledged, sent or updated.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from collector.contract.door import JSON, Answer, Pages
from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer
from collector.contract.period import OFFSET, local_day
from connectors.docmgmt.trunk_config import Config, Login

T = TypeVar("T")

_FINE = frozenset({"0", "200"})
_DENIED = frozenset({"15", "401", "403"})
_LATER = frozenset({"20", "21", "429", "500", "502", "503", "504"})
OF_THE_MESSAGE = frozenset({"10", "18", "21", "22", "23", "404", "500"})
"""Codes that say of a message that is asked for singly that just this one cannot be had."""

_MEANS = {
    "15": "wrong system id or secret",
    "18": "receiver not known",
    "19": "this system is not registered with the trunk",
    "20": "fault of the trunk",
    "21": "fault of the trunk's files",
    "23": "locked",
}
_PREFIX = "XroadVnpt-"
_VERSION = "3.0.201608"
_MANUAL = "Look the code up in the trunk's manual; the message beside it is not repeated, since it may name people"


@dataclass(frozen=True, slots=True)
class Said:
    """What stands in an answer that is one; `count` None where it tells none."""

    data: JSON
    count: int | None
    server_time: int | None


class Province:
    """The province's trunk."""

    def __init__(self, door: Pages, config: Config) -> None:
        self.door = door
        self._login = config.login
        self._headers = {"X-SystemId": config.system_id}
        if config.secret_key is not None:
            self._headers["X-SecretKey"] = config.secret_key.get_secret_value()
        self._token = ""
        if self._login is not None:
            door.allow("POST", self._login.path)

    def ask(self, path: str, parameters: Mapping[str, str]) -> Said:
        """Ask with GET. Raises what the door raises, and the trunk's own refusals by their code."""
        return self._admitted(path, lambda: self._said(self.door.get(path, parameters), path))

    def stream(self, path: str, parameters: Mapping[str, str], read: Callable[[Iterator[bytes]], T]) -> T:
        """Ask with GET and return what `read` makes of the answer as it comes; it calls `judge` with what is around."""
        return self._admitted(path, lambda: read(self.door.blocks(path, parameters)))

    def judge(self, body: JSON, where: str) -> tuple[JSON, int | None]:
        """Return `data` and `count` of an answer; raises by the code in it."""
        code = self.fault(body, where)
        if code:
            _refuse(self.door, "code", code, where)
        if not isinstance(body, dict) or "data" not in body:
            unexpected(self.door, "data", f"{where} has no data")
        return body["data"], _count(body.get("count"))

    def fault(self, body: JSON, where: str) -> str:
        """Return the code of a failure, "" of an answer that is one; UnexpectedAnswer if it is neither."""
        if not isinstance(body, dict):
            unexpected(self.door, "data", f"{where} is no envelope with code and data")
        data = body.get("data")
        code = _code(body.get("code"))
        if code is None:
            unexpected(self.door, "code", f"{where} has no code")
        inner = _code(data.get("errorCode")) if isinstance(data, dict) else None
        # `success` is not looked at: it is true, false or missing whatever happened.
        if code not in _FINE:
            return code
        if inner not in (None, "0"):
            return inner or ""
        return "500" if body.get("errorDetail") else ""

    def log_in(self) -> None:
        """Fetch a token, if the trunk gives out any. Asked once: a password that is repeated may lock the account."""
        if self._login is None:
            return
        answer = self.door.post(
            self._login.path, _question(self._login), once=True, parameters=self._login.parameters or None
        )
        data, _ = self.judge(answer.body, self._login.path)
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            unexpected(self.door, "data.token", "the answer to the log-in has no token")
        self._token = token

    def _admitted(self, path: str, ask: Callable[[], T]) -> T:
        """Ask with a token; once more with a new one if it was refused, unless it was new already."""
        fresh = self._login is not None and not self._token
        if fresh:
            self.log_in()
        self._allow(path)
        try:
            return ask()
        except AccessDenied:
            if self._login is None or fresh:
                raise
        self.log_in()
        self._allow(path)
        return ask()

    def _allow(self, path: str) -> None:
        bearer = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        self.door.allow("GET", path, headers=self._headers | bearer)

    def _said(self, answer: Answer, path: str) -> Said:
        data, count = self.judge(answer.body, path)
        return Said(data, count, answer.server_time)


class Vxp:
    """The national trunk's adapter. The start of the run stands in each signature."""

    def __init__(self, door: Pages, config: Config) -> None:
        self.door = door
        self._system_id = config.system_id
        self._secret = "" if config.secret_key is None else config.secret_key.get_secret_value()

    def ask(self, method: str, path: str, inputs: Mapping[str, str]) -> Said:
        """Ask with POST (lists) or GET (counters), inputs as signed headers."""
        self.door.allow(method, path, headers=self._signed(inputs))
        answer = self.door.get(path, {}) if method == "GET" else self.door.post(path, None)
        body = answer.body
        if not isinstance(body, dict):
            unexpected(self.door, "data", f"{path} is no envelope with ErrorCode and data")
        code = _code(_either(body, "ErrorCode", "errorCode"))
        status = body.get("status")
        if code is None:
            unexpected(self.door, "ErrorCode", f"{path} has no ErrorCode")
        if code not in _FINE or not isinstance(status, str) or status.upper() != "OK":
            _refuse(self.door, "ErrorCode", code, path)
        return Said(body.get("data"), _count(body.get("count")), answer.server_time)

    def _signed(self, inputs: Mapping[str, str]) -> dict[str, str]:
        plain = {"timestamp": _stamp(self.door.began), "systemid": self._system_id, **inputs}
        named = {f"{_PREFIX}{name}": value for name, value in plain.items()}
        told = json.dumps(named, separators=(",", ":"))
        mark = hmac.new(self._secret.encode(), told.encode(), hashlib.sha256).hexdigest()
        return named | {
            f"{_PREFIX}sign-header-key": ";".join(plain),
            f"{_PREFIX}sign-header": told,
            f"{_PREFIX}hash-header": mark,
            f"{_PREFIX}version": _VERSION,
        }


def _question(login: Login) -> JSON:
    return {
        "username": login.user,
        "password": login.password.get_secret_value(),
        "applicationCode": login.application,
        "otp": None,
        "twoFactorProvider": None,
        "typeObjs": [0, 1],
    }


def _stamp(instant: int) -> str:
    day = local_day(instant)
    seconds = (instant + OFFSET) % 86_400
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{day % 100:02d}{day // 100 % 100:02d}{day // 10_000}T{hour:02d}{minute:02d}{second:02d}+0000"


def _either(body: Mapping[str, Any], *names: str) -> Any:
    return next((body[name] for name in names if name in body), None)


def _code(told: Any) -> str | None:
    if isinstance(told, bool) or not isinstance(told, str | int) or not str(told).strip():
        return None
    return str(told).strip()


def _count(told: Any) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def _refuse(door: Pages, field: str, code: str, where: str) -> NoReturn:
    shown = code if re.fullmatch(r"-?[A-Za-z0-9_]{1,20}", code) else "that is no code"
    said = f"{where} says {field} {shown}" + (f" ({_MEANS[code]})" if code in _MEANS else "")
    if code in _DENIED:
        raise AccessDenied(
            said,
            source=door.source,
            stage="log in",
            field=field,
            mend="Check system_id, secret_key and login, and that the trunk lets this system read its lists",
        )
    if code in _LATER:
        raise TryAgain(said, source=door.source, stage="answer", field=field, mend="Ask its operator if it stays so")
    unexpected(door, field, said, _MANUAL)


def unexpected(door: Pages, field: str, reason: str, mend: str = "") -> NoReturn:
    """Raise UnexpectedAnswer for an answer of the trunk: the field at fault, why, and perhaps how to mend it."""
    raise UnexpectedAnswer(
        reason,
        source=door.source,
        stage="answer",
        field=field,
        mend=mend or "Compare the configured path and the shape of its answer with the trunk's manual",
    )
