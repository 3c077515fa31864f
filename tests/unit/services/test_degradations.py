"""Sites that answer, but not as they should: told when that lasts, and when it is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentry.domain.concern import Concern
from sentry.domain.errors import StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, HealthState
from sentry.domain.incident import IncidentState
from sentry.domain.result import Reason, Status
from sentry.domain.site import Plan
from sentry.services.degradations import MANY, MANY_SITES, Degradations
from sentry.services.watch import CheckView
from tests.fakes.checks import START, make_check, make_result
from tests.fakes.clock import ManualClock
from tests.fakes.concerns import concern_incident
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.watch_store import MemoryEventQueue

HOLD_S = Plan().degraded_after_s
LOOKS_EVERY_S = 5


class Desk:
    """The service over views that a test sets, looking as often as the agent does."""

    def __init__(self, keys: Sequence[str] = ("shop/http", "shop/tls", "blog/http")) -> None:
        self.clock = ManualClock(START)
        self.views = {key: CheckView(make_check(key), Health(key, HealthState.UP)) for key in keys}
        self.incidents = MemoryIncidentStore()
        self.queue = MemoryEventQueue([])
        self.work_ends_at = START
        self.start()

    def start(self) -> None:
        """Makes the service anew, as a start of the agent does."""
        self.service = Degradations(
            lambda: list(self.views.values()),
            self.incidents,
            self.queue,
            self.clock,
            is_worked_on=lambda site_key, at: site_key == "shop" and at < self.work_ends_at,
        )

    def see(self, key: str, reason: Reason | None = None, state: HealthState = HealthState.UP) -> None:
        """Sets what is believed of a check."""
        status = Status.DEGRADED if reason else Status.UP
        last = make_result(status, self.clock.now(), check_key=key, reason=reason, duration_s=4.2)
        self.views[key] = CheckView(make_check(key), Health(key, state, degraded=reason), last)

    async def pass_time(self, seconds: float, step_s: float = LOOKS_EVERY_S) -> None:
        for _ in range(int(seconds / step_s)):
            await self.service.look()
            await self.clock.advance(step_s)
        await self.service.look()

    @property
    def events(self) -> list[Event]:
        return self.queue.events

    def told(self) -> list[tuple[EventKind, str]]:
        return [(event.kind, event.subject) for event in self.events]


@pytest.fixture
def desk() -> Desk:
    return Desk()


RAISED = (EventKind.CONCERN_RAISED, "degraded:shop")
CLEARED = (EventKind.CONCERN_CLEARED, "degraded:shop")


async def test_site_degraded_for_long_is_told_once_from_its_first_slow_probe(desk: Desk) -> None:
    """What is slow, since when and how; however long it goes on, it is said once."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S - LOOKS_EVERY_S)
    assert desk.told() == []

    await desk.pass_time(3600)

    assert desk.told() == [RAISED]
    concern = Concern.of(desk.events[0])
    assert (concern.began_at, concern.site_key, concern.client_key) == (START, "shop", "acme")
    facts = {"check": "shop/http", "reason": "slow_response", "detail": "as the test says", "value_s": 4.2}
    assert concern.facts == facts


async def test_site_with_slow_probes_now_and_then_is_told_to_nobody(desk: Desk) -> None:
    """A single slow probe, or four minutes of them, is no news."""
    for _ in range(20):
        desk.see("shop/http", Reason.SLOW_RESPONSE)
        await desk.pass_time(HOLD_S - 60)
        desk.see("shop/http")
        await desk.pass_time(60)

    assert desk.told() == []


async def test_site_well_again_for_long_is_over_since_its_first_good_probe(desk: Desk) -> None:
    """A single good probe ends nothing; what ended, ended when it became well."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S)
    desk.see("shop/http")
    await desk.pass_time(60)
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(60)
    assert desk.told() == [RAISED]

    well_at = desk.clock.now()
    desk.see("shop/http")
    await desk.pass_time(HOLD_S)

    assert desk.told() == [RAISED, CLEARED]
    assert datetime.fromisoformat(desk.events[-1].data["ended_at"]) == well_at


async def test_several_checks_of_a_site_are_one_concern(desk: Desk) -> None:
    """It is over when none of them is degraded."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    desk.see("shop/tls", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S)
    desk.see("shop/http")
    await desk.pass_time(2 * HOLD_S)
    assert desk.told() == [RAISED]

    desk.see("shop/tls")
    await desk.pass_time(HOLD_S)

    assert desk.told() == [RAISED, CLEARED]


