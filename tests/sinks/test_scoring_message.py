"""What a scoring service is told fits its schema, says the same in the same bytes, and names nobody."""

import hashlib
import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from collector.contract.declared import Declared
from collector.contract.period import parse_period
from collector.contract.reading import STATES, Reading
from collector.sinks.scoring import SCHEMA, Sealed, canonical, message
from tests.sinks import delivery_page
from tests.sinks.messages import MADE, ON_TIME, UNITS, edition, open_one, reading
from tests.sinks.scored import readings_of

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "scoring-message.schema.json"
VALIDATOR = Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))
PROVINCE = ("H44", "Phú Thọ")


def wrong(told: Any) -> list[str]:
    return [error.json_path for error in VALIDATOR.iter_errors(told)]


def test_the_schema_and_the_openapi_document_are_sound() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)
    document = DOCS / "scoring-service.openapi.yaml"
    content = yaml.safe_load(document.read_text(encoding="utf-8"))
    validate(content, base_uri=document.as_uri())
    told = content["paths"]["/messages"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert told == {"$ref": FILE.name}
    assert content["openapi"].startswith("3.1.")


@pytest.mark.parametrize(
    "told", [edition(), edition("2026-Q1", 2), edition("2026"), open_one()], ids=lambda one: one.key
)
def test_what_is_told_fits_the_schema(told: Any) -> None:
    content = json.loads(told.body)
    assert wrong(content) == []
    assert (content["schema"], content["key"], content["kind"]) == (SCHEMA, told.key, told.kind)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "ict-collector/scoring/2"),
        (("kind",), "open"),
        (("edition",), None),
        (("edition", "number"), 0),
        (("key",), "H44/2026-01/1"),
        (("period", "name"), "2026-13"),
        (("as_of",), "2026-02-01T00:00:00Z"),
        (("readings", 0, "value"), 0.9),
        (("readings", 0, "value"), "90"),
        (("readings", 0, "hits"), -1),
        (("readings", 0, "hits"), 9.5),
        (("readings", 0, "state"), "good"),
        (("readings", 0, "person"), "Nguyễn Văn A"),
        (("units", 0, "block"), ""),
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_not_agreed(path: tuple[Any, ...], value: Any) -> None:
    content = json.loads(edition().body)
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert wrong(content) != []


@pytest.mark.parametrize("name", sorted(json.loads(edition().body)))
def test_the_schema_refuses_a_message_that_lacks_a_member(name: str) -> None:
    content = json.loads(edition().body)
    del content[name]
    assert wrong(content) != []


def test_a_message_says_the_same_in_the_same_bytes_whatever_the_order_of_what_it_is_made_of() -> None:
    given = [reading("2026-01"), reading("2026-01", "H44.02", 7, 8)]
    declared = [Declared("H44.02", "5.1", 1, 2, "x", "", 20260105), Declared("H44.01", "5.1", 1, 1, "x", "", 20260105)]
    made = [
        message(PROVINCE, parse_period("2026-01"), MADE, told, units, [ON_TIME], claims, Sealed(1))
        for told, units, claims in ((given, UNITS, declared), (given[::-1], UNITS[::-1], declared[::-1]))
    ]
    assert made[0] == made[1]
    assert made[0].digest == hashlib.sha256(made[0].body.encode()).hexdigest()
    assert canonical(json.loads(made[0].body)) == made[0].body  # whoever writes it down again gets the same


def test_canonical_json_is_that_of_rfc_8785_for_what_we_write() -> None:
    """By hand, after its sections 3.2.2 and 3.2.3: keys by code unit, no white space, the shortest escapes."""
    content = {"peach": None, "b": [True, 56, "\u20ac$\u000f\nA'\u0042\u0022\\\"/"], "a": {"đ": "ộ"}}
    assert canonical(content) == '{"a":{"đ":"ộ"},"b":[true,56,"€$\\u000f\\nA\'B\\"\\\\\\"/"],"peach":null}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_each_edition_and_each_night_has_a_key_of_its_own() -> None:
    made = [edition(), edition(number=2), edition("2026-02"), edition("2026-Q1"), edition("2026"), open_one()]
    assert [one.key for one in (*made, open_one(night=1))] == [
        "H44.2026-01.e1",
        "H44.2026-01.e2",
        "H44.2026-02.e1",
        "H44.2026-Q1.e1",
        "H44.2026.e1",
        f"H44.2026-02.open.{MADE}",
        f"H44.2026-02.open.{MADE + 86_400}",
    ]


