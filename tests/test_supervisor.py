"""What systemd is told, over a real socket."""

import socket
from pathlib import Path

import pytest

from collector.supervisor import Supervisor


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_each_word_reaches_the_socket_that_the_supervisor_names(kind: str, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    address, bound = (path, path) if kind == "path" else (f"@{path}", f"\0{path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(bound)
        there.settimeout(10)
        supervisor = Supervisor({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        supervisor.ready("reads 3 sources")
        supervisor.reloading()
        supervisor.alive()
        supervisor.stopping()
        told = [there.recv(200).decode() for _ in range(4)]
    assert told[0] == "READY=1\nSTATUS=reads 3 sources"
    assert told[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert told[2:] == ["WATCHDOG=1", "STOPPING=1"]
    assert supervisor.patience == 30


@pytest.mark.parametrize("there", [False, True])
def test_where_nobody_listens_nothing_is_said(there: bool, tmp_path: Path) -> None:
    gone = {"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "soon"}
    supervisor = Supervisor(gone if there else {})
    supervisor.ready("")
    assert supervisor.patience is None
