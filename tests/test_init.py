"""`collector init`: the samples, copied into an empty folder and nowhere else."""

from pathlib import Path

import pytest

from collector import init
from collector.contract.errors import WrongUse


def test_all_samples_are_copied_and_named(tmp_path: Path) -> None:
    written = init.write(tmp_path / "new" / "folder")
    names = {path.relative_to(tmp_path / "new" / "folder").as_posix() for path in written}
    assert {"collector.yaml", "agencies.yaml", "scoring.yaml", "workdays/2026.yaml"} <= names
    for path in written:
        name = path.relative_to(tmp_path / "new" / "folder")
        assert path.read_bytes() == (init.samples() / name).read_bytes()


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "agencies.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(WrongUse, match=r"is not empty\. Name a new folder; nothing is ever overwritten$"):
        init.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["agencies.yaml"]
    assert (tmp_path / "agencies.yaml").read_text(encoding="utf-8") == "mine"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file, file / "below"):
        with pytest.raises(WrongUse, match=r"cannot be made \(.*\)\. Name a folder that you may write to$"):
            init.write(place)


def test_the_samples_of_a_checkout_are_its_own_configuration() -> None:
    assert init.samples() == Path(init.__file__).parent.parent / "config"
