"""Audits published figures: their arithmetic, and what was declared against what was measured (`collector audit`)."""

from collector.audit.audited import Audit, audit
from collector.audit.columns import COLUMNS
from collector.audit.finding import KINDS, RULES, Finding
from collector.audit.measured import beside, periods, wanted
from collector.audit.sheet import read
from collector.audit.shown import document, shown

__all__ = [
    "COLUMNS",
    "KINDS",
    "RULES",
    "Audit",
    "Finding",
    "audit",
    "beside",
    "document",
    "periods",
    "read",
    "shown",
    "wanted",
]
