"""Whose domain a mail was sent to: of the state, of a free-mail provider, or another one.

Data, not law: an operator names the domains of the state and may replace the list of providers.
"""

import re
from collections.abc import Iterable

GOVERNMENT = ("gov.vn", "chinhphu.vn", "quochoi.vn")
"""Domains of the state; each stands for the domains under it too (phutho.gov.vn, skhcn.phutho.gov.vn, ...)."""

FREE_MAIL = (
    *("gmail.com", "googlemail.com"),
    *("yahoo.com", "yahoo.com.vn", "yahoo.com.sg", "yahoo.co.uk", "yahoo.co.jp", "yahoo.fr", "yahoo.de"),
    *("ymail.com", "rocketmail.com", "myyahoo.com", "aol.com"),
    *("hotmail.com", "hotmail.com.vn", "hotmail.fr", "hotmail.co.uk", "outlook.com", "outlook.com.vn"),
    *("live.com", "msn.com", "passport.com", "windowslive.com"),
    *("icloud.com", "me.com", "mac.com"),
    *("zoho.com", "zohomail.com", "mail.com", "email.com", "gmx.com", "gmx.net", "gmx.de", "web.de"),
    *("proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.io", "fastmail.com", "hushmail.com"),
    *("mail.ru", "inbox.ru", "list.ru", "bk.ru", "yandex.com", "yandex.ru", "ya.ru", "rambler.ru"),
    *("qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com", "sohu.com", "naver.com", "daum.net"),
    *("yopmail.com", "mailinator.com", "guerrillamail.com", "10minutemail.com", "temp-mail.org"),
)
"""Providers where anybody may open a mailbox for nothing."""

INSIDE, OUTSIDE, FREE = 0, 1, 2

_CACHED = 200_000


class Domains(dict[bytes, int]):
    """From a recipient's domain, as the log writes it, to INSIDE, OUTSIDE or FREE. No domain: INSIDE, as it is local.

    Of a domain that both lists name the government's wins.
    """

    def __init__(self, government: Iterable[str] = GOVERNMENT, free_mail: Iterable[str] = FREE_MAIL) -> None:
        super().__init__()
        self._classes = dict.fromkeys(map(_plain, free_mail), FREE) | dict.fromkeys(map(_plain, government), INSIDE)
        free = [name for name, known in self._classes.items() if known == FREE]
        inside = [name for name, known in self._classes.items() if known == INSIDE and name.isascii()]
        # A provider's domain under one of the state's is the provider's: then what is inside cannot be told by its end.
        if any(name.endswith(f".{state}") for name in free for state in inside):
            inside = []
        self.inside = b"|".join(rb"(?<=[@.]%b>)" % re.escape(name.encode()) for name in inside)
        """A pattern for the place behind an address (`...@phutho.gov.vn>`) that is certainly the state's; b"": none."""

    def __missing__(self, domain: bytes) -> int:
        if len(self) > _CACHED:
            self.clear()
        name = _plain(domain.decode("latin-1"))
        known = INSIDE if not name else OUTSIDE
        while name:
            if (found := self._classes.get(name)) is not None:
                known = found
                break
            name = name.partition(".")[2]
        self[domain] = known
        return known


def _plain(domain: str) -> str:
    return domain.strip().strip(".").lower()
