"""A verifying handshake as a phase of a probe; where it fails, a second one that only reads the chain."""

import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from probes.certificate import read_certificate
from probes.connection import Connection, dial
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.tls_library import StandardContext
from probes.tls_shortcut import Shortcut, shortcut
from probes.tls_stream import TlsStream
from probes.tls_trust import TrustSetting, standard_context
from probes.tls_verdict import ShownChain, broken_tls, refused_certificate, spoken_span
from probes.tls_verified import Memory
from probes.trace import Trace
from sentry.domain.result import Certificate, Phase, Reason, TlsEvidence
from sentry.domain.site import Check

Tunnel = Callable[[Connection, Trace], Awaitable[None]]
"""Has a proxy make the way to the server over a connection to the proxy."""


_NOTHING_SHOWN = TlsEvidence()


class ShownSessions:
    """The session that a check was shown last, read once: nearly always the next one is the same."""

    __slots__ = ("_chain_ends", "_evidence", "_key")

    def __init__(self) -> None:
        self._key: int | None = None
        self._evidence = _NOTHING_SHOWN
        self._chain_ends: datetime | None = None

    def read(self, stream: TlsStream, *, verified: bool) -> tuple[TlsEvidence, datetime | None]:
        """Returns what a handshake showed, and when the first certificate of the chain that was verified ends."""
        session = stream.session()
        key = hash(session)  # of 64 bits and keyed by a secret of this process, so nobody can aim at a collision
        if key != self._key:
            version, cipher, ders = session
            self._evidence = TlsEvidence(_shared(version), _shared(cipher), _certificates(ders), verified)
            ends = [
                certificate.not_after for certificate in _certificates(stream.verified_chain() if verified else ())
            ]
            self._chain_ends = min(ends, default=None)
            self._key = key
        return self._evidence, self._chain_ends


def _shared(name: str | None) -> str | None:
    """Returns one object for all checks: there are few versions and ciphers, and each session writes its own."""
    return None if name is None else sys.intern(name)


def _certificates(ders: tuple[bytes, ...]) -> tuple[Certificate, ...]:
    return tuple(filter(None, map(read_certificate, ders)))


@dataclass(frozen=True, slots=True)
class Trust:
    """The two contexts of a trust setting, the one that judges and the one that only looks, and a way round them."""

    judging: StandardContext
    looking: StandardContext
    verify: bool = True
    shortcut: Shortcut | None = None
    shown: ShownSessions = field(default_factory=ShownSessions)

    @classmethod
    def prepare(cls, setting: TrustSetting, *, owner: str) -> "Trust":
        """Makes both, or finds them made; reads files.

        Args:
            setting: what is trusted and shown.
            owner: key of the check, for the message.

        Raises:
            ConfigurationError: a file cannot be used.
        """
        judging, looking = (standard_context(one, owner=owner) for one in (setting, setting.unverified()))
        return cls(judging, looking, setting.verify)

    @classmethod
    def of_check(cls, check: Check, setting: TrustSetting, environment: ProbeEnvironment) -> "Trust":
        """Makes both as `prepare` does, with the short way that the agent was told to take where there is one.

        Args:
            check: whose deadline bounds that way.
            setting: what is trusted and shown.
            environment: knows what the agent was told.

        Raises:
            ConfigurationError: a file or a library cannot be used.
        """
        way = shortcut(setting, environment, owner=check.key, timeout_s=check.options.timeout_s)
        return replace(cls.prepare(setting, owner=check.key), shortcut=way)


async def secure(
    connection: Connection,
    server_name: str,
    trust: Trust,
    environment: ProbeEnvironment,
    trace: Trace,
    *,
    data_follows: bool = False,
    tunnel: Tunnel | None = None,
) -> TlsStream:
    """Shakes hands over a connection, as the phase TLS, and notes the chain.

    Where the certificate is refused, it connects once more without verification to read the chain, because a failed
    handshake does not give it away. That is not timed and cannot change the verdict.

    Args:
        connection: connected.
        server_name: for SNI and verification.
        trust: of the check.
        environment: of the probe.
        trace: takes the notes.
        data_follows: whether something is sent at once; it then takes our last words of the handshake along, which
            spares a system call and the server a wake-up.
        tunnel: what a second connection needs to get to the server, where the address connected to is a proxy's.

    Raises:
        ProbeFailure: in `Phase.TLS`.
        DoubtfulTlsError: a short way was taken and has not come to a good end.
    """
    short = trust.shortcut
    if short is not None:
        memory = short.way(server_name, trace)
        if memory is not None:
            return await _shortened(connection, server_name, trust, short, memory, trace, data_follows=data_follows)
    trace.enter(Phase.TLS)
    try:
        stream = TlsStream(connection, trust.judging.session(server_name))
        await stream.handshake()
        if not data_follows:
            await stream.finish()
    except ssl.SSLCertVerificationError as error:
        raise await _verdict(error, connection, server_name, trust, environment, trace, tunnel) from error
    except ssl.SSLError as error:
        raise _noted(broken_tls(error), trace) from error
    except ValueError as error:
        raise ProbeFailure(Reason.TLS_HANDSHAKE, f"'{server_name}' cannot be sent as SNI", phase=Phase.TLS) from error
    _note_success(stream, trust, trace)
    if short is not None:
        short.chains.verified(server_name, stream.presented_chain(), stream.verified_chain())
    return stream


