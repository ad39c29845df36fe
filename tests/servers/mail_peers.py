"""What a mail server talks to besides people: a world outside, which takes mails or refuses them, a content filter."""

import smtplib
import socketserver
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.servers.process import LOOPBACK

OK = "250 2.0.0 Ok"


@dataclass
class Peer:
    """An SMTP server on loopback. `recipient` answers a RCPT, `content` a mail; both may be changed while it runs."""

    port: int = 0
    recipient: Callable[[str], str] = lambda _address: "250 2.1.5 Ok"
    content: Callable[[str, Sequence[str], bytes], str] = lambda _sender, _recipients, _content: OK
    taken: list[tuple[str, list[str]]] = field(default_factory=list)  # sender and recipients of each mail


@contextmanager
def start() -> Iterator[Peer]:
    """Yield a peer that takes every mail, until the block ends."""
    peer = Peer()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _talk(self, peer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 100

    with Server((LOOPBACK, 0), Talk) as server:
        peer.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield peer
        finally:
            server.shutdown()
            thread.join()


def _talk(connection: socketserver.StreamRequestHandler, peer: Peer) -> None:
    def say(line: str) -> None:
        connection.wfile.write(line.encode() + b"\r\n")

    sender = ""
    recipients: list[str] = []
    say("220 peer.example ESMTP")
    while line := connection.rfile.readline():
        verb, _, rest = line.decode("latin-1").strip().partition(":")
        address = rest.partition("<")[2].partition(">")[0]
        match verb.upper().split():
            case ["MAIL", "FROM"]:
                sender, recipients = address, []
                say("250 2.1.0 Ok")
            case ["RCPT", "TO"]:
                answer = peer.recipient(address)
                if answer.startswith("2"):
                    recipients.append(address)
                say(answer)
            case ["DATA"]:
                say("354 go on")
                answer = peer.content(sender, recipients, _content(connection))
                if answer.startswith("2"):
                    peer.taken.append((sender, recipients))
                say(answer)
            case ["QUIT"]:
                say("221 2.0.0 Bye")
                return
            case _:  # EHLO, RSET, NOOP
                say("250 peer.example")


def _content(connection: socketserver.StreamRequestHandler) -> bytes:
    lines = []
    while (line := connection.rfile.readline()) not in (b".\r\n", b""):
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)


def hand_back_to(port: int) -> Callable[[str, Sequence[str], bytes], str]:
    """Return how a content filter answers: as the server at a port does to whom it hands the mail back."""

    def content(sender: str, recipients: Sequence[str], mail: bytes) -> str:
        with smtplib.SMTP(LOOPBACK, port, "filter.example", timeout=30) as connection:
            connection.ehlo()
            connection.mail(sender)
            for address in recipients:
                code, said = connection.rcpt(address)
                if code >= 300:
                    return f"{code} {said.decode()}"
            code, said = connection.data(mail)
        return f"{code} 2.0.0 from MTA(smtp:[{LOOPBACK}]:{port}): {code} {said.decode()}"

    return content
