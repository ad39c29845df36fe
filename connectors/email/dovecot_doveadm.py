"""Dovecot's doveadm over HTTP: commands asked, and answers told apart from refusals.

A question is a JSON list of `[command, {parameters}, tag]`, the answer a list of `["doveadmResponse", payload, tag]` or
`["error", {"type", "exitCode"}, tag]`. All numbers are strings. Seen on 2.3.19: a comma is missing behind a refusal of
a command or a parameter, and `user` or `who` behind a command that became a user fail; so commands of one kind alone go
together.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from collector.contract.door import JSON, Pages
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer

PATH = "/doveadm/v1"
AT_ONCE = 100
"""Users asked for in one question: more gain nothing, and a broken connection loses them all."""

NO_USER, NOT_FOUND, BUSY = 67, 68, 75
"""Exit codes (sysexits): the user is unknown; there is no such thing; a failure that may pass."""
_BAD_DATA, _NOT_PERMITTED = 65, 77

LOGIN = (
    "Give the door token_prefix 'X-Dovecot-API ', token_base64 true and as token the doveadm_api_key; or, where"
    " doveadm_password is set, user doveadm and that password"
)
_LISTING = (
    "Let the user database list its users: iterate_query (SQL), iterate_attrs (LDAP), or a passwd-file; `static` cannot"
)
_QUOTA = "Load the plugin quota in mail_plugins and configure a quota, or set `quota: none`"
_VERSION = "Doveadm's HTTP API of Dovecot 2.3 is needed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that was not carried out: the kind of error, and the exit code if it was begun."""

    kind: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Said:
    """The payload of, or the refusal to, each command in the order asked; the server's clock (epoch seconds)."""

    results: Sequence[JSON | Refusal]
    server_time: int | None


@dataclass(frozen=True, slots=True)
class Quota:
    """Bytes; `limit` 0: no limit, None: not told. `fault`: why nothing is known of this user's quota, or empty."""

    limit: int | None
    used: int | None
    fault: str = ""


def ask(door: Pages, command: str, each: Sequence[Mapping[str, Any]]) -> Said:
    """Ask one command with each of these parameters, in one question.

    Raises what the door raises, and UnexpectedAnswer for another shape or if it answers other than was asked.
    """
    door.allow("POST", PATH)
    try:
        answer = door.post(PATH, [[command, dict(parameters), str(tag)] for tag, parameters in enumerate(each)])
    except AccessDenied as error:
        if error.stage == "log in":
            error.mend = LOGIN
        raise
    results: dict[str, JSON | Refusal] = {}
    for row in answer.body if isinstance(answer.body, list) else ():
        match row:
            case ["doveadmResponse", payload, str(tag)] if tag not in results:
                results[tag] = payload
            case ["error", {"type": str(kind), "exitCode": int(code)}, str(tag)] if tag not in results:
                results[tag] = Refusal(kind, code)
            case _:
                unexpected(door, command, "the answer is no list of doveadmResponse and error")
    if results.keys() != {str(tag) for tag in range(len(each))}:
        unexpected(door, command, f"{len(each)} commands were asked and {len(results)} others answered")
    return Said([results[str(tag)] for tag in range(len(each))], answer.server_time)


def one(door: Pages, command: str, parameters: Mapping[str, Any]) -> tuple[JSON, int | None]:
    """Ask one command; return its payload and the server's clock. A refusal is raised (see `refused`)."""
    said = ask(door, command, [parameters])
    result = said.results[0]
    if isinstance(result, Refusal):
        raise refused(door, command, result)
    return result, said.server_time


