"""Real servers on loopback that misbehave on demand. Each is an `async with`; its port is free and its own."""

import asyncio
import errno
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"


@dataclass
class Exchange:
    """One request as a server saw it, and the way to answer it."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int

    @property
    def path(self) -> str:
        parts = self.head.split(b" ", 2)
        return parts[1].decode() if len(parts) > 1 else ""

    def header(self, name: str) -> str | None:
        """Returns a request header's value."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    async def body(self) -> bytes:
        """Reads the request's body by its Content-Length."""
        return await self.reader.readexactly(int(self.header("Content-Length") or 0))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Closes with an RST instead of a FIN."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Behaviour = Callable[[Exchange], Awaitable[None]]


@dataclass
class HostileServer:
    """A server that runs; `requests` holds every request head it was sent."""

    port: int
    tls: bool
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, host: str = "site.test", path: str = "/") -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"


@asynccontextmanager
async def serving(
    behave: Behaviour, *, tls: ssl.SSLContext | None = None, host: str = LOOPBACK
) -> AsyncIterator[HostileServer]:
    """Runs a server that reads a request head, lets `behave` answer and closes."""
    seen: HostileServer
    open_writers: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        seen.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            seen.requests.append(head)
            await behave(Exchange(head, reader, writer, len(seen.requests)))
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # the probe went away, which is its right
        finally:
            open_writers.discard(writer)
            writer.close()

    async with _listening(handle, tls, host) as port:
        seen = HostileServer(port, tls is not None)
        yield seen
        for writer in tuple(open_writers):
            writer.transport.abort()


@asynccontextmanager
async def serving_raw(behave: Callable[[Exchange], Awaitable[None]], *, host: str = LOOPBACK) -> AsyncIterator[int]:
    """Runs a server that speaks first, or never: `behave` gets the connection before anything is read."""
    open_writers: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_writers.add(writer)
        try:
            await behave(Exchange(b"", reader, writer, 0))
        except ConnectionError:
            pass  # the probe went away, which is its right
        finally:
            open_writers.discard(writer)
            writer.close()

    async with _listening(handle, None, host) as port:
        yield port
        for writer in tuple(open_writers):
            writer.transport.abort()


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _listening(handle: Handler, tls: ssl.SSLContext | None, host: str) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.append(writer)
        try:
            await handle(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(tracked, host, 0, ssl=tls)
    port: int = server.sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        server.close()
        waiting = tuple(tasks)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for writer in writers:  # one that is closed but cannot be rid of its last bytes would outlive the loop
            writer.transport.abort()


@contextmanager
def blocking_tls(context: ssl.SSLContext) -> Iterator[int]:
    """Runs a TLS server in a thread, whose OpenSSL sends its alerts; asyncio's aborts before they are out."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=_serve_blocking, args=(listener, context), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve_blocking(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:  # the test is over
            return
        with accepted:
            accepted.settimeout(5)
            try:
                with context.wrap_socket(accepted, server_side=True) as secured:
                    secured.recv(65_536)
                    secured.sendall(page())
            except OSError:  # refused on one side or the other, which is what these tests are about
                accepted.close()


# ── what has no server behind it ─────────────────────────────────────────────────────────────────────────────────


@contextmanager
def refused_port() -> Iterator[int]:
    """Holds a port on which nobody listens."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))
        yield held.getsockname()[1]


@contextmanager
def full_backlog() -> Iterator[int]:
    """Holds a listening port whose queue is full, so that a connection attempt is dropped and never answered."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        port: int = listener.getsockname()[1]
        waiting = []
        try:
            for _ in range(4):  # the kernel takes one or two beyond the backlog; the rest fill nothing
                caller = socket.socket()
                caller.setblocking(False)  # noqa: FBT003  # the signature of the standard library
                assert caller.connect_ex((LOOPBACK, port)) in {0, errno.EINPROGRESS}
                waiting.append(caller)
            yield port
        finally:
            for caller in waiting:
                caller.close()


# ── behaviours ───────────────────────────────────────────────────────────────────────────────────────────────────


def page(
    body: bytes = b"ok", *, status: int = 200, headers: tuple[str, ...] = (), length: int | None = None
) -> bytes:
    """Returns a whole response; `length` lies about the body's."""
    lines = [f"HTTP/1.1 {status} Status", *headers, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(response: bytes) -> Behaviour:
    """Sends the bytes as they are, well formed or not."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(response)

    return behave


def by_path(**responses: bytes) -> Behaviour:
    """Answers /name with the response of that name, any other path with 404; `index` is `/`."""

    async def behave(exchange: Exchange) -> None:
        name = exchange.path.partition("?")[0].strip("/").replace("/", "_") or "index"
        await exchange.send(responses.get(name, page(b"not here", status=404)))

    return behave


def drip(response: bytes, *, every_s: float = 0.0, size: int = 1) -> Behaviour:
    """Sends a response in small pieces with a pause after each."""

    async def behave(exchange: Exchange) -> None:
        for at in range(0, len(response), size):
            await exchange.send(response[at : at + size])
            await asyncio.sleep(every_s)

    return behave


def after(seconds: float, response: bytes) -> Behaviour:
    """Thinks for a while, then answers."""

    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.send(response)

    return behave


async def never(exchange: Exchange) -> None:
    """Accepts and never says a word."""
    await asyncio.sleep(3600)


async def hang_up(exchange: Exchange) -> None:
    """Closes without an answer."""


async def reset(exchange: Exchange) -> None:
    """Resets the connection instead of answering."""
    exchange.reset()


async def endless_redirects(exchange: Exchange) -> None:
    """Redirects each request to a new path."""
    await exchange.send(page(status=302, headers=(f"Location: /hop-{exchange.number}",)))


async def redirect_loop(exchange: Exchange) -> None:
    """Redirects / to /again and /again to /."""
    target = "/" if exchange.path == "/again" else "/again"
    await exchange.send(page(status=302, headers=(f"Location: {target}",)))


def gzip_bomb(uncompressed_bytes: int) -> Behaviour:
    """Sends zeros that grow a thousandfold when they are decompressed."""
    return answer(page(gzip.compress(bytes(uncompressed_bytes), 9), headers=("Content-Encoding: gzip",)))
