import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from sentry.domain.concern import Concern, ConcernKind
from sentry.domain.events import Event, EventKind
from sentry.domain.health import HealthState
from sentry.domain.ledger import MinuteState
from sentry.domain.own_fault import FaultCause, OwnFault
from sentry.domain.result import Evidence, ProbeResult, Reason, Status
from sentry.domain.retelling import BEGINS_WITHIN
from sentry.ports import SampleKind
from sentry.services.hearing import HOLD_S, Hearing
from sentry.services.self_examination import LOOK_WITHIN_S, SelfExamination
from sentry.services.watch import Watch
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.surroundings import ToldSurroundings
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryWatchStore

EVERY_S = 60.0


class House:
    """A watch over a store in memory, behind a hearing whose surroundings the test cuts."""

    def __init__(
        self, *, anchors: tuple[str, ...] | None = None, resolvers: tuple[str, ...] = (), probes_here: bool = True
    ) -> None:
        self.clock = ManualClock(START)
        self.surroundings = (
            ToldSurroundings(self.clock, resolvers=resolvers)
            if anchors is None
            else ToldSurroundings(self.clock, anchors=anchors, resolvers=resolvers)
        )
        self.store = MemoryWatchStore()
        self.telemetry = RecordingTelemetry()
        self.rechecks: list[str] = []
        self.put_last: list[frozenset[str]] = []
        self.watch = Watch(
            self.store,
            self.clock,
            self.telemetry,
            recheck=lambda key, _: self.rechecks.append(key),
            committed=lambda: None,
        )
        self.examination = SelfExamination(
            self.surroundings,
            self.clock,
            self.telemetry,
            correct=self.watch.correct,
            put_last=self.put_last.append,
            times_loop=probes_here,
        )
        self.hearing = Hearing(
            self.examination, self.clock, take=self.watch.take, correct=self.watch.correct, every_s=EVERY_S
        )

    def takes(
        self,
        status: Status = Status.DOWN,
        reason: Reason | None = Reason.CONNECT_TIMEOUT,
        *,
        key: str = "shop/http",
        address: str = "9.9.9.9:443",
    ) -> ProbeResult:
        """A probe that ends now."""
        reason = None if status is Status.UP else reason
        result = make_result(status, self.clock.now() - timedelta(seconds=0.1), check_key=key, reason=reason)
        result = replace(result, evidence=Evidence(address=address))
        self.hearing.take(result, SampleKind.SLOT, 0.0)
        return result

    def state(self, key: str = "shop/http") -> HealthState:
        view = self.watch.view(key)
        assert view is not None
        return view.health.state

    async def stored(self) -> tuple[list[Event], list[OwnFault]]:
        """Every event, and every span as it was last written."""
        await self.watch.flush()
        events = [event for record in self.store.records for event in record.events]
        spans = {(one.fault.began_at, one.fault.cause): one.fault for one in self.store.corrections if one.fault}
        return events + [event for one in self.store.corrections for event in one.events], list(spans.values())

    def statuses(self) -> list[tuple[Status, Reason | None]]:
        return [(result.status, result.reason) for _, result, _, _ in self.telemetry.finished]


@asynccontextmanager
async def listening(house: House, *keys: str) -> AsyncIterator[House]:
    """The house at work, after its first look."""
    await house.watch.replace([make_check(key) for key in keys or ("shop/http",)])
    running = asyncio.create_task(house.hearing.run())
    await house.clock.advance(LOOK_WITHIN_S)
    try:
        yield house
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        house.hearing.close()


def kinds(events: list[Event]) -> list[EventKind]:
    return [event.kind for event in events]


@pytest.mark.promise("001-28")
async def test_failure_while_the_own_network_is_cut_is_unknown_and_confirms_nothing() -> None:
    """The anchors are silent after the failure: the slot is unknown, nothing is suspected, one concern is told."""
    async with listening(House()) as house:
        house.takes(Status.UP)
        house.surroundings.cut()
        for _ in range(6):
            house.takes()
            await house.clock.advance(10)

        events, spans = await house.stored()

    assert house.state() is HealthState.UP
    assert {status for status, _ in house.statuses()[1:]} == {Status.UNKNOWN}
    assert kinds(events) == [EventKind.CONCERN_RAISED]
    assert Concern.of(events[0]).kind is ConcernKind.OWN_FAULT
    assert [(span.cause, span.ended_at) for span in spans] == [(FaultCause.NETWORK, None)]
    assert house.telemetry.gauges[("self_network_up", frozenset())] == 0


