import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from collector import agencies, yaml_file
from collector.contract.connector import Connector
from collector.contract.errors import WrongUse
from collector.contract.period import day_start
from collector.settings import Settings, file, load, locate, masked
from collector.settings.shape import Maintenance, Probing, Served, Serves
from collector.settings.typed import Reader
from collector.transports import OPTIONS
from collector.yaml_file import Faults

GOLDEN = Path(__file__).parent / "golden" / "settings"
BROKEN = sorted(path.stem for path in GOLDEN.glob("*.yaml") if path.stem != "sound")
HOME = {"HOME": "/home/collector"}


class FolderOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["folder"] = "folder"
    path: Path = Field(description="The folder with the files", examples=["/var/log/mail"])


class HttpOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["http"] = "http"
    url: str = Field(description="Address of the service", examples=["https://motcua.example.gov.vn"])
    token: SecretStr | None = Field(default=None, description="Token of the account")
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    tries: int = Field(default=4, ge=1, description="How often one question is asked")


class Table(BaseModel):
    name: str = Field(description="The table", examples=["van_ban"], alias="table")
    columns: dict[str, str] = Field(default_factory=dict)
    limit: int = 10


class Config(BaseModel):
    pattern: str = Field(default="mail.log*", description="Names of the log files", examples=["mail.log*"])
    codes: list[str] = []
    tables: list[Table] = []
    first: Table | None = None
    strict: bool = True
    colour: str | None = None
    key: SecretStr | None = None

    @field_validator("pattern")
    @classmethod
    def _no_folder(cls, value: str) -> str:
        if "/" in value:
            raise ValueError("a pattern names files, not folders")
        return value


def connector_named(name: str) -> Connector:
    doors: dict[str, Sequence[str]] = {"email.mail_log": ("folder",), "onestop.dvcqg": ("http", "folder")}
    if name not in doors:
        raise LookupError("known are email.mail_log and onestop.dvcqg")
    return cast(Connector, SimpleNamespace(Config=Config, DOORS=doors[name], RECORDS=()))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a register, working days and a secret, in which the present folder is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(file, "OPTIONS", {"folder": FolderOptions, "http": HttpOptions})
    (tmp_path / "agencies.yaml").write_text("agencies: []\n")
    (tmp_path / "workdays").mkdir()
    (tmp_path / "token").write_text("s3cret-of-file\n")
    (tmp_path / "nothing").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    return tmp_path


