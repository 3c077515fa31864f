"""Many checks share the very same options; what is prepared of these is prepared once for all of them."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakValueDictionary

Options = TypeVar("Options")
Prepared = TypeVar("Prepared")


def once_for_each(prepare: Callable[[Options], Prepared]) -> Callable[[Options], Prepared]:
    """Has a function called once for each options object, for as long as its outcome is in use.

    Args:
        prepare: its outcome must hold the options: they are known by their identity, which lasts as long as they do.
    """
    known: WeakValueDictionary[int, Prepared] = WeakValueDictionary()

    @wraps(prepare)
    def found_or_prepared(options: Options) -> Prepared:
        found = known.get(id(options))
        if found is None:
            found = known[id(options)] = prepare(options)
        return found

    return found_or_prepared
