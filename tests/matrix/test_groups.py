"""Rows of the fault matrix in which many sites fail at once, for one reason or for several."""

from typing import Any

import pytest

from benchmarks.obedient_sites import ERROR
from tests.integration.servers.process import wait_until
from tests.matrix.conftest import Play
from tests.matrix.scene import CLIENTS, MINUTE_S, SITES, Plot, Scene

pytestmark = [pytest.mark.integration, pytest.mark.matrix]

MEMBERS = 80
SERVER_PORT, SERVER_ADDRESS = 8081, "11.80.1.1"
TOLD_WITHIN_S = 90
TOGETHER = "sites are down together"

SHARED = list(SITES)[:MEMBERS]
OWN_REASONS = {"site-150": ERROR, "site-160": ERROR, "site-170": ERROR}


def server_plot() -> Plot:
    """Returns 200 sites, of which 80 stand on one server process at one address."""
    sites = SITES | {key: [SERVER_ADDRESS] for key in SHARED}
    return Plot(sites=sites, ports=dict.fromkeys(SHARED, SERVER_PORT), speed=5)


def kill_server(scene: Scene) -> float:
    """Kills the server of the 80 sites; returns when, in the agent's time."""
    killed_at = scene.lapse.seconds()
    scene.servers[SERVER_PORT].kill()
    return killed_at


def own(scene: Scene) -> list[dict[str, Any]]:
    """Returns the incidents that are told by themselves, and not as members of another."""
    return [incident for incident in scene.incidents() if incident["part_of"] is None]


@pytest.mark.promise("001-31")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("others", [{}, OWN_REASONS], ids=["alone", "while three others fail"])
def test_server_with_eighty_sites_killed_is_one_incident_with_eighty_members_and_one_page(
    play: Play, others: dict[str, str]
) -> None:
    """The page comes within 90 s of the first failed probe; sites that fail for their own reasons are told apart."""
    with play(server_plot()) as scene:
        killed_at = kill_server(scene)
        for site, mode in others.items():
            scene.turn(site, mode)
        wait_until(lambda: any(TOGETHER in subject for subject in scene.told(CLIENTS)), "the page", within_s=60)
        told_at = scene.lapse.seconds()
        scene.lapse.wait_until(killed_at + 3 * MINUTE_S)
        scene.settle()

        ((first_us,),) = scene.rows("SELECT min(started_us) FROM outages WHERE reason != 'http_server_error'")
        assert told_at - first_us / 1e6 <= TOLD_WITHIN_S
        assert {one["site"] for one in own(scene)} == {"", *others}
        (parent,) = [one for one in own(scene) if not one["site"]]
        assert {member["site"] for member in scene.json(f"incidents/{parent['id']}")["members"]} == set(SHARED)
        assert sum(TOGETHER in subject for subject in scene.told(CLIENTS)) == 1
        assert len(scene.told(CLIENTS)) == 1 + len(others)
