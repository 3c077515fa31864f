"""The body of a request: one JSON document of a known shape, bounded."""

from http import HTTPStatus
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sentry.web.problems import Problem, bad_request

MAX_BODY_BYTES = 16 * 1024
MAX_PROBLEMS = 10

Document = TypeVar("Document", bound=BaseModel)


async def read_document(request: web.Request, model: type[Document]) -> Document:
    """Reads the body.

    Args:
        request: its body is read here.
        model: what it must be.

    Raises:
        Problem: 415, it is no JSON by its type; 413, it is too long; 400, it is something else, named part by part.
    """
    if request.content_type != "application/json":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON, with 'Content-Type: application/json'")
    body = b""
    async for piece in request.content.iter_chunked(MAX_BODY_BYTES):
        body += piece
        if len(body) > MAX_BODY_BYTES:
            what = f"the body may have {MAX_BODY_BYTES} bytes at most"
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, what)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)[:MAX_PROBLEMS]
        wrong = "; ".join(": ".join(filter(None, (_place(one["loc"]), one["msg"]))) for one in found)
        raise bad_request(f"the body cannot be used: {wrong}") from error


def _place(path: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:40] for part in path)
