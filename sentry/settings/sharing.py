"""One object for what stands in a configuration ten thousand times: equal checks, equal words, equal sets of keys.

Sites of an agency are watched alike. The options of a check are some forty values, so ten thousand equal ones are
25 MB and two seconds of validation; they are frozen, so one object can serve all.
"""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from sentry.domain.site import CheckOptions, Site
from sentry.settings.place import Location

Shape = TypeVar("Shape", bound=BaseModel)


class SharedChecks:
    """The sites and checks of a configuration, each validated alone before the whole is: equal checks become one.

    One by one also because all ten thousand at once would be a single call of half a second, in which no other thread
    of the agent could do anything.
    """

    def __init__(
        self, site: type[Site], kinds: Mapping[str, type[CheckOptions]], private: Iterable[Location]
    ) -> None:
        """Takes the shapes, and the locations whose values may not be seen: a check that holds one is not shared."""
        self._shape = site
        self._kinds = kinds
        self._private = {location[1:4:2] for location in private if _is_in_check(location)}
        self._known: dict[str, CheckOptions | None] = {}

    @property
    def options(self) -> list[CheckOptions]:
        """Each object that may stand at more than one place."""
        return [options for options in self._known.values() if options is not None]

    def put_in(self, root: dict[str, Any]) -> dict[str, Any]:
        """Returns a document with each site that is sound in its place; faulty ones stay, to be named there.

        Args:
            root: the document, which is not changed.
        """
        sites = root.get("sites")
        if not isinstance(sites, list):
            return root
        return {**root, "sites": [self._site(index, site) for index, site in enumerate(sites)]}

    def _site(self, index: int, site: object) -> object:
        if not isinstance(site, dict) or not isinstance(site.get("checks"), list):
            return site
        checks = [
            check if (index, number) in self._private else self._shared(check)
            for number, check in enumerate(site["checks"])
        ]
        return _validated(self._shape, {**site, "checks": checks}) or site

    def _shared(self, check: object) -> object:
        kind = check.get("kind") if isinstance(check, dict) else None
        if not isinstance(kind, str) or kind not in self._kinds:
            return check
        written = repr(check)  # of values as YAML has them: 1, 1.0, true and '1' differ
        if written not in self._known:
            self._known[written] = _validated(self._kinds[kind], check)
        return self._known[written] or check


def slimmed(sites: Iterable[Site]) -> None:
    """Lets sites share the sets of keys that were written for them: 700 bytes each, and nearly all are equal."""
    known: dict[frozenset[str], set[str]] = {}
    for site in sites:
        written = site.model_fields_set
        # The models are frozen; what is read from this one stays the same.
        object.__setattr__(site, "__pydantic_fields_set__", known.setdefault(frozenset(written), written))


def shared_text(text: str) -> str:
    """Returns one object for all equal texts: keys, kinds, names of plans and clients."""
    return sys.intern(text)


def _is_in_check(location: Location) -> bool:
    match location:
        case ("sites", int(), "checks", int(), *_):
            return True
    return False


def _validated(shape: type[Shape], value: object) -> Shape | None:
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None
