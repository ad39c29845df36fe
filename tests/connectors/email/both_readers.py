"""The reader of whole days beside the reader of single lines: they must tell the same of any block."""

from collections.abc import Iterable, Sequence
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from collector.contract.period import local_day
from connectors.email import day_part
from connectors.email.domains import Domains
from connectors.email.lines import Reader, Use
from connectors.email.pending import Pending
from connectors.email.stamps import Calendar
from tests.connectors.email.mail_lines import client, delivered, login, logout, mail, text
from tests.connectors.email.reading import pseudonym

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def _name(user: bytes, day: int) -> str:
    address = user.decode("latin-1").lower()
    return "" if address.startswith("probe") else pseudonym(address, day)


def reader(first: int, zone: ZoneInfo = HANOI, *, by_lines: bool = False, domains: Domains | None = None) -> Reader:
    """A reader of a chain whose first line has an instant, with nothing pending."""
    return Reader(
        Pending(), _name, frozenset(), Calendar(zone, first), Domains() if domains is None else domains, by_lines
    )


def _lesson(when: int, form: str) -> Iterable[str]:
    """Lines in every usual envelope that leave nothing pending."""
    for protocol in ("imap", "pop3", "managesieve"):
        yield login(when, "lesson@x.test", f"{form}{protocol}", form, protocol)
        yield logout(when, "lesson@x.test", f"{form}{protocol}", form, protocol=protocol)
    if form != "dovecot":
        yield from mail(when, "1E550", "lesson@x.test", form)
        for program in ("smtpd", "smtps/smtpd"):
            yield client(when, "1E551", None, form).replace("submission/smtpd", program)
        for program in ("smtp", "local", "virtual", "pipe", "relay/smtp"):
            yield delivered(when, "1E551", "x@gov.vn", program=program)


def told(use: Use) -> list[Any]:
    """What a block told, without how much work it was."""
    return [{key: n for key, n in one.items() if n} for one in (use.sessions, use.sent, use.outside, use.free)] + [
        use.bad
    ]


def agree(
    blocks: Sequence[bytes],
    first: int,
    zone: ZoneInfo = HANOI,
    *,
    small: bool = False,
    form: str = "syslog",
    domains: Domains | None = None,
) -> int:
    """Assert that both readers tell the same of each block and keep the same pending; return how many blocks' parts
    were read at once. `small`: parts are a few lines long, so that days are cut in blocks of any size.
    """
    slow, fast = reader(first, zone, by_lines=True, domains=domains), reader(first, zone, domains=domains)
    at_once = 0
    for one in (slow, fast):
        one.read(text(_lesson(first, form)))
        one.pending = Pending()
    take = Reader._take

    def counted(self: Reader, *given: Any) -> bool:
        nonlocal at_once
        taken = take(self, *given)
        at_once += taken
        return taken

    with patch.object(Reader, "_take", counted), patch.object(day_part, "_MIXED", 200 if small else 32 << 10):
        for block in blocks:
            by_line, by_day = slow.read(block), fast.read(block)
            assert told(by_day) == told(by_line)
            assert fast.pending.sessions == slow.pending.sessions
            assert fast.pending.mails == slow.pending.mails
            assert fast.pending.accepted == slow.pending.accepted
            assert fast.pending.unlinked == slow.pending.unlinked
            assert fast.pending.linked == slow.pending.linked
            assert fast.pending.told == slow.pending.told
            for one in (slow, fast):
                one.pending.forget_before(local_day(first))
    return at_once
