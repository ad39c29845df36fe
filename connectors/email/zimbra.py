"""Which mailboxes a Zimbra server has, whose they are, how full they are, and whether they are locked.

System:  Zimbra Collaboration 8.8 or later, asked through its admin SOAP API in JSON (`POST /service/admin/soap/`, port
         7071, or 9071 through Zimbra's own proxy), on one or several mailbox servers.
Account: an administrator's name and password (`account`, `password`); a delegated one who may list the domains and
         their accounts and has the right getDomainQuotaUsage suffices. The door needs only `base_url` and `ca_file`.
Reads:   AuthRequest, GetAllDomainsRequest (unless `domains` names them), SearchDirectoryRequest for the accounts of
         each domain, page by page, GetQuotaUsageRequest for each domain on all servers.
Never:   stores, logs or reports an address: it becomes `door.pseudonym(address, day)` while its answer is read, and the
         cursor holds pseudonyms of the current month alone. Password and token stay in memory; a fault is told by its
         code, since its text quotes addresses. A log-in is asked once, whatever happens to its answer: repeated wrong
         ones lock the account. Daily use comes from the logs (`email.mail_log`), never from zimbraLastLogonTimestamp:
         Zimbra writes it only when it is older than zimbraLastLogonTimestampFrequency, 7 days unless changed, so it
         cannot show who used a mailbox on a working day. It is asked for only with `last_logon`; then `collector
         status` tells of mailboxes with a log-on on a day of which the logs, read wholly, have no session of theirs. An
         administrator's log-on is one too.
Limits:  Zimbra tells only who is there now. A run on a day tells that day, and the days since the run before: what
         changed in between counts from the later day. Days before the first run are told by nobody; nor are those
         between two runs more than `longest_gap` days apart. A run over days of the past (`--from`) asks nothing. A
         lost cursor is made anew from what is stored of the last month. A mailbox is active from its creation on
         (zimbraCreateTimestamp), unless it was closed when it was first seen. One that vanished between the last run of
         a month and the first of the next counts until the end of the month; one that was closed and comes back within
         a month counts as if it never was. Of all states only `active` is active; `locked`, `closed`, `lockout` (too
         many wrong passwords), `pending` and `maintenance` close a mailbox from the day of the run that sees them.
Quality: unknown is the kind of a mailbox that no pattern of `kinds` fits, or whose state or creation cannot be read.
         Accounts of the system are left out by Zimbra's own marks (zimbraIsSystemAccount, zimbraIsSystemResource), and
         by `system_names`, which no person is called. Of its account for good mail (ham.z7ax5kcm@...) only the mark
         counts, as people are called ham.nguyen@...; where it is not marked, name it. A server that names nobody, or
         suddenly lacks over half of the active mailboxes (`may_vanish`), is not believed; nor is a list that changes
         while it is read. A mailbox is in each month the agency's whose it is on the first day (`agency_of`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from collector.contract.beside import Beside
from collector.contract.connector import BadRow, Batch, Finding, Want
from collector.contract.door import Pages
from collector.contract.errors import AccessDenied
from collector.contract.period import local_day, month_of
from collector.contract.records import Mailbox
from connectors.email.address_patterns import Patterns, is_address, patterns
from connectors.email.polls import Bad, batches, clock_skew
from connectors.email.standing import Entry
from connectors.email.standing import forget as forget
from connectors.email.whose import AGENCY_OF, checked, whose
from connectors.email.zimbra_soap import Session, attributes, elements, everything, number, text, truth, unexpected

DOORS = ("http",)
RECORDS = (Mailbox,)

_ACTIVE = {"active": True} | dict.fromkeys(("locked", "closed", "lockout", "pending", "maintenance"), False)
_SYSTEM = ("zimbraIsSystemAccount", "zimbraIsSystemResource")
_TIMESTAMP = re.compile(r"([0-9]{14})(?:\.[0-9]{1,9})?Z")
_SAMPLE = 100

# A random word, in which there is a digit: no person's name.
_LIKE_HAM = re.compile(r"ham\.(?=[^@]*[0-9_])[a-z0-9_]{6,12}@.*")


class Config(BaseModel):
    """The `config:` block of a source that is a Zimbra server."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    account: str = Field(
        min_length=1, description="Name of the administrator", examples=["collector@phutho.example.gov.vn"]
    )
    password: SecretStr = Field(description="Password of that account", examples=["!file zimbra-password"])
    domains: Sequence[str] = Field(
        default=(),
        description="Mail domains to read; all that the account may list if none is named",
        examples=[["skhcn.example.gov.vn", "syt.example.gov.vn"]],
    )
    system_names: Sequence[str] = Field(
        default=("galsync@*", "galsync.*@*", "spam.*@*", "virus-quarantine.*@*"),
        description="Patterns of Zimbra's own accounts, left out even where Zimbra does not mark them as such",
        examples=[["galsync@*", "galsync.*@*", "spam.*@*", "ham.z7ax5kcm@example.gov.vn", "virus-quarantine.*@*"]],
    )
    leave_out: Sequence[str] = Field(
        default=(),
        description="Patterns of addresses that are nobody's mailbox, such as test accounts",
        examples=[["probe@*", "*@test.example.gov.vn"]],
    )
    agency_of: Beside | None = AGENCY_OF
    agency_codes: Mapping[str, str] = Field(
        default={},
        description="Agency codes by address pattern, the first that fits; else agency_attribute, else the mail domain",
        examples=[{"*.bantiepdan@example.gov.vn": "H44.05"}],
    )
    agency_attribute: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Attribute of an account with the agency's code or unit, for mailboxes that have one (of several"
        " values the first in alphabetical order)",
        examples=["ou"],
    )
    kinds: Mapping[str, Literal["personal", "shared"]] = Field(
        default={},
        description="Kinds (personal, shared) by address pattern, the first that fits; else the kind is unknown",
        examples=[{"vanthu@*": "shared", "*": "personal"}],
    )
    usage: bool = Field(
        default=True, description="Ask how many bytes each mailbox uses; needs the right getDomainQuotaUsage"
    )
    last_logon: bool = Field(
        default=False,
        description="Hold zimbraLastLogonTimestamp against the logs; nothing counts by it",
        examples=[True],
    )
    page_size: int = Field(
        default=1000,
        ge=2,
        le=5000,
        description="Accounts asked for at once; Zimbra searches its whole directory for each page",
        examples=[1000],
    )
    once_a_day: bool = Field(
        default=True, description="Ask the server once on each local day, however often the source is run"
    )
    longest_gap: int = Field(
        default=7,
        ge=1,
        description="Days between two runs up to which the days between them count as told",
        examples=[7],
    )
    may_vanish: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the active mailboxes that may be gone or locked at the next run; with more, the answer is"
        " not believed. 1 believes anything, also that nobody is left",
        examples=[0.5],
    )

    @field_validator("agency_of")
    @classmethod
    def _understood(cls, agency_of: Beside | None) -> Beside | None:
        return checked(agency_of)