def refused(door: Pages, command: str, refusal: Refusal) -> CollectorError:
    """Return what to raise for a refusal: by the kind of error, and by the exit code."""
    kind: type[CollectorError] = UnexpectedAnswer
    code = refusal.exit_code
    match refusal.kind:
        case "unknownMethod":
            reason, mend = "the server does not know this command", _QUOTA if command == "quotaGet" else _VERSION
        case "invalidRequest":
            reason, mend = "the server does not know its parameters", _VERSION
        case "unAuthorized":
            kind, reason = AccessDenied, "the server does not allow this command"
            mend = f"Let doveadm_allowed_commands there name {NAMES.get(command, command)!r}"
        case "exitCode":
            reason, mend = f"the command failed (exit code {code})", "Dovecot's log says why"
            if code == BUSY:
                kind = TryAgain
                mend += "; check `last_login_dict` against last_login_dict there" if command == "dictIter" else ""
            elif code == _NOT_PERMITTED:
                kind = AccessDenied
            elif (command, code) == ("user", _BAD_DATA):
                mend = _LISTING
            elif (command, code) == ("quotaGet", NOT_FOUND):
                mend = _QUOTA
        case _:
            told = refusal.kind if re.fullmatch(r"[A-Za-z]{1,30}", refusal.kind) else "of no known kind"
            reason, mend = f"the command failed: an error {told}", _VERSION
    return kind(reason, source=door.source, stage="answer", field=command, mend=mend)


NAMES = {"user": "user", "quotaGet": "quota get", "dictIter": "dict iter", "dictGet": "dict get"}
"""The commands that are asked for figures, and how Dovecot's own settings write them."""


def users(door: Pages, masks: Sequence[str]) -> tuple[list[str], int | None]:
    """Return the users that fit any of some masks, as the server writes them, and the server's clock."""
    payload, server_time = one(door, "user", {"userMask": list(masks)})
    listed = payload.get("userList") if isinstance(payload, dict) else None
    if not isinstance(listed, list):
        unexpected(door, "userList", "the answer has no list userList")
    names = [name for name in listed if isinstance(name, str)]
    if len(names) != len(listed):
        unexpected(door, "userList", "the list has entries that are no text")
    return names, server_time


