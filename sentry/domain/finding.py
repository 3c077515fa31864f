"""What an audit finds, what it looked at and what it could not look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class FindingClass(StrEnum):
    """What a finding is, the worst first."""

    CONFIRMED = "confirmed"
    """Malware, proven: a foreign value that is run, a signature, what is hidden in it."""
    VULNERABLE = "vulnerable"
    """A component with a known hole."""
    EXPOSED = "exposed"
    """Something that is nobody's business can be fetched, or written, by anybody."""
    SUSPICIOUS = "suspicious"
    MODIFIED = "modified_known_file"
    """A file of a known package that is not as it was published."""
    ENCODED = "encoded"
    """Code that its vendor has made unreadable; never acted upon by itself."""
    RISKY_TOOL = "risky_tool"
    """A tool that does what an attacker wants, and that somebody may have put there on purpose."""
    ADVICE = "advice"
    """Nothing is wrong, but it could be safer."""
    NOT_LOOKED_AT = "not_looked_at"
    """Too large, not permitted, too slow: nobody knows what it is."""


WORST_FIRST = tuple(FindingClass)


class Place(StrEnum):
    """Where a finding was made, which says what its `path` is."""

    FILE = "file"
    """A path below the docroot."""
    DATABASE = "database"
    """A table, a row and a column, or the name of a trigger."""
    ACCOUNT = "account"
    """Outside the docroot: a crontab, a key, a file of the account."""
    OUTSIDE = "outside"
    """An address, as a visitor sees it."""
    COMPONENT = "component"
    """The slug of a plugin, a theme or a package, with its version."""


class Evidence(StrEnum):
    """By which means a sign was seen. Two of them, independent of each other, may act without a person."""

    BEHAVIOUR = "behaviour"
    """What the code does: from a source to a sink."""
    SIGNATURE = "signature"
    """A rule that knows the family."""
    PLACE = "place"
    """It stands where nothing of its kind belongs."""
    INTEGRITY = "integrity"
    """It differs from what was published."""
    STYLE = "style"
    """It is written as nobody writes who has nothing to hide."""
    SETTING = "setting"
    """A setting, a permission, an answer of the server."""


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
        verdict: what it makes of the file by itself.
        detail: a word of the file on it, e.g. the function.
        way: the lines from source to sink; the sink alone where nothing foreign leads to it.
        layer: 0 in the file itself, more in what is hidden in it.
        author, licence: whose rule it is and on what terms, where it is one of a file of rules.
        mended_in: of a hole in a component: the first version without it; empty where there is none.
    """

    rule: str
    meaning: str
    verdict: FindingClass
    evidence: Evidence
    detail: str = ""
    way: tuple[SourceLine, ...] = ()
    layer: int = 0
    author: str = ""
    licence: str = ""
    mended_in: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    r"""One thing that is not as it should be.

    Attributes:
        path: where, as `place` says; of a file below the docroot, with bytes that are no text as `\\xNN`.
        verdict: the worst that its signs say together.
        signs: the weightiest first.
        layers: how each text that was hidden in it begins, outermost first.
        sha256: of a file as it was judged, hexadecimal; empty for what is no file.
        size_bytes: of a file, or of what was not looked at.
        allowed: why it may stay, who says so and until when; empty where nobody does.
    """

    path: str
    verdict: FindingClass
    signs: tuple[Sign, ...]
    layers: tuple[str, ...] = ()
    place: Place = Place.FILE
    sha256: str = ""
    size_bytes: int = 0
    allowed: str = ""

    @property
    def may_be_acted_upon(self) -> bool:
        """Whether nobody need be asked: it is confirmed, by two kinds of evidence independent of each other."""
        if self.allowed:
            return False
        return self.verdict is FindingClass.CONFIRMED and len(self.evidence) > 1

    @property
    def evidence(self) -> frozenset[Evidence]:
        """The kinds that speak against it and do not depend on each other.

        How a file is written is seen by whoever reads what it does: where that speaks, style adds nothing.
        """
        kinds = {sign.evidence for sign in self.signs if sign.verdict in _COUNTS_AS_EVIDENCE}
        return frozenset(kinds - {Evidence.STYLE} if Evidence.BEHAVIOUR in kinds else kinds)


_COUNTS_AS_EVIDENCE = (FindingClass.CONFIRMED, FindingClass.SUSPICIOUS, FindingClass.MODIFIED)


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
        known: files that are as their package was published.
        rows: of the database.
        requests: that the site was asked over the web.
        parts: what each examiner says of its own part, by its name: e.g. that a feed is missing.
        failures: what broke while it looked; an error is never a verdict.
    """

    files: int = 0
    scripts: int = 0
    hidden: int = 0
    folders: int = 0
    known: int = 0
    rows: int = 0
    requests: int = 0
    size_bytes: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """One audit of one site, or of one tree of files.

    Attributes:
        root: the folder; site_key: empty for a folder that is no site's.
        rules: what it was judged by: the name and the SHA-256 of rules, packs and feeds.
    """

    root: str
    began_at: datetime
    ended_at: datetime
    manifest: Manifest
    findings: tuple[Finding, ...]
    site_key: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)

    @property
    def worst(self) -> FindingClass | None:
        """The class of the worst finding that is not allowed, None where there is none."""
        found = {finding.verdict for finding in self.findings if not finding.allowed}
        return next((verdict for verdict in WORST_FIRST if verdict in found), None)
