"""The watch: takes each result into account, and hands what it changes to the store without ever waiting for it."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from operator import attrgetter

from sentry.domain.changes import changes_between
from sentry.domain.errors import StoreError, StoreUnavailable
from sentry.domain.events import Event, EventKind
from sentry.domain.health import Health, Step, step
from sentry.domain.ledger import MinuteState
from sentry.domain.own_fault import EXPLAINABLE, OwnFault
from sentry.domain.result import ProbeResult, Status
from sentry.domain.retelling import Retold, Trail, retell
from sentry.domain.site import Check
from sentry.ports import (
    Clock,
    CorrectedCheck,
    Correction,
    SampleKind,
    Telemetry,
    Timer,
    WatchRecord,
    WatchStore,
)

BATCH_RECORDS = 5000
"""Records of one transaction: a minute of five thousand sites, far below a second of writing."""

QUEUE_RECORDS = 200_000
"""Results kept while the store does not answer: twenty minutes of ten thousand sites, about 200 MB."""

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waiting between attempts to write to a store that does not answer; the last one repeats."""

HEALTH_EVERY = timedelta(minutes=15)
"""A health that only saw good results is written this often; every change of state is written at once."""

WRITE_WITHIN_S = 0.5
"""Good results gather for so long to be written together; one with an event is written at once, with all before it.

A commit costs as much as hundreds of rows. An agent that is killed leaves that much more time `unknown`.
"""

_LASTING = attrgetter(*(each.name for each in fields(Health) if each.name not in {"last_good", "covered"}))
"""The part of a health that must survive a restart; the newest good result alone is not worth a write."""


@dataclass(slots=True)
class CheckView:
    """What is known of one check now, for pages and services.

    Attributes:
        trail: how a failure of the last minutes came to be believed, None where there was none.
    """

    check: Check
    health: Health
    last: ProbeResult | None = None
    written_at: datetime | None = None
    trail: Trail | None = None


