"""The report as one HTML file: no script, nothing beside it, and laid out to be printed on A4."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import vietnamese
from collector.contract.period import rfc3339
from collector.contract.reading import Line, Reading, Score
from collector.contract.records import INSTANTS, is_day
from collector.editions.body import Definition
from collector.flags import FLAGS, Raised
from collector.report import drawing, words
from collector.report.content import Agency, Block, Content, Told, counts

_TEMPLATES = Environment(
    loader=PackageLoader("collector.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PLACES = {flag.id: place for place, flag in enumerate(FLAGS, 1)}


def in_css(text: str) -> str:
    """Return text as it stands within a string of a style sheet: letters, digits and blanks, the rest by number."""
    return "".join(one if one.isalnum() or one == " " else f"\\{ord(one):06x}" for one in text)


_TEMPLATES.filters["in_css"] = in_css


def render(content: Content) -> str:
    """Return the whole document."""
    return _TEMPLATES.get_template("report.html").render(
        **_head(content),
        blocks=[_block(content, block) for block in content.blocks],
        indicators=list(_indicators(content)) if content.only is None else [],
        agencies=list(_agencies(content)),
        evidence=[_evidence(content, one) for one in content.evidence],
        legend=words.LEGEND,
    )


def _head(content: Content) -> dict[str, Any]:
    seal = content.seal
    subject = next((one.name for block in content.blocks for one in block.agencies if one.code == content.only), "")
    return {
        "province": content.province,
        "subject": subject,
        "period": content.period.name,
        "period_vi": vietnamese.period(content.period),
        "made_vi": vietnamese.moment(content.made),
        "made": rfc3339(content.made),
        "merged": content.merged,
        "not_sealed": words.NOT_SEALED,
        "seal": None
        if seal is None
        else {
            "number": seal.number,
            "digest": seal.digest,
            "reason": words.REASONS.get(seal.reason, (seal.reason, seal.reason)),
            "says": seal.says,
            "later": seal.later,
        },
    }


# -- ranking -------------------------------------------------------------------------------------------------------


def _block(content: Content, block: Block) -> dict[str, Any]:
    ranked = [one for one in block.agencies if one.score is not None]
    if content.only is not None:
        ranked = [one for one in ranked if one.code == content.only]
    return {
        "id": block.id,
        "title": block.title_vi,
        "title_en": block.title_en,
        "of": sum(one.score is not None for one in block.agencies),
        "rows": [_place(place, one) for place, one in enumerate(ranked, 1)],
        "whys": [
            {"name": one.name, "vi": vietnamese.reason(one.score.why), "en": one.score.why}
            for one in ranked
            if one.score is not None and one.score.why
        ],
    }


def _place(place: int, agency: Agency) -> dict[str, Any]:
    assert agency.score is not None
    return {"place": place, "code": agency.code, "name": agency.name} | _score(agency.score)


def _score(one: Score) -> dict[str, str]:
    settled, ranked = one.points_low == one.points_high, one.rank is not None
    return {
        "points": vietnamese.decimal(one.points),
        "interval": "" if settled else _span(one.points_low, one.points_high),
        "rank": str(one.rank) if ranked else "–",
        "ranks": f"{one.rank_best}–{one.rank_worst}" if ranked and one.rank_best != one.rank_worst else "",
        "band": _grade(one),
        "to_next": "" if one.to_next is None else vietnamese.decimal(one.to_next),
        "measured": _whole(one.measured_share),
        "machine": _whole(one.machine_share),
        "change": _change(one.change),
    }


def _grade(one: Score) -> str:
    """The grade, and the one that is still possible."""
    grades = [grade for grade in (one.band, one.band_best) if grade]
    return "–".join(dict.fromkeys(grades)) if one.rank is not None else ""


def _span(low: Decimal, high: Decimal) -> str:
    return f"{vietnamese.decimal(low)}–{vietnamese.decimal(high)}"


def _whole(share: Decimal) -> str:
    """A share as a whole percentage, rounded down: 100 % is said of the whole only."""
    return f"{int(share * 100)} %"


def _change(places: int | None) -> str:
    return "" if places is None else f"{places:+d}".replace("-", "−").replace("+0", "0")


# -- figures -------------------------------------------------------------------------------------------------------


def _figure(one: Reading) -> dict[str, Any]:
    """A figure in words. What is not measured, or may not be told, is a word and never a number or a bar."""
    look = words.look(one)
    vi, en = words.STATES[look]
    share, told = one.value, one.percentage is not None
    hits, judged, unknown = (_count(part) for part in counts(one))
    return {
        "look": look,
        "vi": vi,
        "en": en,
        "value": f"{vietnamese.decimal(str(one.percentage))} %" if told else "",
        "bar": drawing.bar(share, f"{vietnamese.decimal(str(one.percentage))} %") if share is not None else "",
        "hits": hits,
        "judged": judged,
        "unknown": unknown,
        "through": "–" if one.through is None else vietnamese.day(one.through),
        "why": vietnamese.reason(one.why),
        "why_en": one.why,
    }


def _count(number: int | None) -> str:
    return "–" if number is None else vietnamese.thousands(number)


@cache
def _definition(one: Definition) -> dict[str, Any]:
    source_vi, source_en = words.SOURCES[one.measured_from]
    return {
        "id": one.id,
        "version": one.version,
        "title": one.title_vi,
        "title_en": one.title_en,
        "counted": one.counted_vi,
        "counted_en": one.counted_en,
        "hit": one.hit_vi,
        "hit_en": one.hit_en,
        "legal": one.legal,
        "lower": one.better == "lower",
        "source": source_vi,
        "source_en": source_en,
    }


def _indicators(content: Content) -> Iterator[dict[str, Any]]:
    figures = content.figures()
    for definition in content.definitions:
        groups = []
        for block in content.blocks:
            rows = [
                {"code": agency.code, "name": agency.name} | _figure(figures[agency.code, definition.id])
                for agency in block.agencies
                if (agency.code, definition.id) in figures
            ]
            total = figures.get((block.id, definition.id))
            if rows:
                groups.append(
                    {
                        "title": block.title_vi,
                        "title_en": block.title_en,
                        "rows": rows,
                        "total": total and _figure(total),
                    }
                )
        whole = figures.get((content.code, definition.id))
        yield _definition(definition) | {
            "groups": groups,
            "whole": whole and _figure(whole),
            "whys": _whys(content, definition, figures),
        }


def _whys(content: Content, definition: Definition, figures: Mapping[tuple[str, str], Reading]) -> list[dict[str, str]]:
    """What keeps figures from being told, or what they do without: each reason once, with the agencies it is about."""
    agencies = [agency for block in content.blocks for agency in block.agencies]
    found: dict[tuple[str, str], list[str]] = {}
    for agency in agencies:
        one = figures.get((agency.code, definition.id))
        if one is not None and one.why and one.state != "not_applicable":
            found.setdefault((words.look(one), one.why), []).append(agency.code)
    return [
        {
            "vi": words.STATES[look][0],
            "why": vietnamese.reason(why),
            "why_en": why,
            "codes": ", ".join(codes) if len(codes) < len(agencies) or len(codes) == 1 else "",
        }
        for (look, why), codes in found.items()
    ]


# -- an agency's page ----------------------------------------------------------------------------------------------


def _agencies(content: Content) -> Iterator[dict[str, Any]]:
    figures = content.figures()
    for block in content.blocks:
        scored, others = content.ordered(block)
        for agency in block.agencies:
            if content.only not in (None, agency.code):
                continue
            raised = [one for one in content.raised() if one.agency == agency.code]
            parts = []
            for (vi, en), some in zip(words.PARTS, (scored, others), strict=True):
                rows = [
                    _own(content, one, figures[agency.code, one.id], raised)
                    for one in some
                    if (agency.code, one.id) in figures
                ]
                if rows:
                    parts.append((vi, en, rows))
            score = agency.score
            yield {
                "code": agency.code,
                "name": agency.name,
                "block": block.title_vi,
                "block_en": block.title_en,
                "of": sum(one.score is not None and one.score.rank is not None for one in block.agencies),
                "score": None if score is None else _score(score),
                "why": "" if score is None else vietnamese.reason(score.why),
                "why_en": "" if score is None else score.why,
                "lines": [] if score is None else list(_lines(block, score, figures)),
                "parts": parts,
                "flags": _flags(raised),
            }


def _own(content: Content, definition: Definition, one: Reading, raised: Sequence[Raised]) -> dict[str, Any]:
    shares = content.years.get((one.agency, definition.id), ())
    told = any(share is not None for share in shares)
    about = {each.flag for each in raised if _is_about(each, definition)}
    return _figure(one) | {
        "definition": _definition(definition),
        "version": one.version,
        "edition": one.edition,
        "year": drawing.line(content.months, shares, "Mười hai tháng") if told else "",
        "flags": ", ".join(str(_PLACES[id_]) for id_ in _PLACES if id_ in about),
    }


def _is_about(one: Raised, definition: Definition) -> bool:
    """Whether a flag's record may be behind a figure of an indicator; of a figure that repeats, whether it is this."""
    return one.key == definition.id if one.record == "reading" else one.record in definition.needs


