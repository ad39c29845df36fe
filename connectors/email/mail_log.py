"""Use of mailboxes from the logs of Postfix, Dovecot and Zimbra, and which mailboxes there are from lists beside them.

System:  Postfix and Dovecot (2.3 and its kin), each with its own log file or through syslog; Zimbra's audit.log and
         mailbox.log (its zimbra.log is Postfix's); plain or gzip files.
Account: one that may list one folder and read the files in it: locally (group `adm`, of Zimbra's group `zimbra`, or an
         ACL that outlives rotation), or over SFTP without a shell.
Reads:   `logs` (login, end of session, start of Dovecot; submissions accepted and delivered; of Zimbra logins, and that
         a client that is logged in asks something) and `lists` (CSV with a header: address, kind, state, created, and
         if they are there quota and used). It never asks any of the servers. Of Zimbra both audit.log and mailbox.log,
         a pattern for each, and those of every mailbox server, copied under names of their own or as a source each: a
         web page that stays open logs in every second day, and who used a mailbox at one of the servers used it.
Never:   stores, logs or reports an address, a host of a client, a subject or a message id. An address becomes
         `door.pseudonym(address, day)` while its line is read; the cursor holds pseudonyms and hashes. Of a
         recipient's address only the domain is looked at, and only counts are kept: outside government, free mail;
         while a mail is open also a mark under the month's key, so that a line that a relay repeats counts once.
Limits:  a session whose login lies before the first log counts only if it logs in again; one without an end line in 7
         days, or when Dovecot starts, on its login day alone. A log without years in its times must begin less than a
         year before it ends. copytruncate loses, unseen, what is written between copy and cut. A file taken out of the
         middle is seen by a run that was reading it, not when all is read anew. Submissions behind a before-queue
         filter carry no user name; nor do those of Zimbra's web client: name the mailbox servers in `webmail_hosts`. A
         login at Zimbra has no end: an IMAP client is present on the days on which it asks. An administrator's login to
         Zimbra's console is none to the mailbox of that name, where Zimbra writes AdminAuth. A list without a date in
         its name that is written over cannot tell since when a mailbox is locked; keep a month's lists until the next
         month has one. Days read again by hand (`--from`) take the place of what was told of them where the logs of the
         8 days before are still there, or all that ever were; nearer to the oldest log that is left, what is missing is
         added and nothing is taken away.
Quality: a mailbox was used by a client on a day: a telephone that polls counts. Of Zimbra's requests only that there
         was one is kept. A day is covered if its log is unbroken from before it to after it, and Postfix, Dovecot or
         Zimbra were never wholly silent for over `silence_days` (3: a weekend) around it: longer silence is a gap that
         is seen, and never days without use. Give more to a server that is known to rest for longer, as at Tết. A log
         of which the first 100 lines, and all that is read of it at once (8 MiB), have not one of theirs is another
         program's: the source stops. A line whose time cannot be read is quarantined by its place in the file; if that
         befalls over 1 % of the lines that matter, the source stops. A mailbox is in each month the agency's whose it
         is on the first day (`agency_of`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from collector.contract.beside import Beside
from collector.contract.connector import Batch, Covered, Finding, Replaced, Row, Want
from collector.contract.door import Files
from collector.contract.errors import TryAgain, UnexpectedAnswer
from collector.contract.period import iso, local_day, month_of, plus_days
from collector.contract.records import Mailbox, MailboxDay, Record, columns
from connectors.email import inventory, log_probe
from connectors.email.chain import Chain, Piece, Place, pieces, place_from_json
from connectors.email.domains import FREE_MAIL, GOVERNMENT, Domains
from connectors.email.lines import Name
from connectors.email.pending import DAYS, without_month
from connectors.email.rotation import Folder
from connectors.email.stamps import DAY
from connectors.email.whose import AGENCY_OF, checked, whose

DOORS = ("folder", "ssh")
RECORDS = (Mailbox, MailboxDay)

_ROWS = 10_000
_NAMES = 200_000


_COLUMNS = {
    "address": ("address", "email", "mail", "địa chỉ", "dia chi", "thư điện tử", "hộp thư"),
    "kind": ("kind", "loại", "loai", "loại hộp thư"),
    "state": ("state", "trạng thái", "trang thai"),
    "created": ("created", "ngày tạo", "ngay tao", "ngày cấp"),
    "quota": ("quota", "hạn mức", "han muc", "dung lượng", "dung luong"),
    "agency": ("",),
    "used": ("used", "đã dùng", "da dung", "dung lượng đã dùng"),
}
_OPTIONAL = {"quota", "used"}
_KINDS = {
    "personal": "personal",
    "cá nhân": "personal",
    "ca nhan": "personal",
    "shared": "shared",
    "dùng chung": "shared",
    "dung chung": "shared",
    "đơn vị": "shared",
    "tổ chức": "shared",
}
_STATES = {
    "active": "active",
    "hoạt động": "active",
    "đang hoạt động": "active",
    "hoat dong": "active",
    "locked": "locked",
    "khóa": "locked",
    "khoá": "locked",
    "đã khóa": "locked",
    "đã khoá": "locked",
    "bị khóa": "locked",
    "khoa": "locked",
    "disabled": "locked",
    "closed": "locked",
}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Config(BaseModel):
    """The `config:` block of a source of mail logs and mailbox lists."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    logs: Annotated[Sequence[str], BeforeValidator(_as_list)] = Field(
        default=("mail.log*",),
        min_length=1,
        description="Names of the log files, rotated ones included; one shell pattern for each log of its own",
        examples=["mail.log*", ["maillog*", "dovecot.log*"]],
    )
    lists: str = Field(
        default="mailboxes*.csv",
        description="Names of the mailbox lists, a shell pattern; '' if another source tells which mailboxes there are",
        examples=["mailboxes*.csv"],
    )
    list_date: str = Field(
        default=r"(\d{4})-?(\d{2})-?(\d{2})",
        description="Where year, month and day stand in a list's name: a regular expression with three groups",
        examples=[r"(\d{4})-?(\d{2})-?(\d{2})"],
    )
    columns: Mapping[str, str] = Field(
        default={},
        description="Columns of the lists where they have no usual name (address, kind, state, created, or email, loai,"
        " trang_thai, ngay_tao); created may be '': then the first list that has a mailbox dates it. Lists may have two"
        " more: quota and used, in bytes or with KB, MB, GB, TB; a quota of 0, '-' or 'unlimited' is no limit, an empty"
        " one is not known",
        examples=[{"address": "Địa chỉ", "kind": "Loại", "state": "Trạng thái", "created": "Ngày tạo"}],
    )
    kinds: Mapping[str, str] = Field(
        default={},
        description="More words for the kinds personal and shared; any other kind makes a mailbox unknown",
        examples=[{"hộp thư đơn vị": "shared"}],
    )
    states: Mapping[str, str] = Field(
        default={}, description="More words for the states active and locked", examples=[{"tạm ngưng": "locked"}]
    )
    zone: str = Field(
        default="Asia/Ho_Chi_Minh",
        description="The server's time zone, for log lines that do not name one",
        examples=["Asia/Ho_Chi_Minh", "UTC"],
    )
    silence_days: int = Field(
        default=3,
        ge=1,
        le=31,
        description="Days for which the mail server may write nothing at all into a log before they are a gap, and not"
        " days without use; more than the days of a weekend only where the server is known to rest for so long",
        examples=[3],
    )
    domain: str = Field(
        default="",
        description="The mail domain of user names that have none",
        examples=["skhcn.example.gov.vn"],
    )
    agency_of: Beside | None = AGENCY_OF
    agency_codes: Mapping[str, str] = Field(
        default={},
        description="Agency codes by address pattern, the first that fits; else columns.agency, else the mail domain",
        examples=[{"*.bantiepdan@example.gov.vn": "H44.05"}],
    )
    probe_accounts: Sequence[str] = Field(
        default=(), description="Addresses whose logins are tests, not use", examples=[["probe@example.gov.vn"]]
    )
    webmail_hosts: Sequence[str] = Field(
        default=(),
        description="Network addresses of webmail hosts that submit without a login and may be trusted for the sender",
        examples=[["10.1.2.3"]],
    )
    government_domains: Sequence[str] = Field(
        default=GOVERNMENT,
        description="Mail domains of the state, each with those under it; a delivery to any other one is outside",
        examples=[["gov.vn", "chinhphu.vn", "quochoi.vn"]],
    )
    free_mail_domains: Sequence[str] = Field(
        default=FREE_MAIL,
        description="Mail domains of free-mail providers, each with those under it",
        examples=[["gmail.com", "yahoo.com", "outlook.com"]],
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{zone!r} is no time zone; write one such as Asia/Ho_Chi_Minh") from None
        return zone

    @field_validator("agency_of")
    @classmethod
    def _understood(cls, agency_of: Beside | None) -> Beside | None:
        return checked(agency_of)

    @field_validator("list_date")
    @classmethod
    def _three_groups(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error:
            raise ValueError("it is no regular expression") from None
        if groups != 3:
            raise ValueError("it needs three groups: year, month, day")
        return pattern

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: Mapping[str, str]) -> Mapping[str, str]:
        if unknown := sorted(columns.keys() - _COLUMNS.keys()):
            raise ValueError(f"unknown column {unknown[0]!r}; known are {', '.join(_COLUMNS)}")
        if empty := [name for name in ("address", "kind", "state") if not columns.get(name, name).strip()]:
            raise ValueError(f"the column of {empty[0]} is needed")
        return columns

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: Mapping[str, str]) -> Mapping[str, str]:
        return _only(kinds, "personal", "shared")

    @field_validator("states")
    @classmethod
    def _known_states(cls, states: Mapping[str, str]) -> Mapping[str, str]:
        return _only(states, "active", "locked")


