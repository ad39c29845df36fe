"""A file of declared figures, whatever its kind: told by what is in it, not by its name."""

from collections.abc import Sequence
from pathlib import Path

from collector.audit import delimited
from collector.audit.claim import Claim, claims
from collector.audit.rows import BYTES
from collector.contract.errors import WrongUse

_OLD_OFFICE = bytes.fromhex("d0cf11e0a1b11ae1")
"""Excel's format of before 2007, and any workbook behind a password."""


def read(path: Path, sheet: str | None = None, indicators: Sequence[str] = ()) -> list[Claim]:
    """Return the claims of a CSV file or a workbook (its sheet with our columns, or `sheet`).

    `indicators` are the ids that a line may name; any, if none is given. Raises WrongUse with every fault found, naming
    line and column.
    """
    try:
        if not path.is_file():
            raise WrongUse(f"{path} is no file", mend="Name a sheet of declared figures: csv or xlsx")
        if path.stat().st_size > BYTES:
            raise WrongUse(f"{path}: over {BYTES >> 20} MiB: this is no sheet of figures", mend="Copy the figures out")
        data = path.read_bytes()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read ({error.strerror})", mend="Name a file that you may read") from None
    if data.startswith(b"PK"):
        from collector.audit import workbook  # here, as all that only some commands need

        return claims(workbook.read(data, str(path), sheet), path, indicators)
    if data.startswith(_OLD_OFFICE):
        raise WrongUse(
            f"{path}: an old workbook (xls), or one behind a password", mend="Save it as xlsx, without a password"
        )
    if sheet is not None:
        raise WrongUse(f"{path} is no workbook and has no sheets", field="--sheet", mend="Leave the option out")
    return claims(delimited.read(data, str(path)), path, indicators)
