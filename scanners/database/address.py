"""Where a database listens, in all the forms that WordPress takes."""

import re
from dataclasses import dataclass

DEFAULT_PORT = 3306
_IPV6 = re.compile(r"^\[?(?P<host>[0-9a-fA-F:.]+)\]?(?:(?<=\]):(?P<port>\d{1,5}))?$")
_NAMED = re.compile(r"^(?P<host>[^:/]*)(?::(?P<port>\d{1,5}))?$")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database listens.

    Attributes:
        host: empty and `localhost` mean the socket of the machine, as they do to PHP.
        socket: its path; empty for the usual one.
    """

    host: str
    port: int = DEFAULT_PORT
    socket: str = ""

    @property
    def is_tcp(self) -> bool:
        """Whether it is met by a TCP connection."""
        return not self.socket and self.host not in {"", "localhost"}


def parse_address(written: str) -> Address | None:
    """Returns what `DB_HOST` says: `host`, `host:port`, `host:/path`, `[ipv6]:port`; None where that is nonsense."""
    before, colon, path = written.strip().partition(":/")
    socket = f"/{path}" if colon else ""
    found = (_IPV6 if before.count(":") > 1 else _NAMED).match(before)
    if found is None:
        return None
    port = int(found["port"] or DEFAULT_PORT)
    host = found["host"]
    # `localhost:3307` is TCP to WordPress, though a client would take the socket.
    if host == "localhost" and found["port"]:
        host = "127.0.0.1"
    return Address(host, port, socket) if 0 < port < 1 << 16 else None