def _only(words: Mapping[str, str], *meanings: str) -> Mapping[str, str]:
    if wrong := sorted(set(words.values()) - set(meanings)):
        raise ValueError(f"{wrong[0]!r} is none of {', '.join(meanings)}")
    return words


@dataclass(slots=True)
class _Progress:
    """What the cursor says: for each month its lists and the last day they tell, for each log how far it was read."""

    lists: dict[str, dict[str, Any]]
    places: dict[str, Place]

    def as_json(self) -> dict[str, Any]:
        return {
            "lists": self.lists,
            "logs": {pattern: place.as_json() for pattern, place in self.places.items() if place.file},
        }


def offers(config: Config) -> Sequence[type[Record]]:
    """Return what a source with this configuration tells: without lists, use alone."""
    return RECORDS if config.lists else (MailboxDay,)


def fetch(config: Config, door: Files, want: Want) -> Iterator[Batch]:
    """Yield the mailboxes of each month whose lists changed, then the use that the logs tell, then what is covered."""
    progress = _progress(config, door, want)
    covers: list[Covered] = []
    yield from _mailboxes(config, door, want, progress, covers)
    nothing_before = _nothing_before(config, door, want)
    read = bad_lines = 0
    for pattern, place in progress.places.items():
        for piece in pieces(_chain(config, door, want, pattern, nothing_before), place):
            read, bad_lines = read + piece.read, bad_lines + len(piece.bad)
            if read >= 10 and bad_lines > 1 and bad_lines * 100 > read:
                raise UnexpectedAnswer(
                    f"{bad_lines} of {read} lines of {pattern} cannot be read",
                    source=door.source,
                    stage="answer",
                    field=piece.bad[-1].field if piece.bad else "time",
                    mend="Compare the head of its lines with the forms that the documentation names",
                )
            if want.window and piece.first_day > plus_days(want.last_day, DAYS):
                place.reached = True  # nothing that lies further on can tell of the days wanted
                break
            if not want.window or _touches(piece, want):
                yield _batch(piece, _cursor(progress, want))
    covers.extend(_covered_use(door, want, progress))
    yield Batch({}, _cursor(progress, want), covers)
    for pattern in config.logs:
        if not door.list(pattern):
            raise TryAgain(
                f"no file matches {pattern}",
                source=door.source,
                stage="read",
                field="logs",
                mend="See whether the log is still written, or copied, to this folder; its days stay uncovered",
            )


