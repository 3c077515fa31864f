"""Rows of the fault matrix in which sites fail."""

import json

import pytest

from benchmarks.obedient_sites import ERROR, UP
from tests.matrix.conftest import Play
from tests.matrix.scene import EPOCH, MINUTE_S, SITES, Plot

pytestmark = [pytest.mark.integration, pytest.mark.matrix]


@pytest.mark.promise("001-24")
@pytest.mark.timeout(90)
def test_site_down_for_exactly_three_minutes_has_three_minutes_in_ledger_and_report(play: Play) -> None:
    """At each edge the figure is off by the probe interval at most, and nothing else of 200 sites is down."""
    clients = {"clients": {"acme": {"name": "Acme S.L."}, "lone": {"name": "Lone S.L."}}}
    with play(Plot(sites=SITES, own={"site-007": {"client": "lone"}}, sections=clients)) as scene:
        scene.pass_by(2)
        failed_at = scene.turn("site-007", ERROR)
        scene.lapse.wait_until(failed_at + 3 * MINUTE_S)
        mended_at = scene.turn("site-007", UP)
        scene.mail.wait_for(2)
        scene.settle()

        ((started_us, ended_us),) = scene.rows("SELECT started_us, ended_us FROM outages")
        down = scene.down_minutes()
        assert failed_at <= started_us / 1e6 <= failed_at + MINUTE_S
        assert mended_at <= ended_us / 1e6 <= mended_at + MINUTE_S
        assert down.keys() == {"site-007"}
        assert abs(len(down["site-007"]) - (mended_at - failed_at) / MINUTE_S) < 1
        done = scene.agent.cli("report", "lone", "--month", f"{EPOCH:%Y-%m}", "--json")
        (site,) = json.loads(done.stdout)["sites"]
        assert site["figures"]["minutes"]["down"] == len(down["site-007"])


@pytest.mark.timeout(120)
def test_loss_of_a_fifth_of_all_packets_for_ten_minutes_opens_no_incident(play: Play) -> None:
    """Probes are lost all the time, and re-checks on new connections say that the sites are well."""
    with play(Plot(sites=SITES, speed=10, check={"timeout_s": 55})) as scene:
        scene.network.lose(20)
        scene.pass_by(10)
        scene.network.mend()
        scene.pass_by(1)
        scene.settle()
        assert scene.incidents() == []
        assert scene.mail.mails == ()
        assert scene.rows("SELECT count(*) FROM outages") == [(0,)]
        retried = scene.rows("SELECT count(*) FROM samples WHERE connect_us > 900000")
        assert retried > [(100,)]
