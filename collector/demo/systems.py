"""The systems of the sample province: written from its ledger, run on loopback, and configured for the program.

A demo's folder holds

  mail/, mail-viettri/       logs and mailbox lists           (mail_files)
  documents.sqlite           the document register            (register_database)
  onestop/, onestop-thanhson/, onestop-token, service.json, ports.json
                             the one-stop systems             (onestop_service)
  watch.json                 what the collector was answered  (watched)
  collector.yaml, agencies.yaml, scoring.yaml, declared.yaml, workdays/
                             the configuration that reads them
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from collector.contract import period
from collector.demo import declared, mail_files, onestop_service, province, register_database, watched
from collector.demo.ledger import Ledger, Source

__all__ = ["port_of", "serve", "write", "write_configuration"]

_HEADCOUNT_FROM = "bảng lương của tỉnh mẫu"


class _Reference(str):
    """A secret by reference: `!file PATH`."""


class _Dumper(yaml.SafeDumper):
    """Writes the configuration: knows references, and writes each value out where it stands."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - of no value is an alias made
        return True


_Dumper.add_representer(_Reference, lambda dumper, path: dumper.represent_scalar("!file", str(path)))


def write(ledger: Ledger, folder: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Write the systems that the ledger's sources are; `say` is told the name of each before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in ledger.sources:
        say(source.name)
        match source.system:
            case "mail":
                mail_files.write(ledger, source, folder / source.name)
            case "documents":
                register_database.write(ledger, folder / register_database.NAME)
            case "dossiers":
                onestop_service.write(ledger, source, folder / source.name)
    watched.write(ledger, folder)
    _ = onestop_service.reserve(folder)


@contextmanager
def serve(folder: Path) -> Iterator[None]:
    """Run the demo's HTTP service on its recorded port while the block lasts; nothing to do if it has none."""
    if not (folder / onestop_service.SERVICE).is_file():
        yield
        return
    with onestop_service.serve(folder):
        yield


def port_of(folder: Path) -> int:
    """Return the port on 127.0.0.1 on which the demo's HTTP service listens; one is chosen if there is none yet."""
    return onestop_service.reserve(folder)


# -- configuration -----------------------------------------------------------------------------------------------


def write_configuration(ledger: Ledger, folder: Path, samples: Path) -> None:
    """Write collector.yaml, agencies.yaml, declared.yaml; copy scoring.yaml and workdays/ from `samples` (config/)."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(samples / "scoring.yaml", folder / "scoring.yaml")
    shutil.copytree(samples / "workdays", folder / "workdays", dirs_exist_ok=True)
    declared.write(ledger.statements, folder / "declared.yaml")
    _dump(_agencies(ledger), folder / "agencies.yaml", "The register of the sample province.")
    _dump(_collector(ledger, folder), folder / "collector.yaml", "The sample province: its clock stands still.")


def _dump(content: Mapping[str, Any], path: Path, title: str) -> None:
    text = yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120)
    path.write_text(f"# {title}\n{text}", encoding="utf-8")


def _agencies(ledger: Ledger) -> dict[str, Any]:
    mail = {code: source.name for source in ledger.sources if source.system == "mail" for code in source.serves}
    entries = []
    for agency in ledger.agencies:
        entry: dict[str, Any] = {
            "code": agency.code,
            "old_codes": [agency.old_code],
            "name": agency.name,
            "block": agency.block,
        }
        if agency.headcount is not None:
            entry |= {"headcount": agency.headcount, "headcount_from": _HEADCOUNT_FROM}
        if agency.code in mail:
            entry["aliases"] = {mail[agency.code]: [agency.mail_domain]}
        if agency.outside:
            entry["outside"] = agency.outside
        entries.append(entry)
    blocks = {
        "departments": {"title_vi": "Sở, ban, ngành", "title_en": "Departments"},
        "vertical": {"title_vi": "Cơ quan ngành dọc", "title_en": "Vertical bodies"},
        "districts": {"title_vi": "Huyện, thành phố, thị xã", "title_en": "Districts"},
        "communes": {"title_vi": "Xã, phường, thị trấn", "title_en": "Communes and wards"},
    }
    return {"blocks": blocks, "agencies": entries}


def _collector(ledger: Ledger, folder: Path) -> dict[str, Any]:
    day = period.local_day(ledger.now)
    minutes = (ledger.now - period.day_start(day)) // 60
    return {
        "province": {"name": "Phú Thọ", "code": ledger.province},
        "agencies": "agencies.yaml",
        "workdays": "workdays/",
        "scoring": "scoring.yaml",
        "declared": "declared.yaml",
        "state": "state",
        "demo": {"now": f"{period.iso(day)}T{minutes // 60:02d}:{minutes % 60:02d}:00+07:00"},
        "sources": {source.name: _source(source, ledger, folder) for source in ledger.sources},
    }


def _source(source: Source, ledger: Ledger, folder: Path) -> dict[str, Any]:
    connector, door, config = _SYSTEMS[source.system](source, ledger, folder)
    return {
        "connector": connector,
        "door": door,
        "from": period.iso(source.since),
        "serves": list(source.serves),
        "stale_after": "2d",
        "requests_per_minute": 100_000,
        **watched.settings(ledger, source.name),
        "config": config,
    }


_Way = tuple[str, dict[str, Any], dict[str, Any]]


def _mail(source: Source, _ledger: Ledger, _: Path) -> _Way:
    patterns = {
        f"*.{label}@{domain}": code
        for code, (label, domain) in province.IN_ANOTHERS_DOMAIN.items()
        if code in source.serves
    }
    config = dict(mail_files.CONFIG) | ({"agency_codes": patterns} if patterns else {})
    return "email.mail_log", {"kind": "folder", "path": source.name}, config


def _documents(_: Source, _ledger: Ledger, folder: Path) -> _Way:
    url = f"sqlite:///{(folder / register_database.NAME).resolve()}"
    return "docmgmt.sql_register", {"kind": "sql", "url": url}, dict(register_database.MAPPING)


def _dossiers(source: Source, ledger: Ledger, folder: Path) -> _Way:
    door = {
        "kind": "http",
        "base_url": f"http://127.0.0.1:{onestop_service.reserve(folder)}/{source.name}",
        "token": _Reference(onestop_service.KEY_FILE),
    }
    report = next((one for one in ledger.reports if one.source == source.name), None)
    return "onestop.dvcqg", door, onestop_service.config(source, report)


_SYSTEMS: Mapping[str, Callable[[Source, Ledger, Path], _Way]] = {
    "mail": _mail,
    "documents": _documents,
    "dossiers": _dossiers,
}
