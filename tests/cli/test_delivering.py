"""A sealed month reaches the scoring service, which gives the points that `rank` shows; and what an operator sees."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from collector import init
from collector.cli.app import FINDINGS, SOURCE_FAILED, WRONG_USE, app
from collector.demo import province, systems
from collector.sinks import json_shapes
from indicators.scoring.file import ModelFile
from tests.cli.conftest import Run
from tests.servers.scoring_service import SCHEMA, TOKEN, ScoringService
from tests.sinks.scored import scored

E1 = "H44.2026-02.e1"


@pytest.fixture(scope="module")
def service(scoring_services: Callable[..., ScoringService]) -> ScoringService:
    return scoring_services()


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a province of 12 agencies whose February is sealed. Tests get copies."""
    folder = tmp_path_factory.mktemp("sealed") / "province"
    ledger = province.make(agencies=12, days=28)
    systems.write(ledger, folder)
    systems.write_configuration(ledger, folder, init.samples())
    for words in (
        ("collect",),
        ("gap", "mail-viettri", "2026-02-11", "--reason", "lost"),  # what is missing in the sample
        ("gap", "mail-viettri", "2026-02-25..2026-02-28", "--reason", "lost"),
        ("seal", "--new-key"),
        ("seal", "2026-02"),
    ):
        done = CliRunner().invoke(app, [*words, "--config", str(folder / "collector.yaml")])
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def own(sealed: Path, tmp_path: Path) -> Path:
    """The configuration of such a province that a test may change; nobody is told."""
    return copied(sealed, tmp_path / "own")


@pytest.fixture
def told(own: Path, service: ScoringService) -> Path:
    """The same, and who is to be told."""
    service.emptied()
    (own.parent / "token").write_text(f"{TOKEN}\n")
    with own.open("a", encoding="utf-8") as file:
        file.write(f"receivers:\n  scoring:\n    url: {service.url}\n    token: !file token\n    timeout: 5\n")
    return own


def copied(made: Path, folder: Path) -> Path:
    """Copy a province's folder; return its configuration."""
    copytree(made, folder)
    file = folder / "collector.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(str(made.resolve()), str(folder)), encoding="utf-8")
    return file


def test_the_service_gives_the_points_that_rank_shows(told: Path, run: Run, service: ScoringService) -> None:
    """The embedded model and a remote service share one contract: what is told is all that the points need."""
    done = run("deliver", "--json", "--config", told)
    assert (done.code, done.err) == (0, "")
    assert done.json == [
        {"receiver": "scoring", "acknowledged": 1, "died": 0, "pending": 0, "dead": 0, "failure": None}
    ]
    content = service.body(E1)
    assert list(Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(content)) == []
    assert {one["state"] for one in content["readings"]} >= {"measured", "partial", "missing"}
    assert content["declared"]

    model = ModelFile.model_validate(yaml.safe_load((told.parent / "scoring.yaml").read_text("utf-8"))).model()
    theirs = [json_shapes.score(one) for one in scored(content, model)]
    ours = run("rank", "2026-02", "--json", "--config", told).json
    for one in (*theirs, *ours):
        for line in one.get("lines", ()):
            line.pop("evidence")  # it stays with the province
        one.pop("change")  # against a month of which the service was told nothing
    assert theirs == ours
    assert any(one["points"] for one in ours)

    # What stands behind a figure stays at the province: no number of a dossier or document is told.
    body = json.dumps(content)
    for indicator in ("dossiers.on_time", "documents.exchanged_internal"):
        rows = run("explain", indicator, "H44.01", "2026-02", "--rows", "--json", "--config", told).json["rows"]
        assert rows
        assert [row["key"] for row in rows if row["key"] in body] == []

    edition = run("readings", "--period", "2026-02", "--json", "--config", told).json
    told_sums = [sum(one[name] or 0 for one in edition) for name in ("hits", "judged")]
    assert service.sums == tuple(told_sums)
    assert service.effects == {E1: 1}


def test_an_operator_sees_what_waits_what_was_told_and_that_all_is_well(
    told: Path, run: Run, service: ScoringService
) -> None:
    waits = run("deliver", "--dry-run", "--config", told)
    assert waits.code == 0
    assert E1 in waits.out
    assert waits.out.endswith("1 message waits; nothing was told\n")
    assert service.asked == []

    (waiting,) = run("deliver", "--dry-run", "--json", "--config", told).json
    assert (waiting["key"], waiting["state"], waiting["attempts"], waiting["edition"]) == (E1, "pending", 0, 1)
    assert run("deliver", "--config", told).code == 0
    assert run("deliver", "--dry-run", "--json", "--config", told).json == []
    assert list(service.applied) == [E1]
    assert "scoring   2" in run("status", "--config", told).out.replace("receiver  ", "")

    # All editions of a period once more: nothing happens there.
    assert run("deliver", "--again", "2026-02", "--json", "--config", told).json[0]["acknowledged"] == 1
    assert service.effects == {E1: 1}
    assert len(service.told) == 2


