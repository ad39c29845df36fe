"""A small province on real servers: lived through once, then read by each test in its own way."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from collector.demo import days_off
from collector.demo.ledger import Agency, Ledger, Source
from tests.connectors.onestop import national_service_double
from tests.connectors.onestop.national_service_double import Service
from tests.end_to_end import documents, dossiers, mailboxes
from tests.end_to_end.mailboxes import DOMAINS, HEALTH, OFFICE, SCIENCE, Deeds
from tests.end_to_end.program import Program, configure
from tests.servers import postgresql as postgresql_server
from tests.servers.clock import at
from tests.servers.mail import MailServers
from tests.servers.openssh import OpenSSH
from tests.servers.postgresql import PostgreSQL

NOW = at(20260111, 0)
"""The collector's present: the first moment after the days that were lived."""

AGENCIES = [
    Agency(OFFICE, "000.00.01.H44", "Văn phòng UBND tỉnh", "departments", 2, DOMAINS[OFFICE]),
    Agency(SCIENCE, "000.00.02.H44", "Sở Khoa học và Công nghệ", "departments", 4, DOMAINS[SCIENCE]),
    Agency(HEALTH, "000.00.03.H44", "Sở Y tế", "departments", None, DOMAINS[HEALTH]),
]
SOURCES = [
    Source("mail", "mail", 20260101, [OFFICE, SCIENCE, HEALTH], ["mailbox", "mailbox_day"]),
    Source("documents", "documents", 20260105, [OFFICE, SCIENCE, HEALTH], ["document"]),
    Source("onestop", "dossiers", 20251231, [OFFICE, SCIENCE], ["dossier", "dossier_event", "procedure"]),
]


@dataclass(frozen=True, slots=True)
class Province:
    """The systems, and the ledger of what was done in them."""

    mail: MailServers
    ssh: OpenSSH
    database: PostgreSQL
    service: Service
    ledger: Ledger


@pytest.fixture(scope="module")
def province(
    mail_servers: Callable[..., MailServers],
    openssh: Callable[..., OpenSSH],
    server_folder: Callable[[str], Path],
) -> Iterator[Province]:
    """All servers on one clock; ten days are lived, and the clock stands right behind them."""
    with ExitStack() as running:
        mail = mail_servers(mailboxes.ADDRESSES, at(20251231, 23, 40), locked=mailboxes.LOCKED, lists=mailboxes.LISTS)
        database = running.enter_context(
            postgresql_server.start(server_folder("postgresql"), environment=mail.clock.environment)
        )
        service = running.enter_context(national_service_double.serving())
        documents.make(database)
        deeds = Deeds()
        mailboxes.live_until_friday_night(mail, deeds)
        documents.enter(database, documents.ON_FRIDAY)
        mailboxes.live_until_saturday_night(mail, deeds)
        documents.enter(database, documents.ON_SATURDAY)
        documents.recall_and_strike_out(database)
        service.dossiers, service.procedures = dossiers.LISTED, dossiers.CATALOGUE
        service.clock = NOW
        mail.move_clock(NOW)
        mailboxes.go_on(mail)
        mail.settle()
        for session in deeds.still_open:
            running.callback(session.shutdown)
        yield Province(mail, openssh(mail.logs), database, service, _ledger(deeds))


def _ledger(deeds: Deeds) -> Ledger:
    return Ledger(
        seed=0,
        province="H44",
        now=NOW,
        first_day=20251231,
        last_day=20260110,
        days_off=days_off.days_off(),
        agencies=AGENCIES,
        sources=SOURCES,
        mailboxes=mailboxes.MAILBOXES,
        sessions=deeds.sessions,
        mails=deeds.mails,
        documents=documents.TRUE,
        dossiers=dossiers.TRUE,
        procedures=dossiers.PROCEDURES,
    )


@pytest.fixture
def program_for(province: Province, tmp_path: Path) -> Callable[..., Program]:
    """`program_for(name=text)` writes a configuration that reads the province, with some files or doors otherwise."""

    def make(
        *,
        known_hosts: str | None = None,
        ssh: OpenSSH | None = None,
        database_port: int | None = None,
        database_password: str = documents.PASSWORD,
        token: str = national_service_double.TOKEN,
    ) -> Program:
        server = ssh or province.ssh
        collector = f"""\
province: {{name: Phú Thọ, code: H44}}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
state: state
demo: {{now: 2026-01-11T00:00:00+07:00}}

sources:
  mail:
    connector: email.mail_log
    door:
      kind: ssh
      host: {server.host}
      port: {server.port}
      user: {server.user}
      key_file: {server.key_file}
      known_hosts: known_hosts
      path: {server.served}
    from: 2026-01-01
    serves: all
    config:
      logs: [mail.log*, dovecot.log*]
      lists: mailboxes-*.csv
      columns: {{address: Địa chỉ, kind: Loại, state: Trạng thái, created: Ngày tạo}}
      silence_days: 10  # nobody does anything from 31 December to the 9th, but for one login on the 5th

  documents:
    connector: docmgmt.sql_register
    door:
      kind: sql
      url: postgresql://{documents.READER}@127.0.0.1:{database_port or province.database.port}/{documents.DATABASE}
      password: !file database-password
    from: 2026-01-05
    serves: [{OFFICE}, {SCIENCE}, {HEALTH}]
    config:
{documents.CONFIG}
  onestop:
    connector: onestop.dvcqg
    door:
      kind: http
      base_url: {province.service.address}
      token: !file onestop-token
    from: 2025-12-31
    serves: {{all_but: [{HEALTH}]}}
    config:
      pages: {{path: {national_service_double.DOSSIERS}, changed_from: updatedFrom, page_size: 5}}
      catalogue: {{path: {national_service_double.PROCEDURES}}}
"""
        return configure(
            tmp_path / "collector",
            {
                "collector.yaml": collector,
                "agencies.yaml": _register(),
                "known_hosts": server.known_hosts.read_text() if known_hosts is None else known_hosts,
                "database-password": database_password + "\n",
                "onestop-token": token + "\n",
            },
        )

    return make


def _register() -> str:
    lines = ["blocks:", '  departments: {title_vi: "Sở, ban, ngành", title_en: Departments}', "agencies:"]
    for one in AGENCIES:
        lines.append(f"  - code: {one.code}")
        lines.append(f"    old_codes: [{one.old_code}]")
        lines.append(f"    name: {one.name}")
        lines.append(f"    block: {one.block}")
        if one.headcount is not None:
            lines.append(f"    headcount: {one.headcount}")
            lines.append("    headcount_from: bảng lương tháng 1 năm 2026")
        lines.append(f"    aliases: {{mail: [{one.mail_domain}]}}")
    return "\n".join(lines) + "\n"
