"""Nobody is visible (INV-12): persons and secrets are put wherever a source, a setting or an error can hold one.

Every command is run with all that its libraries log; what it keeps, prints, serves and lays down for a moment is
searched byte by byte.
"""

import gzip
import http.server
import json
import os
import quopri
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from collector import editions, gaps
from collector.assembly import assemble
from collector.contract.period import parse_period
from collector.editions import keys
from collector.store import outbox
from collector.store.engine import reading, writing
from tests.proof import canaries
from tests.proof.canaries import LOCAL_PART, NUMBER, PERSON, SECRET, WORD

WRAPPER = f"""
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.getLogger().handlers[0].setFormatter(__import__("collector.traces").traces.Formatter("%(name)s %(message)s"))
from connectors.docmgmt import sql_register
real = sql_register.fetch
def fetch(config, door, want):
    if door.source == "slip":
        try:
            int({PERSON!r})
        except ValueError as error:
            raise KeyError({LOCAL_PART!r}) from error
    yield from real(config, door, want)
sql_register.fetch = fetch
from collector.cli import main
main()
"""
"""The command line, with every library's log on standard error, and a bug in one source that quotes a person."""


# -- the search finds what is there --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [WORD, WORD.upper(), WORD.title(), NUMBER])
def test_a_canary_is_found_however_it_is_written(word: str) -> None:
    everything = {
        "plain": word.encode(),
        "backwards": word[::-1].encode(),
        "utf-16": word.encode("utf-16"),
        "utf-16 big": word.encode("utf-16-be"),
        "hexadecimal": word.encode().hex().encode(),
        "percent": "".join(f"%{byte:02X}" for byte in word.encode()).encode(),
        "percent in part": (quote(word[:4]) + f"%{ord(word[4]):02x}" + word[5:]).encode(),
        "quoted-printable": "".join(f"={byte:02X}" for byte in word.encode()).encode(),
        "soft line break": f"{word[:4]}=\r\n{word[4:]}".encode(),
        "quopri": quopri.encodestring((PERSON + "=" * 70 + word).encode()),
        "escaped": "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
    }
    for before in range(4):
        everything[f"base64 {before}"] = b64encode(b"x" * before + word.encode() + b"@y")
        everything[f"base64 for URLs {before}"] = urlsafe_b64encode(b"\xff" * before + word.encode())
    missed = [how for how, text in everything.items() if not canaries.found_in(b"\0some \xffbytes " + text + b" more")]
    assert missed == []


def test_nothing_is_found_where_there_is_no_canary() -> None:
    assert (
        canaries.found_in(b"3f2a9c0d4e5b6a7788 H44.02 = 2026-01-05 %41 canary qzx \\u0041" + bytes(range(256))) == set()
    )


# -- a province full of canaries -----------------------------------------------------------------------------------


