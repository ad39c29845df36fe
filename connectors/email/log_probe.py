"""What a look at a log's last lines shows: whose log it is, whether its server still writes, and how its clock goes."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from collector.contract.connector import Finding
from collector.contract.door import Files
from collector.contract.period import iso, local_day
from connectors.email.rotation import Folder, Member, read
from connectors.email.stamps import DAY, Calendar
from connectors.email.understood import programs, stretches

ENOUGH = 100
"""So many lines without one of a mail server are another program's log."""

_TAIL = 4 << 20
_FILES = 5
_SKEW = 300
_NAMES = {"dovecot": "Dovecot", "postfix": "Postfix", "zimbra": "Zimbra"}


def findings(door: Files, pattern: str, zone: ZoneInfo, silence_days: int, seen: set[str]) -> Iterator[Finding]:
    """Yield findings about one log, and add to `seen` the programs that write it (dovecot, postfix, zimbra)."""
    members = Folder(door, pattern, zone).members(0)
    if not members:
        says = f"no file with a complete line matches {pattern}"
        mend = "Name the log in `logs`, and let the account list the folder and read the log (group adm, or an ACL)"
        yield Finding("reach", "failed", says, mend)
        return
    newest = members[-1]
    yield Finding("reach", "ok", f"{len(members)} files of {pattern}")
    wrote, heard, lines = _heard(door, members, zone, silence_days)
    seen |= wrote
    if heard is not None:
        says = f"{newest.name} can be read, and has lines of {' and '.join(sorted(_NAMES[one] for one in wrote))}"
        yield Finding("read", "ok", says)
        if door.began - heard > silence_days * DAY:
            says = f"no mail server has written a line since {iso(local_day(heard))}: the days after it stay uncovered"
            mend = "See whether the server still logs there, and whether the log is still copied; raise `silence_days`"
            yield Finding("read", "failed", says, f"{mend} only if the server is known to rest for so long")
    elif lines >= ENOUGH:
        says = f"none of the last {lines} lines of {newest.name} is one of Postfix, Dovecot or Zimbra"
        yield Finding("read", "failed", says, "Name in `logs` the log that the mail server itself writes")
    else:
        says = f"{newest.name} has only {lines} lines, none of them of Postfix, Dovecot or Zimbra"
        yield Finding("read", "unproved", says, "Look again when the server has logged more")
    yield _clock(newest.name, newest.last, door.began)


def _heard(
    door: Files, members: Sequence[Member], zone: ZoneInfo, silence_days: int
) -> tuple[set[str], int | None, int]:
    """Return who wrote the last lines, the instant of the last of these (None: there is none), and lines looked at."""
    lines = 0
    for member in reversed(members[-_FILES:]):
        block = b"".join(read(door, member, max(0, member.size - _TAIL)))
        lines += block.count(b"\n")
        told = stretches(block, Calendar(zone, member.first), silence_days * DAY)
        if told:
            return programs(block), told[-1][1], lines
    return set(), None, lines


def _clock(name: str, last: int, began: int) -> Finding:
    if last > began + _SKEW:
        says = f"the newest line of {name} lies {last - began} seconds in the future"
        return Finding("clock skew", "failed", says, "Set the server's clock, or `zone` to the zone in which it logs")
    says = f"the newest line of {name} is {max(0, began - last)} seconds old"
    return Finding("clock skew", "ok" if began - last <= _SKEW else "unproved", says)


def who_logs_in(seen: set[str]) -> Iterator[Finding]:
    """Yield a doubt where no log is one of a server at which people log in."""
    if seen and not seen & {"dovecot", "zimbra"}:
        says = "no log has a line of Dovecot or Zimbra: nothing shows who logs in, only mails sent would count as use"
        yield Finding("read", "unproved", says, "Name in `logs` also the log of Dovecot, or Zimbra's audit.log")
