"""The logs and lists of the sample province's mail servers, read here by other means than the program's."""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from collector.contract import period
from collector.demo import correspondence, mail_files, province
from collector.demo.ledger import Ledger, Source

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - reads better
_LOGIN = re.compile(r"-login: Login: user=<([^>]+)>")


def _logs(folder: Path) -> list[tuple[Path, list[str]]]:
    found = []
    for path in folder.glob("mail.log*"):
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("ascii")
        found.append((path, text.splitlines()))
    return found


def _instant(line: str) -> int:
    if line[0].isdigit():
        return int(datetime.fromisoformat(line.partition(" ")[0]).timestamp())
    month = _MONTHS.index(line[:3]) + 1
    year = 2025 if month == 12 else 2026
    day = year * 10_000 + month * 100 + int(line[4:6])
    return period.day_start(day) + int(line[7:9]) * 3600 + int(line[10:12]) * 60 + int(line[13:15])


def _lines(folder: Path) -> Iterator[tuple[int, str]]:
    for _, lines in _logs(folder):
        for line in lines:
            yield _instant(line), line


def _boxes(ledger: Ledger, source: str) -> set[str]:
    return {box.address for box in ledger.mailboxes if box.source == source}


@pytest.fixture(scope="module", params=["mail", "mail-viettri"])
def server(request: pytest.FixtureRequest) -> str:
    """The name of either mail server."""
    return str(request.param)


def test_each_session_of_the_ledger_is_logged_at_its_instant_and_no_other(
    server: str, small: Ledger, folder: Path
) -> None:
    logged = Counter((found[1], at) for at, line in _lines(folder / server) if (found := _LOGIN.search(line)))
    told = Counter((one.address, one.begin) for one in small.sessions if one.address in _boxes(small, server))
    assert told
    assert logged == told


def test_a_session_without_an_end_has_no_end_line(small: Ledger, folder: Path) -> None:
    ends = sum(
        ": Disconnected: Logged out in=" in line or ": Connection closed (IDLE" in line
        for _, line in _lines(folder / "mail")
    )
    mine = [one for one in small.sessions if one.address in _boxes(small, "mail")]
    assert ends == sum(one.end is not None for one in mine) < len(mine)


def test_each_mail_of_the_ledger_is_accepted_once_and_each_retry_repeats_its_sender(
    small: Ledger, folder: Path
) -> None:
    mails = [one for one in small.mails if one.address in _boxes(small, "mail")]
    lines = [line for _, line in _lines(folder / "mail")]
    accepted = Counter(line.partition("sasl_username=")[2].lower() for line in lines if "sasl_username=" in line)
    assert accepted == Counter(one.address for one in mails)
    retried = sum("status=deferred" in line for line in lines)
    assert 0 < retried <= sum(one.attempts - 1 for one in mails)


_HANDED_OVER = re.compile(
    r"postfix/(?:smtp|lmtp)\[\d+\]: (\w+): to=<([^>]+)>, relay=(?!127\.0\.0\.1).*status=(sent|bounced) "
)


def test_each_recipient_who_got_a_mail_is_told_once_whatever_stands_between(
    server: str, small: Ledger, folder: Path
) -> None:
    mails = [one for one in small.mails if one.address in _boxes(small, server)]
    to = [recipient for one in mails for recipient in one.to]
    told = [found.groups() for _, line in _lines(folder / server) if (found := _HANDED_OVER.search(line))]
    strangers = ("D0", "B0")  # mails from outside, and notices of the server itself
    sent = Counter(who.lower() for queue, who, status in told if status == "sent" and not queue.startswith(strangers))
    assert sent == Counter(one.address for one in to if one.arrived)
    late = sum(correspondence.last_attempt(one) > small.now for one in mails)
    bounced = sum(status == "bounced" for *_, status in told)
    assert 0 < bounced <= sum(not one.arrived for one in to) <= bounced + late
    assert any(who != who.lower() for _, who, _ in told), "some domains are written in capitals"


@pytest.mark.parametrize(
    "words",
    [
        "auth failed, 1 attempts",
        "1 successful auths",
        "disconnected before auth was ready",
        "doveadm(",
        "pop3-login: Login",
        "status=deferred",
        "status=bounced",
        "from=<>",
        "queued as",
        "NOQUEUE: reject",
        "gia-mao.example",
        "starting up for imap",
        "to=<nguoidan7@thumienphi.example>, relay=mx.thumienphi.example",
    ],
)
def test_what_must_not_be_counted_is_in_the_log_too(words: str, folder: Path) -> None:
    assert any(words in line for _, line in _lines(folder / "mail"))


