"""What is installed: the wheel holds the program and its samples, nothing else, and works where there is no checkout.

The lock names everything that is installed by version and hash, and no address of any index.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import collector
from collector.assembly import find_indicators

ROOT = Path(__file__).parent.parent
PACKAGES = ("collector", "connectors", "indicators")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INFO = f"ict_collector-{collector.__version__}.dist-info"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout without any network."""
    source = tmp_path_factory.mktemp("source")
    for name in (*PACKAGES, "config"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").touch()
    built = source / "built"
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (found,) = built.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel in it; what the program depends on is that of this environment."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, timeout=120)
    (site,) = folder.glob("lib/python*/site-packages")
    others = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in others), encoding="utf-8")
    return folder / "bin"


def run(
    installed: Path, where: Path, program: str, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment in a folder, knowing nothing of the checkout."""
    kept = ("PATH", "LANG", "TZ", "TMPDIR")
    environment = {name: os.environ[name] for name in kept if name in os.environ} | {"HOME": str(where)} | variables
    return subprocess.run(
        [str(installed / program), *arguments],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


# -- the wheel ---------------------------------------------------------------------------------------------------


def test_the_wheel_holds_the_three_packages_and_nothing_else_at_the_top(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {*PACKAGES, INFO}
    assert not [name for name in names if name.endswith(".pyc") or "/tests/" in name]


def test_the_wheel_holds_every_file_of_the_packages_and_every_sample(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    samples = {
        f"collector/samples/{path.relative_to(ROOT / 'config').as_posix()}"
        for path in (ROOT / "config").rglob("*")
        if path.is_file()
    }
    assert {name for name in names if not name.startswith(INFO)} == files | samples
    sheets = ("workdays/2026.yaml", "audit/published-2016-2019.csv")
    for needed in ("collector.yaml", "agencies.yaml", "scoring.yaml", *sheets):
        assert f"collector/samples/{needed}" in samples
    for package in PACKAGES:
        assert f"{package}/py.typed" in files


def test_every_folder_of_modules_is_a_package() -> None:
    for top in (*PACKAGES, "tests"):
        for path in (ROOT / top).rglob("*.py"):
            assert (path.parent / "__init__.py").is_file(), f"{path.parent} has no __init__.py"


def test_the_wheel_says_what_it_is_and_what_it_needs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    told = Parser().parsestr(archive.read(f"{INFO}/METADATA").decode())
    assert (told["Name"], told["Version"], told["License-Expression"]) == (
        "ict-collector",
        collector.__version__,
        "Apache-2.0",
    )
    needed = {str(Requirement(one)) for one in PROJECT["project"]["dependencies"]}
    asked = {str(Requirement(one)) for one in told.get_all("Requires-Dist", []) if "extra ==" not in one}
    assert asked == needed
    assert f"{INFO}/licenses/LICENSE" in archive.namelist()
    assert "collector = collector.cli:main" in archive.read(f"{INFO}/entry_points.txt").decode()


# -- installed ---------------------------------------------------------------------------------------------------


def test_the_installed_program_is_that_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "collector", "--version")
    assert (done.returncode, done.stdout) == (0, f"collector {collector.__version__}\n")
    where = run(installed, tmp_path, "python", "-c", "import collector; print(collector.__file__)").stdout
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_pythons_own_email_is_not_hidden(installed: Path, tmp_path: Path) -> None:
    code = "import connectors.email.mail_log, email.message, httpx; print(email.message.Message.__module__)"
    done = run(installed, tmp_path, "python", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "email.message\n", "")


def test_a_first_configuration_lacks_its_secrets_only(installed: Path, tmp_path: Path) -> None:
    made = run(installed, tmp_path, "collector", "init", "mine")
    assert made.returncode == 0
    listed = {line for line in made.stdout.splitlines() if not line.startswith("Next: ")}
    assert listed == {
        f"mine/{path.relative_to(ROOT / 'config').as_posix()}"
        for path in (ROOT / "config").rglob("*")
        if path.is_file()
    }
    check = ("check", "--config", "mine/collector.yaml")
    lacking = run(installed, tmp_path, "collector", *check)
    assert lacking.returncode == 2
    faults = lacking.stderr.splitlines()
    assert [re.sub(r"^mine/collector\.yaml:\d+: ([a-z_.]+): .*$", r"\1", line) for line in faults] == [
        "sources.documents.door.password",
        "sources.onestop.door.token",
    ]
    token = tmp_path / "mine" / "onestop-token"
    token.write_text("secret\n", encoding="ascii")
    token.chmod(0o600)
    good = run(installed, tmp_path, "collector", *check, DOCUMENTS_PASSWORD="secret")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith("mine/collector.yaml: the configuration is good (3 sources, ")


def test_the_sample_province_runs_from_the_wheel_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "collector", "demo", "--once", "--agencies", "4", "--days", "3", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 4 * len(find_indicators())
    assert len({one["indicator"] for one in found}) == len(find_indicators())
    assert {one["period"] for one in found} == {"2026-02"}
    assert sum(one["judged"] for one in found) > 0
    assert not list(tmp_path.iterdir()), "nothing is left behind"


# -- the lock ----------------------------------------------------------------------------------------------------


def locked() -> dict[str, tuple[Requirement, str]]:
    """The requirements of the lock by name, each with the text of its block."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
    found: dict[str, tuple[Requirement, str]] = {}
    for block in blocks:
        requirement = Requirement(block.split("\\\n")[0].strip())
        found[canonicalize_name(requirement.name)] = (requirement, block)
    return found


def test_everything_in_the_lock_has_one_version_and_hashes() -> None:
    for name, (requirement, block) in locked().items():
        assert [one.operator for one in requirement.specifier] == ["=="], name
        lines = [
            line.strip().removesuffix(" \\") for line in block.splitlines()[1:] if not line.strip().startswith("#")
        ]
        assert lines, name
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in lines), name


def test_the_lock_names_no_address_and_no_option_of_an_index() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--index|--extra-index|--find-links|--trusted)", text, re.MULTILINE)


def test_the_lock_holds_for_other_platforms_too() -> None:
    """Universal: what only another platform needs is there with its marker, as colorama for Windows."""
    marker = locked()["colorama"][0].marker
    assert marker is not None
    assert marker.evaluate({"sys_platform": "win32"})
    assert not marker.evaluate({"sys_platform": "linux"})


def test_the_lock_satisfies_what_the_project_asks_for() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"], *PROJECT["dependency-groups"]["dev"], *PROJECT["build-system"]["requires"]]
    asked += [one for some in project["optional-dependencies"].values() for one in some]
    found = locked()
    for text in asked:
        wanted = Requirement(text)
        for name in (wanted.name, *(f"{wanted.name}-{extra}" for extra in wanted.extras)):
            assert canonicalize_name(name) in found, f"{name} is not in the lock: make lock"
            (pin,) = found[canonicalize_name(name)][0].specifier
            assert wanted.specifier.contains(pin.version), f"{name} {pin.version} is locked, {text} is asked: make lock"
