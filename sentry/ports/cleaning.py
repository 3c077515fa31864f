"""What a cleaning needs of the outside. All of it blocks, as `Host` does: never for the loop."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from sentry.domain.cleaning import CleaningPlan, FileOutcome, KeptFile, PlannedFile, Step
from sentry.domain.finding import Finding


class KnownGood(Protocol):
    """What was published of the files of one site."""

    def pristine(self, path: bytes) -> bytes | None:
        """Returns a file as it was published, None where that is not known.

        Args:
            path: below the site's root.
        """
        ...

    def published_sha256(self, path: bytes) -> str:
        """Returns the SHA-256 of a file as it was published, hexadecimal; empty where that is not known."""
        ...


class Excised(Protocol):
    """What came of an attempt to cut."""

    @property
    def content(self) -> bytes | None:
        """The file without the injection, None where it is not cut."""
        ...

    @property
    def why(self) -> str:
        """What was done, or why nothing was."""
        ...

    @property
    def is_nothing_else(self) -> bool:
        """Whether the file is nothing but the injection."""
        ...


class Cutter(Protocol):
    """Cuts exactly the injection out of a file, or not at all."""

    def cut(self, path: str, content: bytes, published: str = "") -> Excised:
        """Cuts; `published` is the SHA-256 of what must come of it, where that is known."""
        ...

    def finding(self, path: str, content: bytes) -> Finding | None:
        """Returns what is found in a file."""
        ...


class Chest(Protocol):
    """Keeps contents by their hash, so that nothing runs or indexes them, and damage is noticed."""

    def put(self, content: bytes) -> str:
        """Keeps a content; returns its SHA-256, hexadecimal. It is on disk when this returns."""
        ...

    def get(self, sha256: str) -> bytes:
        """Returns a content.

        Raises:
            NotFound: there is none.
            QuarantineDamaged: it is not what was put there.
        """
        ...


class Register(Protocol):
    """Knows what is in quarantine."""

    def add(self, kept: KeptFile) -> None:
        """Adds an entry in place of one of the same key. It is on disk when this returns."""
        ...

    def get(self, key: str) -> KeptFile:
        """Returns an entry.

        Raises:
            NotFound: there is none.
            QuarantineDamaged: it cannot be read.
        """
        ...

    def all(self) -> Iterator[KeptFile]:
        """Yields every entry that can be read, oldest first."""
        ...


class Journal(Protocol):
    """What was done of one plan, step by step, each on disk before the next is taken."""

    @property
    def plan(self) -> CleaningPlan:
        """The plan."""
        ...

    def step(self, number: int) -> tuple[Step, str]:
        """Returns how far the file of this place in the plan has come, with a note."""
        ...

    def note(self, number: int, step: Step, note: str = "") -> None:
        """Writes a step down."""
        ...

    def close(self) -> None:
        """Lets others have it."""
        ...


class Journals(Protocol):
    """The journals of all cleanings."""

    def begin(self, plan: CleaningPlan) -> Journal:
        """Writes a plan down before anything of it is done."""
        ...

    def unfinished(self) -> Sequence[Journal]:
        """Returns those of which a file has not come to its end, and which nobody else is at."""
        ...


Hears = Callable[[PlannedFile, Step, str], None]
"""What is told of each step."""

Outcomes = Sequence[FileOutcome]
