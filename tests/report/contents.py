"""A tiny province for the tests of this room: a figure in each state, and names that would like to be programs."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from collector.contract.period import day_start, parse_period
from collector.contract.reading import Line, Reading, Score, State
from collector.editions.freeze import definition
from collector.flags import Raised
from collector.report import Agency, Block, Content, Group, Seal, Told, last_twelve_months
from tests.store.small import INDICATORS

FEBRUARY = parse_period("2026-02")
NOW = day_start(20260301) + 8 * 3600
FORMULA = '=HYPERLINK("https://evil.example")'
SCRIPT = "<script>document.title = 'stolen'</script>"
ON_TIME, DAILY_USE, FREE_MAIL = "dossiers.on_time", "mailboxes.daily_use", "mailboxes.free_mail"
DEFINITIONS = tuple(definition(one) for one in INDICATORS if one.id in (ON_TIME, DAILY_USE, FREE_MAIL))

A, B, C, D = "H44.01", "H44.02", "H44.31", "H44.32"
GAP = "covered only through 2026-02-20 (mail)"
LOST = "2026-02-11 of mail accepted as lost: hỏng đĩa"
FEW = "not told: fewer than 5 mailboxes stand behind it, or behind a figure that could be worked out from it"
NO_SOURCE = "no source that serves it offers: dossier, dossier_event"


def figure(
    indicator: str, agency: str, state: State, counts: Sequence[int | None], why: str = "", **other: Any
) -> Reading:
    hits, judged, unknown = counts
    settled: dict[str, Any] = {"version": 1, "scope": "agency", "period": "2026-02", "through": 20260228} | other
    return Reading(
        indicator=indicator,
        agency=agency,
        state=state,
        hits=hits,
        judged=judged,
        unknown=unknown,
        why=why,
        **settled,
    )


READINGS = (
    figure(ON_TIME, A, "measured", (2368, 2537, 3)),
    figure(ON_TIME, B, "measured", (0, 12, 0)),
    figure(ON_TIME, C, "not_applicable", (0, 0, 0), "covered, and there was nothing to judge"),
    figure(ON_TIME, D, "missing", (0, 0, 0), NO_SOURCE, through=None),
    figure(ON_TIME, "departments", "measured", (2368, 2549, 3), scope="block", members=2, measured_members=2),
    figure(ON_TIME, "H44", "missing", (2368, 2549, 3), "2 of 3 agencies are measured", scope="province"),
    figure(DAILY_USE, A, "measured", (200, 200, 0), LOST),
    figure(DAILY_USE, B, "partial", (31, 40, 0), GAP, through=20260220),
    figure(DAILY_USE, C, "measured", (None, None, None), FEW, suppressed=True, merged=(10, 20)),
    figure(DAILY_USE, D, "measured", (None, None, None), FEW, suppressed=True),
    figure(FREE_MAIL, A, "measured", (1, 8, 0)),
    figure(FREE_MAIL, B, "measured", (1, 3, 0)),
    figure(FREE_MAIL, C, "measured", (None, None, None), FEW, suppressed=True),
    figure(FREE_MAIL, D, "partial", (3, 9, 4), GAP),
)


def line(criterion: str, indicator: str, state: str, low: str, high: str, worth: str, **other: Any) -> Line:
    titles = {"1.1": ("Hồ sơ đúng hạn", "Dossiers on time"), "1.2": ("Dùng hộp thư", "Mailboxes used")}
    vi, en = titles.get(criterion, ("Có quy chế", "Has rules"))
    source = {ON_TIME: "machine", DAILY_USE: "machine"}.get(indicator, "declared")
    parent = criterion.rpartition(".")[0]
    points = Decimal(worth), state, Decimal(low), Decimal(high)
    return Line(criterion, vi, en, indicator, source, parent, Decimal(400), *points, **other)  # type: ignore[arg-type]


def score(agency: str, block: str, ranks: tuple[int | None, ...], points: tuple[str, str], **other: Any) -> Score:
    rank, best, worst = ranks
    low, high = (Decimal(one) for one in points)
    settled: dict[str, Any] = {"measured_share": Decimal("0.9999"), "band": "Khá", "change": None} | other
    return Score(block, agency, rank, best, worst, low, low, high, **settled)


SCORES = {
    A: score(
        A,
        "departments",
        (1, 1, 1),
        ("812.34", "812.34"),
        measured_share=Decimal(1),
        machine_share=Decimal("0.8"),
        change=2,
        lines=(
            line("1.1", ON_TIME, "measured", "373.35", "373.35", "400.00", hits=2368, judged=2537),
            line("1.2", DAILY_USE, "measured", "400.00", "400.00", "400.00", hits=200, judged=200),
            line("2", "", "declared", "38.99", "38.99", "200.00", evidence="Quyết định số 12/QĐ (2026-01-05)"),
        ),
    ),
    B: score(
        B,
        "departments",
        (2, 2, 2),
        ("100.00", "700.00"),
        band_best="Tốt",
        change=-1,
        to_next=Decimal("712.34"),
        lines=(
            line("1.1", ON_TIME, "measured", "0.00", "0.00", "400.00", hits=0, judged=12, to_gain=9),
            line("1.2", DAILY_USE, "partial", "0.00", "400.00", "400.00", hits=31, judged=40),
            line("2", "", "missing", "0.00", "200.00", "200.00"),
        ),
    ),
    C: score(
        C,
        "districts",
        (1, 1, 1),
        ("500.00", "500.00"),
        lines=(
            line("1.1", ON_TIME, "not_applicable", "0.00", "0.00", "0.00"),
            line("1.2", DAILY_USE, "measured", "500.00", "500.00", "1000.00"),
        ),
    ),
    D: score(
        D, "districts", (None, None, None), ("0.00", "1000.00"), band=None, why="only 0.0 % of its points are measured"
    ),
}
GROUPS = (Group("1", "Ứng dụng", "Use", ""),)
NAMES = {A: FORMULA, B: "Sở Nội vụ", C: SCRIPT, D: "@UBND huyện"}


def agency(code: str) -> Agency:
    return Agency(code, NAMES[code], SCORES[code])


CONTENT = Content(
    province="Phú Thọ",
    code="H44",
    period=FEBRUARY,
    made=NOW,
    seal=None,
    merged=False,
    blocks=(
        Block("departments", "Sở, ban, ngành", "Departments", (agency(A), agency(B)), GROUPS),
        Block("districts", "Huyện, thành phố: [A/B]", "Districts", (agency(C), agency(D)), GROUPS),
    ),
    definitions=DEFINITIONS,
    readings=READINGS,
    months=last_twelve_months(FEBRUARY),
    years={(A, ON_TIME): (*[None] * 9, Decimal("0.5"), Decimal(0), Decimal("0.933386"))},
    flags=(
        Raised("completed_on_day_off", A, "onestop", "dossier", "H44.01-1", 20260214, "completed on a day off"),
        Raised("completed_on_day_off", A, "onestop", "dossier", "H44.01-2", 20260215, "completed on a day off"),
        Raised("same_figure", A, "", "reading", FREE_MAIL, 20260228, "0.125"),
    ),
)
SEALED = replace(CONTENT, seal=Seal(2, NOW, "ab" * 32, "correction", "sửa tên =cơ quan"))

_DOSSIER = (
    "source",
    "key",
    "day",
    "verdict",
    "received_day",
    "effective_due_day",
    "due_basis",
    "completed_day",
    "outcome",
)
EVIDENCE = replace(
    CONTENT,
    only=B,
    evidence=(
        Told(
            figure(ON_TIME, B, "measured", (1, 2, 1)),
            _DOSSIER,
            (
                ("onestop", "=1+1", 20260203, "hit", 20260130, 20260205, "first", 20260203, "completed"),
                ("onestop", "-2", 20260210, "miss", 20260130, 20260205, "first", 20260210, "completed"),
                ("onestop", "3", 20260211, "unknown", None, None, None, 20260211, "completed"),
            ),
        ),
        Told(
            figure(DAILY_USE, B, "partial", (31, 40, 0), GAP),
            ("day", "hits", "judged", "unknown"),
            ((20260202, 31, 40, 0),),
        ),
    ),
)
