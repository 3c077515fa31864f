"""The heartbeat check against a clock and a book of the test's own."""

import pytest
from pydantic import ValidationError

from probes.heartbeat import HeartbeatOptions, HeartbeatProbe, spoken
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.ports import Heartbeat
from tests.fakes.checks import make_check
from tests.fakes.clock import ManualClock
from tests.fakes.heartbeats import MemoryHeartbeatBook
from tests.fakes.probing import make_environment, run_once


class Job:
    """A job of a site that calls in, and the check that waits for it: due every 5 min + 1 min grace."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.book = MemoryHeartbeatBook()
        self.configure()

    def configure(self) -> None:
        """Makes the probe anew, as a start of the agent does."""
        options = HeartbeatOptions(every_s=300, grace_s=60)
        environment = make_environment(clock=self.clock, heartbeats=self.book)
        self.probe = HeartbeatProbe(make_check("shop/heartbeat", options=options), environment)

    async def calls(self, *, ok: bool = True, text: str = "") -> None:
        await self.book.record("shop/heartbeat", Heartbeat(self.clock.now(), ok, text))

    async def after(self, minutes: float) -> ProbeResult:
        await self.clock.advance(minutes * 60)
        return await run_once(self.probe)


@pytest.fixture
def job() -> Job:
    return Job()


async def test_heartbeat_called_in_time_is_up(job: Job) -> None:
    """A call counts until the next is due and its grace is over."""
    await job.calls()
    result = await job.after(6)
    assert (result.status, result.reason) == (Status.UP, None)
    assert result.evidence.values["heartbeat_age_seconds"] == 360


async def test_heartbeat_overdue_is_missed_with_figures(job: Job) -> None:
    """The line says when the last call was and what was agreed."""
    await job.calls()
    result = await job.after(12)
    assert (result.status, result.reason) == (Status.DOWN, Reason.HEARTBEAT_MISSED)
    assert result.detail == "last call 12 min ago, due every 5 min + 1 min grace"


async def test_heartbeat_never_called_waits_then_is_missed(job: Job) -> None:
    """A check that was configured a moment ago does not page, and claims nothing; a job that never calls does."""
    early = await job.after(5.9)
    assert (early.status, early.reason) == (Status.UNKNOWN, Reason.HEARTBEAT_MISSED)
    late = await job.after(0.2)
    assert late.status is Status.DOWN
    assert late.detail == "no call yet, waiting for 6.1 min, due every 5 min + 1 min grace"


async def test_heartbeat_overdue_after_agent_was_stopped_waits_for_a_whole_round(job: Job) -> None:
    """Calls that nobody could take are not held against the job: the agent listens for a whole round first."""
    await job.calls()
    await job.clock.advance(3600)
    job.configure()
    assert (await job.after(1)).status is Status.UNKNOWN
    assert (await job.after(5.1)).status is Status.DOWN


async def test_heartbeat_failure_reported_is_down_at_once_until_a_good_call(job: Job) -> None:
    """A job that says it failed is believed, in its own words, bounded and on one line."""
    await job.calls(ok=False, text="disk full\n" + "x" * 5000)
    result = await job.after(0.5)
    assert (result.status, result.reason) == (Status.DOWN, Reason.HEARTBEAT_FAILED)
    assert result.detail.startswith("last call 30 s ago reported a failure: disk full x")
    assert len(result.detail) < 300
    assert "\n" not in result.detail
    await job.calls()
    assert (await job.after(0.5)).status is Status.UP


async def test_heartbeat_clock_set_back_is_up_until_the_next_call_is_due(job: Job) -> None:
    """A call that seems to come from the future is a call of the moment of the jump, and no later one."""
    await job.calls()
    job.clock.jump(-3600)
    assert (await job.after(1)).status is Status.UP
    assert (await job.after(4.9)).status is Status.UP
    assert (await job.after(1.2)).status is Status.DOWN


async def test_heartbeat_clock_set_back_while_the_agent_was_stopped_is_up_for_one_round(job: Job) -> None:
    """The store may hold a call of the future; it is taken for one of the start."""
    await job.calls()
    job.clock.jump(-3600)
    job.configure()
    assert (await job.after(5.9)).status is Status.UP
    assert (await job.after(0.2)).status is Status.DOWN


async def test_heartbeat_clock_set_forward_is_not_silence_of_the_job(job: Job) -> None:
    """Hours that never were accuse nobody; a job that then stays silent is found after a whole round."""
    await job.calls()
    assert (await job.after(1)).status is Status.UP
    job.clock.jump(7200)
    assert (await job.after(1)).status is Status.UNKNOWN
    assert (await job.after(4.9)).status is Status.UNKNOWN
    assert (await job.after(1.2)).status is Status.DOWN


async def test_heartbeat_clock_corrected_by_a_second_changes_nothing(job: Job) -> None:
    """NTP does so daily."""
    await job.after(60)
    await job.calls()
    job.clock.jump(-1.5)
    assert (await job.after(0)).status is Status.UP
    assert (await job.after(6.1)).status is Status.DOWN


def test_heartbeat_options_keep_their_token_secret() -> None:
    """A token never shows in a message, and one that can be guessed is refused."""
    options = HeartbeatOptions(every_s=60, token="correct-horse-battery")
    assert "correct-horse" not in repr(options)
    with pytest.raises(ValidationError):
        HeartbeatOptions(every_s=60, token="short")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.94, "59.9 s"), (60, "1 min"), (5400, "1.5 h"), (172_800, "2 d")]
)
def test_spoken_takes_the_largest_unit(seconds: float, text: str) -> None:
    """Times read as people say them."""
    assert spoken(seconds) == text
