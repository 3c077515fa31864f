"""A worker is killed or frozen, or the agent is: nobody is called down for it, and nothing is left behind."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.servers.process import wait_until
from tests.integration.workers.conftest import OpenShop, alive, frozen

AS_GOOD_AS_PROBED_S = 11.0
"""For so long after it was configured, a check that no worker probes yet is not missed."""


@pytest.mark.promise("001-29")
@pytest.mark.timeout(90)
def test_killed_worker_is_started_again_and_accuses_no_site(open_shop: OpenShop) -> None:
    """Its slots are missed and told of, the other worker goes on, and every site is watched again."""
    shop = open_shop()
    time.sleep(AS_GOOD_AS_PROBED_S)
    shop.wait_for_all()
    assert shop.series("sentry_missed_slots_total") == 0
    victim, other = shop.workers()
    os.kill(victim, signal.SIGKILL)
    killed = shop.restarted()
    wait_until(lambda: len(set(shop.workers()) - {victim, other}) == 1, "a new process")
    shop.wait_for_all()

    assert shop.series(f'sentry_worker_restarts_total{{worker="{3 - killed}"}}') == 0
    assert shop.series("sentry_worker_up{") == 2
    assert other in shop.workers()
    assert shop.series("sentry_missed_slots_total") >= len(shop.shard(killed))
    assert shop.series("sentry_unknown_seconds_total") >= len(shop.shard(killed))
    assert shop.down() == 0
    assert shop.agent.cli("incident", "list", "--json").stdout.strip() == "[]"
    assert '"how": "signal SIGKILL"' in shop.agent.log


@pytest.mark.promise("001-29")
@pytest.mark.timeout(90)
def test_frozen_worker_is_cut_while_the_other_goes_on(open_shop: OpenShop) -> None:
    """Ten seconds without a word are enough; meanwhile the other shard does not miss a beat."""
    shop = open_shop()
    time.sleep(AS_GOOD_AS_PROBED_S)
    with frozen(shop.workers()[0]):
        before = shop.calls()
        cut = shop.restarted()
        after = shop.calls()
    wait_until(lambda: shop.series("sentry_worker_up{") == 2, "the worker to be back")
    shop.wait_for_all()

    going_on = shop.shard(3 - cut)
    assert all(after[path] - before[path] >= 7 for path in going_on)
    assert all(after[path] - before[path] <= 2 for path in shop.shard(cut))
    assert shop.series("sentry_missed_slots_total") >= 7 * len(shop.shard(cut))
    assert shop.down() == 0
    assert "did not say a word" in shop.agent.log


@pytest.mark.timeout(90)
def test_worker_frozen_for_a_moment_tells_of_it_and_is_not_cut(open_shop: OpenShop) -> None:
    """It knows by itself that it stood still, and that its slots went by."""
    shop = open_shop()
    shop.wait_for_all()
    before = shop.workers()
    with frozen(before[0]):
        time.sleep(4)
    wait_until(lambda: shop.series("sentry_missed_slots_total") > 0, "the missed slots to be told of")
    wait_until(lambda: shop.series("sentry_stalls_total") == 1, "the stall to be told of")
    assert shop.series("sentry_stalled_seconds_total") >= 2
    shop.wait_for_all()
    assert shop.workers() == before
    assert shop.down() == 0


def test_killed_agent_leaves_no_worker_behind(open_shop: OpenShop) -> None:
    """Also not one that is frozen and cannot see the end of the pipe."""
    shop = open_shop()
    first, second = shop.workers()
    with frozen(first):
        os.kill(shop.agent.pid, signal.SIGKILL)
        wait_until(lambda: not alive(first) and not alive(second), "the workers to end", within_s=5)


def test_worker_obeys_no_signal_that_is_meant_for_the_agent(open_shop: OpenShop) -> None:
    """Whatever systemd and terminals signal to the whole group, the agent alone decides what follows."""
    shop = open_shop()
    before = shop.workers()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        for worker in before:
            os.kill(worker, number)
    shop.wait_for_all()
    assert shop.workers() == before
    assert shop.series("sentry_worker_restarts_total{") == 0


def test_agent_told_to_stop_drains_its_workers(open_shop: OpenShop) -> None:
    """Every result that was counted is in the store; agent and workers end in seconds and say nothing bad."""
    shop = open_shop()
    shop.wait_for_all()
    workers = shop.workers()
    shop.site.delay_s = 0.9
    time.sleep(1.5)  # now probes are under way at any moment
    seen = shop.series("sentry_checks_total{")
    began = time.monotonic()
    shop.agent.signal(signal.SIGTERM)
    wait_until(lambda: not shop.agent.is_running, "the agent to end", within_s=10)
    assert time.monotonic() - began < 5
    assert not any(alive(worker) for worker in workers)
    assert shop.agent.kill() == 0
    assert "Traceback" not in shop.agent.log
    assert "error" not in shop.agent.log

    query = "SELECT status, count(*) FROM samples WHERE kind < 2 GROUP BY status"
    statuses = dict(_rows(shop.agent.folder / "sentry.db", query))
    assert statuses.keys() == {0}
    assert statuses[0] >= seen


def _rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
