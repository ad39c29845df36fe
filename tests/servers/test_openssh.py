import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from tests.servers import openssh as openssh_server
from tests.servers.openssh import OpenSSH
from tests.servers.process import answers
from tests.servers.traces import processes_of


@contextmanager
def files(server: OpenSSH, key_file: Path | None = None) -> Iterator[paramiko.SFTPClient]:
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(
            server.host,
            server.port,
            server.user,
            key_filename=str(key_file or server.key_file),
            allow_agent=False,
            look_for_keys=False,
            timeout=10,
        )
        with client.open_sftp() as session:
            yield session


def test_a_session_finds_itself_in_the_folder_that_is_served(openssh: Callable[..., OpenSSH], tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text("một dòng\n")
    with files(openssh(tmp_path)) as session:
        assert session.listdir(".") == ["mail.log"]
        with session.open("mail.log") as file:
            assert file.read().decode() == "một dòng\n"


def test_a_read_only_server_refuses_to_write_and_another_does_not(
    openssh: Callable[..., OpenSSH], tmp_path: Path
) -> None:
    with files(openssh(tmp_path)) as session, pytest.raises(PermissionError):
        session.mkdir("new")
    assert list(tmp_path.iterdir()) == []
    with files(openssh(tmp_path, read_only=False)) as session:
        session.mkdir("new")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_no_command_can_be_run(openssh: Callable[..., OpenSSH], tmp_path: Path) -> None:
    server = openssh(tmp_path)
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(server.known_hosts))
        client.connect(server.host, server.port, server.user, key_filename=str(server.key_file), allow_agent=False)
        _, out, _ = client.exec_command(f"touch {tmp_path / 'made'}", timeout=10)
        out.channel.shutdown_write()
        out.read()
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_may_not_log_in_is_refused(openssh: Callable[..., OpenSSH], tmp_path: Path) -> None:
    server = openssh(tmp_path)
    with pytest.raises(paramiko.AuthenticationException), files(server, server.other_key_file):
        pass


def test_the_host_key_is_the_servers_own(openssh: Callable[..., OpenSSH], tmp_path: Path) -> None:
    server = openssh(tmp_path)
    with paramiko.Transport((server.host, server.port)) as transport:
        transport.start_client(timeout=10)
        shown = transport.get_remote_server_key()
    assert f"{shown.get_name()} {shown.get_base64()}" == server.host_key
    assert shown.fingerprint == server.fingerprint


@pytest.mark.server("openssh")
def test_it_stops_while_a_client_is_connected_and_leaves_no_process() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with openssh_server.start(Path(folder), Path(folder)) as server, files(server):
            assert processes_of(Path(folder))
        assert not answers(server.port)
        assert processes_of(Path(folder)) == []
    assert not Path(folder).exists()
