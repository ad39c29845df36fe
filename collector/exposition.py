"""Metrics as text, in the two formats that Prometheus reads; which one is sent, the scrape decides."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

END = b"# EOF\n"
"""How OpenMetrics ends; there is one end, whatever a text is put together from."""


@dataclass(frozen=True, slots=True)
class Exposition:
    """The same metrics in Prometheus' text format 0.0.4 and in OpenMetrics 1.0.0."""

    plain: bytes
    openmetrics: bytes


def exposed(registry: CollectorRegistry) -> Exposition:
    """Render what a registry holds."""
    plain = generate_latest(registry)
    return Exposition(plain, generate_openmetrics(registry))  # type: ignore[no-untyped-call]
