"""The daemon's own health as Prometheus metrics (a reading is about an agency, a vital about the daemon)."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector, disable_created_metrics

from collector import __version__
from collector.exposition import Exposition, exposed

RESULTS = ("done", "try_again", "access_denied", "unexpected_answer", "bug")
"""How a run of a source may end."""

RECORDS = ("inserted", "updated", "unchanged", "quarantined")
"""What may become of a record that was read."""


class Vitals:
    """Counters and gauges of one daemon, in a registry of its own. Nothing is shown of a source never read."""

    def __init__(self) -> None:
        # Else each counter brings a second metric, the moment of its birth.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        build = Info("ict_build", "Version of the collector.", registry=self._registry)
        build.info({"version": __version__})
        leader = Gauge("ict_leader", "Whether this daemon leads: 1 if it reads the sources.", registry=self._registry)
        leader.set(1)
        self._up = self._gauge("ict_source_up", "Whether the last run of a source that ended, ended well.")
        self._last = Gauge(
            "ict_source_last_run",
            "How the last run of a source that ended, ended: 1 at that result, 0 at the others.",
            ["source", "result"],
            registry=self._registry,
        )
        self._success = self._gauge(
            "ict_source_last_success_timestamp_seconds", "When the last run of a source that ended well began."
        )
        self._duration = self._gauge("ict_collect_duration_seconds", "How long the last run of a source took.")
        self._reconciled = self._gauge(
            "ict_reconcile_last_success_timestamp_seconds", "When all of a source was last compared with the store."
        )
        self._differences = Gauge(
            "ict_reconcile_difference_records",
            "Records that differed when a source was last compared with the store, by how.",
            ["source", "record", "kind"],
            registry=self._registry,
        )
        self._receiver_up = self._receiver("ict_receiver_up", "Whether a receiver took what it was last told.")
        self._pending = self._receiver("ict_outbox_pending", "Messages that wait for a receiver.")
        self._dead = self._receiver("ict_outbox_dead", "Messages that a receiver will not take.")
        self._oldest = self._receiver(
            "ict_outbox_oldest_timestamp_seconds", "Since when the oldest message waits for a receiver."
        )
        self._reload = self._one("ict_config_last_reload_successful", "Whether the last reading of the settings did.")
        self._reload_at = self._one(
            "ict_config_last_reload_success_timestamp_seconds", "When the settings in use were read."
        )
        self._disk = self._one("ict_host_disk_free_bytes", "Room left on the disk that holds the state.")
        self._disk_size = self._one("ict_host_disk_size_bytes", "Size of the disk that holds the state.")
        self._memory = self._one("ict_host_memory_available_bytes", "Memory that this machine has left.")
        self._state = self._one("ict_store_size_bytes", "Size of the store, where it is a file.")
        ProcessCollector(registry=self._registry)
        self._records = self._counter("ict_records", "Records read by this daemon, by what became of them.")
        self._runs = self._counter("ict_collect_runs", "Runs of a source by this daemon, by how they ended.")

    def _one(self, name: str, says: str) -> Gauge:
        return Gauge(name, says, registry=self._registry)

    def _gauge(self, name: str, says: str) -> Gauge:
        return Gauge(name, says, ["source"], registry=self._registry)

    def _receiver(self, name: str, says: str) -> Gauge:
        return Gauge(name, says, ["receiver"], registry=self._registry)

    def _counter(self, name: str, says: str) -> Counter:
        return Counter(name, says, ["source", "result"], registry=self._registry)

    def reads(self, source: str) -> None:
        """Begin to count a source: a counter that begins with its first failure shows no increase by it."""
        for result in RESULTS:
            self._runs.labels(source, result)
        for what in RECORDS:
            self._records.labels(source, what)

    def known(self, source: str, last_success: int | None, result: str) -> None:
        """Show what the store knows of a source: epoch seconds, and how its last run ended.

        A run that goes on, or was cut off, leaves what the last one said.
        """
        if last_success is not None:
            self._success.labels(source).set(last_success)
        if result in RESULTS:
            self._up.labels(source).set(result == "done")
            for one in RESULTS:
                self._last.labels(source, one).set(one == result)

    def compared(self, source: str, at: int | None, differences: Mapping[tuple[str, str], int]) -> None:
        """Show the last comparison of a source that came to its end: epoch seconds, and records by record and kind."""
        if at is not None:
            self._reconciled.labels(source).set(at)
        for (record, kind), count in differences.items():
            self._differences.labels(source, record, kind).set(count)

    def told(self, receiver: str, pending: int, dead: int, oldest: int | None, *, up: bool | None) -> None:
        """Show how far a receiver has been told: counts of messages, and since when (epoch seconds) the oldest waits.

        `oldest` None: nothing waits. `up` None leaves unsaid what was not said yet.
        """
        self._pending.labels(receiver).set(pending)
        self._dead.labels(receiver).set(dead)
        if oldest is not None:
            self._oldest.labels(receiver).set(oldest)
        else:
            with suppress(KeyError):
                self._oldest.remove(receiver)
        if up is not None:
            self._receiver_up.labels(receiver).set(up)

    def ran(self, source: str, seconds: float, result: str, counts: Mapping[str, int]) -> None:
        """Show a run that has ended: how long it took, how it ended, and `counts` by what became of the records."""
        self._duration.labels(source).set(seconds)
        self._runs.labels(source, result).inc()
        for what, count in counts.items():
            self._records.labels(source, what).inc(count)

    def reloaded(self, *, well: bool, now: int) -> None:
        """Show that the settings were read, at an instant (epoch seconds), and whether they could be used."""
        self._reload.set(well)
        if well:
            self._reload_at.set(now)

    def forget(self, sources: Collection[str], receivers: Collection[str] = ()) -> None:
        """Show nothing more of sources that are read no longer, and of receivers that are told no longer."""
        for family in (self._receiver_up, self._pending, self._dead, self._oldest):
            for receiver in receivers:
                family.remove_by_labels({"receiver": receiver})
        for family in (self._up, self._last, self._success, self._duration, self._reconciled, self._differences):
            self._drop(family, sources)
        for counter in (self._records, self._runs):
            self._drop(counter, sources)

    def _drop(self, family: Gauge | Counter, sources: Collection[str]) -> None:
        for source in sources:
            family.remove_by_labels({"source": source})

    def host(self, state: Path) -> None:
        """Show how much room this machine has left: on the disk of the state folder, and in memory (bytes)."""
        disk = psutil.disk_usage(str(state))
        self._disk.set(disk.free)
        self._disk_size.set(disk.total)
        self._memory.set(psutil.virtual_memory().available)
        self._state.set(sum(path.stat().st_size for path in state.glob("collector.sqlite*")))

    def render(self) -> Exposition:
        """The vitals in Prometheus' formats."""
        return exposed(self._registry)
