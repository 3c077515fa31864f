"""What every engine that judges a file takes and gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sentry.domain.finding import Evidence, FindingClass, Sign, SourceLine
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


SHOWN_BYTES = 160


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that an engine knows to look for.

    Attributes:
        name: lasting; meaning: for the reader of a finding, in English.
    """

    name: str
    verdict: FindingClass
    meaning: str
    evidence: Evidence

    def sign(self, line: int = 0, text: bytes = b"", *, detail: str = "", layer: int = 0) -> Sign:
        """Returns that it was seen.

        Args:
            line: where, from 1; 0 where it is no matter of a line.
            text: what stands there, a stranger's bytes.
            detail: a word of the file on it.
            layer: 0 in the file itself, more in what is hidden in it.
        """
        way = (SourceLine(line, shown(text.strip()[:SHOWN_BYTES])),) if line else ()
        return Sign(self.name, self.meaning, self.verdict, self.evidence, detail[:SHOWN_BYTES], way, layer)


def rules_of(evidence: Evidence, told: Mapping[str, tuple[FindingClass, str]]) -> dict[str, Rule]:
    """Returns the rules of one engine from a table of name → class and meaning."""
    return {name: Rule(name, verdict, meaning, evidence) for name, (verdict, meaning) in told.items()}


def line_of(content: bytes, offset: int) -> int:
    """Returns the number of the line, from 1, in which a byte stands."""
    return content.count(b"\n", 0, offset) + 1


def shown(text: bytes) -> str:
    """Returns a stranger's bytes as a text without line ends and control characters."""
    readable = text.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else " " for one in readable)
