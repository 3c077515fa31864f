"""The promise of 90 seconds, with the re-checks that are the default and a server that hangs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from sentry.domain.site import Plan
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

WITHIN_S = 90.0


@pytest.mark.promise("001-31")
def test_alert_of_a_hanging_site_is_accepted_within_90_seconds_of_the_first_failed_probe(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """Every probe takes its whole 10 s, both re-checks wait their 10 and 20 s, and the mail still comes in time."""
    port = free_port()
    site, mail = WebhookSink(), SmtpSink()
    document = agent_document(
        port,
        {"shop": {"url": site.url(), "checks": [{"kind": "http", "timeout_s": 10}]}},
        {"duty": {"kind": "email", "to": ["duty@example.com"], "smtp": mail.url}},
        interval_s=10,
        recheck_after_s=Plan().recheck_after_s,
    )
    config = write_config(tmp_path / "sentry.yaml", document)
    with site, mail, AgentProcess(config, port) as agent:
        wait_until(lambda: "probe_success{" in agent.metrics(), "the first probe")
        agent_sees = agent.cli("status", "--json")
        assert json.loads(agent_sees.stdout)[0]["state"] in {"up", "new"}
        site.gate.clear()
        (received,) = mail.wait_for(1, within_s=WITHIN_S + 20)
        accepted_at = datetime.now(UTC)
        (incident,) = json.loads(agent.cli("incident", "list", "--json").stdout)
        site.gate.set()

    started_at = datetime.fromisoformat(incident["started_at"])
    assert (accepted_at - started_at).total_seconds() < WITHIN_S
    assert parsedate_to_datetime(str(received.message["Date"])) >= started_at.replace(microsecond=0)
    assert incident["report"]["reason"] == "processing_timeout"
