import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.servers.clock import Clock
from tests.servers.process import PortTaken, ServerFailed, child, with_other_ports
from tests.servers.traces import processes_of

ROOT = Path(__file__).parents[2]

A_RUN_THAT_STARTS_A_SERVER = """
import sys, time
from pathlib import Path
from tests.servers import {module} as server
with server.start(Path(sys.argv[1]){more}):
    print("ready", flush=True)
    time.sleep(600)
"""


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


@pytest.mark.parametrize(
    ("module", "more"),
    [
        pytest.param("postgresql", "", marks=pytest.mark.server("postgresql")),
        pytest.param("mariadb", "", marks=pytest.mark.server("mariadb")),
        pytest.param("openssh", ", Path(sys.argv[1])", marks=pytest.mark.server("openssh")),
        pytest.param("prometheus", ", 9", marks=pytest.mark.server("prometheus")),
        pytest.param(
            "mail",
            ", ['an@skhcn.example.gov.vn'], 1767920400",
            marks=[pytest.mark.server(name) for name in ("postfix", "dovecot", "faketime")],
        ),
    ],
)
def test_a_server_dies_with_its_test_run_even_if_that_is_killed(
    module: str, more: str, server_folder: Callable[[str], Path]
) -> None:
    folder, began = server_folder("killed"), time.time()
    program = A_RUN_THAT_STARTS_A_SERVER.format(module=module, more=more)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        assert set(processes_of(folder)) - {psutil.Process(run.pid)}
        run.send_signal(signal.SIGKILL)
    assert wait_for(lambda: processes_of(folder) == [], 10), processes_of(folder)
    Clock(folder / "clock", began).sweep()


def test_a_server_that_does_not_start_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="ended with 3 while starting:\nno such thing"),
        child(["sh", "-c", "echo no such thing; exit 3"], tmp_path / "log", lambda: False),
    ):
        pass


def test_a_server_that_does_not_answer_in_time_is_ended_and_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match="did not answer within 0 s"),
        child(["sh", "-c", f"sleep 600; echo {tmp_path}"], tmp_path / "log", lambda: False, patience=0.1),
    ):
        pass
    assert processes_of(tmp_path) == []


def test_a_server_that_ignores_the_signal_is_killed_with_what_it_started(tmp_path: Path) -> None:
    stubborn = (
        f"trap '' TERM; echo {tmp_path}; setsid sh -c 'trap \"\" TERM; sleep 600; echo {tmp_path}' & echo up; wait"
    )
    with child(["sh", "-c", stubborn], tmp_path / "log", lambda: len(processes_of(tmp_path)) > 1, grace=0.3):
        pass
    assert processes_of(tmp_path) == []


def test_a_taken_port_makes_it_begin_again_and_three_times_is_enough(tmp_path: Path) -> None:
    begun: list[int] = []

    @contextmanager
    def begin() -> Iterator[int]:
        begun.append(len(begun))
        ready = len(begun) > clashes
        command = ["sleep", "600"] if ready else ["sh", "-c", "echo Address already in use; exit 1"]
        with child(command, tmp_path / "log", lambda: ready):
            yield begun[-1]

    clashes = 2
    with with_other_ports(begin) as attempt:
        assert attempt == 2
    clashes = 9
    begun.clear()
    with pytest.raises(PortTaken), with_other_ports(begin):
        pass
    assert begun == [0, 1, 2]
