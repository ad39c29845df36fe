"""Matches what agencies say that they sent with what their recipients say that they got, by the documents' ids.

A document that travels keeps its id (edXML DocumentId, or the trunk's docId), so both sides can be compared where both
are read: in registers (`out`, `in`) or at a trunk (`sent`, `received`). Nothing of it is a figure: it says which lists
disagree, by pair of agencies, so that somebody can ask why.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from collector.agencies import Register
from collector.contract.period import Period
from collector.contract.tables import delivery, document


@dataclass(frozen=True, slots=True)
class Pair:
    """What a sender and a recipient say of the documents between them, each document once.

    `sent` went out electronically in the period and was not recalled: `matched` stand in the recipient's list (on
    whatever day), `unmatched` do not; `without_id` cannot be matched. If `listed` is False the store holds no list
    of the recipient that has ids: then nobody can say, and both are None. `not_sent` came in the period by the
    recipient's list, and stand in no list of the sender's; None if the sender has no list with ids.
    """

    sender: str
    recipient: str
    sent: int
    without_id: int
    listed: bool
    matched: int | None
    unmatched: int | None
    not_sent: int | None


def match(connection: Connection, register: Register, period: Period) -> Sequence[Pair]:
    """Return the pairs of agencies of the register between which documents went in a period, in order of their codes.

    Days are local: the day of sending for what was sent, the day of issue for what came in.
    """
    d, c = delivery.c, document.c
    travelling = func.coalesce(d.document_id, c.document_id)
    own = (d.source == c.source) & (d.document == c.key)
    sent_ids: dict[tuple[str, str], set[str]] = {}
    in_period: dict[tuple[str, str], set[str]] = {}
    without: Counter[tuple[str, str]] = Counter()
    for sender, recipient, day, name in connection.execute(
        select(c.agency, d.agency, d.sent_day, travelling)
        .join_from(delivery, document, own)
        .where(
            c.direction.in_(("out", "sent")),
            c.removed == 0,
            d.removed == 0,
            func.coalesce(c.recalled, 0) == 0,
            func.coalesce(d.recalled, 0) == 0,
            func.coalesce(d.electronic, 0) == 1,
            c.agency.is_not(None),
            d.agency.is_not(None),
        )
    ):
        pair = sender, recipient
        now = day is not None and period.first <= day <= period.last
        if name is None:
            without[pair] += now
            continue
        sent_ids.setdefault(pair, set()).add(name)
        if now:
            in_period.setdefault(pair, set()).add(name)

    got: dict[str, set[str]] = {}
    got_from: dict[tuple[str, str], set[str]] = {}
    for source, recipient, code, day, name in connection.execute(
        select(c.source, c.agency, c.counterpart, c.issued_day, c.document_id).where(
            c.direction.in_(("in", "received")), c.removed == 0, c.agency.is_not(None), c.document_id.is_not(None)
        )
    ):
        got.setdefault(recipient, set()).add(name)
        if day is not None and period.first <= day <= period.last:
            told = register.resolve(source, code or "", day)
            if told is not None:
                got_from.setdefault((told, recipient), set()).add(name)

    senders = {sender for sender, _ in sent_ids}
    pairs = []
    for pair in sorted({*in_period, *got_from, *(one for one, count in without.items() if count)}):
        sender, recipient = pair
        ids = in_period.get(pair, set())
        listed = recipient in got
        found = len(ids & got.get(recipient, set()))
        came = got_from.get(pair, set())
        pairs.append(
            Pair(
                sender=sender,
                recipient=recipient,
                sent=len(ids) + without[pair],
                without_id=without[pair],
                listed=listed,
                matched=found if listed else None,
                unmatched=len(ids) - found if listed else None,
                not_sent=len(came - sent_ids.get(pair, set())) if sender in senders else None,
            )
        )
    return pairs
