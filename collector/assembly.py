"""Puts the program together: settings, register, calendar, connectors, indicators and store, and hands them on.

The only place, with the command line and the daemon, that finds connectors and indicators, by their names.
"""

import getpass
import os
import pkgutil
import re
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

import connectors
import indicators
from collector import __version__, agencies, declarations, editions, probing, succession, workdays, yaml_file
from collector import readings as figures
from collector.clock import Clock, fixed_clock, system_clock
from collector.collect import Job, Tools
from collector.contract.connector import Connector, forget_of, offered
from collector.contract.declared import Declared
from collector.contract.errors import WrongUse
from collector.contract.indicator import OF_PERSONS, Indicator
from collector.contract.period import Period, iso, local_day, parse_period, period_before
from collector.contract.reading import Basis, Reading, Scope, Score
from collector.contract.records import Mailbox, Probe
from collector.declarations import Item
from collector.editions import Counting, Drifted, Edition, Sealer
from collector.hours import Hours
from collector.privacy import Keeper
from collector.readings import Explanation, Member, Served, World
from collector.settings import Settings, load
from collector.settings.shape import Probing, Source
from collector.settings.typed import Reader
from collector.sinks.scoring import Sealed, Unit, message
from collector.store import locks, tallies
from collector.store.engine import open_engine, writing
from collector.store.engine import reading as reading_store
from collector.store.outbox import Message
from collector.store.reference import refresh
from collector.transports import Run, open_door, reach
from collector.transports.pseudonym import Pseudonyms
from indicators.scoring.file import ModelFile
from indicators.scoring.model import Model
from indicators.scoring.points import changed, declared_in, score

