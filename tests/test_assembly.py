"""Putting the program together: connectors and indicators are found by their place, and each tells what it promises."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import BaseModel

import connectors
from collector import init, workdays
from collector.assembly import assemble, connector_names, find_connector, find_indicators
from collector.contract.period import day_start, parse_period
from collector.contract.records import RECORDS
from collector.probing import Plan

LINES = ("System", "Account", "Reads", "Never", "Limits", "Quality")


def test_connectors_are_found_by_their_place_and_their_parts_are_none() -> None:
    names = connector_names()
    assert {"email.mail_log", "docmgmt.sql_register", "onestop.dvcqg"} <= set(names)
    files = [path for path in Path(connectors.__path__[0]).glob("*/*.py") if path.name != "__init__.py"]
    assert len(names) < len(files), "the parts of a connector are modules too"
    for path in files:
        name = f"{path.parent.name}.{path.stem}"
        assert (name in names) == bool(re.search(r"^def fetch\(", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_what_the_families_share_is_no_family() -> None:
    assert {name.partition(".")[0] for name in connector_names()} == {"email", "docmgmt", "onestop"}
    with pytest.raises(LookupError, match=r"there is no connector register\.formats; "):
        find_connector("register.formats")


def test_a_connector_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(LookupError, match=r"there is no connector email\.mail_lag; there are .*email\.mail_log"):
        find_connector("email.mail_lag")


@pytest.mark.parametrize("name", connector_names())
def test_a_connector_has_the_names_of_the_contract(name: str) -> None:
    one = find_connector(name)
    assert issubclass(one.Config, BaseModel)
    assert set(one.DOORS) <= {"folder", "ssh", "sql", "http"}
    assert one.DOORS
    assert one.RECORDS
    assert all(record in RECORDS for record in one.RECORDS)
    assert callable(one.probe)
    assert callable(one.fetch)


@pytest.mark.parametrize("name", connector_names())
def test_the_docstring_of_a_connector_has_the_fixed_lines_in_order_and_each_says_something(name: str) -> None:
    text = import_module(f"connectors.{name}").__doc__ or ""
    found = re.findall(r"^(System|Account|Reads|Never|Limits|Quality)\b:? +(\S.*)$", text, re.MULTILINE)
    assert tuple(label for label, _ in found) == LINES
    assert all(len(said.split()) > 2 for _, said in found)


def test_every_setting_of_a_connector_says_what_it_is() -> None:
    for name in connector_names():
        for setting, field in find_connector(name).Config.model_fields.items():
            assert field.description, f"{name}: {setting} has no description"


def test_indicators_are_found_once_each_and_say_what_they_count() -> None:
    found = find_indicators()
    ids = [one.id for one in found]
    assert ids == sorted(set(ids))
    for one in found:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9_]+", one.id)
        texts = (one.title_vi, one.title_en, one.counted_vi, one.counted_en, one.hit_vi, one.hit_en, one.legal)
        assert all(texts), one.id
        assert one.needs, one.id


def test_a_slip_in_the_name_of_a_source_and_a_year_without_decisions_are_doubted(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    init.write(folder)
    (folder / "onestop-token").write_text("x")
    register = folder / "agencies.yaml"
    register.write_text(register.read_text().replace("mail: [stc.example.gov.vn]", "mial: [stc.example.gov.vn]"))
    register.write_text(
        f"{register.read_text()}"
        "  - {code: Z, name: x, block: communes, to: 2026-02-02}\n"
        "  - {code: X, name: x, block: communes, to: 2025-06-30, successor: Y}\n"
        "  - {code: Y, name: x, block: communes, from: 2025-06-01}\n"
    )
    for written in (2025, 2026):
        (folder / "workdays" / f"{written}.yaml").unlink()
    workdays.write_draft(folder / "workdays", 2025)
    config = folder / "collector.yaml"
    text = config.read_text().replace("# demo:", "demo:").replace("# state: /var/lib/collector", "state: s")
    text += "receivers:\n" + "".join(
        f"  {name}: {{url: {url}}}\n"
        for name, url in (
            ("far", "http://far.example"),
            ("near", "http://127.0.0.1:1"),
            ("sure", "https://far.example"),
        )
    )
    config.write_text(text.replace("from: 2026-01-01\n", "from: 2025-01-01\n", 1))
    with assemble(config, {"DOCUMENTS_PASSWORD": "x"}) as assembly:
        alias, clear, ended, early, draft, year = assembly.doubts()
    assert clear.startswith(f"{config}: receivers: far is told over http://, so whoever listens on the way reads")
    assert alias == f"{register}: H44.09 has aliases for mial, which is no source. Did you mean mail?"
    assert ended.startswith(f"{register}: Z ended on 2026-02-02, and nobody took over: ")
    assert early.startswith(f"{register}: Y began on 2025-06-01, before X ended, and is its successor: ")
    assert draft.startswith(f"{folder / 'workdays' / '2025.yaml'}: provisional: this is a draft")
    assert year.startswith(f"{folder / 'workdays' / '2026.yaml'}: there is no such file")


TWO = """\
  second:
    connector: email.mail_log
    door: {kind: folder, path: other}
    from: 2026-01-01
    serves: %s
    config: {lists: "%s"}
