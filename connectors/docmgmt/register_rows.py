"""From a page of the source's values to rows of a record: the plan of a table, and what its columns become."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import FromClause

from collector.contract.connector import BadRow, Columnar, Row
from collector.contract.door import Rows
from collector.contract.errors import UnexpectedAnswer
from collector.contract.period import day_start
from collector.contract.records import Delivery, Document, Record, columns
from connectors.docmgmt.organ_codes import json_list, outside, scope_of_list, separated
from connectors.docmgmt.register_mapping import Config, Constant, Deliveries, Documents, Recipients
from connectors.register import values
from connectors.register.pages import Page, existing
from connectors.register.values import Clock, Remembered, Unusable

_MILLION = 1_000_000
_EVER = -(2**62)
NO_ID = "(no id)"
"""Stands in a quarantine for the key of a row without an id."""

_FLAGS = {"1": 1, "0": 0, "true": 1, "false": 0}
_ISSUED, _REMOVED, _CHANGED = (columns(Document).index(name) for name in ("issued_day", "removed", "changed"))


@dataclass(slots=True)
class Converted:
    """The rows of one page. `versions` is what each value of `changed` became."""

    rows: Sequence[Row]
    bad: list[BadRow]
    versions: Sequence[Any]


@dataclass(slots=True)
class Plan:
    """How one table is read: `fields` are its columns by our field name, `names` what the site calls them."""

    record: type[Record]
    table: FromClause
    fields: dict[str, Any]
    names: Mapping[str, str]
    changed: Clock
    convert: Callable[["Plan", Page, int], Converted]
    joined: bool = False  # `table` is already joined with the documents
    of_changed: set[str] = field(default_factory=set)  # the kinds of value met in the changed column

    def rows(self, page: Page, began: int) -> Converted:
        """Convert a page. `began` (epoch seconds) is the version of rows without one."""
        return self.convert(self, page, began)


def plan_of_documents(config: Config, door: Rows, since: int, *, asked: bool = False) -> Plan:
    """Return the plan of the table of documents, after looking at what columns it has.

    Documents issued before `since` are left out; one that may have been kept before its day was corrected (or that
    was `asked` for by its key) is marked as removed.
    """
    told = config.documents
    names = _names(told, ("id", "agency", "direction", "scope", "issued", "electronic", "paper", "signed", "recalled"))
    names |= _names(told, ("sender", "document_id", "deleted", "due", "completed", "status"))
    names |= _followed(config, told) | _only(told)
    if told.recipients is not None:
        names["recipients"] = told.recipients.column
    fields = existing(door, told.table, told.schema_name, names, "document")
    table = fields.pop("")
    changed = _clock(config, told, "changed")
    days = {name: _clock(config, told, name) for name in ("issued", "due", "completed")}
    direction = values.needed(
        _meanings(told, "direction", {"out": "out", "in": "in"}), "is a direction that the mapping does not explain"
    )
    codes, statuses, texts = values.codes(), _statuses(told), values.texts()
    flags = {name: _meanings(told, name, _FLAGS) for name in ("electronic", "paper", "signed", "recalled", "deleted")}
    if told.recipients is not None:
        scope, scope_from = _scope_of(told.recipients), "recipients"
    else:
        scope, scope_from = _meanings(told, "scope", {"internal": "internal", "external": "external"}), "scope"
    earliest = _EVER if asked else day_start(since) * _MILLION

    def convert(plan: Plan, page: Page, began: int) -> Converted:
        made = _Columns(plan, page)
        made.ids("key", "id")
        made.mapped("agency_code", "agency", codes, told.agency)
        versions = made.versions(began)
        made.columns["removed"] = [one or 0 for one in made.mapped("removed", "deleted", flags["deleted"])]
        made.mapped("direction", "direction", direction, told.direction)
        if scope_from == "recipients":
            made.hashable(scope_from)
        made.mapped("scope_stated", scope_from, scope, told.scope)
        for name in ("issued", "due", "completed"):
            made.days(f"{name}_day", name, days[name])
        made.mapped("electronic_stated", "electronic", flags["electronic"], told.electronic)
        made.mapped("paper_too", "paper", flags["paper"], told.paper)
        made.mapped("signed", "signed", flags["signed"], told.signed)
        made.mapped("recalled", "recalled", flags["recalled"], told.recalled)
        made.mapped("source_status", "status", statuses)
        made.mapped("document_id", "document_id", texts)
        made.mapped("counterpart", "sender", texts)
        made.keep_only(told.only)
        rows: Sequence[Row]
        rows, bad = made.rows()
        issued = {day for day in set(made.columns["issued_day"]) if isinstance(day, int)}
        if issued and min(issued) < since:
            rows = _not_before(rows, since, earliest)
        return Converted(rows, bad, versions)

    return Plan(Document, table, fields, names, changed, convert)


def _not_before(rows: Sequence[Row], since: int, earliest: int) -> list[Row]:
    kept = []
    for row in rows:
        if row[_ISSUED] is None or row[_ISSUED] >= since:
            kept.append(row)
        elif row[_CHANGED] >= earliest:
            # Its day may have been corrected after it was kept; what has not changed since then never was.
            kept.append((*row[:_REMOVED], 1, *row[_REMOVED + 1 :]))
    return kept


def plan_of_deliveries(config: Config, door: Rows, documents: Plan) -> Plan | None:
    """Return the plan of the table of deliveries, or None if there is none."""
    told = config.deliveries
    if told is None:
        return None
    names = _names(told, ("id", "document", "counterpart", "electronic", "sent", "deleted"))
    names |= _names(told, ("received", "received_on", "refused", "recalled", "document_id"))
    names |= _followed(config, told) | _only(told)
    fields = existing(door, told.table, told.schema_name, names, "delivery")
    table = fields.pop("")
    joined = told.changed is None and "changed" in documents.fields
    if joined:
        names["changed"] = documents.names["changed"]
        fields["changed"] = documents.fields["changed"]
        table = table.join(documents.table, fields["document"] == documents.fields["id"])
    changed = _clock(config, told, "changed") if told.changed else _clock(config, config.documents, "changed")
    sent, received_on = _clock(config, told, "sent"), _clock(config, told, "received_on")
    texts, is_outside = values.texts(), outside(told.inside or (), told.outside or ())
    flags = {name: _meanings(told, name, _FLAGS) for name in ("electronic", "received", "refused", "recalled")}
    deleted = _meanings(told, "deleted", _FLAGS)

    def convert(plan: Plan, page: Page, began: int) -> Converted:
        made = _Columns(plan, page)
        ids, parents = made.ids("key", "id"), made.ids("document", "document")
        if Unusable in {*map(type, ids), *map(type, parents)}:
            ids, parents = list(map(_told, ids)), list(map(_told, parents))
        made.columns["key"] = [f"{parent}|{one}" for parent, one in zip(parents, ids, strict=True)]
        made.columns["agency_code"] = [""] * page.size
        versions = made.versions(began)
        made.columns["removed"] = [one or 0 for one in made.mapped("removed", "deleted", deleted)]
        made.mapped("counterpart", "counterpart", texts)
        made.columns["outside"] = [None] * page.size
        if told.inside is not None or told.outside is not None:
            made.mapped("outside", "counterpart", is_outside)
        made.mapped("electronic", "electronic", flags["electronic"], told.electronic)
        made.days("sent_day", "sent", sent)
        received = made.mapped("received", "received", flags["received"], told.received)
        days = made.days("received_day", "received_on", received_on)
        if told.received_on is not None:
            if told.received is None:
                made.columns["received"] = [0 if day is None else 1 for day in days]
            else:  # a day that is kept for something else proves no receipt
                proven = zip(days, received, strict=True)
                days = [day if one == 1 or type(day) is Unusable else None for day, one in proven]
                made.columns["received_day"] = days
        made.mapped("refused", "refused", flags["refused"], told.refused)
        made.mapped("recalled", "recalled", flags["recalled"], told.recalled)
        made.mapped("document_id", "document_id", texts)
        made.columns["status_told"] = [int(told.tells_statuses)] * page.size
        made.keep_only(told.only)
        rows, bad = made.rows()
        return Converted(rows, bad, versions)

    return Plan(Delivery, table, fields, names, changed, convert, joined)


def _names(told: Documents | Deliveries, fields: Sequence[str]) -> dict[str, str]:
    return {name: one for name in fields if isinstance(one := getattr(told, name), str)}


def _followed(config: Config, told: Documents | Deliveries) -> dict[str, str]:
    """The changed column, unless the register is read without it."""
    return _names(told, ("changed",)) if config.read_by == "changed" else {}


def _only(told: Documents | Deliveries) -> dict[str, str]:
    return {f"only {column}": column for column in told.only}


def _scope_of(told: Recipients) -> Remembered:
    if told.json_of is None:
        return scope_of_list(separated(told.separator or ""), told.inside, told.outside or (), told.ignore)
    return scope_of_list(json_list(told.member), told.inside, told.outside or (), told.ignore)


def _clock(config: Config, told: Documents | Deliveries, name: str) -> Clock:
    return Clock(config.time_zone, told.formats.get(name), config.no_date)


def _meanings(told: Documents | Deliveries, name: str, otherwise: Mapping[str, Any]) -> Remembered:
    meant = told.values.get(name)
    if meant is None:
        return values.meanings(otherwise)
    flags = otherwise is _FLAGS
    return values.meanings({one: int(ours) if flags and ours is not None else ours for one, ours in meant.items()})


def _statuses(told: Documents) -> Remembered:
    meant = told.values.get("status")
    if meant is None:
        return values.texts()
    return values.meanings({one: None if ours is None else str(ours) for one, ours in meant.items()})


class _Columns:
    """The columns of one page, as far as they are converted, by the names of the record."""

    def __init__(self, plan: Plan, page: Page) -> None:
        self._plan = plan
        self._page = page
        self.columns: dict[str, Any] = {}
        self._suspect: list[tuple[str, Sequence[Any]]] = []
        self._left_out: set[int] = set()

    def ids(self, name: str, source: str) -> list[Any]:
        """Convert a column of ids."""
        made = self.columns[name] = values.keys(self._page.columns[source])
        self._suspect.append((source, made))
        return made

    def versions(self, began: int) -> Sequence[Any]:
        """Convert the changed column, or take `began` for rows that have none."""
        if "changed" not in self._page.columns:
            made: Sequence[Any] = [began * _MILLION] * self._page.size
            self.columns["changed"] = made
            return made
        told = self._page.columns["changed"]
        known = [one for one in told if one is not None] if None in told else told
        made = self._plan.changed.versions(known, began)
        if known is not told:
            each = iter(made)
            made = [began * _MILLION if one is None else next(each) for one in told]
        self.columns["changed"] = made
        self._suspect.append(("changed", made))
        return made

    def mapped(self, name: str, source: str, converter: Remembered, told: object = None) -> list[Any]:
        """Convert a column, or take the constant that the mapping tells instead; None if it has neither."""
        if isinstance(told, Constant):
            made = [converter[told.constant]] * self._page.size
        elif source in self._page.columns:
            made = converter.column(self._page.columns[source])
            if converter.met_unusable:
                self._suspect.append((source, made))
        else:
            made = [None] * self._page.size
        self.columns[name] = made
        return made

    def days(self, name: str, source: str, clock: Clock) -> list[Any]:
        """Convert a column of dates or times to local days."""
        if source not in self._page.columns:
            made = [None] * self._page.size
        else:
            made = clock.days(self._page.columns[source])
            if clock.met_unusable:
                self._suspect.append((source, made))
        self.columns[name] = made
        return made

    def hashable(self, source: str) -> None:
        """Write what a driver gives as a list or as an object as JSON text, so that it can be remembered."""
        told = self._page.columns[source]
        if {list, dict} & set(map(type, told)):
            texts = [json.dumps(one) if isinstance(one, list | dict) else one for one in told]
            self._page = replace(self._page, columns={**self._page.columns, source: texts})

    def keep_only(self, only: Mapping[str, Sequence[str]]) -> None:
        """Leave out the rows whose value in one of these columns is none of those told."""
        for column, allowed in only.items():
            wanted = values.meanings(dict.fromkeys(allowed, True))
            kept = wanted.column(self._page.columns[f"only {column}"])
            self._left_out |= {number for number, one in enumerate(kept) if one is not True}

    def rows(self) -> tuple[Columnar, list[BadRow]]:
        """Return the rows, and those that cannot be used by id, column and reason."""
        record = self._plan.record
        rows = Columnar(self.columns[name] for name in columns(record))
        faults: dict[int, tuple[str, str]] = {}
        for source, made in self._suspect:
            for number, one in enumerate(made):
                if type(one) is Unusable:
                    faults.setdefault(number, (source, one.reason))
        if not faults and not self._left_out:
            return rows, []
        keys = self.columns["key"]
        bad = [
            BadRow(record, _told(keys[number]), self._plan.names[source], reason)
            for number, (source, reason) in sorted(faults.items())
            if number not in self._left_out
        ]
        left_out = self._left_out | set(faults)
        return rows.chosen([number not in left_out for number in range(len(rows))]), bad


def _told(key: Any) -> str:
    """Return a key as a quarantine shows it."""
    return key if isinstance(key, str) else NO_ID


def check_changed(plan: Plan, page: Page, converted: Converted, source: str) -> None:
    """Raise UnexpectedAnswer if the values of the changed column are of more than one kind, so that none follows."""
    told = page.columns["changed"]
    kinds = set(map(type, told))
    if len(kinds) > 1:
        kinds = {type(one) for one, made in zip(told, converted.versions, strict=True) if type(made) is not Unusable}
    plan.of_changed |= {"number" if issubclass(kind, int | float) else kind.__name__ for kind in kinds}
    if len(plan.of_changed) > 1 or len(plan.changed.shapes) > 1:
        raise UnexpectedAnswer(
            "its values are written in more than one way, so that their order is not that of time",
            source=source,
            stage="answer",
            field=plan.names["changed"],
            mend="Map a view that gives this column one type and one form",
        )
