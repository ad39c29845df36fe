"""Reading `collector.yaml`."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from collector.contract.connector import Connector
from collector.contract.errors import WrongUse
from collector.settings.receivers import receivers
from collector.settings.shape import Limits, Listen, Privacy, Province, Served, Serves, Settings, Source
from collector.settings.times import cron, duration, hours, maintenance, probing
from collector.settings.typed import Reader
from collector.transports import OPTIONS
from collector.yaml_file import (
    MUST,
    Faults,
    Keys,
    Many,
    Node,
    Section,
    Text,
    nearest,
    plain,
    read,
    section,
)

FindConnector = Callable[[str], Connector]
"""Returns the connector of a name `<family>.<name>`; raises LookupError, saying which there are, if there is none."""

_KEYS = (
    *("province", "agencies", "workdays", "scoring", "declared", "state", "store", "demo", "sources"),
    *("limits", "privacy", "serve", "receiver", "receivers", "signing_key"),
)

HERE = Path("config/collector.yaml")
SYSTEM = Path("/etc/collector/collector.yaml")
VARIABLE = "COLLECTOR_CONFIG"


def locate(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the configuration file.

    The first of `--config`, COLLECTOR_CONFIG, ./config/collector.yaml and /etc/collector/collector.yaml counts.
    Raises WrongUse if the file that was named does not exist, or none was found.
    """
    if option is not None:
        return _existing(option, "--config")
    if environment.get(VARIABLE):
        return _existing(Path(environment[VARIABLE]), VARIABLE)
    for path in (HERE, SYSTEM):
        if path.is_file():
            return path
    places = f"--config, {VARIABLE}, {HERE} and {SYSTEM}"
    raise WrongUse(f"no configuration found; looked at {places}", mend="Run `collector init DIR` to start one")


def _existing(path: Path, by: str) -> Path:
    if path.is_file():
        return path
    raise WrongUse(f"{path}: there is no such file, but {by} names it", mend="Correct the path")


def load(path: Path, find_connector: FindConnector, environment: Mapping[str, str]) -> Settings:
    """Read and check a configuration; nothing is opened but the file and the secrets that it names.

    Raises WrongUse with one line for each fault: `file:line: key: what is wrong. mend`.
    """
    faults = Faults(path)
    reader = Reader(faults, environment)
    top = Section(faults, "", read(path, faults))
    top.only(*_KEYS)
    province = _province(top)
    agencies = _beside(top, "agencies", "agencies.yaml", needed=True)
    workdays = _beside(top, "workdays", "workdays/", folder=True)
    scoring = _beside(top, "scoring", "scoring.yaml")
    declared = _beside(top, "declared", "declared.yaml")
    state = _state(top, environment)
    signing_key = _signing_key(top, state)
    store_url = _store(top, reader, state)
    now = _now(top)
    limits, privacy, serve = _limits(top), _privacy(top), _serve(top)
    sources = _sources(top, reader, find_connector)
    told = receivers(top, reader)
    faults.finish()
    files = (path, province, agencies, workdays, scoring, declared, signing_key, state)
    return Settings(*files, store_url, sources, limits, privacy, serve, now, told)


def _province(top: Section) -> Province:
    below = top.section("province")
    if below is None:
        if not top.has("province"):
            top.fault("province", MUST, "Write `province: {name: Phú Thọ, code: H44}`")
        return Province("", "")
    below.only("name", "code")
    name = below.text("name", "Phú Thọ", needed=True)
    code = below.text("code", "H44", needed=True)
    if code is not None and not re.fullmatch(r"[A-Z][0-9]{2}", code):
        below.fault("code", f"{code} is no province's code", "Write the first part of its agencies' codes, like H44")
    return Province(name or "", code or "")


def _beside(top: Section, name: str, usual: str, *, folder: bool = False, needed: bool = False) -> Path:
    base = top.faults.path.parent
    written = top.text(name, usual)
    path = base / (written or usual)
    exists = path.is_dir() if folder else path.is_file()
    if not exists and (needed or top.has(name)) and (written or not top.has(name)):
        kind = "folder" if folder else "file"
        top.fault(name, f"there is no {kind} {path}", "Create it, or correct the path; it is relative to this file")
    return path


def _state(top: Section, environment: Mapping[str, str]) -> Path:
    written = top.text("state", "/var/lib/collector")
    if written:
        return top.faults.path.parent / written
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])  # systemd separates several with colons
    if given := environment.get("XDG_STATE_HOME"):
        return Path(given) / "ict-collector"
    if given := environment.get("HOME"):
        return Path(given) / ".local" / "state" / "ict-collector"
    if not top.has("state"):
        wrong = "there is no folder to keep state in: neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set"
        top.fault("state", wrong, "Write `state: /var/lib/collector`")
    return Path()


