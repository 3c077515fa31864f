"""What is said to whom: routes, channels, messages and their deliveries."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import Field, model_validator

from sentry.domain.model import StrictModel
from sentry.domain.severity import Severity
from sentry.domain.site import Key


class ChannelOptions(StrictModel):
    """What every kind of channel has. Each kind in `alerting` extends this with its own keys."""

    kind: str = Field(description="Which kind of channel it is.")
    fallback: Key | None = Field(None, description="The channel used when this one fails for good.")
    expire_after_s: int | None = Field(
        None,
        ge=60,
        description="Seconds after which an undelivered message goes to the fall-back. When absent, an opening goes "
        "there after 45; anything else is tried for a day.",
    )


class Subject(StrEnum):
    """What an incident is about."""

    SITE = "site"
    AGENT = "agent"


class Route(StrictModel):
    """Which incidents go to which channels. An absent list matches everything; every matching route is used.

    What is about the agent itself belongs to no client, plan or site, so a route that names any never takes it.
    """

    about: Subject | None = Field(
        None,
        description="`site`: what is about a site; `agent`: faults of the agent itself; both when absent, but never "
        "the agent's where clients, plans or sites are named.",
    )
    severities: tuple[Severity, ...] | None = Field(None, description="SEV1 (worst) to SEV4; any when absent.")
    clients: tuple[Key, ...] | None = Field(None, description="Keys of `clients`; any when absent.")
    plans: tuple[Key, ...] | None = Field(None, description="Keys of `plans`; any when absent.")
    sites: tuple[Key, ...] | None = Field(None, description="Keys of sites; any when absent.")
    to: tuple[Key, ...] = Field(min_length=1, description="Keys of `channels`.")

    def matches(self, *, severity: Severity, client: str, plan: str | None, site: str) -> bool:
        """Returns whether an incident of these takes this route.

        Args:
            severity: how bad it is.
            client: whose site it is.
            plan: of the site, None where that is gone.
            site: empty for the agent itself.
        """
        asked = (
            (self.about and {self.about}, Subject.SITE if site else Subject.AGENT),
            (self.severities, severity),
            (self.clients, client),
            (self.plans, plan),
            (self.sites, site),
        )
        return all(wanted is None or value in wanted for wanted, value in asked)

    @model_validator(mode="after")
    def _agent_belongs_to_nobody(self) -> Self:
        named = [name for name in ("clients", "plans", "sites") if getattr(self, name) is not None]
        if self.about is Subject.AGENT and named:
            raise ValueError(
                f"a route about the agent takes nothing where it names {' and '.join(named)}, for the agent belongs "
                "to none; take that out, or write two routes"
            )
        return self


class NoticeKind(StrEnum):
    """What a message announces."""

    OPENED = "opened"
    REOPENED = "reopened"
    RESOLVED = "resolved"


class DeliveryState(StrEnum):
    """Where a delivery stands: pending → sending → sent, or → failed → dead (another channel) or cancelled."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Message:
    """A message ready for any channel.

    Attributes:
        key: idempotency key; the same for every attempt, different for each recipient and opening.
        incident_key: the same for opening and resolution, for channels that pair them (Alertmanager, PagerDuty).
        fields: machine-readable facts (JSON values) for channels that carry them.
        labels: small closed-set facts (site, client, severity, reason) for channels that group by them.
        delayed_s: how late it is sent, 0 where it is in time; texts already carry the "sent late" mark.
        thread_key: `key` of the first message of the incident to the same recipient, for channels that thread;
            the alert service sets it.
    """

    key: str
    kind: NoticeKind
    incident_key: str
    severity: Severity
    subject: str
    text: str
    html: str
    starts_at: datetime
    ends_at: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    delayed_s: float = 0.0
    thread_key: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient on one channel, as the outbox keeps it.

    Attributes:
        key: unique: `incident:opening:kind:channel:recipient`.
        recipient: an address within the channel, empty for channels that have only one.
        created_at: when it was due; next_attempt_at: when it is tried (again).
        fallback_of: key of the delivery that died and was replaced by this one.
    """

    key: str
    incident_id: int
    opening: int
    kind: NoticeKind
    channel: str
    recipient: str
    state: DeliveryState
    created_at: datetime
    next_attempt_at: datetime
    expires_at: datetime
    attempts: int = 0
    last_error: str | None = None
    sent_at: datetime | None = None
    fallback_of: str | None = None
