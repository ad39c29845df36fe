"""The double itself keeps to the facts: a test for each line of its table."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.onestop import opencps_double
from tests.connectors.onestop.opencps_double import (
    BASE,
    GROUP,
    PASSWORD,
    STATISTICS,
    USER,
    Account,
    Deed,
    OpenCPS,
    at,
    serving,
)

A, B, C = "000.00.02.H44", "000.00.03.H44", "000.00.04.H44"
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
SITE = {"groupId": str(GROUP)}


def filed(number: int, day: int, agency: str = A, hour: int = 8, **facts: Any) -> Deed:
    return Deed(at(day, hour), number, "file", facts={"agency": agency, **facts})


@pytest.fixture
def double() -> Iterator[OpenCPS]:
    with serving() as one:
        yield one


def asked(double: OpenCPS, path: str = f"{BASE}/dossiers", headers: dict[str, str] | None = None, **query: Any) -> Any:
    parameters = "&".join(f"{name}={value}" for name, value in query.items())
    request = urllib.request.Request(
        f"{double.address}{path}?{parameters}", headers=BASIC | SITE if headers is None else headers
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def refused(double: OpenCPS, **how: Any) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        asked(double, **how)
    caught.value.close()
    return caught.value.code


def numbers(answer: Any) -> list[int]:
    return [item["dossierId"] for item in answer["data"]]


def only(double: OpenCPS) -> dict[str, Any]:
    (item,) = asked(double, start=0, end=5)["data"]
    found: dict[str, Any] = item
    return found


def three(double: OpenCPS) -> None:
    double.happen(filed(1, 20260105), filed(2, 20260106, B), filed(3, 20260107, C))
    double.move_clock(at(20260110))


def test_it_answers_below_its_base_alone(double: OpenCPS) -> None:
    assert asked(double)["total"] == 0
    double.base = "/secure/rest/v2"
    assert refused(double) == 404
    assert asked(double, path="/secure/rest/v2/dossiers")["total"] == 0


def test_it_knows_three_ways_to_log_in(double: OpenCPS) -> None:
    three(double)
    double.accounts["other"] = Account("x", token="abc", user_id=7)
    assert asked(double, headers=BASIC | SITE)["total"] == 3
    assert asked(double, headers={"Token": "abc"} | SITE)["total"] == 3
    assert asked(double, headers={"userId": "7", "accessToken": "abc"} | SITE)["total"] == 3
    assert refused(double, headers={"userId": "8", "accessToken": "abc"} | SITE) == 401


def test_it_refuses_by_status(double: OpenCPS) -> None:
    assert refused(double, headers=SITE) == 401
    assert refused(double, headers={"Token": "abc"} | SITE) == 401
    double.accounts["other"] = Account("x", token="abc", token_lasts=1)
    assert asked(double, headers={"Token": "abc"} | SITE)["total"] == 0
    assert refused(double, headers={"Token": "abc"} | SITE) == 401  # the session is over
    double.accounts[USER].may_list = False
    assert refused(double) == 403


def test_it_without_a_site_has_no_data(double: OpenCPS) -> None:
    three(double)
    double.happen(filed(9, 20260108, group=77))
    double.move_clock(at(20260111))
    assert asked(double, headers=BASIC) == {"total": 0, "data": []}
    assert numbers(asked(double, headers=BASIC | {"groupId": "77"})) == [9]


def test_it_without_an_end_answers_with_everything(double: OpenCPS) -> None:
    three(double)
    assert numbers(asked(double, start=2)) == [1, 2, 3]
    assert numbers(asked(double, start=2, end=0)) == [1, 2, 3]


def test_it_cuts_rows_with_an_exclusive_end(double: OpenCPS) -> None:
    three(double)
    answer = asked(double, start=1, end=2)
    assert (answer["total"], numbers(answer)) == (3, [2])


def test_its_items_have_the_types_of_the_facts(double: OpenCPS) -> None:
    double.happen(filed(1, 20260105))
    double.move_clock(at(20260110))
    item = only(double)
    assert (item["dossierId"], item["groupId"], item["online"], item["serviceLevel"]) == (1, GROUP, "true", 4)


def test_it_lists_in_the_order_of_creation(double: OpenCPS) -> None:
    double.happen(filed(1, 20260107), filed(2, 20260105), filed(3, 20260106))
    double.move_clock(at(20260110))
    assert numbers(asked(double)) == [2, 3, 1]
    assert numbers(asked(double, order="true")) == [1, 3, 2]


def test_it_narrows_to_the_accounts_scope(double: OpenCPS) -> None:
    three(double)
    double.accounts[USER].scope = [A, B]
    assert numbers(asked(double)) == [1, 2]
    assert numbers(asked(double, agency="all")) == [1, 2]
    assert numbers(asked(double, agency=C)) == [3]


def test_it_takes_lists_of_agencies_and_statuses(double: OpenCPS) -> None:
    three(double)
    double.happen(Deed(at(20260110, 9), 2, "receive"), Deed(at(20260110, 10), 3, "deny"))
    double.move_clock(at(20260111))
    assert numbers(asked(double, agency=f"{A},{C}")) == [1, 3]
    assert numbers(asked(double, status="processing,denied")) == [2, 3]
    assert numbers(asked(double, status="new", agency=f"{B},{C}")) == []


def received(double: OpenCPS) -> None:
    double.happen(filed(1, 20260105), Deed(at(20260105, 9), 1, "receive", due=at(20260112, 17)))
    double.happen(filed(2, 20260105), Deed(at(20260107, 23), 2, "receive", due=at(20260114, 17)))
    double.move_clock(at(20260110))


def test_it_drops_a_date_that_it_cannot_read(double: OpenCPS) -> None:
    received(double)
    assert numbers(asked(double, fromReceiveDate="06/01/2026", toReceiveDate="31/01/2026")) == [2]
    assert numbers(asked(double, fromReceiveDate="6/1/2026", toReceiveDate="31/1/2026")) == [2]
    assert numbers(asked(double, fromReceiveDate="2026-01-06", toReceiveDate="20260131")) == [1, 2]
    assert numbers(asked(double, fromReceiveDate="31/02/2026")) == [1, 2]


def test_it_reads_filter_days_in_its_own_zone() -> None:
    for zone, found in ((0, [1]), (7, [])):
        with serving() as double:
            double.zone = zone
            double.happen(filed(1, 20260105), Deed(at(20260107, 3), 1, "receive"))
            double.move_clock(at(20260110))
            assert numbers(asked(double, fromReceiveDate="06/01/2026", toReceiveDate="06/01/2026")) == found


def test_its_windows_hold_both_of_their_days(double: OpenCPS) -> None:
    double.zone = 7
    received(double)
    assert numbers(asked(double, fromReceiveDate="05/01/2026", toReceiveDate="07/01/2026")) == [1, 2]
    assert numbers(asked(double, fromDueDate="13/01/2026", toDueDate="14/01/2026")) == [2]


def test_it_has_no_filter_for_changes(double: OpenCPS) -> None:
    received(double)
    assert numbers(asked(double, fromModifiedDate="09/01/2026", toModifiedDate="10/01/2026")) == [1, 2]


def test_its_rows_shift_when_a_dossier_leaves(double: OpenCPS) -> None:
    three(double)
    assert numbers(asked(double, status="new", start=0, end=1)) == [1]
    double.happen(Deed(at(20260110, 9), 1, "deny"))
    double.move_clock(at(20260111))
    assert numbers(asked(double, status="new", start=1, end=3)) == [3]  # 2 is on neither


def test_its_unset_dates_are_empty_text(double: OpenCPS) -> None:
    double.happen(filed(1, 20260105))
    double.move_clock(at(20260110))
    item = only(double)
    assert (item["createDate"], item["receiveDate"], item["finishDate"]) == ("05/01/2026 08:00:00", "", "")
    assert item["dossierOverdue"] == "Quá hạn 2 ngày"
    assert item["applicantName"].startswith("CANARY")


def test_it_clears_dates_when_sent_back(double: OpenCPS) -> None:
    received(double)
    double.happen(Deed(at(20260110, 8), 1, "release"), Deed(at(20260110, 9), 1, "done"))
    double.move_clock(at(20260110, 10))
    item = asked(double, status="done")["data"][0]
    assert (item["releaseDate"], item["finishDate"]) == ("10/01/2026 08:00:00", "10/01/2026 09:00:00")
    double.happen(Deed(at(20260110, 11), 1, "back"))
    double.move_clock(at(20260110, 12))
    item = asked(double)["data"][0]
    assert (item["dossierStatus"], item["releaseDate"], item["finishDate"]) == ("processing", "", "")


def test_it_overwrites_due_dates(double: OpenCPS) -> None:
    received(double)
    # Friday to Monday: one working day is Saturday the 10th (worked in exchange), one is Monday.
    double.happen(Deed(at(20260109, 8), 1, "pause"), Deed(at(20260112, 9), 1, "resume"))
    double.move_clock(at(20260112, 10))
    assert asked(double)["data"][0]["dueDate"] == "14/01/2026 17:00:00"
    double.happen(Deed(at(20260112, 11), 1, "reset", due=at(20260120, 17)))
    double.move_clock(at(20260112, 12))
    assert asked(double)["data"][0]["dueDate"] == "20/01/2026 17:00:00"
    double.happen(Deed(at(20260112, 13), 1, "no_due"))
    double.move_clock(at(20260112, 14))
    assert asked(double)["data"][0]["dueDate"] == ""


def test_it_tells_a_pause_only_while_it_lasts(double: OpenCPS) -> None:
    received(double)
    double.happen(Deed(at(20260110, 8), 1, "pause"), Deed(at(20260110, 9), 1, "resume"))
    double.happen(Deed(at(20260110, 10), 1, "pause", lock="PAUSE_OVERDUE"))
    for hour, told in ((8, "PAUSE"), (9, ""), (10, "PAUSE_OVERDUE")):
        double.move_clock(at(20260110, hour, 30))
        assert asked(double)["data"][0]["lockState"] == told


@pytest.mark.parametrize(
    ("what", "status", "released", "finished"),
    [
        ("release", "releasing", True, False),
        ("unresolve", "unresolved", True, True),
        ("cancel", "cancelled", True, True),
        ("deny", "denied", True, True),
        ("done", "done", True, True),
    ],
)
def test_it_sets_dates_by_status(double: OpenCPS, what: Any, status: str, released: bool, finished: bool) -> None:
    double.happen(filed(1, 20260105), Deed(at(20260106), 1, what))
    double.move_clock(at(20260110))
    item = only(double)
    assert (item["dossierStatus"], bool(item["releaseDate"]), bool(item["finishDate"])) == (status, released, finished)


# --- statistics ------------------------------------------------------------------------------------------------------


def month(double: OpenCPS, agency: str = A, **query: Any) -> dict[str, Any]:
    """The stored row of all domains and systems of an agency, in January."""
    found = asked(double, path=STATISTICS, month=1, year=2026, agency=agency, **query)
    rows = [row for row in found["data"] if not row["domainCode"] and not row["system"]]
    return {name: value for name, value in rows[0].items() if value and name not in ("month", "year")} if rows else {}


def dossiers_of_each_class(double: OpenCPS) -> None:
    """One dossier for each line of the table of 1.4, received on 6 January unless it says so."""
    due = at(20260112, 17)

    def one(
        number: int, *deeds: tuple[str, int], due: int | None = due, received: int = 20260106, **facts: Any
    ) -> None:
        double.happen(filed(number, received, **facts), Deed(at(received, 9), number, "receive", due=due))
        for what, instant in deeds:
            double.happen(Deed(instant, number, what))  # type: ignore[arg-type]

    one(1, ("deny", at(20260106, 10)))
    one(2, ("release", at(20260112, 16)), received=20251229)  # carried over, released just before it was due
    one(3, ("release", at(20260112, 18)))  # an hour late, on its due day
    one(4, ("release", at(20260109, 9)), ("done", at(20260109, 10)))  # handed out before it was due: early
    one(5, ("release", at(20260109, 9)), due=None, online=False)  # no due date: on time
    one(6, ("unresolve", at(20260113, 9)))
    one(7, ("cancel", at(20260109, 9)))
    one(8)
    one(9, ("pause", at(20260108, 9)))
    one(10, ("release", at(20260202, 9)))
    one(11, received=20260202)
    double.move_clock(at(20260201, 1))
    double.count_month(2026, 1)


def test_its_counters_are_those_of_the_facts(double: OpenCPS) -> None:
    dossiers_of_each_class(double)
    assert month(double) == {
        "govAgencyCode": A,
        "govAgencyName": "Sở",
        "totalCount": 10,
        "deniedCount": 1,
        "processCount": 9,
        "remainingCount": 1,
        "receivedCount": 8,
        "onlineCount": 7,
        "onegateCount": 1,
        "waitingCount": 1,
        "processingCount": 2,
        "insideCount": 2,
        "overdueCount": 2,
        "cancelledCount": 1,
        "releaseCount": 5,
        "unresolvedCount": 1,
        "doneCount": 1,
        "releasingCount": 3,
        "overtimeCount": 2,
        "betimesCount": 1,
        "ontimeCount": 2,
        "ontimePercentage": 60,
    }


def test_its_percentage_is_cut(double: OpenCPS) -> None:
    for number, day in ((1, 20260113), (2, 20260109), (3, 20260109)):
        double.happen(filed(number, 20260106), Deed(at(20260106, 9), number, "receive", due=at(20260112, 17)))
        double.happen(Deed(at(day, 9), number, "release"))
    double.happen(filed(4, 20260106, B), Deed(at(20260106, 9), 4, "receive", due=at(20260112, 17)))
    double.move_clock(at(20260201))
    double.count_month(2026, 1)
    assert month(double)["ontimePercentage"] == 66
    assert month(double, B)["ontimePercentage"] == 100


def test_it_reads_noon_as_midnight(double: OpenCPS) -> None:
    double.happen(filed(1, 20260106), Deed(at(20260106, 9), 1, "receive", due=at(20260112, 11)))
    double.happen(Deed(at(20260112, 12, 30), 1, "release"))
    double.move_clock(at(20260201))
    double.count_month(2026, 1)
    assert "overtimeCount" not in month(double)


def test_it_stores_sums_beside_their_parts(double: OpenCPS) -> None:
    for number, agency in ((1, A), (2, B)):
        double.happen(filed(number, 20260106, agency), Deed(at(20260106, 9), number, "receive", due=None))
    double.move_clock(at(20260201))
    double.count_month(2026, 1)
    rows = asked(double, path=STATISTICS, month=1, year=2026)["data"]
    assert len(rows) == 3 * 2 * 2
    assert sum(row["receivedCount"] for row in rows) == 2 * 8
    assert all(
        row["govAgencyCode"] == A for row in asked(double, path=STATISTICS, month=1, year=2026, agency=A)["data"]
    )


def test_it_answers_with_what_was_stored(double: OpenCPS) -> None:
    double.happen(filed(1, 20260106), Deed(at(20260106, 9), 1, "receive", due=None))
    double.move_clock(at(20260110))
    assert month(double) == {}
    double.count_month(2026, 1)
    double.happen(filed(2, 20260112), Deed(at(20260112, 9), 2, "receive", due=None))
    double.move_clock(at(20260113))
    assert month(double)["receivedCount"] == 1
    assert asked(double, path=STATISTICS, month=1, year=2026, agency=A, headers=BASIC)["data"] == []


def test_it_counts_days_in_another_way(double: OpenCPS) -> None:
    double.happen(filed(1, 20260106), Deed(at(20260106, 9), 1, "receive", due=at(20260112, 17)))
    double.happen(Deed(at(20260112, 12), 1, "release"))  # in the morning of a due afternoon: early
    double.happen(
        filed(2, 20260106), Deed(at(20260106, 9), 2, "receive", due=None), Deed(at(20260112, 9), 2, "release")
    )
    double.move_clock(at(20260201))
    double.count_month(2026, 1)
    days = asked(double, path=STATISTICS, fromStatisticDate="1/1/2026", toStatisticDate="31/01/2026", agency=A)
    assert days["data"] == [{"betimesCount": 2, "ontimeCount": 0, "overtimeCount": 0, "releaseCount": 2}]
    assert month(double)["ontimeCount"] == 2


def test_it_rewrites_statistics_when_asked(double: OpenCPS) -> None:
    asked(double, path=STATISTICS, month=1, year=2026)
    assert double.rewritten == 0
    asked(double, path=STATISTICS, month=1, year=2026, reCalculate=1)
    assert double.rewritten == 1


def test_each_line_of_the_table_of_facts_has_its_test() -> None:
    table = (opencps_double.__doc__ or "").splitlines()
    named = [line.split("|")[2].strip() for line in table if line.startswith("|") and "test_it" in line]
    assert len(named) == 27
    assert set(named) == {name for name in globals() if name.startswith(("test_it_", "test_its_"))}
