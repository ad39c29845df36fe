"""Which mailboxes there are in a month, as the lists of that month tell."""

from pathlib import Path

import pytest

from collector.contract.errors import UnexpectedAnswer
from collector.contract.records import Mailbox, MailboxDay
from connectors.email.mail_log import Config, offers, probe
from tests.connectors.email.mail_lines import at, login, text
from tests.connectors.email.reading import Door, Kept, pseudonym, put, run

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "vanthu@syt.example.gov.vn"
DUNG, EM = "dung@syt.example.gov.vn", "em@syt.example.gov.vn"
BEGAN = at("2026-02-20 08:00:00")
SINCE = 20260101
HEADER = "address,kind,state,created"


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> None:
    """The log beside the lists is there, and nobody has written to it yet."""
    (tmp_path / "mail.log").touch()


def lists(folder: Path, content: dict[str, list[str]], header: str = HEADER) -> None:
    for name, lines in content.items():
        put(folder / name, "\n".join([header, *lines, ""]).encode(), at("2026-02-19 08:00:00"))


def rows(kept: Kept, month: int) -> dict[str, tuple[object, ...]]:
    """kind, active_from_day, first_listed_day, closed_day of a month's rows by pseudonym."""
    return {row[5]: row[6:10] for row in kept.mailboxes.values() if row[4] == month}


def of(address: str, month: int) -> str:
    return pseudonym(address, month)


def test_a_list_gives_one_row_for_each_mailbox_of_its_month(tmp_path: Path) -> None:
    lists(
        tmp_path, {"mailboxes-20260131.csv": [f"{AN},personal,active,2025-06-01", f" {BINH.upper()} ,shared,locked,"]}
    )
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    who, other = of(AN, 20260101), of(BINH, 20260101)
    changed = BEGAN * 1_000_000
    assert kept.mailboxes == {
        f"202601:{who}": (
            f"202601:{who}",
            "skhcn.example.gov.vn",
            changed,
            0,
            20260101,
            who,
            "personal",
            20250601,
            20260131,
            None,
            None,
            None,
            None,
        ),
        f"202601:{other}": (
            f"202601:{other}",
            "syt.example.gov.vn",
            changed,
            0,
            20260101,
            other,
            "shared",
            None,
            20260131,
            20260131,
            None,
            None,
            None,
        ),
    }
    assert kept.covered["mailbox"] == set(range(20260101, 20260132))


def test_vietnamese_headers_and_words_are_known_without_settings(tmp_path: Path) -> None:
    content = [
        f"{AN};Cá nhân;Hoạt động;01/06/2025",
        f"{BINH};dung_chung;Đã khoá;",
        f"{CHI};khác;hoat_dong;2025-06-01T23:30:00Z",
    ]
    lists(tmp_path, {"mailboxes-2026-01-31.csv": content}, "\ufeffĐịa chỉ;Loại;Trạng thái;Ngày tạo")
    assert rows(run(Kept(), Door(tmp_path, BEGAN), SINCE), 20260101) == {
        of(AN, 20260101): ("personal", 20250601, 20260131, None),
        of(BINH, 20260101): ("shared", None, 20260131, 20260131),
        of(CHI, 20260101): (None, 20250602, 20260131, None),
    }


def sizes(kept: Kept, month: int) -> dict[str, tuple[object, ...]]:
    """quota and used of a month's rows by pseudonym."""
    return {row[5]: row[10:12] for row in kept.mailboxes.values() if row[4] == month}