class Odd(http.server.BaseHTTPRequestHandler):
    """A service whose every answer names a person, whatever is asked."""

    answers: ClassVar[Mapping[str, tuple[int, str, str]]] = {
        "broken": (500, "text/plain", f"stack trace of {PERSON} <{LOCAL_PART}@example> {NUMBER} token={SECRET}"),
        "refused": (401, "application/json", json.dumps({"error": f"{PERSON} may not", "token": SECRET})),
        "login": (200, "text/html", f"<html><title>{PERSON}</title><input value='{SECRET}'></html>"),
        "shape": (200, "application/json", json.dumps({PERSON: [{LOCAL_PART: NUMBER}]})),
        "told": (200, "application/json", json.dumps({"error_code": 7, "error_desc": PERSON, "data": [], "total": 0})),
        "rows": (200, "application/json", json.dumps({"error_code": 0, "total": 1, "data": [{"MaHoSo": [PERSON]}]})),
        "garbled": (200, "application/json", f'{{"data": [{{"{PERSON}'),
    }

    as_receiver = (422, "application/problem+json", json.dumps({"title": f"no {SECRET}", "person": PERSON}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        code, kind, text = self.answers.get(self.path.split("/")[1], self.as_receiver)
        self.send_response(code, PERSON.encode().decode("latin-1"))
        self.send_header("Content-Type", kind)
        self.send_header("WWW-Authenticate", f'Basic realm="{WORD}"')
        self.send_header("Set-Cookie", f"session={WORD}")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def odd() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


PAGES = "{path: /dossiers, page: trang, size: soDong, changed_from: a, received_from: b, received_to: c}"

FURTHER = """
  {name}:
    connector: onestop.dvcqg
    door: {{kind: http, base_url: 'http://127.0.0.1:{port}/{name}', token: !env CANARY_SECRET, tries: 1}}
    from: 2026-02-21
    serves: [H44.31]
    config: {{pages: {pages}}}
"""

UNREACHABLE = """
  no-database:
    connector: docmgmt.sql_register
    door: {kind: sql, url: 'postgresql://collector@127.0.0.1:9/register', password: !env CANARY_SECRET}
    from: 2026-02-21
    serves: [H44.31]
    config: {documents: {table: t, id: i, agency: a, changed: c, direction: d, issued: e}}
  no-host:
    connector: email.mail_log
    door: {kind: ssh, host: 127.0.0.1, port: 9, user: collector, password: !file secret, known_hosts: hosts, path: /}
    from: 2026-02-21
    serves: [H44.31]
    config: {logs: [mail.log], lists: ''}
"""


RECEIVER = """
receivers:
  told: {{url: 'http://127.0.0.1:{port}/receiver', token: !env CANARY_SECRET, open_readings: true}}
"""


def plant(folder: Path, port: int) -> None:
    """Put canaries into lists, logs, registers, dossiers, secrets and answers of a sample province."""
    for path in (folder / "mail").iterdir():
        packed = path.suffix == ".gz"
        content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
        changed = content.replace(b"chi.pm@", f"{LOCAL_PART}@".encode()).replace(
            b"@thumienphi", f"{WORD}@thumienphi".encode()
        )
        if path.suffix == ".csv":
            # One bad line in a list is quarantined; more of them would stop the source.
            odd = (
                f"{LOCAL_PART}.two@@vpubnd,ca_nhan,hoat_dong"
                if "23" in path.name
                else f"{LOCAL_PART}@x.vn,ca_nhan,{WORD}"
            )
            changed += f"{odd},2023-05-13,5 GB,1\n".encode()
        elif path.name == "mail.log.1":
            assert changed != content
            lines = changed.splitlines(keepends=True)
            broken = [
                f"Feb 31 25:61:00 mx1 dovecot: imap-login: Login: user=<{LOCAL_PART}@vpubnd.phutho.example>\n".encode(),
                f"mx1 dovecot: imap-login: Login: user=<{PERSON}\0>, session=<{WORD}\n".encode("utf-16"),
                f"{PERSON} <{LOCAL_PART}@vpubnd.phutho.example> {NUMBER}\xff\n".encode("latin-1", "replace"),
                b"Feb 24 13:12:07 mx1 postfix/smtp[1]: A1: to=<" + WORD.encode() * 20_000 + b"\n",
            ]
            changed = b"".join([*lines[: len(lines) // 2], *broken, *lines[len(lines) // 2 :]])
        path.write_bytes(gzip.compress(changed) if packed else changed)
    with sqlite3.connect(folder / "documents.sqlite") as register:
        register.execute('UPDATE "Văn bản" SET "Trích yếu" = ?, "Người ký" = ?', (f"Về ông {PERSON}", PERSON))
        register.execute('UPDATE "Nơi nhận" SET "Tên nơi nhận" = ?', (PERSON,))
        register.execute('UPDATE "Văn bản" SET "Ngày ban hành" = ? WHERE rowid = 1', (PERSON,))
        register.execute('UPDATE "Văn bản" SET "Bản giấy" = ? WHERE rowid = 2', (PERSON,))
        register.execute('UPDATE "Văn bản" SET "Cập nhật lúc" = ? WHERE rowid = 3', (PERSON,))
    register.close()
    dossiers = folder / "onestop" / "dossiers.jsonl"
    told = [json.loads(line) for line in dossiers.read_text(encoding="utf-8").splitlines()]
    for one in told:
        one |= {
            "ChuHoSo": PERSON,
            "SoGiayToChuHoSo": NUMBER,
            "SoDienThoai": NUMBER,
            "TrichYeuHoSo": PERSON,
            WORD: PERSON,
        }
        one["Email"] = f"{LOCAL_PART}@thu.example"
        for step in one["DanhSachTienDo"]:
            step["NguoiXuLy"] = PERSON
    told[0]["NgayTiepNhan"] = PERSON
    told[1]["KenhThucHien"] = PERSON
    dossiers.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), encoding="utf-8")
    (folder / "onestop-token").write_text(f"{WORD}-token-Ab9", encoding="utf-8")
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    (folder / "secret").chmod(0o600)
    (folder / "hosts").write_text(
        "127.0.0.1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n"
    )
    file = folder / "collector.yaml"
    text = file.read_text(encoding="utf-8")
    slip = re.search(r"^  documents:\n(?:    .*\n)+", text, re.MULTILINE)
    assert slip is not None
    text += slip[0].replace("  documents:", "  slip:", 1)
    text += "".join(FURTHER.format(name=name, port=port, pages=PAGES) for name in Odd.answers) + UNREACHABLE
    text += RECEIVER.format(port=port)
    file.write_text(text, encoding="utf-8")


@dataclass(slots=True)
class Searched:
    """What was searched: places, and in which of them canaries were found in which way."""

    places: set[str] = field(default_factory=set)
    found: dict[str, set[str]] = field(default_factory=dict)

    def search(self, place: str, content: bytes) -> None:
        """Search some bytes."""
        self.places.add(place)
        if ways := canaries.found_in(content):
            self.found.setdefault(place, set()).update(ways)


class Watch(threading.Thread):
    """Searches what a process lays down for a moment: files in its temporary folder, and open files without a name."""

    def __init__(self, searched: Searched, process: int, temporary: Path) -> None:
        super().__init__(daemon=True)
        self.searched, self.process, self.temporary = searched, process, temporary
        self.over = threading.Event()
        self.known: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.look()

    def look(self) -> None:
        descriptors = Path(f"/proc/{self.process}/fd")
        nameless: list[Path] = []
        with suppress(OSError):
            nameless = [one for one in descriptors.iterdir() if str(one.readlink()).endswith("(deleted)")]
        for path in [*self.temporary.rglob("*"), *nameless]:
            with suppress(OSError):
                status = path.stat()
                if path.is_file() and self.known.get(str(path)) != (status.st_size, status.st_mtime_ns):
                    self.known[str(path)] = (status.st_size, status.st_mtime_ns)
                    self.searched.search(f"in passing: {path.name}", path.read_bytes())


@dataclass(frozen=True, slots=True)
class Program:
    """The command line over a province full of canaries."""

    folder: Path
    searched: Searched

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        return {**kept, "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"), "CANARY_SECRET": SECRET}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", WRAPPER, *arguments, "--config", str(self.folder / "collector.yaml")]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdout=pipe, stderr=pipe, env=self.environment(), cwd=Path(__file__).parents[2]
        )

    def run(self, *arguments: str) -> tuple[int, bytes, bytes]:
        """Run a command to its end and search all that it shows and lays down."""
        with self.start(*arguments) as process:
            watch = Watch(self.searched, process.pid, self.folder / "tmp")
            watch.start()
            out, err = process.communicate(timeout=120)
            watch.over.set()
            watch.join()
        name = " ".join(arguments)
        self.searched.search(f"stdout of {name}", out)
        self.searched.search(f"stderr of {name}", err)
        return process.returncode, out, err

    def serve(self) -> bytes:
        """Run the daemon until it has read everything, and search its pages and its log; returns the log."""
        process = self.start("serve", "--port", "0")
        assert process.stderr is not None
        log = b""
        watch = Watch(self.searched, process.pid, self.folder / "tmp")
        watch.start()
        try:
            while not (told := re.search(rb"serving on (http://\S+)", log)):
                line = process.stderr.readline()
                assert line, log.decode(errors="replace")[-2000:]
                log += line
            reader = threading.Thread(target=lambda: rest.append(process.stderr.read()), daemon=True)  # type: ignore[union-attr]
            rest: list[bytes] = []
            reader.start()
            until = time.monotonic() + 60
            while time.monotonic() < until:
                for path in ("/", "/metrics", "/-/healthy", "/nothing"):
                    with (
                        suppress(urllib.error.HTTPError),
                        urllib.request.urlopen(told[1].decode() + path, timeout=10) as page,
                    ):
                        content = page.read()
                        self.searched.search(f"page {path}", content)
                        if path == "/metrics" and content.count(b"ict_collect_runs_total{") >= len(Odd.answers) + 7:
                            until = 0
                time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            reader.join(timeout=30)
        finally:
            process.kill()
            watch.over.set()
            watch.join()
        log += b"".join(rest)
        self.searched.search("log of serve", log)
        return log

    def search_what_is_kept(self) -> None:
        """Search the state folder, all but the keys, and what is left of the temporary folder."""
        for path in [*(self.folder / "state").rglob("*"), *(self.folder / "tmp").rglob("*")]:
            if path.is_file() and path.suffix != ".key":
                self.searched.search(f"kept: {path.name}", path.read_bytes())
        # A long text stands on several pages of the database.
        with sqlite3.connect(self.folder / "state" / "collector.sqlite") as store:
            for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                content = repr(store.execute(f'SELECT * FROM "{table}"').fetchall()).encode("utf-8", "replace")
                self.searched.search(f"kept: table {table}", content)
            for table, column in (("edition_rows", "rows"), ("reading_log", "changed")):
                packed = store.execute(f"SELECT {column} FROM {table}").fetchall()
                self.searched.search(f"unpacked: {table}", b"\n".join(zlib.decompress(one) for (one,) in packed))
        store.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, odd: int) -> Program:
    folder = tmp_path_factory.mktemp("province") / "p"
    made = [sys.executable, "-c", "from collector.cli import main; main()"]
    made += ["demo", "--once", "--agencies", "6", "--days", "8", "--dir", str(folder)]
    subprocess.run(made, check=True, capture_output=True)
    shutil.rmtree(folder / "state")
    plant(folder, odd)
    (folder / "tmp").mkdir()
    return Program(folder, Searched())


