"""Editions: sealed readings with their scores and evidence, signed and chained. History is never rewritten.

`body.py` has what an edition holds, `read.py` reads what was sealed.
"""

from collector.editions.body import REASONS, Altered, Edition, Reason
from collector.editions.read import Rows, edition_of, edition_readings, evidence, sealed, sealed_periods

__all__ = [
    "REASONS",
    "Altered",
    "Edition",
    "Reason",
    "Rows",
    "edition_of",
    "edition_readings",
    "evidence",
    "sealed",
    "sealed_periods",
]
