"""Who may see the pages: a file in the format of Prometheus' exporter-toolkit (`web.yml`), read again when it changes.

`tls_server_config` (a certificate, and who needs one to come in) and `basic_auth_users` (bcrypt hashes), as its
docs/web-configuration.md describes them. What it offers beyond that is refused by name rather than passed over.
"""

import base64
import binascii
import hashlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import bcrypt
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from collector import yaml_file
from collector.contract.errors import WrongUse
from collector.settings.typed import Reader

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_NEEDED = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_NOBODY = bcrypt.hashpw(b"nobody", bcrypt.gensalt(10))
"""What the password of an unknown user is held against, so that an answer takes as long as that of a known one."""

_STAY = "The rules of before go on"

Version = Literal["TLS12", "TLS13"]


class _Tls(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    cert_file: Path = Field(description="certificate of this server, PEM", examples=["server.crt"])
    key_file: Path = Field(description="its private key, PEM", examples=["server.key"])
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = Field(
        default="NoClientCert", description="whether who comes in needs a certificate"
    )
    client_ca_file: Path | None = Field(default=None, description="authority of those certificates, PEM")
    min_version: Version = Field(default="TLS12", description="oldest version of TLS")
    max_version: Version = Field(default="TLS13", description="newest version of TLS")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tls_server_config: _Tls | None = None
    basic_auth_users: dict[str, str] = Field(default={}, description="user: bcrypt hash of the password")


Signature = tuple[tuple[str, int, int], ...]
"""The files that the rules come from, each with its size and when it was written (nanoseconds)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a file says: a context for TLS (None: plain HTTP), and the hash of each user's password (none: anybody)."""

    context: ssl.SSLContext | None
    users: Mapping[str, bytes]
    read: Signature


def read(path: Path) -> Rules:
    """Read the file and all that it names; WrongUse with file, line, key and mend of what is wrong in them."""
    signature = _signature([path])
    faults = yaml_file.Faults(path)
    top = yaml_file.read(path, faults)
    file = Reader(faults, {}).model(_File, top, "")
    written = top.items.get("basic_auth_users")
    if isinstance(file, _File) and isinstance(written, yaml_file.Keys):
        for user, told in file.basic_auth_users.items():
            if not _is_hash(told):
                mend = "Write what `htpasswd -nBC 10 USER` prints after the colon"
                faults.add(written.lines[user], f"basic_auth_users.{user}", "is no bcrypt hash of a password", mend)
    faults.finish()
    assert isinstance(file, _File)
    users = {user: told.encode() for user, told in file.basic_auth_users.items()}
    tls = file.tls_server_config
    if tls is None:
        return Rules(None, users, signature)
    named = [one for one in (tls.cert_file, tls.key_file, tls.client_ca_file) if one is not None]
    signature += _signature(named)
    return Rules(_context(path, tls), users, signature)


def _is_hash(told: str) -> bool:
    try:
        bcrypt.checkpw(b"", told.encode())
    except ValueError:
        return False
    return True


def _context(path: Path, tls: _Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]
    key = "tls_server_config"
    try:
        context.load_cert_chain(tls.cert_file, tls.key_file)
        if tls.client_ca_file is not None:
            key = "tls_server_config.client_ca_file"
            context.load_verify_locations(tls.client_ca_file)
    except (OSError, ssl.SSLError) as error:  # an SSLError is an OSError; both say what
        reason = error.strerror or str(error)
        named = f"{tls.cert_file} and {tls.key_file}" if key == "tls_server_config" else f"{tls.client_ca_file}"
        raise WrongUse(
            f"{path}: {key}: {named} cannot be used: {reason}",
            mend="Name PEM files that belong together and that the collector's account may read",
        ) from error
    context.verify_mode = _NEEDED[tls.client_auth_type]
    if context.verify_mode != ssl.CERT_NONE and tls.client_ca_file is None:
        raise WrongUse(
            f"{path}: tls_server_config.client_auth_type: {tls.client_auth_type} needs an authority",
            mend="Add client_ca_file",
        )
    return context


def _signature(paths: Sequence[Path]) -> Signature:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            found.append((str(path), -1, -1))
        else:
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return tuple(found)


class Access:
    """The rules in force: those of the file as it was when it could last be used."""

    def __init__(self, path: Path | None, says: Callable[[str], None]) -> None:
        """WrongUse if the file is wrong at the start; afterwards that is said once, and the old rules stay."""
        self._path, self._says = path, says
        self._rules = Rules(None, {}, ()) if path is None else read(path)
        self._tried = self._rules.read
        self._known: set[bytes] = set()  # digests of passwords that were right, as bcrypt is slow on purpose

    def rules(self) -> Rules:
        """The rules now."""
        if self._path is not None:
            now = _signature([Path(name) for name, _, _ in self._tried])
            if now != self._tried:
                self._tried = now
                self._read_again(self._path)
        return self._rules

    def _read_again(self, path: Path) -> None:
        try:
            new = read(path)
        except WrongUse as error:
            self._says(f"{error}. {_STAY}")
            return
        if (new.context is None) != (self._rules.context is None):
            self._says(f"{path}: tls_server_config: to begin or to end with TLS needs a restart. {_STAY}")
            return
        self._rules, self._tried = new, new.read
        self._known.clear()

    def tls(self) -> ssl.SSLContext | None:
        """A context each of whose connections is made by the rules of its moment; None for plain HTTP."""
        return None if self._rules.context is None else _Current(self)

    async def lets_in(self, authorization: str) -> bool:
        """Whether a header `Authorization: Basic ...` names a user, with the right password."""
        users = self.rules().users
        if not users:
            return True
        user, password = _credentials(authorization)
        told = users.get(user, _NOBODY)
        digest = hashlib.sha256(b"\0".join((user.encode(), password, told))).digest()
        if digest in self._known:
            return True
        right = await run_in_threadpool(_matches, password, told) and user in users
        if right:
            self._known.add(digest)
        return right


def _matches(password: bytes, told: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, told)
    except ValueError:  # longer than bcrypt looks at
        return False


def _credentials(authorization: str) -> tuple[str, bytes]:
    kind, _, told = authorization.partition(" ")
    if kind.lower() != "basic":
        return "", b""
    try:
        user, _, password = base64.b64decode(told, validate=True).partition(b":")
        return user.decode(), password
    except (binascii.Error, UnicodeDecodeError):
        return "", b""


class _Current(ssl.SSLContext):
    """Stands for the context of the rules in force: a renewed certificate counts from the next connection on."""

    def __new__(cls, _: Access) -> "_Current":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, access: Access) -> None:
        self._access = access

    def wrap_bio(self, *words: Any, **named: Any) -> ssl.SSLObject:
        context = self._access.rules().context
        assert context is not None  # that needs a restart
        return context.wrap_bio(*words, **named)


def guarded(pages: ASGIApp, access: Access) -> ASGIApp:
    """The pages, for those alone whom the rules let in."""

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            if not await access.lets_in(headers.get(b"authorization", b"").decode("latin-1")):
                refusal = PlainTextResponse(
                    "Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="collector", charset="UTF-8"'}
                )
                await refusal(scope, receive, send)
                return
        await pages(scope, receive, send)

    return ask
