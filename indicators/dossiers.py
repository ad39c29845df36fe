"""Dossiers (hồ sơ) of the one-stop system: on time, and filed online.

Comparisons are on local days. `completed_day` is the day on which the result is handed to the one-stop desk
(NgayKetThucXuLy). The effective due date is the first one promised, moved by legitimate pauses only (DESIGN
section 5); it is derived at save. A dossier whose due date is not known is counted, and cannot be judged; so is one
of which only the current due date is known, in a source that moves due dates: on that day.
"""

from sqlalchemy import and_, case, null, or_

from collector.contract.indicator import Counted, Indicator
from collector.contract.records import Dossier, DossierEvent, Procedure
from collector.contract.tables import dossier

_c = dossier.c
_LATE = "QĐ 766/QĐ-TTg (23/6/2022), Tiến độ giải quyết; NĐ 61/2018/NĐ-CP: a re-appointment cures nothing"

_may_have_moved = _c.due_basis == "current"

_on_time = Counted(
    table=dossier,
    counted=_c.completed_day.is_not(None),
    day=_c.completed_day,
    hit=case((_may_have_moved, null()), else_=_c.completed_day <= _c.effective_due_day),
    shows=(_c.received_day, _c.effective_due_day, _c.due_basis, _c.completed_day, _c.outcome, _c.source_status),
)

_on_time_due = Counted(
    table=dossier,
    counted=and_(
        _c.effective_due_day.is_not(None),
        or_(_c.paused_on_due.is_(None), _c.paused_on_due == 0),
        # Withdrawn, refused or stopped by then: dated, so that a closed period does not follow a status of today.
        or_(_c.ended_day.is_(None), _c.ended_day > _c.effective_due_day),
    ),
    day=_c.effective_due_day,
    hit=case(
        (_may_have_moved, null()),
        # The source says that it is finished, but not when.
        (and_(_c.completed_day.is_(None), _c.outcome.in_(("completed", "refused_after"))), null()),
        # The source's status is not one that we know, so it may be finished.
        (and_(_c.completed_day.is_(None), _c.outcome.is_(None)), null()),
        else_=and_(_c.completed_day.is_not(None), _c.completed_day <= _c.effective_due_day),
    ),
    shows=(_c.received_day, _c.effective_due_day, _c.due_basis, _c.completed_day, _c.ended_day, _c.outcome),
)

_online = Counted(
    table=dossier,
    counted=and_(
        _c.received_day.is_not(None),
        # A procedure that the catalogue does not know may be offered online: counted, and cannot be judged.
        or_(_c.offered_level.is_(None), _c.offered_level.in_(("partial", "full"))),
    ),
    day=_c.received_day,
    hit=case((_c.offered_level.is_(None), null()), else_=_c.channel == "online"),
    shows=(_c.procedure, _c.offered_level, _c.channel, _c.received_day),
)

INDICATORS = (
    Indicator(
        id="dossiers.on_time",
        version=1,
        title_vi="Tỷ lệ hồ sơ giải quyết đúng hạn (trên hồ sơ đã giải quyết)",
        title_en="Dossiers completed on time (of those completed)",
        counted_vi="hồ sơ có kết quả trong kỳ (kể cả từ chối sau thụ lý); không tính hồ sơ rút, từ chối tiếp nhận",
        counted_en="dossiers completed in the period (refused after work included; withdrawn or refused at intake not)",
        hit_vi="ngày kết thúc xử lý không sau hạn trả có hiệu lực",
        hit_en="completed on or before the effective due date",
        legal=_LATE,
        needs=(Dossier, DossierEvent),
        formula=_on_time,
        workdays=True,
    ),
    Indicator(
        id="dossiers.on_time_due",
        version=1,
        title_vi="Tỷ lệ hồ sơ giải quyết đúng hạn (trên hồ sơ đến hạn)",
        title_en="Dossiers completed on time (of those that fell due)",
        counted_vi="hồ sơ đến hạn trong kỳ, kể cả chưa xong; không tính hồ sơ đã rút, dừng, đang tạm dừng khi đến hạn",
        counted_en="dossiers that fell due, open ones included; not those withdrawn, stopped or paused by then",
        hit_vi="ngày kết thúc xử lý không sau hạn trả có hiệu lực",
        hit_en="completed on or before the effective due date",
        legal=_LATE,
        needs=(Dossier, DossierEvent),
        formula=_on_time_due,
        workdays=True,
    ),
    Indicator(
        id="dossiers.online",
        version=1,
        title_vi="Tỷ lệ hồ sơ nộp trực tuyến",
        title_en="Dossiers filed online",
        counted_vi="hồ sơ tiếp nhận trong kỳ của thủ tục cung cấp trực tuyến (một phần, toàn trình), mọi kênh nộp",
        counted_en="dossiers received of procedures offered online (partly or fully), whatever the channel",
        hit_vi="nộp trực tuyến",
        hit_en="filed online",
        legal="QĐ 766/QĐ-TTg (23/6/2022), group Dịch vụ trực tuyến; NĐ 42/2022/NĐ-CP: toàn trình, một phần",
        needs=(Dossier, Procedure),
        formula=_online,
    ),
)
