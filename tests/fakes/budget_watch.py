"""A budget watch with everything around it in memory."""

from dataclasses import dataclass, field

from sentry.domain.concern import Concern
from sentry.domain.events import Event, EventKind
from sentry.services.budget_watch import BudgetWatch
from sentry.services.budgets import Budgets
from sentry.services.burn_alerts import BurnAlerts
from tests.fakes.client_reports import FiledTickets, messages
from tests.fakes.clock import ManualClock
from tests.fakes.incidents import MemoryIncidentStore
from tests.fakes.telemetry import RecordingTelemetry
from tests.fakes.watch_store import MemoryEventQueue


@dataclass(slots=True)
class BudgetDesk:
    """What a budget watch writes to; `watch` builds one, also a second one over the same, as after a restart."""

    clock: ManualClock
    tickets: FiledTickets = field(default_factory=FiledTickets)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    events: MemoryEventQueue = field(default_factory=lambda: MemoryEventQueue(()))
    incidents: MemoryIncidentStore = field(default_factory=MemoryIncidentStore)

    def watch(self, budgets: Budgets) -> BudgetWatch:
        """Returns a budget watch that has seen nothing yet."""
        alerts = BurnAlerts(
            events=self.events, incidents=self.incidents, tickets=self.tickets, wording=messages(), clock=self.clock
        )
        return BudgetWatch(
            budgets,
            burn_alerts=alerts,
            tickets=self.tickets,
            telemetry=self.telemetry,
            wording=messages(),
            clock=self.clock,
        )

    def told(self) -> list[Concern | Event]:
        """Returns the concerns that were raised and the events that cleared one, in order."""
        return [
            Concern.of(event) if event.kind is EventKind.CONCERN_RAISED else event for event in self.events.events
        ]
