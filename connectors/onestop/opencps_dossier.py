"""A dossier of OpenCPS as rows, wherever it was read: over its REST service or from its table.

Facts: source-systems 1.2 to 1.4. Two things are not told by OpenCPS and are made of what one sees, run after run:

Promises. `dueDate` is overwritten (at the end of a wait, by a reset, phase by phase), and may be nulled. Every day ever
  seen is kept. The first one seen is the first one promised only if the dossier was watched from its receipt on; else
  its basis is `current`, and the effective due date is unknown rather than guessed.
Pauses. `lockState` says that the clock stands, not since when. A pause begins on the day of the modification that
  showed it first, and ends on that of the first version without it. One that begins and ends between two runs is not
  seen, and neither is a modification of the same dossier between two runs that hides the one before.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from collector.contract.connector import Row
from collector.contract.period import local_day, plus_days
from connectors.onestop.levels import Levels

MICROSECONDS = 1_000_000

OPEN = (
    "new",
    "receiving",
    "waiting",
    "processing",
    "pausing",
    "posting",
    "correcting",
    "cancelling",
    "interoperating",
)
"""Statuses of dossiers that have not been released: what they are today is asked in every run.

`releasing` is not among them: its release and its hand-out are events, and a release taken back makes it open again.
"""

_SENT_BACK = frozenset({"new", "receiving", "waiting", "processing", "interoperating"})
"""Statuses for which OpenCPS clears releaseDate and finishDate (facts: 1.2, Traps)."""

_PAUSED = frozenset({"PAUSE", "PAUSE_OVERDUE"})
_LEVELS: Mapping[int | None, str] = {1: "information", 2: "information", 3: "partial", 4: "full"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a dossier shows. Instants in epoch seconds; None: unset."""

    key: str
    agency: str
    modified: int  # its version; the start of the run where it has none
    removed: int
    procedure: str
    channel: str | None
    level: int | None
    submitted: int | None
    received: int | None
    due: int | None
    released: int | None
    finished: int | None
    cancelling: int | None
    status: str
    lock: str
    allowed: str = ""  # the time that the site allows, as `allowed_of` writes it

    @property
    def version(self) -> int:
        """Its version in microseconds."""
        return self.modified * MICROSECONDS

    @property
    def is_received(self) -> bool:
        """Whether a desk accepted it: a refused one bears the time of filing as receiveDate."""
        return self.received is not None and self.status != "denied"

    @property
    def is_paused(self) -> bool:
        """Whether its clock stands; that of a released one has run out, whatever lockState was left on it."""
        return self.lock in _PAUSED and self.released is None and self.finished is None and not self.removed


def allowed_of(count: object, unit: object) -> str:
    """Return the time that a site allows for a dossier, as a promise keeps it; "" where none is told.

    `durationCount`, and `durationUnit`: 0 for working days, 1 for working hours, eight of which OpenCPS itself takes
    for a day (DueDateUtils.java). Without a time above 0 it sets no due date (facts: 1.2).
    """
    units = {"0": "working_days", "1": "working_hours"}
    try:
        time = Decimal(str(count).strip()).quantize(Decimal("0.001"))
    except InvalidOperation:
        return ""
    named = units.get(str(unit).strip())
    if named is None or not time.is_finite() or not 0 < time < 100_000:
        return ""
    return f"{time.normalize():f} {named}"


def note_level(levels: Levels, seen: Seen) -> None:
    """Note what a dossier tells about how far its agency offers its procedure online."""
    if seen.received is not None and seen.is_received and not seen.removed:
        levels.note(seen.procedure, seen.agency, _LEVELS.get(seen.level), local_day(seen.received))


