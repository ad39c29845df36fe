"""The key with which editions are signed (Ed25519), and the public key by which anyone can check them.

The private key lies outside the database and its backups, in a file that its owner alone may read: who can write to
the database can still not seal. It is read only while something is sealed. The library of signatures is loaded where
it is used: each process would pay for it, and few sign.
"""

import os
import stat
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from collector.contract.errors import WrongUse

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_SIGNED = b"collector edition 1\n"
"""Stands before what is signed, so that a signature under an edition is one under nothing else."""


def public_path(path: Path) -> Path:
    """Where the public key of a private one is kept: beside it, with `.pub` at the end."""
    return path.with_name(f"{path.name}.pub")


def new(path: Path) -> Path:
    """Make a key and return the file of its public one. WrongUse if there is one already: none is overwritten."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for place, content, mode in ((path, private, 0o600), (public_path(path), public, 0o644)):
        try:
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            mend = "Keep it: what it signed is checked with it. To sign with another, name another file"
            raise WrongUse(f"{place} is there already", field="signing_key", mend=mend) from None
        except OSError as error:
            mend = "Make the folder, or let this account write into it"
            raise WrongUse(f"{place} cannot be written ({error.strerror})", field="signing_key", mend=mend) from None
    return public_path(path)


def private_key(path: Path) -> "Ed25519PrivateKey":
    """Read a private key. WrongUse if there is none, if others may read it, or if it is of another kind."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(65_536)
    except OSError as error:
        mend = "Make one with `collector seal --new-key`, or name its file as `signing_key` in the configuration"
        raise WrongUse(f"{path} cannot be read ({error.strerror})", field="signing_key", mend=mend) from None
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        raise WrongUse(
            f"others may read {path} (its mode is {stat.S_IMODE(found.st_mode):04o})",
            field="signing_key",
            mend=f"chmod 600 {path}; if others did read it, make a new key and hand out its public one",
        )
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise WrongUse(
            f"{path} is no Ed25519 private key (PEM, without a password)",
            field="signing_key",
            mend="Make one with `collector seal --new-key`",
        )
    return key


def public_key(path: Path) -> bytes:
    """Read a public key and return its 32 bytes. WrongUse if there is none, or if it is of another kind."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        content = path.read_bytes()
    except OSError as error:
        mend = "Name the file that `collector seal --new-key` wrote beside the key (.pub)"
        raise WrongUse(f"{path} cannot be read ({error.strerror})", field="--public-key", mend=mend) from None
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        mend = "Name the file that `collector seal --new-key` wrote beside the key (.pub)"
        raise WrongUse(f"{path} is no Ed25519 public key (PEM)", field="--public-key", mend=mend)
    return raw(key)


def raw(key: "Ed25519PublicKey") -> bytes:
    """The 32 bytes of a public key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def fingerprint(key: bytes) -> str:
    """A short name of a public key, for people to compare: the first 16 digits of its SHA-256."""
    return sha256(key).hexdigest()[:16]


def sign(key: "Ed25519PrivateKey", body: bytes) -> bytes:
    """Sign the body of an edition."""
    return key.sign(_SIGNED + body)


def is_signed(key: bytes, signature: bytes, body: bytes) -> bool:
    """Tell whether the body of an edition was signed with the private key of this public one."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _SIGNED + body)
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys(paths: Iterable[Path]) -> list[bytes]:
    """Read several public keys."""
    return [public_key(path) for path in paths]