"""


@pytest.mark.parametrize(
    ("serves", "lists", "doubt"),
    [
        ("[H44.02]", "mailboxes*.csv", "mail and second each tell which mailboxes H44.02 have: one that both"),
        ("all", "mailboxes*.csv", "more agencies have: one that both list counts twice"),
        ("all", "", None),
    ],
)
def test_two_lists_of_one_agencys_mailboxes_are_doubted(
    tmp_path: Path, serves: str, lists: str, doubt: str | None
) -> None:
    folder = tmp_path / "own"
    init.write(folder)
    (folder / "onestop-token").write_text("x")
    config = folder / "collector.yaml"
    text = config.read_text().replace("# demo:", "demo:").replace("# state: /var/lib/collector", "state: s")
    config.write_text(text.replace("\nsources:\n", "\nsources:\n" + TWO % (serves, lists)))
    with assemble(config, {"DOCUMENTS_PASSWORD": "x"}) as assembly:
        doubts = assembly.doubts()
    if doubt is None:
        assert doubts == []
    else:
        (told,) = doubts
        assert doubt in told
        assert "`lists: ''`" in told


PROBED = """
province: {name: Phú Thọ, code: H44}
agencies: agencies.yaml
state: state
sources:
  onestop:
    connector: onestop.dvcqg
    door: {kind: http, base_url: "https://motcua.example/api"}
    from: 2026-01-01
    serves: all
    requests_per_minute: 60
    config: {pages: {path: /dossiers, changed_from: since}}
  mail:
    connector: email.mail_log
    door: {kind: folder, path: logs}
    from: 2026-01-01
    serves: [H44.01]
    requests_per_minute: 60
    config: {columns: {address: a, kind: b}}
    MORE
"""


def test_a_probed_source_offers_probes_and_keeps_with_them_to_its_budget(tmp_path: Path) -> None:
    (tmp_path / "agencies.yaml").write_text(
        "blocks: {departments: {title_vi: Sở, title_en: Departments}}\n"
        "agencies:\n  - {code: H44.01, name: A, block: departments}\n  - {code: H44.02, name: B, block: departments}\n",
        encoding="utf-8",
    )
    logs = tmp_path / "logs"
    logs.mkdir()

    def told(more: str) -> tuple[dict[str, Plan], dict[str, set[str]], dict[str, int]]:
        config = tmp_path / "collector.yaml"
        config.write_text(PROBED.replace("MORE", more), encoding="utf-8")
        with assemble(config, {}) as one:
            serving = one.world(parse_period("2026-01")).serving
            offers = {
                source: {at.agency for at in serving if at.source == source and "probe" in at.records}
                for source in one.settings.sources
            }
            budgets = {name: one.run(source, 0).requests_per_minute for name, source in one.settings.sources.items()}
            return {name: plan for name, (plan, _) in one.watch.plans.items()}, offers, budgets

    usual = Plan("onestop", 300, 10)
    both = {"H44.01", "H44.02"}
    assert told("") == ({"onestop": usual}, {"onestop": both, "mail": set()}, {"onestop": 59, "mail": 60})
    window = "[{from: 2026-02-14T22:00, to: 2026-02-15T02:00, reason: x}]"
    plans, offers, budgets = told(f"probe: {{at: 'tls://mail.example:993', every: 1h}}\n    maintenance: {window}")
    begins = day_start(20260214) + 22 * 3600
    assert plans == {"onestop": usual, "mail": Plan("mail", 3600, 10, maintenance=((begins, begins + 4 * 3600),))}
    assert (offers, budgets) == ({"onestop": both, "mail": {"H44.01"}}, {"onestop": 59, "mail": 59})
