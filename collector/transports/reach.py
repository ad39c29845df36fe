"""Whether a system answers: the smallest question that shows it, and no log-in, ever.

What is asked depends on the door, or on an address given instead of it:

  http           one GET of the base address, without token or password. Any answer below 500 shows that the service
                 runs, a refusal (401, 403, 404) too; 500 and above is the word of something before it, or of its fault.
  ssh            the first line of the server, `SSH-...`.
  sql            PostgreSQL alone: the answer to "do you speak TLS?", which it gives before anybody logs in. Other
                 databases count broken-off connections as attacks (MySQL blocks a host after 100) or are files: they
                 need an address.
  http://, https://HOST...      as http
  tcp://HOST:PORT               the greeting of a service that speaks first: SMTP, IMAP, POP3, SSH
  tls://HOST:PORT               the same over TLS: IMAPS, POP3S, SMTPS

An accepted connection proves nothing: the kernel accepts it for a program that hangs. So an answer is always awaited.
"""

import errno
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy
from pydantic import BaseModel

_TLS_WANTED = struct.pack("!ii", 8, 80877103)  # PostgreSQL's SSLRequest
_HTTP_BLOCK = 4096

_OURS = {errno.ENETUNREACH, errno.ENETDOWN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL}
"""What keeps this host from asking at all: it says nothing about the system."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: `scheme` http | https | tcp | tls | postgresql, where, and which authorities are trusted."""

    scheme: str
    host: str
    port: int
    path: str = "/"
    ca_file: Path | None = None

    def __str__(self) -> str:
        """Return it as an address, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path if self.scheme in _PORTS else ''}"

    def answers(self, seconds: float, tick: Callable[[], float] = time.monotonic) -> bool | None:
        """Ask once and say whether an answer came within so many seconds; None if it could not be asked at all.

        A name that cannot be resolved and a certificate that is not trusted are no silence of the system: None.
        """
        ends = tick() + seconds
        try:
            with socket.create_connection((self.host, self.port), timeout=seconds) as plain:
                if self.scheme not in ("https", "tls"):
                    return self._asked(plain, ends, tick)
                plain.settimeout(_left(ends, tick))
                with ssl.create_default_context(cafile=self.ca_file).wrap_socket(
                    plain, server_hostname=self.host
                ) as secret:
                    return self._asked(secret, ends, tick)
        except (socket.gaierror, ssl.SSLCertVerificationError, FileNotFoundError):
            return None
        except OSError as error:  # refused, reset, too late
            return None if error.errno in _OURS else False

    def _asked(self, line: socket.socket, ends: float, tick: Callable[[], float]) -> bool:
        match self.scheme:
            case "http" | "https":
                host = f"[{self.host}]" if ":" in self.host else self.host
                line.sendall(
                    f"GET {self.path} HTTP/1.1\r\nHost: {host}:{self.port}\r\nUser-Agent: ict-collector\r\n"
                    "Accept: */*\r\nConnection: close\r\n\r\n".encode("ascii")
                )
                words = _until(line, b"\n", ends, tick).split(None, 2)
                is_http = len(words) > 1 and words[0].startswith(b"HTTP/1.") and words[1].isdigit()
                return is_http and 100 <= int(words[1]) < 500
            case "postgresql":
                line.sendall(_TLS_WANTED)
                return _some(line, 1, ends, tick) in (b"S", b"N")
            case _:
                return bool(_some(line, 1, ends, tick))


def _left(ends: float, tick: Callable[[], float]) -> float:
    left = ends - tick()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


def _some(line: socket.socket, most: int, ends: float, tick: Callable[[], float]) -> bytes:
    line.settimeout(_left(ends, tick))
    return line.recv(most)


def _until(line: socket.socket, end: bytes, ends: float, tick: Callable[[], float]) -> bytes:
    """What comes up to `end`; a drip of single bytes must not outlast the time either."""
    read = b""
    while end not in read and len(read) < _HTTP_BLOCK:
        block = _some(line, _HTTP_BLOCK, ends, tick)
        if not block:
            break
        read += block
    return read.partition(end)[0]


_PORTS = {"http": 80, "https": 443}


def address(text: str) -> Target:
    """Return what an address names; ValueError, in words, if it cannot be asked."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"{text} has no port that there could be") from None
    if parts.scheme not in ("http", "https", "tcp", "tls") or not parts.hostname:
        raise ValueError(f"{text} is no address that can be asked")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or a password, and nobody is to log in")
    port = port or _PORTS.get(parts.scheme)
    if port is None:
        raise ValueError(f"{text} names no port")
    path = parts.path or "/"
    if not (path.isascii() and path.isprintable() and " " not in path) or parts.query or parts.fragment:
        raise ValueError(f"{text} has more than a plain path")
    return Target(parts.scheme, parts.hostname, port, path)


def of_door(options: BaseModel) -> Target | None:
    """Return what shows that the system behind a door answers; None if nothing does."""
    match getattr(options, "kind", ""):
        case "http":
            from collector.transports import http  # as all kinds: only if there is such a door

            if isinstance(options, http.Options):
                found = address(options.base_url)
                return Target(found.scheme, found.host, found.port, found.path, options.ca_file)
        case "ssh":
            from collector.transports import ssh

            if isinstance(options, ssh.Options):
                return Target("tcp", options.host, options.port)
        case "sql":
            from collector.transports import sql

            if isinstance(options, sql.Options):
                url = sqlalchemy.make_url(options.url)
                if url.get_backend_name() == "postgresql" and url.host:
                    return Target("postgresql", url.host, url.port or 5432)
    return None
