"""What a tree is made of: WordPress, its plugins and themes by their headers, and packages by their lock files."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanners.components.component import Component, component
from scanners.components.locks import LOCKS, LockDamaged, components_of
from scanners.components.versions import Ecosystem
from sentry.domain.finding import Manifest, Skipped
from sentry.domain.tree_entry import EntryKind, TreeEntry
from sentry.ports import Scene

HEADER_BYTES = 8_192
"""WordPress reads no more of a file for its header."""

MAX_COMPONENTS = 20_000
MAX_LOCK_BYTES = 16_000_000
MAX_LISTED_BYTES = 2_000_000
"""A larger file is no main file of a plugin and no readme."""

CORE = "wordpress"
_VERSION_PHP = re.compile(rb"(?:^|/)wp-includes/version\.php$")
_WP_VERSION = re.compile(rb"\$wp_version\s*=\s*['\"]([0-9][^'\"]{0,40})['\"]")
_EXTENSION = re.compile(rb"^(?:.*/)?(?:wp-content|app|content)/(plugins|mu-plugins|themes)/([^/]+)(?:/([^/]+))?$")
_NAME_HEADER = re.compile(rb"^(?:[ \t/*#@]|<\?php)*(?:Plugin|Theme) Name:[ \t]*\S", re.MULTILINE | re.IGNORECASE)
_VERSION_HEADER = re.compile(
    rb"^(?:[ \t/*#@]|<\?php)*Version:[ \t]*([^\r\n*]{1,60}?)[ \t]*(?:\*/.*)?\r?$", re.MULTILINE | re.IGNORECASE
)
_STABLE_TAG = re.compile(rb"^[ \t*]*Stable tag:[ \t*]*([0-9][^\s*]{0,60})", re.MULTILINE | re.IGNORECASE)
_IN_PACKAGE = re.compile(
    rb"(?:^|/)node_modules/.+/(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)$"
)
"""Lock files that travel in a package speak of its author's machine, not of the site."""


@dataclass(slots=True)
class _Extension:
    """A plugin or a theme: the files that may say which.

    Attributes:
        version: of its header, where one was seen; stable_tag: of its readme.
    """

    ecosystem: Ecosystem
    slug: bytes
    files: list[TreeEntry] = field(default_factory=list)
    found_in: str = ""
    version: bytes = b""
    stable_tag: bytes = b""


def inventory(scene: Scene) -> tuple[Component, ...]:
    """Returns the components of a tree, each once for each file that names it."""
    found: list[Component] = []
    for one in _all(scene):
        if len(found) >= MAX_COMPONENTS:
            scene.manifest.skipped.append(Skipped("components", f"more than {MAX_COMPONENTS:,}", 0))
            break
        found.append(one)
    return tuple(found)


def _all(scene: Scene) -> Iterator[Component]:
    files = [entry for entry in scene.entries if entry.kind is EntryKind.FILE]
    yield from _cores(scene, files)
    yield from _extensions(scene, files)
    yield from _packages(scene, files)


def _cores(scene: Scene, files: Iterable[TreeEntry]) -> Iterator[Component]:
    wanted = [entry for entry in files if _VERSION_PHP.search(entry.path)]
    for entry, content in scene.tree.contents(wanted, scene.manifest):
        version = _WP_VERSION.search(content[:MAX_LISTED_BYTES])
        if version:
            yield from _named(Ecosystem.WORDPRESS_CORE, CORE, version.group(1), entry.shown_path)


def _extensions(scene: Scene, files: Iterable[TreeEntry]) -> Iterator[Component]:
    """Reads the file that is named as its folder first: of most plugins no other need be opened."""
    extensions = _listed(files)
    by_path = {entry.path: one for one in extensions for entry in one.files}
    likely = [entry for one in extensions for entry in one.files if _is_likely(one, entry)]
    chosen = {entry.path for entry in likely}
    _read(scene, likely, by_path)
    _read(
        scene,
        [entry for one in extensions if not one.found_in for entry in one.files if entry.path not in chosen],
        by_path,
    )
    for one in extensions:
        if one.found_in:
            slug = one.slug.decode("utf-8", "replace")
            yield from _named(one.ecosystem, slug, one.version or one.stable_tag, one.found_in)


def _named(ecosystem: Ecosystem, name: str, version: bytes, found_in: str) -> Iterator[Component]:
    found = component(ecosystem, name, version.decode("utf-8", "replace"), found_in)
    if found is not None:
        yield found


def _listed(files: Iterable[TreeEntry]) -> Sequence[_Extension]:
    extensions: dict[bytes, _Extension] = {}
    for entry in files:
        place = _EXTENSION.match(entry.path)
        if place is None or entry.size_bytes > MAX_LISTED_BYTES:
            continue
        kind, slug, name = place.groups()
        if not (name or slug).lower().endswith((b".php", b"style.css", b"readme.txt")):
            continue
        ecosystem = Ecosystem.WORDPRESS_THEME if kind == b"themes" else Ecosystem.WORDPRESS_PLUGIN
        folder = entry.path.rpartition(b"/")[0] if name else entry.path
        one = extensions.setdefault(folder, _Extension(ecosystem, slug if name else slug.removesuffix(b".php")))
        one.files.append(entry)
    return tuple(extensions.values())


def _is_likely(one: _Extension, entry: TreeEntry) -> bool:
    name = entry.path.rpartition(b"/")[2].lower()
    return name in {one.slug.lower() + b".php", b"style.css", b"readme.txt"}


def _read(scene: Scene, entries: Sequence[TreeEntry], by_path: Mapping[bytes, _Extension]) -> None:
    for entry, content in scene.tree.contents(entries, scene.manifest):
        one = by_path[entry.path]
        name = entry.path.rpartition(b"/")[2].lower()
        beginning = content[:HEADER_BYTES]
        if name == b"readme.txt":
            stable = _STABLE_TAG.search(beginning)
            one.stable_tag = stable.group(1) if stable else b""
        elif name.endswith(b".css") is (one.ecosystem is Ecosystem.WORDPRESS_THEME) and _NAME_HEADER.search(
            beginning
        ):
            version = _VERSION_HEADER.search(beginning)
            if not one.found_in:
                one.found_in = entry.shown_path
                one.version = version.group(1) if version else b""


def _packages(scene: Scene, files: Iterable[TreeEntry]) -> Iterator[Component]:
    wanted = [entry for entry in files if _is_lock(entry)]
    for entry in [entry for entry in wanted if entry.size_bytes > MAX_LOCK_BYTES]:
        _skip(scene.manifest, entry, f"a lock file larger than {MAX_LOCK_BYTES:,} bytes")
    small = [entry for entry in wanted if entry.size_bytes <= MAX_LOCK_BYTES]
    for entry, content in scene.tree.contents(small, scene.manifest):
        try:
            yield from components_of(_name(entry), content, entry.shown_path)
        except LockDamaged as error:
            _skip(scene.manifest, entry, f"its packages are not known: {str(error)[:200]}")


def _name(entry: TreeEntry) -> str:
    return entry.path.rpartition(b"/")[2].decode("utf-8", "replace")


def _is_lock(entry: TreeEntry) -> bool:
    name = _name(entry)
    if name == "installed.json":
        return entry.path.endswith(b"composer/installed.json")
    return name in LOCKS and not _IN_PACKAGE.search(entry.path)


def _skip(manifest: Manifest, entry: TreeEntry, why: str) -> None:
    manifest.skipped.append(Skipped(entry.shown_path, why, entry.size_bytes))