_NAME = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Assembly:
    """The program, ready to be used by a command or the daemon."""

    settings: Settings
    register: agencies.Register
    indicators: tuple[Indicator, ...]
    tallies: tallies.Tallies
    engine: Engine
    clock: Clock
    pseudonyms: Pseudonyms

    @property
    def tools(self) -> Tools:
        """What all runs of sources share."""
        holder = f"{getpass.getuser()}@{socket.gethostname()}{locks.PROCESS}{os.getpid()}"
        return Tools(self.engine, self.register, self.tallies, self.clock, system_clock, holder)

    def job(self, source: Source, *, any_time: bool = False) -> Job:
        """What a run of one source needs. `any_time`: it goes on also when its hours end."""
        connector = find_connector(source.connector)
        return Job(
            source=source.name,
            connector=connector,
            config=source.config,
            since=source.since,
            open_door=lambda began: open_door(source.door, self.run(source, began, any_time=any_time)),
        )

    def run(self, source: Source, began: int, *, any_time: bool = False) -> Run:
        """One run of a source, as its door sees it; its deadline is no later than the end of its hours."""
        self.pseudonyms.forget_destroyed()
        # A probe is one request, and there is at most one in a minute: together they keep to the budget.
        budget = source.requests_per_minute - (source.probe is not None)
        end = None if any_time else hours(source).end(began)
        deadline = source.deadline if end is None else min(source.deadline, end - began)
        return Run(source.name, began, deadline, budget, self.pseudonyms.at_door)

    @property
    def watch(self) -> probing.Watch:
        """What asks the sources whether they answer."""
        plans = {}
        for source in self.settings.sources.values():
            if (probe := source.probe) is not None:
                target = asked(source, probe)
                windows = hours(source).maintenance
                plan = probing.Plan(source.name, probe.every, probe.within, probe.opens, probe.closes, windows)
                plans[source.name] = (plan, target.answers)
        return probing.Watch(self.engine, self.register, self.tallies, plans)

    @property
    def keeper(self) -> Keeper:
        """What the destruction of a month needs."""
        forget = {}
        for source in self.settings.sources.values():
            connector = find_connector(source.connector)
            if not OF_PERSONS.isdisjoint(connector.RECORDS):
                forget[source.name] = forget_of(connector)
        tools, appeal_days = self.tools, self.settings.privacy.appeal_days
        return Keeper(
            self.engine, self.pseudonyms, self.tallies, forget, appeal_days, self.clock, system_clock, tools.holder
        )

    def world(self, period: Period) -> World:
        """All agencies, those of a period as they are in it; which source serves whom; and the present."""
        members = []
        for agency in self.register.agencies.values():
            begun = [term for term in agency.terms if term.from_day <= period.last] or agency.terms[:1]
            terms = [term for term in begun if term.to_day is None or term.to_day >= period.first] or begun[-1:]
            first, last = terms[0], terms[-1]
            members.append(Member(agency.code, last.block, first.from_day, last.to_day, agency.outside))
        serving = []
        for source in self.settings.sources.values():
            records = frozenset(record.NAME for record in offered(find_connector(source.connector), source.config))
            if source.probe is not None:
                records |= {Probe.NAME}
            for code, from_day in source.serves.among(self.register.agencies, source.since).items():
                serving.append(Served(source.name, code, from_day, records, source.stale_after))
        province = self.settings.province.code
        limit, legacies = self.settings.limits.unknown_share, succession.legacies(self.register.legacies())
        return World(province, members, serving, self.clock(), limit, legacies)

    def model(self) -> Model:
        """The scoring model. WrongUse, naming file, line, key and the mend, if it is wrong."""
        faults = yaml_file.Faults(self.settings.scoring)
        top = yaml_file.read(self.settings.scoring, faults)
        file = Reader(faults, {}).model(ModelFile, top, "")
        _against_indicators(top, "", {one.id: one for one in self.indicators}, faults)
        faults.finish()
        assert isinstance(file, ModelFile)
        try:
            return _steps_as_better(file.model(), self.indicators)
        except WrongUse as error:
            raise WrongUse(f"{self.settings.scoring}: {error}") from None

    def declarations(self, model: Model) -> tuple[Item, ...]:
        """All that agencies declare. WrongUse, naming file, line, key and the mend, if something is wrong."""
        by_block = {block.id: {one.id: one.indicator for one in block.criteria} for block in model.blocks}
        criteria = {
            agency.code: {id_: on for term in agency.terms for id_, on in by_block.get(term.block, {}).items()}
            for agency in self.register.agencies.values()
        }
        return declarations.read(self.settings.declared, criteria)

    def declared(self, model: Model, period: Period) -> list[Declared]:
        """What is declared of a period."""
        return declarations.in_force(self.declarations(model), period)

    @property
    def measured_from(self) -> dict[str, Basis]:
        """What the figures of each indicator rest on."""
        return {one.id: one.measured_from for one in self.indicators}

    def rank(
        self,
        readings: Iterable[Reading],
        period: Period,
        model: Model | None = None,
        items: Sequence[Item] | None = None,
    ) -> list[Score]:
        """Score and rank the agencies of a period from its readings.

        Those marked as outside are listed unranked, and so are those that ended before its last day, unless the
        readings are merged: then they are part of their successors. `model` is the scoring model as it was read once
        (else it is read now), and `items` what is declared.
        """
        model = model or self.model()
        items = self.declarations(model) if items is None else items
        readings = list(readings)
        ranked_in = {block.id for block in model.blocks}
        units = [one for one in self.units(readings, period) if not one.not_ranked or one.block in ranked_in]
        not_ranked = {one.agency: one.not_ranked for one in units if one.not_ranked}
        model = replace(model, not_ranked={**not_ranked, **model.not_ranked})
        blocks = {one.agency: one.block for one in units}
        return score(model, readings, blocks, self.measured_from, declarations.in_force(items, period))

    def units(self, readings: Iterable[Reading], period: Period) -> list[Unit]:
        """The agencies that were there in a period, each with why the register wants it unranked.

        One that ended before the period's last day is among them only if it has readings of its own.
        """
        figured = {one.agency for one in readings}
        today = min(period.last, local_day(self.clock()))
        units = []
        for member in self.world(period).members:
            agency = self.register.agencies[member.code]
            ended = ""
            if member.to_day is not None and member.to_day < today:
                ended = succession.ended(
                    member.to_day, [agency.successor] if agency.successor else agency.divided_among
                )
            if member.there(period) and not (ended and member.code not in figured):
                units.append(Unit(agency.code, agency.name, member.block, member.outside or ended))
        return units

    def open_message(self, readings: Iterable[Reading], period: Period, as_of: int) -> Message:
        """What a scoring service is told of a period that is not sealed: its readings as they were at an instant."""
        return self.message(readings, period, as_of=as_of)

    def message(
        self, readings: Iterable[Reading], period: Period, sealed: Sealed | None = None, as_of: int | None = None
    ) -> Message:
        """What a scoring service is told of a period: its readings as they are sealed, or as they are now."""
        readings = list(readings)
        province = self.settings.province
        return message(
            (province.code, province.name),
            period,
            self.clock() if as_of is None else as_of,
            readings,
            self.units(readings, period),
            self.indicators,
            self.declared(self.model(), period),
            sealed,
        )

    def merged(self, readings: Iterable[Reading], day: int) -> list[Reading]:
        """Add up the readings of agencies that are one on a day; see `succession.merged`."""
        indicators = {one.id: one for one in self.indicators}
        with reading_store(self.engine) as connection:
            return succession.merged(connection, readings, indicators, succession.units(self.register, day))

    def changes(
        self, scores: Sequence[Score], former: Iterable[Reading], period: Period, model: Model | None = None
    ) -> list[Score]:
        """Return scores with each agency's change of rank against a former period, given that period's readings.

        Like is compared with like: the agencies ranked now by their figures of then, each with those of all that it
        took over since; one that was not there then, nor anything that became it, has no place in that ranking. What
        was declared is that of the former period's edition, if it was sealed.
        """
        model = model or self.model()
        readings = self.merged(former, period.last)
        figured = {one.agency for one in readings}
        blocks = {one.agency: one.block for one in scores if one.rank is not None and one.agency in figured}
        before = period_before(period)
        sealed = editions.sealed(self.engine, before)
        declared = self.declared(model, before) if sealed is None else declared_in(sealed.scores)
        return changed(scores, score(model, readings, blocks, self.measured_from, declared))

    def open_readings(
        self, period: Period, scopes: Sequence[Scope] = ("agency",), chosen: Sequence[Indicator] | None = None
    ) -> list[Reading]:
        """The readings of a period as they are now, sealed or not."""
        wanted = self.indicators if chosen is None else chosen
        with reading_store(self.engine) as connection:
            return figures.take(connection, wanted, self.tallies, self.world(period), period, scopes)

    def shown(
        self, period: Period, scopes: Sequence[Scope] = ("agency",), chosen: Sequence[Indicator] | None = None
    ) -> list[Reading]:
        """The readings of a period that count: those of its newest edition, or as they are now if it is not sealed."""
        sealed = editions.sealed(self.engine, period)
        if sealed is None:
            return self.open_readings(period, scopes, chosen)
        return editions.edition_readings(sealed, scopes, chosen)

    def shown_merged(
        self, period: Period, day: int, chosen: Sequence[Indicator] | None = None, *, is_open: bool = False
    ) -> list[Reading]:
        """The readings of agencies of a period that count, each with all that are merged into it by a day.

        `is_open`: as they are now, sealed or not.
        """
        sealed = None if is_open else editions.sealed(self.engine, period)
        if sealed is None:
            return self.merged(self.open_readings(period, chosen=chosen), day)
        if day == period.last:
            return editions.edition_readings(sealed, indicators=chosen, merged=True)
        return self.merged(editions.edition_readings(sealed, indicators=chosen), day)

    def explained(
        self, declared: Indicator, period: Period, agency: str, *, merged: bool = False, is_open: bool = False
    ) -> Explanation | None:
        """The rows behind an agency's figure of a period: those that were sealed with it, or as they are now.

        None if the agency has no such figure.
        """
        sealed = None if is_open else editions.sealed(self.engine, period)
        into = succession.units(self.register, period.last)

        def own(readings: Iterable[Reading]) -> list[Reading]:
            return [one for one in readings if (into.get(one.agency) if merged else one.agency) == agency]

        if sealed is None:
            world = self.world(period)
            with reading_store(self.engine) as connection:
                found = own(figures.take(connection, [declared], self.tallies, world, period))
                parts = [figures.explain(connection, declared, one, period, world) for one in found]
        else:
            found = own(editions.edition_readings(sealed, indicators=[declared]))
            parts = []
            for one in found:
                rows = editions.evidence(self.engine, sealed, one.indicator, one.agency)
                parts.append(Explanation(one, rows.columns, rows.rows) if rows else Explanation(one, (), ()))
        if not merged:
            return parts[0] if parts else None
        taken = self.shown_merged(period, period.last, [declared], is_open=is_open)
        total = next((one for one in taken if one.agency == agency), None)
        return None if total is None else figures.one_explanation(declared, total, parts)

    def shown_scores(self, period: Period, *, merged: bool = False, model: Model | None = None) -> list[Score]:
        """The ranking of a period that counts: that of its newest edition, or as it is now if it is not sealed.

        Each agency's change is that against the period before. `merged`: with each agency's successors merged.
        """
        sealed = editions.sealed(self.engine, period)
        if sealed is None:
            taken = self.open_readings(period)
            return self.open_scores(self.merged(taken, period.last) if merged else taken, period, model)
        return list(sealed.merged.scores if merged and sealed.merged is not None else sealed.scores)

    def open_scores(self, readings: Iterable[Reading], period: Period, model: Model | None = None) -> list[Score]:
        """Rank the agencies of a period by some readings of it, each with its change against the period before."""
        model = model or self.model()
        return self.changes(self.rank(readings, period, model), self.shown(period_before(period)), period, model)

    def drifted(self) -> list[Drifted]:
        """The sealed periods whose figures would be others now."""
        with reading_store(self.engine) as connection:
            return editions.drifted(connection, self.counting)

    @property
    def counting(self) -> Counting:
        """What open readings are counted with."""
        return Counting(
            engine=self.engine,
            province=self.settings.province.code,
            indicators=self.indicators,
            tallies=self.tallies,
            world=self.world,
            clock=self.clock,
        )

    @property
    def sealer(self) -> Sealer:
        """What seals and restates periods."""
        model = self.model()

        def told(one: Edition) -> Message:
            period = parse_period(one.period)
            return self.message(one.readings, period, Sealed(one.number, one.reason, one.digest))

        return Sealer(
            engine=self.engine,
            province=self.settings.province.code,
            indicators=self.indicators,
            tallies=self.tallies,
            world=self.world,
            score=lambda readings, period: self.open_scores(readings, period, model),
            units=lambda day: succession.units(self.register, day),
            message=told,
            model=self.settings.scoring.read_text(encoding="utf-8"),
            register_digest=self.register.digest,
            unknown_share=self.settings.limits.unknown_share,
            clock=self.clock,
            program=f"collector {__version__}",
        )

    def doubts(self) -> list[str]:
        """What is allowed, but is more likely a slip.

        Aliases for a source that there is not, two inventories of mailboxes for one agency, agencies that since the
        first day that is read ended and left nobody, or began before those ended whom they succeed, years without a
        file or with a draft. An alias may name a source that is no longer read: its records stay, and so do their
        agencies. And values that are declared without evidence, pages that anybody sees, receivers told in the clear.
        """
        known = [agencies.ANY, *self.settings.sources]
        doubts = [
            f"{self.settings.agencies}: {agency.code} has aliases for {source}, which is no source. "
            f"{yaml_file.nearest(source, known)}"
            for agency in self.register.agencies.values()
            for source in agency.aliases
            if source not in known
        ]
        doubts += self._two_inventories()
        listen = self.settings.serve
        if listen.web is None and listen.host not in ("127.0.0.1", "::1", "localhost"):
            doubts.append(
                f"{self.settings.path}: serve: anybody who reaches {listen.host} sees the pages. Listen on 127.0.0.1,"
                " or name a web.yml with TLS and users"
            )
        doubts += [
            f"{self.settings.path}: receivers: {one.name} is told over http://, so whoever listens on the way reads the"
            " token and the figures, and may answer in its place. Write https:// in its `url`"
            for one in self.settings.receivers.values()
            if one.options.in_the_clear
        ]
        if self.settings.declared.exists():
            items = self.declarations(self.model())
            doubts += declarations.doubts(self.settings.declared, items, local_day(self.clock()))
        first = min((source.since for source in self.settings.sources.values()), default=99990101)
        doubts += [
            f"{self.settings.agencies}: {agency.code} ended on {iso(agency.end)}, and nobody took over: what is dated "
            "later under its code is nobody's. Name its `successor`, or those that it was `divided_among`"
            for agency in self.register.agencies.values()
            if agency.end is not None and first <= agency.end < local_day(self.clock())
            if agency.successor is None and not agency.divided_among
        ]
        doubts += [
            f"{self.settings.agencies}: {agency.successor} began on {iso(self.register.begin(agency.successor))}, "
            f"before {agency.code} ended, and is its successor: for some days both are judged. Correct one of the two "
            "days, or leave it so if it was there before and took over the other"
            for agency in self.register.agencies.values()
            if agency.end is not None and agency.successor is not None
            if first <= self.register.begin(agency.successor) <= agency.end
        ]
        for year in range(first // 10_000, local_day(self.clock()) // 10_000 + 1):
            path = self.settings.workdays / f"{year}.yaml"
            if not path.exists():
                doubts.append(
                    f"{path}: there is no such file, so the working days of {year} are a draft and figures that need "
                    f"them are partial. Begin it with `collector workdays {year} --draft`, and correct it after that"
                    " year's decision"
                )
            elif workdays.read_year(path, year).provisional:
                doubts.append(
                    f"{path}: provisional: this is a draft, so figures that need the working days of {year} are "
                    "partial. Correct it after that year's decision, and delete `provisional`"
                )
        return doubts

    def _two_inventories(self) -> list[str]:
        """Say where two sources tell which mailboxes an agency has: those that both list count twice."""
        shared: dict[tuple[str, ...], list[str]] = {}
        serving = [one for one in self.world(Period(0, 99991231, "year")).serving if Mailbox.NAME in one.records]
        for code in self.register.agencies:
            sources = tuple(sorted({one.source for one in serving if one.agency == code}))
            if len(sources) > 1:
                shared.setdefault(sources, []).append(code)
        return [
            f"{self.settings.path}: {' and '.join(sources)} each tell which mailboxes {_some(codes)} have: one that"
            " both list counts twice. Set `lists: ''` where only the log is to be read, or narrow `serves`, or the"
            " settings that say which mailboxes a source reads"
            for sources, codes in shared.items()
        ]

    def chosen(self, names: Iterable[str]) -> list[Indicator]:
        """The indicators with some ids, or of some families (`mailboxes`); WrongUse for an unknown one."""
        wanted: set[str] = set()
        for name in names:
            family = {one.id for one in self.indicators if one.id.startswith(f"{name}.")}
            wanted |= family or {self.indicator(name).id}
        return [one for one in self.indicators if one.id in wanted]

    def indicator(self, id_: str) -> Indicator:
        """Return an indicator by its id; WrongUse, naming those that there are, if there is none."""
        for one in self.indicators:
            if one.id == id_:
                return one
        known = ", ".join(one.id for one in self.indicators)
        raise WrongUse(f"there is no indicator {id_}", mend=f"Use one of {known}")


def _against_indicators(
    node: yaml_file.Node, key: str, known: Mapping[str, Indicator], faults: yaml_file.Faults
) -> None:
    """Note criteria whose indicator there is not, and those that give points for what should not happen."""
    if isinstance(node, yaml_file.Many):
        for place, item in enumerate(node.items):
            _against_indicators(item, f"{key}[{place}]", known, faults)
    if not isinstance(node, yaml_file.Keys):
        return
    for name, below in node.items.items():
        _against_indicators(below, f"{key}.{name}" if key else name, known, faults)
    written = node.items.get("indicator")
    if not isinstance(written, yaml_file.Text):
        return
    where, line = f"{key}.indicator", node.lines["indicator"]
    indicator = known.get(written.text)
    if indicator is None:
        faults.add(line, where, f"there is no indicator {written.text}", yaml_file.nearest(written.text, known))
        return
    rule = node.items.get("rule")
    inverse = isinstance(rule, yaml_file.Text) and rule.text == "inverse"
    stepped = isinstance(rule, yaml_file.Text) and rule.text == "steps"
    if inverse != (indicator.better == "lower") and not stepped:
        wrong = f"of {indicator.id} {'less' if indicator.better == 'lower' else 'more'} is better"
        mend = "Write `rule: inverse`" if indicator.better == "lower" else "Leave `rule: inverse` out"
        faults.add(line, where, wrong, mend)


def _steps_as_better(model: Model, known: Iterable[Indicator]) -> Model:
    """Return a model whose steps rise where more is better, and fall where less is. WrongUse otherwise."""
    falling = {one.id: one.better == "lower" for one in known}
    for block in model.blocks:
        for one in block.criteria:
            if one.steps and one.falls != falling.get(one.indicator, False):
                better = "less" if falling.get(one.indicator, False) else "more"
                raise WrongUse(
                    f"the steps of criterion {one.id} of block {block.id} run the wrong way: {better} is better",
                    stage="configuration",
                    field=f"blocks.{block.id}.criteria",
                    mend="Turn their shares round" if one.falls else "Let them fall from `[0, 1]` on",
                )
    return model


def _some(codes: list[str]) -> str:
    return ", ".join(codes) if len(codes) <= 3 else f"{', '.join(codes[:2])} and {len(codes) - 2} more agencies"


def find_connector(name: str) -> Connector:
    """Return the connector `<family>.<name>`; LookupError, saying which there are, if there is none."""
    if _NAME.fullmatch(name) and find_spec(f"connectors.{name.partition('.')[0]}") and find_spec(f"connectors.{name}"):
        module = import_module(f"connectors.{name}")
        if hasattr(module, "fetch"):  # else a part of one
            return cast(Connector, module)
    raise LookupError(f"there is no connector {name}; there are {', '.join(connector_names())}")


def connector_names() -> list[str]:
    """The names of all connectors: modules of a family that have `fetch`, so that their own parts do not count."""
    names = []
    for family in pkgutil.iter_modules(connectors.__path__):
        package = import_module(f"connectors.{family.name}")
        for module in pkgutil.iter_modules(package.__path__):
            name = f"{family.name}.{module.name}"
            if hasattr(import_module(f"connectors.{name}"), "fetch"):
                names.append(name)
    return names


def find_indicators() -> tuple[Indicator, ...]:
    """All indicators of all families, by id."""
    found: list[Indicator] = []
    for module in pkgutil.iter_modules(indicators.__path__):
        if not module.ispkg:
            found.extend(cast(Any, import_module(f"indicators.{module.name}")).INDICATORS)
    return tuple(sorted(found, key=lambda one: one.id))


def hours(source: Source) -> Hours:
    """When a source may be read."""
    return Hours(*source.hours, tuple((one.begins, one.ends) for one in source.maintenance))


def asked(source: Source, probe: Probing) -> reach.Target:
    """What is asked whether a source answers."""
    target = reach.of_door(source.door) if probe.at is None else reach.address(probe.at)
    assert target is not None  # the settings see to it
    return target


def _served(settings: Settings, register: agencies.Register) -> list[tuple[str, str, int]]:
    """Which source serves which agency from which day on."""
    return [
        (source.name, code, from_day)
        for source in settings.sources.values()
        for code, from_day in source.serves.among(register.agencies, source.since).items()
    ]


@contextmanager
def assemble(path: Path, environment: Mapping[str, str]) -> Iterator[Assembly]:
    """Read the configuration, open the store and bring it in line with register, calendar and declarations.

    Raises WrongUse with every fault found in the files.
    """
    settings = load(path, find_connector, environment)
    register = agencies.read(settings.agencies)
    clock = system_clock if settings.now is None else fixed_clock(settings.now)
    this_year = local_day(clock()) // 10_000
    first_year = min((source.since for source in settings.sources.values()), default=this_year * 10_000) // 10_000
    # One year on both sides: due dates run ahead, and pauses that began before the first day may end after it.
    calendar = workdays.calendar(settings.workdays, first_year - 1, this_year + 1)
    found = find_indicators()
    plan = tallies.plan(found)
    try:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(
            f"the state folder {settings.state} cannot be made ({error.strerror})",
            stage="configuration",
            field="state",
            mend="Name a folder that the collector's account may write to",
        ) from error
    try:
        engine = open_engine(settings.store_url.get_secret_value())
    except DatabaseError as error:
        raise WrongUse(
            f"the store cannot be opened ({error.orig})",
            stage="configuration",
            field="store",
            mend="Correct `state` or `store`, or let the collector's account read and write that file and its folder",
        ) from error
    try:
        with writing(engine) as connection:
            refresh(connection, register, calendar, plan, _served(settings, register))
        assembly = Assembly(settings, register, found, plan, engine, clock, Pseudonyms(settings.state / "keys"))
        assembly.world(Period(0, 99991231, "year"))  # names agencies that a source claims to serve and nobody knows
        yield assembly
    finally:
        engine.dispose()
