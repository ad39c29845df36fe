"""What the sample province's collector had found out about the systems before its clock was stopped.

Probes cannot be made afterwards, so they are told by the ledger: `watch.json` in the demo's folder says when each
system was silent, and when nobody could ask. It is played through the very code that plans and counts probes.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from collector.contract import period
from collector.demo import ledger as ledger_file
from collector.demo.ledger import Ledger, Watch
from collector.probing import Day, Plan, counted, due, keep, last_day
from collector.probing import Watch as Watching
from collector.store.engine import writing

NAME = "watch.json"


def write(ledger: Ledger, folder: Path) -> None:
    """Write how the ledger's systems were asked and what they answered."""
    (folder / NAME).write_text(json.dumps(ledger.watches, default=ledger_file.fields_of) + "\n", encoding="ascii")


def settings(ledger: Ledger, source: str) -> dict[str, object]:
    """Return what the configuration of a source says of it: when it is asked (`probe:`) and when it is maintained."""
    watch = next((one for one in ledger.watches if one.source == source), None)
    if watch is None:
        return {"probe": "never"}
    probe: dict[str, object] = {"every": f"{watch.every // 60}m"}
    if watch.address is not None:
        probe["at"] = watch.address
    windows = [
        {"from": _local(one.begin), "to": _local(one.end), "reason": "bảo trì theo thông báo"}
        for one in watch.maintenance
    ]
    return {"probe": probe} | ({"maintenance": windows} if windows else {})


def _local(instant: int) -> str:
    day = period.local_day(instant)
    minutes = (instant - period.day_start(day)) // 60
    return f"{period.iso(day)}T{minutes // 60:02d}:{minutes % 60:02d}"


def replay(watching: Watching, folder: Path, now: int) -> None:
    """Put the probes of a demo's folder into the store, as they would have been counted; once for each source."""
    path = folder / NAME
    if not path.is_file():
        return
    for row in json.loads(path.read_text(encoding="ascii")):
        watch = ledger_file.watch(row)
        if watch.source not in watching.plans:  # taken out of the configuration
            continue
        plan, _ = watching.plans[watch.source]
        with writing(watching.engine) as connection:
            if last_day(connection, watch.source, now) is None:
                keep(connection, plan, _days(plan, watch, now), now, watching.register, watching.tallies)


def _days(plan: Plan, watch: Watch, now: int) -> dict[int, Day]:
    days_of: dict[int, Day] = {}
    last: Day | None = None
    for instant in _ticks(watch, now):
        said = None if watch.holds(watch.untried, instant) else not watch.holds(watch.outages, instant)
        if last is None and not due(plan, last, instant):
            continue
        for day in counted(plan, last, instant, said):
            days_of[day.day] = last = day
    return days_of


def _ticks(watch: Watch, now: int) -> Iterator[int]:
    """The planned instants at which the program did not stand still."""
    return (instant for instant in range(watch.since, now + 1, watch.every) if not watch.holds(watch.missed, instant))
