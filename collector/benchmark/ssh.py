"""Reading a file over SSH, beside paramiko's own SFTP with the whole file asked for at once.

A real OpenSSH server on loopback, for the account that runs this, with keys of its own.
"""

import base64
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from collector.benchmark.measure import Figure, Size, Spent, absent, at_least, at_most, spent, times

_NAME = "mail.log"
_PIECE = 1 << 15
_READ = "import sys; from collector.benchmark import ssh; ssh.read(*sys.argv[1:])"


def measure(place: Path, size: Size) -> list[Figure]:
    """Measure; the promise is for a file of 100 MB and more."""
    place.mkdir()
    if (why := _missing()) is not None:
        return [absent("ssh.speed", "x", "paramiko's SFTP", f"{why} is not installed")]
    chunk = base64.b64encode(os.urandom(768 << 10))
    for name, count in ((_NAME, size.megabytes), ("fifth.log", max(1, size.megabytes // 5))):
        with (place / name).open("wb") as file:
            file.writelines(chunk for _ in range(count))
    with _server(place) as told:

        def run(who: str, name: str = _NAME) -> Spent:
            return spent([sys.executable, "-c", _READ, who, name, json.dumps(told)])

        ours, theirs = [], []
        for _ in range(size.rounds):
            theirs.append(run("paramiko"))
            ours.append(run("collector"))
        small = run("collector", "fifth.log")
    peak = median(one.peak for one in ours)
    seconds = median(one.seconds for one in ours)
    return [
        Figure("ssh.megabytes_per_second", round(size.megabytes / seconds, 1), "MiB/s"),
        at_least(
            "ssh.speed",
            times([one.seconds for one in theirs], [one.seconds for one in ours]),
            "x",
            0.7,
            "paramiko's SFTP, all asked for at once",
        ),
        Figure("ssh.peak_memory", round(peak, 1), "MiB"),
        # A slice of what is asked for at once is held: a file of a fifth may be smaller than that.
        at_most("ssh.memory_beyond_that_of_a_fifth", peak - small.peak, "MiB", 64),
    ]


def _missing() -> str | None:
    return next((one for one in ("sshd", "ssh-keygen") if _program(one) is None), None)


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def _key(path: Path) -> str:
    command = [_program("ssh-keygen") or "", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True)  # noqa: S603 - OpenSSH's own
    return " ".join(Path(f"{path}.pub").read_text(encoding="ascii").split()[:2])


@contextmanager
def _server(served: Path) -> Iterator[dict[str, Any]]:
    """Serve a folder, read-only; yield the options of the door to it."""
    keys = served.parent / "ssh-keys"
    keys.mkdir()
    host_key = _key(keys / "host")
    (keys / "authorized").write_text(_key(keys / "own") + "\n", encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    settings = keys / "sshd_config"
    settings.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {keys / 'host'}\nAuthorizedKeysFile {keys / 'authorized'}\n"
        f"AllowUsers {user}\nPermitRootLogin prohibit-password\nAuthenticationMethods publickey\nPidFile none\n"
        f"StrictModes no\nUsePAM no\nUseDNS no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp -R\n",
        encoding="utf-8",
    )
    command = [_program("sshd") or "", "-D", "-e", "-f", str(settings)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # noqa: S603 - OpenSSH's own
    try:
        _wait_for(port)
        yield {
            "host": "127.0.0.1",
            "port": port,
            "user": user,
            "key_file": str(keys / "own"),
            "host_key": host_key,
            "path": str(served),
        }
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    ends = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)


def read(who: str, name: str, told_: str) -> None:
    """Read a file to its end, as this program's door or as paramiko alone does, and print its length."""
    sys.stdout.write(str(_length(who, name, json.loads(told_))))


def _length(who: str, name: str, told: dict[str, Any]) -> int:
    from collector.transports import ssh  # here: only the process that reads needs it
    from collector.transports.run import Run

    options = ssh.Options.model_validate(told)
    if who == "collector":
        run = Run("benchmark", 0, 3600, 100_000, lambda address, _day: address)
        with ssh.open_door(options, run) as door:
            (listed,) = door.list(name)
            return sum(map(len, door.read(name, 0, listed.size)))
    import paramiko

    kind, key = told["host_key"].split()
    with paramiko.SSHClient() as client:
        known = paramiko.PKey.from_type_string(kind, base64.b64decode(key))
        client.get_host_keys().add(f"[{options.host}]:{options.port}", kind, known)
        client.connect(options.host, options.port, options.user, key_filename=told["key_file"], look_for_keys=False)
        with client.open_sftp() as sftp, sftp.open(f"{options.path}/{name}") as file:
            file.prefetch(file.stat().st_size)
            return sum(map(len, iter(lambda: file.read(_PIECE), b"")))
