"""A resolver of the fault matrix as a process: `python -m tests.matrix.name_server ADDRESS ZONE.json`.

The zone is a JSON object: the addresses of each name. It serves UDP and TCP on port 53 of its own address.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.integration.dns_server import dns_server

PORT = 53


async def serve(address: str, zone: Mapping[str, Sequence[str]]) -> None:
    """Answers until cancelled."""
    async with dns_server(address, PORT) as server:
        for name, addresses in zone.items():
            server.add(name, "A", *addresses)
        await asyncio.Event().wait()


def main() -> None:
    """Runs the resolver as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("address")
    parser.add_argument("zone", type=Path)
    options = parser.parse_args()
    asyncio.run(serve(options.address, json.loads(options.zone.read_text())))


if __name__ == "__main__":
    main()
