"""`report`: the annex of a ranking decision, and an agency's evidence."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from collector import editions, flags, report
from collector.assembly import Assembly
from collector.cli.app import FINDINGS, APeriod, Config, Merged, Open, app, opened
from collector.cli.asked import known_agency, names_of, period_of
from collector.cli.printing import many, say
from collector.contract.errors import WrongUse
from collector.contract.period import Period, period_before
from collector.contract.reading import Reading, Scope, Score
from collector.editions import Edition
from collector.editions.freeze import definition
from collector.readings import Explanation
from collector.report import Agency, Block, Content, Group, Seal, Told
from collector.store.engine import reading as reading_store
from collector.succession import units


class Format(StrEnum):
    """What a report can be written as."""

    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


_SCOPES: tuple[Scope, ...] = ("agency", "block", "province")


@app.command(name="report")
def report_command(
    period: APeriod,
    file: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
    format_: Annotated[
        Format | None, typer.Option("--format", help="What to write [as the file's name ends].", show_default=False)
    ] = None,
    agency: Annotated[str | None, typer.Option(metavar="CODE", help="Only this agency's page.")] = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="With --agency: the records behind each of its figures too.")
    ] = False,
    merged: Merged = False,
    number: Annotated[
        int | None, typer.Option("--edition", metavar="N", min=1, help="This edition [the newest].")
    ] = None,
    is_open: Open = False,
    config: Config = None,
) -> None:
    """Write the ranking and the figures of a period.

    The annex of a ranking decision, with a page for each agency; or the evidence of one agency, for a contest. Of a
    sealed period its newest edition, else the figures of now, marked as not sealed. Exit code 1 if the records behind a
    figure do not come to it.
    """
    wanted = period_of(period)
    if evidence and agency is None:
        raise WrongUse("evidence is of one agency", field="--evidence", mend="Name it: --agency CODE")
    if is_open and number is not None:
        raise WrongUse("an edition is not open", field="--edition", mend="Leave one of --edition and --open out")
    write = _writer(file, format_)
    with opened(config) as assembly:
        code = None if agency is None else known_agency(assembly, agency, wanted.last)
        edition = None if is_open else editions.sealed(assembly.engine, wanted, number)
        if number is not None and edition is None:
            mend = "`collector editions` lists those that there are"
            raise WrongUse(f"there is no edition {number} of {wanted}", field="--edition", mend=mend)
        content = _content(assembly, wanted, edition, code, evidence=evidence, merged=merged)
    if code and not any(one.agency == code for one in content.readings):
        raise WrongUse(f"{code} was not there in {wanted}", mend="`collector agencies` shows from when to when")
    _save(file, write(content))
    if content.seal is None:
        say(f"these figures of {wanted} are not sealed: the report says so")
    wrong = [one.reading.indicator for one in content.evidence if not one.agrees]
    if wrong:
        say(f"the records behind {many(len(wrong), 'figure')} do not come to it: {', '.join(wrong)}", style="red")
        raise typer.Exit(FINDINGS)


def _writer(file: Path, format_: Format | None) -> Callable[[Content], bytes]:
    ending = file.suffix.lower().removeprefix(".")
    if not file.parent.is_dir():
        raise WrongUse(f"there is no folder {file.parent}", field="--output", mend="Name one that is there")
    if format_ is None and ending not in {one.value for one in Format}:
        names = ", ".join(Format)
        raise WrongUse(f"{file.name} does not say what to write", field="--format", mend=f"Use one of {names}")
    return report.WRITERS[format_ or Format(ending)]


def _save(file: Path, written: bytes) -> None:
    try:
        file.write_bytes(written)
    except OSError as error:
        raise WrongUse(
            f"{file} cannot be written ({error.strerror})", field="--output", mend="Name a file that you may write"
        ) from error


def _content(
    assembly: Assembly, period: Period, edition: Edition | None, only: str | None, *, evidence: bool, merged: bool
) -> Content:
    """What a report tells: of an edition of the period, else of now."""
    scores: Sequence[Score]
    if edition is not None:
        readings = editions.edition_readings(edition, ("agency",) if merged else _SCOPES, merged=merged)
        own = [one for one in readings if one.scope == "agency"]
        scores = edition.merged.scores if merged and edition.merged else edition.scores
    else:
        readings = assembly.open_readings(period, _SCOPES)
        if merged:
            readings = assembly.merged(readings, period.last)
        own = [one for one in readings if one.scope == "agency"]
        scores = assembly.open_scores(own, period)  # of the very readings that are told
    definitions = edition.definitions if edition else tuple(definition(one) for one in assembly.indicators)
    months = report.last_twelve_months(period)
    return Content(
        province=assembly.settings.province.name,
        code=assembly.settings.province.code,
        period=period,
        made=assembly.clock() if edition is None else edition.sealed,
        seal=_seal(assembly, period, edition) if edition else None,
        merged=merged,
        blocks=_blocks(assembly, period, own, scores, _groups(assembly, edition)),
        definitions=definitions,
        readings=tuple(readings),
        months=months,
        years=_years(assembly, months, period, merged=merged),
        flags=tuple(_flags(assembly, period, own, only)),
        only=only,
        evidence=tuple(_evidence(assembly, period, edition, own, only, merged=merged)) if evidence and only else (),
    )


def _seal(assembly: Assembly, period: Period, edition: Edition) -> Seal:
    newest = editions.sealed(assembly.engine, period)
    later = newest.number if newest and newest.number > edition.number else None
    return Seal(edition.number, edition.sealed, edition.digest, edition.reason, edition.says, later)


def _evidence(
    assembly: Assembly,
    period: Period,
    edition: Edition | None,
    own: Iterable[Reading],
    agency: str,
    *,
    merged: bool,
) -> Iterator[Told]:
    """The records behind each figure of an agency: those that were sealed with it, or as they are now."""
    behind = {} if edition is None else _sealed_rows(assembly, period, edition, agency, merged=merged)
    declared = {one.id: one for one in assembly.indicators}
    for one in own:
        if one.agency != agency:
            continue
        if edition is None:
            found = assembly.explained(declared[one.indicator], period, agency, merged=merged, is_open=True)
            told = found or Explanation(one, (), ())
            is_one = declared[one.indicator].period == "any"
            yield Told(told.reading, told.columns, [tuple(row) for row in told.rows], is_one_item=is_one)
        else:
            columns, rows = behind.get(one.indicator, ((), []))
            is_one = any(each.id == one.indicator and each.period == "any" for each in edition.definitions)
            yield Told(one, columns, rows, is_one_item=is_one)


def _sealed_rows(
    assembly: Assembly, period: Period, edition: Edition, agency: str, *, merged: bool
) -> dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]]:
    """Columns and rows behind each figure of an agency in an edition; what several merged ones share is there once."""
    into = units(assembly.register, period.last) if merged else {}
    each_once = {one.id for one in edition.definitions if one.each}
    found: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {}
    for one in editions.edition_readings(edition):
        if into.get(one.agency, one.agency) != agency:
            continue
        part = editions.evidence(assembly.engine, edition, one.indicator, one.agency)
        if part is None:
            continue
        columns, rows = found.get(one.indicator, ((), []))
        rows = [*rows, *part.rows]
        if one.indicator in each_once:
            rows = list(dict.fromkeys(rows))
        found[one.indicator] = columns or part.columns, rows
    return found


def _blocks(
    assembly: Assembly,
    period: Period,
    readings: Sequence[Reading],
    scores: Sequence[Score],
    groups: Mapping[str, tuple[Group, ...]],
) -> tuple[Block, ...]:
    """The blocks with their agencies: by rank, then those that have figures and no score."""
    names = names_of(assembly)
    block_of = {one.code: one.block for one in assembly.world(period).members}
    score_of = {one.agency: one for one in scores}
    block_of |= {one.agency: one.block for one in scores}
    codes = list(dict.fromkeys([*score_of, *sorted(one.agency for one in readings)]))
    found = []
    for block in assembly.register.blocks.values():
        inside = [code for code in codes if block_of.get(code) == block.id]
        if inside:
            agencies = tuple(Agency(code, names.get(code, code), score_of.get(code)) for code in inside)
            found.append(Block(block.id, block.title_vi, block.title_en, agencies, groups.get(block.id, ())))
    return tuple(found)


def _groups(assembly: Assembly, edition: Edition | None) -> dict[str, tuple[Group, ...]]:
    """The groups of criteria by block: not of an edition that was scored by another model than the one of now."""
    if edition is not None and edition.model != assembly.settings.scoring.read_text(encoding="utf-8"):
        return {}
    found = {}
    for block in assembly.model().blocks:
        parts = list(block.walk())
        ids = {parent for _, parent in parts}
        found[block.id] = tuple(
            Group(part.id, part.title_vi, part.title_en, parent) for part, parent in parts if part.id in ids
        )
    return found


def _years(
    assembly: Assembly, months: Sequence[Period], period: Period, *, merged: bool
) -> dict[tuple[str, str], tuple[Decimal | None, ...]]:
    """The shares of some months, by agency and indicator; None where none may be told."""
    first = min((source.since for source in assembly.settings.sources.values()), default=0)
    shares: dict[tuple[str, str], list[Decimal | None]] = {}
    for place, month in enumerate(months):
        if month.last < first and editions.sealed(assembly.engine, month) is None:
            continue  # no source tells anything of it
        for one in assembly.shown_merged(month, period.last) if merged else assembly.shown(month):
            if one.value is not None:
                shares.setdefault((one.agency, one.indicator), [None] * len(months))[place] = one.value
    return {key: tuple(some) for key, some in shares.items()}


def _flags(assembly: Assembly, period: Period, own: Sequence[Reading], only: str | None) -> list[flags.Raised]:
    before = assembly.shown(period_before(period))
    with reading_store(assembly.engine) as connection:
        return flags.raised(connection, period, assembly.clock(), assembly.indicators, own, before, only)
