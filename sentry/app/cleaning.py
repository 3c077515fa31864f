"""Where a folder of a host is cleaned: what was published, who cuts, and where all of it is written down."""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanners.cutting.surgeon import Surgeon
from scanners.malware import Malware
from scanners.packs.components import HEAD_BYTES, installed
from scanners.packs.shelf import Shelf
from sentry.domain.cleaning import Authority, Cleaned, CleaningPlan, KeptFile
from sentry.domain.errors import TransitionRefused
from sentry.domain.finding import Finding, Manifest
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Clock, Host, Tree
from sentry.ports.cleaning import Hears
from sentry.quarantine.chest import FolderChest
from sentry.quarantine.journal import FolderJournals
from sentry.quarantine.register import FolderRegister
from sentry.services.cleaning_plans import CleaningPlans, Wishes
from sentry.services.cleanings import Cleanings
from sentry.services.site_files import SiteFiles


class Quarantine:
    """The agent's own folder of what was cleaned.

    Args:
        folder: private; made where it is missing.
        site: a folder of this machine that it must not stand in.

    Raises:
        QuarantineFailed: it cannot be made.
        TransitionRefused: it would stand within the site.
    """

    def __init__(self, folder: Path, site: Path | None = None) -> None:
        if site is not None and folder.resolve().is_relative_to(site.resolve()):
            raise TransitionRefused(f"the quarantine {folder} stands within the site; name another folder by --data")
        self.chest = FolderChest(folder / "objects")
        self.register = FolderRegister(folder / "entries")
        self.journals = FolderJournals(folder / "journals")


@dataclass(frozen=True, slots=True)
class Ground:
    """A folder of a host that is cleaned.

    Attributes:
        site_key: empty for a folder that is no site's.
    """

    host: Host
    tree: Tree
    site_key: str = ""


class CleaningDesk:
    """Plans, cleans and gives back. All of it blocks.

    Args:
        shelf: what was published.
        told: hears of each step.
    """

    def __init__(self, quarantine: Quarantine, ground: Ground, shelf: Shelf, clock: Clock, told: Hears) -> None:
        self._quarantine = quarantine
        self._ground = ground
        self._shelf = shelf
        self._clock = clock
        self._cleanings = Cleanings(
            host=ground.host,
            journals=quarantine.journals,
            chest=quarantine.chest,
            register=quarantine.register,
            clock=clock,
            told=told,
        )

    def plan(self, findings: Sequence[Finding], wishes: Wishes) -> CleaningPlan:
        """Returns what is to be done about findings. Nothing of the site is written.

        Raises:
            HostError: the folder cannot be reached.
        """
        files = SiteFiles(self._ground.host, self._ground.tree.root)
        entries = [one for one in self._ground.tree.entries(Manifest()) if one.kind is EntryKind.FILE]
        plans = CleaningPlans(
            files, Published(self._shelf, entries, self._ground.tree), self._surgeon(), self._quarantine.chest
        )
        return CleaningPlan(
            key=new_key(self._clock),
            host=self._ground.host.name,
            root=files.root,
            made_at=self._clock.now(),
            files=plans.files(findings, _by_shown_path(entries), wishes),
            site_key=self._ground.site_key,
        )

    def clean(self, plan: CleaningPlan) -> Cleaned:
        """Carries a plan out; see `Cleanings.clean`."""
        return self._cleanings.clean(plan)

    def resume(self) -> Sequence[Cleaned]:
        """Goes on with what was broken off in this folder; see `Cleanings.resume`."""
        root = SiteFiles(self._ground.host, self._ground.tree.root).root
        return self._cleanings.resume(lambda plan: plan.host == self._ground.host.name and plan.root == root)

    def undo(self, kept: KeptFile, authority: Authority, *, force: bool) -> Cleaned:
        """Gives a file back; see `Cleanings.undo`."""
        return self._cleanings.undo(kept, new_key(self._clock), authority, force=force)

    def _surgeon(self) -> Surgeon:
        return Surgeon(Malware(), self._clock)


class Published:
    """Fills `KnownGood` by packs, for the components that a tree holds."""

    def __init__(self, shelf: Shelf, entries: Sequence[TreeEntry], tree: Tree) -> None:
        self._shelf = shelf
        by_path = {entry.path: entry for entry in entries}

        def heads(paths: Sequence[bytes]) -> Mapping[bytes, bytes]:
            contents = tree.contents([by_path[path] for path in paths], Manifest())
            return {entry.path: content[:HEAD_BYTES] for entry, content in contents}

        found = installed(by_path, heads) if shelf.headers else []
        self._components = sorted(found, key=lambda one: -len(one.root))

    def pristine(self, path: bytes) -> bytes | None:
        """Returns a file as it was published; see `KnownGood`."""
        for component in self._components:
            if path.startswith(component.root):
                found = self._shelf.pristine(component, path[len(component.root) :])
                if found is not None:
                    return found
        return None

    def published_sha256(self, path: bytes) -> str:
        """Returns the hash of a file as it was published; see `KnownGood`."""
        for component in self._components:
            within = path[len(component.root) :]
            packs = self._shelf.packs(component) if path.startswith(component.root) else []
            digests = {pack.files[within].digest for pack in packs if within in pack.files}
            if len(digests) == 1:
                return digests.pop().hex()
        return ""


def new_key(clock: Clock) -> str:
    """Returns the key of a new cleaning."""
    return f"{clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _by_shown_path(entries: Sequence[TreeEntry]) -> Mapping[str, bytes | None]:
    """Returns what each shown path is; None where two names look alike."""
    found: dict[str, bytes | None] = {}
    for entry in entries:
        found[entry.shown_path] = None if entry.shown_path in found else entry.path
    return found


def default_folder(config: Path) -> Path:
    """Returns where the quarantine is unless somebody says otherwise: beside the configuration, else at home."""
    if config.is_file():
        return config.absolute().parent / "quarantine"
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "online-sentry" / "quarantine"
