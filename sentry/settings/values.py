"""Walks the values of settings, each with its location, and replaces some without touching the rest."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from sentry.settings.place import Location

Leaf = Callable[[Any, Location], Any]
"""Takes a leaf and its location, returns what shall stand there."""


def replaced(value: Any, leaf: Leaf, location: Location = (), known: Mapping[int, Any] | None = None) -> Any:  # noqa: ANN401  # any value
    """Returns a value with each leaf in it given to a function; the same object where nothing changed.

    Args:
        value: a model, a collection or a leaf.
        leaf: takes a leaf and its location, returns what shall stand there.
        location: of the value.
        known: by `id`, what shall stand for objects wherever they stand; they are not walked.
    """
    if known and id(value) in known:
        return known[id(value)]
    if isinstance(value, BaseModel):
        # Only what changed: a field that is updated counts as written by the user, and validators ask for those.
        changed = {}
        for name, step in _steps(type(value)):
            child = getattr(value, name)
            new = replaced(child, leaf, (*location, step), known)
            if new is not child:
                changed[name] = new
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, dict):
        items = {step: replaced(child, leaf, (*location, step), known) for step, child in value.items()}
        return items if any(items[step] is not child for step, child in value.items()) else value
    if isinstance(value, tuple | list):
        new_items = [replaced(child, leaf, (*location, step), known) for step, child in enumerate(value)]
        return type(value)(new_items) if any(map(_differ, new_items, value)) else value
    return leaf(value, location)


def leaves(value: Any, location: Location = ()) -> Iterator[tuple[Location, Any]]:  # noqa: ANN401  # any value
    """Returns every leaf of a value with its location."""
    if not isinstance(value, BaseModel | dict | tuple | list):
        yield location, value
    for step, child in _children(value):
        yield from leaves(child, (*location, step))


def value_at(value: Any, location: Location) -> Any:  # noqa: ANN401  # any value
    """Returns what stands at a location of a value, None where nothing does."""
    for step in location:
        value = dict(_children(value)).get(step)
    return value


@lru_cache(maxsize=256)
def _steps(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Each field of a model: its name, and the key that users write."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


def _differ(one: object, other: object) -> bool:
    return one is not other


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:  # noqa: ANN401  # any value
    if isinstance(value, BaseModel):
        for name, step in _steps(type(value)):
            yield step, getattr(value, name)
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, tuple | list):
        yield from enumerate(value)
