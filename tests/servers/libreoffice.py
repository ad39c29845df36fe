"""A real LibreOffice without a screen: opens spreadsheets and writes them as something else."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import ServerFailed, needed, program

NAME = "LibreOffice"
PACKAGE = "libreoffice-calc-nogui"

ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1"
"""Comma, quotes, UTF-8, cells as they are shown: a file for each sheet, `<book>-<sheet>.csv`."""


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("soffice") else PACKAGE


def convert(files: Sequence[Path], to: str, folder: Path, profile: Path) -> None:
    """Write files as another kind (`pdf`, or a filter with its options) into a folder.

    `profile` is a folder that LibreOffice makes its own at the first call; later calls start sooner with it.
    """
    command = [
        str(needed(program("soffice"), PACKAGE)),
        "--headless",
        "--norestore",
        f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to",
        to,
        "--outdir",
        str(folder),
        *map(str, files),
    ]
    environment = {**os.environ, "HOME": str(profile), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=180)
    if done.returncode != 0 or "Error" in done.stderr:
        raise ServerFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
