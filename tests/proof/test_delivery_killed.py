"""INV-6: a sender that is killed, and killed again while it makes up for it, leaves one effect of each message.

Told by the receiver's own ledger: the receiver runs in a process of its own and is never killed.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from collector.sinks import delivery
from collector.sinks.delivery import Outcome, Sender
from collector.store.engine import open_engine
from tests.servers.scoring_service import ScoringService
from tests.sinks import kill_sender
from tests.sinks.messages import NOW, edition, emptied, put, receiver

STEPS = ("before send", "sent before answer", "answered before mark", "marked before commit", "after commit")
ROOT = Path(__file__).parents[2]
Kill = Callable[[Path, str, str], int]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, scoring_services: Callable[..., ScoringService]
) -> tuple[Path, Engine, ScoringService]:
    path = tmp_path_factory.mktemp("killed") / "store.sqlite"
    return path, open_engine(f"sqlite:///{path}"), scoring_services()


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Run a sender on a store and a receiver's address until it dies at a step; gives how it ended."""
    words = [sys.executable, "-P", str(Path(kill_sender.__file__))]
    with subprocess.Popen(words, env=ENVIRONMENT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as senders:
        assert senders.stdin is not None
        assert senders.stdout is not None
        into, out = senders.stdin, senders.stdout

        def run(store: Path, url: str, step: str) -> int:
            print(store, url, step, sep="\t", file=into, flush=True)
            return int(out.readline())

        yield run
        into.close()


@pytest.fixture
def fresh(shared: tuple[Path, Engine, ScoringService]) -> tuple[Path, Engine, ScoringService]:
    _, engine, service = shared
    emptied(engine)
    service.emptied()
    return shared


@pytest.mark.parametrize("again", [None, *STEPS], ids=lambda one: one or "a clean run")
@pytest.mark.parametrize("step", STEPS)
def test_a_sender_that_is_killed_leaves_one_effect_of_each_message(
    fresh: tuple[Path, Engine, ScoringService], kill: Kill, step: str, again: str | None
) -> None:
    path, engine, service = fresh
    made = [edition(), edition(number=2, hits=8), edition("2026-02", hits=3)]
    put(engine, *made)
    for at in (step, *([again] if again else [])):
        assert kill(path, service.url, at) == -9
        assert set(service.effects.values()) <= {1}

    clean = delivery.deliver(
        Sender(engine, lambda: NOW, f"{kill_sender.PLACE}{os.getpid()}"), receiver(service.url), wait=False, says=print
    )
    assert replace(clean, acknowledged=0) == Outcome("scoring", 0, 0, pending=0, dead=0)
    assert service.applied == {one.key: one.digest for one in made}
    assert service.effects == {one.key: 1 for one in made}
    assert service.sums == (9 + 7 + 8 + 7 + 3 + 7, 54)
    assert {(one.key, one.digest) for one in made} == set(service.told)  # every attempt: same key, same body
