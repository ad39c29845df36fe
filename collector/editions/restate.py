"""States a sealed period anew: a new edition with one reason, and what it changed. The old one stays.

What differs is told from both editions' own content: their figures, their rows, their declarations.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from collector import readings as figures
from collector.contract.errors import WrongUse
from collector.contract.period import Period, parse_period
from collector.contract.reading import Reading
from collector.editions import keys
from collector.editions.body import Altered, Change, Edition, Listed, Reason, as_bytes, digest_of, unpacked
from collector.editions.freeze import SCOPES, Counting, Frozen, Sealer, carried_over, destroyed_months, freeze
from collector.editions.read import edition_of, sealed_periods
from collector.editions.seal import may_be_sealed, refuse_what_lacks, write
from collector.store.engine import reading
from collector.store.schema import edition_rows


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs between an edition and the period as it is now.

    `changes` are figures of agencies, `totals` their sums. `new`, `changed` and `gone` count the rows behind them by
    key, `days` the days of agencies whose counts differ where persons stand behind them. `formulas` and `definitions`
    are ids of indicators; `others` names in words what else the figures rest on; `points` counts scores that differ.
    `wider` counts figures of blocks and of the province: they may differ where an agency's may not be told. `carried`
    are the indicators that nobody can count anew, with the reason in words.
    """

    changes: tuple[Change, ...]
    totals: tuple[Change, ...]
    wider: int
    new: int
    changed: int
    gone: int
    days: int
    formulas: tuple[str, ...]
    definitions: tuple[str, ...]
    others: tuple[str, ...]
    points: int
    carried: tuple[str, ...]
    why_carried: str

    @property
    def any(self) -> bool:
        """Whether there is anything to be stated anew."""
        return bool(
            self.changes
            or self.wider
            or self.new
            or self.changed
            or self.gone
            or self.days
            or self.formulas
            or self.definitions
            or self.others
            or self.points
        )

    @property
    def _hidden(self) -> bool:
        """Whether something differs of which no row and no figure of an agency may be told."""
        return bool(self.days or (self.wider and not self.changes))

    def possible(self, reason: Reason) -> bool:
        """Whether a reason can be the one, as far as it can be told from what differs."""
        match reason:
            case "late":
                return bool(self.new or self._hidden)
            case "source-changed":
                return bool(self.changed or self.new or self.gone or self._hidden or self.points)
            case "source-deleted":
                return bool(self.gone or self._hidden)
            case "formula":
                return bool(self.formulas)
            case "definition":
                return bool(self.definitions or self.others)
            case "correction":
                return True

    def in_words(self) -> list[str]:
        """Say what differs, a line for each kind."""
        counted = (
            (len(self.changes), "figure of an agency differs", "figures of agencies differ"),
            (self.wider, "figure of a block or the province differs", "figures of blocks and the province differ"),
            (self.new, "row is new", "rows are new"),
            (self.changed, "row has changed", "rows have changed"),
            (self.gone, "row is gone", "rows are gone"),
            (self.days, "day of an agency has other counts", "days of agencies have other counts"),
            (self.points, "score differs", "scores differ"),
        )
        listed = (
            ("other formulas", self.formulas),
            ("other definitions", self.definitions),
            ("other than then", self.others),
        )
        return [
            *(f"{count:,} {one if count == 1 else several}" for count, one, several in counted if count),
            *(f"{what}: {', '.join(some)}" for what, some in listed if some),
            *([self.why_carried] if self.why_carried else []),
        ]


def restate(
    sealer: Sealer, period: Period, reason: Reason, key_file: Path, *, says: str = ""
) -> tuple[Edition, Differences]:
    """State a sealed period anew and return its new edition, with what it changed.

    NotYet as for a seal. WrongUse if the period was never sealed, if nothing differs, or if the reason cannot be the
    one. Figures of mailboxes are carried over once the records that they rest on are destroyed.
    """
    may_be_sealed(sealer, period)
    key = keys.private_key(key_file)
    with reading(sealer.engine) as connection:
        former = edition_of(connection, period)
        if former is None:
            raise WrongUse(f"{period} is not sealed", field="PERIOD", mend=f"Seal it first: collector seal {period}")
        refuse_what_lacks(connection, sealer, period)
        frozen = freeze(connection, sealer, period, former.number + 1, former)
        found = differences(connection, sealer, period, former, frozen)
    if not found.any:
        mend = found.why_carried or "What is sealed is what it would be now"
        raise WrongUse(f"nothing differs from edition {former.number} of {period}", field="PERIOD", mend=mend)
    if not found.possible(reason):
        fitting = ", ".join(one for one in _LIKELY if found.possible(one))
        raise WrongUse(
            f"{reason} cannot be the reason: {'; '.join(found.in_words())}",
            field="--reason",
            mend=f"What differs could be {fitting}",
        )
    made = write(
        sealer,
        period,
        frozen,
        key,
        number=former.number + 1,
        reason=reason,
        says=says,
        changes=found.changes,
        totals=found.totals,
    )
    return made, found


