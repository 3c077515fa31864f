"""Answers from the JSON Schema what may stand at a location of a document: keys, kinds, descriptions, secrets."""

from collections.abc import Iterator
from typing import Any

from sentry.settings.document import Document
from sentry.settings.place import Location

Part = dict[str, Any]


def chosen_by_kind(location: Location) -> bool:
    """Whether the value here is one of several shapes, told apart by its `kind`."""
    match location:
        case ("sites", int(), "checks", int()) | ("channels", str()):
            return True
    return False


class Schema:
    """A JSON Schema, walked along the locations of a document."""

    def __init__(self, schema: dict[str, Any], document: Document) -> None:
        """Takes the schema of the whole configuration, and the document whose `kind` keys choose among shapes."""
        self._root = schema
        self._document = document

    def keys(self, location: Location) -> set[str]:
        """Returns the keys that a mapping at this location may have."""
        return {key for part in self._parts(location) for key in part.get("properties", ())}

    def kinds(self, location: Location) -> set[str]:
        """Returns the kinds that may stand at this location."""
        found = {
            part.get("properties", {}).get("kind", {}).get("const") for part in self._parts(location, any_kind=True)
        }
        return {kind for kind in found if isinstance(kind, str)}

    def description(self, location: Location) -> str:
        """Returns what is said of the value at this location, empty where nothing is."""
        return next((str(part["description"]) for part in self._parts(location) if "description" in part), "")

    def is_secret(self, location: Location) -> bool:
        """Whether the value at this location is never shown."""
        return any(part.get("format") == "password" for part in self._parts(location))

    def _parts(self, location: Location, *, any_kind: bool = False) -> Iterator[Part]:
        parts = list(self._variants(self._root, (), any_kind=any_kind))
        for size, step in enumerate(location, start=1):
            here = location[:size]
            parts = [
                variant
                for part in parts
                for child in _children(part, step)
                for variant in self._variants(child, here, any_kind=any_kind and here == location)
            ]
        yield from parts

    def _variants(self, part: Part, location: Location, *, any_kind: bool) -> Iterator[Part]:
        """Returns a part with its references followed and its alternatives spread out."""
        while "$ref" in part:
            target: Part = self._root["$defs"][part["$ref"].rpartition("/")[2]]
            part = {**target, **{key: value for key, value in part.items() if key != "$ref"}}
        alternatives = [*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())]
        if not alternatives:
            if any_kind or not chosen_by_kind(location) or self._fits(part, location):
                yield part
            return
        described = {"description": part["description"]} if "description" in part else {}
        for alternative in alternatives:
            yield from self._variants({**described, **alternative}, location, any_kind=any_kind)

    def _fits(self, part: Part, location: Location) -> bool:
        const = part.get("properties", {}).get("kind", {}).get("const")
        value = self._document.at(location)
        return not isinstance(value, dict) or const == value.get("kind")


def _children(part: Part, step: str | int) -> Iterator[Part]:
    if isinstance(step, int):
        prefix = part.get("prefixItems", ())
        if step < len(prefix):
            yield prefix[step]
        elif isinstance(part.get("items"), dict):
            yield part["items"]
    elif step in part.get("properties", ()):
        yield part["properties"][step]
    else:
        # A mapping by key: pydantic writes the pattern of its keys where they have one.
        yield from part.get("patternProperties", {}).values()
        if isinstance(part.get("additionalProperties"), dict):
            yield part["additionalProperties"]
