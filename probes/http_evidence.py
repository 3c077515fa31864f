"""What an HTTP exchange leaves behind: the answer, redacted."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from probes.http_exchange import Answer
from probes.http_redaction import HEADER_CHARS, redacted_headers, without
from probes.http_text import body_head, charset_of
from sentry.domain.result import Hop, HttpEvidence


class GoodEvidence:
    """What is kept of a check's good answers, which is little, and nothing new where one is as the last."""

    __slots__ = ("_evidence", "_facts", "_secrets")

    def __init__(self, secrets: tuple[str, ...]) -> None:
        """Begins before the first one.

        Args:
            secrets: values of our own that a server may echo.
        """
        self._secrets = secrets
        self._facts: tuple[object, ...] | None = None
        self._evidence = HttpEvidence(0, "")

    def of(self, answer: Answer, hops: tuple[Hop, ...]) -> HttpEvidence:
        """Returns the evidence.

        Args:
            answer: complete.
            hops: the answers that led to it, and itself.
        """
        head, content = answer.head, answer.content
        # Cut, because they are kept: a stranger's header may have 64 KiB.
        server = (head.get("Server") or "")[: HEADER_CHARS + 1]
        modified = (head.get("Last-Modified") or "")[:DATE_CHARS]
        length = (head.get("Content-Length") or "")[:MAX_DIGITS]
        sizes = (content.transferred_bytes, len(content.body))
        facts = (head.status, head.version, server, modified, length, sizes, hops)
        if facts != self._facts:
            self._facts = facts
            self._evidence = HttpEvidence(
                status=head.status,
                version=head.version,
                # Of the headers the one whose change is told (`sentry.domain.changes`).
                headers=redacted_headers([("Server", server)], self._secrets) if server else (),
                content_length=_content_length(length),
                body_bytes=sizes[0],
                uncompressed_bytes=sizes[1],
                last_modified=_http_date(modified),
                hops=hops,
            )
        return self._evidence


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
        content_length=_content_length(head.get("Content-Length")),
        body_bytes=content.transferred_bytes,
        uncompressed_bytes=len(content.body),
        last_modified=_http_date((head.get("Last-Modified") or "")[:DATE_CHARS]),
        hops=hops,
    )


def _content_length(value: str | None) -> int | None:
    if value is None or not value.isascii() or not value.isdigit() or len(value) >= MAX_DIGITS:
        return None
    return int(value)


MAX_DIGITS = 19
DATE_CHARS = 64


@lru_cache(maxsize=1024)
def _http_date(value: str) -> datetime | None:
    if not value:
        return None
    try:
        at = parsedate_to_datetime(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):  # the last: the end of year 9999 in another zone
        return None
