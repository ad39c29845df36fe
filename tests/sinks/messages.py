"""Messages as the tests of delivery need them: small ones, with figures that can be added up by hand."""

from collections.abc import Iterable

from sqlalchemy import Engine, delete

from collector.contract.period import day_start, parse_period
from collector.contract.reading import Reading
from collector.settings.shape import Receiver, ReceiverFile
from collector.sinks.scoring import Sealed, Unit, message
from collector.store import outbox
from collector.store.engine import writing
from collector.store.outbox import Message
from collector.store.schema import delivery_state, lock
from collector.store.schema import outbox as outbox_table
from indicators import dossiers
from tests.servers.scoring_service import TOKEN

MADE = day_start(20260201)
NOW = MADE + 3_600
UNITS = (Unit("H44.01", "Sở A", "departments"), Unit("H44.02", "Sở B", "departments", "thí điểm"))
ON_TIME = next(one for one in dossiers.INDICATORS if one.id == "dossiers.on_time")


def reading(period: str, agency: str = "H44.01", hits: int = 9, judged: int = 10, edition: int | None = 1) -> Reading:
    """A measured reading of the dossiers that were on time."""
    last = parse_period(period).last
    return Reading(
        *("dossiers.on_time", ON_TIME.version, "agency", agency, period, "measured", last, hits, judged, 0, edition)
    )


def edition(period: str = "2026-01", number: int = 1, hits: int = 9) -> Message:
    """The message of an edition with two readings: `hits` of 10, and 7 of 8."""
    told = [reading(period, hits=hits, edition=number), reading(period, "H44.02", 7, 8, number)]
    sealed = Sealed(number, "late" if number > 1 else "", "ab" * 32)
    return message(("H44", "Phú Thọ"), parse_period(period), MADE, told, UNITS, [ON_TIME], sealed=sealed)


def open_one(period: str = "2026-02", hits: int = 4, night: int = 0) -> Message:
    """What is told of a period one night."""
    told = [reading(period, hits=hits, edition=None)]
    return message(("H44", "Phú Thọ"), parse_period(period), MADE + night * 86_400, told, UNITS, [ON_TIME])


def months(count: int) -> Iterable[str]:
    """So many months, from 1900-01 on."""
    return (f"{1900 + number // 12}-{number % 12 + 1:02d}" for number in range(count))


def put(engine: Engine, *messages: Message) -> None:
    """Put messages into the outbox."""
    with writing(engine) as connection:
        for one in messages:
            outbox.enqueue(connection, one, MADE)


def emptied(engine: Engine) -> None:
    """Nothing waits, and nobody sends."""
    with writing(engine) as connection:
        for table in (delivery_state, outbox_table, lock):
            connection.execute(delete(table))


def receiver(url: str, name: str = "scoring", *, open_readings: bool = False, **options: object) -> Receiver:
    """A receiver as it is configured: its token known, and little patience."""
    given = {"token": TOKEN, "timeout": 5, "connect_timeout": 2, "open_readings": open_readings, **options}
    return Receiver(name, ReceiverFile.model_validate({"url": url, **given}))
