import hashlib
import multiprocessing
import stat
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from collector.contract.errors import AccessDenied, WrongUse
from collector.transports.pseudonym import Pseudonyms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_pseudonym_is_the_cut_hmac_of_the_address_under_its_months_key(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    key = bytes(range(32))
    path = folder / "202602.key"
    path.write_bytes(key)
    path.chmod(0o600)
    # RFC 2104, written out: H(K xor opad, H(K xor ipad, text)), the key filled up with zeros to 64 bytes.
    inner = bytes(byte ^ 0x36 for byte in key + bytes(32))
    outer = bytes(byte ^ 0x5C for byte in key + bytes(32))
    digest = hashlib.sha256(outer + hashlib.sha256(inner + b"an.tran@sonoivu.example").digest()).hexdigest()
    assert Pseudonyms(folder).of("an.tran@sonoivu.example", 20260228) == digest[:32]


def test_case_blanks_and_the_way_an_accent_is_written_do_not_make_two_persons(folder: Path) -> None:
    names = Pseudonyms(folder)
    one = names.of("bình@so.example", 20260105)
    assert names.of("  BÌNH@SO.example ", 20260105) == one
    assert names.of("bi\u0300nh@so.example", 20260105) == one
    assert names.of("binh@so.example", 20260105) != one


def test_months_cannot_be_linked_and_days_of_a_month_can(folder: Path) -> None:
    names = Pseudonyms(folder)
    assert names.of("a@b.example", 20260131) == names.of("a@b.example", 20260101)
    assert names.of("a@b.example", 20260131) != names.of("a@b.example", 20260201)


def test_every_process_makes_the_same_pseudonym(folder: Path) -> None:
    first = Pseudonyms(folder).of("a@b.example", 20260105)
    assert Pseudonyms(folder).of("a@b.example", 20260105) == first


def _in_another_process(folder: Path, start: Barrier, found: "Queue[list[str]]") -> None:
    start.wait()
    found.put([Pseudonyms(folder).of("a@b.example", 20260100 + month * 100 + 5) for month in range(12)])


def test_processes_that_need_a_key_at_once_agree_on_one(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, found = context.Barrier(4), context.Queue()
    workers = [context.Process(target=_in_another_process, args=(folder, start, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    answers = [tuple(found.get(timeout=60)) for _ in workers]
    for worker in workers:
        worker.join()
    assert len(set(answers)) == 1
    assert len(set(answers[0])) == 12
    assert sorted(path.name for path in folder.iterdir()) == [f"2026{month:02d}.key" for month in range(1, 13)]


def test_folder_and_keys_belong_to_the_account_alone(folder: Path) -> None:
    Pseudonyms(folder).of("a@b.example", 20260105)
    key = folder / "202601.key"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(folder: Path, mode: int) -> None:
    Pseudonyms(folder).of("a@b.example", 20260105)
    (folder / "202601.key").chmod(mode)
    with pytest.raises(AccessDenied, match="by other accounts") as caught:
        Pseudonyms(folder).of("a@b.example", 20260105)
    assert "chmod 600" in caught.value.mend


def test_a_folder_of_keys_that_others_can_enter_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    folder.chmod(0o750)
    with pytest.raises(AccessDenied, match="by other accounts") as caught:
        Pseudonyms(folder).of("a@b.example", 20260105)
    assert "chmod 700" in caught.value.mend
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_damaged_key_is_refused_and_not_replaced(folder: Path, length: int) -> None:
    folder.mkdir(mode=0o700)
    path = folder / "202601.key"
    path.write_bytes(b"k" * length)
    path.chmod(0o600)
    with pytest.raises(WrongUse, match="damaged"):
        Pseudonyms(folder).of("a@b.example", 20260105)
    assert path.read_bytes() == b"k" * length


def test_an_address_that_is_not_utf8_is_hidden_too(folder: Path) -> None:
    odd = b"b\xecnh@so.example".decode("utf-8", "surrogateescape")
    assert len(Pseudonyms(folder).of(odd, 20260105)) == 32


def test_no_key_is_made_for_a_month_that_does_not_exist(folder: Path) -> None:
    with pytest.raises(ValueError, match="202613"):
        Pseudonyms(folder).of("a@b.example", 20261301)
    assert not folder.exists()
