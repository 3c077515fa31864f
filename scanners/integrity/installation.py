"""What is installed on a site, and for each of its files whether it is as it was published."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanners.integrity.expectations import Expectation, expectation
from scanners.packs.components import UNKNOWN_VERSION, Component, ComponentKind
from scanners.packs.pack import Pack, PackedFile
from scanners.packs.shelf import Shelf

MAX_RELATIVES = 12
"""Packs of other versions that are looked into for a file that is not of the installed one."""


class Standing(StrEnum):
    """What a file is to the component that it stands in."""

    KNOWN = "known"
    """As it was published, at its place."""
    OTHER_VERSION = "other version"
    """As another version of the same component was published, at its place."""
    CHANGED = "changed"
    STRANGE = "strange"
    """Nothing was published under its name."""
    UNKNOWN = "unknown"
    """Nothing is known: of no component, of one without a pack, or filled from another package."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One component where it stands.

    Attributes:
        packs: of its version, the one that fits best first.
    """

    component: Component
    packs: Sequence[Pack]
    expected: Expectation

    def original(self, path: bytes) -> PackedFile | None:
        """Returns a file as the best fitting pack that has it says it was published."""
        return next((pack.files[path] for pack in self.packs if path in pack.files), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one file.

    Attributes:
        placed: what it belongs to, None where nothing is installed there.
        path: below the root of that.
        version: which has it as it stands, where it is of another version.
    """

    standing: Standing
    placed: Placed | None = None
    path: bytes = b""
    version: str = ""


class Installation:
    """The components of a tree with their packs.

    Args:
        shelf: the packs.
        components: as they were found in the tree.
        digests: SHA-256 of the tree's files, by path.
    """

    def __init__(self, shelf: Shelf, components: Iterable[Component], digests: Mapping[bytes, bytes]) -> None:
        self._shelf = shelf
        self._digests = digests
        self._folders: dict[bytes, Placed | None] = {}
        self._relatives: dict[bytes, list[Pack]] = {}
        found = {one.root: one for one in components}
        for package in _packages(shelf, digests):
            found.setdefault(package.root, package)
        self._placed = {
            root: self._with_packs(one) for root, one in found.items() if not _is_in_closed_folder(root, found)
        }

    def __iter__(self) -> Iterator[Placed]:
        """Yields the components, by their roots."""
        return (self._placed[root] for root in sorted(self._placed))

    def _with_packs(self, component: Component) -> Placed:
        is_unknown = component.version == UNKNOWN_VERSION
        packs = self._shelf.relatives(component, MAX_RELATIVES) if is_unknown else self._shelf.packs(component)
        if len(packs) > 1:
            packs.sort(key=lambda pack: -self._matches(pack, component.root))
        return Placed(component, packs[:1] if is_unknown else packs, expectation(component))

    def _matches(self, pack: Pack, root: bytes) -> int:
        return sum(self._digests.get(root + path) == one.digest for path, one in pack.files.items())

    def _owner(self, path: bytes) -> Placed | None:
        """Returns what a path belongs to: the innermost component round it."""
        folder = path[: path.rfind(b"/") + 1]
        passed = []
        while folder not in self._folders:
            passed.append(folder)
            if folder in self._placed or not folder:
                self._folders[folder] = self._placed.get(folder)
            else:
                folder = folder[: folder.rfind(b"/", 0, -1) + 1]
        owner = self._folders[folder]
        self._folders.update(dict.fromkeys(passed, owner))
        return owner

    def verdict(self, path: bytes, digest: bytes) -> Verdict:
        """Returns what is known of a file.

        Args:
            path: below the root of the tree.
            digest: SHA-256 of its content.
        """
        placed = self._owner(path)
        if placed is None:
            return Verdict(Standing.UNKNOWN)
        inner = path[len(placed.component.root) :]
        originals = [pack.files[inner].digest for pack in placed.packs if inner in pack.files]
        if digest in originals:
            return Verdict(Standing.KNOWN, placed, inner)
        version = self._other_version(placed, inner, digest)
        if version:
            return Verdict(Standing.OTHER_VERSION, placed, inner, version)
        if originals:
            return Verdict(Standing.CHANGED, placed, inner)
        is_filled = any(inner in pack.links or _stands_below(inner, pack.links) for pack in placed.packs)
        return Verdict(Standing.UNKNOWN if is_filled or not placed.packs else Standing.STRANGE, placed, inner)

    def is_known(self, path: bytes, digest: bytes) -> bool:
        """Whether a file is as it was published, at its place; a known content at a strange place is not."""
        return self.verdict(path, digest).standing is Standing.KNOWN

    def _other_version(self, placed: Placed, inner: bytes, digest: bytes) -> str:
        relatives = self._relatives_of(placed)
        fitting = (pack for pack in relatives if inner in pack.files and pack.files[inner].digest == digest)
        return next((pack.header.version for pack in fitting), "")

    def _relatives_of(self, placed: Placed) -> list[Pack]:
        root = placed.component.root
        if root not in self._relatives:
            self._relatives[root] = self._shelf.relatives(placed.component, MAX_RELATIVES)
        return self._relatives[root]

    def pristine(self, path: bytes) -> bytes | None:
        """Returns a file as it was published, None where that is not known, or not kept."""
        placed = self._owner(path)
        if placed is None:
            return None
        inner = path[len(placed.component.root) :]
        found = (self._shelf.read(pack, inner) for pack in placed.packs if inner in pack.files)
        return next((content for content in found if content is not None), None)

    def published_sha256(self, path: bytes) -> str:
        """Returns the SHA-256 of a file as it was published, hexadecimal; empty where that is not known."""
        placed = self._owner(path)
        original = None if placed is None else placed.original(path[len(placed.component.root) :])
        return "" if original is None else original.digest.hex()

    def missing(self, placed: Placed, present: Collection[bytes]) -> list[bytes]:
        """Returns what was published and does not stand there, without what people remove.

        Args:
            placed: a component with its packs.
            present: every path of the tree.
        """
        if not placed.packs:
            return []
        root, removable = placed.component.root, placed.expected.removable
        return sorted(
            path for path in placed.packs[0].files if root + path not in present and removable.search(path) is None
        )


