"""Verifies editions, offline: nothing but what was stored or exported, and the public keys, is looked at.

Of each edition in the order of the chain: who signed it, its place in the chain, the rows behind its figures, and that
they add up to the figures. The first thing that is not as it was sealed is named.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from collector.contract.errors import WrongUse
from collector.contract.period import Period
from collector.contract.reading import Reading
from collector.editions.body import (
    Altered,
    Definition,
    Edition,
    Listed,
    as_bytes,
    canonical,
    decoded,
    digest_of,
    unpacked,
)
from collector.editions.keys import fingerprint, is_signed
from collector.editions.restate import changed_figures, totals_of
from collector.store.schema import edition, edition_body, edition_rows

FILE_FORMAT = "collector edition file 1"


@dataclass(frozen=True, slots=True)
class Link:
    """An edition as it is stored: the bytes, and what stands beside them. `sealed` None: nothing stands beside."""

    position: int
    period: str
    number: int
    sealed: int | None
    digest: str
    public_key: bytes
    signature: bytes
    body: bytes

    def __str__(self) -> str:
        return f"edition {self.number} of {self.period}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was verified of an edition. `fault` "": everything is as it was sealed. `lists` of rows were added up."""

    position: int
    period: str
    number: int
    sealed: int
    digest: str
    key: str
    figures: int
    lists: int
    fault: str


RowsOf = Callable[[str], bytes | None]
"""Gives the stored rows of a digest; None if there are none."""


def verify(connection: Connection, trusted: Iterable[bytes], period: Period | None = None) -> list[Verified]:
    """Verify all editions of a store, or with a period the whole chain and the rows of that period's editions alone.

    `trusted` are the public keys (32 bytes each) that may have signed.
    """
    keys = frozenset(trusted)
    try:
        links = _links(connection)
        strays = _strays(connection, links)
    except DBAPIError as error:
        return [_unreadable(f"the table of editions cannot be read ({error.orig})")]

    def rows_of(digest: str) -> bytes | None:
        try:
            content = connection.scalar(select(edition_rows.c.rows).where(edition_rows.c.digest == digest))
        except DBAPIError:
            return None
        return None if content is None else as_bytes(content)

    found = []
    before = ""
    newest: dict[str, Edition] = {}
    numbers: Counter[str] = Counter()
    for place, link in enumerate(links, 1):
        numbers[link.period] += 1
        fault = _out_of_chain(link, place, numbers[link.period])
        wanted = period is None or link.period == period.name
        one, verified = _verified(link, keys, rows_of if wanted else None, fault, before, newest.get(link.period))
        found.append(verified)
        before = link.digest
        if one is not None:
            newest[link.period] = one
    if strays and period is None:
        found.append(_unreadable(strays))
    return found


def _links(connection: Connection) -> list[Link]:
    body = edition_body.c
    same = (edition.c.period == body.period) & (edition.c.number == body.number)
    rows = connection.execute(
        select(
            body.position, body.period, body.number, edition.c.sealed, body.digest, body.public_key, body.signature,
            body.body,
        )
        .outerjoin(edition, same)
        .order_by(body.position)
    )  # fmt: skip
    return [Link(*row[:5], *(as_bytes(value) for value in row[5:])) for row in rows]


def _strays(connection: Connection, links: Sequence[Link]) -> str:
    """Say what lies in the tables of editions and belongs to none; "" if nothing does."""
    known = {(link.period, link.number) for link in links}
    for period, number in connection.execute(select(edition.c.period, edition.c.number)):
        if (period, number) not in known:
            return f"edition {number} of {period} is listed, but its content is gone"
    listed = set()
    for link in links:
        try:
            listed |= {one.digest for one in decoded(link.body, b"", b"").evidence}
        except Altered:
            return ""  # it has its own fault
    for digest in connection.scalars(select(edition_rows.c.digest).order_by(edition_rows.c.digest)):
        if digest not in listed:
            return f"the rows {digest} belong to no edition"
    return ""


def _unreadable(fault: str) -> Verified:
    return Verified(0, "", 0, 0, "", "", 0, 0, fault)