def _signing_key(top: Section, state: Path) -> Path:
    """The key's file, which need not be there: it is looked at only while something is sealed."""
    path = top.faults.path.parent / (top.text("signing_key", "/etc/collector/signing.key") or "signing.key")
    if top.has("signing_key") and path.absolute().is_relative_to(state.absolute()):
        wrong = f"{path} lies in the state folder, beside what it signs"
        top.fault("signing_key", wrong, "Keep it apart from the database and its backups: /etc/collector/signing.key")
    return path


def _store(top: Section, reader: Reader, state: Path) -> SecretStr:
    if not top.has("store"):
        return SecretStr(f"sqlite:///{state.absolute() / 'collector.sqlite'}")
    node = top.node.items["store"]
    by_reference = isinstance(node, Text) and node.reference
    secret = reader.secret(node, "store") if isinstance(node, Text) and node.reference else None
    text = secret.get_secret_value() if secret else None if by_reference else top.text("store", _STORE_EXAMPLE)
    if text is None:
        return SecretStr("")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        top.fault("store", "is no database URL", f"Write it like {_STORE_EXAMPLE}")
        return SecretStr("")
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:":
            top.fault("store", "names no file", "Write it like sqlite:////var/lib/collector/collector.sqlite")
            return SecretStr("")
        url = url.set(database=str((reader.faults.path.parent / url.database).absolute()))
    elif url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    elif url.drivername != "postgresql+psycopg":
        wrong = f"{url.drivername} is no store that is known"
        top.fault("store", wrong, "Write sqlite:///PATH or postgresql://HOST/DATABASE")
    if url.password and not by_reference:
        mend = "Write the whole URL into an environment variable or a file, and `store: !env NAME` or `!file PATH`"
        top.fault("store", "the URL holds a password", mend)
    return SecretStr(url.render_as_string(hide_password=False))


_STORE_EXAMPLE = "postgresql://collector@db.example.gov.vn/collector"


def _now(top: Section) -> int | None:
    below = top.section("demo")
    if below is None:
        return None
    text = below.only("now").text("now", "2026-03-01T08:00:00+07:00", needed=True)
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", text):
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except ValueError:
            pass  # a 30 February: told below
    below.fault("now", f"{text} is no instant", "Write it in RFC 3339, like 2026-03-01T08:00:00+07:00")
    return None


def _limits(top: Section) -> Limits:
    below = top.section("limits")
    if below is None:
        return Limits()
    text = below.only("unknown_share").text("unknown_share", "0.05")
    if text is None:
        return Limits()
    if not re.fullmatch(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?", text):
        below.fault("unknown_share", f"{text} is no share from 0 to 1", "Write 0.05 for 5 %")
        return Limits()
    return Limits(float(text))


def _privacy(top: Section) -> Privacy:
    below = top.section("privacy")
    if below is None:
        return Privacy()
    text = below.only("appeal_days").text("appeal_days", str(Privacy().appeal_days))
    if text is None:
        return Privacy()
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 366:
        below.fault("appeal_days", f"{text} is no number of days from 1 to 366", "Write 30, as in the decision")
        return Privacy()
    return Privacy(int(text))


def _serve(top: Section) -> Listen:
    below = top.section("serve")
    if below is None:
        return Listen()
    below.only("host", "port", "web")
    host = below.text("host", Listen().host)
    port = below.number("port", Listen().port)
    if port is not None and port > 65_535:
        below.fault("port", f"{port} is no port", "Write a number from 1 to 65535, or 0 for any free one")
    web = _beside(below, "web", "web.yml") if below.has("web") else None
    return Listen(host or Listen().host, Listen().port if port is None else port, web)


def _sources(top: Section, reader: Reader, find_connector: FindConnector) -> dict[str, Source]:
    below = top.section("sources")
    if below is None:
        if not top.has("sources"):
            top.fault("sources", MUST, "Write `sources:` and below it a name for each system that is read")
        return {}
    sources: dict[str, Source] = {}
    for name, node in below.node.items.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name) or name == "any":
            wrong = f"{name} is no name for a source"
            below.fault(name, wrong, "Write small letters, digits, - or _, beginning with a letter; not `any`")
        entry = section(node, below.below(name), top.faults)
        found = _source(name, entry, reader, find_connector) if entry else None
        if found is not None:
            sources[name] = found
    return sources


_WHEN = (
    "stale_after",
    "every",
    "cron",
    "hours",
    "maintenance",
    "deadline",
    "requests_per_minute",
    "reconcile",
    "probe",
)


