"""What every engine that judges a file takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sentry.domain.finding import Sign
from sentry.domain.tree_entry import TreeEntry


@dataclass(frozen=True, slots=True)
class AuditedFile:
    """One file under judgement.

    Attributes:
        path: below the root, to be shown; the engines judge the place by it.
        entry: as its host lists it; None for a text that is no file.
    """

    path: str
    content: bytes
    entry: TreeEntry | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one engine says of a file.

    Attributes:
        layers: each text that was hidden in it, outermost first; the rules look at them too.
        is_script: whether it holds code that a server would run.
        left_out: why it was not judged whole, None where it was.
    """

    signs: tuple[Sign, ...] = ()
    layers: tuple[bytes, ...] = ()
    is_script: bool = False
    left_out: str | None = None


class Engine(Protocol):
    """Judges one file. It may fail; then it is said to have failed, and that is never a verdict."""

    @property
    def name(self) -> str:
        """Its lasting name."""
        ...

    def judge(self, file: AuditedFile, is_late: Callable[[], bool]) -> Opinion:
        """Judges a file; one that is none of its business has no signs.

        Args:
            file: of any size and content, written by a stranger.
            is_late: whether the time of this file is over.
        """
        ...


def shown(text: bytes) -> str:
    """Returns a stranger's bytes as a text without line ends and control characters."""
    readable = text.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else " " for one in readable)
