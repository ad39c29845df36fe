"""`deliver`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from collector.assembly import Assembly
from collector.cli.app import FINDINGS, SOURCE_FAILED, AsJson, Config, app, opened
from collector.cli.asked import period_of
from collector.cli.printing import display, err, many, out, print_json, say
from collector.clock import system_clock
from collector.contract.errors import TryAgain, WrongUse
from collector.settings.shape import Receiver
from collector.sinks import delivered, delivery
from collector.store import outbox
from collector.store.engine import reading as reading_store
from collector.store.engine import writing
from collector.store.outbox import Entry


@app.command()
def deliver(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="RECEIVER", help="Names of receivers; all if none is given.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what waits; tell nobody anything.")] = False,
    dead: Annotated[bool, typer.Option("--dead", help="List what a receiver will not take, and why.")] = False,
    replay: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Tell a message again that it would not take.")
    ] = None,
    again: Annotated[str | None, typer.Option(metavar="PERIOD", help="Tell all editions of a period again.")] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Ask first what it has applied, and tell again what it lacks.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Exit 3 if another delivery is under way.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell the scoring services what waits for them.

    In order, at once, and whenever it should be tried next. One receiver that is down does not keep the others from
    being told. Exit code 1 if one will not take something, or has another content than was told; 3 if one failed.
    """
    with opened(config) as assembly:
        receivers = _chosen(assembly, names)
        if dry_run or dead:
            _list(assembly, receivers, dead=dead, as_json=as_json)
            return
        _mark(assembly, receivers, replay or [], again)
        compared = [_compare(assembly, one, wait=not no_wait) for one in receivers] if reconcile else []
        failed = {one.receiver for one in compared if one.failure}
        done = [_deliver(assembly, one, wait=not no_wait) for one in receivers if one.name not in failed]
        if as_json and reconcile:
            print_json(
                {
                    "compared": [delivered.compared_json(one) for one in compared],
                    "delivered": [delivered.outcome_json(one) for one in done],
                }
            )
        elif as_json:
            print_json([delivered.outcome_json(one) for one in done])
        else:
            display([*delivered.compared(compared), *delivered.outcomes(done, out.width)])
    if failed or any(one.failure for one in done):
        raise typer.Exit(SOURCE_FAILED)
    if any(one.dead for one in done) or any(one.other for one in compared):
        raise typer.Exit(FINDINGS)


def _chosen(assembly: Assembly, names: Sequence[str] | None) -> list[Receiver]:
    known = assembly.settings.receivers
    if not known:
        raise WrongUse(
            "the configuration names no receiver",
            field="receivers",
            mend="Write `receivers:` and below it a name and `url:` for each service that scores",
        )
    for name in names or ():
        if name not in known:
            raise WrongUse(f"there is no receiver {name}", mend=f"The configuration has {', '.join(known)}")
    return [known[name] for name in names or known]


def _list(assembly: Assembly, receivers: Sequence[Receiver], *, dead: bool, as_json: bool) -> None:
    with reading_store(assembly.engine) as connection:
        listed: list[Entry] = []
        for one in receivers:
            listed += (
                outbox.dead(connection, one.name)
                if dead
                else outbox.waiting(connection, one.name, open_readings=one.open_readings)
            )
    if as_json:
        print_json([delivered.entry_json(one) for one in listed])
        return
    alone = len(listed) == 1
    state = ("is dead" if alone else "are dead") if dead else ("waits" if alone else "wait") + "; nothing was told"
    display([*delivered.entries(listed, out.width), f"{many(len(listed), 'message')} {state}"])
    if dead and listed:
        raise typer.Exit(FINDINGS)


def _mark(assembly: Assembly, receivers: Sequence[Receiver], keys: Sequence[str], again: str | None) -> None:
    """Have some messages told again."""
    period = None if again is None else period_of(again)
    with writing(assembly.engine) as connection:
        for key in keys:
            found = [entry for one in receivers for entry in outbox.of_keys(connection, one.name, [key])]
            if not found:
                raise WrongUse(f"there is no message {key}", field="--replay", mend="See `collector deliver --dead`")
            for entry in found:
                if entry.state == "dead":
                    outbox.tell_again(connection, entry.receiver, [entry.sequence], system_clock())
        for one in receivers if period is not None else ():
            editions = outbox.editions(connection, one.name, str(period))
            if not editions:
                raise WrongUse(f"no edition of {period} is sealed", field="--again", mend="`collector seal` makes one")
            outbox.tell_again(connection, one.name, [entry.sequence for entry in editions], system_clock())


def _sender(assembly: Assembly) -> delivery.Sender:
    return delivery.Sender(assembly.engine, system_clock, assembly.tools.holder)


def _compare(assembly: Assembly, receiver: Receiver, *, wait: bool) -> delivery.Compared:
    try:
        done = delivery.compare(_sender(assembly), receiver, wait=wait, says=say)
    except TryAgain as error:  # another delivery is under way
        done = delivery.Compared(receiver.name, failure=error)
    if done.failure:
        say(str(done.failure), style="red")
    return done


def _deliver(assembly: Assembly, receiver: Receiver, *, wait: bool) -> delivery.Outcome:
    with reading_store(assembly.engine) as connection:
        waiting = outbox.standing(connection, receiver.name, open_readings=receiver.open_readings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal or not waiting.pending) as progress:
        task = progress.add_task(receiver.name, total=waiting.pending)
        try:
            done = delivery.deliver(
                _sender(assembly), receiver, wait=wait, says=say, told=lambda _: progress.advance(task)
            )
        except TryAgain as error:  # another delivery is under way
            done = delivery.Outcome(receiver.name, 0, 0, waiting.pending, waiting.dead, error)
    if done.failure:
        say(str(done.failure), style="red")
    return done
