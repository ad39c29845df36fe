"""The daemon as its operator and its supervisor meet it: a process that reads, tells, shows and ends."""

import os
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.conftest import COMMAND, ENVIRONMENT, PATIENCE, SOURCES, Daemon, Place, run, serving, wait_for
from tests.daemon.gate import Gate
from tests.servers.traces import processes_of

Serve = Callable[[Place], Daemon]


def runs(daemon: Daemon, source: str, result: str = "done") -> float:
    return daemon.metric("ict_collect_runs_total", source=source, result=result) or 0


def told_to_end(daemon: Daemon, by: signal.Signals = signal.SIGTERM) -> int:
    daemon.process.send_signal(by)
    return daemon.process.wait(10)


def test_due_sources_are_read_at_once_then_on_their_interval_until_it_is_told_to_end(
    place: Place, gate: Gate, serve: Serve
) -> None:
    daemon = serve(place)
    wait_for(lambda: all(runs(daemon, source) >= 3 for source in SOURCES))
    assert gate.asked >= 3
    assert told_to_end(daemon) == 0
    assert processes_of(place.folder.parent) == []
    assert daemon.log.read_text().splitlines() == [
        f"serving on http://127.0.0.1:{daemon.port} (figures at /metrics); stop with Ctrl-C"
    ], "all went well, to be told to end included: nothing else is worth a line"


def test_a_source_that_is_not_due_is_left_alone(place: Place, serve: Serve) -> None:
    place.change(r"^  documents:\n(    .*\n)*?    every: 1s", lambda found: found[0].replace("1s", "6h"))
    place.change(r"^    stale_after: 2d", "    stale_after: 9000d")
    place.change(r"^demo:\n  now: .*\n", "")  # now the clock goes, and the documents were last read at the demo's
    with sqlite3.connect(place.folder / "state" / "collector.sqlite") as store:
        store.execute("UPDATE run SET began = CAST(strftime('%s') AS INTEGER) WHERE source = 'documents'")
    daemon = serve(place)
    wait_for(lambda: all(runs(daemon, source) >= 2 for source in ("mail", "mail-viettri")))
    assert runs(daemon, "documents") == 0
    assert daemon.metric("ict_source_up", source="documents") == 1, "known from the store"


def test_a_source_that_is_down_is_told_once_and_its_return_once_while_the_others_go_on(
    place: Place, gate: Gate, serve: Serve
) -> None:
    gate.way = "closed"
    daemon = serve(place)
    wait_for(lambda: runs(daemon, "onestop", "try_again") >= 3 and runs(daemon, "documents") >= 3)
    assert daemon.metric("ict_source_up", source="onestop") == 0
    assert daemon.metric("ict_source_up", source="documents") == 1
    (told,) = daemon.lines("down")
    assert " source=onestop stage=reach " in told
    assert "was answered with 503" in told
    assert 'mend="The service is overloaded or down; ask its operator if it stays so"' in told

    gate.way = "open"
    wait_for(lambda: runs(daemon, "onestop") >= 2)
    assert daemon.metric("ict_source_up", source="onestop") == 1
    assert len(daemon.lines("down")) == 1
    (told,) = daemon.lines("back")
    assert told.endswith("source=onestop")


def test_figures_of_a_source_never_read_are_missing_and_those_of_the_others_are_not(
    place: Place, gate: Gate, serve: Serve
) -> None:
    gate.way = "closed"
    place.change(r"^state: state$", "state: new")
    daemon = serve(place)
    wait_for(lambda: runs(daemon, "onestop", "try_again") >= 1 and runs(daemon, "documents") >= 1)
    figures = {"indicator": "dossiers.on_time", "window": "last_month"}
    assert daemon.metric("ict_reading_state", state="missing", **figures) == 12
    assert daemon.metric("ict_reading_state", state="measured", **figures) == 0
    assert "ict_dossiers_on_time_ratio{" not in daemon.get("/metrics").text
    assert 'ict_documents_exchanged_internal_ratio{agency="H44.01"' in daemon.get("/metrics").text
    assert 'ict_source_last_success_timestamp_seconds{source="onestop"}' not in daemon.get("/metrics").text


def test_figures_of_a_source_gone_quiet_turn_partial_in_the_open_month(place: Place, gate: Gate, serve: Serve) -> None:
    place.change(r"now: .*$", "now: '2026-03-02T08:00:00+07:00'")
    run("collect", "onestop", "documents", "--config", place.config)
    place.change(r"now: .*$", "now: '2026-03-05T08:00:00+07:00'")
    gate.way = "closed"
    daemon = serve(place)
    wait_for(lambda: runs(daemon, "onestop", "try_again") >= 1 and runs(daemon, "documents") >= 1)

    def agencies(indicator: str, state: str, window: str = "month") -> float | None:
        return daemon.metric("ict_reading_state", indicator=indicator, state=state, window=window)

    assert agencies("dossiers.on_time", "partial") == 11
    assert agencies("dossiers.on_time", "missing") == 1, "no one-stop system serves it at all"
    assert agencies("documents.exchanged_internal", "not_applicable") == 12, "read on 5 March, and nothing was issued"
    assert (agencies("dossiers.on_time", "measured", "last_month") or 0) > 0, "a month that was read to its end stays"


