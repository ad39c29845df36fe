"""Pseudonyms of mail addresses: keyed, per calendar month, with the keys outside the database and its backups.

Law 91/2025/QH15 counts a history of online activity as sensitive: no address is stored, and the destruction of a
month's key makes that month's pseudonyms unlinkable for ever. A mark beside the keys says which months' keys are
destroyed: no key is ever made for them again.
"""

import hmac
import os
import secrets
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collector.contract.errors import AccessDenied, Destroyed, WrongUse

_KEY_BYTES = 32
_MOST_REMEMBERED = 200_000


class Pseudonyms:
    """Makes pseudonyms under the keys of one folder (mode 0700; `<yyyymm>.key`, 32 random bytes, mode 0600).

    A key is created the first time that its month is asked for; several processes may do so at once and agree.
    Raises AccessDenied if folder or key could be read by others, or cannot be read by us; WrongUse if a key is
    damaged; Destroyed for a month whose key is destroyed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[int, bytes] = {}
        self._known: dict[int, dict[str, str]] = {}
        self._stand_in = secrets.token_bytes(_KEY_BYTES)

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
            text = _plain(address).encode(*_ENCODING)
            found = known[address] = hmac.digest(self._key(month), text, "sha256").hex()[:32]
        return found

    def at_door(self, address: str, day: int) -> str:
        """Return `of`; for a month whose key is destroyed a name that means nothing and that nobody can make again.

        Rows of such a month are dropped when they are saved; whoever reads may still tell its mailboxes apart.
        """
        try:
            return self.of(address, day)
        except Destroyed:
            return hmac.digest(self._stand_in, f"{day // 100} {_plain(address)}".encode(*_ENCODING), "sha256").hex()[
                :32
            ]

    def months(self) -> list[int]:
        """Return the months (yyyymm) that have a key."""
        return sorted(int(path.stem) for path in self._folder.glob("??????.key") if path.stem.isdigit())

    def forget_destroyed(self) -> None:
        """Forget keys and addresses of months that another process has destroyed; to be called as each run begins."""
        for month in [month for month in self._known if _mark(self._folder, month).exists()]:
            self._keys.pop(month, None)
            self._known.pop(month, None)

    def destroy(self, month: int) -> None:
        """Destroy the key of a month (yyyymm) for ever; again, if it was cut off in the middle.

        The mark comes first: from then on no key is made. The key's bytes are overwritten before its name goes.
        """
        with _explained(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(_mark(self._folder, month), b"")
            for path in (*self._folder.glob(f".{month}.key.*"), self._folder / f"{month}.key"):
                if path.exists():
                    _write(path, bytes(_KEY_BYTES))
                    path.unlink()
            _settle(self._folder)
        self._keys.pop(month, None)
        self._known.pop(month, None)

    def _key(self, month: int) -> bytes:
        key = self._keys.get(month)
        if key is None:
            key = self._keys[month] = _key(self._folder, month)
        return key


# surrogatepass: an address of a log that was not UTF-8 is hidden too.
_ENCODING = ("utf-8", "surrogatepass")


def _plain(address: str) -> str:
    return unicodedata.normalize("NFC", address.strip().lower())


def _mark(folder: Path, month: int) -> Path:
    return folder / f"{month}.destroyed"


def _key(folder: Path, month: int) -> bytes:
    if not 1 <= month % 100 <= 12:
        raise ValueError(f"{month} is no month (yyyymm)")
    with _explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_if_open(folder, folder.stat().st_mode, "700")
        path = folder / f"{month}.key"
        if _mark(folder, month).exists():
            raise Destroyed(
                f"the key of {month // 100}-{month % 100:02d} is destroyed: nobody can be recognised in it any more",
                stage="configuration",
                mend="Nothing needs to be done: what was counted of that month stays",
            )
        if not path.exists():
            _create(path)
        return _read(path)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise AccessDenied(
            f"the keys for pseudonyms in {folder} cannot be used ({error.strerror})",
            stage="configuration",
            mend=f"Make {folder} belong to the account that runs the collector, mode 700",
        ) from error


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
    _settle(path.parent)


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
