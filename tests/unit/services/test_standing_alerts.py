"""Alerts that the other side forgets unless they are said again."""

import asyncio

from sentry.domain.incident import IncidentState
from sentry.domain.notice import NoticeKind, Route
from tests.fakes.alert_desk import AlertDesk
from tests.fakes.channel import MemoryStandingChannel, refused

ROUTES = (Route(to=("am",)),)


def desk_with(channel: MemoryStandingChannel) -> AlertDesk:
    return AlertDesk({"am": channel}, ROUTES)


async def test_open_incident_is_repeated_until_it_is_resolved() -> None:
    """Once per interval, under the same key, never marked late; nothing after the end."""
    channel = MemoryStandingChannel(resend_every_s=60)
    desk = desk_with(channel)
    incident = await desk.open()
    await desk.alerts.deliver_due()
    for _ in range(10):
        await desk.pass_time(30)
        await desk.alerts.repeat_standing()
    repeated = len(channel.accepted) - 1
    assert repeated == 5
    assert {message.key for message, _ in channel.accepted} == {"1:1:opened:am:"}
    assert all(message.delayed_s == 0 for message, _ in channel.accepted)
    await desk.resolve(incident)
    await desk.alerts.deliver_due()
    await desk.pass_time(120)
    assert await desk.alerts.repeat_standing() == 0
    assert channel.accepted[-1][0].kind is NoticeKind.RESOLVED


async def test_acknowledged_incident_is_still_repeated() -> None:
    """That somebody works on it does not end the alert."""
    channel = MemoryStandingChannel()
    desk = desk_with(channel)
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.change(incident, state=IncidentState.ACKNOWLEDGED)
    assert await desk.alerts.repeat_standing() == 1


async def test_opening_that_was_not_accepted_yet_is_not_repeated() -> None:
    """The outbox owes it already."""
    channel = MemoryStandingChannel()
    desk = desk_with(channel)
    channel.fails_with = refused()
    await desk.open()
    await desk.alerts.deliver_due()
    assert await desk.alerts.repeat_standing() == 0
    assert channel.attempts == 1


async def test_repetition_that_fails_is_counted_and_made_good_by_the_next() -> None:
    """A lost repetition is no message lost."""
    channel = MemoryStandingChannel(resend_every_s=60)
    desk = desk_with(channel)
    await desk.open()
    await desk.alerts.deliver_due()
    channel.failures = [refused()]
    assert await desk.alerts.repeat_standing() == 0
    assert desk.telemetry.counted("alert_failures_total", channel="am", reason="unreachable") == 1
    await desk.pass_time(60)
    assert await desk.alerts.repeat_standing() == 1


async def test_reopened_incident_repeats_the_newest_opening() -> None:
    """What is said again is the opening that stands."""
    channel = MemoryStandingChannel()
    desk = desk_with(channel)
    over = await desk.resolve(await desk.open())
    await desk.alerts.deliver_due()
    await desk.reopen(over)
    await desk.alerts.deliver_due()
    await desk.alerts.repeat_standing()
    assert channel.accepted[-1][0].key == "1:2:reopened:am:"


async def test_channel_that_remembers_is_never_repeated_to() -> None:
    """Mail gets one opening."""
    desk = AlertDesk()
    await desk.open()
    await desk.alerts.deliver_due()
    assert await desk.alerts.repeat_standing() == 0
    assert len(desk.mail.accepted) == 1


async def test_end_waits_for_a_repetition_that_is_under_way() -> None:
    """A repeated opening that arrived after the end would bring the alert back for hours."""
    channel = MemoryStandingChannel()
    desk = desk_with(channel)
    incident = await desk.open()
    await desk.alerts.deliver_due()
    channel.gate.clear()
    repetition = asyncio.create_task(desk.alerts.repeat_standing())
    await desk.clock.advance(0)
    assert channel.attempts == 2
    await desk.resolve(incident)
    end = asyncio.create_task(desk.alerts.deliver_due())
    await desk.clock.advance(0)
    assert channel.attempts == 2
    channel.gate.set()
    await asyncio.gather(repetition, end)
    assert [message.kind for message, _ in channel.accepted] == ["opened", "opened", "resolved"]
    assert await desk.alerts.repeat_standing() == 0


async def test_repetition_that_waited_for_the_end_is_dropped() -> None:
    """Whoever comes second looks again whether the incident still lasts."""
    channel = MemoryStandingChannel()
    desk = desk_with(channel)
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.resolve(incident)
    channel.gate.clear()
    end = asyncio.create_task(desk.alerts.deliver_due())
    await desk.clock.advance(0)
    desk.incidents.incidents[incident.id] = incident
    repetition = asyncio.create_task(desk.alerts.repeat_standing())
    await desk.clock.advance(0)
    await desk.change(incident, state=IncidentState.RESOLVED)
    channel.gate.set()
    await asyncio.gather(end, repetition)
    assert [message.kind for message, _ in channel.accepted] == ["opened", "resolved"]
