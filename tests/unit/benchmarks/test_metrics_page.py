"""The sides of the benchmark of the metrics page say the same, else their costs could not be compared."""

import gzip
import re

import pytest

from benchmarks.metrics_page_side import GZIP_MAGIC, SERIES_PER_CHECK, SIDES, measured, watched

CHECKS = 3


async def _series(name: str) -> set[tuple[str, frozenset[str]]]:
    side = SIDES[name](watched(CHECKS))
    for number in range(CHECKS):
        side.update(number, 0.1)
    page = b"".join([piece async for piece in side.scrape()])
    text = (gzip.decompress(page) if page.startswith(GZIP_MAGIC) else page).decode()
    lines = [line.partition("{") for line in text.splitlines() if 'instance="' in line]
    return {(family, frozenset(re.findall(r'(\w+="[^"]*")', labels))) for family, _, labels in lines}


@pytest.mark.parametrize("name", SIDES)
async def test_side_any_has_the_same_series_as_the_agent(name: str) -> None:
    """Same families, same labels, same values of labels, for each check."""
    series = await _series(name)
    assert len(series) == CHECKS * SERIES_PER_CHECK
    assert series == await _series("online-sentry")


async def test_measured_side_has_every_figure() -> None:
    """A page that was counted, and its size."""
    found = await measured("online-sentry, gzip", CHECKS)
    assert found.page_bytes > 0
    assert found.cpu_ms > 0
