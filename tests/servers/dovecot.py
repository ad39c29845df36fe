"""A real Dovecot: mailboxes opened by IMAP, mail received by LMTP, logins checked for Postfix."""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import LOOPBACK, child, free_port, give, greets, is_root, needed, program, with_other_ports

NAME = "Dovecot"
PACKAGE = "dovecot-imapd"
PACKAGE_FOR_LMTP = "dovecot-lmtpd"
# Mail never belongs to root; as root we give it to nobody.
OWNER = "nobody"


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server. `passwords`: by address. `auth`: the socket at which Postfix asks if a login is right."""

    host: str
    imap_port: int
    lmtp_port: int
    passwords: Mapping[str, str]
    auth: Path
    log: Path


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    if program("dovecot") is None or not Path("/usr/lib/dovecot/imap-login").exists():
        return PACKAGE
    return None if Path("/usr/lib/dovecot/lmtp").exists() else PACKAGE_FOR_LMTP


@contextmanager
def start(
    folder: Path,
    log: Path,
    passwords: Mapping[str, str],
    *,
    locked: frozenset[str] = frozenset(),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Dovecot]:
    """Run a server with these mailboxes (password by address) in an empty folder until the block ends.

    `locked`: addresses that may not log in, though their password is right. `environment`: what each of its processes
    gets, such as a moved clock's.
    """
    dovecot = needed(program("dovecot"), PACKAGE)
    folder.chmod(0o755)
    mail, users, settings = folder / "mail", folder / "users", folder / "dovecot.conf"
    mail.mkdir()
    owner = pwd.getpwnam(OWNER) if is_root() else pwd.getpwuid(os.geteuid())
    give(mail, owner.pw_name)
    users.write_text(
        "".join(
            f"{address}:{password}::::::{'nologin' if address in locked else ''}\n"
            for address, password in passwords.items()
        )
    )
    handed_on = dict(environment or {})

    @contextmanager
    def begin() -> Iterator[Dovecot]:
        server = Dovecot(LOOPBACK, free_port(), free_port(), passwords, folder / "auth", log)
        settings.write_text(
            f"""\
base_dir = {folder / "run"}
state_dir = {folder / "state"}
log_path = {log}
import_environment = {" ".join(f"{name}={value}" for name, value in handed_on.items())}
protocols = imap lmtp
listen = {server.host}
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{mail}/%Lu
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {users}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={mail}/%Lu
}}
service imap-login {{
  inet_listener imap {{
    port = {server.imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {server.lmtp_port}
  }}
}}
service anvil {{
  # Without the penalty that makes everybody on an address wait after a wrong password.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {server.auth} {{
    mode = 0666
  }}
}}
{"" if is_root() else _as_ordinary_user(owner.pw_name)}
"""
        )

        def ready() -> bool:
            # It listens long before it greets, which is when a stop or a login no longer waits for its other parts.
            return greets(server.imap_port, b"* OK ") and greets(server.lmtp_port, b"220 ") and server.auth.exists()

        command: list[str | Path] = [dovecot, "-F", "-c", settings]
        own = {**os.environ, **handed_on}
        with child(command, folder / "dovecot.out", ready, environment=own, also_tell=[log]):
            yield server

    with with_other_ports(begin) as server:
        yield server


def _as_ordinary_user(user: str) -> str:
    """Return the settings without which Dovecot would want to change user and root, which only root can."""
    rootless = ("imap-login", "anvil", "lmtp", "auth", "stats", "imap")
    services = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in rootless)
    return f"default_internal_user = {user}\ndefault_internal_group = {user}\ndefault_login_user = {user}\n{services}"