def read(text: str | bytes, **environment: str) -> Settings:
    Path("collector.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return load(Path("collector.yaml"), connector_named, HOME | environment)


def faults(text: str | bytes, **environment: str) -> str:
    with pytest.raises(WrongUse) as found:
        read(text, **environment)
    return str(found.value)


SOUND = (GOLDEN / "sound.yaml").read_text()


def with_source(*lines: str) -> str:
    """The sound file with further lines in its only source."""
    return SOUND + "".join(f"    {line}\n" for line in lines)


def without(key: str) -> str:
    """The sound file without the line of a key."""
    found = re.sub(rf"^ *{key}:.*\n", "", SOUND, count=1, flags=re.MULTILINE)
    assert found != SOUND
    return found


def test_the_sample_that_operators_start_from_is_sound(tmp_path: Path) -> None:
    """With the real transports and connectors, once the two secrets that it names are there."""
    folder = tmp_path / "collector"
    copytree(Path(__file__).parent.parent / "config", folder)
    (folder / "onestop-token").write_text("secret\n")

    def connector(name: str) -> Connector:
        return cast(Connector, import_module(f"connectors.{name}"))

    settings = load(folder / "collector.yaml", connector, HOME | {"DOCUMENTS_PASSWORD": "secret"})
    assert list(settings.sources) == ["mail", "documents", "onestop"]
    register = agencies.read(settings.agencies)
    served = {name: one.serves.among(register.agencies, one.since) for name, one in settings.sources.items()}
    assert set(served["mail"]) == set(register.agencies)
    assert served["documents"] == {"H44.02": 20260101, "H44.09": 20260301, "H44.114": 20260701}
    assert set(register.agencies) - set(served["onestop"]) == {"H44.60"}
    for alias_of in (scope for agency in register.agencies.values() for scope in agency.aliases):
        assert alias_of == agencies.ANY or alias_of in settings.sources


def test_a_sound_file_becomes_settings_with_defaults(here: Path) -> None:
    settings = read(SOUND)
    source = settings.sources["mail"]
    assert (settings.province.name, settings.province.code) == ("Phú Thọ", "H44")
    assert (settings.agencies, settings.workdays) == (Path("agencies.yaml"), Path("workdays"))
    assert (settings.scoring, settings.limits.unknown_share) == (Path("scoring.yaml"), 0.05)
    assert (settings.serve.host, settings.serve.port, settings.now) == ("127.0.0.1", 9480, None)
    assert (source.connector, source.since, source.serves) == ("email.mail_log", 20251231, Serves("all"))
    assert source.door == FolderOptions(path=Path("logs"))
    assert source.config == Config()
    assert (source.stale_after, source.every, source.deadline) == (2 * 86_400, 3_600, 30 * 60)
    assert source.requests_per_minute == 120


def test_a_source_is_asked_whether_it_answers_if_there_is_something_to_ask(here: Path) -> None:
    assert read(SOUND).sources["mail"].probe is None
    assert read(with_source("probe: never")).sources["mail"].probe is None
    probe = read(with_source("probe: {at: 'tls://mail.example:993'}")).sources["mail"].probe
    assert probe == Probing(300, 10, 0, 86_400, "tls://mail.example:993")
    hours = "probe: {at: 'tcp://mail.example:25', every: 1h, within: 5s, hours: 07:30-18:00}"
    assert read(with_source(hours)).sources["mail"].probe == Probing(3600, 5, 27_000, 64_800, "tcp://mail.example:25")


def test_a_source_is_read_in_its_hours_by_a_cron_line_and_not_while_it_is_maintained(here: Path) -> None:
    usual = read(SOUND).sources["mail"]
    assert (usual.cron, usual.hours, usual.maintenance) == (None, (0, 86_400), ())
    told = "[{from: 2026-02-14T22:00, to: 2026-02-15T02:00, reason: x}]"
    source = read(with_source(f"hours: 18:00-06:30\n    maintenance: {told}")).sources["mail"]
    window = Maintenance(day_start(20260214) + 22 * 3600, day_start(20260215) + 2 * 3600, "x")
    assert (source.hours, source.maintenance) == ((64_800, 23_400), (window,))
    for line in ("30 1 * * *", "*/5 0-6,22 1,15 */2 mon-fri,sun", "59 23 31 12 sat", "0-30/10 * * * *"):
        assert read(with_source(f'cron: "{line}"')).sources["mail"].cron == line


@pytest.mark.parametrize("limit", [1, 2])
def test_a_service_is_asked_without_being_told_to_if_its_budget_allows_it(
    limit: int, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "OPTIONS", OPTIONS)
    text = f"""
province: {{name: Phú Thọ, code: H44}}
sources:
  onestop:
    connector: onestop.dvcqg
    door: {{kind: http, base_url: "https://motcua.example/api"}}
    from: 2025-12-31
    serves: all
    requests_per_minute: {limit}
"""
    assert read(text).sources["onestop"].probe == (Probing() if limit > 1 else None)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_by_line_key_and_mend(name: str, here: Path) -> None:
    told = faults((GOLDEN / f"{name}.yaml").read_bytes(), EMPTY="", URL="https://x.example")
    assert told + "\n" == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_that_is_nested_without_end_is_told_and_ends_no_process(opening: str, here: Path) -> None:
    assert "nested too deeply" in faults("province:\n  " + opening * 100_000)


def test_every_broken_file_has_its_message_and_there_are_at_least_thirty() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.txt")) == BROKEN
    assert len(BROKEN) >= 30


def test_every_message_has_file_line_key_and_a_mend(here: Path) -> None:
    for name in BROKEN:
        for line in (GOLDEN / f"{name}.txt").read_text().splitlines():
            assert re.fullmatch(r"collector\.yaml:\d+: .+\. \S.*", line), (name, line)


def test_scalars_stay_text_until_they_are_typed(here: Path) -> None:
    text = with_source('config: {codes: [28.22, 010, no, 1e3, "null"], colour: no, strict: no}')
    config = cast(Config, read(text).sources["mail"].config)
    assert config.codes == ["28.22", "010", "no", "1e3", "null"]
    assert (config.colour, config.strict) == ("no", False)


def test_a_key_without_a_value_is_nothing_and_null_too(here: Path) -> None:
    assert cast(Config, read(with_source("config: {colour: }")).sources["mail"].config).colour is None
    assert cast(Config, read(with_source("config: {colour: null}")).sources["mail"].config).colour is None


def test_nested_models_and_aliases_are_typed(here: Path) -> None:
    config = cast(
        Config, read(with_source("config: {tables: [{table: a, limit: 5}], first: {table: b}}")).sources["mail"].config
    )
    assert config.tables == [Table(table="a", limit=5)]
    assert config.first == Table(table="b")


HTTP = SOUND.replace("email.mail_log", "onestop.dvcqg").replace(
    "{kind: folder, path: logs}", "{kind: http, url: 'https://x.example', token: !TOKEN}"
)


def token(settings: Settings) -> str:
    secret = cast(HttpOptions, settings.sources["mail"].door).token
    assert secret is not None
    return secret.get_secret_value()


def test_a_secret_comes_from_the_environment_or_a_file(here: Path) -> None:
    assert token(read(HTTP.replace("!TOKEN", "!env TOKEN"), TOKEN="s3cret-of-env")) == "s3cret-of-env"
    assert token(read(HTTP.replace("!TOKEN", "!file token"))) == "s3cret-of-file"
    assert token(read(HTTP.replace("!TOKEN", f"!file {here / 'token'}"))) == "s3cret-of-file"


def test_a_secret_is_handed_over_by_the_supervisor(here: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-of-unit\n")
    text = HTTP.replace("!TOKEN", "!credential token")
    assert token(read(text, CREDENTIALS_DIRECTORY=str(tmp_path))) == "s3cret-of-unit"
    told = faults(text)
    assert (
        "there is no credential token: CREDENTIALS_DIRECTORY is not set. Start it as a service whose unit has" in told
    )
    for name in ("../token", "'.'", "a/b"):
        assert "is no name of a credential" in faults(
            HTTP.replace("!TOKEN", f"!credential {name}"), CREDENTIALS_DIRECTORY=str(tmp_path)
        )
    gone = faults(HTTP.replace("!TOKEN", "!credential gone"), CREDENTIALS_DIRECTORY=str(tmp_path))
    assert f"the file {tmp_path / 'gone'} cannot be read" in gone


def test_secrets_in_lists_and_mappings_are_references_too(here: Path) -> None:
    text = HTTP.replace("token: !TOKEN", "headers: {X-Key: !env TOKEN}")
    door = cast(HttpOptions, read(text, TOKEN="abc").sources["mail"].door)
    assert door.headers["X-Key"].get_secret_value() == "abc"
    assert "sources.mail.door.headers.X-Key: is a secret" in faults(text.replace("!env TOKEN", "abc"))


def test_no_secret_is_ever_printed(here: Path) -> None:
    text = HTTP.replace("!TOKEN", "!env TOKEN") + "store: !env STORE\n"
    store = "postgresql+psycopg://me:s3cret-of-store@db/x"
    settings = read(text, TOKEN="s3cret-of-env", STORE=store)
    assert settings.store_url.get_secret_value() == store
    shown = masked(settings) + repr(settings)
    assert "s3cret" not in shown
    assert "token: '********'" in shown
    assert "postgresql+psycopg://me:***@db/x" in shown
    assert "s3cret-literal" not in faults(text.replace("!env TOKEN", "s3cret-literal"), STORE=store)
    assert "s3cret" not in faults(text + "bad: 1\n", TOKEN="s3cret", STORE="s3cret:nonsense")


def test_the_effective_configuration_shows_what_counts(here: Path) -> None:
    text = with_source("serves: [H44.02, {agency: H44.09, from: 2026-03-01}]").replace("    serves: all\n", "")
    shown = masked(read("demo: {now: 2026-03-01T08:00:00+07:00}\n" + text))
    assert "      - agency: H44.09\n        from: '2026-03-01'\n" in shown.replace("    - ", "      - ").replace(
        "      from", "        from"
    )
    for line in ("code: H44", "from: '2025-12-31'", "every: 3600s", "path: logs", "now: '2026-03-01T08:00:00+07:00'"):
        assert line in shown


def test_the_demo_fixes_the_clock(here: Path) -> None:
    assert read(SOUND + "demo: {now: 2026-03-01T08:00:00+07:00}\n").now == 1772326800
    assert read(SOUND + "demo: {now: 2026-03-01T01:00:00Z}\n").now == 1772326800


def test_a_source_serves_all_or_some_or_all_but_some(here: Path) -> None:
    codes = ["H44.02", "H44.09", "H44.60"]

    def served(serves: str) -> dict[str, int]:
        source = read(without("serves") + f"    serves: {serves}\n").sources["mail"]
        return source.serves.among(codes, source.since)

    assert served("all") == {"H44.02": 20251231, "H44.09": 20251231, "H44.60": 20251231}
    assert served("{all_but: [H44.60]}") == {"H44.02": 20251231, "H44.09": 20251231}
    later = "[H44.02, {agency: H44.09, from: 2026-01-15}, {agency: H44.60, from: 2025-01-01}]"
    assert served(later) == {"H44.02": 20251231, "H44.09": 20260115, "H44.60": 20251231}


def test_an_agency_that_the_register_does_not_have_is_told_by_line(here: Path) -> None:
    serves = read(without("serves") + "    serves:\n      - H44.02\n      - H44.90\n").sources["mail"].serves
    with pytest.raises(WrongUse) as found:
        serves.among(["H44.02", "H44.09"], 20251231)
    expected = "collector.yaml:9: sources.mail.serves[1]: the register has no H44.90. Did you mean H44.09?"
    assert str(found.value) == expected
    assert serves.agencies[0] == Served("H44.02", None, "collector.yaml:8: sources.mail.serves[0]")


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("30m", 1_800), ("6h", 21_600), ("2d", 172_800), ("1h", 3_600)]
)
def test_a_duration_is_a_number_and_a_letter(written: str, seconds: int, here: Path) -> None:
    assert read(with_source(f"deadline: {written}")).sources["mail"].deadline == seconds