def test_a_scrape_while_every_source_hangs_answers_at_once_and_asks_no_source(
    place: Place, gate: Gate, serve: Serve
) -> None:
    gate.way = "silent"
    text = place.config.read_text(encoding="utf-8")
    before, onestop = text.split("sources:\n")[0], text.split("  onestop:\n")[1]
    copies = "".join(f"  onestop{number}:\n{onestop}" for number in range(6))
    place.config.write_text(f"{before}sources:\n{copies}", encoding="utf-8")
    daemon = serve(place)
    wait_for(lambda: gate.asked == 6)
    for _ in range(10):
        assert daemon.get("/metrics").status_code == 200
        assert daemon.get("/").status_code == 200
        assert daemon.get("/-/healthy").status_code == 200
    assert gate.asked == 6, "all six hang: none waits for another, none is asked twice"


def test_a_scrape_makes_no_call_at_a_source(place: Place, gate: Gate, serve: Serve) -> None:
    place.change(r"every: 1s", "every: 1h")
    daemon = serve(place)
    wait_for(lambda: all(runs(daemon, source) == 1 for source in SOURCES))
    asked = gate.asked
    for _ in range(20):
        daemon.get("/metrics")
        daemon.get("/")
    assert gate.asked == asked > 0


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_while_a_source_hangs_and_the_next_one_reads_it_at_once(
    by: signal.Signals, place: Place, gate: Gate, serve: Serve
) -> None:
    gate.way = "silent"
    daemon = serve(place)
    wait_for(lambda: gate.asked == 1)
    assert told_to_end(daemon, by) == 0
    assert processes_of(place.folder.parent) == []
    assert "Traceback" not in daemon.log.read_text()
    (told,) = daemon.lines('"ended in the middle"')
    assert 'runs="read onestop"' in told
    gate.way = "open"
    again = serve(place)
    wait_for(lambda: runs(again, "onestop") >= 1)
    assert again.lines('"not read"') == []


def test_its_settings_are_read_again_on_sighup_wrong_ones_change_nothing_and_its_supervisor_is_told(
    place: Place, tmp_path: Path
) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(address))
        supervisor.settimeout(PATIENCE)
        environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "3000000"}
        with serving(tmp_path, "serve", "--config", place.config, "--port", "0", environment=environment) as daemon:
            told: list[str] = []

            def hears(word: str) -> bool:
                told.append(supervisor.recv(200).decode())
                return told[-1].startswith(word)

            wait_for(lambda: hears("READY=1\nSTATUS=reads 4 sources"))
            wait_for(lambda: hears("WATCHDOG=1"))
            assert daemon.metric("ict_config_last_reload_successful") == 1

            sound = place.config.read_text(encoding="utf-8")
            place.change(r"^    every: 1s", "    every: soon")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: hears("READY=1"))
            assert any(one.startswith("RELOADING=1\nMONOTONIC_USEC=") for one in told)
            (line,) = daemon.lines('"not reloaded"')
            assert "sources.mail.every: soon is no duration" in line
            assert daemon.metric("ict_config_last_reload_successful") == 0
            before = runs(daemon, "documents")
            wait_for(lambda: runs(daemon, "documents") > before)

            place.config.write_text(sound, encoding="utf-8")
            place.change(r"^  documents:\n(    .*\n)*", "")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: hears("READY=1\nSTATUS=reads 3 sources"))
            assert daemon.lines("reloaded")[0].endswith("sources=3")
            assert daemon.metric("ict_config_last_reload_successful") == 1
            assert daemon.metric("ict_source_up", source="documents") is None
            before = runs(daemon, "mail")
            wait_for(lambda: runs(daemon, "mail") > before)

            place.change(r"^state: .*", "state: elsewhere")
            daemon.process.send_signal(signal.SIGHUP)
            wait_for(lambda: len(daemon.lines('"not reloaded"')) == 2)
            assert "cannot change while the daemon runs" in daemon.lines('"not reloaded"')[1]
            assert told_to_end(daemon) == 0
            wait_for(lambda: hears("STOPPING=1"))


def test_told_to_end_before_it_serves_it_ends_too(place: Place, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "serve", "--config", str(place.config), "--port", "0"], env=ENVIRONMENT, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_wrong_use_with_its_mend(place: Place, serve: Serve) -> None:
    daemon = serve(place)
    done = subprocess.run(
        [*COMMAND, "serve", "--config", str(place.config), "--port", str(daemon.port)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert f"configuration, serve: 127.0.0.1:{daemon.port} cannot be listened on" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_serves_until_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with serving(tmp_path, "demo", "--agencies", "4", "--days", "2", environment={"TMPDIR": str(folder)}) as daemon:
        assert "Phú Thọ" in daemon.get("/").text
        assert runs(daemon, "documents") == 0, "what was just collected is not read at once again"
        assert daemon.metric("ict_source_up", source="documents") == 1
        assert told_to_end(daemon, signal.SIGINT) == 0
        assert "Traceback" not in daemon.log.read_text()
    assert os.listdir(folder) == []
