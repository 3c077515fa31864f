"""The feeds that are configured, each ready to be asked or said to be of no use: never taken for "no holes known"."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scanners.components.feed import FeedUnusable
from scanners.components.index import Index, changed_at, last_good, ready
from scanners.components.mirror import Mirror
from sentry.domain.vulnerability_feed import VulnerabilityFeed
from sentry.ports import Clock

SUFFIXES = {"osv": ".zip", "wordfence": ".json"}


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """One feed.

    Attributes:
        index: answers; None where there is none that could.
        dated: when the feed was last as it is at its source, None where that is not known.
        complaints: why its silence means nothing; empty: what it does not name is not known to be holed.
    """

    name: str
    index: Index | None
    dated: datetime | None
    complaints: tuple[str, ...]

    @property
    def text(self) -> str:
        """As the manifest shows it."""
        of = f" of {self.dated:%Y-%m-%d %H:%M} UTC" if self.dated else ""
        records = f", {self.index.contents.records:,} records" if self.index else ""
        return f"{self.name}{of}{records}"


@dataclass(frozen=True, slots=True)
class Feeds:
    """Opens feeds.

    Attributes:
        configured: which.
        home: the folder that relative paths begin at.
        cache: the folder of indexes and copies.
    """

    configured: Sequence[VulnerabilityFeed]
    home: Path
    cache: Path

    def opened(self, clock: Clock) -> Iterator[OpenFeed]:
        """Yields each feed.

        Args:
            clock: says how old they are.
        """
        for feed in self.configured:
            yield self._opened(feed, clock)

    def _opened(self, feed: VulnerabilityFeed, clock: Clock) -> OpenFeed:
        stem = self._stem(feed)
        index_path = self.cache / f"{stem}.index"
        copy = self.cache / f"{stem}{SUFFIXES[feed.kind]}"
        source = copy if feed.path is None else self.home / feed.path
        mirror = Mirror(feed, copy, clock) if feed.path is None else None
        complaints = _refreshed(mirror)
        dated: datetime | None = None
        index: Index | None
        try:
            dated = _date(source, mirror)
            index = ready(feed.kind, source, index_path)
        except FeedUnusable as error:
            complaints.append(str(error))
            index = last_good(index_path)
            if mirror is not None:
                mirror.forget()
        complaints += _of_age(feed, dated, clock) + _of_contents(index)
        return OpenFeed(feed.shown, index, dated, tuple(complaints))

    @staticmethod
    def _stem(feed: VulnerabilityFeed) -> str:
        place = f"{feed.kind}\n{feed.path or ''}\n{feed.url or ''}"
        return f"{feed.kind}-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def _of_age(feed: VulnerabilityFeed, dated: datetime | None, clock: Clock) -> list[str]:
    limit = timedelta(hours=feed.max_age_h)
    if dated is None or clock.now() - dated <= limit:
        return []
    return [f"it is of {dated:%Y-%m-%d %H:%M} UTC, older than {feed.max_age_h:g} h"]


def _refreshed(mirror: Mirror | None) -> list[str]:
    """Asks for what is new; returns what went wrong."""
    try:
        if mirror is not None:
            mirror.refresh()
    except FeedUnusable as error:
        return [str(error)]
    return []


def _date(source: Path, mirror: Mirror | None) -> datetime | None:
    if mirror is None:
        return datetime.fromtimestamp(changed_at(source), UTC)
    copy = mirror.copy()
    return copy.confirmed_at if copy else None


def _of_contents(index: Index | None) -> list[str]:
    if index is None or not index.contents.damaged:
        return []
    return [f"{index.contents.damaged:,} of its records cannot be read: {index.contents.complaint}"]
