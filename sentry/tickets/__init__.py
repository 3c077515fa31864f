"""Help desks elsewhere that mirror the embedded book of tickets."""

from sentry.tickets.webhook import WebhookMirror

KINDS: dict[str, type[WebhookMirror]] = {"webhook": WebhookMirror}
