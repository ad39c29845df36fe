import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from collector.contract.door import FileEntry, Files
from collector.contract.errors import AccessDenied, TryAgain, UnexpectedAnswer
from collector.transports import Run
from collector.transports.folder import Options, open_door
from tests.transports.runs import make_run


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: another account must be able to reach it.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def door(folder: Path, run: Run) -> Iterator[Files]:
    with open_door(Options(path=folder), run) as opened:
        yield opened


def test_the_door_knows_its_run(door: Files, run: Run) -> None:
    assert (door.source, door.began) == ("a-source", run.began)
    assert door.pseudonym("a@b.example", 20260105) == run.pseudonym("a@b.example", 20260105)


def test_a_list_names_matching_files_in_order_with_size_and_time(folder: Path, door: Files) -> None:
    for name, size in (("mail.log.1", 5), ("mail.log", 7), ("other.txt", 1)):
        (folder / name).write_bytes(b"x" * size)
        os.utime(folder / name, (1_700_000_000, 1_700_000_000.75))
    assert list(door.list("mail.log*")) == [
        FileEntry("mail.log", 7, 1_700_000_000),
        FileEntry("mail.log.1", 5, 1_700_000_000),
    ]


def test_a_pattern_minds_letter_case_and_leaves_hidden_files_alone(folder: Path, door: Files) -> None:
    for name in ("a.csv", "A.CSV", ".a.csv"):
        (folder / name).touch()
    assert [entry.name for entry in door.list("*.csv")] == ["a.csv"]
    assert [entry.name for entry in door.list(".*.csv")] == [".a.csv"]


def test_a_file_whose_name_is_no_text_stops_the_source_only_if_it_is_wanted(folder: Path, door: Files) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/b\xecnh.log")).touch()
    assert door.list("*.csv") == []
    with pytest.raises(UnexpectedAnswer, match="not readable text"):
        door.list("*.log")


def test_links_pipes_sockets_and_folders_are_not_listed(folder: Path, door: Files) -> None:
    (folder / "real.log").touch()
    (folder / "link.log").symlink_to("/etc/passwd")
    (folder / "inside.log").symlink_to("real.log")
    os.mkfifo(folder / "pipe.log")
    (folder / "sub.log").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.log"))
        assert [entry.name for entry in door.list("*")] == ["real.log"]


def test_a_link_or_pipe_that_took_a_files_place_is_not_read(folder: Path, door: Files) -> None:
    (folder / "link.log").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.log")
    for name in ("link.log", "pipe.log"):
        with pytest.raises(UnexpectedAnswer, match="no regular file"):
            list(door.read(name, 0, 100))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "sub/file", "..", ".", "", "a\0b"])
def test_a_name_that_leads_out_of_the_folder_is_a_bug(door: Files, name: str) -> None:
    with pytest.raises(ValueError, match="inside the folder"):
        door.read(name, 0, 1)


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4)])
def test_a_range_that_is_none_is_a_bug(door: Files, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="range of bytes"):
        door.read("a", start, end)


def test_a_range_is_read_in_blocks_of_at_most_one_mebibyte(folder: Path, door: Files) -> None:
    content = os.urandom(2_500_000)
    (folder / "big").write_bytes(content)
    blocks = list(door.read("big", 100, 2_400_000))
    assert b"".join(blocks) == content[100:2_400_000]
    assert [len(block) for block in blocks] == [1_048_576, 1_048_576, 2_400_000 - 100 - 2_097_152]


def test_a_file_that_is_shorter_gives_fewer_bytes(folder: Path, door: Files) -> None:
    (folder / "short").write_bytes(b"abcdef")
    assert b"".join(door.read("short", 4, 100)) == b"ef"
    assert b"".join(door.read("short", 6, 100)) == b""
    assert b"".join(door.read("short", 60, 100)) == b""
    assert b"".join(door.read("short", 2, 2)) == b""


def test_a_file_that_shrinks_while_it_is_read_gives_what_was_there(folder: Path, door: Files) -> None:
    (folder / "log").write_bytes(b"x" * 3_000_000)
    blocks = door.read("log", 0, 3_000_000)
    assert len(next(blocks)) == 1_048_576
    (folder / "log").write_bytes(b"")
    assert b"".join(blocks) == b""


def test_a_missing_folder_and_a_missing_file_are_tried_again(folder: Path, run: Run, door: Files) -> None:
    with pytest.raises(TryAgain, match="does not exist"):
        list(door.read("none", 0, 1))
    with open_door(Options(path=folder / "none"), run) as files, pytest.raises(TryAgain, match="mounted") as caught:
        files.list("*")
    assert (caught.value.source, caught.value.stage) == ("a-source", "read")


def test_a_file_in_place_of_the_folder_is_unexpected(folder: Path, run: Run) -> None:
    (folder / "file").touch()
    with open_door(Options(path=folder / "file"), run) as files, pytest.raises(UnexpectedAnswer, match="no folder"):
        files.list("*")


def test_a_missing_right_is_named_with_its_mend(
    folder: Path, door: Files, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    (folder / "mail.log").write_bytes(b"secret")
    (folder / "mail.log").chmod(0)
    with as_nobody(), pytest.raises(AccessDenied, match=r"no permission to read .*mail\.log") as caught:
        list(door.read("mail.log", 0, 6))
    assert "setfacl" in caught.value.mend
    assert "adm" in caught.value.mend
    folder.chmod(0o300)
    with as_nobody(), pytest.raises(AccessDenied, match="no permission to read and enter"):
        door.list("*")
    folder.chmod(0o700)


def test_after_the_deadline_nothing_more_is_read(folder: Path) -> None:
    (folder / "log").write_bytes(b"x")
    with open_door(Options(path=folder), make_run(deadline=0.000_001)) as files:
        with pytest.raises(TryAgain, match="deadline"):
            files.list("*")
        with pytest.raises(TryAgain, match="deadline"):
            list(files.read("log", 0, 1))
