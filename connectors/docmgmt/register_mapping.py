"""The mapping from a site's own tables to Document and Delivery: data, checked before anything is asked."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from connectors.docmgmt.register_presets import PRESETS, merged
from connectors.register.formats import EPOCHS, known_zone, sorts_as_time_goes, strptime_format
from connectors.register.stored_totals import StoredTotals


def _texts(value: object) -> object:
    """Let the keys of a map of values be numbers and booleans too: `1: 0` means `"1": 0`."""
    if not isinstance(value, Mapping):
        return value
    return {str(key).lower() if isinstance(key, bool) else str(key): one for key, one in value.items()}


Name = Annotated[str, Field(min_length=1, max_length=256)]
Values = Annotated[dict[str, str | int | None], BeforeValidator(_texts)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(_Strict):
    """The same value for every row, instead of a column."""

    constant: str = Field(description="The value that holds for every row.", examples=["out"])


class _Table(_Strict):
    """What every mapped table has."""

    table: Name = Field(description="The table or view, as the database spells it.", examples=["Văn bản đi"])
    schema_name: Name | None = Field(
        None, alias="schema", description="Its schema; the account's own if left out.", examples=["edoc"]
    )
    id: Name = Field(description="The column with the row's own unique id.", examples=["Mã văn bản"])
    only: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Of a table that holds other things too: only rows with one of these values in a column.",
        examples=[{"direction": ["send"]}],
    )
    deleted: Name | None = Field(
        None, description="A column that says that the row is deleted (soft delete).", examples=["Đã xoá"]
    )
    values: dict[str, Values] = Field(
        default_factory=dict,
        description=(
            "What the source's values mean, by our field name. A value that is not listed is unknown. The key '' "
            "stands for NULL and empty text, '*' for any other value. Flags without a map understand 1, 0, true, false."
        ),
        examples=[{"paper": {"Có": 1, "Không": 0}, "deleted": {"": 0, "*": 1}}],
    )
    formats: dict[str, str] = Field(
        default_factory=dict,
        description=(
            "How dates are written, by our field name, where they are neither dates nor ISO text: a pattern of yyyy, "
            f"MM, dd, HH, mm, ss, or one of {', '.join(EPOCHS)} (whole numbers are seconds if nothing is said)."
        ),
        examples=[{"issued": "dd/MM/yyyy", "changed": "epoch_milliseconds"}],
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        mapped = {name for name in type(self).model_fields if getattr(self, name) is not None}
        for name, meanings in self.values.items():
            allowed = _MEANINGS.get(name)
            if name not in mapped or name not in _MEANINGS:
                raise ValueError(f"values: {name} is no mapped field; choose from {_listed(mapped & set(_MEANINGS))}")
            for told, meant in meanings.items():
                if allowed is not None and meant is not None and str(meant) not in allowed:
                    raise ValueError(f"values: {name}: {told!r} cannot mean {meant!r}, only {_listed(set(allowed))}")
        for name, pattern in self.formats.items():
            if name not in mapped or name not in _DATES:
                raise ValueError(f"formats: {name} is no mapped date; choose from {_listed(mapped & _DATES)}")
            if pattern not in EPOCHS:
                strptime_format(pattern)
            if name == "changed" and not sorts_as_time_goes(pattern):
                raise ValueError(f"formats: changed: {pattern!r} does not sort as time goes, so nothing can follow it")
        for name in type(self).model_fields:
            told, allowed = getattr(self, name), _MEANINGS.get(name)
            if isinstance(told, Constant) and allowed is not None and told.constant not in allowed:
                raise ValueError(f"{name}: the constant {told.constant!r} is none of {_listed(set(allowed))}")
        return self


_FLAG = ("0", "1")
_MEANINGS: Mapping[str, tuple[str, ...] | None] = {
    "direction": ("out", "in"),
    "scope": ("internal", "external"),
    "electronic": _FLAG,
    "paper": _FLAG,
    "signed": _FLAG,
    "recalled": _FLAG,
    "received": _FLAG,
    "refused": _FLAG,
    "deleted": _FLAG,
    "status": None,  # any text
}
_DATES = {"changed", "issued", "due", "completed", "sent", "received_on"}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _organ_codes(codes: list[str]) -> list[str]:
    for code in codes:
        if not code.strip("."):
            raise ValueError(f"inside: {code!r} is no code; write H44. (begins so), .H44 (ends so) or a whole code")
    return codes


Codes = Annotated[list[str], Field(min_length=1), AfterValidator(_organ_codes)]

_INSIDE = "Organ codes of this province: 'H44.' begins so, '.H44' ends so, anything else is a whole code or a name."
_OUTSIDE = "Codes or names outside the province, written alike, beside organ codes, which are told by their form."


class Recipients(_Strict):
    """The recipients of a document as a list of organ codes in one of its columns: separated text, or JSON."""

    column: Name = Field(description="The column with the list.", examples=["Nơi nhận"])
    separator: str | None = Field(
        None, description="What stands between two codes of a text.", examples=[";"], min_length=1, max_length=8
    )
    json_of: Literal["texts", "objects"] | None = Field(
        None, description="The column holds JSON: a list of texts, or of objects.", examples=["objects"]
    )
    member: Name | None = Field(
        None, description="The member of each JSON object that holds the code.", examples=["organId"]
    )
    inside: Codes = Field(description=_INSIDE, examples=[["H44.", ".H44"]])
    outside: Codes | None = Field(None, description=_OUTSIDE, examples=[["Bộ Nội vụ"]])
    ignore: list[str] = Field(
        default_factory=list, description="Entries that are no recipients.", examples=[["Lưu: VT", "Như trên"]]
    )

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.separator is None) == (self.json_of is None):
            raise ValueError("give either a separator (of a text) or json_of (of JSON)")
        if (self.member is not None) != (self.json_of == "objects"):
            raise ValueError("member belongs to json_of: objects")
        return self


class Documents(_Table):
    """The table of documents, one row per document."""

    agency: Name | Constant = Field(
        description="The column with the code of the agency that issued (or got) it.", examples=["Mã cơ quan"]
    )
    changed: Name | None = Field(
        None,
        description="The column that every change of a row moves forward; best with an index on it and the id. "
        "Where there is none, or it lies: `read_by: window`.",
        examples=["Cập nhật lúc"],
    )
    direction: Name | Constant = Field(
        description="The column with the direction (out, in, or what `values` says), or {constant: out}.",
        examples=["Loại", {"constant": "out"}],
    )
    scope: Name | Constant | None = Field(
        None, description="A column that says internal or external, where recipients are unknown.", examples=["Phạm vi"]
    )
    issued: Name = Field(description="The column with the day of issue; NULL for a draft.", examples=["Ngày ban hành"])
    electronic: Name | Constant | None = Field(
        None, description="A flag: sent electronically, where deliveries do not tell.", examples=["Gửi điện tử"]
    )
    paper: Name | Constant | None = Field(None, description="A flag: a paper copy was sent too.", examples=["Bản giấy"])
    signed: Name | Constant | None = Field(
        None, description="A flag: bears the organisation's digital signature.", examples=["Đã ký số"]
    )
    recalled: Name | Constant | None = Field(None, description="A flag: recalled.", examples=["Đã thu hồi"])
    sender: Name | None = Field(
        None, description="Of incoming documents: the organ code of the sender.", examples=["Mã nơi gửi"]
    )
    document_id: Name | None = Field(
        None, description="The id that travels with the document, the same on both sides.", examples=["Mã định danh VB"]
    )
    due: Name | None = Field(None, description="The day by which it is to be dealt with.", examples=["Hạn xử lý"])
    completed: Name | None = Field(None, description="The day on which it was dealt with.", examples=["Ngày xong"])
    status: Name | None = Field(None, description="The register's own status, kept as it is.", examples=["Trạng thái"])
    recipients: Recipients | None = Field(
        None, description="The recipients as a list in one column; the scope follows from them.", examples=[None]
    )

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        if self.scope is not None and self.recipients is not None:
            raise ValueError("scope and recipients both tell the scope; keep one of them")
        return self


class Deliveries(_Table):
    """The table of deliveries, one row per document and recipient."""

    document: Name = Field(description="The column with the id of the document.", examples=["Mã văn bản"])
    counterpart: Name | None = Field(
        None, description="The column with the organ code of the recipient.", examples=["Mã định danh nơi nhận"]
    )
    inside: Codes | None = Field(None, description=_INSIDE, examples=[["H44.", ".H44"]])
    outside: Codes | None = Field(None, description=_OUTSIDE, examples=[["Bộ Nội vụ"]])
    electronic: Name | Constant | None = Field(
        None, description="A flag or status: it got the document electronically.", examples=["Trạng thái gửi"]
    )
    sent: Name | None = Field(None, description="The day or instant of sending.", examples=["Gửi lúc"])
    changed: Name | None = Field(
        None,
        description="The column that every change of a row moves forward; left out: the document's own.",
        examples=["Cập nhật lúc"],
    )
    received: Name | Constant | None = Field(
        None, description="A flag or status: accepted and registered (03 or later).", examples=["Trạng thái nhận"]
    )
    received_on: Name | None = Field(None, description="The day of that.", examples=["Nhận lúc"])
    refused: Name | Constant | None = Field(
        None, description="A flag or status: refused (02).", examples=["Trạng thái nhận"]
    )
    recalled: Name | Constant | None = Field(
        None, description="A flag or status: given back on the sender's wish (15).", examples=["Trạng thái nhận"]
    )
    document_id: Name | None = Field(
        None, description="The id that travels with it, where each recipient has its own.", examples=["docId"]
    )

    @property
    def tells_statuses(self) -> bool:
        """Whether the register tells what became of a delivery, and not just that it was sent."""
        return self.received is not None or self.received_on is not None

    @model_validator(mode="after")
    def _codes_of_counterparts(self) -> Self:
        if self.counterpart is None and (self.inside or self.outside):
            raise ValueError("inside and outside tell of the counterpart; name its column")
        return self


def _known_preset(name: str | None) -> str | None:
    if name is not None and name not in PRESETS:
        raise ValueError(f"{name!r} is no preset; there are {', '.join(PRESETS)}")
    return name


class DocumentTotals(StoredTotals):
    """A table in which the register keeps its own totals by agency and month: `issued`, `electronic`."""

    recalled: Literal["counted", "out"] = Field(
        "out", description="Whether documents that were recalled are in its totals.", examples=["counted"]
    )


class Config(_Strict):
    """Where a document register keeps its documents and deliveries."""

    preset: Annotated[str | None, AfterValidator(_known_preset)] = Field(
        None,
        description="A register of a known shape: its mapping is taken, and what is written beside it comes before it.",
        examples=list(PRESETS),
    )
    documents: Documents = Field(description="The table of documents and what its columns mean.")
    deliveries: Deliveries | None = Field(None, description="The table of deliveries, if the register keeps one.")
    time_zone: Annotated[str, BeforeValidator(str)] = Field(
        "Asia/Ho_Chi_Minh",
        description="The zone of times that are written without one.",
        examples=["Asia/Ho_Chi_Minh", "UTC"],
    )
    overlap: int = Field(
        600,
        ge=0,
        description="Seconds before the last value seen at which each run starts: as long as a transaction may take.",
        examples=[600],
    )
    read_by: Literal["changed", "window"] = Field(
        "changed",
        description="`changed`: what moved the changed column. `window`: after a first run that reads everything, the "
        "documents issued in the last `window_days`, whole; for registers whose changed column lies or is not there.",
        examples=["window"],
    )
    window_days: int = Field(60, ge=1, le=3660, description="Days of issue that `window` reads.", examples=[60])
    no_date: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=list,
        description="Days (or values) that stand for no date at all.",
        examples=[["1900-01-01", "9999-12-31"]],
    )
    totals: DocumentTotals | None = Field(
        None,
        description="The table in which the register keeps its own totals, for `collector compare`.",
        examples=[{"table": "thong_ke", "agency": "ma", "year": "nam", "month": "thang", "totals": {"issued": ["di"]}}],
    )
    page_size: int = Field(5_000, ge=1, le=100_000, description="Rows asked at once.", examples=[5_000])

    _zone = field_validator("time_zone")(known_zone)

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, told: Any) -> Any:
        preset = PRESETS.get(str(told.get("preset"))) if isinstance(told, Mapping) else None
        return told if preset is None else merged(preset, told)

    @model_validator(mode="after")
    def _followed(self) -> Self:
        if self.read_by == "changed" and self.documents.changed is None:
            raise ValueError("documents.changed must be named, or it must say read_by: window")
        return self

    def fingerprint(self, part: Literal["documents", "deliveries"]) -> str:
        """Return a digest of all that decides what a cursor of that part means and what rows become."""
        told: Any = (part, self.time_zone, self.read_by, self.no_date, self.documents.model_dump_json())
        if part == "deliveries":
            told = (*told, self.deliveries and self.deliveries.model_dump_json())
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
