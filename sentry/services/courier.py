"""The courier: takes what is due out of the outbox to its channels, each at its own pace, until it is accepted."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sentry.domain.delivery import Judgement, Verdict, held_back, judge, retry_at, thread_key
from sentry.domain.errors import DeliveryError, DeliveryReason, StoreError, StoreUnavailable
from sentry.domain.incident import Incident
from sentry.domain.notice import Delivery, DeliveryState, Message, NoticeKind
from sentry.ports import Clock, DeliveryOutbox, IncidentStore, MessageRenderer, StandingChannel, Telemetry
from sentry.services.switchboard import Line, Switchboard

POLL_S = 2.0
"""How often due retries are looked for when nobody wakes the courier."""

CONCURRENT_PER_CHANNEL = 8
"""Attempts of one channel at a time: a mass outage drains quickly, a mail server sees few connections."""

ATTEMPT_TIMEOUT_S = 60.0
"""Longest time of one attempt, whatever a channel's own time-outs say."""

LATE_AFTER_S = 90.0
"""A message this much later than its event says so ("sent late"): by then promise 001-31 is broken."""

GRACE_S = 3.0
"""At shutdown, attempts under way get this long to end: what was accepted is then known to be."""

RECORD_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waiting between attempts to write an outcome to a store that does not answer; the last one repeats."""

SWEEP_LIMIT = 10_000
"""Pending deliveries looked at in one sweep."""

HORIZON = timedelta(days=400)
"""Beyond every expiry: `due` up to here returns all that is pending."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: with no error, it was accepted."""

    error: DeliveryError | None
    latency_s: float


