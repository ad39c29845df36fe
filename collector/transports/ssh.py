"""A folder on another host, over SFTP alone: door kind `ssh`.

The host key must be known beforehand; no agent, no key but the one named, no command, no forwarding. The account
needs no shell: `ForceCommand internal-sftp -R` is enough.
"""

import base64
import binascii
import errno
import logging
import posixpath
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import paramiko
from paramiko.pkey import UnknownKeyType
from paramiko.ssh_exception import BadHostKeyException
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from collector.contract.door import FileEntry
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.transports.budget import Budget
from collector.transports.file_names import inside, matches, span
from collector.transports.run import Opened, Run

# paramiko logs a traceback for each failure that it also raises.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)

_BLOCK = 1 << 20
_PIECE = 1 << 15  # what one request of SFTP fetches
# All requests of a slice are under way at once (a limit on them starves the line), so a slice bounds the memory.
_SLICE = 32 << 20


class Options(BaseModel):
    """The `door:` block of a source that is a folder on another host."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["ssh"] = "ssh"
    host: str = Field(min_length=1, description="Name or address of the host", examples=["mail.example"])
    port: int = Field(default=22, ge=1, le=65_535, description="Port of the SSH server")
    user: str = Field(min_length=1, description="Account on that host", examples=["collector"])
    key_file: Path | None = Field(
        default=None, description="Private key of the account", examples=["/etc/collector/mail_key"]
    )
    key_password: SecretStr | None = Field(default=None, description="Password that protects the private key")
    password: SecretStr | None = Field(default=None, description="Password of the account, where no key can be used")
    known_hosts: Path | None = Field(
        default=None, description="File of known host keys", examples=["/etc/collector/known_hosts"]
    )
    host_key: str | None = Field(
        default=None, description="Instead of known_hosts: the host's public key", examples=["ssh-ed25519 AAAAC3Nza..."]
    )
    path: str = Field(min_length=1, description="The folder on that host", examples=["/var/log"])
    timeout: float = Field(default=30.0, gt=0, description="Seconds to wait for a connection, or for the next bytes")

    @model_validator(mode="after")
    def _complete(self) -> "Options":
        if (self.known_hosts is None) == (self.host_key is None):
            raise ValueError("give one of known_hosts and host_key, so that the host can be recognised")
        if self.key_file is None and self.password is None:
            raise ValueError("give key_file (or password), so that the account can log in")
        if self.host_key is not None:
            _public_key(self.host_key)
        return self


@contextmanager
def open_door(options: Options, run: Run) -> Iterator["RemoteFolder"]:
    """Make ready to connect; the first `list` or `read` does."""
    door = RemoteFolder(options, run)
    try:
        yield door
    finally:
        door.close()


class RemoteFolder(Opened):
    """The door (contract `Files`).

    Raises AccessDenied for an unknown or changed host key, a refused login and a missing right; TryAgain if host,
    folder or file is away; UnexpectedAnswer for what is no regular file or no SFTP; WrongUse if key or known_hosts
    cannot be used.
    """

    def __init__(self, options: Options, run: Run) -> None:
        super().__init__(run)
        self._options = options
        self._budget = Budget(run)
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def close(self) -> None:
        """Hang up, if a connection was made."""
        if self._client is not None:
            self._client.close()
        self._client = self._sftp = None

    def list(self, pattern: str) -> Sequence[FileEntry]:
        """Return the regular files whose names match a shell pattern, sorted by name."""
        with self._asked(self._options.path, "rx"):
            entries = self._connected().listdir_attr(self._options.path)
        return sorted(
            (
                FileEntry(entry.filename, entry.st_size or 0, entry.st_mtime or 0)
                for entry in entries
                if _regular(entry) and matches(entry.filename, pattern)
            ),
            key=lambda entry: entry.name,
        )

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes `[start, end)` of a file in blocks of at most 1 MiB; fewer if the file is shorter."""
        path = posixpath.join(self._options.path, inside(name))
        span(start, end)
        return self._blocks(path, start, end)

    def _blocks(self, path: str, start: int, end: int) -> Iterator[bytes]:
        with self._asked(path, "r"):
            sftp = self._connected()
            if not _regular(sftp.lstat(path)):
                raise UnexpectedAnswer(
                    f"{path} is no regular file; links, pipes and devices are not read",
                    source=self.source,
                    stage="read",
                    mend="Let the source point to the folder that holds the file itself",
                )
            with sftp.open(path, "rb") as file:
                # One look at the size: what grows meanwhile is left to the next run.
                end = min(end, file.stat().st_size or 0)
                file.seek(start)
                while start < end:
                    cut = min(start + _SLICE, end)
                    file.prefetch(cut)
                    while start < cut:
                        self._budget.left("read")
                        block = _block(file, min(_BLOCK, cut - start))
                        if not block:
                            return
                        start += len(block)
                        yield block

    @contextmanager
    def _asked(self, path: str, right: str) -> Iterator[None]:
        self._budget.spend("reach")
        try:
            yield
        except UnicodeDecodeError as error:
            raise UnexpectedAnswer(
                f"the name of a file in {self._options.path} is not UTF-8",
                source=self.source,
                stage="read",
                mend="Rename the file",
            ) from error
        except (OSError, EOFError, paramiko.SSHException, paramiko.SFTPError) as error:
            raise self._failure(error, path, right) from error

    def _failure(self, error: Exception, path: str, right: str) -> CollectorError:
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.EACCES:
            return AccessDenied(
                f"{self._options.user} has no permission to read {path} on {self._options.host}",
                source=self.source,
                stage="read",
                mend=f"Add {self._options.user} to the file's group there (for logs mostly adm), or run setfacl -m"
                f" u:{self._options.user}:{right} {path}; let log rotation keep it (create 0640 root adm)",
            )
        if number == errno.ENOENT:
            return TryAgain(
                f"{path} does not exist on {self._options.host}",
                source=self.source,
                stage="read",
                mend="Check the path, and whether the file was rotated away",
            )
        return TryAgain(
            f"reading {path} on {self._options.host} broke off ({str(error) or type(error).__name__})",
            source=self.source,
            stage="read",
            mend="Check the line and the SSH server's log",
        )

    def _connected(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            patience = min(self._options.timeout, self._budget.left("reach"))
            self._client = client = self._knowing_the_host()
            key = self._key()
            try:
                client.connect(
                    self._options.host,
                    self._options.port,
                    self._options.user,
                    password=self._options.password.get_secret_value() if self._options.password else None,
                    pkey=key,
                    allow_agent=False,
                    look_for_keys=False,
                    timeout=patience,
                    banner_timeout=patience,
                    auth_timeout=patience,
                    channel_timeout=patience,
                )
                transport = client.get_transport()
                self._sftp = _Session.from_transport(transport) if transport is not None else None
            except (OSError, EOFError, paramiko.SSHException) as error:
                self.close()
                raise self._refusal(error) from error
            if self._sftp is None:
                raise self._refusal(EOFError("the connection ended"))
            channel = self._sftp.get_channel()
            if channel is not None:
                channel.settimeout(self._options.timeout)
        return self._sftp

    def _knowing_the_host(self) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(_Refuse())
        keys = client.get_host_keys()
        if self._options.host_key is not None:
            key = _public_key(self._options.host_key)
            keys.add(self._name(), key.get_name(), key)
        elif self._options.known_hosts is not None:
            try:
                if "@revoked" in self._options.known_hosts.read_text(encoding="utf-8", errors="replace"):
                    raise self._wrong("known_hosts", "holds @revoked lines, which are not understood here")
                keys.load(str(self._options.known_hosts))
            except OSError as error:
                raise self._wrong("known_hosts", f"cannot be read ({error.strerror})") from error
            except paramiko.hostkeys.InvalidHostKey:
                raise self._wrong("known_hosts", "holds a line whose key is damaged") from None
        return client

    def _name(self) -> str:
        host, port = self._options.host, self._options.port
        return host if port == 22 else f"[{host}]:{port}"

    def _key(self) -> paramiko.PKey | None:
        path = self._options.key_file
        if path is None:
            return None
        password = self._options.key_password.get_secret_value() if self._options.key_password else None
        try:
            if path.stat().st_mode & 0o007:
                raise self._wrong("key_file", f"can be used by every account of this host; run: chmod 600 {path}")
            return _private_key(path, password)
        except OSError as error:
            raise self._wrong("key_file", f"cannot be read ({error.strerror})") from error
        except TypeError as error:  # cryptography's word for a password that is missing, or not needed
            needed = "is protected by a password; give it as" if password is None else "needs no password; leave out"
            raise self._wrong("key_file", f"{needed} key_password") from error
        except (paramiko.SSHException, ValueError, UnknownKeyType) as error:
            raise self._wrong("key_file", "is no private key, or key_password is wrong") from error

    def _wrong(self, field: str, what: str) -> WrongUse:
        return WrongUse(
            f"{getattr(self._options, field)} {what}",
            source=self.source,
            stage="configuration",
            field=field,
            mend="The manual's chapter on sources over SSH shows how key and known_hosts are made",
        )

    def _refusal(self, error: Exception) -> CollectorError:
        host, port = self._options.host, self._options.port
        field = "host_key" if self._options.host_key is not None else "known_hosts"
        look = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
        match error:
            case _UnknownHostKey(key=key):
                return AccessDenied(
                    f"unknown host key: {host} shows {key.get_name()} {key.fingerprint}",
                    source=self.source,
                    stage="reach",
                    field=field,
                    mend=f"On the host itself run {look}; if it prints this fingerprint, add the line of"
                    f" `ssh-keyscan -p {port} {host}` to known_hosts",
                )
            case BadHostKeyException(key=key, expected_key=expected):
                return AccessDenied(
                    f"the host key has changed: {host} shows {key.get_name()} {key.fingerprint},"
                    f" known is {expected.get_name()} {expected.fingerprint}; somebody may stand between",
                    source=self.source,
                    stage="reach",
                    field=field,
                    mend=f"Ask the host's operator why. Only if {look} on the host itself prints the new fingerprint,"
                    " replace the old key",
                )
            case paramiko.AuthenticationException() if "timeout" not in str(error).lower():
                return AccessDenied(
                    f"{host} refused the login of {self._options.user}",
                    source=self.source,
                    stage="log in",
                    mend="Check that the public key is in the account's authorized_keys, and read the host's auth log",
                )
            case paramiko.ssh_exception.IncompatiblePeer():
                return UnexpectedAnswer(
                    f"{host} knows none of the methods of encryption that are safe today",
                    source=self.source,
                    stage="reach",
                    mend="Update the SSH server",
                )
            case _:
                return TryAgain(
                    f"no SSH connection to {host} port {port} ({str(error) or type(error).__name__})",
                    source=self.source,
                    stage="reach",
                    mend="Check that the SSH server runs, offers SFTP, and that no firewall is between",
                )


class _Session(paramiko.SFTPClient):
    """SFTP whose thread of requests sent ahead ends in silence when the line breaks.

    The reader meets the same failure and says so; the thread's would only be a traceback among the daemon's lines.
    """

    def __init__(self, sock: paramiko.Channel) -> None:
        self._reader = threading.current_thread()
        self._broken = False
        super().__init__(sock)

    def _async_request(self, *request: Any) -> Any:
        session: Any = super()  # the method is not in paramiko's published types
        if threading.current_thread() is self._reader:
            return session._async_request(*request)
        try:
            return 0 if self._broken else session._async_request(*request)
        except (OSError, EOFError, paramiko.SSHException):
            self._broken = True
            return 0  # the number of no request: its answer never comes


class _UnknownHostKey(paramiko.SSHException):
    def __init__(self, key: paramiko.PKey) -> None:
        super().__init__("unknown host key")
        self.key = key


class _Refuse(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, _client: paramiko.SSHClient, _hostname: str, key: paramiko.PKey) -> None:
        raise _UnknownHostKey(key)


def _public_key(line: str) -> paramiko.PKey:
    """Return the key of a line like `ssh-ed25519 AAAA...`; ValueError, in words, otherwise."""
    words = line.split()
    try:
        if len(words) < 2:
            raise ValueError
        return paramiko.PKey.from_type_string(words[0], base64.b64decode(words[1], validate=True))
    except (ValueError, binascii.Error, paramiko.SSHException, UnknownKeyType):
        raise ValueError("host_key must be a type and a key, like ssh-ed25519 AAAAC3Nza...") from None


def _private_key(path: Path, password: str | None) -> paramiko.PKey:
    # paramiko 5 says str, and hands it to cryptography, which takes bytes alone.
    secret: Any = password.encode() if password is not None else None
    return paramiko.PKey.from_path(path, secret)


def _regular(entry: paramiko.SFTPAttributes) -> bool:
    return entry.st_mode is not None and stat.S_ISREG(entry.st_mode)


def _block(file: paramiko.SFTPFile, size: int) -> bytes:
    # Piece by piece: paramiko would copy a larger read once more for every piece that arrives.
    pieces: list[bytes] = []
    while size > 0:
        piece = file.read(min(_PIECE, size))
        if not piece:
            break
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
