"""The watch over closed sites: a warning on day 12, a breach on day 15, and the end of both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sentry.domain.events import EventKind
from sentry.domain.severity import Severity
from sentry.services.suspension_watch import KIND, SuspensionWatch, observation_of, suspension_of
from tests.fakes.client_reports import shop
from tests.fakes.clock import ManualClock
from tests.fakes.observations import MemoryObservations
from tests.fakes.told import ToldEvents
from tests.unit.domain.test_suspension import SUSPENSION


@pytest.mark.promise("001-43")
async def test_watch_of_a_closed_site_warns_then_tells_the_breach_then_the_end() -> None:
    """Each is told once, also after a restart of the agent, and the breach is of the highest severity."""
    clock, observations, events = ManualClock(), MemoryObservations(), ToldEvents()
    suspension = replace(SUSPENSION, began_at=clock.now())
    await observations.keep(KIND, "shop", observation_of(suspension))

    async def look() -> None:
        watch = SuspensionWatch({"shop": shop(key="shop")}.get, observations, events, clock)
        await watch.look()
        await watch.look()

    await clock.advance(timedelta(days=11).total_seconds())
    await look()
    assert events.raised() == []
    await clock.advance(timedelta(days=1).total_seconds())
    await look()
    (warning,) = events.raised()
    await clock.advance(timedelta(days=3).total_seconds())
    await look()
    (breach,) = events.raised()
    await observations.forget(KIND, "shop")
    await look()

    assert (warning.severity, warning.facts["problem"], warning.facts["days"]) == (Severity.SEV3, "near", 12)
    assert (breach.severity, breach.facts["problem"], breach.key) == (Severity.SEV1, "breach", warning.key)
    assert [event.kind for event in events.news()] == [EventKind.CONCERN_CLEARED]


def test_suspension_is_kept_as_it_is() -> None:
    """What is kept of a closed site gives the same one back."""
    assert suspension_of(observation_of(SUSPENSION)) == SUSPENSION
