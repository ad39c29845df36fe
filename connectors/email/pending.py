"""What a log has begun and not yet ended: sessions that are open, messages that are not yet accepted.

It crosses from one batch to the next, and from one run to the next inside the cursor. It never holds an address: a
mailbox is its pseudonym under the key of the month in which it was seen and, where the end may fall into the next
month, under that month's key. A session's id holds the client's network address, so only its hash is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from collector.contract.period import plus_days

DAYS = 7
"""The local days after its first one in which something pending may still end."""

Entry = tuple[int, str, str]
"""Local day of the beginning, pseudonym under that month's key, and under the next month's if it may be needed."""


def hashed(session: bytes) -> str:
    """Return the name under which a session is kept: 16 hexadecimal digits."""
    return sha256(session).hexdigest()[:16]


def pseudonym_on(entry: Entry, day: int) -> str:
    """Return the pseudonym of an entry under the key of the month of a day."""
    return entry[1] if day // 100 == entry[0] // 100 else entry[2]


@dataclass(slots=True)
class Pending:
    """Open sessions by (host, hashed id), and queue ids by (host, id) that wait for their acceptance.

    A queue id's entry with an empty pseudonym stands for a webmail host that is trusted for the sender.
    """

    sessions: dict[tuple[str, str], Entry] = field(default_factory=dict)
    mails: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def forget_before(self, day: int) -> None:
        """Drop what can no longer end, a day later than the rule asks for, as lines may come in disorder."""
        oldest = plus_days(day, -DAYS - 1)
        for kept in (self.sessions, self.mails):
            for name in [name for name, entry in kept.items() if entry[0] < oldest]:
                del kept[name]

    def as_json(self) -> dict[str, Any]:
        """Return what the cursor holds."""
        return {"sessions": _by_host(self.sessions), "mails": _by_host(self.mails)}


def _by_host(kept: Mapping[tuple[str, str], Entry]) -> dict[str, dict[str, list[int | str]]]:
    nested: dict[str, dict[str, list[int | str]]] = {}
    for (host, name), entry in kept.items():
        nested.setdefault(host, {})[name] = list(entry)
    return nested


def from_json(document: Mapping[str, Any]) -> Pending:
    """Read what `as_json` wrote."""

    def kept(name: str) -> dict[tuple[str, str], Entry]:
        return {
            (host, key): (int(entry[0]), str(entry[1]), str(entry[2]))
            for host, entries in document[name].items()
            for key, entry in entries.items()
        }

    return Pending(kept("sessions"), kept("mails"))
