"""`seal`, `restate`, `verify`, `editions` and `gap`."""

from pathlib import Path
from typing import Annotated

import typer

from collector import editions, gaps
from collector.assembly import Assembly, find_connector
from collector.cli.app import FINDINGS, APeriod, AsJson, Config, app, opened
from collector.cli.asked import chosen_sources, day_of, names_of, period_of
from collector.cli.printing import display, out, print_json, say
from collector.contract.connector import offered
from collector.contract.errors import WrongUse
from collector.contract.period import Period, parse_period
from collector.contract.records import Probe
from collector.editions import REASONS, Edition, NotYet, Reason, Verified, keys
from collector.settings.shape import Source
from collector.sinks import sealed
from collector.store.engine import reading as reading_store

Says = Annotated[str, typer.Option("--says", metavar="TEXT", help="Your own words, kept in the edition.")]
Keys = Annotated[
    list[Path] | None,
    typer.Option("--public-key", metavar="FILE", help="A key that may have signed; may be repeated [the own one]."),
]


@app.command(name="seal")
def seal_command(
    period: Annotated[
        str | None, typer.Argument(metavar="PERIOD", help="A month, quarter or year that is over.")
    ] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Make the key that signs, once.")] = False,
    says: Says = "",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Seal a period: its figures, ranking and evidence, signed.

    Exit code 1, with what is missing and the commands that fill it, unless every day that is needed was read or is
    accepted as lost (`gap`). What is sealed is never changed: see `restate`.
    """
    if (period is None) != new_key:
        mend = "collector seal 2026-01, or collector seal --new-key"
        raise WrongUse("name either a period or --new-key", field="PERIOD", mend=mend)
    with opened(config) as assembly:
        file = assembly.settings.signing_key
        if period is None:
            public = keys.new(file)
            name = keys.fingerprint(keys.public_key(public))
            display([f"{file}: the key {name}; keep it apart from the database, and copy it to a safe place"])
            display([f"{public}: its public key, for everybody who verifies"])
            return
        try:
            one = editions.seal(assembly.sealer, period_of(period), file, says=says)
        except NotYet as error:
            _tell_what_lacks(error, period, as_json=as_json)
            raise typer.Exit(FINDINGS) from None
        if as_json:
            print_json(sealed.edition(one))
        else:
            display(sealed.made(one, out.width))


def _tell_what_lacks(error: NotYet, period: str, *, as_json: bool) -> None:
    if as_json:
        print_json(sealed.lacking(error.lacking))
    else:
        display(sealed.missing(period, error.lacking, out.width))


@app.command(name="restate")
def restate_command(
    period: APeriod,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="REASON", help=f"Exactly one: {', '.join(REASONS)}.")
    ] = None,
    says: Says = "",
    every: Annotated[bool, typer.Option("--all", help="Show each figure that differs.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """State a sealed period anew, with one reason.

    Without a reason shows what differs, with exit code 1 if anything does. The edition before stays as it is.
    """
    wanted = period_of(period)
    if reason is not None and reason not in REASONS:
        raise WrongUse(f"{reason} is no reason", field="--reason", mend=f"Use one of {', '.join(REASONS)}")
    with opened(config) as assembly:
        sealer, names = assembly.sealer, names_of(assembly)
        if reason is None:
            told = editions.what_differs(sealer, wanted)
            if told is None:
                raise WrongUse(
                    f"{wanted} is not sealed", field="PERIOD", mend=f"Seal it first: collector seal {wanted}"
                )
            if as_json:
                print_json(sealed.differences(*told))
            else:
                display(sealed.differing(*told, names, out.width, every=every))
                if told[1].any:
                    fitting = ", ".join(each for each in REASONS if told[1].possible(each))
                    say(f"collector restate {wanted} --reason one of: {fitting}")
            raise typer.Exit(FINDINGS if told[1].any else 0)
        chosen: Reason = next(one for one in REASONS if one == reason)
        try:
            one, _ = editions.restate(sealer, wanted, chosen, assembly.settings.signing_key, says=says)
        except NotYet as error:
            _tell_what_lacks(error, period, as_json=as_json)
            raise typer.Exit(FINDINGS) from None
        if as_json:
            print_json(sealed.edition(one))
        else:
            display(sealed.made(one, out.width))


@app.command(name="verify")
def verify_command(
    what: Annotated[
        str | None, typer.Argument(metavar="[PERIOD|FILE]", help="A sealed period, or an exported edition [all].")
    ] = None,
    public_key: Keys = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Verify editions, offline.

    Who signed them, the chain, and that the rows behind each figure add up to it. Names the first thing that is not as
    it was sealed, with exit code 1. A file needs no database: only the public key.
    """
    file = _file(what)
    if file is not None and public_key:
        found = [editions.verify_file(file, keys.public_keys(public_key))]
    else:
        with opened(config) as assembly:
            trusted = keys.public_keys(public_key or [keys.public_path(assembly.settings.signing_key)])
            if file is not None:
                found = [editions.verify_file(file, trusted)]
            else:
                found = _verify(assembly, trusted, None if what is None else period_of(what))
    if as_json:
        print_json(sealed.verdicts(found))
    else:
        display(sealed.verified(found, out.width))
    if any(one.fault for one in found):
        raise typer.Exit(FINDINGS)


def _file(what: str | None) -> Path | None:
    if what is None:
        return None
    try:
        parse_period(what)
    except ValueError:
        return Path(what)
    return None


def _verify(assembly: Assembly, trusted: list[bytes], period: Period | None) -> list[Verified]:
    with reading_store(assembly.engine) as connection:
        found = editions.verify(connection, trusted, period)
    if period is not None and not any(one.fault or one.period == period.name for one in found):
        raise WrongUse(f"{period} is not sealed", field="PERIOD", mend="`collector editions` lists what is")
    return found


@app.command(name="editions")
def editions_command(
    period: Annotated[str | None, typer.Argument(metavar="PERIOD", help="Only those of a period.")] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write an edition, with its rows, into one file.")
    ] = None,
    number: Annotated[int | None, typer.Option("--edition", metavar="N", min=1, help="Which [the newest].")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List what was sealed, or export an edition.

    The file holds numbers of dossiers and documents: it is for those who may see the evidence.
    """
    wanted = None if period is None else period_of(period)
    if export is not None and wanted is None:
        raise WrongUse("nothing says which edition", field="PERIOD", mend="collector editions 2026-01 --export FILE")
    with opened(config) as assembly:
        found = _all_of(assembly, wanted)
        if export is not None and wanted is not None:
            newest = number or max((one.number for one in found), default=1)
            with reading_store(assembly.engine) as connection:
                content = editions.exported(connection, wanted, newest)
            _write(export, content)
            display([f"{export}: edition {newest} of {wanted}, {len(content):,} bytes"])
            return
        if as_json:
            print_json([sealed.edition(one) for one in found if number in (None, one.number)])
        else:
            display(sealed.listed([one for one in found if number in (None, one.number)], out.width))


def _all_of(assembly: Assembly, wanted: Period | None) -> list[Edition]:
    found = []
    with reading_store(assembly.engine) as connection:
        for name, newest in editions.sealed_periods(connection):
            if wanted is None or wanted.name == name:
                ones = (editions.edition_of(connection, parse_period(name), each) for each in range(1, newest + 1))
                found += [one for one in ones if one is not None]
    return sorted(found, key=lambda one: one.position)


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        mend = "Name a new file; nothing is overwritten"
        raise WrongUse(f"{path} cannot be written ({error.strerror})", field="--export", mend=mend) from None


@app.command(name="gap")
def gap_command(
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help="The name of a source.")] = None,
    lost: Annotated[
        str | None, typer.Argument(metavar="DAY..DAY", help="Its lost days: 2026-01-05..2026-01-07.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="What happened.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back, while nothing is sealed on it.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Accept lost days of a source by name, or list them.

    Only days that were never read and never can be: figures do without them, count as measured if nothing else is
    wrong, and say so wherever they are shown.
    """
    if source is not None and (lost is None or (reason is None) != withdraw):
        mend = 'collector gap mail 2026-01-05..2026-01-07 --reason "...", or the same with --withdraw'
        raise WrongUse("days, and either --reason or --withdraw, are missing", field="gap", mend=mend)
    with opened(config) as assembly:
        if source is None or lost is None:
            found = gaps.listed(assembly.engine)
        else:
            known = chosen_sources(assembly, [source])[0]
            days = _days(lost)
            if withdraw:
                count = gaps.withdraw(assembly.engine, source, days)
                display([f"{source}: {count} day{'s' if count > 1 else ''} no longer accepted as lost"])
                return
            now = assembly.clock()
            found = gaps.accept(assembly.engine, source, known.since, records_of(known), days, reason or "", now)
        if as_json:
            print_json(sealed.lost(found))
        else:
            display(sealed.gaps(found, out.width))


def _days(text: str) -> tuple[int, int]:
    first, _, last = text.partition("..")
    found = day_of(first, "DAY..DAY"), day_of(last or first, "DAY..DAY")
    assert found[0] is not None
    assert found[1] is not None
    return found[0], found[1]


def records_of(source: Source) -> list[str]:
    """The names of the records that a source offers."""
    names = [record.NAME for record in offered(find_connector(source.connector), source.config)]
    return [*names, Probe.NAME] if source.probe is not None else names
