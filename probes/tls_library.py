"""The face that a TLS library shows to a probe, and the standard library behind it; another is `tls_rustls`."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, cast

LibraryName = Literal["ssl", "rtls"]

_DER = 2  # _ssl.ENCODING_DER


@dataclass(frozen=True, slots=True)
class TlsChoice:
    """How the agent was told to spend on TLS.

    Attributes:
        library: for handshakes whose chain the standard library has verified already.
        verified_chain_cache_s: how long such a verification stands, seconds; 0 for the library's own habit, which is
            never for the standard library.
    """

    library: LibraryName = "ssl"
    verified_chain_cache_s: float = 0.0


class Outgoing(Protocol):
    """What a stream needs of the `ssl.MemoryBIO` of what is to be sent."""

    @property
    def pending(self) -> int:
        """0 when there is nothing."""
        ...

    def read(self) -> bytes:
        """Takes all of it."""
        ...


class Incoming(Protocol):
    """What a stream needs of the `ssl.MemoryBIO` of what was received."""

    @property
    def pending(self) -> int:
        """How many bytes stand in it."""
        ...

    @property
    def eof(self) -> bool:
        """Whether nothing more can come."""
        ...

    def write(self, data: bytes | memoryview, /) -> int:
        """Puts bytes in."""
        ...

    def write_eof(self) -> None:
        """Says that no more will come."""
        ...


class TlsObject(Protocol):
    """What a stream needs of `ssl.SSLObject`; it raises the exceptions of `ssl`."""

    def do_handshake(self) -> None:
        """Goes on with the handshake."""
        ...

    def read(self, n: int, buffer: memoryview, /) -> int:
        """Decrypts into a buffer that has room for so many bytes; returns how many they were, 0 after a farewell."""
        ...

    def write(self, data: bytes, /) -> int:
        """Encrypts all of it."""
        ...

    def version(self) -> str | None:
        """Returns the agreed version, as in `TLSv1.3`."""
        ...

    def cipher(self) -> tuple[str, str, int] | None:
        """Returns the agreed cipher first, by OpenSSL's name."""
        ...


@dataclass(slots=True)
class TlsSession:
    """The client's side of one connection, in memory."""

    incoming: Incoming
    outgoing: Outgoing
    tls: TlsObject

    def presented_chain(self) -> tuple[bytes, ...]:
        """Returns the certificates the server sent, DER, leaf first."""
        return _ders(_chain_reader(self.tls).get_unverified_chain())

    def verified_chain(self) -> tuple[bytes, ...]:
        """Returns the chain that was built and verified, leaf to root; empty where nothing was."""
        return _ders(_chain_reader(self.tls).get_verified_chain())


class TlsContext(Protocol):
    """Makes sessions that trust and offer the same."""

    def session(self, server_name: str) -> TlsSession:
        """Returns the client's side of a new connection.

        Args:
            server_name: for SNI, and for verification where the context verifies.

        Raises:
            ValueError: the name cannot stand in SNI.
            ssl.SSLError: the same, from rtls.
        """
        ...


@dataclass(frozen=True, slots=True)
class StandardContext:
    """Sessions of the standard library."""

    context: ssl.SSLContext

    def session(self, server_name: str) -> TlsSession:
        """Returns the client's side of a new connection; raises as `TlsContext` says."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, server_hostname=server_name)
        return TlsSession(incoming, outgoing, cast("TlsObject", tls))  # into a buffer, its read returns how much


class _Certificate(Protocol):
    def public_bytes(self, encoding: int) -> bytes: ...


class _ChainReader(Protocol):
    """What CPython's `_ssl` offers since 3.10 and `ssl.SSLObject` itself since 3.13."""

    def get_unverified_chain(self) -> Sequence[_Certificate] | None: ...
    def get_verified_chain(self) -> Sequence[_Certificate] | None: ...


def _chain_reader(tls: TlsObject) -> _ChainReader:
    # The one place that reaches below the public API: SSLObject has these methods from 3.13, `_ssl` from 3.10.
    return cast("_ChainReader", tls._sslobj)  # type: ignore[attr-defined]  # noqa: SLF001  # as said above


def _ders(chain: Sequence[_Certificate] | None) -> tuple[bytes, ...]:
    return tuple(certificate.public_bytes(_DER) for certificate in chain or ())
