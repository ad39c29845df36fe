import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Select, String, delete, select, text, update

from collector.contract.connector import BadRow, Batch, Covered, Want
from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import day_start
from collector.contract.records import Delivery, Document
from connectors.docmgmt import sql_register
from tests.connectors.docmgmt.register import (
    BEGAN,
    WANT,
    Register,
    after,
    config,
    deliveries,
    delivery,
    document,
    door,
    fetched,
    kept,
    local,
    register,
)

# 2026-01-15 08:30:00.123456 in Vietnam is 2026-01-15 01:30:00.123456 UTC.
MORNING = local(2026, 1, 15, 8, 30, 0, 123456)
MORNING_VERSION = 1_768_440_600_123_456


def test_documents_and_deliveries_become_the_golden_records(site: Register) -> None:
    site.write(
        document(1, MORNING),
        document(2, MORNING, paper="Có", signed=0, recalled=1, status=None, agency="000.00.02.H44"),
        document(3, MORNING, issued=None, agency=None),
        document(4, MORNING, deleted=1),
    )
    site.deliver(
        delivery(7, 1, MORNING),
        delivery(8, 1, MORNING, code="H37.12", electronic="error", sent=None),
        delivery(9, 2, MORNING, code=None, electronic="pending", deleted=1),
        delivery(10, 99, MORNING, code="văn thư"),
    )
    batches = fetched(site.url, config())
    v = MORNING_VERSION
    shown, untold = "Đã phát hành", (*(None,) * 5, 0)
    assert kept(batches) == {
        "1": ("1", "H44.02", v, 0, "out", None, 20260115, None, 0, 1, 0, None, None, None, None, shown),
        "2": ("2", "000.00.02.H44", v, 0, "out", None, 20260115, None, 1, 0, 1, None, None, None, None, None),
        "3": ("3", "", v, 0, "out", None, None, None, 0, 1, 0, None, None, None, None, shown),
        "4": ("4", "H44.02", v, 1, "out", None, 20260115, None, 0, 1, 0, None, None, None, None, shown),
    }
    assert deliveries(batches) == {
        "1|7": ("1|7", "", v, 0, "1", "000.00.03.H44", 0, 1, 20260115, *untold),
        "1|8": ("1|8", "", v, 0, "1", "H37.12", 1, 0, None, *untold),
        "2|9": ("2|9", "", v, 1, "2", None, None, None, 20260115, *untold),
        "99|10": ("99|10", "", v, 0, "99", "văn thư", None, 1, 20260115, *untold),
    }
    assert [type(one) for row in kept(batches).values() for one in row[2:4]] == [int] * 8
    assert sum(one.read for one in batches) == 8


def test_only_the_last_batch_covers_the_days_wanted(site: Register) -> None:
    site.write(*(document(n, MORNING) for n in range(5)))
    batches = fetched(site.url, config(page_size=2))
    assert [one.covers for one in batches[:-1]] == [()] * (len(batches) - 1)
    assert batches[-1].covers == (Covered(Document, 20251231, 20260228), Covered(Delivery, 20251231, 20260228))


def test_an_empty_register_is_no_error_and_is_covered(site: Register) -> None:
    (batch,) = fetched(site.url, config())
    assert batch.rows == {}
    assert len(batch.covers) == 2
    assert fetched(site.url, config(), after([batch]))[-1].rows == {}


def test_nothing_is_covered_before_the_first_day_is_over(file: Register) -> None:
    assert fetched(file.url, config(), replace(WANT, first_day=20260301, last_day=20260228))[-1].covers == ()


