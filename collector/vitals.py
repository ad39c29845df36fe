"""The daemon's own health as Prometheus metrics (a reading is about an agency, a vital about the daemon)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, generate_latest

from collector import __version__


class Vitals:
    """Counters and gauges of one daemon, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        build = Info("ict_build", "Version of the collector.", registry=self._registry)
        build.info({"version": __version__})
        self._up = Gauge(
            "ict_source_up", "Whether the last run of a source ended well.", ["source"], registry=self._registry
        )
        self._success = Gauge(
            "ict_source_last_success_timestamp_seconds",
            "When the last run of a source that ended well began.",
            ["source"],
            registry=self._registry,
        )
        self._duration = Gauge(
            "ict_collect_duration_seconds",
            "How long the last run of a source took.",
            ["source"],
            registry=self._registry,
        )
        self._records = Counter(
            "ict_records", "Records read, by what became of them.", ["source", "result"], registry=self._registry
        )
        self._runs = Counter(
            "ict_collect_runs", "Runs of a source, by how they ended.", ["source", "result"], registry=self._registry
        )
        leader = Gauge("ict_leader", "Whether this daemon leads: 1 if it reads the sources.", registry=self._registry)
        leader.set(1)

    def known(self, source: str, last_success: int | None, *, up: bool) -> None:
        """Show what the store knows of a source from before this start; nothing is shown of one never read."""
        if last_success is not None:
            self._success.labels(source).set(last_success)
            self._up.labels(source).set(up)

    def ran(self, source: str, began: int, seconds: float, result: str, counts: dict[str, int]) -> None:
        """Show a run that has ended: `counts` by what became of the records."""
        self._up.labels(source).set(result == "done")
        self._duration.labels(source).set(seconds)
        self._runs.labels(source, result).inc()
        if result == "done":
            self._success.labels(source).set(began)
        for what, count in counts.items():
            self._records.labels(source, what).inc(count)

    def render(self) -> bytes:
        """The vitals in Prometheus' text format."""
        return generate_latest(self._registry)
