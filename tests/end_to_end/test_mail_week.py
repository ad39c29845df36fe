"""A week of mail across New Year on real servers, read over SFTP day by day: every figure is what the clients did."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collector.contract.period import rfc3339
from collector.demo import days_off, truth
from collector.demo.ledger import Ledger, Source
from tests.end_to_end import mail_week
from tests.end_to_end.mail_week import BEGIN, DAYS, OFFICE, PATTERN, RECEPTION, SCIENCE, SOURCE, Week
from tests.end_to_end.program import Program, configure
from tests.servers.clock import at
from tests.servers.mail import MailServers
from tests.servers.openssh import OpenSSH

NOW = at(20260106, 0, 30)
AGENCIES = (OFFICE, SCIENCE, RECEPTION)
COUNTS = ("state", "through", "hits", "judged", "unknown")
MONTHS = ("2025-12", "2026-01")
FIGURES = [one for one in truth.INDICATORS if one.startswith("mailboxes.")]
KEY = "a-key-of-doveadm"
HEAD = """\
province: {{name: Phú Thọ, code: H44}}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
state: state
demo: {{now: {now}}}
sources:
  mail:
    connector: email.mail_log
    door: {{kind: ssh, host: {ssh.host}, port: {ssh.port}, user: {ssh.user}, key_file: {ssh.key_file},
      known_hosts: {ssh.known_hosts}, path: {ssh.served}}}
    from: 2025-12-29
    serves: all
    config:
      logs: [mail.log*, dovecot.log*]
"""
LISTED = (
    HEAD
    + """\
      lists: mailboxes-*.csv
      columns: {{address: Địa chỉ, kind: Loại, state: Trạng thái, created: Ngày tạo, quota: Hạn mức, used: Đã dùng}}
      agency_codes: {{"{pattern}": {reception}}}
"""
)
ASKED = (
    HEAD
    + """\
      lists: ""
  mailboxes:
    connector: email.dovecot
    door: {{kind: http, base_url: "http://127.0.0.1:{port}", token: !file key, token_prefix: "X-Dovecot-API ",
      token_base64: true}}
    from: 2025-12-29
    serves: all
    config:
      kinds: {{{shared} "*": personal}}
      state_field: nologin
      agency_codes: {{"{pattern}": {reception}}}
