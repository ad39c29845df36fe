"""The daemon's own health, as Prometheus reads it."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from collector import __version__
from collector.vitals import RECORDS, RESULTS, Vitals
from tests.servers.prometheus import check_metrics


def samples(vitals: Vitals) -> list[str]:
    lines = vitals.render().plain.decode().splitlines()
    return [
        line
        for line in lines
        if not line.startswith(("#", "ict_config_last_reload_", "process_", "ict_host_", "ict_store_"))
    ]


def test_where_nothing_was_ever_read_only_the_daemon_itself_shows() -> None:
    assert samples(Vitals()) == [f'ict_build_info{{version="{__version__}"}} 1.0', "ict_leader 1.0"]


def test_a_source_never_read_shows_nothing_and_one_known_from_before_shows_how_it_is() -> None:
    vitals = Vitals()
    vitals.known("never", None, "never")
    vitals.known("fine", 1_772_326_800, "done")
    vitals.known("down", 1_772_326_800, "try_again")
    vitals.known("never well", None, "access_denied")
    vitals.known("fine", 1_772_326_800, "running")  # what the last one said stays
    assert samples(vitals)[2:] == [
        'ict_source_up{source="fine"} 1.0',
        'ict_source_up{source="down"} 0.0',
        'ict_source_up{source="never well"} 0.0',
        *(
            f'ict_source_last_run{{result="{one}",source="{source}"}} {float(one == result)}'
            for source, result in (("fine", "done"), ("down", "try_again"), ("never well", "access_denied"))
            for one in RESULTS
        ),
        'ict_source_last_success_timestamp_seconds{source="fine"} 1.7723268e+09',
        'ict_source_last_success_timestamp_seconds{source="down"} 1.7723268e+09',
    ]


def test_runs_and_records_add_up_and_the_last_duration_stays() -> None:
    vitals = Vitals()
    vitals.ran("s", 2.5, "done", {"inserted": 3, "quarantined": 1})
    vitals.ran("s", 1.5, "done", {"inserted": 2, "quarantined": 0})
    vitals.ran("s", 0.5, "try_again", {})
    assert samples(vitals)[2:] == [
        'ict_collect_duration_seconds{source="s"} 0.5',
        'ict_records_total{result="inserted",source="s"} 5.0',
        'ict_records_total{result="quarantined",source="s"} 1.0',
        'ict_collect_runs_total{result="done",source="s"} 2.0',
        'ict_collect_runs_total{result="try_again",source="s"} 1.0',
    ]


def test_what_is_counted_of_a_source_begins_at_nothing_so_that_its_first_failure_is_an_increase() -> None:
    vitals = Vitals()
    vitals.reads("s")
    assert [line for line in samples(vitals) if "s" in line and line.endswith(" 0.0")] == [
        *(f'ict_records_total{{result="{one}",source="s"}} 0.0' for one in RECORDS),
        *(f'ict_collect_runs_total{{result="{one}",source="s"}} 0.0' for one in RESULTS),
    ]
    vitals.ran("s", 1.0, "bug", {})
    vitals.reads("s")
    assert 'ict_collect_runs_total{result="bug",source="s"} 1.0' in samples(vitals)


def test_settings_that_could_not_be_used_show_beside_the_moment_of_those_in_use() -> None:
    vitals = Vitals()
    vitals.reloaded(well=True, now=1_772_326_800)
    vitals.reloaded(well=False, now=1_772_330_400)
    text = vitals.render().plain.decode()
    assert "ict_config_last_reload_successful 0.0\n" in text
    assert "ict_config_last_reload_success_timestamp_seconds 1.7723268e+09\n" in text


def test_a_source_that_is_read_no_longer_shows_no_longer() -> None:
    vitals = Vitals()
    for source in ("gone", "stays"):
        vitals.reads(source)
        vitals.known(source, 1, "done")
        vitals.compared(source, 1, {("document", "vanished"): 2})
        vitals.ran(source, 1.0, "done", {"inserted": 1})
    vitals.forget(["gone", "never seen"])
    assert "gone" not in vitals.render().plain.decode()
    assert len(samples(vitals)) == 2 + 5 + 2 * len(RESULTS) + len(RECORDS)


@pytest.mark.server("prometheus")
def test_prometheus_own_checker_finds_nothing() -> None:
    vitals = Vitals()
    vitals.known("s", 1, "done")
    vitals.ran("s", 1.0, "done", {"inserted": 1})
    assert check_metrics(vitals.render().plain.decode()) == []


def test_what_waits_for_a_receiver_shows_since_when_as_long_as_anything_waits() -> None:
    vitals = Vitals()
    vitals.told("scoring", pending=2, dead=1, oldest=1_772_326_800, up=None)
    assert samples(vitals)[2:] == [
        'ict_outbox_pending{receiver="scoring"} 2.0',
        'ict_outbox_dead{receiver="scoring"} 1.0',
        'ict_outbox_oldest_timestamp_seconds{receiver="scoring"} 1.7723268e+09',
    ], "whether it is up was never tried"
    vitals.told("scoring", pending=0, dead=0, oldest=None, up=True)
    vitals.told("scoring", pending=0, dead=0, oldest=None, up=None)  # nothing was due: what was said stays
    assert samples(vitals)[2:] == [
        'ict_receiver_up{receiver="scoring"} 1.0',
        'ict_outbox_pending{receiver="scoring"} 0.0',
        'ict_outbox_dead{receiver="scoring"} 0.0',
    ]
    vitals.forget([], ["scoring"])
    assert samples(vitals)[2:] == []


def test_the_room_that_is_left_is_that_of_the_disk_and_of_the_memory(tmp_path: Path) -> None:
    (tmp_path / "collector.sqlite").write_bytes(b"x" * 3_000)
    (tmp_path / "collector.sqlite-wal").write_bytes(b"x" * 500)
    vitals = Vitals()
    vitals.host(tmp_path)
    told = dict(line.split() for line in vitals.render().plain.decode().splitlines() if line.startswith("ict_"))
    assert float(told["ict_store_size_bytes"]) == 3_500
    size, free = (float(told[f"ict_host_disk_{one}_bytes"]) for one in ("size", "free"))
    status = os.statvfs(tmp_path)
    assert size == status.f_blocks * status.f_frsize
    assert abs(free - status.f_bavail * status.f_frsize) < size / 10
    assert 0 < float(told["ict_host_memory_available_bytes"]) < 2**50


def test_both_formats_tell_the_same() -> None:
    vitals = Vitals()
    vitals.reads("s")
    vitals.ran("s", 1.0, "done", {"inserted": 3})
    rendered = vitals.render()
    assert rendered.openmetrics.endswith(b"\n# EOF\n")

    def told(families: Iterable[Metric]) -> set[tuple[str, str, float]]:
        samples = [one for family in families for one in family.samples if one.name.startswith("ict_")]
        return {(one.name, str(sorted(one.labels.items())), one.value) for one in samples}

    plain = told(text_string_to_metric_families(rendered.plain.decode()))
    families = openmetrics_families(rendered.openmetrics.decode())  # type: ignore[no-untyped-call]
    assert plain == told(families)
    assert ("ict_records_total", "[('result', 'inserted'), ('source', 's')]", 3) in plain
