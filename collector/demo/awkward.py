"""Dossiers written by hand, each with what a clerk says about it and why.

Worked out with a paper calendar, never by running code. Working days of the time around (the number counts on):

  2025-12-31 is 0, and so are the days off 1 to 4 January
  January 2026   5:1   6:2   7:3   8:4   9:5  Saturday 10 (worked):6
                12:7  13:8  14:9  15:10 16:11   19:12 20:13 21:14 22:15 23:16   26:17 27:18 28:19 29:20 30:21
  February       2:22  3:23  4:24  5:25  6:26    9:27 10:28 11:29 12:30 13:31   Tết, 14 to 22, has 31
                23:32 24:33 25:34 26:35 27:36   March 2:37 3:38 4:39

A day off has the number of the working day before it. Days below are written `mmdd` of 2026.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.contract import period
from collector.demo.ledger import Agency, Dossier, Expected, Pause, Promise

FULL, INFORMATION, UNKNOWN = "1.001103", "1.001402", "9.900001"
ABOLISHED, NEW = "1.009901", "2.009902"  # in force until 31 January; from 2 February

_NOTHING = "not counted"


@dataclass(frozen=True, slots=True)
class _Case:
    """`promised` are (day of the promise, due day); `paused` are (begun, ended or None)."""

    reason: str
    received: int | None
    promised: Sequence[tuple[int, int]]
    paused: Sequence[tuple[int, int | None]] = ()
    completed: int | None = None
    outcome: str = ""  # completed or open unless it says otherwise
    ended: int | None = None
    deleted: bool = False
    procedure: str = FULL
    channel: str | None = "online"
    at: str = ""  # the time of completion, hhmmss
    on_time: str = _NOTHING  # on the day of completion
    due: str = _NOTHING  # what dossiers.on_time_due says ...
    due_day: int | None = None  # ... about this day
    online: str = "hit"


_CASES = (
    _Case(
        "Completed on the due day itself: on time.",
        105, [(105, 112)], completed=112, on_time="hit", due="hit", due_day=112,
    ),
    _Case(
        "Completed one day after the due day: late.",
        105, [(105, 112)], completed=113, on_time="miss", due="miss", due_day=112, channel="counter", online="miss",
    ),
    _Case(
        "Due and completed on Saturday 10 January, which was worked: on time.",
        105, [(105, 110)], completed=110, on_time="hit", due="hit", due_day=110,
    ),
    _Case(
        "Due on Friday the 9th, completed on the worked Saturday: late by a day.",
        105, [(105, 109)], completed=110, on_time="miss", due="miss", due_day=109,
    ),
    _Case(
        "Completed long before it was due: on time on the day of completion, and on the due day later.",
        105, [(105, 130)], completed=113, on_time="hit", due="hit", due_day=130,
    ),
    _Case(
        "Due on the 9th, waited from the 7th to the 12th, that is 4 working days (8, 9, 10, 12): due on the 14th.",
        105, [(105, 109)], [(107, 112)], completed=114, on_time="hit", due="hit", due_day=114,
    ),
    _Case(
        "The same wait, completed on the 15th, a day after the moved due date: late.",
        105, [(105, 109)], [(107, 112)], completed=115, on_time="miss", due="miss", due_day=114,
    ),
    _Case(
        "Waited 2 days and then 1: due on the 13th, then the 15th, then the 16th, the day of completion.",
        105, [(105, 113)], [(106, 108), (113, 114)], completed=116, on_time="hit", due="hit", due_day=116,
    ),
    _Case(
        "The second wait began after the 8th but on the 12th, the due date then in force: due on the 14th; late.",
        105, [(105, 108)], [(106, 109), (112, 114)], completed=115, on_time="miss", due="miss", due_day=114,
    ),
    _Case(
        "Waits of 13 to 16 and 15 to 19 January overlap: 4 working days in all, so the 20th becomes the 26th.",
        112, [(112, 120)], [(113, 116), (115, 119)], completed=126, on_time="hit", due="hit", due_day=126,
    ),
    _Case(
        "The same overlap, completed on the 27th: only waits added up twice would make it on time.",
        112, [(112, 120)], [(113, 116), (115, 119)], completed=127, on_time="miss", due="miss", due_day=126,
    ),
    _Case(
        "Waits of 13 to 15 and 15 to 19 touch: 4 working days, due on the 26th, the day of completion.",
        112, [(112, 120)], [(113, 115), (115, 119)], completed=126, on_time="hit", due="hit", due_day=126,
    ),
    _Case(
        "A second request on the day on which the first was answered is still open: paused when it fell due.",
        112, [(112, 120)], [(113, 115), (115, None)],
    ),
    _Case(
        "Asked on Saturday 17th, answered on Tuesday 20th: 2 working days, so the 19th becomes the 21st.",
        112, [(112, 119)], [(117, 120)], completed=121, on_time="hit", due="hit", due_day=121,
    ),
    _Case(
        "Asked on Saturday and answered on Sunday: no working day was waited, due on the 19th all the same; late.",
        112, [(112, 119)], [(117, 118)], completed=120, on_time="miss", due="miss", due_day=119,
    ),
    _Case(
        "Asked and answered on one day: no day was waited, due on the 21st; late.",
        119, [(119, 121)], [(120, 120)], completed=122, on_time="miss", due="miss", due_day=121,
    ),
    _Case(
        "Waited across Tết, 11 to 23 February: 3 working days (12, 13, 23), so the 12th becomes the 24th.",
        209, [(209, 212)], [(211, 223)], completed=224, on_time="hit", due="hit", due_day=224,
    ),
    _Case(
        "The same wait across Tết, completed on the 25th: late, for Tết itself gives no extra days.",
        209, [(209, 212)], [(211, 223)], completed=225, on_time="miss", due="miss", due_day=224,
    ),
    _Case(
        "Waited 2 days (6, 7); due on the 8th, so then on the worked Saturday the 10th; completed on Monday: late.",
        105, [(105, 108)], [(105, 107)], completed=112, on_time="miss", due="miss", due_day=110,
    ),
    _Case(
        "Asked on the due day, answered on the 19th: 2 working days, so the 15th becomes the 19th.",
        112, [(112, 115)], [(115, 119)], completed=119, on_time="hit", due="hit", due_day=119,
    ),
    _Case(
        "Asked the day after it was due: cures nothing.",
        112, [(112, 115)], [(116, 122)], completed=122, on_time="miss", due="miss", due_day=115,
    ),
    _Case(
        "Asked before it was due and not answered yet: neither late nor on time.",
        202, [(202, 206)], [(205, None)],
    ),
    _Case(
        "Asked after it was due and not answered yet: overdue since the 6th.",
        202, [(202, 206)], [(209, None)], due="miss", due_day=206,
    ),
    _Case(
        "Open and overdue: no completion to judge, but it fell due.",
        202, [(202, 210)], due="miss", due_day=210, channel="post", online="miss",
    ),
    _Case(
        "Open and due on 4 March: a miss there as long as it is open, nothing in February.",
        225, [(225, 304)], due="miss", due_day=304,
    ),
    _Case(
        "A new date without a supplement cures nothing: measured against the 9th.",
        105, [(105, 109), (108, 116)], completed=116, on_time="miss", due="miss", due_day=109,
    ),
    _Case(
        "A new date was given, but the first was kept: on time.",
        105, [(105, 109), (108, 116)], completed=109, on_time="hit", due="hit", due_day=109,
    ),
    _Case(
        "The supplement took 2 days (8, 9): due on the 12th, not on the 20th that the office gave itself; late.",
        105, [(105, 109), (109, 120)], [(107, 109)], completed=119, on_time="miss", due="miss", due_day=112,
    ),
    _Case(
        "The office gave an earlier date and missed it, but kept its first promise: on time.",
        105, [(105, 116), (106, 112)], completed=114, on_time="hit", due="hit", due_day=116,
    ),
    _Case(
        "Moved to the 20th and back to the 16th: the first promise is the 16th; late on the 19th.",
        112, [(112, 116), (113, 120), (114, 116)], completed=119, on_time="miss", due="miss", due_day=116,
    ),
    _Case(
        "Completed at 23:59:59 of the due day: on time.",
        119, [(119, 123)], completed=123, at="235959", on_time="hit", due="hit", due_day=123,
    ),
    _Case(
        "Completed at 00:00:00 of the day after, one second later: late.",
        119, [(119, 123)], completed=124, at="000000", on_time="miss", due="miss", due_day=123,
    ),
    _Case(
        "Completed at 00:00:00 of 1 February on the local clock: belongs to February, though it is January in UTC.",
        126, [(126, 202)], completed=201, at="000000", on_time="hit", due="hit", due_day=202,
    ),
    _Case(
        "Completed at 23:59:59 of 31 January: belongs to January, a day late.",
        126, [(126, 130)], completed=131, at="235959", on_time="miss", due="miss", due_day=130,
    ),
    _Case(
        "Refused at intake: never received, counts nowhere.",
        None, [], outcome="refused_at_intake", ended=112, online=_NOTHING,
    ),
    _Case(
        "Refused after work, before it was due: a result like another, on time.",
        112, [(112, 116)], completed=115, outcome="refused_after", on_time="hit", due="hit", due_day=116,
    ),
    _Case(
        "Refused after work, after it was due: late.",
        112, [(112, 116)], completed=119, outcome="refused_after", on_time="miss", due="miss", due_day=116,
    ),
    _Case(
        "Withdrawn before it was due: neither completed nor fallen due.",
        119, [(119, 126)], outcome="withdrawn", ended=122,
    ),
    _Case(
        "Withdrawn on the due day: the citizen took it back while it was in time.",
        119, [(119, 126)], outcome="withdrawn", ended=126,
    ),
    _Case(
        "Withdrawn two days after it was due: overdue on the 26th, whatever came later.",
        119, [(119, 126)], outcome="withdrawn", ended=128, due="miss", due_day=126,
    ),
    _Case(
        "Stopped before it was due: neither completed nor fallen due.",
        119, [(119, 126)], outcome="stopped", ended=123, channel="counter", online="miss",
    ),
    _Case(
        "Stopped after it was due: overdue on the 26th.",
        119, [(119, 126)], outcome="stopped", ended=129, due="miss", due_day=126,
    ),
    _Case(
        "Completed without any due date: nobody can say whether it was in time.",
        112, [], completed=114, on_time="unknown",
    ),
    _Case(
        "Due on a Sunday, completed on the Monday: late, for the promise was Sunday.",
        119, [(119, 125)], completed=126, on_time="miss", due="miss", due_day=125,
    ),
    _Case(
        "Due on Sunday 25th, waited 1 working day (23): the next working day after it is Monday 26th; on time.",
        119, [(119, 125)], [(122, 123)], completed=126, on_time="hit", due="hit", due_day=126,
    ),
    _Case(
        "Due on 18 February, in the middle of Tết; completed on the first day of work: late.",
        209, [(209, 218)], completed=223, on_time="miss", due="miss", due_day=218,
    ),
    _Case(
        "A procedure that the catalogue does not know: on time, but nobody can say whether it is offered online.",
        119, [(119, 123)], completed=122, procedure=UNKNOWN, on_time="hit", due="hit", due_day=123, online="unknown",
    ),
    _Case(
        "An unknown channel code: received, but nobody can say how.",
        119, [(119, 123)], completed=122, channel=None, on_time="hit", due="hit", due_day=123, online="unknown",
    ),
    _Case(
        "Sent by public post: of a procedure offered online, and not filed online.",
        119, [(119, 123)], completed=122, channel="post", on_time="hit", due="hit", due_day=123, online="miss",
    ),
    _Case(
        "A procedure that is only described online: it could not be filed there.",
        119, [(119, 123)], completed=122, procedure=INFORMATION, channel="counter",
        on_time="hit", due="hit", due_day=123, online=_NOTHING,
    ),
    _Case(
        "Received two days after its procedure was abolished: on that day no level is known.",
        202, [(202, 206)], completed=206, procedure=ABOLISHED, on_time="hit", due="hit", due_day=206, online="unknown",
    ),
    _Case(
        "Received on the last working day on which its procedure was in force: offered online.",
        130, [(130, 205)], completed=206, procedure=ABOLISHED, on_time="miss", due="miss", due_day=205,
    ),
    _Case(
        "Received on the first day on which its procedure was in force: offered online.",
        202, [(202, 209)], completed=209, procedure=NEW, on_time="hit", due="hit", due_day=209,
    ),
    _Case(
        "Received before its procedure was in force: on that day no level is known.",
        130, [(130, 206)], completed=206, procedure=NEW, on_time="hit", due="hit", due_day=206, online="unknown",
    ),
    _Case(
        "Entered by mistake and deleted later: counts nowhere.",
        119, [(119, 123)], completed=122, deleted=True, online=_NOTHING,
    ),
    _Case(
        "Deleted while it was open and overdue: counts nowhere.",
        119, [(119, 123)], deleted=True, online=_NOTHING,
    ),
    _Case(
        "Received on 31 December and due on 5 January, the next working day after: on time.",
        -1231, [(-1231, 105)], completed=105, on_time="hit", due="hit", due_day=105,
    ),
    _Case(
        "Completed the day before it was received, by its two dates: on time, and one of them is wrong.",
        224, [(224, 227)], completed=223, on_time="hit", due="hit", due_day=227,
    ),
    _Case(
        "A new date two weeks after the old one had passed: measured against the 11th.",
        209, [(209, 211), (225, 227)], completed=226, on_time="miss", due="miss", due_day=211,
    ),
    _Case(
        "Completed on Wednesday 18 February, in the middle of Tết: on time, on a day on which nobody worked.",
        209, [(209, 224)], completed=218, on_time="hit", due="hit", due_day=224,
    ),
)  # fmt: skip


def _day(short: int) -> int:
    return 20250000 - short if short < 0 else 20260000 + short


def _optional(short: int | None) -> int | None:
    return None if short is None else _day(short)


def dossiers(source: str, agencies: Sequence[Agency], first: int) -> Iterator[Dossier]:
    """Yield the dossiers that came in on `first` (a local day) or later, spread over some agencies."""
    for number, case in enumerate(_CASES, 1):
        came = _optional(case.received) or _optional(case.ended) or 0
        if came < first:
            continue
        agency = agencies[number % len(agencies)]
        counted_due = case.due != _NOTHING
        yield Dossier(
            source=source,
            id=f"{agency.code}-{came % 1_000_000:06d}-{9000 + number}",
            agency=agency.code,
            agency_written=agency.code,
            procedure=case.procedure,
            channel=case.channel,
            received_day=_optional(case.received),
            promises=[Promise(period.day_start(_day(at)) + 9 * 3600, _day(due)) for at, due in case.promised],
            pauses=[
                Pause(str(place), _day(begun), _optional(ended)) for place, (begun, ended) in enumerate(case.paused, 1)
            ],
            outcome=case.outcome or ("open" if case.completed is None else "completed"),
            completed_day=_optional(case.completed),
            completed=_moment(case),
            returned_day=None,
            ended_day=_optional(case.ended),
            deleted=case.deleted,
            expected=Expected(
                reason=case.reason,
                on_time=case.on_time,
                on_time_day=_optional(case.completed) if case.on_time != _NOTHING else None,
                on_time_due=case.due,
                on_time_due_day=_optional(case.due_day) if counted_due else None,
                online=case.online,
            ),
        )


def _moment(case: _Case) -> int | None:
    """Return the instant of completion that a case asks for."""
    if case.completed is None or not case.at:
        return None
    hour, minute, second = int(case.at[:2]), int(case.at[2:4]), int(case.at[4:])
    return period.day_start(_day(case.completed)) + hour * 3600 + minute * 60 + second