def test_lists_may_tell_quota_and_used_and_the_last_list_of_the_month_that_has_a_mailbox_counts(tmp_path: Path) -> None:
    lists(
        tmp_path,
        {
            "mailboxes-20260110.csv": [f"{AN},personal,active,,1000,1", f"{BINH},personal,active,,5 GB,1.5MiB"],
            "mailboxes-20260131.csv": [
                *(f"{AN},personal,active,,0,2048", f"{CHI},shared,active,,Không giới hạn,-"),
                *(f"{DUNG},personal,active,,-,7 KB", f"{EM},personal,active,,,5"),
            ],
        },
        HEADER + ",quota,used",
    )
    assert sizes(run(Kept(), Door(tmp_path, BEGAN), SINCE), 20260101) == {
        of(AN, 20260101): (0, 2048),
        of(BINH, 20260101): (5 * 1024**3, 1024 * 1024 * 3 // 2),
        of(CHI, 20260101): (0, None),
        of(DUNG, 20260101): (0, 7 * 1024),
        of(EM, 20260101): (None, 5),
    }, "0 is no limit; what is not told is not known"


@pytest.mark.parametrize("size", ["much", "-5", "1e3", "10 XB", "9" * 30, "999999999999999 TB"])
def test_a_size_that_cannot_be_is_quarantined_and_its_mailbox_goes_on(tmp_path: Path, size: str) -> None:
    content = [f"{AN},personal,active,,1000,{size}", f"{BINH},personal,active,,1000,500"]
    lists(tmp_path, {"mailboxes-20260131.csv": content}, HEADER + ",quota,used")
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert [(bad.key, bad.field) for bad in kept.bad] == [("mailboxes-20260131.csv:2", "used")]
    assert sizes(kept, 20260101) == {of(AN, 20260101): (None, None), of(BINH, 20260101): (1000, 500)}
    assert rows(kept, 20260101)[of(AN, 20260101)] == ("personal", None, 20260131, None)


def test_a_column_for_quota_that_is_named_must_be_there(tmp_path: Path) -> None:
    lists(tmp_path, {"mailboxes-20260131.csv": [f"{AN},personal,active,"]})
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(), Door(tmp_path, BEGAN), SINCE, Config(columns={"quota": "Hạn mức"}))
    assert caught.value.field == "quota"


def test_settings_name_columns_words_and_codes(tmp_path: Path) -> None:
    config = Config(
        columns={"address": "Tài khoản", "created": ""},
        kinds={"Bộ phận": "shared"},
        states={"tạm ngưng": "locked"},
        agency_codes={"van*@syt.*": "H44.07"},
        list_date=r"(\d{4})_(\d{2})_(\d{2})",
        lists="hopthu*.csv",
    )
    lists(tmp_path, {"hopthu_2026_01_31.csv": [f"bộ phận,{CHI},Tạm ngưng"]}, "Loại,Tài khoản,Trạng thái")
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, config)
    assert [row[1] for row in kept.mailboxes.values()] == ["H44.07"]
    assert rows(kept, 20260101) == {of(CHI, 20260101): ("shared", None, 20260131, 20260131)}


def test_a_mailbox_is_closed_from_the_first_list_of_the_last_run_of_lists_without_it_or_with_it_locked(
    tmp_path: Path,
) -> None:
    active, locked = f"{AN},personal,active,", f"{AN},personal,locked,"
    other = f"{BINH},personal,active,"
    lists(
        tmp_path,
        {
            "mailboxes-20260105.csv": [active, other],
            "mailboxes-20260112.csv": [locked, other],
            "mailboxes-20260119.csv": [active],
            "mailboxes-20260126.csv": [locked],
            "mailboxes-20260131.csv": [],
        }
        | {"mailboxes-20260130.csv": [f"{CHI},shared,active,"]},
    )
    assert rows(run(Kept(), Door(tmp_path, BEGAN), SINCE), 20260101) == {
        of(AN, 20260101): ("personal", None, 20260105, 20260126),
        of(BINH, 20260101): ("personal", None, 20260105, 20260119),
        of(CHI, 20260101): ("shared", None, 20260130, None),
    }


