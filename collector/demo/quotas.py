"""How full the mailboxes of the sample province are, and what their lists say of it."""

import random
from collections.abc import Sequence

from collector.demo.ledger import Mailbox, Size

_MB, _GB = 1 << 20, 1 << 30
_LIMITS = (500 * _MB, 2 * _GB, 5 * _GB)
_UNLIMITED = ("0", "khong_gioi_han", "-")


def sizes(
    chance: random.Random, box: Mailbox, first_day: int, list_days: Sequence[int], *, unlimited: float, untold: float
) -> list[Size]:
    """Return how full a mailbox is from its first day on; it changes on a few of the days of which there is a list."""
    begin = max(box.created_day, first_day)
    later = [day for day in list_days if day > begin]
    days = [begin, *sorted(chance.sample(later, min(len(later), chance.choice((0, 0, 1, 2)))))]
    dice = chance.random()
    if dice < untold:
        quota = None
    elif dice < untold + (1 - untold) * unlimited:
        quota = 0
    else:
        quota = chance.choice(_LIMITS)
    found = [Size(day, quota, _used(chance, quota or _GB)) for day in days]
    return [size for size in found if box.locked_day is None or size.from_day < box.locked_day]


def _used(chance: random.Random, limit: int) -> int | None:
    dice = chance.random()
    if dice < 0.003:
        return None
    if dice < 0.02:
        return limit * 9 // 10 - 1
    if dice < 0.04:
        return -(-limit * 9 // 10)  # the smallest number that is at 90 %
    if dice < 0.05:
        return limit + 4096  # a mailbox may be over its limit
    return int(limit * chance.random() ** 0.6)


def written(size: Size, place: int) -> tuple[str, str]:
    """Return quota and used as a list writes them, some so and some otherwise."""
    if size.quota is None:
        quota = ""
    elif size.quota == 0:
        quota = _UNLIMITED[place % len(_UNLIMITED)]
    elif place % 2:
        quota = str(size.quota)
    else:
        quota = f"{size.quota // _GB} GB" if size.quota % _GB == 0 else f"{size.quota // _MB}MB"
    return quota, "" if size.used is None else str(size.used)
