"""Whatever a receiver does, and whatever is cut: each message has its effect there once, and nobody has to remember."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from collector.clock import system_clock
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer, WrongUse
from collector.settings.shape import Receiver
from collector.sinks import delivery
from collector.sinks.delivery import Compared, Outcome, Sender
from collector.store import locks, outbox
from collector.store.engine import open_engine, reading, writing
from collector.store.outbox import Entry, Standing
from collector.store.schema import delivery_state
from tests.servers.scoring_service import TOKEN, ScoringService
from tests.sinks.messages import NOW, edition, emptied, months, open_one, put, receiver
from tests.transports.test_http import certificate


@dataclass(slots=True)
class Told:
    """A store with an outbox, a receiver that it is told to, and a clock that a test sets."""

    engine: Engine
    service: ScoringService
    to: Receiver
    now: int = NOW
    said: list[str] = field(default_factory=list)

    @property
    def sender(self) -> Sender:
        return Sender(self.engine, lambda: self.now, "tester@here process 1", jitter=lambda: 1.0)

    def deliver(self, to: Receiver | None = None, *, only_due: bool = False) -> Outcome:
        return delivery.deliver(self.sender, to or self.to, wait=False, says=self.said.append, only_due=only_due)

    def compare(self) -> Compared:
        return delivery.compare(self.sender, self.to, wait=False, says=self.said.append)

    def standing(self, name: str = "scoring") -> Standing:
        with reading(self.engine) as connection:
            return outbox.standing(connection, name, open_readings=self.to.open_readings)

    def waiting(self) -> list[Entry]:
        with reading(self.engine) as connection:
            return outbox.waiting(connection, "scoring", open_readings=self.to.open_readings)

    def dead(self) -> list[Entry]:
        with reading(self.engine) as connection:
            return outbox.dead(connection, "scoring")

    def told_once_each(self, *keys: str) -> bool:
        """INV-6: one effect for each key, and all attempts with the same body."""
        bodies = {key: {digest for other, digest in self.service.told if other == key} for key in keys}
        return self.service.effects == dict.fromkeys(keys, 1) and all(len(one) == 1 for one in bodies.values())


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, scoring_services: Callable[..., ScoringService]
) -> tuple[Engine, ScoringService]:
    return open_engine(f"sqlite:///{tmp_path_factory.mktemp('outbox')}/store.sqlite"), scoring_services()


@pytest.fixture
def told(shared: tuple[Engine, ScoringService]) -> Iterator[Told]:
    engine, service = shared
    emptied(engine)
    service.emptied()
    yield Told(engine, service, receiver(service.url))
    service.is_mended()


E1, E2 = "H44.2026-01.e1", "H44.2026-01.e2"


def test_messages_are_told_in_order_once_and_acknowledged_by_their_digest(told: Told) -> None:
    first, second = edition(), edition(number=2, hits=10)
    put(told.engine, first, second)
    assert told.deliver() == Outcome("scoring", acknowledged=2, died=0, pending=0, dead=0)
    assert told.service.applied == {E1: first.digest, E2: second.digest}
    assert [key for key, _ in told.service.told] == [E1, E2]
    assert told.service.sums == (9 + 7 + 10 + 7, 36)
    assert told.standing() == Standing("scoring", 0, 0, None, 0, "", acknowledged=NOW)
    assert told.deliver().acknowledged == 0
    assert told.told_once_each(E1, E2)


@pytest.mark.parametrize(
    "what", ["applied, then closed", "applied, then silent", "applied, then dripping", "close"], ids=str
)
def test_a_message_whose_answer_was_lost_is_told_again_and_has_its_effect_once(told: Told, what: str) -> None:
    put(told.engine, edition())
    told.service.goes_wrong(what, seconds=1.5)
    done = told.deliver(receiver(told.service.url, timeout=0.3, connect_timeout=0.3))
    assert isinstance(done.failure, TryAgain)
    assert (done.acknowledged, done.pending) == (0, 1)
    assert set(told.service.applied) == (set() if what == "close" else {E1})
    assert told.deliver().acknowledged == 1
    assert told.told_once_each(E1)


def test_a_receiver_that_is_slow_is_waited_for(told: Told) -> None:
    put(told.engine, edition())
    told.service.goes_wrong("slow", seconds=0.4)
    assert told.deliver().acknowledged == 1


def test_a_receiver_that_is_down_is_tried_again_later_and_later_and_never_forgotten(told: Told) -> None:
    put(told.engine, edition())
    told.service.end()
    try:
        rests = []
        for _ in range(9):
            assert isinstance(told.deliver(only_due=True).failure, TryAgain)
            (head,) = told.waiting()
            rests.append(head.next_attempt - told.now)
            told.now = head.next_attempt - 1
            assert told.deliver(only_due=True).failure is None  # it is not due yet, so nobody was asked
            told.now += 1
    finally:
        told.service.begin()
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    (head,) = told.waiting()
    assert (head.attempts, "refused (ConnectError)" in head.last_error) == (9, True)
    assert told.deliver(only_due=True).acknowledged == 1
    assert told.told_once_each(E1)


def test_rests_are_shortened_by_chance_so_that_not_all_come_back_at_once(told: Told) -> None:
    put(told.engine, edition())
    told.service.goes_wrong("503", 2)
    delivery.deliver(replace(told.sender, jitter=lambda: 0.0), told.to, wait=False, says=print)
    assert told.waiting()[0].next_attempt == NOW + 30


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        ("429", "Retry-After: 600", 600),
        ("429", "", 60),
        ("429", "Retry-After: 5", 60),
        ("429", "Retry-After: 999999999999999999999", delivery.LONGEST_WISH),
        ("429", "Retry-After: soon", 60),
        ("429", "Retry-After: -5", 60),
        ("503", "Retry-After: 7200", 7200),
        ("408", "", 60),
        ("500", "", 60),
        ("502", "", 60),
    ],
)
def test_a_receiver_that_asks_for_patience_is_given_it(told: Told, status: str, header: str, seconds: int) -> None:
    put(told.engine, edition())
    told.service.goes_wrong(status, header=header)
    assert isinstance(told.deliver().failure, TryAgain)
    (head,) = told.waiting()
    assert (head.next_attempt - NOW, f"answered with {status}" in head.last_error) == (seconds, True)
    assert told.deliver(only_due=True) == Outcome("scoring", 0, 0, pending=1, dead=0)
    told.now = head.next_attempt
    assert told.deliver(only_due=True).acknowledged == 1
    assert told.told_once_each(E1)


def test_a_date_to_come_back_at_is_counted_on_the_receivers_clock(told: Told) -> None:
    put(told.engine, edition())
    # Its answers are dated by the machine's own present; ours stands in February 2026.
    in_an_hour = formatdate(system_clock() + 3600, usegmt=True)
    told.service.goes_wrong("503", header=f"Retry-After: {in_an_hour}")
    told.deliver()
    assert 3500 < told.waiting()[0].next_attempt - NOW <= 3600


@pytest.mark.parametrize("status", ["400", "413", "415", "422", "418"])
def test_what_will_not_be_taken_is_put_aside_and_the_others_go_on(told: Told, status: str) -> None:
    put(told.engine, edition(), edition(number=2))
    told.service.goes_wrong(status)
    assert told.deliver() == Outcome("scoring", acknowledged=1, died=1, pending=0, dead=1)
    (dead,) = told.dead()
    assert (dead.key, dead.attempts) == (E1, 1)
    assert f"answered with {status} (as the test wants it)" in dead.last_error
    assert dead.last_error.endswith(f"`collector deliver --replay {E1}`")
    told.now += 10 * delivery.LONGEST_REST
    assert told.deliver().acknowledged == 0  # never by itself
    with told.engine.begin() as connection:
        outbox.tell_again(connection, "scoring", [dead.sequence], told.now)
    assert told.deliver() == Outcome("scoring", acknowledged=1, died=0, pending=0, dead=0)
    assert told.told_once_each(E1, E2)


@pytest.mark.parametrize(
    ("status", "kind"),
    [("401", AccessDenied), ("403", AccessDenied), ("404", UnexpectedAnswer), ("302", UnexpectedAnswer)],
)
def test_a_refusal_of_ourselves_puts_nothing_aside(told: Told, status: str, kind: type[CollectorError]) -> None:
    put(told.engine, edition(), edition(number=2))
    told.service.goes_wrong(status, header="Location: http://127.0.0.1:9/")
    done = told.deliver()
    assert (type(done.failure), done.pending, done.dead) == (kind, 2, 0)
    assert told.waiting()[0].next_attempt == NOW + delivery.LONGEST_REST
    assert told.deliver().acknowledged == 2


@pytest.mark.parametrize("what", ["conflict", "bare conflict"])
def test_a_key_that_it_has_already_is_acknowledged_by_the_digest_that_it_applied(told: Told, what: str) -> None:
    put(told.engine, edition())
    told.service.goes_wrong(what)
    assert told.deliver().acknowledged == 1
    assert told.service.asked == ["POST /messages", *([f"GET /messages/{E1}"] if what == "bare conflict" else [])]
    assert told.told_once_each(E1)


def test_a_key_under_which_it_has_another_content_is_put_aside_naming_the_content(told: Told) -> None:
    put(told.engine, edition(hits=3))
    told.deliver()
    theirs = told.service.applied[E1]
    emptied(told.engine)
    put(told.engine, edition(hits=4))
    assert told.deliver().died == 1
    assert f"another content under this key, {theirs}" in told.dead()[0].last_error
    assert told.compare().other == (E1,)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("wrong digest", "was answered with 200, but with the digest "),
        ("partial", "was answered with 200, but it applied 1 of 2 readings"),
        ("html", "was answered with 200, but not with a JSON object"),
        ("202", "was answered with 202, which is no acknowledgement"),
    ],
)
def test_an_answer_that_proves_nothing_is_named_and_tried_again_until_somebody_must_look(
    told: Told, what: str, says: str
) -> None:
    put(told.engine, edition(), edition(number=2))
    told.service.goes_wrong(what, delivery.UNPROVED)
    told.deliver()  # a first time: 201, from then on 200
    for attempts in range(2, delivery.UNPROVED):
        done = told.deliver()
        assert isinstance(done.failure, UnexpectedAnswer)
        assert (done.acknowledged, done.pending, done.dead) == (0, 2, 0)
        assert says in told.waiting()[0].last_error
        assert told.waiting()[0].attempts == attempts
    if what == "wrong digest":
        assert edition().digest in told.waiting()[0].last_error
    assert told.deliver() == Outcome("scoring", acknowledged=1, died=1, pending=0, dead=1)
    with told.engine.begin() as connection:
        outbox.tell_again(connection, "scoring", [told.dead()[0].sequence], told.now)
    assert told.deliver().acknowledged == 1
    assert told.told_once_each(E1, E2)


def test_attempts_that_never_arrived_do_not_count_as_answers_that_prove_nothing(told: Told) -> None:
    put(told.engine, edition())
    told.service.goes_wrong("500", delivery.UNPROVED + 2)
    for _ in range(delivery.UNPROVED + 2):
        told.deliver()
    told.service.goes_wrong("partial")
    done = told.deliver()
    assert isinstance(done.failure, UnexpectedAnswer)
    assert (done.pending, done.dead) == (1, 0)
    assert told.deliver().acknowledged == 1


# -- trust ---------------------------------------------------------------------------------------------------------


def test_a_certificate_that_changed_stops_all_until_it_is_trusted_and_loses_nothing(
    told: Told, tmp_path: Path, scoring_services: Callable[..., ScoringService]
) -> None:
    def made(name: str) -> Path:
        public, _ = certificate(tmp_path, name)
        return public

    ours, theirs = made("ours"), made("theirs")
    used = tmp_path / "used.pem"
    used.write_bytes(ours.read_bytes() + ours.with_suffix(".key").read_bytes())
    service = scoring_services(certificate=used)
    to = receiver(service.url, ca_file=ours)
    put(told.engine, edition())
    assert told.deliver(to).acknowledged == 1

    service.end()
    used.write_bytes(theirs.read_bytes() + theirs.with_suffix(".key").read_bytes())
    service.begin()
    put(told.engine, edition(number=2))
    done = told.deliver(to)
    assert isinstance(done.failure, AccessDenied)
    assert "the certificate of 127.0.0.1 is not trusted" in done.failure.reason
    assert (done.pending, done.dead, list(service.applied)) == (1, 0, [E1])
    assert told.deliver(receiver(service.url, ca_file=theirs)).acknowledged == 1
    assert set(service.applied) == {E1, E2}


def test_a_wrong_token_is_told_once_and_never_printed(told: Told) -> None:
    put(told.engine, edition())
    done = told.deliver(receiver(told.service.url, token="a secret that is wrong"))
    assert isinstance(done.failure, AccessDenied)
    assert str(done.failure) == (
        "scoring, log in: it answered with 401 (who are you?). Check token, user and password, and that this account "
        "may tell messages from this host"
    )
    assert "secret" not in told.waiting()[0].last_error


def test_a_token_that_the_receiver_repeats_is_masked(told: Told) -> None:
    put(told.engine, edition())
    told.service.goes_wrong("503")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.transports.web.strict_json", lambda _: {"detail": f"{TOKEN}\n is \x1b[31mwrong"})
        told.deliver()
    assert "(********  is  [31mwrong)" in told.waiting()[0].last_error


def test_a_name_and_a_password_open_the_door_too(told: Told, scoring_services: Callable[..., ScoringService]) -> None:
    service = scoring_services(user=("collector", "mật khẩu"))
    put(told.engine, edition())
    to = receiver(service.url, token=None, user="collector", password="mật khẩu")
    assert told.deliver(to).acknowledged == 1


# -- several receivers, several senders ---------------------------------------------------------------------------


def test_of_two_receivers_one_that_is_down_does_not_keep_the_other_waiting(told: Told) -> None:
    put(told.engine, edition(), edition(number=2))
    down = receiver("http://127.0.0.1:9", "down")
    assert isinstance(told.deliver(down).failure, TryAgain)
    assert told.deliver().acknowledged == 2
    assert (told.standing("down").pending, told.standing().pending) == (2, 0)
    assert (
        told.deliver(replace(told.to, name="down")).acknowledged == 2
    )  # the same ledger has them: nothing happens twice
    assert told.told_once_each(E1, E2)


def test_a_receiver_that_is_named_later_is_told_all_editions_from_the_first_on(told: Told) -> None:
    put(told.engine, edition(), edition(number=2), open_one())
    told.deliver(receiver("http://127.0.0.1:9", "first"))
    assert told.deliver().acknowledged == 2


def test_there_is_one_sender_at_a_time(told: Told) -> None:
    put(told.engine, edition())
    with (
        locks.held(told.engine, "receiver scoring", "other@there process 9", lambda: NOW, wait=False, says=print),
        pytest.raises(TryAgain, match="another delivery to this receiver is under way"),
    ):
        told.deliver()
    assert told.service.told == []
    assert told.deliver().acknowledged == 1


def test_a_sender_that_slept_past_its_lease_notes_nothing(told: Told) -> None:
    """It has told the message, another sender has taken over: that one is answered as the first time."""
    put(told.engine, edition())
    sender = told.sender

    def clock() -> int:
        if told.service.told:  # told, but not noted: it sleeps for an hour, and another one takes over
            told.now += 3_600
            with (
                suppress(TryAgain),
                locks.held(told.engine, "receiver scoring", "x", lambda: told.now, wait=False, says=print),
            ):
                pass
        return told.now

    with pytest.raises(TryAgain, match="another one has taken over"):
        delivery.deliver(replace(sender, clock=clock), told.to, wait=False, says=print)
    with reading(told.engine) as connection:
        assert connection.execute(select(delivery_state)).all() == []
    assert told.deliver().acknowledged == 1
    assert told.told_once_each(E1)


# -- open readings ------------------------------------------------------------------------------------------------


def test_open_readings_are_told_only_to_who_wants_them_and_only_the_newest(told: Told) -> None:
    put(told.engine, open_one(night=0), open_one(night=1, hits=5), open_one("2026-01", night=1))
    assert told.deliver() == Outcome("scoring", 0, 0, 0, 0)
    assert told.deliver(receiver(told.service.url, open_readings=True)).acknowledged == 2
    assert {
        one["period"]["name"]: one["readings"][0]["hits"] for one in map(told.service.body, told.service.applied)
    } == {
        "2026-01": 4,
        "2026-02": 5,
    }
    with reading(told.engine) as connection:
        assert len(outbox.body(connection, 1)) == 0  # what is replaced gives back its room


def test_an_open_message_that_is_replaced_while_the_receiver_is_down_is_never_told(told: Told) -> None:
    wants = receiver(told.service.url, open_readings=True)
    put(told.engine, open_one(night=0))
    told.service.goes_wrong("503")
    told.deliver(wants)
    put(told.engine, open_one(night=1))
    assert told.deliver(wants).acknowledged == 1
    assert len(told.service.applied) == 1


# -- the outbox ---------------------------------------------------------------------------------------------------


def test_the_same_is_put_into_the_outbox_once_and_something_else_under_its_key_never(told: Told) -> None:
    put(told.engine, edition(), edition())
    with pytest.raises(ValueError, match=f"{E1} is in the outbox with another body"):
        put(told.engine, edition(hits=8))
    assert told.standing().pending == 1


def test_there_is_no_message_of_what_did_not_happen(told: Told) -> None:
    """INV-5: what is told and the telling of it are one transaction."""
    with suppress(ZeroDivisionError), writing(told.engine, durable=True) as connection:
        assert outbox.enqueue(connection, edition(), NOW)
        raise ZeroDivisionError
    assert told.standing().pending == 0


def test_an_acknowledgement_is_on_the_disk_before_the_next_message_goes_out(told: Told) -> None:
    """DESIGN 11: a commit that others rely on is synchronous FULL; what is only to be tried again need not be."""
    levels: list[tuple[str, int]] = []
    note = outbox.note

    def watched(connection: object, entry: Entry, now: int) -> None:
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()  # type: ignore[attr-defined]
        levels.append((entry.state, level))
        note(connection, entry, now)  # type: ignore[arg-type]

    put(told.engine, edition(), edition(number=2), edition(number=3))
    told.service.goes_wrong("400")
    told.service.goes_wrong("503")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "note", watched)
        told.deliver()
        told.deliver()
    assert levels == [("dead", 2), ("pending", 1), ("acknowledged", 2), ("acknowledged", 2)]


def test_a_receiver_that_was_restored_from_an_old_backup_is_told_what_it_lacks(told: Told) -> None:
    put(told.engine, edition())
    told.deliver()
    with told.service.restored_afterwards():
        put(told.engine, edition(number=2), edition("2026-02"))
        told.deliver()
    assert set(told.service.applied) == {E1}
    assert told.deliver().acknowledged == 0  # nobody noticed yet
    assert told.compare() == Compared("scoring", lacking=(E2, "H44.2026-02.e1"))
    assert told.deliver().acknowledged == 2
    assert told.compare() == Compared("scoring")
    assert told.told_once_each(E1, E2, "H44.2026-02.e1")


def test_what_it_has_though_its_acknowledgement_was_lost_is_known_without_telling(told: Told, tmp_path: Path) -> None:
    """Our store was restored from an old backup."""
    put(told.engine, edition())
    told.deliver()
    emptied(told.engine)
    put(told.engine, edition())
    assert told.compare() == Compared("scoring", known=(E1,))
    assert told.deliver() == Outcome("scoring", 0, 0, 0, 0)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_queue_of_ten_thousand_drains(told: Told, full_size: bool) -> None:
    count = 10_000 if full_size else 100
    put(told.engine, *(edition(period) for period in months(count)))
    assert told.deliver() == Outcome("scoring", acknowledged=count, died=0, pending=0, dead=0)
    assert told.service.sums == (16 * count, 18 * count)
    assert [key for key, _ in told.service.told] == [f"H44.{period}.e1" for period in months(count)]


# -- check --live --------------------------------------------------------------------------------------------------


def findings(to: Receiver) -> list[tuple[str, str]]:
    return [(one.stage, one.result) for one in delivery.live(to, lambda: NOW)]


def test_a_receiver_is_tried_stage_by_stage_and_told_nothing(
    told: Told, scoring_services: Callable[..., ScoringService]
) -> None:
    put(told.engine, edition())
    assert findings(told.to) == [("reach", "ok"), ("log in", "ok"), ("schema", "ok")]
    assert findings(receiver(told.service.url, token="wrong")) == [("log in", "failed")]
    assert findings(receiver(f"{told.service.url}/else")) == [("answer, url", "failed")]
    assert findings(receiver("http://127.0.0.1:9")) == [("reach", "failed")]
    assert told.service.asked == ["GET /contract", "GET /else/contract"]
    assert told.service.applied == {}
    older = scoring_services(schemas=["ict-collector/scoring/0"])
    assert findings(receiver(older.url)) == [("reach", "ok"), ("log in", "ok"), ("schema", "failed")]


def test_a_file_of_authorities_that_cannot_be_used_is_wrong_use(told: Told, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"ca_file: .*cannot be used as a list of authorities"):
        told.deliver(receiver("https://127.0.0.1:9", ca_file=tmp_path / "nothing.pem"))
