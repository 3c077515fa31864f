"""The OpenAPI description against the server that it describes."""

import json
from pathlib import Path
from typing import Any

import pytest

from sentry.web.application import all_routes, build_app
from sentry.web.sources import WebOptions
from tests.fakes.web import Client, House


@pytest.fixture
async def description(client: Client) -> dict[str, Any]:
    """The document as a caller gets it."""
    return dict(await (await client.get("/api/v1/openapi.json")).json())


def test_description_every_route_of_the_app_is_in_it(house: House) -> None:
    """Walks the routes that the server really has; HEAD comes with every GET."""
    app = build_app(house.sources, WebOptions())
    described = {(route.method, route.path) for route in all_routes()}
    served = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == described


async def test_description_lists_every_route_with_answer_and_access(description: dict[str, Any]) -> None:
    """Nothing is served that is not described."""
    for route in all_routes():
        operation = description["paths"][route.path][route.method.lower()]
        assert operation["summary"]
        assert "200" in operation["responses"]
        named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert {f"{{{name}}}" for name in named} == {part for part in route.path.split("/") if part.startswith("{")}


async def test_description_references_all_lead_somewhere(description: dict[str, Any]) -> None:
    """Every `$ref` names a schema that is there."""
    text = json.dumps(description)
    schemas = description["components"]["schemas"]
    for found in text.split('"$ref": "')[1:]:
        reference = found.partition('"')[0]
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


async def test_description_operations_have_unique_names(description: dict[str, Any]) -> None:
    """Generators of client code make a method of each."""
    names = [
        operation["operationId"] for operations in description["paths"].values() for operation in operations.values()
    ]
    assert len(names) == len(set(names))
    assert description["openapi"].startswith("3.1")
    assert description["info"]["version"] == "1.2.3"


def test_description_every_address_is_in_the_guide() -> None:
    """docs/api.md names every address, the heartbeats by their beginning."""
    guide = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    for route in all_routes():
        known = {"heartbeat": "/heartbeat/acme-shop/backup", "static": "/static/"}.get(route.path.split("/")[1])
        assert f"`{route.path}`" in guide or f" {route.path}`" in guide or (known and known in guide), route.path
