"""Alertmanager, the real one: opening, holding, repeating and ending an alert."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from alerting.alertmanager import AlertmanagerChannel, AlertmanagerOptions
from alerting.environment import ChannelEnvironment
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.severity import Severity
from sentry.ports import StandingChannel
from tests.fakes.messages import end_of, opening
from tests.integration.alerting.http_server import serving
from tests.integration.servers.alertmanager import Alertmanager
from tests.integration.servers.loopback import LOOPBACK, free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    """An Alertmanager that forgets after one second what does not say when it ends."""
    server = Alertmanager(tmp_path)
    file = tmp_path / "alertmanager.yml"
    settings = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(settings | {"global": {"resolve_timeout": "1s"}}))
    with server:
        yield server


def channel(environment: ChannelEnvironment, *urls: str, **options: object) -> AlertmanagerChannel:
    return AlertmanagerChannel(
        "am", AlertmanagerOptions.model_validate({"urls": urls, "timeout_s": 5} | options), environment
    )


async def send(channel: AlertmanagerChannel, message: object) -> None:
    for recipient in channel.recipients():
        await channel.send(message, recipient)  # type: ignore[arg-type]  # a Message


async def test_opening_fires_and_end_resolves(environment: ChannelEnvironment, alertmanager: Alertmanager) -> None:
    """One active alert with labels, annotations and link; none after the end."""
    am = channel(environment, alertmanager.url, labels={"region": "eu"})
    message = opening()
    await send(am, message)
    (alert,) = await asyncio.to_thread(alertmanager.alerts)
    assert alert["status"]["state"] == "active"
    assert alert["labels"] == {
        "alertname": "SiteDown",
        "site": "acme-shop",
        "client": "acme",
        "severity": "SEV1",
        "incident": "incident:17",
        "region": "eu",
    }
    assert alert["annotations"]["summary"] == message.subject
    assert alert["annotations"]["description"] == message.text
    assert alert["annotations"]["reason"] == "http_server_error"
    assert alert["generatorURL"] == "http://127.0.0.1:9117/incidents/17"
    assert datetime.fromisoformat(alert["startsAt"]) == message.starts_at
    await send(am, end_of(message))
    assert await asyncio.to_thread(alertmanager.wait_for_alerts, 0) == []


async def test_alert_outlives_the_resolve_timeout_without_being_repeated(
    environment: ChannelEnvironment, alertmanager: Alertmanager
) -> None:
    """An agent that is restarted for a while must not make Alertmanager say that the site works."""
    am = channel(environment, alertmanager.url)
    await send(am, opening())
    await asyncio.sleep(2.5)
    (alert,) = await asyncio.to_thread(alertmanager.alerts)
    assert datetime.fromisoformat(alert["endsAt"]) > datetime.now(UTC) + timedelta(hours=3)


async def test_repetition_brings_the_alert_back_after_a_restart_of_alertmanager(
    environment: ChannelEnvironment, alertmanager: Alertmanager
) -> None:
    """Alertmanager keeps alerts in memory only; the next repetition is the same alert, since the same moment."""
    am = channel(environment, alertmanager.url)
    message = opening()
    await send(am, message)
    (before,) = await asyncio.to_thread(alertmanager.alerts)
    await asyncio.to_thread(alertmanager.restart)
    assert await asyncio.to_thread(alertmanager.alerts) == []
    await send(am, message)
    await send(am, message)
    (after,) = await asyncio.to_thread(alertmanager.alerts)
    assert (after["fingerprint"], after["startsAt"]) == (before["fingerprint"], before["startsAt"])
    assert isinstance(am, StandingChannel)


async def test_severity_that_rose_leaves_one_alert_and_the_end_leaves_none(
    environment: ChannelEnvironment, alertmanager: Alertmanager
) -> None:
    """Other labels are another alert to Alertmanager: the one under the old severity is ended."""
    am = channel(environment, alertmanager.url)
    message = opening(severity=Severity.SEV3)
    other_site = opening(incident_key="incident:17", labels={**message.labels, "site": "another-agents-site"})
    await send(am, other_site)
    await send(am, message)
    await send(am, opening(severity=Severity.SEV1, starts_at=message.starts_at))
    alerts = await asyncio.to_thread(alertmanager.wait_for_alerts, 2)
    assert {(alert["labels"]["site"], alert["labels"]["severity"]) for alert in alerts} == {
        ("acme-shop", "SEV1"),
        ("another-agents-site", "SEV1"),
    }
    await send(am, end_of(message))
    (left,) = await asyncio.to_thread(alertmanager.wait_for_alerts, 1)
    assert left["labels"]["site"] == "another-agents-site"


async def test_reopened_incident_fires_again(environment: ChannelEnvironment, alertmanager: Alertmanager) -> None:
    """The same labels after an end are a firing alert again."""
    am = channel(environment, alertmanager.url)
    message = opening()
    await send(am, message)
    await send(am, end_of(message))
    await asyncio.to_thread(alertmanager.wait_for_alerts, 0)
    await send(am, message)
    assert len(await asyncio.to_thread(alertmanager.wait_for_alerts, 1)) == 1


async def test_every_instance_of_a_cluster_is_a_recipient(environment: ChannelEnvironment) -> None:
    """Alertmanager wants every alert at every instance; each has its own delivery, and a dead one holds up none."""
    dead = f"http://{LOOPBACK}:{free_port()}"
    async with serving(200) as server:
        am = channel(environment, server.url, dead)
        assert am.recipients() == (server.url, dead)
        with pytest.raises(DeliveryError) as caught:
            await am.send(opening(), dead)
        assert caught.value.reason is DeliveryReason.UNREACHABLE


async def test_alert_that_is_refused_is_permanent(
    environment: ChannelEnvironment, alertmanager: Alertmanager
) -> None:
    """The real server's 400 is final, with its reason."""
    am = channel(environment, f"{alertmanager.url}/wrong")
    with pytest.raises(DeliveryError) as caught:
        await send(am, opening())
    assert (caught.value.reason, caught.value.retryable) == (DeliveryReason.REJECTED, False)


async def test_server_that_is_no_alertmanager_is_misconfigured(environment: ChannelEnvironment) -> None:
    """It takes the alert with 200 and answers the question for alerts with something else."""
    async with serving(200) as server:
        with pytest.raises(DeliveryError) as caught:
            await send(channel(environment, server.url), opening())
    assert caught.value.reason is DeliveryReason.MISCONFIGURED
    assert "does not answer like Alertmanager" in str(caught.value)
