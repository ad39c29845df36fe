"""What each process loads before it knows what it is asked for."""

import subprocess
import sys

HEAVY = ("cryptography", "httpx", "jinja2", "lxml", "openpyxl", "paramiko", "PIL", "starlette", "uvicorn")
"""Libraries that only some commands need: together they would double what every process holds."""


def test_the_program_starts_without_what_only_some_commands_need() -> None:
    loaded = "import sys, collector.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert "sqlalchemy" in done.stdout.split()
    assert [name for name in HEAVY if name in done.stdout.split()] == []
