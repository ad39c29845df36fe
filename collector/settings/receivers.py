"""Reading what `collector.yaml` says of the services that are told the readings."""

import re

from collector.settings.shape import Receiver, ReceiverFile
from collector.settings.typed import Reader
from collector.yaml_file import Section, section


def receivers(top: Section, reader: Reader) -> dict[str, Receiver]:
    """Those below `receivers` by their names, and that of `receiver`, whose name is just that."""
    written: list[tuple[str, Section]] = []
    if (alone := top.section("receiver")) is not None:
        written.append(("receiver", alone))
    if (below := top.section("receivers")) is not None:
        for name, node in below.node.items.items():
            if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name):
                wrong = f"{name} is no name for a receiver"
                below.fault(name, wrong, "Write small letters, digits, - or _, beginning with a letter")
            elif alone is not None and name == "receiver":
                below.fault(name, "has the name of the one under `receiver`", "Give it another name")
            elif (entry := section(node, below.below(name), top.faults)) is not None:
                written.append((name, entry))
    found = {}
    for name, entry in written:
        options = reader.model(ReceiverFile, entry.node, entry.key)
        if isinstance(options, ReceiverFile):
            found[name] = Receiver(name, options)
    return found
