"""What the indicators of dossiers say of one dossier each, and on which day: golden rows, worked out by hand.

Promised is Friday 16 January 2026 unless said otherwise; Saturday 17 and Sunday 18 January are days off.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine

from collector.agencies import Register
from collector.contract.connector import Batch
from collector.contract.indicator import Counted
from collector.contract.records import Dossier, DossierEvent, Procedure
from collector.readings import items
from collector.store.save import save
from indicators import dossiers
from tests.store.small import PLAN, row, store

FRIDAY = 20260116
HIT, MISS, UNKNOWN = "hit", "miss", "unknown"
Pauses = Sequence[tuple[int, int | None]]
Stored = tuple[Engine, Register]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """An empty store; what a test puts there is gone after it."""
    engine, known = store(tmp_path_factory.mktemp("dossiers"))
    yield engine, known
    engine.dispose()


def said(
    stored: Stored,
    indicator: str,
    promised: Sequence[int],
    pauses: Pauses,
    catalogue: Sequence[Any],
    basis: str = "first",
    **dossier: Any,
) -> tuple[str, int] | None:
    """Verdict and day of one dossier of the agency H44.01; None if it is not counted."""
    engine, known = stored
    events = [
        row(DossierEvent, key=f"d|due|{day}", dossier="d", kind="due_promised", ref="", at=at, day=day, basis=basis)
        for at, day in enumerate(promised)
    ]
    for ref, (begun, ended) in enumerate(pauses):
        common = {"dossier": "d", "ref": str(ref), "at": ref, "basis": "history"}
        events.append(row(DossierEvent, key=f"d|begun|{ref}", kind="pause_begun", day=begun, **common))
        if ended is not None:
            events.append(row(DossierEvent, key=f"d|ended|{ref}", kind="pause_ended", day=ended, **common))
    known_as = {"key": "d", "agency_code": "H44.01", "procedure": "1.000001", "received_day": 20260105}
    told = {Dossier: [row(Dossier, **known_as | dossier)], DossierEvent: events, Procedure: list(catalogue)}
    declared = next(one for one in dossiers.INDICATORS if one.id == indicator)
    assert isinstance(declared.formula, Counted)
    with engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
        save(connection, "s", [Batch(told, None)], known, PLAN)
        found = connection.execute(items(declared.formula, "H44.01", 0, 99991231)).all()
        transaction.rollback()
    return (found[0].verdict, found[0].day) if found else None


DONE: dict[str, Any] = {"outcome": "completed"}
REFUSED: dict[str, Any] = {"outcome": "refused_after"}
OPEN: dict[str, Any] = {"outcome": "open"}
WITHDRAWN: dict[str, Any] = {"outcome": "withdrawn"}

CASES: list[tuple[str, dict[str, Any], Sequence[int], Pauses, Any, Any]] = [
    # what is said, the dossier, promised, pauses, what on_time says, what on_time_due says
    ("on the due day", DONE | {"completed_day": FRIDAY}, [FRIDAY], [], (HIT, FRIDAY), (HIT, FRIDAY)),
    ("a day before", DONE | {"completed_day": 20260115}, [FRIDAY], [], (HIT, 20260115), (HIT, FRIDAY)),
    ("a day late", DONE | {"completed_day": 20260117}, [FRIDAY], [], (MISS, 20260117), (MISS, FRIDAY)),
    ("refused in time", REFUSED | {"completed_day": FRIDAY}, [FRIDAY], [], (HIT, FRIDAY), (HIT, FRIDAY)),
    ("still open", OPEN, [FRIDAY], [], None, (MISS, FRIDAY)),
    ("never promised", DONE | {"completed_day": FRIDAY}, [], [], (UNKNOWN, FRIDAY), None),
    ("open, never promised", OPEN, [], [], None, None),
    ("deleted", DONE | {"completed_day": FRIDAY, "removed": 1}, [FRIDAY], [], None, None),
    ("withdrawn before", WITHDRAWN | {"ended_day": 20260115}, [FRIDAY], [], None, None),
    ("withdrawn on the due day", WITHDRAWN | {"ended_day": FRIDAY}, [FRIDAY], [], None, None),
    ("withdrawn when it was late", WITHDRAWN | {"ended_day": 20260117}, [FRIDAY], [], None, (MISS, FRIDAY)),
    ("stopped when it was late", {"outcome": "stopped", "ended_day": 20260119}, [FRIDAY], [], None, (MISS, FRIDAY)),
    ("refused at the desk", {"outcome": "refused_at_intake", "received_day": None}, [], [], None, None),
    ("completed on a day that nobody knows", DONE, [FRIDAY], [], None, (UNKNOWN, FRIDAY)),
    ("a status that nobody knows", {"outcome": None}, [FRIDAY], [], None, (UNKNOWN, FRIDAY)),
    (
        "promised anew",
        DONE | {"completed_day": 20260120},
        [FRIDAY, 20260120],
        [],
        (MISS, 20260120),
        (MISS, FRIDAY),
    ),
    ("waiting on the due day", OPEN, [FRIDAY], [(FRIDAY, None)], None, None),
    ("waiting since the day after", OPEN, [FRIDAY], [(20260117, None)], None, (MISS, FRIDAY)),
    (
        "two working days waited, and completed on the day moved to",
        DONE | {"completed_day": 20260120},
        [FRIDAY],
        [(20260113, 20260115)],
        (HIT, 20260120),
        (HIT, 20260120),
    ),
    (
        "a day later than the day moved to",
        DONE | {"completed_day": 20260121},
        [FRIDAY],
        [(20260113, 20260115)],
        (MISS, 20260121),
        (MISS, 20260120),
    ),
    (
        "a pause that began when it was late",
        DONE | {"completed_day": 20260123},
        [FRIDAY],
        [(20260119, 20260123)],
        (MISS, 20260123),
        (MISS, FRIDAY),
    ),
]


@pytest.mark.parametrize(
    ("dossier", "promised", "pauses", "on_time", "due"), [c[1:] for c in CASES], ids=next(zip(*CASES, strict=True))
)
def test_a_dossier_is_on_time_by_the_end_of_its_effective_due_day(
    stored: Stored, dossier: dict[str, Any], promised: Sequence[int], pauses: Pauses, on_time: Any, due: Any
) -> None:
    for name, expected in (("dossiers.on_time", on_time), ("dossiers.on_time_due", due)):
        assert said(stored, name, promised, pauses, (), **dossier) == expected, name


@pytest.mark.parametrize(
    ("dossier", "on_time", "due"),
    [
        (DONE | {"completed_day": 20260115}, (UNKNOWN, 20260115), (UNKNOWN, FRIDAY)),
        (DONE | {"completed_day": 20260117}, (UNKNOWN, 20260117), (UNKNOWN, FRIDAY)),
        (OPEN, None, (UNKNOWN, FRIDAY)),
        (WITHDRAWN | {"ended_day": 20260115}, None, None),
    ],
)
def test_a_due_day_that_may_have_been_moved_counts_and_cannot_be_judged(
    stored: Stored, dossier: dict[str, Any], on_time: Any, due: Any
) -> None:
    for name, expected in (("dossiers.on_time", on_time), ("dossiers.on_time_due", due)):
        assert said(stored, name, [FRIDAY], [], (), basis="current", **dossier) == expected, name


@pytest.mark.parametrize(
    ("level", "channel", "verdict"),
    [
        ("full", "online", HIT),
        ("partial", "online", HIT),
        ("full", "counter", MISS),
        ("partial", "post", MISS),
        ("full", None, UNKNOWN),
        ("information", "counter", None),
        ("information", "online", None),
        (None, "online", UNKNOWN),
        ("not in the catalogue", "online", UNKNOWN),
        ("not in the catalogue", "counter", UNKNOWN),
    ],
)
def test_a_dossier_is_online_if_it_was_filed_so_and_its_procedure_is_offered_so(
    stored: Stored, level: str | None, channel: str | None, verdict: str | None
) -> None:
    code = "1.000009" if level == "not in the catalogue" else "1.000001"
    catalogue = [row(Procedure, key=code, code=code, level=level)]
    expected = None if verdict is None else (verdict, 20260105)
    assert said(stored, "dossiers.online", [FRIDAY], (), catalogue, channel=channel, **OPEN) == expected


def test_what_no_desk_received_is_not_filed_online(stored: Stored) -> None:
    catalogue = [row(Procedure, key="1.000001", code="1.000001", level="full")]
    refused: dict[str, Any] = {"outcome": "refused_at_intake", "received_day": None, "channel": "online"}
    assert said(stored, "dossiers.online", (), (), catalogue, **refused) is None


@pytest.mark.parametrize(("day", "verdict"), [(20260104, None), (20260105, HIT), (20260106, HIT), (20260107, None)])
def test_the_level_is_that_of_the_day_of_receipt(stored: Stored, day: int, verdict: str | None) -> None:
    catalogue = [
        row(Procedure, key="1.000001", code="1.000001", level="full", from_day=20260105, to_day=20260106),
        row(Procedure, key="1.000001@", code="1.000001", level="information", to_day=20260104),
        row(Procedure, key="1.000001@H", code="1.000001", level="information", from_day=20260107),
    ]
    expected = None if verdict is None else (verdict, day)
    filed = {"channel": "online", "received_day": day}
    assert said(stored, "dossiers.online", [FRIDAY], (), catalogue, **OPEN | filed) == expected
