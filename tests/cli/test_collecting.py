"""Collecting by hand: what fails is told in a sentence, the rest is read all the same, and nothing is lost."""

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest

from collector.demo.truth import INDICATORS
from connectors.onestop import dvcqg
from tests.cli.conftest import PROGRAM, Ran, Run, change
from tests.cli.gate import gate

QUICK = "deadline: 2s\n    requests_per_minute: 100000"


def forget(own: Path) -> None:
    """Take away all that was collected."""
    shutil.rmtree(own.parent / "state")


def readings(run: Run, own: Path, indicator: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run(
        "readings", "--period", "2026-02", "--indicator", indicator, "--json", "--config", own
    ).json
    return found


def run_of(done: Ran, source: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [one for one in done.json if one["source"] == source]
    (one,) = found
    return one


def documents(own: Path, *statements: str) -> None:
    with closing(sqlite3.connect(own.parent / "documents.sqlite")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# -- as an operator uses it --------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing(run: Run, own: Path) -> None:
    done = run("collect", "--json", "--config", own)
    assert done.code == 0
    assert [(one["source"], one["result"], one["inserted"], one["updated"]) for one in done.json] == [
        (source, "done", 0, 0) for source in ("mail", "mail-viettri", "documents", "onestop")
    ]


def test_some_days_of_one_agency_can_be_read_again(run: Run, own: Path) -> None:
    asked = ("collect", "onestop", "--from", "2026-02-02", "--to", "2026-02-06", "--agency", "H44.02")
    done = run(*asked, "--json", "--config", own)
    assert done.code == 0
    (one,) = done.json
    assert (one["inserted"], one["updated"]) == (0, 0)
    assert 0 < one["read"] < 200


def test_a_rehearsal_shows_what_would_change_and_keeps_nothing(run: Run, own: Path) -> None:
    before = readings(run, own, "documents.exchanged_internal")
    (old,) = [one for one in before if one["agency"] == "H44.02"]
    documents(own, """UPDATE "Văn bản" SET "Thu hồi" = 'Đã thu hồi', "Cập nhật lúc" = '2026-03-01 07:59:59'""")
    done = run("collect", "documents", "--dry-run", "--config", own)
    assert done.code == 0
    assert re.search(
        rf"^documents.exchanged_internal +2026-02 +H44.02 +Sở Nội vụ +{old['hits']}/{old['judged']} .* 0/0 n/a$",
        done.out,
        re.MULTILINE,
    )
    every = len(INDICATORS) * 12 * 2  # agencies, months
    assert re.search(rf"^\d+ of {every} readings would differ; nothing was kept$", done.out, re.MULTILINE)
    assert readings(run, own, "documents.exchanged_internal") == before
    run("collect", "documents", "--config", own)
    assert readings(run, own, "documents.exchanged_internal") != before


def test_only_gaps_reads_only_days_that_are_not_covered(run: Run, own: Path) -> None:
    done = run("collect", "documents", "--only-gaps", "--json", "--config", own)
    assert (done.code, done.json) == (0, []), "all is covered"
    with closing(sqlite3.connect(own.parent / "state" / "collector.sqlite")) as connection, connection:
        connection.execute("DELETE FROM coverage WHERE source = 'documents' AND day IN (20260204, 20260205, 20260210)")
    (one, other) = run("collect", "documents", "--only-gaps", "--json", "--config", own).json
    assert one["read"] > other["read"] > 0
    assert run("collect", "documents", "--only-gaps", "--json", "--config", own).json == []


# -- what fails --------------------------------------------------------------------------------------------------


def test_a_source_that_is_down_does_not_keep_the_others_from_being_read(run: Run, own: Path) -> None:
    forget(own)
    text = own.read_text(encoding="utf-8")
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:9", text)
    others, name, onestop = text.partition("\n  onestop:\n")
    own.write_text(others + name + onestop.replace("requests_per_minute: 100000", QUICK), encoding="utf-8")
    done = run("collect", "--config", own)
    assert done.code == 3
    assert done.err.startswith("onestop, reach: GET /dossiers at 127.0.0.1 broke off or was refused (ConnectError). ")
    assert [line.split()[1] for line in done.out.splitlines()[1:]] == ["done", "done", "done", "try"]
    assert {one["state"] for one in readings(run, own, "dossiers.on_time")} == {"missing"}
    assert "measured" in {one["state"] for one in readings(run, own, "documents.exchanged_internal")}
    status = run("status", "--config", own)
    assert status.code == 1
    assert re.search(r"^onestop +2026-03-01 08:00 +try again, stale +– ", status.out, re.MULTILINE)


def test_an_answer_of_another_shape_names_the_field_and_the_last_good_figures_stay(run: Run, own: Path) -> None:
    before = readings(run, own, "documents.exchanged_internal")
    documents(own, 'ALTER TABLE "Văn bản" RENAME COLUMN "Ngày ban hành" TO "Ngày ký"')
    done = run("collect", "documents", "--json", "--config", own)
    assert done.code == 3
    assert run_of(done, "documents")["result"] == "unexpected_answer"
    assert "Ngày ban hành" in done.err
    assert readings(run, own, "documents.exchanged_internal") == before
    assert re.search(r"^documents +\S+ \S+ +unexpected answer ", run("status", "--config", own).out, re.MULTILINE)


def test_one_bad_record_is_kept_aside_and_named_and_the_others_go_on(run: Run, own: Path) -> None:
    documents(
        own,
        """UPDATE "Văn bản" SET "Ngày ban hành" = '31/02/2026 CANARY', "Cập nhật lúc" = '2026-03-01 07:59:59'
           WHERE "Mã văn bản" = (SELECT min("Mã văn bản") FROM "Văn bản")""",
    )
    done = run("collect", "--json", "--config", own)
    assert done.code == 0
    assert run_of(done, "documents")["quarantined"] == 1
    assert "documents: 1 record could not be used: `collector status --bad` lists them" in run(
        "status", "--config", own
    ).out  # fmt: skip
    listed = run("status", "--bad", "--config", own)
    assert listed.code == 1
    header, line = listed.out.splitlines()
    assert header.split() == ["source", "record", "key", "field", "reason"]
    assert re.match(r"documents  document  \d+ +Ngày ban hành +\S", line)
    (bad,) = run("status", "--bad", "--json", "--config", own).json
    assert list(bad) == ["source", "record", "key", "field", "reason"]
    assert "CANARY" not in listed.out + str(bad), "the content of a record is never shown"


def test_without_bad_records_the_list_says_so(run: Run, config: Path) -> None:
    done = run("status", "--bad", "--config", config)
    assert (done.code, done.out) == (0, "Every record that was read could be used.\n")


def test_a_bug_in_one_connector_shows_its_traceback_and_the_others_go_on(
    run: Run, own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fetch(*_: object) -> Iterator[object]:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr(dvcqg, "fetch", fetch)
    done = run("collect", "onestop", "documents", "--json", "--config", own)
    assert done.code == 3
    assert [(one["source"], one["result"]) for one in done.json] == [("onestop", "bug"), ("documents", "done")]
    assert len([one for one in caplog.records if one.exc_info]) == 1
    assert "ZeroDivisionError: a slip" in caplog.text
    assert done.err == (
        "onestop: a bug in this program (ZeroDivisionError). "
        "Report it with the traceback; the other sources are read all the same\n"
    )
    status = run("status", "--config", own)
    assert re.search(r"^onestop +\S+ \S+ +bug ", status.out, re.MULTILINE)
    assert "\nonestop: a bug in this program: see the log\n" in status.out


@contextmanager
def ssh_server() -> Iterator[int]:
    """A host that shows its key, on a port of loopback."""
    listening = socket.create_server(("127.0.0.1", 0))
    key = paramiko.ECDSAKey.generate()
    opened: list[paramiko.Transport] = []

    def serve() -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        transport = paramiko.Transport(connection)
        opened.append(transport)
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=paramiko.ServerInterface())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()
        thread.join(10)
        for one in opened:
            one.close()


def test_a_host_that_nobody_knows_is_refused_before_any_login(run: Run, own: Path) -> None:
    key, known = own.parent / "key", own.parent / "known_hosts"
    paramiko.ECDSAKey.generate().write_private_key_file(str(key))
    known.write_text("# nobody\n", encoding="ascii")
    with ssh_server() as port:
        door = f"kind: ssh\n      host: 127.0.0.1\n      port: {port}\n      user: reader\n"
        door += f"      key_file: {key}\n      known_hosts: {known}\n      path: /var/log\n"
        change(own, "kind: folder\n      path: mail\n", door)
        done = run("collect", "mail", "documents", "--json", "--config", own)
    assert done.code == 3
    assert [(one["source"], one["result"]) for one in done.json] == [("mail", "access_denied"), ("documents", "done")]
    assert "unknown host key" in done.err


# -- several runs, and runs that are stopped ---------------------------------------------------------------------


def begun(*arguments: object) -> "subprocess.Popen[str]":
    command = [*PROGRAM, *map(str, arguments)]
    # Buffered, as it is anywhere but in a container that is told otherwise.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    # Ctrl-C reaches it as at a terminal, also where these tests run in the background of a shell, which ignores it.
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_a_second_run_of_a_source_waits_and_says_so_or_exits_3(own: Path) -> None:
    forget(own)
    with gate(own.parent / "onestop" / "dossiers.jsonl") as service:
        text = own.read_text(encoding="utf-8")
        own.write_text(re.sub(r"http://127\.0\.0\.1:\d+", service.address, text), encoding="utf-8")
        first = begun("collect", "onestop", "--config", own)
        assert service.waiting.wait(60)
        impatient = begun("collect", "onestop", "--no-wait", "--config", own)
        out, err = impatient.communicate(timeout=60)
        assert impatient.returncode == 3
        assert err == (
            "onestop, lock: another run of this source is under way. Wait for it to end, or leave out --no-wait\n"
        )
        assert re.search(r"^onestop +try again ", out, re.MULTILINE)
        patient = begun("collect", "onestop", "--config", own)
        assert patient.stderr is not None
        assert patient.stderr.readline() == "onestop: another run of this source is under way; waiting for it to end\n"
        assert first.poll() is None
        service.opened.set()
        for one in (first, patient):
            one.communicate(timeout=60)
            assert one.returncode == 0


def test_ctrl_c_keeps_what_was_read_and_the_next_run_goes_on(run: Run, own: Path) -> None:
    forget(own)
    with gate(own.parent / "onestop" / "dossiers.jsonl") as service:
        text = own.read_text(encoding="utf-8")
        own.write_text(re.sub(r"http://127\.0\.0\.1:\d+", service.address, text), encoding="utf-8")
        stopped = begun("collect", "documents", "onestop", "mail", "--config", own)
        assert service.waiting.wait(60)
        stopped.send_signal(signal.SIGINT)
        out, err = stopped.communicate(timeout=90)
        assert (stopped.returncode, out) == (130, "")
        assert err == "onestop: stopped; what was read until then is kept, the next run goes on from there\n"
        status = run("status", "--json", "--config", own)
        assert {one["source"]: (one["result"], one["message"]) for one in status.json} == {
            "mail": ("never", ""),
            "mail-viettri": ("never", ""),
            "documents": ("done", ""),
            "onestop": ("cut_off", "stopped by hand"),
        }
        assert run_of(status, "documents")["records"]["document"] > 0
        service.opened.set()
        again = run("collect", "onestop", "--no-wait", "--json", "--config", own)
        assert again.code == 0, "the lease was given back"
        assert run_of(again, "onestop")["inserted"] > 500


@pytest.mark.parametrize(
    "command", [("readings",), ("readings", "--json"), ("indicators", "--json"), ("status", "--bad", "--json")]
)
def test_a_reader_that_goes_away_is_no_traceback(config: Path, command: tuple[str, ...]) -> None:
    where = [] if command[0] == "indicators" else ["--config", str(config)]
    process = begun(*command, *where)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait(timeout=60)
