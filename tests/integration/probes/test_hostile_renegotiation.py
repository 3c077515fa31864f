"""A TLS 1.2 server that asks for a new handshake again and again: `openssl s_server`, told to by its own console."""

import asyncio
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from sentry.domain.result import Reason, Status
from tests.integration.hostile.tls_identity import TRUSTED, Wardrobe
from tests.integration.probing import probe_once

TIMEOUT_S = 3.0
RENEGOTIATE = b"r\n"
"""What one writes at the console of `s_server` for a HelloRequest."""


@pytest.mark.integration
@pytest.mark.timeout(30)
async def test_tls_renegotiation_again_and_again_costs_one_handshake(tmp_path: Path) -> None:
    """The probe shakes hands once, says no to every further one, and ends in time."""
    wardrobe = Wardrobe(tmp_path).fill()
    async with openssl_server(tmp_path / f"{TRUSTED}.pem") as (server, port):
        asking = asyncio.create_task(ask_for_ever(server))
        result = await probe_once(
            f"https://site.test:{port}/", ca_file=wardrobe.ca_file, options={"timeout_s": TIMEOUT_S}
        )
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        with suppress(ProcessLookupError):  # it may have ended by itself at the probe's refusal
            server.kill()
        assert server.stdout is not None
        said = await server.stdout.read()
    assert result.status is Status.DOWN
    assert result.reason in {Reason.TLS_HANDSHAKE, Reason.PROCESSING_TIMEOUT, Reason.HTTP_PROTOCOL}
    assert result.duration_s < TIMEOUT_S + 0.5
    assert said.count(b"HelloRequest") >= 1
    assert said.count(b"ClientHello") == 1


@asynccontextmanager
async def openssl_server(pem: Path) -> AsyncIterator[tuple[Process, int]]:
    """Runs a server that prints every handshake message; yields it and its port."""
    command = f"openssl s_server -accept 127.0.0.1:0 -tls1_2 -msg -cert {pem} -key {pem} -cert_chain {pem}"
    try:
        server = await asyncio.create_subprocess_exec(*command.split(), stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert server.stdout is not None
    line = b""
    while not line.startswith(b"ACCEPT "):
        line = await server.stdout.readline()
        assert line, "openssl ended before it served"
    try:
        yield server, int(line.rpartition(b":")[2])
    finally:
        with suppress(ProcessLookupError):
            server.kill()
        await server.wait()


async def ask_for_ever(server: Process) -> None:
    """Writes at the console until it is cancelled; what is written before the handshake waits for it."""
    assert server.stdin is not None
    while True:
        await asyncio.sleep(0.01)
        server.stdin.write(RENEGOTIATE)
        await server.stdin.drain()
