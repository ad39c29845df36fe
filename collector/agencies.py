"""The register of agencies: who is ranked, under which codes, in which block, with how many officials, and when.

Codes are identification codes (mã định danh) in the form of Decision 20/2020/QĐ-TTg, `H44.02`, top level first;
the older form of QCVN 102:2016, `000.00.02.H44`, is listed under `old_codes`. Days are local, yyyymmdd.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from collector import yaml_file
from collector.contract.period import iso
from collector.yaml_file import MUST, Faults, Section, nearest, section

ALWAYS = 1900_01_01
"""The first day of a term whose `from` is not given: before anything that is measured."""

ANY = "any"
"""The name under `aliases` that stands for every source."""

_DOMAIN = re.compile(r"@?[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Block:
    """Agencies that are ranked among each other (khối)."""

    id: str
    title_vi: str
    title_en: str


@dataclass(frozen=True, slots=True)
class AgencyTerm:
    """A stretch of days in which nothing of an agency changed; a row of the table agency_term.

    Both days are included; `to_day` None: still running. `headcount` counts officials on the payroll, None if it is
    not known; `headcount_from` says where the number is from.
    """

    agency: str
    from_day: int
    to_day: int | None
    block: str
    headcount: int | None
    headcount_from: str | None

    def holds(self, day: int) -> bool:
        """Tell whether the term holds a local day."""
        return self.from_day <= day and (self.to_day is None or day <= self.to_day)


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency (cơ quan). `terms` are in order of time and do not overlap.

    `aliases` holds, by source (or ANY), what that source writes for it: mail domains, local numbers, names.
    `outside` is the reason why it is not part of the wider figures, "" if it is. `parent` and `successor` are
    codes of the register.
    """

    code: str
    name: str
    terms: Sequence[AgencyTerm]
    old_codes: Sequence[str] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outside: str = ""
    parent: str | None = None
    successor: str | None = None


_Claims = Mapping[tuple[str, str], Sequence[tuple[int, int | None, str]]]


@dataclass(frozen=True, slots=True)
class Register:
    """The register as read. `digest` changes whenever a row could be assigned or counted otherwise."""

    agencies: Mapping[str, Agency]
    blocks: Mapping[str, Block]
    digest: str
    _claims: _Claims = field(repr=False)

    def resolve(self, source: str, code: str, day: int) -> str | None:
        """Return the code of the agency that a source means by `code` on a local day; None if nobody is meant.

        Looks at codes and old codes, then at the aliases for that source, then at those for any source. Spaces
        around it do not matter, nor does case in a domain. An agency is found only on days of its own terms, so
        what two agencies were called one after the other is told apart by the day.
        """
        written = _trimmed(code)
        return (
            self._on(_CODES, written, day)
            or self._on(source, _folded(written), day)
            or self._on(ANY, _folded(written), day)
        )

    def _on(self, scope: str, written: str, day: int) -> str | None:
        for first, last, agency in self._claims.get((scope, written), ()):
            if first <= day and (last is None or day <= last):
                return agency
        return None

    def terms(self) -> list[AgencyTerm]:
        """Return all terms of all agencies, in the order of the file and of time."""
        return [term for agency in self.agencies.values() for term in agency.terms]


_CODES = ""  # the scope of codes and old codes; no source is called so


