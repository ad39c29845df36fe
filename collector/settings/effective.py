"""The configuration that counts, defaults filled in and secrets masked, for an operator to look at."""

from typing import Any

import yaml
from pydantic import BaseModel, SecretStr
from sqlalchemy import make_url

from collector.contract.period import day_start, iso, local_day
from collector.settings.shape import Probing, Serves, Settings, Source

MASK = "********"


def masked(settings: Settings) -> str:
    """Return the effective configuration as YAML. Every secret, also a password inside the store's URL, is masked."""
    content: dict[str, Any] = {
        "province": {"name": settings.province.name, "code": settings.province.code},
        "agencies": str(settings.agencies),
        "workdays": str(settings.workdays),
        "scoring": str(settings.scoring),
        "declared": str(settings.declared),
        "signing_key": str(settings.signing_key),
        "state": str(settings.state),
        "store": make_url(settings.store_url.get_secret_value()).render_as_string(hide_password=True),
        "limits": {"unknown_share": settings.limits.unknown_share},
        "privacy": {"appeal_days": settings.privacy.appeal_days},
        "serve": {
            "host": settings.serve.host,
            "port": settings.serve.port,
            **({} if settings.serve.web is None else {"web": str(settings.serve.web)}),
        },
        "sources": {name: _source(source) for name, source in settings.sources.items()},
    }
    if settings.receivers:
        content["receivers"] = {name: _plain(one.options) for name, one in settings.receivers.items()}
    if settings.now is not None:
        content["demo"] = {"now": instant(settings.now)}
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
    return f"# {settings.path}\n{text}"


def instant(seconds: int) -> str:
    """Return an instant (epoch seconds UTC) in RFC 3339 on the local clock: `2026-03-01T08:00:00+07:00`."""
    day = local_day(seconds)
    minutes, second = divmod(seconds - day_start(day), 60)
    return f"{iso(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}+07:00"


def _source(source: Source) -> dict[str, Any]:
    return {
        "connector": source.connector,
        "door": _plain(source.door),
        "from": iso(source.since),
        "serves": _serves(source.serves),
        "stale_after": f"{source.stale_after}s",
        **({"every": f"{source.every}s"} if source.cron is None else {"cron": source.cron}),
        "hours": f"{_clock(source.hours[0])}-{_clock(source.hours[1])}",
        "maintenance": [
            {"from": instant(one.begins), "to": instant(one.ends), "reason": one.reason} for one in source.maintenance
        ],
        "deadline": f"{source.deadline}s",
        "requests_per_minute": source.requests_per_minute,
        "reconcile": "never" if source.reconcile is None else f"{source.reconcile}s",
        "probe": "never" if source.probe is None else _probe(source.probe),
        "config": _plain(source.config),
    }


def _probe(probe: Probing) -> dict[str, Any]:
    content: dict[str, Any] = {"every": f"{probe.every}s", "within": f"{probe.within}s"}
    content["hours"] = f"{_clock(probe.opens)}-{_clock(probe.closes)}"
    if probe.at is not None:
        content["at"] = probe.at
    return content


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _serves(serves: Serves) -> Any:
    if serves.kind == "all":
        return "all"
    listed = [
        one.agency if one.from_day is None else {"agency": one.agency, "from": iso(one.from_day)}
        for one in serves.agencies
    ]
    return {"all_but": listed} if serves.kind == "all_but" else listed


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return MASK
        case BaseModel():
            fields = type(value).model_fields
            return {field.alias or name: _plain(getattr(value, name)) for name, field in fields.items()}
        case dict():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)
