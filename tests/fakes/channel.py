"""Channels in memory: one that takes what comes, or fails as the test says, and one that must hear it again."""

import asyncio
from collections.abc import Sequence

from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.notice import Message


def refused(
    reason: DeliveryReason = DeliveryReason.UNREACHABLE,
    *,
    retryable: bool = True,
    retry_after_s: float | None = None,
) -> DeliveryError:
    """Returns a failure for `MemoryChannel.failures`."""
    return DeliveryError("as the test says", reason=reason, retryable=retryable, retry_after_s=retry_after_s)


class MemoryChannel:
    """Fills the `Channel` port.

    Attributes:
        accepted: what was taken, with its recipient, oldest first.
        attempts: how often `send` was called.
        failures: raised by the next calls, one each.
        fails_with: raised by every call while it is set.
        gate: while it is not set, every call hangs.
    """

    def __init__(self, *recipients: str) -> None:
        self.accepted: list[tuple[Message, str]] = []
        self.attempts = 0
        self.failures: list[Exception] = []
        self.fails_with: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._recipients = recipients or ("",)

    def recipients(self) -> Sequence[str]:
        return self._recipients

    async def send(self, message: Message, recipient: str) -> None:
        self.attempts += 1
        await self.gate.wait()
        if self.fails_with is not None:
            raise self.fails_with
        if self.failures:
            raise self.failures.pop(0)
        self.accepted.append((message, recipient))

    def keys(self) -> list[str]:
        """Returns the keys of what was taken."""
        return [message.key for message, _ in self.accepted]


class MemoryStandingChannel(MemoryChannel):
    """Fills the `StandingChannel` port as well."""

    def __init__(self, *recipients: str, resend_every_s: float = 60.0) -> None:
        super().__init__(*recipients)
        self._resend_every_s = resend_every_s

    @property
    def resend_every_s(self) -> float:
        return self._resend_every_s
