"""A YAML file as an operator wrote it: text with line numbers, and every fault in it by file, line, key and mend.

Scalars stay text until somebody who knows their meaning types them: 28.22 is a code and not a number, `no` is not
False. A key may be given once; anchors, merges and tags other than `!env`, `!file` and `!credential` are refused.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml

from collector.contract.errors import WrongUse
from collector.contract.period import as_day

REFERENCES = ("!env", "!file", "!credential")
_REFERENCES = "!env NAME, !file PATH, !credential NAME"
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")} | {"!"}


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. `reference` is one of REFERENCES if the text only says where the value is; `empty`: nothing there."""

    line: int
    text: str
    reference: str = ""
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    line: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping; `lines` tells the line of each key."""

    line: int
    items: Mapping[str, "Node"]
    lines: Mapping[str, int]


Node = Text | Many | Keys


@dataclass(slots=True)
class Faults:
    """All that is wrong in one file, so that an operator mends it in one go."""

    path: Path
    found: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, line: int, key: str, wrong: str, mend: str) -> None:
        """Note a fault: `file:line: key: what is wrong. mend`."""
        where = f"{self.path}:{line}: {key}: " if key else f"{self.path}:{line}: "
        text = f"{where}{wrong}. {mend}"
        if (line, key, text) not in self.found:
            self.found.append((line, key, text))

    def finish(self) -> None:
        """Raise WrongUse with one line for each fault, in the order of the file; nothing if there is none."""
        if self.found:
            raise WrongUse("\n".join(text for _, _, text in sorted(self.found, key=lambda one: one[0])))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a mend for an unknown name: the nearest known one, else all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    if len(names) > 12:
        names = [*names[:12], "..."]
    return f"Known here: {', '.join(names)}" if names else "Nothing is known here"


def read(path: Path, faults: Faults) -> Keys:
    """Return the file's top mapping; an empty one if there is nothing in it.

    Raises WrongUse at once if the file cannot be read or is no YAML; smaller faults are added to `faults`.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise WrongUse(f"{path}: there is no such file. Create it, or correct the path that names it") from None
    except IsADirectoryError:
        raise WrongUse(f"{path}: this is a folder, not a file. Name the file in it") from None
    except PermissionError:
        raise WrongUse(f"{path}: this account may not read the file. Give it the right to read") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        faults.add(line, "", "the file is not UTF-8", "Save it as UTF-8 (in many editors: Save as, encoding)")
        faults.finish()
    node = _composed(text, faults)
    if node is None:
        return Keys(1, {}, {})
    top = _node(node, "", faults)
    if isinstance(top, Keys):
        return top
    faults.add(top.line, "", "the file is not a mapping", "Write `key: value` lines at the left margin")
    faults.finish()
    return Keys(1, {}, {})


_DEEPEST = 100
"""So deep may lists and mappings be nested: PyYAML's composer in C ends the whole process where the stack does."""


def _parsed(text: str, loader: type[yaml.BaseLoader]) -> tuple[yaml.Node | None, int | None]:
    """The text's node, or the line of its first alias: a fault in what it stands for would be shown at a wrong line."""
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent) and event.start_mark is not None:
            return None, event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise RecursionError
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node, None


