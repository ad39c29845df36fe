"""A real Dovecot: mailboxes opened by IMAP, mail received by LMTP, logins checked for Postfix, asked by doveadm."""

import os
import pwd
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.servers.process import (
    LOOPBACK,
    answers,
    child,
    free_port,
    give,
    greets,
    is_root,
    needed,
    program,
    with_other_ports,
)

NAME = "Dovecot"
PACKAGE = "dovecot-imapd"
PACKAGE_FOR_LMTP = "dovecot-lmtpd"
# Mail never belongs to root; as root we give it to nobody.
OWNER = "nobody"


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running server. `passwords`: by address. `auth`: the socket at which Postfix asks if a login is right.

    `doveadm_port`: where its HTTP API listens, 0 without `api`; `users` is the file of its mailboxes (see `user_file`),
    which may be written anew while it runs, `mail` the folder of their mail.
    """

    host: str
    imap_port: int
    lmtp_port: int
    passwords: Mapping[str, str]
    auth: Path
    log: Path
    doveadm_port: int
    users: Path
    mail: Path

    def reopen_log(self) -> None:
        """Let it begin its log anew, after the old one was renamed."""
        os.kill(int((self.users.parent / "run" / "master.pid").read_text()), signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class Api:
    """Doveadm's HTTP API, with its key.

    `fields`: what the user database tells of an address beside its name, such as {"quota_rule": "*:bytes=5242880"}.
    `quota`: the quotas. `last_login`: who moves the last logins: sessions alone, or whatever opens a mailbox.
    `allowed`: the commands that are allowed, all if it is empty.
    """

    key: str
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quota: Sequence[str] = ("maildir:User quota",)
    last_login: Literal["sessions", "everything"] = "sessions"
    allowed: Sequence[str] = ()


def user_file(
    passwords: Mapping[str, str],
    locked: Collection[str] = (),
    fields: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return the lines of the mailboxes, for passdb and userdb; a locked one may not log in."""
    told = fields or {}
    return "".join(
        f"{address}:{password}::::::"
        + " ".join(
            [
                *(["nologin"] if address in locked else []),
                *(f"userdb_{name}={value}" for name, value in told.get(address, {}).items()),
            ]
        )
        + "\n"
        for address, password in passwords.items()
    )


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
    api: Api | None = None,
) -> Iterator[Dovecot]:
    """Run a server with these mailboxes (password by address) in an empty folder until the block ends.

    `locked`: addresses that may not log in, though their password is right. `environment`: what each of its processes
    gets, such as a moved clock's. `api`: without it there is no HTTP API, no quota, no last login.
    """
    dovecot = needed(program("dovecot"), PACKAGE)
    folder.chmod(0o755)
    mail, users, settings = folder / "mail", folder / "users", folder / "dovecot.conf"
    mail.mkdir()
    owner = pwd.getpwnam(OWNER) if is_root() else pwd.getpwuid(os.geteuid())
    give(mail, owner.pw_name)
    users.write_text(user_file(passwords, locked, api.fields if api else None))
    handed_on = dict(environment or {})

    @contextmanager
    def begin() -> Iterator[Dovecot]:
        doveadm_port = free_port() if api else 0
        server = Dovecot(LOOPBACK, free_port(), free_port(), passwords, folder / "auth", log, doveadm_port, users, mail)
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
{_with_api(server, api, owner, folder) if api else _static(server, owner)}
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
            greeted = greets(server.imap_port, b"* OK ") and greets(server.lmtp_port, b"220 ")
            return greeted and server.auth.exists() and (not api or answers(server.doveadm_port))

        command: list[str | Path] = [dovecot, "-F", "-c", settings]
        own = {**os.environ, **handed_on}
        with child(command, folder / "dovecot.out", ready, environment=own, also_tell=[log]):
            yield server

    with with_other_ports(begin) as server:
        yield server


def _static(server: Dovecot, owner: pwd.struct_passwd) -> str:
    return f"""\
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={server.mail}/%Lu
}}
"""


def _with_api(server: Dovecot, api: Api, owner: pwd.struct_passwd, folder: Path) -> str:
    """Return the settings of doveadm's HTTP API, of quota and of last logins; users can be listed from their file."""
    logins = folder / "last-login"
    logins.mkdir(exist_ok=True)
    give(logins, owner.pw_name)
    everywhere = "quota last_login" if api.last_login == "everything" else "quota"
    # Their names are quota, quota2, quota3.
    quotas = "".join(f"  quota{at if at > 1 else ''} = {quota}\n" for at, quota in enumerate(api.quota, 1))
    return f"""\
userdb {{
  driver = passwd-file
  args = {server.users}
  override_fields = uid={owner.pw_uid} gid={owner.pw_gid} home={server.mail}/%Lu
}}
doveadm_api_key = {api.key}
doveadm_allowed_commands = {",".join(api.allowed)}
mail_plugins = {everywhere}
protocol imap {{
  mail_plugins = quota last_login
}}
plugin {{
{quotas}  last_login_dict = proxy::lastlogin
  last_login_key = last-login/%u
}}
dict {{
  lastlogin = file:{logins}/dict
}}
service doveadm {{
  inet_listener http {{
    port = {server.doveadm_port}
  }}
}}
service dict {{
  # One process alone: two that write at once lose logins.
  process_limit = 1
  user = {owner.pw_name}
  unix_listener dict {{
    mode = 0666
  }}
}}
"""


def _as_ordinary_user(user: str) -> str:
    """Return the settings without which Dovecot would want to change user and root, which only root can."""
    rootless = ("imap-login", "anvil", "lmtp", "auth", "stats", "imap")
    services = "".join(f"service {name} {{\n  chroot =\n}}\n" for name in rootless)
    return f"default_internal_user = {user}\ndefault_internal_group = {user}\ndefault_login_user = {user}\n{services}"
