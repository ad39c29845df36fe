"""A log that is rotated while it is read, by a reader that is cut off and killed: nothing is lost or counts twice.

Writer and reader take turns at every operation of the door - each list, each open, each block - as a random number
generator says; the reader is `collect`, with the mail connector before it and a store behind it. Each seed is one
interleaving, and can be run again by itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from sqlalchemy import Engine, delete, func, select

from collector import collect as collecting
from collector.agencies import Register
from collector.collect import Job, Outcome, Tools, Wanted, collect
from collector.contract.connector import Connector
from collector.contract.door import FileEntry, Files
from collector.contract.errors import TryAgain
from collector.contract.period import local_day
from collector.contract.tables import mailbox_day
from collector.store.engine import reading, writing
from collector.store.save import read_spans, save
from collector.store.schema import coverage, cursor, quarantine, run
from collector.transports import Run, folder, ssh
from connectors.email import chain, mail_log
from connectors.email.mail_log import Config
from tests.connectors.email.reading import pseudonym
from tests.proof.rotating_log import FORMS, SINCE, STYLES, Cell, Counts, Writer
from tests.servers.openssh import OpenSSH
from tests.store.small import PLAN, store

USUALLY = 16
"""Interleavings of each run of the tests: every style of rotation in every form of time once."""

Open = Callable[[Path, Run], AbstractContextManager[Files]]


class Killed(BaseException):
    """The reader was killed: nothing that it had not committed is left."""


@dataclass
class Turns:
    """A door at which the writer takes its turns, and at which the reader may meet its end."""

    door: Files
    random: Random
    writer: Writer
    often: float  # how probable a turn of the writer is at each operation
    fatal: float  # how probable the reader's end is

    @property
    def source(self) -> str:
        return self.door.source

    @property
    def began(self) -> int:
        return self.door.began

    def pseudonym(self, address: str, day: int) -> str:
        return self.door.pseudonym(address, day)

    def list(self, pattern: str) -> Sequence[FileEntry]:
        self._turn()
        listed = self.door.list(pattern)
        self._turn()
        return listed

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        self._turn()
        for block in self.door.read(name, start, end):
            cut = self.random.randrange(1, len(block) + 1)
            for part in (block[:cut], block[cut:]):
                if part:
                    self._turn()
                    yield part

    def _turn(self) -> None:
        while self.random.random() < self.often:
            self.writer.step()
        if self.random.random() < self.fatal:
            raise self.random.choice([Killed(), KeyboardInterrupt(), TryAgain("the line broke", stage="read")])


@dataclass
class Interleaving:
    """One random course of events, all of it decided by its seed."""

    seed: int
    writer: Writer
    random: Random
    store: Engine
    register: Register
    open: Open

    @property
    def source(self) -> str:
        return f"mail{self.seed}"

    def poll(self, often: float = 0.0, fatal: float = 0.0, path: Path | None = None, source: str = "") -> str:
        """Read once, to the end or to whatever happens; return how it ended."""
        began = self.writer.now + self.random.randrange(60)

        @contextmanager
        def door(_began: int) -> Iterator[Turns]:
            asked = Run(source or self.source, began, 600, 1_000_000, pseudonym)
            with self.open(path or self.writer.folder, asked) as opened:
                yield Turns(opened, self.random, self.writer, often, fatal)

        job = Job(source or self.source, cast(Connector, mail_log), Config(lists=""), SINCE, door)
        tools = Tools(self.store, self.register, PLAN, lambda: began, lambda: began, "proof")
        try:
            outcome = collect(job, tools, Wanted(), wait=False, says=_silent, progress=_silent)
        except (Killed, KeyboardInterrupt) as end:
            return type(end).__name__
        return _expected(outcome)

    def counted(self, source: str = "") -> dict[Cell, Counts]:
        """What the store says, by local day and pseudonym."""
        facts = mailbox_day.c
        sums = [func.sum(one) for one in (facts.sessions, facts.sent, facts.sent_outside, facts.sent_free)]
        question = select(facts.day, facts.pseudonym, *sums).where(facts.source == (source or self.source))
        with reading(self.store) as connection:
            rows = connection.execute(question.group_by(facts.day, facts.pseudonym)).all()
        return {(day, who): (sessions, sent, outside, free) for day, who, sessions, sent, outside, free in rows}

    def covered(self, source: str = "") -> set[int]:
        with reading(self.store) as connection:
            return set(
                connection.scalars(select(coverage.c.day).where(coverage.c.source == (source or self.source))).all()
            )

    def true(self) -> dict[Cell, Counts]:
        """What the writer did, by local day and pseudonym."""
        return {(day, pseudonym(user, day)): counts for (day, user), counts in self.writer.true(self.seen()).items()}

    def seen(self) -> dict[str, int]:
        """How many bytes of each file were read and saved, without a hole and without anything twice."""
        with reading(self.store) as connection:
            spans = read_spans(connection, self.source)
        for ranges in spans.values():
            assert [one.start for one in ranges] == [0, *(one.end for one in ranges[:-1])]
        return {file: ranges[-1].end for file, ranges in spans.items()}


def _silent(_: object) -> None:
    pass


def _expected(outcome: Outcome) -> str:
    assert outcome.result in ("done", "try_again"), outcome.failure
    return outcome.result


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Register]:
    """One store for all interleavings, each a source of its own."""
    return store(tmp_path_factory.mktemp("store"))


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few lines, and transactions of a few rows: so that there is much to be cut off between."""
    monkeypatch.setattr(chain, "BLOCK", 3000)
    monkeypatch.setattr(collecting, "GROUP_OF_PERSONS", 10)


