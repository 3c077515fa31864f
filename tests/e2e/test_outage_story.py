"""The main job among real servers: nginx stops and starts; mail, Alertmanager and Prometheus see each once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.alertmanager import Alertmanager
from tests.integration.servers.certificates import Certificates
from tests.integration.servers.nginx import Nginx, Page, Vhost
from tests.integration.servers.process import wait_until
from tests.integration.servers.prometheus import Prometheus, promtool_problems
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

pytestmark = pytest.mark.integration

SECRET = "a secret of the help desk"
PAGE = Page(body="<html><body>Carrito de la compra</body></html>")


@dataclass(frozen=True, slots=True)
class House:
    """Everything real that the story needs."""

    nginx: Nginx
    mail: SmtpSink
    alertmanager: Alertmanager
    prometheus: Prometheus
    help_desk: WebhookSink
    agent: AgentProcess

    def json(self, *command: str) -> Any:
        """What a reading command of the agent answers."""
        done = self.agent.cli(*command, "--json")
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def counter(self, expression: str) -> float:
        """The value of one of the agent's own series now."""
        values = [
            float(line.rpartition(" ")[2])
            for line in self.agent.metrics().splitlines()
            if line.startswith(expression)
        ]
        return sum(values)


@pytest.fixture
def house(tmp_path: Path, certificates: Certificates, free_port: Callable[[], int]) -> Iterator[House]:
    port = free_port()
    shop = Vhost("shop", {"/": PAGE}, certificate=certificates.valid("localhost"))
    nginx = Nginx(tmp_path / "nginx", [shop])
    mail, alertmanager, help_desk = SmtpSink(), Alertmanager(tmp_path / "alertmanager"), WebhookSink()
    document = agent_document(
        port,
        {
            "acme-shop": {
                "url": nginx.https_url("shop"),
                "checks": [
                    {"kind": "http", "expect_text": "Carrito", "max_response_s": 2, "timeout_s": 3},
                    {"kind": "http", "name": "plain", "url": nginx.url("shop"), "timeout_s": 3},
                    {"kind": "tls", "timeout_s": 3},
                ],
            }
        },
        {
            "guardia": {"kind": "email", "to": ["guardia@example.com"], "smtp": mail.url},
            "alerta": {"kind": "alertmanager", "urls": [alertmanager.url]},
        },
        probe={"ca_file": str(certificates.ca_path)},
        tickets={"mirrors": [{"url": help_desk.url(), "secret": SECRET}]},
        routes=[{"severities": ["SEV1", "SEV2"], "to": ["guardia", "alerta"]}],
    )
    config = write_config(tmp_path / "agent" / "sentry.yaml", document)
    prometheus = Prometheus(tmp_path / "prometheus", [f"127.0.0.1:{port}"])
    with nginx, mail, alertmanager, help_desk, AgentProcess(config, port) as agent, prometheus:
        yield House(nginx, mail, alertmanager, prometheus, help_desk, agent)


@pytest.mark.promise("001-31", "001-32", "001-33", "002-06")
def test_nginx_stopped_and_started_is_one_outage_told_once_to_each(house: House) -> None:
    """Outage, incident with report, ticket, mail, alert and counters; then one resolution of each."""
    house.prometheus.wait_for('probe_success{job="http"} == 1')

    house.nginx.stop()
    (opening,) = house.mail.wait_for(1)
    (alert,) = house.alertmanager.wait_for_alerts(1)
    house.prometheus.wait_for('probe_success{job="http"} == 0')

    (incident,) = house.json("incident", "list")
    assert incident["site_key"] == "acme-shop"
    assert incident["severity"] == "SEV1"
    assert incident["report"]["reason"] == "connect_refused"
    assert incident["report"]["attribution"] == "infrastructure"
    wait_until(lambda: house.json("incident", "list")[0]["ticket_number"] == 1, "the ticket")
    (ticket,) = house.json("ticket", "list")
    assert ticket["key"] == f"incident:{incident['id']}"
    assert "[SEV1]" in opening.subject
    assert "conex" in opening.text().lower()
    assert alert["labels"]["site"] == "acme-shop"
    assert house.counter('sentry_failures_total{reason="connect_refused"}') >= 3

    house.nginx.start()
    _, resolution = house.mail.wait_for(2)
    house.alertmanager.wait_for_alerts(0)
    house.prometheus.wait_for('probe_success{job="http"} == 1')

    (incident,) = house.json("incident", "list")
    assert incident["state"] == "resolved"
    assert incident["time_to_resolve_s"] > 0
    assert house.json("ticket", "show", "1")["state"] == "solved"
    assert str(incident["id"]) in resolution.subject
    assert resolution.message["In-Reply-To"] == opening.message["Message-ID"]
    assert house.json("verify") == {"ok": True, "problems": []}
    assert len(house.mail.mails) == 2


