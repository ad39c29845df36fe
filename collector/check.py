"""`collector check --live`: tries each source, stage by stage, and writes nothing anywhere."""

from collections.abc import Callable, Iterator

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


def answering(target: str, answers: Callable[[float], bool | None], within: int, every: int) -> Finding:
    """Ask once what the daemon will ask on its plan (`within` and `every` in seconds).

    A wrong address would count as a silent system.
    """
    match answers(within):
        case True:
            return Finding("probe", "ok", f"{target} answers; it is asked every {every // 60} minutes")
        case False:
            wrong = f"{target} does not answer within {within} seconds"
            mend = "Correct `probe: at`, or say `probe: never`: each silent probe counts against the system"
            return Finding("probe", "failed", wrong, mend)
        case None:
            mend = "Look at the resolution of names, and at the certificate: a probe cannot tell anything like this"
            return Finding("probe", "failed", f"{target} could not be asked from here", mend)
