"""docs/compare.md names every cause, every flag and every threshold, as the program has them."""

from pathlib import Path

from collector.compare import CAUSES
from collector.flags import FLAGS

PAGE = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")


def rows(mark: str) -> dict[str, list[str]]:
    """The rows of the table behind a mark, by what stands first in them."""
    lines = PAGE[PAGE.index(f"<!-- {mark} -->") :].splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("|---"))
    found = {}
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        first, *rest = [cell.strip() for cell in line.strip("|").split("|")]
        found[first.strip("`")] = rest
    return found


def test_every_cause_is_told_with_its_words() -> None:
    told = rows("causes")
    assert set(told) == {*CAUSES, "unexplained"}
    assert {cause: cells[0] for cause, cells in told.items() if cause in CAUSES} == {
        cause: vi for cause, (vi, _) in CAUSES.items()
    }


def test_every_flag_is_told_with_its_words_and_thresholds() -> None:
    told = rows("flags")
    assert list(told) == [flag.id for flag in FLAGS]
    for flag in FLAGS:
        title, begins = told[flag.id]
        assert title == flag.title_vi
        for threshold in flag.thresholds:
            assert str(threshold.value) in begins, flag.id
