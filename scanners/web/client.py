"""Asks a site over the web: one request at a time, with a pause, and each bounded in time, size and reach."""

import http.client
import socket
import ssl
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from threading import Event, Timer
from urllib.parse import SplitResult, urljoin, urlsplit

from scanners.web.answer import BODY_BYTES, Answer, NoAnswer, NotTried, Visitor
from scanners.web.reach import Reach, is_same_site
from sentry.domain.audit_visits import AuditVisits

MAX_REDIRECTS = 5
DEFAULT_PORTS = {"http": 80, "https": 443}
WITHOUT_SECURITY_LEVEL = "@SECLEVEL=0"
"""OpenSSL offers nothing old at its usual level, and a trial offers just that."""


def pause(seconds: float) -> None:
    """Waits."""
    Event().wait(seconds)


class HttpWeb:
    """Fills `Web` over sockets.

    Certificates are not judged: that is the watch's work, and nothing secret is sent.

    Args:
        url: the site's address.
        limits: on requests and time.
        monotonic: seconds that never jump.
        wait: takes a pause of so many seconds.
    """

    def __init__(
        self,
        url: str,
        limits: AuditVisits,
        monotonic: Callable[[], float],
        wait: Callable[[float], None] = pause,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.asked = 0
        self._limits = limits
        self._wait = wait
        self._reach = Reach(self._host)
        self._tls = _any_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        self._over = ""
        self._monotonic = monotonic
        self._took_s = limits.pause_s

    def get(self, url: str, visitor: Visitor, *, at_most_bytes: int = BODY_BYTES, follow: bool = True) -> Answer:
        """Asks for an address of the site; see `Web`."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._asked(url, visitor, at_most_bytes)
            if not answer.leaves_to or not follow:
                return answer
            if not self._is_own(urlsplit(answer.leaves_to)):
                return answer
            url = answer.leaves_to
        return answer

    def handshake(self, highest: ssl.TLSVersion | None, ciphers: str) -> str | None:
        """Tries what the site agrees to; see `Web`."""
        context = _old_context(highest, ciphers)
        parts = urlsplit(self.origin)
        self._count()
        with closing(self._socket(parts)) as plain, self._deadline(plain):
            try:
                with context.wrap_socket(plain, server_hostname=self._host) as secured:
                    cipher = secured.cipher()
                    return f"{secured.version()} {cipher[0] if cipher else ''}".strip()
            except ssl.SSLError:
                return None
            except OSError as error:
                if isinstance(error, ConnectionError):  # how some servers refuse
                    return None
                raise NoAnswer(f"{self._host}: {error}") from error

    def _is_own(self, parts: SplitResult) -> bool:
        return parts.scheme in DEFAULT_PORTS and is_same_site(parts.hostname or "", self._host)

    def _count(self) -> None:
        if self._over:
            raise NoAnswer(self._over)
        if self.asked >= self._limits.max_requests:
            raise NoAnswer(f"the {self._limits.max_requests} requests of an audit are used up")
        if self.asked:
            # A site is never busy with us for more than half of the time.
            self._wait(min(self._limits.pause_s, self._took_s))
        self.asked += 1

    def _asked(self, url: str, visitor: Visitor, at_most_bytes: int) -> Answer:
        try:
            parts = urlsplit(url)
            if not self._is_own(parts):
                raise NoAnswer(f"{parts.hostname} is another host")
            self._count()
            began = self._monotonic()
            with closing(self._connection(parts)) as connection, self._deadline(connection.sock):
                answer = self._exchange(connection, parts, visitor, at_most_bytes)
            self._took_s = self._monotonic() - began
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"{self._host}: {str(error) or type(error).__name__}") from error
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._over = f"{self._host} asks to be left alone (429)"
        return answer

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        connected = self._socket(parts)
        if parts.scheme == "https":
            try:
                connected = self._tls.wrap_socket(connected, server_hostname=parts.hostname)
            except OSError:
                connected.close()
                raise
        connection = http.client.HTTPConnection(parts.netloc.rpartition("@")[2])
        connection.sock = connected
        return connection

    def _socket(self, parts: SplitResult) -> socket.socket:
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        why = "no address"
        for family, address in self._reach.addresses(parts.hostname or "", port):
            connecting = socket.socket(family, socket.SOCK_STREAM)
            connecting.settimeout(self._limits.timeout_s)
            try:
                connecting.connect((address, port))
            except OSError as error:
                connecting.close()
                why = str(error)
            else:
                return connecting
        raise NoAnswer(f"{parts.hostname}: {why}")

    @contextmanager
    def _deadline(self, connected: socket.socket) -> Iterator[None]:
        """Ends the connection when the time is over, however slowly it still gives a byte now and then."""
        timer = Timer(self._limits.timeout_s, _end, (connected,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @staticmethod
    def _exchange(
        connection: http.client.HTTPConnection, parts: SplitResult, visitor: Visitor, at_most_bytes: int
    ) -> Answer:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"} | dict(visitor.headers)
        connection.request("GET", target, headers=headers)
        received = connection.getresponse()
        body = bytearray()
        with suppress(http.client.IncompleteRead, OSError):  # what came until then is judged
            while len(body) < at_most_bytes and (piece := received.read1(at_most_bytes - len(body))):
                body += piece
        answered = tuple((name.lower(), value) for name, value in received.getheaders())
        return Answer(
            url=parts.geturl(),
            status=received.status,
            headers=answered,
            body=_unpacked(bytes(body), received.getheader("content-encoding") or "", at_most_bytes),
            leaves_to=_target(parts.geturl(), received),
        )


def _end(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _target(url: str, received: http.client.HTTPResponse) -> str:
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= received.status < HTTPStatus.BAD_REQUEST
    location = received.getheader("location") if is_redirect else None
    return urljoin(url, location.strip())[:2_000] if location else ""


def _unpacked(body: bytes, encoding: str, at_most_bytes: int) -> bytes:
    """Unpacks what was packed although nobody asked for it, no further than its bound."""
    if encoding.strip().lower() not in {"gzip", "deflate"}:
        return body
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, at_most_bytes)
    except zlib.error:
        return body


def _any_certificate(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _old_context(highest: ssl.TLSVersion | None, ciphers: str) -> ssl.SSLContext:
    context = _any_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            if highest is not None:
                context.maximum_version = highest
        context.set_ciphers(f"{ciphers}:{WITHOUT_SECURITY_LEVEL}")
    except (ssl.SSLError, ValueError) as error:
        raise NotTried(f"this machine's TLS library cannot offer {ciphers}") from error
    return context
