"""What is done again and again beside the watch: budgets, sealing, retention, and figures only the store knows."""

from datetime import timedelta

from sentry.app.books import Books
from sentry.app.memory import give_back
from sentry.metrics.telemetry import Metrics
from sentry.scheduler import Duty, Scheduler
from sentry.services.budget_watch import BudgetWatch
from sentry.services.burn_alerts import BurnAlerts

BUDGETS_EVERY = timedelta(minutes=1)
RETENTION_EVERY = timedelta(hours=1)
SEALING_EVERY = timedelta(minutes=1)
SEALING_S = 5.0
"""Of each minute, while there is something to seal: duties wait for each other, and ten thousand sites are done in
some minutes all the same."""
FIGURES_EVERY = timedelta(seconds=15)
MEMORY_EVERY = timedelta(minutes=5)


class Duties:
    """Builds the duties; `schedule` beats for them."""

    def __init__(self, books: Books, metrics: Metrics) -> None:
        self._books = books
        self._metrics = metrics
        self._budgets = BudgetWatch(
            books.budgets,
            burn_alerts=BurnAlerts(
                events=books.store.events,
                incidents=books.store.incidents,
                tickets=books.store.tickets,
                wording=books.messages,
                clock=books.clock,
            ),
            tickets=books.store.tickets,
            telemetry=metrics,
            wording=books.messages,
            clock=books.clock,
        )

    def schedule(self) -> Scheduler:
        """Returns the scheduler of all duties, not yet started."""
        duties = {
            "budgets": Duty(BUDGETS_EVERY, self._check_budgets),
            "retention": Duty(RETENTION_EVERY, self._retain),
            "sealing": Duty(SEALING_EVERY, self._seal),
            "figures": Duty(FIGURES_EVERY, self._figures),
            "memory": Duty(MEMORY_EVERY, give_back),
        }
        return Scheduler(duties, self._books.store.due, self._books.clock, self._metrics)

    async def _check_budgets(self) -> None:
        await self._budgets.check_thresholds(self._books.roster.sites.values())

    async def _retain(self) -> None:
        await self._books.store.retention.prune(self._books.settings.retention, self._books.clock.now())

    async def _seal(self) -> None:
        await self._books.store.sealing.work(SEALING_S)

    async def _figures(self) -> None:
        incidents = self._books.store.incidents
        for state, count in (await incidents.unresolved_by_state()).items():
            self._metrics.gauge("incidents_open", count, state=state)
        for kind, count in (await incidents.unresolved_by_concern()).items():
            self._metrics.gauge("concerns_open", count, kind=kind)
