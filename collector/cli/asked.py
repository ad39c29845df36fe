"""What arguments mean: sources, days, periods, scopes and agencies; and the figures that they ask for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from collector import editions
from collector import readings as figures
from collector.assembly import Assembly
from collector.contract.errors import WrongUse
from collector.contract.indicator import Indicator
from collector.contract.period import Period, iso, local_day, month_of, parse_day, parse_period, plus_days
from collector.contract.reading import Reading, Scope
from collector.editions import log
from collector.settings.shape import Source
from collector.store.engine import reading as reading_store


def chosen_sources(assembly: Assembly, names: Sequence[str] | None) -> list[Source]:
    """The sources of these names, all if none is given; WrongUse for a name that the configuration does not have."""
    known = assembly.settings.sources
    for name in names or ():
        if name not in known:
            raise WrongUse(f"there is no source {name}", mend=f"The configuration has {', '.join(known)}")
    return [known[name] for name in names or known]


def day_of(text: str | None, option: str) -> int | None:
    """The local day that was written for an option; WrongUse if it is none."""
    try:
        return None if text is None else parse_day(text)
    except ValueError as error:
        raise WrongUse(str(error), field=option) from None


def periods_of(texts: Iterable[str]) -> list[Period]:
    """The periods that were written; WrongUse for what is none."""
    try:
        return [parse_period(text) for text in texts]
    except ValueError as error:
        raise WrongUse(str(error)) from None


def period_of(text: str) -> Period:
    """The period that was written; WrongUse if it is none."""
    return periods_of([text])[0]


_SCOPES: Mapping[str, Scope] = {"agency": "agency", "block": "block", "province": "province"}


def scopes_of(texts: Sequence[str] | None) -> list[Scope]:
    """The scopes that were written, each once; agencies if none was; WrongUse for what is none."""
    texts = texts or ("agency",)
    for text in texts:
        if text not in _SCOPES:
            raise WrongUse(f"{text} is no scope", field="--scope", mend=f"Use {', '.join(_SCOPES)}")
    return list(dict.fromkeys(_SCOPES[text] for text in texts))


def known_agency(assembly: Assembly, agency: str, day: int | None = None) -> str:
    """The code of an agency, given it or an old one of a day (today); WrongUse if the register has neither."""
    if agency in assembly.register.agencies:
        return agency
    code = assembly.register.resolve("", agency, day or local_day(assembly.clock()))
    if code is None:
        raise WrongUse(
            f"{agency} is not in the register of agencies", field="agency", mend="`collector agencies` lists the codes"
        )
    return code


def names_of(assembly: Assembly) -> dict[str, str]:
    """The names of all blocks, agencies and the province, by their codes."""
    blocks = {block.id: block.title_vi for block in assembly.register.blocks.values()}
    agencies = {code: agency.name for code, agency in assembly.register.agencies.items()}
    return blocks | agencies | {assembly.settings.province.code: assembly.settings.province.name}


def usual_periods(assembly: Assembly) -> list[Period]:
    """The last month and the current one."""
    current = month_of(local_day(assembly.clock()))
    return [month_of(plus_days(current.first, -1)), current]


def told_of_editions(assembly: Assembly, periods: Iterable[Period]) -> list[str]:
    """Say which of some periods are sealed: what is shown of them is their edition."""
    found = []
    for period in periods:
        sealed = editions.sealed(assembly.engine, period)
        if sealed is not None:
            why = f", {sealed.reason}" if sealed.reason else ""
            found.append(f"{period}: edition {sealed.number}, sealed on {iso(local_day(sealed.sealed))}{why}")
    return found


def instant_of(text: str) -> int:
    """The instant (epoch seconds) that is meant by a day, which is its end, or by an instant in RFC 3339."""
    try:
        return log.end_of(parse_day(text))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        mend = "Write it like 2026-02-28, or 2026-02-28T08:00:00+07:00"
        raise WrongUse(f"{text!r} is neither a day nor an instant", field="--as-of", mend=mend)
    return int(found.timestamp())


def take(
    assembly: Assembly,
    periods: Sequence[Period],
    scopes: Sequence[Scope] = ("agency",),
    indicators: Sequence[Indicator] | None = None,
) -> list[Reading]:
    """The readings of some periods, of all indicators if none is named."""
    indicators = assembly.indicators if indicators is None else indicators
    with reading_store(assembly.engine) as connection:
        return [
            one
            for period in periods
            for one in figures.take(connection, indicators, assembly.tallies, assembly.world(period), period, scopes)
        ]
