"""What is stored about whom and for how long, and the destruction of what has been kept long enough.

`appeal_days` after a month's seal its key goes, then the rows of single mailboxes; only counts stay. Whatever is cut
off in the middle is ended by doing it again.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import get_type_hints

from sqlalchemy import Connection, Engine

from collector.clock import Clock
from collector.contract.connector import Forget
from collector.contract.errors import WrongUse
from collector.contract.indicator import OF_PERSONS, Indicator
from collector.contract.period import Period, iso, local_day, month_of, plus_days
from collector.contract.records import RECORDS, Flag, Record, columns
from collector.store import destruction, locks
from collector.store.engine import reading, writing
from collector.store.tallies import Tallies
from collector.transports.pseudonym import Pseudonyms


@dataclass(frozen=True, slots=True)
class Month:
    """What is stored of persons in a month.

    `pending` are pseudonyms that the cursors hold. `sealed` and `destroyed` are instants (epoch seconds), `from_day`
    the local day from which it is to be destroyed. `destroyed` is None until nothing is left.
    """

    month: Period
    key: bool
    mailboxes: int
    mailbox_days: int
    pending: int
    sealed: int | None
    from_day: int | None
    destroyed: int | None


@dataclass(frozen=True, slots=True)
class Keeper:
    """What a destruction needs. `forget` has the sources that read records of persons; None: no pseudonyms held."""

    engine: Engine
    pseudonyms: Pseudonyms
    tallies: Tallies
    forget: Mapping[str, Forget | None]
    appeal_days: int
    clock: Clock
    machine_clock: Clock
    holder: str

    @property
    def forgetting(self) -> dict[str, Forget]:
        """How to take a month's pseudonyms out of the cursors that hold any."""
        return {source: one for source, one in self.forget.items() if one is not None}


def months(connection: Connection, keeper: Keeper) -> list[Month]:
    """Every month of which anything is stored about persons, or was."""
    kept = {one.month_day: one for one in destruction.kept(connection)}
    keys = {month * 100 + 1 for month in keeper.pseudonyms.months()}
    found = []
    for first in sorted(kept.keys() | keys):
        one = kept.get(first)
        sealed = destruction.sealed(connection, month_of(first))
        found.append(
            Month(
                month_of(first),
                first in keys,
                one.mailboxes if one else 0,
                one.mailbox_days if one else 0,
                sum(destruction.pending(connection, keeper.forgetting, first).values()),
                sealed,
                None if sealed is None else plus_days(local_day(sealed), keeper.appeal_days + 1),
                one.destroyed if one and one.finished else None,
            )
        )
    return found


def due(found: Sequence[Month], now: int) -> list[Month]:
    """The months that are to be destroyed by now (epoch seconds): whose appeal is over and that are not yet gone."""
    today = local_day(now)
    return [one for one in found if one.destroyed is None and one.from_day is not None and one.from_day <= today]


def may_be_destroyed(one: Month, appeal_days: int, now: int) -> None:
    """WrongUse, with the day from which on it may be, for a month that may not be destroyed yet."""
    if one.sealed is None:
        raise WrongUse(
            f"{one.month} is not sealed, so its figures may still change",
            field="--destroy",
            mend=f"It may be destroyed from {appeal_days + 1} days after its seal on",
        )
    assert one.from_day is not None
    if local_day(now) < one.from_day:
        raise WrongUse(
            f"{one.month} was sealed on {iso(local_day(one.sealed))}, and may be contested for {appeal_days} days",
            field="--destroy",
            mend=f"It may be destroyed from {iso(one.from_day)} on",
        )


def destroy(keeper: Keeper, month: Period, *, says: Callable[[str], None]) -> None:
    """Destroy a month, or end what was begun of it: the key first, then the rows, then their traces in the files.

    Waits for runs of the sources that are under way. TryAgain if another program reads the store all the time.
    """
    with ExitStack() as held:
        for source in sorted(keeper.forget):
            held.enter_context(
                locks.held(keeper.engine, source, keeper.holder, keeper.machine_clock, wait=True, says=says)
            )
        keeper.pseudonyms.destroy(month.first // 100)
        with writing(keeper.engine) as connection:
            destruction.destroy_rows(connection, month.first, keeper.tallies, keeper.forgetting, keeper.clock())
    destruction.empty_the_log(keeper.engine)
    with writing(keeper.engine) as connection:
        destruction.finish(connection, month.first)


def destroy_what_is_due(keeper: Keeper, *, says: Callable[[str], None]) -> list[Period]:
    """Destroy every month whose appeal is over; returns those destroyed."""
    with reading(keeper.engine) as connection:
        found = due(months(connection, keeper), keeper.clock())
    for one in found:
        destroy(keeper, one.month, says=says)
    return [one.month for one in found]


# -- the register of what is stored ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredField:
    """A field of a record: what kind of thing it is, and whether it stands for a person."""

    name: str
    kind: str
    of_person: str


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A kind of record: what it is, what for it is kept, by which decision, and until when."""

    record: str
    says: str
    purpose: Sequence[str]
    legal: Sequence[str]
    retention: str
    fields: Sequence[StoredField]


def register(indicators: Sequence[Indicator], appeal_days: int) -> list[StoredRecord]:
    """What is stored, field by field, made from the record classes and the indicators that rest on them."""
    found = []
    for record in RECORDS:
        using = [one for one in indicators if record in one.needs]
        personal = record in OF_PERSONS
        found.append(
            StoredRecord(
                record=record.NAME,
                says=(record.__doc__ or "").strip().split("\n\n")[0].split(" key = ")[0].replace("\n    ", " "),
                purpose=[one.id for one in using],
                legal=list(dict.fromkeys(one.legal for one in using)),
                retention=f"until {appeal_days} days after the month's seal" if personal else "kept as evidence",
                fields=[_field(record, name, personal=personal) for name in columns(record)],
            )
        )
    return found


def _field(record: type[Record], name: str, *, personal: bool) -> StoredField:
    hint = get_type_hints(record)[name]
    if name == "pseudonym" or (name == "key" and personal):
        of_person = "a pseudonym under the month's key"
    else:
        of_person = "what the mailbox under a pseudonym is or did" if personal and name not in _OF_NOBODY else "no"
    return StoredField(name, _kind(name, hint), of_person)


_OF_NOBODY = {"agency_code", "changed", "removed", "month_day", "day", "span"}


def _kind(name: str, hint: object) -> str:
    if name == "day" or name.endswith("_day"):
        return "day"
    if hint in (str, str | None):
        return "text"
    return "flag" if hint == Flag and name not in _NUMBERS else "number"


_NUMBERS = {"quota", "used"}
