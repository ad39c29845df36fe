"""Documents (văn bản): how far they are exchanged electronically, and nothing but electronically."""

from sqlalchemy import and_, case, null, or_

from collector.contract.indicator import Counted, Indicator
from collector.contract.records import Document
from collector.contract.tables import document


def _exchanged(scope: str) -> Counted:
    c = document.c
    return Counted(
        table=document,
        counted=and_(
            c.direction == "out",
            c.issued_day.is_not(None),
            # A document whose scope is not known may belong here: it is counted, and cannot be judged.
            or_(c.scope.is_(None), c.scope == scope),
            or_(c.recalled.is_(None), c.recalled == 0),
        ),
        day=c.issued_day,
        hit=case(
            (or_(c.scope.is_(None), c.recalled.is_(None)), null()),
            else_=and_(c.sent_electronically == 1, c.paper_too == 0),
        ),
        shows=(c.scope, c.sent_electronically, c.paper_too, c.recalled, c.source_status),
    )


_LEGAL = "QĐ 28/2018/QĐ-TTg; facts of QCVN 102:2016/BTTTT: sent by edXML, not recalled, Paper = 0"

INDICATORS = (
    Indicator(
        id="documents.exchanged_internal",
        version=1,
        title_vi="Tỷ lệ văn bản điện tử trao đổi trong tỉnh",
        title_en="Documents exchanged electronically within the province",
        counted_vi="văn bản đi đã ban hành, nơi nhận đều trong tỉnh, không bị thu hồi",
        counted_en="outgoing documents issued, all recipients within the province, not recalled",
        hit_vi="gửi điện tử đến mọi nơi nhận và không gửi kèm bản giấy",
        hit_en="sent electronically to every recipient, and no paper copy",
        legal=_LEGAL,
        needs=(Document,),
        formula=_exchanged("internal"),
        measured_from="clerk",
    ),
    Indicator(
        id="documents.exchanged_external",
        version=1,
        title_vi="Tỷ lệ văn bản điện tử trao đổi với cơ quan ngoài tỉnh",
        title_en="Documents exchanged electronically with bodies outside the province",
        counted_vi="văn bản đi đã ban hành, có nơi nhận ngoài tỉnh, không bị thu hồi",
        counted_en="outgoing documents issued, a recipient outside the province, not recalled",
        hit_vi="gửi điện tử đến mọi nơi nhận và không gửi kèm bản giấy",
        hit_en="sent electronically to every recipient, and no paper copy",
        legal=_LEGAL,
        needs=(Document,),
        formula=_exchanged("external"),
        measured_from="clerk",
    ),
)
