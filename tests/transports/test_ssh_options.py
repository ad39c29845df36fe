"""What the `ssh` door refuses before it connects to anybody."""

import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import paramiko
import pytest
from pydantic import ValidationError

from collector.contract.errors import TryAgain, WrongUse
from collector.transports.ssh import Options, open_door
from tests.transports.runs import make_run

SECRET = "quite-secret-4711"
# Made by ssh-keygen for this test alone; its private half was thrown away.
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHa/WF2e0cNo7YUBbmBk79HSyEd67DacE4L8whYxqPxn"


def options(**changed: Any) -> Options:
    usual = {
        "host": "127.0.0.1",
        "port": 1,
        "user": "reader",
        "password": SECRET,
        "host_key": HOST_KEY,
        "path": "/var/log",
    }
    return Options.model_validate({key: value for key, value in (usual | changed).items() if value is not None})


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"host_key": None}, "known_hosts and host_key"),
        ({"known_hosts": "/x"}, "known_hosts and host_key"),
        ({"password": None}, "give key_file"),
        ({"host_key": "AAAA"}, "type and a key"),
        ({"host_key": "ssh-ed25519 not-base64!"}, "type and a key"),
        ({"host_key": "ssh-unknown AAAAC3NzaC1lZDI1NTE5"}, "type and a key"),
        ({"host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"}, "type and a key"),
        ({"port": 0}, "port"),
        ({"host": ""}, "host"),
        ({"agent": True}, "agent"),
    ],
)
def test_incomplete_options_are_refused_without_repeating_secrets(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as caught:
        options(**changed)
    assert SECRET not in str(caught.value)


def _written(folder: Path, password: str | None = None) -> Path:
    path = folder / "key"
    paramiko.RSAKey.generate(2048).write_private_key_file(str(path), password)
    path.chmod(0o600)
    return path


def _missing(folder: Path) -> Path:
    return folder / "none"


def _junk(folder: Path) -> Path:
    (folder / "junk").write_text("no key")
    (folder / "junk").chmod(0o600)
    return folder / "junk"


def _open_to_all(folder: Path) -> Path:
    path = _written(folder)
    path.chmod(0o604)
    return path


@pytest.mark.parametrize(
    ("make", "password", "says"),
    [
        (_missing, None, "cannot be read"),
        (_junk, None, "no private key"),
        (_open_to_all, None, "chmod 600"),
        (lambda folder: _written(folder, SECRET), None, "give it as key_password"),
        (lambda folder: _written(folder, SECRET), "another", "key_password is wrong"),
        (_written, SECRET, "needs no password"),
    ],
)
def test_a_key_that_cannot_be_used_is_wrong_use(
    tmp_path: Path, make: Callable[[Path], Path], password: str | None, says: str
) -> None:
    chosen = options(password=None, key_file=make(tmp_path), key_password=password)
    with open_door(chosen, make_run()) as door, pytest.raises(WrongUse, match=says) as caught:
        door.list("*")
    assert caught.value.field == "key_file"
    assert SECRET not in str(caught.value)


def test_known_hosts_that_cannot_be_read_or_understood_are_wrong_use(tmp_path: Path) -> None:
    revoked = tmp_path / "known_hosts"
    revoked.write_text(f"@revoked * {HOST_KEY}\n127.0.0.1 {HOST_KEY}\n")
    for path, says in ((tmp_path / "none", "cannot be read"), (revoked, "@revoked")):
        chosen = options(host_key=None, known_hosts=path)
        with open_door(chosen, make_run()) as door, pytest.raises(WrongUse, match=says) as caught:
            door.list("*")
        assert caught.value.field == "known_hosts"


def test_a_host_that_is_away_is_tried_again_without_the_password() -> None:
    with open_door(options(), make_run()) as door, pytest.raises(TryAgain, match="no SSH connection") as caught:
        door.list("*")
    assert (caught.value.source, caught.value.stage) == ("a-source", "reach")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("greeting", [b"", b"220 mail.example ESMTP\r\n", b"\0" * 100])
def test_a_port_that_speaks_no_ssh_is_tried_again(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(greeting)

        thread = Thread(target=answer)
        thread.start()
        chosen = options(port=listener.getsockname()[1], timeout=2)
        with open_door(chosen, make_run()) as door, pytest.raises(TryAgain):
            door.list("*")
        thread.join()


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "", ".."])
def test_a_name_that_leads_out_of_the_folder_is_a_bug(name: str) -> None:
    with open_door(options(), make_run()) as door, pytest.raises(ValueError, match="inside the folder"):
        door.read(name, 0, 1)
