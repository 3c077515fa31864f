"""Health and reload over a real socket."""

from dataclasses import replace

from sentry.domain.errors import ConfigurationError, Problem
from tests.fakes.web import Client, House


async def test_healthz_running_is_200(client: Client) -> None:
    """A load balancer or systemd asks this."""
    response = await client.get("/healthz")
    assert response.status == 200
    document = await response.json()
    assert document == {
        "ok": True,
        "version": "1.2.3",
        "last_tick_age_s": 0.4,
        "store_ok": True,
        "config_ok": True,
        "network_ok": None,
    }


async def test_healthz_stalled_is_503(client: Client, house: House) -> None:
    """A watch that stands still must not look healthy."""
    house.agent_health = replace(house.agent_health, stalled=True, last_tick_age_s=90.0)
    response = await client.get("/healthz")
    assert response.status == 503
    assert (await response.json())["ok"] is False


async def test_healthz_store_down_is_still_200(client: Client, house: House) -> None:
    """A restart would not mend the database and would stop the watch."""
    house.agent_health = replace(house.agent_health, store_ok=False)
    response = await client.get("/healthz")
    assert response.status == 200
    assert (await response.json())["store_ok"] is False


async def test_healthz_head_has_no_body(client: Client) -> None:
    """Some checkers send HEAD."""
    response = await client.head("/healthz")
    assert (response.status, await response.read()) == (200, b"")


async def test_reload_good_says_what_is_watched(client: Client) -> None:
    """The answer names what is now in use."""
    response = await client.post("/-/reload")
    assert await response.json() == {"reloaded": True, "sites": 1, "checks": 1}


async def test_reload_bad_names_every_problem(client: Client, house: House) -> None:
    """Whoever edited the file gets all of it at once, with file and line."""
    problems = [Problem("sentry.yaml", 12, "sites[0].url", "no such scheme"), Problem("sites/a.yaml", 0, "", "empty")]
    house.reload_error = ConfigurationError(problems)
    response = await client.post("/-/reload")
    assert response.status == 400
    assert response.content_type == "application/problem+json"
    document = await response.json()
    assert document["problems"] == [
        {"file": "sentry.yaml", "line": 12, "path": "sites[0].url", "message": "no such scheme"},
        {"file": "sites/a.yaml", "line": 0, "path": "", "message": "empty"},
    ]


async def test_reload_by_get_is_refused_with_the_method_to_use(client: Client, house: House) -> None:
    """A link or a prefetching browser changes nothing."""
    response = await client.get("/-/reload")
    assert response.status == 405
    assert response.headers["Allow"] == "POST"
    assert house.reloads == 0
