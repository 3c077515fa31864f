"""A dead server among real sockets: one mail for all its sites, one for the site that fails by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.house import House
from tests.integration.servers.nginx import Nginx, Vhost
from tests.integration.servers.process import wait_until

pytestmark = pytest.mark.integration

SITES = tuple(f"web{number}" for number in range(6))
UNRESOLVED = "SELECT count(*) FROM incidents WHERE state <> 'resolved'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nginx]:
    with Nginx(tmp_path / "nginx", [Vhost("shop")]) as nginx:
        yield nginx


@pytest.fixture
def house(tmp_path: Path, server: Nginx, free_port: Callable[[], int]) -> Iterator[House]:
    checks = [{"kind": "http", "timeout_s": 3}]
    sites = {key: {"name": key, "url": server.url("shop"), "checks": checks} for key in SITES}
    house = House.prepare(
        tmp_path / "agent",
        free_port(),
        sites,
        recheck_after_s=(1, 2),  # confirmed once every site had its turn, as 30 s of a minute are with many sites
        incidents={"group_hold_s": 4},
        language="en",
    )
    with ExitStack() as stack:
        for part in (house.site, house.mail, house.agent):
            stack.enter_context(part)
        yield house


def test_dead_server_and_a_site_of_its_own_are_two_mails_and_two_ends(house: House, server: Nginx) -> None:
    """Mail, tickets, command line, interface and page tell of one problem with six sites, and of another one."""
    house.wait_for_probes(14)
    server.stop()
    house.site.status = 503
    house.mail.wait_for(2)
    wait_until(lambda: house.rows(UNRESOLVED) == [(8,)], "every incident")
    house.settle()

    incidents = house.json("incident", "list")
    (parent,) = [one for one in incidents if one["concern"] == "group"]
    members = [one for one in incidents if one["parent_id"] == parent["id"]]
    assert {one["site_key"] for one in members} == set(SITES)
    grouped, alone = sorted(house.mail.mails, key=lambda mail: "together" not in mail.subject)
    assert "6 sites are down together" in grouped.subject
    assert all(site in grouped.text() for site in SITES)
    assert "error 503" in alone.subject

    shown = house.agent.cli("incident", "show", str(parent["id"])).stdout
    assert "Acme S.L." in shown
    assert f"part of incident {parent['id']}" in house.agent.cli("incident", "show", str(members[0]["id"])).stdout
    document = house.agent.get(f"/api/v1/incidents/{parent['id']}").json()
    assert {one["site"] for one in document["members"]} == set(SITES)
    page = house.agent.get(f"/incidents/{parent['id']}").text
    assert all(f'href="/sites/{site}"' in page for site in SITES)
    ticket = house.json("ticket", "show", str(members[0]["ticket_number"]))
    assert any(f"incident #{parent['id']}" in entry["text"] for entry in ticket["entries"])

    server.start()
    house.site.status = 200
    house.mail.wait_for(4)
    wait_until(lambda: house.rows(UNRESOLVED) == [(0,)], "the end")
    house.settle()
    assert len(house.mail.mails) == 4
    assert house.json("verify") == {"ok": True, "problems": []}
