from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from sentry.domain.day import CheckDay, ProbeRun
from sentry.domain.health import Health
from sentry.domain.result import Status
from sentry.domain.site import CheckOptions
from sentry.ports import Observation
from sentry.services.paces import OBSERVATIONS, Paces
from sentry.services.slowness import Slowness
from sentry.services.watch import CheckView
from tests.fakes.checks import START, make_check
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations


class Days:
    """Every day of every check alike, as many as there are."""

    def __init__(self, days: int) -> None:
        self.days_known = days
        self.asked: list[str] = []

    async def days(
        self, check_keys: Collection[str], first: int, end: int
    ) -> Mapping[str, Sequence[tuple[int, CheckDay]]]:
        self.asked += check_keys
        day = CheckDay(runs=(ProbeRun(0, 1440, Status.UP),), steps=bytes([100] * 1440))
        return {
            key: [(number, day) for number in range(max(first, end - self.days_known), end)] for key in check_keys
        }


class Harness:
    """The learning over days in memory."""

    def __init__(self, days: int = 28) -> None:
        self.clock = ManualClock(START)
        self.days = Days(days)
        self.observations = MemoryObservations()
        self.checks = [
            make_check("shop/http"),
            make_check("off/http", options=CheckOptions(kind="http", slow_factor=0)),
        ]
        self.start()

    def start(self) -> None:
        self.slowness = Slowness()
        self.paces = Paces(
            lambda: [CheckView(check, Health(check.key)) for check in self.checks],
            times=self.days,
            observations=self.observations,
            slowness=self.slowness,
            clock=self.clock,
        )


async def test_work_learns_each_check_once_a_day() -> None:
    """What was learnt stands for a day; a check that is never slow is not looked at."""
    harness = Harness()
    assert await harness.paces.work()
    assert not await harness.paces.work()
    assert harness.slowness.knows("shop/http")
    harness.clock.jump(timedelta(hours=25).total_seconds())
    assert await harness.paces.work()
    assert harness.days.asked == ["shop/http", "shop/http"]


async def test_work_check_too_new_is_known_to_be_so() -> None:
    """It is not read again until the day after, and judges nobody."""
    harness = Harness(days=10)
    await harness.paces.work()
    assert not harness.slowness.knows("shop/http")
    assert not await harness.paces.work()


async def test_resume_takes_over_what_was_learnt_before_a_restart() -> None:
    """A restart does not begin with reading four weeks; a damaged observation is learnt anew."""
    harness = Harness()
    await harness.paces.work()
    harness.observations.kept[OBSERVATIONS, "odd/http"] = Observation(START, {"typical": "zz"})
    harness.start()
    await harness.paces.resume()
    assert harness.slowness.knows("shop/http")
    assert not await harness.paces.work()
    assert ("pace", "odd/http") not in harness.observations.kept


async def test_work_forgets_checks_that_are_gone() -> None:
    """Nothing is kept of a check that nobody watches."""
    harness = Harness()
    await harness.paces.work()
    harness.checks.clear()
    assert not await harness.paces.work()
    assert not harness.observations.kept
    assert not harness.slowness.knows("shop/http")