@pytest.mark.promise("001-32")
def test_failure_report_of_a_server_error_shows_what_a_person_needs(house: House) -> None:
    """Status, redacted headers, body, every address, and the last good sample, in the client's language."""
    house.prometheus.wait_for('probe_success{job="http"} == 1')
    broken = Page(
        body="<h1>Carrito: error al conectar con la base de datos</h1>",
        status=500,
        headers={"Set-Cookie": "id=s3cr3t"},
    )

    house.nginx.set_page("shop", broken)
    house.mail.wait_for(1)
    wait_until(lambda: house.json("incident", "show", "1")["report"]["evidence"] is not None, "the evidence")

    shown = house.agent.cli("incident", "show", "1").stdout
    report = house.json("incident", "show", "1")["report"]
    assert report["failed"]["evidence"]["http"]["status"] == 500
    assert report["last_good"]["status"] == "up"
    assert {trial["address"] for trial in report["evidence"]["addresses"]} >= {"127.0.0.1"}
    assert "error al conectar con la base de datos" in shown
    assert "s3cr3t" not in shown
    assert "500" in shown


def test_help_desk_that_mirrors_the_book_gets_every_entry_once(house: House) -> None:
    """Each entry of the ticket arrives, signed, in order; a help desk that is away gets it later."""
    house.prometheus.wait_for('probe_success{job="http"} == 1')
    house.help_desk.stop()
    house.nginx.set_page("shop", Page(status=503))
    house.mail.wait_for(1)
    house.help_desk.start()
    wait_until(lambda: bool(house.json("ticket", "list")), "the ticket")
    house.agent.cli("ticket", "comment", "1", "looking into it")

    wait_until(
        lambda: len(house.help_desk.calls) >= len(house.json("ticket", "show", "1")["entries"]), "the copies", 40
    )

    entries = house.json("ticket", "show", "1")["entries"]
    copies = [call.json()["entry"] for call in house.help_desk.calls]
    assert [copy["hash"] for copy in copies] == [entry["hash"] for entry in entries]
    assert any(copy["text"] == "looking into it" for copy in copies)
    assert all("webhook-signature" in call.headers for call in house.help_desk.calls)


def test_metrics_page_of_a_working_agent_is_clean_and_scraped(house: House) -> None:
    """`promtool check metrics` finds nothing, and Prometheus has every series of every check."""
    house.prometheus.wait_for("count(probe_success) == 3")
    house.prometheus.wait_for('up{job="online-sentry"} == 1')

    assert promtool_problems(house.agent.metrics()) == []
    phases = house.prometheus.query('count by (phase) (probe_http_duration_seconds{job="http"})')
    assert {series["phase"] for series, _ in phases} == {"resolve", "connect", "tls", "processing", "transfer"}
    assert house.prometheus.wait_for("probe_ssl_earliest_cert_expiry > time()")


def test_prometheus_finds_every_site_by_discovery_and_reads_its_last_sample(house: House, tmp_path: Path) -> None:
    """`/sd` names the targets and `/probe` answers for each, as blackbox_exporter would, without a new probe."""
    house.prometheus.wait_for("count(probe_success) == 3")
    discovery = Prometheus(tmp_path / "discovery", discovery_url=f"{house.agent.url}/sd")
    with discovery:
        found = discovery.wait_for("probe_success == 1", within_s=30)

    assert {series["instance"] for series, _ in found} >= {house.nginx.https_url("shop")}
