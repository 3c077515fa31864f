"""kill -9 during an outage: the agent takes up where it was, and nobody is told twice."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.house import rows
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.nginx import Nginx, Page, Vhost
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.integration


@dataclass(frozen=True, slots=True)
class House:
    """A site, a mail server and the agent."""

    nginx: Nginx
    mail: SmtpSink
    agent: AgentProcess

    def json(self, *command: str) -> Any:
        """What a reading command of the agent answers."""
        done = self.agent.cli(*command, "--json")
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def deliveries_sent(self) -> int:
        """Deliveries that the store has as sent."""
        ((count,),) = rows(self.agent.folder / "sentry.db", "SELECT count(*) FROM deliveries WHERE state = 'sent'")
        return int(count)

    def probes(self) -> float:
        """Probes made since the agent started."""
        lines = [line for line in self.agent.metrics().splitlines() if line.startswith("sentry_checks_total{")]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[House]:
    port = free_port()
    nginx, mail = Nginx(tmp_path / "nginx", [Vhost("shop")]), SmtpSink()
    document = agent_document(
        port,
        {"acme-shop": {"url": nginx.url("shop"), "checks": [{"kind": "http", "timeout_s": 3}]}},
        {"guardia": {"kind": "email", "to": ["guardia@example.com", "jefa@example.com"], "smtp": mail.url}},
    )
    config = write_config(tmp_path / "agent" / "sentry.yaml", document)
    with nginx, mail, AgentProcess(config, port) as agent:
        yield House(nginx, mail, agent)


@pytest.mark.promise("001-31")
def test_agent_killed_during_an_outage_keeps_incident_and_ticket_and_tells_nobody_twice(house: House) -> None:
    """The same incident and ticket go on after a kill -9; each recipient has one opening and one resolution."""
    wait_until(lambda: house.probes() > 0, "the first probe")
    house.nginx.set_page("shop", Page(status=503))
    house.mail.wait_for(2)
    wait_until(lambda: house.deliveries_sent() == 2, "the deliveries to be on record")

    house.agent.kill()
    house.agent.start()
    wait_until(lambda: house.probes() >= 3, "probes after the restart")

    incidents = house.json("incident", "list")
    assert [(one["id"], one["state"], one["opening"]) for one in incidents] == [(1, "open", 1)]
    assert len(house.json("ticket", "list")) == 1
    assert len(house.mail.mails) == 2

    house.nginx.set_page("shop", Page())
    mails = house.mail.wait_for(4)

    assert sorted(mail.recipients[0] for mail in mails) == ["guardia@example.com"] * 2 + ["jefa@example.com"] * 2
    assert house.json("incident", "show", "1")["state"] == "resolved"
    assert house.json("verify")["ok"]


@pytest.mark.promise("001-31")
def test_agent_killed_with_messages_pending_delivers_each_once_after_the_restart(house: House) -> None:
    """The outbox survives: what no mail server had accepted before the kill is sent once, to each recipient."""
    wait_until(lambda: house.probes() > 0, "the first probe")
    house.mail.stop()
    house.nginx.set_page("shop", Page(status=503))
    wait_until(lambda: bool(house.json("incident", "list")), "the incident")
    wait_until(lambda: bool(house.json("ticket", "list")), "the ticket")

    house.agent.kill()
    house.mail.start()
    house.agent.start()
    mails = house.mail.wait_for(2, within_s=60)
    wait_until(lambda: house.probes() >= 3, "probes after the restart")

    assert {mail.recipients[0] for mail in mails} == {"guardia@example.com", "jefa@example.com"}
    assert len({mail.message["Message-ID"] for mail in mails}) == 2
    assert len(house.mail.mails) == 2
