"""What is not looked at, and the words for it: the same for every kind of tree."""

from collections.abc import Sequence

from sentry.domain.finding import Manifest, Skipped
from sentry.domain.tree_entry import TreeEntry

MAX_FILE_BYTES = 20_000_000
"""A larger file is listed as skipped: no script of any CMS comes near it."""

MAX_NAMES = 500_000
"""More are not listed: each costs memory, and no site has as many."""

TOO_LARGE = f"larger than {MAX_FILE_BYTES:,} bytes"
NOT_PERMITTED = "cannot be read: Permission denied"
NO_SUCH_FILE = "cannot be read: No such file or directory"
NO_FILE = "is no regular file any more"
UNREADABLE = "cannot be read: the host gave neither its content nor a reason"
CHANGED = "changed while it was looked at"


def without_large(entries: Sequence[TreeEntry], manifest: Manifest) -> Sequence[TreeEntry]:
    """Returns those that are small enough; the others are told."""
    manifest.skipped += [
        Skipped(entry.shown_path, TOO_LARGE, entry.size_bytes)
        for entry in entries
        if entry.size_bytes > MAX_FILE_BYTES
    ]
    return [entry for entry in entries if entry.size_bytes <= MAX_FILE_BYTES]


def is_changed(entry: TreeEntry, changed_at: float, size_bytes: int, inode: int) -> bool:
    """Whether a file is another one than was listed, or was written to since."""
    return (entry.changed_at, entry.size_bytes, entry.inode) != (changed_at, size_bytes, inode)