def fields(door: Pages, names: Sequence[str], wanted: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return some fields of the user database by user and field; a field that a user has not is not there.

    A user whom the server lists, but does not know when it is asked for, is not there either.
    """
    found: dict[str, dict[str, str]] = {}
    for some in _hundreds(names):
        for field in wanted:
            result = ask(door, "user", [{"userMask": some, "field": field}]).results[0]
            if not isinstance(result, Refusal):
                _take(door, field, some, result, found)
                continue
            if result.exit_code != NO_USER:
                raise refused(door, "user", result)
            # One whom it does not know spoils the answer about all: each is asked for alone.
            each = ask(door, "user", [{"userMask": [name], "field": field} for name in some]).results
            for name, alone in zip(some, each, strict=True):
                if not isinstance(alone, Refusal):
                    _take(door, field, [name], alone, found)
                elif alone.exit_code != NO_USER:
                    raise refused(door, "user", alone)
    return found


def _take(door: Pages, field: str, asked: Sequence[str], payload: JSON, found: dict[str, dict[str, str]]) -> None:
    told = payload if isinstance(payload, dict) else {}
    for name in asked:
        of_user = told.get(name)
        value = of_user.get(field, "") if isinstance(of_user, dict) else None
        if not isinstance(of_user, dict) or not isinstance(value, str):
            unexpected(door, field, "the answer is no object of fields by user")
        known = found.setdefault(name, {})
        if field in of_user:
            known[field] = value


def quotas_of_all(door: Pages, root: str) -> dict[str, Quota] | None:
    """Return each user's quota, all asked at once; None if it fails for now, as it does if one mailbox is broken."""
    result = ask(door, "quotaGet", [{"allUsers": True}]).results[0]
    if isinstance(result, Refusal):
        if result == Refusal("exitCode", BUSY):
            return None
        raise refused(door, "quotaGet", result)
    by_user: dict[str, list[Any]] = {}
    for row in _rows(door, result):
        name = row.get("username")
        if not isinstance(name, str):
            unexpected(door, "username", "a row of the answer names no user")
        by_user.setdefault(name, []).append(row)
    return {name: _quota(door, rows, root) for name, rows in by_user.items()}


def quotas_of_each(door: Pages, names: Sequence[str], root: str) -> dict[str, Quota]:
    """Return each user's quota, asked user by user; those whom the server no longer knows are not there.

    Raises TryAgain if over 1 % (and more than one) fail.
    """
    found: dict[str, Quota] = {}
    failed = 0
    for some in _hundreds(names):
        said = ask(door, "quotaGet", [{"user": name} for name in some])
        for name, result in zip(some, said.results, strict=True):
            if not isinstance(result, Refusal):
                found[name] = _quota(door, _rows(door, result), root)
            elif result == Refusal("exitCode", BUSY):
                found[name] = Quota(None, None, f"Dovecot could not tell it (exit code {BUSY})")
                failed += 1
            elif result != Refusal("exitCode", NO_USER):
                raise refused(door, "quotaGet", result)
        if failed > 1 and failed * 100 > len(names):
            raise TryAgain(
                f"the quota of {failed} of {len(names)} mailboxes could not be told",
                source=door.source,
                stage="read",
                field="quotaGet",
                mend="Dovecot's log says why; `quota: none` reads the mailboxes without it",
            )
    return found


def _rows(door: Pages, payload: JSON) -> Iterator[dict[str, Any]]:
    for row in payload if isinstance(payload, list) else unexpected(door, "quotaGet", "the answer is no list"):
        if not isinstance(row, dict):
            unexpected(door, "quotaGet", "a row of the answer is no object")
        if not {"root", "type", "value", "limit"} <= row.keys():
            unexpected(door, "quotaGet", "a row of the answer lacks root, type, value or limit")
        yield row


def _quota(door: Pages, rows: Iterator[dict[str, Any]] | Sequence[dict[str, Any]], root: str) -> Quota:
    """Return what the rows of one user say of storage: value and limit in KiB, `-` without a limit."""
    storage = [row for row in rows if row["type"] == "STORAGE" and root in ("", row["root"])]
    if len(storage) > 1:
        unexpected(
            door,
            "quota_root",
            f"a mailbox has {len(storage)} quotas",
            "Name in `quota_root` the one that counts, as `doveadm quota get` writes it",
        )
    if not storage:
        return Quota(None, None)
    value, limit = storage[0]["value"], storage[0]["limit"]
    if not _is_size(value) or not (limit == "-" or _is_size(limit)):
        return Quota(None, None, "value or limit is no number of KiB")
    return Quota(0 if limit == "-" else int(limit) * 1024, int(value) * 1024)


def _is_size(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"[0-9]{1,15}", text) is not None


def last_logins(door: Pages, uri: str, prefix: str) -> tuple[dict[str, int], int | None]:
    """Return the last login (epoch seconds) by user, and the server's clock."""
    payload, server_time = one(door, "dictIter", {"user": "", "dictUri": uri, "prefix": prefix})
    found: dict[str, int] = {}
    for row in payload if isinstance(payload, list) else unexpected(door, "dictIter", "the answer is no list"):
        match row:
            case {"key": str(key), "value": str(value)} if key.startswith(prefix) and _is_instant(value):
                found[key.removeprefix(prefix).lower()] = _seconds(value)
            case _:
                unexpected(door, "dictIter", "a row is no key under `last_login_prefix` with an instant as value")
    return found, server_time


def last_login(door: Pages, uri: str, prefix: str, name: str) -> int | None:
    """Return one user's last login (epoch seconds); None if there was none."""
    parameters = {"user": name, "dictUri": uri, "key": prefix + name}
    result = ask(door, "dictGet", [parameters]).results[0]
    if result == Refusal("exitCode", NOT_FOUND):
        return None
    if isinstance(result, Refusal):
        raise refused(door, "dictGet", result)
    match result:
        case [{"value": str(value)}] if _is_instant(value):
            return _seconds(value)
    return unexpected(door, "dictGet", "the answer is no list of one instant")


def _is_instant(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,20}", text) is not None


def _seconds(text: str) -> int:
    """Return an instant in seconds, whatever last_login_precision (s, ms, us, ns) it was written with."""
    instant = int(text)
    while instant >= 100_000_000_000:
        instant //= 1000
    return instant


def _hundreds(names: Sequence[str]) -> Iterator[list[str]]:
    for at in range(0, len(names), AT_ONCE):
        yield list(names[at : at + AT_ONCE])


def unexpected(door: Pages, field: str, reason: str, mend: str = "") -> NoReturn:
    """Raise UnexpectedAnswer for an answer of another shape than Dovecot 2.3's."""
    raise UnexpectedAnswer(
        reason,
        source=door.source,
        stage="answer",
        field=field,
        mend=mend or _VERSION,
    )
