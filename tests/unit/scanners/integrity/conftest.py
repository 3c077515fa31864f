"""A small site, its packs, and what an audit of its files finds."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from scanners.files import FilesExaminer
from scanners.integrity.examiner import IntegrityExaminer
from scanners.malware import Malware
from scanners.packs.building import Order, build
from scanners.packs.components import Component
from scanners.packs.shelf import Shelf, Trust
from sentry.domain.audit_outcome import put_together
from sentry.domain.finding import Finding, Manifest
from sentry.domain.tree_entry import EntryKind
from sentry.ports import Scene
from sentry.remote.local_tree import LocalTree
from tests.fakes.clock import ManualClock
from tests.fakes.packages import WORDPRESS, written

MALWARE = Malware()


@dataclass
class Bench:
    """Builds packs, and audits trees with them."""

    folder: Path
    manifest: Manifest = field(default_factory=Manifest)
    known: set[bytes] = field(default_factory=set)

    def pack(self, files: Mapping[str, bytes], component: Component | None = None) -> None:
        """Builds the packs of a package that holds these files."""
        source = written(self.folder / f"package{len(list(self.folder.iterdir()))}", files)
        build(Order(source, self.folder / "packs", date(2026, 11, 22), component=component))

    def audit(self, files: Mapping[str, bytes]) -> dict[str, Finding]:
        """What is found on a site that holds these files, by path."""
        tree = LocalTree(written(self.folder / "site", files))
        entries = list(tree.entries(self.manifest))
        digests = {name.encode(): hashlib.sha256(content).digest() for name, content in files.items()}
        assert digests.keys() == {entry.path for entry in entries if entry.kind is EntryKind.FILE}
        scene = Scene(
            None, None, tree, entries, self.manifest, ManualClock(), lambda *_: None, digests, self.known, set()
        )
        with Shelf([self.folder / "packs"], Trust(unsigned=True)) as shelf:
            found = [
                *IntegrityExaminer(shelf, MALWARE.judge).examine(scene),
                *FilesExaminer(MALWARE.judge).examine(scene),
            ]
        return {finding.path: finding for finding in put_together(found, self.manifest)}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """With nothing built."""
    return Bench(tmp_path)


@pytest.fixture
def audited(bench: Bench) -> Callable[[Mapping[str, bytes]], dict[str, Finding]]:
    """What is found on a small WordPress of which packs are there, with some files otherwise than published."""

    def audit(otherwise: Mapping[str, bytes]) -> dict[str, Finding]:
        bench.pack(WORDPRESS)
        return bench.audit({**WORDPRESS, **otherwise})

    return audit