def fetch(config: Config, door: Pages, want: Want) -> Iterator[Batch]:
    """Yield the mailboxes of today's month, then which days they tell."""
    yield from batches(config, door, want, lambda: _entries(config, door), "account")


def _entries(config: Config, door: Pages) -> tuple[dict[str, Entry], list[BadRow]]:
    """Return the mailboxes that the server lists now, by address in lower case, and what cannot be used."""
    session = Session(door, config.account, config.password)
    accounts: dict[str, Mapping[str, Any]] = {}
    used: dict[str, object] = {}
    for domain in config.domains or _domains(session):
        listed = everything(session, "SearchDirectory", _search(config, domain), "account", config.page_size)
        accounts.update(listed)
        if listed and config.usage:
            # All at once: what each uses changes while mail comes in, and the order of pages with it.
            at_once = len(listed) + config.page_size
            usages = everything(session, "GetQuotaUsage", _quota_usage(domain), "account", at_once)
            used.update((account, row.get("used")) for account, row in usages.items())
    reader = _Reader(config, door)
    for account in sorted(accounts):
        reader.take(account, accounts[account], used.get(account))
    if reader.stateless and reader.stateless == reader.read:
        unexpected(
            door,
            "zimbraAccountStatus",
            "no account tells its state",
            "Let the administrator's rights include reading the attributes of accounts",
        )
    reader.bad.refuse_if_many(reader.read, "Compare `system_names` and `leave_out` with Zimbra's list of accounts")
    return reader.entries, reader.bad.rows


def _domains(session: Session) -> list[str]:
    body = session.ask("GetAllDomains", {"applyConfig": "0"}).body
    named = {text(domain.get("name")) for domain in elements(session.door, body, "domain")}
    if None in named:
        unexpected(session.door, "domain", "a domain has no name")
    return sorted(name for name in named if name)


