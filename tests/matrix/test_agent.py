"""Rows of the fault matrix in which the agent's own house fails: its network, its loop, its store, its clock."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.integration.servers.shortage import locked, no_space_left, small_file_system
from tests.matrix.conftest import Play
from tests.matrix.scene import MINUTE_S, SITES, Plot, Scene, assert_nobody_accused, unknown_of

pytestmark = [pytest.mark.integration, pytest.mark.matrix]


@pytest.mark.timeout(60)
def test_loop_blocked_for_five_seconds_accuses_nobody(play: Play) -> None:
    """The process stands still for five real seconds amid its probes: minutes are missed, none is down."""
    with play(Plot(sites=SITES, speed=10)) as scene:
        scene.pass_by(1.2)
        stopped_at = scene.lapse.seconds()
        scene.agent.pause()
        scene.pass_by(5 * scene.plot.speed / MINUTE_S)
        scene.agent.resume()
        went_on_at = scene.lapse.seconds()
        scene.pass_by(2)
        scene.settle()

        assert_nobody_accused(scene)
        for site in scene.plot.sites:
            missed = unknown_of(scene, site, int(stopped_at // 60) - 1, int(went_on_at // 60) + 1)
            assert all(stopped_at // 60 <= minute <= went_on_at // 60 for minute in missed)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("shortage", [locked, no_space_left])
def test_store_that_takes_nothing_for_five_minutes_costs_no_minute(
    play: Play, small_disk: Path, shortage: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """What was seen meanwhile is written afterwards: every minute of every site is up."""
    with play(Plot(sites=SITES, store=small_disk / "sentry.db")) as scene:
        scene.settle()
        began_at = scene.lapse.seconds()
        with shortage(scene.store):
            scene.pass_by(5)
            written = max(max(scene.minutes(site)) for site in SITES)
            assert written <= began_at // 60 + 1
        ended_at = scene.lapse.seconds()
        scene.pass_by(1)
        scene.settle()

        assert_nobody_accused(scene)
        assert scene.series("sentry_store_dropped_total") == 0
        for site in SITES:
            assert unknown_of(scene, site, int(began_at // 60), int(ended_at // 60)) == []


@pytest.mark.promise("001-23", "001-28")
@pytest.mark.timeout(120)
def test_agent_stopped_for_thirty_minutes_leaves_thirty_unknown_minutes(play: Play) -> None:
    """They are neither up nor down: the figure comes with the worst and the best that it may have been."""
    with play(Plot(sites=SITES)) as scene:
        scene.pass_by(1)
        scene.settle()
        stopped_at = scene.lapse.seconds()
        assert scene.agent.stop() == 0
        scene.skip(30 * MINUTE_S - (scene.lapse.seconds() - stopped_at))
        started_at = scene.lapse.seconds()
        scene.agent.start()
        scene.pass_by(1.5)
        scene.settle()

        assert_nobody_accused(scene)
        for site in SITES:
            unknown = unknown_of(scene, site, int(stopped_at // 60) - 1, int(started_at // 60) + 1)
            assert 29 <= len(unknown) <= (started_at - stopped_at) / 60 + 2
            assert all(later - earlier == 1 for earlier, later in pairwise(unknown))
        (budget,) = scene.json("budget?site=site-007")["items"]
        assert budget["minutes"]["unknown"] >= 29
        assert budget["worst"] < budget["measured"] == budget["best"] == 100


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    with small_file_system(tmp_path / "disk", megabytes=8) as folder:
        yield folder


@pytest.mark.timeout(60)
@pytest.mark.parametrize("jump_s", [-600, 600])
def test_clock_set_by_ten_minutes_leaves_the_ledger_whole(play: Play, jump_s: int) -> None:
    """Probing goes on at once, no minute is down, and no minute stands in the ledger twice."""
    with play(Plot(sites=SITES)) as scene:
        scene.pass_by(1)
        scene.set_clock(jump_s)
        scene.pass_by(3)
        scene.settle()

        assert scene.series("sentry_clock_jumps_total") == 1
        assert_nobody_accused(scene)
        assert_each_minute_once(scene)


@pytest.mark.timeout(60)
def test_leap_second_smeared_over_minutes_is_noticed_by_nobody(play: Play) -> None:
    """The wall clock loses a second in steps of a twentieth: no jump, no minute unknown, each once."""
    with play(Plot(sites=SITES)) as scene:
        scene.pass_by(1)
        for step in range(20):
            scene.set_clock(-0.05 * (step + 1))
            scene.pass_by(0.15)
        ended_at = scene.lapse.seconds()
        scene.pass_by(1)
        scene.settle()

        assert scene.series("sentry_clock_jumps_total") == 0
        assert_nobody_accused(scene)
        assert_each_minute_once(scene)
        for site in SITES:
            assert unknown_of(scene, site, int(scene.began_at // 60) + 1, int(ended_at // 60) - 1) == []


def assert_each_minute_once(scene: Scene) -> None:
    """The runs of every check follow each other without overlap."""
    runs = scene.rows("SELECT check_id, start_minute, end_minute FROM ledger_runs ORDER BY check_id, start_minute")
    assert all(one[2] <= other[1] for one, other in pairwise(runs) if one[0] == other[0])


@pytest.mark.promise("001-23")
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("night", "minutes"),
    [(datetime(2025, 3, 30, 0, 57, tzinfo=UTC), 44_580), (datetime(2025, 10, 26, 0, 57, tzinfo=UTC), 44_700)],
)
def test_night_of_the_clock_change_has_each_minute_once(play: Play, night: datetime, minutes: int) -> None:
    """In Madrid an hour is missing, or comes twice: the month has as many minutes as really go by."""
    whole_month = {"contract_start": night.date().replace(day=1).isoformat()}
    with play(Plot(sites=SITES, epoch=night, keys=whole_month)) as scene:
        scene.lapse.wait_until(night.timestamp() + 5 * MINUTE_S)
        scene.settle()

        assert_nobody_accused(scene)
        assert_each_minute_once(scene)
        for site in SITES:
            assert unknown_of(scene, site, int(scene.began_at // 60) + 1, int(night.timestamp() // 60) + 4) == []
        (budget,) = scene.json(f"budget?site=site-007&month={night:%Y-%m}")["items"]
        assert budget["allowed_minutes"] == pytest.approx(minutes * 0.003)