def test_nobody_and_no_secret_is_in_what_is_kept_shown_served_or_laid_down(program: Program) -> None:
    code, out, err = program.run("check")
    assert code in (0, 1), err.decode()
    shown = program.run("check", "--show")
    assert b"********" in shown[1]
    assert program.run("check", "--live")[0] == 3
    assert program.run("collect", "--dry-run")[0] == 3
    code, out, err = program.run("collect", "--json")
    results = {one["source"]: one["result"] for one in json.loads(out)}
    assert code == 3
    assert {name: results[name] for name in ("mail", "mail-viettri", "documents", "onestop")} == dict.fromkeys(
        ("mail", "mail-viettri", "documents", "onestop"), "done"
    )
    assert results["slip"] == "bug"
    assert b"KeyError (its words are left out" in err
    assert b"ValueError (its words are left out" in err
    assert "done" not in {results[name] for name in (Odd.answers.keys() - {"rows"} | {"no-database", "no-host"})}
    program.search_what_is_kept()
    program.run("collect", "mail", "documents", "onestop", "--from", "2026-02-22", "--to", "2026-02-27")
    for arguments in (
        ("readings", "--period", "2026-02", "--counts"),
        ("readings", "--period", "2026-02", "--scope", "agency", "--scope", "block", "--scope", "province", "--json"),
        ("explain", "mailboxes.daily_use", "H44.01", "2026-02", "--rows"),
        ("explain", "documents.exchanged_internal", "H44.01", "2026-02", "--rows"),
        ("explain", "dossiers.on_time", "H44.01", "2026-02", "--rows", "--json"),
        ("status",),
        ("status", "--bad"),
        ("rank", "2026-02"),
        ("flags", "2026-02", "--rows"),
        ("compare", "2026-02", "--rows"),
        ("privacy",),
        ("agencies",),
    ):
        code, out, err = program.run(*arguments)
        assert code in (0, 1), (arguments, err.decode()[-2000:])
    bad = json.loads(program.run("status", "--bad", "--json")[1])
    assert {one["source"] for one in bad} >= {"mail", "onestop", "rows"}, "the broken records were met"
    february = parse_period("2026-02")
    with assemble(program.folder / "collector.yaml", program.environment()) as one, writing(one.engine) as connection:
        outbox.enqueue(connection, one.open_message(one.open_readings(february), february, one.clock()), one.clock())
    assert program.run("deliver")[0] == 1
    (dead,) = json.loads(program.run("deliver", "--dead", "--json")[1])
    assert "was answered with 422 (no ********)" in dead["last_error"]
    assert program.run("deliver", "--reconcile", "--replay", dead["key"])[0] == 3
    log = program.serve()
    assert b"a bug in this program" in log
    with assemble(program.folder / "collector.yaml", program.environment()) as one:
        keys.new(one.settings.signing_key)
        with reading(one.engine) as connection:
            lacking = editions.lacking(connection, one.indicators, one.world(february), february)
        for each in lacking:
            assert each.first_day is not None
            assert each.last_day is not None
            days = each.first_day, each.last_day
            gaps.accept(one.engine, each.source, 20260201, each.records, days, "mất", one.clock())
        editions.seal(one.sealer, february, one.settings.signing_key)
    assert program.run("editions", "2026-02", "--export", str(program.folder / "state" / "edition.json"))[0] == 0
    assert program.run("verify")[0] == 0
    kept = program.folder / "state"
    assert program.run("report", "2026-02", "-o", str(kept / "report.html"))[0] == 0
    evidence = ("-o", str(kept / "evidence.json"), "--agency", "H44.01", "--evidence")
    assert program.run("report", "2026-02", *evidence)[0] == 0
    assert program.run("readings", "--as-of", "2026-03-01T09:00:00+07:00", "--period", "2026-02", "--counts")[0] == 0
    program.search_what_is_kept()

    searched = program.searched
    assert searched.found == {}
    assert {
        "kept: collector.sqlite",
        "kept: edition.json",
        "kept: report.html",
        "kept: evidence.json",
        "unpacked: edition_rows",
        "unpacked: reading_log",
        "kept: table cursor",
        "kept: table outbox",
        "kept: table delivery_state",
        "page /",
        "page /metrics",
        "log of serve",
    } <= searched.places
    assert "in passing: store.sqlite" in searched.places, "the copy of a rehearsal was seen while it was there"


