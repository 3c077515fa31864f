"""An HTTP server in a thread that keeps what is posted to it and answers what the test wants."""

import contextlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.integration.servers.loopback import LOOPBACK, free_port
from tests.integration.servers.process import wait_until

HANG_S = 60.0
"""A server that hangs does so for this long at most, so that no test leaves a thread behind for ever."""


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """One request: header names in lower case, the body as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body as JSON."""
        return json.loads(self.body)


class WebhookSink:
    """Listens on one port for its whole life, over any number of `stop` and `start`.

    Attributes:
        status: what every request is answered with; calls are kept whatever it is.
        retry_after_s: sent as Retry-After when set.
        delay_s: how long each answer takes.
        gate: no answer leaves while it is cleared: the server hangs.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.status = 200
        self.retry_after_s: int | None = None
        self.delay_s = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self._lock = threading.Lock()
        self._calls: list[ReceivedCall] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def url(self, path: str = "/") -> str:
        """Returns an address of this server."""
        return f"http://{LOOPBACK}:{self.port}{path}"

    @property
    def calls(self) -> tuple[ReceivedCall, ...]:
        """Every request so far, over all starts, oldest first."""
        with self._lock:
            return tuple(self._calls)

    def wait_for(self, count: int, within_s: float = 20.0) -> tuple[ReceivedCall, ...]:
        """Returns the requests as soon as there are at least this many."""
        wait_until(lambda: len(self.calls) >= count, f"{count} calls to arrive", within_s)
        return self.calls

    def start(self) -> None:
        """Begins to listen, on the same port as before."""
        self._server = ThreadingHTTPServer((LOOPBACK, self.port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops to listen: connections are refused."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def keep(self, call: ReceivedCall) -> None:
        """Adds a request to `calls`; called by the server's threads."""
        with self._lock:
            self._calls.append(call)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _handler(sink: WebhookSink) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sink.keep(ReceivedCall(self.command, self.path, headers, body))
            time.sleep(sink.delay_s)
            sink.gate.wait(HANG_S)
            with contextlib.suppress(ConnectionError):  # whoever asked may have gone
                self._send()

        def _send(self) -> None:
            self.send_response(sink.status)
            if sink.retry_after_s is not None:
                self.send_header("Retry-After", str(sink.retry_after_s))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            """Keeps standard error clean."""

    return Handler
