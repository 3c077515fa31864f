"""The agent is stopped while its store does not answer."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sentry.app.agent import STOP_WITHIN_S
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until


def test_stop_while_the_store_is_locked_says_what_is_lost(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """It ends within its time all the same, and the log has the number of results that nobody will find."""
    port = free_port()
    document = agent_document(port, {"own": f"http://127.0.0.1:{port}/healthz"}, interval_s=1)
    agent = AgentProcess(write_config(tmp_path / "sentry.yaml", document), port)
    with agent, closing(sqlite3.connect(tmp_path / "sentry.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        wait_until(
            lambda: re.search(r"^sentry_queue_depth [1-9]", agent.metrics(), re.MULTILINE) is not None, "a queue"
        )
        code = agent.stop(within_s=STOP_WITHIN_S + 20)
    assert code == 0
    assert "what it has not taken is lost" in agent.log
    assert re.search(r'"results": [1-9]', agent.log)
