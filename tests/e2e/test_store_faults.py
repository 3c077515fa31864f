"""The store is locked, full, or somebody else's: the watch goes on, nobody is accused, nothing is lost."""

import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.house import House, assert_tiled, http_site
from tests.integration.servers.agent import AgentProcess
from tests.integration.servers.agent_config import agent_document, write_config
from tests.integration.servers.process import wait_until
from tests.integration.servers.shortage import locked, no_space_left, small_file_system
from tests.integration.servers.webhook_sink import WebhookSink

LOCKED_S = 30.0
INTERVAL_S = 2


def outlast(began: float, seconds: float) -> None:
    time.sleep(max(0.0, began + seconds - time.monotonic()))


@pytest.fixture
def steady() -> Iterator[WebhookSink]:
    """A site that never fails."""
    with WebhookSink() as site:
        yield site


@pytest.fixture
def house(tmp_path: Path, free_port: Callable[[], int], steady: WebhookSink) -> Iterator[House]:
    house = House.prepare(tmp_path / "agent", free_port(), {"steady": http_site(steady)})
    with house.site, house.mail, house.agent:
        house.wait_for_probes(4)
        yield house


def assert_only_true_downtime(house: House, failed_at: float, mended_at: float) -> None:
    """No minute is down in which the site did not fail, and the other site has none at all."""
    steady, shop = house.json("ledger", "steady"), house.json("ledger", "acme-shop")
    for ledger in (steady, shop):
        assert_tiled(ledger)
    assert steady["minutes"]["down"] == 0
    down = house.rows("SELECT start_minute, end_minute FROM ledger_runs WHERE state = 'down'")
    minutes = {minute for start, end in down for minute in range(start, end)}
    failed = house.rows("SELECT minute * 60000 + offset_ms FROM samples WHERE status = 1")
    assert minutes == {at // 60_000 for (at,) in failed}
    assert minutes <= set(range(int(failed_at // 60), int(mended_at // 60) + 1))
    assert house.rows("SELECT count(*) FROM outages") == [(1,)]


def assert_probed_without_gap(house: House, began: float, ended: float) -> None:
    """Every slot of the never failing site between two wall-clock instants is in the store."""
    slots = house.rows(
        "SELECT minute * 60000 + offset_ms FROM samples JOIN checks ON checks.id = check_id "
        "WHERE key = 'steady/http' AND kind = 0 AND status = 0"
    )
    within = [at for (at,) in slots if began <= at / 1000 <= ended]
    assert len(within) >= int((ended - began) / INTERVAL_S) - 1


@pytest.mark.promise("001-28", "001-31")
@pytest.mark.timeout(120)
def test_store_locked_for_half_a_minute_costs_no_result_and_no_alert(house: House) -> None:
    """A site fails and recovers meanwhile: all of it is written afterwards, and told within 90 s of the failure."""
    began, wall = time.monotonic(), time.time()
    with locked(house.store):
        failed_at = time.time()
        house.turn(down=True)
        house.turn(down=False)
        mended_at = time.time()
        wait_until(lambda: not house.health()["store_ok"], "/healthz to say that the store does not answer")
        assert house.health()["ok"]
        outlast(began, LOCKED_S)
        assert house.rows("SELECT count(*) FROM incidents") == [(0,)]
        assert house.series("sentry_queue_depth") > 0

    house.mail.wait_for(2, within_s=30)
    assert time.time() - failed_at < 90
    wait_until(lambda: house.health()["store_ok"], "/healthz to say that the store answers again")
    assert house.series("sentry_store_dropped_total") == 0
    assert house.series("sentry_loop_crashes_total") == 0
    house.settle()
    assert house.agent.stop() == 0

    house.assert_one_story()
    assert_probed_without_gap(house, wall, wall + LOCKED_S)
    assert_only_true_downtime(house, failed_at, mended_at)
    assert "Traceback" not in house.agent.log


# ── no room ──────────────────────────────────────────────────────────────────────────────────────────────────────

Shortage = Callable[[House], AbstractContextManager[None]]


@contextmanager
def full_disk(house: House) -> Iterator[None]:
    """No block is left where the store is (ENOSPC)."""
    with no_space_left(house.store):
        yield


@contextmanager
def no_file_may_grow(house: House) -> Iterator[None]:
    """Forbids the agent to let any file grow (EFBIG), which no root is needed for."""
    size = house.store.with_name(house.store.name + "-wal").stat().st_size
    soft, hard = resource.prlimit(house.agent.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(house.agent.pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.prlimit(house.agent.pid, resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(small_file_system(tmp_path / "disk", megabytes=4))
        except subprocess.CalledProcessError:
            pytest.skip("only root can mount a small file system; the test beside this one needs no root")
        yield folder


def _assert_shortage_is_survived(house: House, shortage: Shortage) -> None:
    wall = time.time()
    with shortage(house):
        failed_at = time.time()
        house.turn(down=True)
        house.turn(down=False)
        mended_at = time.time()
        wait_until(lambda: not house.health()["store_ok"], "/healthz to say that the store does not answer")
        before = house.probes()
        wait_until(lambda: house.probes() >= before + 4, "probes without a store")
        assert not house.is_down()
        assert not house.is_down("steady")
        assert house.mail.mails == ()
    ended = time.time()

    house.mail.wait_for(2, within_s=30)
    wait_until(lambda: house.health()["store_ok"], "/healthz to say that the store answers again")
    assert house.series("sentry_loop_crashes_total") == 0
    house.settle()
    assert house.agent.stop() == 0

    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    assert house.rows("PRAGMA foreign_key_check") == []
    house.assert_one_story()
    assert_probed_without_gap(house, wall, ended)
    assert_only_true_downtime(house, failed_at, mended_at)


@pytest.mark.promise("001-28")
def test_disk_that_is_full_stops_no_probe_and_loses_nothing_once_there_is_room(
    tmp_path: Path, small_disk: Path, free_port: Callable[[], int], steady: WebhookSink
) -> None:
    """What was seen without room is written when there is some; nobody was accused, no row is damaged."""
    sites = {"steady": http_site(steady)}
    house = House.prepare(tmp_path / "agent", free_port(), sites, store=small_disk / "sentry.db")
    with house.site, house.mail, house.agent:
        house.wait_for_probes(4)
        _assert_shortage_is_survived(house, full_disk)


@pytest.mark.promise("001-28")
def test_files_that_may_not_grow_stop_no_probe_and_lose_nothing(house: House) -> None:
    """The same where the system refuses each write for another reason than space."""
    _assert_shortage_is_survived(house, no_file_may_grow)


# ── somebody else's ──────────────────────────────────────────────────────────────────────────────────────────────


def test_second_agent_on_one_store_refuses_to_start_and_says_why(house: House, free_port: Callable[[], int]) -> None:
    """Exit code 4 and one clear line; the first agent goes on."""
    port = free_port()
    document = agent_document(port, {"other": house.site.url()}, store=f"sqlite:///{house.store}")
    link = house.store.with_name("link.db")
    link.symlink_to(house.store)
    through_link = agent_document(port, {"other": house.site.url()}, store=f"sqlite:///{link}")

    for name, text in (("second", document), ("third", through_link)):
        other = AgentProcess(write_config(house.agent.folder / f"{name}.yaml", text), port)
        done = other.cli("run")
        assert done.returncode == 4, done.stderr
        assert "another agent works on" in done.stderr
        assert str(house.store) in done.stderr
        assert "Traceback" not in done.stderr

    before = house.probes()
    wait_until(lambda: house.probes() > before, "the first agent to go on")
    assert house.json("incident", "list") == []