def _lines(block: Block, score: Score, figures: Mapping[tuple[str, str], Reading]) -> Iterator[dict[str, Any]]:
    """The lines of a score, each group's behind its title."""
    groups = {one.id: one for one in block.groups}
    told: set[str] = set()
    for one in score.lines:
        above: list[dict[str, str]] = []
        parent = groups.get(one.parent)
        while parent is not None and parent.id not in told:
            told.add(parent.id)
            above.insert(0, {"id": parent.id, "title": parent.title_vi, "title_en": parent.title_en})
            parent = groups.get(parent.parent)
        yield from ({"group": each} for each in above)
        yield {"group": None} | _line(one, figures.get((score.agency, one.indicator)))


def _line(one: Line, figure: Reading | None) -> dict[str, Any]:
    """A line of a score. What it lost is told where nothing more can come."""
    look = words.look(figure) if figure is not None and one.state == "measured" else one.state
    state_vi, state_en = words.STATES[look]
    source_vi, source_en = words.SOURCES[one.source]
    settled = one.points_low == one.points_high
    return {
        "id": one.criterion,
        "title": one.title_vi,
        "title_en": one.title_en,
        "source": source_vi,
        "source_en": source_en,
        "maximum": vietnamese.decimal(f"{one.maximum:f}"),
        "worth": vietnamese.decimal(one.worth),
        "points": vietnamese.decimal(one.points_low) if settled else _span(one.points_low, one.points_high),
        "lost": vietnamese.decimal(one.lost) if settled and one.state != "not_applicable" else "",
        "to_gain": "" if one.to_gain is None else f"{one.to_gain:+,d}".replace(",", ".").replace("-", "−"),
        "state": "" if look in ("measured", "declared") else state_vi,
        "state_en": "" if look in ("measured", "declared") else state_en,
        "evidence": one.evidence,
    }


