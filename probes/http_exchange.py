"""One hop: a new connection, TLS where the address asks for it, one request, one response."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from probes.connect_reply import refuses_credentials
from probes.connection import Endpoint, Stream, connect
from probes.engine import PAUSE
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_content import Content, ContentDamagedError, ContentTooLargeError
from probes.http_options import HttpOptions
from probes.http_proxy import CREDENTIALS_ADVICE, ProxyRoute
from probes.http_reach import Reach
from probes.http_redaction import shown_url
from probes.http_request import Request
from probes.http_response import Head, HttpBrokenError, ResponseParser
from probes.tls_handshake import Trust, secure
from probes.trace import Trace
from sentry.domain.result import Phase, Reason

MANY_PIECES = 256
"""Pieces of the body in one read beyond which finding them has taken long enough."""


@dataclass(slots=True)
class Answer:
    """A response as far as it has come, so that a failure in the middle leaves what was read."""

    head: Head
    content: Content

    @property
    def body(self) -> bytes:
        """The decoded body so far."""
        return self.content.body


@dataclass(frozen=True, slots=True)
class Approach:
    """How one request is brought to its server: worked out once for the request that a check begins with."""

    request: Request
    endpoint: Endpoint
    encoded: bytes
    server_name: str
    trust: Trust | None
    shown_path: str
    route: ProxyRoute | None = None


class Visitor(Protocol):
    """Who follows what comes of a request."""

    def on_head(self, request: Request, answer: Answer) -> bool:
        """Takes an answer whose headers have come; returns whether its body is wanted."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """Does the hops of a check's probes.

    Attributes:
        trust: for the check's own origin; trust_elsewhere: for others, which see no client certificate.
    """

    options: HttpOptions
    environment: ProbeEnvironment
    trust: Trust
    trust_elsewhere: Trust

    def approach(self, request: Request, cookies: str | None = None, reach: Reach | None = None) -> Approach:
        """Returns how a request is brought to its server.

        Args:
            request: to be sent.
            cookies: its Cookie header.
            reach: where it may lead; None for the page that the check itself names.
        """
        target, options = request.target, self.options
        home = request.is_home
        instead = options.connect_to if home else None
        name = target.host
        if home:
            name = options.server_name or _host_of(options.host_header) or name
        trust = (self.trust if home else self.trust_elsewhere) if target.tls else None
        host, refusal = (instead or target.host).strip("[]"), None if reach is None else reach.refusal
        endpoint = Endpoint(host, target.port, options.ip_version, refusal)
        route = ProxyRoute.to(endpoint, request, options, reach, self.environment.user_agent)
        encoded = request.encode(cookies, None if route is None else route.asked_directly)
        return Approach(request, endpoint, encoded, name, trust, shown_url(target.path), route)

    async def hop(self, approach: Approach, trace: Trace, visitor: Visitor) -> Answer:
        """Connects, asks and reads the whole response.

        Raises:
            ProbeFailure: any of it failed.
        """
        route, environment = approach.route, self.environment
        way = connect(approach.endpoint, environment, trace) if route is None else route.connect(environment, trace)
        with await way as connection:
            stream: Stream = connection
            if approach.trust is not None:
                name, trust = approach.server_name, approach.trust
                tunnel = None if route is None else route.tunnel
                stream = await secure(connection, name, trust, environment, trace, data_follows=True, tunnel=tunnel)
            elif route is not None and route.asked_directly is not None:
                visitor = _Gatekeeper(route, visitor, trace)
            return await self.ask(stream, approach, trace, visitor)

    async def ask(self, stream: Stream, approach: Approach, trace: Trace, visitor: Visitor) -> Answer:
        """Asks over a connection that stands, and reads to the end, or to the headers where nobody wants the body.

        Raises:
            ProbeFailure: any of it failed.
        """
        request, limit = approach.request, self.options.max_body_bytes
        parser = ResponseParser(method=request.method)
        trace.enter(Phase.PROCESSING)
        data: bytes | memoryview
        try:
            await stream.send(approach.encoded)
            data = await stream.receive()
        except ProbeFailure as failure:
            data = await _last_words(stream, failure)
        pieces = _pieces(parser, data, Phase.PROCESSING)
        trace.note("{} {}: first byte after {took:.1f} ms", request.method, approach.shown_path)
        trace.enter(Phase.TRANSFER)
        while not parser.headers_complete:
            pieces = _pieces(parser, await stream.receive(), Phase.PROCESSING)  # before the headers there are none
        content = _begun(parser.head, limit, trace)
        answer = Answer(parser.head, content)
        if not visitor.on_head(request, answer):
            return answer
        _refuse_too_large(parser, limit)
        trace.progress = content.progress
        while True:
            if pieces:
                if content.is_coded or type(pieces) is not list or len(pieces) > MANY_PIECES:
                    await _feed(content, pieces)
                else:
                    _keep(content, pieces)
            if parser.complete:
                break
            pieces = _pieces(parser, await stream.receive(), Phase.TRANSFER)
        if content.is_coded:
            _finish(content)
        trace.note(
            "body read in {took:.1f} ms: {:,} bytes, {:,} decoded", content.transferred_bytes, len(content.body)
        )
        return answer


@dataclass(frozen=True, slots=True)
class _Gatekeeper:
    """Follows an answer that may be the proxy's own: where it refuses us it says nothing of the site."""

    route: ProxyRoute
    visitor: Visitor
    trace: Trace

    def on_head(self, request: Request, answer: Answer) -> bool:
        """Takes an answer whose headers have come; returns whether its body is wanted."""
        wanted = self.visitor.on_head(request, answer)
        if not refuses_credentials(answer.head):
            return wanted
        self.trace.failure = self.route.fault(f"answers {answer.head.status}: {CREDENTIALS_ADVICE}", Phase.PROCESSING)
        return False


