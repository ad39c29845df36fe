"""Leases: one run of a source at a time, and none waits for a process that is no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.contract.errors import TryAgain
from collector.store import locks
from collector.store.engine import writing
from tests.store.small import store


def test_nobody_waits_for_a_process_that_was_killed(tmp_path: Path) -> None:
    engine, _ = store(tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    killed = locks.held(engine, "s", f"ai@đây process {ended.pid}", lambda: 1_000, wait=False, says=print)
    held = killed.__enter__()
    with locks.held(engine, "s", "khác@đây process 1", lambda: 1_001, wait=False, says=print) as taken:
        assert taken.token == held.token + 1
        with pytest.raises(TryAgain), writing(engine) as connection:
            locks.renew(connection, held, 1_002)  # should it be alive all the same


@pytest.mark.parametrize(
    "holder",
    [f"ai@đây process {os.getpid()}", "ai@kia process 4194305", "ai@đây", "ai@đây process x"],
    ids=["alive", "elsewhere", "without a number", "no number"],
)
def test_a_process_that_is_alive_or_elsewhere_is_waited_for(tmp_path: Path, holder: str) -> None:
    engine, _ = store(tmp_path)
    with (
        locks.held(engine, "s", holder, lambda: 1_000, wait=False, says=print),
        pytest.raises(TryAgain),
        locks.held(engine, "s", "khác@đây process 1", lambda: 1_001, wait=False, says=print),
    ):
        pass
