"""Walks the values of settings, each with its location, and replaces some without touching the rest."""

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from sentry.settings.place import Location


def replaced(value: Any, leaf: Callable[[Any, Location], Any], location: Location = ()) -> Any:  # noqa: ANN401  # any value
    """Returns a value with each leaf in it given to a function; the same object where nothing changed.

    Args:
        value: a model, a collection or a leaf.
        leaf: takes a leaf and its location, returns what shall stand there.
        location: of the value.
    """
    children = dict(_children(value))
    if not children and not isinstance(value, BaseModel | dict | tuple | list):
        return leaf(value, location)
    new = {step: replaced(child, leaf, (*location, step)) for step, child in children.items()}
    if all(new[step] is child for step, child in children.items()):
        return value
    if isinstance(value, BaseModel):
        # Only what changed: a field that is updated counts as written by the user, and validators ask for those.
        changed = {name: new[step] for name, step in _steps(value) if new[step] is not children[step]}
        return value.model_copy(update=changed)
    return new if isinstance(value, dict) else type(value)(new.values())


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


def _steps(model: BaseModel) -> Iterator[tuple[str, str]]:
    """Each field of a model: its name, and the key that users write."""
    for name, field in type(model).model_fields.items():
        yield name, field.alias or name


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:  # noqa: ANN401  # any value
    if isinstance(value, BaseModel):
        for name, step in _steps(value):
            yield step, getattr(value, name)
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, tuple | list):
        yield from enumerate(value)