def _flags(raised: Sequence[Raised]) -> list[dict[str, Any]]:
    found = []
    for flag in FLAGS:
        count = sum(one.flag == flag.id for one in raised)
        if count:
            place = _PLACES[flag.id]
            found.append(
                {
                    "place": place,
                    "title": flag.title_vi,
                    "title_en": flag.title_en,
                    "reason": flag.reason,
                    "count": vietnamese.thousands(count),
                }
            )
    return found


# -- evidence ------------------------------------------------------------------------------------------------------


def _evidence(content: Content, one: Told) -> dict[str, Any]:
    own = one.counts
    return _definition(content.definition(one.reading.indicator)) | {
        "figure": _figure(one.reading),
        "columns": [words.COLUMNS.get(name, (name.replace("_", " "), "")) for name in one.columns],
        "figures": [name in ("hits", "judged", "unknown") for name in one.columns],
        "rows": [[_cell(name, value) for name, value in zip(one.columns, row, strict=True)] for row in one.rows],
        "many": vietnamese.thousands(len(one.rows)),
        "counts": None if own is None else [vietnamese.thousands(count) for count in own],
        "agrees": one.agrees,
    }


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name == "verdict":
        return words.VERDICTS[value][0]
    if name in words.YES_OR_NO and value in (0, 1):
        return ("không", "có")[value]
    if name in words.VALUES:
        return words.VALUES[name].get(value, str(value))
    if isinstance(value, int) and is_day(name):
        return vietnamese.day(value)
    if isinstance(value, int) and name in INSTANTS:
        return rfc3339(value)[:19].replace("T", " ")
    return str(value)