def _out_of_chain(link: Link, place: int, number: int) -> str:
    if link.position != place:
        return f"it is number {link.position} of the chain, where number {place} should stand: one is gone, or added"
    if link.number != number:
        return f"it is edition {link.number} of its period, where edition {number} should stand"
    if link.sealed is None:
        return "it is not in the list of editions"
    return ""


def _verified(
    link: Link, trusted: frozenset[bytes], rows_of: RowsOf | None, fault: str, before: str, former: Edition | None
) -> tuple[Edition | None, Verified]:
    found: Edition | None = None
    lists = 0
    try:
        if fault:
            raise Altered(fault)
        found = _authentic(link, trusted)
        if found.previous != before:
            raise Altered("the edition before it in the chain is another one than when it was sealed")
        if former is not None and changed_figures(former.readings, found.readings) != found.changes:
            raise Altered("the changes that it tells are not those since the edition before it of its period")
        lists = _adds_up(found, rows_of)
    except Altered as error:
        fault = error.reason
    return found, Verified(
        position=link.position,
        period=link.period,
        number=link.number,
        sealed=found.sealed if found else 0,
        digest=link.digest,
        key=fingerprint(link.public_key),
        figures=len(found.readings) if found else 0,
        lists=lists,
        fault=fault,
    )


def _authentic(link: Link, trusted: frozenset[bytes]) -> Edition:
    """The edition of a link, if it was signed with a trusted key and everything beside it says the same."""
    if digest_of(link.body) != link.digest:
        raise Altered("its content has another digest: it was changed after the seal")
    if link.public_key not in trusted:
        raise Altered(f"it was signed with a key that is not trusted here ({fingerprint(link.public_key)})")
    if not is_signed(link.public_key, link.signature, link.body):
        raise Altered("its signature is wrong: content or signature was changed after the seal")
    found = decoded(link.body, link.public_key, link.signature)
    beside = link.position, link.period, link.number, link.sealed
    if beside != (found.position, found.period, found.number, found.sealed):
        raise Altered("what stands beside its content (place, period, number, time of the seal) is not what was sealed")
    return found


def _adds_up(one: Edition, rows_of: RowsOf | None) -> int:
    """Add up the rows behind every figure of an agency; returns how many lists there were. Altered at the first fault.

    `rows_of` None: the rows are not looked at.
    """
    if digest_of(one.model.encode()) != one.model_digest:
        raise Altered("its scoring model has another digest")
    if totals_of(one.changes) != one.totals:
        raise Altered("the changes of its agencies do not add up to the totals that it tells")
    readings = {(each.indicator, each.agency): each for each in one.readings if each.scope == "agency"}
    if len(readings) != len(one.evidence) or any(
        (each.indicator, each.agency) not in readings for each in one.evidence
    ):
        raise Altered("it has figures without rows behind them, or rows without a figure")
    if rows_of is None:
        return 0
    definitions = {each.id: each for each in one.definitions}
    for listed in one.evidence:
        what = f"{listed.indicator} of {listed.agency}"
        content = rows_of(listed.digest)
        if content is None:
            raise Altered(f"the rows behind {what} are gone")
        if digest_of(content) != listed.digest:
            raise Altered(f"the rows behind {what} were changed after the seal")
        told = readings[listed.indicator, listed.agency]
        counts = _counted(listed, unpacked(content), definitions[listed.indicator], told)
        if counts != (told.hits, told.judged, told.unknown):
            raise Altered(f"{what}: the figure says {_three(told)}, its rows {counts}")
    return len(one.evidence)


def _three(one: Reading) -> tuple[int | None, int | None, int | None]:
    return one.hits, one.judged, one.unknown


def _counted(
    listed: Listed, rows: Sequence[Sequence[object]], declared: Definition, told: Reading
) -> tuple[int | None, int | None, int | None]:
    """Count a figure from its rows: their verdicts, or the sums of days. Nothing is told of a suppressed one."""
    if len(rows) != listed.rows or any(len(row) != len(listed.columns) for row in rows):
        raise Altered(f"{listed.indicator} of {listed.agency}: its rows are not as many, or not as long, as it says")
    if told.suppressed:
        return None, None, None
    if "verdict" in listed.columns:
        place = listed.columns.index("verdict")
        verdicts = Counter(row[place] for row in rows)
        counts = verdicts["hit"], verdicts["hit"] + verdicts["miss"], verdicts["unknown"]
    else:
        counts = _sum(listed, rows, "hits"), _sum(listed, rows, "judged"), _sum(listed, rows, "unknown")
    if declared.period == "any" and told.through is not None:
        hits, _, unknown = counts
        return (1, 1, 0) if hits else (0, 0, 1) if unknown else (0, 1, 0)
    return counts


