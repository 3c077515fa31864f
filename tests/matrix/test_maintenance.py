"""The row of the fault matrix about announced work."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.obedient_sites import ERROR, UP
from tests.matrix.conftest import Play
from tests.matrix.scene import CLIENTS, EPOCH, MINUTE_S, SITES, Plot, Scene

pytestmark = [pytest.mark.integration, pytest.mark.matrix]

BEGIN = EPOCH + timedelta(minutes=8)
WORK_MINUTES, DOWN_MINUTES = 5, 3
IN_TIME, LATE, OVERRUN = "site-000", "site-001", "site-002"
PLAN = {"uptime_target": 99.7, "interval_s": MINUTE_S, "recheck_after_s": [10, 20]}
SECTIONS: Mapping[str, Any] = {
    "plans": {"priority": {**PLAN, "maintenance_notice_h": 0.05}, "strict": {**PLAN, "maintenance_notice_h": 48}},
    "maintenance": {
        "disks": {
            "reason": "New disks",
            "starts_at": BEGIN.replace(tzinfo=None).isoformat(),
            "zone": "UTC",
            "duration_min": WORK_MINUTES,
            "sites": [IN_TIME, LATE, OVERRUN],
        }
    },
}
"""The same window for all; one of the sites was promised two days of notice, the others three minutes."""


def minutes_of(scene: Scene, site: str) -> dict[str, int]:
    """Returns the minutes of a site's month by their state."""
    (budget,) = scene.json(f"budget?site={site}")["items"]
    minutes: dict[str, int] = budget["minutes"]
    return minutes


@pytest.mark.promise("001-23")
@pytest.mark.timeout(120)
def test_work_announced_in_time_is_excluded_announced_late_counted_and_overrun_counted(play: Play) -> None:
    """Three sites are down for the work: as announced, announced too late, and three minutes too long."""
    end = BEGIN.timestamp() + WORK_MINUTES * MINUTE_S
    with play(Plot(sites=SITES, own={LATE: {"plan": "strict"}}, sections=SECTIONS)) as scene:
        scene.lapse.wait_until(BEGIN.timestamp())
        for site in (IN_TIME, LATE, OVERRUN):
            scene.turn(site, ERROR)
        scene.lapse.wait_until(BEGIN.timestamp() + DOWN_MINUTES * MINUTE_S)
        scene.turn(IN_TIME, UP)
        scene.turn(LATE, UP)
        scene.lapse.wait_until(end + DOWN_MINUTES * MINUTE_S)
        scene.turn(OVERRUN, UP)
        scene.pass_by(4)
        scene.settle()

        in_time, late, overrun = (minutes_of(scene, site) for site in (IN_TIME, LATE, OVERRUN))
        assert (in_time["maintenance"], in_time["down"]) == (WORK_MINUTES, 0)
        assert late["maintenance"] == 0
        assert overrun["maintenance"] == WORK_MINUTES
        assert late["down"] == pytest.approx(DOWN_MINUTES, abs=1)
        assert overrun["down"] == pytest.approx(DOWN_MINUTES, abs=1)
        opening, resolution = scene.told(CLIENTS)
        assert f"{OVERRUN}.test is down" in opening
        assert f"[RESOLVED] {OVERRUN}.test" in resolution
