"""What to ask for: what the tree holds, and what is well known to be left behind."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from scanners.exposure.suspects import LISTING, SUSPECTS, Suspect
from sentry.domain.tree_entry import EntryKind, TreeEntry

MAX_FOLDERS = 12
MAX_FOLDER_DEPTH = 4
WITNESSES, LEAST_WITNESS_BYTES, MOST_WITNESS_BYTES = 3, 100, 60_000
_PLAIN = (b".css", b".js", b".txt", b".svg", b".png", b".gif", b".jpg", b".ico", b".woff2")
_INDEXES = (b"index.php", b"index.html", b"index.htm", b"default.asp", b"default.aspx")
_TELLING = (b"backup", b"upload", b"log", b"cache", b"tmp", b"private", b"export", b"dump", b"wp-content", b"files")
"""Words of folders that are asked for first."""


Found = list[tuple[TreeEntry, str]]
"""Entries, each with what its address ends in."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address that may show what it should not.

    Attributes:
        entry: what it is in the tree; None where that is not seen.
    """

    url: str
    suspect: Suspect
    entry: TreeEntry | None = None


def candidates(
    url: str, entries: Sequence[TreeEntry], known: AbstractSet[bytes] = frozenset(), *, is_served: bool = False
) -> Iterator[Candidate]:
    """Yields what to ask for, the gravest first, each address once.

    Args:
        url: of the site. The tree may be served at its path or at the root of its host; both are asked for.
        entries: of the docroot; none where nobody sees it.
        known: paths of files that are as they were published: an example of a dump is none.
        is_served: whether just these entries are what the site serves; what is not among them is not asked for.
    """
    seen: set[str] = set()
    bases = _bases(url)
    for suspect, found in (*_by_rule(entries, known), (LISTING, _folders(entries))):
        paths = [(quote(entry.path, safe="/") + slash, entry) for entry, slash in found]
        asked = suspect.well_known if suspect.is_no_file or not is_served else ()
        usual: Iterable[tuple[str, TreeEntry | None]] = [(path.lstrip("/"), None) for path in asked]
        for path, entry in (*paths, *usual):
            for base in bases:
                if base + path not in seen:
                    seen.add(base + path)
                    yield Candidate(base + path, suspect, entry)


def _bases(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    origin, folder = f"{parts.scheme}://{parts.netloc}/", parts.path.rpartition("/")[0].strip("/")
    return (f"{origin}{folder}/", origin) if folder else (origin,)


def _by_rule(
    entries: Sequence[TreeEntry], known: AbstractSet[bytes]
) -> list[tuple[Suspect, list[tuple[TreeEntry, str]]]]:
    found: dict[str, list[tuple[TreeEntry, str]]] = {suspect.rule: [] for suspect in SUSPECTS}
    for entry in entries:
        if entry.kind is not EntryKind.FILE or not entry.size_bytes:
            continue
        suspect = next((one for one in SUSPECTS if one.names.search(entry.path)), None)
        if suspect is None or (suspect.same_bytes and entry.path in known):
            continue
        if len(found[suspect.rule]) < suspect.most:
            found[suspect.rule].append((entry, ""))
    return [(suspect, found[suspect.rule]) for suspect in SUSPECTS]


def _folders(entries: Sequence[TreeEntry]) -> Found:
    """The folders that a server might list, for they hold no page of their own."""
    indexed = {
        entry.path.rpartition(b"/")[0] for entry in entries if entry.path.rpartition(b"/")[2].lower() in _INDEXES
    }
    bare = [
        entry
        for entry in entries
        if entry.kind is EntryKind.FOLDER
        and entry.path not in indexed
        and entry.path.count(b"/") < MAX_FOLDER_DEPTH
        and not any(part.startswith(b".") for part in entry.path.split(b"/"))
    ]
    bare.sort(key=lambda entry: (not any(word in entry.path.lower() for word in _TELLING), entry.path.count(b"/")))
    return [(entry, "/") for entry in bare[:MAX_FOLDERS]]


def witnesses(entries: Sequence[TreeEntry]) -> list[TreeEntry]:
    """Returns a few files that every server gives out as they are: by them shows whether a tree is what is served."""
    plain = [
        entry
        for entry in entries
        if entry.kind is EntryKind.FILE
        and entry.path.lower().endswith(_PLAIN)
        and LEAST_WITNESS_BYTES <= entry.size_bytes <= MOST_WITNESS_BYTES
        and not any(part.startswith(b".") for part in entry.path.split(b"/"))
    ]
    return sorted(plain, key=lambda entry: (entry.path.count(b"/"), entry.path))[:WITNESSES]
