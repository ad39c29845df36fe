"""Expected failures, named by what to do next. Anything else is a bug and stays visible.

CollectorError
├── TryAgain          the source may answer later: retried, then reported; the last good figures stay
├── AccessDenied      refused: never retried (a retry may lock the account); an operator must act
├── UnexpectedAnswer  it answered in a shape that we do not know: the source stops, a developer must look
├── WrongUse          the configuration or the command is wrong: nothing was started
└── Destroyed         the key of a month is destroyed: nobody can be recognised in it any more
"""


class CollectorError(Exception):
    """A failure that was foreseen: which source, at which stage, which field, and how to mend it.

    `stage` is one of: configuration, reach, log in, read, answer, save. `field` names the key, column or
    parameter at fault, or is empty. `mend` is one sentence that tells the operator what to do.
    """

    def __init__(self, reason: str, *, source: str = "", stage: str = "", field: str = "", mend: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.source = source
        self.stage = stage
        self.field = field
        self.mend = mend

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.source, self.stage, self.field) if part)
        text = f"{where}: {self.reason}" if where else self.reason
        return f"{text}. {self.mend}" if self.mend else text


class TryAgain(CollectorError):
    """The source is down, slow or asks for patience. `after` is its own wish in seconds, if it gave one."""

    def __init__(
        self,
        reason: str,
        *,
        source: str = "",
        stage: str = "",
        field: str = "",
        mend: str = "",
        after: float | None = None,
    ) -> None:
        super().__init__(reason, source=source, stage=stage, field=field, mend=mend)
        self.after = after


class AccessDenied(CollectorError):
    """Wrong key or password, untrusted certificate or host key, or a right that is missing."""


class UnexpectedAnswer(CollectorError):
    """The answer has another shape than the one that the connector was written for."""


class WrongUse(CollectorError):
    """The configuration or the command line asks for something that cannot be."""


class Destroyed(CollectorError):
    """What is asked for rests on persons' records of a month whose key and records are destroyed, as they must be."""
