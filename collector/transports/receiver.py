"""The way to a service that scores: it is told messages, and asked what it has applied (docs/delivery.md).

Nothing is repeated here: when to try again is decided, and remembered, in the outbox.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from collector.contract.door import JSON
from collector.contract.errors import CollectorError, TryAgain
from collector.transports import web
from collector.transports.receiver_options import Options

_SHORT = 1 << 20
_LONG = 64 << 20
_MASK = "********"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver answered: its status, its JSON (None if it is none), and how long it wants to be left alone.

    `words` are its own, as far as it gives a reason: one line, without our secrets.
    """

    status: int
    content: JSON
    after: float | None
    words: str


class Receiver:
    """A receiver that is being talked to.

    Every method raises AccessDenied if its certificate is not trusted, and TryAgain if it cannot be reached or does
    not answer in time: then nobody knows whether it has applied what it was told.
    """

    def __init__(self, name: str, options: Options, client: httpx.Client, clock: Callable[[], int]) -> None:
        self.name = name
        self._options = options
        self._client = client
        self._clock = clock

    def tell(self, key: str, digest: str, body: str) -> Reply:
        """Tell a message: its key, the SHA-256 of its body in hexadecimal, and its body."""
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f'"{key}"',  # a structured string, as draft-ietf-httpapi-idempotency-key-header has it
            "Content-Digest": f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:",  # RFC 9530
        }
        return self._asked("POST", "/messages", _SHORT, headers, body.encode())

    def applied(self, key: str) -> Reply:
        """Ask what it has applied under a key: 404 if nothing."""
        return self._asked("GET", f"/messages/{key}", _SHORT)

    def all_applied(self) -> Reply:
        """Ask for all editions that it has applied."""
        return self._asked("GET", "/messages", _LONG)

    def contract(self) -> Reply:
        """Ask who it is and which schemas it understands."""
        return self._asked("GET", "/contract", _SHORT)

    def _asked(
        self, method: str, path: str, most: int, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        began = time.monotonic()
        url = self._options.url + path
        try:
            with self._client.stream(method, url, headers=headers or {}, content=body) as response:
                if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
                    return Reply(response.status_code, None, None, "it is packed, which was not asked for")
                taken = bytearray()
                for block in response.iter_raw():
                    taken += block
                    if len(taken) > most:
                        return Reply(response.status_code, None, None, f"it is larger than {most} bytes")
                    if time.monotonic() - began > self._options.timeout + self._options.connect_timeout:
                        raise httpx.ReadTimeout("the answer goes on and on", request=response.request)
        except httpx.TransportError as error:
            raise self._broken(error, method, path) from error
        try:
            content = web.strict_json(bytes(taken)) if taken.strip() else None
        except (ValueError, RecursionError):
            content = None
        return Reply(response.status_code, content, web.rest_wanted(response, self._clock()), self._words(content))

    def _words(self, content: JSON) -> str:
        """The reason that a problem (RFC 9457) gives; what else an answer says is not ours to repeat."""
        given = [content.get(name) for name in ("title", "detail")] if isinstance(content, dict) else []
        words = ": ".join(one for one in given if isinstance(one, str) and one)
        for secret in self._secrets():
            words = words.replace(secret, _MASK)
        return "".join(letter if letter.isprintable() else " " for letter in words)[:300].strip()

    def _secrets(self) -> Iterator[str]:
        options = self._options
        if options.token is not None:
            yield options.token.get_secret_value()
        if options.password is not None:
            password = options.password.get_secret_value()
            yield b64encode(f"{options.user}:{password}".encode()).decode()  # as it is sent
            yield password

    def _broken(self, error: httpx.TransportError, method: str, path: str) -> CollectorError:
        host = httpx.URL(self._options.url).host
        if (distrusted := web.distrusted(error, host, self.name, "url")) is not None:
            return distrusted
        stage = "reach" if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else "answer"
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke off or was refused"
        return TryAgain(
            f"{method} {path} at {host} {what} ({type(error).__name__})",
            source=self.name,
            stage=stage,
            mend="Check that the service runs and that no firewall is between",
        )


@contextmanager
def open_receiver(name: str, options: Options, clock: Callable[[], int]) -> Iterator[Receiver]:
    """Open a client that keeps its connection alive; nothing is asked yet.

    `clock` must be the machine's own. WrongUse if the ca_file cannot be used or a secret holds what no header can.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ict-collector"}
    if options.token is not None:
        headers |= web.sendable({"Authorization": f"Bearer {options.token.get_secret_value()}"}, "token", name)
    auth = (
        httpx.BasicAuth(options.user, options.password.get_secret_value())
        if options.user is not None and options.password is not None
        else None
    )
    with httpx.Client(
        headers=headers,
        auth=auth,
        verify=web.trust(options.url, options.ca_file, name),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(options.timeout, connect=options.connect_timeout),
    ) as client:
        yield Receiver(name, options, client, clock)
