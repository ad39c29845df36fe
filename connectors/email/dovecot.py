"""Which mailboxes a Dovecot server has, whose they are, how full they are, and whether they are locked.

System:  Dovecot 2.3, asked through doveadm's HTTP API (`POST /doveadm/v1`; `service doveadm { inet_listener http }`).
Account: `doveadm_api_key`, which may do anything to any mailbox: let `doveadm_allowed_commands = user,quota get,dict
         iter,dict get` narrow it, and a firewall or TLS proxy keep others away from the port. The door's `token` is
         the key, with `token_prefix: "X-Dovecot-API "` and `token_base64: true`.
Reads:   `user` with masks (everybody's name), `quotaGet` for all users at once (100 users in one question where one
         broken mailbox spoils that), the fields of the user database that `state_field` and `agency_field` name (100
         users in one question), `dictIter` of last logins if `last_login_dict` is set.
Never:   stores, logs or reports an address: it becomes `door.pseudonym(address, day)` while its answer is read, and the
         cursor holds pseudonyms of the current month alone. Never asks anything that writes, nor `who` in a run.
         last_login never counts as use: it is compared with the moment of this very run, and its day with the logs.
Limits:  Dovecot tells only who is there now. A run on a day tells that day, and the days since the run before: what
         changed in between counts from the later day. Days before the first run are told by nobody; nor are those
         between two runs more than `longest_gap` days apart. A run over days of the past (`--from`) asks nothing. A
         lost cursor is made anew from what is stored of the last month. A mailbox that vanished between the last run of
         a month and the first of the next counts until the end of the month; one that was closed and comes back within
         a month counts as if it never was. Locked accounts are in Dovecot's list: without `state_field` all count as
         active. Beside a source of logs, that one's `lists` must be '': two inventories would count twice. Each
         question, and each user asked for alone, writes a line into Dovecot's log (`doveadm(...)`), which the source of
         logs skips; so the server is asked once a day, at the first run of the day that succeeds.
Quality: unknown is the kind of a mailbox that no pattern of `kinds` fits. A server that names nobody, or suddenly lacks
         over half of the active mailboxes (`may_vanish`), is not believed. Quota is rounded to KiB by Dovecot.
         `collector status` tells of mailboxes that have a last login on a day of which the logs, read wholly, have no
         session of theirs. A mailbox is in each month the agency's whose it is on the first day (`agency_of`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from collector.contract.beside import Beside
from collector.contract.connector import BadRow, Batch, Finding, Want
from collector.contract.door import Pages
from collector.contract.errors import AccessDenied
from collector.contract.period import iso, local_day, month_of
from collector.contract.records import Mailbox
from connectors.email import dovecot_doveadm as doveadm
from connectors.email.address_patterns import is_address, patterns
from connectors.email.dovecot_doveadm import Quota
from connectors.email.polls import LAST_LOGIN, Bad, batches, clock_skew
from connectors.email.standing import Entry
from connectors.email.standing import forget as forget
from connectors.email.whose import AGENCY_OF, checked, whose

DOORS = ("http",)
RECORDS = (Mailbox,)

_FEW = 10
_STATES = {
    **dict.fromkeys(("", "y", "yes", "t", "true", "on", "1", "locked", "disabled", "closed", "khóa", "khoá"), "locked"),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0", "active", "enabled", "hoạt động"), "active"),
}


class Config(BaseModel):
    """The `config:` block of a source that is a Dovecot server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    masks: Sequence[str] = Field(
        default=("*",),
        min_length=1,
        description="Which users are asked for: Dovecot's masks, each with * or ?",
        examples=[["*@skhcn.example.gov.vn", "*@syt.example.gov.vn"]],
    )
    domain: str = Field(
        default="", description="The mail domain of user names that have none", examples=["skhcn.example.gov.vn"]
    )
    leave_out: Sequence[str] = Field(
        default=(),
        description="Patterns of addresses that are nobody's mailbox, such as system and test accounts",
        examples=[["probe@*", "*@localhost"]],
    )
    agency_of: Beside | None = AGENCY_OF
    agency_codes: Mapping[str, str] = Field(
        default={},
        description="Agency codes by address pattern, the first that fits; else agency_field, else the mail domain",
        examples=[{"*.bantiepdan@example.gov.vn": "H44.05"}],
    )
    agency_field: str = Field(
        default="",
        description="Field of the user database with the agency's code or unit, for mailboxes that have one",
        examples=["ou"],
    )
    kinds: Mapping[str, Literal["personal", "shared"]] = Field(
        default={},
        description="Kinds (personal, shared) by address pattern, the first that fits; else the kind is unknown",
        examples=[{"vanthu@*": "shared", "*": "personal"}],
    )
    state_field: str = Field(
        default="",
        description="Field of the user database that tells that a mailbox is locked; one without the field is active",
        examples=["nologin"],
    )
    states: Mapping[str, Literal["active", "locked"]] = Field(
        default={},
        description="More values of state_field for the states active and locked; y, yes, true and 1 mean locked",
        examples=[{"tạm ngưng": "locked", "đang dùng": "active"}],
    )
    quota: Literal["all", "each", "none"] = Field(
        default="all",
        description="Ask the quota of all at once (of each, if one mailbox spoils that), of each, or not at all",
        examples=["all"],
    )
    quota_root: str = Field(
        default="", description="The quota that counts where mailboxes have several", examples=["User quota"]
    )
    last_login_dict: str = Field(
        default="",
        description="Dictionary of last logins, if they are to be held against the logs; nothing counts by them",
        examples=["proxy::lastlogin"],
    )
    last_login_prefix: str = Field(
        default="shared/last-login/",
        description="What stands before the user in the keys of that dictionary",
        examples=["shared/last-login/"],
    )
    once_a_day: bool = Field(
        default=True,
        description="Ask the server once on each local day, however often the source is run",
        examples=[True],
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

    @field_validator("masks")
    @classmethod
    def _are_masks(cls, masks: Sequence[str]) -> Sequence[str]:
        # Without one, doveadm answers with the fields of that user and not with a list.
        if plain := [mask for mask in masks if not {"*", "?"} & set(mask)]:
            raise ValueError(f"{plain[0]!r} is no mask: it has neither * nor ?")
        return masks


def fetch(config: Config, door: Pages, want: Want) -> Iterator[Batch]:
    """Yield the mailboxes of today's month, then which days they tell."""
    yield from batches(config, door, want, lambda: _entries(config, door), "userList")


def _entries(config: Config, door: Pages) -> tuple[dict[str, Entry], list[BadRow]]:
    """Return the mailboxes that the server lists now, by address in lower case, and what cannot be used."""
    names, clock = doveadm.users(door, config.masks)
    bad = Bad(door)
    mailboxes = _mailboxes(config, names, bad)
    wanted = [field for field in (config.state_field, config.agency_field) if field]
    asked = sorted(mailboxes.values())
    told = doveadm.fields(door, asked, wanted) if wanted else {name: {} for name in asked}
    quotas = _quotas(config, door, asked)
    agencies, kinds = whose(config.agency_of, config.agency_codes), patterns(config.kinds)
    month = month_of(local_day(door.began)).first
    states = _STATES | {word.strip().casefold(): state for word, state in config.states.items()}
    entries: dict[str, Entry] = {}
    for address, name in mailboxes.items():
        kind = kinds.first(address)
        fields = told.get(name)
        if fields is None:
            bad.add(address, "userMask", "it is listed, but not known to the user database when it is asked for")
            entries[address] = Entry(agencies.code(address, month), None, None)
            continue
        code = agencies.code(address, month, fields.get(config.agency_field, "").strip())
        state = states.get(fields[config.state_field].strip().casefold()) if config.state_field in fields else "active"
        if state is None:
            bad.add(address, config.state_field, "it is none of the known states; name it in `states`")
            kind = None
        quota = quotas.get(name, Quota(None, None))
        if quota.fault:
            bad.add(address, "quota", quota.fault)
        active = None if state is None else state == "active"
        entries[address] = Entry(code, kind, active, quota.limit, quota.used)
    bad.refuse_if_many(len(names), "Compare `masks`, `domain`, `leave_out` and `states` with the server's list")
    if config.last_login_dict and entries:
        logins, _ = doveadm.last_logins(door, config.last_login_dict, config.last_login_prefix)
        if touched := _touched_since(logins, door.began if clock is None else clock, len(entries)):
            bad.rows.append(
                BadRow(Mailbox, LAST_LOGIN, "last_login", f"after the run of {iso(local_day(door.began))}, {touched}")
            )
        else:
            entries = {
                address: replace(entry, last_login_day=_day_of(logins.get(mailboxes[address].lower())))
                for address, entry in entries.items()
            }
    return entries, bad.rows


def _day_of(instant: int | None) -> int | None:
    return None if instant is None else local_day(instant)


def _mailboxes(config: Config, names: Sequence[str], bad: Bad) -> dict[str, str]:
    """Return the name that the server gave by address in lower case; of two that differ in case alone, the first."""
    out = patterns(config.leave_out)
    mailboxes: dict[str, str] = {}
    for name in sorted(names):
        address = name.lower() if "@" in name or not config.domain else f"{name}@{config.domain}".lower()
        if out.first(address) is not None:
            continue
        if is_address(address):
            mailboxes.setdefault(address, name)
        else:
            bad.add(name, "userList", "it is no mail address; name its `domain`, or `leave_out` a pattern that fits it")
    return mailboxes


def _quotas(config: Config, door: Pages, names: Sequence[str]) -> Mapping[str, Quota]:
    if config.quota == "none" or not names:
        return {}
    of_all = doveadm.quotas_of_all(door, config.quota_root) if config.quota == "all" else None
    return doveadm.quotas_of_each(door, names, config.quota_root) if of_all is None else of_all


def _touched_since(logins: Mapping[str, int], began: int, users: int) -> str:
    """Say that over half of the users logged in since this run began, if they did: then it was the run itself."""
    jumped = sum(instant >= began for instant in logins.values())
    if jumped * 2 <= users:
        return ""
    return f"the last logins of {jumped} of {users} mailboxes stood at that run's moment: they show who was asked for"


_ONLY_SESSIONS = (
    "Load the plugin last_login only in protocol imap and protocol pop3, not in the global mail_plugins; nothing"
    " counts by last_login"
)


def probe(config: Config, door: Pages) -> Iterator[Finding]:
    """Yield findings about the API, the list, states, quota and last logins; raise what the door raises."""
    names, clock = doveadm.users(door, config.masks)
    yield Finding("reach", "ok", "doveadm's HTTP API answers, and takes the key")
    yield clock_skew(clock, door.began)
    yield from _probe_list(config, door, names)
    mailboxes = _mailboxes(config, names, Bad(door))
    if mailboxes:
        address = min(mailboxes)
        yield from _probe_reading(config, door, mailboxes[address])
        yield from _probe_last_login(config, door, mailboxes)
    yield _read_only(door)


def _probe_list(config: Config, door: Pages, names: Sequence[str]) -> Iterator[Finding]:
    bad = Bad(door)
    mailboxes = _mailboxes(config, names, bad)
    domains = len({address.rpartition("@")[2] for address in mailboxes})
    says = f"{len(names)} users, of them {len(mailboxes)} mailboxes in {domains} domains, {len(bad.rows)} no address"
    mend = "Check `masks`, `domain` and `leave_out`; and let the user database list its users"
    result: Literal["ok", "unproved", "failed"] = "failed" if not mailboxes else "unproved" if bad.rows else "ok"
    yield Finding("read", result, says, "" if result == "ok" else mend)
    kinds = patterns(config.kinds)
    unknown = sum(kinds.first(address) is None for address in mailboxes)
    if unknown:
        says = f"{unknown} of {len(mailboxes)} mailboxes are neither known as personal nor as shared"
        yield Finding("read", "unproved", says, 'Name patterns in `kinds`, the last one "*" if it is for all others')


def _probe_reading(config: Config, door: Pages, name: str) -> Iterator[Finding]:
    wanted = [field for field in (config.state_field, config.agency_field) if field]
    if wanted:
        known = doveadm.fields(door, [name], wanted)
        what = f"the user database {'answers' if known else 'does not answer'} for {' and '.join(wanted)}"
        yield Finding("read", "ok" if known else "failed", what)
    if not config.state_field:
        says = "nothing tells which mailboxes are locked: all that are listed count as active"
        yield Finding("read", "unproved", says, "Name in `state_field` the field of the user database that locks")
    if config.quota != "none":
        of_one = doveadm.quotas_of_each(door, [name], config.quota_root).get(name, Quota(None, None))
        told = of_one.used is not None
        if told:
            yield Finding("read", "ok", "a mailbox's quota can be read")
        else:
            mend = "Configure the plugin quota there, or set `quota: none`"
            yield Finding("read", "failed", "a mailbox's quota cannot be read", mend)


def _probe_last_login(config: Config, door: Pages, mailboxes: Mapping[str, str]) -> Iterator[Finding]:
    """Tell whether last logins are those of people: not if many share one minute, nor if reading a quota moves one."""
    if not config.last_login_dict:
        return
    logins, before = doveadm.last_logins(door, config.last_login_dict, config.last_login_prefix)
    since = door.began if before is None else before
    known = {address: instant for address, instant in logins.items() if address in mailboxes}
    if not known:
        says = "nobody has a last login yet"
        yield Finding("last login", "unproved", says, "Check `last_login_prefix` against last_login_key there")
        return
    count = max(Counter(instant // 60 for instant in known.values()).values())
    if len(known) >= _FEW and count * 2 > len(mailboxes):
        says = f"unusable: {count} of {len(mailboxes)} mailboxes had their last login within one minute"
        yield Finding("last login", "failed", says, _ONLY_SESSIONS)
        return
    address = min(known, key=lambda one: (known[one], one))
    if config.quota == "none" or known[address] >= since:
        says = f"{len(known)} of {len(mailboxes)} mailboxes have a last login; nothing shows that reading moves it"
        yield Finding("last login", "unproved", says)
        return
    name = mailboxes[address]
    doveadm.quotas_of_each(door, [name], config.quota_root)
    after = doveadm.last_login(door, config.last_login_dict, config.last_login_prefix, name)
    if after is not None and after >= since:
        says = "unusable: a mailbox's last login moved when its quota was read"
        yield Finding("last login", "failed", says, _ONLY_SESSIONS)
        return
    yield Finding("last login", "ok", f"{len(known)} of {len(mailboxes)} mailboxes have one, and reading moves none")


def _read_only(door: Pages) -> Finding:
    """Ask for what no run needs: if that is refused, a list of allowed commands is in force."""
    mend = f"Set doveadm_allowed_commands = {','.join(doveadm.NAMES.values())} in dovecot.conf"
    refusal = doveadm.ask(door, "who", [{}]).results[0]
    if isinstance(refusal, doveadm.Refusal) and isinstance(doveadm.refused(door, "who", refusal), AccessDenied):
        says = "a list of allowed commands is in force; that none of them writes, only dovecot.conf shows"
        return Finding("read-only", "unproved", says, mend)
    return Finding("read-only", "unproved", "this key may use commands that no run needs, also those that write", mend)
