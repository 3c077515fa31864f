"""The parts of an audit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
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
        entries: of the tree, listed once for all.
        manifest: written to by everyone.
        told: hears of progress.
    """

    site: Site | None
    host: Host
    tree: Tree
    entries: Sequence[TreeEntry]
    manifest: Manifest
    clock: Clock
    told: Told


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
