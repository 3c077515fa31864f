"""The TLS libraries in memory: rtls behind the face of the standard library."""

import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.tls_library import StandardContext, TlsContext, TlsSession
from probes.tls_rustls import Offer, raise_panic, require_library, rustls_context
from sentry.domain.errors import ConfigurationError
from tests.integration.authority import Authority, self_signed, server_with_swapped_key

ROOT = Authority.root("Trusted Root")
INTERMEDIATE = ROOT.intermediate("Trusted Intermediate")
STRANGER = Authority.root("Stranger Root")
SHOP = INTERMEDIATE.leaf("shop.test", "*.wild.test", "127.0.0.1", "::1", "xn--bcher-kva.test")


def der(authority: Authority) -> bytes:
    return authority.certificate.public_bytes(Encoding.DER)


def standard(*, min_version: str = "1.2", alpn: tuple[str, ...] = ()) -> TlsContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=der(ROOT))
    if min_version == "1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return StandardContext(context)


def rustls(*, min_version: str = "1.2", alpn: tuple[str, ...] = ()) -> TlsContext:
    context = rustls_context(Offer(der(ROOT), min_version, alpn))
    assert context is not None
    return context


LIBRARIES = pytest.mark.parametrize("library", [standard, rustls])


@dataclass
class Server:
    """The other side, in memory."""

    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    tls: ssl.SSLObject

    @classmethod
    def of(cls, context: ssl.SSLContext) -> "Server":
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        return cls(incoming, outgoing, context.wrap_bio(incoming, outgoing, server_side=True))

    def close(self) -> None:
        """Says farewell, as TLS asks for."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()


def shake(client: TlsSession, server: Server, *, mend: Callable[[bytes], bytes] = bytes) -> None:
    """Carries the flights both ways until both sides are done.

    Args:
        client: that begins.
        server: that answers.
        mend: passes on what the server says.

    Raises:
        ssl.SSLError: the client failed; its last words have reached the server.
    """
    for _ in range(6):
        try:
            client.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        finally:
            server.incoming.write(client.outgoing.read())
        with suppress(ssl.SSLWantReadError):
            server.tls.do_handshake()
        client.incoming.write(mend(server.outgoing.read()))
    client.tls.do_handshake()


def connected(library: Callable[[], TlsContext], context: ssl.SSLContext | None = None) -> tuple[TlsSession, Server]:
    client, server = library().session("shop.test"), Server.of(context or SHOP.server_context())
    shake(client, server)
    return client, server


def deliver(server: Server, client: TlsSession) -> None:
    client.incoming.write(server.outgoing.read())


def read_to_end(client: TlsSession) -> tuple[bytes, type[BaseException]]:
    """Returns what could be read, and what ended it."""
    got, room = bytearray(), memoryview(bytearray(40_000))
    while client.incoming.pending or client.incoming.eof:
        try:
            size = client.tls.read(len(room), room)
        except ssl.SSLError as error:
            kind = type(error)
            return bytes(got), next(end for end in ENDS if issubclass(kind, end))
        if not size:
            return bytes(got), ssl.SSLZeroReturnError
        got += room[:size]
    return bytes(got), ssl.SSLWantReadError


ENDS: tuple[type[BaseException], ...] = (ssl.SSLWantReadError, ssl.SSLZeroReturnError, ssl.SSLEOFError, ssl.SSLError)


@LIBRARIES
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_library_good_server_gives_version_cipher_and_chain(
    library: Callable[[], TlsContext], version: ssl.TLSVersion
) -> None:
    """Both libraries say the same of a server: version, cipher by OpenSSL's name, and the chain as it was sent."""
    context = SHOP.server_context()
    context.maximum_version = version
    client, server = connected(library, context)
    assert client.tls.version() == server.tls.version()
    assert client.tls.cipher() == server.tls.cipher()
    assert client.presented_chain() == (SHOP.certificate.public_bytes(Encoding.DER), der(INTERMEDIATE))


def test_library_verified_chain_comes_from_the_standard_library_alone() -> None:
    """The standard library shows the path it built, root included; rtls tells none and none is made up."""
    client, _ = connected(standard)
    assert client.verified_chain() == (*client.presented_chain(), der(ROOT))
    assert connected(rustls)[0].verified_chain() == ()


