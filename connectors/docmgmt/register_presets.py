"""Registers of known shapes, as mappings: data, of which a site writes only what is its own.

The tables and columns are those of products in use (source-systems.md 3.5). Codes of this province (`inside`) are
always the site's own. A column that these registers do not have is not mapped: whether a document was recalled, or sent
on paper too, then stays unknown, unless the site tells (`recalled: {constant: 0}`).
"""

from collections.abc import Mapping
from typing import Any

_NEVER = ["1900-01-01", "9999-12-31"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # An e-office in use: updated_at is filled when a row is made and by no trigger later, and the tracking of
    # deliveries has no such column at all, so neither can be followed.
    "eoffice_outgoing": {
        "read_by": "window",
        "documents": {
            "schema": "edoc",
            "table": "outgoing_docs",
            "id": "id",
            "agency": "unit_id",
            "direction": {"constant": "out"},
            "issued": "publish_date",
            "electronic": "is_inter_doc",
            "signed": "is_digital_signed",
        },
        "deliveries": {
            "schema": "edoc",
            "table": "lgsp_tracking",
            "id": "id",
            "only": {"direction": ["send"]},
            "document": "outgoing_doc_id",
            "counterpart": "dest_org_code",
            "electronic": "status",
            "sent": "sent_at",
            # What is still on its way has not been got.
            "values": {"electronic": {"success": 1, "error": 0, "pending": 0, "processing": 0}},
        },
    },
    "eoffice_incoming": {
        "read_by": "window",
        "documents": {
            "schema": "edoc",
            "table": "incoming_docs",
            "id": "id",
            "agency": "unit_id",
            "direction": {"constant": "in"},
            "issued": "received_date",
            "electronic": "is_inter_doc",
            "paper": "is_received_paper",
            "sender": "publish_unit",
            "due": "expired_date",
        },
    },
    # The older shape, one database for each agency: `agency: {constant: H44.02}`.
    "legacy_outgoing": {
        "no_date": _NEVER,
        "documents": {
            "table": "VanBanBanHanh",
            "id": "ID",
            "changed": "Modified",
            "direction": {"constant": "out"},
            "issued": "NgayBanHanh",
            "signed": "KySoFiles",
            "status": "TrangThai",
            "values": {"signed": {"": 0, "*": 1}},
        },
    },
    "legacy_incoming": {
        "no_date": _NEVER,
        "documents": {
            "table": "VanBanDen",
            "id": "ID",
            "changed": "Modified",
            "direction": {"constant": "in"},
            "issued": "NgayDen",
            "sender": "CoQuanGuiText",
            "due": "ThoiHanGQ",
            "status": "TrangThai",
        },
    },
}


def merged(preset: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what a site tells over a preset, key by key; a constant takes the place of a column, a null leaves it out."""
    made = dict(preset)
    for name, own in told.items():
        below = made.get(name)
        made[name] = merged(below, own) if isinstance(own, Mapping) and isinstance(below, Mapping) else own
    return {name: one for name, one in made.items() if one is not None}
