"""Messages as the alert service hands them to channels."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sentry.domain.notice import Message, NoticeKind
from sentry.domain.severity import Severity

RECIPIENT = "guardia@example.com"


def opening(**changes: object) -> Message:
    """The opening of an outage that began half a minute ago."""
    message = Message(
        key=f"17:1:opened:mail:{RECIPIENT}",
        kind=NoticeKind.OPENED,
        incident_key="incident:17",
        severity=Severity.SEV1,
        subject="[SEV1] Tienda de Acme está caída: error 503 (#17)",
        text="La tienda contesta con un error 503.\n\nDesde 02:14\n",
        html="<p>La tienda contesta con un <b>error 503</b>.</p>",
        starts_at=(datetime.now(UTC) - timedelta(seconds=31)).replace(microsecond=0),
        fields={"link": "http://127.0.0.1:9117/incidents/17", "cause": "error 503"},
        labels={
            "alertname": "SiteDown",
            "site": "acme-shop",
            "client": "acme",
            "severity": "SEV1",
            "reason": "http_server_error",
        },
        thread_key=f"17:1:opened:mail:{RECIPIENT}",
    )
    return replace(message, **changes)  # type: ignore[arg-type]  # any field of the message


def end_of(message: Message, **changes: object) -> Message:
    """The end of the outage of an opening, a moment ago."""
    over = replace(
        message,
        key=message.key.replace("opened", "resolved"),
        kind=NoticeKind.RESOLVED,
        subject="[RESUELTO] Tienda de Acme funciona de nuevo (#17)",
        ends_at=max(message.starts_at, (datetime.now(UTC) - timedelta(seconds=1)).replace(microsecond=0)),
    )
    return replace(over, **changes)  # type: ignore[arg-type]  # any field of the message
