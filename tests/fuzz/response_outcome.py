"""The whole response path without a socket: the reads of a connection in, what the probe makes of them out."""

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from probes.http import HttpProbe
from probes.http_exchange import Answer, Approach, Exchange, Visitor
from probes.http_options import HttpOptions
from probes.trace import Trace
from sentry.domain.result import ProbeResult, Reason
from tests.fakes.checks import START, make_check
from tests.fakes.probing import make_environment

MAX_BODY_BYTES = 20_000
OPTIONS = HttpOptions(
    expect_text=("<html", "ñ"),
    expect_regex=("<title>[^<]{1,80}</title>",),
    forbid_regex=("(?i)fatal error",),
    expect_headers={"Content-Type": "text/html"},
    forbid_headers={"X-Debug": ""},
    username="ana",
    password="s3cret-token",
    max_body_bytes=MAX_BODY_BYTES,
)
JSON_OPTIONS = HttpOptions(expect_json={"$.items[0].ok": True}, max_body_bytes=MAX_BODY_BYTES)
HEAD_OPTIONS = HttpOptions(method="HEAD", max_body_bytes=MAX_BODY_BYTES)

READ_WHOLE = frozenset(
    {
        None,
        Reason.HTTP_HEADER_MISMATCH,
        Reason.BODY_TEXT_MISSING,
        Reason.BODY_TEXT_FORBIDDEN,
        Reason.BODY_JSON_MISMATCH,
    }
)
ELSEWHERE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 35\r\n\r\n"
    b"<html><title>moved</title>\xc3\xb1</html>"
)
"""Where every redirect leads to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one response.

    Attributes:
        asked: the addresses that were asked, redirects included.
    """

    result: ProbeResult
    asked: tuple[str, ...]

    @property
    def fixed(self) -> tuple[object, ...]:
        """The part that must not depend on how the bytes were cut into reads."""
        http, reason = self.result.evidence.http, self.result.reason
        if http is None:
            return reason, self.asked
        body = (http.body_bytes, http.uncompressed_bytes, http.body_head) if reason in READ_WHOLE else None
        return reason, self.asked, http.status, http.version, http.headers, http.hops, body


class ResponsePath:
    """A real probe whose connections are scripts."""

    def __init__(self, options: HttpOptions, *, whole_evidence: bool = True) -> None:
        """Prepares the probe once, as the agent does; it is then run again and again."""
        environment = replace(make_environment(), whole_evidence=whole_evidence)
        self._probe = HttpProbe(make_check("shop/http", options=options, url="https://shop.test/"), environment)
        self._real = self._probe.exchange

    def outcome(self, reads: Sequence[bytes]) -> Outcome:
        """Returns what the probe makes of a response.

        Args:
            reads: what each read of the connection gives, none empty; the server closes after the last one.
        """
        exchange = _ScriptedExchange(self._real, reads)
        self._probe.exchange = cast("Exchange", exchange)
        trace = Trace(self._probe.environment.clock)
        error = _run(self._probe.measure(trace))
        return Outcome(self._probe.conclude(trace, START, START, 0.0, error), tuple(exchange.asked))


class _ScriptedExchange:
    """Stands where connections are made; the response itself is read by the real code."""

    def __init__(self, real: Exchange, reads: Sequence[bytes]) -> None:
        self._real, self._reads = real, reads
        self.asked: list[str] = []

    def approach(self, *arguments: Any, **named: Any) -> Approach:
        return self._real.approach(*arguments, **named)

    async def hop(self, approach: Approach, trace: Trace, visitor: Visitor) -> Answer:
        reads = [ELSEWHERE] if self.asked else self._reads
        self.asked.append(approach.request.target.url)
        trace.address = "127.0.0.1:443"  # as whoever connects notes it
        return await self._real.ask(_ScriptedStream(reads), approach, trace, visitor)


class _ScriptedStream:
    """Gives out one buffer again and again, as the engine does: whoever keeps a view sees it overwritten."""

    def __init__(self, reads: Sequence[bytes]) -> None:
        self._reads: Iterator[bytes] = iter(reads)
        self._buffer = bytearray(max(map(len, reads), default=0))

    async def send(self, data: bytes) -> None:
        """Nobody listens."""

    async def receive(self) -> memoryview:
        data = next(self._reads, b"")
        self._buffer[:] = b"\xaa" * len(self._buffer)
        self._buffer[: len(data)] = data
        return memoryview(self._buffer)[: len(data)]


def _run(coroutine: Coroutine[Any, Any, None]) -> Exception | None:
    """Drives a coroutine that waits for nothing but its turn; returns what it raised."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration:
            return None
        except Exception as error:  # noqa: BLE001  # `conclude` says what it means
            return error
