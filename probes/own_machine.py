"""Tells which addresses are this machine's own, without keeping a list that DHCP would make wrong."""

import socket


def is_own_address(address: str) -> bool:
    """Whether a literal address is one of this machine's: its packets would leave from that very address.

    Nothing is sent: connecting a UDP socket only asks the routing table. A public address that a router outside
    translates to this machine cannot be known here.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as asking:
            asking.connect((address, 9))
            return bool(asking.getsockname()[0] == address)
    except OSError:  # no route: not this machine
        return False
