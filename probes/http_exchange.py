"""One hop: a new connection, TLS where the address asks for it, one request, one response."""

from collections.abc import Callable
from dataclasses import dataclass

from probes.connection import Connection, Endpoint, Stream, connect
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_content import Content, ContentDamagedError, ContentTooLargeError
from probes.http_options import HttpOptions
from probes.http_redaction import shown_url
from probes.http_request import Request
from probes.http_response import Head, HttpBrokenError, ResponseParser
from probes.task import Trace
from probes.tls_handshake import Trust, secure
from sentry.domain.result import Phase, Reason


@dataclass(slots=True)
class Answer:
    """A response as far as it has come, so that a failure in the middle leaves what was read."""

    head: Head
    content: Content

    @property
    def body(self) -> bytes:
        """The decoded body so far."""
        return bytes(self.content.body)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Does one hop after the other for a probe.

    Attributes:
        trust: for the check's own origin; trust_elsewhere: for others, which see no client certificate.
        on_head: called with each answer as soon as its headers are complete; says whether to read the body.
    """

    options: HttpOptions
    environment: ProbeEnvironment
    trust: Trust
    trust_elsewhere: Trust
    trace: Trace
    on_head: Callable[[Request, Answer], bool]

    async def hop(self, request: Request, cookies: str | None) -> Answer:
        """Connects, asks and reads the whole response.

        Raises:
            ProbeFailure: any of it failed.
        """
        with await connect(self._endpoint(request), self.environment, self.trace) as connection:
            stream: Stream = connection
            if request.target.tls:
                stream = await self._secured(connection, request)
            parser = ResponseParser(method=request.method)
            first = await self._processing(stream, request, parser, cookies)
            return await self._transfer(stream, request, parser, first)

    def _endpoint(self, request: Request) -> Endpoint:
        target = request.target
        instead = self.options.connect_to if request.is_home else None
        return Endpoint((instead or target.host).strip("[]"), target.port, self.options.ip_version)

    async def _secured(self, connection: Connection, request: Request) -> Stream:
        name, trust = request.target.host, self.trust_elsewhere
        if request.is_home:
            name, trust = self.options.server_name or _host_of(self.options.host_header) or name, self.trust
        return await secure(connection, name, trust, self.environment, self.trace)

    async def _processing(
        self, stream: Stream, request: Request, parser: ResponseParser, cookies: str | None
    ) -> list[bytes]:
        """Sends the request and waits for the first byte."""
        encoded = request.encode(cookies)
        with self.trace.timing(Phase.PROCESSING, self.environment.clock) as timed:
            data = await _send_and_receive(stream, encoded)
            pieces = _take(parser, data, Phase.PROCESSING)
        self.trace.note(f"{request.method} {shown_url(request.target.path)}: first byte after {timed.ms}")
        return pieces

    async def _transfer(self, stream: Stream, request: Request, parser: ResponseParser, first: list[bytes]) -> Answer:
        """Reads from the first byte to the end."""
        with self.trace.timing(Phase.TRANSFER, self.environment.clock) as timed:
            while not parser.headers_complete:
                first += _take(parser, await stream.receive(), Phase.PROCESSING)
            answer = self._begun(parser)
            if not self.on_head(request, answer):
                return answer
            self._refuse_too_large(parser)
            self._feed(answer, first)
            while not parser.complete:
                self.trace.progress = f"{answer.content.transferred_bytes:,} bytes of the body read"
                self._feed(answer, _take(parser, await stream.receive(), Phase.TRANSFER))
            self._finish(answer)
        size = f"{answer.content.transferred_bytes:,} bytes, {len(answer.content.body):,} decoded"
        self.trace.note(f"body read in {timed.ms}: {size}")
        return answer

    def _begun(self, parser: ResponseParser) -> Answer:
        head = parser.head
        count = len(head.headers)
        self.trace.note(f"HTTP/{head.version} {head.status}, {count} header{'' if count == 1 else 's'}")
        try:
            content = Content(head.get("Content-Encoding") or "", self.options.max_body_bytes)
        except ContentDamagedError as error:
            raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None
        if content.unknown_codings:
            self.trace.note(f"unknown content codings left as they are: {', '.join(content.unknown_codings)}")
        return Answer(head, content)

    def _refuse_too_large(self, parser: ResponseParser) -> None:
        """Ends before the body where its announced length is too much already; a HEAD answer may announce any."""
        length, limit = parser.content_length, self.options.max_body_bytes
        if length is not None and length > limit and not parser.is_bodiless:
            detail = f"Content-Length is {length:,} bytes, allowed {limit:,}"
            raise ProbeFailure(Reason.BODY_TOO_LARGE, detail, phase=Phase.TRANSFER)

    def _feed(self, answer: Answer, pieces: list[bytes]) -> None:
        try:
            for piece in pieces:
                answer.content.feed(piece)
        except ContentTooLargeError as error:
            raise ProbeFailure(Reason.BODY_TOO_LARGE, str(error), phase=Phase.TRANSFER) from None
        except ContentDamagedError as error:
            raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None

    def _finish(self, answer: Answer) -> None:
        try:
            answer.content.finish()
        except ContentDamagedError as error:
            raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=Phase.TRANSFER) from None


async def _send_and_receive(stream: Stream, request: bytes) -> bytes:
    """Returns what comes first after a request.

    A server may answer and close before it has read all of it (413, or a TLS alert about the client certificate):
    the write then fails, and what it said is still to be read.
    """
    try:
        await stream.send(request)
    except ProbeFailure:
        last_words = await _last_words(stream)
        if not last_words:
            raise
        return last_words
    return await stream.receive()


async def _last_words(stream: Stream) -> bytes:
    try:
        return await stream.receive()
    except ProbeFailure as said:
        if said.reason is Reason.TLS_HANDSHAKE:
            raise
        return b""


def _take(parser: ResponseParser, data: bytes, phase: Phase) -> list[bytes]:
    """Feeds what came, or the end of the stream; returns the pieces of body in it."""
    try:
        if data:
            return list(parser.feed(data))
        parser.end_of_stream()
    except HttpBrokenError as error:
        raise ProbeFailure(Reason.HTTP_PROTOCOL, str(error), phase=phase) from None
    return []


def _host_of(host_header: str | None) -> str | None:
    """Returns a Host header's name without its port."""
    if host_header is None:
        return None
    if host_header.startswith("["):
        return host_header[1:].partition("]")[0]
    return host_header.partition(":")[0]
