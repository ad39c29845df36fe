"""Whose a mailbox is: a file of addresses, patterns and days, one way for all that tell which mailboxes there are."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from collector.assembly import find_connector
from collector.contract.beside import Beside
from collector.contract.errors import WrongUse
from collector.settings import load, masked
from connectors.email import dovecot, mail_log, zimbra
from connectors.email.whose import whose
from tests.connectors.email import dovecot_double, dovecot_runs, zimbra_double
from tests.connectors.email.mail_lines import at
from tests.connectors.email.reading import Door, Kept, put, run

AN, BINH, CHI = "an@skhcn.example.gov.vn", "binh@syt.example.gov.vn", "vanthu@syt.example.gov.vn"
FILE = """\
address,agency,from,to
an@skhcn.example.gov.vn,H44.02,,2026-02-15
AN@skhcn.example.gov.vn,H44.03,16/02/2026,
*.phong1@*,H44.05,,
*@syt.example.gov.vn,H44.06,2026-03-01,2026-03-31
vanthu@*,H44.07,2026-03-10,
"""


def beside(text: str) -> Beside:
    return Beside("agency-of.csv", text)


@pytest.mark.parametrize(
    ("address", "month", "code"),
    [
        (AN, 20251201, "H44.02"),
        (AN, 20260201, "H44.02"),  # moves within it: the first day decides
        (AN, 20260301, "H44.03"),
        (AN, 20991201, "H44.03"),
        ("a.phong1@syt.example.gov.vn", 20260301, "H44.05"),  # of several patterns the first
        (BINH, 20260201, "syt.example.gov.vn"),
        (BINH, 20260301, "H44.06"),
        (BINH, 20260401, "syt.example.gov.vn"),
        (CHI, 20260301, "H44.06"),
        (CHI, 20260401, "H44.07"),
        ("vanthu@sxd.example.gov.vn", 20260301, "H44.07"),  # nobody's on the first day, and then first of H44.07
        ("vanthu@sxd.example.gov.vn", 20260201, "sxd.example.gov.vn"),
    ],
)
def test_the_file_tells_whose_a_mailbox_is_in_a_month(address: str, month: int, code: str) -> None:
    assert whose(beside(FILE), {}).code(address, month) == code


def test_the_file_comes_before_patterns_these_before_the_unit_and_that_before_the_domain() -> None:
    patterns = {"*@syt.example.gov.vn": "H44.90"}
    both, neither = whose(beside(FILE), patterns), whose(None, {})
    assert [both.code(BINH, month, "H44.91") for month in (20260301, 20260401)] == ["H44.06", "H44.90"]
    assert both.code("x@sxd.example.gov.vn", 20260401, "H44.91") == "H44.91"
    assert neither.code(BINH, 20260301, "H44.91") == "H44.91"
    assert neither.code(BINH, 20260301) == "syt.example.gov.vn"


def test_a_spreadsheets_file_is_understood_too() -> None:
    text = (
        "Địa chỉ;Ghi chú;Cơ quan;Từ ngày;Đến ngày\r\nan@skhcn.example.gov.vn;x;H44.02;1/2/2026;28/02/2026\r\n;;;;\r\n"
    )
    told = whose(beside(text), {})
    assert [told.code(AN, month) for month in (20260101, 20260201, 20260301)] == [
        "skhcn.example.gov.vn",
        "H44.02",
        "skhcn.example.gov.vn",
    ]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["email,unit", f"{AN},H44.02"], "agency-of.csv:1: there is no column agency"),
        ([""], "agency-of.csv:1: there is no column address"),
        (["address,agency", "", "canary,H44.02"], "agency-of.csv:3: the address is no mail address"),
        (["address,agency", f"{AN},"], "agency-of.csv:2: no agency is named"),
        (["address,agency,from", f"{AN},H44.02,2026-02-30"], "agency-of.csv:2: `from` is no day"),
        (["address,agency,from,to", f"{AN},H44.02,2026-02-02,2026-02-01"], "agency-of.csv:2: `to` is before `from`"),
        (["address,agency", f"{AN},H44.02", f"{AN.upper()},H44.03"], "agency-of.csv:3: the same address is in line 2"),
        (
            ["address,agency,from,to", "*@a.test,A,,2026-02-15", "x@a.test,B,,", "*@a.test,C,2026-02-15,"],
            "agency-of.csv:4: the same address is in line 2 too, also on 2026-02-15",
        ),
        (
            ["address,agency", *["canary,H44.02"] * 7],
            "agency-of.csv:6: the address is no mail address and no pattern of one; and 2 more",
        ),
        (["address,agency", '"canary' + "x" * 200_000], "it is no CSV"),
    ],
)
def test_what_is_wrong_in_it_is_told_by_line_without_an_address(lines: list[str], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        mail_log.Config(agency_of=beside("\n".join(lines)))
    (error,) = caught.value.errors(include_input=False)
    assert says in error["msg"]
    assert "canary" not in error["msg"]
    assert AN not in error["msg"]


# -- in the configuration ----------------------------------------------------------------------------------------------

SETTINGS = """\
province: {name: Phú Thọ, code: H44}
agencies: agencies.yaml
workdays: workdays/
scoring: scoring.yaml
sources:
  mail:
    connector: email.mail_log
    door: {kind: folder, path: logs}
    from: 2025-12-31
    serves: all
    config:
      lists: ""
      agency_of: units/agency-of.csv
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("agencies.yaml", "scoring.yaml"):
        (tmp_path / name).write_text("{}\n")
    for name in ("workdays", "logs", "units"):
        (tmp_path / name).mkdir()
    (tmp_path / "collector.yaml").write_text(SETTINGS)
    return tmp_path


