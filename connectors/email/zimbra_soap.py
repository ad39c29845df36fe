"""Zimbra's admin SOAP API in JSON: log in, ask, page, and tell faults apart.

A question is `{"Header": {"context": {token}}, "Body": {"<name>Request": {...}}}`, the answer
`{"Body": {"<name>Response": {...}}}`, a fault `{"Body": {"Fault": {"Detail": {"Error": {"Code": ...}}}}}` with HTTP
status 500. Shapes vary by who wrote the answer: a text may be a string, an object with `_content` or a list of one; a
number may be a string; one element may stand without its list, and none is left out. Zimbra's `zm-mailbox`, 2024-10-24.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pydantic import SecretStr

from collector.contract.door import JSON, Pages
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer

PATH = "/service/admin/soap/"
READS = 3
"""How often a list that changes while it is read is read from its beginning before giving up."""

_ENVELOPE, _ADMIN = "urn:zimbra", "urn:zimbraAdmin"
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
_NUMBER = re.compile(r"[0-9]{1,18}")
_LOG_IN_AGAIN = frozenset({"service.AUTH_EXPIRED", "service.AUTH_REQUIRED"})
_LATER = {
    "service.TEMPORARILY_UNAVAILABLE": "Zimbra's mailbox.log says why; the next run asks again",
    "service.PROXY_ERROR": "One mailbox server could not reach another: ask Zimbra's operator which one is down",
    "service.WRONG_HOST": "Set the door's base_url to the mailbox server that this domain is asked at",
}
_BY_HAND = "Check `account` and `password` by hand before the next run: each wrong try counts towards a lock-out"
_SECOND_FACTOR = "Use an account for this collector alone, without a second factor, narrowed by rights and by address"
_RIGHTS = "Let this account list the domains and their accounts, and read their attributes"
_DENIED = {
    "account.AUTH_FAILED": _BY_HAND,
    "account.CHANGE_PASSWORD": "The password has expired: set a new one",
    "service.PERM_DENIED": _RIGHTS,
}
_UNEXPECTED = {
    "account.TOO_MANY_SEARCH_RESULTS": "Raise zimbra_directory_max_search_result there, and the size limit of its LDAP",
    "account.NO_SUCH_DOMAIN": "Correct `domains`: it names a domain that Zimbra does not have",
}
_VERSION = "Zimbra 8.8 or later, asked at its admin port, is needed"


@dataclass(frozen=True, slots=True)
class Said:
    """The body of an answer, or the code of a fault; the server's clock (epoch seconds, or None)."""

    body: Mapping[str, Any]
    code: str
    server_time: int | None


class Session:
    """A log-in that lasts one run. The token is nowhere but here.

    A question is repeated once with a new token if the server no longer takes the old one.
    """

    def __init__(self, door: Pages, account: str, password: SecretStr) -> None:
        self.door = door
        self._account = account
        self._password = password
        self._token = ""
        door.allow("POST", PATH, self._is_fault)

    def ask(self, name: str, parameters: Mapping[str, Any]) -> Said:
        """Ask `<name>Request`; return the body of its answer. Raises what the door raises, and a fault by its code."""
        if not self._token:
            self.log_in()
        said = self._post(name, parameters)
        if said.code in _LOG_IN_AGAIN:
            self.log_in()
            said = self._post(name, parameters)
        if said.code:
            raise refused(self.door, name, said.code)
        return said

    def log_in(self) -> None:
        """Ask for a token, once: a wrong password that is repeated locks the account."""
        self._token = ""
        login = {"name": self._account, "password": self._password.get_secret_value(), "csrfTokenSecured": "0"}
        said = self._post("Auth", login, once=True)
        if said.code:
            raise refused(self.door, "Auth", said.code)
        if truth(said.body.get("twoFactorAuthRequired")):
            raise refused(self.door, "Auth", "account.TWO_FACTOR_AUTH_REQUIRED")
        token = text(said.body.get("authToken"))
        if not token:
            unexpected(self.door, "authToken", "the answer to the log-in has no token")
        self._token = token

    def _post(self, name: str, parameters: Mapping[str, Any], *, once: bool = False) -> Said:
        context: dict[str, Any] = {"_jsns": _ENVELOPE, "userAgent": {"name": "ict-collector", "version": "1"}}
        if self._token:
            context["authToken"] = [{"_content": self._token}]
        question: dict[str, Any] = {
            "Header": {"context": context},
            "Body": {f"{name}Request": {"_jsns": _ADMIN, **parameters}},
        }
        answer = self.door.post(PATH, question, once=once)
        if code := _fault_code(answer.body):
            return Said({}, code, answer.server_time)
        match answer.body:
            case {"Body": dict(body)} if isinstance(response := body.get(f"{name}Response"), dict):
                return Said(response, "", answer.server_time)
        return unexpected(self.door, f"{name}Response", "the answer has no such element in its Body")

    def _is_fault(self, body: JSON) -> bool:
        """Tell whether a failure's body is Zimbra's own word; raise one that may pass, so that it is tried again."""
        code = _fault_code(body)
        if code in _LATER:
            raise _later(self.door, code)
        return bool(code)


def _fault_code(body: JSON) -> str:
    match body:
        case {"Body": {"Fault": {"Detail": {"Error": {"Code": code}}}}}:
            told = text(code)
            return told if told and len(told) <= 64 and _CODE.fullmatch(told) else ""
    return ""


