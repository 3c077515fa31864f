"""Alarms about budgets that burn too fast: one concern a site, as severe as the worst speed.

While an outage of the site has its own incident, that one has paged already: what the outage does to the budget is
a note in its ticket, and the concern waits for the end of the incident.
"""

from collections.abc import Collection
from datetime import UTC, datetime

from sentry.domain.burn import BurnRule
from sentry.domain.concern import Concern, ConcernKind, cleared
from sentry.domain.incident import Incident, IncidentState
from sentry.domain.severity import Severity
from sentry.ports import BudgetWording, Clock, EventQueue, IncidentStore, TicketNote, TicketStore
from sentry.services.reckoning import Standing

PREFIX = f"{ConcernKind.BURN_RATE}:"
INCIDENT_LIMIT = 10_000
"""Unresolved incidents looked at after a start."""


class BurnAlerts:
    """Raises and clears the concerns `burn_rate:<site>`.

    What stands is known from the incidents after a start, and remembered from then on.
    """

    def __init__(
        self,
        *,
        events: EventQueue,
        incidents: IncidentStore,
        tickets: TicketStore,
        wording: BudgetWording,
        clock: Clock,
    ) -> None:
        self._events = events
        self._incidents = incidents
        self._tickets = tickets
        self._wording = wording
        self._clock = clock
        self._raised: dict[str, Severity] | None = None
        self._noted: set[str] = set()

    async def begin(self, site_keys: Collection[str]) -> None:
        """Begins a round: clears the concerns of sites that are no longer watched.

        Args:
            site_keys: of all sites.
        """
        if self._raised is None:
            self._raised = await self._standing()
        for key in self._raised.keys() - site_keys:
            await self._clear(key)

    async def look_at(self, standing: Standing) -> bool:
        """Raises, changes or clears the concern of a site as it stands now.

        Returns:
            Whether that is all; False where the site is to be looked at again although no figure changes.
        """
        site, burn = standing.month.site, standing.burn
        raised = (self._raised or {}).get(site.key)
        if burn.burning is None and raised is None:
            return True
        incident = await self._incidents.unresolved(site.key)
        if incident is not None and burn.burning is not None:
            await self._note(incident, standing, burn.burning)
            return False
        if burn.alarm is None:
            if raised is not None:
                await self._clear(site.key)
        elif raised is not burn.alarm.severity:
            await self._raise(standing, burn.alarm)
        return True

    async def _standing(self) -> dict[str, Severity]:
        found = {}
        for state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED):
            for incident in await self._incidents.list(state=state, limit=INCIDENT_LIMIT):
                if incident.key.startswith(PREFIX):
                    found[incident.key.removeprefix(PREFIX)] = incident.severity
        return found

    async def _raise(self, standing: Standing, rule: BurnRule) -> None:
        site, now = standing.month.site, self._clock.now()
        concern = Concern(
            key=PREFIX + site.key,
            kind=ConcernKind.BURN_RATE,
            severity=rule.severity,
            began_at=now,
            site_key=site.key,
            client_key=site.client_key,
            facts=_facts(standing, rule),
        )
        await self._events.publish([concern.raised(now)])
        if self._raised is not None:
            self._raised[site.key] = rule.severity

    async def _clear(self, site_key: str) -> None:
        now = self._clock.now()
        await self._events.publish([cleared(PREFIX + site_key, now, now)])
        if self._raised is not None:
            self._raised.pop(site_key, None)

    async def _note(self, incident: Incident, standing: Standing, rule: BurnRule) -> None:
        """Writes into the ticket of an outage what it does to the budget, once for each speed it reaches."""
        key = f"burn:{incident.id}:{incident.opening}:{rule.long}"
        if incident.ticket_number is None or key in self._noted:
            return
        text = self._wording.burn_note(standing.month.site, _facts(standing, rule))
        note = TicketNote(author="online-sentry", text=text, kind="budget")
        await self._tickets.append(incident.ticket_number, note, self._clock.now(), key=key)
        self._noted.add(key)


def _facts(standing: Standing, rule: BurnRule) -> dict[str, object]:
    """What the words of a concern or a note are made of; JSON values only."""
    month = standing.month
    runs_out = month.runs_out["7d"]
    return {
        "month": str(month.month),
        "rate": round(standing.burn.rates[rule.long], 1),
        "threshold": rule.threshold,
        "window": rule.long,
        "short_rate": round(standing.burn.rates[rule.short], 1),
        "short_window": rule.short,
        "spent_minutes": month.budget.spent,
        "allowed_minutes": round(float(month.budget.allowed), 2),
        "left_minutes": round(float(month.budget.left), 2),
        "runs_out_at": None if runs_out is None else datetime.fromtimestamp(runs_out * 60, UTC).isoformat(),
    }