async def _shortened(
    connection: Connection,
    server_name: str,
    trust: Trust,
    short: Shortcut,
    memory: Memory,
    trace: Trace,
    *,
    data_follows: bool,
) -> TlsStream:
    """Shakes hands on the short way; the chain is the one that was verified before, and so is its end."""
    trace.enter(Phase.TLS)
    stream = await short.stream(connection, server_name, memory, data_follows=data_follows)
    evidence, _ = trust.shown.read(stream, verified=True)
    words = "{} with {} in {took:.1f} ms, with the chain that was verified before"
    trace.note(words, evidence.version, evidence.cipher)
    _note_chain(evidence, trace)
    trace.values["ssl_last_chain_expiry_timestamp_seconds"] = memory.ends
    return stream


async def _verdict(
    refused: ssl.SSLCertVerificationError,
    connection: Connection,
    server_name: str,
    trust: Trust,
    environment: ProbeEnvironment,
    trace: Trace,
    tunnel: Tunnel | None,
) -> ProbeFailure:
    trace.leave()
    shown = ShownChain(server_name, (), (), environment.clock.now())
    # Stands should the deadline pass while the chain is read.
    trace.failure = refused_certificate(refused, shown)
    trace.tls = TlsEvidence(error=refused.verify_message)
    connection.close()
    try:
        stream = await _look(connection, server_name, trust, environment, tunnel)
    except ProbeFailure as failure:
        trace.note("the chain could not be read: {}", failure.detail)
        return _noted(trace.failure, trace)
    version, cipher, ders = stream.session()
    evidence = TlsEvidence(version, cipher, _certificates(ders), error=refused.verify_message)
    _note_chain(evidence, trace)
    shown = replace(shown, ders=ders, certificates=evidence.chain)
    trace.failure = refused_certificate(refused, shown)
    return _noted(trace.failure, trace)


async def _look(
    first: Connection, server_name: str, trust: Trust, environment: ProbeEnvironment, tunnel: Tunnel | None
) -> TlsStream:
    """Shakes hands with the same address again, believing anything, and hangs up."""
    aside = Trace(environment.clock, Phase.TLS)
    with await dial(first.ip, first.port, environment, aside) as connection:
        if tunnel is not None:
            await tunnel(connection, aside)
        stream = TlsStream(connection, trust.looking.session(server_name))
        try:
            await stream.handshake()
        except ssl.SSLError as error:
            raise broken_tls(error) from error
        with suppress(ProbeFailure):  # the chain is here; hanging up politely is all that is left
            await stream.finish()
    return stream


def _note_success(stream: TlsStream, trust: Trust, trace: Trace) -> None:
    evidence, chain_ends = trust.shown.read(stream, verified=trust.verify)
    trace.note("{} with {} in {took:.1f} ms", evidence.version, evidence.cipher)
    _note_chain(evidence, trace)
    if chain_ends is not None:
        trace.values["ssl_last_chain_expiry_timestamp_seconds"] = chain_ends.timestamp()


def _note_chain(evidence: TlsEvidence, trace: Trace) -> None:
    trace.tls = evidence
    for number, one in enumerate(evidence.chain):
        trace.note(
            "certificate {}: {}, issued by {}, until {:%Y-%m-%d}", number, one.subject, one.issuer, one.not_after
        )


def _noted(failure: ProbeFailure, trace: Trace) -> ProbeFailure:
    trace.note("TLS failed: {}", failure.detail)
    return failure


def expires_soon(chain: tuple[Certificate, ...], min_days_left: int, now: datetime) -> str | None:
    """Returns what to say of the certificate that ends first when that is within so many days, else None."""
    if not chain:
        return None
    first = min(chain, key=lambda certificate: certificate.not_after)
    left = first.not_after - now
    if left >= timedelta(days=min_days_left):
        return None
    when = f"{first.not_after:%Y-%m-%d %H:%M} UTC"
    return f"certificate {first.subject} expires in {spoken_span(left)} ({when}), wanted {min_days_left} days"
