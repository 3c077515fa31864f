"""The rounds of the budget watch: which sites have something new to tell in this minute, and which can wait."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from zlib import crc32

from sentry.domain.watched_site import WatchedSite

EVERY_MINUTES = 360
"""A site with nothing new is reckoned again within this time all the same: a ledger can be mended by hand, and
minutes that a store could not take for days may be written at last."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a site was when it was reckoned, and the minute until which that holds."""

    site: WatchedSite
    until: int


class BudgetRounds:
    """Remembers until when what was reckoned of each site holds."""

    def __init__(self) -> None:
        self._standing: dict[str, _Standing] = {}
        self._marks: Mapping[str, Hashable] = {}
        self._now = 0

    def begin(self, site_keys: Collection[str], marks: Mapping[str, Hashable], now: int) -> None:
        """Begins a round: forgets what no longer holds of sites that are gone or whose lapses changed.

        Args:
            site_keys: of all sites.
            marks: of the sites' lapses, as the ledger gives them.
            now: the minute that runs.
        """
        gone = self._standing.keys() - site_keys
        changed = {key for key, _ in marks.items() ^ self._marks.items()}
        for key in gone | changed:
            self._standing.pop(key, None)
        if now < self._now:  # the clock was set back: what holds until a minute may hold too long
            self._standing.clear()
        self._marks, self._now = marks, now

    def due(self, sites: Iterable[WatchedSite]) -> list[WatchedSite]:
        """Returns those of some sites that are to be reckoned now; each is due again unless it is `reckoned`."""
        found = []
        for site in sites:
            standing = self._standing.get(site.key)
            if standing is None or standing.until <= self._now or standing.site is not site:
                self._standing.pop(site.key, None)
                found.append(site)
        return found

    def reckoned(self, site: WatchedSite, holds_until: int) -> None:
        """Remembers that a site was reckoned.

        Args:
            site: the site.
            holds_until: the minute from which its figures may be others although nothing is written.
        """
        turn = self._now + 1 + (crc32(site.key.encode()) - self._now - 1) % EVERY_MINUTES
        self._standing[site.key] = _Standing(site, min(holds_until, turn))
