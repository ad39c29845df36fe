"""The `ssh` door on a real OpenSSH server."""

import os
import pwd
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector.contract.door import FileEntry
from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer, WrongUse
from collector.transports import ssh
from collector.transports.ssh import Options, RemoteFolder
from tests.servers import openssh as openssh_server
from tests.servers.openssh import OpenSSH
from tests.transports.runs import make_run

pytestmark = pytest.mark.server("openssh")

Door = Callable[..., RemoteFolder]


@pytest.fixture(scope="module")
def server(openssh: Callable[..., OpenSSH], tmp_path_factory: pytest.TempPathFactory) -> OpenSSH:
    return openssh(tmp_path_factory.mktemp("served"))


@pytest.fixture
def served(server: OpenSSH) -> Iterator[Path]:
    yield server.served
    for path in server.served.iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def a_door(opened: ExitStack, server: OpenSSH, *, deadline: float = 60, **changed: Any) -> RemoteFolder:
    usual = {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "key_file": server.key_file,
        "known_hosts": server.known_hosts,
        "path": str(server.served),
        "timeout": 10,
    }
    settings = {key: value for key, value in (usual | changed).items() if value is not None}
    return opened.enter_context(ssh.open_door(Options.model_validate(settings), make_run(deadline)))


@pytest.fixture
def door(opened: ExitStack, server: OpenSSH) -> RemoteFolder:
    return a_door(opened, server)


def logged(server: OpenSSH) -> str:
    return server.log.read_text(errors="replace")


def test_a_list_names_matching_regular_files_in_order_with_size_and_time(served: Path, door: RemoteFolder) -> None:
    for name, size in (("mail.log.1", 5), ("mail.log", 7), ("other.txt", 1), (".mail.log.tmp", 1)):
        (served / name).write_bytes(b"x" * size)
        os.utime(served / name, (1_700_000_000, 1_700_000_000.75))
    (served / "link.log").symlink_to("/etc/passwd")
    os.mkfifo(served / "pipe.log")
    (served / "sub.log").mkdir()
    assert door.list("*.log*") == [FileEntry("mail.log", 7, 1_700_000_000), FileEntry("mail.log.1", 5, 1_700_000_000)]
    assert [entry.name for entry in door.list("*")] == ["mail.log", "mail.log.1", "other.txt"]


def test_a_range_is_read_in_blocks_of_at_most_one_mebibyte(served: Path, door: RemoteFolder) -> None:
    content = os.urandom(5_000_000)
    (served / "mail.log").write_bytes(content)
    blocks = list(door.read("mail.log", 123_457, 4_900_001))
    assert b"".join(blocks) == content[123_457:4_900_001]
    assert max(len(block) for block in blocks) == 1_048_576


def test_slices_join_without_a_seam(served: Path, door: RemoteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "_SLICE", 300_001)
    content = os.urandom(2_000_000)
    (served / "mail.log").write_bytes(content)
    assert b"".join(door.read("mail.log", 7, 1_999_999)) == content[7:1_999_999]


def test_a_large_range_needs_no_more_memory_than_a_slice(
    served: Path, door: RemoteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "_SLICE", 2 << 20)
    (served / "mail.log").write_bytes(bytes(24 << 20))
    tracemalloc.start()
    try:
        assert sum(len(block) for block in door.read("mail.log", 0, 24 << 20)) == 24 << 20
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_shorter_gives_fewer_bytes(served: Path, door: RemoteFolder) -> None:
    (served / "short").write_bytes(b"abcdef")
    for (start, end), expected in {(4, 100): b"ef", (6, 100): b"", (60, 100): b"", (2, 2): b"", (0, 3): b"abc"}.items():
        assert b"".join(door.read("short", start, end)) == expected


def test_a_file_that_shrinks_while_it_is_read_gives_what_was_there(
    served: Path, door: RemoteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "_SLICE", 2 << 20)
    content = os.urandom(6 << 20)
    (served / "mail.log").write_bytes(content)
    blocks = door.read("mail.log", 0, 6 << 20)
    read = next(blocks)
    os.truncate(served / "mail.log", 3 << 20)
    read += b"".join(blocks)
    assert read == content[: len(read)]
    assert len(read) <= 3 << 20
    assert [entry.size for entry in door.list("mail.log")] == [3 << 20]


