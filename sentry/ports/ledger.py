"""Reading the ledger and the samples behind it."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sentry.domain.day import DaySummary
from sentry.domain.failure_report import RecentChange
from sentry.domain.health import Outage
from sentry.domain.ledger import Run, Totals
from sentry.domain.own_fault import OwnFault
from sentry.domain.responsibility import AttributedSpan
from sentry.domain.result import ProbeResult
from sentry.ports.watching import SampleKind


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe as the store keeps it: small, for pages and figures."""

    check_key: str
    scheduled_at: datetime
    kind: SampleKind
    status: str
    reason: str | None
    duration_s: float
    phases: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """What the store knows of the checks of a site, removed ones included.

    Attributes:
        runs: of each check, ordered, without overlap.
        first_seen: when each check was first registered.
        uncounted: the checks that do not decide the site's state.
        attributed: its outage incidents, each with the side that counts.
    """

    runs: Mapping[str, Sequence[Run]]
    first_seen: Mapping[str, datetime]
    uncounted: Collection[str]
    attributed: Sequence[AttributedSpan] = ()


class LedgerReader(Protocol):
    """Reads what the watch wrote."""

    async def histories(self, site_keys: Collection[str], start: int, end: int) -> Mapping[str, SiteHistory]:
        """Returns the history of several sites at once, as the methods below have it of one.

        Args:
            site_keys: each of them is in the answer; at most a few hundred.
            start: first minute.
            end: the minute after the last.
        """
        ...

    async def lapses(self, since: int) -> Mapping[str, Hashable]:
        """Returns a mark for each site with minutes down or in maintenance in a run that ends after a minute.

        Two marks of a site differ where those minutes differ, or where more was said since of whose side an incident
        was on: who keeps the mark knows whether anything changed.
        """
        ...

    async def runs(self, site_key: str, start: int, end: int) -> Mapping[str, Sequence[Run]]:
        """Returns the runs of each check of a site, clipped to minutes [start, end), ordered, without overlap."""
        ...

    async def first_seen(self, site_key: str) -> Mapping[str, datetime]:
        """Returns when each check of the site was first registered."""
        ...

    async def uncounted(self, site_key: str) -> Collection[str]:
        """Returns the checks of the site, removed ones included, that do not decide its state."""
        ...

    async def attributed(self, site_key: str, start: int, end: int) -> Sequence[AttributedSpan]:
        """Returns the outage incidents of a site that touch minutes [start, end), each with the side that counts."""
        ...

    async def outages(self, site_key: str, start: datetime, end: datetime) -> Sequence[Outage]:
        """Returns the confirmed outages of a site's checks that touch the span, oldest first."""
        ...

    async def samples(self, check_key: str, start: datetime, end: datetime, limit: int) -> Sequence[Sample]:
        """Returns the newest samples of the span, oldest first.

        What is older than 48 hours has one a minute: its worst, without phases, its time within 3 %.
        """
        ...

    async def totals(self, start: int, end: int, site_key: str | None = None) -> Mapping[str, Totals]:
        """Returns how many minutes of [start, end) each check was in each state, `unknown` where nobody saw it.

        Exact for any span, also of local months; a check of which the span knows nothing is not there.

        Args:
            start: first minute.
            end: the minute after the last.
            site_key: only of this site's checks; of every check ever watched where absent.
        """
        ...

    async def summaries(self, check_key: str, start_day: int, end_day: int) -> Sequence[DaySummary]:
        """Returns the figures of a check's sealed UTC days [start_day, end_day), oldest first.

        A day is sealed some hours after its end; days are numbered from 1970-01-01.
        """
        ...

    async def failures(self, check_key: str, limit: int) -> Sequence[ProbeResult]:
        """Returns the newest failed results with their whole evidence, newest first."""
        ...

    async def own_faults(self, start: datetime, end: datetime) -> Sequence[OwnFault]:
        """Returns the spans of own fault that touch [start, end), oldest first: they void failed samples."""
        ...

    async def raw_from(self) -> int:
        """Returns the minute from which on every probe is kept; of sealed days before it the worst of each minute."""
        ...

    async def starts(self, start: datetime, end: datetime) -> Sequence[datetime]:
        """Returns when the watch was started within [start, end), oldest first."""
        ...

    async def blips(self, check_keys: Collection[str], start: datetime, end: datetime) -> int:
        """Returns how many failures of these checks within [start, end) were gone when looked at again."""
        ...

    async def changes(self, site_key: str, since: datetime) -> Sequence[RecentChange]:
        """Returns what changed at a site since then (CHANGE_SEEN events), oldest first."""
        ...
