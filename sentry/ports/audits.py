"""The parts of an audit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sentry.domain.finding import Finding, Manifest
from sentry.domain.site import Site
from sentry.domain.tree_entry import TreeEntry
from sentry.ports.clock import Clock
from sentry.ports.hosts import Host, Tree

Told = Callable[[int, int], None]
"""What is told of progress: how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the examiners of one audit look at.

    Attributes:
        site: None where a folder is audited that is no site's.
        host: None where nothing but the files can be reached.
        entries: of the tree, listed once for all.
        manifest: written to by everyone.
        told: hears of progress.
        digests: SHA-256 of each regular file that could be read, by its path; reckoned once for all.
        known: paths of files that are as they were published. Whoever recognises them adds them; nobody after that
            needs to look into them.
        judged: paths of files that an examiner has judged in its own way, and that need not be judged again.
    """

    site: Site | None
    host: Host | None
    tree: Tree
    entries: Sequence[TreeEntry]
    manifest: Manifest
    clock: Clock
    told: Told
    digests: Mapping[bytes, bytes] = field(default_factory=dict)
    known: set[bytes] = field(default_factory=set)
    judged: set[bytes] = field(default_factory=set)


class Examiner(Protocol):
    """Looks at one side of a site: its files, its database, its account, what visitors see, what is known of it."""

    @property
    def name(self) -> str:
        """Its lasting name, as in the manifest's `parts`."""
        ...

    @property
    def rules(self) -> str:
        """The SHA-256 of all that it judges by, hexadecimal; empty where that never changes but with the program."""
        ...

    def examine(self, scene: Scene) -> Iterable[Finding]:
        """Yields what it finds. What it cannot look at goes into the manifest; it raises for a lost link only.

        Raises:
            HostLost: the link broke.
        """
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said of a file that was judged whole.

    Attributes:
        is_script: whether it holds code that a server would run.
        finding: None where nothing was found.
    """

    is_script: bool
    finding: Finding | None = None


class VerdictBook(Protocol):
    """What was said of files before, by the rules in force; for all sites together."""

    def recall(self, path: bytes, digest: bytes) -> Verdict | None:
        """Returns what was said of a file; None where it has not been judged."""
        ...

    def keep(self, path: bytes, digest: bytes, verdict: Verdict) -> None:
        """Remembers what was said of a file.

        Args:
            path: below the root: what a file may hold depends on where it stands.
            digest: SHA-256 of its content.
            verdict: of a file that was judged whole; of others, nobody knows.
        """
        ...


class DigestBook(Protocol):
    """The digests of the files of one tree, as they were when they were last reckoned."""

    def recall(self, entries: Sequence[TreeEntry]) -> Mapping[bytes, bytes]:
        """Returns the digests, by path, of those that are as they were.

        The time of change decides, which nobody but the kernel can set, with size and inode.
        """
        ...

    def keep(self, entries: Sequence[TreeEntry], digests: Mapping[bytes, bytes]) -> None:
        """Remembers these digests, by path, and no others; not those of files without an inode."""
        ...
