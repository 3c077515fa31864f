"""A renderer whose words are few and the same in every language."""

from sentry.domain.incident import Incident
from sentry.domain.notice import Message, NoticeKind
from sentry.domain.site import Language


class PlainRenderer:
    """Fills the `MessageRenderer` port.

    Attributes:
        fails_with: raised instead of rendering while it is set.
    """

    def __init__(self) -> None:
        self.fails_with: Exception | None = None

    def message(
        self, incident: Incident, kind: NoticeKind, *, key: str, language: Language, delayed_s: float
    ) -> Message:
        if self.fails_with is not None:
            raise self.fails_with
        late = " (sent late)" if delayed_s else ""
        return Message(
            key=key,
            kind=kind,
            incident_key=f"incident:{incident.id}",
            severity=incident.severity,
            subject=f"{incident.site_key} {kind} [{language}]{late}",
            text=f"{self.cause(incident, language)}{late}",
            html=f"<p>{incident.site_key} {kind}{late}</p>",
            starts_at=incident.started_at,
            ends_at=incident.recovered_at if kind is NoticeKind.RESOLVED else None,
            fields={
                "link": f"http://127.0.0.1/incidents/{incident.id}",
                "members": [member.site_key for member in incident.members],
            },
            labels={
                "alertname": "SiteDown",
                "site": incident.site_key,
                "client": incident.client_key,
                "severity": incident.severity.value,
                "reason": incident.report.reason.value if incident.report else incident.kind,
            },
            delayed_s=delayed_s,
        )

    def cause(self, incident: Incident, language: Language) -> str:
        return f"{incident.site_key}: {incident.report.reason if incident.report else incident.kind}"

    def part_of(self, parent: Incident, language: Language) -> str:
        return f"part of incident {parent.id}"

    def report_text(self, incident: Incident, language: Language) -> str:
        return f"report of {incident.site_key}"
