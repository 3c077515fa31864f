"""Scripts whose times do not fit: changed long after all others of their folder, and made to look as old."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sentry.domain.tree_entry import EntryKind, TreeEntry

LEAST_NEIGHBOURS = 8
INSTALLED_WITHIN_S = 600
"""What is installed in one go is changed within that."""

MUCH_LATER_S = 86_400
MOST_ODD = 2
"""More of them are an update."""

SCRIPTS = (b".php", b".phtml", b".inc")


def set_back(entries: Iterable[TreeEntry]) -> Iterator[TreeEntry]:
    """Yields scripts that were changed a day or more after their neighbours, and say by their own time they were not.

    Only the time of change cannot be set; a change of rights sets it too, so that this is a hint and no more.
    """
    folders: dict[bytes, list[TreeEntry]] = defaultdict(list)
    for entry in entries:
        if entry.kind is EntryKind.FILE and entry.path.lower().endswith(SCRIPTS):
            folders[entry.path.rpartition(b"/")[0]].append(entry)
    for scripts in folders.values():
        yield from _odd(sorted(scripts, key=lambda one: one.changed_at))


def _odd(scripts: list[TreeEntry]) -> Iterator[TreeEntry]:
    installed_by = scripts[0].changed_at + INSTALLED_WITHIN_S
    later = [one for one in scripts if one.changed_at > installed_by]
    if not 0 < len(later) <= MOST_ODD or len(scripts) - len(later) < LEAST_NEIGHBOURS:
        return
    for one in later:
        is_much_later = one.changed_at > installed_by + MUCH_LATER_S
        if is_much_later and one.modified_at <= installed_by:
            yield one
