"""edXML messages: what each says, whatever its spelling; and what is refused, by name and at little cost."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.docmgmt.edxml import Limits, Message, Refused, read
from connectors.docmgmt.edxml_values import code_of, day_in_id, day_of, id_of, instant_of
from tests.connectors.docmgmt.edxml_samples import CANARIES, envelope, status
from tests.connectors.docmgmt.edxml_under_load import CASES

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "edxml"


VIETNAM = timezone(timedelta(hours=7))


def local(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """An instant from its local date and time, by Python's own calendar."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=VIETNAM).timestamp())


EXPECTED = {
    "new-standard": Message(
        "new",
        "000.00.00.G22,2026/01/15,7816/VPCP-TTĐT",
        "000.00.01.H44",
        ("H44.02", "000.00.00.G22"),
        at=local(2026, 1, 15, 8, 30, 0),
        issued_day=20260115,
        due_day=20260210,
        paper=1,
        envelope_signed=1,
    ),
    "new-vendor": Message(
        "new",
        "3f0c6f4e-5d0e-4a3e-9d5f-0f7f6b1a2c3d",
        "H44.02",
        ("H37.DN.001",),
        at=local(2026, 1, 31, 23, 59, 59),
        issued_day=20260115,
    ),
    "new-signed-attachment": Message(
        "new",
        "d-3",
        "H44.02",
        ("H44.03",),
        at=local(2026, 1, 15, 8, 30, 0),
        issued_day=20260115,
        paper=0,
        attachment_signed=1,
    ),
    "recall": Message(
        "recall", "d-3", "H44.02", ("H44.03",), at=local(2026, 1, 20, 10, 0, 0), paper=0, envelope_signed=1
    ),
    "update": Message(
        "update",
        "d-3",
        "H44.02",
        ("H44.04",),
        removed=("H44.03",),
        at=local(2026, 1, 21, 10, 0, 0),
        issued_day=20260115,
        paper=0,
        envelope_signed=1,
    ),
    "replace": Message(
        "replace",
        "d-4",
        "H44.02",
        ("H44.03",),
        at=local(2026, 1, 22, 10, 0, 0),
        issued_day=20260115,
        paper=0,
        envelope_signed=1,
        replaces=("d-3", "d-2"),
    ),
    "status-03": Message("status", "d-3", "H44.03", at=local(2026, 1, 16, 8, 0, 0), status="03"),
    "status-13-vendor": Message("status", "d-3", "H44.02", at=local(2026, 1, 19, 17, 30, 5), status="13"),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_golden_message_says_what_stands_in_it(name: str) -> None:
    data = (GOLDEN / f"{name}.edxml").read_bytes()
    assert read([data]) == EXPECTED[name]
    assert read(data[place : place + 1] for place in range(len(data))) == EXPECTED[name]


def test_there_is_no_golden_message_without_its_meaning() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(EXPECTED)


def test_the_case_of_names_and_the_prefix_do_not_matter() -> None:
    data = envelope("d", "H44.01", ["H44.02"])
    expected = read([data])
    for changed in (
        data.replace(b"<edXML>", b"<x>").replace(b"edXML:", b""),
        data.replace(b"edXML:", b"eDoc:"),
        data.replace(b"OrganId", b"OrganID").replace(b"edXMLHeader", b"EdXmlHeader"),
        data.replace(b"<edXML ", b"<EdXMLEnvelope ").replace(b"</edXML>", b"</EdXMLEnvelope>"),
        data.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + data,
    ):
        assert read([changed]) == expected


def test_nothing_of_a_person_or_an_attachment_is_kept() -> None:
    for name in EXPECTED:
        assert not any(canary in repr(read([(GOLDEN / f"{name}.edxml").read_bytes()])) for canary in CANARIES)


# --- signatures ------------------------------------------------------------------------------------------------------


def signatures(message: Message) -> tuple[int, int | None]:
    return message.envelope_signed, message.attachment_signed


def test_a_signature_of_the_envelope_is_none_of_the_document() -> None:
    assert signatures(read([envelope("d", "a", ["b"])])) == (1, None)
    assert signatures(read([envelope("d", "a", ["b"], signature=False)])) == (0, None)


@pytest.mark.parametrize(
    "told",
    [
        b"<Attachment><AttachmentName>a.pdf.p7s</AttachmentName></Attachment>",
        b"<Attachment><ContentType>application/x-pkcs7-signature; name=a</ContentType></Attachment>",
        b"<Attachment><Signature><SignedInfo/></Signature></Attachment>",
        b'<Signature><SignedInfo><Reference URI="cid:0"/></SignedInfo></Signature>',
        b'<Reference xlink:href="cong-van.pdf.p7m"/>',
    ],
)
def test_a_signature_told_beside_an_attachment_is_the_documents(told: bytes) -> None:
    data = envelope("d", "a", ["b"], signature=False).replace(b"</AttachmentEncoded>", told + b"</AttachmentEncoded>")
    assert signatures(read([data])) == (0, 1)


def test_a_word_about_signatures_elsewhere_is_none() -> None:
    data = envelope("d", "a", ["b"], signature=False).replace(b"CANARY tr", b"file.p7s <x>a.p7s</x> CANARY tr")
    assert signatures(read([data])) == (0, None)


# --- what cannot be used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "field", "reason"),
    [
        (b"", "", "is empty"),
        (b"<html><body/></html>", "edXML", "is not the root of the message"),
        (b"hello", "", "is no well-formed XML"),
        (envelope("d", "a", ["b"])[:-9], "", "is no well-formed XML"),
        (envelope("d", "a", ["b"]).replace(b"UTF-8", b"rot13"), "", "is no well-formed XML"),
        (envelope("", "a", ["b"]), "DocumentId", "is missing"),
        (envelope(",,", "a", ["b"]), "DocumentId", "is empty"),
        (envelope("x" * 201, "a", ["b"]), "DocumentId", "is no document id"),
        (envelope("d", "", ["b"]), "From/OrganId", "is missing"),
        (envelope("d", "a|b", ["b"]), "From/OrganId", "is no organ code"),
        (envelope("d", "a", []), "To/OrganId", "is missing"),
        (envelope("d", "a", ["b"], kind="7"), "BussinessDocType", "is none of 0, 1, 2, 3"),
        (envelope("d", "a", ["b"], issued="2026-02-30"), "PromulgationDate", "is no day of the calendar"),
        (envelope("d", "a", ["b"], due="0026-02-03"), "DueDate", "is no date of our time"),
        (envelope("d", "a", ["b"], sent="2026-02-03 24:00:00"), "TraceHeader/Timestamp", "is no time of the day"),
        (envelope("d", "a", ["b"], kind="2", receivers=[("c", "5")]), "ReceiverType", "is neither 0 (removed) nor 1"),
        (envelope("d", "a", ["b"], kind="3", replaces=[""]), "ReplacementInfo/DocumentId", "is missing"),
        (status("", "a", "03"), "ResponseFor/DocumentId", "is missing"),
        (status("d", "a", "xy"), "StatusCode", "is no status code"),
        (status("d", "a", "03", "2026-13-01 00:00:00"), "Timestamp", "is no day of the calendar"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field_without_its_content(data: bytes, field: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        read([data])
    assert caught.value.field == field
    assert caught.value.reason.startswith(reason)
    assert caught.value.__cause__ is None


def test_the_size_of_a_message_has_a_limit_that_is_seen_before_its_end() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        data = envelope("d", "a", ["b"])
        yield data[: data.index(b"</AttachmentEncoded>")] + b"<Attachment>"
        while True:
            taken += 1
            yield b"A" * 65_536

    with pytest.raises(Refused, match="is larger than 1048576 bytes"):
        read(endless(), Limits(size=1 << 20))
    assert taken <= 17


UNHARMED = {
    "XInclude": "read load-1",
    "stylesheet": "read load-1",
    "a subject of 100 MB": "read load-1",
    "an attachment of 100 MB": "read load-1",
    "an attachment of 100 MB in lines": "read load-1",
    "an attachment of 100 MB in CDATA": "read load-1",
    "entity without DTD": "refused is no well-formed XML",
    "a million elements": "refused has more than 50000 elements",
    "nested a million deep": "refused is nested deeper than 40 elements",
    "an organ code of 100 MB": "refused OrganId: is longer than 4096 characters",
    "10,000 recipients": "refused OrganId: comes more than 2000 times",
    **dict.fromkeys(
        (
            "billion laughs",
            "quadratic blowup",
            "external entity of a file",
            "external entity of an address",
            "parameter entity",
            "external DTD",
            "empty DTD",
        ),
        "refused has a DTD; DTDs and entities are never read",
    ),
    **dict.fromkeys(
        (
            "a million attributes",
            "a million different attributes",
            "a comment of 100 MB",
            "an attribute of 100 MB",
            "an attribute of 100 MB full of ends of tags",
            "a name of 100 MB",
            "an instruction of 100 MB",
        ),
        "refused holds a tag, comment or reference of more than 131072 bytes",
    ),
}


def in_its_own_process(*arguments: str) -> tuple[str, int]:
    command = [sys.executable, "-m", "tests.connectors.docmgmt.edxml_under_load", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return told["outcome"], told["peak_mib"]


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_hostile_or_huge_message_is_refused_by_name_or_streamed_past_in_little_memory(case: str) -> None:
    outcome, peak = in_its_own_process(case)
    assert outcome == UNHARMED[case]
    # A list of a million attributes is the test's own.
    assert peak < (256 if case == "a million different attributes" else 64)


@pytest.mark.long
def test_of_10_000_fuzzed_messages_every_honest_one_is_counted(scale: Callable[[int], int]) -> None:
    half = scale(5_000)
    outcome, peak = in_its_own_process("fuzz", str(2 * half))
    assert outcome == f"{half} counted, {half} fuzzed"
    assert peak < 64


# --- times and ids ---------------------------------------------------------------------------------------------------


@given(st.integers(local(1990, 1, 1, 0, 0, 0), local(2100, 12, 31, 23, 59, 59)), st.sampled_from("/-"))
def test_a_time_is_read_in_both_orders_on_the_local_clock(instant: int, gap: str) -> None:
    moment = datetime.fromtimestamp(instant, VIETNAM)
    assert instant_of(moment.strftime(f"%Y{gap}%m{gap}%d %H:%M:%S").rjust(21)) == instant
    assert instant_of(moment.strftime("%d/%m/%Y %H:%M:%S")) == instant
    assert day_of(moment.strftime("%d/%m/%Y")) == moment.year * 10_000 + moment.month * 100 + moment.day


@pytest.mark.parametrize(
    "text", ["", "2026", "2026/1", "26/01/2026/", "2026/01-15", "15-01-2026", "٢٠٢٦/01/15", "2026/01/15 8", "20260115"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        day_of(text)


def test_a_three_part_id_names_the_day_of_issue_and_spaces_after_its_commas_do_not_matter() -> None:
    told = " 000.00.01.H44, 2026/01/15 ,12/UBND-VP "
    assert id_of(told) == "000.00.01.H44,2026/01/15,12/UBND-VP"
    assert day_in_id(id_of(told)) == 20260115
    assert day_in_id("3f0c6f4e-5d0e-4a3e-9d5f-0f7f6b1a2c3d") is None
    assert day_in_id("a,2026/02/30,b") is None


@pytest.mark.parametrize("convert", [id_of, code_of])
@pytest.mark.parametrize("bad", ["", " ", "a\nb", "a\x00", "a\u202eb", "a\ud800"])
def test_ids_and_codes_with_unseen_characters_are_refused(convert: Callable[[str], str], bad: str) -> None:
    with pytest.raises(ValueError, match=r"^is "):
        convert(bad)
