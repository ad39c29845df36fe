"""What a printed page says and looks like: poppler reads PDF files."""

import subprocess
from pathlib import Path

from tests.servers.process import needed, program

NAME = "Poppler"
PACKAGE = "poppler-utils"


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("pdftotext") and program("pdftoppm") else PACKAGE


def pages(pdf: Path, *, laid_out: bool = True) -> list[str]:
    """Return the text of each page, its lines as they are laid out; else in the order in which it was drawn.

    What is written across a page is there in that order alone.
    """
    command = [str(needed(program("pdftotext"), PACKAGE)), "-layout" if laid_out else "-raw", str(pdf), "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split("\f")[:-1]


def pictures(pdf: Path, stem: Path, first: int, last: int) -> None:
    """Write pages (from 1) as `<stem>-<page>.png`, 80 dots to the inch."""
    command = [str(needed(program("pdftoppm"), PACKAGE)), "-r", "80", "-png", "-f", str(first), "-l", str(last)]
    subprocess.run([*command, str(pdf), str(stem)], check=True, timeout=60)
