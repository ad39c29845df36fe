"""The double itself keeps to the facts: one test for each line of its table."""

import base64
import hashlib
import hmac
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.connectors.docmgmt.trunk_double import (
    APPLICATION,
    COUNT_DOCUMENTS,
    LOGIN,
    MESSAGE,
    PASSWORD,
    RECEIVED,
    SECRET,
    SENT,
    SYSTEM,
    USER,
    Trunk,
    passed,
    serving,
)

JANUARY = "fromDate=2026/01/01&toDate=2026/01/31"


@pytest.fixture
def trunk() -> Iterator[Trunk]:
    with serving() as one:
        one.documents = [passed(number) for number in range(1, 8)]
        yield one


def asked(trunk: Trunk, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(trunk.address + path, data, dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            assert response.status == 200
            return json.load(response)
    except urllib.error.HTTPError as refused:
        refused.close()
        raise


def logged_in(trunk: Trunk, password: str = PASSWORD) -> Any:
    question = {"username": USER, "password": password, "applicationCode": APPLICATION, "typeObjs": [0, 1]}
    return asked(trunk, f"{LOGIN}?allow_anonymous=true", body=question)


def admitted(trunk: Trunk) -> dict[str, str]:
    token = logged_in(trunk)["data"]["token"]
    return {"Authorization": f"Bearer {token}", "X-SystemId": SYSTEM, "X-SecretKey": SECRET}


def signed(inputs: Mapping[str, str], secret: str = SECRET) -> dict[str, str]:
    plain = {"systemid": SYSTEM, "timestamp": "01032026T080000+0000", **inputs}
    named = {f"XroadVnpt-{name}": value for name, value in plain.items()}
    told = json.dumps(named)
    return named | {
        "XroadVnpt-sign-header": told,
        "XroadVnpt-sign-header-key": ";".join(plain),
        "XroadVnpt-hash-header": hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest(),
        "XroadVnpt-version": "3.0.201608",
    }


def sent(trunk: Trunk, **inputs: str) -> list[str]:
    entries = asked(trunk, SENT, signed({"servicetype": "eDoc", "messagetype": "edoc", **inputs}), {})["data"]
    return [entry["senderDocId"] for entry in entries]


def ids(answer: Any) -> list[str]:
    return [entry["docId"] for entry in answer["data"]]


# --- the province's trunk --------------------------------------------------------------------------------------------


def test_the_province_wants_all_three(trunk: Trunk) -> None:
    headers = admitted(trunk)
    assert len(ids(asked(trunk, f"{RECEIVED}?{JANUARY}", headers))) == 7
    for name in ("X-SystemId", "X-SecretKey"):
        assert asked(trunk, f"{RECEIVED}?{JANUARY}", headers | {name: "wrong"})["code"] == 15
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(trunk, f"{RECEIVED}?{JANUARY}", headers | {"Authorization": "Bearer other"})


def test_its_token_ends(trunk: Trunk) -> None:
    trunk.token_lasts = 1
    headers = admitted(trunk)
    asked(trunk, f"{RECEIVED}?{JANUARY}", headers)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        asked(trunk, f"{RECEIVED}?{JANUARY}", headers)
    trunk.token_ends_in_the_body = True
    assert asked(trunk, f"{RECEIVED}?{JANUARY}", headers)["code"] == 401
    assert asked(trunk, f"{RECEIVED}?{JANUARY}", admitted(trunk))["code"] == 0


def test_wrong_passwords_lock_the_account(trunk: Trunk) -> None:
    assert [logged_in(trunk, "wrong")["code"] for _ in range(3)] == [401, 401, 401]
    assert logged_in(trunk)["code"] == 403


def test_its_window_is_of_whole_days(trunk: Trunk) -> None:
    headers = admitted(trunk)
    trunk.documents.append(passed("late", created="2026-01-03 23:59:59"))
    answer = asked(trunk, f"{RECEIVED}?fromDate=2026/01/02&toDate=2026/01/03", headers)
    assert ids(answer) == ["doc-1", "doc-2", "late"]
    assert asked(trunk, f"{RECEIVED}?fromDate=2026-01-02&toDate=2026-01-03", headers)["code"] == 22
    assert asked(trunk, f"{RECEIVED}?fromDate=2026/01/01&toDate=2026/12/31", headers)["code"] == 22


def test_its_entries_are_as_told(trunk: Trunk) -> None:
    entry = asked(trunk, f"{RECEIVED}?{JANUARY}", admitted(trunk))["data"][0]
    assert set(entry) == {
        *("docId", "from", "to", "status", "statusDesc", "createdTime", "updatedTime", "messageType", "serviceType")
    }
    assert entry["createdTime"] == "2026-01-02 09:00:00"


def test_it_fails_under_http_200(trunk: Trunk) -> None:
    headers = admitted(trunk)
    trunk.broken = 1
    failure = asked(trunk, f"{RECEIVED}?{JANUARY}", headers)
    assert (failure["code"], failure["success"], bool(failure["errorDetail"])) == (20, True, True)
    trunk.broken, trunk.says_when_broken = 1, 200
    failure = asked(trunk, f"{RECEIVED}?{JANUARY}", headers)
    assert (failure["code"], failure["success"], bool(failure["errorDetail"])) == (200, True, True)
    fine = asked(trunk, f"{RECEIVED}?{JANUARY}", headers)
    assert (fine["code"], fine["success"], bool(fine["errorDetail"])) == (0, False, False)


def test_it_gives_a_message_packed(trunk: Trunk) -> None:
    headers = admitted(trunk)
    packed = asked(trunk, f"{MESSAGE}?docId=doc-3", headers)["data"]["data"]
    assert base64.b64decode(packed) == trunk.documents[2].message
    trunk.documents.append(passed("huge", message=lambda: iter([b"abc", b"def"])))
    assert base64.b64decode(asked(trunk, f"{MESSAGE}?docId=huge", headers)["data"]["data"]) == b"abcdef"
    assert asked(trunk, f"{MESSAGE}?docId=none", headers)["code"] == 10


def test_it_cuts_long_windows_in_silence(trunk: Trunk) -> None:
    trunk.largest = 4
    answer = asked(trunk, f"{RECEIVED}?{JANUARY}", admitted(trunk))
    assert (answer["code"], answer["count"], len(answer["data"])) == (0, 7, 4)


def test_a_new_document_moves_its_pages(trunk: Trunk) -> None:
    trunk.pages = True
    first = sent(trunk, pageSize="3", pageIndex="1")
    trunk.documents.append(passed("new", created="2026-01-30 09:00:00"))
    assert first == ["doc-7", "doc-6", "doc-5"]
    assert sent(trunk, pageSize="3", pageIndex="2") == ["doc-5", "doc-4", "doc-3"]
    trunk.largest = 2
    assert len(ids(asked(trunk, f"{RECEIVED}?{JANUARY}&pageSize=3&pageIndex=1", admitted(trunk)))) == 2


def test_writing_changes_it(trunk: Trunk) -> None:
    asked(trunk, "/v1/updateStatus", admitted(trunk), {"docId": "doc-1", "status": "done"})
    assert trunk.written == 1


def test_it_asks_for_patience(trunk: Trunk) -> None:
    trunk.busy = 1
    with pytest.raises(urllib.error.HTTPError, match="429") as caught:
        asked(trunk, f"{RECEIVED}?{JANUARY}")
    assert caught.value.headers["Retry-After"] == "1"
    assert asked(trunk, f"{RECEIVED}?{JANUARY}", admitted(trunk))["code"] == 0


# --- VXP -------------------------------------------------------------------------------------------------------------


def test_vxp_wants_signed_headers(trunk: Trunk) -> None:
    assert len(sent(trunk)) == 7
    good = signed({"servicetype": "eDoc"})
    for bad in (
        {},
        signed({"servicetype": "eDoc"}, "wrong"),
        good | {"XroadVnpt-servicetype": "other"},
        good | {"XroadVnpt-fromDate": "2026/01/01"},
        {name: value for name, value in good.items() if name != "XroadVnpt-servicetype"},
    ):
        answer = asked(trunk, SENT, bad, {})
        assert (answer["status"], answer["ErrorCode"]) == ("FAIL", "15")


def test_vxp_lists_what_was_sent(trunk: Trunk) -> None:
    trunk.documents = [passed("d", "H37.1", copy_id="r1"), passed("d", "H37.2", copy_id="r2")]
    entries = asked(trunk, SENT, signed({"servicetype": "eDoc"}), {})["data"]
    assert [(one["senderDocId"], one["receiverDocId"], one["toCode"]) for one in entries] == [
        ("d", "r1", "H37.1"),
        ("d", "r2", "H37.2"),
    ]


def test_vxp_counts_its_queue(trunk: Trunk) -> None:
    answer = asked(trunk, COUNT_DOCUMENTS, signed({"servicetype": "eDoc"}))
    assert (answer["status"], answer["ErrorCode"], answer["count"]) == ("OK", "0", 3)


def test_acknowledging_shortens_the_queue(trunk: Trunk) -> None:
    asked(trunk, "/updateStatus", signed({"docId": "d", "status": "done"}), {})
    assert asked(trunk, COUNT_DOCUMENTS, signed({}))["count"] == 2
    assert trunk.written == 1


def test_vxp_may_not_listen_to_days(trunk: Trunk) -> None:
    days = {"fromDate": "2026/01/02", "toDate": "2026/01/03"}
    assert sent(trunk, **days) == ["doc-2", "doc-1"]
    trunk.listens = False
    assert len(sent(trunk, **days)) == 7
