"""Wrong use ends in one sentence that tells the mend and exit code 2; nothing is started and nothing is lost."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from collector import __version__
from collector.cli.app import WRONG_USE
from collector.demo.truth import INDICATORS
from tests.cli.conftest import PROGRAM, Run, change


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, without any configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLLECTOR_CONFIG", raising=False)
    return tmp_path


# -- the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            ("collect", "nope"),
            "there is no source nope. The configuration has mail, mail-viettri, documents, onestop",
        ),
        (
            ("check", "--live", "nope"),
            "there is no source nope. The configuration has mail, mail-viettri, documents, onestop",
        ),
        (("rank", "2026-13"), "'2026-13' is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05"),
        (("rank", "9999"), "'9999' is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05"),
        (("readings", "--period", "February"), "'February' is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05"),
        (("readings", "--scope", "country"), "--scope: country is no scope. Use agency, block, province"),
        (
            ("readings", "--agency", "H44.99"),
            "agency: H44.99 is not in the register of agencies. `collector agencies` lists the codes",
        ),
        (
            ("explain", "dossiers.on_time", "H44.99", "2026-02"),
            "agency: H44.99 is not in the register of agencies. `collector agencies` lists the codes",
        ),
        (
            ("explain", "dossiers.on_time", "H44.02", "2026-2"),
            "'2026-2' is no period; write 2026-10, 2026-Q3, 2026 or 2026-10-05",
        ),
        (
            ("explain", "dossiers.quick", "H44.02", "2026-02"),
            f"there is no indicator dossiers.quick. Use one of {', '.join(sorted(INDICATORS))}",
        ),
        (("collect", "--from", "2026-02-30"), "--from: '2026-02-30' is no day; write it like 2026-02-28"),
        (("collect", "--to", "yesterday"), "--to: 'yesterday' is no day; write it like 2026-02-28"),
        (
            ("collect", "documents", "--from", "2026-03-01"),
            "documents, configuration, --from/--to: none of the days asked for is over and within the source's days. "
            "Ask for days from the source's `from` to yesterday",
        ),
        (
            ("collect", "--agency", "H44.99"),
            "agency: H44.99 is not in the register of agencies. `collector agencies` lists the codes",
        ),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_a_wrong_command_is_refused_in_one_sentence(
    run: Run, config: Path, command: tuple[str, ...], sentence: str
) -> None:
    done = run(*command, "--config", config)
    assert (done.code, done.out, done.err) == (2, "", f"{sentence}\n")


def test_an_option_that_there_is_not_is_refused_with_the_way_to_help(run: Run) -> None:
    done = run("rank", "2026", "--bogus")
    assert done.code == 2
    assert "Error: No such option: --bogus\n" in done.err
    assert "Try 'collector rank -h' for help." in done.err


def test_a_port_that_there_is_not_is_refused(run: Run, config: Path) -> None:
    done = run("serve", "--port", "99999", "--config", config)
    assert (done.code, done.out) == (2, "")
    assert "Error: Invalid value for '--port': " in done.err


def test_every_command_and_every_option_has_help(run: Run) -> None:
    listed = run("--help")
    assert listed.code == 0
    assert "Exit codes: 0 done, 1 findings, 2 wrong use, 3 a source failed." in listed.out
    assert "..." not in listed.out.replace("[ARGS]...", "")
    commands = re.findall(r"^  ([a-z]+) +[A-Z].*\.$", listed.out, re.MULTILINE)
    assert " ".join(commands) == (
        "init check collect reconcile readings rank explain seal restate verify editions gap report match compare flags"
        " indicators agencies workdays audit deliver status privacy serve benchmark demo"
    )
    for command in commands:
        done = run(command, "-h")
        assert done.code == 0
        text = done.out
        options = text[text.index("Options:") :].splitlines()[1:]
        for at, line in enumerate(options):
            if line.startswith("  -"):
                told = re.match(r"  (?:-[a-z], )?--[a-z-]+(?: (?:[A-Z]+|<[a-z|]+>))?(?:  +(\S.*))?$", line)
                assert told, line
                assert told[1] or options[at + 1].startswith("     "), f"{command}: {line} has no help"
        assert "..." not in re.sub(r"[A-Z]+\]\.\.\.", "", text), f"{command}: a help text is cut"


def test_the_version_is_that_of_the_program(run: Run) -> None:
    assert run("--version").out == f"collector {__version__}\n"


# -- the configuration -------------------------------------------------------------------------------------------


def test_without_any_configuration_the_places_that_were_looked_at_are_named(run: Run, nowhere: Path) -> None:
    done = run("readings")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "no configuration found; looked at --config, COLLECTOR_CONFIG, config/collector.yaml and "
        "/etc/collector/collector.yaml. Run `collector init DIR` to start one\n"
    )


def test_a_configuration_that_is_named_must_exist(run: Run, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("readings", "--config", "nope.yaml")
    assert (done.code, done.err) == (2, "nope.yaml: there is no such file, but --config names it. Correct the path\n")
    monkeypatch.setenv("COLLECTOR_CONFIG", "no.yaml")
    assert run("status").err == "no.yaml: there is no such file, but COLLECTOR_CONFIG names it. Correct the path\n"


def line_of(file: Path, text: str) -> int:
    return file.read_text(encoding="utf-8").splitlines().index(text) + 1


def test_a_broken_line_is_named_by_file_line_and_mend(run: Run, own: Path) -> None:
    change(own, "\n  documents:\n", "\n  documents: this: breaks\n")
    done = run("check", "--config", own)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{own}:{line_of(own, '  documents: this: breaks')}: this is no YAML: mapping values are not allowed here. "
        "Indent with spaces, never with tabs, write a space after `key:`, and put text with : or # into quotes\n"
    )


def test_every_fault_is_named_by_file_line_key_and_mend_at_once(run: Run, own: Path) -> None:
    change(own, "    config:\n      documents:\n        table: Văn bản\n", "    config:\n      documents:\n")
    change(own, "kind: sql\n", "kind: sqll\n")
    done = run("check", "--config", own)
    assert done.code == 2
    kind, table = done.err.splitlines()
    where = f"{own}:{line_of(own, '      kind: sqll')}: sources.documents.door.kind"
    assert kind == f"{where}: sqll is no kind of door. Did you mean sql?"
    assert re.match(
        rf"{re.escape(str(own))}:\d+: sources\.documents\.config\.documents\.table: must be given\. ", table
    )


def test_an_agency_that_nobody_knows_is_named_with_the_nearest(run: Run, own: Path) -> None:
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("    - H44.31.06\n", "    - H44.31.0x\n", 1), encoding="utf-8")
    done = run("check", "--config", own)
    assert (done.code, done.out) == (2, "")
    number = line_of(own, "    - H44.31.0x")
    assert re.fullmatch(
        rf"{re.escape(str(own))}:{number}: sources\.mail-viettri\.serves\[\d+\]: the register has no H44\.31\.0x\. "
        rf"Did you mean H44\.31\.0\d\?\n",
        done.err,
    )


def test_a_model_that_does_not_add_up_is_named_by_check(run: Run, own: Path) -> None:
    model = own.parent / "scoring.yaml"
    text = model.read_text(encoding="utf-8")
    model.write_text(re.sub(r"maximum: \d+", "maximum: 1", text, count=1), encoding="utf-8")
    done = run("check", "--config", own)
    assert done.code == 2
    assert done.err.startswith(f"{model}: ")
    assert "total" in done.err


# -- the store ---------------------------------------------------------------------------------------------------


def test_a_state_folder_that_cannot_be_made_is_named(run: Run, own: Path) -> None:
    (own.parent / "file").touch()
    change(own, "\nstate: state\n", "\nstate: file/state\n")
    done = run("readings", "--config", own)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"configuration, state: the state folder {own.parent / 'file/state'} cannot be made (Not a directory). "
        "Name a folder that the collector's account may write to\n"
    )


@pytest.mark.parametrize(
    ("store", "reason"),
    [
        ("sqlite:///nowhere/store.sqlite", "unable to open database file"),
        ("sqlite:///ports.json", "file is not a database"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(run: Run, own: Path, store: str, reason: str) -> None:
    change(own, "\nstate: state\n", f"\nstate: state\nstore: {store}\n")
    ports = (own.parent / "ports.json").read_text()
    done = run("collect", "--config", own)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"configuration, store: the store cannot be opened ({reason}). "
        "Correct `state` or `store`, or let the collector's account read and write that file and its folder\n"
    )
    assert (own.parent / "ports.json").read_text() == ports, "what is no store is left alone"


@pytest.mark.parametrize("other", ["0", "999"])
def test_a_store_of_another_schema_is_refused_and_left_alone(run: Run, own: Path, other: str) -> None:
    with closing(sqlite3.connect(own.parent / "state" / "collector.sqlite")) as connection, connection:
        (this,) = connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()
        connection.execute("UPDATE about SET value = ? WHERE name = 'schema'", (other,))
        (before,) = connection.execute("SELECT count(*) FROM document").fetchone()
    done = run("collect", "--config", own)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        f"configuration, store: the store has schema {other}, this program writes schema {this}. "
    )
    with closing(sqlite3.connect(own.parent / "state" / "collector.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM document").fetchone() == (before,)


# -- making a sample ---------------------------------------------------------------------------------------------


def test_a_demo_never_writes_into_a_folder_that_holds_something(run: Run, config: Path, tmp_path: Path) -> None:
    done = run("demo", "--once", "--dir", config.parent)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"--dir: {config.parent} is not empty. Name a new folder, or use the province in it: --config {config}\n"
    )
    (tmp_path / "file").touch()
    done = run("demo", "--once", "--dir", tmp_path)
    assert (done.code, done.err) == (2, f"--dir: {tmp_path} is not empty. Name a new folder\n")
    done = run("demo", "--once", "--dir", tmp_path / "file" / "below")
    assert done.code == 2
    assert done.err.startswith(f"--dir: {tmp_path / 'file' / 'below'} cannot be made (Not a directory). ")


def test_wrong_use_shows_no_traceback_in_a_process_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "readings", "--config", str(tmp_path / "nope")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (WRONG_USE, "", 1)
