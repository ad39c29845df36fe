"""What agencies declare about themselves where no system can be read: a value with its evidence."""

from dataclasses import dataclass

from collector.contract.period import iso


@dataclass(frozen=True, slots=True)
class Declared:
    """What was declared of one criterion for one agency, in force in the period that is looked at.

    The value is `hits` of `judged` (a share is told in hundredths, or finer if it is written finer); both None where
    no value is told. `evidence` says in words or by an address what it rests on; without evidence there is a claim,
    but no value. `by` says who declared it ("": `evidence` says it too), `on` is the local day on which.
    """

    agency: str
    criterion: str
    hits: int | None
    judged: int | None
    evidence: str
    by: str
    on: int

    @property
    def shown_by(self) -> str:
        """The evidence with who declared it and when, as people read it; where that is in it already, as it is."""
        return f"{self.evidence} ({self.by}, {iso(self.on)})" if self.by else self.evidence

    @property
    def counts(self) -> tuple[int, int] | None:
        """Hits and judged; None if nothing is told, or nothing shows that it is so."""
        if self.hits is None or self.judged is None or not self.evidence:
            return None
        return self.hits, self.judged
