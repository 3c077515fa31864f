"""MySQL and MariaDB over a connection that the site's host makes for us."""

import io
from collections.abc import Sequence

import pymysql

from scanners.database.credentials import Credentials
from scanners.database.session import PRELUDES, STATEMENT_S, DatabaseRefused, Row
from sentry.ports.hosts import Host, Tunnel

CONNECT_S = 10.0


class TunnelledDatabase:
    """Fills `Database` by MySQL's protocol. What the server asks of us, e.g. to send it a file, it does not get.

    Raises:
        DatabaseRefused: nobody listens there, or the account is refused.
        HostError: the host does not connect.
    """

    is_sqlite = False
    way = "over the SSH connection"

    def __init__(self, host: Host, credentials: Credentials) -> None:
        address = credentials.address
        tunnel = host.connect(address.host, address.port)
        self._connection = pymysql.Connection(
            user=credentials.user,
            password=credentials.password,
            database=credentials.database,
            charset="utf8mb4",
            use_unicode=False,
            conv={},
            autocommit=None,
            local_infile=False,
            connect_timeout=CONNECT_S,
            read_timeout=STATEMENT_S + CONNECT_S,
            write_timeout=CONNECT_S,
            defer_connect=True,
        )
        try:
            self._connection.connect(_Socket(tunnel))  # type: ignore[arg-type]  # all that it uses of a socket
        except (pymysql.Error, OSError, ValueError) as error:
            tunnel.close()
            raise DatabaseRefused(_said(error)) from error
        self._bind()

    def rows(self, columns: Sequence[str], rest: str) -> Sequence[Row]:
        """Returns what is selected; see `Database`."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} {rest}")  # every part of it is ours
                return [tuple(_bytes(value) for value in row) for row in cursor.fetchall()]
        except (pymysql.Error, OSError, ValueError) as error:
            raise DatabaseRefused(_said(error)) from error

    def close(self) -> None:
        """Ends the connection; see `Database`."""
        try:
            self._connection.close()
        except (pymysql.Error, OSError):
            return

    def _bind(self) -> None:
        for prelude in PRELUDES:
            try:
                with self._connection.cursor() as cursor:
                    for statement in prelude:
                        cursor.execute(statement)
            except pymysql.Error:
                continue
            return


def _bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) or value is None else str(value).encode()


def _said(error: Exception) -> str:
    """Returns what the server said, which is a stranger's and may be long."""
    said = error.args[-1] if error.args else ""
    return f"{type(error).__name__}: {said}"[:300]


class _Socket:
    """A tunnel as PyMySQL wants it."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self.sendall = tunnel.sendall
        self.settimeout = tunnel.settimeout
        self.close = tunnel.close

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Returns the tunnel as a file that is read."""
        return io.BufferedReader(_Stream(self._tunnel))


class _Stream(io.RawIOBase):
    def __init__(self, tunnel: Tunnel) -> None:
        super().__init__()
        self._tunnel = tunnel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]  # all that io gives it
        received = self._tunnel.recv(len(buffer))
        buffer[: len(received)] = received
        return len(received)
