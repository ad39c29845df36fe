"""A folder on this host: door kind `folder`.

Regular files only. Links, devices, pipes and subfolders are never followed or opened, so a folder that others can
write to leads nowhere else. Reading a file is not a request to anybody: the deadline counts, the budget does not.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from collector.contract.door import FileEntry
from collector.contract.errors import AccessDenied, CollectorError, TryAgain, UnexpectedAnswer
from collector.transports.budget import Budget
from collector.transports.file_names import inside, matches, span
from collector.transports.run import Opened, Run

_BLOCK = 1 << 20


class Options(BaseModel):
    """The `door:` block of a source that is a folder."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["folder"] = "folder"
    path: Path = Field(description="The folder with the files", examples=["/var/log/mail"])


@contextmanager
def open_door(options: Options, run: Run) -> Iterator["Folder"]:
    """Open the folder; nothing is touched before the first `list` or `read`."""
    yield Folder(options.path, run)


class Folder(Opened):
    """The door (contract `Files`).

    Raises TryAgain if folder or file is missing (a mount may come back), AccessDenied if it cannot be read,
    UnexpectedAnswer if it is no folder, or no regular file.
    """

    def __init__(self, path: Path, run: Run) -> None:
        super().__init__(run)
        self._path = path
        self._budget = Budget(run)

    def list(self, pattern: str) -> Sequence[FileEntry]:
        """Return the regular files whose names match a shell pattern, sorted by name."""
        self._budget.left("read")
        try:
            with os.scandir(self._path) as entries:
                known = [self._entry(entry) for entry in entries if matches(entry.name, pattern)]
        except OSError as error:
            raise self._failure(error, self._path, "rx") from error
        return sorted((entry for entry in known if entry), key=lambda entry: entry.name)

    def read(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes `[start, end)` of a file in blocks of at most 1 MiB; fewer if the file is shorter."""
        path = self._path / inside(name)
        span(start, end)
        return self._blocks(path, start, end)

    def _blocks(self, path: Path, start: int, end: int) -> Iterator[bytes]:
        descriptor = -1
        try:
            # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._not_regular(path)
            while start < end:
                self._budget.left("read")
                block = os.pread(descriptor, min(_BLOCK, end - start), start)
                if not block:
                    return
                start += len(block)
                yield block
        except OSError as error:
            raise self._failure(error, path, "r") from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _entry(self, entry: os.DirEntry[str]) -> FileEntry | None:
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:  # rotated away since the folder was opened
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        if not entry.name.isprintable():
            # Such a name could be neither stored nor asked for again; leaving the file out would lose its lines.
            raise UnexpectedAnswer(
                f"the name of a file in {self._path} is not readable text: {entry.name!r}",
                source=self.source,
                stage="read",
                mend="Rename the file",
            )
        return FileEntry(entry.name, status.st_size, int(status.st_mtime))

    def _not_regular(self, path: Path) -> UnexpectedAnswer:
        return UnexpectedAnswer(
            f"{path} is no regular file; links, pipes and devices are not read",
            source=self.source,
            stage="read",
            mend="Let the source point to the folder that holds the file itself",
        )

    def _failure(self, error: OSError, path: Path, right: str) -> CollectorError:
        match error.errno:
            case errno.EACCES | errno.EPERM:
                needed = "read and enter" if right == "rx" else "read"
                return AccessDenied(
                    f"no permission to {needed} {path}",
                    source=self.source,
                    stage="read",
                    mend=f"Give the account that runs the collector the right: setfacl -m u:ACCOUNT:{right} {path},"
                    " or add it to the group of the file (for logs often adm) and let rotation keep that group",
                )
            case errno.ENOENT:
                return TryAgain(
                    f"{path} does not exist",
                    source=self.source,
                    stage="read",
                    mend="Check the path, and that its disk or share is mounted",
                )
            case errno.ENOTDIR:
                return UnexpectedAnswer(
                    f"{path} is no folder",
                    source=self.source,
                    stage="read",
                    field="path",
                    mend="Name the folder that holds the files",
                )
            case errno.ELOOP:
                return self._not_regular(path)
            case _:
                return TryAgain(
                    f"{path} cannot be read now ({error.strerror})",
                    source=self.source,
                    stage="read",
                    mend="Check the disk or share",
                )
