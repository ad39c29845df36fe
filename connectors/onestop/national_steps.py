"""What the progress steps of a dossier tell (facts: standards 2.1, Progress; CapNhatTienDoHoSoMC).

A step says at which time (ThoiDiemXuLy) which status (TrangThai) came about, in the codes of the dossier's own status.
Who took it, and in which words, is never read. Steps tell when a dossier was withdrawn, refused or stopped where its
own dates do not, and when it waited for papers or a fee where no supplement is listed for that time.

They do not tell when it was completed: systems in use send paused and stopped dossiers upstream as finished (facts:
standards 2.3), and such a step would be a completion that never was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

_WAITING = frozenset({"5", "6"})  # for papers; for a fee


@dataclass(frozen=True, slots=True)
class Step:
    """A status, and the instant (epoch seconds) at which it came about. `status` "": none of the format's."""

    at: int
    status: str


def since(steps: Sequence[Step], status: str) -> int | None:
    """Return the instant since which a dossier has had the status that it has now; None if its steps end in another."""
    began: int | None = None
    for step in sorted(_known(steps), key=attrgetter("at"), reverse=True):
        if step.status != status:
            break
        began = step.at
    return began


def waits(steps: Sequence[Step]) -> list[tuple[int, int | None]]:
    """Return the times of waiting, each from its step to the next of another kind; None: it lasts."""
    found: list[tuple[int, int | None]] = []
    for step in sorted(_known(steps), key=attrgetter("at")):
        waiting = bool(found) and found[-1][1] is None
        if step.status in _WAITING and not waiting:
            found.append((step.at, None))
        elif waiting and step.status not in _WAITING:
            found[-1] = found[-1][0], step.at
    return found


def _known(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.status]
