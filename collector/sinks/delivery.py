"""Delivery: what waits in the outbox is told to each receiver, in order, until it answers with what it has applied.

Whatever is cut, and wherever: a message that was not noted as acknowledged is told again under the same key, and a
receiver applies a key once. How often it was tried and when the next time is due stands in the outbox, so that a
restart neither forgets a receiver's wish to be left alone nor begins to hammer.
"""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Engine

from collector.clock import Clock
from collector.contract.connector import Finding
from collector.contract.door import JSON
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.settings.shape import Receiver
from collector.sinks.scoring import SCHEMA
from collector.store import locks, outbox
from collector.store.engine import reading, writing
from collector.store.locks import Held
from collector.store.outbox import Entry

if TYPE_CHECKING:
    from collector.transports import receiver as transport
    from collector.transports.receiver import Reply

FIRST_REST, LONGEST_REST = 60, 3_600
"""Seconds between a failure and the next attempt: twice as long each time, up to the longest."""

LONGEST_WISH = 86_400
"""So many seconds a receiver is left alone at the most, whatever it asks for."""

UNPROVED = 8
"""So often a message is told to a receiver that answers, but never with what it applied; then somebody has to look."""

_BATCH = 200
_PATIENCE = {408, 425, 429}
_REFUSED = {401, 403, 404, 405, 407, 410}
"""They speak of us or of the address, not of a message: no other message would fare better."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a delivery to one receiver did: how many messages were acknowledged, how many died, how many still wait.

    `failure` is what ended it before all was told.
    """

    receiver: str
    acknowledged: int
    died: int
    pending: int
    dead: int
    failure: CollectorError | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What a receiver says that it has applied, against what it has acknowledged: keys of editions.

    `lacking` it has acknowledged and lacks: it is told them again. `known` it has, though it never acknowledged them.
    `other` it has with another content than ours.
    """

    receiver: str
    lacking: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    failure: CollectorError | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an answer means. `again`: later. `held`: later, and much; nothing will do before somebody has looked."""

    kind: Literal["acknowledged", "again", "held", "unproved", "dead"]
    failure: CollectorError | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """What a delivery needs: the store, the machine's own clock, and who it is.

    `jitter` gives a number from 0 to 1: so that several collectors do not come back in the same second.
    """

    engine: Engine
    clock: Clock
    holder: str
    jitter: Callable[[], float] = SystemRandom().random


def deliver(
    sender: Sender,
    to: Receiver,
    *,
    wait: bool,
    says: Callable[[str], None],
    only_due: bool = False,
    stopping: Callable[[], bool] = lambda: False,
    told: Callable[[Entry], None] = lambda _: None,
) -> Outcome:
    """Tell a receiver what waits for it; `told` is called with each message that it has acknowledged.

    One sender at a time: `wait` and `says` as of `locks.held`, which raises TryAgain. `only_due`: nothing before the
    time of its next attempt. The first message that the receiver cannot take now ends it, for they are told in order.
    """
    acknowledged = died = 0
    failure: CollectorError | None = None
    with (
        locks.held(
            *(sender.engine, f"receiver {to.name}", sender.holder, sender.clock),
            wait=wait,
            says=says,
            what="delivery to this receiver",
        ) as lease,
        _door(to, sender.clock) as door,
    ):
        while failure is None and (batch := _batch(sender, to)):
            for entry in batch:
                if stopping() or (only_due and entry.next_attempt > sender.clock()):
                    return _outcome(sender, to, acknowledged, died)
                verdict = _tell(sender, door, entry)
                if verdict is None:  # a later one has replaced it
                    continue
                noted = _noted(entry, verdict, sender)
                _note(sender, lease, noted)
                if noted.state == "acknowledged":
                    acknowledged += 1
                    told(noted)
                elif noted.state == "dead":
                    died += 1
                else:
                    failure = verdict.failure
                    break
    return _outcome(sender, to, acknowledged, died, failure)


