"""The courier: takes what is due out of the outbox to its channels, each at its own pace, until it is accepted."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sentry.domain.delivery import (
    MAX_RETRY_AFTER_S,
    MENDABLE,
    Judgement,
    Verdict,
    judge,
    retry_at,
)
from sentry.domain.errors import DeliveryError, StoreError
from sentry.domain.incident import Incident
from sentry.domain.notice import Delivery, DeliveryState, NoticeKind
from sentry.ports import Clock, DeliveryOutbox, IncidentStore, Telemetry
from sentry.services.handover import Handover
from sentry.services.switchboard import Switchboard

POLL_S = 2.0
"""How often due retries are looked for when nobody wakes the courier."""

CONCURRENT_PER_CHANNEL = 8
"""Attempts of one channel at a time: a mass outage drains quickly, a mail server sees few connections."""

BARRED_S = 60.0
"""A delivery around which we have a bug is left alone for this long."""

GRACE_S = 3.0
"""At shutdown, attempts under way get this long to end: what was accepted is then known to be."""

RECORD_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waiting between attempts to write an outcome to a store that does not answer; the last one repeats."""

SWEEP_LIMIT = 10_000
"""Pending deliveries looked at in one sweep."""

HORIZON = timedelta(days=400)
"""Beyond every expiry: `due` up to here returns all that is pending."""

log = logging.getLogger(__name__)