def test_a_short_queue_id_comes_again_for_another_mail() -> None:
    ledger = province.make(agencies=30)
    mails = sorted((one for one in ledger.mails), key=lambda one: (one.accepted, one.address))
    lines = [line for one in [mail_files._mails] for _, line in one(mails, province.stream(1), "mx", ledger.now)]
    ids = Counter(line.split(": ")[1] for line in lines if "sasl_username=" in line)
    assert max(ids.values()) == 2


def test_a_file_is_dated_by_its_last_line_and_its_lines_are_in_order(server: str, folder: Path) -> None:
    for path, lines in _logs(folder / server):
        instants = [_instant(line) for line in lines]
        assert instants == sorted(instants), path.name
        assert int(path.stat().st_mtime) == instants[-1], path.name
        assert server == "mail" or lines == sorted(lines), path.name


def test_the_log_begins_on_the_evening_before_and_ends_after_the_last_day(
    server: str, small: Ledger, folder: Path
) -> None:
    instants = [at for at, _ in _lines(folder / server)]
    assert period.local_day(min(instants)) == period.plus_days(small.first_day, -1)
    assert period.local_day(max(instants)) == period.plus_days(small.last_day, 1)
    assert max(instants) <= small.now


def test_one_server_is_silent_for_a_day_and_only_for_that_day(small: Ledger, folder: Path) -> None:
    for server, lost in (("mail", []), ("mail-viettri", [20260211])):
        instants = sorted(at for at, _ in _lines(folder / server))
        holes = [(a, b) for a, b in pairwise(instants) if b - a > 3600]
        assert [period.local_day(a + 60) for a, _ in holes] == lost
        assert all(period.local_day(a) == period.local_day(b) for a, b in holes)


def test_the_traditional_server_packs_its_old_files(folder: Path) -> None:
    names = {path.name for path, _ in _logs(folder / "mail")}
    assert {"mail.log", "mail.log.1", "mail.log.2.gz"} <= names


def _list(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {line["email"]: line for line in csv.DictReader(lines)}


def test_each_change_of_a_mailbox_is_in_the_list_of_its_own_day(server: str, small: Ledger, folder: Path) -> None:
    lists = {int(path.stem.partition("-")[2]): _list(path) for path in (folder / server).glob("mailboxes-*.csv")}
    days = sorted(lists)
    changes = 0
    for box in small.mailboxes:
        if box.source != server:
            continue
        for day in days:
            entry = lists[day].get(box.address)
            active = box.created_day <= day and (box.locked_day is None or day < box.locked_day)
            assert (entry is not None and entry["trang_thai"] == "hoat_dong") == active, (box, day)
            assert entry is None or entry["ngay_tao"] in ("", period.iso(box.created_day))
        for change in (box.created_day, box.locked_day):
            if change is not None and change > small.first_day:
                changes += 1
                assert change in lists
    assert changes > 0


def test_lists_tell_how_full_each_mailbox_is_on_their_day_and_those_of_one_server_do_not(
    small: Ledger, folder: Path
) -> None:
    lists = {int(path.stem.partition("-")[2]): _list(path) for path in (folder / "mail").glob("mailboxes-*.csv")}
    units = {"GB": 1 << 30, "MB": 1 << 20}
    changes = 0
    for box in small.mailboxes:
        if box.source != "mail":
            continue
        changes += len(box.sizes) > 1
        for size in box.sizes:
            line = lists[size.from_day][box.address]
            found = re.fullmatch(r"(\d+) ?(GB|MB)?", line["han_muc"])
            quota = int(found[1]) * units.get(found[2], 1) if found else {"": None}.get(line["han_muc"], 0)
            assert (quota, line["da_dung"]) == (size.quota, "" if size.used is None else str(size.used)), box
    assert changes > 50
    viettri = next((folder / "mail-viettri").glob("mailboxes-*.csv")).read_text(encoding="utf-8")
    assert viettri.partition("\n")[0] == "email,loai,trang_thai,ngay_tao"


def test_lists_stop_on_the_day_that_the_ledger_says(small: Ledger, folder: Path) -> None:
    (viettri,) = [source for source in small.sources if source.name == "mail-viettri"]
    assert viettri.lost["mailbox"] == [20260225, 20260226, 20260227, 20260228]
    assert max(path.name for path in (folder / "mail-viettri").glob("mailboxes-*")) == "mailboxes-20260224.csv"
    assert max(path.name for path in (folder / "mail").glob("mailboxes-*")) == "mailboxes-20260228.csv"


def test_the_same_ledger_gives_the_same_files(small: Ledger, folder: Path, tmp_path: Path) -> None:
    source: Source = next(source for source in small.sources if source.name == "mail")
    mail_files.write(small, source, tmp_path)
    first = {path.name: path.read_bytes() for path in (folder / "mail").iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
