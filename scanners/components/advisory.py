"""What a feed says of a hole: which versions of which packages have it, and which no longer do."""

from collections.abc import Sequence
from dataclasses import dataclass

from scanners.components.versions import Ecosystem, VersionKey, version_key

ANY = "*"
"""A bound that is none."""


@dataclass(frozen=True, slots=True)
class Span:
    """Versions from one to another.

    Attributes:
        low, high: `*` where there is no bound.
    """

    low: str = ANY
    high: str = ANY
    low_inclusive: bool = True
    high_inclusive: bool = True

    def holds(self, ecosystem: Ecosystem, key: VersionKey) -> bool:
        """Whether a version lies in it. A bound that cannot be ordered is none: better told of than passed over."""
        low = None if self.low == ANY else version_key(ecosystem, self.low)
        high = None if self.high == ANY else version_key(ecosystem, self.high)
        above = low is None or key > low or (self.low_inclusive and key == low)
        below = high is None or key < high or (self.high_inclusive and key == high)
        return above and below

    @property
    def text(self) -> str:
        """As people read it: `from 1.2, before 1.4`."""
        parts = []
        if self.low not in {ANY, "0"}:
            parts.append(f"{'from' if self.low_inclusive else 'after'} {self.low}")
        if self.high != ANY:
            parts.append(f"{'up to' if self.high_inclusive else 'before'} {self.high}")
        return ", ".join(parts) or "all versions"


@dataclass(frozen=True, slots=True)
class Affected:
    """The versions of one package that have a hole.

    Attributes:
        name: the slug or the name of the package, in lower case.
        versions: single ones, beside the spans.
        fixed: the versions that no longer have it; none where nothing was mended.
    """

    ecosystem: Ecosystem
    name: str
    spans: tuple[Span, ...] = ()
    versions: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def holds(self, version: str) -> bool | None:
        """Whether a version has the hole; None where that cannot be told, for the version cannot be ordered."""
        if version in self.versions or any(span.low == span.high == ANY for span in self.spans):
            return True
        key = version_key(self.ecosystem, version)
        if key is None:
            return None
        return any(span.holds(self.ecosystem, key) for span in self.spans) or any(
            version_key(self.ecosystem, one) == key for one in self.versions
        )

    def cure(self, version: str) -> str | None:
        """Returns the first version above one that no longer has the hole, None where there is none."""
        key = version_key(self.ecosystem, version)
        later = [
            (one_key, one)
            for one in self.fixed
            if (one_key := version_key(self.ecosystem, one)) is not None
            and (key is None or one_key > key)
            and not self.holds(one)
        ]
        return min(later)[1] if later else None

    @property
    def text(self) -> str:
        """The versions as people read them."""
        shown = [span.text for span in self.spans] or list(self.versions)
        return "; ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")  # noqa: PLR2004  # shown


@dataclass(frozen=True, slots=True)
class Advisory:
    """One hole.

    Attributes:
        identifier: the feed's own; aliases: what others call it, a CVE first where there is one.
        score: of CVSS, 0 to 10; None where the feed gives none.
        severity: the word for it, lower case; empty where there is none.
        informational: the feed itself says that it is no hole that anybody need close.
        author, licence: whose record it is and on what terms, as they must be shown.
    """

    identifier: str
    title: str
    affected: tuple[Affected, ...]
    aliases: tuple[str, ...] = ()
    score: float | None = None
    severity: str = ""
    vector: str = ""
    references: tuple[str, ...] = ()
    informational: bool = False
    author: str = ""
    licence: str = ""

    @property
    def name(self) -> str:
        """As it is known: its CVE, else what the feed calls it."""
        return next((alias for alias in self.aliases if alias.startswith("CVE-")), self.identifier)


def spans_of_events(
    ecosystem: Ecosystem, events: Sequence[tuple[str, str]]
) -> tuple[tuple[Span, ...], tuple[str, ...]]:
    """Returns the spans that an OSV range means, and the versions that fix (https://ossf.github.io/osv-schema/).

    Args:
        ecosystem: orders the versions.
        events: (introduced, fixed, last_affected or limit; version), in any order.
    """
    spans: list[Span] = []
    low: str | None = None
    for kind, version in sorted(events, key=lambda event: _place(ecosystem, event)):
        if kind == "introduced":
            low = version if low is None else low
        elif low is not None:
            spans.append(Span(ANY if low == "0" else low, version, high_inclusive=kind == "last_affected"))
            low = None
    if low is not None:
        spans.append(Span(ANY if low == "0" else low))
    return tuple(spans), tuple(version for kind, version in events if kind == "fixed")


_RANKS = {"introduced": 1, "last_affected": 2}
"""Of one version, the end of a span comes before the begin of the next; a last affected one still has the hole."""


def _place(ecosystem: Ecosystem, event: tuple[str, str]) -> tuple[bool, VersionKey, int]:
    kind, version = event
    key = () if version == "0" else version_key(ecosystem, version)
    return key is None, key or (), _RANKS.get(kind, 0)
