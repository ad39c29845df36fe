"""What a log has begun and not yet ended: open sessions, messages not yet accepted, and mails not yet delivered.

It crosses from one batch to the next, and from one run to the next inside the cursor. It never holds an address: a
mailbox is its pseudonym under the key of the month in which it was seen and, where the end may fall into the next
month, under that month's key. A session's id holds the client's network address, so only its hash is kept. Of a
recipient nothing is kept but whether it is counted, and while its mail is open a mark under the month's key, by which
the same line is known when it comes again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from collector.contract.period import month_of, plus_days

DAYS = 7
"""The local days after its first one in which something pending may still end."""

# Deliveries that precede the line which names their sender precede it by moments.
_UNLINKED = 1_000

Entry = tuple[int, str, str]
"""Local day of the beginning, pseudonym under that month's key, and under the next month's if it may be needed."""

Queue = tuple[str, str]
"""A host and a queue id there."""

Told = tuple[int, frozenset[str]]
"""A local day, and the marks under its month's key of the recipients that were counted."""


def hashed(session: bytes) -> str:
    """Return the name under which a session is kept: 16 hexadecimal digits."""
    return sha256(session).hexdigest()[:16]


def pseudonym_on(entry: Entry, day: int) -> str:
    """Return the pseudonym of an entry under the key of the month of a day."""
    return entry[1] if day // 100 == entry[0] // 100 else entry[2]


@dataclass(slots=True)
class Pending:
    """Open sessions by (host, hashed id), and messages by (host, queue id).

    `mails` wait for their acceptance; an entry with an empty pseudonym stands for a webmail host that is trusted for
    the sender. `accepted` wait for their deliveries: local day of the acceptance and pseudonym, "" for a message
    that counts nowhere. `unlinked` are deliveries of messages of an unknown sender, which a content filter may have
    handed back before the log tells whose they are: local day, how many outside, how many of them to free mail.
    `linked` are the ids under which a filter handed mails back, with the local day of the line that says so. `told`
    are the recipients to whom the deliveries of an open mail were counted. `consoles` are hashed threads of Zimbra on
    which an administrator is just logging in to the console: since which instant.
    """

    sessions: dict[tuple[str, str], Entry] = field(default_factory=dict)
    mails: dict[Queue, Entry] = field(default_factory=dict)
    accepted: dict[Queue, tuple[int, str]] = field(default_factory=dict)
    unlinked: dict[Queue, tuple[int, int, int]] = field(default_factory=dict)
    linked: dict[Queue, int] = field(default_factory=dict)
    told: dict[Queue, Told] = field(default_factory=dict)
    consoles: dict[str, int] = field(default_factory=dict)

    def close(self, queue: Queue) -> None:
        """Forget a message that was removed; what was delivered of it may still find its sender."""
        for kept in (self.mails, self.accepted, self.linked, self.told):
            kept.pop(queue, None)

    def forget_before(self, day: int) -> None:
        """Drop what can no longer end, a day later than the rule asks for, as lines may come in disorder."""
        oldest = plus_days(day, -DAYS - 1)
        for kept in (self.sessions, self.mails, self.accepted):
            for name in [name for name, entry in kept.items() if entry[0] < oldest]:
                del kept[name]
        yesterday = plus_days(day, -1)
        for queue in [queue for queue, entry in self.unlinked.items() if entry[0] < yesterday]:
            del self.unlinked[queue]
        for queue in list(self.unlinked)[:-_UNLINKED]:
            del self.unlinked[queue]
        for queue in self.linked.keys() - self.accepted.keys():
            del self.linked[queue]
        for queue in self.told.keys() - self.accepted.keys() - self.unlinked.keys():
            del self.told[queue]

    def as_json(self) -> dict[str, Any]:
        """Return what the cursor holds."""
        return {name: _by_host(getattr(self, name)) for name in ("sessions", "mails", "accepted", "unlinked")} | {
            "linked": _by_host({queue: (day,) for queue, day in self.linked.items()}),
            "told": _by_host({queue: (day, *sorted(marks)) for queue, (day, marks) in self.told.items()}),
            "consoles": _by_host({("", thread): (instant,) for thread, instant in self.consoles.items()}),
        }


def _by_host(kept: Mapping[Queue, tuple[int | str, ...]]) -> dict[str, dict[str, list[int | str]]]:
    nested: dict[str, dict[str, list[int | str]]] = {}
    for (host, name), entry in kept.items():
        nested.setdefault(host, {})[name] = list(entry)
    return nested


def from_json(document: Mapping[str, Any]) -> Pending:
    """Read what `as_json` wrote; also what it wrote before deliveries were counted, and each once."""

    def kept(name: str) -> dict[Queue, list[Any]]:
        nested = document[name] if name in ("sessions", "mails") else document.get(name, {})
        return {(host, key): entry for host, entries in nested.items() for key, entry in entries.items()}

    def entry(found: list[Any]) -> Entry:
        return int(found[0]), str(found[1]), str(found[2])

    return Pending(
        {key: entry(found) for key, found in kept("sessions").items()},
        {key: entry(found) for key, found in kept("mails").items()},
        {key: (int(found[0]), str(found[1])) for key, found in kept("accepted").items()},
        {key: (int(found[0]), int(found[1]), int(found[2])) for key, found in kept("unlinked").items()},
        {key: int(found[0]) for key, found in kept("linked").items()},
        {key: (int(found[0]), frozenset(map(str, found[1:]))) for key, found in kept("told").items()},
        {thread: int(found[0]) for (_, thread), found in kept("consoles").items()},
    )


def without_month(document: Mapping[str, Any], month_day: int) -> dict[str, Any]:
    """Return what `as_json` wrote without anything under the key of a month, given its first day."""

    def under_the_key(name: str, entry: list[Any]) -> bool:
        begun = month_of(int(entry[0]))
        of_the_next = name in ("sessions", "mails") and entry[2] != ""
        return begun.first == month_day or (begun.end == month_day and of_the_next)

    return {
        name: {
            host: {key: entry for key, entry in entries.items() if not under_the_key(name, entry)}
            for host, entries in hosts.items()
        }
        if name in ("sessions", "mails", "accepted", "told")
        else hosts
        for name, hosts in document.items()
    }
