"""What every test has: the promise plugin, reproducible hypothesis, quiet logs, time limits, no quiet skips in CI."""

import os
from collections.abc import Callable, Generator, MutableMapping
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
import structlog

from tests.integration.servers.loopback import free_port as find_free_port

pytest_plugins = ["tests.promises", "pytester"]

IN_CI = os.environ.get("CI") == "true"
TESTS = Path(__file__).parent
TIMEOUTS_S = {"integration": 60.0, "e2e": 240.0, "matrix": 180.0}
"""Limits of the slower folders; elsewhere the 20 s of pyproject.toml hold. A test's own `timeout` mark wins."""

# No deadline: on a busy machine the slowest example says nothing of the code.
hypothesis.settings.register_profile("dev", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives the tests of the slower folders their time limit."""
    for item in items:
        if not item.path.is_relative_to(TESTS) or item.get_closest_marker("timeout"):
            continue
        limit_s = TIMEOUTS_S.get(item.path.relative_to(TESTS).parts[0])
        if limit_s is not None:
            item.add_marker(pytest.mark.timeout(limit_s))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI an integration test that is skipped has failed: there a missing server is a broken installation."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("integration"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept of an integration test: {reason}"
    return report


def _drop(logger: object, method: str, event: MutableMapping[str, Any]) -> NoReturn:
    raise structlog.DropEvent


@pytest.fixture(autouse=True)
def _quiet_logs() -> None:
    """Drops log lines; `structlog.testing.capture_logs` still sees them."""
    structlog.configure(processors=[_drop])


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that returns a TCP port nobody listens on, another one at each call."""
    return find_free_port
