"""The pages for operators and officials name commands, options and other pages that are there."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from collector.cli.app import app
from tests.definitions import PAGE

DOCS = PAGE.parent
SAID = [*sorted(DOCS.glob("*.md")), DOCS.parent / "config" / "prometheus" / "alerts.yml"]
COMMANDS: Mapping[str, Any] = cast(Any, typer.main.get_command(app)).commands

NOT_TYPED = {"collector edition 1"}
"""What else stands in backquotes: the words that are signed before an edition."""


def commands(text: str) -> Iterator[str]:
    """Every `collector ...` in backquotes, in a block of code, or as an alert's mend."""
    yield from (one for one in re.findall(r"`(collector [^`\n]+)`", text) if one not in NOT_TYPED)
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^(?:\$ )?(collector .*)$", block, re.MULTILINE)
    for mend in re.findall(r"^ +mend: (.*)$", text, re.MULTILINE):
        yield from re.findall(r"collector (?:[a-z]|--).*?(?=[;,]|$| says| shows)", mend)


def refusal(line: str) -> str:
    """Why the command line would not take a command; "" if it would. Nothing is run."""
    words = shlex.split(line.replace("{{ $labels.", "LABEL").replace(" }}", ""), comments=True)[1:]
    words = words[: next((place for place, word in enumerate(words) if word in ("|", ">", "&&")), len(words))]
    if not words or words[0] in ("-h", "--help", "--version"):
        return ""
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    command = COMMANDS[words[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    wrong = [word for word in words[1:] if word.startswith("--") and word.partition("=")[0] not in {*known, "--help"}]
    return f"{words[0]} has no {wrong[0]}" if wrong else ""


@pytest.mark.parametrize("path", SAID, ids=lambda path: path.name)
def test_what_a_page_tells_to_type_is_a_command(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [(line, why) for line in commands(text) if (why := refusal(line))] == []


def test_a_command_or_an_option_that_there_is_not_is_found() -> None:
    block = "```sh\ncollector collect --gaps  # now\ncollector rank 2026-02 --json | jq .\n```\n"
    page = f"Type `collector colect x` or:\n{block}"
    assert [refusal(line) for line in commands(page)] == ["there is no command colect", "collect has no --gaps", ""]


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
def test_a_page_leads_to_pages_that_are_there(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), link
