"""Which files with secrets every account of the host may read."""

import re
from collections.abc import Iterable, Iterator

from sentry.domain.finding import Evidence, Finding, FindingClass, Place, Sign
from sentry.domain.tree_entry import EntryKind, TreeEntry

READ_BY_ALL = 0o004
SECRETS = re.compile(
    rb"(?:^|/)(?:wp-config\.php|\.env(?:\.[\w-]+)?|configuration\.php|sites/[^/]+/settings\.php|localsettings\.php|parameters\.yml"
    rb"|auth\.json|\.htpasswd|\.my\.cnf|\.npmrc|\.git-credentials|id_(?:rsa|ed25519))$",
    re.IGNORECASE,
)


def judged(entries: Iterable[TreeEntry]) -> Iterator[Finding]:
    """Yields the files with secrets that are open to every account; whether that matters, the host decides."""
    for entry in entries:
        if entry.kind is EntryKind.FILE and entry.mode & READ_BY_ALL and SECRETS.search(entry.path):
            sign = Sign(
                rule="secrets_readable_by_all",
                meaning="every account of this host may read a file with secrets: take that right away (chmod o-r)",
                verdict=FindingClass.ADVICE,
                evidence=Evidence.SETTING,
                detail=f"mode {entry.mode & 0o7777:04o}",
            )
            yield Finding(path=entry.shown_path, verdict=FindingClass.ADVICE, signs=(sign,), place=Place.FILE)
