"""Errors of the interface as RFC 9457 documents; for people on a page, as a page."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

MEDIA_TYPE = "application/problem+json"


class Problem(web.HTTPException):
    """An answer that says what is wrong, raised by a handler.

    Args:
        status: HTTP status, 400 to 599.
        detail: what is wrong and how to mend it, for people; never holds a secret.
        headers: further headers of the answer.
        members: further members of the document.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        self.status_code = status.value
        self.detail = detail
        document = {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            **members,
        }
        super().__init__(
            headers=headers,
            reason=status.phrase,
            text=json.dumps(document, ensure_ascii=False),
            content_type=MEDIA_TYPE,
        )


def not_found(what: str) -> Problem:
    """Returns the answer for something that is not there."""
    return Problem(HTTPStatus.NOT_FOUND, what)


def bad_request(what: str) -> Problem:
    """Returns the answer for a parameter that cannot be used."""
    return Problem(HTTPStatus.BAD_REQUEST, what)
