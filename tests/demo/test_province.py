"""What the sample province promises: the same for the same seed, shaped like the published ones, awkward enough."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from collector.contract import period
from collector.demo import province, systems, truth
from collector.demo.ledger import Document, Dossier, Ledger, Mail, Session, Size, read


def test_the_same_seed_gives_the_same_ledger_to_the_byte(tmp_path: Path) -> None:
    for name in ("one", "two"):
        province.make(agencies=6, days=20, seed=7).write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_another_seed_gives_another_ledger() -> None:
    assert province.make(agencies=4, days=10, seed=1).dossiers != province.make(agencies=4, days=10, seed=2).dossiers


def test_a_ledger_that_was_written_reads_back_as_it_was(small: Ledger, tmp_path: Path) -> None:
    small.write(tmp_path / "ledger.json")
    assert read(tmp_path / "ledger.json") == small


def test_fewer_agencies_see_the_same_events(small: Ledger, whole: Ledger) -> None:
    chosen = {agency.code for agency in small.agencies}

    def of(ledger: Ledger) -> list[Dossier]:
        return [one for one in ledger.dossiers if one.agency in chosen and one.expected is None]

    assert of(small) == of(whole)
    assert [box for box in small.mailboxes if box.agency] == [box for box in whole.mailboxes if box.agency in chosen]


def test_the_province_has_the_blocks_of_the_published_rankings(whole: Ledger) -> None:
    blocks = Counter(agency.block for agency in whole.agencies)
    assert blocks == {"departments": 20, "vertical": 6, "districts": 13, "communes": 70}
    assert 3_500 <= len(whole.mailboxes) <= 5_000
    assert 110_000 <= len(whole.sessions) + len(whole.mails) <= 160_000
    assert 25_000 <= len(whole.documents) <= 30_000
    assert 15_000 <= len(whole.dossiers) <= 20_000


def test_codes_and_mail_domains_are_unique_and_reserved(whole: Ledger) -> None:
    agencies = whole.agencies
    for names in ([a.code for a in agencies], [a.old_code for a in agencies], [a.mail_domain for a in agencies]):
        assert len(set(names)) == len(agencies)
    assert all(a.mail_domain.endswith(".example") and a.code.startswith("H44.") for a in agencies)


def test_one_agencys_mailboxes_are_told_from_anothers_by_their_addresses_alone(whole: Ledger, tmp_path: Path) -> None:
    boxes = [box.address for box in whole.mailboxes if box.agency == "H44.32.02"]
    assert len(boxes) >= 7
    assert {address.partition("@")[2] for address in boxes} == {"txphutho.phutho.example"}
    assert all(address.partition("@")[0].endswith(".hungvuong") for address in boxes)
    assert any(box.agency == "H44.32" and box.address.endswith("@txphutho.phutho.example") for box in whole.mailboxes)
    systems.write_configuration(whole, tmp_path, Path(province.__file__).parents[2] / "config")
    sources = yaml.safe_load((tmp_path / "collector.yaml").read_text(encoding="utf-8").replace("!file", ""))["sources"]
    assert sources["mail"]["config"]["agency_codes"] == {"*.hungvuong@txphutho.phutho.example": "H44.32.02"}
    assert "agency_codes" not in sources["mail-viettri"]["config"]


def test_ids_and_addresses_are_unique(whole: Ledger) -> None:
    assert len({one.id for one in whole.dossiers}) == len(whole.dossiers)
    assert len({one.id for one in whole.documents}) == len(whole.documents)
    assert len({one.address for one in whole.mailboxes}) == len(whole.mailboxes)


def test_some_agencies_are_a_fair_share_of_each_block() -> None:
    blocks = Counter(agency.block for agency in province.make(agencies=22, days=3).agencies)
    assert blocks == {"departments": 4, "vertical": 1, "districts": 3, "communes": 14}


def test_the_last_day_is_fixed_and_a_year_reaches_back_to_march() -> None:
    ledger = province.make(agencies=1, days=365)
    assert (ledger.first_day, ledger.last_day) == (20250301, 20260228)
    assert (province.make(agencies=1, days=60).first_day, ledger.now) == (20251231, 1772326800)


@pytest.mark.parametrize("days", [1, 2, 9])
def test_a_province_of_a_few_days_can_be_made_and_written(days: int, tmp_path: Path) -> None:
    ledger = province.make(agencies=5, days=days)
    systems.write(ledger, tmp_path)
    assert {source.name for source in ledger.sources} <= {path.stem for path in tmp_path.iterdir()}


@pytest.mark.parametrize("wanted", [{"agencies": 0}, {"days": 0}, {"days": 366}])
def test_a_province_that_cannot_be_is_refused(wanted: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"sample province|at least one"):
        province.make(**wanted)


ALWAYS_JUDGED = ("documents.connected", "procedures.online_full", "procedures.online_partial", "systems.available")
"""An agency in force, a procedure common to all and a probe on the plan are always there to be judged."""


def test_every_indicator_has_a_cell_in_each_state(whole: Ledger) -> None:
    found = {(reading["indicator"], reading["state"]) for reading in truth.count(whole)}
    assert found == {
        (indicator, state)
        for indicator in truth.INDICATORS
        for state in ("missing", "partial", "not_applicable", "measured")
    } - {(indicator, "not_applicable") for indicator in ALWAYS_JUDGED}


def test_every_served_agency_has_at_least_five_personal_mailboxes_or_is_known_to_have_few(whole: Ledger) -> None:
    served = {code for source in whole.sources if source.system == "mail" for code in source.serves}
    lasting = Counter(
        box.agency
        for box in whole.mailboxes
        if box.kind == "personal" and box.locked_day is None and box.created_day <= whole.first_day
    )
    assert served - {code for code, count in lasting.items() if code and count >= 5} == {
        "H44.42.06",  # has only shared mailboxes
        *province.FEW_MAILBOXES,
    }
    of_all = Counter(box.agency for box in whole.mailboxes)
    assert (of_all["H44.18"], of_all["H44.32.01"]) == (4, 3)


def test_nothing_is_told_of_a_day_whose_log_is_lost(whole: Ledger) -> None:
    (source,) = [source for source in whole.sources if source.name == "mail-viettri"]
    (lost,) = source.lost["mailbox_day"]
    addresses = {box.address for box in whole.mailboxes if box.source == source.name}
    days = Counter(
        day
        for one in whole.sessions
        if one.address in addresses
        for day in period.days(period.local_day(one.begin), period.local_day(one.end or one.begin))
    )
    days.update(period.local_day(mail.accepted) for mail in whole.mails if mail.address in addresses)
    assert days[lost] == 0
    assert min(days[lost - 1], days[lost + 1]) > 100


def test_no_agency_that_a_source_does_not_serve_is_told_by_it(whole: Ledger) -> None:
    serves = {source.name: set(source.serves) for source in whole.sources}
    told = [(box.source, box.agency) for box in whole.mailboxes]
    told += [(document.source, document.agency) for document in whole.documents]
    told += [(dossier.source, dossier.agency) for dossier in whole.dossiers]
    assert all(agency is None or agency in serves[source] for source, agency in told)


def _clock(instant: int) -> int:
    return instant - period.day_start(period.local_day(instant))


def _nights(session: Session) -> int:
    first, last = period.local_day(session.begin), period.local_day(session.end or session.begin)
    return len(list(period.days(first, last))) - 1


_SESSIONS: dict[str, Callable[[Session], bool]] = {
    "at 00:20": lambda one: _clock(one.begin) == 20 * 60,
    "at 23:40": lambda one: _clock(one.begin) == 23 * 3600 + 40 * 60 and _nights(one) == 0,
    "across midnight": lambda one: _nights(one) == 1,
    "over three days": lambda one: _nights(one) == 2,
    "without an end": lambda one: one.end is None,
    "begun on the evening before the first day": lambda one: period.local_day(one.begin) == 20251230,
}


@pytest.mark.parametrize("kind", _SESSIONS)
def test_awkward_sessions_occur(kind: str, whole: Ledger) -> None:
    assert sum(map(_SESSIONS[kind], whole.sessions)) >= 5


@pytest.mark.parametrize("days", [17, 18, 19, 60])
def test_nothing_is_told_of_the_day_whose_log_is_lost_also_if_it_is_the_first_one(days: int) -> None:
    made = province.make(agencies=6, days=days)
    lost = {(one.name, day) for one in made.sources for day in one.lost.get("mailbox_day", ())}
    assert len(lost) == (1 if days >= 18 else 0)
    source = {box.address: box.source for box in made.mailboxes}
    told = {
        (source[one.address], day)
        for one in made.sessions
        for day in period.days(period.local_day(one.begin), period.local_day(one.end or one.begin))
    }
    assert told
    assert not lost & (told | {(source[one.address], period.local_day(one.accepted)) for one in made.mails})


_MAILS: dict[str, Callable[[Mail], bool]] = {
    "to several": lambda one: len(one.to) > 1,
    "to the state and outside": lambda one: {"government"} < {recipient.domain for recipient in one.to},
    "to free mail, tried again": lambda one: one.attempts > 1 and one.to[0].domain == "free" and one.to[0].arrived,
    "to free mail, refused": lambda one: any(to.domain == "free" and not to.arrived for to in one.to),
    "to a domain below a free-mail one": lambda one: any("@vn.thumienphi." in to.address for to in one.to),
    "to a domain like a free-mail one": lambda one: any("@khongthumienphi." in to.address for to in one.to),
    "on a day off": lambda one: _is_off(period.local_day(one.accepted)),
}


@pytest.mark.parametrize("kind", _MAILS)
def test_awkward_mails_occur(kind: str, whole: Ledger) -> None:
    assert sum(map(_MAILS[kind], whole.mails)) >= 5


def _over_90_percent(size: Size) -> int:
    return (size.used or 0) * 10 - (size.quota or 0) * 9


_SIZES: dict[str, Callable[[Size], bool]] = {
    "without a limit": lambda one: one.quota == 0,
    "quota untold": lambda one: one.quota is None,
    "use untold": lambda one: one.used is None and bool(one.quota),
    "at 90 %": lambda one: bool(one.quota) and 0 <= _over_90_percent(one) < 10,
    "just below 90 %": lambda one: bool(one.quota) and -20 < _over_90_percent(one) < 0,
    "over its limit": lambda one: bool(one.quota) and (one.used or 0) > (one.quota or 0),
}


@pytest.mark.parametrize("kind", _SIZES)
def test_awkward_mailboxes_occur(kind: str, whole: Ledger) -> None:
    assert sum(map(_SIZES[kind], (size for box in whole.mailboxes for size in box.sizes))) >= 5


_DOCUMENTS: dict[str, Callable[[Document], bool]] = {
    "deleted": lambda one: one.deleted,
    "recalled": lambda one: one.recalled == 1,
    "recall unknown": lambda one: one.recalled is None,
    "paper too": lambda one: one.paper_too == 1,
    "paper unknown": lambda one: one.direction == "out" and one.paper_too is None,
    "way of sending unknown": lambda one: any(recipient.electronic is None for recipient in one.recipients),
    "recipient unknown": lambda one: any(recipient.outside is None for recipient in one.recipients),
    "no recipient": lambda one: one.direction == "out" and not one.recipients,
    "not issued": lambda one: one.issued_day is None,
    "incoming": lambda one: one.direction == "in",
    "unknown agency code": lambda one: one.agency is None,
    "old organ code": lambda one: one.agency is not None and one.agency_written.startswith("000."),
    "recipients inside and outside": lambda one: {0, 1} <= {recipient.outside for recipient in one.recipients},
}


@pytest.mark.parametrize("kind", _DOCUMENTS)
def test_awkward_documents_occur(kind: str, whole: Ledger) -> None:
    assert sum(map(_DOCUMENTS[kind], whole.documents)) >= 5


def _is_off(day: int) -> bool:
    return period.as_date(day).weekday() > 4


def _first_due(dossier: Dossier) -> int:
    return dossier.promises[0].day if dossier.promises else 0


_DOSSIERS: dict[str, Callable[[Dossier], bool]] = {
    "paused": lambda one: len(one.pauses) == 1,
    "paused twice": lambda one: len(one.pauses) == 2,
    "pauses overlap": lambda one: len(one.pauses) == 2 and one.pauses[1].begun_day < (one.pauses[0].ended_day or 0),
    "pauses touch": lambda one: len(one.pauses) == 2 and one.pauses[1].begun_day == one.pauses[0].ended_day,
    "pause begun on a Saturday": lambda one: any(period.as_date(p.begun_day).weekday() == 5 for p in one.pauses),
    "pause across Tết": lambda one: any(p.begun_day < 20260214 and (p.ended_day or 0) > 20260222 for p in one.pauses),
    "pause begun on the due day": lambda one: any(p.begun_day == _first_due(one) for p in one.pauses),
    "pause begun after the due day": lambda one: any(0 < _first_due(one) < p.begun_day for p in one.pauses[:1]),
    "pause still open": lambda one: any(p.ended_day is None for p in one.pauses),
    "moved with a supplement": lambda one: len(one.promises) > 1 and bool(one.pauses),
    "moved without a supplement": lambda one: len(one.promises) > 1 and not one.pauses,
    "due on a day off": lambda one: bool(one.promises) and _is_off(one.promises[0].day),
    "deleted": lambda one: one.deleted,
    "refused at intake": lambda one: one.outcome == "refused_at_intake",
    "refused after work": lambda one: one.outcome == "refused_after",
    "withdrawn": lambda one: one.outcome == "withdrawn",
    "stopped": lambda one: one.outcome == "stopped",
    "completed without a due date": lambda one: one.outcome == "completed" and not one.promises,
    "unknown procedure": lambda one: (one.procedure or "").startswith("9."),
    "unknown channel": lambda one: one.received_day is not None and one.channel is None,
    "unknown agency code": lambda one: one.agency is None,
    "old organ code": lambda one: one.agency is not None and one.agency_written.startswith("000."),
    "carried over from the year before": lambda one: 0 < (one.received_day or 0) < 20251231,
    "open": lambda one: one.outcome == "open" and not one.pauses,
}


@pytest.mark.parametrize("kind", _DOSSIERS)
def test_awkward_dossiers_occur(kind: str, whole: Ledger) -> None:
    assert sum(map(_DOSSIERS[kind], whole.dossiers)) >= 5


def test_mailboxes_change_on_the_way_and_some_have_no_kind_or_no_agency(whole: Ledger) -> None:
    boxes = whole.mailboxes
    assert sum(box.kind == "shared" for box in boxes) >= 100
    assert sum(box.kind is None for box in boxes) >= 5
    assert sum(box.agency is None for box in boxes) >= 5
    assert sum(box.locked_day is not None for box in boxes) >= 20
    assert sum(box.created_day > whole.first_day for box in boxes) >= 20
    assert sum(mail.attempts > 1 for mail in whole.mails) >= 100


def test_nothing_of_a_dossier_lies_after_the_last_day_or_before_its_receipt_but_what_is_to_be_flagged(
    whole: Ledger,
) -> None:
    contradicting = []
    for one in whole.dossiers:
        happened = [one.completed_day, one.ended_day, one.returned_day]
        happened += [day for pause in one.pauses for day in (pause.begun_day, pause.ended_day)]
        happened += [period.local_day(promise.at) for promise in one.promises]
        days = [day for day in happened if day is not None]
        if not all((one.received_day or 0) <= day <= whole.last_day for day in days):
            contradicting.append((one.received_day, one.completed_day))
        assert [p.at for p in one.promises] == sorted({p.at for p in one.promises}), one.id
        assert (one.completed_day is not None) == (one.outcome in ("completed", "refused_after")), one.id
        assert (one.ended_day is not None) == (one.outcome in ("withdrawn", "stopped", "refused_at_intake")), one.id
    assert contradicting == [(20260224, 20260223)]
