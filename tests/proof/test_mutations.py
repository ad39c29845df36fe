"""Each named mistake turns a test red: the tests are able to fail, and for the right reason.

Each is made in a throw-away copy of the tree, whose own test then runs there; without a mistake all of them pass.
"""

import multiprocessing
import os
import re
import runpy
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.proof.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
COPIED = ("collector", "connectors", "indicators", "tests", "config", "docs", "pyproject.toml")
AT_ONCE = 2

# Forked from a process that has loaded what every trial needs, and nothing of this tree: a new one would take longer to
# start than most of the tests take. What is a plugin of pytest's is left out, for pytest wants to load it itself.
_TRIALS = multiprocessing.get_context("forkserver")
_LOADED = "pytest sqlalchemy.dialects.sqlite sqlalchemy.dialects.postgresql psycopg paramiko pydantic yaml rich.console"
_LOADED += " rich.progress rich.table typer structlog prometheus_client unittest.mock apscheduler.schedulers.background"
_TRIALS.set_forkserver_preload(_LOADED.split())

_PLACE = """
from pathlib import Path

import collector.store.save
import connectors.email.lines
import indicators.dossiers
import tests.store.small


def test_the_copy_is_what_is_tested() -> None:
    copy = Path(__file__).parent.parent
    for module in (collector.store.save, connectors.email.lines, indicators.dossiers, tests.store.small):
        assert Path(module.__file__).is_relative_to(copy)
"""
_PLACE_TEST = "tests/test_place.py"


@dataclass(frozen=True, slots=True)
class Ended:
    """How pytest ended: its exit code, and what it said."""

    code: int
    said: str


def copy_of(tree: Path, copy: Path, each: Callable[[Any, Any], Any] = shutil.copy2) -> Path:
    """Copy what the tests need of a tree, and put beside it the test that the copy is what is tested."""
    copy.mkdir()
    for name in COPIED:
        if (tree / name).is_dir():
            shutil.copytree(tree / name, copy / name, ignore=shutil.ignore_patterns("*.pyc.*"), copy_function=each)
        else:
            each(tree / name, copy / name)
    (copy / _PLACE_TEST).unlink(missing_ok=True)
    (copy / _PLACE_TEST).write_text(_PLACE, encoding="utf-8")
    return copy


def mutate(copy: Path, mutation: Mutation) -> None:
    """Make one mistake. Fails if the text to be changed does not stand in its file exactly once."""
    path = copy / mutation.file
    text = path.read_text(encoding="utf-8")
    times = text.count(mutation.old)
    assert times == 1, f"{mutation.file} has {mutation.old!r} {times} times: write this mutation anew"
    path.unlink()
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
        compiled.unlink()


def try_tests(copy: Path, *tests: str) -> Ended:
    """Run some tests of a copy, with the copy's program."""
    says = copy.parent / f"{copy.name}.txt"
    given = {"COPY": str(copy), "TESTS": [_PLACE_TEST, *tests], "SAYS": str(says)}
    trial = _TRIALS.Process(target=runpy.run_path, args=(str(copy / "tests/proof/trial.py"), given))
    trial.start()
    trial.join()
    assert trial.exitcode is not None
    return Ended(trial.exitcode, says.read_text(encoding="utf-8", errors="replace"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of this tree, from which the others are made: so that all see the same one."""
    return copy_of(ROOT, tmp_path_factory.mktemp("mutations") / "tree")


@pytest.fixture(scope="module")
def results(tree: Path, request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Ended]]]:
    """What the chosen mutations lead to, by name; two are tried at a time."""
    cases = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {case.params["mutation"].name for case in cases if case is not None and "mutation" in case.params}

    def attempt(number: int, mutation: Mutation) -> Ended:
        copy = copy_of(tree, tree.parent / str(number), os.link)  # a changed file is written anew, not over
        try:
            mutate(copy, mutation)
            return try_tests(copy, mutation.test)
        finally:
            shutil.rmtree(copy)

    with ThreadPoolExecutor(AT_ONCE) as executor:
        yield {
            one.name: executor.submit(attempt, number, one)
            for number, one in enumerate(MUTATIONS)
            if one.name in wanted
        }


def test_without_a_mistake_all_of_them_pass(tree: Path) -> None:
    found = try_tests(tree, *dict.fromkeys(one.test for one in MUTATIONS))
    assert found.code == 0, found.said


def test_each_mistake_has_a_name_of_its_own() -> None:
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)
    assert len({(one.file, one.old, one.new) for one in MUTATIONS}) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_a_mistake_turns_a_test_red(mutation: Mutation, results: Mapping[str, Future[Ended]]) -> None:
    found = results[mutation.name].result()
    assert found.code == 1, found.said
    failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", found.said, re.MULTILINE)
    assert [one.startswith(mutation.test) for one in failed] == [True], found.said
    assert "\nFAILED " in found.said, found.said
