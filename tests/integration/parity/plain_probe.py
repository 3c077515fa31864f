"""The judge of the parity tests: one probe with plain aiohttp, whose exceptions and events alone make its verdict.

It shares no code with the engine but the names of the reasons: its own session, TLS contexts, redirects, decoding.
"""

import asyncio
import errno
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sentry.domain.result import Reason

READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Question:
    """What both probes are asked, in words that either can be told.

    Attributes:
        text: must be in the decoded body.
        client_cert_file: with its key, PEM.
        server_name: for SNI and verification instead of the address's host.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    body: str | None = None
    text: str | None = None
    accepted: tuple[int, int] = (200, 299)
    follow_redirects: bool = True
    max_redirects: int = 10
    max_body_bytes: int = 1_000_000
    timeout_s: float = 5.0
    compression: bool = True
    verify: bool = True
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    server_name: str | None = None


@dataclass(slots=True)
class Seen:
    """What one probe has to say.

    Attributes:
        reason: None where all was well.
        status: of the last answer, None where none came.
        body_bytes: of the whole decoded body, None where it did not come whole or none was asked for.
        leaf: SHA-256 of the last certificate shown, hex.
        hops: the statuses on the way, the last one included.
        error: for the reader of a failed test.
    """

    reason: Reason | None = None
    status: int | None = None
    body_bytes: int | None = None
    leaf: str | None = None
    hops: tuple[int, ...] = ()
    error: str = ""


async def plain_probe(question: Question) -> Seen:
    """Asks once."""
    return await _PlainProbe(question).ask()


class _PlainProbe:
    def __init__(self, question: Question) -> None:
        self.question = question
        self.seen = Seen()
        self.progress = "resolving"
        self.sockets: list[socket.socket] = []

    async def ask(self) -> Seen:
        task = asyncio.ensure_future(self._ask())
        done, _ = await asyncio.wait({task}, timeout=self.question.timeout_s)
        if not done:
            self._conclude(self._overdue(), "deadline")
            task.cancel()
            await asyncio.wait({task})
            return self.seen
        error = task.exception()
        if error is not None:
            self._conclude(await self._reason(error), repr(error))
        return self.seen

    def _conclude(self, reason: Reason, error: str) -> None:
        """A bad status, once seen, is the verdict whatever becomes of the body."""
        self.seen.error = error
        self.seen.reason = self.seen.reason or reason

    async def _ask(self) -> None:
        asked = self.question
        async with (
            self._session() as session,
            session.request(
                asked.method,
                asked.url,
                headers={**asked.headers, **_authorization(asked)},
                data=asked.body,
                allow_redirects=asked.follow_redirects,
                max_redirects=asked.max_redirects + 1,  # aiohttp counts the first request too
                server_hostname=asked.server_name,
            ) as response,
        ):
            self.seen.status = response.status
            # One without a Location is in its own history.
            before = (one.status for one in response.history if one is not response)
            self.seen.hops = (*before, response.status)
            self.seen.reason = self._status_reason(response.status)
            self.progress = "reading"
            body = await self._body(response)
            self.seen.body_bytes = len(body)
            self._look_into(body, response)

    def _session(self) -> aiohttp.ClientSession:
        asked = self.question
        connector = _Connector(
            self._connected,
            resolver=_EverythingIsHere(),
            ssl=_trusting(asked) if asked.verify else _believing(asked),
            force_close=True,
            use_dns_cache=False,
            socket_factory=self._socket,
        )
        coded = {"Accept-Encoding": "gzip, deflate, br"} if asked.compression else {}
        return aiohttp.ClientSession(
            connector=connector,
            headers=coded,
            skip_auto_headers=() if coded else ("Accept-Encoding",),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None, sock_read=None),
            trace_configs=[self._tracing()],
        )

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = self.question.max_body_bytes
        announced = response.content_length
        if announced is not None and announced > limit and self.question.method != "HEAD":
            raise _TooLargeError(announced)
        body = b""
        while piece := await response.content.read(READ_BYTES):
            body += piece
            if len(body) > limit:
                raise _TooLargeError(len(body))
        return body

    def _look_into(self, body: bytes, response: aiohttp.ClientResponse) -> None:
        if self.seen.reason is None and self.question.text is not None:
            text = body.decode(response.charset or "utf-8", "replace")
            self.seen.reason = None if self.question.text in text else Reason.BODY_TEXT_MISSING

    def _status_reason(self, status: int) -> Reason | None:
        lowest, highest = self.question.accepted
        if lowest <= status <= highest:
            return None
        classes = {4: Reason.HTTP_CLIENT_ERROR, 5: Reason.HTTP_SERVER_ERROR}
        return classes.get(status // 100, Reason.HTTP_UNEXPECTED_STATUS)

    # ── what happens on the way ──────────────────────────────────────────────────────────────────────────────────

    def _socket(self, address: Any) -> socket.socket:
        made = socket.socket(address[0], address[1], address[2])
        self.sockets.append(made)
        return made

    def _connected(self, leaf: bytes | None) -> None:
        if leaf is not None:
            self.seen.leaf = sha256(leaf).hexdigest()

    def _tracing(self) -> aiohttp.TraceConfig:
        config = aiohttp.TraceConfig()
        config.on_connection_create_start.append(self._step("connecting"))
        config.on_connection_create_end.append(self._step("waiting"))
        config.on_request_redirect.append(self._redirected)
        return config

    def _step(self, progress: str) -> Callable[..., Any]:
        async def step(_session: aiohttp.ClientSession, _context: SimpleNamespace, _parameters: object) -> None:
            self.progress = progress

        return step

    async def _redirected(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, at: aiohttp.TraceRequestRedirectParams
    ) -> None:
        self.seen.status = at.response.status
        self.seen.hops = (*self.seen.hops, at.response.status)

    # ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _overdue(self) -> Reason:
        if self.progress != "connecting":
            return {
                "waiting": Reason.PROCESSING_TIMEOUT,
                "reading": Reason.TRANSFER_TIMEOUT,
                "resolving": Reason.DNS_TIMEOUT,
            }[self.progress]
        # aiohttp does not tell TCP from TLS here, but a connected socket has a peer.
        try:
            self.sockets[-1].getpeername()
        except OSError:
            return Reason.CONNECT_TIMEOUT
        return Reason.TLS_TIMEOUT

    async def _reason(self, error: BaseException) -> Reason:
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return await self._certificate_reason(error)
        if isinstance(error, aiohttp.TooManyRedirects):
            asked = [str(one.url) for one in error.history]
            return Reason.REDIRECT_LOOP if len(set(asked)) < len(asked) else Reason.REDIRECT_TOO_MANY
        if isinstance(error, aiohttp.ClientPayloadError) and "ConnectionResetError" in str(error):
            return Reason.CONNECTION_RESET  # the message alone tells it from a server that closed too early
        for kind, reason in REASONS:
            if isinstance(error, kind):
                return reason
        number = getattr(error, "errno", None) or getattr(getattr(error, "os_error", None), "errno", None)
        if isinstance(error, aiohttp.ClientOSError | OSError) and number in ERRNOS:
            return ERRNOS[number]
        raise error

    async def _certificate_reason(self, refused: aiohttp.ClientConnectorCertificateError) -> Reason:
        error = refused.certificate_error
        assert isinstance(error, ssl.SSLCertVerificationError)
        name = self.question.server_name or refused.host
        chain = await asyncio.to_thread(_shown_chain, refused.port or 443, name)
        if chain:
            self.seen.leaf = sha256(chain[0]).hexdigest()
        if error.verify_code in NO_ISSUER:
            return Reason.TLS_MISSING_INTERMEDIATE if _lacks_its_issuer(chain) else Reason.TLS_UNTRUSTED
        return VERIFY_CODES.get(error.verify_code, Reason.TLS_UNTRUSTED)


class _TooLargeError(Exception):
    """The body is larger than was allowed."""


REASONS: Sequence[tuple[type[BaseException], Reason]] = (
    (_TooLargeError, Reason.BODY_TOO_LARGE),
    (aiohttp.ClientConnectorSSLError, Reason.TLS_HANDSHAKE),
    (ssl.SSLError, Reason.TLS_HANDSHAKE),
    (aiohttp.RedirectClientError, Reason.REDIRECT_INVALID),
    (aiohttp.ServerDisconnectedError, Reason.HTTP_PROTOCOL),
    (aiohttp.ClientPayloadError, Reason.HTTP_PROTOCOL),
    (aiohttp.ClientResponseError, Reason.HTTP_PROTOCOL),
)
"""What each kind of aiohttp's exceptions says in its own documentation; the first that fits counts."""