def test_a_receiver_that_is_down_fails_the_command_and_shows_in_the_status(
    told: Path, run: Run, service: ScoringService
) -> None:
    service.goes_wrong("503", header="Retry-After: 7200")
    done = run("deliver", "--config", told)
    assert done.code == SOURCE_FAILED
    assert f"scoring, answer: {E1} was answered with 503 (as the test wants it). The service is" in done.err
    status = run("status", "--config", told)
    assert status.code == FINDINGS
    assert f"scoring: answer: {E1} was answered with 503" in status.out
    assert "; tried again at " in status.out
    assert run("deliver", "--config", told).code == 0  # by hand at once, whatever it asked for


def test_what_will_not_be_taken_is_listed_and_told_again_on_demand(
    told: Path, run: Run, service: ScoringService
) -> None:
    service.goes_wrong("422")
    assert run("deliver", "--config", told).code == FINDINGS
    listed = run("deliver", "--dead", "--config", told)
    assert listed.code == FINDINGS
    assert f"{E1} was answered with 422 (as the test wants it)" in listed.out
    assert listed.out.endswith("1 message is dead\n")
    assert "`collector deliver --dead` lists what it will not take" in run("status", "--config", told).out
    assert run("deliver", "--config", told).code == FINDINGS
    assert service.applied == {}
    assert run("deliver", "--replay", E1, "--config", told).code == 0
    assert run("deliver", "--dead", "--json", "--config", told).json == []
    assert service.effects == {E1: 1}


def test_a_receiver_that_was_restored_from_a_backup_gets_back_what_it_lacks(
    told: Path, run: Run, service: ScoringService
) -> None:
    with service.restored_afterwards():
        assert run("deliver", "--config", told).code == 0
    assert service.applied == {}
    done = run("deliver", "--reconcile", "--config", told)
    assert done.code == 0
    assert f"scoring: it lacks {E1}, which it had acknowledged: told again\n" in done.out
    assert service.effects == {E1: 1}
    again = run("deliver", "--reconcile", "--json", "--config", told).json
    assert again["compared"] == [{"receiver": "scoring", "lacking": [], "known": [], "other": [], "failure": None}]


def test_check_live_asks_the_receiver_and_tells_it_nothing(told: Path, run: Run, service: ScoringService) -> None:
    found = run("check", "--live", "scoring", "--json", "--config", told).json["findings"]
    assert [(one["source"], one["stage"], one["result"]) for one in found] == [
        ("scoring", "reach", "ok"),
        ("scoring", "log in", "ok"),
        ("scoring", "schema", "ok"),
    ]
    assert service.asked == ["GET /contract"]
    (told.parent / "token").write_text("another\n")
    refused = run("check", "--live", "scoring", "--config", told)
    assert refused.code == SOURCE_FAILED
    assert "it answered with 401 (who are you?)" in refused.out
    shown = run("check", "--show", "--config", told).out
    assert "    token: '********'\n" in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody",), "there is no receiver nobody. The configuration has scoring"),
        (
            ("--replay", "H44.2025-01.e1"),
            "--replay: there is no message H44.2025-01.e1. See `collector deliver --dead`",
        ),
        (("--again", "2026-01"), "--again: no edition of 2026-01 is sealed. `collector seal` makes one"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_a_wrong_delivery_is_refused_in_one_sentence(
    own: Path, run: Run, words: tuple[str, ...], sentence: str
) -> None:
    with own.open("a", encoding="utf-8") as file:
        file.write("receivers:\n  scoring: {url: http://127.0.0.1:9}\n")
    done = run("deliver", *words, "--config", own)
    assert (done.code, done.out, done.err) == (WRONG_USE, "", f"{sentence}\n")


def test_a_configuration_without_a_receiver_says_how_to_name_one(own: Path, run: Run) -> None:
    done = run("deliver", "--config", own)
    assert (done.code, done.out) == (WRONG_USE, "")
    assert done.err.startswith("receivers: the configuration names no receiver. Write `receivers:`")