class Courier:
    """Delivers at least once; a stuck channel holds up nobody but itself.

    A delivery is marked sent after the other side has accepted it, so that a killed agent sends again: with the same
    key, from which channels make Message-ID and Idempotency-Key. While the store does not answer, an accepted
    message is remembered and not sent again.

    Args:
        jitter: random numbers in [0, 1) for the back-off.
        attempt_timeout_s: deadline of one attempt; late_after_s: delay from which a message says that it is late.
    """

    def __init__(
        self,
        *,
        incidents: IncidentStore,
        outbox: DeliveryOutbox,
        switchboard: Switchboard,
        renderer: MessageRenderer,
        clock: Clock,
        telemetry: Telemetry,
        jitter: Callable[[], float],
        attempt_timeout_s: float = ATTEMPT_TIMEOUT_S,
        late_after_s: float = LATE_AFTER_S,
    ) -> None:
        self._incidents = incidents
        self._outbox = outbox
        self._switchboard = switchboard
        self._renderer = renderer
        self._clock = clock
        self._telemetry = telemetry
        self._jitter = jitter
        self._attempt_timeout_s = attempt_timeout_s
        self._late_after_s = late_after_s
        self._under_way: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._turns: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()
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
            await asyncio.gather(*(task for _, task in self._under_way.values()))
        return attempts

    async def _launch_or_report(self) -> None:
        try:
            await self._launch()
            await self._report()
        except StoreError as error:
            self._telemetry.count("store_errors_total", kind="outbox")
            log.warning("the outbox cannot be read, deliveries wait: %s", error)

    async def _launch(self) -> int:
        """Starts an attempt for each delivery that is due, as far as its channel has room."""
        now = self._clock.now()
        launched = 0
        for channel in list(self._switchboard.lines):
            busy = sum(1 for key, _ in self._under_way.values() if key == channel)
            due = await self._outbox.due(now, CONCURRENT_PER_CHANNEL, channel=channel)
            waiting = [one for one in due if one.key not in self._under_way]
            for delivery in waiting[: CONCURRENT_PER_CHANNEL - busy]:
                task = asyncio.create_task(self._attempt(delivery), name=f"deliver:{delivery.key}")
                self._under_way[delivery.key] = (channel, task)
                launched += 1
        return launched

    async def _report(self) -> None:
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

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            await self._carry(delivery)
            self._woken.set()
        except StoreError as error:
            self._telemetry.count("store_errors_total", kind="outbox")
            log.warning("delivery %s waits for the store: %s", delivery.key, error)
        finally:
            del self._under_way[delivery.key]

    async def _carry(self, delivery: Delivery) -> None:
        async with self.turn(delivery.channel, delivery.incident_id):
            incident = await self._incidents.get(delivery.incident_id)
            if incident is None:
                await self._cancel(delivery, "the incident is not in the store any more")
                return
            judgement = judge(delivery, await self._outbox.of_incident(delivery.incident_id), incident)
            if judgement.verdict is not Verdict.SEND:
                await self._set_aside(delivery, judgement)
                return
            line = self._switchboard.lines.get(delivery.channel)
            if line is None:
                await self.bury(delivery, f"the channel '{delivery.channel}' is not configured any more")
                return
            outcome = await self._send(line, delivery, incident)
            await self._conclude(delivery, incident, outcome)

    async def _set_aside(self, delivery: Delivery, judgement: Judgement) -> None:
        now = self._clock.now()
        if judgement.verdict is Verdict.WAIT:
            # Never in the past: the one it waits for may be under way, and this row would block its channel's queue.
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

    async def _send(self, line: Line, delivery: Delivery, incident: Incident) -> Outcome:
        """Renders and hands over one message; whatever goes wrong comes back as a value."""
        begun = self._clock.monotonic()
        try:
            message = self.compose(delivery, incident, self._clock.now())
            async with asyncio.timeout(self._attempt_timeout_s):
                await line.channel.send(message, delivery.recipient)
        except DeliveryError as error:
            return Outcome(error, self._clock.monotonic() - begun)
        except TimeoutError:
            text = f"not accepted within {self._attempt_timeout_s:g} s"
            return Outcome(
                DeliveryError(text, reason=DeliveryReason.TIMEOUT, retryable=True), self._clock.monotonic() - begun
            )
        except Exception as error:  # our own bug in one channel or template must not stop the others
            log.exception("delivery %s met a fault of ours", delivery.key)
            text = f"fault of the agent: {type(error).__name__}"
            return Outcome(
                DeliveryError(text, reason=DeliveryReason.OUR_ERROR, retryable=True), self._clock.monotonic() - begun
            )
        return Outcome(None, self._clock.monotonic() - begun)

    def compose(self, delivery: Delivery, incident: Incident, now: datetime) -> Message:
        """Returns the message of a delivery, marked late where it is."""
        delay_s = (now - delivery.created_at).total_seconds()
        message = self._renderer.message(
            incident,
            delivery.kind,
            key=delivery.key,
            language=self._switchboard.language(incident.site_key),
            delayed_s=delay_s if delay_s >= self._late_after_s else 0.0,
        )
        return replace(message, thread_key=thread_key(delivery))

    async def _conclude(self, delivery: Delivery, incident: Incident, outcome: Outcome) -> None:
        now = self._clock.now()
        tried = replace(delivery, attempts=delivery.attempts + 1)
        if outcome.error is None:
            await self._accepted(tried, incident, now)
            return
        error = outcome.error
        self._telemetry.count("alert_failures_total", channel=delivery.channel, reason=error.reason.value)
        tried = replace(tried, last_error=f"{error.reason.value}: {error}"[:1000])
        again = retry_at(tried, now, self._jitter(), error.retry_after_s) if error.retryable else None
        if again is None:
            await self.bury(tried, tried.last_error or "")
            return
        log.warning("delivery %s failed, next attempt at %s: %s", tried.key, again.isoformat(), tried.last_error)
        await self._record(replace(tried, next_attempt_at=again))

    async def _accepted(self, delivery: Delivery, incident: Incident, now: datetime) -> None:
        await self._record(replace(delivery, state=DeliveryState.SENT, sent_at=now, last_error=None))
        self._telemetry.count("alerts_total", channel=delivery.channel)
        if delivery.kind is NoticeKind.OPENED:
            since_failure_s = (now - incident.started_at).total_seconds()
            self._telemetry.count("alert_latency_seconds", since_failure_s, channel=delivery.channel)
        for waiting in held_back(delivery, await self._outbox.of_incident(delivery.incident_id)):
            await self._outbox.update(replace(waiting, next_attempt_at=now))

    async def bury(self, delivery: Delivery, error: str) -> None:
        """Gives a delivery up and lets its heirs take it on."""
        incident = await self._incidents.get(delivery.incident_id)
        siblings = await self._outbox.of_incident(delivery.incident_id)
        now = self._clock.now()
        heirs = self._switchboard.heirs(delivery, incident, siblings, now)
        # Heirs first: killed in between, the agent finds the delivery pending and comes here again.
        await self._outbox.enqueue(heirs)
        await self._record(replace(delivery, state=DeliveryState.DEAD, last_error=error))
        self._telemetry.count("alerts_dead_total", channel=delivery.channel)
        names = ", ".join(sorted({heir.channel for heir in heirs})) or "nobody"
        log.error("delivery %s is given up, %s takes it on: %s", delivery.key, names, error)
        for waiting in held_back(delivery, siblings):
            await self._outbox.update(replace(waiting, next_attempt_at=now))

    async def _cancel(self, delivery: Delivery, why: str) -> None:
        await self._record(replace(delivery, state=DeliveryState.CANCELLED, last_error=why))

    async def _record(self, delivery: Delivery) -> None:
        """Writes an outcome, and does not give up: forgetting it would send the message twice."""
        for attempt in range(1_000_000):
            try:
                await self._outbox.update(delivery)
            except StoreUnavailable:
                self._telemetry.count("store_errors_total", kind="outbox")
                await self._clock.sleep(RECORD_RETRY_S[min(attempt, len(RECORD_RETRY_S) - 1)])
            else:
                return

    def turn(self, channel: str, incident_id: int) -> AbstractAsyncContextManager[object]:
        """Returns what makes a standing channel hear of one incident in one voice at a time.

        Without it, a repeated opening could reach Alertmanager after the end and bring the alert back.
        """
        line = self._switchboard.lines.get(channel)
        if line is None or not isinstance(line.channel, StandingChannel):
            return nullcontext()
        return self._turns.setdefault((channel, incident_id), asyncio.Lock())

    # ── what changed around us ───────────────────────────────────────────────────────────────────────────────────

    async def sweep(self) -> None:
        """Finds a new way for what waits on channels that are gone, and repairs waits that a clock jump stretched."""
        now = self._clock.now()
        set_back = self._was_set_back(now)
        for delivery in await self._outbox.due(now + HORIZON, SWEEP_LIMIT):
            if delivery.key in self._under_way:
                continue
            if delivery.channel not in self._switchboard.lines:
                await self.bury(delivery, f"the channel '{delivery.channel}' is not configured any more")
            elif set_back and delivery.next_attempt_at > now:
                await self._outbox.update(replace(delivery, next_attempt_at=now))
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
