"""Dossiers of a one-stop service in the national format, on a real socket, and what is true of them."""

from typing import Any

from collector.demo.ledger import Dossier, Pause, Procedure, Promise
from tests.connectors.onestop import national_service_double as service
from tests.end_to_end.mailboxes import OFFICE, SCIENCE
from tests.servers.clock import at

SOURCE = "onestop"

FULL, PARTIAL, INFORMATION, UNLISTED = "1.002835", "1.009444", "2.000488", "1.000001"

CATALOGUE = [service.procedure(FULL, "4"), service.procedure(PARTIAL, "3"), service.procedure(INFORMATION, "2")]
PROCEDURES = [
    Procedure(SOURCE, FULL, "full", 20200101, None),
    Procedure(SOURCE, PARTIAL, "partial", 20200101, None),
    Procedure(SOURCE, INFORMATION, "information", 20200101, None),
]

COUNTER, ONLINE, BY_POST, UNHEARD_OF = "1", "2", "3", "7"


def _supplement(asked: str, back: str = "", before: str = "", after: str = "") -> dict[str, str]:
    return {
        "HoSoBoSungId": f"bs{asked}",
        "NgayBoSung": asked,
        "NgayTiepNhanBoSung": back,
        "NgayHenTraTruoc": before,
        "NgayHenTraMoi": after,
    }


def _listed(
    number: str, agency: str, procedure: str, channel: str, status: str, received: str, due: str, **more: Any
) -> dict[str, Any]:
    return service.dossier(
        number,
        DonViXuLy=agency,
        MaTTHC=f"{procedure}.000.00.00.H44",
        KenhThucHien=channel,
        TrangThaiHoSo=status,
        NgayTiepNhan=received,
        NgayHenTra=due,
        NgayCapNhat="20260110234500",
        **more,
    )


# Times as the service writes them: local. Comments say what a clerk would say.
LISTED = [
    # Done on its due day, one second before midnight; its papers were scanned, its result is a file, it cost nothing.
    _listed(
        "A1",
        OFFICE,
        FULL,
        ONLINE,
        "9",
        "20260105080000",
        "20260109170000",
        NgayKetThucXuLy="20260109235959",
        HoSoCoThanhPhanSoHoa="1",
        DanhSachGiayToKetQua=[{"DuongDanTepTinKetQua": "/A1.pdf"}],
        DuocThanhToanTrucTuyen="0",
    ),
    # Done ten seconds after its due day; by UTC it was still that day. Paid for, and nobody can say how.
    _listed(
        "A2",
        OFFICE,
        FULL,
        COUNTER,
        "9",
        "20260106080000",
        "20260109170000",
        NgayKetThucXuLy="20260110000010",
        HoSoCoThanhPhanSoHoa="0",
        DanhSachGiayToKetQua=[],
        DuocThanhToanTrucTuyen="1",
    ),
    # Nobody did anything; it came in a way that no list of codes has.
    _listed("A3", OFFICE, PARTIAL, UNHEARD_OF, "4", "20260107080000", "20260109170000"),
    # Withdrawn the day before it was due.
    _listed("A4", OFFICE, FULL, COUNTER, "7", "20260105090000", "20260109170000", NgayKetThucXuLy="20260108100000"),
    # Received in the old year and done on its last day.
    _listed("A5", OFFICE, FULL, COUNTER, "9", "20251222080000", "20251231170000", NgayKetThucXuLy="20251231150000"),
    # Paused from Wednesday to Friday, and the due date moved by these two days.
    _listed(
        "B1",
        SCIENCE,
        PARTIAL,
        ONLINE,
        "9",
        "20260105080000",
        "20260109170000",
        NgayKetThucXuLy="20260109163000",
        DanhSachHoSoBoSung=[_supplement("20260107100000", "20260109090000", "20260107170000", "20260109170000")],
    ),
    # Paused from Thursday to Friday: due on the working Saturday, and done on it.
    _listed(
        "B2",
        SCIENCE,
        PARTIAL,
        BY_POST,
        "9",
        "20260106080000",
        "20260109170000",
        NgayKetThucXuLy="20260110110000",
        DanhSachHoSoBoSung=[_supplement("20260108100000", "20260109100000")],
    ),
    # A pause that began after the due day cures nothing. Of a procedure that is not offered online.
    _listed(
        "B3",
        SCIENCE,
        INFORMATION,
        COUNTER,
        "9",
        "20260105080000",
        "20260107170000",
        NgayKetThucXuLy="20260109110000",
        DanhSachHoSoBoSung=[_supplement("20260108100000", "20260109100000")],
    ),
    # Refused at the desk.
    _listed("B4", SCIENCE, FULL, ONLINE, "3", "20260106080000", "", NgayTuChoi="20260106090000"),
    # Refused after work, in time. Of a procedure that the catalogue does not have.
    _listed(
        "B5",
        SCIENCE,
        UNLISTED,
        ONLINE,
        "9",
        "20260107080000",
        "20260110170000",
        NgayKetThucXuLy="20260110150000",
        NgayTuChoi="20260110150000",
    ),
    # Waits for a supplement since its due day.
    _listed(
        "B6",
        SCIENCE,
        FULL,
        ONLINE,
        "5",
        "20260107080000",
        "20260109170000",
        DanhSachHoSoBoSung=[_supplement("20260109100000")],
    ),
    # Of an agency that nobody knows.
    _listed("C1", "H44.77", FULL, ONLINE, "9", "20260107080000", "20260109170000", NgayKetThucXuLy="20260109080000"),
]


