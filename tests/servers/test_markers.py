"""What the markers do is tried in a test run of its own, in which PostgreSQL seems not to be installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

WITHOUT_POSTGRESQL = """
from tests.servers import postgresql
postgresql.missing = lambda: postgresql.PACKAGE
"""

TESTS = """
import pytest

@pytest.mark.server("postgresql")
def test_marked():
    raise AssertionError("must not run")

def test_that_uses_the_fixture(postgresql):
    raise AssertionError("must not run")

def test_skipped_for_another_reason():
    pytest.skip("no reason at all")

@pytest.mark.xfail(reason="known")
def test_expected_to_fail():
    raise AssertionError

def test_ordinary():
    pass

@pytest.mark.long
def test_long(scale):
    print("\\nsizes:", scale(20_000), scale(10))
"""


def run(folder: Path, tests: str, *options: str, **variables: str) -> tuple[str, dict[str, int]]:
    """Run tests in a folder of their own; return what was printed and the counts of the last line."""
    (folder / "without_postgresql.py").write_text(WITHOUT_POSTGRESQL)
    (folder / "test_inner.py").write_text(tests)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n  server(name): as ours\n  long: as ours\n")
    unset = {"REQUIRE_SERVERS", "PROVE", "PYTEST_ADDOPTS"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(folder)])
    plugins = ["-p", "tests.conftest", "-p", "without_postgresql", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-ra", "-s", *options, str(folder)],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    return printed, {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last) if word != "in"}


def test_where_a_server_is_not_installed_its_tests_are_skipped_by_one_line(tmp_path: Path) -> None:
    printed, counts = run(tmp_path, TESTS)
    assert counts == {"passed": 2, "skipped": 3, "xfailed": 1}
    assert printed.count("PostgreSQL is not installed: make servers") == 1


def test_where_servers_are_required_every_skip_is_a_failure_that_keeps_its_reason(tmp_path: Path) -> None:
    printed, counts = run(tmp_path, TESTS, REQUIRE_SERVERS="1")
    # A skip before a test's own lines is an error of its preparation, as pytest counts.
    assert counts == {"passed": 2, "failed": 1, "errors": 2, "xfailed": 1}
    assert "PostgreSQL is not installed: make servers" in printed
    assert "no reason at all" in printed


def test_where_servers_are_required_a_file_that_skips_itself_is_a_failure(tmp_path: Path) -> None:
    skips_itself = "import pytest\npytest.importorskip('a_module_that_nobody_has')\ndef test_ordinary(): pass\n"
    assert run(tmp_path, skips_itself)[1] == {"skipped": 1}
    printed, counts = run(tmp_path, skips_itself, REQUIRE_SERVERS="1")
    assert counts == {"error": 1}
    assert "a_module_that_nobody_has" in printed


def test_a_server_that_nobody_knows_is_named(tmp_path: Path) -> None:
    unknown = "import pytest\n@pytest.mark.server('oracel')\ndef test_one(): pass\n"
    printed, _ = run(tmp_path, unknown)
    assert "no such server: ['oracel']" in printed


def test_a_long_test_runs_at_a_twentieth_and_in_full_when_asked(tmp_path: Path) -> None:
    assert "sizes: 1000 1\n" in run(tmp_path, TESTS)[0]
    assert "sizes: 20000 10\n" in run(tmp_path, TESTS, "--full")[0]
    assert "sizes: 20000 10\n" in run(tmp_path, TESTS, PROVE="1")[0]
