"""Dossiers (hồ sơ) of the one-stop system: on time by four definitions, resolved, filed online, and what clerks tick.

Comparisons are on local days. `completed_day` is the day on which the result is handed to the one-stop desk
(NgayKetThucXuLy). The effective due date is the first one promised, moved by legitimate pauses only (DESIGN
section 5); it is derived at save. A dossier whose due date is not known is counted, and cannot be judged; so is one
of which only the current due date is known, in a source that moves due dates: on that day.

Two variants compute what systems in use compute, so that their figures can be held against ours (docs/on-time.md).
Both judge by the due date that the source shows now, and take a dossier without one for on time:

on_time_766      days; whatever was withdrawn is counted, and is on time (facts: standards 3, first column).
on_time_opencps  instants: late from the second after the due time (facts: source-systems 1.4, first routine). Its
                 reading of noon as midnight, its cut of decimals and its 100 % of nothing are left out. Where no time
                 of day is told, days decide; on the due day itself nobody can say.

`resolved` is a flow: a dossier is there from its receipt until it leaves. A stop ends it as a withdrawal does: from
that day on it is neither resolved nor left over. It is not the agency's to resolve any more, `on_time_due` has it as
a miss if it was overdue by then, and carried on it would be a miss for ever. One that has left on a day that nobody
knows, and one whose status nobody knows, cannot be judged from its receipt on. What is completed on or before the day
of its receipt counts on the day of completion.

What clerks tick or attach (digitised, electronic_result, paid_online) is unknown where the source does not tell it.
A procedure that gives no result has none in its dossiers either: no source says which these are.
"""

from sqlalchemy import and_, case, null, or_, true

from collector.contract.indicator import Counted, Flow, Indicator
from collector.contract.records import Dossier, DossierEvent, Procedure
from collector.contract.tables import dossier

_c = dossier.c
_LATE = "QĐ 766/QĐ-TTg (23/6/2022), Tiến độ giải quyết; NĐ 61/2018/NĐ-CP: a re-appointment cures nothing"
_ONLINE = "QĐ 766/QĐ-TTg (23/6/2022), group Dịch vụ trực tuyến; NĐ 42/2022/NĐ-CP: toàn trình, một phần"
_DIGITISED = "QĐ 766/QĐ-TTg (23/6/2022), group Số hóa hồ sơ; NĐ 61/2018/NĐ-CP, QĐ 468/QĐ-TTg (27/3/2021)"

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

_withdrawn = and_(_c.ended_day.is_not(None), _c.outcome.is_not(None), _c.outcome == "withdrawn")

_on_time_766 = Counted(
    table=dossier,
    counted=or_(_c.completed_day.is_not(None), _withdrawn),
    day=_c.left_day,
    hit=or_(_withdrawn, _c.due_day.is_(None), and_(_c.completed_day.is_not(None), _c.completed_day <= _c.due_day)),
    shows=(_c.received_day, _c.due_day, _c.completed_day, _c.ended_day, _c.outcome, _c.source_status),
)

_on_time_opencps = Counted(
    table=dossier,
    counted=_c.completed_day.is_not(None),
    day=_c.completed_day,
    hit=case(
        (_c.due_day.is_(None), true()),
        (and_(_c.completed.is_not(None), _c.due.is_not(None)), _c.completed <= _c.due),
        (_c.completed_day == _c.due_day, null()),
        else_=_c.completed_day < _c.due_day,
    ),
    shows=(_c.received_day, _c.due_day, _c.due, _c.completed, _c.outcome, _c.source_status),
)

