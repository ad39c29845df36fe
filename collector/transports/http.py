"""An HTTP service that answers in JSON: door kind `http`.

One address, named in the configuration; only the verbs and paths that the connector allowed; no redirect followed, no
proxy or password taken from the environment. Secrets are sent in headers and never appear in a message.
"""

import base64
import json
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NoReturn

import httpx
import tenacity
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from collector.contract.door import JSON, Answer
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.transports import web
from collector.transports.budget import Budget
from collector.transports.run import Opened, Run

_PATIENCE = {408, 425, 429, 500, 502, 503, 504}
_BLOCK = 1 << 20


class Options(BaseModel):
    """The `door:` block of a source that is an HTTP service. Give a token, or user and password, or neither."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["http"] = "http"
    base_url: str = Field(
        description="Address of the service; every path is asked below it", examples=["https://motcua.example/api"]
    )
    token: SecretStr | None = Field(default=None, description="Token, sent in `token_header` behind `token_prefix`")
    token_header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]+$", description="Header of the token")
    token_prefix: str = Field(default="Bearer ", description="What stands before the token", examples=["Bearer ", ""])
    token_base64: bool = Field(
        default=False, description="Whether to pack the token in base64 before it is sent, as Dovecot wants its key"
    )
    user: str | None = Field(default=None, description="User of HTTP basic authentication", examples=["collector"])
    password: SecretStr | None = Field(default=None, description="Password of HTTP basic authentication")
    headers: dict[str, str] = Field(
        default_factory=dict, description="Further headers of every request", examples=[{"X-Unit": "H44"}]
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authority that signed the server's certificate; else the host's authorities",
        examples=["/etc/collector/ca.pem"],
    )
    timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for a connection, or for the next bytes")
    tries: int = Field(default=4, ge=1, description="How often one question is asked before giving up")
    max_answer_bytes: int = Field(default=64 << 20, gt=0, description="Largest answer, unpacked, in bytes")

    @field_validator("base_url")
    @classmethod
    def _address_only(cls, value: str) -> str:
        return web.base_address(value)

    @model_validator(mode="after")
    def _one_login(self) -> "Options":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.user is not None and self.token is not None and self.token_header.lower() == "authorization":
            raise ValueError("give either token, or user and password: both would be sent as Authorization")
        return self


@contextmanager
def open_door(options: Options, run: Run) -> Iterator["Service"]:
    """Open a client that keeps its connection alive for the run; nothing is asked yet.

    Raises WrongUse if the ca_file cannot be used or a header holds what no header can.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "ict-collector"}
    headers |= web.sendable(options.headers, "headers", run.source)
    if options.token is not None:
        token = options.token.get_secret_value()
        # Checked before it is packed: a line break inside would only be seen as a key that is refused.
        plain = web.sendable({options.token_header: options.token_prefix + token}, "token", run.source)
        packed = {options.token_header: options.token_prefix + base64.b64encode(token.encode()).decode()}
        headers |= packed if options.token_base64 else plain
    auth = (
        httpx.BasicAuth(options.user, options.password.get_secret_value())
        if options.user is not None and options.password is not None
        else None
    )
    with httpx.Client(
        headers=headers,
        auth=auth,
        verify=web.trust(options.base_url, options.ca_file, run.source),
        follow_redirects=False,
        trust_env=False,
        timeout=options.timeout,
    ) as client:
        yield Service(options, run, client, Budget(run))