def test_the_state_folder_is_the_files_or_systemds_or_xdgs(here: Path) -> None:
    assert read("state: kept\n" + SOUND, STATE_DIRECTORY="/s").state == Path("kept")
    assert read(SOUND, STATE_DIRECTORY="/s:/t", XDG_STATE_HOME="/x").state == Path("/s")
    assert read(SOUND, XDG_STATE_HOME="/x").state == Path("/x/ict-collector")
    assert read(SOUND).state == Path("/home/collector/.local/state/ict-collector")
    assert "collector.yaml:1: state: there is no folder to keep state in" in faults(SOUND, HOME="")


def test_the_store_is_sqlite_in_the_state_folder_unless_told(here: Path) -> None:
    assert read(SOUND, STATE_DIRECTORY="/s").store_url.get_secret_value() == "sqlite:////s/collector.sqlite"
    told = read("store: sqlite:///kept.sqlite\n" + SOUND).store_url.get_secret_value()
    assert told == f"sqlite:///{here}/kept.sqlite"

    told = read("store: postgresql://me@db/x\n" + SOUND).store_url.get_secret_value()
    assert told == "postgresql+psycopg://me@db/x"


def test_paths_are_relative_to_the_file(here: Path) -> None:
    folder = here / "etc"
    folder.mkdir()
    (folder / "agencies.yaml").write_text("")
    path = folder / "collector.yaml"
    path.write_text(SOUND + "state: kept\n")
    settings = load(path, connector_named, HOME)
    assert settings.agencies == folder / "agencies.yaml"
    assert settings.state == folder / "kept"
    assert cast(FolderOptions, settings.sources["mail"].door).path == folder / "logs"


