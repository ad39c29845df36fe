"""From a block of Zimbra's audit.log or mailbox.log to the use of mailboxes, by mailbox and local day.

Both are written by one pattern (log4j), `audit.log` with the category `security` alone:

  2026-11-09 08:00:36,435 INFO  [qtp15-71:https://…/AuthRequest] [name=u@d;ua=…;] security - cmd=Auth; account=u@d; …

Fields are `name=value;`, a `;` within a value is `;;`, and line ends within one are blanks; so a line is taken apart
from its beginning, and what a client put into its own name (ua) is never taken for a message.

A login counts as one session on its day: INFO, `cmd` of Auth, PreAuth or SSOAuth, without `error=`. There is no line at
its end. SMTP AUTH is among them, as `protocol=soap` at the admin service. A login to the administrators' console is
not: in the same request, so on the same thread, Zimbra writes first `cmd=AdminAuth`, then `cmd=Auth` as for SMTP AUTH.
What a client that is logged in asks counts the mailbox as present on that day, once in each block: a web page that is
left open has a token for 2 days, an IMAP client holds its session for as long. Not what is asked at the admin service,
by another account (`aname`), or before it is clear who asks (AuthRequest names the account also where it is refused).
"""

import re

from connectors.email.lines import Name, Use
from connectors.email.pending import Pending, hashed
from connectors.email.stamps import Calendar, cut_of

# Close to what is sought, so that only few lines are taken apart.
_CANDIDATE = re.compile(rb"\] (?:security - cmd=|soap - |imap - )")
_FIELDS = rb"(?:[\w-]+=(?:[^;\n]++|;;)*+;)"
_LINE = re.compile(rb" INFO {1,2}(?>\[([^\n]*?)\] \[)(" + _FIELDS + rb"*+)\] (security|soap|imap) - ([^\n]*)")
_FIELD = re.compile(rb" ?([\w-]+)=((?:[^;\n]++|;;)*+);")
_LOGINS = frozenset((b"Auth", b"PreAuth", b"SSOAuth"))
_ASKED = re.compile(
    rb"(?:\(batch\) )?(?!(?:Auth|ChangePassword|ResetPassword|RecoverAccount)Request\b)\w+Request "
    rb"(?:proxy=[^\n]*,)?elapsed=\d"
)
_COMMAND = re.compile(rb"[A-Z]+ elapsed=\d")
_ADMIN = b"/service/admin/soap"

# Between the two lines of a login to the console a password is verified, at a directory elsewhere or by a slow one.
_VERIFIED = 60


def read(block: bytes, calendar: Calendar, name: Name, pending: Pending) -> Use:
    """Return the use that a block of whole lines tells; only logins to the console are pending at its end."""
    use = Use()
    present: set[tuple[int, str]] = set()
    done = 0
    for found in _CANDIDATE.finditer(block):
        if found.start() < done:
            continue
        begin, end = block.rfind(b"\n", 0, found.start()) + 1, block.find(b"\n", found.end())
        done = len(block) if end < 0 else end
        if block[begin : begin + 1] == b"\0":  # a crash leaves zeroes before the next line
            begin = done - len(block[begin:done].lstrip(b"\0"))
        stamp = block[begin : begin + cut_of(block[begin : begin + 32])]
        line = _LINE.match(block, begin + len(stamp), done)
        if line is not None and _ADMIN in line[1] and _to_console(line, calendar.instant(stamp), pending.consoles):
            continue
        who, is_login = (None, False) if line is None else _who(line)
        if who is None:
            continue
        use.hits += 1
        day = calendar.day(stamp)
        if not day:
            use.bad.append(begin)
        elif (pseudonym := name(who, day)) and is_login:
            use.sessions[day, pseudonym] += 1
        elif pseudonym:
            present.add((day, pseudonym))
    for seen in present:
        use.sessions[seen] += 1
    return use


def _to_console(line: re.Match[bytes], instant: int | None, consoles: dict[str, int]) -> bool:
    """Tell whether a line at the admin service is one of the two of a login to the console, and note the first one."""
    if line[3] != b"security" or instant is None:
        return False
    if (command := _fields(line[4]).get(b"cmd")) == b"AdminAuth":
        for thread in [thread for thread, since in consoles.items() if since < instant - _VERIFIED]:
            del consoles[thread]
        consoles[hashed(line[1])] = instant
        return True
    since = consoles.pop(hashed(line[1]), None)
    return command == b"Auth" and since is not None and since <= instant <= since + _VERIFIED


def _who(line: re.Match[bytes]) -> tuple[bytes | None, bool]:
    """Return the account of a line that tells of its use, and whether that is a login; else no account."""
    thread, context, category, message = line.groups()
    if category == b"security":
        told = _fields(message)
        if told.get(b"cmd") not in _LOGINS or b"error" in told:
            return None, True
        return told.get(b"account") or None, True
    asked = (_ASKED if category == b"soap" else _COMMAND).match(message)
    if asked is None or (category == b"soap" and _ADMIN in thread):
        return None, False
    told = _fields(context)
    return None if b"aname" in told else told.get(b"name") or None, False


def _fields(text: bytes) -> dict[bytes, bytes]:
    """Return the fields of a text by name, as far as it consists of fields; of a name that comes again the first."""
    told: dict[bytes, bytes] = {}
    at = 0
    while (found := _FIELD.match(text, at)) is not None:
        told.setdefault(found[1], found[2])
        at = found.end()
    return told
