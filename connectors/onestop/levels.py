"""How far each agency offers each procedure online, where a source tells it of dossiers only and has no catalogue."""

from collector.contract.connector import Row
from collector.contract.period import day_start

_MICROSECONDS = 1_000_000
_NEVER = 99_991_231


class Levels:
    """The levels that dossiers show: one counts from the receipt of the first that shows it, until another begins."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, str], int] = {}
        self._new: set[tuple[str, str, str]] = set()

    def note(self, procedure: str | None, agency: str, level: str | None, received_day: int) -> None:
        """Note what a received dossier shows, in any order. None, or an empty procedure: nothing."""
        if not procedure or level is None:
            return
        line = procedure, agency, level
        if received_day < self._since.get(line, _NEVER):
            self._since[line] = received_day
            self._new.add(line)

    def rows(self) -> list[Row]:
        """Return the lines that are new, or begin earlier than known, as rows of Procedure: the earliest day wins."""
        rows = [
            (f"{code}@{agency}:{level}", agency, -day_start(day) * _MICROSECONDS, 0, code, level, day, None, 0)
            for code, agency, level in sorted(self._new)
            for day in [self._since[code, agency, level]]
        ]
        self._new.clear()
        return rows