def _search(config: Config, domain: str) -> dict[str, str]:
    wanted = ["zimbraAccountStatus", "zimbraMailQuota", "zimbraCreateTimestamp", *_SYSTEM]
    if config.agency_attribute:
        wanted.append(config.agency_attribute)
    if config.last_logon:
        wanted.append("zimbraLastLogonTimestamp")
    return {
        "domain": domain,
        "types": "accounts",
        "maxResults": "0",  # unlimited; without it more than 5,000 are a fault
        "applyCos": "1",  # the class of service holds most quotas
        "applyConfig": "0",
        "sortBy": "name",
        "attrs": ",".join(wanted),
    }


def _quota_usage(domain: str) -> dict[str, str]:
    return {"domain": domain, "allServers": "1", "sortBy": "totalUsed", "refresh": "0"}


class _Reader:
    """What accounts say, one by one: mailboxes by address, and how many say nothing of their state."""

    def __init__(self, config: Config, door: Pages) -> None:
        self._door = door
        self._today = local_day(door.began)
        self._agency_attribute = config.agency_attribute
        self._whose, self._kinds = whose(config.agency_of, config.agency_codes), patterns(config.kinds)
        self._out = patterns([*config.system_names, *config.leave_out])
        self.entries: dict[str, Entry] = {}
        self.bad = Bad(door)
        self.read = self.stateless = 0

    def take(self, account: str, element: Mapping[str, Any], used: object) -> None:
        """Read one account, given with its id; `used` as the server tells it, None if it does not."""
        told = attributes(self._door, element)
        address = (text(element.get("name")) or "").lower()
        if is_of_system(told) or self._out.first(address) is not None:
            return
        self.read += 1
        if not is_address(address):
            self.bad.add(address or account, "name", "it is no mail address; `leave_out` a pattern that fits it")
            return
        self.entries[address] = self._entry(address, told, used)

    def _entry(self, address: str, told: Mapping[str, frozenset[str]], used: object) -> Entry:
        def bad(field: str, reason: str) -> None:
            self.bad.add(address, field, reason)

        kind = self._kinds.first(address)
        unit = min((value.strip() for value in told.get(self._agency_attribute, ())), default="")
        code = self._whose.code(address, month_of(self._today).first, unit)
        states = told.get("zimbraAccountStatus", frozenset())
        self.stateless += not states
        active = _ACTIVE.get(_only(states).lower())
        if active is None:
            bad("zimbraAccountStatus", "it is none of the known states")
            kind = None
        created = None
        if moments := told.get("zimbraCreateTimestamp"):
            created = created_day(_only(moments))
            if created is None or created > self._today:
                bad("zimbraCreateTimestamp", "it is no instant of the past in UTC")
                kind = created = None
        quota = None
        if limits := told.get("zimbraMailQuota"):
            quota = number(_only(limits))
            if quota is None:
                bad("zimbraMailQuota", "it is no number of bytes")
        size = number(used)
        if used is not None and size is None:
            bad("used", "it is no number of bytes")
        return Entry(code, kind, active, quota, size, created, _last_logon(told))


