"""The report as JSON, for programs: readings and scores as `readings --json` and `rank --json` have them."""

import json
from typing import Any

from collector.contract.period import iso, rfc3339
from collector.report.content import Content
from collector.sinks import flagged, json_shapes

_DEFINITION = (
    *("id", "version", "title_vi", "title_en", "counted_vi", "counted_en", "hit_vi", "hit_en", "legal"),
    *("better", "measured_from", "period", "needs"),
)


def written(content: Content) -> bytes:
    """Return the whole document."""
    return (json.dumps(document(content), ensure_ascii=False, indent=1) + "\n").encode()


def document(content: Content) -> dict[str, Any]:
    """Return what a report tells; `sealed` is null where the figures, taken at the instant `made`, may still change."""
    seal = content.seal
    told: dict[str, Any] = {
        "province": {"code": content.code, "name": content.province},
        "period": content.period.name,
        "from": iso(content.period.first),
        "to": iso(content.period.last),
        "made": rfc3339(content.made),
        "sealed": None
        if seal is None
        else {
            "edition": seal.number,
            "at": rfc3339(seal.sealed),
            "digest": seal.digest,
            "reason": seal.reason,
            "says": seal.says,
            "later": seal.later,
        },
        "merged": content.merged,
        "agency": content.only,
        "blocks": [
            {
                "block": block.id,
                "title_vi": block.title_vi,
                "title_en": block.title_en,
                "agencies": [
                    {"agency": one.code, "name": one.name} for one in block.agencies if content.only in (None, one.code)
                ],
            }
            for block in content.blocks
        ],
        "indicators": [{name: getattr(one, name) for name in _DEFINITION} for one in content.definitions],
        "readings": [json_shapes.reading(one) for one in content.told()],
        "scores": [
            json_shapes.score(one.score, lines=True)
            for block in content.blocks
            for one in block.agencies
            if one.score is not None and content.only in (None, one.code)
        ],
        "months": [month.name for month in content.months],
        "years": [
            {
                "agency": agency,
                "indicator": indicator,
                "values": [None if share is None else float(share) for share in shares],
            }
            for (agency, indicator), shares in sorted(content.years.items())
            if content.only in (None, agency)
        ],
        "flags": flagged.document(content.raised()),
    }
    if content.evidence:
        told["evidence"] = [
            json_shapes.reading(one.reading) | {"agrees": one.agrees, "rows": json_shapes.rows(one.columns, one.rows)}
            for one in content.evidence
        ]
    return told