async def test_failure_while_the_anchors_answer_counts_after_one_look() -> None:
    """A dead site is suspected at once, and its evidence says that the agent had looked at itself."""
    async with listening(House()) as house:
        house.takes()
        await house.clock.advance(1)

        assert house.state() is HealthState.SUSPECT
        view = house.watch.view("shop/http")

    assert view is not None
    assert view.health.failure is not None
    assert "  anchor 192.0.2.1:443 answers ()" in view.health.failure.evidence.log


async def test_many_failures_of_one_moment_are_heard_by_one_look() -> None:
    """Eighty sites of a dead server cost the anchors one more question, not eighty."""
    keys = [f"site{number}/http" for number in range(80)]
    async with listening(House(), *keys) as house:
        asked = house.surroundings.asked
        for key in keys:
            house.takes(key=key)
        await house.clock.advance(1)

        assert house.surroundings.asked == asked + 1
        assert {house.state(key) for key in keys} == {HealthState.SUSPECT}


async def test_failure_during_a_look_waits_for_the_next_one() -> None:
    """A look that began before a failure proves nothing about it."""
    async with listening(House()) as house:
        house.surroundings.silent = {"192.0.2.1:443"}
        house.takes()
        await house.clock.advance(1)
        house.takes(key="shop/http")
        await house.clock.advance(LOOK_WITHIN_S - 1)

        assert len(house.statuses()) == 1

        await house.clock.advance(LOOK_WITHIN_S)
        assert len(house.statuses()) == 2


async def test_results_of_a_check_keep_their_order_behind_one_that_waits() -> None:
    """A good result does not overtake the failure before it."""
    async with listening(House()) as house:
        house.takes()
        house.takes(Status.UP)
        assert house.statuses() == []
        await house.clock.advance(1)

        assert [status for status, _ in house.statuses()] == [Status.DOWN, Status.UP]
        assert house.state() is HealthState.UP


async def test_good_results_and_answers_of_the_site_do_not_wait() -> None:
    """What a site has answered needs no hearing, and neither does this machine."""
    async with listening(House()) as house:
        house.takes(Status.UP)
        house.takes(reason=Reason.HTTP_SERVER_ERROR)
        house.takes(address="127.0.0.1:8080")

        assert len(house.statuses()) == 3


async def test_fault_that_ends_leaves_a_span_with_both_ends_and_clears_the_concern() -> None:
    """The anchors answer again: the span is closed, and failures count as before."""
    async with listening(House()) as house:
        house.surroundings.cut()
        failed = house.takes()
        await house.clock.advance(10)
        house.surroundings.silent.clear()
        await house.clock.advance(10)
        events, spans = await house.stored()
        house.takes()
        await house.clock.advance(2)

        assert house.state() is HealthState.SUSPECT

    assert kinds(events) == [EventKind.CONCERN_RAISED, EventKind.CONCERN_CLEARED]
    (span,) = spans
    assert span.began_at == failed.scheduled_at
    assert span.ended_at is not None


async def test_probe_that_was_under_way_when_the_fault_ended_is_unknown() -> None:
    """It met the fault, whatever the anchors say now."""
    async with listening(House()) as house:
        house.surroundings.cut()
        house.takes()
        await house.clock.advance(8)
        began = house.clock.now()
        house.surroundings.silent.clear()
        await house.clock.advance(10)
        late = make_result(Status.DOWN, began, reason=Reason.CONNECT_TIMEOUT, duration_s=10, check_key="shop/http")
        house.hearing.take(late, SampleKind.SLOT, 0.0)
        await house.clock.advance(2)

        assert house.statuses()[-1] == (Status.UNKNOWN, Reason.AGENT_NETWORK)


