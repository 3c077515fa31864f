"""What an audit finds, what it looked at and what it could not look at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingClass(StrEnum):
    """How sure a finding is; only what is confirmed may be acted upon, by two kinds of evidence or a person."""

    CONFIRMED = "confirmed"
    SUSPICIOUS = "suspicious"
    RISKY_TOOL = "risky_tool"


WORST_FIRST = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS, FindingClass.RISKY_TOOL)


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line on the way from where foreign data come in to where they are run.

    Attributes:
        number: from 1, in the file or, for what was hidden in it, in the layer.
        text: written by a stranger: at most a hundred and sixty characters, never to be shown unescaped.
    """

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """One reason for a finding.

    Attributes:
        rule: its lasting name.
        meaning: what that says, in English.
        detail: a word of the file on it, e.g. the function.
        way: the lines from source to sink; the sink alone where nothing foreign leads to it.
        layer: 0 in the file itself, more in what is hidden in it.
        author: whose rule it is, where it is one of a file of rules.
    """

    rule: str
    meaning: str
    detail: str = ""
    way: tuple[SourceLine, ...] = ()
    layer: int = 0
    author: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    r"""One file that is not as it should be.

    Attributes:
        path: below the root; bytes that are no text are shown as `\\xNN`.
        signs: the weightiest first.
        layers: how each text that was hidden in it begins, outermost first.
    """

    path: str
    verdict: FindingClass
    signs: tuple[Sign, ...]
    layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not looked at, or not whole, and why; an audit that hides this is worth nothing."""

    path: str
    why: str
    size_bytes: int


@dataclass(slots=True)
class Manifest:
    """What an audit looked at.

    Attributes:
        scripts: files that hold PHP; hidden: names that begin with a dot.
    """

    files: int = 0
    scripts: int = 0
    hidden: int = 0
    folders: int = 0
    size_bytes: int = 0
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One audit of one tree of files."""

    root: str
    began_at: datetime
    ended_at: datetime
    manifest: Manifest
    findings: Sequence[Finding]

    @property
    def worst(self) -> FindingClass | None:
        """The class of the worst finding, None where there is none."""
        found = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in WORST_FIRST if verdict in found), None)
