"""One name in a tree of files, as its host lists it."""

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What a name stands for."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"
    """A pipe, a socket, a device."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One name below the root.

    Attributes:
        path: below the root, as the host has it: any bytes but NUL, parted by `/`.
        mode: permissions, e.g. 0o644, with setuid, setgid and the sticky bit.
        owner, group: names, or numbers where there are none.
        modified_at, changed_at: seconds since the epoch; only the second cannot be set by whoever owns the file.
        target: where a link leads, as written.
    """

    path: bytes
    kind: EntryKind
    size_bytes: int
    mode: int
    owner: str
    group: str
    modified_at: float
    changed_at: float
    inode: int
    target: bytes = b""

    @property
    def shown_path(self) -> str:
        r"""The path as text: bytes that are no UTF-8 as `\\xNN`, and nothing that a terminal or a log would obey."""
        text = self.path.decode("utf-8", "backslashreplace")
        if text.isprintable():
            return text
        return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
