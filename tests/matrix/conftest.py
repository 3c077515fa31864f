"""Shared by the rows of the fault matrix."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.matrix.network import Network
from tests.matrix.scene import Plot, Scene

Play = Callable[[Plot], AbstractContextManager[Scene]]


@pytest.fixture
def network() -> Iterator[Network]:
    """The agent's machine and the world, joined by a cable."""
    with Network() as network:
        yield network


@pytest.fixture
def play(network: Network, tmp_path: Path) -> Play:
    """A function that plays a scene until the block ends."""
    return lambda plot: Scene(tmp_path, network, plot).playing()