def _batch(piece: Piece, cursor: Mapping[str, Any] | None) -> Batch:
    """Return what a range told. If it was told before, this takes the place of it, whatever the formula was then."""
    rows: dict[type[Record], Sequence[Row]] = {MailboxDay: piece.rows}
    # A session's days begin before the range in which it ends; around midnight lines are not in order.
    days = plus_days(piece.first_day, -DAYS - 1), plus_days(piece.last_day, 1)
    replaced = [Replaced(piece.name, *days)] if piece.replaces else []
    return Batch(rows, cursor, (), piece.bad, (piece.span,), piece.read, live=True, replaces=replaced)


def _nothing_before(config: Config, door: Files, want: Want) -> Callable[[str], bool]:
    """Return what tells whether all files that were ever read are there still, and a file is the first of its log."""

    @cache
    def firsts() -> frozenset[str]:
        try:
            logs = [Folder(door, pattern, ZoneInfo(config.zone)).members(0) for pattern in config.logs]
        except TryAgain:
            return frozenset()
        there = {member.file for members in logs for member in members}
        return frozenset(members[0].file for members in logs if members) if want.spans.keys() <= there else frozenset()

    return lambda file: file in firsts()


def _progress(config: Config, door: Files, want: Want) -> _Progress:
    saved = (None if want.window else want.cursor) or {"lists": {}, "logs": {}}
    try:
        places = {
            pattern: place_from_json(saved["logs"][pattern]) if pattern in saved["logs"] else Place()
            for pattern in config.logs
        }
        if want.window and want.spans:  # a part of a log that was understood before
            for place in places.values():
                place.strange = None
        return _Progress({month: dict(known) for month, known in saved["lists"].items()}, places)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnexpectedAnswer(
            "the saved cursor is not one of this connector",
            source=door.source,
            stage="configuration",
            field="cursor",
            mend="Delete the cursor; everything is read again and nothing counts twice",
        ) from None