def _true(
    number: str,
    agency: str | None,
    procedure: str,
    channel: str | None,
    received: int | None,
    due: int | None,
    outcome: str,
    completed: int | None = None,
    ended: int | None = None,
    pauses: tuple[tuple[int, int | None], ...] = (),
    later_due: int | None = None,
    clock: tuple[int, int, int] = (0, 0, 0),
    digitised: int | None = None,
    electronic_result: int | None = None,
    payment: str | None = None,
) -> Dossier:
    promises = [] if due is None or received is None else [Promise(at(received, 8), due)]
    if later_due is not None:
        promises.append(Promise(at(20260109, 9), later_due))
    return Dossier(
        source=SOURCE,
        id=number,
        agency=agency,
        agency_written=agency or "H44.77",
        procedure=procedure,
        channel=channel,
        received_day=received,
        promises=promises,
        pauses=[Pause(f"p{begun}", begun, ended_) for begun, ended_ in pauses],
        outcome=outcome,
        completed_day=completed,
        returned_day=None,
        ended_day=ended,
        completed=None if completed is None else at(completed, *clock),
        digitised=digitised,
        electronic_result=electronic_result,
        payment=payment,
    )


TRUE = [
    _true(
        "A1",
        OFFICE,
        FULL,
        "online",
        20260105,
        20260109,
        "completed",
        20260109,
        clock=(23, 59, 59),
        digitised=1,
        electronic_result=1,
        payment="none",
    ),
    _true(
        "A2",
        OFFICE,
        FULL,
        "counter",
        20260106,
        20260109,
        "completed",
        20260110,
        clock=(0, 0, 10),
        digitised=0,
        electronic_result=0,
    ),
    _true("A3", OFFICE, PARTIAL, None, 20260107, 20260109, "open"),
    _true("A4", OFFICE, FULL, "counter", 20260105, 20260109, "withdrawn", ended=20260108),
    _true("A5", OFFICE, FULL, "counter", 20251222, 20251231, "completed", 20251231, clock=(15, 0, 0)),
    _true(
        "B1",
        SCIENCE,
        PARTIAL,
        "online",
        20260105,
        20260107,
        "completed",
        20260109,
        pauses=((20260107, 20260109),),
        later_due=20260109,
        clock=(16, 30, 0),
    ),
    _true(
        "B2",
        SCIENCE,
        PARTIAL,
        "post",
        20260106,
        20260109,
        "completed",
        20260110,
        pauses=((20260108, 20260109),),
        clock=(11, 0, 0),
    ),
    _true(
        "B3",
        SCIENCE,
        INFORMATION,
        "counter",
        20260105,
        20260107,
        "completed",
        20260109,
        pauses=((20260108, 20260109),),
        clock=(11, 0, 0),
    ),
    _true("B4", SCIENCE, FULL, "online", None, None, "refused_at_intake", ended=20260106),
    _true("B5", SCIENCE, UNLISTED, "online", 20260107, 20260110, "refused_after", 20260110, clock=(15, 0, 0)),
    _true("B6", SCIENCE, FULL, "online", 20260107, 20260109, "open", pauses=((20260109, None),)),
    _true("C1", None, FULL, "online", 20260107, 20260109, "completed", 20260109),
]