@LIBRARIES
def test_library_large_data_goes_both_ways(library: Callable[[], TlsContext]) -> None:
    """A write takes all of it, and a read gives all of it, with the end already in hand."""
    client, server = connected(library)
    sent = bytes(range(256)) * 1200
    assert client.tls.write(sent) == len(sent)
    server.incoming.write(client.outgoing.read())
    got = bytearray()
    while len(got) < len(sent):
        got += server.tls.read(65_536)
    assert bytes(got) == sent
    server.tls.write(sent)
    deliver(server, client)
    client.incoming.write_eof()
    assert read_to_end(client) == (sent, ssl.SSLEOFError)


@LIBRARIES
def test_library_record_in_two_halves_is_waited_for(library: Callable[[], TlsContext]) -> None:
    """Half a record asks for more, and nothing is lost."""
    client, server = connected(library)
    server.tls.write(b"x" * 10_000)
    flight = server.outgoing.read()
    client.incoming.write(flight[:5000])
    assert read_to_end(client) == (b"", ssl.SSLWantReadError)
    client.incoming.write(memoryview(flight)[5000:])
    assert read_to_end(client) == (b"x" * 10_000, ssl.SSLWantReadError)


@LIBRARIES
def test_library_farewell_ends_the_stream_without_the_end_of_the_connection(
    library: Callable[[], TlsContext],
) -> None:
    """A server that says farewell and leaves the connection open has ended its body; nobody waits for more."""
    client, server = connected(library)
    server.tls.write(b"all of it")
    server.close()
    deliver(server, client)
    assert read_to_end(client) == (b"all of it", ssl.SSLZeroReturnError)


