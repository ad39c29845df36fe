"""Two registers that are written to without pause, and the writer's own ledger of what is true of them.

The truth is counted from the ledger by rules written down anew here: nothing of the program's is used.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    create_engine,
    delete,
    func,
    insert,
    update,
)

FIRST, LAST = date(2026, 9, 1), date(2026, 10, 31)
AGENCIES = tuple(f"H44.{n:02}" for n in range(1, 9))
INSIDE, OUTSIDE, NOBODY = ("H44.77", "000.00.09.H44"), ("H37.05", "000.00.00.G22"), "Ông A"

Cells = dict[tuple[str, str, int], tuple[int, int, int]]
"""(scope, agency, day) -> hits, judged, unknown."""


@dataclass(frozen=True)
class Sent:
    """One recipient: its code, and whether it got the document electronically."""

    code: str | None
    electronic: int | None


@dataclass(frozen=True)
class Doc:
    """A document as it is at this moment. `electronic` is only told by registers without deliveries."""

    agency: str
    day: date | None
    paper: int | None
    recalled: int | None
    electronic: int | None
    sent: Mapping[int, Sent]


Ledger = dict[int, Doc]


def truth(ledger: Ledger, *, in_rows: bool) -> Cells:
    """Count what is true. `in_rows`: recipients are rows of their own, which tell who got it electronically."""
    cells: dict[tuple[str, str, int], list[int]] = {}
    for doc in ledger.values():
        if doc.day is None or doc.day < FIRST or doc.recalled == 1:
            continue
        places = {_place(one.code) for one in doc.sent.values()}
        scope = "external" if "out" in places else None if "?" in places or not places else "internal"
        electronic = doc.electronic
        if in_rows:
            ways = {one.electronic for one in doc.sent.values()}
            electronic = None if not ways else 0 if 0 in ways else None if None in ways else 1
        if electronic == 0 or doc.paper == 1:
            verdict: int | None = 0
        elif electronic is None or doc.paper is None:
            verdict = None
        else:
            verdict = 1
        if scope is None or doc.recalled is None:
            verdict = None
        day = doc.day.year * 10_000 + doc.day.month * 100 + doc.day.day
        for one in ("internal", "external") if scope is None else (scope,):
            cell = cells.setdefault((one, doc.agency, day), [0, 0, 0])
            cell[0] += verdict == 1
            cell[1] += verdict is not None
            cell[2] += verdict is None
    return {key: (cell[0], cell[1], cell[2]) for key, cell in cells.items()}


def _place(code: str | None) -> str:
    return "in" if code in INSIDE else "out" if code in OUTSIDE else "?"


# --- the registers ------------------------------------------------------------------------------------------------


@dataclass
class Site:
    """The tables of one register, and how a document is written into them."""

    engine: Engine
    documents: Table
    deliveries: Table | None
    id: str
    changed: str
    now: Any  # what the database's own clock says, as the register writes it
    row: Callable[[Doc], dict[str, Any]]
    of_delivery: Callable[[int, Sent], dict[str, Any]]
    config: str

    def load(self, docs: Ledger, changed: Callable[[int], datetime | None]) -> None:
        """Fill the tables."""
        rows = [{self.id: n, self.changed: changed(n), **self.row(doc)} for n, doc in docs.items()]
        sent = [
            {"ma": d, "changed": changed(n), **self.of_delivery(n, one)}
            for n, doc in docs.items()
            for d, one in doc.sent.items()
        ]
        with self.engine.begin() as connection:
            for first in range(0, len(rows), 5_000):
                connection.execute(insert(self.documents), rows[first : first + 5_000])
            if self.deliveries is not None:
                for first in range(0, len(sent), 5_000):
                    connection.execute(insert(self.deliveries), sent[first : first + 5_000])

    def write(self, connection: Connection, number: int, old: Doc | None, new: Doc | None, how: str) -> None:
        """Bring one document from `old` to `new`; `how`: moved, silent (the changed column stays) or null."""
        own = self.documents.c[self.id] == number
        changed = {} if how == "silent" else {self.changed: None if how == "null" else self.now}
        if new is None:
            connection.execute(delete(self.documents).where(own))
        elif old is None:
            values = {self.id: number, **self.row(new), self.changed: None, **changed}
            connection.execute(insert(self.documents).values(values))
        else:
            connection.execute(update(self.documents).where(own).values({**self.row(new), **changed}))
        if self.deliveries is None:
            return
        key, stamp = self.deliveries.c.ma, {} if how == "silent" else {"changed": changed[self.changed]}
        before, after = old.sent if old else {}, new.sent if new else {}
        for d in before.keys() - after.keys():
            connection.execute(delete(self.deliveries).where(key == d))
        for d, one in after.items():
            values = {**self.of_delivery(number, one), **stamp}
            if d not in before:
                connection.execute(insert(self.deliveries).values({"ma": d, **values}))
            elif before[d] != one:
                connection.execute(update(self.deliveries).where(key == d).values(values))


def vietnamese(url: str) -> Site:
    """PostgreSQL, names in Vietnamese, deliveries in rows, microseconds on the local clock."""
    engine, metadata = create_engine(url), MetaData()
    documents = Table(
        "Văn bản đi",
        metadata,
        Column("Mã văn bản", Integer, primary_key=True, autoincrement=False),
        Column("Mã cơ quan", String(40)),
        Column("Ngày ban hành", Date),
        Column("Bản giấy", String(20)),
        Column("Thu hồi", SmallInteger),
        Column("Trích yếu", Text),
        Column("Cập nhật lúc", DateTime, index=True),
    )
    deliveries = Table(
        "Nơi nhận",
        metadata,
        Column("Mã", Integer, primary_key=True, autoincrement=False, key="ma"),
        Column("Mã văn bản", Integer, index=True, key="of"),
        Column("Mã định danh", String(40), key="code"),
        Column("Gửi điện tử", String(20), key="electronic"),
        Column("Cập nhật lúc", DateTime, index=True, key="changed"),
    )
    metadata.create_all(engine)
    return Site(
        engine,
        documents,
        deliveries,
        "Mã văn bản",
        "Cập nhật lúc",
        func.timezone("Asia/Ho_Chi_Minh", func.clock_timestamp()),
        lambda doc: {
            "Mã cơ quan": doc.agency,
            "Ngày ban hành": doc.day,
            "Bản giấy": {1: "Có", 0: "Không", None: "chưa rõ"}[doc.paper],
            "Thu hồi": doc.recalled,
            "Trích yếu": "V/v " + "không ai được đọc " * 3,
        },
        lambda number, one: {
            "of": number,
            "code": one.code,
            "electronic": {1: "xong", 0: "lỗi", None: None}[one.electronic],
        },
        """
        overlap: 5
        documents:
          table: Văn bản đi
          id: Mã văn bản
          agency: Mã cơ quan
          changed: Cập nhật lúc
          direction: {constant: out}
          issued: Ngày ban hành
          paper: Bản giấy
          recalled: Thu hồi
          values: {paper: {Có: 1, Không: 0}}
        deliveries:
          table: Nơi nhận
          id: Mã
          document: Mã văn bản
          counterpart: Mã định danh
          inside: [H44., .H44]
          electronic: Gửi điện tử
          changed: Cập nhật lúc
          values: {electronic: {xong: 1, lỗi: 0}}