_LIKELY: tuple[Reason, ...] = ("late", "source-changed", "source-deleted", "formula", "definition", "correction")


def what_differs(sealer: Sealer, period: Period) -> tuple[Edition, Differences] | None:
    """Return the newest edition of a period and what differs from it now; None if it was never sealed."""
    with reading(sealer.engine) as connection:
        former = edition_of(connection, period)
        if former is None:
            return None
        frozen = freeze(connection, sealer, period, former.number + 1, former)
        return former, differences(connection, sealer, period, former, frozen)


def differences(connection: Connection, sealer: Sealer, period: Period, former: Edition, frozen: Frozen) -> Differences:
    """Return what differs between an edition and what was frozen just now."""
    changes = changed_figures(former.readings, frozen.readings)
    new, changed, gone, days = _rows(connection, former, frozen)
    before = {one.id: one for one in former.definitions}
    now = {one.id: one for one in frozen.definitions}
    both = sorted(before.keys() & now.keys())
    others = {
        "the scoring model": former.model_digest != digest_of(sealer.model.encode()),
        "the register of agencies": former.register_digest != sealer.register_digest,
        "the calendar of working days": former.calendar_digest != frozen.calendar_digest,
        "the share of unknown items that is allowed": former.unknown_share != repr(sealer.unknown_share),
        "the days accepted as lost": former.gaps != frozen.gaps,
    }
    scores = {(one.block, one.agency): one for one in former.scores}
    return Differences(
        changes=changes,
        totals=totals_of(changes),
        wider=_wider(former.readings, frozen.readings),
        new=new,
        changed=changed,
        gone=gone,
        days=days,
        formulas=tuple(id_ for id_ in both if before[id_].formula != now[id_].formula),
        definitions=tuple(
            sorted(
                {id_ for id_ in both if replace(before[id_], formula="") != replace(now[id_], formula="")}
                | (before.keys() ^ now.keys())
            )
        ),
        others=tuple(name for name, differs in others.items() if differs),
        points=sum(scores.get((one.block, one.agency)) != one for one in frozen.scores)
        + max(0, len(scores) - len(frozen.scores)),
        carried=frozen.carried,
        why_carried=_why_carried(connection, period, frozen),
    )


def _why_carried(connection: Connection, period: Period, frozen: Frozen) -> str:
    if not frozen.carried:
        return ""
    months = ", ".join(destroyed_months(connection, period))
    return (
        f"figures of mailboxes stay as they were sealed: the records of {months} that they rest on were destroyed, as "
        "they must be, and nobody can count them anew"
    )


def changed_figures(before: Iterable[Reading], now: Iterable[Reading]) -> tuple[Change, ...]:
    """Return the figures of agencies that differ, by indicator and agency; what was not there counts as nothing."""
    old = {(one.indicator, one.agency): one for one in before if one.scope == "agency"}
    new = {(one.indicator, one.agency): one for one in now if one.scope == "agency"}
    changes = []
    for indicator, agency in sorted(old.keys() | new.keys()):
        was, is_ = old.get((indicator, agency)), new.get((indicator, agency))
        if _figure(was) != _figure(is_):
            changes.append(
                Change(
                    indicator=indicator,
                    agency=agency,
                    hits=_less(was, is_, "hits"),
                    judged=_less(was, is_, "judged"),
                    unknown=_less(was, is_, "unknown"),
                    state_before=was.state if was else "",
                    state=is_.state if is_ else "",
                )
            )
    return tuple(changes)


def _wider(before: Iterable[Reading], now: Iterable[Reading]) -> int:
    """How many figures of blocks and of the province differ."""
    old, new = (
        {(one.indicator, one.scope, one.agency): _figure(one) for one in some if one.scope != "agency"}
        for some in (before, now)
    )
    return sum(old.get(place) != new.get(place) for place in old.keys() | new.keys())


def _figure(one: Reading | None) -> tuple[object, ...]:
    return () if one is None else (one.state, one.hits, one.judged, one.unknown, one.suppressed, one.version)


