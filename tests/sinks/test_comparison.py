"""Comparisons as people and as programs read them: golden files, their numbers written by hand."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from collector.compare import CAUSES, Cause, Compared, Comparison, Moved, Printed
from collector.contract.reported import Name
from collector.sinks import comparison

GOLDEN = Path(__file__).parents[1] / "golden" / "compare"
NAMES = {"H44.02": "Sở Nội vụ", "H44.31": "UBND thành phố Việt Trì", "H44.31.01": "UBND phường Gia Cẩm"}
MADE = 1_772_303_400  # 2026-03-01 01:30 in Vietnam


def total(agency: str, name: Name, ours: int | None, theirs: int, *moved: Moved, **more: str | int) -> Compared:
    causes: dict[Cause, int] = {cause: sum(one.change for one in moved if one.cause == cause) for cause in CAUSES}
    told: dict[str, str | int] = {"state": "measured", "undecided": 0, "why": "", **more}
    return Compared(
        "onestop", "QĐ 766", agency, name, 20260201, 20260228, MADE, ours, theirs, causes, moved=moved,
        undecided=int(told["undecided"]), state=str(told["state"]), why=str(told["why"]),
    )  # fmt: skip


FOUND = [
    Comparison(
        "onestop",
        [
            total("H44.02", "completed", 95, 95),
            total(
                "H44.02", "on_time", 90, 91,
                Moved("H44.02-1", "withdrawn", 1, "completed on time there"),
                Moved("H44.02-2", "withdrawn", 1, "completed on time there"),
                Moved("H44.02-3", "channel", -1, "came by post"),
            ),
            total(
                "H44.31", "completed", 1_087, 1_100,
                Moved("H44.31-[9]", "late_entry", -1, "entered or changed after the source counted"),
                state="partial", why="2 of 1087 cannot be judged",
            ),
            total("H44.31", "late", 4, 4, Moved("a", "paused", 1, "waited"), Moved("b", "definition", -1, "moved"),
                  undecided=2),
            total("H44.31.01", "completed", None, 12, state="missing", why="nothing of the period is covered yet"),
        ],
        [
            Printed("onestop", "H44.02", "on_time", "completed", 20260201, 20260228, 91, 95, "95.8", "95.79",
                    "rounded"),
            Printed("onestop", "H44.31", "on_time", "completed", 20260201, 20260228, 2_368, 2_537, "93.1", "93.34",
                    "wrong"),
            Printed("onestop", "H44.31.01", "on_time", "completed", 20260201, 20260228, 0, 0, "100", None,
                    "of_nothing"),
        ],
        untold=["H44.05"],
        unknown_codes=["H99"],
    ),
    Comparison("portal", [total("", "waiting", None, 17, state="", why="the length of a queue is no volume")], []),
]  # fmt: skip


def text(width: int, *, every: bool = False, rows: bool = False) -> str:
    console = Console(width=width, force_terminal=False, highlight=False)
    with console.capture() as captured:
        for part in comparison.shown(FOUND, NAMES, width, every=every, rows=rows):
            console.print(part, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@pytest.mark.parametrize(
    ("name", "width", "every", "rows"),
    [("first_look.txt", 80, False, False), ("every_agency.txt", 80, True, False), ("with_rows.txt", 200, False, True)],
    ids=["first look", "every agency", "with rows"],
)
def test_a_comparison_reads_as_its_golden_file(name: str, width: int, *, every: bool, rows: bool) -> None:
    found = text(width, every=every, rows=rows)
    assert found == (GOLDEN / name).read_text(encoding="utf-8")
    assert max(map(len, found.splitlines())) <= width


def test_a_comparison_for_programs_is_its_golden_file() -> None:
    written = json.dumps(comparison.document(FOUND, rows=True), ensure_ascii=False, indent=1) + "\n"
    assert written == (GOLDEN / "compare.json").read_text(encoding="utf-8")


def test_without_rows_no_key_of_a_dossier_is_told() -> None:
    assert "H44.02-1" not in json.dumps(comparison.document(FOUND))
    assert "H44.02-1" not in text(200, every=True)
