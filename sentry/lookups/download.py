"""Documents of authorities and registries over HTTP: bounded, not redirected, and from public addresses alone."""

import socket
import ssl
from errno import EHOSTUNREACH
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from sentry.domain.errors import LookupFailed
from sentry.lookups.public_names import PublicNames, is_public

PUBLIC_PORTS = frozenset({None, 80, 443})
"""No authority asks for another one; whoever writes one into a certificate wants us to knock at somebody's door."""

MAX_AT_ONCE = 8
OK = 200


class Download:
    """Fetches documents.

    Args:
        names: leads to the addresses that may be connected to.
        tls: trusted roots, for documents behind https.
        timeout_s: over everything, from the name to the last byte, seconds.
    """

    def __init__(self, names: PublicNames, *, tls: ssl.SSLContext | None = None, timeout_s: float = 10.0) -> None:
        self.names = names
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_Resolver(names), force_close=True, limit=MAX_AT_ONCE, use_dns_cache=False
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "online-sentry", "Accept-Encoding": "identity"},
            auto_decompress=False,
        )

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._session.close()

    async def get(self, url: str, *, max_bytes: int, accept: str = "*/*") -> bytes:
        """Returns a document.

        Raises:
            LookupFailed: there is none, or none that may be had.
        """
        return await self._fetch("GET", url, None, {"Accept": accept}, max_bytes)

    async def post(self, url: str, body: bytes, *, content_type: str, max_bytes: int) -> bytes:
        """Returns the answer to a document.

        Raises:
            LookupFailed: there is none, or none that may be had.
        """
        return await self._fetch("POST", url, body, {"Content-Type": content_type}, max_bytes)

    async def _fetch(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], max_bytes: int
    ) -> bytes:
        where = self._permitted(url)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                ssl=True if self._tls is None else self._tls,
                timeout=self._timeout,
            ) as response:
                if response.status != OK:
                    raise LookupFailed(f"{where} answered {response.status}", status=response.status)
                return await _bounded(response, where, max_bytes)
        except TimeoutError as error:
            raise LookupFailed(f"{where} gave no answer within {self._timeout.total:g} s") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise LookupFailed(f"{where}: {str(error) or type(error).__name__}") from error

    def _permitted(self, url: str) -> str:
        """Returns the host of a URL that may be asked.

        Raises:
            LookupFailed: it may not.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise LookupFailed("an authority's address is no URL") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise LookupFailed(f"addresses of {parts.scheme or 'no'} kind are not asked")
        if not self.names.private() and (port not in PUBLIC_PORTS or not is_public(host, names=True)):
            raise LookupFailed(f"{host} is not a public address")
        return host


class _Resolver(AbstractResolver):
    """Our names, as aiohttp asks for them."""

    def __init__(self, names: PublicNames) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            found = await self._names.of(host)
        except LookupFailed as failed:
            raise OSError(EHOSTUNREACH, str(failed)) from failed
        families = [(address, socket.AF_INET6 if ":" in address else socket.AF_INET) for address in found]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=of, proto=0, flags=socket.AI_NUMERICHOST)
            for address, of in families
            if family in (socket.AF_UNSPEC, of)
        ]

    async def close(self) -> None:
        """There is nothing to close."""


async def _bounded(response: aiohttp.ClientResponse, where: str, max_bytes: int) -> bytes:
    chunks = bytearray()
    while chunk := await response.content.read(65_536):
        chunks += chunk
        if len(chunks) > max_bytes:
            raise LookupFailed(f"{where} sent more than {max_bytes:,} bytes")
    return bytes(chunks)
