"""A real Postfix: submission with login for a Dovecot's mailboxes, mail from outside, and an outside to send to."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.clock import stamp
from tests.servers.dovecot import Dovecot
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
    run,
    with_other_ports,
)

NAME = "Postfix"
PACKAGE = "postfix"
OWNER = "postfix"
PROGRAMS = Path("/usr/lib/postfix/sbin")
OUTSIDE = "mx.outside.example"
# The kernel no longer signals its parent's death to a process that changed its user for a moment, as the master does: a
# shell, which does not, takes the signal and hands it on.
GUARD = '"$@" & server=$!; trap "kill $server" TERM; wait $server; wait $server'

# What hands mails to a content filter maps no addresses: that is done once, when they come back.
FILTERED = """
  -o content_filter=smtp:[{host}]:{filter}
  -o receive_override_options=no_address_mappings"""
AGAIN = """\
{host}:{again} inet n - n - - smtpd
  -o syslog_name=postfix/again
  -o mynetworks={host}/32
  -o smtpd_relay_restrictions=permit_mynetworks,reject
"""

# No line runs in a chroot (the fifth column): that would need a copy of the system's files.
SERVICES = """\
{host}:{smtp} inet n - n - - smtpd{filtered}
{host}:{submission} inet n - n - - smtpd{filtered}
  -o syslog_name=postfix/submission
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A running server: mail of outsiders comes in at `smtp_port`, that of our own users at `submission_port`.

    `again_port`: where a content filter hands mails back; 0 without one.
    """

    host: str
    name: str
    smtp_port: int
    submission_port: int
    queue: Path
    log: Path
    again_port: int = 0

    @property
    def settings(self) -> Path:
        """The folder of its configuration."""
        return self.queue.parent / "settings"

    def command(self, program_name: str, *words: str, environment: Mapping[str, str] | None = None) -> None:
        """Run one of Postfix' own programs, such as `postqueue -f`, for this server."""
        own = {**os.environ, **(environment or {})}
        run([needed(program(program_name), PACKAGE), "-c", self.settings, *words], environment=own)

    def on_their_way(self) -> set[str]:
        """Return the queue identities of mails that are accepted and not yet delivered, bounced or put off."""
        return {path.name for part in ("maildrop", "incoming", "active") for path in _files(self.queue / part)}

    def put_off(self) -> set[str]:
        """Return the queue identities of mails that will be tried again later."""
        return {path.name for path in _files(self.queue / "deferred")}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if (PROGRAMS / "master").exists() and program("postfix") and program("smtp-sink") else PACKAGE


def refuses() -> str | None:
    """Return why Postfix cannot be started by this user, or None."""
    return None if is_root() else "Postfix can be started by root only"


@contextmanager
def start(
    folder: Path,
    log: Path,
    dovecot: Dovecot,
    *,
    lists: Mapping[str, Sequence[str]] | None = None,
    environment: Mapping[str, str] | None = None,
    outside_port: int = 0,
    filter_port: int = 0,
) -> Iterator[Postfix]:
    """Run a server in an empty folder until the block ends: it takes the mail of a Dovecot's mailboxes and users.

    `lists`: members by a list's address. All mail for other domains goes to a server on loopback that plays the world
    outside, at `outside_port`; without one to a sink. `filter_port`: a content filter, through which every mail goes
    first. `log` must be in a folder that exists. `environment`: as in `dovecot.start`.
    """
    folder.chmod(0o755)
    settings, queue, data = folder / "settings", folder / "queue", folder / "data"
    for made in (settings, queue, data):
        made.mkdir(mode=0o755)
    give(data, OWNER)
    domains = sorted({address.partition("@")[2] for address in [*dovecot.passwords, *(lists or {})]})
    name = f"mx1.{domains[0]}"
    (settings / "mailboxes").write_text("".join(f"{address} here\n" for address in dovecot.passwords))
    (settings / "lists").write_text(
        "".join(f"{address} {' '.join(members)}\n" for address, members in (lists or {}).items())
    )
    handed_on = dict(environment or {})

    @contextmanager
    def begin() -> Iterator[Postfix]:
        again_port = free_port() if filter_port else 0
        server = Postfix(LOOPBACK, name, free_port(), free_port(), queue, log, again_port)
        sink_port = free_port()
        ports = {"host": server.host, "smtp": server.smtp_port, "submission": server.submission_port}
        filtered = FILTERED.format(host=server.host, filter=filter_port) if filter_port else ""
        again = AGAIN.format(host=server.host, again=again_port) if filter_port else ""
        (settings / "master.cf").write_text(again + SERVICES.format(filtered=filtered, **ports))
        parameters = {
            "compatibility_level": "3.6",
            "queue_directory": queue,
            "data_directory": data,
            "daemon_directory": PROGRAMS,
            "command_directory": "/usr/sbin",
            "meta_directory": "/etc/postfix",
            "mail_owner": OWNER,
            "setgid_group": "postdrop",
            "maillog_file": log,
            "maillog_file_prefixes": log.parent,
            "import_environment": " ".join(
                ["MAIL_CONFIG", "LANG=C", *(f"{key}={value}" for key, value in handed_on.items())]
            ),
            "myhostname": server.name,
            "myorigin": domains[0],
            "mydestination": "",
            "mynetworks": "",
            "inet_interfaces": server.host,
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "alias_database": "",
            "virtual_mailbox_domains": " ".join(domains),
            "virtual_mailbox_maps": f"texthash:{settings / 'mailboxes'}",
            "virtual_alias_maps": f"texthash:{settings / 'lists'}",
            "virtual_transport": f"lmtp:inet:{dovecot.host}:{dovecot.lmtp_port}",
            "default_transport": f"smtp:[{LOOPBACK}]:{outside_port or sink_port}",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": dovecot.auth,
            "smtpd_sasl_security_options": "noanonymous",
            "smtpd_relay_restrictions": "reject_unauth_destination",
            # Nothing asks the name service: there is none on loopback, and asking takes time.
            "smtpd_peername_lookup": "no",
            "smtp_dns_support_level": "disabled",
            # Tests send faster than people.
            "smtpd_client_connection_count_limit": "0",
            "smtpd_client_connection_rate_limit": "0",
        }
        (settings / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in parameters.items()))
        own = {**os.environ, **handed_on, "MAIL_CONFIG": str(settings)}
        for file in settings.iterdir():
            # Postfix waits until a file is two seconds old, lest somebody be still writing it.
            stamp(file, int(time.time()) - 10)
        run([needed(program("postfix"), PACKAGE), "-c", settings, "check"], environment=own)
        sink: list[str | Path] = [
            needed(program("smtp-sink"), PACKAGE),
            *("-h", OUTSIDE, f"{LOOPBACK}:{sink_port}", "100"),
        ]

        def ready() -> bool:
            return greets(server.smtp_port, b"220 ") and greets(server.submission_port, b"220 ")

        # `postfix start-fg` leaves a shell between us and the master, which would not pass our signals on: after the
        # check, which also makes the queue's folders, we start the master itself, as that shell would.
        master: list[str | Path] = ["sh", "-c", GUARD, "guard", PROGRAMS / "master", "-c", settings]
        with (
            child(sink, folder / "sink.out", lambda: answers(sink_port), account=OWNER),
            child(master, folder / "postfix.out", ready, environment=own, also_tell=[log]),
        ):
            yield server

    with with_other_ports(begin) as server:
        yield server
