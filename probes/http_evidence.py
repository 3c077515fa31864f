"""What an HTTP exchange leaves behind: the answer redacted, and the gauges that dashboards expect."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from probes.http_exchange import Answer
from probes.http_redaction import redacted_headers, without
from probes.http_text import body_head, charset_of
from probes.task import Trace
from sentry.domain.result import Hop, HttpEvidence

BEFORE_AN_ANSWER = {
    "http_status_code": 0.0,
    "http_content_length": 0.0,
    "http_uncompressed_body_length": 0.0,
    "http_redirects": 0.0,
    "http_ssl": 0.0,
    "http_version": 0.0,
    "failed_due_to_regex": 0.0,
}
"""As blackbox_exporter has them for a probe that came to no answer."""


def http_evidence(answer: Answer, hops: tuple[Hop, ...], secrets: tuple[str, ...]) -> HttpEvidence:
    """Returns the evidence of an answer, whole or broken off.

    Args:
        answer: as far as it was read.
        hops: the answers that led to it, and itself.
        secrets: values of our own that a server may echo.
    """
    head, content = answer.head, answer.content
    charset = charset_of(head.get("Content-Type"), content.body)
    return HttpEvidence(
        status=head.status,
        version=head.version,
        headers=redacted_headers(head.headers, secrets),
        body_head=without(body_head(content.body, charset), secrets),
        content_length=_content_length(answer),
        body_bytes=content.transferred_bytes,
        uncompressed_bytes=len(content.body),
        last_modified=_http_date(head.get("Last-Modified")),
        hops=hops,
    )


def note_values(trace: Trace, evidence: HttpEvidence, *, tls: bool) -> None:
    """Sets the gauges `http_*` as blackbox_exporter does; an absent Content-Length is -1 there."""
    length = evidence.content_length
    trace.values |= {
        "http_status_code": float(evidence.status),
        "http_content_length": -1.0 if length is None else float(length),
        "http_uncompressed_body_length": float(evidence.uncompressed_bytes),
        "http_redirects": float(max(len(evidence.hops) - 1, 0)),
        "http_ssl": float(tls),
        "http_version": float(evidence.version or 0),
    }
    if evidence.last_modified is not None:
        trace.values["http_last_modified_timestamp_seconds"] = evidence.last_modified.timestamp()


def _content_length(answer: Answer) -> int | None:
    value = answer.head.get("Content-Length")
    return (
        int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < MAX_DIGITS else None
    )


MAX_DIGITS = 19


def _http_date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = parsedate_to_datetime(value[:64])
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # the last: the end of year 9999 in another zone
        return None