@pytest.mark.parametrize(
    "wrong",
    [
        f"door: {{kind: http, base_url: 'http://127.0.0.1/x', token: {WORD}}}",
        f"door: {{kind: http, base_url: 'http://u:{WORD}@127.0.0.1/x'}}",
        f"door: {{kind: http, base_url: 'http://127.0.0.1/x?token={WORD}'}}",
        f"door: {{kind: http, base_url: 'http://127.0.0.1/x', password: [{WORD}]}}",
        f"door: {{kind: sql, url: 'postgresql://u:{WORD}@127.0.0.1/x'}}",
        f"door: {{kind: ssh, host: h, user: u, password: {WORD}, path: /}}",
        f"door: {{kind: http, base_url: 'http://127.0.0.1/x', token: !env CANARY_SECRET, timeout: {{{WORD}: 1}}}}",
    ],
)
def test_wrong_settings_are_told_without_the_secret_in_them(program: Program, tmp_path: Path, wrong: str) -> None:
    for name in ("agencies.yaml", "scoring.yaml"):
        shutil.copyfile(program.folder / name, tmp_path / name)
    head = "province: {name: P, code: H44}\nstate: state\nsources:\n  one:\n    connector: onestop.dvcqg\n    "
    tail = f"\n    from: 2026-01-01\n    serves: all\n    config: {{pages: {PAGES}}}\n"
    (tmp_path / "collector.yaml").write_text(head + wrong + tail, encoding="utf-8")
    (tmp_path / "tmp").mkdir()
    own = Program(tmp_path, Searched())
    for arguments in (("check",), ("check", "--show"), ("collect",)):
        code, _, err = own.run(*arguments)
        assert code == 2, err.decode()
    assert own.searched.found == {}
