"""A socket for echo requests: unprivileged where the system allows it, raw where the agent may, else a clear no."""

import socket
import sys
from types import TracebackType
from typing import Self

from probes.environment import ProbeFailure
from probes.icmp_packet import ICMP4, ICMP6, without_ipv4_header
from probes.socket_faults import NO_LOCAL_ROUTE, no_route_failure, socket_failure
from sentry.domain.result import Phase, Reason

IP_RECVTTL = 12
"""Of linux/in.h; Python does not name it."""

MAX_PACKET_BYTES = 2048
HOW_TO_PERMIT = (
    "this process may not send ICMP; allow it with `sysctl -w net.ipv4.ping_group_range='0 2147483647'` "
    "or give it CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)"
)


class IcmpSocket:
    """Sends echo requests to one address and reads what comes back; never blocks."""

    def __init__(self, opened: socket.socket, address: str, *, raw: bool) -> None:
        self._socket = opened
        self.raw = raw
        self.family = ICMP6 if ":" in address else ICMP4

    @classmethod
    def open(cls, address: str) -> Self:
        """Opens a datagram socket (Linux ping sockets), a raw one where those are not permitted.

        Raises:
            ProbeFailure: AGENT_RESOURCES where neither is permitted, AGENT_NETWORK where there is no route.
        """
        for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                return cls._open(address, kind)
            except PermissionError:
                continue
            except OSError as error:
                raise _failure(error, address) from error
        raise ProbeFailure(Reason.AGENT_RESOURCES, HOW_TO_PERMIT, phase=Phase.CONNECT)

    @classmethod
    def _open(cls, address: str, kind: socket.SocketKind) -> Self:
        is_ipv6 = ":" in address
        protocol = socket.IPPROTO_ICMPV6 if is_ipv6 else socket.IPPROTO_ICMP
        opened = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, kind, protocol)
        try:
            opened.settimeout(0)
            if is_ipv6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            else:
                opened.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            opened.connect((address, 0))
        except BaseException:
            opened.close()
            raise
        return cls(opened, address, raw=kind == socket.SOCK_RAW)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """Returns the descriptor, for the event loop."""
        return self._socket.fileno()

    def send(self, packet: bytes) -> None:
        """Sends one message.

        Raises:
            OSError: the system refused it.
        """
        self._socket.send(packet)

    def receive(self) -> tuple[bytes, int | None] | None:
        """Returns the next message and its hop limit, None when there is none now.

        Raises:
            OSError: the system reported an error of the path.
        """
        try:
            packet, ancillary, _, _ = self._socket.recvmsg(MAX_PACKET_BYTES, 128)
        except BlockingIOError:
            return None
        if self.raw and self.family is ICMP4:
            return without_ipv4_header(packet)
        return packet, _hop_limit(ancillary)


def _hop_limit(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        if (level, kind) in {(socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}:
            return int.from_bytes(data[:4], sys.byteorder)
    return None


def _failure(error: OSError, address: str) -> ProbeFailure:
    if error.errno in NO_LOCAL_ROUTE:
        return no_route_failure(error, address=address)
    return socket_failure(error, address=address, phase=Phase.CONNECT)
