"""A server as a foreground child of the test run: started, waited for, stopped with all its own children.

The kernel sends the stop signal to the server when the test run dies, however it dies (`setpriv --pdeathsig`), so that
nothing is left running even after a SIGKILL.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

LOOPBACK = "127.0.0.1"
T = TypeVar("T")


class ServerFailed(RuntimeError):
    """A server did not start, died or did not answer; the text ends with its last log lines."""


class PortTaken(ServerFailed):
    """Somebody else took the port between our choosing it and the server's binding it: try again."""


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on just now; `with_other_ports` mends the race that is left."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def program(*names: str) -> Path | None:
    """Return the first of these programs that is installed, also where an ordinary user's PATH does not look."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return Path(found)
    return None


def needed(found: Path | None, package: str) -> Path:
    """Return the program that was found, or raise ServerFailed naming the Debian package."""
    if found is None:
        raise ServerFailed(f"the Debian package {package} is not installed: make servers")
    return found


def is_root() -> bool:
    """Tell whether the test run is root's."""
    return os.geteuid() == 0


def give(folder: Path, account: str) -> None:
    """Make a folder the property of an account (only root can; as an ordinary user the account is oneself)."""
    entry = pwd.getpwnam(account)
    os.chown(folder, entry.pw_uid, entry.pw_gid)


def as_account(account: str | None) -> list[str]:
    """Return the words before a command that make it run as this account, if we are root."""
    if account is None or not is_root():
        return []
    return ["setpriv", f"--reuid={account}", f"--regid={pwd.getpwnam(account).pw_gid}", "--init-groups"]


def run(command: Sequence[str | Path], account: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Run a short command of a server's set-up to its end and return what it printed; ServerFailed if it fails."""
    words = [*as_account(account), *map(str, command)]
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise ServerFailed(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def tail(log: Path, lines: int = 30) -> str:
    """Return the last lines of a log, for an error's text."""
    if not log.exists():
        return f"({log.name} was never written)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def answers(port: int) -> bool:
    """Tell whether something accepts connections on this loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def greets(port: int, greeting: bytes) -> bool:
    """Tell whether what listens on this loopback port begins with a greeting."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
            return connection.recv(len(greeting), socket.MSG_WAITALL) == greeting
    except OSError:
        return False


@contextmanager
def child(
    command: Sequence[str | Path],
    log: Path,
    ready: Callable[[], bool],
    *,
    account: str | None = None,
    environment: Mapping[str, str] | None = None,
    stop: signal.Signals = signal.SIGTERM,
    patience: float = 30,
    grace: float = 5,
    also_tell: Sequence[Path] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the foreground until the block ends.

    What it prints goes to `log`. It must be `ready` within `patience` seconds. It is stopped by `stop`, given `grace`
    seconds, and then killed with every process that it started. `also_tell`: further logs whose end belongs into an
    error.

    Raises PortTaken and ServerFailed.
    """
    privileges = as_account(account) or ["setpriv"]
    words = [*privileges, f"--pdeathsig={stop.name.removeprefix('SIG')}", "--", *map(str, command)]
    with log.open("ab") as out:
        server = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
    try:
        _wait_until(server, ready, patience, [log, *also_tell])
        yield server
    finally:
        _stop(server, stop, grace)


def _wait_until(
    server: subprocess.Popen[bytes], ready: Callable[[], bool], patience: float, logs: Sequence[Path]
) -> None:
    deadline = time.monotonic() + patience
    while True:
        # Asked first: a stranger that listens on the port of our dead server must not pass for it.
        ended = server.poll()
        if ended is None and ready():
            return
        if ended is None and time.monotonic() < deadline:
            time.sleep(0.02)
            continue
        told = "\n".join(tail(log) for log in logs)
        what = f"did not answer within {patience:.0f} s" if ended is None else f"ended with {ended} while starting"
        error = PortTaken if ended is not None and "in use" in told else ServerFailed
        raise error(f"{server.args!r} {what}:\n{told}")


def _stop(server: subprocess.Popen[bytes], stop: signal.Signals, grace: float) -> None:
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(server.pid).children(recursive=True)
    server.send_signal(stop)
    try:
        server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    # Its children are asked for before, since some have left its session, and after, since some were born meanwhile.
    # Those of a healthy server follow it by themselves, but an sshd's sessions go on without it.
    family += [process for process in psutil.process_iter() if _session(process.pid) == server.pid]
    for ask_for_end in (psutil.Process.terminate, psutil.Process.kill):
        for process in family:
            with suppress(psutil.NoSuchProcess):
                ask_for_end(process)
        deadline = time.monotonic() + grace
        while (family := [process for process in family if lives(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)


def _session(number: int) -> int | None:
    try:
        return os.getsid(number)
    except ProcessLookupError:
        return None


def lives(process: psutil.Process) -> bool:
    """Tell whether a process has not ended yet."""
    # A container's first process may never bury the orphans that it inherits: a zombie has ended.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def with_other_ports(begin: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """Enter what `begin` makes; where a port was taken meanwhile, begin again with other ports, thrice in all."""
    for attempts_left in (2, 1, 0):
        stack = ExitStack()
        try:
            server = stack.enter_context(begin())
        except PortTaken:
            if attempts_left:
                continue
            raise
        with stack:
            yield server
        return
