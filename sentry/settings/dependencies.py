"""Checks what sites and checks say they depend on: that it is there, and that nothing depends on itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from sentry.domain.errors import Problem
from sentry.settings.document import Document
from sentry.settings.place import Location
from sentry.settings.verdict import suggestion


class Dependencies:
    """Looks at one document; parts of a wrong shape are passed over, for they have problems of their own."""

    def __init__(self, document: Document) -> None:
        """Takes the document after completion."""
        self._document = document
        self._checks = dict(self._found())
        self._sites: dict[str, list[str]] = {}
        for key in self._checks:
            self._sites.setdefault(key.partition("/")[0], []).append(key)

    def problems(self) -> list[Problem]:
        """Returns every dependency that leads nowhere or back to where it began."""
        return [*self._unknown(), *self._circles()]

    def _found(self) -> Iterator[tuple[str, list[tuple[Location, str]]]]:
        """Returns each check's key and what it depends on, with the place where that is written."""
        sites = self._document.value.get("sites")
        for index, site in enumerate(sites if isinstance(sites, list) else ()):
            if not isinstance(site, dict) or not isinstance(site.get("key"), str):
                continue
            own = list(_written(site, ("sites", index)))
            checks = site.get("checks")
            for place, check in enumerate(checks if isinstance(checks, list) else ()):
                if isinstance(check, dict):
                    name = check.get("name") or check.get("kind")
                    yield f"{site['key']}/{name}", [*own, *_written(check, ("sites", index, "checks", place))]

    def _unknown(self) -> Iterator[Problem]:
        known = self._sites.keys() | self._checks.keys()
        said: set[Location] = set()
        for location, name in (each for dependencies in self._checks.values() for each in dependencies):
            if name not in known and location not in said:
                said.add(location)
                text = f"'{name[:127]}' is no site and no check" + suggestion(name, known)
                yield self._document.problem(location, text)

    def _circles(self) -> Iterator[Problem]:
        """A circle is named once, at its first step in the order of the configuration."""
        done: set[str] = set()
        said: set[Location] = set()
        for start in self._checks:
            circle = self._circle_from(start, done) if start not in done else []
            location = self._place(circle[0], circle[1]) if circle else ()
            if circle and location not in said:
                said.add(location)
                text = f"this leads back to where it began: {' → '.join(circle)}; leave one out"
                yield self._document.problem(location, text)

    def _circle_from(self, start: str, done: set[str]) -> list[str]:
        """Walks along the dependencies without recursion; returns the first circle on the way, if there is one."""
        path, ways = [start], [iter(self._next(start))]
        while path:
            step = next(ways[-1], None)
            if step is None:
                done.add(path.pop())
                ways.pop()
            elif step in path:
                done.update(path)
                return [*path[path.index(step) :], step]
            elif step not in done:
                path.append(step)
                ways.append(iter(self._next(step)))
        return []

    def _next(self, check: str) -> list[str]:
        return [key for _, name in self._checks[check] for key in self._meant(name)]

    def _meant(self, name: str) -> list[str]:
        return [name] if name in self._checks else self._sites.get(name, [])

    def _place(self, check: str, target: str) -> Location:
        return next(location for location, name in self._checks[check] if target in self._meant(name))


def _written(part: Mapping[str, Any], location: Location) -> Iterator[tuple[Location, str]]:
    names = part.get("depends_on")
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str):
            yield (*location, "depends_on", index), name
