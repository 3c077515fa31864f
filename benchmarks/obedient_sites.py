"""A web server of many sites that obeys: run as a process, told by a Unix socket what each host name answers.

`python -m benchmarks.obedient_sites PORT SOCKET`. A command is a JSON line `{"host": "…", "mode": "…"}`; an empty
host means every one that has no mode of its own. The answer is a line with the machine's monotonic time of the
change.
"""

import argparse
import asyncio
import contextlib
import json
import re
import socket
import time
from pathlib import Path
from typing import Self

UP, ERROR, RESET, SLOW, HANG = "up", "error", "reset", "slow", "hang"
SLOW_S = 0.5
BODY = b"<html><title>Acme</title><body>Carrito</body></html>"
_HOST = re.compile(rb"\r\nhost:[ ]*([^\r:]+)", re.IGNORECASE)


def _answer(status: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
    return head.encode() + BODY


ANSWERS = {UP: _answer("200 OK"), SLOW: _answer("200 OK"), ERROR: _answer("500 Internal Server Error")}


class Command:
    """A line to a running server, over which it is told what to do."""

    def __init__(self, control: Path) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(control))
        self._answers = self._line.makefile()

    def __call__(self, host: str, mode: str) -> float:
        """Has a host behave in another way; returns the machine's monotonic time of the change."""
        self._line.sendall(json.dumps({"host": host, "mode": mode}).encode() + b"\n")
        return float(self._answers.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._answers.close()
        self._line.close()


class Sites:
    """What every host name answers."""

    def __init__(self) -> None:
        self._modes: dict[str, str] = {"": UP}

    def mode(self, host: str) -> str:
        """Returns how a host behaves."""
        return self._modes.get(host, self._modes[""])

    async def obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes commands until the caller goes."""
        while line := await reader.readline():
            command = json.loads(line)
            self._modes[command["host"]] = command["mode"]
            writer.write(f"{time.monotonic()!r}\n".encode())
            await writer.drain()
        writer.close()


class _Visit(asyncio.Protocol):
    """One connection: one request, one answer."""

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._asked = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._asked += data
        if b"\r\n\r\n" not in self._asked or self._transport is None:
            return
        found = _HOST.search(self._asked)
        mode = self._sites.mode(found[1].decode().strip() if found else "")
        if mode == RESET:
            self._transport.abort()
        elif mode == SLOW:
            asyncio.get_running_loop().call_later(SLOW_S, self._send, mode)
        elif mode != HANG:
            self._send(mode)

    def _send(self, mode: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(ANSWERS[mode])
            self._transport.close()


async def serve(port: int, control: Path) -> None:
    """Serves on every address until cancelled."""
    sites = Sites()
    loop = asyncio.get_running_loop()
    web = await loop.create_server(lambda: _Visit(sites), "0.0.0.0", port, backlog=1000)  # its namespace is its own
    obeying = await asyncio.start_unix_server(sites.obey, control)
    async with web, obeying:
        await asyncio.Event().wait()


def main() -> None:
    """Runs the server as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("control", type=Path)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.control))


if __name__ == "__main__":
    main()
