"""What every channel is given by the agent."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import aiohttp

from sentry.domain.notice import ChannelOptions, Message
from sentry.outgoing import Wire
from sentry.ports import Clock


@dataclass(frozen=True, slots=True)
class ChannelEnvironment:
    """The collaborators of every channel.

    Attributes:
        session: for the channels that speak HTTP, from `sentry.outgoing.open_session`; the agent closes it.
        tls: trusted roots for every TLS connection; the agent adds the agency's own authorities (`ca_file`).
        user_agent: what HTTP channels call themselves.
    """

    clock: Clock
    session: aiohttp.ClientSession
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    user_agent: str = "online-sentry"

    @property
    def wire(self) -> Wire:
        """What outgoing HTTP requests have in common."""
        return Wire(self.session, self.tls, self.user_agent)


class ChannelKind(Protocol):
    """What the class of every kind looks like; its objects fill the `Channel` port."""

    Options: ClassVar[type[ChannelOptions]]

    def __init__(self, key: str, options: Any, environment: ChannelEnvironment) -> None:  # noqa: ANN401  # its Options
        """Prepares a channel from options that were read with `Options`; connects to nothing yet."""
        ...

    def recipients(self) -> Sequence[str]:
        """Returns the addresses of this channel."""
        ...

    async def send(self, message: Message, recipient: str) -> None:
        """Hands one message over."""
        ...
