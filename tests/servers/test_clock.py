import subprocess
import time
from pathlib import Path

import pytest

from tests.servers import clock as clock_of_servers
from tests.servers.clock import at

pytestmark = pytest.mark.server("faketime")


def test_all_processes_see_the_same_moment_which_can_be_moved(tmp_path: Path) -> None:
    with clock_of_servers.start(tmp_path / "clock", at(20260109, 8)) as clock:
        ask = ["date", "+%Y%m%d %H%M %Z"]

        def asked() -> str:
            return subprocess.run(ask, env=dict(clock.environment), capture_output=True, text=True, check=True).stdout

        assert asked() == "20260109 0800 +07\n"
        clock.move(at(20260110, 0, 1))
        assert asked() == "20260110 0001 +07\n"
        assert at(20260110, 0, 1) <= clock.now < at(20260110, 0, 2)


def test_a_clock_does_not_go_back(tmp_path: Path) -> None:
    with (
        clock_of_servers.start(tmp_path / "clock", at(20260109, 8)) as clock,
        pytest.raises(ValueError, match="goes back"),
    ):
        clock.move(at(20260109, 7, 59))


def test_a_local_time_is_that_of_viet_nam() -> None:
    # 2026-01-10 00:20 +07:00 is 2026-01-09 17:20 UTC.
    assert time.strftime("%Y-%m-%d %H:%M", time.gmtime(at(20260110, 0, 20))) == "2026-01-09 17:20"