def _cursor(progress: _Progress, want: Want) -> dict[str, Any] | None:
    return None if want.window else progress.as_json()


def _chain(config: Config, door: Files, want: Want, pattern: str, nothing_before: Callable[[str], bool]) -> Chain:
    return Chain(
        door=door,
        pattern=pattern,
        zone=ZoneInfo(config.zone),
        name=_name(config, door, want.since),
        webmail=frozenset(host.encode() for host in config.webmail_hosts),
        domains=Domains(config.government_domains, config.free_mail_domains),
        spans=want.spans,
        since=want.since,
        from_day=max(want.since, want.first_day) if want.window else want.since,
        silence=config.silence_days * DAY,
        nothing_before=nothing_before,
    )


def _name(config: Config, door: Files, since: int) -> Name:
    probes = {account.strip().lower() for account in config.probe_accounts}
    names: dict[tuple[bytes, int], str] = {}

    def name(user: bytes, day: int) -> str:
        month = day // 100
        known = names.get((user, month))
        if known is not None:
            return known
        try:
            address = user.decode().strip().lower()
        except UnicodeDecodeError:
            address = user.decode("latin-1").strip().lower()
        if config.domain and "@" not in address:
            address = f"{address}@{config.domain.lower()}"
        # Of a month before the first one that is kept, no key is ever needed.
        wanted = month >= since // 100 and address not in probes
        if len(names) > _NAMES:
            names.clear()
        pseudonym = names[user, month] = door.pseudonym(address, day) if wanted else ""
        return pseudonym

    return name


def _touches(piece: Piece, want: Want) -> bool:
    """Tell whether a piece has lines or rows of the days wanted."""
    if piece.first_day <= want.last_day and piece.last_day >= want.first_day:
        return True
    day = columns(MailboxDay).index("day")
    return any(want.first_day <= row[day] <= want.last_day for row in piece.rows)


def _covered_use(door: Files, want: Want, progress: _Progress) -> list[Covered]:
    """Return the days for which each log is unbroken from before the day began to after it ended."""
    through = min(want.last_day, plus_days(local_day(door.began), -1))
    covered = set.intersection(*(place.days(through) for place in progress.places.values()))
    first = max(want.since, want.first_day if want.window else want.since)
    stretches: list[Covered] = []
    for day in sorted(day for day in covered if day >= first):
        if stretches and plus_days(stretches[-1].last_day, 1) == day:
            stretches[-1] = Covered(MailboxDay, stretches[-1].first_day, day)
        else:
            stretches.append(Covered(MailboxDay, day, day))
    return stretches


