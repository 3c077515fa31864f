import asyncio
from datetime import timedelta

from sentry.scheduler import RETRY_AFTER, Duty, Scheduler
from tests.fakes.clock import ManualClock
from tests.fakes.due import MemoryDueBook
from tests.fakes.telemetry import RecordingTelemetry

EVERY = timedelta(hours=1)


class Office:
    """One duty each hour, and how often it was done."""

    def __init__(self) -> None:
        self.clock, self.book, self.telemetry = ManualClock(), MemoryDueBook(), RecordingTelemetry()
        self.done = 0
        self.fails = False
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.open()

    def open(self) -> None:
        """Starts the scheduler anew, as the agent does."""
        self.scheduler = Scheduler({"audit": Duty(EVERY, self.work)}, self.book, self.clock, self.telemetry)

    async def work(self) -> None:
        self.done += 1
        await self.may_end.wait()
        if self.fails:
            raise ValueError("not today")

    async def after(self, passed: timedelta) -> int:
        """How often it was done by the first beat after this time."""
        await self.clock.advance(passed.total_seconds())
        await self.scheduler.beat()
        return self.done


async def test_duty_is_done_at_once_and_then_each_interval_over_restarts() -> None:
    """What is due lives in the store, so an agent that restarts often does neither more nor less."""
    office = Office()
    assert await office.after(timedelta(0)) == 1
    assert await office.after(timedelta(minutes=59)) == 1
    office.open()
    assert await office.after(timedelta(seconds=30)) == 1
    assert await office.after(timedelta(minutes=1)) == 2
    assert await office.after(timedelta(hours=9)) == 3


async def test_duty_that_fails_is_tried_again_soon_and_counted() -> None:
    """A failure costs a minute, not a whole interval."""
    office = Office()
    office.fails = True
    assert await office.after(timedelta(0)) == 1
    assert await office.after(RETRY_AFTER - timedelta(seconds=1)) == 1
    assert await office.after(timedelta(seconds=1)) == 2
    assert office.telemetry.counted("duty_failures_total", duty="audit") == 2


async def test_beat_while_the_one_before_is_at_work_leaves_it_alone() -> None:
    """A duty that takes longer than the pause between two beats is not begun twice."""
    office = Office()
    office.may_end.clear()
    first = asyncio.create_task(office.after(timedelta(0)))
    await asyncio.sleep(0)
    assert await office.after(timedelta(seconds=5)) == 1
    office.may_end.set()
    assert await first == 1
    assert await office.after(EVERY) == 2


async def test_duty_done_while_the_clock_stood_in_the_future_is_done_again_on_the_right_time() -> None:
    """A machine that boots years ahead and is then set right must not skip its work for those years."""
    office = Office()
    office.clock.jump(timedelta(days=3650).total_seconds())
    assert await office.after(timedelta(0)) == 1
    office.clock.jump(-timedelta(days=3650).total_seconds())
    assert await office.after(timedelta(seconds=5)) == 2
    assert await office.after(timedelta(minutes=59)) == 2


async def test_store_that_is_locked_is_counted_and_ends_nothing() -> None:
    """The duty is done, and done again, rather than not at all."""
    office = Office()
    office.book.locked = True
    assert await office.after(timedelta(0)) == 1
    assert await office.after(timedelta(seconds=5)) == 2
    assert office.telemetry.counted("store_errors_total", kind="due") == 2