ERRNOS = {
    errno.ECONNREFUSED: Reason.CONNECT_REFUSED,
    errno.ECONNRESET: Reason.CONNECTION_RESET,
    errno.EPIPE: Reason.CONNECTION_RESET,
    errno.EHOSTUNREACH: Reason.CONNECT_UNREACHABLE,
    errno.ENETUNREACH: Reason.CONNECT_UNREACHABLE,
    errno.ETIMEDOUT: Reason.CONNECT_TIMEOUT,
}

NO_ISSUER = frozenset({2, 20, 21})
VERIFY_CODES = {
    9: Reason.TLS_NOT_YET_VALID,
    10: Reason.TLS_EXPIRED,
    18: Reason.TLS_SELF_SIGNED,
    62: Reason.TLS_WRONG_HOST,
    64: Reason.TLS_WRONG_HOST,
}
"""X509_V_ERR_* of OpenSSL's x509_vfy.h."""


class _Connector(aiohttp.TCPConnector):
    """Looks at the certificate as soon as there is a connection: once a small body is read, it is gone."""

    def __init__(self, connected: Callable[[bytes | None], None], **settings: Any) -> None:
        super().__init__(**settings)
        self._tell = connected

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # aiohttp's name, and no number
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        assert connection.transport is not None
        secured = connection.transport.get_extra_info("ssl_object")
        self._tell(None if secured is None else secured.getpeercert(binary_form=True))
        return connection


