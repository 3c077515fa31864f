"""What an audit knows of the ones before it, so that nothing is hashed, read or judged twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sentry.app.auditing.order import AuditOrder
from sentry.audit_cache import AuditCache
from sentry.domain.finding import Manifest
from sentry.domain.tree_entry import TreeEntry
from sentry.ports import Clock, Host, Told, Tree, VerdictBook


class Memory:
    """What was kept; nothing where a folder is audited that is no site's.

    Args:
        order: says where it lies.
        clock: of the audit.
    """

    def __init__(self, order: AuditOrder, clock: Clock) -> None:
        self._site_key = order.site.key if order.site is not None else ""
        self._cache = AuditCache(Path(order.cache), clock) if order.cache and self._site_key else None

    def verdicts(self, rules: str) -> VerdictBook | None:
        """Returns what was said of files before by these rules, for all sites together."""
        return None if self._cache is None else self._cache.verdicts(rules)

    def digests(
        self, host: Host, tree: Tree, files: Sequence[TreeEntry], manifest: Manifest, told: Told
    ) -> Mapping[bytes, bytes]:
        """Returns the SHA-256 of each file that can be read, by its path; of those that have changed, reckoned anew.

        Args:
            host: where the tree is; a site that moves is read anew.
            tree: reckons.
            files: its regular files.
            manifest: hears of those that cannot be read.
            told: hears of progress.
        """
        book = self._cache and self._cache.tree_digests(f"{self._site_key}\0{host.name}\0{tree.root!r}")
        digests = dict(book.recall(files)) if book else {}
        changed = [entry for entry in files if entry.path not in digests]
        for entry, digest in tree.hashes(changed, manifest):
            digests[entry.path] = digest
            told(len(digests), len(files))
        if book:
            book.keep(files, digests)
        return digests

    def close(self) -> None:
        """Closes what it lies in."""
        if self._cache is not None:
            self._cache.close()
