"""Calls of watched jobs over a real socket."""

import pytest

from tests.fakes.web import Client, House

SECRET = "a-token-of-the-backup"


@pytest.fixture(autouse=True)
def backup(house: House) -> None:
    """The site has a heartbeat check with a token, and one without."""
    house.heartbeat_tokens |= {"acme-shop/backup": SECRET, "acme-shop/cron": ""}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, ""),
        ({"X-Heartbeat-Token": SECRET}, ""),
        ({}, f"?token={SECRET}"),
    ],
)
async def test_heartbeat_right_token_is_recorded(
    client: Client, house: House, method: str, headers: dict[str, str], query: str
) -> None:
    """Any method, any way to send the token: jobs are of all ages."""
    response = await client.request(method, f"/heartbeat/acme-shop/backup{query}", headers=headers)
    assert response.status == 200
    call = house.heartbeats.calls["acme-shop/backup"]
    assert (call.at, call.ok) == (house.clock.now(), True)


async def test_heartbeat_fail_keeps_what_the_job_said(client: Client, house: House) -> None:
    """The tail of the job's log goes into the report, without control characters."""
    body = b"disk full\n\x1b[31mrsync: code 11\x00" + b"\xff"
    response = await client.post(f"/heartbeat/acme-shop/backup/fail?token={SECRET}", data=body)
    assert response.status == 200
    call = house.heartbeats.calls["acme-shop/backup"]
    assert (call.ok, call.text) == (False, "disk full\n[31mrsync: code 11\ufffd")


async def test_heartbeat_without_a_token_set_needs_none(client: Client, house: House) -> None:
    """Where the configuration sets no token, the name is enough."""
    assert (await client.get("/heartbeat/acme-shop/cron")).status == 200
    assert "acme-shop/cron" in house.heartbeats.calls


@pytest.mark.parametrize(
    "path",
    [
        "/heartbeat/acme-shop/backup",
        "/heartbeat/acme-shop/backup?token=wrong",
        "/heartbeat/acme-shop/backup/fail?token=",
        f"/heartbeat/acme-shop/nothing?token={SECRET}",
        "/heartbeat/nobody/backup",
    ],
)
async def test_heartbeat_unknown_or_wrong_token_look_the_same(client: Client, house: House, path: str) -> None:
    """Nobody learns from the answers what is watched."""
    response = await client.get(path)
    assert response.status == 404
    assert (await response.json())["detail"] == "there is no heartbeat check of this name with this token"
    assert house.heartbeats.calls == {}


async def test_heartbeat_large_body_is_refused(client: Client, house: House) -> None:
    """Nobody fills the store through an open door."""
    path = f"/heartbeat/acme-shop/backup?token={SECRET}"
    assert (await client.post(path, data=b"x" * 16_385)).status == 413
    assert house.heartbeats.calls == {}
    assert (await client.post(path, data=b"x" * 16_384)).status == 200


async def test_heartbeat_flood_is_throttled(client: Client, house: House) -> None:
    """A job in an endless loop is told to wait."""
    path = f"/heartbeat/acme-shop/backup?token={SECRET}"
    answers = [(await client.get(path)).status for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    await house.clock.advance(5)
    assert (await client.get(path)).status == 200
    page = house.metrics.page().decode()
    assert 'sentry_heartbeats_total{result="throttled"} 2.0' in page


async def test_heartbeat_guessing_is_slowed_down(client: Client) -> None:
    """Twenty wrong tokens at once are enough."""
    answers = [(await client.get(f"/heartbeat/acme-shop/backup?token={number}")).status for number in range(22)]
    assert answers == [404] * 20 + [429] * 2