def _source(name: str, entry: Section, reader: Reader, find_connector: FindConnector) -> Source | None:
    entry.only("connector", "door", "config", "from", "serves", *_WHEN)
    connector_name, connector = _connector(entry, find_connector)
    door = _door(entry, reader, connector_name, connector)
    config = _config(entry, reader, connector)
    since = entry.day("from", needed=True)
    serves = _serves(entry)
    every = _duration(entry, "every", "1h")
    stale_after = _duration(entry, "stale_after", "2d")
    deadline = _duration(entry, "deadline", "30m")
    requests = entry.number("requests_per_minute", 120, least=1)
    reconcile = None if entry.text("reconcile", "1d") == "never" else _duration(entry, "reconcile", "1d")
    if stale_after < every:
        mend = "Let it be stale only after at least one run was missed"
        entry.fault("stale_after", "is shorter than `every`: the figures would always be stale", mend)
    if entry.has("cron") and entry.has("every"):
        entry.fault("cron", "says when it is read, and so does `every`", "Keep one of them")
    probe = probing(entry, door, requests or 120)
    at, of_day, windows = cron(entry), hours(entry, over_midnight=True), maintenance(entry)
    if door is None or config is None:
        return None
    when = (stale_after, every, deadline, requests or 120, reconcile, probe, at, of_day, windows)
    return Source(name, connector_name, door, config, since or 0, serves, *when)


def _connector(entry: Section, find_connector: FindConnector) -> tuple[str, Connector | None]:
    name = entry.text("connector", "email.mail_log", needed=True)
    if name is None:
        return "", None
    if not re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", name):
        entry.fault("connector", f"{name} is no connector", "Write <family>.<name>, like email.mail_log")
        return name, None
    try:
        return name, find_connector(name)
    except LookupError as error:
        reason = str(error.args[0]).rstrip(".") if error.args else "no connector has this name"
        entry.fault("connector", f"{name}: {reason}", "Write <family>.<name> of a connector that is installed")
        return name, None


def _door(entry: Section, reader: Reader, connector_name: str, connector: Connector | None) -> BaseModel | None:
    below = entry.section("door")
    if below is None:
        if not entry.has("door"):
            entry.fault("door", MUST, "Write `door:` and below it kind, and what that kind of door needs")
        return None
    kind = below.text("kind", "folder", needed=True)
    if kind is None:
        return None
    if kind not in OPTIONS:
        below.fault("kind", f"{kind} is no kind of door", nearest(kind, OPTIONS))
        return None
    if connector is not None and kind not in connector.DOORS:
        mend = f"Use one of: {', '.join(connector.DOORS)}"
        below.fault("kind", f"{connector_name} cannot walk through a door of kind {kind}", mend)
    return reader.model(OPTIONS[kind], below.node, below.key)


def _config(entry: Section, reader: Reader, connector: Connector | None) -> BaseModel | None:
    below = entry.section("config")
    if connector is None or (below is None and entry.has("config")):
        return None
    node = below.node if below else Keys(entry.line("config"), {}, {})
    return reader.model(connector.Config, node, entry.below("config"))


def _serves(entry: Section) -> Serves:
    if not entry.has("serves"):
        entry.fault("serves", MUST, "Write `serves: all`, `serves: [H44.02]` or `serves: {all_but: [H44.60]}`")
        return Serves("all")
    node = entry.node.items["serves"]
    if isinstance(node, Many):
        return Serves("only", _served(entry, entry.many("serves"), dated=True))
    if isinstance(node, Keys):
        below = Section(entry.faults, entry.below("serves"), node).only("all_but")
        if not below.has("all_but"):
            below.fault("all_but", MUST, "Write `serves: {all_but: [H44.60]}`")
        return Serves("all_but", _served(entry, below.many("all_but"), dated=False))
    text = plain(node, entry.below("serves"), "all", entry.faults)
    if text not in (None, "all"):
        entry.fault("serves", f"{text} is not understood", "Write all, a list of codes, or {all_but: [H44.60]}")
    return Serves("all")


def _served(entry: Section, items: Sequence[tuple[str, Node]], *, dated: bool) -> tuple[Served, ...]:
    served: list[Served] = []
    for key, node in items:
        from_day: int | None = None
        if isinstance(node, Keys) and dated:
            below = Section(entry.faults, key, node).only("agency", "from")
            code, from_day = below.text("agency", "H44.02", needed=True), below.day("from", needed=True)
        else:
            code = plain(node, key, "H44.02", entry.faults)
        if code is None:
            continue
        if any(one.agency == code for one in served):
            entry.faults.add(node.line, key, f"{code} is listed twice", "Keep one of them")
        served.append(Served(code, from_day, f"{entry.faults.path}:{node.line}: {key}"))
    return tuple(served)


def _duration(entry: Section, name: str, usual: str) -> int:
    return duration(entry, name, usual) or (86_400 if name == "stale_after" else 1)