def is_of_system(told: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether Zimbra marks an account as one of its own."""
    return any(truth(value) for name in _SYSTEM for value in told.get(name, ()))


def _last_logon(told: Mapping[str, frozenset[str]]) -> int | None:
    """Return the local day of the last log-on, if it was asked for; what cannot be read is as if it were not told."""
    return created_day(_only(told.get("zimbraLastLogonTimestamp", frozenset())))


def created_day(moment: str) -> int | None:
    """Return the local day of LDAP's `20260131170000Z` or `20260131170000.123Z` (UTC); None if it is none."""
    found = _TIMESTAMP.fullmatch(moment)
    if found is None:
        return None
    try:
        return local_day(int(datetime.strptime(found[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()))
    except ValueError:
        return None


def _only(values: frozenset[str]) -> str:
    """Return the value of an attribute that has one; of several that differ, nothing."""
    return next(iter(values)) if len(values) == 1 else ""


def probe(config: Config, door: Pages) -> Iterator[Finding]:
    """Yield findings about the log-in, the domains, their accounts and quotas; raise what the door raises."""
    session = Session(door, config.account, config.password)
    session.log_in()
    yield Finding("reach", "ok", "Zimbra's admin service answers")
    yield Finding("log in", "ok", "the account's name and password are taken")
    domains = config.domains or _domains(session)
    mend = "Name `domains`, or let the account list them"
    yield Finding("read", "ok" if domains else "failed", f"{len(domains)} mail domains", mend)
    seen: list[Mapping[str, Any]] = []
    total, clock, filled = 0, None, ""
    for domain in domains:
        said = session.ask("SearchDirectory", {**_search(config, domain), "limit": str(_SAMPLE), "offset": "0"})
        some = elements(door, said.body, "account")
        count = number(said.body.get("searchTotal"))
        total += len(some) if count is None else count
        clock = said.server_time
        filled = filled or (domain if some else "")
        seen.extend(some)
    yield clock_skew(clock, door.began)
    yield from _probe_accounts(config, door, seen, total)
    if config.usage and filled:
        yield _probe_usage(session, filled)
    yield _read_only(session, config.account)


def _probe_accounts(config: Config, door: Pages, seen: Sequence[Mapping[str, Any]], total: int) -> Iterator[Finding]:
    says = f"{total} accounts, Zimbra's own among them; {len(seen)} were looked at"
    yield Finding("read", "ok" if seen else "failed", says, "Check `domains` and the rights of the account")
    reader = _Reader(config, door)
    names = patterns(config.system_names)
    by_name = 0
    addresses = []
    for element in seen:
        told = attributes(door, element)
        address = (text(element.get("name")) or "").lower()
        by_name += not is_of_system(told) and names.first(address) is not None
        reader.take(text(element.get("id")) or "", element, None)
        addresses.append(address)
    if unmarked := sum(_LIKE_HAM.fullmatch(address) is not None for address in reader.entries):
        says = f"{unmarked} of the mailboxes looked at may be Zimbra's own for good mail (ham.…), not marked there"
        yield Finding("read", "unproved", says, "If it is no person's, name it in `leave_out`")
    if by_name:
        says = f"{by_name} of the accounts looked at are left out by `system_names` alone: Zimbra does not mark them"
        yield Finding("read", "unproved", says, "Make the patterns narrower if one of these is a person's mailbox")
    if reader.bad.rows:
        fields = ", ".join(sorted({row.field for row in reader.bad.rows}))
        says = f"{len({row.key for row in reader.bad.rows})} of the accounts looked at cannot be read ({fields})"
        yield Finding("read", "failed", says, "Show Zimbra's operator which attributes are at fault")
    yield from _probe_kinds(patterns(config.kinds), reader.entries)


def _probe_kinds(kinds: Patterns, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    unknown = sum(kinds.first(address) is None for address in entries)
    if unknown:
        says = f"{unknown} of {len(entries)} mailboxes looked at are neither known as personal nor as shared"
        yield Finding("read", "unproved", says, 'Name patterns in `kinds`, the last one "*" if it is for all others')


def _probe_usage(session: Session, domain: str) -> Finding:
    try:
        body = session.ask("GetQuotaUsage", {**_quota_usage(domain), "limit": "1", "offset": "0"}).body
    except AccessDenied as error:
        return Finding("read", "failed", "how much mailboxes use cannot be read", error.mend)
    told = [number(row.get("used")) for row in elements(session.door, body, "account")]
    if None in told or not told:
        return Finding("read", "failed", "the answer does not tell how much mailboxes use", "Or set `usage: false`")
    return Finding("read", "ok", "how much mailboxes use can be read")


def _read_only(session: Session, name: str) -> Finding:
    """Say what the account itself shows of its rights: none of it proves that it cannot write."""
    mend = "Use a delegated administrator who may only list accounts and has the right getDomainQuotaUsage"
    wanted = "zimbraIsAdminAccount,zimbraIsDelegatedAdminAccount"
    try:
        asked = {"account": {"by": "name", "_content": name}, "applyCos": "0", "attrs": wanted}
        body = session.ask("GetAccount", asked).body
    except AccessDenied:
        return Finding("read-only", "unproved", "the account may not read its own rights; it is no full one", mend)
    for element in elements(session.door, body, "account"):
        told = attributes(session.door, element)
        if any(truth(value) for value in told.get("zimbraIsAdminAccount", ())):
            says = "this is a system administrator, who may change everything"
            return Finding("read-only", "unproved", says, mend)
        if any(truth(value) for value in told.get("zimbraIsDelegatedAdminAccount", ())):
            says = "this is a delegated administrator; whether a right of it writes, only Zimbra's list of grants shows"
            return Finding("read-only", "unproved", says, mend)
    return Finding("read-only", "unproved", "nothing shows which rights this account has", mend)
