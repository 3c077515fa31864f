"""Dependencies: what a check cannot do without, as the configuration says, and how that stands now."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sentry.domain.grouping import site_of
from sentry.domain.incident import Incident
from sentry.domain.site import Check
from sentry.ports import IncidentStore
from sentry.services.sightings import FAILING
from sentry.services.watch import CheckView


class Dependencies:
    """Looks at the sites and checks that others depend on.

    Args:
        views: what the watch knows of every check.
    """

    def __init__(self, views: Callable[[], Sequence[CheckView]], incidents: IncidentStore) -> None:
        self._views = views
        self._incidents = incidents

    async def outage(self, check: Check) -> Incident | None:
        """Returns the incident of something that a check depends on and that is down."""
        for key in check.depends_on:
            incident = await self._incidents.unresolved(site_of(key))
            if incident is not None and any(self._is(view, key) for view in self._down(incident)):
                return incident
        return None

    def are_undecided(self, check: Check, since: datetime) -> bool:
        """Returns whether something that a check depends on fails unconfirmed, or was not looked at since then."""
        return any(
            self._is(view, key) and (view.health.state in FAILING or not _answered(view, since))
            for key in check.depends_on
            for view in self._views()
        )

    def _down(self, incident: Incident) -> list[CheckView]:
        return [view for view in self._views() if view.check.key in incident.checks_down]

    def _is(self, view: CheckView, key: str) -> bool:
        """Whether a check is meant by a key: by its own, or by its site's where the site's state hangs on it."""
        return view.check.key == key or (view.check.site_key == key and view.check.options.counts)


def _answered(view: CheckView, since: datetime) -> bool:
    good = view.health.last_good
    return good is not None and good.scheduled_at >= since
