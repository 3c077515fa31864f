"""Checks the names by which parts of the configuration speak of each other, in the document as written."""

from collections.abc import Iterator, Mapping
from typing import Any

from sentry.domain.errors import Problem
from sentry.settings.dependencies import Dependencies
from sentry.settings.document import Document
from sentry.settings.environment import Secrets
from sentry.settings.place import Location
from sentry.settings.verdict import suggestion


class References:
    """Looks at one document; parts of a wrong shape are passed over, for they have problems of their own."""

    def __init__(self, document: Document, secrets: Secrets) -> None:
        """Takes the document after completion."""
        self._document = document
        self._secrets = secrets

    def problems(self) -> list[Problem]:
        """Returns every name that leads nowhere, stands twice or leads back to itself."""
        return [
            *self._unknown_names(),
            *self._missing_choices(),
            *self._duplicate_sites(),
            *self._duplicate_checks(),
            *self._fallback_cycles(),
            *Dependencies(self._document).problems(),
            *self._names_from_outside(),
        ]

    def _section(self, name: str) -> dict[str, Any]:
        value = self._document.value.get(name)
        return value if isinstance(value, dict) else {}

    def _items(self, name: str) -> Iterator[tuple[Location, dict[str, Any]]]:
        """Returns the mappings of a list of the root, each with its location."""
        value = self._document.value.get(name)
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield (name, index), item

    def _mentions(self) -> Iterator[tuple[Location, Any, str]]:
        """Returns each name that refers to a section: where, the name, the section."""
        for location, site in self._items("sites"):
            for key, section in (("client", "clients"), ("plan", "plans"), ("host", "hosts")):
                # A name that was filled in stands in `defaults`, and is named there once.
                if (*location, key) in self._document.places:
                    yield (*location, key), site[key], section
        for key, section in (("client", "clients"), ("plan", "plans")):
            yield ("defaults", key), self._section("defaults").get(key), section
        for key, channel in self._section("channels").items():
            if isinstance(channel, dict):
                yield ("channels", key, "fallback"), channel.get("fallback"), "channels"
        for location, route in self._items("routes"):
            yield from _listed(location, route, {"to": "channels"} | dict.fromkeys(("clients", "plans", "sites")))
        for key, window in self._section("maintenance").items():
            if isinstance(window, dict):
                yield from _listed(("maintenance", key), window, dict.fromkeys(("sites", "hosts", "clients")))

    def _known(self) -> Mapping[str, set[str]]:
        known = {section: set(self._section(section)) for section in ("clients", "plans", "hosts", "channels")}
        keys = (site.get("key") for _, site in self._items("sites"))
        known["sites"] = {key for key in keys if isinstance(key, str)}
        return known

    def _unknown_names(self) -> Iterator[Problem]:
        known = self._known()
        for location, name, section in self._mentions():
            if isinstance(name, str) and name not in known[section]:
                named = "the value" if location in self._secrets.locations else f"'{name[:63]}'"
                written = known[section] if (section,) in self._document.places else set()
                advice = suggestion(name, written) or f"; define it under '{section}'"
                yield self._document.problem(location, f"{named} is none of '{section}'{advice}")

    def _missing_choices(self) -> Iterator[Problem]:
        """Several clients or plans, and a site that chooses none."""
        for location, site in self._items("sites"):
            for key, section in (("client", "clients"), ("plan", "plans")):
                if key not in site:
                    names = ", ".join(sorted(self._section(section)))
                    advice = f"is missing; name one of {names}, or set defaults.{key} for all sites"
                    yield self._document.problem((*location, key), advice)

    def _duplicate_sites(self) -> Iterator[Problem]:
        first: dict[str, Location] = {}
        for location, site in self._items("sites"):
            key = site.get("key")
            if not isinstance(key, str):
                continue
            earlier = first.setdefault(key, location)
            if earlier != location:
                place = self._document.place((*earlier, "key"))
                where = f"{place.file}:{place.line}"
                message = f"the key '{key[:63]}' is taken by the site in {where}; give each site a key of its own"
                yield self._document.problem((*location, "key"), message)

    def _duplicate_checks(self) -> Iterator[Problem]:
        for site_location, site in self._items("sites"):
            first: dict[str, Location] = {}
            checks = site.get("checks")
            for index, check in enumerate(checks if isinstance(checks, list) else ()):
                if not isinstance(check, dict):
                    continue
                name = check.get("name") or check.get("kind")
                location = (*site_location, "checks", index)
                if isinstance(name, str) and (earlier := first.setdefault(name, location)) != location:
                    message = (
                        f"another check of this site is called '{name[:63]}' too, in line "
                        f"{self._document.place(earlier).line}; tell them apart with 'name: …'"
                    )
                    yield self._document.problem(location, message)

    def _names_from_outside(self) -> Iterator[Problem]:
        """Names of sites and checks are seen everywhere, and history belongs to them: no secret can be one."""
        for location, site in self._items("sites"):
            checks = site.get("checks")
            names = [
                (*location, "checks", index, "name")
                for index in range(len(checks) if isinstance(checks, list) else 0)
            ]
            for name in [(*location, "key"), *names]:
                if name in self._secrets.locations:
                    yield self._document.problem(
                        name, "history belongs to this name, and pages and metrics show it; write it out"
                    )

    def _fallback_cycles(self) -> Iterator[Problem]:
        next_of: dict[str, str] = {}
        for key, channel in self._section("channels").items():
            fallback = channel.get("fallback") if isinstance(channel, dict) else None
            if isinstance(fallback, str):
                next_of[key] = fallback
        seen: set[str] = set()
        for start in next_of:
            path: list[str] = []
            at: str | None = start
            while at is not None and at not in seen and at not in path:
                path.append(at)
                at = next_of.get(at)
            if at in path:
                cycle = [*path[path.index(at) :], at]
                message = f"the fall-backs lead back to where they began: {' → '.join(cycle)}; leave one out"
                yield self._document.problem(("channels", cycle[-2], "fallback"), message)
            seen.update(path)


def _listed(
    location: Location, value: dict[str, Any], lists: Mapping[str, str | None]
) -> Iterator[tuple[Location, Any, str]]:
    """Returns each name in the lists of a mapping; a list without a section is called as its section is."""
    for key, section in lists.items():
        names = value.get(key)
        for index, name in enumerate(names if isinstance(names, list) else ()):
            yield (*location, key, index), name, section or key
