"""The read interface over a real socket."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from sentry.domain.concern import ConcernKind
from sentry.domain.health import HealthState
from sentry.domain.ledger import MinuteState, Run
from sentry.domain.ticket import Ticket, TicketEntry, TicketState, Visibility
from tests.fakes.concerns import FACTS, concern_incident
from tests.fakes.failure_reports import error_result, incident_of, resolved
from tests.fakes.results import START, a_bad_result
from tests.fakes.web import Client, House


async def test_sites_list_says_how_each_stands(client: Client, house: House) -> None:
    """State, client and response time in one call."""
    house.add_site("beta", client="beta", state=HealthState.DOWN, last=a_bad_result("beta/http", house.clock.now()))
    document = await (await client.get("/api/v1/sites")).json()
    assert document["total"] == 2
    states = [(item["key"], item["state"], item["response_s"]) for item in document["items"]]
    assert states == [("acme-shop", "up", 0.21), ("beta", "down", None)]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("client=beta", ["beta"]),
        ("state=up", ["acme-shop"]),
        ("limit=1", ["acme-shop"]),
        ("limit=1&offset=1", ["beta"]),
        ("client=nobody", []),
    ],
)
async def test_sites_filtered_gives_a_bounded_page(client: Client, house: House, query: str, keys: list[str]) -> None:
    """Filters and pages work together; the total is that of all that fits."""
    house.add_site("beta", client="beta", state=HealthState.DOWN, last=a_bad_result("beta/http", house.clock.now()))
    document = await (await client.get(f"/api/v1/sites?{query}")).json()
    assert [item["key"] for item in document["items"]] == keys


@pytest.mark.parametrize(
    "query", ["limit=501", "limit=0", "limit=-1", "limit=x", "limit=²", "offset=-1", "state=bad"]
)
async def test_sites_parameter_out_of_bounds_is_explained(client: Client, query: str) -> None:
    """A wrong parameter is an answer of RFC 9457 that says what would be right."""
    response = await client.get(f"/api/v1/sites?{query}")
    assert response.status == 400
    assert response.content_type == "application/problem+json"
    document = await response.json()
    assert document["status"] == 400
    assert "write" in document["detail"]


async def test_site_detail_has_its_checks(client: Client) -> None:
    """With phases and the end of the certificate."""
    document = await (await client.get("/api/v1/sites/acme-shop")).json()
    (check,) = document["checks"]
    assert check["last"]["phases"]["tls"] == 0.041
    assert check["last"]["certificate_expires_at"].startswith("2026-12-12T09:00")
    assert (await client.get("/api/v1/sites/nobody")).status == 404


async def test_check_says_how_many_failures_were_gone_when_looked_at_again(client: Client, house: House) -> None:
    """A blip is no outage and no minute down; it is kept all the same, and shown."""
    house.views[0].health = replace(house.views[0].health, blips=3)
    document = await (await client.get("/api/v1/checks?site=acme-shop")).json()
    assert document["items"][0]["blips"] == 3
    assert "gone when looked at again: 3" in await (await client.get("/sites/acme-shop")).text()


async def test_checks_of_one_site(client: Client, house: House) -> None:
    """All checks, or those of a site."""
    house.add_site("beta", kinds=("http", "tls"))
    assert (await (await client.get("/api/v1/checks")).json())["total"] == 3
    document = await (await client.get("/api/v1/checks?site=beta")).json()
    assert [item["key"] for item in document["items"]] == ["beta/http", "beta/tls"]


async def test_incidents_and_detail_carry_the_failure_report(client: Client, house: House) -> None:
    """The machine-readable report is the one that people read."""
    incident = incident_of(error_result())
    house.incidents.incidents[17] = incident
    house.incidents.incidents[3] = resolved(incident_of(error_result(), id=3))
    listed = await (await client.get("/api/v1/incidents?state=open")).json()
    assert [item["id"] for item in listed["items"]] == [17]
    assert listed["items"][0]["cause"] == "acme-shop: status 503, expected 200-299"
    document = await (await client.get("/api/v1/incidents/17")).json()
    assert document["report"]["failed"]["evidence"]["http"]["status"] == 503
    assert document["report"]["evidence"]["dns"][0]["resolver"] == "192.0.2.53"
    assert [entry["kind"] for entry in document["timeline"]] == ["first_failure", "confirmed"]


async def test_concern_has_a_kind_and_facts_and_no_report(client: Client, house: House) -> None:
    """Whoever reads incidents tells an outage from the rest by its kind."""
    house.incidents.incidents[17] = incident_of(error_result())
    house.incidents.incidents[18] = concern_incident(ConcernKind.OWN_FAULT, id=18)
    listed = (await (await client.get("/api/v1/incidents")).json())["items"]
    assert [(item["kind"], item["reason"], item["site"]) for item in listed] == [
        ("own_fault", None, ""),
        ("outage", "http_server_error", "acme-shop"),
    ]
    document = await (await client.get("/api/v1/incidents/18")).json()
    assert document["report"] is None
    assert document["facts"] == FACTS[ConcernKind.OWN_FAULT]


@pytest.mark.parametrize("number", ["99", "x", "-1", "99999999999999999999999", "²", "1e3"])
@pytest.mark.parametrize("path", ["incidents", "tickets"])
async def test_number_that_is_none_is_not_found(client: Client, path: str, number: str) -> None:
    """Anything but a known number is 404, never a fault."""
    assert (await client.get(f"/api/v1/{path}/{number}")).status == 404


async def test_tickets_and_detail(client: Client, house: House) -> None:
    """With the history and its hashes."""
    entry = TicketEntry(1, START, "online-sentry", Visibility.INTERNAL, "opened", "…", TicketState.NEW, "ab" * 32)
    house.tickets.tickets[5] = Ticket(5, "incident:17", "acme-shop", "acme", "down", TicketState.NEW, START, (entry,))
    listed = await (await client.get("/api/v1/tickets?state=new")).json()
    assert [item["number"] for item in listed["items"]] == [5]
    assert (await (await client.get("/api/v1/tickets?state=closed")).json())["items"] == []
    document = await (await client.get("/api/v1/tickets/5")).json()
    assert document["entries"][0]["hash"] == "ab" * 32


def _two_minutes_down(house: House) -> None:
    house.ledger.seen["acme-shop/http"] = house.clock.now() - timedelta(days=90)
    start = int(house.clock.now().timestamp()) // 60 - 1500
    house.ledger.check_runs["acme-shop/http"] = [
        Run(start - 2000, start, MinuteState.UP),
        Run(start, start + 2, MinuteState.DOWN),
        Run(start + 2, start + 1500, MinuteState.UP),
    ]


@pytest.mark.promise("001-24")
async def test_budget_tells_the_live_figures(client: Client, house: House) -> None:
    """129.6 minutes in a month of 30 days, two of them spent."""
    _two_minutes_down(house)
    document = await (await client.get("/api/v1/budget?site=acme-shop")).json()
    (budget,) = document["items"]
    assert (budget["month"], budget["verdict"]) == ("2026-11", "running")
    assert (budget["allowed_minutes"], budget["spent_minutes"], budget["left_minutes"]) == (129.6, 2, 127.6)


async def test_ledger_runs_tile_the_month_so_far(client: Client, house: House) -> None:
    """Every minute is there once, with the checks that decided it."""
    _two_minutes_down(house)
    document = await (await client.get("/api/v1/ledger?site=acme-shop&month=2026-11")).json()
    runs = document["runs"]
    assert runs[0]["start"] == document["start"]
    assert all(one["end"] == two["start"] for one, two in pairwise(runs))
    (down,) = [run for run in runs if run["state"] == "down"]
    assert (down["minutes"], down["decided_by"]) == (2, ["acme-shop/http"])


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("site=nobody", 404), ("site=acme-shop&month=2026-13", 400), ("site=acme-shop&month=x", 400)],
)
async def test_ledger_bad_parameters_are_explained(client: Client, query: str, status: int) -> None:
    """A month that does not exist and a site that nobody watches."""
    response = await client.get(f"/api/v1/ledger?{query}")
    assert (response.status, response.content_type) == (status, "application/problem+json")


async def test_unknown_address_is_a_problem_document(client: Client) -> None:
    """Also what aiohttp itself answers has the form of RFC 9457."""
    response = await client.get("/api/v1/nothing")
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert "openapi.json" in (await response.json())["detail"]


async def test_group_names_its_members_and_each_names_the_group(client: Client, house: House) -> None:
    """Whoever gets one of the numbers finds all of them."""
    house.incidents.incidents[17] = incident_of(error_result(), parent_id=18)
    house.incidents.incidents[18] = concern_incident(ConcernKind.GROUP, id=18, site_key="", client_key="")
    listed = (await (await client.get("/api/v1/incidents")).json())["items"]
    assert [(item["id"], item["kind"], item["part_of"]) for item in listed] == [
        (18, "group", None),
        (17, "outage", 18),
    ]
    document = await (await client.get("/api/v1/incidents/18")).json()
    assert [(one["id"], one["site"], one["state"]) for one in document["members"]] == [(17, "acme-shop", "open")]