class _LastPieces(list[bytes]):
    """Pieces of the body that are followed by what is no HTTP; the verdict comes after them."""

    def __init__(self, pieces: Sequence[bytes], failure: ProbeFailure) -> None:
        super().__init__(pieces)
        self.failure = failure

    def __bool__(self) -> bool:
        return True  # also where there is no piece: the verdict is there


def _pieces(parser: ResponseParser, data: bytes | memoryview, phase: Phase) -> Sequence[bytes]:
    """Feeds what came, or the end of the stream; returns the pieces of body in it.

    Where they are followed by what is no HTTP, the head and they come first: the verdict would else depend on how TCP
    has cut the bytes up.
    """
    try:
        if data:
            return parser.feed(data)
        parser.end_of_stream()
    except HttpBrokenError as error:
        failure = ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=phase)
        if error.pieces is None:
            raise failure from None
        return _LastPieces(error.pieces, failure)
    return ()


def _begun(head: Head, limit: int, trace: Trace) -> Content:
    count = len(head.received)
    trace.note("HTTP/{} {}, {} header{}", head.version, head.status, count, "" if count == 1 else "s")
    try:
        content = Content(head.get("Content-Encoding") or "", limit)
    except ContentDamagedError as error:
        raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None
    if content.unknown_codings:
        trace.note("unknown content codings left as they are: {}", content.unknown_codings)
    return content


def _refuse_too_large(parser: ResponseParser, limit: int) -> None:
    """Ends before the body where its announced length is too much already; a HEAD answer may announce any."""
    length = parser.content_length
    if length is not None and length > limit and not parser.is_bodiless:
        detail = f"Content-Length is {length:,} bytes, allowed {limit:,}"
        raise ProbeFailure(Reason.BODY_TOO_LARGE, detail, phase=Phase.TRANSFER)


def _keep(content: Content, pieces: Sequence[bytes]) -> None:
    try:
        for piece in pieces:
            content.keep(piece)
    except ContentTooLargeError as error:
        raise ProbeFailure(Reason.BODY_TOO_LARGE, str(error), phase=Phase.TRANSFER) from None


async def _feed(content: Content, pieces: Sequence[bytes]) -> None:
    """Takes pieces of the body; where they are many or must be decoded, others get their turn in between."""
    failure = pieces.failure if isinstance(pieces, _LastPieces) else None
    if len(pieces) > MANY_PIECES:
        await PAUSE
        pieces = (b"".join(pieces),)  # a million tiny ones would take far more memory than their bytes
    try:
        for piece in pieces:
            for _ in content.feeding(piece):
                await PAUSE
    except ContentTooLargeError as error:
        raise ProbeFailure(Reason.BODY_TOO_LARGE, str(error), phase=Phase.TRANSFER) from None
    except ContentDamagedError as error:
        raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None
    if failure is not None:
        raise failure


def _finish(content: Content) -> None:
    try:
        content.finish()
    except ContentDamagedError as error:
        raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None


async def _last_words(stream: Stream, failure: ProbeFailure) -> bytes | memoryview:
    """Returns what a server said before the connection broke; where it said nothing, that is the verdict.

    A server may answer and close before it has read all of a request (413, or a TLS alert about the client
    certificate): the write then fails, and what it said is still to be read.
    """
    try:
        said = await stream.receive()
    except ProbeFailure as alert:
        raise (alert if alert.reason is Reason.TLS_HANDSHAKE else failure) from None
    if not said:
        raise failure
    return said


def _host_of(host_header: str | None) -> str | None:
    """Returns a Host header's name without its port."""
    if host_header is None:
        return None
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.partition(":")[0]