def faults(here: Path) -> str:
    with pytest.raises(WrongUse) as caught:
        load(Path("collector.yaml"), find_connector, {"HOME": str(here)})
    return str(caught.value)


def test_the_file_is_found_beside_the_configuration_and_shown_by_its_name_alone(here: Path) -> None:
    (here / "units" / "agency-of.csv").write_bytes(b"\xef\xbb\xbf" + FILE.encode())
    settings = load(Path("collector.yaml"), find_connector, {"HOME": str(here)})
    config = settings.sources["mail"].config
    assert isinstance(config, mail_log.Config)
    assert whose(config.agency_of, {}).code(AN, 20260301) == "H44.03"
    assert "agency_of: units/agency-of.csv" in masked(settings)
    assert "skhcn" not in masked(settings) + repr(config)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "the file units/agency-of.csv cannot be read: No such file or directory. Correct the path"),
        (b"\xff\xfe", "the file units/agency-of.csv cannot be read: it is no UTF-8 text. Correct the path"),
        (
            b"address,agency\ncanary,H44.02\n",
            "units/agency-of.csv: units/agency-of.csv:2: the address is no mail address",
        ),
        (b" " * ((16 << 20) + 1), "the file units/agency-of.csv is larger than 16 MiB"),
    ],
)
def test_a_fault_in_the_file_is_told_by_both_lines(here: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (here / "units" / "agency-of.csv").write_bytes(content)
    told = faults(here)
    assert told.startswith(f"collector.yaml:13: sources.mail.config.agency_of: {says}")
    assert "canary" not in told


# -- in the three connectors -------------------------------------------------------------------------------------------


def codes(kept: Kept) -> dict[int, list[str]]:
    """Agency codes in the rows of each month."""
    found: dict[int, list[str]] = {}
    for row in kept.mailboxes.values():
        found.setdefault(row[4], []).append(row[1])
    return {month: sorted(some) for month, some in found.items()}


def test_lists_follow_the_file_and_are_read_again_when_it_changes(tmp_path: Path) -> None:
    (tmp_path / "mail.log").touch()
    for day in (20260131, 20260228, 20260331):
        content = f"address,kind,state,created\n{AN},personal,active,\n{BINH},personal,active,\n"
        put(tmp_path / f"mailboxes-{day}.csv", content.encode(), at("2026-03-31 20:00:00"))
    door, kept = Door(tmp_path, at("2026-04-02 08:00:00")), Kept()
    run(kept, door, 20260101)
    plain = ["skhcn.example.gov.vn", "syt.example.gov.vn"]
    assert codes(kept) == {20260101: plain, 20260201: plain, 20260301: plain}
    config = mail_log.Config(agency_of=beside(FILE))
    run(kept, door, 20260101, config)
    assert codes(kept) == {
        20260101: ["H44.02", "syt.example.gov.vn"],
        20260201: ["H44.02", "syt.example.gov.vn"],
        20260301: ["H44.03", "H44.06"],
    }
    saved = kept.cursor
    door.asked.clear()
    run(kept, door, 20260101, config)
    assert (kept.cursor, door.asked) == (saved, [])


def test_a_lists_own_column_tells_the_unit_if_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "mail.log").touch()
    content = f"address,kind,state,created,agency\n{AN},personal,active,,H44.11\n{BINH},personal,active,,\n"
    put(tmp_path / "mailboxes-20260131.csv", content.encode(), at("2026-01-31 20:00:00"))
    door = Door(tmp_path, at("2026-02-02 08:00:00"))
    assert codes(run(Kept(), door, 20260101)) == {20260101: ["skhcn.example.gov.vn", "syt.example.gov.vn"]}
    named = mail_log.Config(columns={"agency": "agency"})
    assert codes(run(Kept(), door, 20260101, named)) == {20260101: ["H44.11", "syt.example.gov.vn"]}
    both = mail_log.Config(columns={"agency": "agency"}, agency_of=beside(FILE))
    assert codes(run(Kept(), door, 20260101, both)) == {20260101: ["H44.02", "syt.example.gov.vn"]}


def test_dovecots_mailboxes_follow_the_file() -> None:
    config = dovecot.Config(agency_of=beside(FILE), agency_field="ou", kinds={"*": "personal"})
    kept = Kept()
    with dovecot_double.serving() as server:
        server.users = {AN: dovecot_double.User(), BINH: dovecot_double.User({"ou": "H44.91"})}
        for day in (20260220, 20260315, 20260402):
            dovecot_runs.run(server.address, kept, day, config)
    assert codes(kept) == {
        20260201: ["H44.02", "H44.91"],
        20260301: ["H44.03", "H44.06"],
        20260401: ["H44.03", "H44.91"],
    }


def test_zimbras_mailboxes_follow_the_file() -> None:
    login = {"account": zimbra_double.ADMIN, "password": SecretStr(zimbra_double.PASSWORD)}
    config = zimbra.Config.model_validate({**login, "agency_of": beside(FILE), "kinds": {"*": "personal"}})
    kept = Kept()
    with zimbra_double.serving() as server:
        server.put(AN, BINH)
        for day in (20260220, 20260315):
            server.clock = dovecot_runs.morning(day)
            with dovecot_runs.open_door(server.address, day) as door:
                for batch in zimbra.fetch(config, door, dovecot_runs.want(kept, day)):
                    kept.save(batch)
    assert codes(kept) == {20260201: ["H44.02", "syt.example.gov.vn"], 20260301: ["H44.03", "H44.06"]}
