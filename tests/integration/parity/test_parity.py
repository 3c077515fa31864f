"""The engine and plain aiohttp, side by side on the same servers."""

import asyncio
from dataclasses import replace

import pytest

from sentry.domain.result import Reason
from tests.integration.parity.engine_probe import comparable, engine_probe
from tests.integration.parity.plain_probe import plain_probe
from tests.integration.parity.raw_rows import ROWS as RAW
from tests.integration.parity.row import Row, Stage
from tests.integration.parity.server_rows import ROWS as SERVERS

ROWS: tuple[Row, ...] = (*RAW, *SERVERS)


@pytest.mark.integration
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_engine_and_plain_aiohttp_agree(row: Row, stage: Stage) -> None:
    """Reason, status, hops, size of the body and certificate are the same, or the row says why not."""
    async with row.scene(stage) as url:
        question = row.asked(stage, url)
        (ours,), plain = await asyncio.gather(engine_probe(question), plain_probe(question))
    told = f"engine {ours}\nplain {plain}"
    assert ours.reason == row.reason, told
    assert plain.reason == (row.plain if row.differs else row.reason), told
    if not row.differs:
        if plain.reason is Reason.HTTP_PROTOCOL and plain.status is None:
            # aiohttp forgets the headers that came in the same packet as a broken chunk; the engine does not.
            ours = replace(ours, status=None, hops=())
        assert comparable(ours) == comparable(plain), told


def test_at_least_forty_behaviours_agree() -> None:
    """The matrix is as large as it was promised, without the rows that differ."""
    agreeing = {row.name for row in ROWS if not row.differs}
    assert len(agreeing) == len([row for row in ROWS if not row.differs])
    assert len(agreeing) >= 40
