"""What a server could leave behind: processes that still know its folder."""

from pathlib import Path

import psutil


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the living processes whose command line, working folder or environment names the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), process.cwd(), *process.environ().values()]
            if process.status() != psutil.STATUS_ZOMBIE and any(str(folder) in word for word in known):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