async def test_one_dead_anchor_of_two_hides_no_outage() -> None:
    """An anchor that has died of itself takes nobody with it."""
    async with listening(House()) as house:
        house.surroundings.silent = {"192.0.2.1:443"}
        for _ in range(4):
            house.takes()
            await house.clock.advance(10)

        assert house.state() is HealthState.DOWN


async def test_anchors_that_nobody_reaches_lose_their_vote_while_sites_answer() -> None:
    """A wrong port in the configuration must not hide outages for ever."""
    async with listening(House(), "shop/http", "blog/http") as house:
        house.surroundings.cut()
        for _ in range(3):
            house.takes(Status.UP, key="blog/http")
            await house.clock.advance(EVERY_S)
        for _ in range(4):
            house.takes(Status.UP, key="blog/http")
            house.takes()
            await house.clock.advance(10)

        assert house.state() is HealthState.DOWN


async def test_look_that_breaks_lets_the_failure_count_and_says_so() -> None:
    """No look is no excuse."""
    async with listening(House()) as house:
        house.surroundings.broken = True
        house.takes()
        await house.clock.advance(2)
        view = house.watch.view("shop/http")

        assert house.state() is HealthState.SUSPECT

    assert view is not None
    assert view.health.failure is not None
    assert "could not look at itself" in view.health.failure.evidence.log[-1]
    assert house.telemetry.counted("self_examinations_total", verdict="failed") >= 1


async def test_failure_without_a_look_counts_after_the_longest_wait() -> None:
    """A loop of ours that hangs must not hide an outage: nobody looks, and the failure is let go."""
    house = House()
    await house.watch.replace([make_check()])
    house.takes()
    await house.clock.advance(HOLD_S - 1)
    assert house.statuses() == []

    await house.clock.advance(1)

    assert house.state() is HealthState.SUSPECT


async def test_agent_that_stops_lets_what_waits_count() -> None:
    """Nothing that was seen is lost."""
    async with listening(House()) as house:
        house.takes()
        house.hearing.close()

        assert len(house.statuses()) == 1


@pytest.mark.promise("001-28")
async def test_outage_confirmed_before_all_networks_were_seen_to_fail_is_withdrawn() -> None:
    """Without anchors the sites themselves are the witnesses: what was believed too early is taken back."""
    keys = [f"site{number}/http" for number in range(7)]
    async with listening(House(anchors=()), *keys) as house:
        house.takes(Status.UP, key=keys[6], address="20.0.0.1:443")
        for _ in range(4):
            house.takes(key=keys[0], address="20.1.0.1:443")
            await house.clock.advance(10)
        assert house.state(keys[0]) is HealthState.DOWN
        for number in range(1, 6):
            house.takes(key=keys[number], address=f"20.{number + 1}.0.1:443")
        await house.clock.advance(2)
        await house.watch.flush()

        assert {house.state(key) for key in keys[:6]} <= {HealthState.UP, HealthState.NEW}
        withdrawn = [one for correction in house.store.corrections for one in correction.checks]

    (shop,) = [one for one in withdrawn if one.withdrawn is not None]
    assert {run.state for run in shop.minutes} == {MinuteState.UNKNOWN}
    events, _ = await house.stored()
    (event,) = [event for event in events if event.kind is EventKind.FAILURE_WITHDRAWN and event.data["confirmed"]]
    assert event.subject == keys[0]


async def test_one_dead_resolver_of_two_is_told_once_and_asked_last() -> None:
    """No site feels it, and one operator's warning says which it is; a single lost look says nothing."""
    async with listening(House(resolvers=("192.0.2.53", "198.51.100.53"))) as house:
        house.surroundings.silent = {"192.0.2.53"}
        await house.clock.advance(3 * EVERY_S)
        events, _ = await house.stored()
        raised = [Concern.of(event) for event in events if event.kind is EventKind.CONCERN_RAISED]

        assert [(one.key, one.facts["resolver"]) for one in raised] == [("resolver:192.0.2.53", "192.0.2.53")]
        assert house.put_last == [frozenset({"192.0.2.53"})]

        house.surroundings.silent.clear()
        await house.clock.advance(EVERY_S + LOOK_WITHIN_S)
        events, _ = await house.stored()

    assert [(event.kind, event.subject) for event in events][-1] == (EventKind.CONCERN_CLEARED, "resolver:192.0.2.53")
    assert house.put_last[-1] == frozenset()


