"""`status` and `privacy`."""

from dataclasses import asdict
from typing import Annotated

import typer

from collector import privacy, status
from collector.assembly import find_connector
from collector.cli.app import FINDINGS, AsJson, Config, app, opened
from collector.cli.asked import period_of
from collector.cli.printing import display, many, out, print_json, say
from collector.contract.connector import offered
from collector.contract.errors import WrongUse
from collector.contract.period import Period
from collector.sinks import delivered, json_shapes, terminal
from collector.store import outbox
from collector.store.engine import reading as reading_store


@app.command(name="status")
def status_command(
    bad: Annotated[bool, typer.Option("--bad", help="List the records that could not be used, and why.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of every source and receiver.

    Exit code 1 if the last run of one failed, its figures are stale, or it could not be compared with the store; if a
    receiver could not be told something; or if the figures of a sealed period would be others now.
    """
    with opened(config) as assembly:
        sources = assembly.settings.sources.values()
        with reading_store(assembly.engine) as connection:
            unusable = status.bad_records(connection, [source.name for source in sources]) if bad else []
            found = [
                status.of_source(
                    connection,
                    source.name,
                    source.connector,
                    offered(find_connector(source.connector), source.config),
                    source.since,
                    source.stale_after,
                    assembly.clock(),
                )
                for source in sources
            ]
            told = [
                outbox.standing(connection, one.name, open_readings=one.open_readings)
                for one in assembly.settings.receivers.values()
            ]
        drifted = [] if bad else assembly.drifted()
        if as_json:
            print_json(
                [json_shapes.source_status(one) for one in found] if not bad else [asdict(one) for one in unusable]
            )
        elif bad:
            display(terminal.bad(unusable, out.width))
        else:
            display(
                [*terminal.states(found, out.width), *(["", *delivered.standings(told, out.width)] if told else ())]
            )
    if bad:
        raise typer.Exit(FINDINGS if unusable else 0)
    for one_sealed in drifted:
        say(str(one_sealed))
    if drifted:
        raise typer.Exit(FINDINGS)
    if any(one.result not in ("done", "running") or one.stale or _uncompared(one) for one in found):
        raise typer.Exit(FINDINGS)
    if any(one.dead or one.last_error for one in told):
        raise typer.Exit(FINDINGS)


def _uncompared(one: status.SourceStatus) -> bool:
    return one.reconciliation is not None and one.reconciliation.result != "done"


@app.command(name="privacy")
def privacy_command(
    destroy: Annotated[
        str | None, typer.Option(metavar="MONTH", help="Destroy a month's key and records of mailboxes for ever.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, destroy it.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what is stored about whom.

    By month, and as a register of every field, for the official and an impact assessment. Exit code 1 if a month
    should have been destroyed: the daemon does it once a day.
    """
    month = None if destroy is None else period_of(destroy)
    if month is not None and month.kind != "month":
        raise WrongUse(f"{destroy} is no month", field="--destroy", mend="Write it like 2026-02")
    with opened(config) as assembly:
        keeper = assembly.keeper
        if month is not None:
            _destroy(keeper, month, yes=yes)
        with reading_store(assembly.engine) as connection:
            found = privacy.months(connection, keeper)
        overdue = privacy.due(found, assembly.clock())
        stored = privacy.register(assembly.indicators, keeper.appeal_days)
        if as_json:
            print_json(json_shapes.privacy(found, stored, keeper.appeal_days))
        elif month is None:
            display(terminal.privacy(found, overdue, stored, out.width))
        else:
            display([f"{month} is destroyed; what was counted of it stays"])
    if overdue and month is None:
        raise typer.Exit(FINDINGS)


def _destroy(keeper: privacy.Keeper, month: Period, *, yes: bool) -> None:
    with reading_store(keeper.engine) as connection:
        one = next((one for one in privacy.months(connection, keeper) if one.month == month), None)
    if one is None:
        raise WrongUse(f"nothing of persons is stored of {month}", field="--destroy", mend="See `collector privacy`")
    if one.destroyed is not None:
        return
    privacy.may_be_destroyed(one, keeper.appeal_days, keeper.clock())
    if not yes:
        what = f"{many(one.mailboxes, 'row')} of mailboxes and {many(one.mailbox_days, 'row')} of their use"
        raise WrongUse(f"the key of {month}, {what} will be destroyed for ever", field="--destroy", mend="Add --yes")
    privacy.destroy(keeper, month, says=say)