def _is_in_closed_folder(root: bytes, found: Mapping[bytes, Component]) -> bool:
    """Whether something claims to be installed where nothing but published files stands: its files are strange."""
    folders = [0, *(at + 1 for at, one in enumerate(root[:-1]) if one == ord("/"))]
    outers = ((found.get(root[:at]), root[at:]) for at in folders if at < len(root))
    return any(outer is not None and _is_closed(outer, inner) for outer, inner in outers)


def _is_closed(component: Component, inner: bytes) -> bool:
    closed = expectation(component).closed
    return closed is not None and closed.match(inner) is not None


def _stands_below(path: bytes, links: Collection[bytes]) -> bool:
    at = path.find(b"/")
    while at >= 0:
        if path[:at] in links:
            return True
        at = path.find(b"/", at + 1)
    return False


def _packages(shelf: Shelf, digests: Mapping[bytes, bytes]) -> Iterator[Component]:
    """Finds what nothing but its own files tells: where one of its marks stands under its own name."""
    wanted: dict[bytes, list[tuple[Component, bytes]]] = {}
    for header in shelf.named_packages():
        for mark, sha256 in header.marks.items():
            wanted.setdefault(bytes.fromhex(sha256), []).append((header.component, mark.encode()))
    standing = ((path, digest) for path, digest in digests.items() if digest in wanted)
    for path, digest in standing:
        for component, name in wanted[digest]:
            if path == name or path.endswith(b"/" + name):
                root = path[: len(path) - len(name)]
                yield Component(ComponentKind.PACKAGE, component.name, component.version, root, component.language)
