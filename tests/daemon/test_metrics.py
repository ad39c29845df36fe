"""A real Prometheus scrapes the daemon and answers the same figures as the command line."""

import json
import re
from collections.abc import Callable

import pytest

from collector import __version__
from collector.assembly import find_indicators
from collector.contract.reading import STATES
from tests.daemon.conftest import SOURCES, Daemon, Place, run, wait_for
from tests.daemon.dashboards import CONFIG, DASHBOARDS, queries
from tests.daemon.gate import Gate
from tests.servers.prometheus import Prometheus, check_metrics

PARTS = {"ratio": "value", "hits": "hits", "judged": "judged", "unknown": "unknown"}


def by(samples: dict[tuple[tuple[str, str], ...], float], *names: str) -> dict[tuple[str, ...], float]:
    return {tuple(dict(labels)[name] for name in names): value for labels, value in samples.items()}


def at_the_end_of_february(place: Place, gate: Gate) -> tuple[str, str]:
    """The month is still open, and all that is known of it was read before: every source is down."""
    place.change(r"now: .*$", "now: '2026-02-28T20:00:00+07:00'")
    gate.way = "closed"
    for name in ("mail", "mail-viettri", "documents.sqlite"):
        (place.folder / name).rename(place.folder / f"{name}.away")
    return "2026-02", "2026-01"


def in_march(place: Place, gate: Gate) -> tuple[str, str]:
    """February is closed, nothing of March is over, and every source answers."""
    return "2026-03", "2026-02"


@pytest.mark.parametrize(("when", "window", "up"), [(at_the_end_of_february, "month", 0), (in_march, "last_month", 1)])
def test_promql_returns_the_same_figures_as_the_command_line(
    when: Callable[[Place, Gate], tuple[str, str]],
    window: str,
    up: int,
    place: Place,
    gate: Gate,
    serve: Callable[[Place], Daemon],
    prometheus: Callable[..., Prometheus],
) -> None:
    place.change(r"every: 1s", "every: 1h")
    month, last_month = when(place, gate)
    windows = {month: "month", last_month: "last_month"}
    daemon = serve(place)
    wait_for(lambda: all(daemon.metric("ict_collect_duration_seconds", source=source) for source in SOURCES))
    rules = (CONFIG / "prometheus" / "rules.yml").read_text(encoding="utf-8")
    server = prometheus(daemon.port, interval="1s", rules=rules)
    server.wait_for_scrapes()
    readings = json.loads(run("readings", "--json", "--config", place.config))
    assert {one["period"] for one in readings} == set(windows)

    compared = 0
    for indicator in {one["indicator"] for one in readings}:
        own = [one for one in readings if one["indicator"] == indicator]
        for part, key in PARTS.items():
            told = by(server.query(f"ict_{indicator.replace('.', '_')}_{part}"), "agency", "window")
            expected = {(one["agency"], windows[one["period"]]): one[key] for one in own if one["value"] is not None}
            assert told == expected, (indicator, part)
            compared += len(told)
        states = by(server.query(f'ict_reading_state{{indicator="{indicator}"}}'), "state", "window")
        for period, name in windows.items():
            for state in STATES:
                counted = sum(one["period"] == period and one["state"] == state for one in own)
                assert states[state, name] == counted, (indicator, name, state)
    assert compared > 4 * 50
    assert {one["state"] for one in readings} >= {"measured", "partial", "missing"}
    sums = by(server.query("sum by (indicator, window) (ict_reading_state)"), "indicator", "window")
    assert set(sums.values()) == {12}, "each agency is in one state"

    scores = json.loads(run("rank", "2026-02", "--json", "--config", place.config))
    ranked = [one for one in scores if one["rank"] is not None]
    assert ranked
    for metric, key in (("ict_agency_rank", "rank"), ("ict_agency_points", "points")):
        told = by(server.query(f'{metric}{{window="{window}"}}'), "agency", "block")
        assert told == {(one["agency"], one["block"]): one[key] for one in ranked}

    assert by(server.query("ict_source_up"), "source") == {(source,): up for source in SOURCES}
    assert by(server.query("ict_build_info"), "version") == {(__version__,): 1}
    assert by(server.query("ict_leader")) == {(): 1}
    assert check_metrics(daemon.get("/metrics").text) == []
    assert by(server.query("ict_agency_info"), "agency", "block").keys() == {
        (one["agency"], one["block"]) for one in scores
    }
    register = {(one["agency"], one["block"]) for one in scores}
    assert set(by(server.query('{__name__=~"ict_.+", agency!=""}'), "agency", "block")) <= register

    # What dashboards ask is answered; only where nothing is told, differs or is delivered there is nothing to show.
    first = ranked[0]
    values = {"window": window, "indicator": "dossiers_on_time", "agency": first["agency"], "block": first["block"]}
    server.wait_for_scrapes(2)  # what is recorded is there by the next evaluation
    for board in DASHBOARDS.values():
        for title, query in queries(board, values):
            answer = server.query(query)
            may_be_empty = ("outbox", "difference", 'through_timestamp_seconds{window="month"}')
            assert answer or any(one in query for one in may_be_empty) or window == "month", (title, query)


def test_dashboards_offer_all_indicators_and_lead_to_each_other() -> None:
    assert sorted(DASHBOARDS) == ["agency", "block", "health", "province"]
    columns = {one.column: one.title_vi for one in find_indicators()}
    for name, board in DASHBOARDS.items():
        assert (board["uid"], board["tags"]) == (f"collector-{name}", ["collector"])
        variables = {one["name"]: one for one in board["templating"]["list"]}
        if "indicator" in variables:
            offered = {one["value"]: one["text"] for one in variables["indicator"]["options"]}
            assert offered.keys() == columns.keys()
            assert all(text.startswith(columns[value]) for value, text in offered.items())
        asked = set(re.findall(r"\$\{?(\w+)\}?", json.dumps([panel["targets"] for panel in board["panels"]])))
        assert asked - {"1"} <= variables.keys()
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        places = [panel["gridPos"] for panel in board["panels"]]
        for number, one in enumerate(places):
            assert one["x"] + one["w"] <= 24
            for other in places[:number]:
                apart = one["x"] >= other["x"] + other["w"] or other["x"] >= one["x"] + one["w"]
                assert apart or one["y"] >= other["y"] + other["h"] or other["y"] >= one["y"] + one["h"]