def test_the_last_list_of_the_month_before_carries_over_listed_locked_and_gone(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d", "e"]
    listed, locked_before, locked_now, gone, new = (f"{name}@x.test" for name in names)
    lists(
        tmp_path,
        {
            "mailboxes-20260131.csv": [
                f"{listed},personal,active,",
                f"{locked_before},personal,locked,",
                f"{locked_now},personal,active,",
                f"{gone},personal,active,",
            ],
            "mailboxes-20260209.csv": [
                f"{listed},personal,active,",
                f"{locked_before},personal,locked,",
                f"{locked_now},personal,locked,",
                f"{new},personal,active,",
            ],
        },
    )
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert rows(kept, 20260201) == {
        of(listed, 20260201): ("personal", None, 20260131, None),
        of(locked_before, 20260201): ("personal", None, 20260131, 20260131),
        of(locked_now, 20260201): ("personal", None, 20260131, 20260209),
        of(gone, 20260201): ("personal", None, 20260131, 20260209),
        of(new, 20260201): ("personal", None, 20260209, None),
    }
    assert kept.covered["mailbox"] == set(range(20260101, 20260132)) | set(range(20260201, 20260210))


def test_a_month_without_a_list_is_not_covered_and_carries_nothing(tmp_path: Path) -> None:
    lists(
        tmp_path,
        {"mailboxes-20251130.csv": [f"{AN},personal,active,"], "mailboxes-20260110.csv": [f"{AN},personal,active,"]},
    )
    kept = run(Kept(), Door(tmp_path, BEGAN), 20251115)
    assert rows(kept, 20260101) == {of(AN, 20260101): ("personal", None, 20260110, None)}
    assert kept.covered["mailbox"] == set(range(20251115, 20251131)) | set(range(20260101, 20260111))


def test_a_list_without_a_date_is_as_of_its_last_change_and_two_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "mailboxes.csv", f"{HEADER}\n{AN},personal,active,\n".encode(), at("2026-02-10 00:30:00"))
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert rows(kept, 20260201) == {of(AN, 20260201): ("personal", None, 20260210, None)}
    put(tmp_path / "mailboxes-syt.csv", f"{HEADER}\n{BINH},personal,active,\n".encode(), at("2026-02-10 00:30:00"))
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert caught.value.field == "lists"


def test_lists_of_one_day_are_parts_of_one_list(tmp_path: Path) -> None:
    lists(
        tmp_path,
        {
            "mailboxes-a-20260210.csv": [f"{AN},personal,active,"],
            "mailboxes-b-20260210.csv": [f"{BINH},personal,active,"],
        },
    )
    found = rows(run(Kept(), Door(tmp_path, BEGAN), SINCE), 20260201)
    assert {row[3] for row in found.values()} == {None}
    assert len(found) == 2


def test_an_empty_list_closes_nobody_and_covers_nothing(tmp_path: Path) -> None:
    lists(tmp_path, {"mailboxes-20260202.csv": [f"{AN},personal,active,"], "mailboxes-20260209.csv": []})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert rows(kept, 20260201) == {of(AN, 20260201): ("personal", None, 20260202, None)}
    assert kept.covered["mailbox"] == {20260201, 20260202}


def test_lists_that_did_not_change_are_not_read_again_but_still_cover(tmp_path: Path) -> None:
    lists(tmp_path, {"mailboxes-20260220.csv": [f"{AN},personal,active,"]})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert max(kept.covered["mailbox"]) == 20260219
    read: list[str] = []
    kept.mailboxes.clear()
    run(kept, Door(tmp_path, at("2026-02-22 08:00:00"), read.append), SINCE)
    assert (kept.mailboxes, read) == ({}, ["mail.log"])
    assert max(kept.covered["mailbox"]) == 20260220
    # One that comes late is read with the others of its month; one that was cleared away changes nothing.
    lists(tmp_path, {"mailboxes-20260221.csv": [f"{AN},personal,locked,"]})
    run(kept, Door(tmp_path, at("2026-02-23 08:00:00")), SINCE)
    assert rows(kept, 20260201) == {of(AN, 20260201): ("personal", None, 20260220, 20260221)}