def compare(sender: Sender, to: Receiver, *, wait: bool, says: Callable[[str], None]) -> Compared:
    """Ask a receiver which editions it has applied; have it told again what it lacks (an old backup was restored)."""
    with (
        locks.held(
            *(sender.engine, f"receiver {to.name}", sender.holder, sender.clock),
            wait=wait,
            says=says,
            what="delivery to this receiver",
        ) as lease,
        _door(to, sender.clock) as door,
    ):
        try:
            theirs = _listed(to.name, door.all_applied())
        except CollectorError as error:
            return Compared(to.name, failure=error)
        now = sender.clock()
        with writing(sender.engine, durable=True) as connection:
            locks.renew(connection, lease, now)
            ours = outbox.editions(connection, to.name)
            lacking = [one for one in ours if one.state == "acknowledged" and one.key not in theirs]
            known = [one for one in ours if one.state == "pending" and theirs.get(one.key) == one.digest]
            other = [one for one in ours if theirs.get(one.key, one.digest) != one.digest]
            outbox.tell_again(connection, to.name, [one.sequence for one in lacking], now)
            for one in known:
                outbox.note(connection, replace(one, state="acknowledged", last_error=""), now)
    return Compared(
        to.name,
        tuple(one.key for one in lacking),
        tuple(one.key for one in known),
        tuple(one.key for one in other),
    )


def _door(to: Receiver, clock: Clock) -> "AbstractContextManager[transport.Receiver]":
    from collector.transports import receiver  # here, as all that only some commands need

    return receiver.open_receiver(to.name, to.options, clock)


def live(to: Receiver, clock: Clock) -> list[Finding]:
    """Try a receiver, stage by stage: reach, log in, and whether it understands our messages. It is told nothing."""
    try:
        with _door(to, clock) as door:
            reply = door.contract()
        found = [Finding("reach", "ok", f"{to.options.url} answers")]
        if (refused := _refusal(to.name, reply)) is not None:
            raise refused
        if reply.status != 200 or not isinstance(reply.content, dict):
            raise UnexpectedAnswer(
                f"GET /contract was answered with {reply.status}{_said(reply)}",
                source=to.name,
                stage="answer",
                mend="Check `url`: it is the address below which /contract and /messages are asked",
            )
    except CollectorError as error:
        where = f"{error.stage}, {error.field}" if error.field else error.stage
        return [Finding(where or "reach", "failed", error.reason, error.mend)]
    secured = to.options.token is not None or to.options.user is not None
    found.append(Finding("log in", "ok" if secured else "unproved", "" if secured else "no token and no user is set"))
    schemas = reply.content.get("schemas")
    if isinstance(schemas, list) and SCHEMA in schemas:
        return [*found, Finding("schema", "ok", SCHEMA)]
    known = ", ".join(map(_plain, schemas[:5])) if isinstance(schemas, list) else "none that it names"
    return [
        *found,
        Finding("schema", "failed", f"it does not understand {SCHEMA}, but {known}", "Update one of the two"),
    ]


def _batch(sender: Sender, to: Receiver) -> list[Entry]:
    with reading(sender.engine) as connection:
        return outbox.waiting(connection, to.name, open_readings=to.open_readings, limit=_BATCH)


def _outcome(
    sender: Sender, to: Receiver, acknowledged: int, died: int, failure: CollectorError | None = None
) -> Outcome:
    with reading(sender.engine) as connection:
        now = outbox.standing(connection, to.name, open_readings=to.open_readings)
    return Outcome(to.name, acknowledged, died, now.pending, now.dead, failure)


def _tell(sender: Sender, door: "transport.Receiver", entry: Entry) -> _Verdict | None:
    with reading(sender.engine) as connection:
        body = outbox.body(connection, entry.sequence)
    if not body:
        return None
    try:
        reply = door.tell(entry.key, entry.digest, body)
        if reply.status == 409 and _digest(reply.content) is None:  # it says neither which: asked apart
            asked = door.applied(entry.key)
            if asked.status == 200:
                reply = replace(reply, content=asked.content)
    except AccessDenied as error:
        return _Verdict("held", error)
    except TryAgain as error:
        return _Verdict("again", error)
    return _judge(door.name, entry, len(json.loads(body)["readings"]), reply)


def _judge(name: str, entry: Entry, readings: int, reply: "Reply") -> _Verdict:
    status, applied = reply.status, _digest(reply.content)
    if status == 409 and applied == entry.digest:
        return _Verdict("acknowledged")
    if status in (200, 201):
        wrong = _missing_proof(entry, readings, reply)
        if not wrong:
            return _Verdict("acknowledged")
        return _Verdict("unproved", _unexpected(name, entry, f"was answered with {status}, but {wrong}"))
    if status in _PATIENCE or status >= 500:
        return _Verdict(
            "again",
            TryAgain(
                f"{entry.key} was answered with {status}{_said(reply)}",
                source=name,
                stage="answer",
                mend="The service is overloaded or down; ask its operator if it stays so",
                after=reply.after,
            ),
            reply.after,
        )
    if (refused := _refusal(name, reply)) is not None:
        return _Verdict("held", refused)
    if status == 409:
        other = f"it has applied another content under this key, {_plain(applied)}" if applied else "it says no more"
        return _Verdict("dead", _unexpected(name, entry, f"was answered with 409: {other}{_said(reply)}"))
    if 400 <= status < 500:
        return _Verdict("dead", _unexpected(name, entry, f"was answered with {status}{_said(reply)}"))
    return _Verdict("unproved", _unexpected(name, entry, f"was answered with {status}, which is no acknowledgement"))