async def test_site_degraded_for_another_reason_is_told_anew(desk: Desk) -> None:
    """The incident stays the same; its words change."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S)
    desk.see("shop/http", Reason.HTTP_BLOCKED)
    await desk.pass_time(HOLD_S)

    assert desk.told() == [RAISED, RAISED]
    assert desk.events[-1].data["facts"]["reason"] == "http_blocked"


@pytest.mark.parametrize("state", [HealthState.SUSPECT, HealthState.DOWN, HealthState.RECOVERING])
async def test_site_that_goes_down_while_degraded_is_not_called_well(desk: Desk, state: HealthState) -> None:
    """Nobody reads "well again" of a site that is down."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S)
    desk.see("shop/http", state=state)
    await desk.pass_time(2 * HOLD_S)
    assert desk.told() == [RAISED]

    desk.see("shop/http")
    await desk.pass_time(HOLD_S)

    assert desk.told() == [RAISED, CLEARED]


async def test_certificate_that_ends_soon_is_told_elsewhere(desk: Desk) -> None:
    """Two messages of the same thing would be one too many."""
    desk.see("shop/tls", Reason.TLS_EXPIRES_SOON)
    await desk.pass_time(2 * HOLD_S)

    assert desk.told() == []


async def test_site_that_is_worked_on_is_told_only_when_it_stays_slow_after_that(desk: Desk) -> None:
    """Announced maintenance makes a site slow; whoever works on it knows."""
    desk.work_ends_at = START + timedelta(hours=2)
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(7200 - 10)
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S - LOOKS_EVERY_S)
    assert desk.told() == []

    await desk.pass_time(30)

    assert desk.told() == [RAISED]
    assert Concern.of(desk.events[0]).began_at == desk.work_ends_at - timedelta(seconds=10)


async def test_site_no_longer_watched_is_let_go(desk: Desk) -> None:
    """Nobody will see it well again."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S)
    del desk.views["shop/http"], desk.views["shop/tls"]
    await desk.pass_time(LOOKS_EVERY_S)

    assert desk.told() == [RAISED, CLEARED]


async def test_restart_tells_nothing_twice_and_forgets_nothing(desk: Desk) -> None:
    """What stands is known from the incidents."""
    incident = concern_incident(key="degraded:shop", site_key="shop", facts={"reason": "slow_response"})
    await desk.incidents.open(incident, [])
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    desk.start()
    await desk.pass_time(2 * HOLD_S)
    assert desk.told() == []

    desk.see("shop/http")
    await desk.pass_time(HOLD_S)

    assert desk.told() == [CLEARED]


async def test_resolved_concern_does_not_stand_after_a_restart(desk: Desk) -> None:
    """Only what is open is taken over."""
    await desk.incidents.open(concern_incident(key="degraded:shop", state=IncidentState.RESOLVED), [])
    await desk.pass_time(2 * HOLD_S)

    assert desk.told() == []


async def test_many_sites_at_once_are_one_concern_of_operators() -> None:
    """A slow network of the agent's own must not write to every client; those left over are told singly after it."""
    desk = Desk([f"s{place:02}/http" for place in range(3 * MANY_SITES)])
    for key in desk.views:
        desk.see(key, Reason.SLOW_RESPONSE)
    await desk.pass_time(2 * HOLD_S)

    (event,) = desk.events
    concern = Concern.of(event)
    assert (concern.key, concern.is_of_agent, concern.facts["sites"]) == (MANY, True, 3 * MANY_SITES)

    for key in list(desk.views)[2:]:
        desk.see(key)
    await desk.pass_time(LOOKS_EVERY_S)

    assert [event.subject for event in desk.events[1:]] == [MANY, "degraded:s00", "degraded:s01"]
    assert [event.kind for event in desk.events[1:]] == [EventKind.CONCERN_CLEARED, *[EventKind.CONCERN_RAISED] * 2]


async def test_store_that_does_not_take_it_is_told_again(desk: Desk) -> None:
    """What was not published is said at the next look."""
    desk.see("shop/http", Reason.SLOW_RESPONSE)
    await desk.pass_time(HOLD_S - LOOKS_EVERY_S)
    desk.queue.unavailable = True
    with pytest.raises(StoreUnavailable):
        await desk.pass_time(2 * LOOKS_EVERY_S)
    desk.queue.unavailable = False
    await desk.pass_time(LOOKS_EVERY_S)

    assert desk.told() == [RAISED]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=12))
async def test_concern_any_story_is_raised_and_cleared_in_turn(story: list[tuple[bool, int]]) -> None:
    """It is never raised twice for the same reason nor cleared unless it stands, and each turn was held."""
    desk = Desk(["shop/http"])
    for slow, minutes in story:
        desk.see("shop/http", Reason.SLOW_RESPONSE if slow else None)
        await desk.pass_time(minutes * 60, step_s=60)

    kinds = [event.kind for event in desk.events]
    expected = [EventKind.CONCERN_RAISED, EventKind.CONCERN_CLEARED]
    assert kinds == [expected[place % 2] for place in range(len(kinds))]
    apart = [later.at - earlier.at for earlier, later in zip(desk.events, desk.events[1:], strict=False)]
    assert all(span >= timedelta(seconds=HOLD_S) for span in apart)
