"""The loader with the kinds that the agent is built with, and no environment but the test's own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import alerting
import probes
from sentry.domain.errors import ConfigurationError, Problem
from sentry.domain.notice import ChannelOptions
from sentry.domain.site import CheckOptions
from sentry.settings import Settings, load

CHECK_KINDS: Mapping[str, type[CheckOptions]] = {name: kind.Options for name, kind in probes.KINDS.items()}
CHANNEL_KINDS: Mapping[str, type[ChannelOptions]] = {name: kind.Options for name, kind in alerting.KINDS.items()}

Loader = Callable[..., Settings]
Writer = Callable[..., Path]


@pytest.fixture
def check_kinds() -> Mapping[str, type[CheckOptions]]:
    return CHECK_KINDS


@pytest.fixture
def channel_kinds() -> Mapping[str, type[ChannelOptions]]:
    return CHANNEL_KINDS


@pytest.fixture
def loaded() -> Loader:
    """Loads a file: `loaded(path, NAME="value")`."""

    def load_it(path: Path, **environment: str) -> Settings:
        return load(path, check_kinds=CHECK_KINDS, channel_kinds=CHANNEL_KINDS, environment=environment)

    return load_it


@pytest.fixture
def written(tmp_path: Path) -> Writer:
    """Writes files below a fresh folder: `written(text, **{"sites/a.yaml": text})`, returns the main one."""

    def write(text: str, **others: str) -> Path:
        main = tmp_path / "sentry.yaml"
        main.write_text(text)
        for name, content in others.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return main

    return write


@pytest.fixture
def problems_of(loaded: Loader) -> Callable[..., tuple[Problem, ...]]:
    """Loads a file that must be refused, and returns why."""

    def refuse(path: Path, **environment: str) -> tuple[Problem, ...]:
        with pytest.raises(ConfigurationError) as refused:
            loaded(path, **environment)
        return refused.value.problems

    return refuse