def test_a_bad_line_is_quarantined_and_its_mailbox_unknown_rather_than_closed(tmp_path: Path) -> None:
    good = [f"u{n}@x.test,personal,active,2025-01-01" for n in range(300)]
    bad = [
        "canary@x.test,personal,verwirrt,2025-01-01",
        "canary2@x.test,personal,active,31-31-2025",
        "canary3,personal,active,",
    ]
    lists(tmp_path, {"mailboxes-20260209.csv": [*good, *bad]})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert [(one.key, one.field) for one in kept.bad] == [
        ("mailboxes-20260209.csv:302", "state"),
        ("mailboxes-20260209.csv:303", "created"),
        ("mailboxes-20260209.csv:304", "address"),
    ]
    assert "canary" not in repr(kept.bad)
    found = rows(kept, 20260201)
    assert found[of("canary@x.test", 20260201)] == (None, 20250101, 20260209, None)
    assert found[of("canary2@x.test", 20260201)] == (None, None, 20260209, None)
    assert len(found) == 302


@pytest.mark.parametrize(
    ("header", "lines", "field"),
    [
        ("address,kind,status,created", [f"{AN},personal,active,"], "state"),
        ("address,kind,state", [f"{AN},personal,active"], "created"),
        (HEADER, [f"u{n}@x.test,personal,active," for n in range(98)] + ["x", "y"], "address"),
        (HEADER, [f"{AN},personal,on,"], "state"),
    ],
)
def test_a_list_of_another_shape_stops_the_source_and_names_the_field(
    tmp_path: Path, header: str, lines: list[str], field: str
) -> None:
    put(tmp_path / "mailboxes-20260209.csv", "\n".join([header, *lines, ""]).encode(), BEGAN)
    with pytest.raises(UnexpectedAnswer) as caught:
        run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert caught.value.field == field
    assert "@" not in str(caught.value)


def test_some_agencies_alone_leave_the_lists_unread_for_the_others(tmp_path: Path) -> None:
    lists(tmp_path, {"mailboxes-20260209.csv": [f"{AN},personal,active,", f"{BINH},personal,active,"]})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, agencies=frozenset({"syt.example.gov.vn"}))
    assert [row[1] for row in kept.mailboxes.values()] == ["syt.example.gov.vn"]
    assert "mailbox" not in kept.covered
    assert len(run(kept, Door(tmp_path, BEGAN), SINCE).mailboxes) == 2


# -- probe -----------------------------------------------------------------------------------------------------------


def test_a_probe_finds_logs_lists_and_the_clock_and_proves_nothing_about_writing(tmp_path: Path) -> None:
    lists(tmp_path, {"mailboxes-20260209.csv": [f"{AN},personal,active,"]})
    put(tmp_path / "mail.log", text([login(BEGAN - 60, AN, "s1")]), BEGAN - 60)
    found = list(probe(Config(), Door(tmp_path, BEGAN)))
    assert [(one.stage, one.result) for one in found] == [
        ("reach", "ok"),
        ("read", "ok"),
        ("clock skew", "ok"),
        ("read", "ok"),
        ("read-only", "unproved"),
    ]
    assert "@" not in repr(found)


def test_a_probe_tells_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    found = list(probe(Config(), Door(tmp_path, BEGAN)))
    assert [(one.stage, one.result) for one in found] == [
        ("reach", "failed"),
        ("read", "failed"),
        ("read-only", "unproved"),
    ]
    assert all(one.mend for one in found)


