"""The main job on real servers: Postfix, Dovecot, OpenSSH, PostgreSQL and an HTTP service, through the command line."""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from collector.contract.period import parse_period
from collector.demo import truth
from collector.store import hashes
from collector.store.engine import open_engine, reading
from collector.store.schema import cell
from tests.connectors.onestop import national_service_double
from tests.end_to_end import documents, mailboxes
from tests.end_to_end.conftest import Province
from tests.end_to_end.mailboxes import HEALTH, OFFICE, SCIENCE
from tests.end_to_end.program import Program, Ran
from tests.servers import openssh as openssh_server
from tests.servers.process import free_port

pytestmark = pytest.mark.server("postgresql")

ProgramFor = Callable[..., Program]
Figures = dict[tuple[str, str, str], dict[str, Any]]

MONTHS = ("2025-12", "2026-01")
DAYS = ("2026-01-07", "2026-01-09", "2026-01-10")
PERIODS = [word for name in (*MONTHS, *DAYS) for word in ("--period", name)]


def figures(ran: Ran) -> Figures:
    assert ran.code == 0, ran.err
    found = {(one["indicator"], one["agency"], one["period"]): one for one in ran.json}
    assert len(found) == len(ran.json)
    return found


def counts(figure: dict[str, Any], program: Program) -> tuple[str, int, int, int]:
    """State and counts; those that may not be told, of fewer than five mailboxes, as the store has them."""
    told = figure["hits"], figure["judged"], figure["unknown"]
    assert figure["suppressed"] == (figure["indicator"].startswith("mailboxes.") and figure["through"] is not None)
    return (figure["state"], *(stored(figure, program) if figure["suppressed"] else told))


def stored(figure: dict[str, Any], program: Program) -> tuple[int, int, int]:
    assert (figure["hits"], figure["judged"], figure["unknown"], figure["value"]) == (None,) * 4
    through = int(figure["through"].replace("-", ""))
    first = through if figure["indicator"] == "mailboxes.provisioned" else parse_period(figure["period"]).first
    sums = [func.coalesce(func.sum(cell.c[part]), 0) for part in ("hits", "judged", "unknown")]
    engine = open_engine(f"sqlite:///{program.state / 'collector.sqlite'}")
    try:
        with reading(engine) as connection:
            hits, judged, unknown = connection.execute(
                select(*sums).where(
                    cell.c.indicator == figure["indicator"],
                    cell.c.agency == figure["agency"],
                    cell.c.day.between(first, through),
                )
            ).one()
    finally:
        engine.dispose()
    return hits, judged, unknown


def hashes_of(program: Program) -> tuple[str, str]:
    engine = open_engine(f"sqlite:///{program.state / 'collector.sqlite'}")
    try:
        with reading(engine) as connection:
            return hashes.facts(connection), hashes.tallies(connection)
    finally:
        engine.dispose()


def forget_how_far_was_read(program: Program) -> None:
    engine = open_engine(f"sqlite:///{program.state / 'collector.sqlite'}")
    try:
        with engine.begin() as connection:
            assert connection.exec_driver_sql("DELETE FROM cursor").rowcount == 3
    finally:
        engine.dispose()


def sources_as_they_are(province: Province) -> tuple[dict[str, bytes], list[tuple[object, ...]]]:
    files = {path.name: path.read_bytes() for path in province.mail.logs.iterdir()}
    return files, documents.content(province.database)


def assert_nothing_was_written(province: Province, before: tuple[dict[str, bytes], list[tuple[object, ...]]]) -> None:
    files, rows = sources_as_they_are(province)
    assert rows == before[1]
    assert files.keys() == before[0].keys()
    for name, content in files.items():
        # Their own servers may have gone on to write their logs; what stood in them still stands there.
        assert content[: len(before[0][name])] == before[0][name]
        assert name.endswith(".log") or content == before[0][name]


def outcomes(ran: Ran) -> dict[str, str]:
    return {one["source"]: one["result"] for one in ran.json}


