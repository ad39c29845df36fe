"""What an edition holds, and its canonical form: the bytes that are hashed, chained and signed.

The body is JSON with its keys in order, without spaces, in UTF-8, and without floating-point numbers: counts are
integers, points are text. So the same figures give the same bytes on every machine.
"""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from collector.contract.errors import CollectorError
from collector.contract.reading import Reading, Score

FORMAT = "collector edition 1"

Reason = Literal["late", "source-changed", "source-deleted", "formula", "definition", "correction"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a sealed period is stated anew; an edition that does has exactly one."""


class Altered(CollectorError):
    """An edition is not as it was sealed."""


REASONS_VI: Mapping[str, str] = {
    "late": "dữ liệu đến muộn",
    "source-changed": "nguồn đã sửa dữ liệu",
    "source-deleted": "nguồn đã xóa dữ liệu",
    "formula": "sửa công thức",
    "definition": "đổi định nghĩa",
    "correction": "đính chính",
}
"""The same for officials."""


@dataclass(frozen=True, slots=True)
class Definition:
    """An indicator as it was declared when the edition was sealed. `formula` is a digest of what was computed.

    `period` says how days make a period, `of_persons` whether its rows are days of agencies instead of records, `each`
    whether items may belong to several agencies and count once in wider figures.
    """

    id: str
    version: int
    title_vi: str
    title_en: str
    counted_vi: str
    counted_en: str
    hit_vi: str
    hit_en: str
    legal: str
    better: str
    measured_from: str
    period: str
    needs: tuple[str, ...]
    formula: str
    of_persons: bool
    each: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Days of a source (local, both included) that were accepted as lost, and why."""

    source: str
    first_day: int
    last_day: int
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Where the rows behind an agency's figure are: their columns, how many they are, and their digest."""

    indicator: str
    agency: str
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a restatement changed of one figure: counts as now less before; None where one of both may not be told.

    `agency` is "" for the sum of all agencies.
    """

    indicator: str
    agency: str
    hits: int | None
    judged: int | None
    unknown: int | None
    state_before: str
    state: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Figures and ranking with each agency's successors merged, where that makes a difference."""

    readings: tuple[Reading, ...]
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """All that is sealed. `sealed` is epoch seconds UTC, days are yyyymmdd on the local clock of Vietnam.

    `previous` is the digest of the edition before it in the store's chain ("" for the first), `position` its place in
    that chain. `reason` is "" for a period's first edition; `says` are the official's own words. `carried` are the
    indicators whose figures and rows were taken over from the edition before, because what they rest on is destroyed.
    """

    format: str
    program: str
    province: str
    period: str
    number: int
    sealed: int
    position: int
    previous: str
    reason: Reason | Literal[""]
    says: str
    readings: tuple[Reading, ...]
    scores: tuple[Score, ...]
    merged: Merged | None
    definitions: tuple[Definition, ...]
    model: str
    model_digest: str
    register_digest: str
    calendar_digest: str
    unknown_share: str
    gaps: tuple[Gap, ...]
    evidence: tuple[Listed, ...]
    changes: tuple[Change, ...]
    totals: tuple[Change, ...]
    carried: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition(Body):
    """A sealed edition: its content, and the bytes that were signed (`body`) with their digest and signature."""

    digest: str
    public_key: bytes
    signature: bytes
    body: bytes

    def listed(self, indicator: str, agency: str) -> Listed | None:
        """Where the rows behind a figure are; None if the edition has no such figure."""
        return next((one for one in self.evidence if (one.indicator, one.agency) == (indicator, agency)), None)


_BODY = TypeAdapter(Body)


def canonical(value: Any) -> bytes:
    """Return a value of text, whole numbers, lists and mappings in its one form."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return sha256(content).hexdigest()


def as_bytes(stored: object) -> bytes:
    """What a column of bytes holds; SQLite keeps anything there, also what somebody else put."""
    return stored if isinstance(stored, bytes) else str(stored).encode()


def encoded(body: Body) -> bytes:
    """Return the bytes of a body."""
    return canonical(_BODY.dump_python(body, mode="json"))


def decoded(content: bytes, public_key: bytes, signature: bytes) -> Edition:
    """Return the edition of some bytes; Altered if they are no body. Nothing is verified."""
    try:
        body = _BODY.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise Altered(f"the edition cannot be read ({'.'.join(map(str, first['loc']))}: {first['msg']})") from None
    if body.format != FORMAT:
        raise Altered(f"the edition is in the form {body.format!r}; this program reads {FORMAT!r}")
    own = {one.name: getattr(body, one.name) for one in fields(Body)}
    return Edition(**own, digest=digest_of(content), public_key=public_key, signature=signature, body=content)


def packed(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return rows in the form in which they are stored and hashed."""
    return zlib.compress(canonical([list(row) for row in rows]))


def unpacked(content: bytes) -> list[tuple[Any, ...]]:
    """Return the rows of their stored form; Altered if it cannot be read."""
    try:
        return [tuple(row) for row in json.loads(zlib.decompress(content))]
    except (zlib.error, ValueError, TypeError):
        raise Altered("rows of evidence cannot be read") from None
