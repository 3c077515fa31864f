"""The authorities themselves: OCSP where a certificate names a responder, else its revocation list."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from cryptography import x509

from sentry.domain.errors import LookupFailed
from sentry.domain.revocation import Revocation, RevocationState
from sentry.lookups import crl, ocsp
from sentry.lookups.download import Download
from sentry.lookups.signature import UNREADABLE
from sentry.ports import Clock

MAX_KEPT_BYTES = 32 * 1024 * 1024
"""Of all lists together; what is beyond is had again."""


@dataclass(slots=True)
class _Lists:
    """The newest lists, as they came, until there is a newer one."""

    kept: OrderedDict[str, tuple[bytes, datetime]] = field(default_factory=OrderedDict)

    def get(self, place: str, now: datetime) -> bytes | None:
        document, until = self.kept.get(place, (None, now))
        return document if until > now else None

    def keep(self, place: str, document: bytes, until: datetime) -> None:
        self.kept.pop(place, None)
        self.kept[place] = (document, until)
        while sum(len(one) for one, _ in self.kept.values()) > MAX_KEPT_BYTES:
            self.kept.popitem(last=False)


class WebAuthorities:
    """Fills the `Authorities` port."""

    def __init__(self, download: Download, clock: Clock) -> None:
        self._download = download
        self._clock = clock
        self._lists = _Lists()

    async def ask(self, certificate: bytes, issuer: bytes) -> Revocation:
        """Returns what the issuer says of a certificate, both DER. Never raises for an authority that is silent."""
        try:
            pair = _read(certificate), _read(issuer)
            ways = list(self._ways(*pair))
        except UNREADABLE as error:
            return Revocation(RevocationState.UNKNOWN, why=f"the certificate cannot be read: {type(error).__name__}")
        found, obstacles = None, []
        for way in ways:
            try:
                found = await way()
            except LookupFailed as failed:
                obstacles.append(str(failed))
                continue
            if found.state is not RevocationState.UNKNOWN:
                return found
        return found or Revocation(
            RevocationState.UNKNOWN, why="; ".join(obstacles) or "the certificate names nobody to ask"
        )

    def _ways(
        self, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Iterator[Callable[[], Awaitable[Revocation]]]:
        url = ocsp.responder(certificate)
        if url is not None:
            yield partial(self._by_responder, url, certificate, issuer)
        for place in crl.places(certificate)[:2]:
            yield partial(self._by_list, place, certificate, issuer)

    async def _by_responder(self, url: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Revocation:
        asked = ocsp.question(certificate, issuer)
        answer = await self._download.post(
            url, asked, content_type=ocsp.CONTENT_TYPE, max_bytes=ocsp.MAX_ANSWER_BYTES
        )
        return ocsp.verdict(answer, certificate, issuer, self._clock.now())

    async def _by_list(self, place: str, certificate: x509.Certificate, issuer: x509.Certificate) -> Revocation:
        now = self._clock.now()
        document = self._lists.get(place, now)
        is_new = document is None
        if document is None:
            document = await self._download.get(place, max_bytes=crl.MAX_LIST_BYTES)
        found = await asyncio.to_thread(_of_list, document, place, certificate, issuer, now)
        if is_new and found.next_update is not None:
            self._lists.keep(place, document, found.next_update)
        return found


def _of_list(
    document: bytes, place: str, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Revocation:
    """Reads ten megabytes and verifies them, which takes a while: in a thread."""
    return crl.verdict(crl.read(document), place, certificate, issuer, now)


def _read(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)
