"""The listing that GNU find writes of a tree of files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sentry.domain.tree_entry import EntryKind, TreeEntry

KINDS: Mapping[bytes, EntryKind] = {b"f": EntryKind.FILE, b"d": EntryKind.FOLDER, b"l": EntryKind.LINK}
FIELDS = 5


def printed(path: str) -> Sequence[str]:
    """Returns what find is told to write of each name: whether the account may look into it, and all of its entry.

    Args:
        path: how find writes the path: `%P` below the starting point, `%p` with it.
    """
    closed = ("(", "!", "-readable", "-o", "-type", "d", "!", "-executable", ")", "-printf", "x")
    # Names of users may hold blanks, so they stand between NULs like paths.
    return ("(", *closed, "-o", "-printf", "-", ")", "-printf", rf"%y %s %m %T@ %C@ %i\0%u\0%g\0{path}\0%l\0")


@dataclass(frozen=True, slots=True)
class Listed:
    """One record.

    Attributes:
        closed: the account cannot read it, or cannot look into it; of a link: into what it leads to.
    """

    entry: TreeEntry
    closed: bool


def listed(fields: Iterable[bytes]) -> Iterator[Listed]:
    """Yields a record per name.

    Args:
        fields: what find wrote, at each NUL.

    Raises:
        ValueError: that is no listing.
    """
    for record in zip(*[iter(fields)] * FIELDS, strict=False):
        yield _record(*record)


def _record(figures: bytes, owner: bytes, group: bytes, path: bytes, target: bytes) -> Listed:
    kind, size, mode, modified, changed, inode = figures[1:].split(b" ")
    entry = TreeEntry(
        path=path,
        kind=KINDS.get(kind, EntryKind.OTHER),
        size_bytes=int(size),
        mode=int(mode, 8),
        owner=owner.decode("utf-8", "backslashreplace"),
        group=group.decode("utf-8", "backslashreplace"),
        modified_at=float(modified),
        changed_at=float(changed),
        inode=int(inode),
        target=target,
    )
    return Listed(entry, figures[:1] == b"x")
