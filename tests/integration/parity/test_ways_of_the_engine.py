"""The engine agrees with itself whichever way it learns of readiness and speaks TLS."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from probes.engine import Engine, LoopReadiness
from probes.environment import ProbeEnvironment
from probes.tls_library import TlsChoice
from tests.fakes.probing import make_environment
from tests.integration.parity.engine_probe import comparable, engine_probe
from tests.integration.parity.raw_rows import BODIES, ENDS
from tests.integration.parity.row import Row, Stage
from tests.integration.parity.server_rows import SECURED

WAYS: Mapping[str, Callable[[ProbeEnvironment], ProbeEnvironment]] = {
    "without epoll": lambda environment: replace(environment, engine=Engine(LoopReadiness)),
    "rtls": lambda environment: replace(environment, tls=TlsChoice("rtls")),
    "verified chains": lambda environment: replace(environment, tls=TlsChoice("ssl", 3600)),
}
QUICK = 3.0
"""Rows with a shorter deadline wait for it."""

CASES = [
    *((way, row) for way in WAYS for row in SECURED if row.question.timeout_s > QUICK),
    *(("without epoll", row) for row in (*BODIES, *ENDS) if row.question.timeout_s > QUICK),
]


@pytest.mark.integration
@pytest.mark.parametrize(("way", "row"), CASES, ids=[f"{way}: {row.name}" for way, row in CASES])
async def test_every_way_of_the_engine_gives_the_verdict_of_the_usual_one(way: str, row: Row, stage: Stage) -> None:
    """Asked three times (the short ways of TLS begin with the second) it says what the usual way says."""
    async with row.scene(stage) as url:
        question = row.asked(stage, url)
        (usual,) = await engine_probe(question)
        others = await engine_probe(question, WAYS[way](make_environment(ca_file=stage.ca_file)), times=3)
    for other in others:
        assert other.reason == row.reason, other
        assert comparable(other) == comparable(usual), f"usual {usual}"
