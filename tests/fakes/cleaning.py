"""Stand-ins for what a cleaning asks: what was published, and who cuts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sentry.clock import SystemClock
from sentry.domain.finding import Evidence, Finding, FindingClass, Sign
from sentry.ports import Clock, Host
from sentry.quarantine.chest import FolderChest
from sentry.quarantine.journal import FolderJournals
from sentry.quarantine.register import FolderRegister
from sentry.services.cleanings import Cleanings

EVIL = b"<?php eval($_POST['x']); ?>"


@dataclass(frozen=True, slots=True)
class Published:
    """Fills `KnownGood` by a table."""

    files: Mapping[bytes, bytes] = field(default_factory=dict)

    def pristine(self, path: bytes) -> bytes | None:
        return self.files.get(path)

    def published_sha256(self, path: bytes) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Excised:
    content: bytes | None
    why: str = "cut"
    is_nothing_else: bool = False


class Scissors:
    """Fills `Cutter`: cuts `EVIL` out of whatever holds it."""

    def cut(self, path: str, content: bytes, published: str = "") -> Excised:
        rest = content.replace(EVIL, b"")
        return Excised(rest or None, is_nothing_else=not rest)

    def finding(self, path: str, content: bytes) -> Finding | None:
        return proven(path) if EVIL in content else None


def proven(path: str, sha256: str = "") -> Finding:
    """Returns a finding that may be acted upon: two kinds of evidence."""
    signs = (
        Sign("request_to_code", "runs what a visitor sends", FindingClass.CONFIRMED, Evidence.BEHAVIOUR),
        Sign("known_family", "a rule knows it", FindingClass.CONFIRMED, Evidence.SIGNATURE),
    )
    return Finding(path, FindingClass.CONFIRMED, signs, sha256=sha256)


def suspected(path: str, sha256: str = "") -> Finding:
    """Returns a finding with one kind of evidence."""
    signs = (Sign("request_to_code", "runs what a visitor sends", FindingClass.CONFIRMED, Evidence.BEHAVIOUR),)
    return Finding(path, FindingClass.CONFIRMED, signs, sha256=sha256)


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder of the agent's data, with all that a cleaning writes into it."""

    data: Path
    clock: Clock = field(default_factory=SystemClock)

    @property
    def chest(self) -> FolderChest:
        return FolderChest(self.data / "objects")

    @property
    def register(self) -> FolderRegister:
        return FolderRegister(self.data / "entries")

    @property
    def journals(self) -> FolderJournals:
        return FolderJournals(self.data / "journals")

    def cleanings(self, host: Host) -> Cleanings:
        return Cleanings(
            host=host, journals=self.journals, chest=self.chest, register=self.register, clock=self.clock
        )
