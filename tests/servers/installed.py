"""Which real servers this machine can start, by the name used in the marker `server(name)`."""

from collections.abc import Mapping
from types import ModuleType

from tests.servers import (
    chromium,
    clock,
    dovecot,
    libreoffice,
    mariadb,
    openssh,
    poppler,
    postfix,
    postgresql,
    prometheus,
    systemd,
)

SERVERS: Mapping[str, ModuleType] = {
    "chromium": chromium,
    "dovecot": dovecot,
    "faketime": clock,
    "libreoffice": libreoffice,
    "mariadb": mariadb,
    "openssh": openssh,
    "poppler": poppler,
    "postfix": postfix,
    "postgresql": postgresql,
    "prometheus": prometheus,
    "systemd": systemd,
}


def why_not(server: str) -> str | None:
    """Return in one line why a server cannot be started here, or None. KeyError for a name that is no server's."""
    module = SERVERS[server]
    package: str | None = module.missing()
    if package is not None:
        return f"{module.NAME} is not installed: make servers"
    refusal: str | None = module.refuses() if hasattr(module, "refuses") else None
    return refusal
