import asyncio

from sentry.dispatch import BACK_OFF_S, Dispatcher
from sentry.domain.errors import StoreUnavailable
from sentry.domain.events import Event, EventKind
from tests.fakes.clock import ManualClock
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryEventQueue


def events(clock: ManualClock, count: int) -> list[Event]:
    return [Event(EventKind.CHANGE_SEEN, clock.now(), f"s{number}/http") for number in range(count)]


async def test_events_reach_every_handler_in_order() -> None:
    """Each handler sees each event once, oldest first."""
    clock, seen = ManualClock(), []
    queue = MemoryEventQueue(["one", "two"])

    async def one(event: Event) -> None:
        seen.append(("one", event.subject))

    async def two(event: Event) -> None:
        seen.append(("two", event.subject))

    await queue.publish(events(clock, 3))
    await Dispatcher(queue, {"one": one, "two": two}, clock, RecordingTelemetry()).drain()

    assert [subject for name, subject in seen if name == "one"] == ["s0/http", "s1/http", "s2/http"]
    assert [subject for name, subject in seen if name == "two"] == ["s0/http", "s1/http", "s2/http"]
    assert queue.owed == {"one": [], "two": []}


async def test_handler_that_fails_is_tried_again_with_a_back_off() -> None:
    """A failure keeps its event; the next attempt comes after the back-off and no other event overtakes it."""
    clock, attempts = ManualClock(), []
    queue = MemoryEventQueue(["one"])

    async def flaky(event: Event) -> None:
        attempts.append(event.subject)
        if len(attempts) == 1:
            raise OSError("not today")

    dispatcher = Dispatcher(queue, {"one": flaky}, clock, RecordingTelemetry())
    await queue.publish(events(clock, 2))
    await dispatcher.drain()
    assert attempts == ["s0/http"]

    await clock.advance(BACK_OFF_S[0])
    await dispatcher.drain()

    assert attempts == ["s0/http", "s0/http", "s1/http"]


async def test_handler_that_always_fails_gives_its_event_up_in_the_end() -> None:
    """After the last back-off the event is given up for this handler, with its error, and the next one comes."""
    clock = ManualClock()
    queue = MemoryEventQueue(["one"])

    async def broken(_event: Event) -> None:
        raise ValueError("a bug of ours")

    dispatcher = Dispatcher(queue, {"one": broken}, clock, RecordingTelemetry())
    await queue.publish(events(clock, 1))
    for _ in range(len(BACK_OFF_S) + 1):
        await dispatcher.drain()
        await clock.advance(max(BACK_OFF_S))

    assert queue.given_up == [("one", 1, "ValueError: a bug of ours")]


async def test_handler_without_a_store_keeps_its_event_however_long_it_lasts() -> None:
    """A store that is locked for minutes uses up no attempt: once it answers, the event is handled at once."""
    clock, seen = ManualClock(), []
    queue = MemoryEventQueue(["one"])
    locked = True

    async def careful(event: Event) -> None:
        if locked:
            raise StoreUnavailable("locked")
        seen.append(event.subject)

    dispatcher = Dispatcher(queue, {"one": careful}, clock, RecordingTelemetry())
    await queue.publish(events(clock, 1))
    for _ in range(3 * len(BACK_OFF_S)):
        await dispatcher.drain()
        await clock.advance(1)
    locked = False
    await dispatcher.drain()

    assert seen == ["s0/http"]
    assert queue.given_up == []


async def test_clock_set_back_does_not_lengthen_a_back_off() -> None:
    """The next attempt comes after the seconds agreed, not after the hour that the clock lost as well."""
    clock, attempts = ManualClock(), []
    queue = MemoryEventQueue(["one"])

    async def flaky(event: Event) -> None:
        attempts.append(event.subject)
        if len(attempts) == 1:
            raise OSError("not today")

    dispatcher = Dispatcher(queue, {"one": flaky}, clock, RecordingTelemetry())
    await queue.publish(events(clock, 1))
    await dispatcher.drain()
    clock.jump(-3600)
    await clock.advance(BACK_OFF_S[0])
    await dispatcher.drain()

    assert attempts == ["s0/http", "s0/http"]


async def test_handler_that_is_stuck_holds_up_nobody_else() -> None:
    """A handler that never returns leaves the others at work."""
    clock, seen = ManualClock(), []
    queue = MemoryEventQueue(["stuck", "quick"])

    async def stuck(_event: Event) -> None:
        await asyncio.Event().wait()

    async def quick(event: Event) -> None:
        seen.append(event.subject)

    dispatcher = Dispatcher(queue, {"stuck": stuck, "quick": quick}, clock, RecordingTelemetry())
    await queue.publish(events(clock, 3))
    running = asyncio.create_task(dispatcher.run())
    await clock.advance(5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert seen == ["s0/http", "s1/http", "s2/http"]
