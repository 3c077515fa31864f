"""How a message gets through: back-off, expiry, fall-back, stuck channels, a store that does not answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from sentry.domain.errors import DeliveryReason
from sentry.domain.notice import Delivery, DeliveryState, Route
from tests.fakes.alert_desk import AlertDesk, lines
from tests.fakes.channel import MemoryChannel, refused
from tests.fakes.outbox import MemoryOutbox

KEY = "1:1:opened:mail:guardia@example.com"
TO_BOTH = (Route(to=("mail", "chat")),)


def rejected() -> Exception:
    return refused(DeliveryReason.REJECTED, retryable=False)


@contextlib.asynccontextmanager
async def running(desk: AlertDesk) -> AsyncIterator[None]:
    """Runs the service while the block runs."""
    task = asyncio.create_task(desk.alerts.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_retryable_failure_backs_off_exponentially_up_to_five_minutes() -> None:
    """Attempts come at once, then after 5, 10, 20, 40 … and at most 300 seconds."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    await desk.open()
    seen = []
    start = desk.clock.monotonic()
    await desk.alerts.deliver_due()
    for _ in range(1600):
        before = desk.mail.attempts
        await desk.pass_time(1)
        if desk.mail.attempts > before:
            seen.append(desk.clock.monotonic() - start)
    gaps = [later - earlier for earlier, later in zip([0.0, *seen], seen, strict=False)]
    assert gaps == [5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
    assert desk.telemetry.counted("alert_failures_total", channel="mail", reason="unreachable") == 11


async def test_wish_of_the_other_side_to_wait_is_kept_within_bounds() -> None:
    """Retry-After lengthens the waiting, at most to a quarter of an hour."""
    desk = AlertDesk()
    desk.mail.failures = [
        refused(DeliveryReason.RATE_LIMITED, retry_after_s=120),
        refused(DeliveryReason.RATE_LIMITED, retry_after_s=1e9),
    ]
    await desk.open()
    await desk.alerts.deliver_due()
    await desk.pass_time(119)
    assert desk.mail.attempts == 1
    await desk.pass_time(2)
    assert desk.mail.attempts == 2
    await desk.pass_time(898, step_s=10)
    assert desk.mail.attempts == 2
    await desk.pass_time(3)
    assert desk.mail.keys() == [KEY]


async def test_permanent_failure_goes_to_the_fallback_at_once() -> None:
    """A recipient that the server refuses for good does not wait for the expiry."""
    chat = MemoryChannel()
    desk = AlertDesk(
        {"mail": (mail := MemoryChannel("guardia@example.com")), "chat": chat},
        options={"mail": {"fallback": "chat"}},
    )
    mail.fails_with = rejected()
    await desk.open()
    await desk.alerts.deliver_due()
    assert chat.keys() == ["1:1:opened:chat:"]
    assert desk.outbox.deliveries["1:1:opened:chat:"].fallback_of == KEY
    dead = desk.outbox.deliveries[KEY]
    assert dead.state is DeliveryState.DEAD
    assert dead.last_error == "rejected: as the test says"
    assert desk.telemetry.counted("alerts_dead_total", channel="mail") == 1
    assert desk.telemetry.counted("alert_failures_total", channel="mail", reason="rejected") == 1


async def test_end_follows_the_opening_to_the_fallback() -> None:
    """Whoever got the opening in another's stead gets the end as well; the dead channel gets neither."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat"}})
    mail.fails_with = rejected()
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.resolve(incident)
    await desk.alerts.deliver_due()
    assert chat.keys() == ["1:1:opened:chat:", "1:1:resolved:chat:"]
    assert mail.attempts == 1


async def test_opening_that_dies_after_the_end_was_queued_takes_the_end_along() -> None:
    """Mail is away during the incident and for good: the fall-back gets the opening, then the end."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat", "expire_after_s": 600}})
    mail.fails_with = refused()
    incident = await desk.open()
    await desk.alerts.deliver_due()
    await desk.resolve(incident)
    await desk.pass_time(700, step_s=5)
    assert chat.keys() == ["1:1:opened:chat:", "1:1:resolved:chat:"]
    assert desk.outbox.states()["1:1:resolved:mail:guardia@example.com"] is DeliveryState.CANCELLED


