"""The register of agencies: who is ranked, under which codes, in which block, with how many officials, and when.

Codes are identification codes (mã định danh) in the form of Decision 20/2020/QĐ-TTg, `H44.02`, top level first;
the older form of QCVN 102:2016, `000.00.02.H44`, is listed under `old_codes`. Days are local, yyyymmdd.

What was written means the agency that bore it on the day of the event, so one code may have belonged to two, one
after the other: of the communes of 1 July 2025, many got the code of one that they were merged from, some that of a
neighbour. Only where nobody bore it on that day does succession decide: a code that was kept in use after its
agency's end means the `successor`, and one that a system put on its older records too means the agency of that day, or
where several were merged, the one that they became. Of an agency that was divided nobody can tell whose a later
record is: its code means nobody then.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from collector import yaml_file
from collector.contract.period import iso, plus_days
from collector.yaml_file import MUST, Faults, Many, Section, nearest, section

ALWAYS = 1900_01_01
"""The first day of a term whose `from` is not given: before anything that is measured."""

_NEVER = 9999_12_31

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
    `outside` is the reason why it is not part of the wider figures, "" if it is. `parent`, `successor` and
    `divided_among` are codes of the register: the successor took over all that it left, those it was divided among a
    part each.
    """

    code: str
    name: str
    terms: Sequence[AgencyTerm]
    old_codes: Sequence[str] = ()
    aliases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outside: str = ""
    parent: str | None = None
    successor: str | None = None
    divided_among: Sequence[str] = ()

    @property
    def end(self) -> int | None:
        """Its last day, None if it has none."""
        return self.terms[-1].to_day

    def in_force(self, day: int) -> bool:
        """Tell whether it is there on a local day."""
        return any(term.holds(day) for term in self.terms)


@dataclass(frozen=True, slots=True)
class Legacy:
    """What is dated after an agency's end is its successor's: on these days, both included, `heir` answers for it.

    `to_day` None: without end.
    """

    agency: str
    heir: str
    from_day: int
    to_day: int | None


_Span = tuple[int, int | None, str]  # first and last day, agency
_Claims = Mapping[tuple[str, str], Sequence[_Span]]


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
        around it do not matter, nor does case in a domain. Who bore it on that day goes before those who came after
        or before them.
        """
        written = _trimmed(code)
        places = ((_CODES, written), (source, _folded(written)), (ANY, _folded(written)))
        for find in (self._on, self._after, self._before):
            for place in places:
                if found := find(self._claims.get(place, ()), day):
                    return found
        return None

    def _on(self, spans: Sequence[_Span], day: int) -> str | None:
        for first, last, agency in spans:
            if first <= day and (last is None or day <= last):
                return agency
        return None

    def _after(self, spans: Sequence[_Span], day: int) -> str | None:
        """Who answers on a day for the last agency that bore a code, once that has ended."""
        ended = [
            (last, agency)
            for _, last, agency in spans
            if last is not None and last == self.agencies[agency].end and last < day
        ]
        return self.heir(max(ended)[1], day) if ended else None

    def _before(self, spans: Sequence[_Span], day: int) -> str | None:
        """Whose a record of a day is, if its code is one that was given later."""
        later = [(first, agency) for first, _, agency in spans if first == self.begin(agency) and first > day]
        if not later:
            return None
        agency = min(later)[1]
        origins = self._origins(agency, day)
        if len(origins) == 1:
            return origins.pop()
        return agency if self.predecessors(agency) else None

    def _origins(self, code: str, day: int) -> set[str]:
        """The agencies in force on a day that came to be an agency, or a part of it."""
        found: set[str] = set()
        for one in self.predecessors(code):
            found |= {one} if self.agencies[one].in_force(day) else self._origins(one, day)
        return found

    def begin(self, code: str) -> int:
        """Return an agency's first day."""
        return self.agencies[code].terms[0].from_day

    def predecessors(self, code: str) -> list[str]:
        """Return the agencies that an agency took over, or took over a part of, in the order of the file."""
        return [one.code for one in self.agencies.values() if one.successor == code or code in one.divided_among]

    def heir(self, code: str, day: int) -> str | None:
        """Return who answers on a day for an agency: itself until its end, its successor after it, and so on.

        None after the end of one that has no successor or was divided.
        """
        end = self.agencies[code].end
        while end is not None and end < day:
            successor = self.agencies[code].successor
            if successor is None:
                return None
            code, end = successor, self.agencies[successor].end
        return code

    def legacies(self) -> list[Legacy]:
        """Return who answers from when to when for what agencies left that have ended, by the order of the file.

        The last successor answers without end, so that nothing is lost where it has ended too.
        """
        found = []
        for agency in self.agencies.values():
            one = agency
            while one.successor is not None and one.end is not None:
                heir = self.agencies[one.successor]
                last = None if heir.successor is None else heir.end
                found.append(Legacy(agency.code, heir.code, plus_days(one.end, 1), last))
                one = heir
        return found

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
    _check_circles(agencies, entries)
    _check_succession(agencies, entries)
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
            mend = (
                "Keep one entry; what changes over time goes into its `terms`. If the code was given to another agency"
                f" later, make up one for the former, like {code}.former, and list {code} in its `old_codes`"
            )
            entry.fault("code", f"{code} is already the code of the entry in line {first}", mend)
        else:
            entries[code] = entry
    return entries