_resolved = Flow(
    came=Counted(
        table=dossier,
        counted=and_(_c.received_day.is_not(None), or_(_c.left_day.is_(None), _c.left_day > _c.received_day)),
        day=_c.received_day,
        hit=case(
            (and_(_c.left_day.is_(None), or_(_c.outcome.is_(None), _c.outcome != "open")), null()),
            else_=true(),
        ),
        shows=(_c.received_day, _c.effective_due_day, _c.paused_on_due, _c.completed_day, _c.outcome, _c.source_status),
    ),
    done=Counted(
        table=dossier,
        counted=_c.completed_day.is_not(None),
        day=_c.completed_day,
        hit=and_(_c.received_day.is_not(None), _c.completed_day > _c.received_day),
    ),
    gone=Counted(
        table=dossier,
        counted=and_(
            _c.completed_day.is_(None),
            _c.received_day.is_not(None),
            _c.left_day.is_not(None),
            _c.left_day > _c.received_day,
        ),
        day=_c.left_day,
        hit=true(),
    ),
)


def _filed_online(*levels: str) -> Counted:
    """Of what was received of procedures offered at one of these levels, how much was filed online."""
    return Counted(
        table=dossier,
        counted=and_(
            _c.received_day.is_not(None),
            # A procedure that the catalogue does not know may be offered so: counted, and cannot be judged.
            or_(_c.offered_level.is_(None), _c.offered_level.in_(levels)),
        ),
        day=_c.received_day,
        hit=case((_c.offered_level.is_(None), null()), else_=_c.channel == "online"),
        shows=(_c.procedure, _c.offered_level, _c.channel, _c.received_day),
    )


_digitised = Counted(
    table=dossier,
    counted=_c.received_day.is_not(None),
    day=_c.received_day,
    hit=_c.digitised == 1,
    shows=(_c.procedure, _c.digitised, _c.received_day),
)

_electronic_result = Counted(
    table=dossier,
    counted=_c.completed_day.is_not(None),
    day=_c.completed_day,
    hit=_c.electronic_result == 1,
    shows=(_c.procedure, _c.electronic_result, _c.completed_day, _c.outcome),
)