class Watch:
    """Turns results into verdicts.

    Args:
        store: where records go, in batches.
        recheck: asks for one more probe of a check at an instant.
        committed: called after each batch, so that events are handled at once.
        queue_records: results kept while the store does not answer; beyond that, results that changed nothing are
            dropped and counted, and their minutes stay `unknown`. Nothing that carries an event is ever dropped.

    Attributes:
        store_answers: whether the last write went through.
    """

    def __init__(
        self,
        store: WatchStore,
        clock: Clock,
        telemetry: Telemetry,
        *,
        recheck: Callable[[str, datetime], None],
        committed: Callable[[], None],
        queue_records: int = QUEUE_RECORDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._recheck = recheck
        self._committed = committed
        self._queue_records = queue_records
        self._views: dict[str, CheckView] = {}
        self._queue: deque[WatchRecord | Correction] = deque()
        self._filled = asyncio.Event()
        self._timer: Timer | None = None
        self.store_answers = True

    async def replace(self, checks: Sequence[Check]) -> None:
        """Takes a new set of checks; what is known of those that stay is kept, over restarts too.

        Raises:
            StoreUnavailable: the store does not answer; the standing set is kept.
        """
        await self._store.register(checks, self._clock.now())
        known: Mapping[str, Health] = {}
        if any(check.key not in self._views for check in checks):
            known = await self._store.load_health()
        views: dict[str, CheckView] = {}
        for check in checks:
            standing = self._views.get(check.key)
            if standing is not None:
                views[check.key] = replace(standing, check=check)
                continue
            # What the last probe before a stop stood for ends with the stop: minutes not probed are unknown.
            health = replace(known.get(check.key, Health(check.key)), covered=None)
            views[check.key] = CheckView(check, health)
        for key in self._views.keys() - views.keys():
            self._telemetry.forget_check(key)
        self._views = views

    def view(self, check_key: str) -> CheckView | None:
        """Returns what is known of one check now."""
        return self._views.get(check_key)

    def views(self) -> Sequence[CheckView]:
        """Returns what is known of every check now."""
        return list(self._views.values())

    @property
    def queued(self) -> int:
        """Records that wait to be written."""
        return len(self._queue)

    def take(self, result: ProbeResult, kind: SampleKind, delay_s: float) -> None:
        """Takes one result into account. Never waits."""
        view = self._views.get(result.check_key)
        if view is None:
            return
        if view.trail is not None or (result.status is Status.DOWN and result.reason in EXPLAINABLE):
            view.trail = (view.trail or Trail()).followed(view.health, result)
        changed = step(view.health, result, view.check)
        changes = self._changes(view, result)
        events = (*changed.events, *changes) if changes else changed.events
        self._telemetry.probe_finished(view.check, result, kind, delay_s)
        if result.status is not Status.UNKNOWN or view.last is None:
            view.last = result
        self._keep(view, changed, events, result, kind)
        if changed.health.recheck_at is not None and changed.health.recheck_at != view.health.recheck_at:
            self._recheck(view.check.key, changed.health.recheck_at)
        view.health = changed.health
        self._telemetry.verdict(view.check.key, view.health)

    def correct(self, fault: OwnFault | None, events: Sequence[Event] = ()) -> None:
        """Takes back the failures that a fault of our own brought about, as far as they were believed. Never waits.

        Args:
            fault: the span, as it is known now; None where there are only events.
            events: what else follows from it.
        """
        corrected, further = [], list(events)
        for view in self._views.values():
            if fault is None or view.trail is None:
                continue
            retold = retell(view.health, view.trail, view.check, [fault])
            if retold is not None:
                corrected.append(self._corrected(view, retold))
                further += retold.events
                if retold.is_taken_back:
                    further.append(self._withdrawn(view.check, retold, fault))
        self._queue.append(Correction(fault, tuple(corrected), tuple(further)))
        self._filled.set()

    def _corrected(self, view: CheckView, retold: Retold) -> CorrectedCheck:
        view.health, view.trail, view.written_at = retold.health, retold.trail, self._clock.now()
        if view.health.recheck_at is not None:
            self._recheck(view.check.key, view.health.recheck_at)
        self._telemetry.verdict(view.check.key, view.health)
        unknown = sum(run.minutes for run in retold.minutes if run.state is MinuteState.UNKNOWN)
        self._telemetry.count("unknown_seconds_total", 60 * unknown)
        return CorrectedCheck(retold.health, retold.minutes, retold.withdrawn, retold.outage)

    def _withdrawn(self, check: Check, retold: Retold, fault: OwnFault) -> Event:
        facts = {"cause": fault.cause.value, "confirmed": retold.withdrawn is not None}
        return Event(EventKind.FAILURE_WITHDRAWN, self._clock.now(), check.key, facts)

    def _changes(self, view: CheckView, result: ProbeResult) -> list[Event]:
        previous = view.health.last_good
        if previous is None or not result.answers:
            return []
        return [
            Event(EventKind.CHANGE_SEEN, change.at, result.check_key, {"kind": change.kind, "text": change.text})
            for change in changes_between(previous, result)
        ]

    def _keep(
        self, view: CheckView, changed: Step, events: tuple[Event, ...], result: ProbeResult, kind: SampleKind
    ) -> None:
        health = changed.health if self._worth_writing(view, changed.health) else None
        if health is not None:
            view.written_at = self._clock.now()
        record = WatchRecord(result, kind, health, changed.minutes, changed.outage, events)
        if len(self._queue) >= self._queue_records and not (events or record.outage or health):
            self._telemetry.count("store_dropped_total")
            return
        self._queue.append(record)
        if events or record.outage is not None:
            self._filled.set()
        elif self._timer is None:
            self._timer = self._clock.call_later(WRITE_WITHIN_S, self._filled.set)

    def _worth_writing(self, view: CheckView, health: Health) -> bool:
        if view.written_at is None or self._clock.now() - view.written_at >= HEALTH_EVERY:
            return True
        return _LASTING(view.health) != _LASTING(health)

    async def write(self) -> None:
        """Writes what was taken, batch by batch, until cancelled; a store that does not answer is asked again.

        What changes anything is written at once, everything else within `WRITE_WITHIN_S`.
        """
        while True:
            await self._filled.wait()
            self._gather_anew()
            await self._commit(len(self._queue))

    async def flush(self) -> None:
        """Writes everything that waits; returns once the store has it."""
        while self._queue:
            await self._commit(len(self._queue))
        self._gather_anew()

    def _gather_anew(self) -> None:
        self._filled.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _commit(self, records: int) -> None:
        """Writes the oldest records; those that come meanwhile gather for the next time."""
        attempt = 0
        while records > 0:
            batch = self._next_batch(min(records, BATCH_RECORDS))
            self._telemetry.gauge("queue_depth", len(self._queue))
            try:
                await self._hand_over(batch)
            except StoreUnavailable:
                self.store_answers = False
                self._telemetry.count("store_errors_total", kind="unavailable")
                await self._clock.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
                continue
            except StoreError:
                await self._commit_singly(batch)
            attempt, self.store_answers = 0, True
            written = len(batch) if isinstance(batch, list) else 1
            for _ in range(written):
                self._queue.popleft()
            records -= written
            self._committed()
        self._telemetry.gauge("queue_depth", len(self._queue))

    def _next_batch(self, limit: int) -> list[WatchRecord] | Correction:
        """Returns the oldest records up to the next correction, which is made over what stands before it."""
        oldest = self._queue[0]
        if isinstance(oldest, Correction):
            return oldest
        return [one for one in takewhile(_is_record, islice(self._queue, limit)) if isinstance(one, WatchRecord)]

    async def _hand_over(self, batch: "list[WatchRecord] | Correction") -> None:
        await (self._store.correct(batch) if isinstance(batch, Correction) else self._store.commit(batch))

    async def _commit_singly(self, batch: "list[WatchRecord] | Correction") -> None:
        """One record that the store refuses must not take the others with it."""
        for record in [batch] if isinstance(batch, Correction) else batch:
            one = record if isinstance(record, Correction) else [record]
            try:
                await self._hand_over(one)
            except StoreUnavailable:
                await self._clock.sleep(RETRY_S[-1])
                await self._commit_singly(one)
            except StoreError:
                self._telemetry.count("store_errors_total", kind="refused")


def _is_record(queued: WatchRecord | Correction) -> bool:
    return isinstance(queued, WatchRecord)
