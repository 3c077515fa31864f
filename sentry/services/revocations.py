"""The watch over revocation: asks the authority of each certificate once a day, and keeps the book of the revoked."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from math import nan
from urllib.parse import urlsplit

import structlog

from sentry.domain.errors import LookupFailed
from sentry.domain.result import Certificate, ProbeResult
from sentry.domain.revocation import Revocation, RevocationState, RevokedBook
from sentry.domain.site import Check
from sentry.ports import Authorities, ChainReader, Clock, Observation, ObservationBook, Telemetry
from sentry.services.turns import in_turns
from sentry.services.watch import CheckView

OBSERVATIONS = "revocation"

AT_ONCE = 4
"""Servers and authorities that are asked together."""

REST_S = 1.0
"""Between one few and the next: ten thousand certificates take an hour of the day."""

FORGET_AFTER = timedelta(days=7)
"""A certificate that no site has shown for so long is no longer asked about."""

Views = Callable[[], Sequence[CheckView]]

_log = structlog.get_logger()


class RevocationWatch:
    """Asks, and fills the book that results are judged by.

    Args:
        views: what is known of every check now.
        book: of the revoked.
        observations: what authorities have said, over restarts.
    """

    def __init__(
        self,
        views: Views,
        *,
        book: RevokedBook,
        chains: ChainReader,
        authorities: Authorities,
        observations: ObservationBook,
        telemetry: Telemetry,
        clock: Clock,
    ) -> None:
        self._views = views
        self._book = book
        self._chains = chains
        self._authorities = authorities
        self._observations = observations
        self._telemetry = telemetry
        self._clock = clock
        self._known: dict[str, Revocation] = {}
        self._due: dict[str, datetime] = {}

    async def load(self) -> None:
        """Reads what was known before a restart.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        for fingerprint, observation in (await self._observations.all(OBSERVATIONS)).items():
            revocation = Revocation.of_facts(observation.facts)
            self._take(fingerprint, revocation, revocation.ask_again(observation.at))

    async def look(self) -> None:
        """Asks about every certificate that is due.

        Raises:
            StoreUnavailable: the store does not answer; what was not written is asked again after a restart.
        """
        now = self._clock.now()
        due: dict[str, tuple[Check, ProbeResult]] = {}
        shown: set[str] = set()
        async for view in in_turns(self._views()):
            result = view.last
            if result is None or not _shows_a_chain(view.check, result):
                continue
            asked_about = _asked_about(result)
            shown.update(asked_about)
            if any(self._due.get(one, now) <= now for one in asked_about):
                due.setdefault(asked_about[0], (view.check, result))
            self._show(view.check, asked_about)
        pending = list(due.items())
        for start in range(0, len(pending), AT_ONCE):
            few = pending[start : start + AT_ONCE]
            await asyncio.gather(*(self._ask(leaf, check, result) for leaf, (check, result) in few))
            await self._clock.sleep(REST_S)
        await self._forget(shown)

    async def _ask(self, leaf: str, check: Check, result: ProbeResult) -> None:
        """Asks about each certificate of a chain that is due, the leaf first."""
        try:
            chain = await self._chains.verified_chain(result.evidence.address or "", _server_name(check, result))
        except LookupFailed as failed:
            await self._note(leaf, Revocation(RevocationState.UNKNOWN, why=str(failed)))
            return
        now = self._clock.now()
        for certificate, issuer in pairwise(chain):
            fingerprint = sha256(certificate).hexdigest()
            if self._due.get(fingerprint, now) <= now:
                await self._note(fingerprint, await self._authorities.ask(certificate, issuer))
        for one in _asked_about(result):
            if self._due.get(one, now) <= now:  # the server shows others by now, or the path goes another way
                await self._note(one, Revocation(RevocationState.UNKNOWN, why="it is not part of the verified chain"))

    async def _note(self, fingerprint: str, revocation: Revocation) -> None:
        known = self._known.get(fingerprint)
        if revocation.state is RevocationState.UNKNOWN and known is not None:
            revocation = known if known.state is RevocationState.REVOKED else revocation
        elif revocation.state is RevocationState.REVOKED and fingerprint not in self._book.known:
            _log.warning("a certificate was revoked", fingerprint=fingerprint, why=revocation.why)
        now = self._clock.now()
        self._take(fingerprint, revocation, revocation.ask_again(now))
        self._telemetry.count("revocation_lookups_total", result=revocation.state)
        await self._observations.keep(OBSERVATIONS, fingerprint, Observation(now, revocation.facts()))

    def _take(self, fingerprint: str, revocation: Revocation, again: datetime) -> None:
        self._known[fingerprint], self._due[fingerprint] = revocation, again
        if revocation.state is RevocationState.REVOKED:
            self._book.known[fingerprint] = revocation
        else:
            self._book.known.pop(fingerprint, None)

    def _show(self, check: Check, fingerprints: Iterable[str]) -> None:
        states = {known.state if (known := self._known.get(one)) else None for one in fingerprints}
        is_revoked = float(RevocationState.REVOKED in states)
        is_known = is_revoked or states == {RevocationState.GOOD}
        self._telemetry.gauge("certificate_revoked", is_revoked if is_known else nan, site=check.site_key)

    async def _forget(self, shown: set[str]) -> None:
        long_ago = self._clock.now() - FORGET_AFTER
        for fingerprint in self._known.keys() - shown:
            if self._due[fingerprint] < long_ago:
                await self._observations.forget(OBSERVATIONS, fingerprint)
                del self._known[fingerprint], self._due[fingerprint]
                self._book.known.pop(fingerprint, None)


def _shows_a_chain(check: Check, result: ProbeResult) -> bool:
    """Whether a probe showed a chain that was verified; only then its authority is one."""
    tls = result.evidence.tls
    if tls is None or not tls.verified or not tls.chain:
        return False
    return result.evidence.address is not None and not getattr(check.options, "proxy", None)


def _asked_about(result: ProbeResult) -> tuple[str, ...]:
    """Returns the fingerprints of the chain but for its root, which nobody can revoke."""
    chain: Sequence[Certificate] = result.evidence.tls.chain if result.evidence.tls is not None else ()
    return tuple(one.fingerprint_sha256 for place, one in enumerate(chain) if place == 0 or one.subject != one.issuer)


def _server_name(check: Check, result: ProbeResult) -> str:
    """Returns the name that the last handshake of a probe was for."""
    http = result.evidence.http
    if http is not None and http.hops:
        return urlsplit(http.hops[-1].url).hostname or ""
    named = getattr(check.options, "server_name", None)
    return named or urlsplit(check.watched_url).hostname or ""
