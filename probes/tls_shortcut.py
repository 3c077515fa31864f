"""The short way to a verified connection: which one a check may take, and the doubt that sends it the long way."""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from probes.connection import Connection
from probes.engine import Engine
from probes.environment import DoubtfulTlsError, ProbeEnvironment, ProbeFailure
from probes.tls_library import TlsContext, TlsSession
from probes.tls_rustls import Offer, require_library, rustls_context
from probes.tls_stream import TlsStream
from probes.tls_trust import TrustSetting, standard_context
from probes.tls_verified import JUDGED_EVERY_S, Memory, VerifiedChains
from probes.trace import Trace
from sentry.domain.result import Reason

HANDSHAKE_SHARE = 0.25
"""Share of the deadline that a handshake on the short way may take."""

_WITH_ISSUER = 2
"""Certificates of the shortest chain that names the issuer of its leaf."""

LAST_START_SHARE = 0.5
"""Share of the deadline after which no short way is begun: a judgement of the standard library must have its time."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The short way of one check.

    Attributes:
        engine: drives the probes of the check.
        timeout_s: deadline of such a probe.
    """

    chains: VerifiedChains
    engine: Engine
    timeout_s: float

    def way(self, name: str, trace: Trace) -> Memory | None:
        """Returns what is remembered of a name where the short way is open, else None."""
        if self.engine.driven is None or sum(trace.phases.values()) > LAST_START_SHARE * self.timeout_s:
            return None
        return self.chains.way(name)

    def doubt(self, name: str, why: object) -> DoubtfulTlsError:
        """Closes the short way for a name and returns what to raise."""
        self.chains.doubt(name)
        return DoubtfulTlsError(str(why))

    async def stream(self, below: Connection, name: str, memory: Memory, *, data_follows: bool) -> TlsStream:
        """Shakes hands on the short way, and lets pass nothing but the chain that was verified in full.

        Args:
            below: connected.
            name: for SNI and verification.
            memory: what `way` has returned for the name.
            data_follows: as for `probes.tls_handshake.secure`.

        Raises:
            DoubtfulTlsError: anything else happened.
        """
        assert memory.context is not None  # noqa: S101  # else `way` has returned None
        try:
            stream = DoubtedStream(below, memory.context.session(name), partial(self.doubt, name))
            with self._time_limit():
                await stream.handshake()
                if not data_follows:
                    await stream.finish()
        except (ssl.SSLError, ProbeFailure, ValueError, _TooLongError) as error:
            raise self.doubt(name, error) from error
        if not memory.is_of(stream.presented_chain()):
            raise self.doubt(name, "the server shows another chain than the one that was verified")
        return stream

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Ends what is driven inside when it has taken its share of the deadline."""
        attempt, share_s = self.engine.driven, HANDSHAKE_SHARE * self.timeout_s
        assert attempt is not None  # noqa: S101  # else `way` has returned None
        alarm = asyncio.get_running_loop().call_later(share_s, attempt.throw, _TooLongError(share_s))
        try:
            yield
        finally:
            alarm.cancel()


class _TooLongError(Exception):
    def __str__(self) -> str:
        return f"the handshake did not end within {self.args[0]:g} s"


class DoubtedStream(TlsStream):
    """A stream of the short way: what breaks it is no verdict."""

    __slots__ = ("_doubt", "_proven")

    def __init__(self, below: Connection, client: TlsSession, doubt: Callable[[object], DoubtfulTlsError]) -> None:
        """Takes the client's side.

        Args:
            below: connected.
            client: new.
            doubt: makes what is raised of what went wrong.
        """
        super().__init__(below, client)
        self._doubt = doubt
        self._proven = False

    def broken(self, error: ssl.SSLError) -> Exception:
        """Returns the doubt that an error of the library means."""
        return self._doubt(error)

    async def receive(self) -> memoryview:
        """Returns what came next, as `TlsStream.receive` does.

        Raises:
            ProbeFailure: the connection broke.
            DoubtfulTlsError: the library failed, or the connection ended before anything at all has come: in TLS 1.3
                a client learns only from the first byte that the server has accepted its half of the handshake.
        """
        try:
            data = await super().receive()
        except ProbeFailure as failure:
            if self._proven and failure.reason is not Reason.TLS_HANDSHAKE:
                raise
            raise self._doubt(failure) from failure
        if not data and not self._proven:
            raise self._doubt("the server closed the connection before it said anything")
        self._proven = True
        return data


def shortcut(
    setting: TrustSetting, environment: ProbeEnvironment, *, owner: str, timeout_s: float
) -> Shortcut | None:
    """Returns the short way that a check may take, None where it has none.

    There is none without verification, and none with a client certificate, which would be shown to a server that is
    verified only afterwards.

    Args:
        setting: what the check trusts and shows.
        environment: tells which library and which cache the agent was told to use.
        owner: key of the check, for the message.
        timeout_s: its deadline.

    Raises:
        ConfigurationError: a library is chosen that is not there.
    """
    choice = environment.tls
    require_library(choice.library)
    if not setting.verify or setting.client_cert_file is not None:
        return None
    life_s = choice.verified_chain_cache_s
    if choice.library == "rtls":
        chains = VerifiedChains(environment.clock, life_s or JUDGED_EVERY_S, partial(_rustls_way, setting))
    elif life_s > 0:
        light = standard_context(replace(setting, verify=False, ca_file=None), owner=owner)
        chains = VerifiedChains(environment.clock, life_s, partial(_light_way, light))
    else:
        return None
    return Shortcut(chains, environment.engine, timeout_s)


def _rustls_way(setting: TrustSetting, verified: Sequence[bytes]) -> TlsContext | None:
    if len(verified) < _WITH_ISSUER:
        return None  # a leaf that is trusted itself, which rustls does not do
    return rustls_context(Offer(verified[1], setting.min_version, setting.alpn))


def _light_way(light: TlsContext, _verified: Sequence[bytes]) -> TlsContext:
    return light
