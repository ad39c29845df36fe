"""One run of a source at a time: a lease in the store, with a token that only rises.

A run renews its lease with each save, and each save checks the token: a run that slept past its lease (a suspended
machine) finds that another has taken over, and writes nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep

import psutil
from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import sqlite

from collector.clock import Clock
from collector.contract.errors import TryAgain
from collector.store.engine import writing
from collector.store.schema import lock

PROCESS = " process "
"""Stands in the name of a holder, `user@host process 123`, before the number of its process."""

LEASE = 15 * 60
"""Seconds for which a run that does not report is still believed to be alive."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that is held: its name and its token."""

    name: str
    token: int


@contextmanager
def held(
    engine: Engine,
    name: str,
    holder: str,
    clock: Clock,
    *,
    wait: bool,
    says: Callable[[str], None],
    every: float = 0.5,
    what: str = "run of this source",
) -> Iterator[Held]:
    """Hold the lease `name` for as long as the block runs.

    While another run holds it: wait, saying so once, or with `wait` False raise TryAgain. `clock` must be the
    machine's own, also where the program's clock is fixed. `what` names what holds it, in what is said.
    """
    told = False
    while (token := _take(engine, name, holder, clock())) is None:
        if not wait:
            raise TryAgain(
                f"another {what} is under way",
                source=name,
                stage="lock",
                mend="Wait for it to end, or leave out --no-wait",
            )
        if not told:
            says(f"{name}: another {what} is under way; waiting for it to end")
            told = True
        sleep(every)
    lease = Held(name, token)
    try:
        yield lease
    finally:
        with writing(engine) as connection:
            connection.execute(
                lock.update().where(lock.c.name == name, lock.c.token == token).values(holder="", until=0)
            )


def give_back(engine: Engine, holder: str) -> None:
    """Give back every lease of a holder that ends with runs unfinished: its next one need not wait for their end.

    A run of it that should still come to a save is told that it has lost its lease.
    """
    with writing(engine) as connection:
        connection.execute(
            lock.update().where(lock.c.holder == holder).values(holder="", until=0, token=lock.c.token + 1)
        )


def _take(engine: Engine, name: str, holder: str, now: int) -> int | None:
    with writing(engine) as connection:
        row = connection.execute(select(lock).where(lock.c.name == name)).one_or_none()
        if row is not None and row.holder and row.until > now and not _has_ended(row.holder, holder):
            return None
        token = 1 if row is None else row.token + 1
        statement = sqlite.insert(lock).values(name=name, token=token, holder=holder, until=now + LEASE)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["name"],
                set_={"token": token, "holder": holder, "until": now + LEASE},
            )
        )
        return token


def _has_ended(other: str, own: str) -> bool:
    """Say whether a holder was a process of this machine that is no more: its lease need not run out first.

    Should it be alive all the same (in a container with other numbers), its next save finds its token outdated.
    """
    (place, _, number), (own_place, _, _) = other.rpartition(PROCESS), own.rpartition(PROCESS)
    same_machine = bool(place) and place.rpartition("@")[2] == own_place.rpartition("@")[2]
    return same_machine and number.isdigit() and not psutil.pid_exists(int(number))


def renew(connection: Connection, lease: Held, now: int) -> None:
    """Renew a lease inside the transaction of a save; TryAgain if another run has taken it over meanwhile."""
    renewed = connection.execute(
        lock.update().where(lock.c.name == lease.name, lock.c.token == lease.token).values(until=now + LEASE)
    ).rowcount
    if not renewed:
        raise TryAgain(
            "this run was silent for so long that another one has taken over",
            source=lease.name,
            stage="save",
            mend="Nothing is lost: the other run reads the same",
        )
