from typing import Any

import pytest
from pydantic import ValidationError

from connectors.docmgmt.sql_register import Config
from tests.connectors.docmgmt.register import MAPPING, config


def refused(documents: dict[str, Any] | None = None, **others: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(documents, **others)
    return str(caught.value)


def test_every_setting_has_a_description_and_an_example() -> None:
    def models(schema: dict[str, Any]) -> list[dict[str, Any]]:
        return [schema, *schema.get("$defs", {}).values()]

    for model in models(Config.model_json_schema()):
        for name, told in model["properties"].items():
            assert told.get("description"), name
            assert "examples" in told or "$ref" in str(told), name


def test_an_unknown_key_is_refused() -> None:
    assert "isued" in refused({"isued": "Ngày"})


def test_a_value_map_must_be_of_a_mapped_field() -> None:
    assert "due is no mapped field" in refused({"values": {"due": {"1": "1"}}})
    assert "electronic is no mapped field" in refused({"values": {"electronic": {"1": "1"}}})


def test_a_value_can_only_mean_what_the_record_knows() -> None:
    assert "cannot mean" in refused({"values": {"paper": {"Có": "yes"}}})
    assert "cannot mean" in refused({"direction": "Loại", "values": {"direction": {"1": "outgoing"}}})
    assert "'sent'" in refused({"direction": {"constant": "sent"}})


def test_keys_of_a_value_map_may_be_numbers_or_truth_values() -> None:
    told = config({"values": {"paper": {1: 1, False: 0, "x": "0", "y": None}}})
    assert told.documents.values["paper"] == {"1": 1, "false": 0, "x": "0", "y": None}


def test_a_format_is_a_pattern_of_known_parts() -> None:
    assert "'DD'" in refused({"formats": {"issued": "DD/MM/yyyy"}})
    assert "needs yyyy" in refused({"formats": {"issued": "dd/MM"}})
    assert "status is no mapped date" in refused({"formats": {"status": "dd/MM/yyyy"}})


def test_a_changed_column_that_does_not_sort_is_refused() -> None:
    assert "does not sort" in refused({"formats": {"changed": "dd/MM/yyyy HH:mm:ss"}})


def test_scope_and_recipients_exclude_each_other() -> None:
    inside = {"column": "Nơi nhận", "separator": ";", "inside": ["H44."]}
    assert "both tell the scope" in refused({"scope": "Phạm vi", "recipients": inside})


def test_a_time_zone_must_exist() -> None:
    assert "no time zone" in refused(time_zone="Asia/Hanoi_City")


def test_organ_codes_must_say_something() -> None:
    assert "is no code" in refused(deliveries={**MAPPING["deliveries"], "inside": ["."]})
