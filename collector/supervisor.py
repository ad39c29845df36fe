"""What a supervisor is told: systemd's notify protocol (sd_notify), a datagram to the socket that it names.

Twenty lines of a protocol that is documented as stable (`man sd_notify`); the library for it needs systemd's headers.
"""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress


class Supervisor:
    """Tells systemd how the daemon is; says nothing where nobody listens."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        self.patience = int(microseconds) / 1e6 if microseconds.isdecimal() else None
        """Seconds after which systemd takes a daemon for dead that says nothing; None: it does not watch."""

    def ready(self, says: str) -> None:
        """It serves, or has read its settings again."""
        self._tell(f"READY=1\nSTATUS={says}")

    def reloading(self) -> None:
        """It reads its settings again."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """It is not stuck."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """It was told to end."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        # One that has gone away is nothing that the daemon could mend, nor a reason to end.
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there, suppress(OSError):
            there.connect(self._address)
            there.send(message.encode())
