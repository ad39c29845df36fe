"""docs/scoring.md: every number of its example, computed from the model and the counts that stand on the page."""

import io
import re
from pathlib import Path

import pytest
import yaml
from rich.console import Console, RenderableType

from collector import declarations
from collector.assembly import find_indicators
from collector.contract.declared import Declared
from collector.contract.period import parse_period
from collector.contract.reading import Reading, Score, State
from collector.sinks import ranking
from indicators.scoring.file import ModelFile
from indicators.scoring.model import Block, Model
from indicators.scoring.points import score
from tests.indicators.scoring import second
from tests.indicators.scoring.second import Known

PAGE = Path(__file__).parent.parent / "docs" / "scoring.md"
NAMES = {"H44.02": "Sở Nội vụ", "H44.03": "Sở Tư pháp", "H44.04": "Sở Tài chính"}
EVIDENCE = "Quyết định số 12/QĐ-SNV ngày 05/01/2026"
WIDTH = 112


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The code blocks of a kind on the page ("": plain text)."""
    return [text for its, text in re.findall(r"^```(\w*)\n(.*?)^```$", page(), re.MULTILINE | re.DOTALL) if its == kind]


def model() -> Model:
    return ModelFile.model_validate(yaml.load(blocks("yaml")[0], Loader=yaml.BaseLoader)).model()


def known() -> dict[str, dict[str, Known]]:
    """The table of what is known."""
    (block,) = model().blocks
    by_machine = {one.id: one.measured_from for one in find_indicators()}
    (table,) = re.findall(r"^\| agency \|.*?\n\n", page(), re.MULTILINE | re.DOTALL)
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n") if line]
    found: dict[str, dict[str, Known]] = {}
    for agency, *cells in rows:
        for criterion, cell in zip(header[1:], cells, strict=True):
            indicator = next(one.indicator for one in block.criteria if one.id == criterion)
            basis = by_machine[indicator] if indicator else "declared"
            own = found.setdefault(agency, {})
            if " of " not in cell:
                own[criterion] = Known(cell)
                continue
            hits, judged = (int(number.replace(",", "")) for number in cell.split(" of "))
            own[criterion] = Known("measured" if indicator else "declared", hits, judged, basis)
    return found


def scores() -> list[Score]:
    (block,) = model().blocks
    indicators = {one.id: one.indicator for one in block.criteria}
    readings, declared = [], []
    states: dict[str, State] = {
        "not_applicable": "not_applicable",
        "partial": "partial",
        "missing": "missing",
    }
    for agency, own in known().items():
        for criterion, one in own.items():
            if indicators[criterion]:
                counts = (one.hits or 0, one.judged or 0, 0)
                state = states.get(one.state, "measured")
                readings.append(
                    Reading(indicators[criterion], 1, "agency", agency, "2026-02", state, 20260228, *counts)
                )
            elif one.judged is not None:
                declared.append(Declared(agency, criterion, one.hits, one.judged, EVIDENCE, "Văn phòng Sở", 20260112))
    basis = {one.id: one.measured_from for one in find_indicators()}
    return score(model(), readings, dict.fromkeys(known(), "departments"), basis, declared)


def printed(shown: list[RenderableType]) -> str:
    written = io.StringIO()
    console = Console(file=written, width=WIDTH, color_system=None)
    for one in shown:
        console.print(one, highlight=False)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()).strip() + "\n"


def groups(block: Block) -> ranking.Groups:
    return {part.id: (part.title_en, parent) for part, parent in block.walk() if part.title_en and part.id in "12"}


def test_the_ranking_on_the_page_is_that_of_the_program() -> None:
    title = {"departments": "Các sở, ban, ngành"}
    assert printed(ranking.ranking(scores(), NAMES, title, "2026-02", WIDTH)) == blocks("")[1]


def test_the_lines_on_the_page_are_those_of_the_program() -> None:
    (block,) = model().blocks
    found = scores()
    one = next(each for each in found if each.agency == "H44.02")
    shown = ranking.standing(one, NAMES["H44.02"], "Các sở, ban, ngành", found, groups(block), "2026-02", "", WIDTH)
    assert printed(shown) == blocks("")[0]


def test_points_and_ranks_on_the_page_are_those_of_a_second_computation() -> None:
    document = yaml.load(blocks("yaml")[0], Loader=yaml.BaseLoader)
    expected = second.ranking(document, "departments", known())
    for one in scores():
        for name in ("points", "points_high", "rank", "rank_best", "rank_worst", "measured_share", "machine_share"):
            assert getattr(one, name) == expected[one.agency][name], (one.agency, name)


@pytest.mark.parametrize(
    "says",
    [
        f"300 x 2,368 / 2,537 = {300 * 2368 / 2537:.6f}"[:-2],
        f"200 x 45 / 60 = {200 * 45 // 60}",
        f"250 x 110 / 120 = {250 * 110 / 120:.5f}"[:-1],
        f"The exact sum is {300 * 2368 / 2537 + 150 + 50 + 250 * 110 / 120 + 75:.6f}"[:-2],
    ],
)
def test_the_arithmetic_in_words_is_right(says: str) -> None:
    assert f"{says}" in " ".join(page().split())


def test_the_statement_on_the_page_is_one(tmp_path: Path) -> None:
    path = tmp_path / "declared.yaml"
    path.write_text(blocks("yaml")[1], encoding="utf-8")
    (one,) = declarations.in_force(declarations.read(path, {"H44.02": {"3": ""}}), parse_period("2026-02"))
    assert (one.counts, one.evidence) == ((1, 2), EVIDENCE)
