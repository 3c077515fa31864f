"""Reads the whole chain of a server, root included, for questions that no probe has the time to ask."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from probes.connection import dial
from probes.engine import Engine
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.nameserver import parse_nameserver
from probes.tls_handshake import Trust
from probes.tls_stream import TlsStream
from probes.tls_trust import TrustSetting
from probes.trace import Trace
from sentry.domain.errors import LookupFailed
from sentry.domain.result import Phase


class HandshakeReader:
    """Fills the `ChainReader` port with a handshake of its own."""

    def __init__(
        self, environment: ProbeEnvironment, ca_file: Path | None = None, *, timeout_s: float = 10.0
    ) -> None:
        """Prepares the trust; reads files.

        Args:
            environment: of the probes.
            ca_file: further trusted roots beside the system's, PEM.
            timeout_s: over connection and handshake, seconds.

        Raises:
            ConfigurationError: the file of roots cannot be used.
        """
        self._environment = replace(environment, engine=Engine())  # the probes' own is driven by the wheel
        self._timeout_s = timeout_s
        self._context = Trust.prepare(TrustSetting(ca_file=ca_file), owner="lookups").judging

    async def verified_chain(self, address: str, server_name: str) -> tuple[bytes, ...]:
        """Shakes hands once and returns the chain that was built and verified, DER, leaf to root.

        Args:
            address: `ip:port`, brackets round an IPv6 address.
            server_name: for SNI and verification.

        Raises:
            LookupFailed: there was no such chain.
        """
        try:
            server = parse_nameserver(address)  # written the same way
            async with asyncio.timeout(self._timeout_s):
                return await self._read(server.host, server.port, server_name)
        except (ProbeFailure, ssl.SSLError, TimeoutError, ValueError) as error:
            raise LookupFailed(f"the chain of {server_name} could not be read: {error}") from error

    async def _read(self, ip: str, port: int, server_name: str) -> tuple[bytes, ...]:
        aside = Trace(self._environment.clock, Phase.TLS)
        with await dial(ip, port, self._environment, aside) as connection:
            stream = TlsStream(connection, self._context.session(server_name))
            await stream.handshake()
            with suppress(ProbeFailure):  # the chain is here; hanging up politely is all that is left
                await stream.finish()
            return stream.verified_chain()