def _composed(text: str, faults: Faults) -> yaml.Node | None:
    try:
        try:
            # In C where PyYAML was built with it: ten times as fast. Python's tells in better words what is wrong.
            node, alias = _parsed(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        except yaml.YAMLError:
            node, alias = _parsed(text, yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        wrong = " ".join(part for part in (error.context, error.problem) if part)
        mend = "Indent with spaces, never with tabs, write a space after `key:`, and put text with : or # into quotes"
        faults.add(mark.line + 1 if mark else 1, "", f"this is no YAML: {wrong}", mend)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        mend = "Delete it, or type the line again"
        faults.add(line, "", f"a character that YAML does not allow (U+{code:04X})", mend)
    except RecursionError:
        faults.add(1, "", "lists or mappings are nested too deeply", "Look for a run of [ or { without end")
    else:
        if alias is None:
            return node
        mend = "Write the value out, or put text that begins with * into quotes"
        faults.add(alias, "", "an alias (*name) is not understood here", mend)
    faults.finish()
    return None


def _node(node: yaml.Node, key: str, faults: Faults) -> Node:
    line = node.start_mark.line + 1
    reference = node.tag if node.tag in REFERENCES else ""
    if not reference and node.tag not in _PLAIN:
        faults.add(
            line,
            key,
            f"the tag {node.tag} is not known",
            f"Only {_REFERENCES} are, for secrets",
        )
    if isinstance(node, yaml.ScalarNode):
        return Text(line, node.value, reference, empty=not node.style and node.value in ("", "~", "null"))
    if reference:
        faults.add(line, key, f"{reference} must be followed by a name", f"Write one of {_REFERENCES}")
    if isinstance(node, yaml.SequenceNode):
        return Many(line, tuple(_node(item, f"{key}[{place}]", faults) for place, item in enumerate(node.value)))
    items: dict[str, Node] = {}
    lines: dict[str, int] = {}
    for name_node, value in node.value:
        name_line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode):
            faults.add(name_line, key, "a key is a list or a mapping", "Write `key: value` with a plain word as key")
            continue
        name = unicodedata.normalize("NFC", name_node.value)
        below = f"{key}.{name}" if key else name
        if name in items:
            first = lines[name]
            faults.add(name_line, below, f"the key is given twice, first in line {first}", "Keep one of them")
            continue
        items[name] = _node(value, below, faults)
        lines[name] = name_line
    return Keys(line, items, lines)


_SHAPE = {Text: "a text", Many: "a list", Keys: "a mapping"}
MUST = "must be given"


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping whose keys are known. Each method types one key; what is wrong is noted and a stand-in returned."""

    faults: Faults
    key: str
    node: Keys

    def only(self, *known: str) -> "Section":
        """Note every key that is not one of `known`, with the nearest that is; return the section."""
        for name, line in self.node.lines.items():
            if name not in known:
                self.faults.add(line, self.below(name), "the key is not known", nearest(name, known))
        return self

    def below(self, name: str) -> str:
        """Return the full name of a key, as faults print it: `sources.mail.every`."""
        return f"{self.key}.{name}" if self.key else name

    def line(self, name: str) -> int:
        """Return the line of a key, or that of the section if it is absent."""
        return self.node.lines.get(name, self.node.line)

    def fault(self, name: str, wrong: str, mend: str) -> None:
        """Note that a key of this section is wrong."""
        self.faults.add(self.line(name), self.below(name), wrong, mend)

    def has(self, name: str) -> bool:
        """Tell whether a key is given and not empty."""
        node = self.node.items.get(name)
        return node is not None and not (isinstance(node, Text) and node.empty)

    def text(self, name: str, example: str, *, needed: bool = False) -> str | None:
        """Return a text without spaces around it, None if it is absent."""
        if not self.has(name):
            if needed:
                self.fault(name, MUST, f"Write it like `{name}: {example}`")
            return None
        return plain(self.node.items[name], self.below(name), example, self.faults)

    def day(self, name: str, *, needed: bool = False) -> int | None:
        """Return a day as yyyymmdd, None if it is absent."""
        text = self.text(name, "2026-02-28", needed=needed)
        if text is None:
            return None
        day = as_written_day(text)
        if day is None:
            self.fault(name, f"{text} is no day", "Write a day of the calendar like 2026-02-28")
        return day

    def number(self, name: str, example: int, *, least: int = 0) -> int | None:
        """Return a whole number of at least `least`, None if it is absent."""
        text = self.text(name, str(example))
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
            self.fault(name, f"{text} is no whole number from {least} on", f"Write digits only, like {example}")
            return None
        return int(text)

    def flag(self, name: str) -> bool:
        """Return `true` or `false`; False if it is absent."""
        text = self.text(name, "true")
        if text not in (None, "true", "false"):
            self.fault(name, f"{text} is neither true nor false", "Write true or false")
        return text == "true"

    def section(self, name: str) -> "Section | None":
        """Return a mapping below this one, None if it is absent."""
        if not self.has(name):
            return None
        return section(self.node.items[name], self.below(name), self.faults)

    def many(self, name: str) -> Sequence[tuple[str, Node]]:
        """Return the items of a list with their full names; none if it is absent."""
        if not self.has(name):
            return []
        node = self.node.items[name]
        if isinstance(node, Many):
            return [(f"{self.below(name)}[{place}]", item) for place, item in enumerate(node.items)]
        self.fault(name, f"must be a list, but is {_SHAPE[type(node)]}", f"Write `{name}: [first, second]`")
        return []

    def texts(self, name: str, example: str) -> list[tuple[str, int]]:
        """Return the texts of a list, each with its line; none if it is absent."""
        read = [(plain(item, key, example, self.faults), item.line) for key, item in self.many(name)]
        return [(text, line) for text, line in read if text is not None]


def section(node: Node, key: str, faults: Faults) -> Section | None:
    """Return a mapping as a section; note it and return None if it is something else."""
    if isinstance(node, Keys):
        return Section(faults, key, node)
    faults.add(node.line, key, f"must be a mapping, but is {_SHAPE[type(node)]}", "Write `key: value` lines below it")
    return None


def plain(node: Node, key: str, example: str, faults: Faults) -> str | None:
    """Return a plain text (NFC, without spaces around it); note what is wrong and return None otherwise."""
    if not isinstance(node, Text):
        faults.add(node.line, key, f"must be one text, but is {_SHAPE[type(node)]}", f"Write it like {example}")
        return None
    if node.reference:
        faults.add(node.line, key, f"{node.reference} is only for secrets", f"Write the value itself, like {example}")
        return None
    text = unicodedata.normalize("NFC", node.text).strip()
    if not text:
        faults.add(node.line, key, "is empty", f"Write it like {example}")
        return None
    return text


def as_written_day(text: str) -> int | None:
    """Return `2026-02-28` as 20260228; None if it is written in another way or there is no such day."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return as_day(date.fromisoformat(text))
    except ValueError:
        return None
