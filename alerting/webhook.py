"""Webhook: one signed JSON document per message, by POST."""

import json
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr

from alerting.environment import ChannelEnvironment
from alerting.http_options import HttpOptions, SecretUrl
from sentry.domain.notice import ChannelOptions, Message
from sentry.outgoing import message_identity, post_json, signature_headers

VERSION = 1
"""Of the document; within a version keys are only added."""


class WebhookOptions(HttpOptions):
    """Keys of a channel of kind `webhook`."""

    kind: Literal["webhook"] = "webhook"
    url: SecretUrl = Field(description="Gets a JSON document by POST; use ${NAME} where it holds a token.")
    secret: SecretStr | None = Field(
        None, min_length=16, description="Key of the HMAC-SHA256 signature, `whsec_…` or any text; use ${NAME}."
    )


class WebhookChannel:
    """Posts messages to a web address; fills the `Channel` port."""

    Options: ClassVar[type[ChannelOptions]] = WebhookOptions

    def __init__(self, key: str, options: WebhookOptions, environment: ChannelEnvironment) -> None:
        """Prepares a channel; connects to nothing yet."""
        self.key = key
        self._options = options
        self._environment = environment

    def recipients(self) -> Sequence[str]:
        """Returns the only recipient, which has no name."""
        return ("",)

    async def send(self, message: Message, recipient: str) -> None:
        """Posts one message.

        Raises:
            DeliveryError: it was not accepted with a status of class 2xx.
        """
        del recipient
        now = self._environment.clock.now()
        body = json.dumps(document(message), ensure_ascii=False, default=str).encode()
        identity = message_identity(message.key, message.incident_key, message.starts_at.isoformat())
        headers = {"Idempotency-Key": message.key, "webhook-id": identity} | self._options.header_values()
        if self._options.secret is not None:
            headers |= signature_headers(self._options.secret.get_secret_value(), identity, now, body)
        url = self._options.url.get_secret_value()
        await post_json(
            self._environment.wire, url, body, headers=headers, timeout_s=self._options.timeout_s, now=now
        )


def document(message: Message) -> dict[str, Any]:
    """Returns what is posted (docs/webhooks.md)."""
    return {
        "version": VERSION,
        "key": message.key,
        "kind": message.kind.value,
        "incident_key": message.incident_key,
        "severity": message.severity.value,
        "subject": message.subject,
        "text": message.text,
        "starts_at": message.starts_at.isoformat(),
        "ends_at": message.ends_at.isoformat() if message.ends_at else None,
        "delayed_s": round(message.delayed_s, 3),
        "labels": message.labels,
        "facts": message.fields,
    }
