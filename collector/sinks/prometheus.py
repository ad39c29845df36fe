"""Readings and ranks in Prometheus' formats, rendered once per change and then served as they are.

`ict_<family>_<name>_ratio{agency,block,window}` with `_hits`, `_judged` and `_unknown` beside it. A figure that is not
measured, or may not be told, has none of the four: no sample is ever published in place of one. Labels come only from
the register.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from collector.contract.indicator import Indicator
from collector.contract.period import day_start, plus_days
from collector.contract.reading import STATES, Reading, Score
from collector.exposition import Exposition, exposed


class _Rendered(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        return self._families


def render(
    indicators: Sequence[Indicator],
    readings: Mapping[str, Sequence[Reading]],
    scores: Mapping[str, Sequence[Score]],
    blocks: Mapping[str, Mapping[str, str]],
    names: Mapping[str, str],
) -> Exposition:
    """Render readings of agencies and scores by window (`month`: the current one so far, `last_month`).

    `blocks` maps each agency to its block, by window too, `names` each to its name.
    """
    families = [family for one in indicators for family in _figures(one, readings, blocks)]
    families += [_states(readings), _through(readings), *_ranks(scores), _agencies(readings, blocks, names)]
    registry = CollectorRegistry()
    registry.register(_Rendered(families))
    return exposed(registry)


def _figures(
    indicator: Indicator, readings: Mapping[str, Sequence[Reading]], blocks: Mapping[str, Mapping[str, str]]
) -> list[Metric]:
    name = f"ict_{indicator.column}"
    labels = ["agency", "block", "window"]
    ratio = GaugeMetricFamily(f"{name}_ratio", f"{indicator.title_en} ({indicator.title_vi}).", labels=labels)
    hits = GaugeMetricFamily(f"{name}_hits", f"Hits: {indicator.hit_en}.", labels=labels)
    judged = GaugeMetricFamily(f"{name}_judged", f"Judged: {indicator.counted_en}.", labels=labels)
    unknown = GaugeMetricFamily(f"{name}_unknown", "Counted, but cannot be judged.", labels=labels)
    for window, some in readings.items():
        for one in some:
            value = one.value
            if one.indicator != indicator.id or one.scope != "agency" or value is None:
                continue
            own = [one.agency, blocks[window][one.agency], window]
            ratio.add_metric(own, float(value))
            for family, count in ((hits, one.hits), (judged, one.judged), (unknown, one.unknown)):
                if count is not None:
                    family.add_metric(own, count)
    return [ratio, hits, judged, unknown]


def _states(readings: Mapping[str, Sequence[Reading]]) -> Metric:
    family = GaugeMetricFamily(
        "ict_reading_state", "Agencies whose reading is in a state.", labels=["indicator", "state", "window"]
    )
    for window, some in readings.items():
        counted = Counter((one.indicator, one.state) for one in some if one.scope == "agency")
        for indicator in dict.fromkeys(one.indicator for one in some):
            for state in STATES:
                family.add_metric([indicator, state, window], counted[indicator, state])
    return family


def _through(readings: Mapping[str, Sequence[Reading]]) -> Metric:
    family = GaugeMetricFamily(
        "ict_reading_through_timestamp_seconds",
        "End of the last covered day of an indicator, of the agency that is furthest behind.",
        labels=["indicator", "window"],
    )
    for window, some in readings.items():
        earliest: dict[str, int] = {}
        for one in some:
            if one.through is not None and one.scope == "agency":
                earliest[one.indicator] = min(one.through, earliest.get(one.indicator, one.through))
        for indicator, day in earliest.items():
            family.add_metric([indicator, window], day_start(plus_days(day, 1)))
    return family


def _agencies(
    readings: Mapping[str, Sequence[Reading]], blocks: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> Metric:
    """The names of agencies that have figures, to be joined to these: one sample for each, with its latest block."""
    family = InfoMetricFamily("ict_agency", "An agency's name, and the block that it is in now.", labels=["agency"])
    block_of: dict[str, str] = {}
    for window, some in readings.items():
        for one in some:
            if one.scope == "agency":
                block_of.setdefault(one.agency, blocks[window][one.agency])
    for agency, block in sorted(block_of.items()):
        family.add_metric([agency], {"block": block, "name": names[agency]})
    return family


def _ranks(scores: Mapping[str, Sequence[Score]]) -> list[Metric]:
    labels = ["agency", "block", "window"]
    says = "Points of an agency's measured and declared criteria, of 1,000."
    points = GaugeMetricFamily("ict_agency_points", says, labels=labels)
    rank = GaugeMetricFamily("ict_agency_rank", "Rank of an agency in its block.", labels=labels)
    for window, some in scores.items():
        for one in some:
            if one.rank is not None:
                points.add_metric([one.agency, one.block, window], float(one.points))
                rank.add_metric([one.agency, one.block, window], one.rank)
    return [points, rank]
