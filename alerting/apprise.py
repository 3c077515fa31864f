"""Apprise: the last hop to some hundred chat, push and SMS services that have no channel of their own here.

Apprise is synchronous and its services are many: each sending runs in a daemon thread of its own with a deadline, so
that one that hangs stops neither the agent nor its shutdown.
"""

import asyncio
import re
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from urllib.parse import unquote

from pydantic import AfterValidator, Field, SecretStr

from alerting.environment import ChannelEnvironment
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.notice import ChannelOptions, Message, NoticeKind

if TYPE_CHECKING:
    import apprise

MAX_BODY_CHARACTERS = 30_000
MAX_HANGING = 4
"""Threads of one channel that may hang; beyond that it waits for them."""

SHORTEST_SECRET = 4
"""Parts of a URL from this length on are blacked out of what a service says of an error."""


def _known_service(secret: SecretStr) -> SecretStr:
    _service(secret.get_secret_value())
    return secret


class AppriseOptions(ChannelOptions):
    """Keys of a channel of kind `apprise`."""

    kind: Literal["apprise"] = "apprise"
    url: Annotated[SecretStr, AfterValidator(_known_service)] = Field(
        description="Apprise URL of one service, see https://github.com/caronc/apprise/wiki; use ${NAME}."
    )
    timeout_s: float = Field(30, gt=0, le=55, description="Seconds for one message.")


class AppriseChannel:
    """Sends through one service of Apprise; fills the `Channel` port."""

    Options: ClassVar[type[ChannelOptions]] = AppriseOptions

    def __init__(self, key: str, options: AppriseOptions, environment: ChannelEnvironment) -> None:
        """Prepares a channel; connects to nothing yet."""
        del environment
        self.key = key
        self._options = options
        self._hanging = 0

    def recipients(self) -> Sequence[str]:
        """Returns the only recipient, which has no name."""
        return ("",)

    async def send(self, message: Message, recipient: str) -> None:
        """Sends one message. Apprise says whether, but hardly why not: every failure may be tried again.

        Raises:
            DeliveryError: the service did not accept it.
        """
        del recipient
        if self._hanging >= MAX_HANGING:
            text = f"{self._hanging} earlier messages still hang in the service"
            raise DeliveryError(text, reason=DeliveryReason.TIMEOUT, retryable=True)
        self._hanging += 1
        try:
            async with asyncio.timeout(self._options.timeout_s):
                refusal = await _in_thread(lambda: self._notify(message), self._ended)
        except TimeoutError as error:
            text = f"the service did not answer within {self._options.timeout_s:g} s"
            raise DeliveryError(text, reason=DeliveryReason.TIMEOUT, retryable=True) from error
        if refusal is not None:
            raise DeliveryError(f"the service refused: {refusal}", reason=DeliveryReason.SERVER_ERROR, retryable=True)

    def _ended(self) -> None:
        self._hanging -= 1

    def _notify(self, message: Message) -> str | None:
        """Sends in a worker thread; returns why it failed, None where it did not."""
        url = self._options.url.get_secret_value()
        service = _service(url)
        result = service.notify(
            body=message.text[:MAX_BODY_CHARACTERS],
            title=message.subject,
            notify_type="success" if message.kind is NoticeKind.RESOLVED else "failure",
            body_format="text",
        )
        if result:
            return None
        said = [entry.message for entry in result.logs()] if hasattr(result, "logs") else []
        return _blacked_out(" ".join("; ".join(said).split())[:500] or "no reason given", url)


def _service(url: str) -> "apprise.Apprise":
    """Returns a sender for one URL that follows no redirect, also where the URL asks for it."""
    import apprise  # noqa: PLC0415  # takes 0.15 s to load, for the few who use it

    asset = apprise.AppriseAsset(http_redirects=False, async_mode=False, app_id="Online Sentry")
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        raise ValueError("Apprise knows no service of this address; see https://github.com/caronc/apprise/wiki")
    service.redirects = False
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    return sender


def _blacked_out(text: str, url: str) -> str:
    """Returns a text without any part of the URL after its scheme."""
    parts = re.split(r"[/?&=@:#]+", url.partition("://")[2])
    for part in sorted({*parts, *map(unquote, parts)}, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part, "***")
    return text


async def _in_thread(work: Callable[[], str | None], ended: Callable[[], None]) -> str | None:
    """Runs work in a daemon thread; `ended` is called in the loop when the thread has ended, however late."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[str | None] = loop.create_future()

    def settle(result: str | None, error: Exception | None) -> None:
        ended()
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # hundreds of services; whatever one raises is its failure
            failed = DeliveryError(
                f"the service failed: {type(error).__name__}", reason=DeliveryReason.SERVER_ERROR, retryable=True
            )
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:
            return  # the agent has ended meanwhile

    threading.Thread(target=run, name="apprise", daemon=True).start()
    return await outcome
