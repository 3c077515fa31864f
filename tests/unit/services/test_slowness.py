from datetime import timedelta

import pytest

from sentry.domain.latency import steps_of
from sentry.domain.pace import HOURS, SLOW_PROBES, Pace
from sentry.domain.result import Reason, Status
from sentry.domain.site import Check, CheckOptions, Plan
from sentry.domain.weight import CountsAs
from sentry.services.slowness import Slowness
from tests.fakes.checks import START, make_check, make_result

STEP = steps_of([200_000])
PACE = Pace(STEP * HOURS, STEP * HOURS)


def judged(slowness: Slowness, check: Check, *seconds: float) -> list[str]:
    """The statuses of probes, a minute apart, that took so long."""
    return [
        slowness.judged(check, make_result(at=START + timedelta(minutes=n), duration_s=took)).status.value
        for n, took in enumerate(seconds)
    ]


def known() -> Slowness:
    """One that knows that a fifth of a second is usual."""
    slowness = Slowness()
    slowness.learn("shop/http", PACE)
    return slowness


def test_slow_answers_in_a_row_degrade_and_a_quick_one_ends_it() -> None:
    """The third says so; one quick answer begins the count anew."""
    statuses = judged(known(), make_check(), 0.2, 1, 1, 1, 1, 0.3, 1, 1, 0.2)
    assert statuses == ["up"] * 3 + ["degraded"] * 2 + ["up"] * 4


def test_slow_answer_names_what_is_usual() -> None:
    """Whoever reads the detail sees by what it was measured."""
    slowness = known()
    results = [slowness.judged(make_check(), make_result(duration_s=2.0)) for _ in range(SLOW_PROBES)]
    assert results[-1].reason is Reason.SLOW_RESPONSE
    assert results[-1].detail == "took 2 s, usually 0.205 s at this hour of the week, allowed 0.689 s"


@pytest.mark.parametrize(
    "check",
    [
        make_check(plan=Plan(slow_factor=0)),
        make_check(options=CheckOptions(kind="http", slow_factor=0)),
        make_check("other/http"),
        make_check(options=CheckOptions(kind="http", slow_factor=20)),
    ],
    ids=["plan-off", "check-off", "nothing-learnt", "patient"],
)
def test_slow_answers_where_nothing_is_too_slow_stay_up(check: Check) -> None:
    """Switched off, not known yet, or within a larger factor."""
    assert judged(known(), check, 3, 3, 3, 3) == ["up"] * 4


def test_slow_answer_is_down_only_where_the_plan_says_so() -> None:
    """That holds for what is usual and for a limit of the check alike."""
    strict = make_check(plan=Plan(slow_counts_as=CountsAs.DOWN))
    assert judged(known(), strict, 1, 1, 1) == ["up", "up", "down"]
    limit = make_result(Status.DEGRADED)
    assert known().judged(strict, limit).status is Status.DOWN
    assert known().judged(make_check(), limit).status is Status.DEGRADED


def test_degraded_for_another_reason_stays_degraded_under_a_strict_plan() -> None:
    """A certificate that ends soon is not slow."""
    strict = make_check(plan=Plan(slow_counts_as=CountsAs.DOWN))
    ends_soon = make_result(Status.DEGRADED, reason=Reason.TLS_EXPIRES_SOON)
    assert known().judged(strict, ends_soon).status is Status.DEGRADED


def test_forgotten_pace_judges_nobody() -> None:
    """What is learnt to be unknown again is as before."""
    slowness = known()
    slowness.learn("shop/http", None)
    assert not slowness.knows("shop/http")
    assert judged(slowness, make_check(), 9, 9, 9) == ["up"] * 3
