"""One attempt: puts a delivery into words and hands it to its channel; whatever goes wrong comes back as a value."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

from sentry.domain.delivery import thread_key
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.incident import Incident
from sentry.domain.notice import Delivery, Message
from sentry.ports import MessageRenderer, StandingChannel
from sentry.services.switchboard import Line, Switchboard

ATTEMPT_TIMEOUT_S = 60.0
"""Longest time of one attempt, whatever a channel's own time-outs say."""

LATE_AFTER_S = 90.0
"""A message this much later than its event says so ("sent late"): by then promise 001-31 is broken."""

log = logging.getLogger(__name__)


class Handover:
    """Makes attempts.

    Args:
        attempt_timeout_s: deadline of one attempt.
        late_after_s: delay from which a message says that it is late.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        renderer: MessageRenderer,
        *,
        attempt_timeout_s: float = ATTEMPT_TIMEOUT_S,
        late_after_s: float = LATE_AFTER_S,
    ) -> None:
        self._switchboard = switchboard
        self._renderer = renderer
        self._attempt_timeout_s = attempt_timeout_s
        self._late_after_s = late_after_s
        self._turns: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    def turn(self, channel: str, incident_id: int) -> AbstractAsyncContextManager[object]:
        """Returns what makes a standing channel hear of one incident in one voice at a time.

        Without it, a repeated opening could reach Alertmanager after the end and bring the alert back.
        """
        line = self._switchboard.lines.get(channel)
        if line is None or not isinstance(line.channel, StandingChannel):
            return nullcontext()
        return self._turns.setdefault((channel, incident_id), asyncio.Lock())

    async def attempt(
        self, line: Line, delivery: Delivery, incident: Incident, now: datetime
    ) -> DeliveryError | None:
        """Sends one message; returns why it was not accepted, None where it was.

        Args:
            line: the channel.
            delivery: what is owed.
            incident: as it stands now.
            now: against which the delivery may be late.
        """
        try:
            message = self._compose(delivery, incident, now)
            async with asyncio.timeout(self._attempt_timeout_s):
                await line.channel.send(message, delivery.recipient)
        except DeliveryError as error:
            return error
        except TimeoutError:
            text = f"not accepted within {self._attempt_timeout_s:g} s"
            return DeliveryError(text, reason=DeliveryReason.TIMEOUT, retryable=True)
        except Exception as error:  # our own bug in one channel or template must not stop the others
            log.exception("delivery %s met a fault of ours", delivery.key)
            text = f"fault of the agent: {type(error).__name__}"
            return DeliveryError(text, reason=DeliveryReason.OUR_ERROR, retryable=True)
        return None

    def _compose(self, delivery: Delivery, incident: Incident, now: datetime) -> Message:
        incident = self._switchboard.seen_from(delivery.channel, incident)
        delay_s = (now - delivery.created_at).total_seconds()
        message = self._renderer.message(
            incident,
            delivery.kind,
            key=delivery.key,
            language=self._switchboard.language(incident),
            delayed_s=delay_s if delay_s >= self._late_after_s else 0.0,
        )
        return replace(message, thread_key=thread_key(delivery))
