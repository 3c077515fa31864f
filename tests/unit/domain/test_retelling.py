from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sentry.domain.health import Health, HealthState, step
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ledger_tail import corrected, extend
from sentry.domain.own_fault import FaultCause, OwnFault, excused
from sentry.domain.result import ProbeResult, Reason, Status
from sentry.domain.retelling import Retold, Trail, retell
from tests.fakes.checks import START, make_check, make_result

CHECK = make_check()


class Story:
    """A check's results, each taken into account as the watch does."""

    def __init__(self) -> None:
        self.health = Health(CHECK.key)
        self.trail: Trail | None = None
        self.ledger: tuple[Run, ...] = ()

    def take(self, result: ProbeResult) -> None:
        if self.trail is not None or result.status is Status.DOWN:
            self.trail = (self.trail or Trail()).followed(self.health, result)
        changed = step(self.health, result, CHECK)
        self.health, self.ledger = changed.health, extend(self.ledger, changed.minutes)

    def failed(self, at_s: float) -> None:
        self.take(make_result(Status.DOWN, at_s, reason=Reason.CONNECT_TIMEOUT))

    def retold(self, fault: OwnFault) -> Retold | None:
        return retell(self.health, self.trail, CHECK, [fault]) if self.trail else None


def fault(from_s: float, to_s: float) -> OwnFault:
    return OwnFault(FaultCause.NETWORK, START + timedelta(seconds=from_s), START + timedelta(seconds=to_s))


def test_retell_suspected_failure_is_taken_back_and_its_minute_never_was() -> None:
    """Nothing was confirmed: the check is up as before, and the ledger keeps the minute unknown."""
    story = Story()
    story.take(make_result(Status.UP, 0))
    story.failed(60)

    retold = story.retold(fault(50, 90))

    assert retold is not None
    assert (retold.health.state, retold.health.held, retold.is_taken_back) == (HealthState.UP, (), True)
    assert retold.minutes == ()


def test_retell_confirmed_outage_is_withdrawn_and_its_minutes_are_unknown() -> None:
    """An outage confirmed inside the span was none: its minutes leave the ledger."""
    story = Story()
    story.take(make_result(Status.UP, 0))
    for at_s in (60, 70, 80, 120):
        story.failed(at_s)
    outage = story.health.outage

    retold = story.retold(fault(50, 130))

    assert retold is not None
    assert retold.withdrawn == outage
    assert retold.health.state is HealthState.UP
    first = int(START.timestamp()) // 60
    assert retold.minutes == (
        Run(first + 1, first + 2, MinuteState.UNKNOWN),
        Run(first + 2, first + 3, MinuteState.UNKNOWN),
    )


def test_retell_outage_that_began_before_the_fault_stands() -> None:
    """What was down before is down; only the minutes of the fault are unknown."""
    story = Story()
    story.take(make_result(Status.UP, 0))
    for at_s in (60, 70, 80, 120, 180):
        story.failed(at_s)

    retold = story.retold(fault(115, 130))

    assert retold is not None
    assert retold.withdrawn is None
    assert retold.health.state is HealthState.DOWN
    first = int(START.timestamp()) // 60
    assert retold.minutes == (Run(first + 2, first + 3, MinuteState.UNKNOWN),)


def test_retell_outage_whose_first_failures_were_ours_begins_later_and_stands() -> None:
    """The fault hit a site that was to fail anyway: it is down from its first failure outside the span."""
    story = Story()
    story.take(make_result(Status.UP, 0))
    for at_s in (60, 70, 80, 120, 180, 190, 200, 240):
        story.failed(at_s)

    retold = story.retold(fault(50, 130))

    assert retold is not None
    assert (retold.health.state, retold.is_taken_back) == (HealthState.DOWN, False)
    assert retold.withdrawn is not None
    assert retold.outage is not None
    assert (retold.withdrawn.started_at, retold.outage.started_at) == (
        START + timedelta(seconds=60),
        START + timedelta(seconds=180),
    )


def test_retell_of_what_no_fault_voids_changes_nothing() -> None:
    """Failures outside the span keep standing."""
    story = Story()
    story.failed(60)

    assert story.retold(fault(200, 260)) is None


seconds = st.lists(st.integers(1, 28), min_size=1, max_size=25).map(
    lambda steps: [10 * sum(steps[: place + 1]) for place in range(len(steps))]
)
statuses = st.lists(st.sampled_from([Status.UP, Status.DOWN, Status.DOWN, Status.UNKNOWN]), min_size=25, max_size=25)


@given(seconds, statuses, st.integers(0, 300), st.integers(0, 200))
def test_retell_gives_the_ledger_of_a_recomputation_from_raw_samples(
    times: list[int], seen: list[Status], before_s: int, lasts_s: int
) -> None:
    """Correcting what was written and recomputing it from samples and spans is the same to the minute."""
    results = [
        make_result(status, at_s, reason=Reason.CONNECT_TIMEOUT if status is Status.DOWN else None)
        for at_s, status in zip(times, seen, strict=False)
        if at_s <= 280
    ]
    told, anew = Story(), Story()
    for result in results:
        told.take(result)
    span = fault(before_s, before_s + lasts_s)
    for result in results:
        anew.take(excused(result, [span]))

    retold = told.retold(span)

    health = retold.health if retold else told.health
    ledger = corrected(told.ledger, retold.minutes) if retold else told.ledger
    assert ledger == anew.ledger
    assert (health.state, health.outage, health.held) == (anew.health.state, anew.health.outage, anew.health.held)