def _less(was: Reading | None, is_: Reading | None, part: str) -> int | None:
    before: int | None = getattr(was, part) if was else 0
    now: int | None = getattr(is_, part) if is_ else 0
    return None if before is None or now is None else now - before


def totals_of(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Add up the changes of agencies by indicator; nothing is told of a sum of which a part may not be told."""
    by_indicator: dict[str, list[Change]] = {}
    for one in changes:
        by_indicator.setdefault(one.indicator, []).append(one)
    return tuple(
        Change(
            indicator=indicator,
            agency="",
            hits=_sum(one.hits for one in own),
            judged=_sum(one.judged for one in own),
            unknown=_sum(one.unknown for one in own),
            state_before="",
            state="",
        )
        for indicator, own in sorted(by_indicator.items())
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    total = 0
    for one in counts:
        if one is None:
            return None
        total += one
    return total


# -- the rows behind the figures ---------------------------------------------------------------------------------


def _rows(connection: Connection, former: Edition, frozen: Frozen) -> tuple[int, int, int, int]:
    """How many rows are new, changed and gone, and how many days of agencies have other counts."""
    of_persons = {one.id for one in (*former.definitions, *frozen.definitions) if one.of_persons}
    old = {(one.indicator, one.agency): one for one in former.evidence}
    now = {(one.indicator, one.agency): one for one in frozen.evidence}
    kept: dict[str, dict[tuple[Any, ...], Any]] = {}  # by indicator: what each key was, and is
    found: dict[str, dict[tuple[Any, ...], Any]] = {}
    for place in old.keys() | now.keys():
        was, is_ = old.get(place), now.get(place)
        if was is not None and is_ is not None and was.digest == is_.digest:
            continue
        indicator, agency = place
        if was is not None:
            kept.setdefault(indicator, {}).update(_keyed(was, agency, _stored(connection, was)))
        if is_ is not None:
            found.setdefault(indicator, {}).update(_keyed(is_, agency, frozen.rows[is_.digest]))
    new = changed = gone = days = 0
    for indicator in kept.keys() | found.keys():
        was_rows, is_rows = kept.get(indicator, {}), found.get(indicator, {})
        differing = [key for key in was_rows.keys() | is_rows.keys() if was_rows.get(key) != is_rows.get(key)]
        if indicator in of_persons:
            days += len(differing)
            continue
        for key in differing:
            if key not in was_rows:
                new += 1
            elif key not in is_rows:
                gone += 1
            else:
                changed += 1
    return new, changed, gone, days


def _keyed(listed: Listed, agency: str, content: bytes) -> Mapping[tuple[Any, ...], Any]:
    """Rows by what they are rows of: source and key, whoever's they are; else the agency, the day and the source."""
    by_key = "key" in listed.columns
    names = ("source", "key") if by_key else ("source", "day")
    places = [listed.columns.index(name) for name in names if name in listed.columns]
    keyed = {}
    for row in unpacked(content):
        key = tuple(row[place] for place in places)
        keyed[key if by_key else (agency, *key)] = (agency, row)
    return keyed


def _stored(connection: Connection, listed: Listed) -> bytes:
    content = connection.scalar(select(edition_rows.c.rows).where(edition_rows.c.digest == listed.digest))
    if content is None or digest_of(as_bytes(content)) != listed.digest:
        raise Altered(f"the sealed rows behind {listed.indicator} of {listed.agency} are not as they were sealed")
    return bytes(content)


# -- what a sealed period would be now ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Drifted:
    """A sealed period whose figures would be others now: the newest edition, and how many figures of agencies.

    Where none of those may be told, of blocks and of the province.
    """

    period: str
    number: int
    figures: int

    def __str__(self) -> str:
        many = f"{self.figures} figure{'s' if self.figures > 1 else ''}"
        return f"edition {self.number} of {self.period} differs now in {many}: restate or explain"


def drifted(connection: Connection, counting: Counting) -> list[Drifted]:
    """The sealed periods whose figures would be others now, from the tallies alone."""
    found = []
    for name, number in sealed_periods(connection):
        period = parse_period(name)
        former = edition_of(connection, period)
        assert former is not None
        carried = carried_over(connection, counting.indicators, period, former)
        counted = [one for one in counting.indicators if one.id not in carried]
        taken = figures.take(connection, counted, counting.tallies, counting.world(period), period, SCOPES)
        kept = [one for one in former.readings if one.indicator not in carried]
        differing = len(changed_figures(kept, taken)) or _wider(kept, taken)
        if differing:
            found.append(Drifted(name, number, differing))
    return found
