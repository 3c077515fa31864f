"""Whose side an outage was on, as people say it."""

from dataclasses import replace

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.errors import NotFound, TransitionRefused
from sentry.domain.failure_report import Attribution
from sentry.domain.incident import Incident
from sentry.domain.responsibility import AGENT, standing_side
from sentry.services.attributions import Attributions
from tests.fakes.attributions import MemoryAttributionBook
from tests.fakes.clock import ManualClock
from tests.fakes.failure_reports import error_result, incident_of
from tests.fakes.incidents import MemoryIncidentStore


@pytest.fixture
def incidents() -> MemoryIncidentStore:
    """No incident yet."""
    return MemoryIncidentStore()


@pytest.fixture
def attributions(incidents: MemoryIncidentStore) -> Attributions:
    """The service over them."""
    return Attributions(incidents=incidents, book=MemoryAttributionBook(incidents), clock=ManualClock())


async def opened(incidents: MemoryIncidentStore, key: str, **changes: object) -> Incident:
    return await incidents.open(incident_of(error_result(), key=key, site_key=key, **changes), [])


async def test_attribute_a_group_is_said_of_each_of_its_members(
    incidents: MemoryIncidentStore, attributions: Attributions
) -> None:
    """Eighty sites of one server need one word; each is said of its own openings."""
    group = replace(
        incident_of(error_result(), key="group:host:web1", site_key=""), report=None, concern=ConcernKind.GROUP
    )
    group = await incidents.open(group, [])
    shop = await opened(incidents, "shop", parent_id=group.id)
    blog = await opened(incidents, "blog", parent_id=group.id, opening=2)
    alone = await opened(incidents, "alone")

    await attributions.attribute(group.id, Attribution.THIRD_PARTY, by="Ana", reason="The data centre had no power")

    said = {one.id: await attributions.history(one) for one in (shop, blog, alone, group)}
    assert [standing_side(said[one.id]) for one in (shop, blog, alone, group)] == [
        Attribution.THIRD_PARTY,
        Attribution.THIRD_PARTY,
        Attribution.INFRASTRUCTURE,
        Attribution.THIRD_PARTY,
    ]
    assert said[blog.id][-1].opening == 2


async def test_history_of_an_incident_of_before_is_the_guess_of_its_report(
    incidents: MemoryIncidentStore, attributions: Attributions
) -> None:
    """Nothing was written of it then, but its report says what the agent thought."""
    found = await opened(incidents, "shop")
    (guess,) = await attributions.history(found)
    assert found.report is not None
    assert (guess.by, guess.side, guess.basis) == (
        AGENT,
        found.report.attribution,
        found.report.attribution_basis,
    )


async def test_attribute_what_is_no_outage_is_refused(
    incidents: MemoryIncidentStore, attributions: Attributions
) -> None:
    """No minute of a concern counts, so it is on nobody's side."""
    concern = replace(incident_of(error_result(), key="burn_rate:shop"), report=None, concern=ConcernKind.BURN_RATE)
    concern = await incidents.open(concern, [])
    with pytest.raises(TransitionRefused, match="no outage"):
        await attributions.attribute(concern.id, Attribution.CLIENT, by="Ana", reason="why not")
    with pytest.raises(NotFound):
        await attributions.attribute(99, Attribution.CLIENT, by="Ana", reason="why not")
    assert await attributions.history(concern) == []
