"""Webhook mirror: a signed JSON document for each entry of a ticket's history, by POST."""

import json
from typing import Any

from sentry.domain.ticket import Ticket, TicketEntry
from sentry.outgoing import Wire, message_identity, post_json, signature_headers
from sentry.ports import Clock

VERSION = 1
"""Of the document; within a version keys are only added."""


class WebhookMirror:
    """Sends copies of ticket entries to a help desk; fills the `TicketMirror` port.

    Args:
        url: gets the documents.
        secret: key of the signature, `whsec_…` or any text.
        timeout_s: for one request, from the name to the answer.
    """

    def __init__(self, url: str, secret: str, *, wire: Wire, clock: Clock, timeout_s: float = 10.0) -> None:
        self._url = url
        self._secret = secret
        self._wire = wire
        self._clock = clock
        self._timeout_s = timeout_s

    async def send(self, ticket: Ticket, entry: TicketEntry) -> None:
        """Sends one entry. The receiver knows it again by `webhook-id` and by its hash.

        Raises:
            DeliveryError: it was not accepted with a status of class 2xx.
        """
        now = self._clock.now()
        body = json.dumps(document(ticket, entry), ensure_ascii=False).encode()
        key = f"ticket:{ticket.number}:{entry.sequence}"
        headers = {"Idempotency-Key": key}
        headers |= signature_headers(self._secret, message_identity(key, entry.hash), now, body)
        await post_json(self._wire, self._url, body, headers=headers, timeout_s=self._timeout_s, now=now)


def document(ticket: Ticket, entry: TicketEntry) -> dict[str, Any]:
    """Returns what is posted (docs/webhooks.md)."""
    return {
        "version": VERSION,
        "kind": "ticket_entry",
        "ticket": {
            "number": ticket.number,
            "key": ticket.key,
            "site": ticket.site_key,
            "client": ticket.client_key,
            "title": ticket.title,
            "state": ticket.state.value,
            "created_at": ticket.created_at.isoformat(),
        },
        "entry": {
            "sequence": entry.sequence,
            "at": entry.at.isoformat(),
            "author": entry.author,
            "visibility": entry.visibility.value,
            "kind": entry.kind,
            "text": entry.text,
            "state": entry.state.value,
            "hash": entry.hash,
        },
    }
