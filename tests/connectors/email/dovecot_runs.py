"""Runs of the connector through the real HTTP door, and what a store keeps of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from collector.contract.connector import Batch, Row, Want
from collector.contract.door import Pages
from collector.contract.period import day_start, plus_days
from collector.contract.records import Mailbox, columns
from collector.transports import Run, http
from connectors.email import dovecot
from connectors.email.dovecot import Config
from tests.connectors.email.dovecot_double import KEY
from tests.connectors.email.reading import Kept, pseudonym

SINCE = 20260101


def morning(day: int) -> int:
    """Two hours into a local day: the instant at which a run of that day begins."""
    return day_start(day) + 7200


@contextmanager
def open_door(address: str, day: int = 20260115, key: str = KEY, **options: Any) -> Iterator[Pages]:
    login = {"token": SecretStr(key), "token_prefix": "X-Dovecot-API ", "token_base64": True}
    settings = http.Options.model_validate({"base_url": address, "tries": 1, "timeout": 30, **login, **options})
    with http.open_door(settings, Run("dovecot", morning(day), 120.0, 100_000, pseudonym)) as door:
        yield door


def want(kept: Kept, day: int, **more: Any) -> Want:
    asked = {
        "cursor": kept.cursor,
        "since": SINCE,
        "first_day": SINCE,
        "last_day": plus_days(day, -1),
        "mailboxes": kept.of_month,
    }
    return Want(**asked | more)


def run(address: str, kept: Kept, day: int, config: Config | None = None, **more: Any) -> list[Batch]:
    """Run the connector on a local day, keep what it yields as far as it comes, and return it."""
    wanted = want(kept, day, **more)
    batches = []
    with open_door(address, day) as door:
        for batch in dovecot.fetch(config or Config(), door, wanted):
            kept.save(batch, window=wanted.window)
            batches.append(batch)
    return batches


def row_of(kept: Kept, address: str, month_day: int) -> Row:
    return kept.mailboxes[f"{month_day // 100}:{pseudonym(address, month_day)}"]


def told(kept: Kept, address: str, month_day: int) -> tuple[int, int | None] | None:
    """first_listed_day and closed_day of a mailbox in a month; None without a row."""
    row = kept.mailboxes.get(f"{month_day // 100}:{pseudonym(address, month_day)}")
    return None if row is None else (value(row, "first_listed_day"), value(row, "closed_day"))


def value(row: Row, column: str) -> Any:
    return row[columns(Mailbox).index(column)]
