"""The message that tells a scoring service the readings of a period; docs/delivery.md tells it to who implements one.

Its body is canonical JSON (RFC 8785: keys in order, no white space, UTF-8; numbers are whole, shares are text), so
that the same readings always have the same digest, whoever writes them down again.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from collector.contract.declared import Declared
from collector.contract.indicator import Indicator
from collector.contract.period import Period, iso, rfc3339
from collector.contract.reading import Reading
from collector.store.outbox import Message

SCHEMA = "ict-collector/scoring/1"
"""What a message says of its own shape. A receiver refuses one that it does not know."""


@dataclass(frozen=True, slots=True)
class Unit:
    """An agency whose readings are told: its code, name and block, and why it is not to be ranked ("": it is)."""

    agency: str
    name: str
    block: str
    not_ranked: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The edition whose readings are told: its number (1 for the first), and why there is another one after it.

    `reason` is "" for the first. `digest` is that of the edition itself, as it is signed and chained.
    """

    number: int
    reason: str = ""
    digest: str = ""


def message(
    province: tuple[str, str],
    period: Period,
    as_of: int,
    readings: Iterable[Reading],
    units: Iterable[Unit],
    indicators: Iterable[Indicator],
    declared: Iterable[Declared] = (),
    sealed: Sealed | None = None,
) -> Message:
    """Make the message of a period's readings as they were at an instant (epoch seconds UTC).

    `province` is its code and name; `declared` what is in force in the period; `sealed` None for readings that are
    still open. Nothing of a person is in it (of what is declared neither who nor which evidence), nor a number of a
    document or dossier. ValueError for a reading of another period or an indicator that is not given.
    """
    places = ("indicator", "scope", "agency")
    told = sorted((_reading(one, period) for one in readings), key=lambda one: [one[name] for name in places])
    known = {one.id: _indicator(one) for one in indicators}
    if strange := {one["indicator"] for one in told} - known.keys():
        raise ValueError(f"no indicator is given for {', '.join(sorted(strange))}")
    key = f"{province[0]}.{period}.e{sealed.number}" if sealed else f"{province[0]}.{period}.open.{as_of}"
    body = canonical(
        {
            "schema": SCHEMA,
            "key": key,
            "kind": "edition" if sealed else "open",
            "province": {"code": province[0], "name": province[1]},
            "period": {"name": period.name, "first": iso(period.first), "last": iso(period.last)},
            "as_of": rfc3339(as_of),
            "edition": None
            if sealed is None
            else {"number": sealed.number, "reason": sealed.reason, "digest": sealed.digest},
            "indicators": [known[id_] for id_ in sorted({one["indicator"] for one in told})],
            "units": [
                {"agency": one.agency, "name": one.name, "block": one.block, "not_ranked": one.not_ranked}
                for one in sorted(units, key=lambda one: one.agency)
            ],
            "readings": told,
            "declared": [
                {"agency": one.agency, "criterion": one.criterion, **_counts(one.counts)}
                for one in sorted(declared, key=lambda one: (one.agency, one.criterion))
            ],
        }
    )
    return Message("edition" if sealed else "open", period.name, sealed.number if sealed else None, key, body)


def canonical(content: Any) -> str:
    """Return content of texts, whole numbers, flags and null as canonical JSON; ValueError for a broken number."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _reading(one: Reading, period: Period) -> dict[str, Any]:
    if one.period != period.name:
        raise ValueError(f"a reading of {one.period} is no reading of {period}")
    value = one.value
    return {
        "indicator": one.indicator,
        "version": one.version,
        "scope": one.scope,
        "agency": one.agency,
        "state": one.state,
        "through": None if one.through is None else iso(one.through),
        "hits": one.hits,
        "judged": one.judged,
        "unknown": one.unknown,
        "value": None if value is None else f"{value:f}",
        "suppressed": one.suppressed,
        "merged": None if one.merged is None else _counts(one.merged),
        "edition": one.edition,
        "why": one.why,
    }


def _counts(counts: tuple[int, int] | None) -> dict[str, int | None]:
    hits, judged = counts or (None, None)
    return {"hits": hits, "judged": judged}


def _indicator(one: Indicator) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.version,
        "title_vi": one.title_vi,
        "title_en": one.title_en,
        "unit": one.unit,
        "better": one.better,
        "measured_from": one.measured_from,
        "legal": one.legal,
    }
