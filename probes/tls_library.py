"""The TLS libraries behind one face: the standard library, which judges, and `rtls`, which is only faster.

`rtls` is rustls as a drop-in for `ssl`. It is optional (`pip install "online-sentry[rtls]"`), young, and differs from
`ssl` in more than its cost, so that `probes.tls_verified` lets it near a site only for a chain that the standard
library has verified, and no failure under it counts. What it does differently is set right in `_RustlsSession`.
"""

import importlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Protocol, cast

from sentry.domain.errors import ConfigurationError, Problem

LibraryName = Literal["ssl", "rtls"]

KNOWN_RELEASES = ("2026.9.",)
"""Releases of rtls whose ways have been studied, with tests; the extra in pyproject.toml admits the same."""

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


class Bio(Protocol):
    """What `ssl.MemoryBIO` is: bytes of the wire on their way in or out."""

    @property
    def pending(self) -> int:
        """How many bytes stand in it."""
        ...

    @property
    def eof(self) -> bool:
        """Whether nothing more can come."""
        ...

    def read(self, n: int = ..., /) -> bytes:
        """Takes bytes out, all of them when not told how many."""
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

    incoming: Bio
    outgoing: Bio
    tls: TlsObject

    def presented_chain(self) -> tuple[bytes, ...]:
        """Returns the certificates the server sent, DER, leaf first."""
        if isinstance(self.tls, _RustlsSession):
            return self.tls.presented_chain()
        return _ders(_chain_reader(self.tls).get_unverified_chain())

    def verified_chain(self) -> tuple[bytes, ...]:
        """Returns the chain that was built and verified, leaf to root; empty where nothing was or `rtls` did it."""
        if isinstance(self.tls, _RustlsSession):
            return ()
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


@dataclass(frozen=True, slots=True)
class RustlsContext:
    """Sessions of rustls."""

    rtls: Any
    context: Any

    def session(self, server_name: str) -> TlsSession:
        """Returns the client's side of a new connection; raises as `TlsContext` says."""
        incoming, outgoing = self.rtls.MemoryBIO(), self.rtls.MemoryBIO()
        tls = self.context.wrap_bio(incoming, outgoing, False, server_name)  # noqa: FBT003  # not the server's side
        taken = _RustlsIncoming(incoming, tls)
        return TlsSession(taken, outgoing, _RustlsSession(tls, taken))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a rustls context is made of.

    Attributes:
        issuer: the one authority that it trusts, DER: that which issued the leaf of the chain that the standard
            library has verified. A leaf of another one is then for the standard library to judge. It spares rtls the
            proof of what lies above the issuer, and the copy of 140 roots that it makes for every connection.
        min_version: oldest TLS version accepted, "1.2" or "1.3".
        alpn: protocols offered, in order of preference.
    """

    issuer: bytes
    min_version: str = "1.2"
    alpn: tuple[str, ...] = ()


def require_library(name: LibraryName) -> None:
    """Checks that a library can be used.

    Raises:
        ConfigurationError: rtls is chosen and not there, or not as it is known here.
    """
    if name == "rtls":
        _load_rtls()


@lru_cache(maxsize=256)
def rustls_context(offer: Offer) -> RustlsContext | None:
    """Returns the shared rustls context of an offer; None where rustls cannot trust this issuer.

    Raises:
        ConfigurationError: rtls is not there.
    """
    rtls = _load_rtls()
    context = rtls.SSLContext(rtls.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=offer.issuer)
        context.verify_flags = rtls.VERIFY_X509_PARTIAL_CHAIN  # the issuer may be no root
        if offer.min_version == "1.3":
            context.minimum_version = rtls.TLSVersion.TLSv1_3
        if offer.alpn:
            context.set_alpn_protocols(list(offer.alpn))
    except (ssl.SSLError, ValueError):
        return None
    return RustlsContext(rtls, context)


def _load_rtls() -> Any:  # noqa: ANN401  # optional: where it is not installed there is no type to name
    try:
        rtls = importlib.import_module("rtls")
    except ImportError as error:
        raise ConfigurationError([_missing(f"rtls cannot be loaded ({error})")]) from error
    version = str(rtls.__version__)
    if not version.startswith(KNOWN_RELEASES):
        raise ConfigurationError([_missing(f"rtls {version} has not been tried here")])
    return rtls


def _missing(what: str) -> Problem:
    mend = 'install it with `pip install "online-sentry[rtls]"`, or choose `ssl`'
    return Problem(file="", line=0, path="probe.tls_library", message=f"{what}; {mend}")


class _RustlsIncoming:
    """What came from the wire for rtls; the end is kept here, for rtls's own BIO then refuses what it puts back."""

    __slots__ = ("_bio", "_tls", "ended")

    def __init__(self, bio: Bio, tls: Any) -> None:  # noqa: ANN401  # an rtls.SSLObject
        self._bio = bio
        self._tls = tls
        self.ended = False

    @property
    def pending(self) -> int:
        return self._bio.pending

    @property
    def eof(self) -> bool:
        """Whether reading says at once how it stands: the end has come, or rtls holds back data or a farewell."""
        return self.ended or not self.waits

    @property
    def waits(self) -> bool:
        """Whether rustls has nothing to give before more has come."""
        waits: bool = self._tls._conn.wants_read()  # noqa: SLF001  # rtls tells of a farewell nowhere else
        return waits

    def read(self, n: int = -1, /) -> bytes:
        return self._bio.read(n)

    def write(self, data: bytes | memoryview, /) -> int:
        return self._bio.write(data)

    def write_eof(self) -> None:
        self.ended = True


