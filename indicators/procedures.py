"""Procedures (thủ tục hành chính): how many of an agency's are offered online, wholly or partly (toàn trình, một phần).

The figure of a day is that of the procedures in force for the agency on that day; a period has the figure of its last
covered day. Which procedures those are is made at save from the catalogues, one line for any procedure and day
(`collector/store/offers.py`): a catalogue of a source that serves the agency; its own line before the common one. A
formula cannot know whom a source serves, so the settings' `serves` stands in the store (table `serving`): a line
without an agency belongs to each of those, and to nobody else.

Of a procedure whose level the catalogue does not tell it is unknown whether it is offered; so it is of one that no
catalogue has and that only a dossier showed: how many more there are without dossiers, nobody can tell. An agency of
which only dossiers tell has no figure at all.

A procedure has one level, so that full + partial + information = in force: one offered wholly is not offered partly.
"""

from sqlalchemy import BindParameter, ColumnElement, Integer, Text, and_, bindparam, case, cast, func, literal, select
from sqlalchemy import union_all as together

from collector.contract.indicator import Cells, Indicator
from collector.contract.records import Procedure
from collector.contract.tables import FOREVER, offer

_FIRST: BindParameter[int] = bindparam("first_day", type_=Integer)
_LAST: BindParameter[int] = bindparam("last_day", type_=Integer)
_AGENCY: BindParameter[str] = bindparam("agency", type_=Text)

_known = and_(offer.c.listed == 1, offer.c.level.is_not(None))
_PARTS = ("hits", "judged", "unknown")


def _offered(level: str) -> Cells:
    """In force, and offered at a level: a cell for each day on which an agency's procedures change."""
    is_hit = and_(_known, offer.c.level == level)
    verdicts: list[ColumnElement[int]] = [
        case((is_hit, 1), else_=0),
        case((_known, 1), else_=0),
        case((_known, 0), else_=1),
    ]

    def step(day: ColumnElement[int], sign: int) -> list[ColumnElement[int] | ColumnElement[str]]:
        named = [(literal(sign) * one).label(part) for part, one in zip(_PARTS, verdicts, strict=True)]
        return [offer.c.agency, day.label("day"), *named]

    ends = select(*step(offer.c.until_day, -1)).where(offer.c.until_day < FOREVER)
    steps = together(select(*step(offer.c.from_day, +1)), ends).subquery()
    changes = (
        select(steps.c.agency, steps.c.day, *(func.sum(steps.c[part]).label(part) for part in _PARTS))
        .group_by(steps.c.agency, steps.c.day)
        .subquery()
    )

    def so_far(part: str) -> ColumnElement[int]:
        return func.sum(changes.c[part]).over(partition_by=changes.c.agency, order_by=changes.c.day)

    cells = select(
        changes.c.agency, changes.c.day, *(cast(so_far(part), Integer).label(part) for part in _PARTS)
    ).subquery()
    in_force = and_(offer.c.agency == _AGENCY, offer.c.from_day <= _LAST, offer.c.until_day > _LAST)
    return Cells(
        select=select(cells).where(cells.c.day.between(_FIRST, _LAST)),
        items=select(
            offer.c.source,
            offer.c.code.label("key"),
            cast(_LAST, Integer).label("day"),
            case((is_hit, "hit"), (_known, "miss"), else_="unknown").label("verdict"),
            offer.c.level,
            offer.c.listed,
            offer.c.from_day,
        )
        .where(in_force)
        .order_by(offer.c.code),
        standing=True,
    )


_LEGAL = (
    "QĐ 766/QĐ-TTg (23/6/2022), group Dịch vụ trực tuyến; NĐ 42/2022/NĐ-CP (24/6/2022): toàn trình, một phần instead"
    " of levels 1 to 4"
)

INDICATORS = (
    Indicator(
        id="procedures.online_full",
        version=1,
        title_vi="Tỷ lệ thủ tục hành chính cung cấp dịch vụ công trực tuyến toàn trình",
        title_en="Procedures offered wholly online",
        counted_vi="thủ tục hành chính đang có hiệu lực của cơ quan, ngày cuối kỳ",
        counted_en="procedures in force for the agency, at the period's end",
        hit_vi="được cung cấp trực tuyến toàn trình",
        hit_en="offered wholly online",
        legal=_LEGAL,
        needs=(Procedure,),
        formula=_offered("full"),
        measured_from="register",
        period="end",
    ),
    Indicator(
        id="procedures.online_partial",
        version=1,
        title_vi="Tỷ lệ thủ tục hành chính cung cấp dịch vụ công trực tuyến một phần",
        title_en="Procedures offered partly online",
        counted_vi="thủ tục hành chính đang có hiệu lực của cơ quan, ngày cuối kỳ",
        counted_en="procedures in force for the agency, at the period's end",
        hit_vi="được cung cấp trực tuyến một phần (không tính toàn trình)",
        hit_en="offered partly online (those offered wholly are not)",
        legal=_LEGAL,
        needs=(Procedure,),
        formula=_offered("partial"),
        measured_from="register",
        period="end",
    ),
)
