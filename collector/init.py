"""`collector init`: a commented configuration to start from, copied from the samples that travel with the program."""

from pathlib import Path
from shutil import copytree

from collector.contract.errors import WrongUse


def samples() -> Path:
    """The folder of samples: inside an installed wheel, else the checkout's config/ (an editable install)."""
    here = Path(__file__).parent
    installed = here / "samples"
    return installed if installed.is_dir() else here.parent / "config"


def write(folder: Path) -> list[Path]:
    """Copy the samples into a folder and return what was written, sorted.

    WrongUse if the folder holds anything already: nothing of an operator's is ever overwritten.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        full = any(folder.iterdir())
    except OSError as error:
        raise WrongUse(
            f"{folder} cannot be made ({error.strerror})", field="DIR", mend="Name a folder that you may write to"
        ) from error
    if full:
        raise WrongUse(f"{folder} is not empty", field="DIR", mend="Name a new folder; nothing is ever overwritten")
    copytree(samples(), folder, dirs_exist_ok=True)
    return sorted(path for path in folder.rglob("*") if path.is_file())
