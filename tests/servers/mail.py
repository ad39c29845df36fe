"""A province's mail system: a real Postfix and a real Dovecot on one clock that a test moves, and their logs."""

import imaplib
import re
import smtplib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from tests.servers import clock as clock_of_servers
from tests.servers import dovecot as dovecot_server
from tests.servers import postfix as postfix_server
from tests.servers.clock import Clock, stamp
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.process import ServerFailed, tail

# A mail's queue identity, when the queue takes it up and when it is done with it.
TAKEN = re.compile(r"/qmgr\[\d+\]: ([0-9A-F]+): from=<")
REMOVED = re.compile(r"/qmgr\[\d+\]: ([0-9A-F]+): removed$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MailServers:
    """The two servers and what people do with them.

    `logs` is the folder of mail.log and dovecot.log, and nothing else.
    """

    postfix: Postfix
    dovecot: Dovecot
    clock: Clock
    logs: Path

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
        for log in self._log_files():
            stamp(log, self.clock.now)
        self.clock.sweep()

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
) -> Iterator[MailServers]:
    """Run both servers in an empty folder until the block ends, their clock beginning at `now` (epoch seconds).

    `addresses`: the mailboxes, in lower case. `locked`: those of them that may not log in. `lists`: members by a list's
    address.
    """
    folder.chmod(0o755)
    logs = folder / "logs"
    for part in (logs, folder / "d", folder / "p"):
        part.mkdir(mode=0o755)
    passwords = {address: f"password-of-{address}" for address in addresses}
    with (
        clock_of_servers.start(folder / "clock", now) as clock,
        dovecot_server.start(
            folder / "d",
            logs / "dovecot.log",
            passwords,
            locked=frozenset(locked),
            environment=clock.environment,
        ) as dovecot,
        postfix_server.start(
            folder / "p", logs / "mail.log", dovecot, lists=lists, environment=clock.environment
        ) as postfix,
    ):
        yield MailServers(postfix, dovecot, clock, logs)