"""
)


def register(week: Week) -> str:
    lines = ["blocks:", '  departments: {title_vi: "Sở, ban, ngành", title_en: Departments}', "agencies:"]
    for one in mail_week.agencies(week.mailboxes):
        aliases = f", aliases: {{any: [{one.mail_domain}]}}" if one.mail_domain else ""
        staff = f"headcount: {one.headcount}, headcount_from: bảng lương"
        lines.append(f"  - {{code: {one.code}, name: {one.name}, block: {one.block}, {staff}{aliases}}}")
    return "\n".join(lines) + "\n"


def ledger(week: Week) -> Ledger:
    return Ledger(
        seed=0,
        province="H44",
        now=NOW,
        first_day=DAYS[0],
        last_day=DAYS[-1],
        days_off=days_off.days_off(),
        agencies=mail_week.agencies(week.mailboxes),
        sources=[Source(SOURCE, "mail", DAYS[0], list(AGENCIES), ["mailbox", "mailbox_day"])],
        mailboxes=week.mailboxes,
        sessions=week.sessions,
        mails=week.mails,
        documents=[],
        dossiers=[],
        procedures=[],
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """The program with one of the two configurations: mailboxes from lists, or asked of Dovecot."""

    program: Program
    settings: str
    names: Mapping[str, object]

    def collect(self, now: int) -> list[dict[str, Any]]:
        """Collect at an instant; everything must succeed, and nothing be set aside."""
        text = self.settings.format(now=rfc3339(now), pattern=PATTERN, reception=RECEPTION, **self.names)
        (self.program.folder / "collector.yaml").write_text(text, encoding="utf-8")
        ran = self.program.run("collect", "--json")
        assert ran.code == 0, ran.out + ran.err
        outcomes: list[dict[str, Any]] = ran.json
        assert [(one["result"], one["quarantined"]) for one in outcomes] == [("done", 0)] * len(outcomes)
        return outcomes


def figures(program: Program, *periods: str) -> Iterator[dict[str, Any]]:
    ran = program.run("readings", "--json", *(word for period in periods for word in ("--period", period)))
    assert ran.code == 0, ran.err
    yield from (one for one in ran.json if one["indicator"] in FIGURES)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_week_of_mail_across_new_year_gives_every_figure_that_the_clients_lived(
    mail_servers: Callable[..., MailServers],
    openssh: Callable[..., OpenSSH],
    full_size: bool,
    tmp_path: Path,
) -> None:
    count, busy, polls = (500, 0.4, DAYS[::2]) if full_size else (40, 1.0, DAYS[2::3])
    random = Random(20251229)
    week = Week(mail_week.people(count, random), random, busy)
    servers = mail_servers(week.addresses, BEGIN, lists=week.lists, api=mail_week.api(week, KEY), in_the_world=True)
    shared = "".join(f'"{address}": shared, ' for address in mail_week.shared(week))
    names = {"ssh": openssh(servers.logs), "port": servers.dovecot.doveadm_port, "shared": shared}
    files = {"collector.yaml": "", "agencies.yaml": register(week), "key": KEY + "\n"}
    listed = Reader(configure(tmp_path / "listed", files), LISTED, names)
    asked = Reader(configure(tmp_path / "asked", files), ASKED, names)

    def poll(day: int) -> None:
        if day in polls:
            servers.settle()
            for reader in (listed, asked):
                reader.collect(servers.clock.now)

    mail_week.live(servers, week, poll)
    for how_often in (week.deferred, week.bounced, week.refused, week.forged, week.overnight, len(week.mails)):
        assert how_often > 0
    for reader in (listed, asked):
        reader.collect(NOW)

    expected = {
        (one["indicator"], one["agency"], one["period"]): one
        for one in truth.count(ledger(week))
        if one["indicator"] in FIGURES
    }
    found = {(one["indicator"], one["agency"], one["period"]): one for one in figures(listed.program, *MONTHS)}
    assert found.keys() == expected.keys()
    assert len(expected) == len(FIGURES) * len(AGENCIES) * len(MONTHS)
    for key, true in expected.items():
        value = None if true["value"] is None else float(true["value"])
        assert {name: found[key][name] for name in true} == {**true, "value": value}, key

    # The working days one by one, counted on the fingers: who was there, and who of them was seen.
    used = set(mail_week.days_used(week))
    for day in (20251229, 20251230, 20251231, 20260105):
        name = f"{day // 10_000}-{day // 100 % 100:02d}-{day % 100:02d}"
        of_day = {
            one["agency"]: one for one in figures(listed.program, name) if one["indicator"] == "mailboxes.daily_use"
        }
        for agency in AGENCIES:
            there = [
                one.address
                for one in week.mailboxes
                if one.agency == agency and one.kind == "personal" and one.created_day <= day
                if one.locked_day is None or day < one.locked_day
            ]
            seen = [address for address in there if (address, day) in used]
            assert (of_day[agency]["hits"], of_day[agency]["judged"]) == (len(seen), len(there)), (day, agency)
            assert of_day[agency]["state"] == "measured"

    # With the mailboxes asked of Dovecot, January is the same; how full they are it knows better than any list.
    for one in figures(asked.program, "2026-01"):
        key = one["indicator"], one["agency"], one["period"]
        if one["indicator"] == "mailboxes.quota_full":
            active = [box for box in week.mailboxes if box.agency == one["agency"] and box.locked_day is None]
            assert (one["hits"], one["judged"], one["unknown"]) == (0, len(active), 0)
        else:
            assert {name: one[name] for name in COUNTS} == {name: expected[key][name] for name in COUNTS}, key

    # Once more: nothing new.
    assert [(one["inserted"], one["updated"]) for one in listed.collect(NOW)] == [(0, 0)]