def _later(door: Pages, code: str) -> TryAgain:
    return TryAgain(f"Zimbra answers {code}", source=door.source, stage="reach", mend=_LATER[code])


def refused(door: Pages, name: str, code: str) -> CollectorError:
    """Return what to raise for a fault: by its code alone, since its text quotes addresses."""
    if code in _LATER:
        return _later(door, code)
    kind: type[CollectorError] = UnexpectedAnswer
    stage, mend = "answer", _UNEXPECTED.get(code, "Look the code up in Zimbra's mailbox.log of this minute")
    if code in _DENIED:
        kind, mend = AccessDenied, _DENIED[code]
    elif code.startswith("account.TWO_FACTOR"):
        kind, mend = AccessDenied, _SECOND_FACTOR
    elif name == "Auth" or code in _LOG_IN_AGAIN:
        # Whatever the reason, a log-in that was refused is not tried again.
        kind, mend = AccessDenied, "Log in as this account at the administration console to see why"
    if kind is AccessDenied:
        stage = "read" if code == "service.PERM_DENIED" and name != "Auth" else "log in"
    if code == "service.PERM_DENIED" and name == "GetQuotaUsage":
        mend = "Grant this account the right getDomainQuotaUsage on each domain, or set `usage: false`"
    return kind(f"Zimbra answers {code}", source=door.source, stage=stage, field=f"{name}Request", mend=mend)


def everything(
    session: Session, name: str, parameters: Mapping[str, Any], element: str, size: int
) -> dict[str, Mapping[str, Any]]:
    """Return all elements of a list by their id, asked page by page (`size` of at least 2).

    Pages are no snapshot: each is a search of its own. So each begins with the last element of the one before, which
    is missing there if something before it went away, and at the end as many must be there as the server counts; else
    the list is read again. Raises TryAgain if it changed each time.
    """
    for _ in range(READS):
        found = _read_through(session, name, parameters, element, size)
        if found is not None:
            return found
    raise TryAgain(
        f"the list changed {READS} times while it was read",
        source=session.door.source,
        stage="read",
        field=f"{name}Request",
        mend="Let this source run at an hour at which nobody creates accounts in bulk",
    )


def _read_through(
    session: Session, name: str, parameters: Mapping[str, Any], element: str, size: int
) -> dict[str, Mapping[str, Any]] | None:
    found: dict[str, Mapping[str, Any]] = {}
    totals = set()
    offset = 0
    while True:
        body = session.ask(name, {**parameters, "limit": str(size), "offset": str(offset)}).body
        rows = elements(session.door, body, element)
        page = {_id(session.door, row): row for row in rows}
        total = number(body.get("searchTotal"))
        if total is None:
            unexpected(session.door, "searchTotal", "the answer does not count all that there is")
        if offset and not page.keys() & found.keys():
            return None
        is_news = bool(page.keys() - found.keys())
        found.update(page)
        totals.add(total)
        more = truth(body.get("more"))
        if not (offset + len(rows) < total if more is None else more):
            return found if totals == {len(found)} else None
        if not is_news:
            return None
        offset += max(len(rows) - 1, 1)


def _id(door: Pages, row: Mapping[str, Any]) -> str:
    return text(row.get("id")) or unexpected(door, "id", "an element has no id")


def elements(door: Pages, body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return the elements of a name: none if it is absent, one if it stands without its list."""
    told = body.get(name)
    rows = [] if told is None else told if isinstance(told, list) else [told]
    if not all(isinstance(row, dict) for row in rows):
        unexpected(door, name, "it is no list of objects")
    return rows


def attributes(door: Pages, element: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return the different values of each attribute of an element; an attribute without a value is not there."""
    told = element.get("a")
    found: dict[str, set[str]] = {}
    for one in told if isinstance(told, list) else [] if told is None else [told]:
        name = one.get("n") if isinstance(one, dict) else None
        if not isinstance(name, str):
            unexpected(door, "a", "an attribute has no name")
        content = one.get("_content")
        for value in content if isinstance(content, list) else [content]:
            if worth := text(value):
                found.setdefault(name, set()).add(worth)
    return {name: frozenset(values) for name, values in found.items()}


def text(value: object) -> str | None:
    """Return what a string, an object with `_content`, or a list of one of these says; None if it says nothing."""
    match value:
        case str():
            return value
        case int():  # true and false too
            return str(value)
        case {"_content": content}:
            return text(content)
        case [first, *_]:
            return text(first)
    return None


def number(value: object) -> int | None:
    """Return a count or size, written as a number or a string; None if it is none."""
    told = text(value)
    return int(told) if told is not None and _NUMBER.fullmatch(told) else None


def truth(value: object) -> bool | None:
    """Return a flag, written as true, "1" or "TRUE"; None if it is not told."""
    return {"1": True, "TRUE": True, "0": False, "FALSE": False}.get((text(value) or "").upper())


def unexpected(door: Pages, field: str, reason: str, mend: str = "") -> NoReturn:
    """Raise UnexpectedAnswer for an answer of another shape than Zimbra's."""
    raise UnexpectedAnswer(reason, source=door.source, stage="answer", field=field, mend=mend or _VERSION)
