"""Lines of Zimbra's audit.log and mailbox.log, as facts/mail-systems.md section 6 shows them."""

from datetime import datetime

from tests.connectors.email.mail_lines import HANOI

USER_SERVICE = "https://mail.example.gov.vn:443/service/soap"
ADMIN_SERVICE = "https://10.0.0.7:7071/service/admin/soap/"


def zimbra(when: int, context: str, message: str, level: str = "INFO", thread: str = "qtp1545357780-713") -> str:
    """A line of log4j's pattern `%d %-5p [%t] [%z] %c{1} - %m`."""
    stamp = f"{datetime.fromtimestamp(when, HANOI):%Y-%m-%d %H:%M:%S},{when % 1000:03d}"
    return f"{stamp} {level:5} [{thread}] [{context}] {message}"


def fields(**values: str) -> str:
    """`name=value;` without blanks: a context. A `;` in a value is doubled."""
    return "".join(f"{name}={value.replace(';', ';;')};" for name, value in values.items())


def auth(when: int, user: str, protocol: str = "soap", cmd: str = "Auth", thread: str = "") -> str:
    """A login that succeeded."""
    context = fields(name=user, oip="10.1.2.123", ua="zclient/8.8.15_GA_1728")
    message = f"security - cmd={cmd}; account={user}; protocol={protocol};"
    return zimbra(when, context, message, thread=thread or f"qtp15-71:{USER_SERVICE}/AuthRequest")


def refused(when: int, user: str) -> str:
    """A login that failed."""
    context = fields(ip="10.0.0.1", oip="10.1.2.3", via="10.0.0.2(nginx/1.7.1)", ua="Zimbra/8.8.8_GA_3008", cid="234")
    message = f"security - cmd=Auth; account={user}; protocol=imap; error=authentication failed for [{user}], bad;"
    return zimbra(when, context, message, "WARN", "ImapSSLServer-1")


def asked(when: int, user: str, request: str = "NoOpRequest", service: str = USER_SERVICE, **more: str) -> str:
    """A request of a client that is logged in."""
    context = fields(name=user, **more, mid="12", oip="10.1.2.3", ua="ZimbraWebClient - FF141 (Linux)", soapId="3f1b")
    return zimbra(when, context, f"soap - {request} elapsed=3", thread=f"qtp15-72:{service}/{request}")


def command(when: int, user: str, name: str = "UID") -> str:
    """A command of an IMAP client that is logged in."""
    context = fields(name=user, mid="12", ip="10.0.0.1", oip="10.1.2.3", ua="Thunderbird;115", cid="77")
    return zimbra(when, context, f"imap - {name} elapsed=0 (NIO)", thread="ImapSSLServer-1")
