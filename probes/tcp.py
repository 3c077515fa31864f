"""The tcp check: connects, with TLS where asked, and holds a short conversation."""

import re
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from probes.connection import Connection, Endpoint, Stream, connect
from probes.driven import DrivenProbe
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.http_patterns import PatternTooSlowError, search
from probes.plain_text import one_line
from probes.tcp_options import TcpOptions, TcpStep
from probes.tls_handshake import Trust, expires_soon, secure
from probes.tls_trust import TrustSetting
from probes.trace import Trace
from sentry.domain.result import Phase, Reason
from sentry.domain.site import Check, CheckOptions

SHOWN_CHARS = 200

MAX_PIECES = 1000
"""A reply is searched again with each piece; a peer that drips single bytes must not keep the processor busy."""


@dataclass(slots=True)
class Reply:
    """What the peer has said since the last turn, bounded."""

    max_bytes: int
    data: bytearray = field(default_factory=bytearray)
    pieces: int = 0

    @property
    def text(self) -> str:
        """The bytes as text; what is no UTF-8 is replaced."""
        return self.data.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """A line of it for people."""
        return f"got '{one_line(self.text, SHOWN_CHARS)}'" if self.data else "got nothing"

    @property
    def is_full(self) -> bool:
        """Whether more would be too much."""
        return len(self.data) >= self.max_bytes or self.pieces >= MAX_PIECES

    def add(self, piece: bytes) -> None:
        """Takes a piece, as far as there is room."""
        self.data += piece[: self.max_bytes - len(self.data)]
        self.pieces += 1


class TcpProbe(DrivenProbe):
    """Connects once and takes the turns of the conversation.

    Raises:
        ConfigurationError: on construction, where the authority's file cannot be used.
    """

    Options: ClassVar[type[CheckOptions]] = TcpOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        self.options = TcpOptions.model_validate(check.options)
        host = self.options.host or urlsplit(check.url).hostname or ""
        self._endpoint = Endpoint(host, self.options.port, self.options.ip_version)
        self._server_name = self.options.server_name or host
        self._trust = Trust.of_check(check, TrustSetting(ca_file=environment.ca_file), environment)
        self._turns = tuple(
            (step, re.compile(step.expect_regex) if step.expect_regex else None)
            for step in self.options.conversation()
        )

    async def measure(self, trace: Trace) -> None:
        """Resolves, connects and speaks.

        Raises:
            ProbeFailure: any of it failed; REPLY_MISMATCH or REPLY_TIMEOUT where the reply did.
        """
        clock = self.environment.clock
        began = clock.monotonic()
        with await connect(self._endpoint, self.environment, trace) as connection:
            stream: Stream = connection
            if self.options.tls:
                stream = await self._secure(connection, trace)
            await self._converse(connection, stream, trace)
        self._grade(clock.monotonic() - began, trace)

    async def _secure(self, connection: Connection, trace: Trace) -> Stream:
        return await secure(connection, self._server_name, self._trust, self.environment, trace)

    async def _converse(self, connection: Connection, stream: Stream, trace: Trace) -> None:
        reply = Reply(self.options.max_reply_bytes)
        for step, pattern in self._turns:
            trace.enter(Phase.PROCESSING)
            if step.expects:
                await _expect(step, pattern, reply, stream, trace)
            if step.send:
                await stream.send(step.send.encode())
                trace.note(f"sent {len(step.send.encode())} bytes")
            trace.leave()
            if step.start_tls:
                stream = await self._secure(connection, trace)
            if step.send or step.start_tls:  # what was said before is no answer to it
                reply = Reply(self.options.max_reply_bytes)

    def _grade(self, took_s: float, trace: Trace) -> None:
        chain = trace.tls.chain if trace.tls else ()
        soon = expires_soon(chain, self.options.min_days_left, self.environment.clock.now())
        limit_s = self.options.max_response_s
        if soon is not None:
            trace.degraded = (Reason.TLS_EXPIRES_SOON, soon)
        elif limit_s is not None and took_s > limit_s:
            trace.degraded = (Reason.SLOW_RESPONSE, f"took {took_s:.3f} s, limit {limit_s:g} s")


async def _expect(step: TcpStep, pattern: re.Pattern[str] | None, reply: Reply, stream: Stream, trace: Trace) -> None:
    wanted = " and ".join(repr(part) for part in (step.expect_text, step.expect_regex) if part)
    trace.values["failed_due_to_regex"] = 1
    while not _holds(step, pattern, reply.text):
        trace.failure = _unanswered(wanted, reply)  # stands should the deadline pass in the wait below
        piece = b"" if reply.is_full else bytes(await stream.receive())
        if not piece:
            trace.note(reply.shown)
            end = "in a reply of the greatest length allowed" if reply.is_full else "before the peer closed"
            detail = f"expected {one_line(wanted, SHOWN_CHARS)} {end}, {reply.shown}"
            raise ProbeFailure(Reason.REPLY_MISMATCH, detail, phase=Phase.PROCESSING)
        reply.add(piece)
    trace.failure = None
    trace.values["failed_due_to_regex"] = 0
    trace.note(reply.shown)


def _holds(step: TcpStep, pattern: re.Pattern[str] | None, text: str) -> bool:
    if step.expect_text is not None and step.expect_text not in text:
        return False
    if pattern is None:
        return True
    try:
        return search(pattern, text)
    except PatternTooSlowError as error:
        detail = f"expect_regex takes too long on the reply; make it simpler: {one_line(pattern.pattern, 100)}"
        raise ProbeFailure(Reason.AGENT_ERROR, detail, phase=Phase.PROCESSING) from error


def _unanswered(wanted: str, reply: Reply) -> ProbeFailure:
    reason = Reason.REPLY_MISMATCH if reply.data else Reason.REPLY_TIMEOUT
    detail = f"expected {one_line(wanted, SHOWN_CHARS)} before the deadline, {reply.shown}"
    return ProbeFailure(reason, detail, phase=Phase.PROCESSING)
