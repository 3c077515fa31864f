"""TLS over a connection: the handshake as a phase, and the chain the server showed, verified or not."""

import ssl

from probes.connection import Connection
from probes.engine import BUFFER_BYTES
from probes.environment import ProbeFailure
from probes.tls_library import TlsSession
from probes.tls_verdict import broken_tls
from sentry.domain.result import Phase, Reason

RECORD_BYTES = 16_384
"""The most that one TLS record holds (RFC 8446, 5.1)."""

MAX_BARREN_BYTES = 131_072
"""Bound of what arrives and is not data: OpenSSL takes 100 KiB of certificates, and all else of a handshake is small.
Without it a server can have keys changed, tickets read and handshakes asked for until the deadline, at full speed."""

BARREN_SHARE = 32
"""Such bytes allowed beside that for each byte of data; a record of one byte takes 22 to 30."""


class TlsStream:
    """An encrypted stream over a connection."""

    __slots__ = (
        "_below",
        "_client",
        "_decrypted",
        "_ended",
        "_incoming",
        "_outgoing",
        "_presented",
        "_received",
        "_tls",
    )

    def __init__(self, below: Connection, client: TlsSession) -> None:
        """Takes the client's side.

        Args:
            below: connected.
            client: new.
        """
        self._below = below
        self._ended = False
        self._received = self._decrypted = 0
        self._client = client
        self._presented: tuple[bytes, ...] | None = None
        self._incoming, self._outgoing, self._tls = client.incoming, client.outgoing, client.tls

    async def handshake(self) -> None:
        """Shakes hands, but for our last words, which in TLS 1.3 go out with the first data, by `send` or `finish`.

        Raises:
            ssl.SSLError: it failed; as `SSLCertVerificationError` where the certificate was not accepted.
            ProbeFailure: the connection broke.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                await self._say_goodbye()
                raise
            else:
                return
            await self._flush()
            await self._fill()

    async def finish(self) -> None:
        """Sends our last words of the handshake where no data follows at once.

        Raises:
            ProbeFailure: the connection broke.
        """
        await self._flush()

    async def send(self, data: bytes) -> None:
        """Sends all of it.

        Raises:
            ProbeFailure: the connection broke.
        """
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise self.broken(error) from error
        await self._flush()

    async def receive(self) -> memoryview:
        """Returns what came next, empty once the peer has closed, with or without the farewell that TLS asks for.

        It is valid until the next `await` of anything.

        Raises:
            ProbeFailure: the connection broke, or the server sent an alert.
        """
        while True:
            size = self._read()
            self._decrypted += size
            if size or self._ended:
                return self._below.buffer[:size]
            await self._flush()
            await self._fill()

    def _read(self) -> int:
        """Decrypts every whole record that is here, as far as there is room; returns how many bytes."""
        buffer, incoming, read = self._below.buffer, self._incoming, self._tls.read
        size = 0
        try:
            # Asking only while ciphertext is here saves an exception at the end of each piece that came.
            while (incoming.pending or incoming.eof) and size + RECORD_BYTES <= BUFFER_BYTES:
                decrypted = read(RECORD_BYTES, buffer[size:])
                size += decrypted
                if not decrypted:  # the farewell; the server may wait for ours before it closes the connection
                    self._ended = True
                    break
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._ended = True
        except ssl.SSLError as error:
            if not size:
                raise self.broken(error) from error
        return size

    def broken(self, error: ssl.SSLError) -> Exception:
        """Returns what an error after the handshake means."""
        return broken_tls(error)

    def session(self) -> tuple[str | None, str | None, tuple[bytes, ...]]:
        """Returns TLS version, cipher and the certificates the server sent, DER, leaf first."""
        cipher = self._tls.cipher()
        return self._tls.version(), cipher[0] if cipher else None, self.presented_chain()

    def presented_chain(self) -> tuple[bytes, ...]:
        """Returns the certificates the server sent, DER, leaf first."""
        if self._presented is None:
            self._presented = self._client.presented_chain()
        return self._presented

    def verified_chain(self) -> tuple[bytes, ...]:
        """Returns the chain that was built and verified, leaf to root, DER; empty where nothing was verified."""
        return self._client.verified_chain()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._below.send(self._outgoing.read())

    async def _fill(self) -> None:
        if self._received > MAX_BARREN_BYTES + BARREN_SHARE * self._decrypted:
            detail = f"{self._received:,} bytes of TLS hold {self._decrypted:,} bytes of data"
            raise ProbeFailure(Reason.TLS_HANDSHAKE, detail, phase=Phase.TLS)
        data = await self._below.receive()
        if data:
            self._received += len(data)
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def _say_goodbye(self) -> None:
        """Sends the alert that says why; the server's log is then as clear as ours. It may be gone already."""
        try:
            await self._flush()
        except ProbeFailure:
            return
