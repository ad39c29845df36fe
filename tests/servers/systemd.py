"""systemd's tool that looks at units; no manager needs to run."""

from tests.servers.process import program

NAME = "systemd-analyze"
PACKAGE = "systemd"


def missing() -> str | None:
    """Return the Debian package that is not installed, or None."""
    return None if program("systemd-analyze") else PACKAGE
