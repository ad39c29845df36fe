"""20,000 broken and whole lines: no crash, no hang, no bounds lost, and every deed whose lines are whole is counted."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from collector.contract.errors import TryAgain, UnexpectedAnswer
from connectors.email import chain
from connectors.email.mail_log import Config
from tests.connectors.email.both_readers import agree
from tests.connectors.email.reading import Door, Kept, pseudonym, run
from tests.proof.fuzzed_mail import (
    ALL_WAYS,
    BEGIN,
    NOW,
    SINCE,
    TORTURES,
    WAYS,
    Cell,
    Counts,
    Deed,
    Fuzzed,
    counted,
    fuzzed,
    giant,
)

ROOT = Path(__file__).parents[2]
_BOMB = 80 << 20
HANG = 300
"""Seconds after which a reader that was not even given the processor is given up."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a reader in a process of its own told: counts by (day, pseudonym), failure, quarantined lines, memory."""

    counted: Mapping[Cell, Counts]
    failure: str
    bad: int
    memory: int  # MB beyond those of the process before it began


def read(folder: Path) -> Told:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.proof.fuzzed_mail", str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANG,
    )
    assert ended.returncode == 0, f"ended by {ended.returncode}: {ended.stderr[-2000:]}"
    told = json.loads(ended.stdout)
    cells_told = {(day, who): (one, two, three, four) for day, who, one, two, three, four in told["counted"]}
    return Told(cells_told, told["failure"], told["bad"], told["memory"])


def put(folder: Path, content: bytes, name: str = "mail.log") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    os.utime(folder / name, (NOW - 30, NOW - 30))
    return folder


def cells(deed: Deed) -> dict[Cell, Counts]:
    return {(day, pseudonym(deed.user, day)): counts for day, counts in deed.counts.items()}


def judge(log: Fuzzed, told: Mapping[Cell, Counts]) -> int:
    """Assert that each whole deed counts exactly, and no broken one too often; return how many were whole."""
    owners = {pseudonym(one.user, day): one for one in log.deeds for day in (20251231, 20260101)}
    cells_of: dict[str, dict[Cell, Counts]] = {}
    strangers = 0
    for cell, counts in told.items():
        if (owner := owners.get(cell[1])) is None:
            strangers += sum(counts[:2])  # a name that a broken line made up
        else:
            cells_of.setdefault(owner.user, {})[cell] = counts
    whole = 0
    for deed in log.deeds:
        found = cells_of.get(deed.user, {})
        if deed.user not in log.touched:
            assert found == cells(deed), deed.lines
            whole += 1
            continue
        times = log.touched[deed.user]
        for sessions, sent, outside, free in found.values():
            assert sessions <= times, deed.lines
            assert sent <= 1, deed.lines
            assert free <= outside <= times, deed.lines
    assert strangers <= log.broken
    return whole


@pytest.mark.parametrize("seed", range(2))
def test_every_whole_deed_among_ten_thousand_lines_is_counted_and_no_broken_one_twice(
    seed: int, tmp_path: Path
) -> None:
    log = fuzzed(Random(seed), 10_000, 0.05, ALL_WAYS)
    assert len(log.lines) > 9_900
    told = read(put(tmp_path, log.content))
    assert told.failure == ""
    assert judge(log, told.counted) > 1_800
    assert 0 < told.bad < 100
    assert told.memory < 150


@pytest.mark.parametrize("seed", range(2))
def test_of_a_log_that_is_broken_in_every_third_line_both_readers_tell_the_same(seed: int) -> None:
    log = fuzzed(Random(seed), 5_000, 0.3, ALL_WAYS)
    content = log.content
    blocks, start = [], 0
    while start < len(content):
        end = content.find(b"\n", min(start + 60_000, len(content) - 1)) + 1
        blocks.append(content[start:end])
        start = end
    agree(blocks, BEGIN - 86_400, small=True)