def test_the_configuration_is_looked_up_in_four_places(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "SYSTEM", here / "system.yaml")
    with pytest.raises(WrongUse, match=r"no configuration found; looked at --config, .*`collector init DIR`"):
        locate(None, {})
    (here / "system.yaml").touch()
    assert locate(None, {}) == here / "system.yaml"
    (here / "config").mkdir()
    (here / "config" / "collector.yaml").touch()
    assert locate(None, {}) == Path("config/collector.yaml")
    (here / "named.yaml").touch()
    assert locate(None, {"COLLECTOR_CONFIG": "named.yaml"}) == Path("named.yaml")
    (here / "option.yaml").touch()
    assert locate(Path("option.yaml"), {"COLLECTOR_CONFIG": "named.yaml"}) == Path("option.yaml")


def test_a_file_that_was_named_must_exist(here: Path) -> None:
    with pytest.raises(
        WrongUse, match=r"^none\.yaml: there is no such file, but --config names it\. Correct the path$"
    ):
        locate(Path("none.yaml"), {})
    with pytest.raises(WrongUse, match="but COLLECTOR_CONFIG names it"):
        locate(None, {"COLLECTOR_CONFIG": "none.yaml"})


def test_what_cannot_be_read_is_told(here: Path) -> None:
    with pytest.raises(WrongUse, match=r"^none\.yaml: there is no such file\."):
        load(Path("none.yaml"), connector_named, HOME)
    with pytest.raises(WrongUse, match=r"^workdays: this is a folder, not a file\."):
        load(Path("workdays"), connector_named, HOME)


def test_a_file_of_another_kind_is_typed_by_a_model_of_its_own(here: Path) -> None:
    path = here / "other.yaml"
    path.write_text("codes: [28.22]\nfirst: {limit: ten}\ncolor: red\n")
    found = Faults(Path("other.yaml"))
    assert Reader(found, {}).model(Config, yaml_file.read(path, found), "") is None
    with pytest.raises(WrongUse) as raised:
        found.finish()
    assert str(raised.value).splitlines() == [
        "other.yaml:2: first.table: must be given. Write it like `table: van_ban` (The table)",
        "other.yaml:2: first.limit: ten: should be a valid integer, unable to parse string as an integer. Correct it",
        "other.yaml:3: color: the key is not known. Did you mean colour?",
    ]


def test_what_has_a_fault_is_never_handed_on(here: Path) -> None:
    path = here / "other.yaml"
    path.write_text("color: red\n")
    found = Faults(path)
    assert Reader(found, {}).model(Config, yaml_file.read(path, found), "") is None


def test_a_bug_in_a_connector_stays_visible(here: Path) -> None:
    def broken(name: str) -> Any:
        raise ImportError("no module named x")

    Path("collector.yaml").write_text(SOUND)
    with pytest.raises(ImportError):
        load(Path("collector.yaml"), broken, HOME)