def test_the_file_that_was_opened_is_read_to_its_end_though_it_is_renamed(
    served: Path, door: RemoteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "_SLICE", 1 << 20)
    content = os.urandom(4 << 20)
    (served / "mail.log").write_bytes(content)
    blocks = door.read("mail.log", 0, 4 << 20)
    read = next(blocks)
    (served / "mail.log").rename(served / "mail.log.1")
    (served / "mail.log").write_bytes(b"another file")
    assert read + b"".join(blocks) == content


def test_a_range_that_is_left_unread_does_not_disturb_the_next(served: Path, door: RemoteFolder) -> None:
    content = os.urandom(3 << 20)
    (served / "mail.log").write_bytes(content)
    for _ in range(3):
        blocks = door.read("mail.log", 0, 3 << 20)
        next(blocks)
        blocks.close()  # type: ignore[attr-defined]
    assert b"".join(door.read("mail.log", 1, 3 << 20)) == content[1:]


def test_links_pipes_and_folders_are_not_read(served: Path, door: RemoteFolder) -> None:
    (served / "link.log").symlink_to("/etc/passwd")
    os.mkfifo(served / "pipe.log")
    (served / "sub.log").mkdir()
    for name in ("link.log", "pipe.log", "sub.log"):
        with pytest.raises(UnexpectedAnswer, match="no regular file"):
            list(door.read(name, 0, 100))


def test_what_is_missing_is_tried_again(served: Path, door: RemoteFolder, opened: ExitStack, server: OpenSSH) -> None:
    with pytest.raises(TryAgain, match="does not exist"):
        list(door.read("none", 0, 1))
    with pytest.raises(TryAgain, match="does not exist") as caught:
        a_door(opened, server, path=str(served / "none")).list("*")
    assert (caught.value.source, caught.value.stage) == ("a-source", "read")


def test_a_file_name_that_is_not_utf8_is_unexpected(served: Path, door: RemoteFolder) -> None:
    Path(os.fsdecode(os.fsencode(served) + b"/b\xecnh.log")).touch()
    with pytest.raises(UnexpectedAnswer, match="not UTF-8"):
        door.list("*.log")


