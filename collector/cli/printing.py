"""What is printed: results on standard output, whole for programs; the rest on standard error."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape

# No emoji: `agencies.yaml:100: name` names a line, and no picture.
out = Console(highlight=False, emoji=False)


err = Console(stderr=True, highlight=False, emoji=False)


WIDE = 1_000


def print_json(value: Any) -> None:
    """Print for programs."""
    print_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def print_text(text: str) -> None:
    """Print text as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()  # here, where a reader that has gone away (`| head`) is no traceback


def display(parts: Iterable[RenderableType]) -> None:
    """Print text and tables: wrapped at a terminal, else whole and without blanks at the ends of lines."""
    for part in parts:
        if sys.stdout.isatty():
            out.print(part, crop=False)
            continue
        with out.capture() as captured:
            out.print(part, crop=False)
        print_text("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def say(text: str, style: str = "yellow") -> None:
    """Say something beside the results, on standard error."""
    err.print(escape(text), style=style, soft_wrap=True)


def many(count: int, what: str) -> str:
    """A count and what is counted, in the plural if need be."""
    plural = f"{what.removesuffix('y')}ies" if what.endswith("y") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"
