"""Alertmanager, API v2: an open incident is a firing alert, said again as long as it lasts.

Alertmanager keeps alerts in memory only, and takes one for resolved at its `endsAt` (without one: after its
`resolve_timeout`). So each posting carries an `endsAt` some hours ahead, which outlives a restart of the agent, and
the alert service posts the opening again every minute, which outlives a restart of Alertmanager. This is what
Prometheus does (its resend delay), with a longer hold: an alert that ends because the agent was restarted would tell
people that a site works which does not.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, AnyHttpUrl, Field

from alerting.environment import ChannelEnvironment
from alerting.http_options import HttpOptions
from sentry.domain.errors import DeliveryError, DeliveryReason
from sentry.domain.notice import ChannelOptions, Message, NoticeKind
from sentry.outgoing import get_json, origin, post_json

LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""Prometheus data model, "Metric names and labels"."""

CHANGING_LABELS = frozenset({"reason", "cause", "opening", "state"})
"""Facts that may change during an incident: as labels they would make another alert, so they are annotations."""

MAX_ANNOTATION_CHARACTERS = 8_000
MAX_ALERTS_BYTES = 1_000_000


def _without_credentials(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username or url.password:
        raise ValueError("put user and password into `headers` (Authorization), not into the address")
    if url.query or url.fragment:
        raise ValueError("write the address of Alertmanager without '?' and '#'")
    return url


def _label_names(labels: dict[str, str]) -> dict[str, str]:
    for name in labels:
        if not LABEL_NAME.fullmatch(name):
            raise ValueError(f"'{name}' is no label name; use letters, digits and '_'")
    return labels


class AlertmanagerOptions(HttpOptions):
    """Keys of a channel of kind `alertmanager`."""

    kind: Literal["alertmanager"] = "alertmanager"
    urls: tuple[Annotated[AnyHttpUrl, AfterValidator(_without_credentials)], ...] = Field(
        min_length=1,
        description="Every instance of the cluster, e.g. http://alertmanager:9093; each gets every alert.",
    )
    alertname: str | None = Field(
        None, min_length=1, description="The label `alertname`; SiteDown or SiteDegraded when absent."
    )
    labels: Annotated[dict[str, str], AfterValidator(_label_names)] = Field({}, description="Further labels, fixed.")
    resend_every_s: int = Field(60, ge=5, le=3_600, description="Seconds after which an open alert is said again.")
    hold_s: int = Field(
        14_400, ge=300, le=604_800, description="Seconds that an open alert outlives the agent's last word."
    )


class AlertmanagerChannel:
    """Posts alerts to Alertmanager; fills the `Channel` and `StandingChannel` ports."""

    Options: ClassVar[type[ChannelOptions]] = AlertmanagerOptions

    def __init__(self, key: str, options: AlertmanagerOptions, environment: ChannelEnvironment) -> None:
        """Prepares a channel; connects to nothing yet."""
        self.key = key
        self._options = options
        self._environment = environment
        self._instances = {origin(str(url)): str(url).rstrip("/") for url in options.urls}

    @property
    def resend_every_s(self) -> float:
        """Seconds after which an open alert is said again."""
        return self._options.resend_every_s

    def recipients(self) -> Sequence[str]:
        """Returns the instances of the cluster; each is owed every alert (Alertmanager, "High Availability")."""
        return tuple(self._instances)

    async def send(self, message: Message, recipient: str) -> None:
        """Posts the alert of one message, and ends older alerts of the incident whose labels differ.

        Raises:
            DeliveryError: Alertmanager did not accept it.
        """
        base = self._instances.get(recipient)
        if base is None:
            text = f"'{recipient}' is no instance of this channel any more"
            raise DeliveryError(text, reason=DeliveryReason.MISCONFIGURED, retryable=False)
        now = self._environment.clock.now()
        alert = self.alert(message, now)
        await self._post(base, [alert], now)
        outdated = await self._outdated(base, alert, now)
        if outdated:
            await self._post(base, outdated, now)

    def alert(self, message: Message, now: datetime) -> dict[str, Any]:
        """Returns the alert of a message in the terms of API v2."""
        ends_at = now + timedelta(seconds=self._options.hold_s)
        if message.kind is NoticeKind.RESOLVED:
            # Not in the future: an alert counts as firing until its `endsAt`. Not before its start: that is refused.
            ends_at = max(min(message.ends_at or now, now), message.starts_at)
        annotations = {"summary": message.subject, "description": message.text} | {
            name: value for name, value in message.labels.items() if name in CHANGING_LABELS
        }
        link = message.fields.get("link")
        return {
            "labels": self._labels(message),
            "annotations": {name: text[:MAX_ANNOTATION_CHARACTERS] for name, text in annotations.items()},
            "startsAt": message.starts_at.isoformat(),
            "endsAt": ends_at.isoformat(),
            "generatorURL": link if isinstance(link, str) else "",
        }

    def _labels(self, message: Message) -> dict[str, str]:
        lasting = {
            name: value
            for name, value in message.labels.items()
            if name not in CHANGING_LABELS and LABEL_NAME.fullmatch(name) and value
        }
        named = {"alertname": self._options.alertname} if self._options.alertname else {}
        own = {"severity": message.severity.value, "incident": message.incident_key}
        return {"alertname": "SiteDown"} | lasting | own | named | self._options.labels

    async def _outdated(self, base: str, alert: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
        """Returns, ended, the active alerts of the incident under other labels: its severity has risen since."""
        own = alert["labels"]
        # The site as well: another agent with a store of its own may have an incident of this number.
        fixed = {name: own[name] for name in ("incident", "site", "client") if name in own} | self._options.labels
        matchers = [("filter", f"{name}={json.dumps(value, ensure_ascii=False)}") for name, value in fixed.items()]
        answer = await get_json(
            self._environment.wire,
            f"{base}/api/v2/alerts?{urlencode(matchers)}",
            headers=self._options.header_values(),
            timeout_s=self._options.timeout_s,
            now=now,
            max_bytes=MAX_ALERTS_BYTES,
        )
        return [
            {"labels": one["labels"], "startsAt": one["startsAt"], "endsAt": now.isoformat()}
            for one in _alerts(answer, base)
            if one["labels"] != own and datetime.fromisoformat(one["endsAt"]) > now
        ]

    async def _post(self, base: str, alerts: list[dict[str, Any]], now: datetime) -> None:
        await post_json(
            self._environment.wire,
            f"{base}/api/v2/alerts",
            json.dumps(alerts).encode(),
            headers=self._options.header_values(),
            timeout_s=self._options.timeout_s,
            now=now,
        )


def _alerts(answer: bytes, base: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(answer)
        return [
            {"labels": dict(one["labels"]), "startsAt": str(one["startsAt"]), "endsAt": str(one["endsAt"])}
            for one in found
        ]
    except (ValueError, TypeError, KeyError) as error:
        text = f"{origin(base)} does not answer like Alertmanager; is the address right?"
        raise DeliveryError(text, reason=DeliveryReason.MISCONFIGURED, retryable=True) from error
