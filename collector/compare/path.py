"""The path from our way of counting dossiers to a source's, one rule at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from collector.compare.result import Cause
from collector.compare.seen import Seen, as_of
from collector.contract.period import OFFSET, iso
from collector.contract.reported import Name, Report, Rules


@dataclass(frozen=True, slots=True)
class View:
    """One way of counting, and from which moment the dossiers are looked at; None: now."""

    rules: Rules
    first: int
    last: int
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From one way of counting to the next: whose share it is, and why in words."""

    cause: Callable[[Any], Cause]  # of one record
    reason: Callable[[Any], str]
    view: View


def path(view: View, report: Report) -> Iterator[Step]:
    """Yield the steps, in a fixed order; a rule that is the same is no step."""
    theirs = report.rules

    def to(**changed: Any) -> View:
        nonlocal view
        view = replace(view, rules=replace(view.rules, **changed))
        return view

    def only(cause: Cause) -> Callable[[Seen], Cause]:
        return lambda _: cause

    def saying(words: str) -> Callable[[Seen], str]:
        return lambda _: words

    if theirs is not None:
        if theirs.channels is not None:
            yield Step(only("channel"), _channel_words, to(channels=theirs.channels))
        if theirs.withdrawn != view.rules.withdrawn:
            yield Step(only("withdrawn"), saying("completed on time there"), to(withdrawn=theirs.withdrawn))
        if theirs.without_due != view.rules.without_due:
            says = saying("on time there")
            yield Step(only("no_due_date"), says, to(without_due=theirs.without_due))
        if theirs.due != view.rules.due:
            yield Step(lambda one: "paused" if one.pauses else "definition", _due_words, to(due=theirs.due))
        if theirs.same_day != view.rules.same_day:
            says = saying("completed on its due day: there the hour decides")
            yield Step(only("definition"), says, to(same_day=theirs.same_day))
        if theirs.refused != view.rules.refused:
            yield Step(only("definition"), saying("refused after work: left out there"), to(refused=theirs.refused))
        if theirs.ended != view.rules.ended:
            yield Step(only("definition"), _ended_words, to(ended=theirs.ended))
        if theirs.apart:
            yield Step(only("paused"), saying("counted apart from the open ones"), to(apart=theirs.apart))
        view = replace(view, rules=theirs)
    if report.made is not None:
        view = replace(view, as_of=report.made)
        yield Step(only("late_entry"), _late_words, view)
    if view.last < report.days.last:
        view = replace(view, last=report.days.last)
        yield Step(only("late_entry"), saying("after the last day that we have covered"), view)


def _channel_words(one: Seen) -> str:
    return f"came by {one.channel}" if one.channel else "came by a channel that nobody knows"


def _due_words(one: Seen) -> str:
    ours = "without a due day that can be judged" if _is_unjudged(one) else f"due {_told(one.effective_due_day)}"
    waited = "waited for a supplement; " if one.pauses else ""
    return f"{waited}{ours} here, {f'due {iso(one.due_day)}' if one.due_day else 'without a due date'} there"


def _ended_words(one: Seen) -> str:
    return f"completed {_told(one.completed_day)}, collected {_told(one.returned_day)}: the second counts there"


def _late_words(one: Seen) -> str:
    if one.removed:
        return "deleted after the source counted"
    return "entered or changed after the source counted"


def _told(day: int | None) -> str:
    return "on no day" if day is None else iso(day)


def counted(one: Seen, name: Name, view: View) -> int:
    """Whether a dossier is counted, as 1 or 0."""
    if view.as_of is not None:
        earlier = as_of(one, view.as_of)
        if earlier is None:
            return 0
        one = earlier
    rules = view.rules
    if one.removed or (rules.channels is not None and one.channel not in rules.channels):
        return 0
    match name:
        case "received":
            return int(_within(one.received_day, view))
        case "withdrawn":
            return int(one.outcome == "withdrawn" and _within(one.ended_day, view))
        case "open":
            return int(_is_open(one, view))
    if rules.withdrawn == "on_time" and one.outcome == "withdrawn":
        return int(name != "late" and _within(one.ended_day, view))
    day = one.completed_day if rules.ended == "completed" else one.returned_day
    if not _within(day, view) or (rules.refused == "out" and one.outcome == "refused_after"):
        return 0
    if name == "completed":
        return 1
    late = _is_late(one, day or 0, rules)
    return int(late is not None and late == (name == "late"))


def _within(day: int | None, view: View) -> bool:
    return day is not None and view.first <= day <= view.last


def _is_unjudged(one: Seen) -> bool:
    return one.due_basis == "current" or one.effective_due_day is None


def _is_late(one: Seen, day: int, rules: Rules) -> bool | None:
    """Whether a completed dossier is late; None if nobody can say."""
    if rules.due == "effective":
        if one.due_basis is None and rules.without_due == "on_time":
            return False
        if _is_unjudged(one):
            return None
        due = one.effective_due_day
    else:
        due = one.due_day
    if due is None:
        return False if rules.without_due == "on_time" else None
    if rules.same_day != "on_time" and rules.due == "current" and day == due and one.completed and one.due:
        return _hour(one.completed, rules) > _hour(one.due, rules)
    return day > due


def _hour(instant: int, rules: Rules) -> int:
    """An instant as the source reads it."""
    noon = rules.same_day == "by_hour_of_12" and (instant + OFFSET) // 3_600 % 24 == 12
    return instant - 12 * 3_600 if noon else instant


def is_undecided(one: Seen, name: Name, view: View) -> bool:
    """Whether the hour decides whether a completed dossier is late, and is not known."""
    rules = view.rules
    if rules.same_day == "on_time" or name not in ("on_time", "late") or not counted(one, "completed", view):
        return False
    return one.completed_day == one.due_day and (one.completed is None or one.due is None)


def _is_open(one: Seen, view: View) -> bool:
    if one.received_day is None or one.received_day > view.last:
        return False
    over = one.completed_day if one.ended_day is None else one.ended_day
    if over is not None:
        return over > view.last
    if one.outcome not in ("open", None):
        return False  # over, on a day that nobody knows
    asked = next((begun for begun, ended in reversed(one.pauses) if ended is None), 0)
    return one.status not in view.rules.apart or asked > view.last
