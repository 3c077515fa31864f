"""What Composer, npm, Yarn and pnpm wrote down of what they installed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scanners.components.component import Component, component
from scanners.components.versions import Ecosystem

MAX_NESTING = 30
"""Of packages within packages in a lock file of npm 6."""

WORDPRESS_MIRRORS: Mapping[str, Ecosystem] = {
    "wpackagist-plugin": Ecosystem.WORDPRESS_PLUGIN,
    "wp-plugin": Ecosystem.WORDPRESS_PLUGIN,
    "wpackagist-theme": Ecosystem.WORDPRESS_THEME,
    "wp-theme": Ecosystem.WORDPRESS_THEME,
}
"""Vendors by which Composer knows what WordPress calls plugins and themes."""

_YARN_ENTRY = re.compile(r'^"?((?:@[^@/"\s]+/)?[^@"\s/]+)@.*:$')
_YARN_VERSION = re.compile(r'^ {2}version:? "?([^"\s]+)"?$')
_PNPM_KEY = re.compile(r"^ {2}['\"]?/?((?:@[^@/'\"\s]+/)?[^@/'\"\s(]+)[@/]([0-9][^'\"()\s_:]*)[^:]*:(?:\s.*)?$")
_PNPM_SECTION = re.compile(r"^([A-Za-z]+):")


class LockDamaged(Exception):  # noqa: N818  # reads as a state; its catcher lists the file as skipped
    """A lock file cannot be read."""


def components_of(name: str, content: bytes, shown_path: str) -> Iterator[Component]:
    """Yields what a lock file names.

    Args:
        name: of the file, a key of `LOCKS`.
        content: a stranger's.
        shown_path: where it was found.

    Raises:
        LockDamaged: it cannot be read; what was yielded before is right.
    """
    try:
        for found in LOCKS[name](content.decode("utf-8", "replace"), shown_path):
            if found is not None:
                yield found
    except (ValueError, RecursionError) as error:
        raise LockDamaged(f"cannot be read: {error}") from error


def _mapping(text: str) -> dict[str, Any]:
    document = json.loads(text)
    return document if isinstance(document, dict) else {}


def _composer_lock(text: str, path: str) -> Iterator[Component | None]:
    document = _mapping(text)
    for section in ("packages", "packages-dev"):
        yield from _composer_packages(document.get(section), path, lambda _: section.endswith("-dev"))  # noqa: B023  # at once


def _installed(text: str, path: str) -> Iterator[Component | None]:
    """Of Composer 1 it is a list, of Composer 2 an object with the list and the names for development."""
    document = json.loads(text)
    whole = document if isinstance(document, dict) else {"packages": document}
    names = whole.get("dev-package-names")
    only_for_development = frozenset(one for one in names if isinstance(one, str)) if isinstance(names, list) else ()
    yield from _composer_packages(whole.get("packages"), path, lambda name: name in only_for_development)


def _composer_packages(
    packages: object, path: str, for_development: Callable[[str], bool]
) -> Iterator[Component | None]:
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue
        name, version = package.get("name"), package.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            continue
        vendor, _, slug = name.lower().partition("/")
        ecosystem = WORDPRESS_MIRRORS.get(vendor)
        known_as = slug if ecosystem else name
        yield component(
            ecosystem or Ecosystem.PACKAGIST,
            known_as,
            version.removeprefix("v"),
            path,
            for_development=for_development(name),
        )


def _package_lock(text: str, path: str) -> Iterator[Component | None]:
    document = _mapping(text)
    packages = document.get("packages")
    if not isinstance(packages, dict):
        yield from _nested(document.get("dependencies"), path, 0)
        return
    for place, package in packages.items():
        _, found, name = place.rpartition("node_modules/")
        if found and isinstance(package, dict) and isinstance(package.get("version"), str):
            yield _npm(package.get("name") or name, package, path)


def _nested(dependencies: object, path: str, depth: int) -> Iterator[Component | None]:
    if not isinstance(dependencies, dict) or depth > MAX_NESTING:
        return
    for name, package in dependencies.items():
        if isinstance(package, dict):
            if isinstance(package.get("version"), str):
                yield _npm(name, package, path)
            yield from _nested(package.get("dependencies"), path, depth + 1)


def _npm(name: object, package: Mapping[str, Any], path: str) -> Component | None:
    """A package under another name (`npm:other@1.0`) is the other one; what comes from no registry has no version."""
    version = package["version"]
    if version.startswith("npm:"):
        name, _, version = version.removeprefix("npm:").rpartition("@")
    if not isinstance(name, str) or "://" in version or version.startswith(("file:", "link:")):
        return None
    return component(Ecosystem.NPM, name, version, path, for_development=package.get("dev") is True)


def _yarn_lock(text: str, path: str) -> Iterator[Component | None]:
    name = ""
    for line in text.splitlines():
        if line and not line[0].isspace():
            entry = _YARN_ENTRY.match(line[:1_000])
            name = entry.group(1) if entry and "@workspace:" not in line else ""
        elif name and (version := _YARN_VERSION.match(line[:200])):
            yield component(Ecosystem.NPM, name, version.group(1), path)
            name = ""


def _pnpm_lock(text: str, path: str) -> Iterator[Component | None]:
    """Reads the keys of `packages`, and nothing as YAML: `/name/1.0.0`, `/name@1.0.0` or `name@1.0.0`."""
    section = ""
    waiting: tuple[str, str] | None = None
    for line in text.splitlines():
        heading = _PNPM_SECTION.match(line)
        section = heading.group(1) if heading else section
        if section != "packages":
            continue
        key = _PNPM_KEY.match(line[:500])
        if key:
            if waiting:
                yield component(Ecosystem.NPM, *waiting, path)
            waiting = (key.group(1), key.group(2))
        elif waiting and line.strip() == "dev: true":
            yield component(Ecosystem.NPM, *waiting, path, for_development=True)
            waiting = None
    if waiting:
        yield component(Ecosystem.NPM, *waiting, path)


LOCKS: Mapping[str, Callable[[str, str], Iterator[Component | None]]] = {
    "composer.lock": _composer_lock,
    "installed.json": _installed,
    "package-lock.json": _package_lock,
    ".package-lock.json": _package_lock,
    "npm-shrinkwrap.json": _package_lock,
    "yarn.lock": _yarn_lock,
    "pnpm-lock.yaml": _pnpm_lock,
}
