"""Says what a failed handshake means: which certificate, which date, which name."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probes.certificate import is_self_issued, names_its_issuer
from probes.environment import ProbeFailure
from sentry.domain.certificates import weakness
from sentry.domain.result import Certificate, Phase, Reason

SHOWN_NAMES = 5

ALERTS = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server requires a client certificate",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server refused the handshake (no common cipher, or a client certificate "
    "that it requires)",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the server speaks none of the TLS versions that are accepted here",
    "UNSUPPORTED_PROTOCOL": "the server speaks only a TLS version that is not accepted here",
    "WRONG_VERSION_NUMBER": "what answers on this port is not TLS",
    "HTTP_REQUEST": "what answers on this port is plain HTTP, not TLS",
    "PACKET_LENGTH_TOO_LONG": "what answers on this port is not TLS",
    "TLSV1_UNRECOGNIZED_NAME": "the server knows no site of this name",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the server does not accept the client certificate",
    "TLSV1_ALERT_UNKNOWN_CA": "the server does not trust the client certificate's authority",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the server says that the client certificate has expired",
    "TLSV1_ALERT_INTERNAL_ERROR": "the server reports an internal error in the handshake",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small to be safe",
    "EE_KEY_TOO_SMALL": "the certificate's key is too small to be safe",
    "CA_MD_TOO_WEAK": "a certificate of the chain is signed with a broken hash",
    "NO_APPLICATION_PROTOCOL": "the server refuses HTTP/1.1",
}


@dataclass(frozen=True, slots=True)
class ShownChain:
    """What is known when a verification has failed.

    Attributes:
        server_name: the name the certificate had to carry.
        ders: the presented chain, leaf first, empty where it could not be read; `certificates` its readable part.
        now: for the ages in the detail.
    """

    server_name: str
    ders: tuple[bytes, ...]
    certificates: tuple[Certificate, ...]
    now: datetime


def broken_tls(error: ssl.SSLError) -> ProbeFailure:
    """Returns the verdict of a TLS failure that is not about the server's certificate."""
    name = error.reason or ""
    # The same end of the connection has either name, by Python's version: 3.11.2 says SSLZeroReturnError.
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        detail = "the server closed the connection during the handshake"
    else:
        words = name.lower().replace("_", " ") or str(error)
        detail = ALERTS.get(name, f"the TLS handshake failed: {words}")
    return ProbeFailure(Reason.TLS_HANDSHAKE, detail, phase=Phase.TLS)


def refused_certificate(error: ssl.SSLCertVerificationError, shown: ShownChain) -> ProbeFailure:
    """Returns the verdict of a verification that failed, by OpenSSL's X509_V_ERR_* code."""
    judge = JUDGES.get(error.verify_code, _untrusted)
    reason, detail = judge(shown, error.verify_message or "")
    return ProbeFailure(reason, detail, phase=Phase.TLS)


Verdict = tuple[Reason, str]


def _expired(shown: ShownChain, _message: str) -> Verdict:
    for number, certificate in enumerate(shown.certificates):
        if certificate.not_after < shown.now:
            age = spoken_span(shown.now - certificate.not_after)
            return Reason.TLS_EXPIRED, f"{_which(number, shown)} expired {age} ago ({_date(certificate.not_after)})"
    return Reason.TLS_EXPIRED, f"a certificate above the chain of {shown.server_name} has expired"


def _not_yet_valid(shown: ShownChain, _message: str) -> Verdict:
    for number, certificate in enumerate(shown.certificates):
        if certificate.not_before > shown.now:
            wait = spoken_span(certificate.not_before - shown.now)
            when = _date(certificate.not_before)
            return Reason.TLS_NOT_YET_VALID, f"{_which(number, shown)} becomes valid only in {wait} ({when})"
    return Reason.TLS_NOT_YET_VALID, f"a certificate of {shown.server_name} is not valid yet"


