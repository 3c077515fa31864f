"""What every channel is given by the agent, and how each says that it failed."""

import asyncio
import ssl
from dataclasses import dataclass, field

import aiohttp

from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.ports import Clock


@dataclass(frozen=True, slots=True)
class ChannelEnvironment:
    """The collaborators of every channel.

    Attributes:
        session: for the channels that speak HTTP; the agent closes it.
        tls: trusted roots for every TLS connection; the agent adds the agency's own authorities (`ca_file`).
        user_agent: what HTTP channels call themselves.
    """

    clock: Clock
    session: aiohttp.ClientSession
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    user_agent: str = "online-sentry"


def connection_failure(error: BaseException, where: str) -> DeliveryError:
    """Returns the delivery error for a connection that could not be made or was lost.

    Args:
        error: what the library raised; its causes are looked at too.
        where: the other side as the on-call reader may see it, without credentials.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | ssl.CertificateError):
            why = getattr(seen, "verify_message", "") or seen.args[-1]
            return DeliveryError(f"{where}: TLS failed: {why}", reason=DeliveryReason.TLS, retryable=True)
        if isinstance(seen, TimeoutError | asyncio.TimeoutError):
            return DeliveryError(f"{where}: no answer in time", reason=DeliveryReason.TIMEOUT, retryable=True)
        seen = seen.__cause__ or seen.__context__
    return DeliveryError(f"{where}: {error}", reason=DeliveryReason.UNREACHABLE, retryable=True)
