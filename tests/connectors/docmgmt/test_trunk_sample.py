"""The commented examples of the sample configuration: uncommented, they are good as they stand."""

from pathlib import Path
from shutil import copytree

from collector.assembly import find_connector
from collector.init import samples
from collector.settings import load
from connectors.docmgmt import trunk


def uncommented(text: str) -> str:
    """The sample's examples of trunks as sources of their own, in place of all others."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("  # trunk-messages:"))
    last = next(number for number in range(first, len(lines)) if not lines[number].startswith("  #"))
    head = lines[: lines.index("sources:") + 1]
    return "\n".join([*head, *("  " + line[4:] for line in lines[first:last])])


def test_the_examples_of_trunks_are_good_as_they_stand(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    copytree(samples(), folder)
    path = folder / "collector.yaml"
    path.write_text(uncommented(path.read_text(encoding="utf-8")), encoding="utf-8")
    environment = {"HOME": str(tmp_path), "TRUNK_KEY": "a", "TRUNK_PASSWORD": "b", "VXP_KEY": "c"}
    sources = load(path, find_connector, environment).sources
    assert {name: source.connector for name, source in sources.items()} == dict.fromkeys(
        ("trunk-messages", "trunk-received", "trunk-sent"), "docmgmt.trunk"
    )
    ways = [source.config for source in sources.values()]
    assert all(isinstance(one, trunk.Config) for one in ways)
    assert [[name for name in ("messages", "received", "sent") if getattr(one, name)] for one in ways] == [
        ["messages"],
        ["received"],
        ["sent"],
    ]
