"""Tells from a socket's error number what happened and whose fault it is."""

import errno
import os

from probes.environment import ProbeFailure
from sentry.domain.result import Phase, Reason

AGENTS_FAULTS = {
    errno.EMFILE: Reason.AGENT_RESOURCES,
    errno.ENFILE: Reason.AGENT_RESOURCES,
    errno.ENOBUFS: Reason.AGENT_RESOURCES,
    errno.ENOMEM: Reason.AGENT_RESOURCES,
    errno.ENETDOWN: Reason.AGENT_NETWORK,
    errno.EADDRNOTAVAIL: Reason.AGENT_NETWORK,
    errno.EAFNOSUPPORT: Reason.AGENT_NETWORK,
    errno.EACCES: Reason.AGENT_NETWORK,
    errno.EPERM: Reason.AGENT_NETWORK,
}
"""Errors of the machine the agent runs on: out of descriptors or memory, no network, a local firewall (EPERM)."""

NO_LOCAL_ROUTE = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Given by `connect` at once, before a packet has left: this machine has no way to that family of addresses."""

SITES_FAULTS = {
    errno.ECONNREFUSED: (Reason.CONNECT_REFUSED, "{address} refused the connection"),
    errno.EHOSTUNREACH: (Reason.CONNECT_UNREACHABLE, "there is no route to {address}"),
    errno.ENETUNREACH: (Reason.CONNECT_UNREACHABLE, "the network of {address} is unreachable"),
    errno.EHOSTDOWN: (Reason.CONNECT_UNREACHABLE, "{address} is down"),
    errno.ECONNRESET: (Reason.CONNECTION_RESET, "{address} reset the connection"),
    errno.ECONNABORTED: (Reason.CONNECTION_RESET, "{address} reset the connection"),
    errno.EPIPE: (Reason.CONNECTION_RESET, "{address} closed the connection while it was written to"),
}

TIMED_OUT = {
    Phase.CONNECT: Reason.CONNECT_TIMEOUT,
    Phase.TLS: Reason.TLS_TIMEOUT,
    Phase.PROCESSING: Reason.PROCESSING_TIMEOUT,
    Phase.TRANSFER: Reason.TRANSFER_TIMEOUT,
}


def socket_failure(error: OSError, *, address: str, phase: Phase) -> ProbeFailure:
    """Returns the verdict that a socket's error means.

    Args:
        error: as the system raised it.
        address: the peer, `ip:port`, for the detail.
        phase: the phase in which it happened.
    """
    number = error.errno or 0
    if number in AGENTS_FAULTS:
        return ProbeFailure(AGENTS_FAULTS[number], f"the agent's own machine: {os.strerror(number)}", phase=phase)
    if number == errno.ETIMEDOUT:
        return ProbeFailure(TIMED_OUT.get(phase, Reason.REPLY_TIMEOUT), f"{address} does not answer", phase=phase)
    otherwise = Reason.CONNECT_UNREACHABLE if phase is Phase.CONNECT else Reason.CONNECTION_RESET
    reason, words = SITES_FAULTS.get(number, (otherwise, f"{{address}}: {os.strerror(number)}"))
    return ProbeFailure(reason, words.format(address=address), phase=phase)


def no_route_failure(error: OSError, *, address: str) -> ProbeFailure:
    """Returns the verdict of a `connect` that failed at once for want of a local route: the agent's own fault."""
    detail = f"this machine has no route to {address}: {os.strerror(error.errno or 0)}"
    return ProbeFailure(Reason.AGENT_NETWORK, detail, phase=Phase.CONNECT)
