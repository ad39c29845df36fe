"""A log as a chain of files: `mail.log`, what it was renamed to, and what was packed since.

A file is known by its first line, not by its name: rotation renames, and over SFTP no inode can be seen. Its identity
is the SHA-256 of the first complete line (at most 4 KiB of it), for a packed file that of what is inside. The chain
is ordered by the instants of the first lines.

A name may come to stand for another file while it is being read, so the first line is read again after each piece;
if it differs, the piece is thrown away and the folder is looked at again. Lines still land in a renamed file until the
server opens the new one, so a file is left for the next only when a look at the folder, made after the next file
was seen to have begun, finds it read to its end.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from zoneinfo import ZoneInfo

from collector.contract.door import FileEntry, Files
from collector.contract.errors import TryAgain, UnexpectedAnswer
from connectors.email.stamps import DAY, has_time, instant_before, is_of_zimbra

HEAD = 4096
_TAIL = 64 * 1024
_PACKED = b"\x1f\x8b"
_PIECE = 1 << 20
_ATTEMPTS = 5

# A packed log is 10 to 30 times smaller than the log. What grows beyond this is no log.
_LARGEST_RATIO = 200
_HARMLESS = 64 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a chain. `size` is in bytes of log, unpacked; `listed` the file as the folder showed it.

    `file` is its identity, `first` and `last` the instants of its first and its last line. `whole` is False for a
    packed file that cannot be unpacked to its end yet; `zimbra` True for Zimbra's audit.log or mailbox.log.
    """

    listed: FileEntry
    file: str
    first: int
    last: int
    size: int
    packed: bool
    whole: bool = True
    zimbra: bool = False

    @property
    def name(self) -> str:
        """The name that it has now."""
        return self.listed.name


@dataclass(slots=True)
class Folder:
    """Looks at the files of one chain; what was seen of an unchanged file is not read again."""

    door: Files
    pattern: str
    zone: ZoneInfo
    _seen: dict[FileEntry, Member | None] = field(default_factory=dict)

    def members(self, modified_from: int) -> list[Member]:
        """Return the chain, oldest first, of the files modified at or after an instant, and the one before them.

        Files without a complete first line are left out; of two copies of one file the longer is taken. TryAgain if
        a packed file cannot even be unpacked to its first line, unless the plain file is still there.
        """
        for _ in range(_ATTEMPTS):
            listed = self.door.list(self.pattern)
            members = self._members_of(listed, modified_from)
            # If files were renamed meanwhile, a name was looked at that stood for another file than the one listed.
            sizes = {entry.name: entry.size for entry in self.door.list(self.pattern)}
            if sizes.keys() == {entry.name for entry in listed} and all(
                entry.size <= sizes[entry.name] for entry in listed
            ):
                return members
        raise TryAgain(
            f"the files of {self.pattern} were renamed again and again while they were looked at",
            source=self.door.source,
            stage="read",
        )

    def _members_of(self, listed: Sequence[FileEntry], modified_from: int) -> list[Member]:
        older = [entry for entry in listed if entry.size and entry.modified < modified_from]
        entries = sorted(older, key=lambda entry: (entry.modified, entry.name))[-1:]
        entries += [entry for entry in listed if entry.modified >= modified_from]
        names = {entry.name for entry in entries}
        best: dict[str, Member] = {}
        seen: dict[FileEntry, Member | None] = {}
        for entry in entries:
            member = self._seen[entry] if entry in self._seen else self._look(entry, names)
            seen[entry] = member
            if member is None:
                continue
            other = best.get(member.file)
            if other is None or (member.size, not member.packed) > (other.size, not other.packed):
                best[member.file] = member
        self._seen = seen
        return sorted(best.values(), key=lambda member: (member.first, member.last, member.name))

    def still(self, member: Member) -> bool:
        """Tell whether the member's name still stands for the same file."""
        line = first_line(_head(self.door, member.listed, packed=member.packed)[0])
        return line is not None and identity(line) == member.file

    def _look(self, entry: FileEntry, names: set[str]) -> Member | None:
        packed = entry.size > 1 and _read(self.door, entry.name, 0, 2) == _PACKED
        head, broken = _head(self.door, entry, packed=packed)
        line = first_line(head)
        if line is None:
            if packed and broken and entry.name.removesuffix(".gz") not in names - {entry.name}:
                raise not_whole(self.door.source, entry.name)
            return None
        if not line.strip(b"\0"):
            raise UnexpectedAnswer(
                f"{entry.name} begins with {len(line)} zero bytes",
                source=self.door.source,
                stage="read",
                field="file",
                mend="It was cut while a server wrote on at its old place; let rotation rename it instead",
            )
        if len(head) < HEAD and head.count(b"\n") == 1 and not has_time(line):
            return None  # what copytruncate left of a line that it cut in two; the log goes on behind it, or never did
        if packed:
            size, tail, whole = self._unpack(entry)
        else:
            size, tail, whole = entry.size, _read(self.door, entry.name, max(0, entry.size - _TAIL), entry.size), True
        first, last = self._instants(entry, head, tail)
        dated = next((one for one in head.split(b"\n") if has_time(one)), b"")
        return Member(entry, identity(line), first, last, size, packed, whole, is_of_zimbra(dated))

    def _instants(self, entry: FileEntry, head: bytes, tail: bytes) -> tuple[int, int]:
        # A time without a year: the last line is not later than the file's own time, the first not than the last.
        limit = min(entry.modified, self.door.began) + DAY
        last_line = next((line for line in reversed(tail[: tail.rfind(b"\n") + 1].split(b"\n")) if has_time(line)), b"")
        last = instant_before(last_line, limit, self.zone)
        first_one = next((line for line in head.split(b"\n") if has_time(line)), last_line)
        first = instant_before(first_one, limit if last is None else last + DAY, self.zone)
        if first is None:
            raise UnexpectedAnswer(
                f"no line of {entry.name} begins with a time that is known",
                source=self.door.source,
                stage="answer",
                field="time",
                mend="Let the server log in syslog's traditional or RFC 3339 form, or set `logs` to its mail log",
            )
        return first, max(first, last if last is not None else first)

    def _unpack(self, entry: FileEntry) -> tuple[int, bytes, bool]:
        size, tail = 0, b""
        try:
            for piece in unpacked(self.door, entry):
                size += len(piece)
                tail = (tail + piece)[-_TAIL:]
        except (EOFError, zlib.error):
            return size, tail, False
        return size, tail, True


