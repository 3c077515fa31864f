"""What an HTTP exchange leaves behind: the answer, redacted."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from probes.http_exchange import Answer
from probes.http_redaction import HEADER_CHARS, redacted_headers, without
from probes.http_text import body_head, charset_of
from probes.plain_text import one_line
from sentry.domain.result import Hop, HttpEvidence

KEPT_HEADERS = ("Server",)
"""Headers kept of a good answer: those whose change is told (`sentry.domain.changes`)."""


def good_evidence(answer: Answer, hops: tuple[Hop, ...], last: HttpEvidence | None) -> HttpEvidence:
    """Returns what is kept of a good answer, which is little, and nothing new where it is as the last one.

    Args:
        answer: complete.
        hops: the answers that led to it, and itself.
        last: what this returned for the check's last good answer.
    """
    head, content = answer.head, answer.content
    kept = HttpEvidence(
        status=head.status,
        version=head.version,
        headers=tuple((name, one_line(value, HEADER_CHARS)) for name in KEPT_HEADERS for value in head.all(name)),
        content_length=_content_length(answer),
        body_bytes=content.transferred_bytes,
        uncompressed_bytes=len(content.body),
        last_modified=_http_date(head.get("Last-Modified")),
        hops=hops,
    )
    return last if last == kept and last is not None else kept


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


def _content_length(answer: Answer) -> int | None:
    value = answer.head.get("Content-Length")
    return (
        int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < MAX_DIGITS else None
    )


MAX_DIGITS = 19


@lru_cache(maxsize=1024)
def _http_date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        at = parsedate_to_datetime(value[:64])
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # the last: the end of year 9999 in another zone
        return None
