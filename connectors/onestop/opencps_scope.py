"""Whether the account sees the agencies that it should: OpenCPS narrows what an account sees without saying so.

Facts: source-systems 1.1, Silent scope. Asked for all agencies, it answers for those of the account's own scope; so
each agency is asked for by its code. That each of them is really seen, and that none is forgotten, is found out by
totals: a dossier counter of an agency over all time does not sink, and is hardly ever 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.contract.errors import AccessDenied, CollectorError, UnexpectedAnswer
from connectors.onestop.opencps_pages import List

_NAMED_AT_MOST = 10
_PAGES_LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Agencies:
    """Which agencies are asked for, and which are known to be none of ours or to have no dossier yet."""

    asked: Sequence[str]
    ignored: Sequence[str]
    may_be_empty: frozenset[str]
    may_sink: bool
    at_once: int

    def groups(self, codes: Sequence[str] | None = None) -> list[str]:
        """Return the codes in groups, each written as OpenCPS wants several: with commas."""
        every = self.asked if codes is None else codes
        return [",".join(every[start : start + self.at_once]) for start in range(0, len(every), self.at_once)]


@dataclass(frozen=True, slots=True)
class Scope:
    """How many dossiers of each agency the account sees, and what is wrong with that; None: nothing."""

    totals: Mapping[str, int]
    fault: CollectorError | None


def look(
    listed: List, agencies: Agencies, fixed: Mapping[str, str], recent: Mapping[str, str], before: Mapping[str, int]
) -> Scope:
    """Count each agency's dossiers and compare. `recent` narrows to the days that matter, for agencies not listed.

    `before` are the totals of the run before. Raises what the door raises.
    """
    totals = {code: listed.total({**fixed, "agency": code}) for code in agencies.asked}
    fault = (
        _not_seen(listed, agencies, totals, before)
        or _groups_differ(listed, agencies, fixed, totals)
        or _not_listed(listed, agencies, {**fixed, **recent})
    )
    return Scope(totals, fault)


def account_is_narrower(listed: List, agencies: Agencies, filters: Mapping[str, str]) -> tuple[int, int]:
    """Return how many dossiers the account sees if no agency is named, and if all are: less is a scope of its own."""
    unnamed = listed.total(filters)
    return unnamed, sum(listed.total({**filters, "agency": group}) for group in agencies.groups())


def _not_seen(
    listed: List, agencies: Agencies, totals: Mapping[str, int], before: Mapping[str, int]
) -> CollectorError | None:
    unseen = [code for code, total in totals.items() if total == 0 and code not in agencies.may_be_empty]
    sunk = [code for code, total in totals.items() if total and total * 10 < before.get(code, 0) * 9]
    if agencies.may_sink:
        sunk = []
    if not unseen and not sunk:
        return None
    parts = []
    if unseen:
        parts.append(f"sees no dossier of {_names(unseen)}")
    if sunk:
        told = ", ".join(f"{code} ({totals[code]}, before {before[code]})" for code in sunk[:_NAMED_AT_MOST])
        parts.append(f"sees fewer dossiers than before of {told}")
    return AccessDenied(
        f"the account {' and '.join(parts)}",
        source=listed.door.source,
        stage="read",
        field="agency",
        mend="Have its scope widened to these agencies; one that really has no dossier yet belongs in `may_be_empty`,"
        " and `may_sink: true` says that the site archives dossiers",
    )


def _groups_differ(
    listed: List, agencies: Agencies, fixed: Mapping[str, str], totals: Mapping[str, int]
) -> CollectorError | None:
    if agencies.at_once == 1:
        return None
    together = sum(listed.total({**fixed, "agency": group}) for group in agencies.groups())
    each = sum(totals.values())
    # Dossiers come in while this is asked; a service that does not know lists of codes is far off.
    if abs(together - each) <= max(10, each // 100):
        return None
    return UnexpectedAnswer(
        f"agencies asked for one by one have {each} dossiers, several at once {together}",
        source=listed.door.source,
        stage="answer",
        field="agencies_at_once",
        mend="Set agencies_at_once: 1",
    )


def _not_listed(listed: List, agencies: Agencies, filters: Mapping[str, str]) -> CollectorError | None:
    known = [*agencies.asked, *agencies.ignored]

    def ours() -> int:
        return sum(listed.total({**filters, "agency": group}) for group in agencies.groups(known))

    first = ours()
    every = listed.total(filters)
    # Asked again: what came in between is no agency that was forgotten.
    if every <= first or every <= (again := ours()):
        return None
    names: set[str] = set()
    start, rows = 0, listed.rows
    while start < min(every, _PAGES_LOOKED_AT * rows):
        items, _, _ = listed.window({**filters, "order": "true"}, start, rows)
        codes = (item.get("govAgencyCode") for item in items if isinstance(item, dict))
        names.update(code for code in codes if isinstance(code, str) and code.strip() and code not in known)
        start += rows
    # A few without any agency are nobody's, and must not stop the others.
    if not names and (every - again) * 100 <= every:
        return None
    told = _names(sorted(names)) if names else "agencies that are not listed"
    return UnexpectedAnswer(
        f"there are dossiers of {told}, for which it is not asked",
        source=listed.door.source,
        stage="answer",
        field="agencies",
        mend="Add them to `agencies`, or to `ignored` if another source tells of them",
    )


def _names(codes: Sequence[str]) -> str:
    more = len(codes) - _NAMED_AT_MOST
    return ", ".join(code[:40] if code.isprintable() else "?" for code in codes[:_NAMED_AT_MOST]) + (
        f" and {more} more" if more > 0 else ""
    )