def test_every_figure_read_from_real_servers_is_true(province: Province, program_for: ProgramFor) -> None:
    program = program_for()
    before = sources_as_they_are(province)
    province.service.requests.clear()

    checked = program.run("check", "--live", "--json")
    assert checked.code == 0, checked.out
    result = {(one["source"], one["stage"], one["result"]) for one in checked.json["findings"]}
    assert {source for source, _, _ in result} == {"mail", "documents", "onestop"}
    assert "failed" not in {how for _, _, how in result}
    # Only the database can show that its account cannot write; nobody else claims it.
    assert {(source, how) for source, stage, how in result if stage == "read-only"} == {
        ("documents", "ok"),
        ("mail", "unproved"),
        ("onestop", "unproved"),
    }

    first = program.run("collect", "--json")
    assert (first.code, first.err) == (0, "")
    assert set(outcomes(first).values()) == {"done"}
    assert [one["quarantined"] for one in first.json] == [0, 0, 0]

    shown = program.run("readings", "--json", *PERIODS)
    found = figures(shown)
    of_months = {key: figure for key, figure in found.items() if key[2] in MONTHS}
    expected = {(one["indicator"], one["agency"], one["period"]): one for one in truth.count(province.ledger)}
    assert of_months.keys() == expected.keys()
    for key, true in expected.items():
        value = None if true["value"] is None else float(true["value"])
        assert {name: found[key][name] for name in true} == {**true, "value": value}, key
    # By hand, so that program and truth cannot agree on nonsense. Working days from 1 January: 5 to 10.
    by_hand = {
        # Two mailboxes on six days. AN on the 5th, and both but for BINH's Saturday.
        ("mailboxes.daily_use", OFFICE): ("measured", 4, 12, 0),
        # CHI and DUNG on six days, NGHI until she was locked on Saturday, EM from Saturday on.
        ("mailboxes.daily_use", SCIENCE): ("measured", 5, 18, 0),
        ("mailboxes.daily_use", HEALTH): ("partial", 0, 6, 6),
        ("mailboxes.provisioned", OFFICE): ("measured", 2, 2, 0),
        ("mailboxes.provisioned", SCIENCE): ("measured", 3, 4, 0),
        ("mailboxes.provisioned", HEALTH): ("missing", 0, 0, 1),
        # The register is read from the 5th on: partial.
        ("documents.exchanged_internal", OFFICE): ("partial", 2, 3, 0),
        ("documents.exchanged_internal", SCIENCE): ("partial", 0, 1, 1),
        ("documents.exchanged_internal", HEALTH): ("missing", 0, 0, 1),
        ("documents.exchanged_external", OFFICE): ("partial", 1, 1, 0),
        ("documents.exchanged_external", SCIENCE): ("partial", 1, 2, 0),
        ("dossiers.on_time", OFFICE): ("measured", 1, 2, 0),
        ("dossiers.on_time", SCIENCE): ("measured", 3, 4, 0),
        ("dossiers.on_time", HEALTH): ("missing", 0, 0, 0),
        ("dossiers.on_time_due", OFFICE): ("measured", 1, 3, 0),
        ("dossiers.on_time_due", SCIENCE): ("measured", 3, 4, 0),
        ("dossiers.online", OFFICE): ("partial", 1, 3, 1),
        ("dossiers.online", SCIENCE): ("partial", 2, 3, 1),
    }
    for (indicator, agency), expected_counts in by_hand.items():
        assert counts(found[indicator, agency, "2026-01"], program) == expected_counts, (indicator, agency)
    assert counts(found["dossiers.on_time", OFFICE, "2025-12"], program) == ("partial", 1, 1, 0)
    wanted = ("--indicator", "mailboxes.daily_use", "--period", "2026-01", "--scope", "province")
    (together,) = program.run("readings", "--json", *wanted).json
    assert (together["suppressed"], together["hits"], together["judged"]) == (False, 4 + 5 + 0, 12 + 18 + 6)

    by_day = {
        # On Friday AN had a session at 00:20 and BINH sent a mail; on Saturday AN came at 23:40, and of BINH there is
        # but a wrong password, a forged sender and a bounce: 3 of 4 in two days.
        ("mailboxes.daily_use", OFFICE, "2026-01-09"): ("measured", 2, 2, 0),
        ("mailboxes.daily_use", OFFICE, "2026-01-10"): ("measured", 1, 2, 0),
        # DUNG's mail of Friday was tried again on Saturday, when he did nothing; CHI was there over midnight.
        ("mailboxes.daily_use", SCIENCE, "2026-01-09"): ("measured", 3, 3, 0),
        ("mailboxes.daily_use", SCIENCE, "2026-01-10"): ("measured", 2, 3, 0),
        ("documents.exchanged_internal", OFFICE, "2026-01-09"): ("measured", 1, 1, 0),
        ("documents.exchanged_internal", OFFICE, "2026-01-10"): ("measured", 1, 2, 0),
        ("documents.exchanged_internal", SCIENCE, "2026-01-09"): ("measured", 0, 1, 0),
        ("documents.exchanged_internal", SCIENCE, "2026-01-10"): ("missing", 0, 0, 1),
        ("documents.exchanged_external", HEALTH, "2026-01-10"): ("not_applicable", 0, 0, 0),
        ("dossiers.on_time", OFFICE, "2026-01-09"): ("measured", 1, 1, 0),
        ("dossiers.on_time", OFFICE, "2026-01-10"): ("measured", 0, 1, 0),
        # A pause that began after the due day moves it nowhere.
        ("dossiers.on_time_due", SCIENCE, "2026-01-07"): ("measured", 0, 1, 0),
        ("dossiers.on_time_due", SCIENCE, "2026-01-09"): ("measured", 1, 1, 0),
        ("dossiers.on_time_due", SCIENCE, "2026-01-10"): ("measured", 2, 2, 0),
    }
    for key, expected_counts in by_day.items():
        assert counts(found[key], program) == expected_counts, key

    # Read again, and once more from the beginning: nothing differs.
    status, content = program.run("status", "--json"), hashes_of(program)
    assert {source["source"]: source["unknown_codes"] for source in status.json} == {
        "mail": {"donvicu.example.gov.vn": 1},
        "documents": {"H44.99": 1},
        "onestop": {"H44.77": 1},
    }
    again = program.run("collect", "--json")
    assert [(one["result"], one["inserted"], one["updated"]) for one in again.json] == [("done", 0, 0)] * 3
    assert program.run("status", "--json") == status
    assert hashes_of(program) == content
    forget_how_far_was_read(program)
    anew = program.run("collect", "--json")
    assert [(one["result"], one["inserted"], one["updated"]) for one in anew.json] == [("done", 0, 0)] * 3
    assert hashes_of(program) == content
    assert program.run("readings", "--json", *PERIODS) == shown

    # Nothing was written, and nothing was asked that was not configured.
    assert_nothing_was_written(province, before)
    lists = {national_service_double.DOSSIERS, national_service_double.PROCEDURES}
    assert {(method, path) for method, path, _ in province.service.requests} == {("GET", path) for path in lists}

    explained = program.run("explain", "mailboxes.daily_use", OFFICE, "2026-01", "--rows")
    assert explained.code == 0
    nobody_is_visible(program, checked, first, shown, status, again, anew, explained)