def test_a_log_that_is_broken_in_every_third_line_stops_the_source_and_names_why(tmp_path: Path) -> None:
    told = read(put(tmp_path, fuzzed(Random(7), 10_000, 0.3, ALL_WAYS).content))
    assert told.failure.startswith("UnexpectedAnswer")
    assert "lines of mail.log* cannot be read" in told.failure


def test_lines_of_ten_megabytes_are_passed_by_and_all_others_count(tmp_path: Path) -> None:
    random = Random(3)
    log = fuzzed(random, 3_000, 0.0, WAYS)
    for filling in (b"a", b"\0", *TORTURES[:6]):
        # Not before there is enough else: over 1 % of lines that cannot be read stop the source.
        place = random.randrange(len(log.lines) // 2, len(log.lines))
        log.lines.insert(place, giant(random.choice(log.lines[1:2000]).rstrip(b"\n")[:300], filling))
    told = read(put(tmp_path, log.content))
    assert told.failure == ""
    assert judge(log, told.counted) == len(log.deeds)
    assert told.bad == 8
    assert told.memory < 200


def test_a_line_that_is_longer_than_any_piece_and_never_ends_is_waited_for(tmp_path: Path) -> None:
    log = fuzzed(Random(4), 1_000, 0.0, WAYS)
    endless = giant(log.lines[5].rstrip(b"\n"), b"session=<", 3 * chain.BLOCK).rstrip(b"\n")
    told = read(put(tmp_path, log.content + endless))
    assert told.failure == ""
    assert judge(log, told.counted) == len(log.deeds)


# -- packed files -----------------------------------------------------------------------------------------------------


def test_a_packed_log_with_flipped_bits_or_without_its_end_counts_exactly_or_not_at_all(tmp_path: Path) -> None:
    random = Random(5)
    log = fuzzed(random, 300, 0.0, WAYS)
    packed = gzip.compress(log.content, 6, mtime=0)
    whole = {cell: counts for deed in log.deeds for cell, counts in cells(deed).items()}
    outcomes = {"exactly": 0, "refused": 0}
    for number in range(60):
        broken = bytearray(packed)
        if number % 3:
            place = random.randrange(12) if number % 3 == 1 else random.randrange(len(broken))
            broken[place] ^= 1 << random.randrange(8)
        else:
            del broken[random.randrange(20, len(broken)) :]
        kept, door = Kept(), Door(put(tmp_path / str(number), bytes(broken), "mail.log.2.gz"), NOW)
        try:
            run(kept, door, SINCE, Config(lists=""))
            assert counted(kept) == whole
            outcomes["exactly"] += 1
        except (TryAgain, UnexpectedAnswer):
            assert not kept.mailbox_days
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 0


@pytest.mark.parametrize("rubbish", [b"", bytes(512), b"rubbish behind the last one"])
def test_packed_parts_one_behind_the_other_are_one_log(tmp_path: Path, rubbish: bytes) -> None:
    random = Random(6)
    log = fuzzed(random, 3_000, 0.05, WAYS)
    content, packed = log.content, b""
    for _ in range(5):  # also in the middle of a line, and an empty one
        cut = random.randrange(len(content))
        packed, content = packed + gzip.compress(content[:cut]) + gzip.compress(b""), content[cut:]
    told = read(put(tmp_path, packed + gzip.compress(content) + rubbish, "mail.log.1.gz"))
    assert told.failure == ""
    judge(log, told.counted)


def test_bombs_are_refused_in_bounded_memory(tmp_path: Path) -> None:
    line = fuzzed(Random(8), 10, 0.0, WAYS).lines[0]
    fillings = {"zeroes": bytes(_BOMB), "lines": line * (_BOMB // len(line)), "empty lines": b"\n" * _BOMB}
    for name, filling in fillings.items():
        told = read(put(tmp_path / name, gzip.compress(line + filling, 6), "mail.log.1.gz"))
        assert "200 times" in told.failure, (name, told.failure)
        assert not told.counted
        assert told.memory < 150, name
