"""Names of files inside one folder: which match a shell pattern, and which a door may open at all."""

from fnmatch import fnmatchcase


def matches(name: str, pattern: str) -> bool:
    """Say whether a name matches a shell pattern, letter case included.

    As in a shell, a leading dot must be written: a file that rsync or an editor is still writing stays unseen.
    """
    return fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


def inside(name: str) -> str:
    """Return the name if it stays inside the folder; ValueError otherwise (a bug of the connector)."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no name of a file inside the folder")
    return name


def span(start: int, end: int) -> None:
    """Raise ValueError (a bug of the connector) unless `[start, end)` is a range of bytes."""
    if not 0 <= start <= end:
        raise ValueError(f"[{start}, {end}) is no range of bytes")
