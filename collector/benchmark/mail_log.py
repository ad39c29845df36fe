"""Reading a mail log, beside pflogsumm: down to the rows that would be saved, and saved and counted."""

import json
import os
import shutil
import sys
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from collector.benchmark.mail_lines import AGENCIES, FIRST, LINES_A_DAY, MAILBOXES, address, lines
from collector.benchmark.measure import (
    Figure,
    Size,
    Spent,
    absent,
    at_least,
    at_most,
    configuration,
    forget,
    program,
    spent,
    times,
)
from collector.contract.period import local_day

if TYPE_CHECKING:
    from pydantic import BaseModel

    from collector.contract.connector import Connector

_SOURCE = """  mail:
    connector: email.mail_log
    door: {kind: folder, path: logs}
    from: 2025-11-01
    serves: all
    config: {logs: [mail.log*], lists: 'mailboxes-*.csv'}
"""
_SINCE = 20251101
_READ = """
import sys
from collector.benchmark.mail_log import read
from connectors.email import mail_log
read(mail_log, mail_log.Config(lists=""), sys.argv[1])
"""


def write(folder: Path, count: int) -> Path:
    """Write a log of so many lines, dated by its last one, a list of its mailboxes, and a configuration for them."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    made = lines(count)
    with (logs / "mail.log").open("w", encoding="ascii") as file:
        while some := "".join(islice(made, 10_000)):
            file.write(some)
    last = int(FIRST.timestamp()) + (count // LINES_A_DAY + 1) * 86_400
    os.utime(logs / "mail.log", (last, last))
    with (logs / "mailboxes-20251130.csv").open("w", encoding="ascii") as file:
        file.write("address,kind,state,created\n")
        file.writelines(f"{address(number)},personal,active,2025-01-01\n" for number in range(MAILBOXES))
    codes = [(f"H44.{number:03d}", f"a{number:03d}.example.gov.vn") for number in range(AGENCIES)]
    return configuration(folder, _SOURCE, codes)


def reading(path: Path) -> Spent:
    """Read the log down to the rows that would be saved, in a process that does nothing else, as pflogsumm."""
    return spent([sys.executable, "-c", _READ, str(path.parent)])


def read(connector: "Connector", config: "BaseModel", folder: str) -> None:
    """Read the log of a folder as a first run does, and print how many rows it tells."""
    from collector.contract.connector import Want  # here: only the process that reads needs them
    from collector.transports.folder import Folder
    from collector.transports.pseudonym import Pseudonyms
    from collector.transports.run import Run

    pseudonyms = Pseudonyms(Path(folder) / "state" / "keys")
    began = int(FIRST.timestamp()) + 10 * 365 * 86_400
    door = Folder(Path(folder) / "logs", Run("log", began, 3600, 100_000, pseudonyms.at_door))
    want = Want(None, _SINCE, _SINCE, local_day(began))
    batches = connector.fetch(config, door, want)
    sys.stdout.write(json.dumps({"rows": sum(len(rows) for batch in batches for rows in batch.rows.values())}))


def collecting(path: Path) -> Spent:
    """Collect into an empty store."""
    forget(path)
    return spent(program("collect", "mail", "--json", "--config", str(path)))


def measure(place: Path, size: Size) -> list[Figure]:
    """Measure; the promise is for two million lines."""
    whole, fifth = (write(place / name, count) for name, count in (("whole", size.lines), ("fifth", size.lines // 5)))
    peer = shutil.which("pflogsumm")
    read, saved, theirs = [], [], []
    for _ in range(size.rounds):
        if peer:
            theirs.append(spent([peer, str(whole.parent / "logs" / "mail.log")]))
        read.append(reading(whole))
        saved.append(collecting(whole))
    figures = [
        Figure("mail_log.lines_per_second", round(size.lines / median(one.seconds for one in read)), "1/s"),
        Figure("mail_log.saved.lines_per_second", round(size.lines / median(one.seconds for one in saved)), "1/s"),
    ]
    if peer:
        by_clock = [one.seconds for one in theirs]
        by_processor = [one.processors for one in theirs]
        figures += [
            at_least("mail_log.speed", times(by_clock, [one.seconds for one in read]), "x", 6, "pflogsumm"),
            Figure(
                "mail_log.speed_by_processor",
                round(times(by_processor, [one.processors for one in read]), 3),
                "x",
                "pflogsumm",
            ),
            Figure("mail_log.saved.speed", round(times(by_clock, [one.seconds for one in saved]), 3), "x", "pflogsumm"),
            Figure(
                "mail_log.saved.speed_by_processor",
                round(times(by_processor, [one.processors for one in saved]), 3),
                "x",
                "pflogsumm",
            ),
        ]
    else:
        figures.append(absent("mail_log.speed", "x", "pflogsumm"))
    for name, run, full in (("mail_log", reading, read), ("mail_log.saved", collecting, saved)):
        peak, small = median(one.peak for one in full), run(fifth).peak
        figures.append(Figure(f"{name}.peak_memory", round(peak, 1), "MiB"))
        figures.append(at_most(f"{name}.memory_of_five_times_the_length", peak / small, "x", 1.15))
    return figures
