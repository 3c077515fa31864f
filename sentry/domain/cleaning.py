"""What is done to a file that an audit found, in which steps, and what is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sentry.domain.finding import FindingClass


class Remedy(StrEnum):
    """What is done to a file."""

    RESTORE = "restore"
    """It becomes what was published."""
    CUT = "cut"
    """The injection is cut out of it, and nothing else."""
    REMOVE = "remove"
    """It is nothing but malware and goes into quarantine whole."""
    PROPOSE = "propose"
    """Nothing is written: a person has to look at it."""
    UNDO = "undo"
    """It becomes again what it was before a cleaning."""


class Step(StrEnum):
    """How far the cleaning of one file has come. Each is on disk before the next begins."""

    PLANNED = "planned"
    KEPT = "kept"
    """What it was is in quarantine, with all that is known of it."""
    WRITTEN = "written"
    VERIFIED = "verified"
    """It was read again, and is what it should be."""
    LEFT = "left"
    """It was not touched, and the reason says why."""


ENDS = (Step.VERIFIED, Step.LEFT)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who says that something may be written.

    Attributes:
        by: a person; empty where two kinds of evidence say so.
        reason: what that person gives as reason.
    """

    by: str = ""
    reason: str = ""

    @property
    def is_person(self) -> bool:
        """Whether somebody answers for it."""
        return bool(self.by and self.reason)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file besides its content.

    Attributes:
        owner, group: numbers; owner_name, group_name: as its host shows them.
        mode: permissions, with setuid, setgid and the sticky bit.
        links: names that it has.
        modified_ns, accessed_ns: since the epoch.
        attributes: extended ones, access lists among them, hexadecimal by their names.
        has_attributes: whether they could be read at all.
    """

    owner: int
    group: int
    mode: int
    modified_ns: int
    accessed_ns: int
    owner_name: str = ""
    group_name: str = ""
    links: int = 1
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_attributes: bool = False

    def same_but_for_times(self, other: "FileFacts") -> bool:
        """Whether another has the same owner, group, permissions and attributes."""
        return (self.owner, self.group, self.mode, dict(self.attributes)) == (
            other.owner,
            other.group,
            other.mode,
            dict(other.attributes),
        )


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """What is to be done to one file.

    Attributes:
        path: below the root, as its host has it.
        why: in words for whoever reads the plan.
        before: the SHA-256 of what it is, hexadecimal; empty where there is none.
        after: of what it becomes; empty where it goes, or where nothing is done.
        rules: the signs that speak against it.
        facts: given where an undo gives it back what it had.
    """

    path: bytes
    remedy: Remedy
    why: str
    before: str
    after: str = ""
    verdict: FindingClass = FindingClass.CONFIRMED
    rules: tuple[str, ...] = ()
    authority: Authority = field(default_factory=Authority)
    facts: FileFacts | None = None

    @property
    def writes(self) -> bool:
        """Whether anything is written."""
        return self.remedy is not Remedy.PROPOSE


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """What is to be done to the files of one folder.

    Attributes:
        key: of this cleaning, unique.
        host: as people know it.
        site_key: empty for a folder that is no site's.
    """

    key: str
    host: str
    root: bytes
    made_at: datetime
    files: Sequence[PlannedFile]
    site_key: str = ""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """One file in quarantine: what it was, and all that is needed to give it back.

    Attributes:
        key: of this entry: that of the cleaning, and a number.
        before, after: SHA-256 of its content and of what it became; `after` is empty where it went.
        facts: None where there was no file before, which an undo brought back.
    """

    key: str
    site_key: str
    host: str
    root: bytes
    path: bytes
    before: str
    after: str
    facts: FileFacts | None
    at: datetime
    remedy: Remedy
    why: str
    verdict: FindingClass
    rules: tuple[str, ...] = ()
    authority: Authority = field(default_factory=Authority)


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file of a plan."""

    file: PlannedFile
    step: Step
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of a plan."""

    plan: CleaningPlan
    outcomes: Sequence[FileOutcome]

    @property
    def left(self) -> Sequence[FileOutcome]:
        """The files that are still as they were found."""
        return [one for one in self.outcomes if one.step is not Step.VERIFIED]


def undo_of(kept: KeptFile, found: str, authority: Authority) -> PlannedFile:
    """Returns what gives a file back from quarantine.

    Args:
        kept: the file.
        found: the SHA-256 of what stands in its place now, empty for nothing.
        authority: the person who wants it back.
    """
    return PlannedFile(
        path=kept.path,
        remedy=Remedy.UNDO,
        why=f"given back from quarantine {kept.key}",
        before=found,
        after=kept.before,
        verdict=kept.verdict,
        rules=kept.rules,
        authority=authority,
        facts=kept.facts,
    )


def shown_path(path: bytes) -> str:
    """Returns a path as text that no terminal or log would obey."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def with_authority(file: PlannedFile, authority: Authority) -> PlannedFile:
    """Returns the same with somebody who answers for it."""
    return replace(file, authority=authority)
