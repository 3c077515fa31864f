"""Request budgets: counts what each site is asked in a local day, tells when it is much, asks less once it is all.

A site whose budget is used up is probed each quarter of an hour until its next midnight. The minutes between are
`unknown`, never up: they were not seen.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.month import day_start
from sentry.domain.request_budget import Allowance, Level, Spent, stride
from sentry.domain.result import ProbeResult, Reason
from sentry.domain.severity import Severity
from sentry.domain.site import Check
from sentry.domain.watched_site import WatchedSite
from sentry.ports import Clock, EventQueue, Observation, ObservationBook, Telemetry

OBSERVATIONS = "requests"
"""Kind of the observations that say what was asked today."""

KEEP_EVERY = timedelta(minutes=10)
"""An agent that is killed forgets at most so much of what it has asked."""

AT_ONCE = 200
"""Sites that are looked at before others have their turn: about a millisecond."""

_SEVERITIES = {Level.WARNED: Severity.SEV4, Level.USED_UP: Severity.SEV3}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Account:
    """One site's day: what was spent, until when it counts, and whether that is kept already."""

    spent: Spent
    ends_at: datetime
    level: Level = Level.WITHIN
    began_at: datetime | None = None
    kept: tuple[int, int] = (0, 0)


class RequestBudgets:
    """Keeps the account of every site.

    Args:
        sites: every site that is watched now, by key.
        checks: every check that is watched now.
        stretch: has only each so-manieth slot of some checks probed, and every slot of all others.
        observations: what was asked before a restart.
    """

    def __init__(
        self,
        sites: Callable[[], Mapping[str, WatchedSite]],
        checks: Callable[[], Iterable[Check]],
        *,
        stretch: Callable[[Mapping[str, int]], None],
        observations: ObservationBook,
        events: EventQueue,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._sites = sites
        self._checks = checks
        self._stretch = stretch
        self._observations = observations
        self._events = events
        self._telemetry = telemetry
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._stretched = False
        self._keep_at: datetime | None = None

    async def resume(self) -> None:
        """Takes over what was asked before the agent was started."""
        sites = self._sites()
        for key, observation in (await self._observations.all(OBSERVATIONS)).items():
            account = _account_of(observation, sites[key].zone) if key in sites else None
            if account is not None:
                self._accounts[key] = account

    def took(self, check: Check, result: ProbeResult) -> None:
        """Counts what a probe has asked. Costs a look-up and two additions."""
        if result.reason is Reason.SLOT_MISSED or not check.options.asks_site:
            return
        account = self._accounts.get(check.site_key)
        if account is None or result.started_at >= account.ends_at:
            account = self._begin(check.site_key, check.time_zone, result.started_at)
        account.spent.requests += result.requests
        account.spent.received_bytes += result.received_bytes

    def asked(self, site_key: str, requests: int) -> None:
        """Counts what was asked of a site outside the probes: evidence around a failure."""
        site = self._sites().get(site_key)
        if site is not None:
            self._current(site, self._clock.now()).spent.requests += requests

    def today(self, site: WatchedSite) -> Spent:
        """Returns what a site was asked in the local day that runs."""
        return self._current(site, self._clock.now()).spent

    async def look(self) -> None:
        """Tells of sites whose budget is nearly or all used, lets them rest, and keeps what was counted.

        Raises:
            StoreUnavailable: nothing was told; the next look says it again.
        """
        now, sites = self._clock.now(), self._sites()
        for key in self._accounts.keys() - sites.keys():
            await self._observations.forget(OBSERVATIONS, key)
            del self._accounts[key]
        used_up = set()
        for number, site in enumerate(list(sites.values()), 1):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            account = self._current(site, now)
            level = account.spent.level(site.allowance)
            self._show(site, account)
            if level is not account.level:
                await self._tell(site, account, level, now)
            if level is Level.USED_UP:
                used_up.add(site.key)
        self._let_rest(used_up)
        if self._keep_at is None or now >= self._keep_at:
            await self._keep(now)

    def _current(self, site: WatchedSite, now: datetime) -> _Account:
        account = self._accounts.get(site.key)
        return account if account is not None and now < account.ends_at else self._begin(site.key, site.zone, now)

    def _begin(self, site_key: str, zone: ZoneInfo, at: datetime) -> _Account:
        """Opens the account of another day; what stands of the one before is told until the next look."""
        day, before = at.astimezone(zone).date(), self._accounts.get(site_key)
        account = self._accounts[site_key] = _Account(Spent(day), _end_of(day, zone))
        if before is not None:
            account.level, account.began_at = before.level, before.began_at
        return account

    def _show(self, site: WatchedSite, account: _Account) -> None:
        spent = account.spent
        self._telemetry.gauge("site_requests_today", spent.requests, site=site.key)
        self._telemetry.gauge("site_received_bytes_today", spent.received_bytes, site=site.key)
        self._telemetry.gauge("request_budget_used_ratio", spent.share(site.allowance), site=site.key)

    async def _tell(self, site: WatchedSite, account: _Account, level: Level, now: datetime) -> None:
        key = f"{ConcernKind.REQUEST_BUDGET}:{site.key}"
        if level is Level.WITHIN:
            await self._events.publish([cleared(key, now, now)])
            account.level, account.began_at = level, None
            return
        began_at = account.began_at or now
        concern = Concern(
            key,
            ConcernKind.REQUEST_BUDGET,
            _SEVERITIES[level],
            began_at,
            site_key=site.key,
            client_key=site.client_key,
            facts=_facts(account.spent, site.allowance, level),
        )
        await self._events.publish([concern.raised(now)])
        account.level, account.began_at = level, began_at

    def _let_rest(self, site_keys: set[str]) -> None:
        """Says it again at each look, for a worker that was started meanwhile has heard nothing of it."""
        if site_keys or self._stretched:
            resting = (check for check in self._checks() if check.site_key in site_keys) if site_keys else ()
            self._stretch({check.key: stride(check.interval_s) for check in resting if check.options.asks_site})
            self._stretched = bool(site_keys)

    async def _keep(self, now: datetime) -> None:
        self._keep_at = now + KEEP_EVERY
        changed = {}
        for key, account in self._accounts.items():
            counted = (account.spent.requests, account.spent.received_bytes)
            if counted != account.kept:
                changed[key] = Observation(now, _kept(account))
                account.kept = counted
        await self._observations.keep_all(OBSERVATIONS, changed)


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return _EPOCH + timedelta(minutes=day_start(day + timedelta(days=1), zone))


def _facts(spent: Spent, allowance: Allowance, level: Level) -> dict[str, object]:
    by_requests = spent.requests / allowance.requests >= spent.received_bytes / allowance.received_bytes
    what, used, allowed = (
        ("requests", spent.requests, allowance.requests)
        if by_requests
        else ("bytes", spent.received_bytes, allowance.received_bytes)
    )
    return {"what": what, "used": used, "allowed": allowed, "stage": int(level)}


def _kept(account: _Account) -> dict[str, object]:
    spent, began_at = account.spent, account.began_at
    return {
        "day": spent.day.isoformat(),
        "requests": spent.requests,
        "bytes": spent.received_bytes,
        "level": int(account.level),
        "began_at": began_at.isoformat() if began_at else None,
    }


def _account_of(observation: Observation, zone: ZoneInfo) -> _Account | None:
    """Returns what was kept of a site's day, None where it is damaged: then the day is counted from now on."""
    facts = observation.facts
    try:
        spent = Spent(date.fromisoformat(facts["day"]), int(facts["requests"]), int(facts["bytes"]))
        level, began_at = (
            Level(facts["level"]),
            datetime.fromisoformat(facts["began_at"] or observation.at.isoformat()),
        )
    except (KeyError, TypeError, ValueError):
        return None
    kept = (spent.requests, spent.received_bytes)
    return _Account(spent, _end_of(spent.day, zone), level, began_at if level else None, kept)
