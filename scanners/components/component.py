"""One thing that a site is made of and that somebody else wrote."""

from dataclasses import dataclass

from scanners.components.versions import Ecosystem

KINDS = {
    Ecosystem.WORDPRESS_CORE: "core",
    Ecosystem.WORDPRESS_PLUGIN: "plugin",
    Ecosystem.WORDPRESS_THEME: "theme",
    Ecosystem.PACKAGIST: "composer",
    Ecosystem.NPM: "npm",
}
MAX_NAME = 214
"""npm's own limit, the longest of them."""

MAX_VERSION = 64


@dataclass(frozen=True, slots=True)
class Component:
    """A component as the tree shows it.

    Attributes:
        name: slug or package name, lower case.
        version: empty where the tree does not say it.
        found_in: the file that names it, to be shown.
        for_development: its lock file says that the site itself does not need it.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    found_in: str
    for_development: bool = False

    @property
    def key(self) -> str:
        """Its lasting name: `plugin/contact-form-7@5.3.1`."""
        return f"{KINDS[self.ecosystem]}/{self.name}@{self.version or 'unknown'}"


def component(
    ecosystem: Ecosystem, name: str, version: str, found_in: str, *, for_development: bool = False
) -> Component | None:
    """Returns the component that a file written by a stranger names, None where that is no name."""
    name, version = name.strip().lower(), version.strip()
    if not name or len(name) > MAX_NAME or not (name + version).isprintable() or len(version) > MAX_VERSION:
        return None
    return Component(ecosystem, name, version, found_in, for_development)
