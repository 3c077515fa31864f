"""The icmp check: echo requests to a host, how many came back, how fast."""

import asyncio
import secrets
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from probes.connection import Endpoint, bracketed, resolve
from probes.environment import ProbeEnvironment, ProbeFailure
from probes.icmp_packet import echo_request, reply_sequence
from probes.icmp_socket import IcmpSocket
from probes.socket_faults import socket_failure
from probes.task import TaskProbe
from probes.trace import Trace
from sentry.domain.result import Phase, Reason
from sentry.domain.site import Check, CheckOptions
from sentry.ports import Clock

COOKIE_BYTES = 32
"""Random bytes of each round: nobody else's replies, nor late ones of an earlier round, are taken for ours."""

MAX_READS_A_WAKE = 64
"""A flood of foreign packets must not hold the event loop."""

LAST_WAIT_S, LEFT_SHARE = 2.0, 0.8
"""Round trips on Earth end well below 2 s; a share of a short deadline is left for the lookup and the verdict."""


class IcmpOptions(CheckOptions):
    """Keys of an icmp check."""

    kind: Literal["icmp"] = "icmp"
    host: str | None = Field(None, max_length=253, description="Name or address; the site's host when absent.")
    ip_version: Literal[4, 6] | None = Field(None, description="4 or 6 to use that family only.")
    packets: int = Field(3, ge=1, le=20, description="Echo requests of one probe.")
    spacing_s: float = Field(0.2, ge=0.01, le=10, description="From one request to the next, seconds.")
    reply_timeout_s: float | None = Field(
        None,
        gt=0,
        le=60,
        description="How long the last reply is waited for, seconds; when absent, 2 s or what timeout_s leaves.",
    )
    max_loss_percent: float = Field(
        0, ge=0, lt=100, description="More lost than this is degraded; all of them lost is down."
    )
    max_rtt_s: float | None = Field(None, gt=0, description="A mean round trip above this is degraded, seconds.")

    @model_validator(mode="after")
    def _fits_the_deadline(self) -> Self:
        needed_s = (self.packets - 1) * self.spacing_s + (self.reply_timeout_s or 0)
        if needed_s >= self.timeout_s:
            raise ValueError(
                f"packets, spacing_s and reply_timeout_s need {needed_s:g} s, not less than timeout_s "
                f"({self.timeout_s:g} s); raise timeout_s or send fewer packets"
            )
        return self

    def watched_url(self, site_url: str) -> str:
        """Returns the host that is pinged, as an address without a port."""
        return site_url if self.host is None else f"icmp://{bracketed(self.host)}"

    @property
    def last_wait_s(self) -> float:
        """How long the last reply is waited for, seconds; ends before the deadline does."""
        left_s = self.timeout_s - (self.packets - 1) * self.spacing_s
        return self.reply_timeout_s or min(LAST_WAIT_S, LEFT_SHARE * left_s)


@dataclass(slots=True)
class EchoRound:
    """The requests of one probe and their replies.

    Attributes:
        sent_at: by sequence number, monotonic seconds; round_trips_s: by sequence number.
    """

    link: IcmpSocket
    clock: Clock
    cookie: bytes = field(default_factory=lambda: secrets.token_bytes(COOKIE_BYTES))
    sent_at: dict[int, float] = field(default_factory=dict)
    round_trips_s: dict[int, float] = field(default_factory=dict)
    hop_limit: int | None = None
    error: OSError | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, sequence: int) -> None:
        """Sends one request; what the system says against it is kept in `error`."""
        self.sent_at[sequence] = self.clock.monotonic()
        try:
            self.link.send(echo_request(self.link.family, 0, sequence, self.cookie))
        except OSError as error:
            self.error = error

    def read(self) -> None:
        """Takes what has come; called by the event loop."""
        try:
            for _ in range(MAX_READS_A_WAKE):
                got = self.link.receive()
                if got is None:
                    break
                self._take(*got)
        except OSError as error:
            self.error = error
        self.changed.set()

    def _take(self, packet: bytes, hop_limit: int | None) -> None:
        sequence = reply_sequence(self.link.family, packet, self.cookie)
        if sequence is None or sequence not in self.sent_at or sequence in self.round_trips_s:
            return
        self.round_trips_s[sequence] = self.clock.monotonic() - self.sent_at[sequence]
        self.hop_limit = hop_limit

    async def finish(self, packets: int) -> None:
        """Waits until every request has its reply."""
        while len(self.round_trips_s) < packets:
            self.changed.clear()
            await self.changed.wait()