@pytest.mark.promise("001-31")
async def test_opening_on_a_dead_channel_reaches_the_fallback_within_the_90_seconds() -> None:
    """Nobody wrote down a time: 20 to 30 s of re-checks are over, and less than a minute is left."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat"}})
    mail.fails_with = refused()
    await desk.open()
    await desk.pass_time(44, step_s=1)
    assert chat.keys() == []
    await desk.pass_time(6, step_s=1)
    assert chat.keys() == ["1:1:opened:chat:"]
    assert mail.attempts >= 4


async def test_channels_that_are_each_others_fallback_keep_the_message_alive() -> None:
    """Where the message cannot go on, it is tried for a day, not for 45 seconds."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    options = {"mail": {"fallback": "chat"}, "chat": {"fallback": "mail"}}
    desk = AlertDesk({"mail": mail, "chat": chat}, options=options)
    mail.fails_with = chat.fails_with = refused()
    await desk.open()
    await desk.pass_time(3600, step_s=5)
    chat.fails_with = None
    await desk.pass_time(400, step_s=5)
    assert chat.keys() == ["1:1:opened:chat:"]


async def test_end_that_expires_goes_to_the_fallback_of_whoever_was_told() -> None:
    """Somebody works on it because mail worked at first; that it is over must reach them another way."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat", "expire_after_s": 600}})
    incident = await desk.open()
    await desk.alerts.deliver_due()
    mail.fails_with = refused()
    await desk.resolve(incident)
    await desk.pass_time(700, step_s=5)
    assert mail.keys() == [KEY]
    assert chat.keys() == ["1:1:resolved:chat:"]


async def test_expiry_allows_a_last_attempt_at_its_very_moment() -> None:
    """A message is not given up without having been tried when its time ran out, however long the agent slept."""
    desk = AlertDesk(options={"mail": {"expire_after_s": 60}})
    desk.mail.failures = [refused()]
    await desk.open()
    await desk.alerts.deliver_due()
    await desk.clock.advance(7200)
    await desk.alerts.deliver_due()
    assert desk.mail.keys() == [KEY]


async def test_expired_message_without_fallback_is_dead_and_counted() -> None:
    """Nobody to inherit: it says so and stops."""
    desk = AlertDesk(options={"mail": {"expire_after_s": 60}})
    desk.mail.fails_with = refused()
    await desk.open()
    await desk.pass_time(120)
    attempts = desk.mail.attempts
    await desk.pass_time(600, step_s=5)
    assert desk.mail.attempts == attempts
    assert desk.outbox.states() == {KEY: DeliveryState.DEAD}


async def test_fallbacks_in_a_circle_end_when_all_were_tried() -> None:
    """Mail → chat → mail is tried once each."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk(
        {"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat"}, "chat": {"fallback": "mail"}}
    )
    mail.fails_with = chat.fails_with = rejected()
    await desk.open()
    await desk.pass_time(60)
    assert (mail.attempts, chat.attempts) == (1, 1)
    assert set(desk.outbox.states().values()) == {DeliveryState.DEAD}


async def test_last_channel_of_a_circle_waits_for_a_mended_password() -> None:
    """A fall-back that this message came from is no help: nobody else can deliver it."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk(
        {"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat"}, "chat": {"fallback": "mail"}}
    )
    mail.fails_with = rejected()
    chat.fails_with = refused(DeliveryReason.AUTHENTICATION, retryable=False)
    await desk.open()
    await desk.pass_time(10)
    assert desk.outbox.states() == {KEY: DeliveryState.DEAD, "1:1:opened:chat:": DeliveryState.PENDING}


async def test_end_follows_its_late_opening_at_once() -> None:
    """The end waited behind the opening, for minutes by now; it does not wait out its own back-off."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    incident = await desk.open()
    await desk.pass_time(400, step_s=5)
    await desk.resolve(incident)
    await desk.pass_time(10, step_s=5)
    desk.mail.fails_with = None
    while not desk.mail.accepted:
        await desk.pass_time(5, step_s=5)
    assert [message.kind for message, _ in desk.mail.accepted] == ["opened", "resolved"]


