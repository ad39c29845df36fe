"""Tracebacks of bugs without what the program was working on: an exception's own words may name a person or a secret.

`int("Nguyễn Thị Hòa")` fails with that name in its message, a failed statement with its parameters.
"""

import logging
import sys
import threading
import traceback
from types import TracebackType

TALKATIVE = ("httpcore", "httpx", "paramiko", "sqlalchemy")
"""Libraries that log what they are given when they are asked for details: answers' headers, addresses, rows."""

Info = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def told(error: BaseException | None) -> str:
    """The lines of code that led to an exception and to those before it, each with its type but without its words."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
        stack = "".join(traceback.format_tb(error.__traceback__))
        parts.append(
            f"Traceback (most recent call last):\n{stack}{name} (its words are left out: they may name somebody)"
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nafter which there was\n\n".join(reversed(parts))


class Formatter(logging.Formatter):
    """Formats log lines of this program and of its libraries."""

    def formatException(self, ei: Info) -> str:  # noqa: N802 - logging's own name
        """Return what is told of an exception."""
        return told(ei[1])


def install(form: str) -> None:
    """Have every way out of the program tell tracebacks like this: the root's log, exceptions that nobody caught.

    Whatever details are asked of the log, libraries that would tell what they were given are silent about it.
    """
    if not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(Formatter(form))
        logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)

    sys.excepthook = uncaught
    threading.excepthook = lambda one: uncaught(one.exc_type, one.exc_value, one.exc_traceback)


def uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Tell of an exception that nobody caught."""
    if error is None or not issubclass(kind, Exception):
        sys.__excepthook__(kind, error or kind(), trace)
    else:
        sys.stderr.write(told(error) + "\n")