class IcmpProbe(TaskProbe):
    """Sends a round of echo requests to the first address of the host."""

    Options = IcmpOptions

    def __init__(self, check: Check, environment: ProbeEnvironment) -> None:
        super().__init__(check, environment)
        assert isinstance(check.options, IcmpOptions)  # noqa: S101  # KINDS pairs the two
        self.options = check.options
        host = check.options.host or urlsplit(check.url).hostname or ""
        self.endpoint = Endpoint(host, 0, check.options.ip_version)

    async def measure(self, trace: Trace) -> None:
        """Sends the round and judges it."""
        address = (await resolve(self.endpoint, self.environment, trace))[0]
        trace.address = address
        trace.values["ip_protocol"] = 6 if ":" in address else 4
        trace.enter(Phase.CONNECT)
        link = IcmpSocket.open(address)
        trace.leave()
        with link:
            trace.note(f"opened {'a raw' if link.raw else 'an unprivileged'} ICMP socket to {address}")
            trace.phase = Phase.PROCESSING
            echoes = EchoRound(link, self.environment.clock)
            await self._exchange(echoes)
        self._keep(echoes, trace)
        self._judge(echoes, trace)

    async def _exchange(self, echoes: EchoRound) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(echoes.link.fileno(), echoes.read)
        try:
            for sequence in range(self.options.packets):
                if sequence:
                    await asyncio.sleep(self.options.spacing_s)
                echoes.send(sequence)
            async with asyncio.timeout(self.options.last_wait_s):
                await echoes.finish(self.options.packets)
        except TimeoutError:
            pass  # what is missing by now is lost; the judgement follows
        finally:
            loop.remove_reader(echoes.link.fileno())

    def _keep(self, echoes: EchoRound, trace: Trace) -> None:
        sent, times = self.options.packets, echoes.round_trips_s.values()
        trace.values["icmp_packets_sent"] = sent
        trace.values["icmp_packet_loss_ratio"] = 1 - len(times) / sent
        if echoes.hop_limit is not None:
            trace.values["icmp_reply_hop_limit"] = echoes.hop_limit
        if times:
            trace.spent(Phase.PROCESSING, fmean(times))
            trace.values["icmp_rtt_min_seconds"] = min(times)
            trace.values["icmp_rtt_max_seconds"] = max(times)
        for sequence in range(sent):
            took = echoes.round_trips_s.get(sequence)
            trace.note(f"echo {sequence}: {'lost' if took is None else f'{took * 1000:.2f} ms'}")

    def _judge(self, echoes: EchoRound, trace: Trace) -> None:
        sent, times = self.options.packets, echoes.round_trips_s.values()
        if not times:
            if echoes.error is not None:
                raise socket_failure(echoes.error, address=trace.address or "", phase=Phase.CONNECT)
            detail = f"none of {sent} echo requests to {trace.address} was answered"
            raise ProbeFailure(Reason.REPLY_TIMEOUT, detail, phase=Phase.PROCESSING)
        lost = sent - len(times)
        limit_s = self.options.max_rtt_s
        if 100 * lost / sent > self.options.max_loss_percent:
            trace.degraded = (Reason.REPLY_TIMEOUT, f"{lost} of {sent} echo requests to {trace.address} were lost")
        elif limit_s is not None and fmean(times) > limit_s:
            detail = f"mean round trip {fmean(times) * 1000:.2f} ms, limit {limit_s * 1000:g} ms"
            trace.degraded = (Reason.SLOW_RESPONSE, detail)