@LIBRARIES
def test_library_end_in_the_handshake_is_an_end(library: Callable[[], TlsContext]) -> None:
    """A connection that ends in the handshake fails it, where rtls alone would ask for more for ever."""
    client = library().session("shop.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.do_handshake()
    client.incoming.write_eof()
    with pytest.raises((ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        client.tls.do_handshake()


@LIBRARIES
def test_library_damaged_record_is_an_error(library: Callable[[], TlsContext]) -> None:
    """A changed byte of a body is found."""
    client, server = connected(library)
    server.tls.write(b"price 100")
    flight = bytearray(server.outgoing.read())
    flight[-1] ^= 1
    client.incoming.write(bytes(flight))
    assert read_to_end(client) == (b"", ssl.SSLError)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_rustls_never_resumes_a_session(version: ssl.TLSVersion) -> None:
    """Every handshake is a full one: a resumed one would show the certificate of an earlier connection."""
    context = SHOP.server_context()
    context.maximum_version = version
    offered = rustls()
    for _ in range(3):
        client, server = offered.session("shop.test"), Server.of(context)
        shake(client, server)
        server.tls.write(b"tickets come with this")
        deliver(server, client)
        assert read_to_end(client)[0] == b"tickets come with this"
        assert not server.tls.session_reused
    assert context.session_stats()["hits"] == 0


@pytest.mark.parametrize("name", ["shop.test", "SHOP.test", "a.wild.test", "127.0.0.1", "::1", "xn--bcher-kva.test"])
@LIBRARIES
def test_library_names_of_the_certificate_are_accepted(library: Callable[[], TlsContext], name: str) -> None:
    """Names, wildcards, addresses and encoded international names are found in the certificate."""
    client = library().session(name)
    shake(client, Server.of(SHOP.server_context()))
    assert client.tls.version() == "TLSv1.3"


BAD = {
    "expired": INTERMEDIATE.leaf("shop.test", days=(-90, -3)),
    "not yet valid": INTERMEDIATE.leaf("shop.test", days=(2, 90)),
    "expired intermediate": ROOT.intermediate("Old", days=(-400, -1)).leaf("shop.test"),
    "other name": INTERMEDIATE.leaf("other.test"),
    "wildcard too deep": INTERMEDIATE.leaf("*.test.test"),
    "self-signed": self_signed("shop.test"),
    "stranger": STRANGER.leaf("shop.test"),
    "stranger's intermediate": STRANGER.intermediate().leaf("shop.test"),
    "issued by a leaf": Authority(SHOP.certificate, SHOP.key, (SHOP.certificate, *SHOP.intermediates)).leaf(
        "shop.test"
    ),
}


@LIBRARIES
@pytest.mark.parametrize("bad", BAD)
def test_library_bad_certificate_is_refused(library: Callable[[], TlsContext], bad: str) -> None:
    """What the standard library refuses, rtls refuses too, and both as an error of the certificate."""
    client, server = library().session("shop.test"), Server.of(BAD[bad].server_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(client, server)


@LIBRARIES
def test_library_missing_intermediate_is_refused(library: Callable[[], TlsContext]) -> None:
    """A chain with a gap is not bridged from memory of an earlier, complete one."""
    connected(library)
    server = Server.of(SHOP.server_context(with_intermediates=False))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(library().session("shop.test"), server)


@LIBRARIES
def test_library_right_certificate_with_another_key_is_refused(library: Callable[[], TlsContext]) -> None:
    """Who shows the right certificate and cannot sign with its key is refused by both."""
    with pytest.raises(ssl.SSLError, match=r"(?i)signature"):
        shake(library().session("shop.test"), Server.of(server_with_swapped_key(SHOP)))


def test_rustls_trusts_only_the_issuer_of_its_offer() -> None:
    """A context for one issuer refuses a leaf of another, which the standard library would then judge."""
    context = rustls_context(Offer(der(STRANGER)))
    assert context is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context.session("shop.test"), Server.of(SHOP.server_context()))


def test_rustls_intermediate_as_issuer_is_enough() -> None:
    """The issuer that the standard library has verified is trusted alone; name, dates and key are still judged."""
    context = rustls_context(Offer(der(INTERMEDIATE)))
    assert context is not None
    shake(context.session("shop.test"), Server.of(SHOP.server_context()))
    for bad in (BAD["expired"], BAD["not yet valid"], BAD["other name"], ROOT.leaf("shop.test")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake(context.session("shop.test"), Server.of(bad.server_context()))
    with pytest.raises(ssl.SSLError, match=r"(?i)signature"):
        shake(context.session("shop.test"), Server.of(server_with_swapped_key(SHOP)))


def test_rustls_offer_sets_version_and_protocols() -> None:
    """The oldest version and the protocols offered are those of the setting."""
    old = SHOP.server_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shake(rustls(min_version="1.3").session("shop.test"), Server.of(old))
    asked = SHOP.server_context()
    asked.set_alpn_protocols(["h2", "http/1.1"])
    server = Server.of(asked)
    shake(rustls(alpn=("http/1.1",)).session("shop.test"), server)
    assert server.tls.selected_alpn_protocol() == "http/1.1"


def test_rustls_issuer_it_cannot_read_has_no_context() -> None:
    """An issuer that rustls cannot trust leaves its sites to the standard library."""
    assert rustls_context(Offer(b"no certificate")) is None


def test_rustls_name_it_cannot_send_is_an_error_of_tls() -> None:
    """A name that rustls refuses raises what the standard library then judges."""
    with pytest.raises(ssl.SSLError):
        rustls().session("bücher.test")


def test_library_panic_of_rustls_is_an_error_of_tls() -> None:
    """A panic, which is no Exception, becomes one that is judged again; other exceptions pass."""

    class PanicException(BaseException):  # the name that pyo3 gives it
        pass

    with pytest.raises(ssl.SSLError, match="rustls panicked: index out of bounds"):
        raise_panic(PanicException("index out of bounds"))
    raise_panic(KeyboardInterrupt())


@pytest.mark.parametrize("present", [False, True])
def test_require_rtls_that_is_missing_or_unknown_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, present: bool
) -> None:
    """Without the package, or with a release nobody has tried, the message names the setting and the extra."""
    stranger = type(sys)("rtls")
    stranger.__version__ = "2031.1.1"  # type: ignore[attr-defined]  # a module made up here
    monkeypatch.setitem(sys.modules, "rtls", stranger if present else None)
    with pytest.raises(ConfigurationError) as caught:
        require_library("rtls")
    problem = caught.value.problems[0]
    assert problem.path == "probe.tls_library"
    assert 'pip install "online-sentry[rtls]"' in problem.message
    assert ("rtls 2031.1.1 has not been tried here" in problem.message) is present
    require_library("ssl")


@settings(max_examples=150, deadline=None)
@given(at=st.floats(0, 1), change=st.binary(min_size=1, max_size=40), cut=st.integers(0, 30), turn=st.integers(0, 1))
def test_rustls_hostile_bytes_end_in_an_error_of_tls(at: float, change: bytes, cut: int, turn: int) -> None:
    """Whatever a server sends, rtls goes on, waits or raises `ssl.SSLError`; it never raises anything else."""
    client, server = rustls().session("shop.test"), Server.of(SHOP.server_context())
    flights = 0

    def spoil(data: bytes) -> bytes:
        nonlocal flights
        flights += bool(data)
        if not data or flights != turn + 1:
            return data
        here = int(at * len(data))
        return data[:here] + change + data[here + cut :]

    with suppress(ssl.SSLError):
        shake(client, server, mend=spoil)
        read_to_end(client)
