"""Doors open one way. This reads the imports of the program and names each door that was forced."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("collector", "connectors", "indicators")

# The rooms of collector/, from the street door to the cellar: each may open those further down, never the reverse.
LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"cli", "daemon"}),
    frozenset({"assembly", "benchmark"}),
    frozenset({"scheduler", "check", "audit", "proof", "demo", "init", "gaps", "report"}),
    frozenset({"sinks", "web"}),
    frozenset({"editions"}),
    frozenset(
        {"collect", "reconcile", "matching", "compare", "flags", "readings", "ranking", "status", "privacy", "probing"}
    ),
    frozenset({"suppression", "succession", "promises", "declarations"}),
    frozenset(
        {
            "store",
            "transports",
            "settings",
            "agencies",
            "workdays",
            "vitals",
            "clock",
            "hours",
            "supervisor",
            "samples",
            "traces",
            "vietnamese",
        }
    ),
    frozenset({"yaml_file", "exposition"}),
    frozenset({"contract"}),
)
LEVEL: Mapping[str, int] = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

# Doors between rooms of one level.
SIDE_DOORS = frozenset(
    {
        ("cli", "daemon"),
        ("settings", "transports"),  # the options of a door
        ("store", "agencies"),
        ("store", "workdays"),
        ("store", "clock"),
        ("readings", "status"),
        ("reconcile", "collect"),  # what is compared is read first
    }
)
LOADERS = frozenset({"collector.assembly", "collector.daemon"})
"""They alone load connectors and indicators, by name, and hand them on."""

TIME_READERS = frozenset({"collector.clock"})
TIME = frozenset(
    {
        *(f"time.{name}" for name in ("time", "time_ns", "clock_gettime", "clock_gettime_ns")),
        *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
        "datetime.date.today",
        *(f"sqlalchemy.func.{name}" for name in ("now", "current_timestamp", "current_date", "localtimestamp")),
        *(f"sqlalchemy.sql.func.{name}" for name in ("now", "current_timestamp", "current_date", "localtimestamp")),
    }
)
TIME_WITHOUT = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1, "time.strftime": 2}
"""They read the time if they are called with fewer arguments."""

LOADING = frozenset(
    {"importlib.import_module", "importlib.__import__", "__import__", "pkgutil.resolve_name", "runpy.run_module"}
)
SHARED = ["connectors", "register"]
"""What reads registers of any family: all connectors may open it, and it opens no family."""

NAMELESS = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"})


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the program: its dotted name, where it is, and its syntax tree."""

    name: str
    path: str
    is_package: bool
    tree: ast.Module

    @property
    def part(self) -> str:
        return self.name.split(".")[0]