_paid_online = Counted(
    table=dossier,
    # Where nobody says how, a fee may have been paid: counted, and cannot be judged.
    counted=and_(_c.received_day.is_not(None), or_(_c.payment.is_(None), _c.payment != "none")),
    day=_c.received_day,
    hit=_c.payment == "online",
    shows=(_c.procedure, _c.payment, _c.received_day),
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
        id="dossiers.on_time_766",
        version=1,
        title_vi="Tỷ lệ hồ sơ đúng hạn, tính như hệ thống cấp tỉnh theo QĐ 766 (để đối chiếu)",
        title_en="Dossiers on time as a provincial system counts them for QĐ 766 (to compare with)",
        counted_vi="hồ sơ có kết quả hoặc đã rút trong kỳ",
        counted_en="dossiers completed or withdrawn in the period",
        hit_vi="ngày kết thúc xử lý không sau hạn trả đang ghi, hoặc không có hạn trả, hoặc đã rút",
        hit_en="completed on or before the due date shown now, or without a due date, or withdrawn",
        legal="QĐ 766/QĐ-TTg (23/6/2022), Tiến độ giải quyết, as computed by a one-stop system in use",
        needs=(Dossier,),
        formula=_on_time_766,
    ),
    Indicator(
        id="dossiers.on_time_opencps",
        version=1,
        title_vi="Tỷ lệ hồ sơ đúng hạn, tính như OpenCPS (để đối chiếu)",
        title_en="Dossiers on time as OpenCPS counts them (to compare with)",
        counted_vi="hồ sơ có kết quả trong kỳ (kể cả từ chối sau thụ lý); không tính hồ sơ rút",
        counted_en="dossiers released in the period (refused after work included; withdrawn not)",
        hit_vi="thời điểm có kết quả không sau thời điểm hẹn trả đang ghi, tính đến giây, hoặc không có hạn trả",
        hit_en="released by the due time shown now, to the second, or without one",
        legal="ontimePercentage of OpenCPS' statistics, computed as its code does; no legal definition",
        needs=(Dossier,),
        formula=_on_time_opencps,
    ),
    Indicator(
        id="dossiers.resolved",
        version=1,
        title_vi="Tỷ lệ hồ sơ đã giải quyết (trên hồ sơ phải giải quyết)",
        title_en="Dossiers resolved (of those to resolve)",
        counted_vi="hồ sơ tiếp nhận trong kỳ và tồn kỳ trước chuyển sang; không tính hồ sơ đã rút, dừng, bị từ chối",
        counted_en="dossiers received in the period or carried over into it; not those withdrawn, stopped or refused",
        hit_vi="có kết quả trong kỳ",
        hit_en="completed in the period",
        legal="QĐ 766/QĐ-TTg (23/6/2022), Tiến độ giải quyết: received, carried over, resolved",
        needs=(Dossier,),
        formula=_resolved,
        period="flow",
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
        legal=_ONLINE,
        needs=(Dossier, Procedure),
        formula=_filed_online("partial", "full"),
    ),
    Indicator(
        id="dossiers.online_full",
        version=1,
        title_vi="Tỷ lệ hồ sơ nộp trực tuyến của thủ tục toàn trình",
        title_en="Dossiers filed online, of procedures offered fully online",
        counted_vi="hồ sơ tiếp nhận trong kỳ của thủ tục cung cấp trực tuyến toàn trình, mọi kênh nộp",
        counted_en="dossiers received of procedures offered fully online, whatever the channel",
        hit_vi="nộp trực tuyến",
        hit_en="filed online",
        legal=_ONLINE,
        needs=(Dossier, Procedure),
        formula=_filed_online("full"),
    ),
    Indicator(
        id="dossiers.online_partial",
        version=1,
        title_vi="Tỷ lệ hồ sơ nộp trực tuyến của thủ tục một phần",
        title_en="Dossiers filed online, of procedures offered partly online",
        counted_vi="hồ sơ tiếp nhận trong kỳ của thủ tục cung cấp trực tuyến một phần, mọi kênh nộp",
        counted_en="dossiers received of procedures offered partly online, whatever the channel",
        hit_vi="nộp trực tuyến",
        hit_en="filed online",
        legal=_ONLINE,
        needs=(Dossier, Procedure),
        formula=_filed_online("partial"),
    ),
    Indicator(
        id="dossiers.digitised",
        version=1,
        title_vi="Tỷ lệ hồ sơ có thành phần được số hóa khi tiếp nhận",
        title_en="Dossiers with a digitised component",
        counted_vi="hồ sơ tiếp nhận trong kỳ",
        counted_en="dossiers received in the period",
        hit_vi="có ít nhất một thành phần hồ sơ được số hóa",
        hit_en="at least one of their papers is digitised",
        legal=_DIGITISED,
        needs=(Dossier,),
        formula=_digitised,
        measured_from="clerk",
    ),
    Indicator(
        id="dossiers.electronic_result",
        version=1,
        title_vi="Tỷ lệ hồ sơ trả kết quả bản điện tử",
        title_en="Dossiers with an electronic result",
        counted_vi="hồ sơ có kết quả trong kỳ (kể cả từ chối sau thụ lý)",
        counted_en="dossiers completed in the period (refused after work included)",
        hit_vi="có tệp kết quả điện tử",
        hit_en="their result is there as a file",
        legal=_DIGITISED,
        needs=(Dossier,),
        formula=_electronic_result,
        measured_from="clerk",
    ),
    Indicator(
        id="dossiers.paid_online",
        version=1,
        title_vi="Tỷ lệ hồ sơ nộp phí, lệ phí trực tuyến",
        title_en="Dossiers whose fee was paid online",
        counted_vi="hồ sơ tiếp nhận trong kỳ đã nộp phí, lệ phí",
        counted_en="dossiers received for which a fee was paid",
        hit_vi="nộp phí, lệ phí trực tuyến",
        hit_en="the fee was paid online",
        legal="QĐ 766/QĐ-TTg (23/6/2022), group Thanh toán trực tuyến",
        needs=(Dossier,),
        formula=_paid_online,
        measured_from="clerk",
    ),
)