async def test_site_not_found_through_the_only_resolver_that_died_is_unknown() -> None:
    """With no name server no name is found: that is ours, also while the anchors answer."""
    async with listening(House(resolvers=("192.0.2.53",))) as house:
        house.surroundings.silent = {"192.0.2.53"}
        house.takes(reason=Reason.DNS_TIMEOUT)
        house.takes(key="shop/http", reason=Reason.CONNECT_TIMEOUT)
        await house.clock.advance(5)

        assert house.statuses()[0] == (Status.UNKNOWN, Reason.AGENT_NETWORK)
        assert house.statuses()[1] == (Status.DOWN, Reason.CONNECT_TIMEOUT)


@pytest.mark.parametrize("jump_s", [-600.0, 600.0, 90_000.0])
async def test_clock_that_is_set_turns_no_certificate_bad(jump_s: float) -> None:
    """What only the new time says is unknown for a while, and the operators hear of it."""
    async with listening(House()) as house:
        house.clock.jump(jump_s)
        house.takes(reason=Reason.TLS_EXPIRED)
        house.takes(reason=Reason.HEARTBEAT_MISSED)
        await house.clock.advance(2)
        events, _ = await house.stored()

    assert house.statuses() == [(Status.UNKNOWN, Reason.AGENT_CLOCK)] * 2
    assert [Concern.of(event).key for event in events] == ["own_fault:clock"]


async def test_loop_that_stood_still_excuses_the_timeouts_of_that_time() -> None:
    """The agent could not read an answer that had come."""
    async with listening(House()) as house:
        house.examination.tick(5.0)
        house.takes(reason=Reason.PROCESSING_TIMEOUT)
        house.takes(key="shop/http", reason=Reason.CONNECT_REFUSED)
        await house.clock.advance(2)

    assert house.statuses() == [(Status.UNKNOWN, Reason.AGENT_STALLED), (Status.DOWN, Reason.CONNECT_REFUSED)]


async def test_span_that_a_former_run_left_open_is_closed_at_the_start() -> None:
    """The agent was away: its minutes are unknown without a span, and the incident is not open for ever."""
    house = House()
    left = OwnFault(FaultCause.NETWORK, START - timedelta(hours=1))

    house.hearing.resume([left])
    events, spans = await house.stored()

    assert spans == [replace(left, ended_at=START)]
    assert [(event.kind, event.subject) for event in events] == [(EventKind.CONCERN_CLEARED, "own_fault:network")]


async def test_failure_on_this_machine_during_a_fault_is_unknown_without_waiting() -> None:
    """The span voids it in a recomputation from the samples, so it is void at once."""
    async with listening(House()) as house:
        house.surroundings.cut()
        house.takes()
        await house.clock.advance(5)
        house.takes(address="127.0.0.1:8080", reason=Reason.CONNECT_REFUSED)

        assert house.statuses()[-1] == (Status.UNKNOWN, Reason.AGENT_NETWORK)


async def test_fault_reaches_no_further_back_than_results_are_kept() -> None:
    """Failures that nobody outside has spoken for, for an hour, are not all of the fault that is found at its end."""
    async with listening(House(anchors=()), "shop/http", "b/http", "c/http") as house:
        for _ in range(60):
            house.takes(address="20.1.0.1:443")
            await house.clock.advance(60)
        found_at = house.clock.now()
        for number in range(2, 8):
            house.takes(key="b/http", address=f"20.{number}.0.1:443")
        await house.clock.advance(2)
        _, (span,) = await house.stored()

    assert found_at - span.began_at <= BEGINS_WITHIN


async def test_loop_that_stood_still_beside_workers_excuses_nothing() -> None:
    """Their probes run elsewhere: a time-out that they saw is none of this loop's doing."""
    async with listening(House(probes_here=False)) as house:
        assert not house.examination.tick(5.0)
        house.takes(reason=Reason.PROCESSING_TIMEOUT)
        await house.clock.advance(2)

    assert house.statuses() == [(Status.DOWN, Reason.PROCESSING_TIMEOUT)]
