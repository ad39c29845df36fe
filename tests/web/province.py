"""A tiny province in one month, with a figure in each state, and a name that would like to be a program."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from collector import agencies
from collector.agencies import Register
from collector.contract.indicator import Indicator
from collector.contract.period import day_start, parse_period
from collector.contract.reading import Line, Reading, Score
from collector.status import SourceStatus
from collector.web import page
from tests.store.small import INDICATORS as ALL

FEBRUARY = parse_period("2026-02")
NOW = day_start(20260301) + 8 * 3600
HOSTILE = "<script>document.title = 'stolen'</script>"
INDICATORS: Sequence[Indicator] = [one for one in ALL if one.id in ("dossiers.on_time", "mailboxes.daily_use")]

REGISTER = f"""
blocks:
  departments: {{title_vi: "Sở, ban, ngành", title_en: Departments}}
  empty: {{title_vi: "Không có ai", title_en: Nobody}}
agencies:
  - {{code: H44.01, name: Sở Nội vụ, block: departments}}
  - {{code: H44.02, name: "{HOSTILE}", block: departments}}
  - {{code: H44.03, name: Sở Y tế, block: departments}}
"""


def register(folder: Path) -> Register:
    file = folder / "agencies.yaml"
    file.write_text(REGISTER, encoding="utf-8")
    return agencies.read(file)


def figure(indicator: str, agency: str, state: str, counts: tuple[int, int, int], why: str = "") -> Reading:
    hits, judged, unknown = counts
    return Reading(
        indicator=indicator,
        version=1,
        scope="agency",
        agency=agency,
        period="2026-02",
        state=state,  # type: ignore[arg-type]
        through=20260228,
        hits=hits,
        judged=judged,
        unknown=unknown,
        why=why,
    )


READINGS = [
    figure("dossiers.on_time", "H44.01", "measured", (2368, 2537, 0)),
    figure("dossiers.on_time", "H44.02", "partial", (3, 4, 1), "1 of 5 cannot be judged"),
    figure("dossiers.on_time", "H44.03", "partial", (1, 2, 2), "1 of 5 cannot be judged"),
    figure("mailboxes.daily_use", "H44.01", "not_applicable", (0, 0, 0), "covered, and there was nothing to judge"),
    figure("mailboxes.daily_use", "H44.02", "missing", (0, 0, 0), "no source that serves it offers: mailbox_day"),
    figure("mailboxes.daily_use", "H44.03", "measured", (1, 8, 0)),
]


def score(agency: str, rank: int | None, ranks: tuple[int, int], points: str, high: str, why: str = "") -> Score:
    return Score(
        block="departments",
        agency=agency,
        rank=rank,
        rank_best=ranks[0],
        rank_worst=ranks[1],
        points=Decimal(points),
        points_low=Decimal(points),
        points_high=Decimal(high),
        measured_share=Decimal("0.5"),
        band=None,
        change=None,
        why=why,
    )


SCORES = [
    score("H44.01", 1, (1, 1), "933.39", "933.39"),
    score("H44.03", 2, (1, 2), "62.50", "562.50"),
    score("H44.02", None, (3, 3), "0.00", "1000.00", "only 0.0 % of its points are measured"),
]


def source(name: str, result: str, message: str = "", *, stale: bool = False, read: bool = True) -> SourceStatus:
    return SourceStatus(
        source=name,
        connector="onestop.dvcqg",
        result=result,
        message=message,
        last_run=NOW if read else None,
        last_success=None,
        stale=stale,
        covered={"dossier": 20260228, "procedure": 20260227} if read else {},
        uncovered_days={},
        records={"dossier": 12_000, "procedure": 345} if read else {},
        quarantined=0,
        unknown_codes={},
    )


SOURCES = [
    source("onestop", "done"),
    source("mail", "try_again", "mail, reach: <it> did not answer"),
    source("quiet", "done", stale=True),
    source("new", "never", read=False),
]


EVERY = frozenset(one.id for one in INDICATORS)


def line(criterion: str, indicator: str, worth: str, low: str, high: str) -> Line:
    return Line(
        criterion=criterion,
        title_vi=f"Tiêu chí {criterion}",
        title_en="",
        indicator=indicator,
        source="machine" if indicator else "declared",
        parent=criterion[0],
        maximum=Decimal(worth),
        worth=Decimal(worth),
        state="measured" if low == high else "missing",
        points_low=Decimal(low),
        points_high=Decimal(high),
    )


LINES = (
    line("1.1", "dossiers.on_time", "600.00", "62.50", "62.50"),
    line("2.1", "", "266.67", "0.00", "266.67"),
    line("2.2", "", "133.33", "33.30", "33.30"),
)
HEADINGS = [
    page.Heading("Một cửa", "One-stop", {"1.1"}),
    page.Heading("Hạ tầng", "Infrastructure", {"2.1", "2.2"}),
]


def rendered(folder: Path, scored: Collection[str] = EVERY, *, grouped: bool = False) -> str:
    """The page of that province; `scored` are the indicators that give its departments points."""
    known, points = register(folder), {"departments": scored}
    scores = [replace(one, lines=LINES, tied=1) if one.agency == "H44.03" else one for one in SCORES]
    headings = {"departments": HEADINGS} if grouped else {}
    shown = (FEBRUARY, known, INDICATORS, READINGS, scores if grouped else SCORES, SOURCES, NOW, points)
    return page.render("Phú Thọ", *shown, headings=headings)
