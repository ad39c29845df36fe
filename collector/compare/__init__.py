"""Sets our count beside a source's own published totals, and splits the difference by cause (`totals.compare`)."""

from collector.compare.printed import arithmetic
from collector.compare.result import CAUSES, Cause, Compared, Comparison, Moved, Printed, Verdict
from collector.compare.totals import INDICATORS, compare

__all__ = [
    "CAUSES",
    "INDICATORS",
    "Cause",
    "Compared",
    "Comparison",
    "Moved",
    "Printed",
    "Verdict",
    "arithmetic",
    "compare",
]