def _sum(listed: Listed, rows: Iterable[Sequence[object]], name: str) -> int:
    if name not in listed.columns:
        return 0
    place = listed.columns.index(name)
    return sum(value for row in rows if isinstance(value := row[place], int))


# -- one edition in one file -------------------------------------------------------------------------------------


def exported(connection: Connection, period: Period, number: int) -> bytes:
    """Return an edition as one file, which can be verified without the store: canonical JSON, a line each.

    First what it is and its signature, then its body, then each list of rows.
    """
    link = next((one for one in _links(connection) if (one.period, one.number) == (period.name, number)), None)
    if link is None:
        raise WrongUse(f"{period} has no edition {number}", field="PERIOD", mend="`collector editions` lists them")
    head = {
        "format": FILE_FORMAT,
        "digest": link.digest,
        "public_key": link.public_key.hex(),
        "signature": link.signature.hex(),
    }
    lines = [canonical(head), link.body]
    for digest in sorted({one.digest for one in decoded(link.body, b"", b"").evidence}):
        content = connection.scalar(select(edition_rows.c.rows).where(edition_rows.c.digest == digest))
        lines.append(canonical({"digest": digest, "rows": base64.b64encode(content or b"").decode()}))
    return b"\n".join(lines) + b"\n"


def verify_file(path: Path, trusted: Iterable[bytes]) -> Verified:
    """Verify an edition in a file. What stands before it in its store's chain can only be verified there."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read ({error.strerror})", field="FILE", mend="Correct the path") from None
    try:
        link, rows = _of_file(content)
        found = _authentic(link, frozenset(trusted))
    except Altered as error:
        return _unreadable(error.reason)
    fault, lists = "", 0
    try:
        lists = _adds_up(found, rows.get)
        if strange := rows.keys() - {one.digest for one in found.evidence}:
            raise Altered(f"the rows {min(strange)} belong to no figure")
    except Altered as error:
        fault = error.reason
    return Verified(
        position=found.position,
        period=found.period,
        number=found.number,
        sealed=found.sealed,
        digest=found.digest,
        key=fingerprint(found.public_key),
        figures=len(found.readings),
        lists=lists,
        fault=fault,
    )


def _of_file(content: bytes) -> tuple[Link, Mapping[str, bytes]]:
    lines = content.split(b"\n")
    try:
        head = json.loads(lines[0])
        if not isinstance(head, dict) or head.get("format") != FILE_FORMAT:
            raise Altered("it is no exported edition of this form")
        body = lines[1]
        found = decoded(body, bytes.fromhex(head["public_key"]), bytes.fromhex(head["signature"]))
        rows = {}
        for line in lines[2:-1]:
            listed = json.loads(line)
            rows[str(listed["digest"])] = base64.b64decode(listed["rows"], validate=True)
    except Altered:
        raise
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, binascii.Error):
        raise Altered("the file cannot be read: it was changed, or cut off") from None
    digest = str(head.get("digest"))
    again = [
        canonical(
            {
                "format": FILE_FORMAT,
                "digest": digest,
                "public_key": found.public_key.hex(),
                "signature": found.signature.hex(),
            }
        ),
        body,
        *(canonical({"digest": one, "rows": base64.b64encode(rows[one]).decode()}) for one in sorted(rows)),
    ]
    if b"\n".join(again) + b"\n" != content:
        raise Altered("the file is not as it was written")
    link = Link(
        found.position, found.period, found.number, found.sealed, digest, found.public_key, found.signature, body
    )
    return link, rows


def iterate_faults(found: Iterable[Verified]) -> Iterator[str]:
    """Say what is not as it was sealed, a line for each edition."""
    for one in found:
        if one.fault:
            yield f"edition {one.number} of {one.period}: {one.fault}" if one.period else one.fault
