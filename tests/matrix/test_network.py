"""Rows of the fault matrix in which the agent's own way to the world fails."""

import pytest

from tests.matrix.conftest import Play
from tests.matrix.scene import MINUTE_S, OPERATORS, RESOLVERS, SITES, Plot, assert_nobody_accused, unknown_of

pytestmark = [pytest.mark.integration, pytest.mark.matrix]


@pytest.mark.promise("001-23", "001-28")
@pytest.mark.timeout(90)
def test_uplink_cut_for_five_minutes_accuses_nobody_and_tells_the_operators_once(play: Play) -> None:
    """Every site has just the minutes unknown that could not be seen; clients hear nothing."""
    with play(Plot(sites=SITES, speed=10)) as scene:
        scene.pass_by(1)
        cut_at = scene.lapse.seconds()
        scene.network.cut()
        scene.lapse.wait_until(cut_at + 5 * MINUTE_S)
        scene.network.join()
        joined_at = scene.lapse.seconds()
        scene.pass_by(3)
        scene.settle()

        assert_nobody_accused(scene)
        opening, end = scene.told(OPERATORS)
        assert "The watch itself has a fault: no network" in opening
        assert "[RESOLVED] The watch works again" in end
        for site in SITES:
            unknown = unknown_of(scene, site, int(cut_at // 60) - 1, int(joined_at // 60) + 1)
            assert 4 <= len(unknown) <= 6, site
            assert all(cut_at // 60 <= minute <= joined_at // 60 for minute in unknown), site


@pytest.mark.timeout(90)
def test_one_resolver_dead_opens_no_incident_of_a_site_and_warns_the_operators_once(play: Play) -> None:
    """Lookups go to the other one in time."""
    with play(Plot(sites=SITES, speed=10)) as scene:
        scene.resolvers[RESOLVERS[0]].kill()
        scene.pass_by(5)
        scene.settle()

        assert_nobody_accused(scene)
        (warning,) = scene.told(OPERATORS)
        assert f"The name server {RESOLVERS[0]} does not answer" in warning
