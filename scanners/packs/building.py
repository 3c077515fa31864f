"""Makes packs of a package: one for each component in it, with the pristine files beside."""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scanners.packs import pack_file
from scanners.packs.components import UNKNOWN_VERSION, Component, ComponentKind, published
from scanners.packs.gathering import Gathered, gathered
from scanners.packs.keys import SigningKey
from scanners.packs.pack import PackedFile, PackHeader, PackSource
from sentry.domain.errors import PackRefused

PACK_SUFFIX = ".pack"
PRISTINE_SUFFIX = ".zip"
MARKS = 8
MAX_HEAD_BYTES = 262_144
"""So much of a file is read to learn a version."""

NEVER_IN_A_NAME = re.compile(r"[^A-Za-z0-9._+~-]+")
ALWAYS_THE_SAME_DAY = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built.

    Attributes:
        source: the package, or a folder.
        beside: packages that links of the first lead into.
        folder: where packs go.
        component: name and version, for what cannot be recognised by itself.
        keep_files: whether the pristine files are kept beside the pack, for comparing and restoring.
    """

    source: Path
    folder: Path
    built_on: date
    key: SigningKey | None = None
    beside: tuple[Path, ...] = ()
    component: Component | None = None
    keep_files: bool = True


def build(order: Order) -> list[Path]:
    """Builds the packs of a package, and returns their files.

    Raises:
        PackRefused: the package cannot be read, holds nothing that is known, or the folder cannot be written.
    """
    sources = tuple(_source(path) for path in (order.source, *order.beside))
    with gathered([order.source, *order.beside]) as whole:
        components = [order.component] if order.component else _distinct(_published(whole, order.source), whole)
        if not components or not any(path.startswith(components[0].root) for path in whole.files):
            raise PackRefused(
                f"{order.source} holds no system, plugin or theme that is known, or no such folder; give --name and "
                "--version to build a pack of it as it is, and --below for a folder of it"
            )
        shares = _shares(components, whole)
        return [_built(order, sources, whole, component, shares[component.root]) for component in components]


def _published(whole: Gathered, source: Path) -> list[Component]:
    def read(paths: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return {path: whole.read(path, MAX_HEAD_BYTES) for path in paths}

    found = published(list(whole.files), read, source.name if source.is_dir() else source.stem)
    return [component for component in found if component.version != UNKNOWN_VERSION]


def _distinct(components: Iterable[Component], whole: Gathered) -> list[Component]:
    """Returns each component once: a package may show one in two places, by links."""
    found: dict[tuple[str, str, str, str], Component] = {}
    for component in sorted(components, key=lambda one: _seen_through_links(one, whole)):
        found.setdefault((component.kind, component.name, component.version, component.language), component)
    return list(found.values())


def _seen_through_links(component: Component, whole: Gathered) -> int:
    return sum(path.startswith(component.root) for path in whole.through_links)


def _shares(components: Sequence[Component], whole: Gathered) -> dict[bytes, list[bytes]]:
    """Returns the paths of each component by its root: each path belongs to the innermost one."""
    roots = sorted((one.root for one in components), key=len, reverse=True)
    shares: dict[bytes, list[bytes]] = {root: [] for root in roots}
    for path in (*whole.files, *whole.links):
        root = next((root for root in roots if path.startswith(root)), None)
        if root is not None:
            shares[root].append(path)
    return shares


def _built(
    order: Order, sources: tuple[PackSource, ...], whole: Gathered, component: Component, paths: Iterable[bytes]
) -> Path:
    inside = {path[len(component.root) :]: path for path in paths}
    found = {inner: whole.files[path] for inner, path in inside.items() if path in whole.files}
    files = {inner: PackedFile(one.digest, one.size_bytes) for inner, one in found.items()}
    body = pack_file.body_of(files, inside.keys() - files.keys())
    header = PackHeader(
        kind=component.kind,
        name=component.name,
        version=component.version,
        language=component.language,
        built_on=order.built_on.isoformat(),
        sources=sources,
        files=len(files),
        size_bytes=sum(one.size_bytes for one in files.values()),
        body_sha256=hashlib.sha256(body).hexdigest(),
        marks=_marks(files) if component.kind is ComponentKind.PACKAGE else {},
    )
    stem = "-".join(part for part in (header.name, header.version, header.language, header.body_sha256[:8]) if part)
    path = order.folder / f"{NEVER_IN_A_NAME.sub('_', stem).lstrip('.')}{PACK_SUFFIX}"
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        if order.keep_files:
            _keep(path.with_suffix(PRISTINE_SUFFIX), whole, inside)
    except OSError as error:
        raise PackRefused(f"nothing can be written into {order.folder}: {error.strerror}") from error
    pack_file.write(path, header, body, order.key)
    return path


def _keep(path: Path, whole: Gathered, inside: Mapping[bytes, bytes]) -> None:
    """Writes the pristine files into an archive of our own, each under its SHA-256 and none under its own name."""
    beside = path.with_name(f".{path.name}.new")
    kept: set[str] = set()
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for shown in inside.values():
            if shown in whole.files and (name := whole.files[shown].digest.hex()) not in kept:
                kept.add(name)
                info = zipfile.ZipInfo(name, ALWAYS_THE_SAME_DAY)
                archive.writestr(info, whole.read(shown), zipfile.ZIP_DEFLATED)
    beside.replace(path)


def _marks(files: Mapping[bytes, PackedFile]) -> dict[str, str]:
    """Returns the largest scripts, else the largest files: what nothing else holds by chance."""
    ranked = sorted(files, key=lambda path: (not path.endswith(b".php"), -files[path].size_bytes, path))
    marks = [path for path in ranked if files[path].size_bytes][:MARKS]
    return {path.decode("utf-8", "backslashreplace"): files[path].digest.hex() for path in marks}


def _source(path: Path) -> PackSource:
    if not path.is_file():
        return PackSource(path.name, "")
    with path.open("rb") as file:
        return PackSource(path.name, hashlib.file_digest(file, "sha256").hexdigest())
