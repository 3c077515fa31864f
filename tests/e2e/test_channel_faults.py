"""Channels fail: the message waits, or takes another way, and comes once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sentry.app.agent import Agent, open_agent
from sentry.domain.notice import DeliveryState
from tests.e2e.house import House, assert_one_thread, http_site, mail_channel, series, until
from tests.fakes.driven_clock import DrivenClock
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.smtp_sink import SmtpSink
from tests.integration.servers.webhook_sink import WebhookSink

SPEED = 10.0
"""A minute of back-off is seen in six seconds: the whole agent lives by this clock, all else is real."""


@pytest.fixture
def site() -> Iterator[WebhookSink]:
    with WebhookSink() as site:
        yield site


@asynccontextmanager
async def hurried_agent(
    folder: Path, site: WebhookSink, channels: Mapping[str, Mapping[str, Any]], clock: DrivenClock, **sections: Any
) -> AsyncIterator[Agent]:
    """Runs an agent by a clock that runs fast; it has probed the site once."""
    document = agent_document(
        0,
        {"acme-shop": http_site(site)},
        channels,
        interval_s=10,
        recheck_after_s=(2, 4),
        store=f"sqlite:///{folder}/sentry.db",
        **sections,
    )
    async with open_agent(write_config(folder / "sentry.yaml", document), clock) as agent:
        await until(lambda: agent.metrics.probe_page("acme-shop/http") not in {None, b""}, "the first probe")
        yield agent


def counted(agent: Agent, start: str) -> float:
    """The value of one of the agent's series."""
    return series(agent.metrics.page().decode(), start)


async def deliveries(agent: Agent) -> dict[tuple[str, str], DeliveryState]:
    """The state of each delivery of the only incident, by channel and kind."""
    (incident,) = await agent.books.store.incidents.list()
    return {
        (one.channel, str(one.kind)): one.state for one in await agent.books.store.deliveries.of_incident(incident.id)
    }


async def incident_is(agent: Agent, state: str) -> None:
    """Waits until the only incident is in a state."""
    async with asyncio.timeout(20):
        while [one.state for one in await agent.books.store.incidents.list()] != [state]:  # noqa: ASYNC110  # in the store
            await asyncio.sleep(0.05)


@pytest.mark.promise("001-31")
async def test_mail_server_down_for_the_whole_outage_gets_both_messages_late_once_it_is_back(
    tmp_path: Path, site: WebhookSink
) -> None:
    """The opening, marked as late, and then the resolution in its thread: each once, in this order."""
    clock, mail = DrivenClock(speed=SPEED), SmtpSink()
    async with hurried_agent(tmp_path, site, {"guardia": mail_channel(mail)}, clock, language="en") as agent:
        site.status = 503
        await incident_is(agent, "open")
        opened_at = clock.monotonic()
        site.status = 200
        await incident_is(agent, "resolved")
        await until(lambda: clock.monotonic() - opened_at > 100, "100 seconds without a mail server")
        assert counted(agent, 'sentry_alert_failures_total{channel="guardia",reason="unreachable"}') >= 3

        with mail:
            await until(lambda: len(mail.mails) == 2, "both mails", within_s=30)
            await clock.sleep(30)
            opening, resolution = mail.mails

        assert_one_thread(mail.mails)
        assert "[SEV1]" in opening.subject
        assert "min late" in opening.subject
        assert "[RESOLVED]" in resolution.subject
        assert await deliveries(agent) == {
            ("guardia", "opened"): DeliveryState.SENT,
            ("guardia", "resolved"): DeliveryState.SENT,
        }


@pytest.mark.promise("001-31")
async def test_channels_that_fail_each_time_leave_the_message_to_their_fallback_once(
    tmp_path: Path, site: WebhookSink
) -> None:
    """HTTP 500 here, nobody listening there: the fall-back of both is used within the 90 s, and used once."""
    clock, mail, broken, dead = DrivenClock(speed=SPEED), SmtpSink(), WebhookSink(), WebhookSink()
    broken.status = 500
    hook = {"kind": "webhook", "fallback": "guardia"}
    channels = {
        "broken": {**hook, "url": broken.url()},
        "dead": {**hook, "url": dead.url()},
        "guardia": mail_channel(mail),
    }
    routes = [{"to": ["broken", "dead"]}]
    with broken, mail:
        async with hurried_agent(tmp_path, site, channels, clock, routes=routes, language="en") as agent:
            site.status = 503
            await incident_is(agent, "open")
            opened_at = clock.monotonic()
            await until(lambda: len(mail.mails) == 1, "the fall-back to be used", within_s=30)
            assert 40 < clock.monotonic() - opened_at < 60
            site.status = 200
            await until(lambda: len(mail.mails) == 2, "the end to follow", within_s=30)
            await clock.sleep(20)

            assert_one_thread(mail.mails)
            for channel, reason in (("broken", "server_error"), ("dead", "unreachable")):
                start = f'sentry_alert_failures_total{{channel="{channel}",reason="{reason}"}}'
                assert counted(agent, start) >= 3
                assert counted(agent, f'sentry_alerts_dead_total{{channel="{channel}"}}') == 1
            keys = {call.headers["idempotency-key"] for call in broken.calls}
            assert len(keys) == 1


@pytest.mark.promise("001-31")
def test_mail_that_is_refused_for_good_goes_to_the_fallback_at_once(
    tmp_path: Path, free_port: Callable[[], int]
) -> None:
    """550: no second attempt, the fall-back has opening and resolution once each, and the error has its reason."""
    with ExitStack() as stack:
        mail, hook = stack.enter_context(SmtpSink()), stack.enter_context(WebhookSink())
        mail.refuse("550 5.7.1 Not from you")
        channels = {
            "guardia": mail_channel(mail, fallback="central"),
            "central": {"kind": "webhook", "url": hook.url()},
        }
        routes = [{"to": ["guardia"]}]
        house = House.prepare(tmp_path / "agent", free_port(), {}, channels=channels, routes=routes)
        for server in (house.site, house.agent):
            stack.enter_context(server)
        house.wait_for_probes(1)

        house.turn(down=True)
        (opening,) = hook.wait_for(1)
        house.turn(down=False)
        _, resolution = hook.wait_for(2)
        house.settle()
        wait_until(lambda: house.series("sentry_outbox_pending") == 0, "nothing to be owed")

        assert [call.json()["kind"] for call in hook.calls] == ["opened", "resolved"]
        assert opening.headers["idempotency-key"] != resolution.headers["idempotency-key"]
        assert opening.json()["incident_key"] == resolution.json()["incident_key"]
        assert mail.mails == ()
        assert mail.refused == 1
        assert house.series('sentry_alert_failures_total{channel="guardia",reason="rejected"}') == 1
        assert house.series('sentry_alerts_dead_total{channel="guardia"}') == 1
        assert house.series('sentry_alerts_total{channel="central"}') == 2