def _missing_proof(entry: Entry, readings: int, reply: "Reply") -> str:
    """What keeps an answer from being an acknowledgement; "" if nothing does."""
    content = reply.content
    if not isinstance(content, dict):
        return f"not with a JSON object{_said(reply)}"
    if content.get("key") != entry.key:
        return "for another key"
    if content.get("digest") != entry.digest:
        return f"with the digest {_plain(content.get('digest'))}; what was told has {entry.digest}"
    if content.get("readings") != readings:
        return f"it applied {_plain(content.get('readings'))} of {readings} readings"
    return ""


def _refusal(name: str, reply: "Reply") -> CollectorError | None:
    """What to say if it was not a message that was refused, but we, or the address."""
    if reply.status in (401, 403, 407):
        return AccessDenied(
            f"it answered with {reply.status}{_said(reply)}",
            source=name,
            stage="log in",
            mend="Check token, user and password, and that this account may tell messages from this host",
        )
    if reply.status in _REFUSED or 300 <= reply.status < 400:
        return UnexpectedAnswer(
            f"it answered with {reply.status}{_said(reply)}",
            source=name,
            stage="answer",
            field="url",
            mend="Set url to the address below which /messages is asked; redirects are not followed",
        )
    return None


def _noted(entry: Entry, verdict: _Verdict, sender: Sender) -> Entry:
    attempts = entry.attempts + 1
    if verdict.kind == "acknowledged":
        return replace(entry, state="acknowledged", attempts=attempts, next_attempt=0, last_error="")
    unproved = entry.unproved + (verdict.kind == "unproved")
    entry = replace(entry, attempts=attempts, unproved=unproved, last_error=str(verdict.failure))
    if verdict.kind == "dead" or unproved >= UNPROVED:
        return replace(entry, state="dead", next_attempt=0)
    rest = LONGEST_REST if verdict.kind == "held" else min(LONGEST_REST, FIRST_REST << min(attempts - 1, 10))
    seconds = max(rest * (1 + sender.jitter()) / 2, min(verdict.after or 0, LONGEST_WISH))
    next_attempt = sender.clock() + round(seconds)
    return replace(entry, state="pending", next_attempt=next_attempt)


def _note(sender: Sender, lease: Held, entry: Entry) -> None:
    # What the receiver was told must not be forgotten here: what ends with it is on the disk before the next goes out.
    now = sender.clock()
    with writing(sender.engine, durable=entry.state != "pending") as connection:
        locks.renew(connection, lease, now)
        outbox.note(connection, entry, now)


def _listed(name: str, reply: "Reply") -> dict[str, str]:
    if (refused := _refusal(name, reply)) is not None:
        raise refused
    if reply.status in _PATIENCE or reply.status >= 500:
        raise TryAgain(f"GET /messages was answered with {reply.status}{_said(reply)}", source=name, stage="answer")
    found = reply.content.get("messages") if isinstance(reply.content, dict) else None
    listed = {}
    for one in found if isinstance(found, list) else [None]:
        if not isinstance(one, dict) or not isinstance(one.get("key"), str) or not isinstance(one.get("digest"), str):
            raise UnexpectedAnswer(
                f"GET /messages was answered with {reply.status} and not with keys and digests{_said(reply)}",
                source=name,
                stage="answer",
                mend="Show the service's operator docs/delivery.md",
            )
        listed[one["key"]] = one["digest"]
    return listed


def _digest(content: JSON) -> str | None:
    found = content.get("digest") if isinstance(content, dict) else None
    return found if isinstance(found, str) and found else None


def _plain(value: JSON) -> str:
    """What a receiver wrote, as it can stand in a line of ours."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))[:80]


def _said(reply: "Reply") -> str:
    return f" ({reply.words})" if reply.words else ""


def _unexpected(name: str, entry: Entry, reason: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(
        f"{entry.key} {reason}",
        source=name,
        stage="answer",
        mend=f"Mend it there, then `collector deliver --replay {entry.key}`",
    )
