"""Documents that go out over HTTP: signed, bounded in time and size, never redirected, failures as `DeliveryError`.

Signatures follow the Standard Webhooks specification (https://www.standardwebhooks.com): receivers find a verifying
library in every language.
"""

import base64
import binascii
import hashlib
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from sentry.domain.errors import DeliveryError, DeliveryReason

MAX_ANSWER_BYTES = 64 * 1024
"""Read of an answer at most; what it says of an error is cut far below that."""

SHOWN_ANSWER_CHARACTERS = 300
"""Kept of the text of an answer that refuses a document."""

SECRET_PREFIX = "whsec_"  # noqa: S105  # a marker of the specification, no secret
"""After it stands the key in base64; a secret without it is taken as it is, in UTF-8."""

TOLERANCE_S = 300.0
"""A receiver refuses signatures that are older or newer (Standard Webhooks, "Verifying webhook authenticity")."""

RETRYABLE_CLIENT_ERRORS = {
    HTTPStatus.REQUEST_TIMEOUT: DeliveryReason.TIMEOUT,
    HTTPStatus.TOO_EARLY: DeliveryReason.RATE_LIMITED,
    HTTPStatus.TOO_MANY_REQUESTS: DeliveryReason.RATE_LIMITED,
}
"""Answers of class 4xx that ask to come again (RFC 9110, RFC 8470, RFC 6585)."""

AUTHENTICATION_ERRORS = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}
)


@dataclass(frozen=True, slots=True)
class Wire:
    """What every outgoing request has in common.

    Attributes:
        session: from `open_session`; the agent closes it.
        tls: trusted roots.
    """

    session: aiohttp.ClientSession
    tls: ssl.SSLContext
    user_agent: str = "online-sentry"


def open_session() -> aiohttp.ClientSession:
    """Returns a session fit for alerts: no reused, perhaps dead connections, no cookies, no unpacking of answers."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def signature_headers(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Returns the headers that prove where a document comes from and when.

    Args:
        secret: `whsec_` and base64, or any text.
        message_id: the same for every attempt.
        at: of this attempt; receivers refuse what is older than five minutes, so nobody can send it again.
        body: exactly the bytes of the document.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signature(secret, message_id, timestamp, body)}",
    }


def verify_signature(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Returns whether a document is genuine and fresh, as a receiver has to check it."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > TOLERANCE_S:
        return False
    wanted = _signature(secret, message_id, timestamp, body)
    offered = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    return any(
        version == "v1" and hmac.compare_digest(value.encode(), wanted.encode()) for version, _, value in offered
    )


def message_identity(key: str, *facts: str) -> str:
    """Returns a name for a message that stays the same over attempts and differs between stores.

    Args:
        key: idempotency key; unique within one store only, numbers of incidents begin anew with a new one.
        facts: what tells apart two stores' messages of one key, such as the start of the incident.
    """
    return "msg_" + hashlib.sha256("\n".join((key, *facts)).encode()).hexdigest()[:40]


def origin(url: str) -> str:
    """Returns scheme, host and port of a URL; the rest of it may be a secret and is never shown."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"


async def post_json(
    wire: Wire, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float, now: datetime
) -> None:
    """Posts a JSON document; returns once it was accepted with a status of class 2xx.

    Args:
        wire: what every request has in common.
        url: where to; all but its origin is taken for a secret.
        body: the document.
        headers: further headers.
        timeout_s: over everything, from the name to the answer, seconds.
        now: to reckon a `Retry-After` that is a date.

    Raises:
        DeliveryError: it was not accepted.
    """
    await _exchange(wire, "POST", url, body=body, headers=headers, timeout_s=timeout_s, now=now)


async def get_json(
    wire: Wire, url: str, *, headers: Mapping[str, str], timeout_s: float, now: datetime, max_bytes: int
) -> bytes:
    """Gets a JSON document of at most so many bytes.

    Raises:
        DeliveryError: there was no such answer.
    """
    return await _exchange(
        wire, "GET", url, body=None, headers=headers, timeout_s=timeout_s, now=now, max_bytes=max_bytes
    )


async def _exchange(
    wire: Wire,
    method: str,
    url: str,
    *,
    body: bytes | None,
    headers: Mapping[str, str],
    timeout_s: float,
    now: datetime,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> bytes:
    every = {"Content-Type": "application/json", "User-Agent": wire.user_agent, "Accept-Encoding": "identity"}
    where = origin(url)
    try:
        async with wire.session.request(
            method,
            url,
            data=body,
            headers=every | dict(headers),
            allow_redirects=False,
            ssl=wire.tls,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as response:
            refusal = _refusal(response, where, now)
            answer = await _head_of(response, max_bytes) if refusal or method == "GET" else b""
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise connection_failure(error, where) from error
    if refusal is not None:
        raise _with_answer(refusal, answer)
    return answer


async def _head_of(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < max_bytes and (chunk := await response.content.read(max_bytes - len(chunks))):
        chunks += chunk
    return bytes(chunks)


def _refusal(response: aiohttp.ClientResponse, where: str, now: datetime) -> DeliveryError | None:
    """Returns what an answer means that does not accept, None for one that does."""
    status = response.status
    text = f"{where} answered {status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        text += ", a redirect; write the address that it leads to"
        return DeliveryError(text, reason=DeliveryReason.MISCONFIGURED, retryable=False)
    retry_after_s = _retry_after_s(response.headers.get("Retry-After", ""), now)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return DeliveryError(text, reason=DeliveryReason.SERVER_ERROR, retryable=True, retry_after_s=retry_after_s)
    for known, reason in RETRYABLE_CLIENT_ERRORS.items():
        if status == known:
            return DeliveryError(text, reason=reason, retryable=True, retry_after_s=retry_after_s)
    reason = DeliveryReason.AUTHENTICATION if status in AUTHENTICATION_ERRORS else DeliveryReason.REJECTED
    return DeliveryError(text, reason=reason, retryable=False)


def _with_answer(refusal: DeliveryError, answer: bytes) -> DeliveryError:
    """Returns the refusal with the beginning of what the other side says of it, as one inert line."""
    text = answer.decode("utf-8", "replace")
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if not line:
        return refusal
    return DeliveryError(
        f"{refusal}: {line[:SHOWN_ANSWER_CHARACTERS]}",
        reason=refusal.reason,
        retryable=refusal.retryable,
        retry_after_s=refusal.retry_after_s,
    )


def _retry_after_s(text: str, now: datetime) -> float | None:
    """Returns the seconds of a Retry-After header (RFC 9110 section 10.2.3), None where there is none."""
    text = text.strip()
    if text.isdecimal() and len(text) < 10:  # noqa: PLR2004  # thirty years; more digits are nonsense or an attack
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def connection_failure(error: BaseException, where: str) -> DeliveryError:
    """Returns the delivery error for a connection that could not be made or was lost.

    Args:
        error: what the library raised; its causes are looked at too.
        where: the other side as the on-call reader may see it, without credentials.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | ssl.CertificateError):
            why = getattr(seen, "verify_message", "") or seen.args[-1]
            return DeliveryError(f"{where}: TLS failed: {why}", reason=DeliveryReason.TLS, retryable=True)
        if isinstance(seen, TimeoutError):
            return DeliveryError(f"{where}: no answer in time", reason=DeliveryReason.TIMEOUT, retryable=True)
        seen = seen.__cause__ or seen.__context__
    # The text of a bad answer holds the whole URL, which may be a secret.
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return DeliveryError(
        f"{where}: {text or type(error).__name__}", reason=DeliveryReason.UNREACHABLE, retryable=True
    )


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()
