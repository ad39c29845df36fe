"""The `config:` block of a source that is a document trunk, or a folder of its messages."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True)


class Login(BaseModel):
    """How the province's trunk gives out a token, which it wants beside system id and secret key."""

    model_config = _STRICT

    path: str = Field(default="/v1/auth/login", description="Path of the log-in", examples=["/v1/auth/login"])
    user: str = Field(min_length=1, description="Name of the account", examples=["collector"])
    password: SecretStr = Field(description="Password of the account", examples=["!file trunk-password"])
    application: str = Field(default="", description="applicationCode, where the trunk asks for one", examples=["QLVB"])
    parameters: dict[str, str] = Field(
        default={"allow_anonymous": "true"},
        description="What stands in the address of the log-in",
        examples=[{"allow_anonymous": "true"}],
    )


class Messages(BaseModel):
    """A folder of edXML messages: what a gateway sent and got, envelopes and status packets alike."""

    model_config = _STRICT

    pattern: str = Field(
        default="*.edxml", min_length=1, description="Shell pattern of the files' names", examples=["*.edxml", "*.xml"]
    )
    statuses: bool = Field(
        default=True,
        description="Whether recipients' status packets are among them; if not, no silence means anything",
        examples=[True],
    )
    all_documents: bool = Field(
        default=False,
        description="Whether the agencies issue nothing outside the trunk, so that these messages can stand for their"
        " registers. No register may then serve them too: each document would count twice",
        examples=[False],
    )
    settle_minutes: int = Field(
        default=10,
        ge=0,
        description="A file that is no message is left for the next run while it is younger than this",
        examples=[10],
    )
    follow_days: int = Field(
        default=180,
        ge=7,
        description="Days that a document's later messages are waited for; the cursor remembers it that long",
        examples=[180],
    )


class Received(BaseModel):
    """The province trunk's list of what was received: `GET /v1/syncReceivedEdocList`."""

    model_config = _STRICT

    path: str = Field(default="/v1/syncReceivedEdocList", description="Path of the list", examples=["/v1/received"])
    fixed: dict[str, str] = Field(
        default={"messageType": "edoc"},
        description="Further parameters of the list",
        examples=[{"messageType": "edoc"}],
    )
    from_day: str = Field(default="fromDate", description="Parameter for the first day", examples=["fromDate"])
    to_day: str = Field(default="toDate", description="Parameter for the last day", examples=["toDate"])
    window_days: int = Field(
        default=1,
        ge=1,
        description="Days asked for in one question; what a run has read is kept after each",
        examples=[1],
    )
    overlap_days: int = Field(default=2, ge=1, description="Days that are read again by each run", examples=[2])
    page: str | None = Field(
        default=None,
        description="Parameter with the page number (from 1); null if one answer holds a window whole",
        examples=["pageIndex"],
    )
    size: str | None = Field(default=None, description="Parameter with the page size", examples=["pageSize"])
    page_size: int = Field(default=200, ge=1, description="Entries asked for in one page", examples=[200])
    envelope_path: str | None = Field(
        default="/v1/getEdoc",
        description="Path that gives one message by its `docId`; null leaves the messages alone, and what only they"
        " tell (day of issue, paper, signature, due day) unknown",
        examples=["/v1/getEdoc"],
    )
    follow_days: int = Field(default=180, ge=7, description="Days that a document's later messages are waited for")

    @model_validator(mode="after")
    def _pairs(self) -> "Received":
        if (self.page is None) != (self.size is None):
            raise ValueError("page and size belong together")
        return self


class Sent(BaseModel):
    """VXP's list of what was sent, and its counters: `getSentEdocList`, `countReceiveEdoc`, `countReceiveStatus`."""

    model_config = _STRICT

    path: str = Field(default="/getSentEdocList", description="Path of the list", examples=["/getSentEdocList"])
    counts: dict[str, str] = Field(
        default={"documents": "/countReceiveEdoc", "status packets": "/countReceiveStatus"},
        description="Paths of the counters of what waits to be fetched, by what they count",
        examples=[{"documents": "/countReceiveEdoc"}],
    )
    from_day: str | None = Field(
        default="fromDate", description="Input for the first day; null asks for everything", examples=["fromDate"]
    )
    to_day: str | None = Field(default="toDate", description="Input for the last day", examples=["toDate"])
    window_days: int = Field(default=7, ge=1, description="Days asked for in one question", examples=[7])
    overlap_days: int = Field(default=7, ge=1, description="Days that are read again by each run", examples=[7])
    page: str | None = Field(
        default="pageIndex", description="Input with the page number (from 1); null if there are no pages"
    )
    size: str | None = Field(default="pageSize", description="Input with the page size", examples=["pageSize"])
    page_size: int = Field(default=200, ge=1, description="Entries asked for in one page", examples=[200])

    @model_validator(mode="after")
    def _pairs(self) -> "Sent":
        if (self.page is None) != (self.size is None) or (self.from_day is None) != (self.to_day is None):
            raise ValueError("page and size belong together, and so do from_day and to_day")
        return self


class Config(BaseModel):
    """The `config:` block of a source. Give one of `messages` (a folder), `received` and `sent` (a trunk)."""

    model_config = _STRICT

    messages: Messages | None = Field(
        default=None, description="A folder of messages", examples=[{"pattern": "*.edxml"}]
    )
    received: Received | None = Field(default=None, description="The province trunk's received list", examples=[{}])
    sent: Sent | None = Field(default=None, description="VXP's sent list", examples=[{}])
    login: Login | None = Field(default=None, description="Log-in of the province trunk", examples=[{"user": "reader"}])
    system_id: str = Field(default="", description="Id of the system that asks", examples=["H44.02"])
    secret_key: SecretStr | None = Field(
        default=None,
        description="Its secret: sent to the province's trunk, kept and signed with for VXP",
        examples=["!file trunk-key"],
    )
    inside: tuple[str, ...] = Field(
        default=(),
        description="What codes of this province begin (`H44.`) or end with (`.H44`); documents of organs outside are"
        " left out, and each recipient is known as inside or outside. Without it, all are kept and none is known",
        examples=[["H44.", ".H44"]],
    )
    signature: Literal["attachment", "envelope"] = Field(
        default="attachment",
        description="Whose signature counts as the document's: one told beside an attachment, or the envelope's, which"
        " proves the transport alone",
        examples=["attachment"],
    )
    largest_bytes: int = Field(
        default=1 << 30, gt=0, description="Largest message that is read, attachments included", examples=[1 << 30]
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Config":
        if sum(part is not None for part in (self.messages, self.received, self.sent)) != 1:
            raise ValueError("give one of messages (a folder), received (the province's trunk) and sent (VXP)")
        if self.messages is None and (not self.system_id or self.secret_key is None):
            raise ValueError("a trunk needs system_id and secret_key")
        return self

    def fingerprint(self) -> str:
        """Return a digest of what decides rows: a cursor that was made under another one is not gone on from."""
        what = self.model_dump_json(exclude={"login", "secret_key", "largest_bytes"})
        return hashlib.blake2b(what.encode(), digest_size=8).hexdigest()
