"""Finds what stands in a tree of files or in a package: a system, its plugins, its themes, each with its version."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_CANDIDATES = 4_000
"""Files that are opened to learn a version; a tree that has more of them is not asked further."""

MAX_CANDIDATES_PER_FOLDER = 12
UNKNOWN_VERSION = "of an unknown version"
HEAD_BYTES = 8_192
"""WordPress itself reads so much of a plugin for its header."""


class ComponentKind(StrEnum):
    """What a component is."""

    CORE = "core"
    PLUGIN = "plugin"
    THEME = "theme"
    PACKAGE = "package"
    """Anything else, named by whoever built its pack."""


@dataclass(frozen=True, slots=True)
class Component:
    """Something that was published under a name and a version.

    Attributes:
        name: as its author has it: `wordpress`, the folder of a plugin.
        root: the folder, empty or with a slash at its end.
        language: of a build in one language, empty elsewhere.
    """

    kind: ComponentKind
    name: str
    version: str
    root: bytes = b""
    language: str = ""

    def __str__(self) -> str:
        """Returns how people call it."""
        kind = "" if self.kind in (ComponentKind.CORE, ComponentKind.PACKAGE) else f"{self.kind} "
        return f"{kind}{self.name} {self.version}{f' ({self.language})' if self.language else ''}"


@dataclass(frozen=True, slots=True)
class Mark:
    """How a component is recognised.

    Attributes:
        name: empty where the folder's name is the component's.
        hint: part of the path of the file that says the version; a quick look before `path`.
        path: of that file, with the groups `root` and, without a name, `name`.
        version: its first group is the version.
        language: its first group is the language.
        title: a file without it is another's.
        is_sure: whether the path alone says what it is, also where somebody has made the version unreadable.
    """

    kind: ComponentKind
    name: str
    hint: bytes
    path: re.Pattern[bytes]
    version: re.Pattern[bytes]
    language: re.Pattern[bytes] | None = None
    title: re.Pattern[bytes] | None = None
    is_sure: bool = False


VERSION = rb"([0-9A-Za-z][0-9A-Za-z._+~-]{0,39})"
HEADER = rb"^(?:[ \t]*<\?php)?[ \t/*#@]*"
HEADER_VERSION = re.compile(HEADER + rb"Version:[ \t]*v?" + VERSION, re.MULTILINE | re.IGNORECASE)
ROOT = rb"(?P<root>(?:[^/]+/)*)"


def _core(name: str, file: bytes, version: bytes, language: bytes | None = None, *, is_sure: bool = False) -> Mark:
    return Mark(
        ComponentKind.CORE,
        name,
        file,
        re.compile(ROOT + re.escape(file) + rb"\Z"),
        re.compile(version.replace(b"@", VERSION)),
        None if language is None else re.compile(language),
        is_sure=is_sure,
    )


MARKS: Sequence[Mark] = (
    _core(
        "wordpress",
        b"wp-includes/version.php",
        rb"""\$wp_version\s*=\s*['"]@['"]\s*;""",
        rb"""\$wp_local_package\s*=\s*['"]([A-Za-z_]{2,12})['"]""",
        is_sure=True,
    ),
    _core("mediawiki", b"includes/Defines.php", rb"""define\(\s*['"]MW_VERSION['"],\s*['"]@['"]"""),
    _core("mediawiki", b"includes/DefaultSettings.php", rb"""\$wgVersion\s*=\s*['"]@['"]"""),
    _core("joomla", b"administrator/manifests/files/joomla.xml", rb"<version>@</version>", is_sure=True),
    _core("drupal", b"core/lib/Drupal.php", rb"""const VERSION = ['"]@['"]"""),
    _core("drupal", b"includes/bootstrap.inc", rb"""define\(['"]VERSION['"],\s*['"]@['"]"""),
    _core("phpmyadmin", b"libraries/classes/Version.php", rb"""const VERSION = ['"]@['"]"""),
    _core("roundcube", b"program/include/iniset.php", rb"""define\(['"]RCMAIL_VERSION['"],\s*['"]@['"]"""),
    Mark(
        ComponentKind.PLUGIN,
        "",
        b"wp-content/plugins/",
        re.compile(rb"(?P<root>(?:[^/]+/)*wp-content/plugins/(?P<name>[^/]+)/)[^/]+\.php\Z"),
        HEADER_VERSION,
        title=re.compile(HEADER + rb"Plugin Name:", re.MULTILINE | re.IGNORECASE),
    ),
    Mark(
        ComponentKind.THEME,
        "",
        b"/style.css",
        re.compile(rb"(?P<root>(?:[^/]+/)*wp-content/themes/(?P<name>[^/]+)/)style\.css\Z"),
        HEADER_VERSION,
        title=re.compile(HEADER + rb"Theme Name:", re.MULTILINE | re.IGNORECASE),
    ),
)
"""Every system that is known, as data."""

