"""What the settings are, once they are checked. Days are local (yyyymmdd), durations seconds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from collector.contract.errors import WrongUse
from collector.transports.receiver_options import Options
from collector.yaml_file import nearest


@dataclass(frozen=True, slots=True)
class Province:
    """The province that is measured: its name, and its code as in `H44`."""

    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Served:
    """An agency that a source serves, from a day on if one is given. `where` is `file:line: key`."""

    agency: str
    from_day: int | None
    where: str


@dataclass(frozen=True, slots=True)
class Serves:
    """Which agencies a source serves: all of the register, only those listed, or all but those listed."""

    kind: Literal["all", "only", "all_but"]
    agencies: Sequence[Served] = ()

    def among(self, codes: Collection[str], since: int) -> dict[str, int]:
        """Return the agencies served, of all codes of the register, each with the first day on which it is served.

        `since` is the first day of the source. Raises WrongUse, a line for each, for codes that the register does
        not have.
        """
        unknown = [one for one in self.agencies if one.agency not in codes]
        if unknown:
            lines = (f"{one.where}: the register has no {one.agency}. {nearest(one.agency, codes)}" for one in unknown)
            raise WrongUse("\n".join(lines))
        listed = {one.agency: max(since, one.from_day or since) for one in self.agencies}
        if self.kind == "only":
            return listed
        return {code: since for code in codes if code not in listed}


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window that was told beforehand: instants (epoch seconds UTC), the end not included, and why."""

    begins: int
    ends: int
    reason: str


@dataclass(frozen=True, slots=True)
class Probing:
    """How a system is asked whether it answers.

    `every` and `within` (for an answer) are seconds, `opens` and `closes` seconds of the local day. `at`: the address
    that is asked instead of what the door leads to.
    """

    every: int = 300
    within: int = 10
    opens: int = 0
    closes: int = 86_400
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A system that is read.

    `door` is an instance of the transport's options, `config` one of the connector's `Config`. `since` is the first
    local day that is kept. `stale_after`, `every`, `deadline` and `reconcile` are seconds; `reconcile` None: never.
    `cron` is when it is read, instead of `every`; `hours` are seconds of the local day, between which it may be read
    (over midnight if the second is smaller). `maintenance`: when it is neither read nor asked. `probe` None: it is
    never asked whether it answers.
    """

    name: str
    connector: str
    door: BaseModel
    config: BaseModel
    since: int
    serves: Serves
    stale_after: int
    every: int
    deadline: int
    requests_per_minute: int
    reconcile: int | None = None
    probe: Probing | None = None
    cron: str | None = None
    hours: tuple[int, int] = (0, 86_400)
    maintenance: Sequence[Maintenance] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """`unknown_share`: a figure with a greater share of unknown items (0 to 1) is partial."""

    unknown_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Privacy:
    """`appeal_days`: so long after its seal a month's figures may be contested; then its persons' records go."""

    appeal_days: int = 30


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the daemon shows its pages and `/metrics`. `web`: a file in exporter-toolkit's format says to whom."""

    host: str = "127.0.0.1"
    port: int = 9480
    web: Path | None = None


class ReceiverFile(Options):
    """A receiver as it is written: how it is reached, and what it is told."""

    open_readings: bool = Field(
        default=False, description="Whether it is told each night how the current and the last month stand"
    )


@dataclass(frozen=True, slots=True)
class Receiver:
    """A service that is told the readings of each edition, and of each night too if `open_readings`."""

    name: str
    options: ReceiverFile

    @property
    def open_readings(self) -> bool:
        """Whether it is told open readings too."""
        return self.options.open_readings


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. Paths are absolute or relative to the present folder, never to the file.

    `now` is the instant (epoch seconds UTC) at which a sample province's clock stands; None everywhere else.
    """

    path: Path
    province: Province
    agencies: Path
    workdays: Path
    scoring: Path
    declared: Path
    signing_key: Path
    state: Path
    store_url: SecretStr
    sources: Mapping[str, Source]
    limits: Limits
    privacy: Privacy
    serve: Listen
    now: int | None
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
