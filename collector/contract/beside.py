"""A file that a setting names by its path. The settings read it; a connector sees what it says, and opens nothing."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Beside:
    """A text file beside the configuration: its path, for messages, and its content (UTF-8, at most 16 MiB).

    A field of a connector's Config that has this type is written as a path, relative to `collector.yaml`. A fault in
    the content is a ValueError of a validator whose message begins with `name:line: `.
    """

    name: str
    text: str = field(repr=False)

    def __str__(self) -> str:
        """Return the path: what the file says is not repeated anywhere."""
        return self.name
