"""A real OpenSSH server for the account that runs the tests: it serves one folder by SFTP, and nothing else."""

import base64
import hashlib
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import LOOPBACK, child, free_port, is_root, needed, program, run, with_other_ports

NAME = "OpenSSH"
PACKAGE = "openssh-server"


@dataclass(frozen=True, slots=True)
class OpenSSH:
    """A running server.

    `served` is the folder in which a session finds itself. `host_key` is a public key as text, `ssh-ed25519 AAAA…`;
    `known_hosts` a file that holds it under the server's name and port. `key_file` is the private key that may log in;
    `other_key_file` one that may not. `log` names each login.
    """

    host: str
    port: int
    user: str
    served: Path
    key_file: Path
    other_key_file: Path
    known_hosts: Path
    host_key: str
    log: Path

    @property
    def fingerprint(self) -> str:
        """The host key's fingerprint as OpenSSH prints it: `SHA256:…`."""
        digest = hashlib.sha256(base64.b64decode(self.host_key.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("sshd") and program("ssh-keygen") else PACKAGE


def _make_key(file: Path) -> str:
    run([needed(program("ssh-keygen"), "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file])
    return " ".join(Path(f"{file}.pub").read_text().split()[:2])


@contextmanager
def start(folder: Path, served: Path, *, read_only: bool = True) -> Iterator[OpenSSH]:
    """Run a server, with its keys in an empty folder, until the block ends.

    Every login gets SFTP in the folder `served` and can start no command; `read_only` also refuses each write.
    """
    sshd = needed(program("sshd"), PACKAGE)
    host_key = _make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(_make_key(folder / "key") + "\n")
    _make_key(folder / "other_key")
    user = pwd.getpwuid(os.geteuid()).pw_name
    if is_root():
        # Where sshd's unprivileged part is locked in; Debian's unit makes it, and the path is compiled in.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)

    @contextmanager
    def begin() -> Iterator[OpenSSH]:
        server = OpenSSH(
            host=LOOPBACK,
            port=free_port(),
            user=user,
            served=served,
            key_file=folder / "key",
            other_key_file=folder / "other_key",
            known_hosts=folder / "known_hosts",
            host_key=host_key,
            log=folder / "sshd.log",
        )
        server.known_hosts.write_text(f"[{server.host}]:{server.port} {host_key}\n")
        settings = folder / "sshd_config"
        settings.write_text(
            f"ListenAddress {server.host}:{server.port}\n"
            f"HostKey {folder / 'host_key'}\n"
            f"AuthorizedKeysFile {folder / 'authorized_keys'}\n"
            f"AllowUsers {user}\n"
            "PermitRootLogin prohibit-password\n"
            "AuthenticationMethods publickey\n"
            "PidFile none\n"
            # The folder of temporary files is everybody's, which strict modes refuse; and with PAM no login would be
            # possible for an ordinary user's own server.
            "StrictModes no\n"
            "UsePAM no\n"
            "UseDNS no\n"
            "AllowTcpForwarding no\n"
            "LogLevel VERBOSE\n"
            "Subsystem sftp internal-sftp\n"
            f"ForceCommand internal-sftp {'-R ' if read_only else ''}-d {served}\n"
        )

        def ready() -> bool:
            return f"Server listening on {server.host} port {server.port}" in server.log.read_text(errors="replace")

        with child([sshd, "-D", "-e", "-f", settings], server.log, ready):
            yield server

    with with_other_ports(begin) as server:
        yield server
