"""Sites that cannot do without another one: recorded and counted, told only where they fail by themselves."""

import pytest

from sentry.domain.incident import Incident, IncidentState
from sentry.domain.notice import NoticeKind
from sentry.domain.result import Reason
from tests.fakes.neighbourhood import Neighbourhood

# Probed in this order, seven seconds apart: the first shop before what both shops need, the second after it.
SERVERS = {"early-shop": "203.0.113.1", "payments": "203.0.113.2", "late-shop": "203.0.113.3", "blog": "203.0.113.4"}
NEEDS = {"early-shop": ("payments",), "late-shop": ("payments/http",)}


@pytest.fixture
async def house() -> Neighbourhood:
    made = await Neighbourhood(SERVERS, depends_on=NEEDS).open()
    await made.live(120)
    return made


def fail(house: Neighbourhood, *sites: str) -> None:
    """Lets sites fail from now on."""
    house.down |= dict.fromkeys(sites, Reason.HTTP_SERVER_ERROR)


def of(house: Neighbourhood, site_key: str) -> Incident:
    """The one incident of a site."""
    (found,) = [one for one in house.incidents.incidents.values() if one.site_key == site_key]
    return found


async def test_outage_of_what_others_need_is_told_and_theirs_are_its_members(house: Neighbourhood) -> None:
    """One page, whoever is probed first; every outage is on record with its report."""
    fail(house, "payments", "early-shop", "late-shop")
    await house.live(180)

    needed = of(house, "payments")
    assert [message.subject.split()[0] for message in house.told] == ["payments"]
    assert {of(house, shop).parent_id for shop in NEEDS} == {needed.id}
    assert all(of(house, shop).report is not None for shop in NEEDS)


async def test_dependents_that_follow_are_silent_to_the_end(house: Neighbourhood) -> None:
    """What recovers with what it needs was never a problem of its own."""
    fail(house, "payments", "early-shop", "late-shop")
    await house.live(180)
    house.down = {}
    await house.live(240)

    assert all(one.state is IncidentState.RESOLVED for one in house.incidents.incidents.values())
    assert [message.kind for message in house.told] == [NoticeKind.OPENED, NoticeKind.RESOLVED]
    assert await house.incidents.held() == []


async def test_dependent_that_does_not_follow_is_told_by_itself(house: Neighbourhood) -> None:
    """Suppression ends with its reason: a shop that stays down has a problem of its own."""
    fail(house, "payments", "late-shop")
    await house.live(180)
    house.down.pop("payments")
    await house.live(240)

    assert [message.subject.split()[0] for message in house.told] == ["payments", "payments", "late-shop"]
    assert of(house, "late-shop").parent_id is None


async def test_dependent_fails_by_itself_while_what_it_needs_answers_and_is_told(house: Neighbourhood) -> None:
    """A dependency that is well excuses nobody, and delays the page by one look at it at most."""
    fail(house, "early-shop", "blog")
    await house.live(60)

    assert {message.subject.split()[0] for message in house.told} == {"early-shop", "blog"}


async def test_dependents_survive_a_restart_while_they_wait(house: Neighbourhood) -> None:
    """Between the recovery of what was needed and their own, the agent may stop."""
    fail(house, "payments", "late-shop")
    await house.live(180)
    house.down.pop("payments")
    await house.live(45)
    assert [one.site_key for one in await house.incidents.held()] == ["late-shop"]
    house.start()
    await house.open()
    await house.live(200)

    assert house.told[-1].subject.split()[0] == "late-shop"
    assert len(house.told) == 3