def _month_of_rows() -> list[dict[str, Any]]:
    # Many share a time, some have none, and ids are not in the order of time.
    return [
        document((n * 37) % 101, None if n % 10 == 0 else MORNING + timedelta(minutes=n // 7), status=f"lần {n}")
        for n in range(101)
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_however_pages_are_cut_the_rows_are_the_same(site: Register, size: int) -> None:
    site.write(*_month_of_rows())
    site.deliver(*(delivery(n, n % 13, MORNING + timedelta(seconds=n // 5)) for n in range(50)))
    batches = fetched(site.url, config(page_size=size))
    assert len(kept(batches)) == 101
    assert len(deliveries(batches)) == 50
    assert sum(one.read for one in batches) == 151
    assert kept(batches) == kept(fetched(site.url, config()))
    assert max(one.read for one in batches) <= size


@pytest.mark.parametrize("size", [7, 1000])
def test_pages_read_in_any_order_or_twice_keep_the_newest_version(site: Register, size: int) -> None:
    site.write(*_month_of_rows())
    first = fetched(site.url, config(page_size=size))
    with site.engine.begin() as connection:
        number, changed, status = (site.documents.c[one] for one in ("Mã văn bản", "Cập nhật lúc", "Trạng thái"))
        connection.execute(
            update(site.documents).where(number < 20).values({changed: local(2026, 3, 1, 8, 1), status: "mới"})
        )
    second = fetched(site.url, config(page_size=size), after(first), BEGAN + 3600)
    straight = kept([*first, *second])
    assert {row[-1] for key, row in straight.items() if int(key) < 20} == {"mới"}
    assert kept([*reversed(second), *reversed(first), *second[::2]]) == straight


def test_a_thousand_rows_of_one_instant_are_paged_through(site: Register) -> None:
    site.write(*(document(n, MORNING) for n in range(1500)))
    batches = fetched(site.url, config(page_size=100))
    assert sum(one.read for one in batches) == 1500
    assert len(kept(batches)) == 1500


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_ids_of_text_page_as_numbers_do(empty: str, size: int) -> None:
    with register(empty, key=String(40)) as site:
        names = ["12/QĐ-UBND", "Ấ", "a", "B", "z z", "100", "99", "Đ", "x%", "o'q"]
        site.write(*(document(name, MORNING if n % 2 else None) for n, name in enumerate(names)))
        site.deliver(*(delivery(n, name, MORNING) for n, name in enumerate(names)))
        batches = fetched(site.url, config(page_size=size))
        assert set(kept(batches)) == set(names)
        assert {row[4] for row in deliveries(batches).values()} == set(names)
        assert sum(one.read for one in batches) == 20


class Interrupted:
    """A door that lets something happen at the source between two pages."""

    def __init__(self, inner: Rows, events: Iterator[Any]) -> None:
        self._inner, self._events = inner, events

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def rows(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]:
        found = self._inner.rows(statement)
        next(self._events, None)
        return found


def test_rows_that_come_and_go_between_pages_lose_no_other(site: Register) -> None:
    site.write(*(document(n, MORNING + timedelta(minutes=n)) for n in range(40)))

    def events() -> Iterator[None]:
        number, changed = site.documents.c["Mã văn bản"], site.documents.c["Cập nhật lúc"]
        for n in range(6):
            with site.engine.begin() as connection:
                connection.execute(delete(site.documents).where(number == n))  # already read: pages would shift
                connection.execute(
                    update(site.documents).where(number == 39 - n).values({changed: MORNING + timedelta(days=1)})
                )
            site.write(document(100 + n, MORNING + timedelta(days=1, minutes=n)))
            yield

    with door(site.url) as opened:
        batches = list(sql_register.fetch(config(page_size=5), Interrupted(opened, events()), WANT))
    with site.engine.connect() as connection:
        there = {str(one) for one in connection.scalars(select(site.documents.c["Mã văn bản"]))}
    assert there - set(kept(batches)) == set()


def test_an_ordinary_run_starts_the_overlap_before_what_was_read(site: Register) -> None:
    site.write(document(1, MORNING - timedelta(seconds=601)), document(2, MORNING - timedelta(seconds=600)))
    site.write(document(3, MORNING))
    first = fetched(site.url, config())
    site.write(document(4, MORNING - timedelta(seconds=300)))  # committed late
    again = fetched(site.url, config(), after(first))
    assert set(kept(again)) == {"2", "3", "4"}
    assert set(kept(fetched(site.url, config(overlap=0), after(first)))) == {"3"}


def test_a_cursor_is_json_and_keeps_the_source_s_microseconds(site: Register) -> None:
    site.write(document(1, MORNING))
    cursor = fetched(site.url, config())[-1].cursor
    assert cursor is not None
    assert json.loads(json.dumps(cursor)) == cursor
    assert cursor["documents"]["through"]["value"].replace("T", " ") == "2026-01-15 08:30:00.123456"


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(site: Register) -> None:
    site.write(*_month_of_rows())
    site.deliver(*(delivery(n, n, MORNING) for n in range(9)))
    mapped = config(page_size=4)
    whole = fetched(site.url, mapped)
    for stop in range(1, len(whole)):
        rest = fetched(site.url, mapped, after(whole[:stop]), BEGAN)
        assert kept([*whole[:stop], *rest]) == kept(whole)
        assert deliveries([*whole[:stop], *rest]) == deliveries(whole)
        # It does not begin anew: what a deadline cuts off must come to an end some day.
        assert len(rest) == len(whole) - stop or stop >= 26


def test_a_pass_cut_off_and_finished_later_is_followed_by_one_from_its_own_beginning(file: Register) -> None:
    begun = day_start(20260115) + 9 * 3600
    file.write(*(document(n, MORNING + timedelta(minutes=n)) for n in range(20)))
    mapped = config(page_size=10)
    cut_off = fetched(file.url, mapped, began=begun)[:1]
    file.write(document(50, MORNING + timedelta(days=2)), document(51, MORNING + timedelta(minutes=29)))
    rest = fetched(file.url, mapped, after(cut_off))
    # Committed late, while the first run was reading: only a start before that run's beginning finds it.
    file.write(document(60, MORNING + timedelta(minutes=25)))
    assert "60" in kept(fetched(file.url, mapped, after(rest)))


def test_a_row_from_the_future_holds_nothing_up(site: Register) -> None:
    site.write(document(1, MORNING), document(2, local(2099, 1, 1)))
    first = fetched(site.url, config())
    assert set(kept(first)) == {"1", "2"}
    site.write(document(3, MORNING + timedelta(days=1)))
    assert "3" in kept(fetched(site.url, config(), after(first)))


def test_rows_without_a_changed_value_are_read_in_every_run_as_of_its_start(site: Register) -> None:
    site.write(document(1, MORNING), *(document(n, None, status="cũ") for n in range(2, 9)))
    first = fetched(site.url, config(page_size=3))
    assert {row[2] for key, row in kept(first).items() if key != "1"} == {BEGAN * 1_000_000}
    with site.engine.begin() as connection:
        connection.execute(
            update(site.documents).where(site.documents.c["Mã văn bản"] == 5).values({"Trạng thái": "mới"})
        )
    second = fetched(site.url, config(page_size=3), after(first), BEGAN + 60)
    assert kept([*second, *first])["5"][-1] == "mới"
    assert len(kept(second)) == 8


def test_values_that_the_mapping_does_not_explain_are_unknown(site: Register) -> None:
    site.write(
        document(1, MORNING, paper="không rõ", signed=None, recalled=7),
        document(2, MORNING, paper=None, deleted=None),
        document(3, MORNING, paper="có"),
        document(4, MORNING, paper=" Có "),
    )
    rows = kept(fetched(site.url, config()))
    assert [row[8] for row in rows.values()] == [None, None, None, 1]
    assert rows["1"][9:11] == (None, None)
    assert rows["2"][3] == 0


def test_a_deletion_is_read_as_a_change(site: Register) -> None:
    site.write(document(1, MORNING), document(2, MORNING))
    first = fetched(site.url, config())
    with site.engine.begin() as connection:
        connection.execute(
            update(site.documents)
            .where(site.documents.c["Mã văn bản"] == 2)
            .values({"Đã xoá": 1, "Cập nhật lúc": MORNING + timedelta(hours=1)})
        )
    rows = kept([*first, *fetched(site.url, config(), after(first))])
    assert {key: row[3] for key, row in rows.items()} == {"1": 0, "2": 1}


def test_a_time_of_deletion_is_a_flag_by_its_mere_presence(file: Register) -> None:
    file.write(document(1, MORNING, status=None), document(2, MORNING, status="2026-01-16"))
    told = config({"deleted": "Trạng thái", "status": None, "values": {"deleted": {"": 0, "*": 1}}})
    assert {key: row[3] for key, row in kept(fetched(file.url, told)).items()} == {"1": 0, "2": 1}


def test_a_renamed_column_is_named_and_so_is_what_it_may_be_called_now(site: Register) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(site.url, config({"issued": "NGÀY ban hành"}))
    assert caught.value.field == "NGÀY ban hành"
    assert "Ngày ban hành" in caught.value.mend
    assert caught.value.source == "documents"


def test_a_table_that_is_not_there_is_named(site: Register) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(site.url, config({"table": "Văn bản đến"}))
    assert caught.value.field == "Văn bản đến"


def test_a_hostile_name_is_a_name_and_nothing_else(site: Register) -> None:
    site.write(document(1, MORNING))
    for name in ('x"; DROP TABLE "Văn bản đi"; --', "1) OR (1=1", "Mã cơ quan, Trích yếu"):
        with pytest.raises(UnexpectedAnswer):
            fetched(site.url, config({"agency": name}))
    assert set(kept(fetched(site.url, config()))) == {"1"}


def test_diacritics_may_be_typed_in_either_unicode_form(site: Register) -> None:
    from unicodedata import normalize

    site.write(document(1, MORNING, paper=normalize("NFD", "Có")))
    told = config({"issued": normalize("NFD", "Ngày ban hành"), "paper": normalize("NFD", "Gửi kèm bản giấy")})
    rows = kept(fetched(site.url, told))
    assert rows["1"][6] == 20260115
    assert rows["1"][8] == 1


@pytest.mark.parametrize("size", [7, 1000])
def test_one_bad_row_among_200_is_set_aside_and_the_others_go_on(site: Register, size: int) -> None:
    site.write(*(document(n, MORNING, status="x" * 501 if n == 77 else "ok") for n in range(200)))
    batches = fetched(site.url, config(page_size=size))
    assert len(kept(batches)) == 199
    assert [one for batch in batches for one in batch.bad] == [
        BadRow(Document, "77", "Trạng thái", "is longer than 500 characters")
    ]
    assert batches[-1].covers


@pytest.mark.parametrize("size", [7, 1000])
def test_three_percent_of_bad_rows_stop_the_source(site: Register, size: int) -> None:
    site.write(*(document(n, MORNING, status="x" * 501 if n % 33 == 0 else "ok") for n in range(200)))
    yielded: list[Batch] = []
    with door(site.url) as opened, pytest.raises(UnexpectedAnswer) as caught:
        yielded.extend(sql_register.fetch(config(page_size=size), opened, WANT))
    assert caught.value.field == "Trạng thái"
    assert [one.covers for one in yielded] == [()] * len(yielded)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_rows_without_an_id_are_bad_and_hide_no_other(site: Register, size: int) -> None:
    site.write(*(document(n if n % 4 else None, MORNING if n < 8 else None) for n in range(16)))
    with pytest.raises(UnexpectedAnswer) as caught:
        fetched(site.url, config(page_size=size))
    assert caught.value.field == "Mã văn bản"
    site.write(*(document(n, MORNING) for n in range(100, 500)))
    batches = fetched(site.url, config(page_size=size))
    assert {int(key) for key in kept(batches)} == {n for n in range(16) if n % 4} | set(range(100, 500))
    assert {(one.key, one.field) for batch in batches for one in batch.bad} == {("(no id)", "Mã văn bản")}


def test_a_window_reads_the_documents_of_its_days_and_their_deliveries(site: Register) -> None:
    for number, day in ((1, 14), (2, 15), (3, 16), (4, 17)):
        site.write(document(number, None if number == 3 else MORNING, issued=date(2026, 1, day)))
        site.deliver(delivery(number * 10, number, MORNING), delivery(number * 10 + 1, number, MORNING))
    site.write(document(5, MORNING, issued=None))
    want = replace(WANT, first_day=20260115, last_day=20260116, window=True)
    for size in (1, 1000):
        batches = fetched(site.url, config(page_size=size), want)
        assert set(kept(batches)) == {"2", "3"}
        assert set(deliveries(batches)) == {"2|20", "2|21", "3|30", "3|31"}
        assert {one.cursor for one in batches} == {None}
        assert batches[-1].covers == (Covered(Document, 20260115, 20260116), Covered(Delivery, 20260115, 20260116))


@pytest.mark.parametrize("window", [True, False])
def test_a_run_for_some_agencies_reads_only_theirs_and_covers_nothing(site: Register, window: bool) -> None:
    site.write(document(1, MORNING), document(2, MORNING, agency="H44.03"), document(3, MORNING, agency=None))
    site.deliver(*(delivery(n * 10, n, MORNING) for n in (1, 2, 3)))
    want = replace(WANT, window=window, agencies=frozenset({"H44.03", "000.00.03.H44"}))
    batches = fetched(site.url, config(), want)
    assert set(kept(batches)) == {"2"}
    assert set(deliveries(batches)) == {"2|20"}
    assert [(one.cursor, one.covers) for one in batches] == [(None, ())] * len(batches)


def test_a_document_issued_before_the_first_day_is_left_out_or_taken_back(file: Register) -> None:
    file.write(
        document(1, local(2025, 12, 30, 12), issued=date(2025, 12, 30)),
        document(2, MORNING, issued=date(2025, 12, 30)),
        document(3, MORNING, issued=date(2025, 12, 31)),
    )
    assert {key: row[3] for key, row in kept(fetched(file.url, config())).items()} == {"2": 1, "3": 0}


def test_another_mapping_reads_everything_again(site: Register) -> None:
    site.write(*(document(n, MORNING + timedelta(days=n)) for n in range(5)))
    first = fetched(site.url, config())
    told = config({"values": {"paper": {"Không": 1}}})
    assert len(kept(fetched(site.url, told, after(first)))) == 5
    assert len(kept(fetched(site.url, config(page_size=2, overlap=0), after(first)))) == 1


def test_deliveries_without_a_changed_column_follow_their_document(site: Register) -> None:
    from tests.connectors.docmgmt.register import MAPPING

    told = {**MAPPING["deliveries"], "changed": None}
    for number in range(5):
        site.write(document(number, MORNING + timedelta(days=number) if number else None))
        site.deliver(*(delivery(number * 10 + n, number, local(2020, 1, 1)) for n in range(3)))
    mapped = config(deliveries=told, page_size=2)
    first = fetched(site.url, mapped)
    assert len(deliveries(first)) == 15
    assert deliveries(first)["4|41"][2] == MORNING_VERSION + 4 * 86_400_000_000
    again = fetched(site.url, mapped, after(first))
    assert set(deliveries(again)) == {f"{n}|{n * 10 + one}" for n in (0, 4) for one in range(3)}


def test_recipients_in_a_list_decide_the_scope(file: Register) -> None:
    lists = ["H44.01; 000.00.02.H44", "H44.01;H37.05", "H44.01;ai đó", "H37.05;ai đó", " ", None]
    file.write(*(document(n, MORNING, status=one) for n, one in enumerate(lists)))
    inside = {"column": "Trạng thái", "separator": ";", "inside": ["H44.", ".H44"]}
    rows = kept(fetched(file.url, config({"recipients": inside, "status": None}, deliveries=None)))
    assert [row[5] for row in rows.values()] == ["internal", "external", None, "external", None, None]


def test_changed_columns_of_text_must_be_written_in_one_way(tmp_path: Any) -> None:
    with register(f"sqlite:///{tmp_path / 'r.db'}", changed=String) as site:
        site.write(document(1, "2026-01-15 08:30:00"), document(2, "2026-01-15T08:30:00"))
        with pytest.raises(UnexpectedAnswer) as caught:
            fetched(site.url, config(page_size=1))
        assert caught.value.field == "Cập nhật lúc"


@pytest.mark.parametrize(
    ("form", "late", "missed"),
    [
        ("%Y-%m-%d %H:%M:%S", 300, 601),
        ("%Y-%m-%d %H:%M", 300, 661),
        ("%Y-%m-%dT%H:%M:%S.%f", 300, 601),
        ("%Y-%m-%dT%H:%M:%S+07:00", 300, 601),
        ("%Y-%m-%d", 3600, 48 * 3600),
    ],
)
def test_the_overlap_holds_for_times_written_as_text(tmp_path: Any, form: str, late: int, missed: int) -> None:
    with register(f"sqlite:///{tmp_path / 'r.db'}", changed=String) as site:
        last = local(2026, 1, 15, 8, 30)
        site.write(document(1, last.strftime(form)))
        first = fetched(site.url, config())
        site.write(document(2, (last - timedelta(seconds=late)).strftime(form)))
        site.write(document(3, (last - timedelta(seconds=missed)).strftime(form)))
        assert set(kept(fetched(site.url, config(), after(first)))) == {"1", "2"}


def test_garbage_in_the_changed_column_does_not_hold_the_cursor_up(tmp_path: Any) -> None:
    with register(f"sqlite:///{tmp_path / 'r.db'}", changed=String) as site:
        site.write(*(document(n, "2026-01-15 08:30:00") for n in range(5)), document(9, "zzz"))
        first = fetched(site.url, config())
        assert [one.key for batch in first for one in batch.bad] == ["9"]
        site.write(document(10, "2026-01-16 08:30:00"))
        assert "10" in kept(fetched(site.url, config(), after(first)))


def test_numbers_since_the_epoch_are_followed(file: Register, tmp_path: Any) -> None:
    from sqlalchemy import BigInteger

    with register(f"sqlite:///{tmp_path / 'numbers.db'}", changed=BigInteger) as site:
        told = config({"formats": {"changed": "epoch_milliseconds"}})
        site.write(document(1, MORNING_VERSION // 1000), document(2, MORNING_VERSION // 1000 - 700_000))
        first = fetched(site.url, told)
        assert kept(first)["1"][2] == MORNING_VERSION // 1000 * 1000
        assert set(kept(fetched(site.url, told, after(first)))) == {"1"}
        site.write(*(document(n, MORNING_VERSION // 1000) for n in range(10, 30)))
        with pytest.raises(UnexpectedAnswer, match="formats"):
            fetched(site.url, config())


@pytest.mark.server("postgresql")
def test_a_time_with_a_zone_near_midnight_keeps_its_local_day(postgresql: Any) -> None:
    with register(postgresql.database("vanban")) as site:
        with site.engine.begin() as connection:
            connection.execute(text('ALTER TABLE "Văn bản đi" ALTER "Ngày ban hành" TYPE timestamptz'))
            connection.execute(text('ALTER TABLE "Văn bản đi" ALTER "Cập nhật lúc" TYPE timestamptz'))
            connection.execute(text("SET TIME ZONE 'UTC'"))
            connection.execute(
                text(
                    'INSERT INTO "Văn bản đi" ("Mã văn bản", "Ngày ban hành", "Cập nhật lúc") VALUES '
                    "(1, '2026-01-14 16:59:59.999999Z', '2026-01-15 01:30:00.123456Z'),"
                    "(2, '2026-01-14 17:00:00Z', '2026-01-15 01:30:00.123456Z'),"
                    "(3, '2026-01-15 16:59:59Z', '2026-01-15 01:30:00.123456Z'),"
                    "(4, '2026-01-15 17:00:00Z', '2026-01-15 01:30:00.123456Z')"
                )
            )
        first = fetched(site.url, config(page_size=1))
        assert [row[6] for row in kept(first).values()] == [20260114, 20260115, 20260115, 20260116]
        assert {row[2] for row in kept(first).values()} == {MORNING_VERSION}
        assert len(kept(fetched(site.url, config(), after(first)))) == 4
        want = replace(WANT, first_day=20260115, last_day=20260115, window=True)
        assert set(kept(fetched(site.url, config(), want))) == {"2", "3"}


@pytest.mark.server("postgresql")
def test_ids_that_are_uuids_page_too(postgresql: Any) -> None:
    from uuid import UUID

    from sqlalchemy import Uuid

    with register(postgresql.database("vanban"), key=Uuid) as site:
        numbers = [UUID(int=n * 7919) for n in range(1, 30)]
        site.write(*(document(one, MORNING) for one in numbers))
        assert set(kept(fetched(site.url, config(page_size=4)))) == set(map(str, numbers))


def test_the_days_of_times_without_a_zone_follow_the_setting(file: Register) -> None:
    file.deliver(delivery(1, 1, MORNING, sent=local(2026, 1, 15, 18, 0)))
    assert deliveries(fetched(file.url, config()))["1|1"][8] == 20260115
    assert deliveries(fetched(file.url, config(time_zone="UTC")))["1|1"][8] == 20260116


def test_probe_looks_at_everything_and_admits_what_it_cannot_prove(site: Register) -> None:
    site.write(document(1, MORNING), document(2, None))
    with door(site.url) as opened:
        found = {(one.stage, one.result): one.says for one in sql_register.probe(config(), opened)}
    assert {stage for stage, _ in found} == {"reach", "columns", "page", "clock", "changed", "read-only"}
    assert found["changed", "unproved"].startswith("1 of 2 rows of document")
    assert ("page", "ok") in found
    assert ("page", "unproved") in found  # no delivery at all


def test_probe_raises_what_the_mapping_gets_wrong(site: Register) -> None:
    with door(site.url) as opened, pytest.raises(UnexpectedAnswer):
        list(sql_register.probe(config({"issued": "Ngày"}), opened))


def test_wanting_twice_is_wanting_once(site: Register) -> None:
    site.write(*_month_of_rows())
    first = fetched(site.url, config())
    second = fetched(site.url, config(), after(first))
    third = fetched(site.url, config(), after(second))
    assert after(third) == after(second) == after(first)
    assert Want(**{name: getattr(WANT, name) for name in ("cursor", "since", "first_day", "last_day")}) == WANT


class Coarse:
    """A door whose driver shows seconds only, of a column that has microseconds."""

    def __init__(self, inner: Rows) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def rows(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]:
        return [
            tuple(one[:19] if isinstance(one, str) and one[:3] == "202" and one[10:11] == " " else one for one in row)
            for row in self._inner.rows(statement)
        ]


def test_a_driver_that_shows_less_than_it_compares_is_told_apart_from_an_endless_source(file: Register) -> None:
    file.write(*(document(n, MORNING) for n in range(5)))
    with door(file.url) as opened, pytest.raises(UnexpectedAnswer, match="again and again") as caught:
        list(sql_register.fetch(config(page_size=2), Coarse(opened), WANT))
    assert caught.value.field == "Cập nhật lúc"


def test_a_single_bad_row_among_few_stops_nothing(file: Register) -> None:
    file.write(*(document(n, MORNING, status="x" * 501 if n == 5 else "ok") for n in range(12)))
    assert len(kept(fetched(file.url, config()))) == 11


def test_a_window_finds_days_whose_text_is_in_another_zone(file: Register) -> None:
    # 00:00 on the 15th in Vietnam is still the 14th in UTC.
    file.write(document(1, MORNING, status="2026-01-14T17:00:00Z"), document(2, MORNING, status="2026-01-15T17:00:00Z"))
    want = replace(WANT, first_day=20260115, last_day=20260115, window=True)
    mapped = config({"issued": "Trạng thái", "status": None}, deliveries=None)
    assert set(kept(fetched(file.url, mapped, want))) == {"1"}