def modules_of(root: Path) -> dict[str, Module]:
    found: dict[str, Module] = {}
    for part in PARTS:
        for path in sorted((root / part).rglob("*.py")):
            inside = path.relative_to(root)
            pieces = inside.with_suffix("").parts
            is_package = pieces[-1] == "__init__"
            name = ".".join(pieces[:-1] if is_package else pieces)
            found[name] = Module(name, str(inside), is_package, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports_of(module: Module, known: Mapping[str, Module]) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that a module imports, wherever in it."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield node.lineno, one.name
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                package = module.name.split(".")
                package = package[: len(package) - node.level + module.is_package]
                start = ".".join([*package, *([node.module] if node.module else [])])
            for one in node.names:
                inner = f"{start}.{one.name}"
                yield node.lineno, inner if inner in known else start


def forced_doors(root: Path) -> list[str]:
    """Return a sentence for each door that was forced, beginning with file and line."""
    known = modules_of(root)
    found: list[str] = []
    for module in known.values():
        found.extend(_names(module))
        for line, target in imports_of(module, known):
            reason = _reason(module, target, known)
            if reason:
                found.append(f"{module.path}:{line}: {reason}")
        found.extend(f"{module.path}:{line}: {reason}" for line, reason in _readers(module))
    return found


def _names(module: Module) -> Iterator[str]:
    for piece in module.name.split("."):
        if NAMELESS & set(piece.split("_")):
            yield f"{module.path}:1: {piece} says nothing; every helper has an owner and a name"
            return
    if module.part == "collector" and module.name != "collector" and module.name.split(".")[1] not in LEVEL:
        yield f"{module.path}:1: the room {module.name.split('.')[1]} has no level; give it one in tests/test_doors.py"


def _reason(module: Module, target: str, known: Mapping[str, Module]) -> str:
    part = target.split(".")[0]
    if (
        module.name == "collector.demo.truth"
        and target != "collector.demo.ledger"
        and part not in sys.stdlib_module_names
    ):
        return f"the truth imports {target}; it may see the ledger and the standard library alone"
    if part == "config":
        return "config is for operators and is never imported"
    if part not in PARTS:
        return ""
    if module.part == "collector":
        return _from_collector(module, target)
    if target.split(".")[:2] == ["collector", "contract"]:
        return ""
    if part != module.part:
        return f"{module.part} -> {target}: {module.part} may open collector.contract alone"
    return _between_siblings(module, target, known)


def _from_collector(module: Module, target: str) -> str:
    if not target.startswith("collector"):
        return "" if module.name in LOADERS else f"{module.name} -> {target}: only assembly and daemon load them"
    if target == "collector":
        return ""
    if module.name == "collector":
        return f"collector/__init__.py -> {target}: the house itself opens nothing"
    here, there = module.name.split(".")[1], target.split(".")[1]
    if here == there or (here, there) in SIDE_DOORS or LEVEL.get(here, 0) < LEVEL.get(there, 0):
        return ""
    return f"{here} -> {there}: this door opens the other way, or not at all"


def _between_siblings(module: Module, target: str, known: Mapping[str, Module]) -> str:
    """A family's own lines, formats and mappings may be shared; a connector or an indicator module may not."""
    here, there = module.name.split("."), target.split(".")
    if there[:2] == SHARED and module.part == "connectors" and not _defines(known.get(target), "fetch"):
        return ""
    if module.part == "connectors" and here[1:2] != there[1:2]:
        return f"{module.name} -> {target}: connectors of different families never see each other"
    if module.part == "indicators" and here[1:2] != there[1:2]:
        return f"{module.name} -> {target}: indicators never see each other"
    if module.part == "connectors" and (len(there) < 3 or _defines(known.get(target), "fetch")):
        return f"{module.name} -> {target}: connectors never see each other"
    return ""


def _defines(module: Module | None, name: str) -> bool:
    return module is not None and any(
        isinstance(node, ast.FunctionDef) and node.name == name for node in module.tree.body
    )


def _readers(module: Module) -> Iterator[tuple[int, str]]:
    """Yield where a module reads the time, or loads another module by name."""
    bound: dict[str, str] = {"__import__": "__import__"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.split(".")[0]
                bound[one.asname or top] = one.name if one.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            bound |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}

    def meant(node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return bound.get(node.id, "")
        if isinstance(node, ast.Attribute):
            return f"{meant(node.value)}.{node.attr}"
        return ""

    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            name = meant(node)
            if name in TIME and module.name not in TIME_READERS:
                yield node.lineno, f"{name}: only collector/clock.py reads the time"
            if name in LOADING and module.name not in LOADERS:
                yield node.lineno, f"{name}: only assembly and daemon load modules by name"
        if isinstance(node, ast.Call) and module.name not in TIME_READERS:
            name = meant(node.func)
            if len(node.args) < TIME_WITHOUT.get(name, 0):
                yield node.lineno, f"{name}: only collector/clock.py reads the time"


def test_no_door_was_forced() -> None:
    assert forced_doors(ROOT) == []


def test_the_house_is_looked_at() -> None:
    known = modules_of(ROOT)
    for name in ("collector.contract.records", "collector.settings.file", "indicators.dossiers", "connectors.email"):
        assert name in known
    assert "collector.contract.period" in {target for _, target in imports_of(known["collector.agencies"], known)}


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        ("collector/store/save.py", "from collector.readings import take", "store -> readings"),
        ("collector/store/save.py", "from collector.transports import http", "store -> transports"),
        ("collector/store/save.py", "import collector.settings", "store -> settings"),
        ("collector/store/save.py", "from ..cli import app", "store -> cli"),
        ("collector/store/save.py", "def f():\n    from collector import daemon", "store -> daemon"),
        ("collector/contract/period.py", "from collector.clock import Clock", "contract -> clock"),
        ("collector/agencies.py", "from collector.store import schema", "agencies -> store"),
        ("collector/agencies.py", "from collector.workdays import calendar", "agencies -> workdays"),
        ("collector/readings.py", "import connectors.email", "collector.readings -> connectors.email"),
        ("collector/readings.py", "from indicators import dossiers", "collector.readings -> indicators"),
        ("collector/readings.py", "from importlib import import_module\nimport_module('x')", "importlib.import_module"),
        ("collector/readings.py", "import importlib as i\ni.import_module('x')", "importlib.import_module"),
        ("collector/readings.py", "__import__('connectors.email')", "__import__"),
        ("collector/readings.py", "from collector.sinks import report", "readings -> sinks"),
        ("collector/collect.py", "import config", "config is for operators"),
        ("collector/demo/truth.py", "from collector.contract.period import day_start", "the truth imports"),
        ("collector/demo/truth.py", "import sqlalchemy", "the truth imports sqlalchemy"),
        ("collector/demo/truth.py", "from collector.demo.province import build", "the truth imports"),
        ("collector/utils.py", "", "utils says nothing"),
        ("collector/store/sql_helpers.py", "", "sql_helpers says nothing"),
        ("collector/cellar.py", "", "the room cellar has no level"),
        ("connectors/email/mail_log.py", "from collector.store import save", "connectors -> collector.store"),
        ("connectors/email/mail_log.py", "from collector import agencies", "connectors -> collector"),
        ("connectors/email/mail_log.py", "from connectors.onestop import lines", "different families"),
        ("connectors/email/mail_log.py", "from connectors.email import zimbra", "connectors never see each other"),
        ("connectors/register/pages.py", "from connectors.email import lines", "different families"),
        ("indicators/dossiers.py", "from connectors.register import pages", "indicators -> connectors.register"),
        ("connectors/email/mail_log.py", "from indicators.dossiers import A", "connectors -> indicators.dossiers"),
        ("indicators/dossiers.py", "from indicators import mailboxes", "indicators never see each other"),
        ("indicators/dossiers.py", "import collector.workdays", "indicators -> collector.workdays"),
        ("indicators/dossiers.py", "from sqlalchemy import func\nx = func.now()", "sqlalchemy.func.now"),
        ("collector/collect.py", "import time\ntime.time()", "time.time"),
        ("collector/collect.py", "from time import time as t\nt()", "time.time"),
        ("collector/collect.py", "import time\ntime.localtime()", "time.localtime"),
        ("collector/collect.py", "import datetime as d\nd.datetime.now(d.UTC)", "datetime.datetime.now"),
        ("collector/collect.py", "from datetime import datetime\nnow = datetime.utcnow", "datetime.datetime.utcnow"),
        ("collector/collect.py", "from datetime import date as d\nd.today()", "datetime.date.today"),
    ],
)
def test_a_planted_fault_is_named_with_file_and_line(path: str, code: str, told: str, tmp_path: Path) -> None:
    others = ("collector/settings.py", "collector/daemon.py", "collector/cli/app.py", "indicators/mailboxes.py")
    for other in (*others, "collector/agencies.py", "collector/store/schema.py", "connectors/email/__init__.py"):
        (tmp_path / other).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / other).touch()
    (tmp_path / "connectors/email/zimbra.py").write_text("def fetch(): ...\n")
    assert forced_doors(tmp_path) == []
    planted = tmp_path / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f"\n{code}\n")
    found = forced_doors(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(f"{path}:")
    assert told in found[0]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("collector/clock.py", "import time\ntime.time()"),
        ("collector/transports/http.py", "import time\ntime.monotonic()\ntime.gmtime(0)"),
        ("collector/settings/file.py", "from collector.transports import OPTIONS"),
        ("collector/assembly.py", "from importlib import import_module\nimport_module('connectors.email.mail_log')"),
        ("collector/demo/truth.py", "import json\nfrom collector.demo.ledger import Ledger"),
        ("connectors/email/mail_log.py", "import email\nimport httpx\nfrom collector.contract.records import Mailbox"),
        ("connectors/email/mail_log.py", "from connectors.email.lines import parsed"),
        ("connectors/email/mail_log.py", "from connectors.register.pages import Site"),
    ],
)
def test_an_open_door_may_be_used(path: str, code: str, tmp_path: Path) -> None:
    planted = tmp_path / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f"{code}\n")
    (tmp_path / "connectors/email").mkdir(parents=True, exist_ok=True)
    (tmp_path / "connectors/email/lines.py").write_text("def parsed(): ...\n")
    assert forced_doors(tmp_path) == []


def test_our_email_connectors_do_not_shadow_pythons_email() -> None:
    assert not {Path(entry or ".").resolve() for entry in sys.path} & {ROOT / "connectors", ROOT / "collector"}
    code = (
        "import connectors.email, email, email.message, email.utils, connectors;"
        "assert email is not connectors.email;"
        "print(email.__file__); print(connectors.email.__file__)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pythons, ours = told.split()
    assert "connectors" not in Path(pythons).parts
    assert Path(ours) == ROOT / "connectors" / "email" / "__init__.py"


def test_pytest_imports_by_path_so_that_no_folder_of_ours_comes_first() -> None:
    assert "--import-mode=importlib" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
