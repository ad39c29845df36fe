"""A province's mail system: a real Postfix and a real Dovecot on one clock that a test moves, and their logs."""

import gzip
import imaplib
import os
import re
import smtplib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.servers import clock as clock_of_servers
from tests.servers import dovecot as dovecot_server
from tests.servers import mail_peers
from tests.servers import postfix as postfix_server
from tests.servers.clock import Clock, stamp
from tests.servers.dovecot import Api, Dovecot, user_file
from tests.servers.mail_peers import Peer
from tests.servers.postfix import Postfix
from tests.servers.process import ServerFailed, greets, tail

# A mail's queue identity, when the queue takes it up and when it is done with it.
TAKEN = re.compile(r"/qmgr\[\d+\]: ([0-9A-F]+): from=<")
REMOVED = re.compile(r"/qmgr\[\d+\]: ([0-9A-F]+): removed$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MailServers:
    """The two servers and what people do with them.

    `logs` is the folder of mail.log and dovecot.log. `outside` plays the world outside, where one was asked for;
    `fields` are those of the API.
    """

    postfix: Postfix
    dovecot: Dovecot
    clock: Clock
    logs: Path
    outside: Peer | None = None
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def open_session(self, address: str) -> imaplib.IMAP4:
        """Log in by IMAP and open the inbox; the session lasts until `close_session`.

        Dovecot ends a session that was idle for 30 minutes: a longer jump of the clock ends all that are open.
        """
        session = imaplib.IMAP4(self.dovecot.host, self.dovecot.imap_port, timeout=10)
        try:
            session.login(address, self.dovecot.passwords[address.lower()])
            session.select("INBOX")
        except imaplib.IMAP4.error:
            session.shutdown()
            raise
        return session

    def close_session(self, session: imaplib.IMAP4) -> None:
        """Log out, and wait until the server has hung up: then it has told its log."""
        session.send(b"last LOGOUT\r\n")
        while session.readline():
            pass
        session.shutdown()

    def login(self, address: str, seconds: float = 0) -> int:
        """Open a mailbox, stay for so many (true) seconds, leave. Return the number of mails in the inbox."""
        session = self.open_session(address)
        count = len(session.search(None, "ALL")[1][0].split())
        time.sleep(seconds)
        self.close_session(session)
        return count

    def send(self, address: str, recipients: Sequence[str]) -> None:
        """Submit one mail from a mailbox's user, logged in."""
        with smtplib.SMTP(self.postfix.host, self.postfix.submission_port, "client.example", timeout=30) as connection:
            connection.login(address, self.dovecot.passwords[address.lower()])
            connection.send_message(_mail(address, recipients), address, recipients)

    def receive(self, sender: str, recipients: Sequence[str]) -> None:
        """Hand in one mail from outside; smtplib's exceptions where it is refused."""
        with smtplib.SMTP(self.postfix.host, self.postfix.smtp_port, "outside.example", timeout=30) as connection:
            connection.send_message(_mail(sender, recipients), sender, recipients)

    def move_clock(self, instant: int) -> None:
        """Wait until no mail is on its way, then set both servers' clock to a later instant (epoch seconds)."""
        self.settle()
        self.clock.move(instant)

    def settle(self, patience: float = 30) -> None:
        """Wait until every mail is delivered, bounced or put off and the logs are still; give them the servers' time.

        The time that the kernel gives to a log is the machine's, from which its readers would guess the wrong year.
        ServerFailed if that takes longer than `patience` true seconds.
        """
        deadline = time.monotonic() + patience
        before: list[int] = []
        while (sizes := [log.stat().st_size for log in self._log_files()]) != before or not self._nothing_under_way():
            if time.monotonic() > deadline:
                raise ServerFailed(f"mail is still on its way after {patience:.0f} s:\n{tail(self.postfix.log)}")
            before = sizes
            # Both servers write their logs through a process of its own, a moment later.
            time.sleep(0.1)
        for log in (self.postfix.log, self.dovecot.log):
            if log.exists():  # a server that was told to begin anew may not have written yet
                stamp(log, self.clock.now)
        self.clock.sweep()

    def have_users(self, addresses: Iterable[str], locked: Collection[str]) -> None:
        """Let Dovecot have these mailboxes from now on. It looks at its file once a second, which is waited for."""
        passwords = {address: self.dovecot.passwords[address] for address in addresses}
        # As passdb has it none may log in; as userdb has it, who asks about users is told so.
        fields = {one: {**self.fields.get(one, {}), **({"nologin": "y"} if one in locked else {})} for one in passwords}
        told = user_file(passwords, locked, fields)
        if told != self.dovecot.users.read_text():
            fresh = self.dovecot.users.with_suffix(".fresh")
            fresh.write_text(told)
            fresh.chmod(0o644)
            fresh.replace(self.dovecot.users)
            time.sleep(2.5)

    def try_again(self, patience: float = 30) -> None:
        """Let the mails that were put off be tried at once, and wait until none is left."""
        self.postfix.command("postqueue", "-f")
        deadline = time.monotonic() + patience
        while self.postfix.put_off() or self.postfix.on_their_way():
            if time.monotonic() > deadline:
                raise ServerFailed(f"mail is still put off after {patience:.0f} s:\n{tail(self.postfix.log)}")
            time.sleep(0.05)

    def stamp(self, file: Path) -> None:
        """Give a file the servers' time."""
        stamp(file, self.clock.now)

    # Log rotation, in the ways of logrotate and of Postfix itself.

    def rename_mail_log(self, new: str) -> None:
        """Rotate mail.log by renaming it, as logrotate does."""
        self.settle()
        self.postfix.log.rename(self.logs / new)
        self.postfix.command("postfix", "reload", environment=self.clock.environment)
        self._wait_for(self.postfix.log, self.postfix.smtp_port)
        self.settle()

    def rotate_mail_log(self) -> Path:
        """Rotate mail.log by `postfix logrotate`: a date and a time in the name, packed. Return the packed file."""
        self.settle()
        before = set(self.logs.iterdir())
        self.postfix.command("postfix", "logrotate", environment=self.clock.environment)
        self._wait_for(self.postfix.log, self.postfix.smtp_port)
        self.settle()
        (packed,) = set(self.logs.iterdir()) - before - {self.postfix.log}
        stamp(packed, self.clock.now)
        return packed

    def copy_and_cut_dovecot_log(self, new: str) -> None:
        """Rotate dovecot.log by copytruncate: copied, then cut to nothing."""
        self.settle()
        (self.logs / new).write_bytes(self.dovecot.log.read_bytes())
        stamp(self.logs / new, self.clock.now)
        os.truncate(self.dovecot.log, 0)
        stamp(self.dovecot.log, self.clock.now)

    def rename_and_pack_dovecot_log(self, new: str) -> None:
        """Rotate dovecot.log by `dateext` and `compress`: renamed, begun anew, packed."""
        self.settle()
        old = self.logs / new
        self.dovecot.log.rename(old)
        self.dovecot.reopen_log()
        self._wait_for(self.dovecot.log, self.dovecot.imap_port)
        self.settle()
        packed = old.with_name(old.name + ".gz")
        packed.write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
        stamp(packed, self.clock.now)

    def _wait_for(self, log: Path, port: int) -> None:
        """Wait until a log is begun anew, which a server does only when it has something to tell: we knock."""
        deadline = time.monotonic() + 30
        while not log.exists():
            if time.monotonic() > deadline:
                raise ServerFailed(f"{log.name} was not begun anew")
            greets(port, b"")
            time.sleep(0.1)

    def _log_files(self) -> list[Path]:
        return sorted(self.logs.iterdir())

    def _nothing_under_way(self) -> bool:
        if self.postfix.on_their_way():
            return False
        told = self.postfix.log.read_text(errors="replace")
        taken, done = set(TAKEN.findall(told)), set(REMOVED.findall(told))
        return taken - done <= self.postfix.put_off()


def _mail(sender: str, recipients: Iterable[str]) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(recipients), "Báo cáo"
    mail.set_content("Kính gửi quý cơ quan.\n")
    return mail


@contextmanager
def start(
    folder: Path,
    addresses: Iterable[str],
    now: int,
    *,
    locked: Iterable[str] = (),
    lists: Mapping[str, Sequence[str]] | None = None,
    api: Api | None = None,
    in_the_world: bool = False,
) -> Iterator[MailServers]:
    """Run both servers in an empty folder until the block ends, their clock beginning at `now` (epoch seconds).

    `addresses`: the mailboxes, in lower case. `locked`: those of them that may not log in. `lists`: members by a list's
    address. `api`: as in `dovecot.start`. `in_the_world`: every mail goes through a content filter, and those for
    others to a peer that can refuse them.
    """
    folder.chmod(0o755)
    logs = folder / "logs"
    for part in (logs, folder / "d", folder / "p"):
        part.mkdir(mode=0o755)
    passwords = {address: f"password-of-{address}" for address in addresses}
    with ExitStack() as running:
        outside = running.enter_context(mail_peers.start()) if in_the_world else None
        content_filter = running.enter_context(mail_peers.start()) if in_the_world else None
        clock = running.enter_context(clock_of_servers.start(folder / "clock", now))
        dovecot = running.enter_context(
            dovecot_server.start(
                folder / "d",
                logs / "dovecot.log",
                passwords,
                locked=frozenset(locked),
                environment=clock.environment,
                api=api,
            )
        )
        postfix = running.enter_context(
            postfix_server.start(
                folder / "p",
                logs / "mail.log",
                dovecot,
                lists=lists,
                environment=clock.environment,
                outside_port=outside.port if outside else 0,
                filter_port=content_filter.port if content_filter else 0,
            )
        )
        if content_filter:
            content_filter.content = mail_peers.hand_back_to(postfix.again_port)
        yield MailServers(postfix, dovecot, clock, logs, outside, api.fields if api else {})
