"""What a pack says: which files a component consists of, as it was published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from scanners.packs.components import Component, ComponentKind

FORMAT = 1


@dataclass(frozen=True, slots=True)
class PackSource:
    """A package that a pack was made of.

    Attributes:
        name: of its file or folder.
        sha256: of the file, hexadecimal; empty for a folder.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackHeader:
    """What is read of a pack to choose it.

    Attributes:
        built_on: the date, as in 2026-11-22.
        files: how many there are.
        body_sha256: of the list of files as it is kept, hexadecimal.
        marks: of a component that nothing else tells: some of its files with their SHA-256, to find it by.
    """

    kind: ComponentKind
    name: str
    version: str
    language: str
    built_on: str
    sources: tuple[PackSource, ...]
    files: int
    size_bytes: int
    body_sha256: str
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def component(self) -> Component:
        """What it describes."""
        return Component(self.kind, self.name, self.version, language=self.language)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file as it was published.

    Attributes:
        digest: SHA-256.
    """

    digest: bytes
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that somebody vouches for.

    Attributes:
        files: by their path below the component's root.
        links: paths that the package fills from other packages; what stands there is neither known nor strange.
        signed_by: the public key; empty where it is not signed.
    """

    header: PackHeader
    files: Mapping[bytes, PackedFile]
    links: frozenset[bytes]
    signed_by: str

    def __iter__(self) -> Iterator[bytes]:
        """Yields the paths."""
        return iter(self.files)
