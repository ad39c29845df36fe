"""Whom the officials of the sample province write to: each other, the state, firms, and free mail.

All domains end in the reserved `.example`, those of free mail too: nobody's real address is among them.
"""

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from collector.contract import period
from collector.demo import phu_tho
from collector.demo.ledger import Mail, MailTo

GOVERNMENT_DOMAINS = (phu_tho.MAIL, "trunguong.example")
FREE_MAIL_DOMAINS = ("thumienphi.example", "hopthu.example")

WAITS = (300, 1_800, 10_800, 64_800)
"""Seconds from each failed attempt to deliver a mail to the next one."""

_OFFICES = ("vanthu@bonoivu.trunguong.example", "tiepnhan@trunguong.example")
_FREE = ("thumienphi.example", "vn.thumienphi.example", "hopthu.example")
_OTHERS = ("vanphong.example", "bonganh.example", "doanhnghiep.example", "khongthumienphi.example")


def last_attempt(mail: Mail) -> int:
    """Return the instant of the last attempt to deliver a mail to the first of its recipients."""
    return mail.accepted + 2 + sum(wait + 2 for wait in WAITS[: mail.attempts - 1])


def addressed(
    chance: random.Random,
    mails: Sequence[Mail],
    colleagues: Sequence[str],
    *,
    free: float,
    lost: Collection[int],
    now: int,
) -> Iterator[Mail]:
    """Yield mails with their recipients. Of those outside the state, a share `free` is with free mail.

    `free` below 0: they write to nobody outside. A mail that would arrive on a lost day of the log arrives at once.
    """
    for mail in mails:
        some = [_recipient(chance, colleagues, free) for _ in range(chance.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3)))]
        to = list({one.address: one for one in some}.values())
        if period.local_day(last_attempt(mail)) in lost:
            mail = replace(mail, attempts=1)
        first = to[0]
        if last_attempt(mail) > now:
            to[0] = MailTo(first.address, first.domain, arrived=False)
        yield replace(mail, to=to)


def _recipient(chance: random.Random, colleagues: Sequence[str], free: float) -> MailTo:
    arrived = chance.random() >= 0.025
    number = chance.randint(1, 400)
    dice = chance.random()
    if dice < 0.55 or (free < 0 and dice >= 0.6):
        return MailTo(chance.choice(colleagues), "government", arrived)
    if dice < 0.6:
        return MailTo(chance.choice(_OFFICES), "government", arrived)
    if chance.random() < free:
        return MailTo(f"nguoidan{number}@{chance.choice(_FREE)}", "free", arrived)
    return MailTo(f"khach{number}@{chance.choice(_OTHERS)}", "other", arrived)