def test_a_figure_that_may_not_be_told_is_told_by_that_of_its_group() -> None:
    one = replace(reading("2026-01"), hits=None, judged=None, unknown=None, suppressed=True, merged=(40, 50))
    told = json.loads(message(PROVINCE, parse_period("2026-01"), MADE, [one], UNITS, [ON_TIME]).body)
    assert wrong(told) == []
    (only,) = told["readings"]
    assert {only[name] for name in ("hits", "judged", "unknown", "value")} == {None}
    assert (only["suppressed"], only["merged"]) == (True, {"hits": 40, "judged": 50})


def test_what_is_declared_is_told_without_who_and_which_evidence() -> None:
    claims = [
        Declared("H44.01", "5.1", 3, 4, "Quyết định của ông Nguyễn Văn A", "Trần Thị B", 20260105),
        Declared("H44.02", "5.1", 3, 4, "", "Trần Thị B", 20260105),
    ]
    made = message(PROVINCE, parse_period("2026-01"), MADE, [reading("2026-01")], UNITS, [ON_TIME], claims)
    told = json.loads(made.body)
    assert wrong(told) == []
    assert told["declared"] == [
        {"agency": "H44.01", "criterion": "5.1", "hits": 3, "judged": 4},
        {"agency": "H44.02", "criterion": "5.1", "hits": None, "judged": None},  # nothing shows that it is so
    ]
    assert "Nguyễn" not in made.body
    assert "Trần" not in made.body


def test_a_reading_of_another_period_or_of_nothing_known_is_a_bug() -> None:
    with pytest.raises(ValueError, match="a reading of 2026-02 is no reading of 2026-01"):
        message(PROVINCE, parse_period("2026-01"), MADE, [reading("2026-02")], UNITS, [ON_TIME])
    with pytest.raises(ValueError, match=r"no indicator is given for dossiers\.on_time"):
        message(PROVINCE, parse_period("2026-01"), MADE, [reading("2026-01")], UNITS, [])


_COUNTS = some.none() | some.integers(0, 10**9)
_READINGS = some.builds(
    Reading,
    indicator=some.just("dossiers.on_time"),
    version=some.integers(1, 9),
    scope=some.sampled_from(["agency", "block", "province"]),
    agency=some.text(some.characters(blacklist_categories=["Cs"]), min_size=1, max_size=9),
    period=some.just("2026-01"),
    state=some.sampled_from(STATES),
    through=some.none() | some.just(20260131),
    hits=_COUNTS,
    judged=_COUNTS,
    unknown=_COUNTS,
    edition=some.none() | some.integers(1, 9),
    why=some.text(some.characters(blacklist_categories=["Cs"]), max_size=20),
    suppressed=some.booleans(),
    merged=some.none() | some.tuples(some.integers(0, 10**9), some.integers(0, 10**9)),
).filter(lambda one: one.hits is None or one.judged is None or one.hits <= one.judged)


@settings(max_examples=40)
@given(some.lists(_READINGS, max_size=5, unique_by=lambda one: (one.scope, one.agency)))
def test_whatever_is_read_is_told_by_the_schema_and_can_be_read_back(readings: list[Reading]) -> None:
    told = json.loads(message(PROVINCE, parse_period("2026-01"), MADE, readings, UNITS, [ON_TIME]).body)
    assert wrong(told) == []
    back = {(one.scope, one.agency): one for one in readings_of(deepcopy(told))}
    assert back == {(one.scope, one.agency): replace(one, members=1, measured_members=0) for one in readings}


def test_the_page_for_who_implements_the_service_shows_what_is_sent() -> None:
    assert delivery_page.pasted(delivery_page.PAGE.read_text(encoding="utf-8")) == delivery_page.blocks()
    told = json.loads(delivery_page.example().body)
    assert wrong(told) == []
    assert {one["state"] for one in told["readings"]} == {"measured", "missing"}
