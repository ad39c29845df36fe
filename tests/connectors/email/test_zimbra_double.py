"""The double of Zimbra obeys facts/mail-systems.md 6, line by line."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.connectors.email.zimbra_double import ADMIN, PASSWORD, PATH, SHAPES, Zimbra, serving

AN, BINH, CHI = "an@syt.example.gov.vn", "binh@syt.example.gov.vn", "chi@syt.example.gov.vn"
SYT = "syt.example.gov.vn"
ATTRIBUTES = "zimbraAccountStatus,zimbraMailQuota,zimbraCreateTimestamp,zimbraIsSystemAccount,zimbraLastLogonTimestamp"


@pytest.fixture
def server() -> Iterator[Zimbra]:
    with serving() as started:
        yield started


def post(server: Zimbra, name: str, parameters: dict[str, Any], token: str = "") -> httpx.Response:
    context: dict[str, Any] = {"_jsns": "urn:zimbra"} | ({"authToken": [{"_content": token}]} if token else {})
    body = {f"{name}Request": {"_jsns": "urn:zimbraAdmin", **parameters}}
    return httpx.post(server.address + PATH, json={"Header": {"context": context}, "Body": body}, timeout=10)


def log_in(server: Zimbra, password: str = PASSWORD, **more: str) -> httpx.Response:
    return post(server, "Auth", {"name": ADMIN, "password": password, **more})


def token_of(server: Zimbra) -> str:
    return str(log_in(server).json()["Body"]["AuthResponse"]["authToken"][0]["_content"])


def ask(server: Zimbra, name: str, **parameters: Any) -> Any:
    """The body of an answer, or the code of a fault."""
    return said(post(server, name, parameters, token_of(server)), name)


def said(answer: httpx.Response, name: str) -> Any:
    body = answer.json()["Body"]
    if "Fault" in body:
        assert answer.status_code == 500
        return body["Fault"]["Detail"]["Error"]["Code"]
    assert answer.status_code == 200
    return body[f"{name}Response"]


def search(server: Zimbra, **more: Any) -> Any:
    return ask(server, "SearchDirectory", **{"domain": SYT, "types": "accounts", "attrs": ATTRIBUTES} | more)


def names(answer: Any) -> list[str]:
    return [account["name"] for account in answer.get("account", [])]


def test_a_question_is_a_post_of_json_and_answered_as_javascript(server: Zimbra) -> None:
    answer = log_in(server)
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.json()["_jsns"] == "urn:zimbraSoap"
    url = server.address + PATH
    assert httpx.post(url, content=b"<soap:Envelope/>").headers["Content-Type"].startswith("text/xml")
    assert httpx.post(server.address + "/service/soap/", json={}).status_code == 404
    assert ask(server, "DeleteAccount") == "service.UNKNOWN_DOCUMENT"
    other = {"Header": {"context": {"_jsns": "urn:zimbra"}}, "Body": {"AuthRequest": {"_jsns": "urn:zimbraAccount"}}}
    assert said(httpx.post(url, content=json.dumps(other)), "Auth") == "service.UNKNOWN_DOCUMENT"


def test_a_fault_is_a_500_whose_text_quotes_an_address(server: Zimbra) -> None:
    answer = log_in(server, "wrong")
    assert answer.status_code == 500
    fault = answer.json()["Body"]["Fault"]
    assert fault["Detail"]["Error"] == {
        "Code": "account.AUTH_FAILED",
        "Trace": "qtp1-2:1796000000:3",
        "_jsns": "urn:zimbra",
    }
    assert ADMIN in fault["Reason"]["Text"]


def test_a_token_is_needed_and_lasts_its_lifetime(server: Zimbra) -> None:
    assert said(post(server, "GetAllDomains", {}), "GetAllDomains") == "service.AUTH_REQUIRED"
    server.lifetime = 60
    login = log_in(server).json()["Body"]["AuthResponse"]
    assert login["lifetime"] == 60_000
    token = login["authToken"][0]["_content"]
    server.clock += 59
    assert said(post(server, "GetAllDomains", {}, token), "GetAllDomains") == {"_jsns": "urn:zimbraAdmin"}
    server.clock += 1
    assert said(post(server, "GetAllDomains", {}, token), "GetAllDomains") == "service.AUTH_EXPIRED"
    assert said(post(server, "GetAllDomains", {}, "0_made-up"), "GetAllDomains") == "service.AUTH_EXPIRED"


def test_three_wrong_passwords_lock_the_account(server: Zimbra) -> None:
    for _ in range(2):
        assert said(log_in(server, "wrong"), "Auth") == "account.AUTH_FAILED"
    assert "authToken" in said(log_in(server), "Auth")
    assert said(log_in(server, "wrong"), "Auth") == "account.AUTH_FAILED"
    assert said(log_in(server), "Auth") == "account.AUTH_FAILED"


def test_a_second_factor_is_asked_for_where_it_is_on(server: Zimbra) -> None:
    server.second_factor = True
    assert said(log_in(server), "Auth") == "account.TWO_FACTOR_AUTH_FAILED"
    assert "authToken" in said(log_in(server, twoFactorCode="123456"), "Auth")


def test_shapes_vary(server: Zimbra) -> None:
    server.put(AN, status="locked", used=7)
    token = token_of(server)
    shapes: list[tuple[Any, ...]] = []
    for shape in SHAPES:
        server.shape = shape
        login = said(log_in(server), "Auth")["authToken"]
        asked = {"domain": SYT, "attrs": "zimbraAccountStatus"}
        found = said(post(server, "SearchDirectory", asked, token), "SearchDirectory")
        shapes.append((type(login), type(found["account"]), found["more"], found["searchTotal"]))
    assert shapes == [(list, list, False, 1), (dict, dict, "0", "1"), (str, dict, "0", "1")]
    found = said(post(server, "SearchDirectory", asked, token), "SearchDirectory")
    assert found["account"]["a"] == {"n": "zimbraAccountStatus", "_content": {"_content": "locked"}}
    usage = said(post(server, "GetQuotaUsage", {"domain": SYT}, token), "GetQuotaUsage")
    assert usage["account"]["used"] == "7"


def test_a_domain_without_accounts_has_no_such_element(server: Zimbra) -> None:
    server.domains = [SYT]
    assert search(server) == {"_jsns": "urn:zimbraAdmin", "more": False, "searchTotal": 0}


def test_an_attribute_may_repeat(server: Zimbra) -> None:
    server.put(AN, more={"ou": ["H44.05", "H44.06"]})
    (account,) = search(server, attrs="ou")["account"]
    assert account["a"] == [{"n": "ou", "_content": "H44.05"}, {"n": "ou", "_content": "H44.06"}]


def test_more_than_5000_accounts_are_a_fault_unless_max_results_is_set(server: Zimbra) -> None:
    server.put(*(f"u{number}@{SYT}" for number in range(5001)))
    assert search(server, limit="10") == "account.TOO_MANY_SEARCH_RESULTS"
    assert search(server, limit="10", maxResults="5000") == "account.TOO_MANY_SEARCH_RESULTS"
    assert search(server, limit="10", maxResults="0")["searchTotal"] == 5001
    assert search(server, maxResults="9999", countOnly="1")["num"] == 5001
    server.directory_limit = 5000
    assert search(server, limit="10", maxResults="0") == "account.TOO_MANY_SEARCH_RESULTS"


def test_paging_is_no_snapshot(server: Zimbra) -> None:
    server.put(CHI, BINH, AN)
    first = search(server, limit="1", offset="0")
    assert (names(first), first["more"], first["searchTotal"]) == ([AN], True, 3)
    del server.accounts[f"id-of-{AN}"]
    second = search(server, limit="1", offset="1")
    assert (names(second), second["more"], second["searchTotal"]) == ([CHI], False, 2), "Binh is skipped"


def test_system_accounts_are_accounts_and_resources_and_lists_are_not(server: Zimbra) -> None:
    server.put(AN)
    server.put(f"ham.x@{SYT}", more={"zimbraIsSystemAccount": ["TRUE"]})
    server.put(f"room@{SYT}", element="calresource")
    server.put(f"all@{SYT}", element="dl")
    assert names(search(server)) == [AN, f"ham.x@{SYT}"]
    assert search(server)["account"][1]["a"][-1] == {"n": "zimbraIsSystemAccount", "_content": "TRUE"}


def test_quota_of_a_class_of_service_comes_only_when_asked_for(server: Zimbra) -> None:
    server.cos_quota = "1024"
    server.put(AN)
    server.put(BINH, quota="0")

    def quotas(**more: str) -> list[list[str]]:
        found = search(server, attrs="zimbraMailQuota", **more)["account"]
        return [[one["_content"] for one in account["a"]] for account in found]

    assert quotas() == [[], ["0"]]
    assert quotas(applyCos="1") == [["1024"], ["0"]]
    usage = ask(server, "GetQuotaUsage", domain=SYT, allServers="1")["account"]
    assert {row["name"]: row["limit"] for row in usage} == {AN: 1024, BINH: 0}


def test_quota_usage_is_of_one_server_unless_all_are_asked_for_with_a_domain(server: Zimbra) -> None:
    server.put(AN, used=5)
    server.put(BINH, used=9, server="mbs2")
    server.is_system_administrator = True
    assert names(ask(server, "GetQuotaUsage", domain=SYT)) == [AN]
    assert names(ask(server, "GetQuotaUsage", allServers="1")) == [AN]
    both = ask(server, "GetQuotaUsage", domain=SYT, allServers="1", sortBy="totalUsed")
    assert [(row["name"], row["used"]) for row in both["account"]] == [(BINH, 9), (AN, 5)]


def test_quota_usage_needs_a_right_and_without_a_domain_a_system_administrator(server: Zimbra) -> None:
    server.put(AN)
    assert ask(server, "GetQuotaUsage") == "service.PERM_DENIED"
    server.rights = frozenset({"listDomain", "listAccount"})
    assert ask(server, "GetQuotaUsage", domain=SYT) == "service.PERM_DENIED"
    assert names(search(server)) == [AN]
    server.rights = frozenset()
    assert search(server) == ask(server, "GetAllDomains") == "service.PERM_DENIED"


def test_what_passes_by_itself_has_codes_of_its_own(server: Zimbra) -> None:
    server.put(AN)
    server.down = frozenset({"mbs2"})
    assert ask(server, "GetQuotaUsage", domain=SYT, allServers="1") == "service.PROXY_ERROR"
    server.down, server.is_wrong_host = frozenset(), True
    assert ask(server, "GetQuotaUsage", domain=SYT, allServers="1") == "service.WRONG_HOST"
    token, server.busy = token_of(server), 1
    assert said(post(server, "GetAllDomains", {}, token), "GetAllDomains") == "service.TEMPORARILY_UNAVAILABLE"
    assert "domain" in said(post(server, "GetAllDomains", {}, token), "GetAllDomains")


def test_a_domain_that_there_is_not_is_a_fault(server: Zimbra) -> None:
    assert search(server) == "account.NO_SUCH_DOMAIN"
    assert ask(server, "GetQuotaUsage", domain=SYT) == "account.NO_SUCH_DOMAIN"


def test_instants_are_in_utc_in_two_forms(server: Zimbra) -> None:
    server.put(AN, created="20260114170000Z")
    server.put(BINH, created="20260114170000.123Z")
    found = search(server, attrs="zimbraCreateTimestamp")["account"]
    assert [account["a"][0]["_content"] for account in found] == ["20260114170000Z", "20260114170000.123Z"]


def test_the_last_logon_is_rough(server: Zimbra) -> None:
    server.put(AN)
    monday = 1_768_176_000  # 2026-01-12 00:00 UTC
    for day in range(8):
        server.logon(AN, monday + day * 86_400)
    (account,) = search(server, attrs="zimbraLastLogonTimestamp")["account"]
    assert account["a"] == [{"n": "zimbraLastLogonTimestamp", "_content": "20260112000000.000Z"}]
    server.logon(AN, monday + 8 * 86_400)
    (account,) = search(server, attrs="zimbraLastLogonTimestamp")["account"]
    assert account["a"][0]["_content"].startswith("20260120")
