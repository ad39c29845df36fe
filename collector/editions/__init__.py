"""Editions: sealed readings with their scores and evidence, signed and chained. History is never rewritten.

`body.py` has what an edition holds, `read.py` reads what was sealed, `freeze.py` and `seal.py` make an edition,
`restate.py` the next one of a period, `verify.py` verifies them offline, `keys.py` has the keys that sign, `needed.py`
what keeps a period from being sealed, `log.py` what was shown of open periods.
"""

from collector.editions.body import REASONS, Altered, Change, Edition, Reason
from collector.editions.freeze import Counting, Sealer
from collector.editions.needed import Lacking, lacking
from collector.editions.read import Rows, edition_of, edition_readings, evidence, sealed, sealed_periods
from collector.editions.restate import Differences, Drifted, drifted, restate, what_differs
from collector.editions.seal import NotYet, seal
from collector.editions.verify import Verified, exported, verify, verify_file

__all__ = [
    "REASONS",
    "Altered",
    "Change",
    "Counting",
    "Differences",
    "Drifted",
    "Edition",
    "Lacking",
    "NotYet",
    "Reason",
    "Rows",
    "Sealer",
    "Verified",
    "drifted",
    "edition_of",
    "edition_readings",
    "evidence",
    "exported",
    "lacking",
    "restate",
    "seal",
    "sealed",
    "sealed_periods",
    "verify",
    "verify_file",
    "what_differs",
]
