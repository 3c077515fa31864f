"""The OpenAPI 3.1 description, made from the table of routes and the models of the answers."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from sentry.web.problems import MEDIA_TYPE
from sentry.web.route import Access, Route

OPENAPI_VERSION = "3.1.0"
_REFERENCE = "#/components/schemas/{model}"

_PROBLEM = {
    "type": "object",
    "description": "An error as RFC 9457 gives it; `detail` says what is wrong and how to mend it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}, "description": "Of a configuration, one each."},
    },
}

_ACCESS: dict[Access, list[dict[str, list[str]]]] = {
    Access.OPEN: [],
    Access.TOKEN: [{"token": []}],
    Access.HEARTBEAT: [{"heartbeatToken": []}, {}],
    Access.CALENDAR: [{"token": []}, {"calendarKey": []}],
}


def describe(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Returns the description of all routes.

    Args:
        routes: the rows of the table.
        version: of the agent.
    """
    routes = list(routes)
    bodies = list(dict.fromkeys(route.body for route in routes if route.body is not None))
    answers = list(dict.fromkeys(route.answer for route in routes if route.answer is not None))
    references, schema = models_json_schema(
        [*((model, "validation") for model in bodies), *((model, "serialization") for model in answers)],
        ref_template=_REFERENCE,
    )
    schemas = {**schema.get("$defs", {}), "Problem": _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        body = references[(route.body, "validation")] if route.body is not None else None
        answer = references[(route.answer, "serialization")] if route.answer is not None else None
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, body, answer)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Online Sentry",
            "version": version,
            "summary": "What the agent knows of the sites it watches.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Where `web.token_file` is set."},
                "calendarKey": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "key",
                    "description": "Of one client's calendar; the page of maintenance shows its address.",
                },
                "heartbeatToken": {"type": "http", "scheme": "bearer", "description": "The token of the check."},
            },
        },
    }


def _operation(route: Route, body: dict[str, Any] | None, answer: dict[str, Any] | None) -> dict[str, Any]:
    parameters = [
        {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.about,
            "required": parameter.required,
            "schema": dict(parameter.schema),
        }
        for parameter in route.parameters
    ]
    errors = list(route.errors)
    if route.access in {Access.TOKEN, Access.CALENDAR}:
        errors.append(HTTPStatus.UNAUTHORIZED)
    return {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [route.tag],
        "security": _ACCESS[route.access],
        "parameters": parameters,
        **({"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}} if body else {}),
        "responses": {
            "200": _content("The answer.", route.media_type, answer),
            **{str(status.value): _problem(status) for status in sorted(set(errors))},
        },
    }


def _name(route: Route) -> str:
    """A name for generated clients, e.g. `get_interface_sites`."""
    module = route.handler.__module__.rpartition(".")[2]
    return f"{route.method.lower()}_{module}_{route.handler.__name__}"


def _content(about: str, media_type: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    return {"description": about, "content": {media_type: {"schema": schema or {}}}}


def _problem(status: HTTPStatus) -> dict[str, Any]:
    return _content(status.phrase, MEDIA_TYPE, {"$ref": "#/components/schemas/Problem"})
