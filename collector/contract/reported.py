"""What a source publishes about itself: its own totals of a period, and the rules by which it counts them.

`reported(config, door, period)` of a connector yields `Report`s; `collector compare` sets them beside our own count and
splits the difference by the rules that differ. A total that the source does not tell is left out: missing is not zero.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from collector.contract.connector import Connector, Days
from collector.contract.period import Period
from collector.contract.records import Record

Name = Literal["received", "completed", "on_time", "late", "withdrawn", "open", "issued", "electronic", "waiting"]
"""What a total counts.

  received   dossiers received in the days
  completed  dossiers completed in them, of which `on_time` and `late`; early ones are on time
  withdrawn  dossiers withdrawn in them
  open       dossiers open at the end of the last day
  issued     documents issued in the days, `electronic` those of them that were sent electronically
  waiting    what waits to be fetched at the moment: the length of a queue, which is no volume of any period
"""

FLOWS: frozenset[Name] = frozenset({"received", "completed", "on_time", "late", "withdrawn", "issued", "electronic"})
"""Totals that add up over spans of days; the others stand at the end of a span, or at the moment."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a source counts, as far as it differs from our indicators: each field's default is how we count.

    name         by which people know these rules
    channels     only dossiers that came by one of these are counted; None: all
    withdrawn    on_time: a withdrawn dossier is one more completed, and on time
    without_due  on_time: completed without any due date is on time; unjudged: neither on time nor late
    due          current: judged by the due date that it has now; effective: by the first promised, moved by pauses
    same_day     by_hour: later on its due day is late; by_hour_of_12: likewise, but 12:xx is read as 00:xx; on_time:
                 the day decides
    refused      out: a refusal after work is none of the completed
    ended        returned: completed on the day on which the citizen collects; completed: when the desk has the result
    apart        source statuses of dossiers that are counted apart from the open ones, as paused or stopped
    recalled     counted: a document that was recalled is one more issued
    """

    name: str
    channels: frozenset[str] | None = None
    withdrawn: Literal["out", "on_time"] = "out"
    without_due: Literal["unjudged", "on_time"] = "unjudged"
    due: Literal["effective", "current"] = "effective"
    same_day: Literal["on_time", "by_hour", "by_hour_of_12"] = "on_time"
    refused: Literal["completed", "out"] = "completed"
    ended: Literal["completed", "returned"] = "completed"
    apart: frozenset[str] = frozenset()
    recalled: Literal["out", "counted"] = "out"


@dataclass(frozen=True, slots=True)
class Total:
    """A total of an agency, as the source writes its code; "": of all that the source tells of."""

    agency_code: str
    name: Name
    value: int


@dataclass(frozen=True, slots=True)
class Share:
    """A percentage that the source prints: `part` of `whole`, its text as it stands (`93.1`), without the sign."""

    agency_code: str
    part: Name
    whole: Name
    printed: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a source tells of a span of days.

    `made` is the instant (epoch seconds) at which it counted, None where it does not say: what was entered or changed
    later is not in it. `rules` None: nothing is known of how it counts.
    """

    record: type[Record]
    days: Days
    totals: Sequence[Total]
    shares: Sequence[Share] = ()
    rules: Rules | None = None
    made: int | None = None


Tell = Callable[[Any, Any, Period], Iterator[Report]]
"""`reported` of a connector that offers it: (config, door, period) -> reports, of the period or of spans within it."""


def reported_of(connector: Connector) -> Tell | None:
    """Return the `reported` of a connector; None if its sources publish no totals."""
    return getattr(connector, "reported", None)


Reports = Callable[[Any], bool]
"""`publishes` of a connector: whether a source with a given configuration publishes totals."""


def publishes(connector: Connector, config: Any) -> bool:
    """Return whether a source with this configuration publishes totals: a connector may need to be told where."""
    asked: Reports | None = getattr(connector, "publishes", None)
    return reported_of(connector) is not None and (asked is None or asked(config))
