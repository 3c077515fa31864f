"""All packs at hand. Their headers are read at once, the packs themselves when something they describe is met."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from scanners.packs import pack_file
from scanners.packs.building import PACK_SUFFIX, PRISTINE_SUFFIX
from scanners.packs.components import Component, ComponentKind
from scanners.packs.pack import Pack, PackHeader
from scanners.packs.pristine import PristineFiles
from sentry.domain.errors import PackRefused

MAX_PACKS = 20_000


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose packs are believed.

    Attributes:
        keys: public keys, as `pack key` prints them.
        unsigned: whether a pack that nobody signed is believed too.
    """

    keys: Collection[str] = ()
    unsigned: bool = False

    def check(self, path: Path, pack: Pack) -> None:
        """Lets a pack pass.

        Raises:
            PackRefused: nobody vouches for it.
        """
        if not pack.signed_by and not self.unsigned:
            raise PackRefused(
                f"{path} is not signed; build it with --key, or allow it by audits.unsigned_packs or --unsigned"
            )
        if pack.signed_by and pack.signed_by not in self.keys:
            raise PackRefused(
                f"{path} is signed by {pack.signed_by}, which is none of the trusted keys; add it to "
                "audits.trusted_keys if it is yours"
            )


@dataclass(slots=True)
class _Placed:
    path: Path
    header: PackHeader
    pack: Pack | None = None
    is_refused: bool = False
    pristine: PristineFiles = field(init=False)

    def __post_init__(self) -> None:
        self.pristine = PristineFiles(self.path.with_suffix(PRISTINE_SUFFIX))


class Shelf:
    """The packs of some folders.

    Args:
        folders: where packs lie.
        trust: whose packs are believed.

    Attributes:
        problems: what was refused and why, as it is met.
    """

    def __init__(self, folders: Iterable[Path], trust: Trust) -> None:
        self._trust = trust
        self.problems: list[str] = []
        self._placed: list[_Placed] = []
        self._by_name: dict[tuple[ComponentKind, str], list[_Placed]] = {}
        for path in _paths(folders):
            self._place(path)

    def __enter__(self) -> Self:
        """Returns itself; the end of the context closes what was opened."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes what was opened."""
        for placed in self._placed:
            placed.pristine.close()

    def _place(self, path: Path) -> None:
        try:
            placed = _Placed(path, pack_file.read_header(path))
        except PackRefused as error:
            self.problems.append(str(error))
            return
        self._placed.append(placed)
        self._by_name.setdefault((placed.header.kind, placed.header.name), []).append(placed)

    @property
    def headers(self) -> Mapping[Path, PackHeader]:
        """What the packs say of themselves, by their files; nobody has vouched for them yet."""
        return {placed.path: placed.header for placed in self._placed}

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all packs and who is trusted: another one means that files are to be judged anew."""
        said = [repr((placed.path.name, placed.header)) for placed in self._placed]
        trusted = [*sorted(self._trust.keys), str(self._trust.unsigned)]
        return hashlib.sha256("\n".join(said + trusted).encode("utf-8", "surrogatepass")).hexdigest()

    def packs(self, component: Component) -> list[Pack]:
        """Returns every believed pack of a component's version: builds in other languages, of other distributors."""
        placed = self._by_name.get((component.kind, component.name), [])
        fitting = [one for one in placed if one.header.version == component.version]
        return [pack for one in fitting if (pack := self._opened(one)) is not None]

    def relatives(self, component: Component, at_most: int) -> list[Pack]:
        """Returns believed packs of a component's other versions, the newest built first."""
        placed = self._by_name.get((component.kind, component.name), [])
        others = [one for one in placed if one.header.version != component.version]
        ranked = sorted(others, key=lambda one: one.header.built_on, reverse=True)[:at_most]
        return [pack for one in ranked if (pack := self._opened(one)) is not None]

    def opened(self, path: Path) -> Pack | None:
        """Returns the pack of a file, None where it is not believed."""
        return next((self._opened(placed) for placed in self._placed if placed.path == path), None)

    def named_packages(self) -> Iterator[PackHeader]:
        """Yields the headers of packs of what nothing but its own files tells."""
        for placed in self._placed:
            if placed.header.kind is ComponentKind.PACKAGE:
                yield placed.header

    def _opened(self, placed: _Placed) -> Pack | None:
        if placed.pack is None and not placed.is_refused:
            try:
                pack = pack_file.read(placed.path)
                self._trust.check(placed.path, pack)
            except PackRefused as error:
                self.problems.append(str(error))
                placed.is_refused = True
            else:
                placed.pack = pack
        return placed.pack

    def pristine(self, component: Component, path: bytes) -> bytes | None:
        """Returns a file as it was published, proven by the SHA-256 of a believed pack; None where it is not kept.

        Args:
            component: with its version; its language decides between packs that differ.
            path: below the component's root.
        """
        packs = sorted(self.packs(component), key=lambda pack: pack.header.language != component.language)
        found = (self.read(pack, path) for pack in packs if path in pack.files)
        return next((content for content in found if content is not None), None)

    def read(self, pack: Pack, path: bytes) -> bytes | None:
        """Returns a file of one pack as it was published, None where it is not kept."""
        placed = next((one for one in self._placed if one.pack is pack), None)
        return None if placed is None or path not in pack.files else placed.pristine.read(pack.files[path].digest)


def _paths(folders: Iterable[Path]) -> Sequence[Path]:
    found: list[Path] = []
    for folder in folders:
        found += sorted(folder.glob(f"*{PACK_SUFFIX}"))[: MAX_PACKS - len(found)]
    return found
