"""`collector check --live`: tries each source, stage by stage, and writes nothing anywhere."""

from collections.abc import Iterator

from collector.clock import Clock
from collector.collect import Job
from collector.contract.connector import Finding
from collector.contract.errors import CollectorError


def live(job: Job, clock: Clock) -> Iterator[Finding]:
    """Yield the findings of one source; what its door raises ends them with a finding of its own."""
    try:
        with job.open_door(clock()) as door:
            yield from job.connector.probe(job.config, door)
    except CollectorError as error:
        where = f"{error.stage}, {error.field}" if error.field else error.stage
        yield Finding(where or "reach", "failed", error.reason, error.mend)
