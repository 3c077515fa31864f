"""Routes and channels in force: who is to hear of an incident, and who inherits what a channel cannot deliver."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentry.domain.delivery import delivery_key, tried_channels
from sentry.domain.incident import Incident, IncidentState, Member
from sentry.domain.notice import ChannelOptions, Delivery, DeliveryState, NoticeKind, Route
from sentry.domain.site import Language
from sentry.ports import Channel

HAND_ON_AFTER_S = 45
"""An opening that another channel can bring is held for no longer: confirmed 30 s after the first failure and handed
on 45 s later, it is accepted within the 90 s of promise 001-31 although its channel is dead."""

KEEP_TRYING_S = 86_400
"""What nobody else can bring, and ends whose opening this channel has brought, are tried for this long."""


@dataclass(frozen=True, slots=True)
class Line:
    """A channel and what the configuration says of it."""

    channel: Channel
    options: ChannelOptions


@dataclass(frozen=True, slots=True)
class Audience:
    """What routes and texts need to know of a site beyond the incident."""

    plan_key: str
    language: Language


class Switchboard:
    """Knows the lines and the routes; both can be replaced while messages are pending.

    Args:
        lines: channels by key.
        audience: looks a site up by its key; None where it is not configured any more.
        language: for incidents of sites that are gone.
    """

    def __init__(
        self,
        lines: Mapping[str, Line],
        routes: Sequence[Route],
        audience: Callable[[str], Audience | None],
        *,
        language: Language = Language.EN,
    ) -> None:
        self.lines: dict[str, Line] = dict(lines)
        self._routes = tuple(routes)
        self._audience = audience
        self._language = language
        self._former_fallbacks: dict[str, str | None] = {}

    def replace(self, lines: Mapping[str, Line], routes: Sequence[Route]) -> None:
        """Puts other lines and routes in force; the fall-backs of those that vanish are remembered."""
        gone = self.lines.keys() - lines.keys()
        self._former_fallbacks |= {key: self.lines[key].options.fallback for key in gone}
        self.lines = dict(lines)
        self._routes = tuple(routes)

    def language(self, incident: Incident) -> Language:
        """Returns the language that alerts of an incident are written in; of a group, the one of all its sites."""
        sites = [member.site_key for member in incident.members] if incident.is_group else [incident.site_key]
        audiences = [self._audience(site_key) for site_key in sites]
        languages = {audience.language for audience in audiences if audience is not None}
        return languages.pop() if len(languages) == 1 else self._language

    def routed(self, incident: Incident) -> list[str]:
        """Returns the keys of the channels that routes give an incident, each once, in the order of the routes.

        A group goes wherever one of its members would have gone.
        """
        told = incident.members if incident.is_group else (incident,)
        keys = [key for route in self._routes if any(self._matches(route, one) for one in told) for key in route.to]
        return [key for key in dict.fromkeys(keys) if key in self.lines]

    def _matches(self, route: Route, told: Incident | Member) -> bool:
        audience = self._audience(told.site_key)
        plan = audience.plan_key if audience else None
        return route.matches(severity=told.severity, client=told.client_key, plan=plan, site=told.site_key)

    def seen_from(self, channel: str, incident: Incident) -> Incident:
        """Returns an incident as those may see it who are reached by a channel.

        Of a group they see the members that would have been told there, or that this channel inherits as a
        fall-back; so a client's own channel never names the sites of another client. For them it is over when those
        are.
        """
        if not incident.is_group:
            return incident
        channels = self._heard_by(channel)
        routes = [route for route in self._routes if channels.intersection(route.to)]
        seen = tuple(one for one in incident.members if any(self._matches(route, one) for route in routes))
        if not seen or len(seen) == len(incident.members):
            return replace(incident, members=seen)
        numbers = {None, *(one.id for one in seen)}
        ends = [one.recovered_at for one in seen if one.recovered_at is not None]
        is_over = all(one.state is IncidentState.RESOLVED for one in seen)
        return replace(
            incident,
            members=seen,
            timeline=tuple(entry for entry in incident.timeline if entry.data.get("incident") in numbers),
            severity=min(one.severity for one in seen),
            started_at=min(one.started_at for one in seen),
            recovered_at=max(ends) if is_over and ends else None,
        )

    def _heard_by(self, channel: str) -> set[str]:
        """Returns the channel and all whose messages it may inherit."""
        heard = {channel}
        while added := {key for key, line in self.lines.items() if line.options.fallback in heard} - heard:
            heard |= added
        return heard

    def deliveries(
        self, incident: Incident, *, opening: int, kind: NoticeKind, due_at: datetime, now: datetime
    ) -> list[Delivery]:
        """Returns what the routes owe for an opening of an incident."""
        return [
            self.delivery(key, recipient, incident.id, opening=opening, kind=kind, due_at=due_at, now=now)
            for key in self.routed(incident)
            for recipient in self.lines[key].channel.recipients()
        ]

    def delivery(
        self,
        channel: str,
        recipient: str,
        incident_id: int,
        *,
        opening: int,
        kind: NoticeKind,
        due_at: datetime,
        now: datetime,
        tried: Collection[str] = (),
    ) -> Delivery:
        """Returns a new delivery; the channel has its whole time to deliver it, however late it starts.

        Channels in `tried` have had this message and inherit it no more.
        """
        return Delivery(
            key=delivery_key(incident_id, opening, kind, channel, recipient),
            incident_id=incident_id,
            opening=opening,
            kind=kind,
            channel=channel,
            recipient=recipient,
            state=DeliveryState.PENDING,
            created_at=due_at,
            next_attempt_at=now,
            expires_at=now + timedelta(seconds=self._lifetime_s(channel, kind, tried)),
        )

    def _lifetime_s(self, channel: str, kind: NoticeKind, tried: Collection[str]) -> int:
        line = self.lines.get(channel)
        options = line.options if line else ChannelOptions(kind="")
        if options.expire_after_s is not None:
            return options.expire_after_s
        has_heir = options.fallback in self.lines.keys() - {channel, *tried}
        return HAND_ON_AFTER_S if has_heir and kind is not NoticeKind.RESOLVED else KEEP_TRYING_S

    def heirs(
        self, dead: Delivery, incident: Incident | None, siblings: Sequence[Delivery], now: datetime
    ) -> list[Delivery]:
        """Returns the deliveries that replace one which its channel cannot make.

        The channel's fall-back inherits, unless this message came from there. Where the channel itself is no longer
        configured and no fall-back of it is known, the routes in force do: it was probably renamed.
        """
        tried = tried_channels(dead, siblings)
        keys = [key for key in self._successors(dead.channel, incident) if key in self.lines and key not in tried]
        return [
            replace(
                self.delivery(
                    key,
                    recipient,
                    dead.incident_id,
                    opening=dead.opening,
                    kind=dead.kind,
                    due_at=dead.created_at,
                    now=now,
                    tried=tried,
                ),
                fallback_of=dead.key,
            )
            for key in keys
            for recipient in self.lines[key].channel.recipients()
        ]

    def _successors(self, channel: str, incident: Incident | None) -> list[str]:
        line = self.lines.get(channel)
        fallback = line.options.fallback if line else self._former_fallbacks.get(channel)
        if fallback is not None:
            return [fallback]
        return self.routed(incident) if line is None and incident is not None else []
