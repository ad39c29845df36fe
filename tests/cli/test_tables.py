"""At a terminal of any width no code and no figure is cut; for a file or another program nothing is."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from collector.contract.reading import Reading, State
from collector.sinks import terminal
from collector.sinks.columns import Column, least, table
from tests.cli.conftest import PROGRAM, Run

COLUMNS = [Column("agency"), Column("name", "name"), Column("points so far", "figure"), Column("why", "prose")]
ROWS = [
    ["H44.31.01", "UBND phường Gia Cẩm", "1,000.00", "nothing of the period is covered yet"],
    ["H44.02", "Sở Nội vụ", "7.25", ""],
]


def drawn(width: int) -> list[str]:
    console = Console(width=width, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(table(COLUMNS, ROWS, width), crop=False)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_where_there_is_room_nothing_gives_way() -> None:
    assert drawn(200) == [
        "                                  points",
        "agency     name                   so far  why",
        "H44.31.01  UBND phường Gia Cẩm  1,000.00  nothing of the period is covered yet",
        "H44.02     Sở Nội vụ                7.25",
    ]


def test_prose_wraps_first_and_then_names_are_shortened() -> None:
    assert drawn(62)[2:5] == [
        "H44.31.01  UBND phường Gia Cẩm  1,000.00  nothing of the",
        "                                          period is covered",
        "                                          yet",
    ]
    assert drawn(53)[2:5] == [
        "H44.31.01  UBND phường Gia …  1,000.00  nothing of",
        "                                        the period is",
        "                                        covered yet",
    ]


@pytest.mark.parametrize("width", [10, 30, 48])
def test_codes_and_figures_stay_whole_on_the_narrowest_terminal(width: int) -> None:
    text = drawn(width)
    assert text[2].startswith("H44.31.01  UBND phường G…  1,000.00  nothing of")
    assert text[-1] == "H44.02     Sở Nội vụ           7.25"
    assert least(COLUMNS, ROWS) == len("H44.31.01  UBND phường G…  1,000.00  the period is")


def at_a_terminal(width: int, *arguments: object) -> list[str]:
    """Run a command at a terminal of its own and return the lines that it printed there, without colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    environment = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [*PROGRAM, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env=environment | {"TERM": "xterm"})
    os.close(its)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # Linux' way of saying that nobody writes any more
            break
        if not piece:
            break
        printed += piece
    process.wait(timeout=30)
    os.close(ours)
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed.decode()).splitlines()]


@pytest.mark.parametrize(
    "command",
    [
        ("readings", "--period", "2026-02"),
        ("readings", "--period", "2026-02", "--scope", "block", "--scope", "province", "--counts"),
        ("rank", "2026-02"),
        ("compare", "2026-02", "--all"),
        ("flags", "2026-02", "--all"),
        ("agencies",),
        ("status",),
        ("explain", "dossiers.on_time", "H44.02", "2026-02"),
        ("explain", "documents.exchanged_internal", "H44.31", "2026-02"),
        ("check", "--live", "documents", "mail"),
    ],
    ids=" ".join,
)
def test_every_table_fits_80_columns_with_all_its_codes_and_figures(
    command: tuple[str, ...], config: Path, run: Run
) -> None:
    wide = run(*command, "--config", config).out
    narrow = at_a_terminal(80, *command, "--config", config)
    assert max(map(len, narrow)) <= 80, "\n".join(narrow)
    # Whatever is a code, a figure or a day in the wide form is in the narrow one too, and whole.
    text = "\n".join(narrow)
    for word in set(
        re.findall(r"(?<!\S)(?:H44[\w.-]*|[\d.,]+|\d{4}-\d\d-\d\d|missing|partial|mail-viettri)(?!\S)", wide)
    ):
        assert re.search(rf"(?<!\S){re.escape(word)}(?![^\s,])", text), f"{word} is cut:\n{text}"


def test_a_wide_terminal_shows_a_row_of_evidence_in_one_line(config: Path) -> None:
    lines = at_a_terminal(120, "explain", "dossiers.on_time", "H44.02", "2026-02", "--config", config)
    assert sum(line.startswith("onestop  H44.02-") for line in lines) == 20
    assert max(map(len, lines)) <= 120


def test_for_a_file_nothing_is_wrapped_shortened_or_coloured_and_no_line_ends_in_blanks(config: Path, run: Run) -> None:
    for command in (("readings", "--counts"), ("check", "--live", "mail"), ("agencies",), ("indicators",)):
        where = () if command == ("indicators",) else ("--config", config)
        printed = run(*command, *where).out
        assert "…" not in printed
        assert "\x1b" not in printed
        assert not re.search(r" +$", printed, re.MULTILINE)
    assert re.search(r"^mail +unproved +read-only +nothing .* read-only$", run(
        "check", "--live", "mail", "--config", config).out, re.MULTILINE)  # fmt: skip


def test_progress_is_shown_at_a_terminal_only(config: Path, run: Run) -> None:
    assert any("records," in line for line in at_a_terminal(100, "collect", "mail", "--config", config))
    done = run("collect", "mail", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert re.search(r"^mail +done ", done.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("hits", "judged", "shown"),
    [(1, 800, "0.13 %"), (2368, 2537, "93.34 %"), (120, 129, "93.02 %"), (0, 3, "0.00 %"), (3, 3, "100.00 %")],
)
def test_a_percentage_is_rounded_once_and_half_up(hits: int, judged: int, shown: str) -> None:
    one = Reading("dossiers.on_time", 1, "agency", "H44.02", "2026-02", "measured", 20260228, hits, judged, 0)
    assert terminal.share(one) == shown


def test_a_figure_that_is_not_measured_shows_its_state_and_no_number() -> None:
    states: dict[State, str] = {"missing": "missing", "partial": "partial", "not_applicable": "not applicable"}
    for state, shown in states.items():
        one = Reading("dossiers.on_time", 1, "agency", "H44.02", "2026-02", state, 20260228, 1, 2, 0)
        assert Text.from_markup(terminal.share(one)).plain == shown


def test_a_figure_that_may_not_be_told_shows_a_word_in_place_of_its_numbers() -> None:
    one = Reading("mailboxes.daily_use", 1, "agency", "H44.02", "2026-02", "measured", 20260228, None, None, None)
    hidden = replace(one, suppressed=True, why="not told: fewer than 5 mailboxes stand behind it")
    assert Text.from_markup(terminal.share(hidden)).plain == "suppressed"
    partial = Text.from_markup(terminal.share(replace(hidden, state="partial"))).plain
    assert partial == "partial"
    console = Console(width=200, file=StringIO())
    for part in terminal.details([hidden], {"H44.02": "B"}, 200, by_agency=False):
        console.print(part)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"^H44\.02 +B +suppressed +– +– +– +2026-02-28 *$", printed, re.MULTILINE)
    assert "H44.02: not told: fewer than 5 mailboxes stand behind it" in printed
