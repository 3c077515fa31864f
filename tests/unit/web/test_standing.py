"""How a site stands, from its checks."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sentry.domain.health import Health, HealthState
from sentry.domain.result import ProbeResult, Reason
from sentry.domain.site import CheckOptions
from sentry.domain.weight import Weight
from sentry.services.watch import CheckView
from sentry.web.standing import SiteStanding, Standing, check_standing, problems_first, stand, stand_in_turns
from sentry.web.turns import AT_ONCE
from tests.fakes.results import START, a_bad_result, a_check, a_good_result, an_unknown_result
from tests.fakes.web import House


def _view(state: HealthState, last: ProbeResult | None = None, **health: object) -> CheckView:
    known = Health("acme-shop/http", state, since=START, **health)  # type: ignore[arg-type]  # fields of Health
    return CheckView(a_check(), known, last)


@pytest.mark.parametrize(
    ("view", "standing"),
    [
        (_view(HealthState.UP, a_good_result()), Standing.UP),
        (_view(HealthState.UP, a_good_result(), degraded=Reason.SLOW_RESPONSE), Standing.DEGRADED),
        (_view(HealthState.SUSPECT, a_bad_result()), Standing.SUSPECT),
        (_view(HealthState.DOWN, a_bad_result()), Standing.DOWN),
        (_view(HealthState.RECOVERING, a_good_result()), Standing.DOWN),
        (_view(HealthState.NEW), Standing.UNKNOWN),
        (_view(HealthState.UP, an_unknown_result()), Standing.UNKNOWN),
        (_view(HealthState.UP, a_good_result(at=START - timedelta(minutes=5))), Standing.UNKNOWN),
        (_view(HealthState.DOWN, a_bad_result(at=START - timedelta(days=5))), Standing.DOWN),
    ],
)
def test_check_standing_follows_belief_and_age(view: CheckView, standing: Standing) -> None:
    """A confirmed outage stays one; anything else must be fresh to be believed."""
    assert check_standing(view, START) is standing


def _house(*views: CheckView) -> list[SiteStanding]:
    house = House()
    house.add_site()
    return stand(house.sites, views, [], START)


def test_stand_check_that_does_not_count_only_degrades() -> None:
    """An observed check that is down is shown, and does not make the site down."""
    observed = replace(a_check("acme-shop/observed"), options=CheckOptions(kind="http", counts=False))
    down = CheckView(observed, Health(observed.key, HealthState.DOWN, since=START), a_bad_result())
    (site,) = _house(_view(HealthState.UP, a_good_result()), down)
    assert site.standing is Standing.DEGRADED


def test_stand_check_that_degrades_passes_its_own_degradation_on() -> None:
    """An observed check that is merely degraded says nothing of the site, one that degrades does."""
    for weight, expected in ((Weight.DEGRADES, Standing.DEGRADED), (Weight.OBSERVED, Standing.UP)):
        check = replace(a_check("acme-shop/gateway"), options=CheckOptions(kind="http", weight=weight))
        slow = Health(check.key, HealthState.UP, since=START, degraded=Reason.SLOW_RESPONSE)
        view = CheckView(check, slow, a_good_result(check.key))
        (site,) = _house(_view(HealthState.UP, a_good_result()), view)
        assert site.standing is expected


def test_stand_worst_check_decides() -> None:
    """And since when is that of the worst."""
    later = START + timedelta(minutes=3)
    tls = a_check("acme-shop/tls", kind="tls")
    down = CheckView(tls, Health(tls.key, HealthState.DOWN, since=later), a_bad_result(tls.key))
    (site,) = _house(_view(HealthState.UP, a_good_result()), down)
    assert (site.standing, site.since) == (Standing.DOWN, later)
    assert site.deciding is not None
    assert site.deciding.view is down


def test_stand_site_without_results_is_unknown() -> None:
    """A site that was just added is not up."""
    (site,) = _house()
    assert (site.standing, site.deciding) == (Standing.UNKNOWN, None)


def test_problems_first_newest_trouble_leads() -> None:
    """What just broke is on top; sites without trouble stand by name."""
    (up,) = _house(_view(HealthState.UP, a_good_result()))
    old = replace(up, standing=Standing.DOWN, since=START - timedelta(hours=5))
    new = replace(up, standing=Standing.DOWN, since=START)
    slow = replace(up, standing=Standing.DEGRADED)
    assert problems_first([up, slow, old, new]) == [new, old, slow, up]


async def test_stand_in_turns_gives_what_stand_gives_and_lets_others_run() -> None:
    """Of ten thousand sites no more than a few hundred are looked at in one turn of the loop."""
    house = House()
    house.add_site()
    sites, views = [*house.sites] * 1000, [_view(HealthState.UP, a_good_result())]
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    heart = asyncio.create_task(beat())
    found = await stand_in_turns(sites, views, [], START)
    heart.cancel()

    assert found == stand(sites, views, [], START)
    assert turns >= len(sites) // AT_ONCE
