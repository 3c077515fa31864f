"""Maintenance announced, changed and read over a real socket; a client's calendar with its key and nothing else."""

from datetime import datetime, timedelta

import pytest

from sentry.web.access import calendar_key
from sentry.web.sources import WebOptions
from tests.fakes.calendar_file import read_calendar
from tests.fakes.web import AUTHORIZED, TOKEN, Client, House, Serve

PATH = "/api/v1/maintenance"
WINDOW = {
    "reason": "New disks <script>",
    "starts_at": "2026-11-09T02:00",
    "duration_min": 90,
    "zone": "Europe/Madrid",
    "clients": ["acme"],
    "by": "ana",
}


@pytest.fixture
def house() -> House:
    """Two sites of one client and one of another."""
    house = House()
    house.add_site()
    house.add_site("acme-blog", name="Blog")
    house.add_site("bits", name="Bits", client="bits", client_name="Bits S.A.S.")
    return house


async def announced(client: Client, **changed: object) -> dict[str, object]:
    """A window that was announced."""
    answer = await client.post(PATH, json={**WINDOW, **changed})
    assert answer.status == 200, await answer.text()
    document: dict[str, object] = await answer.json()
    return document


async def test_announce_change_and_cancel_a_window(client: Client) -> None:
    """Its whole life; each answer says what holds now."""
    window = await announced(client)
    assert (window["window"], window["state"], window["author"]) == ("1", "announced", "ana")
    assert (window["sites"], window["next_begin"]) == (["acme-blog", "acme-shop"], "2026-11-09T01:00:00Z")

    longer = await (await client.post(f"{PATH}/1/end", json={"ends_at": "2026-11-09T05:00", "by": "luis"})).json()
    assert (longer["next_end"], longer["changes"]) == ("2026-11-09T04:00:00Z", 1)

    assert (await client.delete(f"{PATH}/1")).status == 400
    cancelled = await (await client.delete(f"{PATH}/1?by=eva")).json()
    assert (cancelled["state"], cancelled["next_begin"]) == ("cancelled", None)
    assert (await (await client.get(PATH)).json())["total"] == 0
    assert (await (await client.get(f"{PATH}?all=1")).json())["items"] == [cancelled]


async def test_list_narrowed_to_a_site_or_a_client_has_its_windows_alone(client: Client) -> None:
    """And what is not there is said."""
    await announced(client)
    for query, total in (("site=acme-blog", 1), ("client=acme", 1), ("client=bits", 0)):
        assert (await (await client.get(f"{PATH}?{query}")).json())["total"] == total
    assert (await client.get(f"{PATH}?site=nowhere")).status == 404


@pytest.mark.parametrize(
    ("changed", "status", "wrong"),
    [
        ({"starts_at": "tomorrow"}, 400, "local date and time"),
        ({"rrule": "FREQ=YEARLY"}, 400, "FREQ"),
        ({"duration_min": None}, 400, "one of them"),
        ({"starts_at": "2020-01-01T02:00"}, 400, "over"),
        ({"clients": ["nobody"]}, 404, "site"),
        ({"sites": ["nowhere"]}, 404, "nowhere"),
        ({"by": ""}, 400, "by"),
        ({"more": 1}, 400, "more"),
        ({"reason": "x" * 20_000}, 413, "bytes"),
    ],
)
async def test_announce_what_cannot_be_used_says_what_is_wrong(
    client: Client, house: House, changed: dict[str, object], status: int, wrong: str
) -> None:
    """Nothing is written."""
    answer = await client.post(PATH, json={**WINDOW, **changed})
    assert answer.status == status
    assert wrong in (await answer.json())["detail"]
    assert house.maintenance.windows == {}


async def test_end_and_cancel_of_no_window_are_not_found(client: Client) -> None:
    """Also of one that is named by words."""
    assert (await client.post(f"{PATH}/9/end", json={"duration_min": 5, "by": "ana"})).status == 404
    assert (await client.post(f"{PATH}/9/end", json={"by": "ana"})).status == 400
    assert (await client.delete(f"{PATH}/configuration?by=ana")).status == 404


async def test_pages_show_what_is_announced_and_what_is_under_way(client: Client, house: House) -> None:
    """On the list and the site's page before, on the status page while it goes on; escaped everywhere."""
    await announced(client)
    shown = "New disks &lt;script&gt;"
    assert shown in await (await client.get("/maintenance?client=acme")).text()
    assert shown not in await (await client.get("/maintenance?client=bits")).text()
    assert shown in await (await client.get("/sites/acme-shop")).text()
    assert shown not in await (await client.get("/sites/bits")).text()
    assert "Maintenance under way" not in await (await client.get("/")).text()

    begin = datetime.fromisoformat("2026-11-09T01:30:00+00:00")
    house.clock.jump((begin - house.clock.now()) / timedelta(seconds=1))
    status = await (await client.get("/")).text()
    assert "Maintenance under way" in status
    assert shown in status


async def test_calendar_of_a_client_needs_its_key_and_shows_no_other(house: House, serve: Serve) -> None:
    """A calendar program knows an address only; the key of one client opens no other calendar and no page."""
    client = await serve(house, WebOptions(token=TOKEN))
    assert (
        await client.post(PATH, json={**WINDOW, "clients": [], "all_sites": True}, headers=AUTHORIZED)
    ).status == 200
    key = calendar_key(TOKEN, "acme")

    answer = await client.get(f"/maintenance.ics?client=acme&key={key}")
    assert (answer.status, answer.content_type) == (200, "text/calendar")
    (event,) = read_calendar((await answer.read()).decode())
    assert event["DESCRIPTION"] == "acme-blog, acme-shop"
    (event,) = read_calendar((await (await client.get("/maintenance.ics", headers=AUTHORIZED)).read()).decode())
    assert event["DESCRIPTION"] == "acme-blog, acme-shop, bits"

    for query in ("", "?client=acme", f"?client=bits&key={key}", f"?key={key}", f"?client=&key={key}"):
        assert (await client.get(f"/maintenance.ics{query}")).status == 401, query
    assert (await client.get(f"{PATH}?client=acme&key={key}")).status == 401
    page = await (await client.get("/maintenance?client=acme", headers=AUTHORIZED)).text()
    assert f"/maintenance.ics?client=acme&amp;key={key}" in page


async def test_calendar_without_a_token_is_open_to_this_machine_alone(client: Client) -> None:
    """As every page is; another host name is turned away."""
    await announced(client)
    assert (await client.get("/maintenance.ics?site=acme-shop")).status == 200
    assert (await client.get("/maintenance.ics", headers={"Host": "evil.example"})).status == 421