def not_whole(source: str, name: str) -> TryAgain:
    """Return the error for a packed file that cannot be unpacked to its end."""
    return TryAgain(
        f"{name} cannot be unpacked to its end yet",
        source=source,
        stage="read",
        field="file",
        mend="If it is not being packed or copied just now (gzip -t tells), move it away: its days then stay uncovered",
    )


def identity(line: bytes) -> str:
    """Return the identity of the file that begins with a line: 64 hexadecimal digits."""
    return sha256(line).hexdigest()


def first_line(head: bytes) -> bytes | None:
    """Return the first complete line of a file's head, at most 4 KiB of it; None if there is none yet.

    If it has no time, it goes on to the end of the next one: copytruncate may cut a line in two, and the few bytes that
    are left of it are the same in several files.
    """
    begin = len(head) - len(head.lstrip(b"\n"))
    end = head.find(b"\n", begin)
    if end >= 0 and has_time(head[begin:end]):
        return head[begin:end]
    second = head.find(b"\n", end + 1) if end >= 0 else -1
    if second < 0:
        return head[:HEAD] if len(head) >= HEAD else None
    return head[begin : second if has_time(head[end + 1 : second]) else end]


def read(door: Files, member: Member, start: int) -> Iterator[bytes]:
    """Yield the member's log from a byte on, to the size at which it was seen, in pieces of at most 1 MiB.

    TryAgain where a packed file ends too early.
    """
    if not member.packed:
        yield from door.read(member.name, start, member.size)
        return
    try:
        for piece in unpacked(door, member.listed):
            if start < len(piece):
                yield piece[start:]
            start = max(0, start - len(piece))
    except (EOFError, zlib.error):
        raise not_whole(door.source, member.name) from None


def unpacked(door: Files, entry: FileEntry) -> Iterator[bytes]:
    """Yield what is in a gzip file, in pieces of at most 1 MiB, and stop at what no log can be.

    Several members one after the other are one log; zeroes or rubbish after the last are left alone, as gzip does.
    EOFError if the file ends within a member, zlib.error if it is damaged.
    """
    size, packed_size = 0, 0
    inflate = None
    rest = b""
    for block in door.read(entry.name, 0, entry.size):
        packed_size += len(block)
        rest += block
        while len(rest) > 1 or inflate is not None:
            if inflate is None:
                if rest[:2] != _PACKED:
                    return
                inflate = zlib.decompressobj(wbits=31)
            piece = inflate.decompress(rest, _PIECE)
            size += len(piece)
            if size > max(_HARMLESS, packed_size * _LARGEST_RATIO):
                raise UnexpectedAnswer(
                    f"{entry.name} unpacks to more than {_LARGEST_RATIO} times its size",
                    source=door.source,
                    stage="read",
                    field="file",
                    mend="This is no packed log; move it away",
                )
            if piece:
                yield piece
            if inflate.eof:
                rest, inflate = inflate.unused_data, None
            else:
                rest = inflate.unconsumed_tail
                if not rest and len(piece) < _PIECE:
                    break
    if inflate is not None:
        raise EOFError


def _read(door: Files, name: str, start: int, end: int) -> bytes:
    return b"".join(door.read(name, start, end))


def _head(door: Files, entry: FileEntry, *, packed: bool) -> tuple[bytes, bool]:
    """Return the first 4 KiB of log or a little more, and whether a packed file broke off before them."""
    begin = FileEntry(entry.name, min(entry.size, _TAIL), entry.modified)
    if not packed:
        return _read(door, entry.name, 0, min(entry.size, HEAD)), False
    head = b""
    try:
        for piece in unpacked(door, begin):
            head += piece
            if len(head) >= HEAD:
                break
    except (EOFError, zlib.error):
        return head, True
    return head, False
