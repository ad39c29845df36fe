"""README stays true: its commands run, in order, and print what is pasted there; what it names is there."""

import re
from pathlib import Path

import pytest

from collector.assembly import find_indicators
from tests.definitions import PAGE, page
from tests.readme import README, cut_like, holds, run, steps

ROOT = README.parent


def test_the_commands_of_the_readme_print_what_is_pasted_there(tmp_path: Path) -> None:
    done = 0
    for ran in run(README.read_text(encoding="utf-8"), tmp_path):
        where = f"README.md:{ran.step.line}: {ran.step.command}"
        assert ran.code in (0, 1), f"{where}: {ran.printed}{ran.errors}"
        if not holds(ran.step.output, ran.printed):
            pytest.fail(f"{where} prints something else now (`make readme`):\n" + "\n".join(ran.printed))
        done += 1
    assert done >= 8


def test_pasted_output_is_compared_line_by_line() -> None:
    assert holds(("a", "[...]", "d"), ("a", "b", "c", "d"))
    assert not holds(("a", "[...]", "d"), ("a", "b", "c"))
    assert not holds(("a", "b"), ("a", "b", "c"))
    assert not holds(("a.c",), ("abc",))
    assert cut_like(("x", "[...]", "y"), ("1", "2", "3", "4")) == ("1", "[...]", "4")
    assert [one.command for one in steps("```console\n$ a\n1\n$ b\n```\n$ c\n")] == ["a", "b"]


def test_every_target_of_make_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`make ([a-z]+)`|^\$ make ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {one for pair in named for one in pair if one} <= targets


def test_every_file_that_the_readme_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link


def test_the_page_of_definitions_is_what_the_program_counts_by() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(find_indicators()), "make readme"
