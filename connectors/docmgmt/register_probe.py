"""What a look at a register shows, for `check --live`: nothing is written to find out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, literal_column, select

from collector.contract.connector import Finding
from collector.contract.door import Rows
from connectors.docmgmt.register_mapping import Config
from connectors.docmgmt.register_rows import Converted, Plan, check_changed, plan_of_deliveries, plan_of_documents
from connectors.register.pages import Page, Pages
from connectors.register.values import Clock

_SKEW = 120  # seconds that the source's clock may differ from ours


def probe(config: Config, door: Rows) -> Iterator[Finding]:
    """Yield what a look at the register shows. Raises what the door raises, and UnexpectedAnswer for the mapping."""
    now = door.rows(select(literal_column("CURRENT_TIMESTAMP")))[0][0]
    yield Finding("reach", "ok", "the database answers and lets us in")
    documents = plan_of_documents(config, door, 19000101)
    deliveries = plan_of_deliveries(config, door, documents)
    plans = [documents] if deliveries is None else [documents, deliveries]
    yield Finding("columns", "ok", "all mapped tables and columns are there")
    for plan in plans:
        pages = Pages(plan.table, plan.fields, (), 100)
        followed = "changed" in plan.fields
        page = next(pages.changed_since(door, None, None) if followed else pages.by_id(door, None, ()), None)
        if page is None:
            without = f"has a value in {plan.names['changed']}" if followed else "is there"
            yield Finding("page", "unproved", f"no {plan.record.NAME} {without}")
            continue
        converted = plan.rows(page, door.began)
        if followed:
            check_changed(plan, page, converted, door.source)
        yield _page_finding(plan, page, converted)
    yield _clock_finding(now, config, door.began)
    for plan in plans:
        if "changed" in plan.fields:
            yield _changed_finding(plan, door)
    proof = door.proof_of_read_only()
    if proof is None:
        mend = "Give the account SELECT on the mapped tables and nothing else"
        yield Finding("read-only", "unproved", "nothing shows that the account cannot write", mend)
    else:
        yield Finding("read-only", "ok", proof)


def _page_finding(plan: Plan, page: Page, converted: Converted) -> Finding:
    if not converted.bad:
        return Finding("page", "ok", f"{page.size} rows of {plan.record.NAME} read and understood")
    one = converted.bad[0]
    return Finding(
        "page",
        "failed",
        f"{len(converted.bad)} of {page.size} rows of {plan.record.NAME} cannot be used: {one.field} {one.reason}",
        "Compare the mapping (columns, values, formats) with the table",
    )


def _clock_finding(now: object, config: Config, began: int) -> Finding:
    if not isinstance(now, datetime):
        return Finding("clock", "ok", "a database file has no clock of its own")
    utc = datetime.fromtimestamp(began, UTC)
    if now.tzinfo is not None:
        skew = round((now - utc).total_seconds())
    else:
        # A server that does not tell its zone: the likelier of the two is taken.
        ours = (utc.replace(tzinfo=None), Clock(config.time_zone, None).naive(began))
        skew = min((round((now - one).total_seconds()) for one in ours), key=abs)
    if abs(skew) <= _SKEW:
        return Finding("clock", "ok", f"the source's clock is {skew:+d} s from ours")
    return Finding("clock", "failed", f"the source's clock is {skew:+d} s from ours", "Set both clocks by NTP")


def _changed_finding(plan: Plan, door: Rows) -> Finding:
    changed, name = plan.fields["changed"], plan.names["changed"]
    counts: list[Any] = [func.count(), func.count(changed)]
    total, known = door.rows(select(*counts).select_from(plan.table))[0]
    says = f"{total - known} of {total} rows of {plan.record.NAME} have no value in {name}"
    if total == known:
        return Finding("changed", "ok", says)
    mend = "They are read again in every run; ask for a trigger or default that fills this column"
    return Finding("changed", "unproved", says, mend)