class _EverythingIsHere(AbstractResolver):
    """Every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        flags = socket.AI_NUMERICHOST
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": flags}]

    async def close(self) -> None:
        """Has nothing to close."""


def _authorization(question: Question) -> Mapping[str, str]:
    if question.user is None:
        return {}
    return {"Authorization": "Basic " + b64encode(":".join(question.user).encode()).decode()}


def _trusting(question: Question) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if question.ca_file is not None:
        context.load_verify_locations(question.ca_file)
    if question.client_cert_file is not None:
        context.load_cert_chain(question.client_cert_file)
    return context


def _believing(question: Question) -> ssl.SSLContext:
    context = _trusting(question)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _shown_chain(port: int, name: str) -> list[bytes]:
    """Asks a refused server again for its certificates, over a blocking socket."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        try:
            with _believing(Question("")).wrap_socket(connection, server_hostname=name) as secured:
                chain = secured._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # public from 3.13 on
        except OSError:
            return []
    return [certificate.public_bytes(2) for certificate in chain or ()]  # 2: ENCODING_DER


def _lacks_its_issuer(chain: Sequence[bytes]) -> bool:
    """Whether the leaf's issuer was not sent though it must have been: it is no root that signs sites itself."""
    if not chain:
        return False
    leaf, *above = map(x509.load_der_x509_certificate, chain)
    if any(one.subject == leaf.issuer for one in above):
        return False
    try:
        leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS)
    except x509.ExtensionNotFound:
        return bool(above)
    return True