def test_a_missing_right_is_named_with_the_group_to_join(
    opened: ExitStack, server_folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, served = server_folder("keys"), server_folder("closed")
    if os.geteuid() == 0:
        # Root may read everything, so log in as somebody who may not.
        nobody = pwd.getpwnam("nobody")
        monkeypatch.setattr(pwd, "getpwuid", lambda _: nobody)
    folder.chmod(0o755)
    served.chmod(0o755)
    (served / "mail.log").write_text("secret")
    (served / "mail.log").chmod(0o200)
    other = opened.enter_context(openssh_server.start(folder, served))
    door = a_door(opened, other)
    assert [entry.name for entry in door.list("*")] == ["mail.log"]
    with pytest.raises(AccessDenied, match=f"{other.user} has no permission to read .*mail.log") as caught:
        list(door.read("mail.log", 0, 6))
    assert "adm" in caught.value.mend
    assert "setfacl" in caught.value.mend
    served.chmod(0o300)
    with pytest.raises(AccessDenied, match="no permission"):
        door.list("*")


# --- who is who


def test_a_pinned_host_key_is_enough(served: Path, opened: ExitStack, server: OpenSSH) -> None:
    (served / "mail.log").touch()
    pinned = a_door(opened, server, known_hosts=None, host_key=server.host_key)
    assert [entry.name for entry in pinned.list("*")] == ["mail.log"]


def test_an_unknown_host_key_is_refused_before_any_login(opened: ExitStack, server: OpenSSH, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.write_text(f"# nothing yet\nelsewhere.example {server.host_key}\n{server.host} {server.host_key}\n")
    before = logged(server).count("Accepted") + logged(server).count("Failed")
    with pytest.raises(AccessDenied, match="unknown host key") as caught:
        a_door(opened, server, known_hosts=empty).list("*")
    assert server.fingerprint in caught.value.reason
    assert f"ssh-keyscan -p {server.port} {server.host}" in caught.value.mend
    assert "ssh-keygen -lf" in caught.value.mend
    assert caught.value.stage == "reach"
    assert empty.read_text().count("\n") == 3
    assert logged(server).count("Accepted") + logged(server).count("Failed") == before


def test_a_damaged_line_of_known_hosts_is_told_as_such(opened: ExitStack, server: OpenSSH, tmp_path: Path) -> None:
    damaged = tmp_path / "known_hosts"
    damaged.write_text(f"{server.host} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bG9vcGJhY2s=\n")
    with pytest.raises(WrongUse, match="holds a line whose key is damaged"):
        a_door(opened, server, known_hosts=damaged).list("*")


def test_a_changed_host_key_is_another_message(opened: ExitStack, server: OpenSSH, tmp_path: Path) -> None:
    other_key = " ".join(Path(f"{server.key_file}.pub").read_text().split()[:2])
    changed = tmp_path / "known_hosts"
    changed.write_text(f"[{server.host}]:{server.port} {other_key}\n")
    for options in ({"known_hosts": changed}, {"known_hosts": None, "host_key": other_key}):
        with pytest.raises(AccessDenied, match="host key has changed") as caught:
            a_door(opened, server, **options).list("*")
        assert server.fingerprint in caught.value.reason
        assert "unknown" not in caught.value.reason


def test_a_key_that_is_not_authorised_is_denied(opened: ExitStack, server: OpenSSH) -> None:
    with pytest.raises(AccessDenied, match=f"refused the login of {server.user}") as caught:
        a_door(opened, server, key_file=server.other_key_file).list("*")
    assert caught.value.stage == "log in"
    assert "authorized_keys" in caught.value.mend


def test_a_password_where_only_keys_are_taken_is_denied_without_showing_it(opened: ExitStack, server: OpenSSH) -> None:
    with pytest.raises(AccessDenied, match="refused the login") as caught:
        a_door(opened, server, key_file=None, password="quite-secret-4711").list("*")
    assert "4711" not in str(caught.value)


def test_no_other_key_of_the_account_that_runs_us_is_offered(
    opened: ExitStack, server: OpenSSH, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir(mode=0o700)
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(server.key_file.read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(AccessDenied, match="refused the login"):
        a_door(opened, server, key_file=server.other_key_file).list("*")


# --- limits


def test_one_connection_serves_the_whole_run(served: Path, door: RemoteFolder, server: OpenSSH) -> None:
    (served / "mail.log").write_bytes(b"x")
    before = logged(server).count("Accepted publickey")
    for _ in range(3):
        door.list("*")
        list(door.read("mail.log", 0, 1))
    assert logged(server).count("Accepted publickey") == before + 1


def test_after_the_deadline_nothing_is_asked(opened: ExitStack, server: OpenSSH) -> None:
    before = logged(server)
    with pytest.raises(TryAgain, match="deadline"):
        a_door(opened, server, deadline=0.000_001).list("*")
    assert logged(server) == before


def test_a_connection_that_breaks_off_is_tried_again(served: Path, door: RemoteFolder) -> None:
    (served / "mail.log").write_bytes(bytes(3 << 20))
    door.list("*")
    assert door._client is not None
    transport = door._client.get_transport()
    assert transport is not None
    transport.close()
    with pytest.raises(TryAgain, match="broke off"):
        door.list("*")
    with pytest.raises(TryAgain, match="broke off"):
        list(door.read("mail.log", 0, 3 << 20))


def test_a_connection_that_breaks_off_in_the_middle_of_a_file_is_tried_again(served: Path, door: RemoteFolder) -> None:
    (served / "mail.log").write_bytes(bytes(24 << 20))
    blocks = door.read("mail.log", 0, 24 << 20)
    next(blocks)
    assert door._client is not None
    transport = door._client.get_transport()
    assert transport is not None
    transport.close()
    with pytest.raises(TryAgain, match="broke off"):
        list(blocks)
