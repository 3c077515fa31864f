"""The mirror of tickets against a real HTTP server."""

import json
from datetime import UTC, datetime

import pytest

from alerting.environment import ChannelEnvironment
from sentry.clock import SystemClock
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility
from sentry.outgoing import verify_signature
from sentry.tickets import KINDS
from sentry.tickets.webhook import WebhookMirror
from tests.integration.alerting.http_server import serving

SECRET = "a secret of the help desk"
AT = datetime(2026, 11, 22, 2, 14, 41, tzinfo=UTC)
ENTRY = TicketEntry(
    sequence=2,
    at=AT,
    author="online-sentry",
    visibility=Visibility.INTERNAL,
    kind="failure_report",
    text="La tienda está caída.",
    state=TicketState.NEW,
    hash="ab" * 32,
)
TICKET = Ticket(
    number=5,
    key="incident:17",
    site_key="acme-shop",
    client_key="acme",
    title="La tienda está caída",
    state=TicketState.NEW,
    created_at=AT,
    entries=(ENTRY,),
)


def mirror(url: str, environment: ChannelEnvironment) -> WebhookMirror:
    return KINDS["webhook"](url, SECRET, wire=environment.wire, clock=SystemClock(), timeout_s=5)


async def test_entry_arrives_signed_with_its_hash(environment: ChannelEnvironment) -> None:
    """The help desk can check origin, order and completeness of its copy."""
    async with serving() as server:
        await mirror(f"{server.url}/tickets", environment).send(TICKET, ENTRY)
        await mirror(f"{server.url}/tickets", environment).send(TICKET, ENTRY)
    got, again = server.received
    assert verify_signature(SECRET, got.headers, got.body, datetime.now(UTC))
    assert got.headers["webhook-id"] == again.headers["webhook-id"]
    assert got.headers["idempotency-key"] == "ticket:5:2"
    document = json.loads(got.body)
    assert document["ticket"]["number"] == 5
    assert document["entry"]["sequence"] == 2
    assert document["entry"]["text"] == "La tienda está caída."
    assert document["entry"]["hash"] == "ab" * 32


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [(503, DeliveryReason.SERVER_ERROR, True), (410, DeliveryReason.REJECTED, False)],
)
async def test_entry_that_is_not_accepted_raises(
    environment: ChannelEnvironment, status: int, reason: DeliveryReason, retryable: bool
) -> None:
    """The caller learns whether to send it again."""
    async with serving(status) as server:
        with pytest.raises(DeliveryError) as caught:
            await mirror(server.url, environment).send(TICKET, ENTRY)
    assert (caught.value.reason, caught.value.retryable) == (reason, retryable)
