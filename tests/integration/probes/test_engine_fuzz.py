import random
from itertools import islice
from pathlib import Path

from tests.fuzz.corpus import seeds
from tests.fuzz.engine import bench, mutated


async def test_engine_gives_the_same_verdict_however_packets_come(tmp_path: Path) -> None:
    """Kept and mutated responses, torn into packets, many at once; every fourth distorted below TLS."""
    chance = random.Random(20261122)  # noqa: S311  # the same mutations each time
    async with bench(chance, tmp_path) as servers:
        await servers.try_all(iter(seeds().values()))
        await servers.try_all(islice(mutated(chance), 150))
    assert servers.findings == []
    assert servers.probed > 300
