"""From the logs of two mailbox servers of Zimbra to one figure: the whole program, in processes of its own."""

from pathlib import Path

from collector.contract.period import day_start
from tests.connectors.email.mail_lines import at, text
from tests.connectors.email.reading import put
from tests.connectors.email.zimbra_log_lines import asked, auth, refused
from tests.end_to_end.program import configure

AGENCIES = """\
blocks:
  departments: {title_vi: Sở, title_en: Departments}
agencies:
  - {code: H44.02, name: A, block: departments, headcount: 10, headcount_from: payroll, aliases: {any: [a.example]}}
"""
SETTINGS = """\
province: {name: Phú Thọ, code: H44}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
state: state
demo: {now: 2026-03-06T09:00:00+07:00}
sources:
  mailboxes:
    connector: email.mail_log
    door: {kind: folder, path: mbox1}
    from: 2026-03-02
    serves: all
    config: {logs: ["audit.log*", "mailbox.log*"]}
  second-server:
    connector: email.mail_log
    door: {kind: folder, path: mbox2}
    from: 2026-03-02
    serves: all
    config: {logs: ["audit.log*", "mailbox.log*"], lists: ""}
"""


def test_who_logged_in_at_either_server_used_the_mailbox_and_a_day_needs_the_logs_of_both(tmp_path: Path) -> None:
    program = configure(tmp_path / "p", {"agencies.yaml": AGENCIES, "collector.yaml": SETTINGS})
    people = [f"canary{number}@a.example" for number in range(6)]
    listed = "".join(f"{one},personal,active,2026-01-01\n" for one in people)
    logs: dict[str, list[str]] = {f"mbox{n}/{kind}.log": [] for n in (1, 2) for kind in ("audit", "mailbox")}
    for name in logs:
        (program.folder / name).parent.mkdir(exist_ok=True)
        until = 5 if name == "mbox2/audit.log" else 6
        for day in range(1, until + 1):
            logs[name].append(refused(at(f"2026-03-{day:02d} 06:00:00"), "nobody@a.example"))
    tuesday = at("2026-03-03 08:00:00")
    logs["mbox1/audit.log"] += [auth(tuesday, people[0]), auth(tuesday, people[1])]
    logs["mbox2/audit.log"] += [auth(tuesday + 60, people[1]), auth(tuesday + 60, people[2])]
    logs["mbox2/mailbox.log"] += [asked(tuesday + 86_400, people[3])]
    for name, lines in logs.items():
        put(program.folder / name, text(sorted(lines)), day_start(20260306) + 6 * 3600)
    put(program.folder / "mbox1" / "mailboxes-20260305.csv", f"address,kind,state,created\n{listed}".encode(), tuesday)
    done = program.run("collect")
    assert done.code == 0, done.out + done.err
    (told,) = [
        row
        for row in program.run("readings", "--period", "2026-03", "--json").json
        if (row["indicator"], row["agency"]) == ("mailboxes.daily_use", "H44.02")
    ]
    # Monday to Wednesday: the second server's audit.log ends on Thursday. Three on Tuesday, one on Wednesday.
    assert (told["through"], told["hits"], told["judged"]) == ("2026-03-04", 4, 18)
