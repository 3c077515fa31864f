"""Closes a site to visitors and opens it again: at its host, in the announced work, and as seen from outside."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus

import aiohttp

from sentry.app.books import Books
from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.maintenance_window import WorkKind, window_of
from sentry.domain.site import Site
from sentry.domain.suspension import COOKIE, Method, Suspension, nginx_snippet
from sentry.ports import Host
from sentry.remote.local_host import LocalHost
from sentry.remote.ssh_host import RemoteHost
from sentry.services.site_files import SiteFiles
from sentry.services.suspension_watch import KIND, observation_of, suspension_of
from sentry.services.suspensions import SiteDoor

VISIT_WITHIN_S = 15.0
VISIT_EVERY_S = 5.0
VISITS_IN_A_ROW = 4
SEEN_WITHIN_S = {Method.HTACCESS: 15.0, Method.USER_INI: 330.0}
"""FPM reads settings again after five minutes, unless it was told otherwise."""

BY_SERVER = {"apache": Method.HTACCESS, "litespeed": Method.HTACCESS, "nginx": Method.USER_INI}
"""Behind nginx PHP is run by FPM."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants.

    Attributes:
        cause, approver: why, and who approved of it.
        lease: how long from now, a week at most, as work is; never beyond the fifteenth day.
        method: by the server's own word where there is none.
    """

    cause: str
    approver: str
    lease: timedelta
    method: Method | None = None


class SuspensionDesk:
    """Closes and opens sites.

    Args:
        seen_within_s: how long it may take until visitors are sent away; by the method where absent.
    """

    def __init__(self, books: Books, *, seen_within_s: float | None = None) -> None:
        self._books = books
        self._seen_within_s = seen_within_s
        self._clock = books.clock

    async def suspended(self) -> dict[str, Suspension]:
        """Returns the sites that are closed, by their keys."""
        kept = await self._books.store.observations.all(KIND)
        return {key: suspension_of(observation) for key, observation in kept.items()}

    async def suspend(self, site_key: str, wish: Wish, by: str) -> Suspension:
        """Closes a site, or closes it for longer; proves from outside that visitors are sent away and we are not.

        Raises:
            NotFound: there is no such site, or nobody said how its files are reached.
            TransitionRefused: it may not last longer, or visitors are not sent away: then it is open as before.
            HostError: its settings cannot be written.
        """
        site, now = self._site(site_key), self._clock.now()
        standing = (await self.suspended()).get(site_key)
        if standing is None:
            suspension = await self._new(site, wish, now)
        else:
            suspension = replace(standing, until=min(now + wish.lease, standing.limit))
            if suspension.until <= now:
                raise TransitionRefused(f"{site_key} is closed for fifteen days; `unsuspend {site_key}` opens it")
        # Before anything else is done, so that `unsuspend` finds it after a crash.
        await self._books.store.observations.keep(KIND, site_key, observation_of(suspension))
        await self._cancel(suspension, by)
        suspension = replace(suspension, window=await self._announced(suspension, now, by))
        await self._books.store.observations.keep(KIND, site_key, observation_of(suspension))
        await asyncio.to_thread(self._work, site, lambda door: door.close(suspension))
        if not await self._is_seen(site, suspension):
            if standing is None:
                await self.unsuspend(site_key, by, swept=False)
            raise TransitionRefused(
                f"visitors of {site_key} are not sent away by {suspension.method}, so what was open is open; try the "
                f"other --method, or let an administrator of the server put this into its configuration:\n"
                f"{nginx_snippet(suspension)}"
            )
        return suspension

    async def unsuspend(self, site_key: str, by: str, *, swept: bool = True) -> Suspension:
        """Opens a site; what was not ours stays as it is.

        Args:
            site_key: of the site.
            by: who opens it.
            swept: whether to wait until the server asks for nothing of ours any more, and take that away too.

        Raises:
            NotFound: the site is not closed.
            HostError: its settings cannot be written.
        """
        suspension = (await self.suspended()).get(site_key)
        if suspension is None:
            raise NotFound(f"{site_key} is not closed")
        site = self._site(site_key)
        await asyncio.to_thread(self._work, site, lambda door: door.open(suspension))
        await self._cancel(suspension, by)
        if suspension.method is Method.USER_INI:
            if swept:
                await self._clock.sleep(SEEN_WITHIN_S[Method.USER_INI])
            await asyncio.to_thread(self._work, site, lambda door: door.sweep(suspension))
        await self._books.store.observations.forget(KIND, site_key)
        return suspension

    async def _new(self, site: Site, wish: Wish, now: datetime) -> Suspension:
        assert site.access is not None  # noqa: S101  # as `_site` has seen
        return Suspension(
            site_key=site.key,
            docroot=site.access.docroot,
            method=wish.method or await self._method(site),
            token=secrets.token_hex(16),
            began_at=now,
            until=now + wish.lease,
            cause=wish.cause,
            approver=wish.approver,
        )

    async def _announced(self, suspension: Suspension, now: datetime, by: str) -> str:
        """Announces the lease as work that counts as it is seen; returns the key of its window."""
        zone = self._books.roster.zone
        plan = window_of(
            {
                "reason": suspension.cause,
                "starts_at": now.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0),
                "duration_min": max(1, round((suspension.until - now) / timedelta(minutes=1))),
                "zone": str(zone),
                "sites": (suspension.site_key,),
                "kind": WorkKind.EMERGENCY,
                "cause": suspension.cause,
                "approver": suspension.approver,
            }
        )
        return (await self._books.maintenance.announce(plan, by)).key

    async def _cancel(self, suspension: Suspension, by: str) -> None:
        """Takes back what is still to come of the announced work."""
        if suspension.window in self._books.maintenance.windows:
            with suppress(TransitionRefused):  # it is over, or was cancelled before a crash
                await self._books.maintenance.cancel(suspension.window, by)

    def _site(self, site_key: str) -> Site:
        self._books.site(site_key)
        site = next(one for one in self._books.settings.sites if one.key == site_key)
        if site.access is None:
            raise NotFound(f"nothing says how the files of {site_key} are reached; write its `access`")
        return site

    def _work(self, site: Site, deed: Callable[[SiteDoor], None]) -> None:
        assert site.access is not None  # noqa: S101  # as `_site` has seen
        with _opened(host_of_site(site)) as host:
            deed(SiteDoor(SiteFiles(host, site.access.docroot.encode())))

    async def _method(self, site: Site) -> Method:
        _, server = await visit(str(site.url))
        method = next((method for name, method in BY_SERVER.items() if name in server.lower()), None)
        if method is None:
            raise TransitionRefused(f"the server of {site.key} does not say what it is; give --method")
        return method

    async def _is_seen(self, site: Site, suspension: Suspension) -> bool:
        """Waits until visitors are sent away and whoever has the cookie is not; returns whether that came."""
        within_s = self._seen_within_s or SEEN_WITHIN_S[suspension.method]
        ends = self._clock.monotonic() + within_s
        while True:
            # Several times: each process of the server reads its settings by itself.
            if all([await _is_closed(str(site.url), suspension.token) for _ in range(VISITS_IN_A_ROW)]):
                return True
            if self._clock.monotonic() > ends:
                return False
            await self._clock.sleep(VISIT_EVERY_S)


async def _is_closed(url: str, token: str) -> bool:
    (visitor, _), (own, _) = await visit(url), await visit(url, token)
    return visitor == HTTPStatus.SERVICE_UNAVAILABLE and own not in (0, HTTPStatus.SERVICE_UNAVAILABLE)


async def visit(url: str, token: str = "") -> tuple[int, str]:
    """Returns the status of a page and what its server calls itself; 0 where it does not answer."""
    cookies = {"Cookie": f"{COOKIE}={token}"} if token else {}
    timeout = aiohttp.ClientTimeout(total=VISIT_WITHIN_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, headers=cookies) as answer:
            return answer.status, answer.headers.get("Server", "")[:200]
    except (aiohttp.ClientError, TimeoutError):
        return 0, ""


def host_of_site(site: Site) -> Host:
    """Returns the host that a site's files are on."""
    if site.access is None:
        raise NotFound(f"nothing says how the files of {site.key} are reached; write its `access`")
    return LocalHost() if site.access.ssh is None else RemoteHost(site.access.ssh)


@contextmanager
def _opened(host: Host) -> Iterator[Host]:
    try:
        yield host
    finally:
        host.close()
