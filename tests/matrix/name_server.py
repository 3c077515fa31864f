"""A resolver of the fault matrix as a process: `python -m tests.matrix.name_server ADDRESS ZONE.json READY`.

The zone is a JSON object: the addresses of each name. The file READY
is made once it answers. It serves UDP and TCP on port 53 of its own address.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.integration.dns_server import dns_server

PORT = 53


async def serve(address: str, zone: Mapping[str, Sequence[str]], ready: Callable[[], None]) -> None:
    """Answers until cancelled."""
    async with dns_server(address, PORT) as server:
        ready()
        for name, addresses in zone.items():
            server.add(name, "A", *addresses)
        await asyncio.Event().wait()


def main() -> None:
    """Runs the resolver as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("address")
    parser.add_argument("zone", type=Path)
    parser.add_argument("ready", type=Path)
    options = parser.parse_args()
    asyncio.run(serve(options.address, json.loads(options.zone.read_text()), options.ready.touch))


if __name__ == "__main__":
    main()
