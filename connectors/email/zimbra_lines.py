"""From a block of Zimbra's audit.log or mailbox.log to the use of mailboxes, by mailbox and local day.

Both are written by one pattern (log4j), `audit.log` with the category `security` alone:

  2026-11-09 08:00:36,435 INFO  [qtp15-71:https://…/AuthRequest] [name=u@d;ua=…;] security - cmd=Auth; account=u@d; …

Fields are `name=value;`, a `;` within a value is `;;`, and line ends within one are blanks; so a line is taken apart
from its beginning, and what a client put into its own name (ua) is never taken for a message.

A login counts as one session on its day: INFO, `cmd` of Auth, PreAuth or SSOAuth, without `error=`. There is no line at
its end. SMTP AUTH is among them, as `protocol=soap` at the admin service; AdminAuth is not.
What a client that is logged in asks counts the mailbox as present on that day, once in each block: a web page that is
left open has a token for 2 days, an IMAP client holds its session for as long. Not what is asked at the admin service,
by another account (`aname`), or before it is clear who asks (AuthRequest names the account also where it is refused).
"""

import re

from connectors.email.lines import Name, Use
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


def read(block: bytes, calendar: Calendar, name: Name) -> Use:
    """Return the use that a block of whole lines tells; nothing is pending at its end."""
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
