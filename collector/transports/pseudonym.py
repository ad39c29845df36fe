"""Pseudonyms of mail addresses: keyed, per calendar month, with the keys outside the database and its backups.

Law 91/2025/QH15 counts a history of online activity as sensitive: no address is stored, and the destruction of a
month's key makes that month's pseudonyms unlinkable for ever.
"""

import hmac
import os
import secrets
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path

from collector.contract.errors import AccessDenied, WrongUse

_KEY_BYTES = 32
_MOST_REMEMBERED = 200_000


class Pseudonyms:
    """Makes pseudonyms under the keys of one folder (mode 0700; `<yyyymm>.key`, 32 random bytes, mode 0600).

    A key is created the first time that its month is asked for; several processes may do so at once and agree.
    Raises AccessDenied if folder or key could be read by others, or cannot be read by us; WrongUse if a key is
    damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[int, bytes] = {}
        self._known: dict[int, dict[str, str]] = {}

    def of(self, address: str, day: int) -> str:
        """Return 32 hexadecimal digits for an address under the key of a local day's (`yyyymmdd`) month.

        HMAC-SHA256, cut, of the address without surrounding blanks, in lower case, in Unicode form C.
        """
        month = day // 100
        # Mail logs ask for the same few thousand addresses millions of times.
        known = self._known.get(month)
        if known is None:
            known = self._known[month] = {}
        found = known.get(address)
        if found is None:
            if len(known) >= _MOST_REMEMBERED:
                known.clear()
            plain = unicodedata.normalize("NFC", address.strip().lower())
            # surrogatepass: an address of a log that was not UTF-8 is hidden too.
            text = plain.encode("utf-8", "surrogatepass")
            found = known[address] = hmac.digest(self._key(month), text, "sha256").hex()[:32]
        return found

    def _key(self, month: int) -> bytes:
        key = self._keys.get(month)
        if key is None:
            key = self._keys[month] = _key(self._folder, month)
        return key


def _key(folder: Path, month: int) -> bytes:
    if not 1 <= month % 100 <= 12:
        raise ValueError(f"{month} is no month (yyyymm)")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_if_open(folder, folder.stat().st_mode, "700")
        path = folder / f"{month}.key"
        if not path.exists():
            _create(path)
        return _read(path)
    except PermissionError as error:
        raise AccessDenied(
            f"the keys for pseudonyms in {folder} cannot be used ({error.strerror})",
            stage="configuration",
            mend=f"Make {folder} belong to the account that runs the collector, mode 700",
        ) from error


def _refuse_if_open(path: Path, mode: int, right: str) -> None:
    if mode & 0o077:
        raise AccessDenied(
            f"{path} can be read or changed by other accounts (mode {stat.S_IMODE(mode):03o})",
            stage="configuration",
            mend=f"Run: chmod {right} {path}; if others may have read it, the month's pseudonyms are no longer secret",
        )


def _create(path: Path) -> None:
    # A link appears whole or not at all, and fails if another process was first: then its key counts.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        _refuse_if_open(path, os.fstat(file.fileno()).st_mode, "600")
        key = file.read(_KEY_BYTES + 1)
    if len(key) != _KEY_BYTES:
        raise WrongUse(
            f"{path} is damaged: a key has {_KEY_BYTES} bytes",
            stage="configuration",
            mend="Restore it; without it the month's mailboxes can only be read again from the logs",
        )
    return key
