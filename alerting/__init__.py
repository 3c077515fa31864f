"""Channels: one file per kind. A new kind is its module and a line here."""

from alerting.alertmanager import AlertmanagerChannel
from alerting.apprise import AppriseChannel
from alerting.email import EmailChannel
from alerting.environment import ChannelKind
from alerting.webhook import WebhookChannel

KINDS: dict[str, type[ChannelKind]] = {
    "email": EmailChannel,
    "webhook": WebhookChannel,
    "alertmanager": AlertmanagerChannel,
    "apprise": AppriseChannel,
}
"""Channel kind, as `kind` names it in the configuration, to the class that delivers."""
