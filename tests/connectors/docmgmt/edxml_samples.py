"""edXML messages as two implementers write them, made of a few words each.

`standard` is QCVN 102:2016's own sample: prefix declared on one element and used on its siblings too, `Bussiness`,
`yyyy/MM/dd`. `vendor` is the other namespace: `Business`, `dd/MM/yyyy` in trace headers, xlink in the manifest. What
stands in them of persons must never be seen again.
"""

import base64
from collections.abc import Sequence

CANARIES = ("CANARY", "Bí Mật", "0999888777", "persons.example", "quite-secret", "canary-token")

_NAMESPACE = {
    "standard": "http://www.mic.gov.vn/TBT/QCVN_102_2016",
    "vendor": "http://www.go.vn/eDoc",
}


def _time(when: str, style: str) -> str:
    """`2026-01-15 08:30:00` in a style's own way."""
    day, _, clock = when.partition(" ")
    year, month, number = day.split("-")
    written = f"{year}/{month}/{number}" if style == "standard" else f"{number}/{month}/{year}"
    return f"{written} {clock}" if clock else written


def _organ(tag: str, code: str) -> str:
    return (
        f"<edXML:{tag}><edXML:OrganId>{code}</edXML:OrganId><edXML:OrganName>CANARY cơ quan</edXML:OrganName>"
        "<edXML:Email>canary@persons.example</edXML:Email><edXML:Telephone>0999888777</edXML:Telephone>"
        f"</edXML:{tag}>"
    )


def envelope(
    document_id: str,
    sender: str,
    recipients: Sequence[str],
    *,
    kind: str = "0",
    sent: str | None = "2026-01-15 08:30:00",
    issued: str | None = "2026-01-15",
    due: str | None = None,
    paper: str | None = "0",
    about: str | None = None,
    replaces: Sequence[str] = (),
    receivers: Sequence[tuple[str, str]] = (),
    signature: bool = True,
    attachments: Sequence[tuple[str, bytes]] = (("cong-van.pdf", b"%PDF- CANARY quite-secret"),),
    style: str = "standard",
) -> bytes:
    """Return an envelope. `about`: the document that a recall or update names; `receivers`: codes with 0 or 1."""
    business = "Bussiness" if style == "standard" else "Business"
    trace = ""
    if sent is not None:
        trace = (
            f"<edXML:TraceHeader><edXML:OrganId>{sender}</edXML:OrganId>"
            f"<edXML:Timestamp>{_time(sent, style)}</edXML:Timestamp></edXML:TraceHeader>"
        )
    lists = "".join(
        f"<edXML:Receiver><edXML:OrganId>{code}</edXML:OrganId><edXML:ReceiverType>{way}</edXML:ReceiverType>"
        "</edXML:Receiver>"
        for code, way in receivers
    )
    replaced = "".join(
        f"<edXML:ReplacementInfo><edXML:DocumentId>{one}</edXML:DocumentId><edXML:OrganIdList>"
        "<edXML:OrganId>H99.99</edXML:OrganId></edXML:OrganIdList></edXML:ReplacementInfo>"
        for one in replaces
    )
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<edXML xmlns="{_NAMESPACE[style]}"><edXML:edXMLEnvelope xmlns:edXML="{_NAMESPACE[style]}">',
        "<edXML:edXMLHeader><edXML:MessageHeader>",
        _organ("From", sender),
        *(_organ("To", code) for code in recipients),
        f"<edXML:DocumentId>{document_id}</edXML:DocumentId>",
        "<edXML:Code><edXML:CodeNumber>12</edXML:CodeNumber><edXML:CodeNotation>UBND</edXML:CodeNotation></edXML:Code>",
        "<edXML:PromulgationInfo><edXML:Place>CANARY</edXML:Place>",
        "" if issued is None else f"<edXML:PromulgationDate>{_time(issued, 'standard')}</edXML:PromulgationDate>",
        "</edXML:PromulgationInfo><edXML:Subject>CANARY trích yếu</edXML:Subject>",
        "<edXML:SignerInfo><edXML:FullName>CANARY Nguyễn Thị Bí Mật</edXML:FullName></edXML:SignerInfo>",
        "" if due is None else f"<edXML:DueDate>{_time(due, 'standard')}</edXML:DueDate>",
        "<edXML:ResponseFor><edXML:OrganId>G22</edXML:OrganId><edXML:DocumentId>another</edXML:DocumentId>",
        "</edXML:ResponseFor></edXML:MessageHeader>",
        f"<edXML:TraceHeaderList>{trace}<edXML:{business}>",
        "" if about is None else f"<edXML:DocumentId>{about}</edXML:DocumentId>",
        f"<edXML:{business}DocType>{kind}</edXML:{business}DocType>",
        "" if paper is None else f"<edXML:Paper>{paper}</edXML:Paper>",
        "<edXML:StaffInfo><edXML:Staff>CANARY</edXML:Staff><edXML:Mobile>0999888777</edXML:Mobile></edXML:StaffInfo>",
        f"<edXML:{business}DocumentInfo><edXML:ReceiverList>{lists}</edXML:ReceiverList></edXML:{business}DocumentInfo>"
        if lists
        else "",
        f"<edXML:ReplacementInfoList>{replaced}</edXML:ReplacementInfoList>" if replaced else "",
        f"</edXML:{business}></edXML:TraceHeaderList>",
        '<Signature><SignedInfo><Reference URI=""/></SignedInfo></Signature>' if signature else "",
        '</edXML:edXMLHeader><edXML:edXMLBody><edXML:edXMLManifest version="1.0">',
        *(_reference(number, name, style) for number, (name, _) in enumerate(attachments)),
        "</edXML:edXMLManifest></edXML:edXMLBody></edXML:edXMLEnvelope><AttachmentEncoded>",
        *(
            f"<Attachment><ContentId>cid:{number}</ContentId><AttachmentName>{name}</AttachmentName>"
            "<edXML:ContentTransferEncoded "
            f'xmlns:edXML="{_NAMESPACE[style]}">{base64.b64encode(content).decode()}</edXML:ContentTransferEncoded>'
            "</Attachment>"
            for number, (name, content) in enumerate(attachments)
        ),
        "</AttachmentEncoded></edXML>",
    ]
    return "".join(parts).encode()