async def test_fallback_that_was_told_by_a_route_is_not_told_twice() -> None:
    """The fall-back already has this message as its own."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, TO_BOTH, options={"mail": {"fallback": "chat"}})
    mail.fails_with = rejected()
    incident = await desk.open()
    await desk.pass_time(5)
    await desk.resolve(incident)
    await desk.pass_time(5)
    assert chat.keys() == ["1:1:opened:chat:", "1:1:resolved:chat:"]


async def test_wrong_password_without_fallback_waits_for_a_mended_configuration() -> None:
    """An alert is not lost to a typing mistake: a reload tries it again at once."""
    desk = AlertDesk()
    desk.mail.fails_with = refused(DeliveryReason.AUTHENTICATION, retryable=False)
    await desk.open()
    await desk.pass_time(60)
    assert desk.mail.attempts == 1
    assert desk.outbox.states() == {KEY: DeliveryState.PENDING}
    mended = MemoryChannel("guardia@example.com")
    await desk.alerts.replace(lines({"mail": mended}), [Route(to=("mail",))])
    await desk.alerts.deliver_due()
    assert mended.keys() == [KEY]


async def test_stuck_channel_holds_up_no_other() -> None:
    """While every attempt of one channel hangs, another delivers a hundred incidents."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, TO_BOTH)
    mail.gate.clear()
    async with running(desk):
        for number in range(100):
            await desk.open(key=f"site-{number}")
        await desk.clock.advance(5)
        assert len(chat.accepted) == 100
        assert mail.attempts == 8
        mail.gate.set()
        await desk.clock.advance(5)
        assert len(mail.accepted) == 100


async def test_hanging_attempt_ends_at_its_deadline_as_a_timeout() -> None:
    """The service's own deadline holds also where a channel has none."""
    desk = AlertDesk(attempt_timeout_s=0.02)
    desk.mail.gate.clear()
    await desk.open()
    await desk.alerts.deliver_due()
    assert desk.telemetry.counted("alert_failures_total", channel="mail", reason="timeout") == 1
    desk.mail.gate.set()
    await desk.pass_time(10)
    assert desk.mail.keys() == [KEY]


async def test_new_delivery_is_tried_at_once_without_waiting_for_the_poll() -> None:
    """Handling an event wakes the courier: no time has to go by."""
    desk = AlertDesk()
    async with running(desk):
        await desk.clock.advance(0)
        await desk.open()
        await desk.clock.advance(0)
        assert desk.mail.keys() == [KEY]


async def test_fault_of_a_template_is_retried_and_counted_as_ours() -> None:
    """A bug of ours delays a message; it does not lose it and stops nobody."""
    desk = AlertDesk()
    desk.renderer.fails_with = KeyError("headline")
    await desk.open()
    await desk.alerts.deliver_due()
    assert desk.telemetry.counted("alert_failures_total", channel="mail", reason="our_error") == 1
    desk.renderer.fails_with = None
    await desk.pass_time(10)
    assert desk.mail.keys() == [KEY]


async def test_store_locked_after_acceptance_does_not_send_again() -> None:
    """What was accepted stays accepted in memory until the store takes it."""
    desk = AlertDesk()
    desk.mail.gate.clear()
    async with running(desk):
        await desk.open()
        await desk.clock.advance(0)
        desk.outbox.locked_calls = 40
        desk.mail.gate.set()
        await desk.clock.advance(120)
        assert desk.mail.attempts == 1
        assert desk.outbox.states() == {KEY: DeliveryState.SENT}


async def test_store_locked_before_delivery_waits_and_delivers() -> None:
    """An outbox that cannot be read for a while loses nothing."""
    desk = AlertDesk()
    async with running(desk):
        await desk.open()
        desk.outbox.locked_calls = 10
        await desk.clock.advance(60)
        assert desk.mail.keys() == [KEY]
        assert desk.telemetry.counted("store_errors_total", kind="outbox") >= 9


async def test_agent_killed_before_recording_sends_again_under_the_same_key() -> None:
    """At least once: the second attempt carries the identity of the first."""
    desk = AlertDesk()
    await desk.open()
    await desk.alerts.deliver_due()
    successor = AlertDesk()
    successor.incidents.incidents = desk.incidents.incidents
    lost = replace(desk.outbox.deliveries[KEY], state=DeliveryState.PENDING, sent_at=None)
    successor.outbox.deliveries[KEY] = lost
    await successor.alerts.deliver_due()
    assert successor.mail.keys() == desk.mail.keys() == [KEY]