""",
    )


NO_DAY = datetime(1900, 1, 1)  # noqa: DTZ001 - as the register writes it


def legacy(url: str) -> Site:
    """MariaDB, the older shape, recipients in a list, whole seconds in UTC, no index on the changed column."""
    engine, metadata = create_engine(url), MetaData()
    documents = Table(
        "VanBanBanHanh",
        metadata,
        Column("ID", Integer, primary_key=True, autoincrement=False),
        Column("CoQuan", String(40)),
        Column("NgayBanHanh", DateTime),
        Column("NoiNhan", Text),
        Column("GuiDienTu", SmallInteger),
        Column("GuiGiay", SmallInteger),
        Column("ThuHoi", SmallInteger),
        Column("KySoFiles", Text),
        Column("TrangThai", Integer),
        Column("Modified", DateTime),
    )
    metadata.create_all(engine)
    return Site(
        engine,
        documents,
        None,
        "ID",
        "Modified",
        func.utc_timestamp(),
        lambda doc: {
            "CoQuan": doc.agency,
            "NgayBanHanh": NO_DAY if doc.day is None else datetime(doc.day.year, doc.day.month, doc.day.day),  # noqa: DTZ001
            "NoiNhan": "; ".join([one.code or "?" for one in doc.sent.values()] + ["Lưu: VT"]),
            "GuiDienTu": doc.electronic,
            "GuiGiay": doc.paper,
            "ThuHoi": doc.recalled,
            "KySoFiles": "qd.pdf",
            "TrangThai": 3,
        },
        lambda _number, _one: {},
        """
        preset: legacy_outgoing
        time_zone: UTC
        overlap: 5
        documents:
          agency: CoQuan
          electronic: GuiDienTu
          paper: GuiGiay
          recalled: ThuHoi
          recipients: {column: NoiNhan, separator: ";", inside: [H44., .H44], ignore: ["Lưu: VT"]}