def _wrong_host(shown: ShownChain, _message: str) -> Verdict:
    detail = f"the certificate is not for {shown.server_name}"
    if shown.certificates:
        names = shown.certificates[0].names
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        detail += f"; it names {', '.join(names[:SHOWN_NAMES]) or 'nobody'}{more}"
    return Reason.TLS_WRONG_HOST, detail


def _self_signed(shown: ShownChain, _message: str) -> Verdict:
    return Reason.TLS_SELF_SIGNED, f"the certificate of {shown.server_name} is self-signed"


def _self_signed_above(shown: ShownChain, _message: str) -> Verdict:
    root = shown.certificates[-1].subject if shown.certificates else "its root"
    return Reason.TLS_UNTRUSTED, f"the chain of {shown.server_name} ends in {root}, which is not trusted here"


def _no_issuer(shown: ShownChain, message: str) -> Verdict:
    if not shown.certificates:
        return _untrusted(shown, message)
    leaf = shown.certificates[0]
    sent_above = shown.certificates[1:]
    if not is_self_issued(leaf) and not any(one.subject == leaf.issuer for one in sent_above):
        if sent_above:
            sent = ", ".join(one.subject for one in sent_above)
            detail = f"the server does not send {leaf.issuer}, which issued its certificate; it sends {sent} instead"
            return Reason.TLS_MISSING_INTERMEDIATE, detail
        if names_its_issuer(shown.ders[0]):
            detail = f"the server does not send the intermediate certificate {leaf.issuer}"
            return Reason.TLS_MISSING_INTERMEDIATE, detail
    return Reason.TLS_UNTRUSTED, f"{_top_issuer(shown.certificates)} is not trusted here"


def _weak(shown: ShownChain, message: str) -> Verdict:
    for number, certificate in enumerate(shown.certificates):
        why = weakness(certificate)
        if why is not None:
            return Reason.TLS_WEAK, f"{_which(number, shown)} {why}, which is no longer safe"
    return Reason.TLS_WEAK, f"the chain of {shown.server_name} is too weak: {message}"


def _untrusted(shown: ShownChain, message: str) -> Verdict:
    return Reason.TLS_UNTRUSTED, f"the certificate of {shown.server_name} is not accepted: {message or 'no reason'}"


JUDGES: dict[int, Callable[[ShownChain, str], Verdict]] = {
    2: _no_issuer,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
    9: _not_yet_valid,  # X509_V_ERR_CERT_NOT_YET_VALID
    10: _expired,  # X509_V_ERR_CERT_HAS_EXPIRED
    18: _self_signed,  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
    19: _self_signed_above,  # X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
    20: _no_issuer,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: _no_issuer,  # X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
    62: _wrong_host,  # X509_V_ERR_HOSTNAME_MISMATCH
    64: _wrong_host,  # X509_V_ERR_IP_ADDRESS_MISMATCH
    66: _weak,  # X509_V_ERR_EE_KEY_TOO_SMALL
    67: _weak,  # X509_V_ERR_CA_KEY_TOO_SMALL
    68: _weak,  # X509_V_ERR_CA_MD_TOO_WEAK
}


def _which(number: int, shown: ShownChain) -> str:
    if number == 0:
        return f"certificate of {shown.server_name}"
    return f"intermediate certificate {shown.certificates[number].subject} of {shown.server_name}"


def _top_issuer(certificates: Sequence[Certificate]) -> str:
    """Returns the issuer that the chain, followed from the leaf, ends at."""
    by_subject = {one.subject: one for one in certificates}
    seen: set[str] = set()
    issuer = certificates[0].issuer
    while issuer in by_subject and issuer not in seen:
        seen.add(issuer)
        issuer = by_subject[issuer].issuer
    return issuer


def _date(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def spoken_span(span: timedelta) -> str:
    """Returns a span in its largest whole unit: `3 days`, `1 hour`."""
    seconds = int(span.total_seconds())
    for size, unit in UNITS:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a second"
