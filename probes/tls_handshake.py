"""A verifying handshake as a phase of a probe; where it fails, a second one that only reads the chain."""

import ssl
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from probes.connection import Connection, dial
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.task import Trace
from probes.tls_stream import TlsStream
from probes.tls_trust import TrustSetting, tls_context
from probes.tls_verdict import ShownChain, broken_tls, refused_certificate, spoken_span
from sentry.domain.result import Certificate, Phase, Reason, TlsEvidence


@dataclass(frozen=True, slots=True)
class Trust:
    """The two contexts of a trust setting: the one that judges and the one that only looks."""

    judging: ssl.SSLContext
    looking: ssl.SSLContext
    verify: bool = True

    @classmethod
    def prepare(cls, setting: TrustSetting, *, owner: str) -> "Trust":
        """Makes both, or finds them made; reads files.

        Args:
            setting: what is trusted and shown.
            owner: key of the check, for the message.

        Raises:
            ConfigurationError: a file cannot be used.
        """
        judging = tls_context(setting, owner=owner)
        return cls(judging, tls_context(setting.unverified(), owner=owner), setting.verify)


async def secure(
    connection: Connection, server_name: str, trust: Trust, environment: ProbeEnvironment, trace: Trace
) -> TlsStream:
    """Shakes hands over a connection, as the phase TLS, and notes the chain.

    Where the certificate is refused, it connects once more without verification to read the chain, because a failed
    handshake does not give it away. That is not timed and cannot change the verdict.

    Raises:
        ProbeFailure: in `Phase.TLS`.
    """
    try:
        with trace.timing(Phase.TLS, environment.clock) as timed:
            stream = TlsStream(connection, trust.judging, server_name)
            await stream.handshake()
    except ssl.SSLCertVerificationError as error:
        raise await _verdict(error, connection, server_name, trust, environment, trace) from error
    except ssl.SSLError as error:
        raise _noted(broken_tls(error), trace) from error
    except ValueError as error:
        raise ProbeFailure(Reason.TLS_HANDSHAKE, f"'{server_name}' cannot be sent as SNI", phase=Phase.TLS) from error
    _note_success(stream, trust, trace, timed.ms)
    return stream


async def _verdict(
    refused: ssl.SSLCertVerificationError,
    connection: Connection,
    server_name: str,
    trust: Trust,
    environment: ProbeEnvironment,
    trace: Trace,
) -> ProbeFailure:
    shown = ShownChain(server_name, (), (), environment.clock.now())
    # Stands should the deadline pass while the chain is read.
    trace.failure = refused_certificate(refused, shown)
    trace.tls = TlsEvidence(error=refused.verify_message)
    connection.close()
    try:
        stream = await _look(connection, server_name, trust, environment)
    except ProbeFailure as failure:
        trace.note(f"the chain could not be read: {failure.detail}")
        return _noted(trace.failure, trace)
    evidence = replace(stream.evidence(verified=False), error=refused.verify_message)
    _note_chain(evidence, trace)
    shown = replace(shown, ders=stream.presented_chain(), certificates=evidence.chain)
    trace.failure = refused_certificate(refused, shown)
    return _noted(trace.failure, trace)


async def _look(first: Connection, server_name: str, trust: Trust, environment: ProbeEnvironment) -> TlsStream:
    """Shakes hands with the same address again, believing anything, and hangs up."""
    aside = Trace(phase=Phase.TLS)
    with await dial(first.ip, first.port, environment, aside) as connection:
        stream = TlsStream(connection, trust.looking, server_name)
        try:
            await stream.handshake()
        except ssl.SSLError as error:
            raise broken_tls(error) from error
    return stream


def _note_success(stream: TlsStream, trust: Trust, trace: Trace, took: str) -> None:
    evidence = stream.evidence(verified=trust.verify)
    trace.note(f"{evidence.version} with {evidence.cipher} in {took}")
    _note_chain(evidence, trace)
    verified = stream.verified_chain() if trust.verify else ()
    if verified:
        ends = min(certificate.not_after for certificate in verified)
        trace.values["ssl_last_chain_expiry_timestamp_seconds"] = ends.timestamp()


def _note_chain(evidence: TlsEvidence, trace: Trace) -> None:
    trace.tls = evidence
    for number, one in enumerate(evidence.chain):
        trace.note(f"certificate {number}: {one.subject}, issued by {one.issuer}, until {one.not_after:%Y-%m-%d}")
    if evidence.chain:
        earliest = min(certificate.not_after for certificate in evidence.chain)
        trace.values["ssl_earliest_cert_expiry"] = earliest.timestamp()


def _noted(failure: ProbeFailure, trace: Trace) -> ProbeFailure:
    trace.note(f"TLS failed: {failure.detail}")
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
