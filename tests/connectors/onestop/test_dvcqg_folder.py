"""Dossiers read from a folder of JSON files: shapes, unfinished and broken files, what the folder proves."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from collector.contract.connector import Batch, Want
from collector.contract.errors import TryAgain, UnexpectedAnswer, WrongUse
from collector.contract.records import Dossier, DossierEvent, Procedure
from connectors.onestop import dvcqg
from tests.connectors.onestop.national_service_double import CANARIES, dossier, procedure, serving
from tests.connectors.onestop.runs import (
    BEGAN,
    SINCE,
    YESTERDAY,
    folder_door,
    rows,
    service_door,
    store_of,
    want,
)

NIGHT = BEGAN - 6 * 3600  # 02:00 of the day on which the run begins
CONFIG = dvcqg.Config.model_validate({"files": {"pattern": "dossiers-*.json"}})
WITH_CATALOGUE = dvcqg.Config.model_validate(
    {"files": {"pattern": "dossiers-*.json"}, "catalogue": {"pattern": "procedures*.json"}}
)


def put(folder: Path, name: str, content: Any, modified: int = NIGHT) -> None:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode())
    os.utime(path, (modified, modified))


def fetched(folder: Path, wanted: Want | None = None, config: dvcqg.Config = CONFIG) -> list[Batch]:
    with folder_door(folder) as door:
        return list(dvcqg.fetch(config, door, wanted or want()))


def failing(folder: Path, kind: type[Exception], config: dvcqg.Config = CONFIG) -> tuple[list[Batch], Any]:
    got: list[Batch] = []
    with folder_door(folder) as door, pytest.raises(kind) as caught:
        got.extend(dvcqg.fetch(config, door, want()))
    return got, caught.value


def numbers(batches: list[Batch]) -> list[int]:
    return sorted(int(row[0][-4:]) for row in rows(batches, Dossier))


def covered(batches: list[Batch]) -> list[tuple[str, int, int]]:
    return sorted((one.record.NAME, one.first_day, one.last_day) for batch in batches for one in batch.covers)


def envelope(items: list[Any], **changes: Any) -> dict[str, Any]:
    return {"error_code": 0, "total": 999, "data": items, **changes}


def test_a_file_is_an_envelope_a_list_or_one_dossier(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", envelope([dossier(1), dossier(2)]))
    put(tmp_path, "dossiers-2.json", [dossier(3)])
    put(tmp_path, "dossiers-3.json", dossier(4))
    put(tmp_path, "dossiers-4.json", [])
    put(tmp_path, "dossiers-5.json", b"\xef\xbb\xbf" + json.dumps([dossier(5)]).encode())
    put(tmp_path, "other.json", [dossier(6)])
    assert numbers(fetched(tmp_path)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (envelope([], error_code=7), "error_code"),
        ({"data": []}, "error_code"),
        ({"error_code": 0, "items": []}, "data"),
        ("text", "data"),
        (7, "data"),
    ],
)
def test_a_file_of_another_shape_is_refused_by_field_and_name(tmp_path: Path, content: Any, field: str) -> None:
    put(tmp_path, "dossiers-1.json", content)
    _, error = failing(tmp_path, UnexpectedAnswer)
    assert error.field == field
    assert "dossiers-1.json" in str(error)


def test_a_saved_refusal_in_a_file_is_no_refusal_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", envelope([], error_code=-1))
    failing(tmp_path, UnexpectedAnswer)


@pytest.mark.parametrize("content", [b'[{"MaHoSo": "H4', b"", b"\xff\xfe\xff", b"[" * 100_000, b"[NaN]"])
def test_a_broken_file_is_named_and_the_others_are_read_but_prove_nothing(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "dossiers-1.json", content)
    put(tmp_path, "dossiers-2.json", [dossier(2)])
    got, error = failing(tmp_path, UnexpectedAnswer)
    assert error.field == "dossiers-1.json"
    assert numbers(got) == [2]
    assert covered(got) == []
    assert all(batch.cursor is None for batch in got)


def test_a_file_still_being_written_is_left_for_the_next_run(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "dossiers-2.json", json.dumps([dossier(2)]).encode()[:-5], modified=BEGAN - 9 * 60)
    first = fetched(tmp_path)
    assert numbers(first) == [1]
    assert covered(first) == []  # what is in that file may be of any day
    assert first[-1].cursor is not None
    assert list(first[-1].cursor["files"]) == ["dossiers-1.json"]
    put(tmp_path, "dossiers-2.json", [dossier(2)], modified=BEGAN)
    then = fetched(tmp_path, want(first[-1].cursor))
    assert numbers(then) == [2]
    assert covered(then)


def test_a_file_that_is_no_json_ten_minutes_later_is_broken(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", b"[", modified=BEGAN - 10 * 60)
    failing(tmp_path, UnexpectedAnswer)
    patient = dvcqg.Config.model_validate({"files": {"pattern": "dossiers-*.json", "settle_minutes": 11}})
    assert numbers(fetched(tmp_path, config=patient)) == []


def test_only_new_and_changed_files_are_read_again(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "dossiers-2.json", [dossier(2)])
    put(tmp_path, "dossiers-3.json", [dossier(3)])
    first = fetched(tmp_path)
    (tmp_path / "dossiers-1.json").unlink()
    put(tmp_path, "dossiers-2.json", [dossier(2)], modified=NIGHT + 1)
    put(tmp_path, "dossiers-4.json", [dossier(4)])
    then = fetched(tmp_path, want(first[-1].cursor))
    assert numbers(then) == [2, 4]
    assert then[-1].cursor is not None
    assert sorted(then[-1].cursor["files"]) == ["dossiers-2.json", "dossiers-3.json", "dossiers-4.json"]
    assert json.loads(json.dumps(then[-1].cursor)) == then[-1].cursor


def test_files_read_in_any_order_end_in_the_same_store(tmp_path: Path) -> None:
    older = dossier(1, TrangThaiHoSo="4", NgayCapNhat="20260106080000")
    newer = dossier(1, TrangThaiHoSo="9", NgayKetThucXuLy="20260110080000", NgayCapNhat="20260110080000")
    stores = []
    for names in (("dossiers-1.json", "dossiers-2.json"), ("dossiers-2.json", "dossiers-1.json")):
        put(tmp_path, names[0], [older])
        put(tmp_path, names[1], [newer])
        stores.append(store_of(fetched(tmp_path)))
    assert stores[0] == stores[1]
    assert [row[10] for row in stores[0]["dossier"].values()] == ["completed"]


def test_without_any_stamp_the_later_file_is_the_newer_version(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-2.json", [dossier(1, NgayCapNhat="")], modified=NIGHT)
    put(tmp_path, "dossiers-1.json", [dossier(1, NgayCapNhat="", KenhThucHien="2")], modified=NIGHT + 60)
    (row,) = store_of(fetched(tmp_path))["dossier"].values()
    assert (row[2], row[5]) == ((NIGHT + 60) * 1_000_000, "online")


def test_a_folder_proves_the_days_before_its_newest_file(tmp_path: Path) -> None:
    four_days_ago = BEGAN - 4 * 86_400  # 25 February, 08:00
    put(tmp_path, "dossiers-1.json", [dossier(1)], modified=four_days_ago - 86_400)
    put(tmp_path, "dossiers-2.json", [dossier(2)], modified=four_days_ago)
    assert covered(fetched(tmp_path)) == [("dossier", SINCE, 20260224), ("dossier_event", SINCE, 20260224)]
    put(tmp_path, "dossiers-3.json", [], modified=NIGHT)
    assert covered(fetched(tmp_path)) == [("dossier", SINCE, YESTERDAY), ("dossier_event", SINCE, YESTERDAY)]


def test_an_empty_folder_proves_nothing(tmp_path: Path) -> None:
    assert covered(fetched(tmp_path)) == []


def test_a_folder_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    failing(tmp_path / "unmounted", TryAgain)


def test_a_run_by_hand_reads_all_files_and_leaves_the_cursor(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    read_before = fetched(tmp_path)[-1].cursor
    batches = fetched(tmp_path, want(read_before, first_day=20260110, last_day=20260112, window=True))
    assert numbers(batches) == [1]
    assert all(batch.cursor is None for batch in batches)
    assert covered(batches) == [("dossier", 20260110, 20260112), ("dossier_event", 20260110, 20260112)]


def test_the_catalogue_lies_beside_the_dossiers(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "procedures.json", envelope([procedure("1.002835", "4"), procedure("1.000001", "3")]))
    batches = fetched(tmp_path, config=WITH_CATALOGUE)
    assert sorted((row[4], row[5]) for row in rows(batches, Procedure)) == [
        ("1.000001", "partial"),
        ("1.002835", "full"),
    ]
    assert [name for name, _, _ in covered(batches)] == ["dossier", "dossier_event", "procedure"]
    again = fetched(tmp_path, want(batches[-1].cursor), WITH_CATALOGUE)
    assert [rows(again, record) for record in (Dossier, DossierEvent, Procedure)] == [[], [], []]
    assert covered(again) == covered(batches)


def test_a_pattern_that_catches_the_catalogue_too_reads_it_only_as_the_catalogue(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "procedures.json", [procedure("1.002835", "4")])
    config = dvcqg.Config.model_validate({"files": {}, "catalogue": {"pattern": "procedures*.json"}})
    batches = fetched(tmp_path, config=config)
    assert numbers(batches) == [1]
    assert len(rows(batches, Procedure)) == 1
    assert not [bad for batch in batches for bad in batch.bad]


def test_a_catalogue_that_is_not_there_yet_covers_nothing(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    assert [name for name, _, _ in covered(fetched(tmp_path, config=WITH_CATALOGUE))] == ["dossier", "dossier_event"]


def test_a_broken_catalogue_takes_nothing_from_the_dossiers(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "procedures.json", b"[")
    got, error = failing(tmp_path, UnexpectedAnswer, WITH_CATALOGUE)
    assert error.field == "procedures.json"
    assert covered(got) == [("dossier", SINCE, YESTERDAY), ("dossier_event", SINCE, YESTERDAY)]


def test_an_unfinished_catalogue_covers_no_procedures(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1)])
    put(tmp_path, "procedures.json", b"[", modified=BEGAN - 60)
    assert [name for name, _, _ in covered(fetched(tmp_path, config=WITH_CATALOGUE))] == ["dossier", "dossier_event"]


def test_a_large_file_comes_in_several_batches_and_only_the_last_has_a_cursor(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(f"H44.02-260105-{number:05d}") for number in range(6_000)])
    batches = fetched(tmp_path)
    assert len(rows(batches, Dossier)) == 6_000
    assert len([batch for batch in batches if batch.rows.get(Dossier)]) > 1
    assert [batch.cursor is None for batch in batches] == [True] * (len(batches) - 1) + [False]


def test_no_person_is_in_anything_read_from_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "dossiers-1.json", [dossier(1), dossier(2, NgayHenTra="CANARY"), dossier(3)])
    told = repr(fetched(tmp_path))
    put(tmp_path, "dossiers-2.json", b'{"ChuHoSo": "CANARY"')
    told += str(failing(tmp_path, UnexpectedAnswer)[1])
    assert not [canary for canary in CANARIES if canary in told]


def test_files_through_a_service_are_wrong_use() -> None:
    with serving() as service, service_door(service) as door, pytest.raises(WrongUse):
        list(dvcqg.fetch(CONFIG, door, want()))