class Courier:
    """Delivers at least once; a stuck channel holds up nobody but itself.

    A delivery is marked sent after the other side has accepted it, so that a killed agent sends again: with the same
    key, from which channels make Message-ID and Idempotency-Key. While the store does not answer, an accepted
    message is remembered and not sent again.

    Args:
        jitter: random numbers in [0, 1) for the back-off.
    """

    def __init__(
        self,
        *,
        incidents: IncidentStore,
        outbox: DeliveryOutbox,
        switchboard: Switchboard,
        handover: Handover,
        clock: Clock,
        telemetry: Telemetry,
        jitter: Callable[[], float],
    ) -> None:
        self._incidents = incidents
        self._outbox = outbox
        self._switchboard = switchboard
        self._handover = handover
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter
        self._under_way: dict[str, tuple[Delivery, asyncio.Task[bool]]] = {}
        self._barred: dict[str, float] = {}
        self._held: set[str] = set()
        self._reported_at = clock.monotonic() - POLL_S
        self._woken = asyncio.Event()
        self._wall_minus_monotonic_s = clock.now().timestamp() - clock.monotonic()

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────────

    def wake(self) -> None:
        """Says that there may be something to deliver."""
        self._woken.set()

    async def run(self) -> None:
        """Delivers until it is cancelled; attempts under way then get a moment to end."""
        try:
            while True:
                self._woken.clear()
                await self._launch_or_report()
                await until(self._woken, self._clock, POLL_S)
        finally:
            await self._land()

    async def deliver_due(self) -> int:
        """Attempts everything that is due now and what becomes due by it.

        Returns:
            How many attempts were made.
        """
        attempts = 0
        while launched := await self._launch():
            attempts += launched
            if not all(await asyncio.gather(*(task for _, task in self._under_way.values()))):
                break
        return attempts

    async def _launch_or_report(self) -> None:
        try:
            await self._launch()
            await self._report()
        except StoreError as error:
            self._telemetry.count("store_errors_total", kind="outbox")
            log.warning("the outbox cannot be read, deliveries wait: %s", error)
        except Exception:
            log.exception("the courier met a fault of ours and goes on")

    async def _launch(self) -> int:
        """Starts an attempt for each delivery that is due, as far as its channel has room."""
        now = self._clock.now()
        launched = 0
        for channel in list(self._switchboard.lines):
            # Twice as many: the end of what is being said now is due as well, and is left for the next round.
            for delivery in await self._outbox.due(now, 2 * CONCURRENT_PER_CHANNEL, channel=channel):
                if not self._is_free(delivery.key) or not self._has_room(delivery):
                    continue
                task = asyncio.create_task(self._attempt(delivery), name=f"deliver:{delivery.key}")
                self._under_way[delivery.key] = (delivery, task)
                launched += 1
        return launched

    def _has_room(self, delivery: Delivery) -> bool:
        """Whether its channel may make one more attempt, and the recipient hears nothing else of the incident now."""
        busy = [one for one, _ in self._under_way.values() if one.channel == delivery.channel]
        return len(busy) < CONCURRENT_PER_CHANNEL and not any(
            one.incident_id == delivery.incident_id and one.recipient == delivery.recipient for one in busy
        )

    def _is_free(self, key: str) -> bool:
        if self._barred.get(key, 0.0) > self._clock.monotonic():
            return False
        self._barred.pop(key, None)
        return key not in self._under_way and key not in self._held

    async def _report(self) -> None:
        """Shows the backlog, once per poll and not once per message."""
        if self._clock.monotonic() - self._reported_at < POLL_S:
            return
        self._reported_at = self._clock.monotonic()
        pending, oldest = await self._outbox.backlog()
        waited_s = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
        self._telemetry.gauge("outbox_pending", pending)
        self._telemetry.gauge("outbox_oldest_seconds", max(0.0, waited_s))

    async def _land(self) -> None:
        tasks = [task for _, task in self._under_way.values()]
        if not tasks:
            return
        await asyncio.wait(tasks, timeout=GRACE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ── one delivery ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _attempt(self, delivery: Delivery) -> bool:
        """Carries one delivery; returns whether its outcome is in the store."""
        try:
            await self._carry(delivery)
        except StoreError as error:
            self._telemetry.count("store_errors_total", kind="outbox")
            log.warning("delivery %s waits for the store: %s", delivery.key, error)
            return False
        except Exception:
            # A bug of ours around a delivery must neither lose it nor send it again every two seconds.
            self._barred[delivery.key] = self._clock.monotonic() + BARRED_S
            self._telemetry.count("alert_failures_total", channel=delivery.channel, reason="our_error")
            log.exception("delivery %s met a fault of ours", delivery.key)
            return False
        else:
            self._woken.set()
            return True
        finally:
            del self._under_way[delivery.key]

    async def _carry(self, delivery: Delivery) -> None:
        async with self._handover.turn(delivery.channel, delivery.incident_id):
            siblings = await self._outbox.of_incident(delivery.incident_id)
            # Read again: `due` may have been answered before an attempt that has ended meanwhile.
            current = next((one for one in siblings if one.key == delivery.key), None)
            if current is None or current.state is not DeliveryState.PENDING:
                return
            incident = await self._incidents.get(delivery.incident_id)
            if incident is None:
                await self._cancel(current, "the incident is not in the store any more")
                return
            judgement = judge(current, siblings, incident)
            if judgement.verdict is Verdict.SEND:
                await self._try(current, incident)
            else:
                await self._set_aside(current, judgement)

    async def _try(self, delivery: Delivery, incident: Incident) -> None:
        line = self._switchboard.lines.get(delivery.channel)
        if line is None:
            await self.bury(delivery, f"the channel '{delivery.channel}' is not configured any more")
            return
        error = await self._handover.attempt(line, delivery, incident, self._clock.now())
        await self._conclude(delivery, incident, error)

    async def _set_aside(self, delivery: Delivery, judgement: Judgement) -> None:
        now = self._clock.now()
        if judgement.verdict is Verdict.WAIT:
            # Due together with what it waits for, and attempted after it; never in the past, lest it spin.
            until_at = max(judgement.until or now, now + timedelta(seconds=POLL_S))
            await self._record(replace(delivery, next_attempt_at=until_at))
            return
        inherited = [
            replace(
                self._switchboard.delivery(
                    heir.channel,
                    heir.recipient,
                    delivery.incident_id,
                    opening=delivery.opening,
                    kind=delivery.kind,
                    due_at=delivery.created_at,
                    now=now,
                ),
                fallback_of=delivery.key,
            )
            for heir in judgement.heirs
        ]
        await self._outbox.enqueue(inherited)
        await self._cancel(delivery, judgement.why)

    async def _conclude(self, delivery: Delivery, incident: Incident, error: DeliveryError | None) -> None:
        now = self._clock.now()
        tried = replace(delivery, attempts=delivery.attempts + 1)
        if error is None:
            await self._accepted(tried, incident, now)
            return
        self._telemetry.count("alert_failures_total", channel=delivery.channel, reason=error.reason.value)
        tried = replace(tried, last_error=f"{error.reason.value}: {error}"[:1000])
        again = await self._next_attempt_at(tried, error, now)
        if again is None:
            await self.bury(tried, tried.last_error or "")
            return
        log.warning("delivery %s failed, next attempt at %s: %s", tried.key, again.isoformat(), tried.last_error)
        await self._record(replace(tried, next_attempt_at=again))

    async def _next_attempt_at(self, delivery: Delivery, error: DeliveryError, now: datetime) -> datetime | None:
        """Returns when a failed delivery is tried again, None where it is given up.

        A wrong password or address is permanent until somebody mends it: a message that nobody else can deliver
        waits for that.
        """
        if error.retryable:
            return retry_at(delivery, now, self._jitter(), error.retry_after_s)
        if error.reason in MENDABLE and not await self._heirs(delivery, now):
            return retry_at(delivery, now, self._jitter(), MAX_RETRY_AFTER_S)
        return None

    async def _accepted(self, delivery: Delivery, incident: Incident, now: datetime) -> None:
        await self._record(replace(delivery, state=DeliveryState.SENT, sent_at=now, last_error=None))
        self._telemetry.count("alerts_total", channel=delivery.channel)
        if delivery.kind is NoticeKind.OPENED and (incident.concern is None or incident.is_group):
            since_failure_s = (now - incident.started_at).total_seconds()
            self._telemetry.count("alert_latency_seconds", since_failure_s, channel=delivery.channel)

    async def bury(self, delivery: Delivery, error: str) -> None:
        """Gives a delivery up and lets its heirs take it on."""
        now = self._clock.now()
        heirs = await self._heirs(delivery, now)
        # Heirs first: killed in between, the agent finds the delivery pending and comes here again.
        await self._outbox.enqueue(heirs)
        await self._record(replace(delivery, state=DeliveryState.DEAD, last_error=error))
        self._telemetry.count("alerts_dead_total", channel=delivery.channel)
        names = ", ".join(sorted({heir.channel for heir in heirs})) or "nobody"
        log.error("delivery %s is given up, %s takes it on: %s", delivery.key, names, error)

    async def _heirs(self, delivery: Delivery, now: datetime) -> list[Delivery]:
        incident = await self._incidents.get(delivery.incident_id)
        siblings = await self._outbox.of_incident(delivery.incident_id)
        return self._switchboard.heirs(delivery, incident, siblings, now)

    async def _hasten(self, delivery: Delivery, now: datetime) -> None:
        """Makes a delivery due, unless it is under way; nobody attempts it while it is changed."""
        if not self._is_free(delivery.key):
            return
        self._held.add(delivery.key)
        try:
            siblings = await self._outbox.of_incident(delivery.incident_id)
            current = next((one for one in siblings if one.key == delivery.key), None)
            waits = current is not None and current.state is DeliveryState.PENDING and current.next_attempt_at > now
            if current is not None and waits:
                await self._outbox.update(replace(current, next_attempt_at=now))
        finally:
            self._held.discard(delivery.key)

    async def _cancel(self, delivery: Delivery, why: str) -> None:
        await self._record(replace(delivery, state=DeliveryState.CANCELLED, last_error=why))

    async def _record(self, delivery: Delivery) -> None:
        """Writes an outcome, and does not give up: forgetting it would send the message twice."""
        for attempt in itertools.count():
            try:
                await self._outbox.update(delivery)
            except StoreError as error:
                self._telemetry.count("store_errors_total", kind="outbox")
                log.warning("the outcome of delivery %s waits for the store: %s", delivery.key, error)
                await self._clock.sleep(RECORD_RETRY_S[min(attempt, len(RECORD_RETRY_S) - 1)])
            else:
                return

    # ── what changed around us ───────────────────────────────────────────────────────────────────────────────────

    async def sweep(self, *, retry_now: bool = False) -> None:
        """Finds a new way for what waits on channels that are gone, and repairs waits that a clock jump stretched.

        Args:
            retry_now: try everything at once; after a reload, when what was wrong may have been mended.
        """
        now = self._clock.now()
        retry_now = self._was_set_back(now) or retry_now
        for delivery in await self._outbox.due(now + HORIZON, SWEEP_LIMIT):
            if delivery.key in self._under_way:
                continue
            if delivery.channel not in self._switchboard.lines:
                await self.bury(delivery, f"the channel '{delivery.channel}' is not configured any more")
            elif retry_now and delivery.next_attempt_at > now:
                await self._hasten(delivery, now)
        self.wake()

    def _was_set_back(self, now: datetime) -> bool:
        """Returns whether the wall clock went back since the last sweep: every waiting grew by as much."""
        offset_s = now.timestamp() - self._clock.monotonic()
        before_s, self._wall_minus_monotonic_s = self._wall_minus_monotonic_s, offset_s
        return offset_s < before_s - 1.0


async def until(event: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Waits for an event, at most this long."""
    tasks = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
