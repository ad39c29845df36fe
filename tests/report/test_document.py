"""The report as JSON: a golden file whose figures were checked by hand."""

import json
from dataclasses import replace
from pathlib import Path

from collector.report.document import document, written
from collector.sinks import json_shapes
from tests.report.contents import CONTENT, EVIDENCE, READINGS, SCORES, SEALED, A, B

GOLDEN = Path(__file__).parents[1] / "golden" / "report"


def test_the_evidence_of_an_agency_is_that_of_the_golden_file() -> None:
    told = json.loads(written(EVIDENCE))
    assert told["evidence"] == json.loads((GOLDEN / "evidence.json").read_text(encoding="utf-8"))
    assert (told["province"], told["period"], told["from"], told["to"], told["agency"]) == (
        {"code": "H44", "name": "Phú Thọ"},
        "2026-02",
        "2026-02-01",
        "2026-02-28",
        B,
    )


def test_readings_and_scores_are_those_of_the_other_commands() -> None:
    told = document(CONTENT)
    assert told["readings"] == [json_shapes.reading(one) for one in READINGS]
    assert told["scores"] == [json_shapes.score(one, lines=True) for one in SCORES.values()]
    assert told["sealed"] is None


def test_a_sealed_one_names_its_edition() -> None:
    assert document(SEALED)["sealed"] == {
        "edition": 2,
        "at": "2026-03-01T08:00:00+07:00",
        "digest": "ab" * 32,
        "reason": "correction",
        "says": "sửa tên =cơ quan",
        "later": None,
    }


def test_a_year_has_a_value_for_each_month_or_null() -> None:
    told = document(CONTENT)
    assert told["months"][0] == "2025-03"
    assert told["years"] == [
        {"agency": A, "indicator": "dossiers.on_time", "values": [None] * 9 + [0.5, 0.0, 0.933386]}
    ]


def test_one_agency_is_told_nothing_of_others() -> None:
    told = json.dumps(document(replace(CONTENT, only=B)))
    assert A not in told
    assert B in told
