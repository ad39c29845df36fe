"""What waits for receivers and what deliveries did: as text and tables for people, and as JSON for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.markup import escape

from collector.contract.errors import CollectorError
from collector.contract.period import rfc3339
from collector.sinks.columns import Column, table
from collector.sinks.delivery import Compared, Outcome
from collector.sinks.terminal import Shown
from collector.store.outbox import Entry, Standing

_ENTRIES = (
    Column("receiver"),
    Column("key"),
    Column("since"),
    Column("tries", "figure"),
    Column("next try"),
    Column("last error", "prose"),
)


def entries(listed: Sequence[Entry], width: int) -> list[Shown]:
    """Messages that wait, or are dead, one a line."""
    rows = [
        [
            one.receiver,
            escape(one.key),
            _minute(one.made),
            f"{one.attempts:,}",
            "never" if one.state == "dead" else _minute(one.next_attempt) if one.next_attempt else "at once",
            escape(one.last_error),
        ]
        for one in listed
    ]
    return [table(_ENTRIES, rows, width)] if rows else []


def entry_json(one: Entry) -> dict[str, Any]:
    """A message at a receiver, for programs."""
    return {
        "receiver": one.receiver,
        "key": one.key,
        "kind": one.kind,
        "period": one.period,
        "edition": one.edition,
        "digest": one.digest,
        "made": rfc3339(one.made),
        "state": one.state,
        "attempts": one.attempts,
        "next_attempt": rfc3339(one.next_attempt) if one.next_attempt else None,
        "last_error": one.last_error,
    }


def outcomes(done: Iterable[Outcome], width: int) -> list[Shown]:
    """What a delivery did, a line for each receiver."""
    titles = ("acknowledged", "waiting", "dead")
    columns = [Column("receiver"), Column("result"), *(Column(title, "figure") for title in titles)]
    rows = [
        [
            one.receiver,
            "[red]failed[/]" if one.failure else "[yellow]some are dead[/]" if one.dead else "done",
            *(f"{count:,}" for count in (one.acknowledged, one.pending, one.dead)),
        ]
        for one in done
    ]
    return [table(columns, rows, width)] if rows else []


def outcome_json(one: Outcome) -> dict[str, Any]:
    """What a delivery to one receiver did, for programs."""
    return {
        "receiver": one.receiver,
        "acknowledged": one.acknowledged,
        "died": one.died,
        "pending": one.pending,
        "dead": one.dead,
        "failure": _failure(one.failure),
    }


def compared(done: Iterable[Compared]) -> list[Shown]:
    """What receivers lack, and what they have that is not ours."""
    lines: list[Shown] = []
    for one in done:
        if one.failure is not None:
            continue
        words = [
            *(f"it lacks {escape(key)}, which it had acknowledged: told again" for key in one.lacking),
            *(f"it has {escape(key)}: its acknowledgement was lost" for key in one.known),
            *(f"[red]under {escape(key)} it has another content than was told[/]" for key in one.other),
        ]
        lines += [f"[bold]{one.receiver}[/]: {word}" for word in words or ["it has all that it acknowledged"]]
    return lines


def compared_json(one: Compared) -> dict[str, Any]:
    """What a receiver lacks, for programs."""
    return {
        "receiver": one.receiver,
        "lacking": list(one.lacking),
        "known": list(one.known),
        "other": list(one.other),
        "failure": _failure(one.failure),
    }


def standings(found: Iterable[Standing], width: int) -> list[Shown]:
    """How far each receiver has been told, then what went wrong with it last."""
    columns = [Column("receiver"), Column("last acknowledged"), Column("waiting", "figure"), Column("dead", "figure")]
    columns.append(Column("oldest since"))
    rows, words = [], []
    for one in found:
        acknowledged, oldest = (
            "–" if instant is None else _minute(instant) for instant in (one.acknowledged, one.oldest)
        )
        rows.append([one.receiver, acknowledged, f"{one.pending:,}", f"{one.dead:,}", oldest])
        if one.last_error:
            again = f"; tried again at {_minute(one.next_attempt)}" if one.next_attempt else ""
            error = one.last_error.removeprefix(f"{one.receiver}, ")  # it names its receiver itself
            words.append(f"[bold]{one.receiver}[/]: {escape(error)}{again}")
        if one.dead:
            words.append(f"[bold]{one.receiver}[/]: `collector deliver --dead` lists what it will not take")
    return [table(columns, rows, width), *(["", *words] if words else ())]


def _failure(one: CollectorError | None) -> dict[str, str] | None:
    if one is None:
        return None
    return {"stage": one.stage, "field": one.field, "reason": one.reason, "mend": one.mend}


def _minute(instant: int) -> str:
    return rfc3339(instant)[:16].replace("T", " ")
