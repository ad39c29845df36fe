"""Documents (văn bản): how far they are exchanged electronically, and nothing but electronically; signed; answered.

What an agency issued is told by its register (direction `out`); a document trunk sees only what passed through it, so
its documents (`sent`, `received`) are no part of what was issued. Comparisons are on local days.

A delivery belongs to the agency that gets it: to acknowledge is the recipient's duty. It is judged by what its source
tells of statuses; a source that tells none offers no deliveries (see `offers` of its connector), and its rows are not
counted: beside a trunk that tells them, they would only say again that nobody knows.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, null, or_

from collector.contract.indicator import Counted, Indicator
from collector.contract.records import Delivery, Document
from collector.contract.tables import delivery, document

_c = document.c
_d = delivery.c

_issued = and_(_c.direction == "out", _c.issued_day.is_not(None), or_(_c.recalled.is_(None), _c.recalled == 0))
_sent = and_(_issued, or_(_c.sent_electronically.is_(None), _c.sent_electronically == 1))
_not_known = or_(_c.recalled.is_(None), _c.sent_electronically.is_(None))


def _exchanged(scope: str, hit: ColumnElement[Any]) -> Counted:
    return Counted(
        table=document,
        # A document whose scope is not known may belong here: it is counted, and cannot be judged.
        counted=and_(_issued, or_(_c.scope.is_(None), _c.scope == scope)),
        day=_c.issued_day,
        hit=case((or_(_c.scope.is_(None), _c.recalled.is_(None)), null()), else_=hit),
        shows=(_c.scope, _c.sent_electronically, _c.paper_too, _c.recalled, _c.source_status),
    )


_electronic = _c.sent_electronically == 1
_electronic_alone = and_(_electronic, _c.paper_too == 0)

_parallel_paper = Counted(
    table=document,
    counted=_sent,
    day=_c.issued_day,
    hit=case((_not_known, null()), else_=_c.paper_too == 1),
    shows=(_c.scope, _c.sent_electronically, _c.paper_too, _c.recalled, _c.source_status),
)

_signed = Counted(
    table=document,
    counted=_sent,
    day=_c.issued_day,
    hit=case((_not_known, null()), else_=_c.signed == 1),
    shows=(_c.sent_electronically, _c.signed, _c.recalled, _c.source_status),
)

_acknowledged = Counted(
    table=delivery,
    counted=and_(
        _d.sent_day.is_not(None),
        or_(_d.electronic.is_(None), _d.electronic == 1),
        _d.status_told == 1,
        or_(_d.recalled.is_(None), _d.recalled == 0),
        or_(_d.document_recalled.is_(None), _d.document_recalled == 0),
    ),
    day=_d.answer_day,
    hit=case(
        (or_(_d.electronic.is_(None), _d.recalled.is_(None), _d.document_recalled.is_(None)), null()),
        # Not yet received, or refused: not received by then either.
        (_d.received == 0, 0),
        else_=_d.received_day <= _d.answer_day,
    ),
    shows=(_d.document, _d.sent_day, _d.received, _d.received_day, _d.refused),
)

_on_time = Counted(
    table=document,
    counted=and_(_c.direction == "in", _c.due_day.is_not(None), or_(_c.recalled.is_(None), _c.recalled == 0)),
    day=_c.due_day,
    hit=case(
        (_c.recalled.is_(None), null()), else_=and_(_c.completed_day.is_not(None), _c.completed_day <= _c.due_day)
    ),
    shows=(_c.due_day, _c.completed_day, _c.recalled, _c.source_status),
)

_connected = Counted(
    table=document,
    # What came in counts where its source says that it came electronically; a register need not know.
    counted=or_(
        _sent,
        and_(
            _c.direction.in_(("in", "sent", "received")),
            _c.issued_day.is_not(None),
            or_(_c.recalled.is_(None), _c.recalled == 0),
            _c.sent_electronically.is_not(None),
            _c.sent_electronically == 1,
        ),
    ),
    day=_c.issued_day,
    hit=case((_not_known, null()), else_=_electronic),
    shows=(_c.sent_electronically, _c.recalled, _c.source_status),
)

_LEGAL = "QĐ 28/2018/QĐ-TTg; facts of QCVN 102:2016/BTTTT: sent by edXML, not recalled, Paper = 0"
_ISSUED_VI = "văn bản đi đã ban hành, {}, không bị thu hồi"
_ISSUED_EN = "outgoing documents issued, {}, not recalled"
_SCOPES = (
    ("internal", "trong tỉnh", "within the province", "nơi nhận đều trong tỉnh", "all recipients within the province"),
    (
        "external",
        "với cơ quan ngoài tỉnh",
        "with bodies outside the province",
        "có nơi nhận ngoài tỉnh",
        "a recipient outside the province",
    ),
)

INDICATORS = (
    *(
        Indicator(
            id=f"documents.exchanged_{scope}",
            version=1,
            title_vi=f"Tỷ lệ văn bản điện tử trao đổi {among_vi}",
            title_en=f"Documents exchanged electronically {among_en}",
            counted_vi=_ISSUED_VI.format(to_vi),
            counted_en=_ISSUED_EN.format(to_en),
            hit_vi="gửi điện tử đến mọi nơi nhận và không gửi kèm bản giấy",
            hit_en="sent electronically to every recipient, and no paper copy",
            legal=_LEGAL,
            needs=(Document,),
            formula=_exchanged(scope, _electronic_alone),
            measured_from="clerk",
        )
        for scope, among_vi, among_en, to_vi, to_en in _SCOPES
    ),
    *(
        Indicator(
            id=f"documents.exchanged_{scope}_any",
            version=1,
            title_vi=f"Tỷ lệ văn bản gửi điện tử {among_vi} (kể cả kèm bản giấy)",
            title_en=f"Documents sent electronically {among_en}, with or without paper",
            counted_vi=_ISSUED_VI.format(to_vi),
            counted_en=_ISSUED_EN.format(to_en),
            hit_vi="gửi điện tử đến mọi nơi nhận",
            hit_en="sent electronically to every recipient",
            legal="QĐ 28/2018/QĐ-TTg; for registers that do not say whether a paper copy went too",
            needs=(Document,),
            formula=_exchanged(scope, _electronic),
        )
        for scope, among_vi, among_en, to_vi, to_en in _SCOPES
    ),
    Indicator(
        id="documents.parallel_paper",
        version=1,
        title_vi="Tỷ lệ văn bản điện tử vẫn gửi kèm bản giấy",
        title_en="Electronic documents that were sent on paper too",
        counted_vi="văn bản đi đã ban hành, gửi điện tử đến mọi nơi nhận, không bị thu hồi",
        counted_en="outgoing documents issued, sent electronically to every recipient, not recalled",
        hit_vi="gửi kèm bản giấy",
        hit_en="a paper copy went too",
        legal="QĐ 28/2018/QĐ-TTg: what was sent electronically is not sent on paper",
        needs=(Document,),
        formula=_parallel_paper,
        better="lower",
        measured_from="clerk",
    ),
    Indicator(
        id="documents.signed",
        version=1,
        title_vi="Tỷ lệ văn bản điện tử có chữ ký số của cơ quan",
        title_en="Electronic documents with the organisation's digital signature",
        counted_vi="văn bản đi đã ban hành, gửi điện tử đến mọi nơi nhận, không bị thu hồi",
        counted_en="outgoing documents issued, sent electronically to every recipient, not recalled",
        hit_vi="có chữ ký số của cơ quan",
        hit_en="the document carries the organisation's signature",
        legal="NĐ 30/2020/NĐ-CP: an electronic document carries the organisation's digital signature",
        needs=(Document,),
        formula=_signed,
    ),
    Indicator(
        id="documents.acknowledged",
        version=1,
        title_vi="Tỷ lệ văn bản điện tử được tiếp nhận trong ngày làm việc tiếp theo",
        title_en="Electronic documents acknowledged by the next working day",
        counted_vi="lượt văn bản điện tử gửi đến cơ quan, không bị thu hồi; tính vào ngày làm việc sau ngày gửi",
        counted_en="electronic deliveries to the agency, not recalled; on the working day after sending",
        hit_vi="đã tiếp nhận (mã trạng thái 03 trở đi) đến hết ngày đó",
        hit_en="status 03 (accepted) or a later one by the end of that day",
        legal="QĐ 28/2018/QĐ-TTg, mã trạng thái 01-06, 13, 15, 16: 03 is the first proof of receipt",
        needs=(Delivery,),
        formula=_acknowledged,
        workdays=True,
    ),
    Indicator(
        id="documents.on_time",
        version=1,
        title_vi="Tỷ lệ văn bản đến xử lý đúng hạn",
        title_en="Incoming documents dealt with on time",
        counted_vi="văn bản đến có hạn xử lý trong kỳ, kể cả chưa xong; không tính văn bản bị thu hồi",
        counted_en="incoming documents that fell due, open ones included; recalled ones not",
        hit_vi="hoàn thành không sau hạn xử lý",
        hit_en="completed on or before the due date",
        legal="NĐ 30/2020/NĐ-CP: incoming documents are dealt with by their date",
        needs=(Document,),
        formula=_on_time,
        measured_from="clerk",
    ),
    Indicator(
        id="documents.connected",
        version=1,
        title_vi="Tỷ lệ cơ quan có trao đổi văn bản điện tử",
        title_en="Agencies that exchange documents electronically",
        counted_vi="cơ quan đang hoạt động",
        counted_en="agencies in force",
        hit_vi="gửi hoặc nhận ít nhất một văn bản điện tử trong kỳ",
        hit_en="sent or got at least one document electronically in the period",
        legal="QĐ 28/2018/QĐ-TTg: all agencies exchange documents through the trunk",
        needs=(Document,),
        formula=_connected,
        period="any",
    ),
)
