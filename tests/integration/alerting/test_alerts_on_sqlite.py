"""The alert service on the real store and in real time: a mass outage, and a stop in the middle of it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sentry.clock import SystemClock
from sentry.domain.events import Event, EventKind
from sentry.domain.incident import IncidentState
from sentry.domain.notice import DeliveryState, Message, Route
from sentry.domain.site import Language
from sentry.services.alerts import Alerts
from sentry.services.switchboard import Audience
from sentry.store import Store, open_store
from tests.fakes.alert_desk import lines
from tests.fakes.channel import MemoryChannel
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.renderer import PlainRenderer
from tests.fakes.telemetry import RecordingTelemetry

INCIDENTS = 15


class SlowChannel(MemoryChannel):
    """Takes a moment for each message, as a mail server does."""

    async def send(self, message: Message, recipient: str) -> None:
        await asyncio.sleep(0.02)
        await super().send(message, recipient)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A new SQLite store."""
    async with open_store(f"sqlite:///{tmp_path}/sentry.db", handlers=("alerts",), clock=SystemClock()) as opened:
        yield opened


def service(store: Store, channels: dict[str, MemoryChannel]) -> Alerts:
    return Alerts(
        incidents=store.incidents,
        outbox=store.deliveries,
        lines=lines(channels),
        routes=[Route(to=tuple(channels))],
        audience=lambda _: Audience("priority", Language.EN),
        renderer=PlainRenderer(),
        clock=SystemClock(),
        telemetry=RecordingTelemetry(),
    )


@asynccontextmanager
async def running(alerts: Alerts) -> AsyncIterator[None]:
    """Runs the service while the block runs."""
    task = asyncio.create_task(alerts.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def open_and_resolve(store: Store, alerts: Alerts, number: int) -> None:
    """One outage from its opening to its end, both handled at once."""
    now = SystemClock().now()
    new = incident_of(error_result(), key=f"site-{number}", started_at=now - timedelta(seconds=31), detected_at=now)
    incident = await store.incidents.open(new, [])
    await alerts.handle(Event(EventKind.INCIDENT_OPENED, now, str(incident.id)))
    over = replace(incident, state=IncidentState.RESOLVED, recovered_at=now, resolved_at=now)
    await store.incidents.save(over, [], [])
    await alerts.handle(Event(EventKind.INCIDENT_RESOLVED, now, str(incident.id), {"opening": 1}))


async def settled(store: Store) -> None:
    """Waits until nothing is owed."""
    async with asyncio.timeout(15):
        while (await store.deliveries.backlog())[0]:  # noqa: ASYNC110  # the store tells nobody
            await asyncio.sleep(0.05)


def check(channel: MemoryChannel) -> None:
    """Every message arrived once, and no end before its opening."""
    keys = channel.keys()
    assert Counter(keys).most_common(1)[0][1] == 1
    assert len(keys) == 2 * INCIDENTS * len(channel.recipients())
    for key in keys:
        if ":resolved:" in key:
            assert keys.index(key.replace("resolved", "opened")) < keys.index(key)


async def test_mass_outage_reaches_everybody_once_and_in_order(store: Store) -> None:
    """Many sites go down and come back at the same time; two channels, three recipients."""
    mail, chat = SlowChannel("a@example.com", "b@example.com"), SlowChannel()
    alerts = service(store, {"mail": mail, "chat": chat})
    async with running(alerts):
        await asyncio.gather(*(open_and_resolve(store, alerts, number) for number in range(INCIDENTS)))
        await settled(store)
    check(mail)
    check(chat)


async def test_agent_stopped_and_started_in_between_sends_nothing_twice(store: Store) -> None:
    """An orderly stop lets attempts under way end, so that the next start knows of them."""
    mail = SlowChannel("a@example.com", "b@example.com")
    alerts = service(store, {"mail": mail})
    async with running(alerts):
        await asyncio.gather(*(open_and_resolve(store, alerts, number) for number in range(INCIDENTS)))
    assert 0 < len(mail.accepted) < 2 * INCIDENTS * 2
    async with running(service(store, {"mail": mail})):
        await settled(store)
    check(mail)
    for number in range(1, INCIDENTS + 1):
        states = {one.state for one in await store.deliveries.of_incident(number)}
        assert states == {DeliveryState.SENT}
