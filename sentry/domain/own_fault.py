"""Whether a failure was the agent's own: what it sees of itself when it looks, and what that says.

The agent looks after a failure and never before it, at whoever answers it on every other day: anchors on several
networks, its resolvers, its gateway, and the sites themselves. Two witnesses that do not depend on each other must
have fallen silent, and nobody from outside may answer; who is silent on any day is no witness. Without a voter
nothing is agreed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network

from sentry.domain.result import ProbeResult, Reason, Status

WITNESSES_NEEDED = 2

NETWORKS_A_WITNESS = 3
"""Networks of sites that fail, while no site answers, that weigh as much as another witness; twice as many as two."""

SITE_NETWORK_BITS = {4: 16, 6: 32}
"""Sites that share so much of their address may well hang on one provider, whose fault it may be."""

ANCHOR_NETWORK_BITS = {4: 24, 6: 48}
"""Anchors are chosen by a person: smaller networks are believed to be different ones."""

CLOCK_JUMP_S = 2.0
"""A wall clock that drifts so far from the time that never jumps was set."""

LOOP_LAG_S = 1.0
"""A loop that stood still this long cannot tell a slow site from its own slowness."""


class FaultCause(StrEnum):
    """What may be wrong with the agent itself."""

    NETWORK = "network"
    RESOLVERS = "resolvers"
    CLOCK = "clock"
    LOOP = "loop"


_TIMEOUTS = frozenset(
    {
        Reason.DNS_TIMEOUT,
        Reason.CONNECT_TIMEOUT,
        Reason.TLS_TIMEOUT,
        Reason.PROCESSING_TIMEOUT,
        Reason.TRANSFER_TIMEOUT,
        Reason.REPLY_TIMEOUT,
    }
)

EXPLAINS: Mapping[FaultCause, frozenset[Reason]] = {
    FaultCause.NETWORK: _TIMEOUTS
    | {
        Reason.DNS_NXDOMAIN,
        Reason.DNS_NO_ADDRESS,
        Reason.DNS_SERVER_FAILURE,
        Reason.CONNECT_REFUSED,
        Reason.CONNECT_UNREACHABLE,
        Reason.CONNECTION_RESET,
        Reason.HEARTBEAT_MISSED,
    },
    FaultCause.RESOLVERS: frozenset({Reason.DNS_TIMEOUT, Reason.DNS_SERVER_FAILURE}),
    FaultCause.CLOCK: frozenset({Reason.TLS_EXPIRED, Reason.TLS_NOT_YET_VALID, Reason.HEARTBEAT_MISSED}),
    FaultCause.LOOP: _TIMEOUTS,
}
"""The failures that each cause can bring about. What a site has answered, no fault of ours has made up."""

EXPLAINABLE = frozenset[Reason]().union(*EXPLAINS.values())
"""Failures that are not believed before the agent has looked at itself."""

EXCUSES: Mapping[FaultCause, Reason] = {
    FaultCause.NETWORK: Reason.AGENT_NETWORK,
    FaultCause.RESOLVERS: Reason.AGENT_NETWORK,
    FaultCause.CLOCK: Reason.AGENT_CLOCK,
    FaultCause.LOOP: Reason.AGENT_STALLED,
}


class VoiceKind(StrEnum):
    """Whom the agent asks when it looks at itself."""

    ANCHOR = "anchor"
    RESOLVER = "resolver"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Voice:
    """One that was asked, and whether it answered.

    Attributes:
        name: as it was configured; the gateway is always `gateway`.
        network: what it stands in; two of one network are one witness.
        outside: whether its answer proves a way out of the agent's own network.
        detail: one line of what was seen.
    """

    kind: VoiceKind
    name: str
    network: str
    answers: bool
    outside: bool = True
    detail: str = ""

    def __str__(self) -> str:
        """Returns what a report says of it."""
        return f"{self.kind} {self.name} {'answers' if self.answers else 'does not answer'} ({self.detail})"


@dataclass(frozen=True, slots=True)
class Examination:
    """What the agent saw when it looked at itself.

    Attributes:
        usual: names of the voices that ordinarily answer; only these can be missed.
        proved: whether a site outside has answered a probe that ended after it began.
        failing_networks: networks of the sites that failed since anybody outside last answered.
        known_silent: resolvers that did not answer the last time either, and are asked last since.
        clock_jump_s: how far the wall clock was set lately, seconds; lag_s: the longest that the loop stood still.
    """

    began_at: datetime
    ended_at: datetime
    voices: tuple[Voice, ...] = ()
    usual: frozenset[str] = frozenset()
    proved: bool = False
    failing_networks: int = 0
    known_silent: frozenset[str] = frozenset()
    clock_jump_s: float = 0.0
    lag_s: float = 0.0

    def of(self, kind: VoiceKind) -> tuple[Voice, ...]:
        """Returns the voices of one kind that ordinarily answer, or answer now."""
        return tuple(one for one in self.voices if one.kind is kind and (one.answers or one.name in self.usual))

    @property
    def outside_answers(self) -> bool:
        """Whether somebody outside was heard, so that the network cannot be what is wrong."""
        anchors = self.of(VoiceKind.ANCHOR)
        judges = anchors or tuple(one for one in self.of(VoiceKind.RESOLVER) if one.outside)
        return self.proved or any(one.answers for one in judges)

    @property
    def witnesses(self) -> int:
        """How many that do not depend on each other have fallen silent."""
        anchors = {one.network for one in self.of(VoiceKind.ANCHOR) if not one.answers}
        further = [self.of(kind) for kind in (VoiceKind.GATEWAY, VoiceKind.RESOLVER)]
        silent = sum(1 for voices in further if voices and not any(one.answers for one in voices))
        return len(anchors) + silent + min(2, self.failing_networks // NETWORKS_A_WITNESS)

    @property
    def silent_resolvers(self) -> frozenset[str]:
        """Names of the resolvers that used to answer and do not."""
        return frozenset(one.name for one in self.of(VoiceKind.RESOLVER) if not one.answers)

    def lines(self) -> tuple[str, ...]:
        """Returns all of it as lines for evidence."""
        further = []
        if self.failing_networks:
            further.append(f"sites fail in {self.failing_networks} network(s), and none answered since")
        if self.proved:
            further.append("a site outside answers")
        if abs(self.clock_jump_s) >= CLOCK_JUMP_S:
            further.append(f"the clock was set by {self.clock_jump_s:+.1f} s")
        if self.lag_s >= LOOP_LAG_S:
            further.append(f"the agent stood still for {self.lag_s:.1f} s")
        return (*(str(voice) for voice in self.voices), *further)


def judge(seen: Examination) -> frozenset[FaultCause]:
    """Returns every cause of ours that what was seen proves; none where the fault is not ours or cannot be told."""
    silent = seen.silent_resolvers
    none_answers = not any(one.answers for one in seen.of(VoiceKind.RESOLVER))
    no_network = not seen.outside_answers and seen.witnesses >= WITNESSES_NEEDED
    found = {
        FaultCause.NETWORK: no_network,
        # Without a network no resolver can answer: that is one fault, not two. One dead resolver of several explains
        # a failure only until it is known, and asked last.
        FaultCause.RESOLVERS: not no_network and bool(silent) and (none_answers or not silent <= seen.known_silent),
        FaultCause.CLOCK: abs(seen.clock_jump_s) >= CLOCK_JUMP_S,
        FaultCause.LOOP: seen.lag_s >= LOOP_LAG_S,
    }
    return frozenset(cause for cause, holds in found.items() if holds)


@dataclass(frozen=True, slots=True)
class OwnFault:
    """A span in which failures of some kinds were the agent's own. Spans are added and ended, never taken back.

    Attributes:
        began_at: when the agent was last known to be well, or the first probe that failed for it was sent.
        ended_at: when it was found well again, None while it lasts.
        evidence: what was seen, one line each.
    """

    cause: FaultCause
    began_at: datetime
    ended_at: datetime | None = None
    evidence: tuple[str, ...] = field(default=())

    def voids(self, scheduled_at: datetime, duration_s: float, reason: Reason | None) -> bool:
        """Whether a failed probe says nothing of its site: it met the span, and the cause explains what it saw.

        Args:
            scheduled_at: its slot.
            duration_s: how long it took, seconds.
            reason: of its failure.
        """
        if reason not in EXPLAINS[self.cause] or (self.ended_at is not None and scheduled_at > self.ended_at):
            return False
        return scheduled_at + timedelta(seconds=duration_s) >= self.began_at


def excused(result: ProbeResult, faults: Iterable[OwnFault]) -> ProbeResult:
    """Returns a result as it counts: one that a fault of ours has voided is unknown, and says what it had seen."""
    if result.status is not Status.DOWN:
        return result
    for fault in faults:
        if fault.voids(result.scheduled_at, result.duration_s, result.reason):
            return replace(
                result,
                status=Status.UNKNOWN,
                reason=EXCUSES[fault.cause],
                detail=f"the agent's own fault ({fault.cause}); it had seen: {result.reason} {result.detail}"[:500],
            )
    return result


def network_of(address: str | None, bits: Mapping[int, int]) -> str | None:
    """Returns the network that an address stands in, None where it is none or stands in no network outside.

    Args:
        address: `ip`, `ip:port` or `[ip]:port`, as evidence has it.
        bits: how much of an address names its network, by IP version.
    """
    if not address:
        return None
    host = address.rpartition(":")[0] if address.count(":") == 1 or "]" in address else address
    try:
        parsed = ip_address(host.strip("[]"))
    except ValueError:
        return None
    return str(ip_network((parsed, bits[parsed.version]), strict=False)) if parsed.is_global else None