""",
    )


# --- the writer ---------------------------------------------------------------------------------------------------


@dataclass
class Writer:
    """Writes until it is told to stop, and knows what is true once its transaction is committed."""

    site: Site
    ledger: Ledger
    chance: random.Random
    most_deeds: int
    next_document: int = 0
    next_delivery: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    failed: list[BaseException] = field(default_factory=list)
    _pending: dict[int, Doc | None] = field(default_factory=dict)  # of a transaction that is not committed yet
    _numbers: list[int] = field(default_factory=list)

    def a_document(self) -> Doc:
        """Make up a document."""
        chance = self.chance
        day = None if chance.random() < 0.02 else FIRST + timedelta(days=chance.randrange((LAST - FIRST).days + 1))
        if chance.random() < 0.02:
            day = FIRST - timedelta(days=chance.randrange(1, 30))
        sent = {}
        for _ in range(chance.choices((0, 1, 2, 3), (1, 60, 30, 9))[0]):
            self.next_delivery += 1
            sent[self.next_delivery] = self.a_recipient()
        return Doc(
            chance.choice(AGENCIES),
            day,
            chance.choices((0, 1, None), (80, 18, 2))[0],
            chance.choices((0, 1, None), (96, 3, 1))[0],
            chance.choices((1, 0, None), (85, 13, 2))[0],
            sent,
        )

    def a_recipient(self) -> Sent:
        """Make up a recipient."""
        code = self.chance.choices((*INSIDE, *OUTSIDE, NOBODY, None), (50, 15, 15, 10, 1, 1))[0]
        return Sent(code, self.chance.choices((1, 0, None), (88, 10, 2))[0])

    def load(self, count: int, until: datetime) -> None:
        """Fill the register with documents that were changed in the two months before `until`; 1 % has no such time."""
        for number in range(1, count + 1):
            self.ledger[number] = self.a_document()
        self.next_document = count + 1
        spread = random.Random(5)
        self.site.load(
            self.ledger,
            lambda _: (
                None
                if spread.random() < 0.01
                else (until - timedelta(seconds=spread.randrange(60, 60 * 86_400))).replace(microsecond=0)
            ),
        )
        self._numbers = list(self.ledger)

    def write(self, stop: threading.Event) -> None:
        """Write until told to stop; a transaction that is held open meanwhile commits late what was stamped early."""
        try:
            with self.site.engine.connect() as quick, self.site.engine.connect() as slow:
                held: list[tuple[int, Doc | None, str]] = []
                while not stop.is_set():
                    if self.deeds.total() >= self.most_deeds and not held:
                        stop.wait(0.01)
                    elif self.chance.random() < 0.01 and not held:
                        held = [self._do(slow) for _ in range(self.chance.randrange(1, 6))]
                        self._pending = {number: doc for number, doc, _ in held}
                    elif held and self.chance.random() < 0.02:
                        self._end(slow, held, keep=self.chance.random() < 0.9)
                        held = []
                    else:
                        self._end(quick, [self._do(quick)], keep=self.chance.random() < 0.97)
                    time.sleep(0.001)
                self._end(slow, held, keep=True)
        except BaseException as error:
            self.failed.append(error)
            raise

    def go_on(self, deeds: int) -> None:
        """Let it do some more, and wait until it has."""
        self.most_deeds = self.deeds.total() + deeds
        deadline = time.monotonic() + 1_800
        while self.deeds.total() < self.most_deeds:
            assert time.monotonic() < deadline
            assert not self.failed
            time.sleep(0.05)

    def _end(self, connection: Connection, done: Sequence[tuple[int, Doc | None, str]], *, keep: bool) -> None:
        if not keep:
            connection.rollback()
        else:
            connection.commit()
            for number, doc, what in done:
                self.deeds[what] += 1
                if doc is None:
                    del self.ledger[number]
                else:
                    self.ledger[number] = doc
        for number, _, _ in done:
            self._pending.pop(number, None)

    def _do(self, connection: Connection) -> tuple[int, Doc | None, str]:
        """Do one thing in a transaction that stays open."""
        chance = self.chance
        what = chance.choices(
            ("insert", "insert null", "update", "silent", "delete", "delete delivery"), (30, 2, 45, 8, 10, 5)
        )[0]
        how = {"insert null": "null", "silent": "silent"}.get(what, "moved")
        old: Doc | None = None
        if what.startswith("insert"):
            number, self.next_document = self.next_document, self.next_document + 1
            self._numbers.append(number)
            new: Doc | None = self.a_document()
        else:
            number = self._existing()
            old = self.ledger[number]
            new = None if what == "delete" else self._changed(old, what)
        self.site.write(connection, number, old, new, how)
        self._pending[number] = new
        return number, new, what

    def _existing(self) -> int:
        while True:
            number = self.chance.choice(self._numbers)
            if number in self.ledger and number not in self._pending:
                return number

    def _changed(self, old: Doc, what: str) -> Doc:
        fresh = self.a_document()
        sent = dict(old.sent)
        if what == "delete delivery":
            if sent:
                del sent[self.chance.choice(list(sent))]
            return replace(old, sent=sent)
        for name in self.chance.sample(("day", "paper", "recalled", "electronic", "agency", "sent"), 2):
            if name != "sent":
                old = replace(old, **{name: getattr(fresh, name)})
            elif sent:
                sent[self.chance.choice(list(sent))] = self.a_recipient()
        return replace(old, sent=sent)


@contextmanager
def writing(writer: Writer) -> Iterator[threading.Event]:
    """Let the writer write until the block ends (or it is told to stop), then wait for its last transaction."""
    stop = threading.Event()
    thread = threading.Thread(target=writer.write, args=(stop,), name="writer")
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    assert not writer.failed
