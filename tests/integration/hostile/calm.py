"""An honest server that takes its time, in a process of its own: `python -m tests.integration.hostile.calm`."""

import asyncio
import os
import sys
from contextlib import suppress

from tests.integration.hostile.speech import page

LATENCY_S = 1.0
BODY = b"<html><body>A page as it should be.</body></html>" * 20


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers a request after a while."""
    with suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(LATENCY_S)
        writer.write(page(BODY))
        await writer.drain()
    writer.close()


async def main() -> None:
    """Serves until its standard input ends."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # the way to tell
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # answers are still under way


if __name__ == "__main__":
    asyncio.run(main())