def _trimmed(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _folded(text: str) -> str:
    return text.lower() if _DOMAIN.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class _Claim:
    scope: str
    written: str
    agency: str
    days: tuple[tuple[int, int | None], ...]
    line: int
    key: str


def read(path: Path) -> Register:
    """Read `agencies.yaml`. Raises WrongUse with every fault, each naming file, line, key and the mend."""
    faults = Faults(path)
    top = Section(faults, "", yaml_file.read(path, faults)).only("blocks", "agencies")
    blocks = _blocks(top)
    entries = _entries(top)
    agencies: dict[str, Agency] = {}
    claims: list[_Claim] = []
    for code, entry in entries.items():
        agencies[code] = _agency(code, entry, blocks, entries)
        claims.extend(_claimed(agencies[code], entry))
    _check_parents(agencies, entries)
    by_text = _check_claims(claims, faults)
    faults.finish()
    return Register(agencies, blocks, _digest(agencies, blocks), by_text)


def _blocks(top: Section) -> dict[str, Block]:
    blocks: dict[str, Block] = {}
    below = top.section("blocks")
    if below is None:
        if not top.has("blocks"):
            top.fault(
                "blocks", MUST, "Write `blocks:` and below it `departments: {title_vi: Sở, title_en: Departments}`"
            )
        return blocks
    for id_, node in below.node.items.items():
        titles = section(node, below.below(id_), top.faults)
        if titles is None:
            continue
        titles.only("title_vi", "title_en")
        vi = titles.text("title_vi", "Sở, ban, ngành", needed=True)
        en = titles.text("title_en", "Departments", needed=True)
        blocks[id_] = Block(id_, vi or "", en or "")
    return blocks


def _entries(top: Section) -> dict[str, Section]:
    entries: dict[str, Section] = {}
    if not top.has("agencies"):
        top.fault("agencies", MUST, "Write `agencies:` and below it `- code: H44.02` with name and block")
    for key, node in top.many("agencies"):
        entry = section(node, key, top.faults)
        if entry is None:
            continue
        code = entry.text("code", "H44.02", needed=True)
        if code is None:
            continue
        if not _CODE.fullmatch(code):
            entry.fault("code", f"{code} is no code", "Write letters and digits with dots between them, like H44.02")
        elif code in entries:
            first = entries[code].line("code")
            mend = "Keep one entry; what changes over time goes into its `terms`"
            entry.fault("code", f"{code} is already the code of the entry in line {first}", mend)
        else:
            entries[code] = entry
    return entries


_KEYS = ("code", "name", "block", "headcount", "headcount_from", "from", "to", "terms", "old_codes", "aliases")


def _agency(code: str, entry: Section, blocks: Mapping[str, Block], entries: Mapping[str, Section]) -> Agency:
    entry.only(*_KEYS, "outside", "parent", "successor")
    name = entry.text("name", "Sở Khoa học và Công nghệ", needed=True)
    outside = entry.text("outside", "military body, not ranked")
    if outside in ("true", "false", "yes", "no"):
        entry.fault("outside", f"{outside} is no reason", "Write why it is left out of the wider figures, or delete it")
    return Agency(
        code,
        name or "",
        _terms(code, entry, blocks),
        [text for text, _ in entry.texts("old_codes", "000.00.02.H44")],
        {scope: [text for text, _, _ in written] for scope, written in _aliases(entry).items()},
        outside or "",
        _named(entry, "parent", entries),
        _named(entry, "successor", entries),
    )


def _named(entry: Section, name: str, entries: Mapping[str, Section]) -> str | None:
    code = entry.text(name, "H44.02")
    if code is not None and code not in entries:
        entry.fault(name, f"{code} is no code of the register", nearest(code, entries))
    return code


def _terms(code: str, entry: Section, blocks: Mapping[str, Block]) -> list[AgencyTerm]:
    if not entry.has("terms"):
        return [_term(code, entry, entry, blocks)]
    for name in ("from", "to"):
        if entry.has(name):
            entry.fault(name, "stands beside `terms`", "Move it into the term that it belongs to")
    sections = [section(node, key, entry.faults) for key, node in entry.many("terms")]
    terms: list[AgencyTerm] = []
    for one in sections:
        if one is None:
            continue
        one.only("from", "to", "block", "headcount", "headcount_from")
        term = _term(code, one, entry, blocks)
        if terms and (terms[-1].to_day is None or terms[-1].to_day >= term.from_day):
            mend = "End the earlier term before it, and list terms in order of time"
            one.fault("from", "the term begins before the one above it has ended", mend)
        terms.append(term)
    if not terms:
        entry.fault("terms", "has no term", "Write `- {from: 2025-07-01}`, or delete the key")
    return terms


def _term(code: str, term: Section, entry: Section, blocks: Mapping[str, Block]) -> AgencyTerm:
    first, last = term.day("from"), term.day("to")
    if first and last and last < first:
        term.fault("to", f"{iso(last)} is before {iso(first)}, its `from`", "Both days belong to the term")
    where = term if term.has("block") else entry
    block = where.text("block", "departments", needed=True)
    if block is not None and block not in blocks:
        where.fault("block", f"{block} is no block", nearest(block, blocks))
    counted = term if term.has("headcount") else entry
    headcount = counted.number("headcount", 61)
    known_from = (term if term.has("headcount_from") else entry).text("headcount_from", "payroll of 31 January 2026")
    if counted.has("headcount") and known_from is None:
        mend = "Write `headcount_from: payroll of 31 January 2026`, or leave the headcount out"
        counted.fault("headcount", "nothing says where the number is from", mend)
    return AgencyTerm(code, first or ALWAYS, last, block or "", headcount, known_from)


def _aliases(entry: Section) -> dict[str, list[tuple[str, int, str]]]:
    below = entry.section("aliases")
    if below is None:
        return {}
    found: dict[str, list[tuple[str, int, str]]] = {}
    for source in below.node.items:
        texts = below.texts(source, "skhcn.example.gov.vn")
        found[source] = [(text, line, below.below(source)) for text, line in texts]
    return found


def _claimed(agency: Agency, entry: Section) -> Iterator[_Claim]:
    days = tuple((term.from_day, term.to_day) for term in agency.terms)
    yield _Claim(_CODES, agency.code, agency.code, days, entry.line("code"), entry.below("code"))
    for text, line in entry.texts("old_codes", "000.00.02.H44"):
        yield _Claim(_CODES, text, agency.code, days, line, entry.below("old_codes"))
    for source, written in _aliases(entry).items():
        for text, line, key in written:
            yield _Claim(source, _folded(text), agency.code, days, line, key)


def _check_claims(claims: Sequence[_Claim], faults: Faults) -> _Claims:
    """Note what two agencies claim at one time. An alias for one source may differ from that for any source."""
    by_written: dict[str, list[_Claim]] = {}
    for claim in claims:
        for other in by_written.setdefault(claim.written, []):
            if other.agency == claim.agency or not _meet(claim.days, other.days):
                continue
            if claim.scope == other.scope or _CODES in (claim.scope, other.scope):
                wrong = f"{claim.written} is claimed by {claim.agency} here and by {other.agency} in line {other.line}"
                mend = "Delete one, or give the agencies terms that do not overlap"
                faults.add(claim.line, claim.key, wrong, mend)
        by_written[claim.written].append(claim)
    found: dict[tuple[str, str], list[tuple[int, int | None, str]]] = {}
    for claim in claims:
        spans = found.setdefault((claim.scope, claim.written), [])
        spans.extend((first, last, claim.agency) for first, last in claim.days)
    return found


def _meet(some: Sequence[tuple[int, int | None]], others: Sequence[tuple[int, int | None]]) -> bool:
    never = 9999_12_31
    return any(
        first <= (other_last or never) and other_first <= (last or never)
        for first, last in some
        for other_first, other_last in others
    )


def _check_parents(agencies: Mapping[str, Agency], entries: Mapping[str, Section]) -> None:
    for name in ("parent", "successor"):
        for code, entry in entries.items():
            passed = [code]
            above = getattr(agencies[code], name)
            while above in agencies and above not in passed:
                passed.append(above)
                above = getattr(agencies[above], name)
            if above == code:
                circle = " -> ".join([*passed, code])
                entry.fault(name, f"leads back to itself: {circle}", "Break the circle")
    for code, entry in entries.items():
        terms = agencies[code].terms
        if agencies[code].successor and terms and terms[-1].to_day is None:
            entry.fault("successor", "is given, but the agency has no end", "Write its last day as `to`")


def _digest(agencies: Mapping[str, Agency], blocks: Mapping[str, Block]) -> str:
    content = {
        "agencies": {code: asdict(agency) for code, agency in agencies.items()},
        "blocks": {id_: asdict(block) for id_, block in blocks.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
