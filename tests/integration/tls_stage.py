"""A TLS site whose certificate, or manners, can be changed between two connections, and what it saw of each."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
PATIENCE_S = 10.0

Manners = Callable[[socket.socket], None]
"""What a site does with a connection it has just accepted."""

RUSTLS_HELLO_BYTES = 1000
"""The hello of rustls carries a key share of 1.2 KB; that of OpenSSL 3.0 has 517 bytes."""


@dataclass
class TlsStage:
    """A site that runs.

    Attributes:
        manners: what it does with the next connection.
        hellos: size of the first thing that each connection said.
        requests: every request head that came through an encrypted connection.
    """

    port: int
    manners: Manners
    hellos: list[int] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    def url(self, host: str = "shop.test") -> str:
        """Its address under a name."""
        return f"https://{host}:{self.port}/"

    def show(self, context: ssl.SSLContext, answer: bytes = PAGE) -> None:
        """Serves a page with this certificate from now on."""

        def serve(accepted: socket.socket) -> None:
            with context.wrap_socket(accepted, server_side=True) as secured:
                self.requests.append(secured.recv(65_536))
                if self.requests[-1]:
                    secured.sendall(answer)
                    secured.unwrap()

        self.manners = serve

    @property
    def rustls_hellos(self) -> int:
        """How many of the connections came from rustls."""
        return sum(size > RUSTLS_HELLO_BYTES for size in self.hellos)


def close(_accepted: socket.socket) -> None:
    """Hangs up without a word."""


def reset(accepted: socket.socket) -> None:
    """Resets the connection."""
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def say(words: bytes) -> Manners:
    """Says something in the clear and hangs up."""

    def speak(accepted: socket.socket) -> None:
        accepted.recv(65_536)
        accepted.sendall(words)

    return speak


def silent(accepted: socket.socket) -> None:
    """Says nothing until the other side goes."""
    while accepted.recv(65_536):
        pass


def shake_and(context: ssl.SSLContext, then: Callable[[ssl.SSLSocket], None]) -> Manners:
    """Shakes hands and misbehaves afterwards."""

    def misbehave(accepted: socket.socket) -> None:
        with context.wrap_socket(accepted, server_side=True, suppress_ragged_eofs=False) as secured:
            secured.recv(65_536)
            then(secured)

    return misbehave


def hang_up(secured: ssl.SSLSocket) -> None:
    """Closes without an answer and without a farewell."""
    secured.shutdown(socket.SHUT_RDWR)


def talk_nonsense(secured: ssl.SSLSocket) -> None:
    """Puts bytes that are no TLS on the wire."""
    socket.socket.sendall(secured, b"\x17\x03\x03\x00\x20" + b"?" * 32)


@contextmanager
def tls_stage(context: ssl.SSLContext) -> Iterator[TlsStage]:
    """Runs a site that shows this certificate until told otherwise."""
    listener = socket.create_server(("127.0.0.1", 0))
    stage = TlsStage(listener.getsockname()[1], close)
    stage.show(context)
    accepting = threading.Thread(target=_accept, args=(listener, stage))
    accepting.start()
    try:
        yield stage
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()


def _accept(listener: socket.socket, stage: TlsStage) -> None:
    serving: list[threading.Thread] = []
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            break
        serving.append(threading.Thread(target=_serve, args=(accepted, stage)))
        serving[-1].start()
    for thread in serving:
        thread.join(PATIENCE_S)


def _serve(accepted: socket.socket, stage: TlsStage) -> None:
    accepted.settimeout(PATIENCE_S)
    with accepted, suppress(OSError):  # the probe went away, or refused, which is its right
        stage.hellos.append(len(accepted.recv(65_536, socket.MSG_PEEK)))
        stage.manners(accepted)