async def test_outbox_that_answers_late_does_not_send_twice() -> None:
    """A row read before an attempt that has ended meanwhile is looked at again before it is sent."""
    desk = AlertDesk()
    await desk.open()
    stale = list(desk.outbox.deliveries.values())
    await desk.alerts.deliver_due()

    class LateOutbox(MemoryOutbox):
        async def due(self, now: datetime, limit: int, *, channel: str | None = None) -> Sequence[Delivery]:
            return [stale.pop()] if stale else []

    late = LateOutbox()
    late.deliveries = desk.outbox.deliveries
    successor = AlertDesk(outbox=late)
    successor.incidents.incidents = desk.incidents.incidents
    assert await successor.alerts.deliver_due() == 1
    assert not successor.mail.accepted
    assert late.states() == {KEY: DeliveryState.SENT}


async def test_incident_that_is_gone_cancels_its_messages() -> None:
    """A store that was cleaned up by hand leaves nothing that is tried for ever."""
    desk = AlertDesk()
    await desk.open()
    desk.incidents.incidents.clear()
    await desk.alerts.deliver_due()
    assert desk.outbox.states() == {KEY: DeliveryState.CANCELLED}
    assert not desk.mail.attempts


async def test_channel_removed_by_a_reload_hands_its_messages_to_its_fallback() -> None:
    """The fall-back of a channel that is gone is remembered."""
    mail, chat = MemoryChannel("guardia@example.com"), MemoryChannel()
    desk = AlertDesk({"mail": mail, "chat": chat}, options={"mail": {"fallback": "chat"}})
    mail.fails_with = refused()
    await desk.open()
    await desk.alerts.deliver_due()
    await desk.alerts.replace(lines({"chat": chat}), [Route(to=("chat",))])
    await desk.alerts.deliver_due()
    assert chat.keys() == ["1:1:opened:chat:"]
    assert desk.outbox.deliveries[KEY].last_error == "the channel 'mail' is not configured any more"


async def test_channel_renamed_while_the_agent_was_off_follows_the_routes() -> None:
    """After a restart nothing is known of the old channel; whoever the routes name now gets its messages."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    await desk.open()
    await desk.alerts.deliver_due()
    guardia = MemoryChannel()
    successor = AlertDesk({"guardia": guardia}, [Route(to=("guardia",))])
    successor.incidents.incidents = desk.incidents.incidents
    successor.outbox.deliveries = desk.outbox.deliveries
    async with running(successor):
        await successor.clock.advance(5)
    assert guardia.keys() == ["1:1:opened:guardia:"]


async def test_channel_removed_with_nobody_to_inherit_says_so() -> None:
    """The message is dead, and its error names the reason."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    await desk.open()
    await desk.alerts.deliver_due()
    await desk.alerts.replace({}, [])
    assert desk.outbox.states() == {KEY: DeliveryState.DEAD}
    assert desk.outbox.deliveries[KEY].last_error == "the channel 'mail' is not configured any more"


@pytest.mark.parametrize("seconds", [-3600, -30])
async def test_wall_clock_set_back_does_not_stretch_the_waiting(seconds: float) -> None:
    """A waiting that the clock's jump made an hour longer is cut short at the next sweep."""
    desk = AlertDesk()
    desk.mail.failures = [refused()] * 3
    async with running(desk):
        await desk.open()
        await desk.clock.advance(20)
        desk.clock.jump(seconds)
        await desk.clock.advance(60)
        assert desk.mail.keys() == [KEY]


async def test_backlog_is_shown_while_messages_wait() -> None:
    """The gauges name how many are owed and how long the oldest has waited."""
    desk = AlertDesk()
    desk.mail.fails_with = refused()
    async with running(desk):
        await desk.open()
        await desk.clock.advance(100)
        gauges = {name: value for (name, _), value in desk.telemetry.gauges.items()}
        assert gauges["outbox_pending"] == 1
        assert gauges["outbox_oldest_seconds"] == pytest.approx(100, abs=3)
        desk.mail.fails_with = None
        await desk.clock.advance(200)
        gauges = {name: value for (name, _), value in desk.telemetry.gauges.items()}
        assert gauges["outbox_pending"] == gauges["outbox_oldest_seconds"] == 0
