from pathlib import Path

import pytest
from pydantic import BaseModel

from collector.transports import OPTIONS, Run, open_door
from collector.transports.folder import Folder
from collector.transports.http import Service
from collector.transports.sql import Database
from collector.transports.ssh import RemoteFolder

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43

BLOCKS: dict[str, tuple[dict[str, str], type]] = {
    "folder": ({"path": "/nowhere"}, Folder),
    "ssh": (
        {"host": "h", "port": "2222", "user": "u", "password": "p", "host_key": HOST_KEY, "path": "/x"},
        RemoteFolder,
    ),
    "http": ({"base_url": "https://h.example", "timeout": "5"}, Service),
    "sql": ({"url": "postgresql://u@h/d"}, Database),
}


@pytest.mark.parametrize("kind", ["folder", "ssh", "http", "sql"])
def test_each_kind_of_options_opens_its_own_door_and_nothing_is_asked_yet(kind: str, run: Run) -> None:
    block, door_of = BLOCKS[kind]
    options = OPTIONS[kind].model_validate(block)
    with open_door(options, run) as door:
        assert type(door) is door_of
        assert (door.source, door.began) == (run.source, run.began)
        assert door.pseudonym("a@b.example", 20260105) == run.pseudonym("a@b.example", 20260105)


def test_there_are_four_kinds() -> None:
    assert set(OPTIONS) == set(BLOCKS)


@pytest.mark.parametrize("kind", ["folder", "ssh", "http", "sql"])
def test_the_kind_may_be_left_in_the_block_and_must_be_right(kind: str) -> None:
    block, _ = BLOCKS[kind]
    assert OPTIONS[kind].model_validate(block | {"kind": kind}) == OPTIONS[kind].model_validate(block)
    with pytest.raises(ValueError, match="kind"):
        OPTIONS[kind].model_validate(block | {"kind": "pigeon"})


@pytest.mark.parametrize("kind", ["folder", "ssh", "http", "sql"])
def test_every_option_is_explained(kind: str) -> None:
    for name, field in OPTIONS[kind].model_fields.items():
        assert name == "kind" or field.description


def test_other_options_belong_to_no_door(run: Run) -> None:
    class Pigeon(BaseModel):
        path: Path = Path("/")

    with pytest.raises(TypeError, match="Pigeon"), open_door(Pigeon(), run):
        pass
