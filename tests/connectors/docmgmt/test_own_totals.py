"""What a document register and VXP count themselves, for `collector compare`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Column, Date, DateTime, Integer, MetaData, String, Table, insert

from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import day_start, parse_period
from collector.contract.records import Document
from collector.contract.reported import Report, Total
from connectors.docmgmt import sql_register, trunk
from tests.connectors.docmgmt.register import Register, config, door, local, register
from tests.connectors.docmgmt.trunk_double import COUNT_DOCUMENTS, COUNT_STATUSES, SYSTEM, serving
from tests.connectors.docmgmt.trunk_runs import received_config, sent_config, trunk_door

FEBRUARY = parse_period("2026-02")
TOTALS: dict[str, Any] = {
    "table": "Thống kê tháng",
    "agency": "Mã cơ quan",
    "year": "Năm",
    "month": "Tháng",
    "totals": {"issued": ["Văn bản đi"], "electronic": ["Điện tử", "Song song"]},
    "made": "Lập lúc",
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Register]:
    with register(f"sqlite:///{tmp_path / 'documents.sqlite'}") as one:
        table = Table(
            "Thống kê tháng",
            MetaData(),
            Column("Mã cơ quan", String(40)),
            *(Column(name, Integer) for name in ("Năm", "Tháng", "Văn bản đi", "Điện tử", "Song song")),
            Column("Lập lúc", DateTime),
            Column("Ngày lập", Date),
        )
        table.create(one.engine)
        rows = [
            ("H44.02", 2026, 2, 120, 90, 7, local(2026, 3, 1, 1)),
            ("H44.03", 2026, 2, 80, None, 1, local(2026, 3, 1, 2)),
            ("H44.02", 2026, 1, 99, 9, 9, local(2026, 2, 1, 1)),
        ]
        with one.engine.begin() as connection:
            for row in rows:
                connection.execute(insert(table).values(dict(zip(table.c.keys(), row, strict=False))))
        yield one


def told(site: Register, **changes: Any) -> list[Report]:
    mapping = config(totals=TOTALS | changes)
    with door(site.url) as opened:
        return list(sql_register.reported(mapping, opened, FEBRUARY))


def test_a_register_tells_its_own_totals_by_agency_and_month(site: Register) -> None:
    (one,) = told(site)
    assert one.record is Document
    assert one.totals == [
        Total("H44.02", "issued", 120),
        Total("H44.02", "electronic", 97),
        Total("H44.03", "issued", 80),
    ]
    assert one.made == day_start(20260301) + 3_600
    assert one.rules is not None
    assert one.rules.recalled == "out"


def test_what_was_recalled_may_be_in_them_and_a_day_of_counting_is_over_at_its_end(site: Register) -> None:
    (one,) = told(site, recalled="counted", made=None)
    assert one.rules is not None
    assert (one.rules.recalled, one.made) == ("counted", None)


def test_a_column_that_is_not_there_is_named(site: Register) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        told(site, month="Thang")
    assert caught.value.field == "Thang"


def test_without_a_table_of_totals_a_register_publishes_nothing(site: Register) -> None:
    assert not sql_register.publishes(config())
    assert sql_register.publishes(config(totals=TOTALS))
    with door(site.url) as opened:
        assert list(sql_register.reported(config(), opened, FEBRUARY)) == []
    with pytest.raises(ValidationError):
        config(totals=TOTALS | {"totals": {"received": "x"}})


def test_a_table_of_totals_does_not_change_what_a_cursor_means() -> None:
    for part in ("documents", "deliveries"):
        assert config().fingerprint(part) == config(totals=TOTALS).fingerprint(part)


def test_vxp_tells_how_many_documents_wait_and_nothing_is_acknowledged() -> None:
    with serving() as server:
        server.waiting = {COUNT_DOCUMENTS: 17, COUNT_STATUSES: 3}
        with trunk_door(server) as opened:
            (one,) = trunk.reported(sent_config(), opened, FEBRUARY)
        assert one.totals == [Total(SYSTEM, "waiting", 17)]
        assert one.rules is None
        assert [(method, path) for method, path, *_ in server.requests] == [("GET", COUNT_DOCUMENTS)]
        assert server.written == 0


def test_a_trunk_without_counters_publishes_nothing() -> None:
    assert trunk.publishes(sent_config())
    for other in (received_config(), sent_config(counts={})):
        assert not trunk.publishes(other)
        assert list(trunk.reported(other, None, FEBRUARY)) == []