def _mailboxes(config: Config, door: Files, want: Want, progress: _Progress, covers: list[Covered]) -> Iterator[Batch]:
    """Yield the mailboxes of each month with a list that is new, changed or gone; note what is covered."""
    form = _format(config)
    files = inventory.by_day(door, config.lists, form.dates) if config.lists else {}
    read: dict[int, inventory.Lists] = {}
    for month in inventory.months(files, want.since):
        last_of_month = month_of(month.first).last
        if want.window and (last_of_month < want.first_day or month.first > want.last_day):
            continue
        name = str(month.first // 100)
        listed = [[entry.name, entry.size, entry.modified] for day in month.needed for entry in files[day]]
        known = progress.lists.get(name, {"files": [], "through": 0})
        gone = {entry[0] for entry in known["files"]} - {entry[0] for entry in listed}
        looked_at = [(Mailbox, f"{file}:") for file in sorted(gone)]
        through = known["through"]
        if any(entry not in known["files"] for entry in listed) or known.get("whose", "") != form.whose.digest:
            for day in month.needed:
                if day not in read:
                    read[day] = inventory.read_lists(door, form, day, files[day])
            # A list without a single mailbox is an export that failed: it says nothing, and closes nobody.
            lists = [read[day] for day in month.needed if read[day].entries]
            through = max((one.day for one in lists if one.day >= month.first), default=0)
            looked_at += [(Mailbox, f"{file}:") for file, _, _ in listed]
            rows: list[Row] = []
            if through:
                changed = door.began * 1_000_000
                rows = inventory.rows(door, form, month, lists, changed)
                if known["files"] and not gone and want.agencies is None:
                    rows += inventory.struck_out(rows, want.mailboxes(month.first), changed)
            if want.agencies is None:
                progress.lists[name] = {"files": listed, "through": through, "whose": form.whose.digest}
            yield from _in_batches(rows, lists, looked_at, want, progress)
        elif gone:
            progress.lists[name] = {**known, "files": listed}
            yield Batch({}, _cursor(progress, want), looked_at=looked_at)
        first = max(month.first, want.since, want.first_day if want.window else want.since)
        last = min(through, want.last_day)
        if want.agencies is None and first <= last:
            covers.append(Covered(Mailbox, first, last))


def _in_batches(
    rows: Sequence[Row],
    lists: Sequence[inventory.Lists],
    looked_at: Sequence[tuple[type[Record], str]],
    want: Want,
    progress: _Progress,
) -> Iterator[Batch]:
    code = columns(Mailbox).index("agency_code")
    kept = [row for row in rows if want.agencies is None or row[code] in want.agencies]
    bad = [one_bad for one in lists for one_bad in one.bad]
    read = sum(one.read for one in lists)
    for at in range(0, max(1, len(kept)), _ROWS):
        some: dict[type[Record], Sequence[Row]] = {Mailbox: kept[at : at + _ROWS]}
        told = (bad, read, looked_at) if at == 0 else ((), 0, ())
        yield Batch(some, _cursor(progress, want), (), told[0], (), told[1], live=True, looked_at=told[2])


def _format(config: Config) -> inventory.Format:
    return inventory.Format(
        columns={
            name: tuple(map(inventory.plain, [config.columns[name]] if name in config.columns else usual))
            for name, usual in _COLUMNS.items()
        },
        optional=frozenset(_OPTIONAL - config.columns.keys()),
        kinds=_KINDS | {inventory.plain(word): kind for word, kind in config.kinds.items()},
        states=_STATES | {inventory.plain(word): state for word, state in config.states.items()},
        whose=whose(config.agency_of, config.agency_codes),
        dates=re.compile(config.list_date),
    )


def forget(cursor: Mapping[str, Any], month_day: int) -> dict[str, Any]:
    """Return a cursor without anything under the key of a month, given its first day."""
    logs = {
        pattern: {**place, "pending": without_month(place["pending"], month_day)}
        for pattern, place in cursor["logs"].items()
    }
    return {**cursor, "logs": logs}


def probe(config: Config, door: Files) -> Iterator[Finding]:
    """Yield findings about logs, lists, the server's clock and the right to write; raise what the door raises."""
    seen: set[str] = set()
    for pattern in config.logs:
        yield from log_probe.findings(door, pattern, ZoneInfo(config.zone), config.silence_days, seen)
    yield from log_probe.who_logs_in(seen)
    yield from _probe_lists(config, door)
    says = "nothing about files shows whether the account could write"
    yield Finding(
        "read-only", "unproved", says, "Let the account own nothing in the folder; mount or export it read-only"
    )


def _probe_lists(config: Config, door: Files) -> Iterator[Finding]:
    if not config.lists:
        return
    form = _format(config)
    files = inventory.by_day(door, config.lists, form.dates)
    if not files:
        says = f"no mailbox list matches {config.lists}; the figures about mailboxes will be missing"
        yield Finding("read", "failed", says, "Put a list there: CSV with the columns address, kind, state, created")
        return
    day = max(files)
    newest = inventory.read_lists(door, form, day, files[day])
    names = ", ".join(entry.name for entry in files[day])
    yield Finding("read", "ok", f"{names}: {newest.read} lines, {len(newest.bad)} of them bad, as of {iso(day)}")