def _reference(number: int, name: str, style: str) -> str:
    if style == "vendor":
        return f'<edXML:Reference xlink:href="cid:{number}" xlink:type="simple"/>'
    return (
        f"<edXML:Reference><edXML:ContentId>cid:{number}</edXML:ContentId>"
        f"<edXML:ContentType>application/octet-stream</edXML:ContentType>"
        f"<edXML:AttachmentName>{name}</edXML:AttachmentName></edXML:Reference>"
    )


def status(
    document_id: str, sender: str, code: str, when: str = "2026-01-16 09:00:00", *, style: str = "standard"
) -> bytes:
    """Return a status packet: `sender` says `code` of a document."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><edXML xmlns="{_NAMESPACE[style]}">'
        f'<edXML:edXMLEnvelope xmlns:edXML="{_NAMESPACE[style]}"><edXML:edXMLHeader><edXML:MessageHeader>'
        f"<edXML:ResponseFor><edXML:OrganId>H44.01</edXML:OrganId><edXML:Code>12/UBND</edXML:Code>"
        f"<edXML:DocumentId>{document_id}</edXML:DocumentId></edXML:ResponseFor>"
        f"<edXML:From><edXML:OrganId>{sender}</edXML:OrganId></edXML:From>"
        "<edXML:StaffInfo><edXML:Staff>CANARY</edXML:Staff></edXML:StaffInfo>"
        f"<edXML:StatusCode>{code}</edXML:StatusCode><edXML:Description>CANARY lý do</edXML:Description>"
        f"<edXML:Timestamp>{_time(when, style)}</edXML:Timestamp>"
        "</edXML:MessageHeader></edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>"
    ).encode()