def nobody_is_visible(program: Program, *printed: Ran) -> None:
    """No mail address, no name and no secret is in what the program keeps or prints."""
    kept = [path for path in program.state.rglob("*") if path.is_file()]
    assert {"collector.sqlite", "collector.sqlite-wal"} & {path.name for path in kept}
    local_parts = [address.partition("@")[0] for address in [*mailboxes.ADDRESSES, mailboxes.GONE]]
    people = [*local_parts, *national_service_double.CANARIES, "bí mật", documents.PASSWORD]
    texts = [*(path.read_bytes() for path in kept), *((one.out + one.err).encode() for one in printed)]
    for text in texts:
        shown = text.decode("utf-8", errors="ignore").lower()
        assert [one for one in people if one.lower() in shown] == []


def test_an_unknown_host_key_is_refused_by_its_fingerprint_and_the_others_are_read(
    province: Province, program_for: ProgramFor
) -> None:
    program = program_for(known_hosts="")
    ran = program.run("collect", "--json")
    assert ran.code == 3
    assert outcomes(ran) == {"mail": "access_denied", "documents": "done", "onestop": "done"}
    assert "unknown host key" in ran.err
    assert province.ssh.fingerprint in ran.err
    assert "ssh-keygen -lf" in ran.err
    found = figures(program.run("readings", "--json", "--period", "2026-01"))
    assert counts(found["mailboxes.daily_use", OFFICE, "2026-01"], program) == ("missing", 0, 0, 0)
    assert counts(found["dossiers.on_time", SCIENCE, "2026-01"], program) == ("measured", 3, 4, 0)

    checked = program.run("check", "--live", "mail", "--json")
    assert checked.code == 3
    assert [(one["result"], province.ssh.fingerprint in one["says"]) for one in checked.json["findings"]] == [
        ("failed", True)
    ]