def _killed_while_saving(random: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    def saving(*given: Any) -> Any:
        saved = save(*given)
        if random.random() < 0.03:
            raise Killed  # before the commit
        return saved

    monkeypatch.setattr(collecting, "save", saving)


def live(
    seed: int, path: Path, small: tuple[Engine, Register], open_: Open, monkeypatch: pytest.MonkeyPatch, polls: int = 6
) -> Interleaving:
    """Run an interleaving to its end and assert all that must be true of it."""
    random = Random(seed)
    logs, whole = path / f"logs{seed}", path / f"whole{seed}"
    logs.mkdir()
    whole.mkdir()
    writer = Writer(logs, random, STYLES[seed % len(STYLES)], FORMS[seed // len(STYLES) % len(FORMS)])
    one = Interleaving(seed, writer, random, *small, open_)
    often, fatal = random.choice([0.02, 0.1, 0.3]), random.choice([0.0, 0.02, 0.06])
    with monkeypatch.context() as patch:
        if fatal:
            _killed_while_saving(random, patch)
        for _ in range(polls):
            for _ in range(random.choice([0, 2, 5, 12])):
                writer.step()
            one.poll(often, fatal)
            _a_covered_day_is_whole(one)
    writer.finish()
    writer.now += 7200
    assert one.poll() == "done"
    true = one.true()
    assert one.counted() == true
    # As from a log that was never rotated, read once from its beginning to its end.
    (whole / "mail.log").write_bytes(writer.as_one_file(one.seen()))
    assert one.poll(path=whole, source=f"{one.source} at once") == "done"
    assert one.counted(f"{one.source} at once") == true
    _read_anew_it_is_the_same(one)
    assert one.covered(f"{one.source} at once") == one.covered()
    writer.close()
    return one


def _a_covered_day_is_whole(one: Interleaving) -> None:
    """What is said to be covered must not grow any more, but by sessions that are still open."""
    covered = one.covered()
    assert all(day < local_day(one.writer.now) for day in covered)
    counted = one.counted()
    for (day, who), (sessions, sent, _, _) in one.true().items():
        if day in covered:
            has = counted.get((day, who), (0, 0, 0, 0))
            assert has[1] == sent, (day, who)
            assert has[0] <= sessions, (day, who)


def _read_anew_it_is_the_same(one: Interleaving) -> None:
    """Without a cursor everything is read again: every row, and what was bad, stays as it is."""
    facts = (mailbox_day, quarantine)
    with reading(one.store) as connection:
        before = [connection.execute(select(table).where(table.c.source == one.source)).all() for table in facts]
    with writing(one.store) as connection:
        connection.execute(delete(cursor).where(cursor.c.source == one.source))
    covered = one.covered()
    assert one.poll() == "done"
    with reading(one.store) as connection:
        after = [connection.execute(select(table).where(table.c.source == one.source)).all() for table in facts]
        read = connection.scalar(select(func.max(run.c.read)).where(run.c.source == one.source))
    assert after == before
    assert bool(read) == bool(one.true())
    # A look at the folder in the middle of its renaming may have left a day uncovered, never covered one too many.
    assert covered <= one.covered()


def locally(path: Path, asked: Run) -> AbstractContextManager[Files]:
    return folder.open_door(folder.Options(path=path), asked)


@pytest.mark.parametrize("seed", range(USUALLY))
def test_an_interleaving_of_rotation_and_reading_loses_nothing_and_counts_nothing_twice(
    seed: int, tmp_path: Path, small: tuple[Engine, Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    live(seed, tmp_path, small, locally, monkeypatch)


@pytest.mark.long
def test_two_hundred_interleavings_lose_nothing_and_count_nothing_twice(
    scale: Callable[[int], int], tmp_path: Path, small: tuple[Engine, Register], monkeypatch: pytest.MonkeyPatch
) -> None:
    rotations, lost = 0, 0
    for seed in range(USUALLY, USUALLY + scale(200 - USUALLY)):
        writer = live(seed, tmp_path, small, locally, monkeypatch).writer
        rotations, lost = rotations + writer.rotations, lost + len(writer.lost)
    assert rotations > 2 * scale(200 - USUALLY)
    assert lost


def test_over_sftp_interleavings_lose_nothing_and_count_nothing_twice(
    openssh: Callable[..., OpenSSH],
    scale: Callable[[int], int],
    tmp_path: Path,
    small: tuple[Engine, Register],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = openssh(tmp_path)

    def over_sftp(path: Path, asked: Run) -> AbstractContextManager[Files]:
        login = {"host": server.host, "port": server.port, "user": server.user, "known_hosts": server.known_hosts}
        options = ssh.Options.model_validate(login | {"key_file": server.key_file, "path": str(path)})
        return ssh.open_door(options, asked)

    for seed in range(1000, 1000 + scale(40)):
        live(seed, tmp_path, small, over_sftp, monkeypatch, polls=4)
