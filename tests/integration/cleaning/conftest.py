from collections.abc import Iterator
from pathlib import Path

import pytest

from sentry.ports import Host
from sentry.remote.local_host import LocalHost
from tests.fakes.cleaning import Bench


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The account's home, where a host keeps the lock."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def host() -> Iterator[Host]:
    one = LocalHost()
    yield one
    one.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "data")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    return folder
