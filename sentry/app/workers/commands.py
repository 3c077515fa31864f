"""What the agent tells its workers: our own objects, pickled, over a pipe on which nobody else can write.

They hold passwords and tokens, so they stand in no command line and in no environment.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AnyUrl

from sentry.domain.site import Check
from sentry.settings.concealment import HIDDEN, Curtain
from sentry.settings.model import Probing


@dataclass(frozen=True, slots=True)
class Setup:
    """How a worker probes.

    Attributes:
        max_concurrent: its part of the probes that may run at once.
        own_ports: where the agent serves its own pages.
    """

    probing: Probing
    max_concurrent: int
    own_ports: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Stage:
    """Checks to prepare."""

    generation: int
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """Which of the prepared sets to probe."""

    generation: int


@dataclass(frozen=True, slots=True)
class Recheck:
    """One check to probe once more at an instant."""

    check_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """The checks of which only each so-manieth slot is to be probed; of all others every one is."""

    strides: Mapping[str, int]


def pickled(command: object) -> bytes:
    """Returns a command as bytes. One with thousands of checks takes a while: call it in a thread."""
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(command)
    return stream.getvalue()


def unpickled(payload: bytes) -> Any:  # noqa: ANN401  # the frame says which command it is
    """Returns a command of the agent."""
    return pickle.loads(payload)  # noqa: S301  # from the parent process, over a pipe that it made


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:  # noqa: ANN401  # the interface of pickle
        """A URL that hides its value is of a class made for it, which the worker makes again."""
        kind = type(value)
        if isinstance(value, AnyUrl) and kind.__module__ != AnyUrl.__module__:
            return _concealed_url, (kind.__base__, str(value))
        return NotImplemented


def _concealed_url(kind: type[AnyUrl], text: str) -> Any:  # noqa: ANN401  # a class made at run time
    return Curtain({("url",): HIDDEN}).concealed({"url": kind(text)})["url"]
