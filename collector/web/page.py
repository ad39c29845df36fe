"""The page for people: the ranking of a month with the figures behind it, and the state of the sources."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import __version__, vietnamese
from collector.agencies import Register
from collector.contract.indicator import Indicator
from collector.contract.period import Period, rfc3339
from collector.contract.reading import Reading, Score, State, resting
from collector.editions.body import REASONS_VI, Edition
from collector.status import SourceStatus

_WORDS: Mapping[State, str] = {
    "missing": "thiếu",
    "partial": "chưa đủ",
    "not_applicable": "không áp dụng",
    "measured": "",
}

_RESULTS: Mapping[str, tuple[str, str]] = {  # of a source's last run: how it looks, and in words
    "done": ("", "tốt"),
    "never": ("warn", "chưa đọc lần nào"),
    "running": ("", "đang đọc"),
    "cut_off": ("warn", "bị ngắt giữa chừng"),
    "try_again": ("bad", "tạm thời không đọc được"),
    "access_denied": ("bad", "bị từ chối truy cập"),
    "unexpected_answer": ("bad", "trả lời sai định dạng"),
    "bug": ("bad", "lỗi của chương trình này"),
}

_TEMPLATES = Environment(
    loader=PackageLoader("collector.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A group of criteria that a block's ranking has a column for."""

    title_vi: str
    title_en: str
    criteria: Collection[str]


def render(
    province: str,
    period: Period,
    register: Register,
    indicators: Sequence[Indicator],
    readings: Sequence[Reading],
    scores: Sequence[Score],
    statuses: Sequence[SourceStatus],
    now: int,
    scored: Mapping[str, Collection[str]],
    sealed: Edition | None = None,
    headings: Mapping[str, Sequence[Heading]] = MappingProxyType({}),
) -> str:
    """Render the page of one month; `now` in epoch seconds. `scored`: by block, the indicators that give points.

    `headings`: by block, the groups whose points stand in its ranking; where there are any, the figures stand under it.
    `sealed`: the edition that readings and scores are from; None while they are open.
    """
    figures = {(one.agency, one.indicator): one for one in readings if one.scope == "agency"}
    blocks = []
    for block in register.blocks.values():
        own = [one for one in scores if one.block == block.id]
        if own:
            ranked = [one for one in indicators if one.id in scored.get(block.id, ())]
            others = [one for one in indicators if one not in ranked]
            groups = headings.get(block.id, ())
            rows = [
                _row(one, register)
                | {"groups": [_of_group(one, group) for group in groups]}
                | {
                    name: [_cell(figures[one.agency, i.id]) for i in some]
                    for name, some in (("cells", ranked), ("others", others))
                }
                for one in own
            ]
            reasons = _reasons(own, register, [*ranked, *others], figures)
            blocks.append(
                {
                    "id": block.id,
                    "title": block.title_vi,
                    "title_en": block.title_en,
                    "groups": groups,
                    "rests_on": _rests_on(own),
                    "indicators": ranked,
                    "others": others,
                    "rows": rows,
                    "reasons": reasons,
                }
            )
    return _TEMPLATES.get_template("province.html").render(
        province=province,
        period=period.name,
        period_vi=vietnamese.period(period),
        blocks=blocks,
        sealed=_sealed(sealed),
        sources=[_source(one) for one in statuses],
        version=__version__,
        now=rfc3339(now),
        now_vi=vietnamese.moment(now),
    )


def _sealed(one: Edition | None) -> str:
    """Say by which edition the figures are sealed; "" if they are open."""
    if one is None:
        return ""
    why = f" ({REASONS_VI[one.reason]})" if one.reason else ""
    return f"Bản niêm phong số {one.number}{why}, {vietnamese.moment(one.sealed)}"


def _rests_on(scores: Sequence[Score]) -> dict[str, str]:
    """What the points of a block rest on; nothing if no score tells its lines, or nothing is declared."""
    total, measured, machine = resting(next((one.lines for one in scores if one.lines), ()))
    if total == measured:
        return {}
    numbers = {"total": total, "measured": measured, "machine": machine, "declared": total - measured}
    return {name: vietnamese.decimal(f"{number:f}") for name, number in numbers.items()}


def _of_group(score: Score, group: Heading) -> dict[str, str]:
    """The points of a group of criteria, and what it is worth for that agency."""
    own = [line for line in score.lines if line.criterion in group.criteria]
    low, high, worth = (
        sum((getattr(line, name) for line in own), Decimal(0)) for name in ("points_low", "points_high", "worth")
    )
    whole = f"{worth:.0f}" if worth == worth.to_integral_value() else f"{worth}"
    told = f"–{high} / {whole}" if low != high else f"/ {whole}"
    return {"points": vietnamese.decimal(f"{low}"), "of": vietnamese.decimal(told)}


def _row(score: Score, register: Register) -> dict[str, Any]:
    ranked = score.rank is not None
    return {
        "rank": f"{'=' if score.tied else ''}{score.rank}" if ranked else "–",
        "ranks": f"{score.rank_best}–{score.rank_worst}" if ranked and score.rank_best != score.rank_worst else "",
        "name": register.agencies[score.agency].name,
        "why": score.why,
        "points": vietnamese.decimal(f"{score.points:.2f}"),
        "interval": ""
        if score.points_low == score.points_high
        else vietnamese.decimal(f"{score.points_low:.2f}–{score.points_high:.2f}"),
    }


def _cell(reading: Reading) -> dict[str, str]:
    value = counts = ""
    if reading.percentage is not None and reading.hits is not None and reading.judged is not None:
        value = vietnamese.decimal(f"{reading.percentage}%")
        counts = f"{vietnamese.thousands(reading.hits)}/{vietnamese.thousands(reading.judged)}"
    look, word = _look(reading)
    return {"value": value, "counts": counts, "state": look, "word": word}


def _look(reading: Reading) -> tuple[str, str]:
    """How a figure that is not shown looks, and the word in its place."""
    if reading.state == "measured" and reading.suppressed:
        return "suppressed", "không nêu"
    return reading.state, _WORDS[reading.state]


def _reasons(
    scores: Sequence[Score],
    register: Register,
    indicators: Sequence[Indicator],
    figures: Mapping[tuple[str, str], Reading],
) -> list[dict[str, str]]:
    """What keeps figures of a block from being shown: each reason once, with the agencies that it holds for."""
    found: dict[tuple[str, tuple[str, str], str], list[str]] = {}
    for indicator in indicators:
        for score in scores:
            one = figures[score.agency, indicator.id]
            if one.state in ("missing", "partial") or one.suppressed:
                found.setdefault((indicator.title_vi, _look(one), one.why), []).append(
                    register.agencies[score.agency].name
                )
    return [
        {
            "title": title,
            "state": look,
            "word": word,
            "why": why,
            "names": ", ".join(names) if len(names) < len(scores) or len(names) == 1 else "tất cả",
        }
        for (title, (look, word), why), names in found.items()
    ]


def _source(one: SourceStatus) -> dict[str, str]:
    look, word = _RESULTS[one.result]
    if one.result == "done" and one.stale:
        look, word = "warn", "đọc được, nhưng không có gì mới đã quá lâu"
    through = min(one.covered.values(), default=None)
    return {
        "name": one.source,
        "last_run": "–" if one.last_run is None else vietnamese.moment(one.last_run),
        "class": look,
        "word": word,
        "message": one.message,
        "through": "–" if through is None else vietnamese.day(through),
        "records": vietnamese.thousands(sum(one.records.values())),
    }
