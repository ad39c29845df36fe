"""A folder of JSON files: each an envelope, a list of objects, or one object."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from collector.contract.door import JSON, FileEntry, Files
from collector.contract.errors import UnexpectedAnswer
from connectors.onestop.national_service import Envelope, listed


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file that is no JSON, and was modified so lately that somebody may still be writing it."""

    name: str


def contents(
    door: Files, entry: FileEntry, envelope: Envelope, one: str, settle_minutes: int
) -> Sequence[Any] | Unfinished:
    """Return the objects of a file.

    `one` is the field by which a file with a single object is known. Raises UnexpectedAnswer, by file name, for a
    broken file (not for one modified less than `settle_minutes` before the run began) and for an unknown shape.
    """
    data = b"".join(door.read(entry.name, 0, entry.size))
    try:
        body: JSON = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        if entry.modified > door.began - settle_minutes * 60:
            return Unfinished(entry.name)
        raise UnexpectedAnswer(
            "the file holds no valid JSON",
            source=door.source,
            stage="answer",
            field=entry.name,
            mend="Let the exporting system write the file again, or take it out of the folder",
        ) from None
    if isinstance(body, list):
        return body
    if isinstance(body, dict) and one in body and envelope.data not in body:
        return [body]
    # A refusal that somebody saved into a file says nothing about our right to read the folder.
    saved = envelope.model_copy(update={"denied": (), "busy": ()})
    return listed(saved, body, door.source, f"file {entry.name}")[0]


def changed_files(entries: Sequence[FileEntry], read: Any) -> Iterator[FileEntry]:
    """Yield the files that a cursor's `files` (name to [size, modified]) does not know as they are now."""
    known = read if isinstance(read, dict) else {}
    for entry in entries:
        if known.get(entry.name) != [entry.size, entry.modified]:
            yield entry


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