class _RustlsSession:
    """An `rtls.SSLObject` that behaves as `ssl.SSLObject` does.

    What rtls 2026.9.21 does otherwise: at the end of the connection its handshake asks for more for ever; a farewell
    (close_notify) is not reported when read; after a damaged record it asks for more; a write takes 65,536 bytes at
    most. A bug in it would be a Rust panic, which is no `Exception` in Python.
    """

    __slots__ = ("_failed", "_incoming", "_tls")

    def __init__(self, tls: Any, incoming: _RustlsIncoming) -> None:  # noqa: ANN401  # an rtls.SSLObject
        self._tls = tls
        self._incoming = incoming
        self._failed: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._raise_end()
            raise
        except BaseException as error:
            raise_panic(error)
            raise

    def read(self, _n: int, buffer: memoryview, /) -> int:
        if self._failed is not None:
            raise self._failed
        try:
            size: int = self._tls.read(len(buffer), buffer)
        except ssl.SSLWantReadError:
            self._raise_end()
            raise
        except BaseException as error:
            raise_panic(error)
            if isinstance(error, ssl.SSLError):
                self._failed = error
            raise
        return size

    def write(self, data: bytes, /) -> int:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._tls.write(rest) :]
        except BaseException as error:
            raise_panic(error)
            raise
        return len(data)

    def version(self) -> str | None:
        spoken: str | None = self._tls.version()
        return spoken

    def cipher(self) -> tuple[str, str, int] | None:
        agreed: tuple[str, str, int] | None = self._tls.cipher()
        return agreed

    def presented_chain(self) -> tuple[bytes, ...]:
        return tuple(one.public_bytes() for one in self._tls.get_unverified_chain() or ())

    def _raise_end(self) -> None:
        """Raises what `ssl` would where waiting for more is in vain."""
        if not self._incoming.waits:
            raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)")
        if self._incoming.ended:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")


def raise_panic(error: BaseException) -> None:
    """Turns a panic of rustls into an `ssl.SSLError`, so that the standard library judges; passes over all else.

    Raises:
        ssl.SSLError: it was a panic.
    """
    if type(error).__name__ == "PanicException":
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, f"rustls panicked: {error}") from error


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
