"""Senders that are killed at a named step, each in a process of its own; run as a file.

For each line of its input, `STORE<tab>URL<tab>STEP`, it starts a sender, and answers with how that ended (-9: killed).
Steps: `before send`, `sent before answer` (the body is out, nothing is read), `answered before mark`, `marked before
commit`, `after commit`. Nothing of this is in the program: its functions are wrapped here.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from httpcore import HTTP11Connection

from collector.sinks import delivery
from collector.store import engine, outbox
from collector.transports import receiver as transport
from tests.sinks.messages import NOW, receiver

PLACE = "sender@here process "
"""With its number: the holder of a killed sender's lease."""


def die(*_: object) -> None:
    """End as a machine does whose power is cut."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def first(act: Callable[..., object], way: Any) -> Any:
    """Do something before a function."""
    return lambda *given, **named: (act(), way(*given, **named))[1]


def then(way: Any, act: Callable[..., object]) -> Any:
    """Do something after a function."""
    return lambda *given, **named: (way(*given, **named), act())[0]


def main(store: str, url: str, step: str) -> None:
    """Deliver, and die at a step."""
    opened = engine.open_engine(f"sqlite:///{store}")
    match step:
        case "before send":
            transport.Receiver.tell = first(die, transport.Receiver.tell)  # type: ignore[method-assign]
        case "sent before answer":
            connection: Any = HTTP11Connection
            connection._send_request_body = then(connection._send_request_body, die)
        case "answered before mark":
            transport.Receiver.tell = then(transport.Receiver.tell, die)  # type: ignore[method-assign]
        case "marked before commit":
            outbox.note = then(outbox.note, die)
        case "after commit":

            @contextmanager
            def committed(*given: Any, **named: Any) -> Any:
                with engine.writing(*given, **named) as connection:
                    yield connection
                if named.get("durable"):
                    die()

            vars(delivery)["writing"] = committed
        case _:
            raise ValueError(step)
    sender = delivery.Sender(opened, lambda: NOW, f"{PLACE}{os.getpid()}")
    delivery.deliver(sender, receiver(url), wait=False, says=print)


def start_each() -> None:
    """Start a sender for each line of standard input, one after the other."""
    for line in sys.stdin:
        child = os.fork()  # what it needs is loaded already; there is no thread yet
        if not child:
            main(*line.rstrip("\n").split("\t"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    start_each()