def test_without_lists_another_source_tells_which_mailboxes_there_are(tmp_path: Path) -> None:
    config = Config(lists="")
    lists(tmp_path, {"mailboxes-20260131.csv": [f"{AN},personal,active,"]})
    put(tmp_path / "mail.log", text([login(BEGAN - 86_400, AN, "s1", "rfc3339"), login(BEGAN, AN, "s2")]), BEGAN)
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE, config)
    assert (kept.mailboxes, kept.covered["mailbox"]) == ({}, set())
    assert kept.mailbox_days
    assert offers(config) == (MailboxDay,)
    assert offers(Config()) == (Mailbox, MailboxDay)
    assert "list" not in " ".join(one.says for one in probe(config, Door(tmp_path, BEGAN)))


def test_a_probe_sees_a_clock_or_zone_that_is_wrong(tmp_path: Path) -> None:
    put(tmp_path / "mail.log", text([login(BEGAN + 7 * 3600, AN, "s1", "rfc3339")]), BEGAN)
    assert [one.result for one in probe(Config(), Door(tmp_path, BEGAN)) if one.stage == "clock skew"] == ["failed"]


@pytest.mark.parametrize(
    "config",
    [
        {"zone": "Asia/Atlantis"},
        {"list_date": "(\\d+)"},
        {"list_date": "("},
        {"kinds": {"a": "team"}},
        {"states": {"a": "open"}},
        {"columns": {"name": "x"}},
        {"columns": {"state": ""}},
        {"logs": []},
        {"log": "x"},
    ],
)
def test_a_wrong_setting_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Config.model_validate(config)


def test_a_list_that_is_corrected_leaves_nothing_of_what_was_wrong_in_it(tmp_path: Path) -> None:
    good = [f"{address},personal,active," for address in (AN, BINH, CHI)]
    lists(tmp_path, {"mailboxes-20260131.csv": [*good, "nobody,personal,active,", f"{DUNG},personal,away,"]})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    assert [bad.key for bad in kept.bad] == ["mailboxes-20260131.csv:5", "mailboxes-20260131.csv:6"]
    put(tmp_path / "mailboxes-20260131.csv", "\n".join([HEADER, *good[:2], ""]).encode(), at("2026-02-20 07:00:00"))
    run(kept, Door(tmp_path, BEGAN + 60), SINCE)
    assert kept.bad == []
    # Who stood there by mistake counts no more.
    assert {row[5] for row in kept.mailboxes.values() if not row[3]} == {of(AN, 20260101), of(BINH, 20260101)}
    assert {row[5] for row in kept.mailboxes.values() if row[3]} == {of(CHI, 20260101), of(DUNG, 20260101)}
    before = dict(kept.mailboxes)
    assert run(kept, Door(tmp_path, BEGAN + 120), SINCE).mailboxes == before
    # And is back once a list has it.
    put(tmp_path / "mailboxes-20260131.csv", "\n".join([HEADER, *good, ""]).encode(), at("2026-02-20 07:30:00"))
    run(kept, Door(tmp_path, BEGAN + 180), SINCE)
    assert {row[5] for row in kept.mailboxes.values() if row[3]} == {of(DUNG, 20260101)}


def test_a_list_that_is_taken_away_takes_nobody_away_but_what_was_wrong_in_it(tmp_path: Path) -> None:
    good = [f"{address},personal,active," for address in (AN, BINH, CHI)]
    lists(tmp_path, {"mailboxes-20260115.csv": [*good, "nobody,personal,active,"], "mailboxes-20260131.csv": good[:2]})
    kept = run(Kept(), Door(tmp_path, BEGAN), SINCE)
    rows_, cursor = dict(kept.mailboxes), kept.cursor
    (tmp_path / "mailboxes-20260115.csv").unlink()
    run(kept, Door(tmp_path, BEGAN + 60), SINCE)
    assert (kept.bad, kept.mailboxes) == ([], rows_)
    assert kept.cursor != cursor
    # Nor do the lists that are left, read again with nothing known of what was read before.
    forgot = Kept(mailboxes=dict(rows_), spans=kept.spans)
    run(forgot, Door(tmp_path, BEGAN + 120), SINCE)
    assert not any(row[3] for row in forgot.mailboxes.values())