def test_a_database_that_is_down_is_named_and_the_others_are_read(program_for: ProgramFor) -> None:
    ran = program_for(database_port=free_port()).run("collect", "--json")
    assert ran.code == 3
    assert outcomes(ran) == {"mail": "done", "documents": "try_again", "onestop": "done"}
    assert "documents, reach" in ran.err


def test_a_wrong_database_password_is_named_without_it_and_the_others_are_read(program_for: ProgramFor) -> None:
    ran = program_for(database_password="sai-hoan-toan").run("collect", "--json")
    assert ran.code == 3
    assert outcomes(ran) == {"mail": "done", "documents": "access_denied", "onestop": "done"}
    assert "documents, log in" in ran.err
    assert "sai-hoan-toan" not in ran.out + ran.err


def test_a_wrong_token_is_refused_at_once_and_never_tried_again(province: Province, program_for: ProgramFor) -> None:
    program = program_for(token="a-token-of-yesterday")
    province.service.requests.clear()
    ran = program.run("collect", "--json")
    assert ran.code == 3
    assert outcomes(ran) == {"mail": "done", "documents": "done", "onestop": "access_denied"}
    assert len(province.service.requests) == 1
    assert "onestop, log in" in ran.err
    assert "a-token-of-yesterday" not in ran.out + ran.err


@contextmanager
def served_to_somebody_without_rights(folder: Path, logs: Path) -> Iterator[openssh_server.OpenSSH]:
    """An OpenSSH server whose account may list the folder, but not read mail.log in it."""
    served = folder / "served"
    served.mkdir()
    for log in logs.iterdir():
        (served / log.name).write_bytes(log.read_bytes())
        (served / log.name).chmod(0o644)
    # Root could read it all the same, so that somebody else logs in; an ordinary user takes the right from itself.
    (served / "mail.log").chmod(0o600 if os.geteuid() == 0 else 0o200)
    for part in (folder, served):
        part.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            patch.setattr(pwd, "getpwuid", lambda _: nobody)
        running = openssh_server.start(folder, served)
        with running as server:
            yield server


def test_a_log_that_may_not_be_read_is_named_with_the_right_to_ask_for(
    province: Province, program_for: ProgramFor, server_folder: Callable[[str], Path]
) -> None:
    with served_to_somebody_without_rights(server_folder("closed"), province.mail.logs) as ssh:
        program = program_for(ssh=ssh)
        ran = program.run("collect", "--json")
    assert ran.code == 3
    assert outcomes(ran) == {"mail": "access_denied", "documents": "done", "onestop": "done"}
    assert f"{ssh.user} has no permission to read {ssh.served / 'mail.log'}" in ran.err
    assert "setfacl -m" in ran.err
