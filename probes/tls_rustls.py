"""rustls, as the wheel `rtls`, behind the face of the standard library: it is only faster.

It is optional (`pip install "online-sentry[rtls]"`), young, and differs from `ssl` in more than its cost. So
`probes.tls_verified` lets it near a site only for a chain that the standard library has verified, and no failure
under it counts.
"""

import importlib
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from probes.tls_library import LibraryName, TlsSession
from sentry.domain.errors import ConfigurationError, Problem

KNOWN_RELEASES = ("2026.9.",)
"""Releases of rtls whose ways have been studied, with tests; the extra in pyproject.toml admits the same."""


@dataclass(frozen=True, slots=True)
class RustlsContext:
    """Sessions of rustls."""

    connections: Any

    def session(self, server_name: str) -> TlsSession:
        """Returns the client's side of a new connection; raises as `TlsContext` says."""
        connection = self.connections.build_client_connection(server_name)
        incoming, outgoing = _RustlsIncoming(connection), _RustlsOutgoing(connection)
        return _RustlsClient(incoming, outgoing, _RustlsSession(connection, incoming, outgoing))


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
    return RustlsContext(context._get_builder())  # noqa: SLF001  # see `_RustlsSession`; only known releases come here


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


class _RustlsClient(TlsSession):
    """The client's side of a connection of rustls."""

    __slots__ = ()

    tls: "_RustlsSession"

    def presented_chain(self) -> tuple[bytes, ...]:
        """Returns the certificates the server sent, DER, leaf first."""
        return self.tls.presented_chain()

    def verified_chain(self) -> tuple[bytes, ...]:
        """Returns nothing: rtls does not tell which path it found."""
        return ()


class _RustlsOutgoing:
    """What rustls wants on the wire."""

    __slots__ = ("_connection", "_held")

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  # a RustlsClientConnection
        self._connection = connection
        self._held = b""

    @property
    def pending(self) -> int:
        return len(self._held) or int(self._connection.wants_write())

    def collect(self) -> None:
        """Takes what rustls has ready: it accepts no more data before that is gone."""
        while self._connection.wants_write():
            self._held += self._connection.write_tls()

    def read(self) -> bytes:
        self.collect()
        taken, self._held = self._held, b""
        return taken


class _RustlsIncoming:
    """What came from the wire and was not given to rustls yet."""

    __slots__ = ("_connection", "data", "ended")

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  # a RustlsClientConnection
        self._connection = connection
        self.data = b""
        self.ended = False

    @property
    def pending(self) -> int:
        return len(self.data)

    @property
    def eof(self) -> bool:
        """Whether reading says at once how it stands: the end has come, or rustls holds back data or a farewell."""
        return self.ended or not self._connection.wants_read()

    def take(self) -> bytes:
        """Takes all of it."""
        taken, self.data = self.data, b""
        return taken

    def write(self, data: bytes | memoryview, /) -> int:
        self.data = self.data + bytes(data) if self.data else bytes(data)
        return len(data)

    def write_eof(self) -> None:
        self.ended = True


class _RustlsSession:
    """A rustls connection that behaves as `ssl.SSLObject` does.

    It drives the connection below `rtls.SSLObject`, which costs a seventh of a handshake and does some things
    otherwise (2026.9.21): at the end of the connection its handshake asks for more for ever, a farewell
    (close_notify) is not reported, after a damaged record it asks for more, a write takes 65,536 bytes at most. A bug
    in rustls would be a panic, which is no `Exception` in Python.
    """

    __slots__ = ("_connection", "_failed", "_incoming", "_outgoing")

    def __init__(self, connection: Any, incoming: _RustlsIncoming, outgoing: _RustlsOutgoing) -> None:  # noqa: ANN401  # as above
        self._connection = connection
        self._incoming, self._outgoing = incoming, outgoing
        self._failed: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        connection, incoming = self._connection, self._incoming
        data = incoming.take()
        try:
            while data and connection.is_handshaking():
                data = data[connection.read_tls(data) :]
                connection.process_new_packets()
            waiting: bool = connection.is_handshaking()
        except BaseException as error:
            raise_panic(error)
            raise
        incoming.data = data
        if waiting:
            self._raise_broken_off()
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "the handshake needs more")

    def read(self, _n: int, buffer: memoryview, /) -> int:
        if self._failed is not None:
            raise self._failed
        try:
            plain = self._decrypted(len(buffer))
        except BaseException as error:
            raise_panic(error)
            if isinstance(error, ssl.SSLError):
                self._failed = error
            raise
        if not plain:
            if not self._connection.wants_read():
                raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "TLS/SSL connection has been closed (EOF)")
            self._raise_broken_off()
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "nothing to read yet")
        size = len(plain)
        buffer[:size] = plain
        return size

    def _decrypted(self, room: int) -> bytes:
        data, plain = self._incoming.take(), b""
        if data:
            plain, self._incoming.data = self._connection.decrypt_incoming(data, room)
        return plain or self._connection.read_plaintext(room)

    def write(self, data: bytes, /) -> int:
        rest = data
        try:
            while rest:
                taken = self._connection.write_plaintext(rest)
                self._outgoing.collect()
                if not taken:
                    break
                rest = rest[taken:]
        except BaseException as error:
            raise_panic(error)
            raise
        if rest:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "rustls takes no more data")
        return len(data)

    def version(self) -> str | None:
        return _VERSIONS.get(self._connection.protocol_version())

    def cipher(self) -> tuple[str, str, int] | None:
        suite = self._connection.negotiated_cipher_suite()
        if suite is None:
            return None
        bits = self._connection.negotiated_cipher_suite_bits() or 0
        return _SUITES.get(suite, suite), self.version() or "", bits

    def presented_chain(self) -> tuple[bytes, ...]:
        return tuple(map(bytes, self._connection.peer_certificates() or ()))

    def _raise_broken_off(self) -> None:
        """Raises what `ssl` would where waiting for more is in vain."""
        if self._incoming.ended:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "EOF occurred in violation of protocol")


_VERSIONS = {0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}

_SUITES = {
    "TLS13_AES_128_GCM_SHA256": "TLS_AES_128_GCM_SHA256",
    "TLS13_AES_256_GCM_SHA384": "TLS_AES_256_GCM_SHA384",
    "TLS13_CHACHA20_POLY1305_SHA256": "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""rustls's name of each cipher suite that it has → OpenSSL's."""


def raise_panic(error: BaseException) -> None:
    """Turns a panic of rustls into an `ssl.SSLError`, so that the standard library judges; passes over all else.

    Raises:
        ssl.SSLError: it was a panic.
    """
    if type(error).__name__ == "PanicException":
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, f"rustls panicked: {error}") from error