HOMES = (b"", b"wp-content/plugins/", b"wp-content/themes/")
"""Where a package is put once it is installed; as it is published it holds what stands below."""

_Candidate = tuple[bytes, Mark, dict[str, bytes]]
"""A file that may say a version, by which mark, and the groups of its path."""

Read = Callable[[Sequence[bytes]], Mapping[bytes, bytes]]
"""Returns the beginnings of files, of those that can be read."""


def installed(paths: Iterable[bytes], read: Read) -> list[Component]:
    """Returns what is installed in a tree.

    Args:
        paths: of all its regular files.
        read: reads some of them.
    """
    candidates = list(_candidates(paths))[:MAX_CANDIDATES]
    found: dict[bytes, Component] = {}
    for is_likely in (True, False):  # most plugins are known by the first file, and no other is read
        asked = [one for one in candidates if _is_likely(one) is is_likely and one[2]["root"] not in found]
        heads = read(sorted({path for path, _, _ in asked}))
        for path, mark, place in sorted(asked, key=lambda one: one[0]):
            component = _component(mark, place, heads.get(path, b""))
            if component is not None:
                found.setdefault(component.root, component)
    return [one for one in found.values() if not _is_inside_an_extension(one, found)]


def published(paths: Sequence[bytes], read: Read, fallback_name: str) -> list[Component]:
    """Returns what a package holds; the roots are those within the package.

    Args:
        paths: of all its files.
        read: reads some of them.
        fallback_name: of the folder, where the package is that folder itself.
    """
    for home in (*HOMES, *(one + fallback_name.encode() + b"/" for one in HOMES[1:])):

        def read_at_home(wanted: Sequence[bytes], home: bytes = home) -> Mapping[bytes, bytes]:
            inside = read([path[len(home) :] for path in wanted])
            return {home + path: head for path, head in inside.items()}

        found = installed((home + path for path in paths), read_at_home)
        if found:
            return [_within(one, home) for one in found]
    return []


def _within(component: Component, home: bytes) -> Component:
    return Component(
        component.kind, component.name, component.version, component.root[len(home) :], component.language
    )


def _candidates(paths: Iterable[bytes]) -> Iterable[_Candidate]:
    in_folder: dict[bytes, int] = {}
    for path in paths:
        for mark in MARKS:
            if mark.hint in path and (place := mark.path.match(path)) is not None:
                root = place["root"]
                in_folder[root] = in_folder.get(root, 0) + 1
                if in_folder[root] <= MAX_CANDIDATES_PER_FOLDER or _is_main(path, place.groupdict()):
                    yield path, mark, place.groupdict()


def _is_main(path: bytes, place: Mapping[str, bytes]) -> bool:
    return path == place["root"] + place.get("name", b"") + b".php"


def _is_inside_an_extension(component: Component, found: Mapping[bytes, Component]) -> bool:
    """Whether it stands within a plugin or a theme: then it is a part of that, whatever it says of itself."""
    at = component.root.find(b"/", 0, -1)
    while at >= 0:
        outer = found.get(component.root[: at + 1])
        if outer is not None and outer.kind in (ComponentKind.PLUGIN, ComponentKind.THEME):
            return True
        at = component.root.find(b"/", at + 1, -1)
    return False


def _is_likely(candidate: _Candidate) -> bool:
    path, mark, place = candidate
    return mark.kind is not ComponentKind.PLUGIN or _is_main(path, place)


def _component(mark: Mark, place: Mapping[str, bytes], head: bytes) -> Component | None:
    head = head if mark.name else head[:HEAD_BYTES].replace(b"\r", b"\n")
    version = mark.version.search(head)
    is_other = mark.title is not None and mark.title.search(head) is None
    if is_other or (version is None and not mark.is_sure):
        return None
    language = mark.language.search(head) if mark.language else None
    return Component(
        mark.kind,
        mark.name or place["name"].decode("utf-8", "backslashreplace"),
        UNKNOWN_VERSION if version is None else version[1].decode(),
        place["root"],
        language[1].decode() if language else "",
    )