class Service(Opened):
    """The door (contract `Pages`).

    Raises AccessDenied for 401, 403 and failed TLS, never retried; TryAgain for 408, 425, 429, 5xx and broken
    connections once `tries` are used up, the deadline is near or the service wants a longer rest than that;
    UnexpectedAnswer for all other statuses, redirects, and whatever is not one well-formed JSON document.
    A 500 whose JSON body the connector knows as the service's own word (see `allow`) is an answer.
    """

    def __init__(self, options: Options, run: Run, client: httpx.Client, budget: Budget) -> None:
        super().__init__(run)
        self._options = options
        self._client = client
        self._budget = budget
        self._allowed: dict[tuple[str, str], tuple[Callable[[JSON], bool] | None, dict[str, str]]] = {}

    def allow(
        self,
        method: str,
        path: str,
        fault: Callable[[JSON], bool] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Name a verb (GET or POST) and path that may be asked; ValueError if it could lead elsewhere.

        `fault` tells of the JSON body of a 500 whether it is an answer; a TryAgain that it raises is tried again.
        `headers` go with each of these questions. WrongUse if a header holds what no header can.
        """
        if method not in ("GET", "POST"):
            raise ValueError(f"{method!r} is never asked; GET and POST are")
        steps = path.replace("%2e", ".").replace("%2E", ".").split("/")
        if not path.startswith("/") or ".." in steps or not path.isprintable() or set(path) & set("?#\\ "):
            raise ValueError(f"{path!r} is no path below the address; write it like /api/dossiers")
        self._allowed[method, path] = fault, web.sendable(headers or {}, "headers", self.source)

    def get(self, path: str, parameters: Mapping[str, str]) -> Answer:
        """Ask a path with GET and return the decoded answer."""
        return self._ask("GET", path, {"params": dict(parameters)} if parameters else {})

    def post(
        self, path: str, question: JSON, *, once: bool = False, parameters: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask a path with POST, for services that take their question as a JSON body; `once`: whatever happens."""
        content: dict[str, Any] = {} if question is None else {"json": question}
        return self._ask("POST", path, content | ({"params": dict(parameters)} if parameters else {}), once=once)

    def blocks(self, path: str, parameters: Mapping[str, str]) -> Generator[bytes, None, None]:
        """Ask a path with GET and yield the answer's bytes as they come; broken off in the middle, it is TryAgain."""
        self._check_allowed("GET", path)
        response = self._retrying()(self._begun, path, parameters)
        try:
            yield from self._unpacked(response)
        except httpx.TransportError as error:
            raise self._broken(error, "GET", path) from error
        finally:
            response.close()

    def _ask(self, method: str, path: str, content: dict[str, Any], *, once: bool = False) -> Answer:
        self._check_allowed(method, path)
        if once:
            return self._once(method, path, content)
        return self._retrying()(self._once, method, path, content)

    def _check_allowed(self, method: str, path: str) -> None:
        if (method, path) not in self._allowed:
            raise ValueError(f"{method} {path} was not allowed by the connector")

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TryAgain),
            wait=_wait,
            stop=self._give_up,
            sleep=lambda seconds: self._budget.pause(float(seconds), "reach"),
            reraise=True,
        )

    def _begun(self, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        """Ask, and return an answer of which only the head is read."""
        self._budget.spend("reach")
        patience = min(self._options.timeout, self._budget.left("reach"))
        _, headers = self._allowed["GET", path]
        try:
            response = self._client.send(
                self._client.build_request(
                    "GET",
                    self._options.base_url + path,
                    params=dict(parameters) or None,
                    headers=headers,
                    timeout=patience,
                ),
                stream=True,
            )
        except httpx.TransportError as error:
            raise self._broken(error, "GET", path) from error
        try:
            self._judge(response)
        except CollectorError:
            response.close()
            raise
        return response

    def _give_up(self, state: tenacity.RetryCallState) -> bool:
        return state.attempt_number >= self._options.tries or not self._budget.covers(state.upcoming_sleep)

    def _once(self, method: str, path: str, content: dict[str, Any]) -> Answer:
        self._budget.spend("reach")
        patience = min(self._options.timeout, self._budget.left("reach"))
        url = self._options.base_url + path
        fault, headers = self._allowed[method, path]
        try:
            with self._client.stream(method, url, timeout=patience, headers=headers, **content) as response:
                if response.status_code == 500 and fault is not None:
                    told = self._told(response)
                    if told is not None and fault(told):
                        return Answer(told, web.date_of(response))
                self._judge(response)
                body = b"".join(self._body(response))
                return Answer(self._decode(body, response), web.date_of(response))
        except httpx.TransportError as error:
            raise self._broken(error, method, path) from error

    def _told(self, response: httpx.Response) -> JSON:
        """Return the JSON of a failure's body, None if it is none: then it is a failure like any other."""
        try:
            return self._decode(b"".join(self._body(response)), response)
        except UnexpectedAnswer:
            return None

    def _judge(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 200:
            return
        asked = f"{response.request.method} {response.request.url.path} was answered with {status}"
        if status in (401, 403):
            self._fail(
                AccessDenied,
                asked,
                "log in",
                "Check token, user and password, and that this account may ask this path from this host",
            )
        if status in _PATIENCE or status >= 500:
            raise TryAgain(
                asked,
                source=self.source,
                stage="reach",
                mend="The service is overloaded or down; ask its operator if it stays so",
                after=self._rest_wanted(response),
            )
        if status == 204:
            self._fail(UnexpectedAnswer, f"{asked}, which is no answer", "answer", "Check path and parameters")
        if 300 <= status < 400:
            self._fail(
                UnexpectedAnswer,
                f"{asked}: it points to {_origin(response)}, and redirects are not followed",
                "answer",
                "Set base_url to the address that answers itself; a login page there means that the token is not taken",
            )
        self._fail(UnexpectedAnswer, asked, "answer", "Check base_url and path against the service's manual")

    def _rest_wanted(self, response: httpx.Response) -> float | None:
        return web.rest_wanted(response, self.began + int(self._budget.elapsed))

    def _body(self, response: httpx.Response) -> Iterator[bytes]:
        total = 0
        for block in self._unpacked(response):
            total += len(block)
            if total > self._options.max_answer_bytes:
                self._fail(
                    UnexpectedAnswer,
                    f"the answer is larger than {self._options.max_answer_bytes} bytes",
                    "answer",
                    "Ask for smaller pages, or raise max_answer_bytes",
                )
            yield block

    def _unpacked(self, response: httpx.Response) -> Iterator[bytes]:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            self._fail(
                UnexpectedAnswer,
                "the answer is packed in a way that was not asked for",
                "answer",
                "Let the service or the proxy before it answer with gzip or unpacked",
            )
        unpack = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
        # Not in chunks of a fixed size: httpx would gather one for ever while the server drips.
        for chunk in response.iter_raw():
            self._budget.left("read")
            if unpack is None:
                yield chunk
                continue
            packed = chunk
            try:
                # In blocks of bounded size, so that a small bomb is refused before it fills the memory.
                while packed:
                    yield unpack.decompress(packed, _BLOCK)
                    packed = unpack.unconsumed_tail
            except zlib.error:
                self._fail(UnexpectedAnswer, "the answer is packed wrongly", "answer", "Ask the service's operator")
        if unpack is not None:
            yield unpack.flush()
            if not unpack.eof:
                self._cut_short()

    def _decode(self, body: bytes, response: httpx.Response) -> JSON:
        if not body.strip():
            self._fail(UnexpectedAnswer, "the answer is empty", "answer", "Check path and parameters")
        try:
            decoded = web.strict_json(body)
        except RecursionError:
            self._fail(UnexpectedAnswer, "the answer is nested too deeply", "answer", "Ask the service's operator")
        except json.JSONDecodeError as error:
            if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                self._fail(
                    UnexpectedAnswer,
                    "the answer is a page of HTML or XML (a login or error page?), not JSON",
                    "answer",
                    "Check base_url, path and token; the service may want another login",
                )
            framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
            if not framed and not body.rstrip().endswith((b"}", b"]")):
                # An old server ends its answer by hanging up: half a page looks like a whole one.
                self._cut_short()
            self._not_json(f"at character {error.pos}")
        except UnicodeDecodeError:
            self._not_json("it is not UTF-8")
        except web.Refused as error:
            self._not_json(str(error))
        except ValueError:  # json reads an integer of more than 4,300 digits no further
            self._not_json("it holds an oversized number")
        return decoded

    def _not_json(self, why: str) -> NoReturn:
        self._fail(
            UnexpectedAnswer,
            f"the answer is not well-formed JSON: {why}",
            "answer",
            "Show the service's operator this message",
        )

    def _cut_short(self) -> NoReturn:
        raise TryAgain(
            "the answer was cut short",
            source=self.source,
            stage="read",
            mend="The connection broke off; a proxy's limit of time or size may do so each time",
        )

    def _fail(self, kind: type[CollectorError], reason: str, stage: str, mend: str) -> NoReturn:
        raise kind(reason, source=self.source, stage=stage, mend=mend)

    def _broken(self, error: httpx.TransportError, method: str, path: str) -> CollectorError:
        host = httpx.URL(self._options.base_url).host
        if (distrusted := web.distrusted(error, host, self.source, "base_url")) is not None:
            return distrusted
        stage = "reach" if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else "read"
        what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke off or was refused"
        return TryAgain(
            f"{method} {path} at {host} {what} ({type(error).__name__})",
            source=self.source,
            stage=stage,
            mend="Check that the service runs and that no firewall is between",
        )


_BACKOFF = tenacity.wait_exponential(multiplier=0.5, max=60) + tenacity.wait_random(0, 0.5)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    wanted = error.after if isinstance(error, TryAgain) else None
    return max(wanted or 0.0, _BACKOFF(state))


def _origin(response: httpx.Response) -> str:
    try:
        url = response.request.url.join(response.headers.get("Location", ""))
    except httpx.InvalidURL:
        return "no address"
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
