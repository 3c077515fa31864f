"""What the list of a site's files tells by itself: rights, owners, links, and files that WordPress runs unasked."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice

from scanners.account.rules import of_entry
from scanners.account.times import set_back
from sentry.domain.finding import Finding
from sentry.domain.tree_entry import EntryKind, TreeEntry

MOST_OF_A_RULE = 50
"""Findings of one rule; the last one tells how many more there are."""

SET_ID = 0o6000
BY_ALL = 0o002
BY_GROUP = 0o020
STICKY = 0o1000

_SCRIPTS = re.compile(
    rb"\.(?:php\d?|phtml|inc|cgi|pl|py|sh|asp|aspx|jsp)$|(?:^|/)(?:\.htaccess|\.user\.ini|php\.ini|\.env)$",
    re.IGNORECASE,
)
_SETTINGS = re.compile(
    rb"(?:^|/)(?:wp-config\.php|configuration\.php|settings\.php|localsettings\.php|\.env)$", re.IGNORECASE
)
_SECRETS = re.compile(
    rb"^/$|^/(?:etc/(?:passwd|shadow|group|ssh)|root)\b|(?:wp-config|configuration|config|settings|database|db)[\w.-]{0,20}\.(?:php|inc|ini|yml)$"
    rb"|/\.(?:env|my\.cnf|ssh|git-credentials|accesshash)\b",
    re.IGNORECASE,
)
_HOSTS_OWN = re.compile(
    rb"^/(?:usr/share|etc/(?:wordpress|mediawiki|dokuwiki|phpmyadmin|roundcube|php)|opt|usr/lib|var/lib)/"
)
_DROP_IN = re.compile(
    rb"(?:^|/)wp-content/(?:db|db-error|object-cache|advanced-cache|sunrise|maintenance|install|php-error|fatal-error-handler"
    rb"|blog-(?:deleted|inactive|suspended))\.php$"
)
_MUST_USE = re.compile(rb"(?:^|/)wp-content/mu-plugins/[^/]+\.php$")


def judged(entries: Sequence[TreeEntry], root: bytes, known: AbstractSet[bytes]) -> Iterator[Finding]:
    """Yields what is wrong with rights, owners and links.

    Args:
        entries: all names below the root.
        root: of the tree, absolute.
        known: files that are as they were published.
    """
    owner = _usual_owner(entries)
    counted: Counter[str] = Counter()
    for entry in entries:
        for rule, detail in _rules(entry, root, known, owner):
            counted[rule] += 1
            if counted[rule] <= MOST_OF_A_RULE:
                yield of_entry(rule, entry, detail)
    for entry in islice((one for one in set_back(entries) if one.path not in known), MOST_OF_A_RULE):
        yield of_entry("time_set_back", entry)
    for rule, count in counted.items():
        if count > MOST_OF_A_RULE:
            first = next(
                entry for entry in entries if any(one == rule for one, _ in _rules(entry, root, known, owner))
            )
            yield of_entry(rule, first, f"and {count - MOST_OF_A_RULE:,} more, of which only this is said")


def _rules(entry: TreeEntry, root: bytes, known: AbstractSet[bytes], owner: str) -> Iterator[tuple[str, str]]:
    mode = f"mode {entry.mode & 0o7777:04o}"
    if entry.kind is EntryKind.LINK:
        if _leads_to_secrets(entry, root):
            yield "link_to_secrets", entry.target.decode("utf-8", "backslashreplace")
        return
    if entry.kind is EntryKind.OTHER:
        yield "no_regular_file", ""
        return
    if entry.mode & BY_ALL and not entry.mode & STICKY:
        yield "script_written_by_all" if _is_script(entry) else "written_by_all", mode
    if entry.kind is not EntryKind.FILE:
        return
    if entry.mode & SET_ID:
        yield "runs_as_owner", mode
    if entry.mode & BY_GROUP and _SETTINGS.search(entry.path):
        yield "settings_written_by_group", mode
    if owner and entry.owner not in {owner, "root"} and _is_script(entry):
        yield "other_owner", f"{entry.owner}, not {owner}"
    if entry.path not in known and entry.size_bytes:
        yield from ((rule, "") for rule, names in _UNASKED if names.search(entry.path))


_UNASKED = (("drop_in", _DROP_IN), ("must_use_plugin", _MUST_USE))


def _is_script(entry: TreeEntry) -> bool:
    return entry.kind is EntryKind.FILE and _SCRIPTS.search(entry.path) is not None


def _usual_owner(entries: Sequence[TreeEntry]) -> str:
    owners = Counter(entry.owner for entry in entries if entry.kind is EntryKind.FILE)
    return owners.most_common(1)[0][0] if owners else ""


def _leads_to_secrets(link: TreeEntry, root: bytes) -> bool:
    """Whether a link leads out of the account, to what holds secrets; to what the host itself shares is fine."""
    whole = posixpath.normpath(posixpath.join(root, posixpath.dirname(link.path), link.target))
    account = b"/".join(root.split(b"/")[:3]) + b"/"
    outside = not whole.startswith(account) and not whole.startswith(root.rstrip(b"/") + b"/")
    return outside and _SECRETS.search(whole) is not None and _HOSTS_OWN.match(whole) is None
