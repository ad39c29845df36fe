"""The page for people: the ranking of a month with the figures behind it, and the state of the sources."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import __version__
from collector.agencies import Register
from collector.contract.indicator import Indicator
from collector.contract.period import Period, iso, rfc3339
from collector.contract.reading import Reading, Score, State
from collector.status import SourceStatus

_WORDS: Mapping[State, str] = {
    "missing": "thiếu",
    "partial": "chưa đủ",
    "not_applicable": "không áp dụng",
    "measured": "",
}

_TEMPLATES = Environment(loader=PackageLoader("collector.web"), autoescape=True, undefined=StrictUndefined)


def render(
    province: str,
    period: Period,
    register: Register,
    indicators: Sequence[Indicator],
    readings: Sequence[Reading],
    scores: Sequence[Score],
    statuses: Sequence[SourceStatus],
    now: int,
) -> str:
    """Render the page of one month; `now` in epoch seconds."""
    figures = {(one.agency, one.indicator): one for one in readings if one.scope == "agency"}
    blocks = []
    for block in register.blocks.values():
        own = [one for one in scores if one.block == block.id]
        if own:
            rows = [_row(one, register, [figures[one.agency, i.id] for i in indicators]) for one in own]
            blocks.append({"id": block.id, "title": block.title_vi, "title_en": block.title_en, "rows": rows})
    return _TEMPLATES.get_template("province.html").render(
        province=province,
        period=period.name,
        period_vi=f"tháng {period.first // 100 % 100} năm {period.first // 10_000}",
        blocks=blocks,
        indicators=indicators,
        sources=[_source(one) for one in statuses],
        version=__version__,
        now=rfc3339(now),
    )


def _row(score: Score, register: Register, readings: Sequence[Reading]) -> dict[str, Any]:
    ranked = score.rank is not None
    return {
        "rank": score.rank if ranked else "–",
        "ranks": f"{score.rank_best}–{score.rank_worst}" if ranked and score.rank_best != score.rank_worst else "",
        "name": register.agencies[score.agency].name,
        "why": score.why,
        "points": _decimal(f"{score.points:.2f}"),
        "interval": ""
        if score.points_low == score.points_high
        else _decimal(f"{score.points_low:.2f}–{score.points_high:.2f}"),
        "cells": [_cell(one) for one in readings],
    }


def _cell(reading: Reading) -> dict[str, str]:
    value = reading.value
    return {
        "value": "" if value is None else _decimal(f"{value * 100:.2f} %"),
        "counts": f"{_thousands(reading.hits)}/{_thousands(reading.judged)}",
        "state": reading.state,
        "word": _WORDS[reading.state],
        "why": reading.why,
    }


def _source(one: SourceStatus) -> dict[str, str]:
    through = min(one.covered.values(), default=None)
    return {
        "name": one.source,
        "last_run": "–" if one.last_run is None else rfc3339(one.last_run)[:16].replace("T", " "),
        "result": {"done": "tốt", "never": "chưa đọc"}.get(one.result, "lỗi"),
        "message": one.message,
        "through": "–" if through is None else iso(through),
        "records": _thousands(sum(one.records.values())),
    }


def _thousands(number: int) -> str:
    """A count as Vietnamese writes it: 12.345."""
    return f"{number:,}".replace(",", ".")


def _decimal(text: str) -> str:
    """A number with a decimal comma, as Vietnamese writes it."""
    return text.replace(".", ",")
