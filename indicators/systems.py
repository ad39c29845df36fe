"""Systems (hệ thống): whether those that an agency works with answer.

The record is this program's own: on a plan it asks each system a small question and counts, by local day, what was
answered in time (`collector/probing.py`). In a maintenance window told beforehand nothing is asked, and nothing counts.
What was planned and not carried out, because this program itself stood still or could not ask, is unknown: missing is
not a miss of the system.

A probe belongs to every agency that the source serves: an agency's figure is that of all probed systems that serve it,
each probe once. A block and the province have each probe once too, and not once for each agency that it serves: what
the province shows is how often its systems answered, not a sum over agencies. So the figures of agencies do not add up
to those of the wider scopes, and are not meant to: the same system stands behind many of them.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
)

from collector.contract.indicator import Cells, Indicator
from collector.contract.records import Probe
from collector.contract.tables import agency_term, probe, serving

_FIRST: BindParameter[int] = bindparam("first_day", type_=Integer)
_LAST: BindParameter[int] = bindparam("last_day", type_=Integer)
_AGENCY: BindParameter[str] = bindparam("agency", type_=Text)
_AGENCIES: BindParameter[Any] = bindparam("agencies", type_=Text, expanding=True)

_c = probe.c
_HITS: ColumnElement[int] = _c.answered
_JUDGED: ColumnElement[int] = _c.answered + _c.silent
_UNKNOWN: ColumnElement[int] = _c.planned - _c.answered - _c.silent - _c.excused

_counts = (_c.removed == 0, _c.day.between(_FIRST, _LAST))
_served = and_(serving.c.source == _c.source, serving.c.from_day <= _c.day)
_in_force = and_(
    agency_term.c.agency == serving.c.agency,
    agency_term.c.from_day <= _c.day,
    or_(agency_term.c.to_day.is_(None), _c.day <= agency_term.c.to_day),
)


def _sums() -> list[ColumnElement[int]]:
    parts = (("hits", _HITS), ("judged", _JUDGED), ("unknown", _UNKNOWN))
    return [cast(func.coalesce(func.sum(column), 0), Integer).label(part) for part, column in parts]


def _available() -> Cells:
    by_day: Select[Any] = (
        select(serving.c.agency, _c.day, *_sums())
        .join_from(probe, serving, _served)
        .join(agency_term, _in_force)
        .where(*_counts)
        .group_by(serving.c.agency, _c.day)
    )
    of_one: Select[Any] = (
        select(
            _c.source,
            _c.day,
            _HITS.label("hits"),
            _JUDGED.label("judged"),
            _UNKNOWN.label("unknown"),
            _c.planned,
            _c.excused,
        )
        .join_from(probe, serving, _served)
        .join(agency_term, _in_force)
        .where(*_counts, serving.c.agency == _AGENCY)
        .order_by(_c.day, _c.source)
    )
    serves_any = exists().where(_served, _in_force, serving.c.agency.in_(_AGENCIES))
    each_once: Select[Any] = select().add_columns(*_sums()).where(*_counts, serves_any)
    return Cells(select=by_day, items=of_one, together=each_once)


INDICATORS = (
    Indicator(
        id="systems.available",
        version=1,
        title_vi="Tỷ lệ thời gian các hệ thống thông tin hoạt động liên tục",
        title_en="Systems that answer, around the clock",
        counted_vi="lượt kiểm tra theo kế hoạch đối với từng hệ thống phục vụ cơ quan, trừ thời gian bảo trì báo trước",
        counted_en="planned probes of each system that serves the agency, maintenance told beforehand excused",
        hit_vi="hệ thống trả lời trong thời gian cho phép",
        hit_en="answered in time",
        legal="no decision at hand sets how it is measured: this program asks each system on a plan, by default every"
        " five minutes, and tells what it asked",
        needs=(Probe,),
        formula=_available(),
    ),
)
