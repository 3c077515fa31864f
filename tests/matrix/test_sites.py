"""Rows of the fault matrix in which sites fail."""

import json

import pytest

from benchmarks.obedient_sites import ERROR, UP
from tests.integration.servers.process import wait_until
from tests.matrix.conftest import Play
from tests.matrix.scene import CLIENTS, EPOCH, MINUTE_S, SITES, Plot

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


@pytest.mark.timeout(180)
def test_site_that_flaps_each_90_seconds_for_an_hour_is_one_incident(play: Play) -> None:
    """Every outage of it is in the ledger, and its client is not woken for each."""
    few = dict(list(SITES.items())[:20])
    with play(Plot(sites=few, speed=30)) as scene:
        began_at = scene.lapse.seconds()
        for turn in range(40):
            scene.lapse.wait_until(began_at + turn * 90)
            scene.turn("site-007", (ERROR, UP)[turn % 2])
        scene.lapse.wait_until(began_at + 62 * MINUTE_S)

        assert [incident["site"] for incident in scene.incidents() if incident["site"]] == ["site-007"]
        ((outages,),) = scene.rows("SELECT count(*) FROM outages")
        told = scene.told(CLIENTS)
        assert outages > 10
        assert sum("[RESOLVED]" not in subject for subject in told) <= 4
        down = scene.down_minutes()
        assert down.keys() == {"site-007"}
        assert 20 <= len(down["site-007"]) <= 50


@pytest.mark.timeout(90)
def test_one_dead_address_of_four_degrades_a_site_or_puts_it_down_as_its_plan_says(play: Play) -> None:
    """Whichever probe meets it, the address is named; the other three keep the site answering."""
    plan = {"uptime_target": 99.7, "interval_s": MINUTE_S, "recheck_after_s": [10, 20], "degraded_after_s": 60}
    plans = {"plans": {"priority": plan, "strict": {**plan, "dead_address": "down"}}}
    four = {key: [f"11.80.{net}.{host}" for host in range(1, 5)] for key, net in (("site-000", 3), ("site-001", 4))}
    with play(Plot(sites=SITES | four, own={"site-001": {"plan": "strict"}}, sections=plans, speed=10)) as scene:
        for addresses in four.values():
            scene.network.swallow(addresses[1])
        wait_until(lambda: len(scene.told(CLIENTS)) == 2, "both sites to be told of", within_s=60)
        scene.settle()

        incidents = [one for one in scene.incidents() if one["site"]]
        reported = {one["site"]: json.dumps(scene.json(f"incidents/{one['id']}")) for one in incidents}
        assert reported.keys() == four.keys()
        assert all(addresses[1] in reported[key] for key, addresses in four.items())
        assert scene.down_minutes().keys() == {"site-001"}
        assert "degraded" in scene.minutes("site-000").values()