def row_of(seen: Seen) -> Row:
    """Return a row of Dossier. Day of completion: releaseDate, the result at the desk (facts: 1.4, 8).

    OpenCPS tells nothing of digitised papers, electronic results and payments: these stay unknown.
    """
    outcome, completed, ended = _end(seen)
    return (
        seen.key,
        seen.agency,
        seen.version,
        seen.removed,
        seen.procedure or None,
        seen.channel,
        _day(seen.submitted),
        _day(seen.received) if seen.is_received else None,
        completed,
        _day(seen.finished) if outcome in ("completed", "refused_after") else None,
        outcome,
        ended,
        seen.status or None,
        None if completed is None else seen.released,
        seen.due,
        _day(seen.due),
        None,
        None,
        None,
    )


def _end(seen: Seen) -> tuple[str | None, int | None, int | None]:
    """Return outcome, day of completion and day of the end. An unknown status, or one that contradicts its dates: None.

    `unresolved` is a refusal after work and counts as completed; `denied` is one at intake.
    """
    released, finished = _day(seen.released), _day(seen.finished)
    match seen.status:
        case "done" | "releasing":
            return "completed", released, None
        case "unresolved":
            return "refused_after", released, None
        case "denied":
            return "refused_at_intake", None, finished or released
        case "cancelled":
            return "withdrawn", None, released or finished or _day(seen.cancelling)
        case status if status in _SENT_BACK and (released is not None or finished is not None):
            return None, None, None
        case status if status in OPEN:
            return ("open", None, None) if released is None else ("completed", released, None)
    return None, None, None


def promise_of(seen: Seen, watched: int | None) -> Row | None:
    """Return the due day promised, as a row of DossierEvent; None where there is none.

    `watched` is the local day since which no two looks at the source were more than a day apart. Whoever came later
    was seen before the due day could have been moved; so was one whose last modification is that of its receipt.
    """
    if seen.due is None or seen.received is None or not seen.is_received:
        return None
    received, day = local_day(seen.received), local_day(seen.due)
    surely_first = (watched is not None and received >= watched) or local_day(seen.modified) <= plus_days(received, 1)
    # The last digit differs by basis, so that (key, at) decides the whole row.
    at = seen.version + (2 if surely_first else 4)
    basis = "first" if surely_first else "current"
    return (f"{seen.key}|due|{day}", "", -at, 0, seen.key, "due_promised", seen.allowed, at, day, basis)


class Pauses:
    """The pauses that began or ended, of all that is seen in a run.

    `open_ones` are those that the store knows without an end: dossier -> (ref, begun in microseconds).
    """

    def __init__(self, open_ones: Mapping[str, Sequence[tuple[str, int]]]) -> None:
        self._open = {key: list(pauses) for key, pauses in open_ones.items()}
        self._looks: dict[str, list[tuple[int, bool]]] = defaultdict(list)

    def note(self, seen: Seen) -> None:
        """Note a look at a dossier, in any order."""
        self._looks[seen.key].append((seen.modified, seen.is_paused))

    def rows(self) -> list[Row]:
        """Return what began and what ended since the last call, as rows of DossierEvent."""
        rows: list[Row] = []
        for key, looks in self._looks.items():
            known = self._open.get(key, [])
            if not known and not any(is_paused for _, is_paused in looks):
                continue
            for modified, is_paused in sorted(looks):
                instant = modified * MICROSECONDS
                if known and instant < max(begun for _, begun in known):
                    continue  # an older version, given late
                if is_paused and not known:
                    known = [(f"@{modified}", instant)]
                    rows.append(_pause(key, "begun", known[0][0], instant))
                elif known and not is_paused:
                    rows.extend(_pause(key, "ended", ref, instant) for ref, _ in known)
                    known = []
            if known:
                self._open[key] = known
            else:
                self._open.pop(key, None)
        self._looks.clear()
        return rows


def _pause(key: str, word: str, ref: str, instant: int) -> Row:
    day = local_day(instant // MICROSECONDS)
    return (f"{key}|{word}|{ref}", "", instant, 0, key, f"pause_{word}", ref, instant, day, "history")


def _day(instant: int | None) -> int | None:
    return None if instant is None else local_day(instant)
