"""Ports and plain HTTP on the loopback address, blocking and small: how a test looks at a server from outside."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
_given: set[int] = set()


def free_port() -> int:
    """Returns a TCP port that nobody listens on and that was not given out before in this run."""
    while True:
        with socket.socket() as listener:
            listener.bind((LOOPBACK, 0))
            port = int(listener.getsockname()[1])
        if port not in _given:
            _given.add(port)
            return port


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """Returns the body as JSON."""
        return json.loads(self.text)


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = 5.0,
) -> Answer:
    """Makes one plain HTTP request to an http:// address on this machine; `timeout_s` bounds each socket operation.

    Raises:
        OSError: nobody listens, or the answer took too long.
    """
    parts = urlsplit(url)
    if parts.hostname not in {LOOPBACK, "localhost", "::1"}:
        raise ValueError(f"tests talk to this machine only, not to {parts.hostname}")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout_s)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def answers(url: str, status: int = 200) -> bool:
    """Whether a URL answers with this status now."""
    try:
        return fetch(url, timeout_s=1.0).status == status
    except OSError:
        return False
