"""A double of Zimbra's admin SOAP API in JSON: a real HTTP server on loopback that enforces what the facts say.

Each line is of facts/mail-systems.md 6; `test_zimbra_double.py` asks the double itself.

| fact                                                                              | test                           |
|-----------------------------------------------------------------------------------|--------------------------------|
| POST of a body that begins with `{`, envelope urn:zimbra, body urn:zimbraAdmin    | test_a_question_is_*           |
| the answer is JSON as `text/javascript; charset=utf-8`                            | test_a_question_is_*           |
| a fault is HTTP 500 with Detail.Error.Code; its text quotes who asked             | test_a_fault_is_*              |
| AuthRequest gives a token and its lifetime in ms                                  | test_a_token_*                 |
| a question without a token: AUTH_REQUIRED; with one that is too old: AUTH_EXPIRED | test_a_token_*                 |
| wrong passwords lock the account (here: three): then the right one is wrong too   | test_three_wrong_passwords_*   |
| a second factor is asked for where it is on                                       | test_a_second_factor_*         |
| shapes vary by writer: list, object or string; numbers as strings; lone elements  | test_shapes_vary               |
| an absent `account` means none                                                    | test_a_domain_without_*        |
| one attribute may repeat                                                          | test_an_attribute_may_repeat   |
| maxResults defaults to 5,000, more is TOO_MANY_SEARCH_RESULTS                     | test_more_than_5000_*          |
| paging is no snapshot: each page is a search of its own, sorted by name           | test_paging_is_no_snapshot     |
| `types` tells accounts from resources and lists; system accounts are accounts     | test_system_accounts_*         |
| the quota of a class of service comes only with applyCos=1                        | test_quota_of_a_class_*        |
| zimbraMailQuota and `limit` are bytes, 0 is unlimited                             | test_quota_of_a_class_*        |
| GetQuotaUsage is of one server unless allServers=1 and domain are given           | test_quota_usage_is_*          |
| without `domain` it is for system administrators; with it the right is needed     | test_quota_usage_needs_*       |
| a server that is down: PROXY_ERROR; busy: TEMPORARILY_UNAVAILABLE; WRONG_HOST     | test_what_passes_*             |
| an unknown domain: NO_SUCH_DOMAIN                                                 | test_a_domain_that_*           |
| zimbraCreateTimestamp is UTC, with or without a fraction                          | test_instants_are_*            |
| zimbraLastLogonTimestamp is up to 7 days old                                      | test_the_last_logon_is_rough   |

Connector tests put accounts in and take questions out; they never set an answer.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import gmtime, strftime
from typing import Any, Literal

PATH = "/service/admin/soap/"
ADMIN, PASSWORD = "canary.admin@example.gov.vn", "canary-password-77"
CAP, WRONG_PASSWORDS, WEEK = 5000, 3, 7 * 86_400

Shape = Literal["list", "object", "string"]
SHAPES: tuple[Shape, ...] = ("list", "object", "string")


class Fault(Exception):
    """A question ends with a code."""

    def __init__(self, code: str) -> None:
        self.code = code


@dataclass
class Account:
    """An entry of the directory. `more` are further attributes; `used` bytes on the mailbox server `server`."""

    name: str
    id: str
    status: str | None = "active"
    quota: str | None = None
    created: str | None = "20250101000000Z"
    used: int = 0
    server: str = "mbs1"
    element: str = "account"
    more: dict[str, list[str]] = field(default_factory=dict)
    logon_written: int | None = None

    @property
    def domain(self) -> str:
        return self.name.rpartition("@")[2]


@dataclass
class Zimbra:
    """What the server knows, and what it was asked: `questions` are name and parameters of each, `logins` all tries.

    `clock` moves on by `pace` seconds with each question. `before_search` is called before each search of accounts.
    `busy` is the number of questions that are still answered with TEMPORARILY_UNAVAILABLE.
    """

    clock: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    domains: list[str] = field(default_factory=list)
    shape: Shape = "list"
    pace: int = 0
    lifetime: int = 43_200
    second_factor: bool = False
    expired_password: bool = False
    rights: frozenset[str] = frozenset({"listDomain", "listAccount", "getAccount", "getDomainQuotaUsage"})
    is_system_administrator: bool = False
    cos_quota: str = "0"
    directory_limit: int | None = None
    down: frozenset[str] = frozenset()
    is_wrong_host: bool = False
    busy: int = 0
    reorder: Callable[[list[Any]], list[Any]] = list
    before_search: Callable[[], None] = lambda: None
    forget_tokens: bool = False
    http_failures: list[tuple[int, str]] = field(default_factory=list)
    questions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    logins: int = 0
    wrong: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    address: str = ""

    def put(self, *names: str, **settings: Any) -> None:
        """Put accounts in, and their domains; an account that is there is replaced."""
        for name in names:
            account = Account(name, f"id-of-{name}", **settings)
            self.accounts[account.id] = account
            if account.domain not in self.domains:
                self.domains.append(account.domain)

    def logon(self, name: str, instant: int, frequency: int = WEEK) -> None:
        """Somebody logs on: written down only if what is written is older than the frequency."""
        account = self.accounts[f"id-of-{name}"]
        if account.logon_written is None or instant - account.logon_written > frequency:
            account.logon_written = instant
            account.more["zimbraLastLogonTimestamp"] = [strftime("%Y%m%d%H%M%S.000Z", gmtime(instant))]

    def answer(self, content: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and envelope for the body of a POST."""
        self.clock += self.pace
        try:
            asked = json.loads(content)
            context = asked["Header"]["context"]
            ((name, parameters),) = asked["Body"].items()
            if context["_jsns"] != "urn:zimbra" or parameters["_jsns"] != "urn:zimbraAdmin":
                raise Fault("service.UNKNOWN_DOCUMENT")
            self.questions.append((name, {key: value for key, value in parameters.items() if key != "_jsns"}))
            body = self._respond(name.removesuffix("Request"), parameters, context)
        except Fault as fault:
            return 500, _envelope({"Fault": _fault(fault.code)})
        return 200, _envelope({name.removesuffix("Request") + "Response": {"_jsns": "urn:zimbraAdmin"} | body})

    def _respond(self, name: str, asked: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
        if self.busy:
            self.busy -= 1
            raise Fault("service.TEMPORARILY_UNAVAILABLE")
        if name == "Auth":
            return self._log_in(asked)
        self._check_token(context)
        match name:
            case "GetAllDomains":
                return self._all_domains()
            case "SearchDirectory":
                return self._search(asked)
            case "GetQuotaUsage":
                return self._quota_usage(asked)
            case "GetAccount":
                return self._one_account(asked)
        raise Fault("service.UNKNOWN_DOCUMENT")

    def _log_in(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.logins += 1
        if self.wrong >= WRONG_PASSWORDS or (asked["name"], asked["password"]) != (ADMIN, PASSWORD):
            self.wrong += 1
            raise Fault("account.AUTH_FAILED")
        if self.expired_password:
            raise Fault("account.CHANGE_PASSWORD")
        if self.second_factor and "twoFactorCode" not in asked:
            raise Fault("account.TWO_FACTOR_AUTH_FAILED")
        token = f"0_canary-token-{self.logins}"
        self.tokens[token] = self.clock + self.lifetime
        told: Any = {"list": [{"_content": token}], "object": {"_content": token}, "string": token}[self.shape]
        return {"authToken": told, "lifetime": self._number(self.lifetime * 1000)}

    def _check_token(self, context: Mapping[str, Any]) -> None:
        told = context.get("authToken")
        if not told:
            raise Fault("service.AUTH_REQUIRED")
        token = told if isinstance(told, str) else told[0]["_content"]
        if self.forget_tokens or self.tokens.get(token, -1) <= self.clock:
            raise Fault("service.AUTH_EXPIRED")

    def _need(self, right: str) -> None:
        if not self.is_system_administrator and right not in self.rights:
            raise Fault("service.PERM_DENIED")

    def _all_domains(self) -> dict[str, Any]:
        self._need("listDomain")
        rows = [
            {"name": name, "id": f"id-of-{name}", "a": self._attributes({"zimbraDomainName": [name]})}
            for name in self.domains
        ]
        return self._elements("domain", self.reorder(rows))

    def _search(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.before_search()
        self._need("listAccount")
        kinds = {"accounts": "account", "resources": "calresource", "distributionlists": "dl"}
        wanted = {kinds[kind] for kind in asked.get("types", ",".join(kinds)).split(",")}
        found = [one for one in self._of(asked.get("domain")) if one.element in wanted]
        cap = int(asked.get("maxResults", CAP)) or len(found)
        if len(found) > min(cap, self.directory_limit or cap):
            raise Fault("account.TOO_MANY_SEARCH_RESULTS")
        if asked.get("countOnly") == "1":
            return {"num": self._number(len(found))}
        names = asked["attrs"].split(",")

        def row(account: Account) -> dict[str, Any]:
            told = self._directory(account, with_cos=asked.get("applyCos") == "1")
            some = {name: values for name, values in told.items() if name in names}
            return {"name": account.name, "id": account.id, "isExternal": False, "a": self._attributes(some)}

        return self._page("account", sorted(found, key=lambda one: one.name), asked, row)

    def _quota_usage(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        domain = asked.get("domain")
        if domain is None and not self.is_system_administrator:
            raise Fault("service.PERM_DENIED")
        self._need("getDomainQuotaUsage")
        if self.is_wrong_host:
            raise Fault("service.WRONG_HOST")
        found = [one for one in self._of(domain) if one.element == "account"]
        if domain is None or asked.get("allServers") != "1":
            found = [one for one in found if one.server == "mbs1"]
        elif self.down:
            raise Fault("service.PROXY_ERROR")

        def row(account: Account) -> dict[str, Any]:
            quota = account.quota or self.cos_quota
            limit = int(quota) if quota.isdigit() else 0
            return {
                "name": account.name,
                "id": account.id,
                "used": self._number(account.used),
                "limit": self._number(limit),
            }

        return self._page("account", sorted(found, key=lambda one: -one.used), asked, row)

    def _one_account(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self._need("getAccount")
        if asked["account"] != {"by": "name", "_content": ADMIN}:
            raise Fault("account.NO_SUCH_ACCOUNT")
        which = "zimbraIsAdminAccount" if self.is_system_administrator else "zimbraIsDelegatedAdminAccount"
        return self._elements("account", [{"name": ADMIN, "id": "0", "a": self._attributes({which: ["TRUE"]})}])

    def _of(self, domain: str | None) -> list[Account]:
        if domain is not None and domain not in self.domains:
            raise Fault("account.NO_SUCH_DOMAIN")
        return [one for one in self.accounts.values() if domain in (None, one.domain)]

    def _directory(self, account: Account, *, with_cos: bool) -> dict[str, list[str]]:
        quota = account.quota if account.quota is not None or not with_cos else self.cos_quota
        told = {
            "zimbraAccountStatus": account.status,
            "zimbraMailQuota": quota,
            "zimbraCreateTimestamp": account.created,
        }
        return {name: [value] for name, value in told.items() if value is not None} | account.more

    def _page(
        self, name: str, found: list[Account], asked: Mapping[str, Any], row: Callable[[Account], dict[str, Any]]
    ) -> dict[str, Any]:
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 0)) or len(found)
        rows = self.reorder([row(one) for one in found[offset : offset + limit]])
        more: Any = offset + limit < len(found)
        return self._elements(name, rows) | {
            "more": more if self.shape == "list" else str(int(more)),
            "searchTotal": self._number(len(found)),
        }

    def _elements(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        if not rows:
            return {}
        return {name: rows[0] if len(rows) == 1 and self.shape != "list" else rows}

    def _attributes(self, told: Mapping[str, list[str]]) -> Any:
        rows: list[Any] = [{"n": name, "_content": value} for name, values in told.items() for value in values]
        if self.shape == "string":
            rows = [{**row, "_content": {"_content": row["_content"]}} for row in rows]
        return rows[0] if len(rows) == 1 and self.shape != "list" else rows

    def _number(self, count: int) -> int | str:
        return count if self.shape == "list" else str(count)


def _envelope(body: dict[str, Any]) -> dict[str, Any]:
    return {"Header": {"context": {"_jsns": "urn:zimbra"}}, "Body": body, "_jsns": "urn:zimbraSoap"}


def _fault(code: str) -> dict[str, Any]:
    return {
        "Code": {"Value": "soap:Sender"},
        "Reason": {"Text": f"refused for [{ADMIN}]"},
        "Detail": {"Error": {"Code": code, "Trace": "qtp1-2:1796000000:3", "_jsns": "urn:zimbra"}},
    }


@contextmanager
def serving() -> Iterator[Zimbra]:
    """Serve on a free loopback port until the block is left."""
    zimbra = Zimbra()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out together; without this each answer waits for the client's late acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != PATH:
                self._reply(404, "<html>Not found</html>", "text/html")
            elif not body.startswith(b"{"):
                self._reply(500, "<soap:Envelope/>", "text/xml")
            elif zimbra.http_failures:
                self._reply(*zimbra.http_failures.pop(0), "text/html")
            else:
                status, told = zimbra.answer(body)
                self._reply(status, json.dumps(told), "text/javascript")

        def _reply(self, status: int, text: str, kind: str) -> None:
            data = text.encode()
            self.send_response_only(status)
            self.send_header("Date", formatdate(zimbra.clock, usegmt=True))
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        zimbra.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield zimbra
        finally:
            server.shutdown()
            thread.join()