_KEYS = ("code", "name", "block", "headcount", "headcount_from", "from", "to", "terms", "old_codes", "aliases")


def _agency(code: str, entry: Section, blocks: Mapping[str, Block], entries: Mapping[str, Section]) -> Agency:
    entry.only(*_KEYS, "outside", "parent", "successor", "divided_among")
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
        _successor(entry, entries),
        _divided_among(entry, entries),
    )


def _successor(entry: Section, entries: Mapping[str, Section]) -> str | None:
    if entry.has("successor") and isinstance(entry.node.items["successor"], Many):
        wrong = "names several, and what an agency did cannot be shared out among them"
        mend = "Name the one that took over its records; if each took over a part of them, write `divided_among`"
        entry.fault("successor", wrong, mend)
        return None
    return _named(entry, "successor", entries)


def _divided_among(entry: Section, entries: Mapping[str, Section]) -> list[str]:
    codes = [text for text, _ in entry.texts("divided_among", "H44.02")]
    if entry.has("divided_among"):
        for code in codes:
            if code not in entries:
                entry.fault("divided_among", f"{code} is no code of the register", nearest(code, entries))
        if len(set(codes)) < 2:
            entry.fault("divided_among", "names fewer than two agencies", "Name the one that took it over: `successor`")
        if entry.has("successor"):
            mend = "Keep `successor` if that one took over its records, else `divided_among`"
            entry.fault("divided_among", "stands beside `successor`", mend)
    return [code for code in codes if code in entries]


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
    return any(
        first <= (other_last or _NEVER) and other_first <= (last or _NEVER)
        for first, last in some
        for other_first, other_last in others
    )


def _check_circles(agencies: Mapping[str, Agency], entries: Mapping[str, Section]) -> None:
    def led_to(name: str, code: str) -> Sequence[str]:
        if name == "divided_among":
            return agencies[code].divided_among
        above: str | None = getattr(agencies[code], name)
        return () if above is None or above not in agencies else (above,)

    for names in (("parent",), ("successor", "divided_among")):
        for code, entry in entries.items():
            for name in names:
                paths = [[code, above] for above in led_to(name, code)]
                while paths:
                    path = paths.pop()
                    if path[-1] == code:
                        entry.fault(name, f"leads back to itself: {' -> '.join(path)}", "Break the circle")
                        break
                    if path[-1] not in path[:-1]:
                        paths += [[*path, above] for other in names for above in led_to(other, path[-1])]


def _check_succession(agencies: Mapping[str, Agency], entries: Mapping[str, Section]) -> None:
    """Note successors of agencies that do not end, and those that are not there on the day after."""
    for code, entry in entries.items():
        agency = agencies[code]
        heirs = [("successor", agency.successor), *(("divided_among", one) for one in agency.divided_among)]
        for name, heir in heirs:
            if heir is None or heir not in agencies or not agency.terms:
                continue
            if agency.end is None or agency.end >= _NEVER:
                entry.fault(name, "is given, but the agency has no end", "Write its last day as `to`")
                break
            next_day = plus_days(agency.end, 1)
            if heir != code and not agencies[heir].in_force(next_day):
                wrong = f"{heir} is not there on {iso(next_day)}, the day after the agency's end"
                entry.fault(
                    name, wrong, f"Correct the agency's `to`, or the `from` of {heir}: nothing may fall between"
                )


def _digest(agencies: Mapping[str, Agency], blocks: Mapping[str, Block]) -> str:
    content = {
        "agencies": {code: asdict(agency) for code, agency in agencies.items()},
        "blocks": {id_: asdict(block) for id_, block in blocks.items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
